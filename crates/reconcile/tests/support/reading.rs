//! What a read of the company finds.

use super::{Company, Entry, Place, Record, mark};
use reconcile::{
    AttributeChange, Employee, EmployeeId, Field, FieldMap, Mark, Person, PersonId, Reading, Snapshot,
    TakenNumber, Unusable, Value, Whereabouts, World, canonical,
};
use std::collections::HashMap;

const REGION: Option<&str> = Some("RU");

impl Company {
    pub fn world(&self) -> World {
        let rows = |(id, entry): (&String, &Entry)| self.read_person(id, entry);
        let people = self.entries.iter().filter(|(_, entry)| entry.place == Place::Here).map(rows).collect();
        let employees = self.records.iter().map(|(id, record)| self.read_employee(*id, record)).collect();
        World {
            now_ms: self.now_ms,
            policy: self.policy.clone(),
            mapped: self.mapped.clone(),
            people: Snapshot { rows: people, verdict: self.directory.clone(), at_ms: self.now_ms },
            employees: Snapshot { rows: employees, verdict: self.pbx.clone(), at_ms: self.now_ms },
            numbers: self.read_numbers(),
            extensions_length: 3,
            links: self.links.clone(),
            linked_elsewhere: self.linked_elsewhere.clone(),
            reserved: self.reserved.iter().map(|number| number.as_str().into()).collect(),
            cooling: self.cooling.iter().map(|number| number.as_str().into()).collect(),
            decisions: self.decisions.clone(),
            set_aside: self.set_aside.clone(),
            whereabouts: self.look_up(),
            attribute_changes: self.date_attributes(),
            dates_attributes: self.dates_attributes,
            directory_seen_ms: self.directory_seen_ms,
            pbx_seen_ms: self.pbx_seen_ms,
            skew_ms: self.skew_ms,
            recent: self.recent.clone(),
            stopped: self.stopped.clone(),
            lost_released: self.lost_released.clone(),
            ran_before: self.ran_before,
        }
    }

    fn read_person(&self, id: &str, entry: &Entry) -> Person {
        Person {
            id: PersonId::new(id),
            dn: entry.dn.as_str().into(),
            account: entry.account,
            fields: FieldMap::from_fn(|field| match &entry.values[field] {
                _ if !self.mapped[field] => Reading::Unmapped,
                values if values.is_empty() || entry.hidden[field] => Reading::Absent,
                values => several(values, |raw| in_directory(field, raw)),
            }),
            mark: mark(entry),
            modified_ms: None,
        }
    }

    fn read_employee(&self, id: u64, record: &Record) -> Employee {
        let mobile = record.values[Field::Mobile].as_str();
        Employee {
            id: EmployeeId(id),
            fields: FieldMap::from_fn(|field| match record.values[field].as_str() {
                _ if !record.looked && in_record(field) => Reading::NotLooked,
                "" => Reading::Empty,
                raw => in_pbx(field, raw).map_or_else(Reading::Unusable, Reading::one),
            }),
            dial: record.dial.as_deref().unwrap_or(mobile).into(),
            has_photo: !record.values[Field::Photo].is_empty(),
            disabled: false,
        }
    }

    fn read_numbers(&self) -> Vec<TakenNumber> {
        let of_employees = self.records.values().map(|record| TakenNumber {
            number: record.values[Field::Extension].as_str().into(),
            kind: "SIP".into(),
            holder: record.values[Field::Name].as_str().into(),
        });
        of_employees.chain(self.other_numbers.iter().cloned()).collect()
    }

    /// Every linked person the read did not return is looked up by id.
    fn look_up(&self) -> HashMap<PersonId, Whereabouts> {
        let missing = self.links.iter().filter_map(|link| {
            let place = self.entries.get(link.person.as_str()).map_or(&Place::Deleted, |entry| &entry.place);
            let dn = link.dn.to_string();
            let found = match place {
                Place::Here => return None,
                Place::Missed => Whereabouts::InScope,
                Place::Moved => Whereabouts::OutOfScope { dn },
                Place::Filtered => Whereabouts::FilteredOut { dn },
                Place::Deleted => Whereabouts::NotFound,
                Place::Refused => Whereabouts::Refused("insufficient access rights".into()),
            };
            Some((link.person.clone(), found))
        });
        missing.collect()
    }

    fn date_attributes(&self) -> HashMap<PersonId, FieldMap<Option<AttributeChange>>> {
        let people = self.entries.iter().filter(|_| self.dates_attributes);
        people
            .map(|(id, entry)| {
                let dated = FieldMap::from_fn(|field| {
                    let (edit, time_ms) = entry.edited[field];
                    let mark = Mark(format!("dc1:{edit}").into());
                    (edit > 0).then_some(AttributeChange { time_ms, mark })
                });
                (PersonId::new(id.as_str()), dated)
            })
            .collect()
    }
}

pub fn in_record(field: Field) -> bool {
    matches!(field, Field::Mobile | Field::SipPassword | Field::Photo)
}

/// Pictures and secrets are told apart by their name here.
pub fn in_directory(field: Field, raw: &str) -> Result<Value, Unusable> {
    match field {
        Field::Name => canonical::name(raw),
        Field::Extension => canonical::extension(raw),
        Field::Mobile => canonical::mobile(raw, REGION),
        Field::Email => canonical::email(raw),
        Field::Photo => opaque(raw, "picture", "JPEG"),
        Field::SipPassword => opaque(raw, "secret", "set"),
    }
}

pub fn in_pbx(field: Field, raw: &str) -> Result<Value, Unusable> {
    match field {
        Field::Mobile => canonical::mobile_in_pbx(raw, REGION),
        _ => in_directory(field, raw),
    }
}

fn opaque(raw: &str, usable: &str, shown: &str) -> Result<Value, Unusable> {
    if raw.starts_with(usable) {
        Ok(Value::new(shown, raw))
    } else {
        Err(Unusable { raw: "something".into(), why: format!("not a {usable}") })
    }
}

fn several(values: &[String], read: impl Fn(&str) -> Result<Value, Unusable>) -> Reading {
    let read: Vec<_> = values.iter().map(|raw| read(raw)).collect();
    let first_bad = read.iter().find_map(|value| value.as_ref().err()).cloned();
    let usable: Vec<Value> = read.into_iter().filter_map(Result::ok).collect();
    match first_bad {
        Some(bad) if usable.is_empty() => Reading::Unusable(bad),
        _ => Reading::many(usable),
    }
}
