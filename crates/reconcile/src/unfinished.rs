//! Writes of earlier runs whose end is not known: the process died, or the
//! answer never came. Nothing is repeated and nothing is asked; what stands
//! there now tells.
//!
//! An undone value is the reason why it has to be told. Until both sides have
//! agreed on it, it looks like somebody's edit, and the next run would carry it
//! to the other side. So its step stays unfinished until the pair is held, and
//! whoever finds the step unfinished holds the pair first. Agreeing before the
//! write would not do: after a crash between the two, the value that was not
//! yet put back would look like the edit.

use crate::absence::{self, Vanished};
use crate::employee::EmployeeId;
use crate::field::Field;
use crate::link::{Interval, Link, Pair, Sight};
use crate::merge::State;
use crate::person::PersonId;
use crate::policy::Direction;
use crate::snapshot::Side;
use crate::value::Value;
use crate::world::World;
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
pub struct Unfinished {
    pub person: PersonId,
    pub employee: EmployeeId,
    pub side: Side,
    pub field: Field,
    pub after: Option<Value>,
    /// Whether it put back what an earlier write had replaced.
    pub undoes: bool,
    /// Whether it sent what the other side said.
    pub came_across: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// What was sent stands there.
    Written,
    NotWritten,
    /// It could not be looked at; nothing is concluded about the field either.
    NotKnown,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Found {
    /// One for every write.
    pub ends: Vec<End>,
    /// The links as they have to be remembered, before anything is planned.
    pub links: Vec<Link>,
}

pub fn find_out(world: &World, writes: &[Unfinished]) -> Found {
    let index = world.index();
    let vanished = Vanished::find(world, &index.linked_people);
    let mut links: BTreeMap<&str, Link> = BTreeMap::new();
    let mut ends = Vec::with_capacity(writes.len());
    for write in writes {
        let id = write.person.as_str();
        let link = index.linked_people.get(id).copied().filter(|link| link.employee == write.employee);
        let flows = world.mapped[write.field] && world.policy.direction(write.field) != Direction::Off;
        let Some(link) = link.filter(|_| flows) else {
            // No agreement is left that it could disturb.
            ends.push(End::NotWritten);
            continue;
        };
        let person = index.people.get(id).copied();
        let employee = index.employees.get(&link.employee).copied();
        let (Some(person), Some(employee)) = (person, employee) else {
            ends.push(End::NotKnown);
            continue;
        };
        let ours = &employee.fields[write.field];
        let theirs = absence::in_directory(world, &vanished, Some(link), person, write.field, ours);
        let ours = absence::in_pbx(ours);
        let end = match write.side {
            Side::Pbx if is_cut(ours, write, link) => End::Written,
            Side::Pbx => end(ours, write),
            Side::Directory => end(theirs, write),
        };
        if end == End::Written {
            let now = links.entry(id).or_insert_with(|| link.clone());
            remember(world.now_ms, now, write, theirs, ours);
        }
        ends.push(end);
    }
    Found { ends, links: links.into_values().collect() }
}

fn end(now: State<'_>, write: &Unfinished) -> End {
    let stands = match (now, &write.after) {
        (State::Unknown, _) => return End::NotKnown,
        (State::Empty, None) => true,
        // A phone crosses without the inner extension that the PBX cannot dial:
        // what was sent is less than what it was sent for.
        (State::Set(now), Some(after)) => {
            now.equivalent(after) || (write.field == Field::Mobile && now.raw() == after.raw())
        }
        _ => false,
    };
    if stands { End::Written } else { End::NotWritten }
}

/// A PBX keeps the beginning of a name that is too long for it. Taken for
/// somebody's edit, the beginning would be carried into the directory. What
/// stood there before the write is no such beginning.
fn is_cut(now: State<'_>, write: &Unfinished, link: &Link) -> bool {
    let (Field::Name, State::Set(now), Some(after)) = (write.field, now, &write.after) else { return false };
    let stood_before = link.pbx[Field::Name].as_ref().and_then(|sight| sight.value.as_ref());
    after.canonical().starts_with(now.canonical())
        && !stood_before.is_some_and(|before| before.equivalent(now))
}

/// What the step would have left behind, had it come to its end.
fn remember(now_ms: i64, link: &mut Link, write: &Unfinished, theirs: State<'_>, ours: State<'_>) {
    let Unfinished { side, field, .. } = *write;
    if write.undoes {
        // The other half is what was last seen there: an edit made since is an
        // edit, and flows.
        let last = |sight: &Option<Sight>, now: State<'_>| match sight {
            Some(sight) => sight.value.clone(),
            None => now.value().cloned(),
        };
        let (directory, pbx) = match side {
            Side::Pbx => (last(&link.directory[field], theirs), ours.value().cloned()),
            Side::Directory => (theirs.value().cloned(), last(&link.pbx[field], ours)),
        };
        link.pairs[field] = Some(Pair::left(directory, pbx));
        return;
    }
    if write.came_across {
        // What was sent is what the other side said then: an edit made there
        // since is an edit, and flows.
        let (directory, pbx) = match side {
            Side::Pbx => (write.after.clone(), ours.value().cloned()),
            Side::Directory => (theirs.value().cloned(), write.after.clone()),
        };
        link.pairs[field] = Some(Pair { directory, pbx, held: false });
    }
    if side == Side::Pbx {
        // We wrote that ourselves: it is no evidence that somebody else is there.
        let change = Interval { after_ms: now_ms, by_ms: now_ms };
        link.pbx[field] = Some(Sight { value: ours.value().cloned(), change, mark: None });
    }
}
