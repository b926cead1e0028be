//! Undoing a run: from the steps of its journal to a plan that puts back what
//! was there before, wherever ours still stands.
//!
//! The plan is one like any other: the guard judges it, and every write has its
//! precondition. What differs is where it comes from, and that a pair it moves
//! becomes *held*: both sides rest as they are until one of them changes. Else
//! the next run would make good again what was undone.
//!
//! Deliberately absent: deleting anybody, and account state, which is observed.

mod memory;

use super::build::{Builder, Draft};
use super::linked::{empty_action, extension_of};
use super::renumber::{self, Want};
use super::{Action, Agreement, Change, LineOutcome, LinkStep, PersonLine, Plan, describe};
use crate::absence;
use crate::conflict::Decision;
use crate::employee::{Employee, EmployeeId};
use crate::field::Field;
use crate::impostor;
use crate::link::{Link, LinkState, Pair};
use crate::merge::{Cause, State};
use crate::person::{Person, PersonId};
use crate::policy::Direction;
use crate::snapshot::Side;
use crate::value::{Reading, Value};
use crate::world::World;
use std::collections::{BTreeMap, BTreeSet};

/// One step of a run's journal.
#[derive(Clone, Debug)]
pub struct Step {
    pub seq: i64,
    pub person: PersonId,
    pub employee: Option<EmployeeId>,
    pub what: What,
}

#[derive(Clone, Debug)]
pub enum What {
    Wrote(Wrote),
    Created {
        number: Box<str>,
    },
    Joined,
    /// The link ended because a join was undone.
    Parted,
    /// The link ended because the employee was gone.
    Ended,
    /// The account left or came back.
    Observed,
    /// Nothing that could be undone, and why.
    Void(String),
}

/// A value that was written: what was there before, and what was stored.
#[derive(Clone, Debug)]
pub struct Wrote {
    pub side: Side,
    pub field: Field,
    pub before: Option<Value>,
    pub after: Option<Value>,
    /// Whether the content of `before` can still be had: of a picture the
    /// journal has only a digest.
    pub kept: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undo {
    pub plan: Plan,
    /// In the order of the steps.
    pub not_undone: Vec<NotUndone>,
    /// Answers that led to what is undone. They are forgotten along with it, or
    /// the next run would follow them again; a question that still stands is
    /// asked again.
    pub forget: Vec<Decision>,
    /// Whom people are not, as undone joins tell.
    pub remember: Vec<Decision>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotUndone {
    pub seq: i64,
    pub why: String,
}

/// Makes the plan that undoes these steps of one run. Pure, like [`super::plan`].
pub fn undo(world: &World, steps: &[Step]) -> Undo {
    let mut builder = Builder::over(world);
    // Into a PBX that was replaced nothing is put back either.
    builder.lost = super::plan(world).lost;
    let (planned, numbers, not_undone) = (Vec::new(), Vec::new(), Vec::new());
    let mut undoing = Undoing { builder, planned, numbers, not_undone };
    let mut by_person: BTreeMap<&PersonId, Vec<&Step>> = BTreeMap::new();
    for step in steps {
        by_person.entry(&step.person).or_default().push(step);
    }
    for (id, mut steps) in by_person {
        steps.sort_by_key(|step| step.seq);
        undoing.person(id, &steps);
    }
    undoing.finish()
}

struct Undoing<'w> {
    builder: Builder<'w>,
    /// The steps that are undone, unless something holds them back.
    planned: Vec<(PersonId, i64)>,
    /// The steps that give a number back, which are judged together.
    numbers: Vec<(PersonId, i64)>,
    not_undone: Vec<NotUndone>,
}

/// What there is now of the person that some steps are about.
struct Ground<'w> {
    person: Option<&'w Person>,
    link: Option<&'w Link>,
    /// The employee they are linked with, or are to be linked with again.
    employee: Option<&'w Employee>,
}

/// What undoes one step.
enum Move {
    Write(Side, Change),
    Link(LinkStep),
}

impl<'w> Undoing<'w> {
    fn person(&mut self, id: &PersonId, steps: &[&Step]) {
        let again = steps.iter().find(|step| matches!(step.what, What::Parted));
        let ground = self.ground(id, again.copied());
        let mut action = self.blank(id, &ground);
        for step in steps {
            let undone = self.step(step, &ground);
            if undone.is_ok() {
                self.planned.push((id.clone(), step.seq));
            }
            match undone {
                Ok(Move::Link(link)) => action.link = Some(link),
                Ok(Move::Write(side, change)) => {
                    let changes = match side {
                        Side::Pbx => &mut action.pbx,
                        Side::Directory => &mut action.directory,
                    };
                    if change.field == Field::Extension {
                        self.numbers.push((id.clone(), step.seq));
                    }
                    changes.push(change);
                }
                Err(why) => self.not_undone.push(NotUndone { seq: step.seq, why }),
            }
        }
        let (Some(person), true) = (ground.person, moves(&action)) else {
            if let (Some(link), true) = (ground.link, action.link.is_some()) {
                let line = self.builder.absent_line(link, LineOutcome::Unlink, PARTED);
                self.builder.drafts.push(Draft { action, line, want: None });
            }
            return;
        };
        if let (Some(LinkStep::Join { .. }), Some(employee)) = (&action.link, ground.employee) {
            action.agree = self.as_they_are(person, employee);
        }
        let line = self.builder.line(person, LineOutcome::Update, None);
        let extension = ground.employee.and_then(extension_of).or_else(|| line.extension.clone());
        let differs = ground.employee.map(|employee| self.will_differ(&action, &ground, person, employee));
        let differs = differs.filter(|_| action.link != Some(LinkStep::Part)).unwrap_or_default();
        let line = PersonLine { employee: action.employee, extension, differs, ..line };
        let want = number_in(&action).map(Want::asked);
        self.builder.drafts.push(Draft { action, line, want });
    }

    /// `again` is the step that ended a link by undoing its join.
    fn ground(&self, id: &PersonId, again: Option<&Step>) -> Ground<'w> {
        let index = &self.builder.index;
        let link = index.linked_people.get(id.as_str()).copied();
        let employee = link.map(|link| link.employee).or_else(|| again?.employee);
        Ground {
            person: index.people.get(id.as_str()).copied(),
            link,
            employee: employee.and_then(|id| index.employees.get(&id).copied()),
        }
    }

    fn blank(&self, id: &PersonId, ground: &Ground<'w>) -> Action {
        let (name, dn) = match (ground.person, ground.link) {
            (Some(person), _) => (describe::name_of(person), &*person.dn),
            (None, Some(link)) => (link.name.clone(), &*link.dn),
            (None, None) => ("".into(), ""),
        };
        let employee = ground.link.map(|link| link.employee).or(ground.employee.map(|employee| employee.id));
        empty_action(id, &name, dn, employee)
    }

    fn step(&self, step: &Step, ground: &Ground<'w>) -> Result<Move, String> {
        match &step.what {
            What::Wrote(wrote) => self.write(step, wrote, ground),
            What::Joined => self.part(step, ground).map(Move::Link),
            What::Parted => self.join_again(step, ground).map(Move::Link),
            What::Created { number } => Err(created(step.employee, number)),
            What::Ended => Err("the employee was deleted in the PBX: nobody is left to link".to_owned()),
            What::Observed => {
                Err("account state is only observed: it is as the directory says, and never undone"
                    .to_owned())
            }
            What::Void(why) => Err(why.clone()),
        }
    }

    /// Ends a link. The employee stays as they are, with their number: they are
    /// "only in the PBX" until somebody matches them.
    fn part(&self, step: &Step, ground: &Ground<'w>) -> Result<LinkStep, String> {
        self.surely()?;
        still_linked(step, ground)?;
        Ok(LinkStep::Part)
    }

    fn join_again(&self, step: &Step, ground: &Ground<'w>) -> Result<LinkStep, String> {
        self.surely()?;
        if let Some(link) = ground.link {
            return Err(format!("by now they are linked with employee {}", link.employee));
        }
        let Some(person) = ground.person else { return Err(GONE.to_owned()) };
        let id = step.employee.filter(|id| {
            let index = &self.builder.index;
            index.employees.contains_key(id)
                && !index.links_by_employee.contains_key(id)
                && !self.builder.world.linked_elsewhere.contains_key(id)
        });
        if id.is_none() {
            return Err("the employee is gone, or somebody else's by now".to_owned());
        }
        let left = describe::left_reason(person.account);
        Ok(LinkStep::Join { by: Vec::new(), decided: true, left })
    }

    /// One value is put back where ours still stands.
    fn write(&self, step: &Step, wrote: &Wrote, ground: &Ground<'w>) -> Result<Move, String> {
        let Wrote { side, field, .. } = *wrote;
        if field == Field::SipPassword {
            return Err(ROTATE.to_owned());
        }
        if wrote.before.is_none() && !field.clearable() {
            return Err(format!(
                "it was empty before, and the {field} of somebody is never cleared: where it is not wanted, take it out by hand"
            ));
        }
        if !wrote.kept {
            return Err("the picture that was there before is not kept any more".to_owned());
        }
        let (person, employee) = self.written_about(step, ground)?;
        self.may_flow(side, field)?;
        // Nothing is emptied and no number given on the word of an incomplete read.
        if wrote.before.is_none() || field == Field::Extension {
            self.surely()?;
        }
        let found = match side {
            Side::Pbx => in_pbx(employee, wrote)?,
            Side::Directory => self.in_directory(ground.link, person, employee, wrote)?,
        };
        if let (Some(found), Some(before)) = (&found, &wrote.before)
            && found.equivalent(before)
        {
            return Err("it says the same as before already".to_owned());
        }
        let change = Change { field, before: found, after: wrote.before.clone(), cause: Cause::Undo };
        Ok(Move::Write(side, change))
    }

    /// The two that the step wrote to, if they still are the two.
    fn written_about(&self, step: &Step, ground: &Ground<'w>) -> Result<(&'w Person, &'w Employee), String> {
        if ground.link.is_some() {
            still_linked(step, ground)?;
        } else if ground.employee.is_none_or(|employee| Some(employee.id) != step.employee) {
            return Err("they are not linked with an employee any more".to_owned());
        }
        let Some(person) = ground.person else { return Err(GONE.to_owned()) };
        if let Some(reason) = describe::left_reason(person.account) {
            return Err(format!("{}: their data rests", describe::left_in_words(reason)));
        }
        let Some(employee) = ground.employee else {
            return Err("the employee was not found in the PBX".to_owned());
        };
        let resting = ground.link.is_some_and(|link| {
            matches!(link.state, LinkState::Resting { .. })
                || impostor::is_somebody_else(self.builder.world, link, employee)
        });
        match resting {
            true => Err("the employee looks like somebody else: answer that conflict first".to_owned()),
            false => Ok((person, employee)),
        }
    }

    /// Undoing writes nowhere a synchronisation would not.
    fn may_flow(&self, side: Side, field: Field) -> Result<(), String> {
        let World { policy, mapped, .. } = self.builder.world;
        let direction = if mapped[field] { policy.direction(field) } else { Direction::Off };
        match side {
            Side::Pbx if direction.to_pbx() => Ok(()),
            Side::Directory if direction.to_directory() => Ok(()),
            Side::Pbx => Err(format!("the {field} is not written to the PBX any more")),
            Side::Directory => Err(format!("the {field} is not written to the directory any more")),
        }
    }

    fn surely(&self) -> Result<(), String> {
        match self.builder.world.doubt() {
            Some(why) => Err(format!("a side was read incompletely: {why}")),
            None => Ok(()),
        }
    }

    /// What the directory has where we wrote, as it is spelled now.
    fn in_directory(
        &self,
        link: Option<&'w Link>,
        person: &'w Person,
        employee: &'w Employee,
        wrote: &Wrote,
    ) -> Result<Option<Value>, String> {
        let Builder { world, vanished, .. } = &self.builder;
        let (theirs, ours) = (&person.fields[wrote.field], &employee.fields[wrote.field]);
        let state = absence::in_directory(world, vanished, link, person, wrote.field, ours);
        // Among several values ours may be another than the one that counts.
        let among = |after: &Value| theirs.values().iter().find(|value| value.equivalent(after)).cloned();
        match (&wrote.after, state) {
            (_, State::Unknown) => Err(unread("directory")),
            (None, State::Empty) => Ok(None),
            (Some(after), _) => among(after).map(Some).ok_or_else(|| changed(theirs)),
            (None, _) => Err(changed(theirs)),
        }
    }

    /// A link made anew agrees on whatever the two say, so that no first
    /// meeting moves what nobody asked to be moved.
    fn as_they_are(&self, person: &'w Person, employee: &'w Employee) -> Vec<Agreement> {
        let Builder { world, vanished, .. } = &self.builder;
        let flowing = Field::ALL
            .into_iter()
            .filter(|field| world.mapped[*field] && world.policy.direction(*field) != Direction::Off);
        let agreements = flowing.filter_map(|field| {
            let ours = &employee.fields[field];
            let theirs = absence::in_directory(world, vanished, None, person, field, ours);
            let ours = absence::in_pbx(ours);
            let known = |state| matches!(state, State::Set(_) | State::Empty);
            (known(theirs) && known(ours)).then(|| {
                let Pair { directory, pbx, held } =
                    Pair::left(theirs.value().cloned(), ours.value().cloned());
                Agreement { field, directory, pbx, held }
            })
        });
        agreements.collect()
    }

    /// The fields whose sides differ once the action is carried out.
    fn will_differ(
        &self,
        action: &Action,
        ground: &Ground<'w>,
        person: &'w Person,
        employee: &'w Employee,
    ) -> Vec<Field> {
        let Builder { world, vanished, .. } = &self.builder;
        let differs = |field: &Field| {
            let sent = |changes: &[Change]| {
                changes.iter().find(|change| change.field == *field).map(|change| change.after.clone())
            };
            let (theirs, ours) = (sent(&action.directory), sent(&action.pbx));
            if theirs.is_none() && ours.is_none() {
                return false;
            }
            let stored = &employee.fields[*field];
            let now = absence::in_directory(world, vanished, ground.link, person, *field, stored);
            let theirs = theirs.unwrap_or_else(|| now.value().cloned());
            let ours = ours.unwrap_or_else(|| absence::in_pbx(stored).value().cloned());
            Pair::left(theirs, ours).held
        };
        Field::ALL.into_iter().filter(differs).collect()
    }

    fn finish(mut self) -> Undo {
        renumber::settle(&mut self.builder);
        self.without_number();
        self.without_stopped();
        for draft in &mut self.builder.drafts {
            (draft.line.outcome, draft.line.reason) = match &draft.action.link {
                Some(LinkStep::Part) => (LineOutcome::Unlink, Some(PARTED.to_owned())),
                Some(LinkStep::Join { .. }) => (LineOutcome::Join, Some("joined again".to_owned())),
                _ => (LineOutcome::Update, None),
            };
        }
        let actions = || self.builder.drafts.iter().map(|draft| &draft.action);
        let forget = actions().flat_map(|action| self.answers(action)).collect();
        let remember = actions().filter_map(|action| self.undone_joins(action)).collect();
        self.not_undone.sort_by_key(|step| step.seq);
        let plan = Plan { warnings: Vec::new(), ..self.builder.finish() };
        Undo { plan, not_undone: self.not_undone, forget, remember }
    }

    /// Lists those who cannot have their number back: an undo raises no
    /// conflict, since nothing waits for an answer.
    fn without_number(&mut self) {
        let Builder { drafts, lines, conflicts, .. } = &mut self.builder;
        for (person, seq) in std::mem::take(&mut self.numbers) {
            let draft = drafts.iter().find(|draft| draft.action.person == person);
            if draft.is_some_and(|draft| number_in(&draft.action).is_some()) {
                continue;
            }
            let line =
                draft.map(|draft| &draft.line).or_else(|| lines.iter().find(|line| line.person == person));
            let why = line.and_then(|line| line.reason.clone());
            self.not_undone
                .push(NotUndone { seq, why: why.unwrap_or_else(|| "the number is not free".to_owned()) });
        }
        // What is left of an action without its number may be nothing.
        lines.clear();
        conflicts.clear();
    }

    /// Lists those whom the guard holds back as a whole.
    fn without_stopped(&mut self) {
        self.builder.hold_stopped();
        for line in &self.builder.lines {
            let told: BTreeSet<i64> = self.not_undone.iter().map(|step| step.seq).collect();
            let theirs =
                self.planned.iter().filter(|(person, seq)| *person == line.person && !told.contains(seq));
            let why = line.reason.clone().unwrap_or_default();
            self.not_undone.extend(theirs.map(|(_, seq)| NotUndone { seq: *seq, why: why.clone() }));
        }
    }
}

const PARTED: &str = "the join was undone: the employee stays in the PBX, and the two are not joined again";
const GONE: &str = "the person is not in the synchronised part of the directory any more";
const ROTATE: &str = "a SIP password is not kept, so the old one cannot come back: give a new one on either side, \
                      and the next synchronisation carries it to the other";

fn created(employee: Option<EmployeeId>, number: &str) -> String {
    let id = employee.map_or_else(String::new, |id| format!(" {id}"));
    format!(
        "employees are never deleted by us: if this one is not wanted, delete employee{id}, number {number}, in the PBX"
    )
}

/// What the PBX has where we wrote.
fn in_pbx(employee: &Employee, wrote: &Wrote) -> Result<Option<Value>, String> {
    let ours = &employee.fields[wrote.field];
    match (absence::in_pbx(ours), &wrote.after) {
        (State::Unknown, _) => Err(unread("PBX")),
        (State::Empty, None) => Ok(None),
        (State::Set(now), Some(after)) if now.equivalent(after) => Ok(Some(now.clone())),
        _ => Err(changed(ours)),
    }
}

fn still_linked(step: &Step, ground: &Ground<'_>) -> Result<(), String> {
    match (ground.link, step.employee) {
        (Some(link), Some(employee)) if link.employee == employee => Ok(()),
        (Some(link), _) => Err(format!("by now they are linked with employee {}", link.employee)),
        (None, _) => Err("they are not linked with an employee any more".to_owned()),
    }
}

fn unread(side: &str) -> String {
    format!("what the {side} has now could not be read")
}

fn changed(now: &Reading) -> String {
    match describe::shown(now) {
        Some(now) => format!("it was changed since: `{now}` stands there now"),
        None => "it was changed since: it is empty now".to_owned(),
    }
}

fn moves(action: &Action) -> bool {
    action.link.is_some() || !action.pbx.is_empty() || !action.directory.is_empty()
}

/// The number an action gives back, on whichever side.
fn number_in(action: &Action) -> Option<&str> {
    let mut changes = action.pbx.iter().chain(&action.directory);
    let number = changes.find(|change| change.field == Field::Extension)?;
    number.after.as_ref().map(Value::canonical)
}
