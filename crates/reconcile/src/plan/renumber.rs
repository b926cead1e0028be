//! Numbers across people: who gets the one they ask for, in which order, and
//! who has to wait for a human. Nobody is renumbered to make room.

use super::build::{Builder, Draft};
use super::{Change, LineOutcome, LinkStep, NumberFrom, describe};
use crate::conflict::{Answer, Conflict, ConflictKind, RefusedBy, WayOut};
use crate::employee::EmployeeId;
use crate::field::Field;
use crate::merge::Cause;
use crate::value::Value;
use std::collections::{BTreeMap, HashMap};

/// A number a draft needs in the PBX.
#[derive(Clone, Debug)]
pub(super) struct Want {
    pub number: Box<str>,
    pub from: NumberFrom,
}

/// What stands in the way of a wanted number.
enum Obstacle {
    None,
    /// The holder moves away in this very plan.
    After(usize),
    Conflict(ConflictKind, String),
}

/// Serves asked numbers, then gives free ones. Drafts that cannot have theirs
/// become conflicts.
pub(super) fn settle(builder: &mut Builder<'_>) {
    let mut refused = refusals(builder);
    let waves = waves(builder, &mut refused);
    for (at, wave) in waves {
        builder.drafts[at].action.wave = wave;
    }
    for draft in &builder.drafts {
        if let Some(want) = &draft.want {
            builder.numbers.reserve(&want.number);
        }
    }
    let mut at = 0;
    let mut kept = Vec::new();
    for draft in std::mem::take(&mut builder.drafts) {
        match refused.remove(&at) {
            Some((kind, why)) => refuse(builder, draft, kind, why, &mut kept),
            None => kept.push(draft),
        }
        at += 1;
    }
    builder.drafts = kept;
    number_creations(builder);
}

type Refusals = BTreeMap<usize, (ConflictKind, String)>;

fn refusals(builder: &Builder<'_>) -> Refusals {
    let mut refused = Refusals::new();
    let mut wanted: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, draft) in builder.drafts.iter().enumerate() {
        if let Some(want) = &draft.want {
            wanted.entry(&want.number).or_default().push(at);
        }
    }
    for (number, drafts) in wanted.iter().filter(|(_, drafts)| drafts.len() > 1) {
        for at in drafts {
            let others = drafts.iter().filter(|other| *other != at);
            let names: Vec<&str> = others.map(|other| &*builder.drafts[*other].action.name).collect();
            let why = format!("number {number} is asked for by {} too: nobody gets it", names.join(", "));
            refused.insert(*at, (ConflictKind::NumberWantedTwice, why));
        }
    }
    refused
}

/// Orders the drafts that wait for a number to be freed. Refuses cycles, and
/// whoever waits for somebody who was refused.
fn waves(builder: &Builder<'_>, refused: &mut Refusals) -> BTreeMap<usize, u32> {
    let movers: HashMap<EmployeeId, usize> = builder
        .drafts
        .iter()
        .enumerate()
        .filter(|(_, draft)| draft.want.is_some())
        .filter_map(|(at, draft)| Some((draft.action.employee?, at)))
        .collect();
    let mut waits_for: BTreeMap<usize, usize> = BTreeMap::new();
    for (at, draft) in builder.drafts.iter().enumerate() {
        let Some(want) = draft.want.as_ref().filter(|_| !refused.contains_key(&at)) else { continue };
        match obstacle(builder, draft, want, &movers) {
            Obstacle::None => {}
            Obstacle::After(holder) => {
                waits_for.insert(at, holder);
            }
            Obstacle::Conflict(kind, why) => {
                refused.insert(at, (kind, why));
            }
        }
    }
    let mut waves = BTreeMap::new();
    for &at in waits_for.keys() {
        match chain(at, &waits_for, refused) {
            Chain::Frees(depth) => {
                waves.insert(at, depth);
            }
            Chain::Cycle => {
                let number = builder.drafts[at].want.as_ref().map_or("", |want| &*want.number);
                let why = format!(
                    "number {number} would have to be swapped in a circle, which the PBX cannot do in one step"
                );
                refused.insert(at, (ConflictKind::NumberSwap, why));
            }
            Chain::Blocked => {
                let want = builder.drafts[at].want.as_ref().map_or("", |want| &*want.number);
                let why = format!("number {want} is still held: its holder could not be given another");
                refused.insert(at, (ConflictKind::NumberTaken, why));
            }
        }
    }
    waves
}

enum Chain {
    Frees(u32),
    Cycle,
    Blocked,
}

/// Follows the chain of holders from one draft to the one nobody stands before.
fn chain(from: usize, waits_for: &BTreeMap<usize, usize>, refused: &Refusals) -> Chain {
    let (mut at, mut depth) = (from, 0);
    while let Some(&next) = waits_for.get(&at) {
        // A chain longer than the number of links runs in a circle, and every
        // member of a circle finds that out for itself.
        if depth as usize > waits_for.len() || next == from {
            return Chain::Cycle;
        }
        at = next;
        depth += 1;
    }
    if refused.contains_key(&at) { Chain::Blocked } else { Chain::Frees(depth) }
}

fn obstacle(
    builder: &Builder<'_>,
    draft: &Draft,
    want: &Want,
    movers: &HashMap<EmployeeId, usize>,
) -> Obstacle {
    let number = &*want.number;
    let taken = |by: &str| {
        let free = builder.numbers.neighbours(number);
        let offer =
            if free.is_empty() { String::new() } else { format!("; free nearby: {}", free.join(", ")) };
        Obstacle::Conflict(ConflictKind::NumberTaken, format!("number {number} belongs to {by}{offer}"))
    };
    if let Some(holder) = builder.numbers.employee_with(number) {
        if draft.action.employee == Some(holder) {
            return Obstacle::None;
        }
        if let Some(&at) = movers.get(&holder) {
            return Obstacle::After(at);
        }
        let holder = builder.index.employees.get(&holder);
        let name = holder.and_then(|employee| employee.fields[Field::Name].values().first());
        return taken(name.map_or("another employee", Value::raw));
    }
    if let Some(holder) = builder.numbers.held_by_other(number) {
        return taken(&format!("{holder} of the PBX"));
    }
    if let Some(padded) = builder.numbers.shadowed_by(number) {
        return taken(&format!("{padded} in the PBX, which blocks it"));
    }
    if builder.world.reserved.iter().any(|reserved| **reserved == *number) {
        return taken("a person of another directory, or to an unfinished creation");
    }
    Obstacle::None
}

/// Turns a draft that cannot have its number into a conflict; what else it
/// does for a linked person stays.
fn refuse(
    builder: &mut Builder<'_>,
    mut draft: Draft,
    kind: ConflictKind,
    why: String,
    kept: &mut Vec<Draft>,
) {
    let want = draft.want.take().map(|want| want.number).unwrap_or_default();
    let id = draft.action.person.as_str().to_owned();
    let Some(person) = builder.index.people.get(id.as_str()).copied() else { return };
    let employee = draft.action.employee.and_then(|id| builder.index.employees.get(&id).copied());
    let has = employee.and_then(|employee| employee.fields[Field::Extension].values().first());
    let conflict = Conflict {
        employee: draft.action.employee,
        field: Some(Field::Extension),
        refused_by: RefusedBy::Rollcall,
        directory_value: describe::shown(&person.fields[Field::Extension]),
        pbx_value: has.map(|value| value.raw().to_owned()),
        stands_on: number_stands_on(&want, has.map(Value::canonical)),
        reason: why.clone(),
        ways_out: match employee {
            Some(_) => vec![WayOut::GiveNumber, WayOut::UsePbx, WayOut::LeaveAsIs],
            None => vec![WayOut::GiveNumber, WayOut::LeaveOut],
        },
        ..describe::about(&person.id, &draft.action.name, kind)
    };
    let stands = builder.raise(conflict);
    let outcome = if stands { LineOutcome::Conflict } else { LineOutcome::Skip };
    draft.line.reason = Some(why);
    draft.action.pbx.retain(|change| change.field != Field::Extension);
    draft.action.directory.retain(|change| change.field != Field::Extension);
    let idle = draft.action.pbx.is_empty()
        && draft.action.directory.is_empty()
        && draft.action.agree.is_empty()
        && draft.action.link.is_none();
    if idle || matches!(draft.action.link, Some(LinkStep::Create { .. })) {
        draft.line.outcome = outcome;
        builder.lines.push(draft.line);
    } else {
        kept.push(draft);
    }
}

/// Gives every creation its number: the asked one, or the lowest free, in the
/// order of names.
fn number_creations(builder: &mut Builder<'_>) {
    let mut creations: Vec<usize> = (0..builder.drafts.len())
        .filter(|&at| matches!(builder.drafts[at].action.link, Some(LinkStep::Create { .. })))
        .collect();
    creations.sort_by_key(|&at| {
        let action = &builder.drafts[at].action;
        (crate::canonical::join_name(&action.name), action.person.clone())
    });
    let mut without = Vec::new();
    for at in creations {
        let given = match builder.drafts[at].want.clone() {
            Some(want) => Some(want),
            None => builder.numbers.allocate().map(|number| Want { number, from: NumberFrom::Free }),
        };
        match given {
            Some(want) => give(builder, at, &want),
            None => without.push(at),
        }
    }
    without.sort_unstable();
    for at in without.into_iter().rev() {
        let draft = builder.drafts.remove(at);
        let why = "no number is free in the ranges of this server: widen them".to_owned();
        let mut kept = Vec::new();
        refuse(builder, draft, ConflictKind::NoFreeNumber, why, &mut kept);
    }
}

fn give(builder: &mut Builder<'_>, at: usize, want: &Want) {
    let id = builder.drafts[at].action.person.as_str().to_owned();
    let Some(person) = builder.index.people.get(id.as_str()).copied() else { return };
    let link = builder.index.linked_people.get(id.as_str()).copied();
    let value = Value::new(want.number.clone(), want.number.clone());
    let has = person.fields[Field::Extension].values().first();
    let decided = want.from == NumberFrom::Decision
        && !keeps_in_pbx(builder, &id)
        && builder.world.policy.direction(Field::Extension).to_directory();
    let back = has.map(Value::canonical) != Some(&*want.number)
        && (decided || builder.takes_back(person, link, Field::Extension));
    let (before, cause) = (has.cloned(), Cause::NewNumber);
    let action = &mut builder.drafts[at].action;
    action.link = Some(LinkStep::Create { number: want.number.clone(), number_from: want.from });
    action.pbx.insert(1, Change { field: Field::Extension, before: None, after: Some(value.clone()), cause });
    if back {
        action.directory.insert(0, Change { field: Field::Extension, before, after: Some(value), cause });
    }
    builder.drafts[at].line.extension = Some(want.number.clone());
}

fn keeps_in_pbx(builder: &Builder<'_>, person: &str) -> bool {
    let decisions = builder.index.decisions.get(person).map(Vec::as_slice).unwrap_or_default();
    decisions.iter().any(|decision| matches!(decision.answer, Answer::Number { keep_in_pbx: true, .. }))
}

fn number_stands_on(wanted: &str, has: Option<&str>) -> String {
    describe::stands_on(&["number", wanted, has.unwrap_or_default()])
}

impl<'w> Builder<'w> {
    /// A human's answer to any conflict about this wanted number.
    pub(super) fn number_answer(&self, person: &str, wanted: &str, has: Option<&str>) -> Option<&'w Answer> {
        let stands_on = number_stands_on(wanted, has);
        [
            ConflictKind::NumberTaken,
            ConflictKind::NumberWantedTwice,
            ConflictKind::NumberSwap,
            ConflictKind::NoFreeNumber,
        ]
        .into_iter()
        .find_map(|kind| self.answer(person, kind, Some(Field::Extension), &stands_on))
    }
}
