//! From a plan and what became of it to the report people and scripts read.

use super::apply::Done;
use super::progress::Seen;
use super::report::{
    ChangeReport, ChangeResult, Counts, PersonReport, Report, Side, SideRead, Status, Updated, ValueReport,
    ValueState, Writes,
};
use reconcile::absence::{self, Vanished};
use reconcile::merge::State;
use reconcile::plan::{Action, Change, LineOutcome, LinkStep, PersonLine, Plan};
use reconcile::{Field, Link, Person, Reading, World};
use std::collections::{BTreeMap, HashMap, HashSet};

/// What the report is about.
pub struct About<'a> {
    pub server: &'a str,
    pub run: Option<i64>,
    pub hash: String,
    pub warnings: Vec<String>,
}

/// How far the plan came.
#[derive(Clone, Copy)]
pub enum Progressed<'a> {
    /// It was only shown: the report tells what would happen.
    Previewed,
    /// The guard stopped it before its first write.
    Halted,
    CarriedOut(&'a [Done]),
}

/// Builds the report.
pub fn report(about: About<'_>, world: &World, plan: &Plan, progressed: Progressed<'_>) -> Report {
    let done: &[Done] = match progressed {
        Progressed::CarriedOut(done) => done,
        Progressed::Previewed | Progressed::Halted => &[],
    };
    let done_of: HashMap<&str, &Done> = done.iter().map(|done| (done.person.as_str(), done)).collect();
    let actions: HashMap<&str, &Action> =
        plan.actions.iter().map(|action| (action.person.as_str(), action)).collect();
    let mut conflicts = plan.conflicts.clone();
    conflicts.extend(done_of.values().flat_map(|done| done.conflicts.iter().cloned()));
    conflicts
        .sort_by(|a, b| (&a.name, &a.person, a.kind, a.field).cmp(&(&b.name, &b.person, b.kind, b.field)));
    let in_conflict: HashSet<&str> = conflicts.iter().map(|conflict| conflict.person.as_str()).collect();
    let values = Values::of(world);
    let mut counts = Counts { conflicts: count(conflicts.len()), ..Counts::default() };
    let mut people: Vec<PersonReport> = plan
        .people
        .iter()
        .map(|line| {
            let id = line.person.as_str();
            let action = actions.get(id).copied();
            let done = done_of.get(id).copied();
            let mut person = one(line, action, done, in_conflict.contains(id), values.of_person(id));
            if matches!(progressed, Progressed::Halted) {
                person.updated = None;
                if action.is_some() && person.status == Status::Processed {
                    person.status = Status::Skipped;
                    person.reason.get_or_insert_with(|| "the guard stopped the run".to_owned());
                }
            }
            let shown = matches!(progressed, Progressed::Previewed);
            tally(&mut counts, line, action, done, &person, shown);
            person
        })
        .collect();
    people.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
    let mut warnings = about.warnings;
    warnings.extend(plan.warnings.iter().cloned());
    Report {
        run: about.run,
        server: about.server.to_owned(),
        plan: about.hash,
        directory: SideRead { verdict: plan.directory.clone(), read: world.people.rows.len() },
        pbx: SideRead { verdict: plan.pbx.clone(), read: world.employees.rows.len() },
        counts,
        writes: Writes {
            pbx: done_of.values().map(|done| done.pbx_writes).sum(),
            directory: done_of.values().map(|done| done.directory_writes).sum(),
        },
        people,
        conflicts,
        held_back: plan.held_back.clone(),
        halted: plan.halt.clone(),
        warnings,
        undoes: None,
        not_undone: Vec::new(),
    }
}

/// Somebody in a plan that nobody carried out.
pub fn planned_for(line: &PersonLine, action: Option<&Action>) -> PersonReport {
    one(line, action, None, false, BTreeMap::new())
}

/// What became of somebody, while the run goes on.
pub fn seen(action: &Action, done: &Done) -> Seen {
    let happened = |side: Side| done.changes.iter().any(|change| happened_to(change, side));
    let status = match () {
        () if done.failed.is_some() => Status::Failed,
        () if !done.conflicts.is_empty() => Status::Conflict,
        () => Status::Processed,
    };
    let planned = match &action.link {
        Some(LinkStep::Create { number, .. }) => Some(number.to_string()),
        _ => None,
    };
    Seen {
        name: action.name.to_string(),
        extension: done.number.clone().or(planned),
        status,
        updated: Updated::of(happened(Side::Pbx), happened(Side::Directory)),
    }
}

fn one(
    line: &PersonLine,
    action: Option<&Action>,
    done: Option<&Done>,
    in_conflict: bool,
    values: BTreeMap<Field, ValueReport>,
) -> PersonReport {
    let changes = match (done, action) {
        (Some(done), _) => done.changes.clone(),
        (None, Some(action)) => planned(action),
        (None, None) => Vec::new(),
    };
    let happened = |side: Side| changes.iter().any(|change| happened_to(change, side));
    let failed = done.is_some_and(|done| done.failed.is_some());
    let new_number = changes.iter().rev().find_map(|change| {
        let counts = change.field == Field::Extension && happened_to(change, Side::Pbx);
        change.after.clone().filter(|_| counts)
    });
    let status = match line.outcome {
        _ if failed => Status::Failed,
        _ if in_conflict => Status::Conflict,
        LineOutcome::Conflict => Status::Conflict,
        LineOutcome::Skip | LineOutcome::Left => Status::Skipped,
        _ => Status::Processed,
    };
    PersonReport {
        id: line.person.to_string(),
        name: line.name.to_string(),
        extension: done
            .and_then(|done| done.number.clone())
            .or_else(|| new_number.clone())
            .or_else(|| line.extension.as_deref().map(str::to_owned)),
        employee: done.and_then(|done| done.employee).or(line.employee).map(|id| id.0),
        values,
        status,
        updated: Updated::of(happened(Side::Pbx), happened(Side::Directory)),
        changes,
        reason: done.and_then(|done| done.failed.clone()).or_else(|| line.reason.clone()),
        differs: line.differs.clone(),
    }
}

fn happened_to(change: &ChangeReport, side: Side) -> bool {
    change.side == side && matches!(change.result, ChangeResult::Planned | ChangeResult::Done)
}

/// The changes of an action nobody carried out.
fn planned(action: &Action) -> Vec<ChangeReport> {
    let side = |side, changes: &[Change]| -> Vec<ChangeReport> {
        changes.iter().map(|change| shown(side, change, ChangeResult::Planned, None)).collect()
    };
    let mut changes = side(Side::Pbx, &action.pbx);
    changes.extend(side(Side::Directory, &action.directory));
    changes
}

/// A change as a report shows it: a secret's spelling already is the word `set`.
pub fn shown(side: Side, change: &Change, result: ChangeResult, note: Option<String>) -> ChangeReport {
    let raw = |value: &Option<reconcile::Value>| value.as_ref().map(|value| value.raw().to_owned());
    ChangeReport {
        side,
        field: change.field,
        before: raw(&change.before),
        after: raw(&change.after),
        cause: change.cause,
        result,
        note,
    }
}

/// Counts what happened, or, in a preview, what would.
fn tally(
    counts: &mut Counts,
    line: &PersonLine,
    action: Option<&Action>,
    done: Option<&Done>,
    person: &PersonReport,
    preview: bool,
) {
    if person.status == Status::Failed {
        counts.failed += 1;
    }
    let carried_out = preview || done.is_some_and(|done| done.linked);
    let step = action.and_then(|action| action.link.as_ref()).filter(|_| carried_out);
    let (wrote_pbx, wrote_directory) = match person.updated {
        Some(Updated::Pbx) => (true, false),
        Some(Updated::Directory) => (false, true),
        Some(Updated::Both) => (true, true),
        None => (false, false),
    };
    let created = matches!(step, Some(LinkStep::Create { .. }));
    counts.created += u32::from(created);
    counts.joined += u32::from(matches!(step, Some(LinkStep::Join { .. } | LinkStep::Relink { .. })));
    counts.disabled +=
        u32::from(matches!(step, Some(LinkStep::Leave { .. } | LinkStep::Join { left: Some(_), .. })));
    counts.restored += u32::from(matches!(step, Some(LinkStep::Return { .. })));
    counts.updated_in_pbx += u32::from(wrote_pbx && !created);
    counts.updated_in_directory += u32::from(wrote_directory);
    let still = matches!(line.outcome, LineOutcome::Unchanged | LineOutcome::Left | LineOutcome::Skip);
    counts.unchanged += u32::from(still && person.updated.is_none() && person.status != Status::Conflict);
}

/// Every mapped field of every person, as the directory gave it.
struct Values<'w> {
    world: &'w World,
    vanished: Vanished<'w>,
    people: HashMap<&'w str, &'w Person>,
    links: HashMap<&'w str, &'w Link>,
}

impl<'w> Values<'w> {
    fn of(world: &'w World) -> Self {
        let links: HashMap<&str, &Link> =
            world.links.iter().map(|link| (link.person.as_str(), link)).collect();
        Values {
            world,
            vanished: Vanished::find(world, &links),
            people: world.people.rows.iter().map(|person| (person.id.as_str(), person)).collect(),
            links,
        }
    }

    fn of_person(&self, id: &str) -> BTreeMap<Field, ValueReport> {
        let Some(person) = self.people.get(id) else { return BTreeMap::new() };
        let mapped = Field::ALL.into_iter().filter(|field| self.world.mapped[*field]);
        mapped.map(|field| (field, self.value(person, field))).collect()
    }

    fn value(&self, person: &Person, field: Field) -> ValueReport {
        let reading = &person.fields[field];
        if let Reading::Unusable(bad) = reading {
            let raw = Some(bad.raw.clone());
            return ValueReport { state: ValueState::Unusable, raw, canonical: None };
        }
        let link = self.links.get(person.id.as_str()).copied();
        let pbx = Reading::NotLooked;
        match absence::in_directory(self.world, &self.vanished, link, person, field, &pbx) {
            State::Set(value) => ValueReport {
                state: ValueState::Set,
                raw: Some(value.raw().to_owned()),
                // A fingerprint tells nobody anything: a secret is only "set".
                canonical: Some(
                    if field == Field::SipPassword { value.raw() } else { value.canonical() }.to_owned(),
                ),
            },
            State::Empty => ValueReport { state: ValueState::Empty, raw: None, canonical: None },
            State::Unknown | State::Unusable => {
                ValueReport { state: ValueState::Unreadable, raw: None, canonical: None }
            }
        }
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
