//! The witness looks at both sides whenever somebody acted, and knows who it
//! was. Whatever Rollcall changed must have been intended in its journal, must
//! have replaced exactly what the intention expected to find, and must be what
//! the other side said.

use crate::rest::is_cut;
use crate::truth::{self, EmployeeTruth, PersonTruth};
use directory::Kind;
use futures_util::FutureExt;
use reconcile::{EmployeeId, Field, PersonId, Value};
use rollcall::cycle::StepRef;
use sandbox::directory::Directory;
use sandbox::pbx::Pbx;
use std::collections::{BTreeMap, BTreeSet};
use store::{DirectoryId, History, JournalOf, JournalRow, Links, MemoryStore, RunId, Settings, Side, What};
use uuid::Uuid;

/// A name the sandbox gives to somebody who is faster than a creation.
const RIVAL: &str = "Quick Rival";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    Human,
    Rollcall,
}

/// Whose value it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    Person(Uuid),
    Employee(u64),
}

pub struct Witness {
    directory: Directory,
    pbx: Pbx,
    store: MemoryStore,
    kind: Kind,
    pub people: BTreeMap<Uuid, PersonTruth>,
    pub employees: BTreeMap<u64, EmployeeTruth>,
    moment: u64,
    /// How many writes each side had counted when it was last looked at.
    seen: (u64, u64),
    /// When the record of an employee was last read, and the newest step of
    /// the journal that was open then.
    looked: BTreeMap<u64, (u64, (RunId, i64))>,
    /// When a human last changed a field in the PBX.
    touched: BTreeMap<(u64, Field), u64>,
    /// Everything each side said since the run began.
    said: BTreeMap<(Key, Field), BTreeSet<Option<Value>>>,
    /// Who was a leaver at some time since the run began.
    pub left: BTreeSet<Uuid>,
    /// What humans last set, since the last rest; and whether it was lost in
    /// the window that the PBX leaves open.
    pub edits: BTreeMap<(Key, Field), Vec<Value>>,
    pub exempted: BTreeSet<(u64, Field)>,
    /// Employees that Rollcall made, and for whom.
    pub made: BTreeMap<u64, PersonId>,
    /// Those of them whose number or secret a human changed before they were
    /// linked: nothing is left to know them by.
    pub disguised: BTreeSet<u64>,
    /// Where one of several values was cleared and others stay: both sides rest
    /// unequal, and the report that says so may have died with its run.
    pub left_over: BTreeSet<(Uuid, Field)>,
    /// People deleted or made since the last rest: no promise about them.
    pub stirred: BTreeSet<Key>,
    /// Steps that were undone.
    pub undone: BTreeSet<(RunId, i64)>,
    pub writes: u64,
    pub exempt: u64,
    pub repairs: u64,
    pub violations: Vec<String>,
}

impl Witness {
    pub fn new(directory: Directory, pbx: Pbx, store: MemoryStore, kind: Kind) -> Self {
        Witness {
            directory,
            pbx,
            store,
            kind,
            people: BTreeMap::new(),
            employees: BTreeMap::new(),
            moment: 0,
            seen: (0, 0),
            looked: BTreeMap::new(),
            touched: BTreeMap::new(),
            said: BTreeMap::new(),
            left: BTreeSet::new(),
            edits: BTreeMap::new(),
            exempted: BTreeSet::new(),
            made: BTreeMap::new(),
            disguised: BTreeSet::new(),
            left_over: BTreeSet::new(),
            stirred: BTreeSet::new(),
            undone: BTreeSet::new(),
            writes: 0,
            exempt: 0,
            repairs: 0,
            violations: Vec::new(),
        }
    }

    pub fn pbx(&self) -> Pbx {
        self.pbx.clone()
    }

    /// A human says whose employee this is: whomever we made it for may get
    /// another one.
    pub fn given(&mut self, EmployeeId(employee): EmployeeId, to: &PersonId) {
        if self.made.get(&employee).is_some_and(|person| person != to) {
            self.made.remove(&employee);
        }
    }

    /// A memory that was lost and begun anew: secrets look different now, and
    /// whoever matches in nothing that is comparable is made again.
    pub fn watch(&mut self, store: MemoryStore) {
        self.made.clear();
        self.people = truth::people(&self.directory, self.kind, &store.fingerprinter());
        self.employees = truth::employees(&self.pbx, &store.fingerprinter());
        self.store = store;
    }

    /// Whoever a human decided on may be changed as they said.
    pub fn answered(&mut self, person: &PersonId) {
        self.stirred.extend(Uuid::parse_str(person.as_str()).ok().map(Key::Person));
    }

    /// A run begins: from now on it counts what is said, and who is away.
    pub fn begin(&mut self) {
        self.see_directory(Actor::Rollcall);
        self.see_pbx(Actor::Rollcall, None);
        self.said.clear();
        self.left = self.people.iter().filter(|(_, person)| !person.is_active()).map(|(id, _)| *id).collect();
        for (id, person) in self.people.clone() {
            for field in Field::ALL {
                self.says_in_directory(id, field, &person.values[field]);
            }
        }
        for (id, employee) in self.employees.clone() {
            for field in Field::ALL {
                self.says(Key::Employee(id), field, employee.values[field].clone());
            }
        }
    }

    /// At rest: what happened before is history.
    pub fn rest(&mut self) {
        self.edits.clear();
        self.exempted.clear();
        self.stirred.clear();
    }

    /// Somebody reads the record of an employee.
    pub fn looked(&mut self, employee: u64) {
        self.moment += 1;
        let open = self.intent(|row| row.employee == Some(EmployeeId(employee)));
        let step = open.map_or((RunId(0), 0), |row| (row.run, row.seq));
        self.looked.insert(employee, (self.moment, step));
    }

    pub fn see_directory(&mut self, actor: Actor) {
        let requests = self.directory.counts().write_requests;
        let nothing_new = std::mem::replace(&mut self.seen.0, requests) == requests;
        if actor == Actor::Rollcall && nothing_new {
            return;
        }
        let now = truth::people(&self.directory, self.kind, &self.store.fingerprinter());
        let before = std::mem::replace(&mut self.people, now.clone());
        self.moment += 1;
        for (id, person) in &now {
            if !person.is_active() {
                self.left.insert(*id);
            }
            match before.get(id) {
                Some(then) => self.person_changed(actor, *id, then, person),
                None if actor == Actor::Human => {
                    self.stirred.insert(Key::Person(*id));
                    for field in Field::ALL {
                        self.says_in_directory(*id, field, &person.values[field]);
                    }
                }
                None => self.violated(format!("{} was added to the directory", person.dn)),
            }
        }
        for (id, then) in before.iter().filter(|(id, _)| !now.contains_key(id)) {
            self.left.insert(*id);
            self.stirred.insert(Key::Person(*id));
            if actor == Actor::Rollcall {
                self.violated(format!("{} was deleted from the directory", then.dn));
            }
        }
    }

    /// `body` is the request that was just carried out, if any was.
    pub fn see_pbx(&mut self, actor: Actor, body: Option<&[u8]>) {
        let writes = self.pbx.writes();
        let nothing_new = std::mem::replace(&mut self.seen.1, writes) == writes;
        if actor == Actor::Rollcall && nothing_new {
            return;
        }
        let now = truth::employees(&self.pbx, &self.store.fingerprinter());
        let before = std::mem::replace(&mut self.employees, now.clone());
        self.moment += 1;
        for (id, employee) in &now {
            match before.get(id) {
                Some(then) => self.employee_changed(actor, *id, then, employee, body),
                None => self.employee_made(actor, *id, employee),
            }
        }
        for id in before.keys().filter(|id| !now.contains_key(id)) {
            self.stirred.insert(Key::Employee(*id));
            if actor == Actor::Rollcall {
                self.violated(format!("employee {id} was deleted in the PBX"));
            }
        }
        let mut numbers = BTreeSet::new();
        for (id, employee) in &now {
            let number = employee.values[Field::Extension].as_ref().map(Value::canonical);
            if !number.is_none_or(|number| numbers.insert(number)) {
                self.violated(format!("employee {id} has a number that somebody else has"));
            }
        }
    }

    pub fn violated(&mut self, what: String) {
        self.violations.push(what);
    }

    fn person_changed(&mut self, actor: Actor, id: Uuid, then: &PersonTruth, now: &PersonTruth) {
        if actor == Actor::Rollcall && (then.dn != now.dn || then.enabled != now.enabled) {
            self.violated(format!("{} was moved, renamed or disabled", then.dn));
        }
        if then.is_active() != now.is_active() {
            self.stirred.insert(Key::Person(id));
        }
        for field in Field::ALL.into_iter().filter(|field| then.values[*field] != now.values[*field]) {
            let (before, after) = (&then.values[field], &now.values[field]);
            self.says_in_directory(id, field, after);
            match actor {
                Actor::Human => {
                    self.edits.insert((Key::Person(id), field), after.clone());
                    self.left_over.remove(&(id, field));
                }
                Actor::Rollcall => self.directory_written(id, field, before, after),
            }
        }
    }

    fn directory_written(&mut self, id: Uuid, field: Field, before: &[Value], after: &[Value]) {
        self.writes += 1;
        let person = PersonId::new(id.to_string());
        let intent = self.intent(|row| {
            row.side == Side::Directory && row.what == What::Field(field) && row.person == person
        });
        let Some(intent) = intent else {
            return self
                .violated(format!("{field} of {id} was written in the directory without an intention"));
        };
        let gone: Vec<&Value> = before.iter().filter(|value| !after.contains(value)).collect();
        let come: Vec<&Value> = after.iter().filter(|value| !before.contains(value)).collect();
        let expected = value_of(&intent.before);
        let as_expected = match (&gone[..], &expected) {
            ([], None) => true,
            ([gone], Some(expected)) => gone.raw() == expected.raw(),
            _ => false,
        };
        if !as_expected {
            self.violated(format!(
                "lost update: {field} of {id} was {gone:?} in the directory when {expected:?} was to be replaced"
            ));
        }
        if come.len() > 1 {
            self.violated(format!("{field} of {id} got {come:?} at once"));
        }
        match come.is_empty() && !after.is_empty() {
            true => self.left_over.insert((id, field)),
            false => self.left_over.remove(&(id, field)),
        };
        let employee = self.employee_of(&person).or(intent.employee);
        let Some(EmployeeId(employee)) = employee else {
            return self.violated(format!("{field} of {id}, who is linked to nobody, was written"));
        };
        let what = come.first().map(|value| (*value).clone());
        self.was_said(Key::Employee(employee), field, what, &intent);
    }

    fn employee_made(&mut self, actor: Actor, id: u64, employee: &EmployeeTruth) {
        self.stirred.insert(Key::Employee(id));
        for field in Field::ALL {
            self.says(Key::Employee(id), field, employee.values[field].clone());
        }
        let name = employee.values[Field::Name].as_ref().map_or("", Value::raw);
        if actor == Actor::Human || name == RIVAL {
            return;
        }
        self.writes += 1;
        let number = employee.values[Field::Extension].as_ref().map_or("", Value::raw).to_owned();
        let made_for = self.intent(|row| {
            row.what == What::Create && row.reserved_number.as_deref() == Some(number.as_str())
        });
        let Some(intent) = made_for else {
            return self
                .violated(format!("employee {id} ({name}, {number}) was created without an intention"));
        };
        let others = self.made.iter().filter(|(_, person)| **person == intent.person);
        let twin = others
            .map(|(id, _)| *id)
            .find(|id| self.employees.contains_key(id) && !self.disguised.contains(id));
        if let Some(twin) = twin {
            self.violated(format!("{} got employee {id} although they have {twin}", intent.person));
        }
        self.made.insert(id, intent.person);
    }

    fn employee_changed(
        &mut self,
        actor: Actor,
        id: u64,
        then: &EmployeeTruth,
        now: &EmployeeTruth,
        body: Option<&[u8]>,
    ) {
        for field in Field::ALL.into_iter().filter(|field| then.values[*field] != now.values[*field]) {
            let (before, after) = (then.values[field].clone(), now.values[field].clone());
            self.says(Key::Employee(id), field, after.clone());
            match actor {
                Actor::Human => {
                    self.edits.insert((Key::Employee(id), field), after.into_iter().collect());
                    self.touched.insert((id, field), self.moment);
                    let known_by = matches!(field, Field::Extension | Field::SipPassword);
                    if known_by && self.made.contains_key(&id) && !self.is_linked(id) {
                        self.disguised.insert(id);
                    }
                }
                Actor::Rollcall => self.pbx_written(id, field, before, after, body),
            }
        }
    }

    fn pbx_written(
        &mut self,
        id: u64,
        field: Field,
        before: Option<Value>,
        after: Option<Value>,
        body: Option<&[u8]>,
    ) {
        // Between the read that a write stands on and the write, the PBX has
        // no precondition to offer: the one promise that is smaller there.
        let looked = self.looked.get(&id).copied();
        let in_the_window = self.touched.get(&(id, field)).copied() > looked.map(|(moment, _)| moment);
        if in_the_window {
            self.exempt += 1;
            self.exempted.insert((id, field));
            return;
        }
        let intent = self.intent(|row| {
            row.side == Side::Pbx && row.what == What::Field(field) && row.employee == Some(EmployeeId(id))
        });
        // A creation that had to be taken apart writes what it left out.
        let making = self.intent(|row| {
            row.what == What::Create && self.made.get(&id).is_some_and(|person| *person == row.person)
        });
        let Some(intent) = intent.or(making) else {
            let sent = |value: &Value| {
                let body = String::from_utf8_lossy(body.unwrap_or_default()).into_owned();
                body.contains(value.raw())
            };
            if after.as_ref().is_some_and(sent) {
                self.violated(format!(
                    "{field} of employee {id} was written in the PBX without an intention"
                ));
            }
            self.repairs += 1;
            return;
        };
        // A human had set just what was to be written, so nobody sent it; while
        // something else was saved, the PBX cut the name.
        let wanted = value_of(&intent.after);
        let was_there =
            before.as_ref().zip(wanted.as_ref()).is_some_and(|(one, other)| one.equivalent(other));
        if field == Field::Name && was_there && is_cut(before.as_ref(), after.as_ref()) {
            self.repairs += 1;
            return;
        }
        self.writes += 1;
        if intent.what == What::Create {
            return;
        }
        if looked.is_none_or(|(_, step)| step < (intent.run, intent.seq)) {
            self.violated(format!("{field} of employee {id} was not read again before it was written"));
        }
        let expected = value_of(&intent.before);
        let as_expected = match (&before, &expected) {
            (None, None) => true,
            (Some(before), Some(expected)) => before.equivalent(expected),
            _ => false,
        };
        if !as_expected {
            self.violated(format!(
                "lost update: {field} of employee {id} was {before:?} in the PBX when {expected:?} was to be replaced"
            ));
        }
        if let Ok(person) = Uuid::parse_str(intent.person.as_str()) {
            self.was_said(Key::Person(person), field, after, &intent);
        }
    }

    /// Nothing is invented: what was written is what the other side said.
    fn was_said(&mut self, other: Key, field: Field, value: Option<Value>, intent: &JournalRow) {
        if let Some(undone) = StepRef::undone_by(&intent.cause) {
            self.undone.insert((undone.run, undone.seq));
            return;
        }
        if matches!(intent.cause.as_str(), "new-number" | "decision") {
            return;
        }
        let said = self.said.get(&(other, field));
        let sent = value_of(&intent.after);
        let known = said.is_some_and(|said| {
            said.iter().any(|said| match (said, &value, &sent) {
                (None, None, _) => true,
                (Some(said), Some(value), _) if said.equivalent(value) => true,
                // The PBX stored something else than was sent.
                (Some(said), _, Some(sent)) => said.equivalent(sent),
                _ => false,
            })
        });
        if !known {
            self.violated(format!(
                "{field}: {value:?} was written, which {other:?} never said ({})",
                intent.cause
            ));
        }
    }

    fn says_in_directory(&mut self, id: Uuid, field: Field, values: &[Value]) {
        if values.is_empty() {
            self.says(Key::Person(id), field, None);
        }
        for value in values {
            self.says(Key::Person(id), field, Some(value.clone()));
        }
    }

    fn says(&mut self, key: Key, field: Field, value: Option<Value>) {
        self.said.entry((key, field)).or_default().insert(value);
    }

    /// The step of the journal that is open and means this.
    fn intent(&self, means: impl Fn(&JournalRow) -> bool) -> Option<JournalRow> {
        let directory = self.directory_id()?;
        let open = self.store.journal_of(&JournalOf::Unfinished(directory)).now_or_never()?.ok()?;
        open.into_iter().rev().find(means)
    }

    fn employee_of(&self, person: &PersonId) -> Option<EmployeeId> {
        let links = self.store.links(self.directory_id()?).now_or_never()?.ok()?;
        links.into_iter().find(|link| link.person == *person).map(|link| link.employee)
    }

    fn is_linked(&self, employee: u64) -> bool {
        let links = self.directory_id().and_then(|id| self.store.links(id).now_or_never()?.ok());
        links.unwrap_or_default().iter().any(|link| link.employee == EmployeeId(employee))
    }

    fn directory_id(&self) -> Option<DirectoryId> {
        self.store.directories().now_or_never()?.ok()?.first().map(|row| row.id)
    }

    /// Both sides but for what is drawn by lot: ids of employees, and SIP
    /// passwords that Rollcall made.
    pub fn likeness(&self) -> String {
        let shown = |field: &Field| *field != Field::SipPassword;
        let people = self.people.iter().map(|(id, person)| {
            let values: Vec<String> =
                Field::ALL.iter().filter(|f| shown(f)).map(|f| format!("{:?}", person.values[*f])).collect();
            format!("{id} {} {}", person.is_active(), values.join(" "))
        });
        let mut employees: Vec<String> = self
            .employees
            .values()
            .map(|employee| {
                let values: Vec<String> = Field::ALL
                    .iter()
                    .filter(|f| shown(f))
                    .map(|f| format!("{:?}", employee.values[*f]))
                    .collect();
                format!("employee {}", values.join(" "))
            })
            .collect();
        employees.sort();
        people.chain(employees).collect::<Vec<_>>().join("\n")
    }

    /// Everybody and everything on both sides, for whoever reads the trace.
    pub fn portrait(&self) -> String {
        let people = self.people.iter().map(|(id, person)| {
            let values: Vec<String> =
                Field::ALL.into_iter().map(|field| format!("{:?}", person.values[field])).collect();
            format!("{id} active {}: {}", person.is_active(), values.join(" "))
        });
        let employees = self.employees.iter().map(|(id, employee)| {
            let values: Vec<String> =
                Field::ALL.into_iter().map(|field| format!("{:?}", employee.values[field])).collect();
            format!("employee {id}: {}", values.join(" "))
        });
        people.chain(employees).collect::<Vec<_>>().join("\n")
    }
}

fn value_of(json: &serde_json::Value) -> Option<Value> {
    serde_json::from_value(json.clone()).ok()
}
