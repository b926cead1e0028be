//! Carries out a plan as the real thing does: writes, reads back what is
//! stored, and moves the agreed pairs to that.

use super::reading::{in_directory, in_pbx, in_record};
use super::{Company, MINUTE_MS, Record};
use reconcile::absence::Vanished;
use reconcile::merge::Cause;
use reconcile::observe::{observe, observed};
use reconcile::plan::{Action, Change, GENERATED, LinkStep};
use reconcile::{EmployeeId, Field, FieldMap, Interval, Link, LinkState, Pair, Person, Sight, Value, World};

const YEAR_MS: i64 = 365 * 24 * 60 * MINUTE_MS;

impl Company {
    /// Observations are remembered whether or not anything is carried out.
    pub(super) fn carry_out(&mut self, world: &World, actions: &[Action]) {
        let index = world.index();
        let vanished = Vanished::find(world, &index.linked_people);
        for seen in observe(world) {
            let link = self.links.iter_mut().find(|link| link.person == seen.person).unwrap();
            *link = seen;
        }
        for link in &mut self.links {
            link.record_looked_ms = if self.records.get(&link.employee.0).is_some_and(|record| record.looked)
            {
                world.now_ms
            } else {
                link.record_looked_ms
            };
            link.photo_looked_ms = link.record_looked_ms;
        }
        for action in actions {
            let person = index.people.get(action.person.as_str()).copied();
            let (link, ended) = match &action.link {
                Some(LinkStep::Create { .. }) => {
                    let id = self.hire(action);
                    (self.new_link(world, &vanished, person.unwrap(), id), Some(&action.person))
                }
                Some(LinkStep::Join { left, .. }) => {
                    let mut link = self.new_link(world, &vanished, person.unwrap(), action.employee.unwrap());
                    if let Some(reason) = *left {
                        link.state = LinkState::Left { reason, since_ms: world.now_ms };
                    }
                    (link, None)
                }
                Some(LinkStep::Relink { from }) => {
                    (self.new_link(world, &vanished, person.unwrap(), action.employee.unwrap()), Some(from))
                }
                Some(LinkStep::Unlink) => {
                    self.links.retain(|link| link.person != action.person);
                    continue;
                }
                step => {
                    let mut link = self.link_of(action.person.as_str()).unwrap().clone();
                    if let Some(step) = step {
                        link.take(step, world.now_ms);
                    }
                    (link, Some(&action.person))
                }
            };
            if let Some(ended) = ended {
                self.links.retain(|link| link.person != *ended);
            }
            self.update(action, link);
        }
    }

    fn update(&mut self, action: &Action, mut link: Link) {
        assert!(self.link_of(link.person.as_str()).is_none(), "one employee per person: {action:#?}");
        let taken = self.links.iter().any(|other| other.employee == link.employee);
        assert!(!taken, "one person per employee: {action:#?}");
        for agreed in &action.agree {
            let (directory, pbx) = (agreed.directory.clone(), agreed.pbx.clone());
            link.pairs[agreed.field] = Some(Pair { directory, pbx, held: agreed.held });
        }
        let creates = matches!(action.link, Some(LinkStep::Create { .. }));
        for change in &action.pbx {
            let stored = if creates {
                self.stored_in_pbx(link.employee.0, change.field)
            } else {
                self.write_pbx(link.employee.0, change)
            };
            link.pbx[change.field] = Some(written(&stored, self.now_ms));
            let directory = link.directory[change.field].as_ref().and_then(|sight| sight.value.clone());
            link.pairs[change.field] = Some(agreed(change, directory, stored));
        }
        let mut refused = Vec::new();
        for change in &action.directory {
            // What may not be read may not be overwritten unseen either.
            if self.entries[action.person.as_str()].hidden[change.field] {
                refused.push(change.field);
                continue;
            }
            let stored = self.write_directory(action.person.as_str(), link.employee.0, change);
            let mark = link.directory[change.field].as_ref().and_then(|sight| sight.mark.clone());
            link.directory[change.field] = Some(Sight { mark, ..written(&stored, self.now_ms) });
            let pbx = link.pbx[change.field].as_ref().and_then(|sight| sight.value.clone());
            link.pairs[change.field] = Some(agreed(change, stored, pbx));
        }
        let person = link.person.to_string();
        if !matches!(action.link, Some(LinkStep::Part)) {
            self.links.push(link);
        }
        for field in refused {
            self.refuse(&person, Some(field), self.now_ms + YEAR_MS);
        }
    }

    fn new_link(
        &self,
        world: &World,
        vanished: &Vanished<'_>,
        person: &Person,
        employee: EmployeeId,
    ) -> Link {
        let blank = Link {
            person: person.id.clone(),
            employee,
            state: LinkState::Active,
            pairs: FieldMap::default(),
            directory: FieldMap::default(),
            pbx: FieldMap::default(),
            name: "".into(),
            dn: person.dn.clone(),
            dial: "".into(),
            record_looked_ms: 0,
            photo_looked_ms: 0,
            photo_etag: None,
            photo_mark: None,
        };
        let row = world.employees.rows.iter().find(|row| row.id == employee);
        observed(world, vanished, &blank, Some(person), row)
    }

    fn hire(&mut self, action: &Action) -> EmployeeId {
        self.next_id += 1;
        let mut record = Record { looked: true, ..Record::default() };
        for change in &action.pbx {
            assert_eq!(change.before, None, "a new employee had nothing before");
            let after = change.after.as_ref().unwrap_or_else(|| panic!("created with nothing: {change:?}"));
            record.values[change.field] = text(change.field, after, self.next_id);
        }
        for field in [Field::Name, Field::Extension, Field::SipPassword] {
            assert_ne!(record.values[field], "", "the PBX wants a {field}: {action:#?}");
        }
        self.number_is_free(&record.values[Field::Extension]);
        self.records.insert(self.next_id, record);
        EmployeeId(self.next_id)
    }

    fn write_pbx(&mut self, employee: u64, change: &Change) -> Option<Value> {
        let field = change.field;
        let record = &self.records[&employee];
        assert!(record.looked || !in_record(field), "written without having looked: {change:?}");
        assert_eq!(change.before, self.stored_in_pbx(employee, field), "the value moved: {change:?}");
        let after = change.after.as_ref().map(|after| text(field, after, employee)).unwrap_or_default();
        assert_ne!(after, record.values[field], "an equal value is written: {change:?}");
        if field == Field::Extension {
            self.number_is_free(&after);
        }
        self.records.get_mut(&employee).unwrap().values[field] = after;
        self.stored_in_pbx(employee, field)
    }

    /// Exchanges the one value that was there before and leaves the rest.
    fn write_directory(&mut self, person: &str, employee: u64, change: &Change) -> Option<Value> {
        let field = change.field;
        assert!(self.policy.write_back, "the domain is not updated: {change:?}");
        let values = &mut self.entries.get_mut(person).unwrap().values[field];
        let at = match &change.before {
            None if values.is_empty() => 0,
            None => panic!("not empty: {change:?} {values:?}"),
            Some(before) => {
                let before = text(field, before, employee);
                values.iter().position(|value| *value == before).unwrap_or_else(|| {
                    panic!("the value moved: {change:?} {values:?}");
                })
            }
        };
        if !values.is_empty() {
            values.remove(at);
        }
        let after = change.after.as_ref().map(|after| text(field, after, employee));
        if let Some(after) = &after {
            assert!(!values.contains(after), "the value is there already: {change:?}");
            values.insert(at, after.clone());
        }
        let entry = self.entries.get_mut(person).unwrap();
        entry.edits += 1;
        entry.edited[field] = (entry.edits, self.now_ms);
        after.and_then(|raw| in_directory(field, &raw).ok())
    }

    fn stored_in_pbx(&self, employee: u64, field: Field) -> Option<Value> {
        in_pbx(field, &self.records[&employee].values[field]).ok()
    }

    fn number_is_free(&self, number: &str) {
        let employees = self.records.values().map(|record| record.values[Field::Extension].as_str());
        let mut taken = employees.chain(self.other_numbers.iter().map(|row| &*row.number));
        assert!(!taken.any(|taken| taken == number), "number {number} would be there twice");
    }
}

/// What is really sent. A picture and a secret are fetched again.
fn text(field: Field, value: &Value, employee: u64) -> String {
    match field {
        Field::SipPassword if value.canonical() == GENERATED => format!("secret-of-{employee}"),
        Field::Photo | Field::SipPassword => value.canonical().to_owned(),
        _ => value.raw().to_owned(),
    }
}

/// What an undo wrote is held.
fn agreed(change: &Change, directory: Option<Value>, pbx: Option<Value>) -> Pair {
    match change.cause {
        Cause::Undo => Pair::left(directory, pbx),
        _ => Pair { directory, pbx, held: false },
    }
}

fn written(stored: &Option<Value>, now_ms: i64) -> Sight {
    let change = Interval { after_ms: now_ms, by_ms: now_ms };
    Sight { value: stored.clone(), change, mark: None }
}
