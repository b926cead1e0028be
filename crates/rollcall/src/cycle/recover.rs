//! Creations whose end is not known: the process died, or the answer never
//! came. They are looked for, never asked for again. The number and the
//! fingerprint of the secret we sent prove that an employee is ours; a human
//! may type the same name and number.

use super::gather::Recovered;
use crate::app::App;
use anyhow::Result;
use pbx::Pbx;
use reconcile::plan::stands_on;
use reconcile::{Answer, ConflictKind, Decision, EmployeeId, Field, Value, Verdict, World};
use std::collections::{HashMap, HashSet};
use store::{DirectoryRow, JournalOf, JournalRow, Settlement, State, What};

/// Finds out what became of unfinished creations. One that happened joins its
/// person as if a human had said so, and stays unfinished until it did: this
/// run may be a preview, be halted, hold its joins back or die.
pub async fn recover(app: &App, row: &DirectoryRow, pbx: &Pbx, world: &mut World) -> Result<Vec<Recovered>> {
    let unfinished = app.store.journal_of(&JournalOf::Unfinished(row.id)).await?;
    let linked: HashMap<_, _> = world.links.iter().map(|link| (link.person.clone(), link.employee)).collect();
    let listed: HashSet<_> = world.employees.rows.iter().map(|employee| employee.id).collect();
    let mut recovered = Vec::new();
    for step in unfinished.iter().filter(|step| step.what == What::Create) {
        let settled = |state, employee| Recovered { run: step.run, seq: step.seq, state, employee };
        let before = linked.get(&step.person).copied();
        if let Some(id) = before.filter(|id| listed.contains(id)) {
            // Linked before the row was settled: nothing is left to find out.
            recovered.push(settled(State::Done, Some(id)));
            continue;
        }
        match look_for(pbx, step, world.policy.region.as_deref()).await {
            Ok(Some(id)) => world.decisions.push(found(step, before, id)),
            Ok(None) => recovered.push(settled(State::Refused, None)),
            // Whoever is not found out about must not be created again.
            Err(error) => {
                let why = format!("what became of an unfinished creation is not known: {error}");
                world.employees.verdict = Verdict::Partial(why);
            }
        }
    }
    // What any other unfinished write did, both listings show: it is over.
    let over = unfinished.iter().filter(|step| step.what != What::Create);
    recovered.extend(over.map(|step| Recovered {
        run: step.run,
        seq: step.seq,
        state: State::Refused,
        employee: None,
    }));
    Ok(recovered)
}

/// The answer that joins a person with the employee made for them; `before` is
/// the deleted one whose place it takes.
fn found(step: &JournalRow, before: Option<EmployeeId>, id: EmployeeId) -> Decision {
    let (kind, stands_on) = match before {
        Some(before) => {
            (ConflictKind::EmployeeDeleted, stands_on(&[step.person.as_str(), &before.to_string()]))
        }
        None => (ConflictKind::AmbiguousMatch, String::new()),
    };
    let answer = Answer::Employee { id };
    Decision { person: step.person.clone(), kind, field: None, answer, stands_on, at_ms: step.at_ms }
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
) -> Result<Option<EmployeeId>, pbx::Error> {
    let Some(number) = &step.reserved_number else { return Ok(None) };
    let Some(found) = pbx.find(number).await? else { return Ok(None) };
    let Some(record) = pbx.record(found.id, region).await? else { return Ok(None) };
    let secret = record.fields[Field::SipPassword].values().first().map(Value::canonical);
    Ok((secret.is_some() && secret == step.fingerprint.as_deref()).then_some(found.id))
}
