//! A company in memory: a directory, a PBX and our links, with builders that
//! read well and an executor that does to them what carrying out a plan does.
//!
//! The executor is strict: it panics where a real side would refuse, so that a
//! plan that needs a refusal to come out right fails the test.

#![allow(dead_code, unused_imports, reason = "every test binary uses its own part of it")]
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests say what is wrong by panicking"
)]

mod executor;
mod reading;

pub use reading::in_directory;

use reconcile::guard::{GuardKind, Touched};
use reconcile::plan::{Action, Change, Plan, Step, Undo, creation_stands_on, field_stands_on, plan, undo};
use reconcile::{
    Account, Answer, BothChanged, Conflict, ConflictKind, Decision, Direction, EmployeeId, Field, FieldMap,
    Link, LinkState, Mark, PersonId, Policy, RefusedBy, SetAside, TakenNumber, Value, Verdict, WayOut,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};

pub use Field::{Email, Extension, Mobile, Name, Photo, SipPassword};

pub const MINUTE_MS: i64 = 60_000;

/// Where a person of the directory is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    Here,
    /// In scope, but the read missed them.
    Missed,
    Moved,
    Filtered,
    Deleted,
    Refused,
}

#[derive(Clone, Debug)]
pub struct Entry {
    pub dn: String,
    pub account: Account,
    pub values: FieldMap<Vec<String>>,
    /// What the server leaves out though it is there: rights were withdrawn.
    pub hidden: FieldMap<bool>,
    pub place: Place,
    /// How often anything changed, and at which of these each field did.
    pub edits: u64,
    pub edited: FieldMap<(u64, i64)>,
    /// Whether the account may read the change mark.
    pub marked: bool,
}

impl Entry {
    pub fn name(&mut self, value: &str) -> &mut Self {
        self.set(Name, value)
    }

    pub fn ext(&mut self, value: &str) -> &mut Self {
        self.set(Extension, value)
    }

    pub fn mail(&mut self, value: &str) -> &mut Self {
        self.set(Email, value)
    }

    pub fn mobile(&mut self, value: &str) -> &mut Self {
        self.set(Mobile, value)
    }

    pub fn account(&mut self, account: Account) -> &mut Self {
        self.account = account;
        self.edits += 1;
        self
    }

    pub fn place(&mut self, place: Place) -> &mut Self {
        self.place = place;
        self
    }

    pub fn below(&mut self, parent: &str) -> &mut Self {
        self.dn = format!("{},{parent}", self.dn.split(',').next().unwrap());
        self
    }

    /// Sets the only value; the empty text is none.
    pub fn set(&mut self, field: Field, value: &str) -> &mut Self {
        let values = if value.is_empty() { Vec::new() } else { vec![value.to_owned()] };
        self.set_all(field, values)
    }

    pub fn many(&mut self, field: Field, values: &[&str]) -> &mut Self {
        self.set_all(field, values.iter().map(|value| (*value).to_owned()).collect())
    }

    fn set_all(&mut self, field: Field, values: Vec<String>) -> &mut Self {
        if self.values[field] != values {
            self.values[field] = values;
            self.edits += 1;
            self.edited[field] = (self.edits, 0);
        }
        self
    }

    pub fn hide(&mut self, field: Field) -> &mut Self {
        self.hidden[field] = true;
        self
    }
}

#[derive(Clone, Debug, Default)]
pub struct Record {
    pub values: FieldMap<String>,
    /// Whether the record and the picture are read in this run.
    pub looked: bool,
    /// What the list shows as mobile, where it is not the mobile number.
    pub dial: Option<String>,
}

impl Record {
    pub fn name(&mut self, value: &str) -> &mut Self {
        self.set(Name, value)
    }

    pub fn ext(&mut self, value: &str) -> &mut Self {
        self.set(Extension, value)
    }

    pub fn mail(&mut self, value: &str) -> &mut Self {
        self.set(Email, value)
    }

    pub fn mobile(&mut self, value: &str) -> &mut Self {
        self.set(Mobile, value)
    }

    pub fn set(&mut self, field: Field, value: &str) -> &mut Self {
        value.clone_into(&mut self.values[field]);
        self
    }
}

#[derive(Clone)]
pub struct Company {
    pub policy: Policy,
    pub mapped: FieldMap<bool>,
    pub dates_attributes: bool,
    pub entries: BTreeMap<String, Entry>,
    pub records: BTreeMap<u64, Record>,
    pub other_numbers: Vec<TakenNumber>,
    pub links: Vec<Link>,
    pub decisions: Vec<Decision>,
    pub set_aside: Vec<SetAside>,
    pub reserved: Vec<String>,
    pub cooling: Vec<String>,
    pub linked_elsewhere: HashMap<EmployeeId, String>,
    pub directory: Verdict,
    pub pbx: Verdict,
    /// Whether a halt stops a run, or an administrator releases every plan.
    pub guarded: bool,
    pub recent: Touched,
    pub stopped: BTreeSet<GuardKind>,
    pub lost_released: BTreeSet<PersonId>,
    pub now_ms: i64,
    pub directory_seen_ms: i64,
    pub pbx_seen_ms: i64,
    pub ran_before: bool,
    pub next_id: u64,
    pub skew_ms: Option<i64>,
}

/// What tells one generated company from another.
impl std::fmt::Debug for Company {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Policy { write_back, fields, .. } = &self.policy;
        for (field, policy) in fields.iter() {
            writeln!(f, "{field}: {:?} {:?} {}", policy.direction, policy.both_changed, policy.clear)?;
        }
        write!(f, "write back {write_back}, dates {}, links {}", self.dates_attributes, self.links.len())
    }
}

/// Nobody yet; both directions, everything mapped, Russian phone numbers.
pub fn company() -> Company {
    Company {
        policy: Policy { write_back: true, region: Some("RU".into()), ..Policy::default() },
        mapped: FieldMap::from_fn(|_| true),
        dates_attributes: false,
        entries: BTreeMap::new(),
        records: BTreeMap::new(),
        other_numbers: Vec::new(),
        links: Vec::new(),
        decisions: Vec::new(),
        set_aside: Vec::new(),
        reserved: Vec::new(),
        cooling: Vec::new(),
        linked_elsewhere: HashMap::new(),
        directory: Verdict::Complete,
        pbx: Verdict::Complete,
        guarded: false,
        recent: Touched::new(),
        stopped: BTreeSet::new(),
        lost_released: BTreeSet::new(),
        now_ms: 1_000 * MINUTE_MS,
        directory_seen_ms: 0,
        pbx_seen_ms: 0,
        ran_before: false,
        next_id: 1_000,
        skew_ms: Some(0),
    }
}

/// So many people who have been in step for a while: `p01` is employee 1 with
/// the number 201, and so on.
pub fn staff(people: u64) -> Company {
    let mut company = company();
    for at in 1..=people {
        company.pair_up(at);
    }
    company.settle();
    company
}

pub fn partial() -> Verdict {
    Verdict::Partial("the line broke".into())
}

impl Company {
    /// Person and employee with the same values, not joined yet.
    pub fn pair_up(&mut self, at: u64) {
        let (name, mail) = (format!("First{at:02} Last{at:02}"), format!("p{at:02}@example.org"));
        let mobile = format!("+79261230{at:03}");
        let person = self.person(&format!("p{at:02}"));
        person.name(&name).mail(&mail).ext(&(200 + at).to_string()).mobile(&mobile);
        person.set(Photo, &format!("picture{at}")).set(SipPassword, &format!("secret{at}"));
        let employee = self.employee(at);
        employee.name(&name).mail(&mail).ext(&(200 + at).to_string()).mobile(&mobile[1..]);
        employee.set(Photo, &format!("picture{at}")).set(SipPassword, &format!("secret{at}"));
    }

    pub fn person(&mut self, id: &str) -> &mut Entry {
        self.entries.entry(id.to_owned()).or_insert_with(|| Entry {
            dn: format!("CN={id},OU=People,DC=example,DC=org"),
            account: Account::Enabled,
            values: FieldMap::default(),
            hidden: FieldMap::default(),
            place: Place::Here,
            edits: 1,
            edited: FieldMap::default(),
            marked: true,
        })
    }

    pub fn employee(&mut self, id: u64) -> &mut Record {
        self.records.entry(id).or_insert_with(|| Record { looked: true, ..Record::default() })
    }

    pub fn queue(&mut self, number: &str, kind: &str) {
        self.other_numbers.push(TakenNumber {
            number: number.into(),
            kind: kind.into(),
            holder: "somewhere".into(),
        });
    }

    pub fn direction(&mut self, field: Field, direction: Direction) -> &mut Self {
        self.policy.fields[field].direction = direction;
        self
    }

    pub fn both_changed(&mut self, field: Field, policy: BothChanged) -> &mut Self {
        self.policy.fields[field].both_changed = policy;
        self
    }

    /// The administrator answers a conflict; like the store, one answer per
    /// person, kind and field.
    pub fn answer(&mut self, conflict: &Conflict, answer: Answer) -> &mut Self {
        self.decide(conflict.person.as_str(), conflict.kind, conflict.field, answer, &conflict.stands_on)
    }

    pub fn decide(
        &mut self,
        person: &str,
        kind: ConflictKind,
        field: Option<Field>,
        answer: Answer,
        stands_on: &str,
    ) -> &mut Self {
        let same = |known: &Decision| known.person.as_str() == person && known.kind == kind;
        self.decisions.retain(|known| !(same(known) && known.field == field));
        let (person, stands_on) = (PersonId::new(person), stands_on.to_owned());
        let at_ms = self.now_ms;
        self.decisions.push(Decision { person, kind, field, answer, stands_on, at_ms });
        self
    }

    /// A change that one side refused, as apply leaves it behind; without a
    /// field, a creation.
    pub fn refuse(&mut self, person: &str, field: Option<Field>, next_try_ms: i64) {
        let world = self.world();
        let row = world.people.rows.iter().find(|row| row.id.as_str() == person).unwrap();
        let stands_on = match field {
            None => creation_stands_on(row),
            Some(field) => {
                let employee = self.linked(person).unwrap();
                let employee = world.employees.rows.iter().find(|row| row.id.0 == employee).unwrap();
                field_stands_on(field, &row.fields[field], &employee.fields[field])
            }
        };
        self.set_aside.retain(|row| row.person.as_str() != person || row.field != field);
        self.set_aside.push(set_aside(person, field, stands_on, next_try_ms));
    }

    pub fn preview(&self) -> Plan {
        plan(&self.world())
    }

    /// One run: read, plan, guard, apply, remember what was seen.
    pub fn run(&mut self) -> Plan {
        let world = self.world();
        let plan = plan(&world);
        let halted = self.guarded && plan.halt.is_some();
        self.carry_out(&world, if halted { &[] } else { &plan.actions });
        if self.directory.is_complete() {
            self.directory_seen_ms = self.now_ms;
        }
        if self.pbx.is_complete() {
            self.pbx_seen_ms = self.now_ms;
        }
        self.ran_before |= !halted && self.directory.is_complete() && self.pbx.is_complete();
        self.now_ms += MINUTE_MS;
        plan
    }

    /// One run that undoes these steps, and what it comes to.
    pub fn undo(&mut self, steps: &[Step]) -> Undo {
        let world = self.world();
        let undo = undo(&world, steps);
        for decision in &undo.decisions {
            let Decision { person, kind, field, answer, stands_on, .. } = decision.clone();
            self.decide(person.as_str(), kind, field, answer, &stands_on);
        }
        self.carry_out(&world, &undo.plan.actions);
        self.now_ms += MINUTE_MS;
        undo
    }

    /// Runs until nothing is left to do.
    #[track_caller]
    pub fn settle(&mut self) -> &mut Self {
        for _ in 0..6 {
            if self.run().actions.is_empty() {
                return self;
            }
        }
        let plan = self.preview();
        panic!("does not settle: {:#?}", plan.actions);
    }

    pub fn linked(&self, person: &str) -> Option<u64> {
        self.link_of(person).map(|link| link.employee.0)
    }

    pub fn link_of(&self, person: &str) -> Option<&Link> {
        self.links.iter().find(|link| link.person.as_str() == person)
    }

    pub fn state(&self, person: &str) -> LinkState {
        self.link_of(person).unwrap().state.clone()
    }

    /// The only value in the directory, or nothing.
    pub fn theirs(&self, person: &str, field: Field) -> &str {
        self.entries[person].values[field].first().map_or("", String::as_str)
    }

    pub fn ours(&self, employee: u64, field: Field) -> &str {
        &self.records[&employee].values[field]
    }
}

pub fn set_aside(person: &str, field: Option<Field>, stands_on: String, next_try_ms: i64) -> SetAside {
    let conflict = Conflict {
        person: PersonId::new(person),
        employee: None,
        kind: ConflictKind::Refused,
        field,
        name: person.to_owned(),
        refused_by: RefusedBy::Pbx,
        directory_value: None,
        pbx_value: None,
        reason: "422".into(),
        ways_out: vec![WayOut::Retry],
        candidates: Vec::new(),
        stands_on: "refused".into(),
    };
    SetAside { person: PersonId::new(person), field, stands_on, next_try_ms, conflict }
}

/// What a plan says about people.
pub trait Says {
    fn action(&self, person: &str) -> &Action;
    fn has_action(&self, person: &str) -> bool;
    fn kinds(&self) -> Vec<ConflictKind>;
    fn conflict(&self, kind: ConflictKind) -> &Conflict;
    fn conflict_of(&self, person: &str) -> &Conflict;
    fn number(&self, person: &str) -> &str;
}

impl Says for Plan {
    #[track_caller]
    fn action(&self, person: &str) -> &Action {
        let found = self.actions.iter().find(|action| action.person.as_str() == person);
        found.unwrap_or_else(|| panic!("nothing is done about {person}: {:#?}", self.conflicts))
    }

    fn has_action(&self, person: &str) -> bool {
        self.actions.iter().any(|action| action.person.as_str() == person)
    }

    fn kinds(&self) -> Vec<ConflictKind> {
        self.conflicts.iter().map(|conflict| conflict.kind).collect()
    }

    #[track_caller]
    fn conflict(&self, kind: ConflictKind) -> &Conflict {
        let found = self.conflicts.iter().find(|conflict| conflict.kind == kind);
        found.unwrap_or_else(|| panic!("no {} among {:#?}", kind.as_str(), self.conflicts))
    }

    #[track_caller]
    fn conflict_of(&self, person: &str) -> &Conflict {
        let found = self.conflicts.iter().find(|conflict| conflict.person.as_str() == person);
        found.unwrap_or_else(|| panic!("no conflict of {person} among {:#?}", self.actions))
    }

    /// The number a person is given in the PBX.
    #[track_caller]
    fn number(&self, person: &str) -> &str {
        sent(&self.action(person).pbx, Extension).unwrap()
    }
}

/// What is sent for a field, if it changes; a clear is the empty text.
pub fn sent(changes: &[Change], field: Field) -> Option<&str> {
    let change = changes.iter().find(|change| change.field == field)?;
    Some(change.after.as_ref().map_or("", Value::raw))
}

pub fn mark(entry: &Entry) -> Option<Mark> {
    entry.marked.then(|| Mark(format!("dc1:{}", entry.edits).into()))
}
