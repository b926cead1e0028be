//! Steps of the journal whose end is not known: the process died, or the
//! answer never came. They are looked for, never asked for again.
//!
//! A creation is recognised by the number and the fingerprint of the secret we
//! sent, which prove that an employee is ours; a human may type the same name
//! and number. One that is not there yet may come late: until it cannot any
//! more, only the number it was asked for with is tried again, and the PBX
//! gives that to one of the two. Any other write is recognised by what stands
//! in its place, see [`reconcile::unfinished`].

use super::step::StepRef;
use crate::app::App;
use crate::limits;
use anyhow::Result;
use pbx::Pbx;
use reconcile::needs::Look;
use reconcile::plan::stands_on;
use reconcile::unfinished::{self, End, Unfinished};
use reconcile::{
    Answer, ConflictKind, Decision, EmployeeId, Field, Link, PersonId, Side, Value, Verdict, World,
};
use std::collections::{HashMap, HashSet};
use store::{By, DirectoryRow, JournalOf, JournalRow, RunId, Settlement, State, What};

/// The cause of what a human decided, as the journal has it.
const DECISION: &str = "decision";

/// What was found out, and what is to be remembered of it.
#[derive(Debug, Default)]
pub struct Recovered {
    ends: Vec<Ended>,
    /// Writes that are recognised once everything was read.
    writes: Vec<(JournalRow, Unfinished)>,
    /// Links as they are to be stored before their steps are settled.
    links: Vec<Link>,
}

/// How a step ended.
#[derive(Clone, Debug)]
struct Ended {
    step: StepRef,
    state: State,
    employee: Option<EmployeeId>,
    /// What the step had undone.
    undid: Option<StepRef>,
    /// The number that an employee gave up by it.
    freed: Option<String>,
}

/// Finds out what became of unfinished creations. One that happened joins its
/// person as if a human had said so, and stays unfinished until it did: this
/// run may be a preview, be halted, hold its joins back or die. A person who
/// left meanwhile leaves as anybody does who is linked.
pub async fn recover(app: &App, row: &DirectoryRow, pbx: &Pbx, world: &mut World) -> Result<Recovered> {
    let unfinished = app.store.journal_of(&JournalOf::Unfinished(row.id)).await?;
    let linked: HashMap<_, _> = world.links.iter().map(|link| (link.person.clone(), link.employee)).collect();
    let listed: HashSet<_> = world.employees.rows.iter().map(|employee| employee.id).collect();
    let mut recovered = Recovered::default();
    for step in unfinished {
        let before = linked.get(&step.person).copied();
        if step.what != What::Create {
            recovered.take(step, before);
            continue;
        }
        if let Some(id) = before.filter(|id| listed.contains(id)) {
            // Linked before the row was settled: nothing is left to find out.
            recovered.end(&step, State::Done, Some(id));
            continue;
        }
        let there = look_for(pbx, &step, world.policy.region.as_deref()).await;
        match there.map(|id| id.filter(|id| !is_somebody_elses(world, &step.person, *id))) {
            Ok(Some(id)) if left_out(world, &step) => recovered.end(&step, State::Done, Some(id)),
            Ok(Some(id)) if before.is_none() && has_left(world, &step) => link(world, &step, id),
            Ok(Some(id)) => world.decisions.push(found(&step, before, id)),
            // It may still be on its way through the queue of the PBX.
            Ok(None) if app.clock.now_ms() < step.at_ms + limits::CREATION_LATE_MS => {}
            Ok(None) => recovered.end(&step, State::Refused, None),
            // Whoever is not found out about must not be created again.
            Err(error) => {
                let why = format!("what became of an unfinished creation is not known: {error}");
                world.employees.verdict = Verdict::Partial(why);
            }
        }
    }
    Ok(recovered)
}

/// Whether the employee is linked with another person: that creation made them.
/// Two may have asked for one number with one password of a directory.
pub fn is_somebody_elses(world: &World, person: &PersonId, employee: EmployeeId) -> bool {
    world.linked_elsewhere.contains_key(&employee)
        || world.links.iter().any(|link| link.employee == employee && link.person != *person)
}

impl Recovered {
    /// Puts aside what is not a creation. `linked` is whom the person is linked with.
    fn take(&mut self, step: JournalRow, linked: Option<EmployeeId>) {
        match unfinished(&step) {
            Some(write) => self.writes.push((step, write)),
            // The link that was to end is gone, or it is not.
            None if step.what == What::Unlink && linked.is_none() => self.end(&step, State::Done, None),
            None => self.end(&step, State::Refused, None),
        }
    }

    fn end(&mut self, step: &JournalRow, state: State, employee: Option<EmployeeId>) {
        let undid = StepRef::undone_by(&step.cause).filter(|_| state == State::Done);
        let freed = freed(step).filter(|_| state == State::Done);
        self.ends.push(Ended { step: StepRef::of(step), state, employee, undid, freed });
    }

    /// What has to be looked at to recognise the writes.
    pub fn looks(&self) -> Vec<Look> {
        let look = |write: &Unfinished| Look {
            person: write.person.clone(),
            employee: write.employee,
            side: write.side,
            field: write.field,
        };
        self.writes.iter().map(|(_, write)| look(write)).collect()
    }

    /// Recognises the writes by what was read. One that could not be looked at
    /// stays unfinished.
    pub fn find_out(&mut self, world: &mut World) {
        let (steps, writes): (Vec<JournalRow>, Vec<Unfinished>) =
            std::mem::take(&mut self.writes).into_iter().unzip();
        let found = unfinished::find_out(world, &writes);
        for (step, end) in steps.iter().zip(found.ends) {
            match end {
                End::Written => self.end(step, State::Done, None),
                End::NotWritten => self.end(step, State::Refused, None),
                End::NotKnown => {}
            }
        }
        let mut news: HashMap<_, _> =
            found.links.iter().map(|link| (link.person.clone(), link.clone())).collect();
        for link in &mut world.links {
            if let Some(new) = news.remove(&link.person) {
                *link = new;
            }
        }
        self.links = found.links;
    }

    /// How a step ended that had no end, as far as that is known now.
    pub fn state_of(&self, step: StepRef) -> Option<State> {
        self.ends.iter().find(|ended| ended.step == step).map(|ended| ended.state)
    }

    /// Writes down what was found out, so that nobody looks again. First the
    /// links: a step that is settled protects nothing any more.
    pub async fn settle(&self, app: &App, row: &DirectoryRow, run: RunId) -> Result<()> {
        app.store.agree(By::Run(run), &[], &self.links).await?;
        for Ended { step, state, employee, undid, freed } in &self.ends {
            if let Some(undid) = undid {
                undid.turn(app, row.id, State::Undone).await?;
            }
            if let Some(number) = freed {
                app.store.release_number(row.pbx, number, app.clock.now_ms()).await?;
            }
            let settlement = Settlement { state: *state, after: None, employee: *employee };
            app.store.settle(step.run, step.seq, &settlement).await?;
        }
        Ok(())
    }
}

/// A write of one field, as it is recognised.
fn unfinished(step: &JournalRow) -> Option<Unfinished> {
    let What::Field(field) = step.what else { return None };
    let side = match step.side {
        store::Side::Pbx => Side::Pbx,
        store::Side::Directory => Side::Directory,
        store::Side::Rollcall => return None,
    };
    Some(Unfinished {
        person: step.person.clone(),
        employee: step.employee?,
        side,
        field,
        after: serde_json::from_value(step.after.clone()).ok()?,
        undoes: StepRef::undone_by(&step.cause).is_some(),
        // A number that a human gave may be nobody's but theirs.
        came_across: !(field == Field::Extension && step.cause == DECISION),
    })
}

/// The number that an employee had before this step gave them another. It cools
/// down: who wrote it did not live to say so.
fn freed(step: &JournalRow) -> Option<String> {
    let renumbers = step.side == store::Side::Pbx && step.what == What::Field(Field::Extension);
    let before: Option<Value> = serde_json::from_value(step.before.clone()).ok()?;
    before.filter(|_| renumbers).map(|number| number.canonical().to_owned())
}

/// Whether an administrator wants to hear no more of this person.
fn left_out(world: &World, step: &JournalRow) -> bool {
    world.decisions.iter().any(|answer| answer.person == step.person && answer.answer == Answer::LeaveOut)
}

fn has_left(world: &World, step: &JournalRow) -> bool {
    world.people.verdict.is_complete() && world.people.rows.iter().all(|person| person.id != step.person)
}

/// Ties a person who is not there any more to the employee made for them.
fn link(world: &mut World, step: &JournalRow, id: EmployeeId) {
    let name = step.after["name"].as_str().unwrap_or_default();
    let link = Link { name: name.into(), ..Link::blank(step.person.clone(), id, "") };
    let at = world.links.partition_point(|other| other.person < link.person);
    world.links.insert(at, link);
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
    // Whatever a human answered before was carried out by that creation.
    Decision { person: step.person.clone(), kind, field: None, answer, stands_on, at_ms: i64::MAX }
}

/// The employee a creation made, if it made one.
pub async fn look_for(
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
