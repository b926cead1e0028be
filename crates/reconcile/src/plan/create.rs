//! A person without an employee gets one: the number they ask for, or a free one.

use super::build::{Builder, Draft};
use super::linked::empty_action;
use super::renumber::Want;
use super::{Action, Change, GENERATED, LineOutcome, LinkStep, NumberFrom, describe};
use crate::absence;
use crate::canonical;
use crate::conflict::{Answer, Conflict, ConflictKind, WayOut};
use crate::field::Field;
use crate::link::Link;
use crate::merge::Cause;
use crate::person::Person;
use crate::value::{Reading, Value};

/// The number a new employee should have.
enum Number {
    Asked(Want),
    Free,
    /// Nothing can be created before a human chooses.
    Ask(Conflict),
}

impl<'w> Builder<'w> {
    /// Plans a new employee. `again` is the link of one who was deleted in
    /// the PBX and that a human wants back.
    pub(super) fn create(&mut self, person: &'w Person, again: Option<&'w Link>) {
        if let Some(why) = self.world.doubt() {
            self.hold_back("creations", why);
            return self.skip(person, "not created: a side was read incompletely");
        }
        let name = match &person.fields[Field::Name] {
            Reading::Values(values) => &values[0],
            _ => return self.nameless(person),
        };
        if let Some(conflict) = self.creation_set_aside(person) {
            let reason = conflict.reason.clone();
            return self.conflicted(person, conflict, reason);
        }
        let want = match self.wanted_number(person, again) {
            Number::Asked(want) => Some(want),
            Number::Free => None,
            Number::Ask(conflict) => {
                let reason = conflict.reason.clone();
                return self.conflicted(person, conflict, reason);
            }
        };
        let after = canonical::for_pbx(Field::Name, name);
        let mut pbx = vec![new(Field::Name, after.ok())];
        for field in [Field::Email, Field::Mobile, Field::Photo] {
            pbx.extend(self.sent_along(person, field).map(|value| new(field, Some(value))));
        }
        let secret = self.sent_along(person, Field::SipPassword);
        let generated = secret.is_none();
        pbx.push(new(Field::SipPassword, Some(secret.unwrap_or_else(|| Value::new("set", GENERATED)))));
        let mut directory = Vec::new();
        if generated && self.takes_back(person, again, Field::SipPassword) {
            let cause = Cause::NewEmployee;
            let after = Some(Value::new("set", GENERATED));
            directory.push(Change { field: Field::SipPassword, before: None, after, cause });
        }
        let line = self.line(person, LineOutcome::Create, None);
        let action = Action {
            link: Some(LinkStep::Create { number: "".into(), number_from: NumberFrom::Free }),
            pbx,
            directory,
            ..empty_action(&person.id, &line.name.clone(), &person.dn, None)
        };
        self.drafts.push(Draft { action, line, want });
    }

    /// Whether the number (or a generated secret) goes back to the person.
    pub(super) fn takes_back(&self, person: &Person, link: Option<&Link>, field: Field) -> bool {
        let nothing = Reading::NotLooked;
        let state = absence::in_directory(self.world, &self.vanished, link, person, field, &nothing);
        self.world.policy.direction(field).to_directory() && state == crate::merge::State::Empty
    }

    fn nameless(&mut self, person: &Person) {
        let mut conflict = describe::about(&person.id, &describe::name_of(person), ConflictKind::NoName);
        conflict.field = Some(Field::Name);
        conflict.stands_on = describe::stands_on(&[&describe::essence(&person.fields[Field::Name])]);
        conflict.directory_value = describe::shown(&person.fields[Field::Name]);
        conflict.reason = match &person.fields[Field::Name] {
            Reading::Unusable(bad) => format!("the name cannot be used: {}", bad.why),
            _ => "the person has no name in the directory, and an employee needs one: fill the attribute or map another".to_owned(),
        };
        conflict.ways_out = vec![WayOut::Retry, WayOut::LeaveOut, WayOut::LeaveAsIs];
        let reason = conflict.reason.clone();
        self.conflicted(person, conflict, reason);
    }

    /// The conflict of a creation that was refused and is not due again.
    fn creation_set_aside(&self, person: &Person) -> Option<Conflict> {
        let row = self.index.set_aside.get(&(person.id.as_str(), None)).copied()?;
        let unmoved = row.stands_on == creation_stands_on(person);
        (unmoved && row.next_try_ms > self.world.now_ms).then(|| row.conflict.clone())
    }

    fn wanted_number(&self, person: &Person, again: Option<&Link>) -> Number {
        let reading = &person.fields[Field::Extension];
        let asked = describe::essence(reading);
        match self.number_answer(person.id.as_str(), &asked, None) {
            Some(Answer::Number { number, keep_in_pbx }) => {
                return Number::Asked(Want::decided(number, &asked, *keep_in_pbx));
            }
            Some(Answer::NewEmployee) => return Number::Free,
            _ if !self.world.policy.direction(Field::Extension).to_pbx() => return Number::Free,
            _ => {}
        }
        let nothing = Reading::Empty;
        let about = |kind| describe::about_field(person, None, kind, Field::Extension, &nothing);
        let question = match reading {
            Reading::Unusable(bad) => {
                Some(describe::unusable(about(ConflictKind::Unusable), "directory", &bad.why))
            }
            Reading::Values(values) if values.len() > 1 => {
                Some(describe::several_values(about(ConflictKind::SeveralValues)))
            }
            _ => None,
        };
        if let Some(conflict) = question {
            let id = person.id.as_str();
            return match self.answer(id, conflict.kind, Some(Field::Extension), &conflict.stands_on) {
                Some(Answer::Number { number, keep_in_pbx }) => {
                    Number::Asked(Want::decided(number, &asked, *keep_in_pbx))
                }
                _ => Number::Ask(conflict),
            };
        }
        let wanted = reading.values().first().map(Value::canonical);
        let before = again.and_then(|link| link.pbx[Field::Extension].as_ref());
        match wanted.or_else(|| before.and_then(|sight| sight.value.as_ref()).map(Value::canonical)) {
            Some(number) => Number::Asked(Want { asked: asked.into(), ..Want::asked(number) }),
            None => Number::Free,
        }
    }

    /// A field that travels with a creation, or the conflict it is instead.
    fn sent_along(&mut self, person: &Person, field: Field) -> Option<Value> {
        if !self.world.policy.direction(field).to_pbx() {
            return None;
        }
        let nothing = Reading::Empty;
        let about = |kind| describe::about_field(person, None, kind, field, &nothing);
        let value = match &person.fields[field] {
            Reading::Unusable(bad) => {
                Err(describe::unusable(about(ConflictKind::Unusable), "directory", &bad.why))
            }
            Reading::Values(values) if values.len() > 1 && field == Field::SipPassword => {
                Err(describe::several_values(about(ConflictKind::SeveralValues)))
            }
            Reading::Values(values) => canonical::for_pbx(field, &values[0])
                .map_err(|why| describe::unusable(about(ConflictKind::Unusable), "directory", &why)),
            _ => return None,
        };
        match value {
            Ok(value) => Some(value),
            Err(conflict) => {
                self.raise(conflict);
                None
            }
        }
    }
}

/// What a refused creation stands on: every value that was sent with it.
pub fn creation_stands_on(person: &Person) -> String {
    let parts: Vec<String> =
        Field::ALL.iter().map(|field| describe::essence(&person.fields[*field])).collect();
    describe::stands_on(&parts.iter().map(String::as_str).collect::<Vec<_>>())
}

fn new(field: Field, after: Option<Value>) -> Change {
    Change { field, before: None, after, cause: Cause::NewEmployee }
}
