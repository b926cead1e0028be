//! A person and the employee they are, or become: leaving, returning, meeting.

use super::build::{Builder, Draft};
use super::fields::Merged;
use super::{Action, LineOutcome, LinkStep, PersonLine, describe};
use crate::conflict::{Answer, ConflictKind, RefusedBy, WayOut};
use crate::employee::{Employee, EmployeeId};
use crate::field::Field;
use crate::impostor;
use crate::link::{LeftReason, Link, LinkState};
use crate::person::{Person, PersonId, Whereabouts};

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
        if let Some(why) = self.world.doubt() {
            self.hold_back("joins", why);
            return self.skip(person, "not joined: a side was read incompletely");
        }
        let Some(employee) = self.index.employees.get(&employee).copied() else { return };
        let left = describe::left_reason(person.account);
        let step = LinkStep::Join { by: by.to_vec(), decided, left };
        self.meet(person, employee, None, Some(step), left.is_none());
    }

    /// A human gave the person an employee whose own person is gone.
    pub(super) fn relinked(&mut self, person: &'w Person, employee: EmployeeId, from: &PersonId) {
        if let Some(why) = self.world.doubt() {
            self.hold_back("joins", why);
            return self.skip(person, "not joined: a side was read incompletely");
        }
        let Some(employee) = self.index.employees.get(&employee).copied() else { return };
        let step = LinkStep::Relink { from: from.clone() };
        self.meet(person, employee, None, Some(step), true);
    }

    fn present(&mut self, link: &'w Link, person: &'w Person, employee: &'w Employee) {
        if impostor::is_somebody_else(self.world, link, employee) {
            return self.replaced(link, person, employee);
        }
        let now_left = describe::left_reason(person.account);
        match (&link.state, now_left) {
            (LinkState::Left { reason, .. }, Some(now)) if *reason == now => {
                let line = self.linked_line(link, person, employee, LineOutcome::Left);
                self.lines.push(PersonLine { reason: Some(describe::left_in_words(now).into()), ..line });
            }
            (_, Some(reason)) => match self.world.people.verdict.reason() {
                Some(why) => self.unseen(link, why, "not moved to the disabled: the read was incomplete"),
                None => self.leaves(link, &describe::name_of(person), &person.dn, reason, Some(employee)),
            },
            (LinkState::Left { reason, .. }, None) => match self.world.people.verdict.reason() {
                // Their entry may be one of two places that a torn read has seen.
                Some(why) => {
                    self.hold_back("returns", why);
                    let line = self.linked_line(link, person, employee, LineOutcome::Left);
                    let told = "not taken back: the read was incomplete";
                    self.lines.push(PersonLine { reason: Some(told.to_owned()), ..line });
                }
                None => {
                    let step = LinkStep::Return { was: *reason };
                    self.meet(person, employee, Some(link), Some(step), true);
                }
            },
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
            (Some(reason), _) => Ok(reason),
            (None, Some(why)) => Err(why),
            (None, None) => match self.world.whereabouts.get(&link.person) {
                Some(Whereabouts::NotFound) => Ok(LeftReason::Deleted),
                Some(Whereabouts::OutOfScope { .. }) => Ok(LeftReason::MovedOut),
                Some(Whereabouts::FilteredOut { .. }) => Ok(LeftReason::FilteredOut),
                Some(Whereabouts::InScope) => Err("the read missed people who are there"),
                Some(Whereabouts::Refused(why)) => Err(why.as_str()),
                None => Err("nobody looked where they went"),
            },
        };
        let reason = match reason {
            Ok(reason) => reason,
            Err(why) => return self.unseen(link, why, "not seen in this read, which was incomplete"),
        };
        if employee.is_none() && self.world.doubt().is_none() {
            return self.unlink(link, describe::left_in_words(reason));
        }
        if already_gone.is_some() {
            let line = self.absent_line(link, LineOutcome::Left, describe::left_in_words(reason));
            return self.lines.push(line);
        }
        self.leaves(link, &link.name, &link.dn, reason, employee);
    }

    fn unseen(&mut self, link: &Link, why: &str, told: &str) {
        self.hold_back("leavers", why);
        let line = self.absent_line(link, LineOutcome::Skip, told);
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
        // Deleted before anybody knew that they had left: many of these at once
        // are another PBX, not tidying up.
        if link.state == LinkState::Active {
            self.lost.insert(link.person.clone());
        }
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
            self.hold_back("deletions in the PBX", why);
            return self.skip(person, "the employee was not seen: the PBX was read incompletely");
        }
        if let Some(reason) = describe::left_reason(person.account) {
            if let Some(why) = self.world.people.verdict.reason() {
                return self.unseen(link, why, "the link was not ended: the read was incomplete");
            }
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
        match answer {
            Some(Answer::NewEmployee) => return self.create(person, Some(link)),
            // Re-created before, by a run that did not live to link it.
            Some(Answer::Employee { id }) if self.is_free(*id) => {
                return self.relinked(person, *id, &link.person);
            }
            _ => {}
        }
        self.lost.insert(link.person.clone());
        let reason = conflict.reason.clone();
        self.conflicted(person, conflict, reason);
    }

    fn is_free(&self, id: EmployeeId) -> bool {
        self.index.employees.contains_key(&id)
            && !self.index.links_by_employee.contains_key(&id)
            && !self.world.linked_elsewhere.contains_key(&id)
    }

    /// The linked id belongs to somebody else by the looks of it.
    fn replaced(&mut self, link: &'w Link, person: &'w Person, employee: &'w Employee) {
        self.lost.insert(link.person.clone());
        let mut conflict =
            describe::about(&person.id, &describe::name_of(person), ConflictKind::NotTheSameEmployee);
        conflict.employee = Some(link.employee);
        conflict.stands_on = impostor::replaced_stands_on(link, employee);
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
        let outcome = match &step {
            Some(LinkStep::Join { .. } | LinkStep::Relink { .. }) => LineOutcome::Join,
            Some(LinkStep::Return { .. }) => LineOutcome::Return,
            _ => LineOutcome::Unchanged,
        };
        // Back from gone is a first meeting again: the old pairs are void.
        let void = matches!(&step, Some(LinkStep::Return { was }) if was.is_gone());
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

    pub(super) fn linked_line(
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

    pub(super) fn absent_line(&self, link: &Link, outcome: LineOutcome, reason: &str) -> PersonLine {
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

pub(super) fn extension_of(employee: &Employee) -> Option<Box<str>> {
    employee.fields[Field::Extension].values().first().map(|value| value.canonical().into())
}

pub(super) fn last_extension(link: &Link) -> Option<Box<str>> {
    let sight = link.pbx[Field::Extension].as_ref()?;
    sight.value.as_ref().map(|value| value.canonical().into())
}
