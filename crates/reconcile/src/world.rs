//! Everything a plan is made from. Times are inputs too.

use crate::conflict::{Conflict, Decision};
use crate::employee::{Employee, EmployeeId, TakenNumber};
use crate::field::{Field, FieldMap};
use crate::guard::{GuardKind, Touched};
use crate::link::Link;
use crate::person::{AttributeChange, Person, PersonId, Whereabouts};
use crate::policy::Policy;
use crate::snapshot::Snapshot;
use std::collections::{BTreeMap, BTreeSet, HashMap};

#[derive(Clone, Debug)]
pub struct World {
    pub now_ms: i64,
    pub policy: Policy,
    /// Which fields the attribute map knows.
    pub mapped: FieldMap<bool>,
    pub people: Snapshot<Person>,
    pub employees: Snapshot<Employee>,
    /// Every extension of any type in the PBX.
    pub numbers: Vec<TakenNumber>,
    pub extensions_length: u32,
    /// The links of this directory.
    pub links: Vec<Link>,
    /// Employees linked to people of other directories, with their names.
    pub linked_elsewhere: HashMap<EmployeeId, String>,
    /// Numbers that are somebody's though the PBX does not know them yet: held
    /// by people of other directories, or reserved by an unfinished action.
    pub reserved: Vec<Box<str>>,
    /// Numbers released less than the cool-down ago: given to nobody unasked.
    pub cooling: Vec<Box<str>>,
    pub decisions: Vec<Decision>,
    pub set_aside: Vec<SetAside>,
    pub whereabouts: HashMap<PersonId, Whereabouts>,
    pub attribute_changes: HashMap<PersonId, FieldMap<Option<AttributeChange>>>,
    /// Whether the directory dates single attributes (AD), so that an entry's
    /// mark alone proves nothing about one of them.
    pub dates_attributes: bool,
    /// When each side was last read completely, in ms; 0 = never.
    pub directory_seen_ms: i64,
    pub pbx_seen_ms: i64,
    /// How far the directory's clock is ahead of ours, where it was measured.
    pub skew_ms: Option<i64>,
    /// Whom automatic runs of the last 24 hours already touched.
    pub recent: Touched,
    /// What the guard stopped, until a human or the facts end it.
    pub stopped: BTreeSet<GuardKind>,
    /// People whose lost employees a human knows of: they released a plan that
    /// was halted for them.
    pub lost_released: BTreeSet<PersonId>,
    /// Whether a run of this directory was ever completed.
    pub ran_before: bool,
}

/// A refused change that waits for its next try, or until either side moves.
#[derive(Clone, Debug)]
pub struct SetAside {
    pub person: PersonId,
    pub field: Option<Field>,
    pub stands_on: String,
    pub next_try_ms: i64,
    pub conflict: Conflict,
}

/// Look-up tables over a world, made once per plan.
#[derive(Debug)]
pub struct Index<'w> {
    pub people: HashMap<&'w str, &'w Person>,
    pub employees: HashMap<EmployeeId, &'w Employee>,
    pub links_by_employee: HashMap<EmployeeId, &'w Link>,
    pub linked_people: HashMap<&'w str, &'w Link>,
    /// The oldest first.
    pub decisions: BTreeMap<&'w str, Vec<&'w Decision>>,
    pub set_aside: HashMap<(&'w str, Option<Field>), &'w SetAside>,
}

impl World {
    /// Why a side was not read completely, where one was not.
    pub fn doubt(&self) -> Option<&str> {
        self.people.verdict.reason().or(self.employees.verdict.reason())
    }

    pub fn index(&self) -> Index<'_> {
        let mut decisions: BTreeMap<&str, Vec<&Decision>> = BTreeMap::new();
        for decision in &self.decisions {
            decisions.entry(decision.person.as_str()).or_default().push(decision);
        }
        for of_person in decisions.values_mut() {
            of_person.sort_by_key(|decision| (decision.at_ms, decision.kind, decision.field));
        }
        Index {
            people: self.people.rows.iter().map(|person| (person.id.as_str(), person)).collect(),
            employees: self.employees.rows.iter().map(|employee| (employee.id, employee)).collect(),
            links_by_employee: self.links.iter().map(|link| (link.employee, link)).collect(),
            linked_people: self.links.iter().map(|link| (link.person.as_str(), link)).collect(),
            decisions,
            set_aside: self.set_aside.iter().map(|row| ((row.person.as_str(), row.field), row)).collect(),
        }
    }
}
