//! A person and the employee they are, or become: leaving, returning and the
//! merge of every field.

use super::build::{Builder, Draft};
use super::renumber::Want;
use super::{Action, Agreement, Change, LineOutcome, LinkStep, NumberFrom, PersonLine, describe};
use crate::absence;
use crate::canonical;
use crate::conflict::{Answer, Conflict, ConflictKind, RefusedBy, WayOut};
use crate::employee::{Employee, EmployeeId};
use crate::field::{Field, FieldMap};
use crate::link::{LeftReason, Link, LinkState, Pair};
use crate::merge::{Cause, Outcome, Question, State, merge};
use crate::newest;
use crate::person::{Person, PersonId, Whereabouts};
use crate::value::{Reading, Value};

impl<'w> Builder<'w> {
    /// One existing link.
    pub(super) fn linked(&mut self, link: &'w Link) {
        let person = self.index.people.get(link.person.as_str()).copied();
        let employee = self.index.employees.get(&link.employee).copied();
        match (person, employee) {
            (None, employee) => self.missing(link, employee),
            (Some(person), None) => self.without_employee(link, person),
            (Some(person), Some(employee)) => self.present(link, person, employee),
        }
    }

    /// A join the rules or a human decided on.
    pub(super) fn joined(&mut self, person: &'w Person, employee: EmployeeId, by: &[Field], decided: bool) {
        if let Some(why) = self.world.people.verdict.reason().or(self.world.employees.verdict.reason()) {
            let why = why.to_owned();
            self.hold_back("joins", &why);
            return self.skip(person, "not joined: a side was read incompletely");
        }
        let Some(employee) = self.index.employees.get(&employee).copied() else { return };
        let left = describe::left_reason(person.account);
        let step = LinkStep::Join { by: by.to_vec(), decided, left };
        self.meet(person, employee, None, Some(step), left.is_none());
    }

    /// A human gave the person an employee whose own person is gone.
    pub(super) fn relinked(&mut self, person: &'w Person, employee: EmployeeId, from: &PersonId) {
        let Some(employee) = self.index.employees.get(&employee).copied() else { return };
        let step = LinkStep::Relink { from: from.clone() };
        self.meet(person, employee, None, Some(step), person.account.active());
    }

    fn present(&mut self, link: &'w Link, person: &'w Person, employee: &'w Employee) {
        if self.is_somebody_else(link, employee) {
            return self.replaced(link, person, employee);
        }
        let now_left = describe::left_reason(person.account);
        match (&link.state, now_left) {
            (LinkState::Left { reason, .. }, Some(now)) if *reason == now => {
                let line = self.linked_line(link, person, employee, LineOutcome::Left);
                self.lines.push(PersonLine { reason: Some(describe::left_in_words(now).into()), ..line });
            }
            (_, Some(reason)) => {
                self.leaves(link, &describe::name_of(person), &person.dn, reason, Some(employee))
            }
            (LinkState::Left { reason, .. }, None) => {
                let step = LinkStep::Return { was: *reason };
                self.meet(person, employee, Some(link), Some(step), true);
            }
            (LinkState::Resting { .. }, None) => {
                self.meet(person, employee, Some(link), Some(LinkStep::Wake), true)
            }
            (LinkState::Active, None) => self.meet(person, employee, Some(link), None, true),
        }
    }

    /// A linked person whom the directory did not return.
    fn missing(&mut self, link: &'w Link, employee: Option<&'w Employee>) {
        let already_gone = match &link.state {
            LinkState::Left { reason, .. } if reason.is_gone() => Some(*reason),
            _ => None,
        };
        let reason = match (already_gone, self.world.people.verdict.reason()) {
            (Some(reason), _) => reason,
            (None, Some(why)) => return self.unseen(link, &why.to_owned()),
            (None, None) => match self.world.whereabouts.get(&link.person) {
                Some(Whereabouts::NotFound) => LeftReason::Deleted,
                Some(Whereabouts::OutOfScope { .. }) => LeftReason::MovedOut,
                Some(Whereabouts::FilteredOut { .. }) => LeftReason::FilteredOut,
                Some(Whereabouts::InScope) => {
                    return self.unseen(link, "the read missed people who are there");
                }
                Some(Whereabouts::Refused(why)) => return self.unseen(link, &why.clone()),
                None => return self.unseen(link, "nobody looked where they went"),
            },
        };
        if employee.is_none() && self.world.employees.verdict.is_complete() {
            return self.unlink(link, describe::left_in_words(reason));
        }
        if already_gone.is_some() {
            let line = self.absent_line(link, LineOutcome::Left, describe::left_in_words(reason));
            return self.lines.push(line);
        }
        self.leaves(link, &link.name, &link.dn, reason, employee);
    }

    fn unseen(&mut self, link: &Link, why: &str) {
        self.hold_back("leavers", why);
        let line = self.absent_line(link, LineOutcome::Skip, "not seen in this read, which was incomplete");
        self.lines.push(line);
    }

    fn leaves(&mut self, link: &Link, name: &str, dn: &str, reason: LeftReason, employee: Option<&Employee>) {
        let words = describe::left_in_words(reason);
        let line = PersonLine {
            extension: employee.and_then(extension_of).or_else(|| last_extension(link)),
            name: name.into(),
            ..self.absent_line(link, LineOutcome::Leave, words)
        };
        let action = Action {
            link: Some(LinkStep::Leave { reason }),
            ..empty_action(&link.person, name, dn, Some(link.employee))
        };
        self.drafts.push(Draft { action, line, want: None });
    }

    fn unlink(&mut self, link: &Link, words: &str) {
        let reason = format!("{words}; the employee was deleted in the PBX, so the link ends");
        let line = self.absent_line(link, LineOutcome::Unlink, &reason);
        let action = Action {
            link: Some(LinkStep::Unlink),
            ..empty_action(&link.person, &link.name, &link.dn, Some(link.employee))
        };
        self.drafts.push(Draft { action, line, want: None });
    }

    /// The PBX no longer has the linked employee.
    fn without_employee(&mut self, link: &'w Link, person: &'w Person) {
        if let Some(why) = self.world.employees.verdict.reason() {
            let why = why.to_owned();
            self.hold_back("deletions in the PBX", &why);
            return self.skip(person, "the employee was not seen: the PBX was read incompletely");
        }
        if let Some(reason) = describe::left_reason(person.account) {
            return self.unlink(link, describe::left_in_words(reason));
        }
        if self.left_out(person.id.as_str()) {
            return self.skip(person, "left out by an administrator");
        }
        let mut conflict =
            describe::about(&person.id, &describe::name_of(person), ConflictKind::EmployeeDeleted);
        conflict.employee = Some(link.employee);
        conflict.refused_by = RefusedBy::Rollcall;
        conflict.stands_on = describe::link_stands_on(link);
        conflict.directory_value = describe::shown(&person.fields[Field::Extension]);
        conflict.pbx_value = last_extension(link).map(String::from);
        conflict.reason =
            "the employee was deleted in the PBX, but the person is active in the directory".to_owned();
        conflict.ways_out = vec![WayOut::NewEmployee, WayOut::LeaveOut];
        let answer =
            self.answer(person.id.as_str(), ConflictKind::EmployeeDeleted, None, &conflict.stands_on);
        if matches!(answer, Some(Answer::NewEmployee)) {
            return self.create(person, Some(link));
        }
        self.lost_employees += 1;
        let reason = conflict.reason.clone();
        self.conflicted(person, conflict, reason);
    }

    /// Ids may lie after a restore: number, name and e-mail all changed, none
    /// by us, is not the same employee.
    fn is_somebody_else(&self, link: &Link, employee: &Employee) -> bool {
        let all_changed = [Field::Extension, Field::Name, Field::Email].into_iter().all(|field| {
            let sight = link.pbx[field].as_ref();
            let then = sight.map(|sight| State::of(sight.value.as_ref()));
            match (then, absence::in_pbx(&employee.fields[field])) {
                (Some(State::Set(then)), State::Set(now)) => !then.equivalent(now),
                (Some(State::Set(_)), State::Empty) => true,
                _ => false,
            }
        });
        let stands_on = replaced_stands_on(link, employee);
        let accepted = self.answer(link.person.as_str(), ConflictKind::NotTheSameEmployee, None, &stands_on);
        all_changed && !matches!(accepted, Some(Answer::Relink))
    }

    fn replaced(&mut self, link: &'w Link, person: &'w Person, employee: &'w Employee) {
        self.lost_employees += 1;
        let mut conflict =
            describe::about(&person.id, &describe::name_of(person), ConflictKind::NotTheSameEmployee);
        conflict.employee = Some(link.employee);
        conflict.stands_on = replaced_stands_on(link, employee);
        conflict.directory_value = Some(link.name.to_string());
        conflict.pbx_value = describe::shown(&employee.fields[Field::Name]);
        conflict.reason = format!(
            "number, name and e-mail of employee {} all changed in the PBX: it looks like somebody else (a restored or replaced PBX?)",
            link.employee
        );
        conflict.ways_out = vec![WayOut::Relink, WayOut::LeaveAsIs];
        let reason = conflict.reason.clone();
        self.raise(conflict);
        let line = self.linked_line(link, person, employee, LineOutcome::Conflict);
        let line = PersonLine { reason: Some(reason), ..line };
        if matches!(link.state, LinkState::Resting { .. }) {
            return self.lines.push(line);
        }
        let action = Action {
            link: Some(LinkStep::Rest),
            ..empty_action(&person.id, &describe::name_of(person), &person.dn, Some(link.employee))
        };
        self.drafts.push(Draft { action, line, want: None });
    }

    /// Merges every field of a person and their employee. `moves` is false for
    /// people who are disabled: they are joined and listed, nothing is written.
    fn meet(
        &mut self,
        person: &'w Person,
        employee: &'w Employee,
        link: Option<&'w Link>,
        step: Option<LinkStep>,
        moves: bool,
    ) {
        // Back from gone is a first meeting again: the old pairs are void.
        let void = matches!(&step, Some(LinkStep::Return { was }) if was.is_gone());
        let outcome = match &step {
            Some(LinkStep::Join { .. } | LinkStep::Relink { .. }) => LineOutcome::Join,
            Some(LinkStep::Return { .. }) => LineOutcome::Return,
            _ => LineOutcome::Unchanged,
        };
        let mut merged = Merged::default();
        if moves {
            for field in Field::ALL {
                let pair = link.filter(|_| !void).and_then(|link| link.pairs[field].as_ref());
                self.field(person, employee, link, pair, field, &mut merged);
            }
        }
        let number = extension_of(employee);
        let changed = !merged.pbx.is_empty() || !merged.directory.is_empty();
        let outcome = match outcome {
            LineOutcome::Unchanged if changed => LineOutcome::Update,
            LineOutcome::Unchanged if merged.conflicts > 0 => LineOutcome::Conflict,
            other => other,
        };
        let line = PersonLine {
            employee: Some(employee.id),
            extension: number,
            differs: merged.differs,
            reason: merged.reason,
            ..self.line(person, outcome, None)
        };
        if step.is_none() && !changed && merged.agree.is_empty() {
            return self.lines.push(line);
        }
        let action = Action {
            link: step,
            pbx: merged.pbx,
            directory: merged.directory,
            agree: merged.agree,
            ..empty_action(&person.id, &line.name.clone(), &person.dn, Some(employee.id))
        };
        self.drafts.push(Draft { action, line, want: merged.want });
    }

    fn field(
        &mut self,
        person: &'w Person,
        employee: &'w Employee,
        link: Option<&'w Link>,
        pair: Option<&'w Pair>,
        field: Field,
        merged: &mut Merged,
    ) {
        let direction = self.world.policy.direction(field);
        let (theirs, ours) = (&person.fields[field], &employee.fields[field]);
        if direction == crate::Direction::Off || matches!(theirs, Reading::Unmapped) {
            return;
        }
        if self.unsuitable(person, employee, link, field, merged) {
            return;
        }
        let directory = absence::in_directory(self.world, &self.vanished, link, person, field, ours);
        let pbx = absence::in_pbx(ours);
        let policy = self.world.policy.fields[field];
        let outcome = merge(field, policy, direction, pair, directory, pbx, || match link {
            Some(link) => newest::ages(self.world, link, person, field, directory, pbx),
            None => newest::never(self.world.now_ms),
        });
        let decided = match outcome {
            Outcome::Ask(question) => self.asked(person, employee, field, question, merged),
            other => Some(other),
        };
        let Some(decided) = decided else { return };
        match decided {
            Outcome::Nothing | Outcome::Ask(_) => {}
            Outcome::Agree { held } => {
                let (directory, pbx) = (directory.value().cloned(), pbx.value().cloned());
                merged.agree.push(Agreement { field, directory, pbx, held });
            }
            Outcome::ToPbx(cause) => {
                self.change_pbx(person, employee, field, (directory, pbx), cause, merged);
            }
            Outcome::ToDirectory(cause) => {
                self.change_directory(field, (directory, pbx), cause, merged);
            }
        }
        let both_known =
            matches!((directory, pbx), (State::Empty | State::Set(_), State::Empty | State::Set(_)));
        let rests = matches!(decided, Outcome::Nothing | Outcome::Agree { .. });
        if rests && both_known && !same(directory, pbx) {
            merged.differs.push(field);
        }
    }

    /// Values nothing can be done with, each a conflict of its field, once.
    fn unsuitable(
        &mut self,
        person: &Person,
        employee: &Employee,
        link: Option<&Link>,
        field: Field,
        merged: &mut Merged,
    ) -> bool {
        let (theirs, ours) = (&person.fields[field], &employee.fields[field]);
        let about = |kind| describe::about_field(person, Some(employee.id), kind, field, ours);
        let conflict = match (theirs, ours) {
            (Reading::Unusable(bad), _) => {
                describe::unusable(about(ConflictKind::Unusable), "directory", &bad.why)
            }
            (_, Reading::Unusable(bad)) => describe::unusable(about(ConflictKind::Unusable), "PBX", &bad.why),
            _ if absence::undecided(theirs, link, field, ours) => {
                describe::several_values(about(ConflictKind::SeveralValues))
            }
            _ => return self.is_set_aside(person, field, ours, merged),
        };
        match self.answer(person.id.as_str(), conflict.kind, Some(field), &conflict.stands_on) {
            Some(Answer::Number { number, keep_in_pbx }) if field == Field::Extension => {
                self.given_number(person, employee, number, *keep_in_pbx, merged);
            }
            _ => merged.conflict(self.raise(conflict.clone()), conflict.reason),
        }
        true
    }

    /// A refused change rests until its next try, or until either side moves.
    fn is_set_aside(&mut self, person: &Person, field: Field, ours: &Reading, merged: &mut Merged) -> bool {
        let Some(row) = self.index.set_aside.get(&(person.id.as_str(), Some(field))).copied() else {
            return false;
        };
        let unmoved = row.stands_on == describe::field_stands_on(field, &person.fields[field], ours);
        if !unmoved {
            return false;
        }
        let left = self.answer(person.id.as_str(), row.conflict.kind, Some(field), &row.conflict.stands_on);
        let resting = row.next_try_ms > self.world.now_ms || left == Some(&Answer::LeaveAsIs);
        if resting {
            merged.conflict(self.raise(row.conflict.clone()), row.conflict.reason.clone());
        }
        resting
    }

    fn asked(
        &mut self,
        person: &Person,
        employee: &Employee,
        field: Field,
        question: Question,
        merged: &mut Merged,
    ) -> Option<Outcome> {
        let (kind, word): (_, fn(Conflict) -> Conflict) = match question {
            Question::FirstMeeting => (ConflictKind::FirstMeeting, describe::first_meeting),
            Question::BothChanged => (ConflictKind::BothChanged, describe::both_changed),
        };
        let conflict =
            word(describe::about_field(person, Some(employee.id), kind, field, &employee.fields[field]));
        match self.answer(person.id.as_str(), kind, Some(field), &conflict.stands_on) {
            Some(Answer::UseDirectory) => Some(Outcome::ToPbx(Cause::Decision)),
            Some(Answer::UsePbx) => Some(Outcome::ToDirectory(Cause::Decision)),
            Some(Answer::LeaveAsIs) => Some(Outcome::Agree { held: true }),
            _ => {
                let reason = conflict.reason.clone();
                merged.conflict(self.raise(conflict), format!("{field}: {reason}"));
                None
            }
        }
    }

    fn change_pbx(
        &mut self,
        person: &Person,
        employee: &Employee,
        field: Field,
        (directory, pbx): (State<'_>, State<'_>),
        cause: Cause,
        merged: &mut Merged,
    ) {
        if field == Field::Extension {
            if let Some(why) = self.world.employees.verdict.reason() {
                let why = why.to_owned();
                return self.hold_back("renumberings", &why);
            }
            let Some(number) = directory.value().map(Value::canonical) else { return };
            let has = pbx.value().map(Value::canonical);
            match self.number_answer(person.id.as_str(), number, has) {
                Some(Answer::Number { number, keep_in_pbx }) => {
                    return self.given_number(person, employee, number, *keep_in_pbx, merged);
                }
                Some(Answer::UsePbx) => {
                    return self.change_directory(field, (directory, pbx), Cause::Decision, merged);
                }
                Some(Answer::LeaveAsIs) => {
                    let (directory, pbx) = (directory.value().cloned(), pbx.value().cloned());
                    return merged.agree.push(Agreement { field, directory, pbx, held: true });
                }
                _ => {}
            }
            merged.want = Some(Want { number: number.into(), from: NumberFrom::Directory });
        }
        match directory.value().map(|value| canonical::for_pbx(field, value)).transpose() {
            // What cannot be told apart in the PBX (a mobile without its inner
            // extension) is agreed, not sent again.
            Ok(Some(after)) if pbx.value().is_some_and(|now| now.raw() == after.raw()) => {
                let (directory, pbx) = (directory.value().cloned(), pbx.value().cloned());
                merged.agree.push(Agreement { field, directory, pbx, held: false });
            }
            Ok(after) => {
                merged.pbx.push(Change { field, before: pbx.value().cloned(), after, cause });
            }
            Err(why) => {
                let about = describe::about_field(
                    person,
                    Some(employee.id),
                    ConflictKind::Unusable,
                    field,
                    &employee.fields[field],
                );
                let conflict = describe::unusable(about, "directory", &why);
                merged.conflict(self.raise(conflict), format!("{field}: {why}"));
            }
        }
    }

    fn change_directory(
        &self,
        field: Field,
        (directory, pbx): (State<'_>, State<'_>),
        cause: Cause,
        merged: &mut Merged,
    ) {
        let after = pbx.value().map(|value| canonical::for_directory(field, value));
        merged.directory.push(Change { field, before: directory.value().cloned(), after, cause });
    }

    /// A human chose the number of a person whose own could not be used.
    fn given_number(
        &mut self,
        person: &Person,
        employee: &Employee,
        number: &str,
        keep_in_pbx: bool,
        merged: &mut Merged,
    ) {
        let after = Some(Value::new(number, number));
        let has = employee.fields[Field::Extension].values().first();
        if has.map(Value::canonical) != Some(number) {
            merged.want = Some(Want { number: number.into(), from: NumberFrom::Decision });
            merged.pbx.push(Change {
                field: Field::Extension,
                before: has.cloned(),
                after: after.clone(),
                cause: Cause::Decision,
            });
        }
        if !keep_in_pbx && self.world.policy.direction(Field::Extension).to_directory() {
            let before = person.fields[Field::Extension].values().first().cloned();
            merged.directory.push(Change { field: Field::Extension, before, after, cause: Cause::Decision });
        }
    }

    fn linked_line(
        &self,
        link: &Link,
        person: &Person,
        employee: &Employee,
        outcome: LineOutcome,
    ) -> PersonLine {
        PersonLine {
            employee: Some(link.employee),
            extension: extension_of(employee),
            ..self.line(person, outcome, None)
        }
    }

    fn absent_line(&self, link: &Link, outcome: LineOutcome, reason: &str) -> PersonLine {
        PersonLine {
            person: link.person.clone(),
            employee: Some(link.employee),
            name: link.name.clone(),
            extension: last_extension(link),
            outcome,
            differs: Vec::new(),
            reason: Some(reason.to_owned()),
        }
    }
}

/// What merging the fields of one person comes to.
#[derive(Default)]
struct Merged {
    pbx: Vec<Change>,
    directory: Vec<Change>,
    agree: Vec<Agreement>,
    differs: Vec<Field>,
    conflicts: u32,
    reason: Option<String>,
    want: Option<Want>,
}

impl Merged {
    fn conflict(&mut self, stands: bool, reason: String) {
        if stands {
            self.conflicts += 1;
            self.reason.get_or_insert(reason);
        }
    }
}

pub(super) fn empty_action(person: &PersonId, name: &str, dn: &str, employee: Option<EmployeeId>) -> Action {
    Action {
        person: person.clone(),
        name: name.into(),
        dn: dn.into(),
        employee,
        link: None,
        pbx: Vec::new(),
        directory: Vec::new(),
        agree: Vec::new(),
        wave: 0,
    }
}

fn extension_of(employee: &Employee) -> Option<Box<str>> {
    employee.fields[Field::Extension].values().first().map(|value| value.canonical().into())
}

fn last_extension(link: &Link) -> Option<Box<str>> {
    let sight = link.pbx[Field::Extension].as_ref()?;
    sight.value.as_ref().map(|value| value.canonical().into())
}

fn replaced_stands_on(link: &Link, employee: &Employee) -> String {
    let now: FieldMap<String> = FieldMap::from_fn(|field| describe::essence(&employee.fields[field]));
    describe::stands_on(&[
        &describe::link_stands_on(link),
        &now[Field::Extension],
        &now[Field::Name],
        &now[Field::Email],
    ])
}

fn same(directory: State<'_>, pbx: State<'_>) -> bool {
    match (directory, pbx) {
        (State::Set(d), State::Set(p)) => d.equivalent(p),
        (State::Empty, State::Empty) => true,
        _ => false,
    }
}
