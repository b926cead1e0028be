//! Numbers across people: who gets the one they ask for, in which order, and
//! who has to wait for a human. Nobody is renumbered to make room.

use super::build::{Builder, Draft};
use super::{Change, LineOutcome, LinkStep, NumberFrom, describe};
use crate::conflict::{Answer, Conflict, ConflictKind, RefusedBy, WayOut};
use crate::employee::EmployeeId;
use crate::field::Field;
use crate::merge::Cause;
use crate::numbers::Numbers;
use crate::person::{Person, PersonId};
use crate::value::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// A number a draft needs in the PBX.
#[derive(Clone, Debug)]
pub(super) struct Want {
    pub number: Box<str>,
    pub from: NumberFrom,
    /// What the directory says, which a conflict about the number stands on
    /// even where a human gave another one.
    pub asked: Box<str>,
    /// A human said that the directory's value stays.
    pub keep_in_pbx: bool,
}

impl Want {
    pub(super) fn asked(number: &str) -> Self {
        Want { number: number.into(), from: NumberFrom::Directory, asked: number.into(), keep_in_pbx: false }
    }

    pub(super) fn decided(number: &str, asked: &str, keep_in_pbx: bool) -> Self {
        Want { number: number.into(), from: NumberFrom::Decision, asked: asked.into(), keep_in_pbx }
    }

    fn free(number: Box<str>) -> Self {
        Want { from: NumberFrom::Free, ..Want::asked(&number) }
    }
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
    let concerned = |draft: &Draft| draft.want.is_some() || creates(draft);
    if !builder.drafts.iter().any(concerned) {
        return;
    }
    let mut numbers = Numbers::open(builder.world);
    let mut refused = refusals(builder);
    for (at, wave) in waves(builder, &numbers, &mut refused) {
        builder.drafts[at].action.wave = wave;
    }
    let wants = builder.drafts.iter().filter_map(|draft| draft.want.as_ref());
    wants.for_each(|want| numbers.reserve(&want.number));
    let mut kept = Vec::new();
    for (at, draft) in std::mem::take(&mut builder.drafts).into_iter().enumerate() {
        match refused.remove(&at) {
            Some((kind, why)) => refuse(builder, draft, kind, why, &mut kept),
            None => kept.push(draft),
        }
    }
    builder.drafts = kept;
    number_creations(builder, &mut numbers);
}

pub(super) fn creates(draft: &Draft) -> bool {
    matches!(draft.action.link, Some(LinkStep::Create { .. }))
}

/// Whether the employee gives up a number. An undo may want one for the
/// directory alone.
fn renumbers(draft: &Draft) -> bool {
    draft.action.pbx.iter().any(|change| change.field == Field::Extension)
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
            let mut names: Vec<&str> = others.map(|other| &*builder.drafts[*other].action.name).collect();
            names.sort_unstable();
            let why = format!("number {number} is asked for by {} too: nobody gets it", names.join(", "));
            refused.insert(*at, (ConflictKind::NumberWantedTwice, why));
        }
    }
    refused
}

/// Orders the drafts that wait for a number to be freed. Refuses cycles, and
/// whoever waits for somebody who was refused.
fn waves(builder: &Builder<'_>, numbers: &Numbers<'_>, refused: &mut Refusals) -> BTreeMap<usize, u32> {
    let movers: HashMap<EmployeeId, usize> = builder
        .drafts
        .iter()
        .enumerate()
        .filter(|(_, draft)| draft.want.is_some() && renumbers(draft))
        .filter_map(|(at, draft)| Some((draft.action.employee?, at)))
        .collect();
    let named = Named::of(builder);
    let held = |at: usize| !builder.stopped(&builder.drafts[at]).is_empty();
    let mut waits_for: BTreeMap<usize, usize> = BTreeMap::new();
    for (at, draft) in builder.drafts.iter().enumerate() {
        let Some(want) = draft.want.as_ref().filter(|_| !refused.contains_key(&at)) else { continue };
        match obstacle(builder, numbers, draft, want, &movers, &named) {
            Obstacle::None => {}
            Obstacle::After(holder) if held(holder) && !held(at) => {
                let why = format!("number {} is still held: its holder is held back", want.number);
                refused.insert(at, (ConflictKind::NumberTaken, why));
            }
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
        if next == from {
            return Chain::Cycle;
        }
        // Longer than all links together: it runs into a circle, whose members
        // find that out for themselves.
        if depth as usize > waits_for.len() {
            return Chain::Blocked;
        }
        at = next;
        depth += 1;
    }
    if refused.contains_key(&at) { Chain::Blocked } else { Chain::Frees(depth) }
}

/// Which wanted numbers the directory itself gives to whom.
struct Named<'w> {
    by_number: HashMap<&'w str, Vec<&'w Person>>,
}

impl<'w> Named<'w> {
    fn of(builder: &Builder<'w>) -> Self {
        let wanted: HashSet<&str> =
            builder.drafts.iter().filter_map(|draft| Some(&*draft.want.as_ref()?.number)).collect();
        let mut by_number: HashMap<&str, Vec<&Person>> = HashMap::new();
        if wanted.is_empty() {
            return Named { by_number };
        }
        // Whose number in the directory is exchanged by this very plan.
        let changing: HashSet<&str> = builder
            .drafts
            .iter()
            .filter(|draft| draft.action.directory.iter().any(|change| change.field == Field::Extension))
            .filter(|draft| builder.stopped(draft).is_empty())
            .map(|draft| draft.action.person.as_str())
            .collect();
        for person in builder.world.people.rows.iter().filter(|row| !changing.contains(row.id.as_str())) {
            for value in person.fields[Field::Extension].values() {
                if wanted.contains(value.canonical()) {
                    by_number.entry(value.canonical()).or_default().push(person);
                }
            }
        }
        Named { by_number }
    }

    fn somebody_else(&self, number: &str, than: &PersonId) -> Option<&'w Person> {
        let people = self.by_number.get(number)?.iter().filter(|person| person.id != *than);
        people.min_by(|a, b| a.id.cmp(&b.id)).copied()
    }
}

fn obstacle(
    builder: &Builder<'_>,
    numbers: &Numbers<'_>,
    draft: &Draft,
    want: &Want,
    movers: &HashMap<EmployeeId, usize>,
    named: &Named<'_>,
) -> Obstacle {
    let number = &*want.number;
    let taken = |by: &str| {
        let free = numbers.neighbours(number);
        let offer =
            if free.is_empty() { String::new() } else { format!("; free nearby: {}", free.join(", ")) };
        Obstacle::Conflict(ConflictKind::NumberTaken, format!("number {number} belongs to {by}{offer}"))
    };
    if builder.world.reserved.iter().any(|reserved| **reserved == *number) {
        return taken("a person of another directory, or to an unfinished creation");
    }
    if let Some(holder) = numbers.held_by_other(number) {
        return taken(&format!("{holder} of the PBX"));
    }
    // A human who gives a number knows better than a stale entry.
    let stale = want.from == NumberFrom::Decision;
    if let Some(other) = named.somebody_else(number, &draft.action.person).filter(|_| !stale) {
        return taken(&format!("{} in the directory", describe::name_of(other)));
    }
    let shadow = numbers.shadowed_by(number);
    let holder = numbers.employee_with(number);
    let (holder, blocked_by) = match (holder, shadow) {
        (Some(holder), _) => (holder, None),
        (None, Some(padded)) => match numbers.employee_with(padded) {
            Some(holder) => (holder, Some(padded)),
            None => return taken(&format!("{padded} in the PBX, which blocks it")),
        },
        (None, None) => return Obstacle::None,
    };
    if draft.action.employee == Some(holder) {
        return Obstacle::None;
    }
    if let Some(&at) = movers.get(&holder) {
        return Obstacle::After(at);
    }
    if let Some(padded) = blocked_by {
        return taken(&format!("{padded} in the PBX, which blocks it"));
    }
    let holder = builder.index.employees.get(&holder);
    let name = holder.and_then(|employee| employee.fields[Field::Name].values().first());
    taken(name.map_or("another employee", Value::raw))
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
    let want = draft.want.take().map(|want| want.asked);
    let id = draft.action.person.as_str().to_owned();
    let Some(person) = builder.index.people.get(id.as_str()).copied() else { return };
    let asked = want.map_or_else(|| describe::essence(&person.fields[Field::Extension]), String::from);
    let employee = draft.action.employee.and_then(|id| builder.index.employees.get(&id).copied());
    let has = employee.and_then(|employee| employee.fields[Field::Extension].values().first());
    let conflict = Conflict {
        employee: draft.action.employee,
        field: Some(Field::Extension),
        refused_by: RefusedBy::Rollcall,
        directory_value: describe::shown(&person.fields[Field::Extension]),
        pbx_value: has.map(|value| value.raw().to_owned()),
        stands_on: number_stands_on(&asked, has.map(Value::canonical)),
        reason: why.clone(),
        ways_out: match employee {
            Some(_) if builder.world.policy.direction(Field::Extension).to_directory() => {
                vec![WayOut::GiveNumber, WayOut::UsePbx, WayOut::LeaveAsIs]
            }
            Some(_) => vec![WayOut::GiveNumber, WayOut::LeaveAsIs],
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
fn number_creations(builder: &mut Builder<'_>, numbers: &mut Numbers<'_>) {
    let mut creations: Vec<usize> =
        (0..builder.drafts.len()).filter(|&at| creates(&builder.drafts[at])).collect();
    creations.retain(|&at| builder.stopped(&builder.drafts[at]).is_empty());
    creations.sort_by_cached_key(|&at| {
        let action = &builder.drafts[at].action;
        (crate::canonical::join_name(&action.name), action.person.clone())
    });
    let mut without = BTreeSet::new();
    for at in creations {
        let given = match builder.drafts[at].want.clone() {
            Some(want) => Some(want),
            None => numbers.allocate().map(Want::free),
        };
        match given {
            Some(want) => give(builder, at, &want),
            None => {
                without.insert(at);
            }
        }
    }
    if without.is_empty() {
        return;
    }
    let mut kept = Vec::new();
    for (at, draft) in std::mem::take(&mut builder.drafts).into_iter().enumerate() {
        if without.contains(&at) {
            let why = "no number is free in the ranges of this server: widen them".to_owned();
            refuse(builder, draft, ConflictKind::NoFreeNumber, why, &mut kept);
        } else {
            kept.push(draft);
        }
    }
    builder.drafts = kept;
}

fn give(builder: &mut Builder<'_>, at: usize, want: &Want) {
    let id = builder.drafts[at].action.person.as_str().to_owned();
    let Some(person) = builder.index.people.get(id.as_str()).copied() else { return };
    let value = Value::new(want.number.clone(), want.number.clone());
    let back = written_back(builder, person, want);
    let action = &mut builder.drafts[at].action;
    action.link = Some(LinkStep::Create { number: want.number.clone(), number_from: want.from });
    let cause = Cause::NewNumber;
    action.pbx.insert(1, Change { field: Field::Extension, before: None, after: Some(value), cause });
    if let Some(back) = back {
        action.directory.insert(0, back);
    }
    builder.drafts[at].line.extension = Some(want.number.clone());
}

/// How the directory learns the number of a new employee, where it does.
pub(super) fn written_back(builder: &Builder<'_>, person: &Person, want: &Want) -> Option<Change> {
    let link = builder.index.linked_people.get(person.id.as_str()).copied();
    let theirs = &person.fields[Field::Extension];
    let written = theirs.values().iter().any(|value| value.canonical() == &*want.number);
    let decided =
        want.from == NumberFrom::Decision && builder.world.policy.direction(Field::Extension).to_directory();
    let back = !written
        && !want.keep_in_pbx
        && describe::stands_as_shown(Field::Extension, theirs)
        && (decided || builder.takes_back(person, link, Field::Extension));
    back.then(|| Change {
        field: Field::Extension,
        before: describe::stored(theirs),
        after: Some(Value::new(want.number.clone(), want.number.clone())),
        cause: Cause::NewNumber,
    })
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
