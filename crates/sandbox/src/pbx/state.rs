//! The tables of the PBX: employees, everything else that has a number, the
//! references between them, and the indexes over both.
//!
//! An employee is what the PBX keeps in up to six rows. Rows have primary keys
//! of their own, because the event bus speaks of them.

use super::avatars::Pictures;
use super::events::Event;
use secrecy::SecretString;
use std::collections::{BTreeMap, BTreeSet, HashMap};

#[derive(Clone, Debug)]
pub struct Employee {
    pub id: u64,
    pub username: String,
    pub email: String,
    /// Empty in factory records until their first save.
    pub language: String,
    /// Names the stored picture; empty without one.
    pub avatar: String,
    /// `None` for a user without a phone.
    pub sip: Option<Sip>,
    pub mobile: Option<Mobile>,
}

/// The internal extension, its SIP account and its forwarding.
#[derive(Clone, Debug)]
pub struct Sip {
    pub number: String,
    pub callerid: String,
    pub search_index: String,
    pub secret: SecretString,
    /// Empty in factory records until their first save.
    pub transport: String,
    pub dtmfmode: String,
    pub manualattributes: String,
    pub enable_recording: bool,
    /// Empty for none.
    pub networkfilterid: String,
    pub disabled: bool,
    /// Never saved by the API. Only then does a save leave the port alone.
    pub pristine: bool,
    pub forwarding: Forwarding,
    pub extension_row: u64,
    pub sip_row: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forwarding {
    pub ringlength: i64,
    pub always: String,
    pub on_busy: String,
    pub on_unavailable: String,
    pub row: u64,
}

#[derive(Clone, Debug)]
pub struct Mobile {
    pub number: String,
    pub dialstring: String,
    pub callerid: String,
    pub search_index: String,
    pub extension_row: u64,
    pub phone_row: u64,
}

/// A number that no employee has: a queue, a parking slot, a system name.
#[derive(Clone, Debug)]
pub(super) struct Foreign {
    pub kind: &'static str,
    pub callerid: String,
    pub represent: String,
}

/// Something outside the employees that points at a number and so forbids to
/// delete its owner: an incoming route, an IVR action, a queue's way out.
#[derive(Clone, Debug)]
pub(super) struct Reference {
    pub target: String,
    pub represent: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holder {
    Employee(u64),
    Foreign,
}

/// The next primary keys. They are not reused, and a write that is rolled back
/// takes none.
#[derive(Clone, Debug)]
pub(super) struct NextRows {
    pub user: u64,
    pub extension: u64,
    pub sip: u64,
    pub forwarding: u64,
    pub phone: u64,
}

#[derive(Debug)]
pub(super) struct State {
    pub extensions_length: u32,
    pub next: NextRows,
    pub pictures: Pictures,
    /// Network filters by id, with their fragment of HTML.
    pub filters: BTreeMap<String, String>,
    pub references: Vec<Reference>,
    /// Messages of the action under way.
    pub outbox: Vec<Event>,
    /// Grows with every change to employees or pictures.
    pub revision: u64,
    employees: BTreeMap<u64, Employee>,
    foreign: BTreeMap<String, Foreign>,
    owners: HashMap<String, u64>,
    internal: BTreeSet<String>,
    /// How many numbers have this value; `063` has the value of `63`.
    values: HashMap<u64, u32>,
}

impl State {
    pub(super) fn new(extensions_length: u32) -> Self {
        State {
            extensions_length,
            next: NextRows { user: 1, extension: 1, sip: 1, forwarding: 1, phone: 1 },
            pictures: Pictures::default(),
            filters: BTreeMap::new(),
            references: Vec::new(),
            outbox: Vec::new(),
            revision: 0,
            employees: BTreeMap::new(),
            foreign: BTreeMap::new(),
            owners: HashMap::new(),
            internal: BTreeSet::new(),
            values: HashMap::new(),
        }
    }

    pub(super) fn employee(&self, id: u64) -> Option<&Employee> {
        self.employees.get(&id)
    }

    /// In order of their ids.
    pub(super) fn employees(&self) -> impl ExactSizeIterator<Item = &Employee> {
        self.employees.values()
    }

    pub(super) fn foreign(&self) -> &BTreeMap<String, Foreign> {
        &self.foreign
    }

    pub(super) fn holder(&self, number: &str) -> Option<Holder> {
        let employee = self.owners.get(number).map(|id| Holder::Employee(*id));
        employee.or_else(|| self.foreign.contains_key(number).then_some(Holder::Foreign))
    }

    pub(super) fn by_internal_number(&self, number: &str) -> Option<&Employee> {
        let employee = self.employees.get(self.owners.get(number)?)?;
        employee.sip.as_ref().is_some_and(|sip| sip.number == number).then_some(employee)
    }

    /// Inserts the employee, or replaces the one with this id.
    pub(super) fn put(&mut self, employee: Employee) {
        self.remove(employee.id);
        for number in employee.numbers() {
            self.owners.insert(number.to_owned(), employee.id);
            count_value(&mut self.values, number, true);
        }
        if let Some(sip) = &employee.sip {
            self.internal.insert(sip.number.clone());
        }
        self.next.user = self.next.user.max(employee.id + 1);
        self.employees.insert(employee.id, employee);
    }

    pub(super) fn remove(&mut self, id: u64) -> Option<Employee> {
        let employee = self.employees.remove(&id)?;
        for number in employee.numbers() {
            self.owners.remove(number);
            count_value(&mut self.values, number, false);
        }
        if let Some(sip) = &employee.sip {
            self.internal.remove(&sip.number);
        }
        Some(employee)
    }

    pub(super) fn add_foreign(&mut self, number: &str, foreign: Foreign) {
        if self.foreign.insert(number.to_owned(), foreign).is_none() {
            count_value(&mut self.values, number, true);
        }
    }

    pub(super) fn remove_foreign(&mut self, number: &str) {
        if self.foreign.remove(number).is_some() {
            count_value(&mut self.values, number, false);
        }
    }

    /// Changes what stands beside the numbers of an employee, which it must
    /// leave alone.
    pub(super) fn touch(&mut self, id: u64, change: impl FnOnce(&mut Employee)) -> bool {
        self.employees.get_mut(&id).map(change).is_some()
    }

    /// The ids of those whose forwarding points at the number.
    pub(super) fn forwarding_to(&self, number: &str) -> Vec<u64> {
        let points =
            |employee: &&Employee| employee.sip.as_ref().is_some_and(|sip| sip.forwarding.points_at(number));
        self.employees.values().filter(points).map(|employee| employee.id).collect()
    }

    /// The number that the PBX proposes: the lowest free one from the textually
    /// smallest number of an employee, or nothing.
    pub(super) fn next_number(&self) -> String {
        let start = self.internal.first().map_or(200, |number| value_of(number).unwrap_or(0));
        let end = 10_u64.saturating_pow(self.extensions_length);
        (start..end).find(|n| !self.values.contains_key(n)).map_or_else(String::new, |n| n.to_string())
    }

    /// How the web pages show the owner of a number, as HTML.
    pub(super) fn represent(&self, number: &str) -> Option<String> {
        if let Some(foreign) = self.foreign.get(number) {
            return Some(foreign.represent.clone());
        }
        Some(self.employees.get(self.owners.get(number)?)?.represent(number))
    }
}

impl Employee {
    pub(super) fn represent(&self, number: &str) -> String {
        match (&self.sip, &self.mobile) {
            (Some(sip), _) if sip.number == number => {
                format!(
                    "<i class=\"icons\"><i class=\"user outline icon\"></i></i> {} <{number}>",
                    sip.callerid
                )
            }
            (_, Some(mobile)) => format!(
                "<i class=\"icons\"><i class=\"user outline icon\"></i>\
                 <i class=\"top right corner alternate mobile icon\"></i></i> {} <{number}>",
                mobile.callerid
            ),
            _ => number.to_owned(),
        }
    }

    /// A mobile may repeat the internal number.
    fn numbers(&self) -> impl Iterator<Item = &str> {
        let internal = self.sip.as_ref().map(|sip| sip.number.as_str());
        let mobile = self.mobile.as_ref().map(|mobile| mobile.number.as_str());
        internal.into_iter().chain(mobile)
    }
}

impl Forwarding {
    pub(super) fn targets(&self) -> [&String; 3] {
        [&self.always, &self.on_busy, &self.on_unavailable]
    }

    pub(super) fn points_at(&self, number: &str) -> bool {
        self.targets().into_iter().any(|target| target == number)
    }

    /// Follows a number that changed, and tells the columns that did.
    pub(super) fn follow(&mut self, old: &str, new: &str) -> Vec<&'static str> {
        let columns = [
            ("forwarding", &mut self.always),
            ("forwardingonbusy", &mut self.on_busy),
            ("forwardingonunavailable", &mut self.on_unavailable),
        ];
        let mut changed = Vec::new();
        for (name, target) in columns {
            if target == old {
                new.clone_into(target);
                changed.push(name);
            }
        }
        changed
    }
}

fn count_value(values: &mut HashMap<u64, u32>, number: &str, more: bool) {
    let Some(value) = value_of(number) else { return };
    let count = values.entry(value).or_default();
    *count = if more { *count + 1 } else { count.saturating_sub(1) };
    if *count == 0 {
        values.remove(&value);
    }
}

/// The number as PHP compares it. A mobile may begin with a plus.
fn value_of(number: &str) -> Option<u64> {
    number.parse().ok()
}
