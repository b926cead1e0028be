//! The merge of every field of one person and their employee: what a decision
//! of the table, or of a human, comes to.

use super::build::Builder;
use super::renumber::Want;
use super::{Agreement, Change, describe};
use crate::absence;
use crate::canonical;
use crate::conflict::{Answer, Conflict, ConflictKind, WayOut};
use crate::employee::Employee;
use crate::field::Field;
use crate::link::{Link, Pair};
use crate::merge::{Cause, Outcome, Question, State, Winner, decide, merge};
use crate::newest;
use crate::person::Person;
use crate::policy::Direction;
use crate::value::{Reading, Value};

/// What merging the fields of one person comes to.
#[derive(Default)]
pub(super) struct Merged {
    pub pbx: Vec<Change>,
    pub directory: Vec<Change>,
    pub agree: Vec<Agreement>,
    pub differs: Vec<Field>,
    pub conflicts: u32,
    pub reason: Option<String>,
    pub want: Option<Want>,
}

impl Merged {
    fn conflict(&mut self, stands: bool, reason: String) {
        if stands {
            self.conflicts += 1;
            self.reason.get_or_insert(reason);
        }
    }
}

/// One field of a person and their employee.
struct Meeting<'w> {
    person: &'w Person,
    employee: &'w Employee,
    link: Option<&'w Link>,
    field: Field,
    direction: Direction,
    directory: State<'w>,
    pbx: State<'w>,
}

impl<'w> Meeting<'w> {
    fn theirs(&self) -> &'w Reading {
        &self.person.fields[self.field]
    }

    fn ours(&self) -> &'w Reading {
        &self.employee.fields[self.field]
    }

    /// The number the employee has.
    fn number(&self) -> Option<&'w Value> {
        self.employee.fields[Field::Extension].values().first()
    }

    fn about(&self, kind: ConflictKind) -> Conflict {
        describe::about_field(self.person, Some(self.employee.id), kind, self.field, self.ours())
    }

    /// About a value of the directory, whatever the PBX says: the answer holds
    /// when it was carried out there.
    fn about_theirs(&self, kind: ConflictKind) -> Conflict {
        let stands_on = describe::field_stands_on(self.field, self.theirs(), &Reading::Empty);
        Conflict { stands_on, ..self.about(kind) }
    }

    /// Agrees on what both sides have now.
    fn agree(&self, held: bool) -> Agreement {
        let (directory, pbx) = (self.directory.value().cloned(), self.pbx.value().cloned());
        Agreement { field: self.field, directory, pbx, held }
    }

    /// Whether it was seen what both sides say.
    fn is_known(&self) -> bool {
        ![self.directory, self.pbx].contains(&State::Unknown)
    }

    /// Whether both sides still say what a human left as it is.
    fn is_held(&self) -> bool {
        let pair = self.link.and_then(|link| link.pairs[self.field].as_ref());
        pair.is_some_and(|pair| {
            pair.held
                && pair.directory.as_ref() == self.directory.value()
                && pair.pbx.as_ref() == self.pbx.value()
        })
    }

    /// Whether a human may put the PBX's value in the place of what is in the
    /// directory.
    fn may_be_exchanged(&self) -> bool {
        let known = describe::stands_as_shown(self.field, self.theirs());
        known && matches!(self.pbx, State::Set(_)) && self.direction.to_directory()
    }

    fn differs(&self) -> bool {
        match (self.directory, self.pbx) {
            (State::Set(theirs), State::Set(ours)) => !theirs.equivalent(ours),
            (State::Set(_), State::Empty) | (State::Empty, State::Set(_)) => true,
            _ => false,
        }
    }
}

impl<'w> Builder<'w> {
    pub(super) fn field(
        &mut self,
        person: &'w Person,
        employee: &'w Employee,
        link: Option<&'w Link>,
        pair: Option<&Pair>,
        field: Field,
        merged: &mut Merged,
    ) {
        let direction = self.world.policy.direction(field);
        let (theirs, ours) = (&person.fields[field], &employee.fields[field]);
        if direction == Direction::Off || *theirs == Reading::Unmapped {
            return;
        }
        let directory = absence::in_directory(self.world, &self.vanished, link, person, field, ours);
        let pbx = absence::in_pbx(ours);
        let at = Meeting { person, employee, link, field, direction, directory, pbx };
        if self.is_set_aside(&at, merged) || self.is_unsuitable(&at, merged) {
            return;
        }
        let policy = self.world.policy.fields[field];
        let outcome = merge(field, policy, direction, pair, directory, pbx, || match link {
            Some(link) => newest::ages(self.world, link, person, field, directory, pbx),
            None => newest::never(self.world.now_ms),
        });
        let outcome = match spared(field, outcome, direction, directory, pbx) {
            Outcome::Ask(question) => self.asked(&at, question, merged),
            Outcome::ToPbx(_) if field == Field::Extension => self.number_asked(&at, outcome, merged),
            other => other,
        };
        match outcome {
            Outcome::Ask(_) => return,
            Outcome::Nothing => {}
            Outcome::Agree { held } => merged.agree.push(at.agree(held)),
            Outcome::ToPbx(cause) => return self.change_pbx(&at, cause, merged),
            Outcome::ToDirectory(cause) => return self.change_directory(&at, cause, merged),
        }
        if at.differs() {
            merged.differs.push(field);
        }
    }

    /// A refused change rests until its next try, or until either side moves.
    fn is_set_aside(&mut self, at: &Meeting<'_>, merged: &mut Merged) -> bool {
        let id = at.person.id.as_str();
        let Some(row) = self.index.set_aside.get(&(id, Some(at.field))).copied() else { return false };
        if row.stands_on != describe::field_stands_on(at.field, at.theirs(), at.ours()) {
            return false;
        }
        let left = self.answer(id, row.conflict.kind, Some(at.field), &row.conflict.stands_on);
        if left == Some(&Answer::LeaveAsIs) {
            // Agreed although they differ: the next change on either side starts from here.
            if at.is_known() && !at.is_held() {
                merged.agree.push(at.agree(true));
            }
            merged.differs.extend(at.differs().then_some(at.field));
            return true;
        }
        let resting = row.next_try_ms > self.world.now_ms;
        if resting {
            merged.conflict(self.raise(row.conflict.clone()), row.conflict.reason.clone());
        }
        resting
    }

    /// Values nothing can be done with, each a conflict of its field, once.
    fn is_unsuitable(&mut self, at: &Meeting<'w>, merged: &mut Merged) -> bool {
        let mut conflict = match (at.theirs(), at.ours()) {
            (Reading::Unusable(bad), _) => {
                describe::unusable(at.about_theirs(ConflictKind::Unusable), "directory", &bad.why)
            }
            (_, Reading::Unusable(bad)) => {
                describe::unusable(at.about(ConflictKind::Unusable), "PBX", &bad.why)
            }
            (theirs, ours) if absence::undecided(theirs, at.link, at.field, ours) => {
                describe::several_values(at.about_theirs(ConflictKind::SeveralValues))
            }
            _ => return false,
        };
        conflict.ways_out.retain(|way| match way {
            // Who has an employee is not left out.
            WayOut::LeaveOut => false,
            WayOut::GiveNumber => at.direction.to_pbx(),
            _ => true,
        });
        if at.may_be_exchanged() && !conflict.ways_out.contains(&WayOut::UsePbx) {
            conflict.ways_out.insert(0, WayOut::UsePbx);
        }
        let id = at.person.id.as_str();
        let has = at.number().map(Value::canonical);
        let asked = describe::essence(at.theirs());
        let of_number = self.number_answer(id, &asked, has).filter(|_| at.field == Field::Extension);
        let answer =
            of_number.or_else(|| self.answer(id, conflict.kind, Some(at.field), &conflict.stands_on));
        match (answer, at.theirs()) {
            (Some(Answer::Number { number, keep_in_pbx }), _) if at.field == Field::Extension => {
                let agreed = at.link.and_then(|link| link.pairs[Field::Extension].as_ref());
                let given = agreed.and_then(|pair| pair.pbx.as_ref()).map(Value::canonical) == Some(number);
                // Given before, and changed in the PBX since: that stands.
                if !given || has == Some(number) {
                    self.given_number(at, &asked, number, *keep_in_pbx, merged);
                }
            }
            (Some(Answer::UsePbx), theirs) if at.may_be_exchanged() => {
                let found = describe::stored(theirs);
                let exchanged = Meeting { directory: State::of(found.as_ref()), ..*at };
                self.change_directory(&exchanged, Cause::Decision, merged);
            }
            _ => {
                let reason = conflict.reason.clone();
                merged.conflict(self.raise(conflict), reason);
            }
        }
        true
    }

    /// What a human answered to a question of the table, if they did.
    fn asked(&mut self, at: &Meeting<'_>, question: Question, merged: &mut Merged) -> Outcome {
        let (kind, word): (_, fn(Conflict) -> Conflict) = match question {
            Question::FirstMeeting => (ConflictKind::FirstMeeting, describe::first_meeting),
            Question::BothChanged => (ConflictKind::BothChanged, describe::both_changed),
        };
        let mut conflict = word(at.about(kind));
        match self.answer(at.person.id.as_str(), kind, Some(at.field), &conflict.stands_on) {
            Some(Answer::UseDirectory) => match self.won(at, Winner::Directory) {
                number @ Outcome::ToPbx(_) if at.field == Field::Extension => {
                    self.number_asked(at, number, merged)
                }
                other => other,
            },
            Some(Answer::UsePbx) => self.won(at, Winner::Pbx),
            Some(Answer::LeaveAsIs) => Outcome::Agree { held: true },
            _ => {
                offer_what_may_cross(&mut conflict, at.direction);
                let reason = format!("{}: {}", at.field, conflict.reason);
                merged.conflict(self.raise(conflict), reason);
                Outcome::Ask(question)
            }
        }
    }

    fn won(&self, at: &Meeting<'_>, winner: Winner) -> Outcome {
        let policy = self.world.policy.fields[at.field];
        decide(at.field, policy, at.direction, at.directory, at.pbx, winner)
    }

    /// The directory asks for a number: what a human answered when it could not
    /// be had, if they did.
    fn number_asked(&mut self, at: &Meeting<'_>, outcome: Outcome, merged: &mut Merged) -> Outcome {
        let asked = at.directory.value().map_or("", Value::canonical);
        match self.number_answer(at.person.id.as_str(), asked, at.number().map(Value::canonical)) {
            Some(Answer::Number { number, keep_in_pbx }) => {
                self.given_number(at, asked, number, *keep_in_pbx, merged);
                Outcome::Ask(Question::BothChanged)
            }
            Some(Answer::UsePbx) => self.won(at, Winner::Pbx),
            Some(Answer::LeaveAsIs) => Outcome::Agree { held: true },
            _ => outcome,
        }
    }

    fn change_pbx(&mut self, at: &Meeting<'_>, cause: Cause, merged: &mut Merged) {
        if at.directory == State::Empty && self.holds_clears() {
            return;
        }
        if let (Field::Extension, Some(why)) = (at.field, self.world.employees.verdict.reason()) {
            return self.hold_back("renumberings", why);
        }
        let after = match at.directory.value().map(|value| canonical::for_pbx(at.field, value)).transpose() {
            Ok(after) => after,
            Err(why) => {
                let conflict = describe::unusable(at.about_theirs(ConflictKind::Unusable), "directory", &why);
                return merged.conflict(self.raise(conflict), format!("{}: {why}", at.field));
            }
        };
        let before = at.pbx.value().cloned();
        if stored_alike(at.field, before.as_ref(), after.as_ref()) {
            return merged.agree.push(at.agree(false));
        }
        if let (Field::Extension, Some(number)) = (at.field, &after) {
            merged.want = Some(Want::asked(number.canonical()));
        }
        merged.pbx.push(Change { field: at.field, before, after, cause });
    }

    fn change_directory(&mut self, at: &Meeting<'_>, cause: Cause, merged: &mut Merged) {
        if at.pbx == State::Empty && self.holds_clears() {
            return;
        }
        // Among several values it may be there already: then it is the person's.
        let same = |theirs: &&Value| at.pbx.value().is_some_and(|ours| ours.equivalent(theirs));
        if let Some(theirs) = at.theirs().values().iter().find(same) {
            return merged.agree.push(Meeting { directory: State::Set(theirs), ..*at }.agree(false));
        }
        let after = at.pbx.value().map(|value| canonical::for_directory(at.field, value));
        let before = at.directory.value().cloned();
        if stored_alike(at.field, before.as_ref(), after.as_ref()) {
            return merged.agree.push(at.agree(false));
        }
        merged.directory.push(Change { field: at.field, before, after, cause });
    }

    /// Nothing is cleared on the word of an incomplete read.
    fn holds_clears(&mut self) -> bool {
        let doubt = self.world.doubt();
        if let Some(why) = doubt {
            self.hold_back("clears", why);
        }
        doubt.is_some()
    }

    /// A human chose the number of a person whose own could not be used.
    /// `asked` is what the directory has instead.
    fn given_number(
        &mut self,
        at: &Meeting<'_>,
        asked: &str,
        number: &str,
        keep_in_pbx: bool,
        merged: &mut Merged,
    ) {
        let after = Some(Value::new(number, number));
        let has = at.number();
        let given = has.map(Value::canonical) == Some(number);
        if !given && !at.direction.to_pbx() {
            return;
        }
        if !given {
            if let Some(why) = self.world.employees.verdict.reason() {
                return self.hold_back("renumberings", why);
            }
            merged.want = Some(Want::decided(number, asked, keep_in_pbx));
            merged.pbx.push(Change {
                field: Field::Extension,
                before: has.cloned(),
                after: after.clone(),
                cause: Cause::Decision,
            });
        }
        let written = at.theirs().values().iter().any(|value| value.canonical() == number);
        let may = at.direction.to_directory() && describe::stands_as_shown(Field::Extension, at.theirs());
        if !keep_in_pbx && !written && may {
            let before = describe::stored(at.theirs());
            merged.directory.push(Change { field: Field::Extension, before, after, cause: Cause::Decision });
        }
    }
}

/// A picture we derived is never sent over another one. Where the two sides
/// meet for the first time, the other one goes the other way.
fn spared(
    field: Field,
    outcome: Outcome,
    direction: Direction,
    directory: State<'_>,
    pbx: State<'_>,
) -> Outcome {
    let derived =
        |state| matches!(state, State::Set(value) if field == Field::Photo && value.also().is_some());
    let set = |state| matches!(state, State::Set(_));
    match outcome {
        Outcome::ToPbx(cause) if derived(directory) && set(pbx) => match cause {
            Cause::FirstMeeting if direction.to_directory() && !derived(pbx) => Outcome::ToDirectory(cause),
            _ => Outcome::Agree { held: false },
        },
        Outcome::ToDirectory(cause) if derived(pbx) && set(directory) => match cause {
            Cause::FirstMeeting if direction.to_pbx() && !derived(directory) => Outcome::ToPbx(cause),
            _ => Outcome::Agree { held: false },
        },
        other => other,
    }
}

/// Whether a side already stores exactly what would be sent. Pictures and
/// secrets show no spelling; theirs differ if they are not equivalent.
fn stored_alike(field: Field, before: Option<&Value>, after: Option<&Value>) -> bool {
    let spelt = !matches!(field, Field::Photo | Field::SipPassword);
    matches!((before, after), (Some(before), Some(after)) if spelt && before.raw() == after.raw())
}

/// A side that is never written cannot take the other's value.
fn offer_what_may_cross(conflict: &mut Conflict, direction: Direction) {
    conflict.ways_out.retain(|way| match way {
        WayOut::UseDirectory => direction.to_pbx(),
        WayOut::UsePbx => direction.to_directory(),
        _ => true,
    });
}
