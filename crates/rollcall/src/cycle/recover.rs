//! Creations whose end is not known: the process died, or the answer never
//! came. They are looked for, never asked for again. The number and the
//! fingerprint of the secret we sent prove that an employee is ours; a human
//! may type the same name and number.

use super::gather::Recovered;
use crate::app::App;
use anyhow::Result;
use pbx::Pbx;
use reconcile::{Answer, ConflictKind, Decision, Field, Value, World};
use std::collections::HashSet;
use store::{DirectoryRow, JournalOf, JournalRow, Settlement, State, What};

/// Finds out what became of unfinished creations. One that happened joins its
/// person as if a human had said so.
pub async fn recover(app: &App, row: &DirectoryRow, pbx: &Pbx, world: &mut World) -> Result<Vec<Recovered>> {
    let unfinished = app.store.journal_of(&JournalOf::Unfinished(row.id)).await?;
    let linked: HashSet<_> = world.links.iter().map(|link| link.person.clone()).collect();
    let mut recovered = Vec::new();
    for step in unfinished.iter().filter(|step| step.what == What::Create) {
        if linked.contains(&step.person) {
            // Linked before the row was settled: nothing is left to find out.
            recovered.push(Recovered { run: step.run, seq: step.seq, state: State::Done, employee: step.employee });
            continue;
        }
        let Ok(employee) = look_for(pbx, step, world.policy.region.as_deref()).await else { continue };
        if let Some(id) = employee {
            world.decisions.push(Decision {
                person: step.person.clone(),
                kind: ConflictKind::AmbiguousMatch,
                field: None,
                answer: Answer::Employee { id },
                stands_on: String::new(),
                at_ms: step.at_ms,
            });
        }
        let state = if employee.is_some() { State::Done } else { State::Refused };
        recovered.push(Recovered { run: step.run, seq: step.seq, state, employee });
    }
    // What any other unfinished write did, both listings show: it is over.
    let over = unfinished.iter().filter(|step| step.what != What::Create);
    recovered.extend(over.map(|step| Recovered { run: step.run, seq: step.seq, state: State::Refused, employee: None }));
    Ok(recovered)
}

/// Writes down what was found out, so that nobody looks again.
pub async fn settle(app: &App, recovered: &[Recovered]) -> Result<()> {
    for step in recovered {
        let settlement = Settlement { state: step.state, after: None, employee: step.employee };
        app.store.settle(step.run, step.seq, &settlement).await?;
    }
    Ok(())
}

async fn look_for(
    pbx: &Pbx,
    step: &JournalRow,
    region: Option<&str>,
) -> Result<Option<reconcile::EmployeeId>, pbx::Error> {
    let Some(number) = &step.reserved_number else { return Ok(None) };
    let Some(found) = pbx.find(number).await? else { return Ok(None) };
    let Some(record) = pbx.record(found.id, region).await? else { return Ok(None) };
    let secret = record.fields[Field::SipPassword].values().first().map(Value::canonical);
    Ok((secret.is_some() && secret == step.fingerprint.as_deref()).then_some(found.id))
}
