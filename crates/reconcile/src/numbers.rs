//! Which internal numbers are taken, which is the next free one, and who may
//! have the one they ask for. Numbers are allocated here from one listing:
//! the PBX's own suggestion starts at the textual minimum and can find nothing.

use crate::employee::{EmployeeId, TakenNumber};
use crate::field::Field;
use crate::policy::NumberRange;
use crate::world::World;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Internal numbers have 2 to 8 digits: the PBX cuts a ninth silently.
pub const DIGITS_MAX: u32 = 8;
/// How many free neighbours a conflict offers.
const NEIGHBOURS: usize = 3;

/// The book of numbers while a plan is made.
#[derive(Debug)]
pub struct Numbers<'w> {
    /// Who has a number in the PBX.
    in_pbx: HashMap<&'w str, &'w TakenNumber>,
    employee_of: HashMap<&'w str, EmployeeId>,
    /// Every number that is not free, as numbers: a leading zero is kept and
    /// blocks its stripped form too.
    taken: HashSet<u64>,
    ranges: Vec<NumberRange>,
    /// Where the next search in each range starts: everything below is taken.
    cursor: Vec<u64>,
}

impl<'w> Numbers<'w> {
    pub fn open(world: &'w World) -> Self {
        let mut taken = HashSet::with_capacity(world.numbers.len() + world.people.rows.len());
        let mut take = |number: &str| {
            if let Some(n) = plain(number) {
                taken.insert(n);
            }
        };
        world.numbers.iter().for_each(|row| take(&row.number));
        world.reserved.iter().chain(&world.cooling).for_each(|number| take(number));
        for person in &world.people.rows {
            person.fields[Field::Extension].values().iter().for_each(|value| take(value.canonical()));
        }
        let employee_of: HashMap<&str, EmployeeId> = world
            .employees
            .rows
            .iter()
            .filter_map(|employee| {
                Some((employee.fields[Field::Extension].values().first()?.canonical(), employee.id))
            })
            .collect();
        employee_of.keys().for_each(|number| take(number));
        let ranges = if world.policy.numbers.is_empty() {
            default_range(world).0
        } else {
            world.policy.numbers.clone()
        };
        let ranges: Vec<NumberRange> = ranges.into_iter().map(within_digits).collect();
        Numbers {
            in_pbx: world.numbers.iter().map(|row| (&*row.number, row)).collect(),
            employee_of,
            taken,
            cursor: ranges.iter().map(|range| u64::from(range.from)).collect(),
            ranges,
        }
    }

    /// Takes the lowest free number of the ranges.
    pub fn allocate(&mut self) -> Option<Box<str>> {
        for (range, cursor) in self.ranges.iter().zip(&mut self.cursor) {
            while *cursor <= u64::from(range.to) {
                let number = *cursor;
                *cursor += 1;
                if self.taken.insert(number) {
                    return Some(number.to_string().into());
                }
            }
        }
        None
    }

    pub fn reserve(&mut self, number: &str) {
        self.taken.extend(plain(number));
    }

    /// The employee who has this number in the PBX now.
    pub fn employee_with(&self, number: &str) -> Option<EmployeeId> {
        self.employee_of.get(number).copied()
    }

    /// What else holds this number in the PBX, in words.
    pub fn held_by_other(&self, number: &str) -> Option<String> {
        let row = self.in_pbx.get(number)?;
        if self.employee_of.contains_key(number) {
            return None;
        }
        let holder = if row.holder.is_empty() { String::new() } else { format!(" “{}”", row.holder) };
        Some(format!("{}{holder}", kind_in_words(&row.kind)))
    }

    /// A number in the PBX that is this one with leading zeros.
    pub fn shadowed_by(&self, number: &str) -> Option<&'w str> {
        let padded = (number.len() + 1..=DIGITS_MAX as usize).map(|width| format!("{number:0>width$}"));
        padded.filter_map(|padded| self.in_pbx.get_key_value(padded.as_str()).map(|(key, _)| *key)).next()
    }

    /// Free numbers close to a wanted one, without taking them.
    pub fn neighbours(&self, wanted: &str) -> Vec<String> {
        let Some(wanted) = plain(wanted) else { return Vec::new() };
        let width = wanted.to_string().len() as u32;
        let (low, high) = (10u64.pow(width.saturating_sub(1)), 10u64.pow(width) - 1);
        let free = |n: &u64| (low..=high).contains(n) && !self.taken.contains(n);
        let above = (wanted + 1..=high).filter(free).take(NEIGHBOURS);
        let mut found: Vec<u64> = above.collect();
        found.extend((low..wanted).rev().filter(free).take(NEIGHBOURS));
        found.sort_by_key(|n| (n.abs_diff(wanted), *n));
        found.iter().take(NEIGHBOURS).map(u64::to_string).collect()
    }
}

/// Why the default range is doubtful, where it is in use.
pub fn warning(world: &World) -> Option<String> {
    if world.policy.numbers.is_empty() { default_range(world).1 } else { None }
}

/// The value of an all-digit number, leading zeros stripped.
fn plain(number: &str) -> Option<u64> {
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    if digits && number.len() <= 18 { number.parse().ok() } else { None }
}

/// Length L is the commonest among employees and persons, else the PBX's own;
/// the range runs from the lowest in use of that length to 10^L − 1.
fn default_range(world: &World) -> (Vec<NumberRange>, Option<String>) {
    let employees = world.employees.rows.iter().map(|row| &row.fields[Field::Extension]);
    let people = world.people.rows.iter().map(|row| &row.fields[Field::Extension]);
    let mut by_length: BTreeMap<u32, (usize, u64)> = BTreeMap::new();
    for reading in employees.chain(people) {
        let Some(number) = reading.values().first().map(|value| value.canonical()) else { continue };
        let (Some(n), Ok(length)) = (plain(number), u32::try_from(number.len())) else { continue };
        let entry = by_length.entry(length).or_insert((0, u64::MAX));
        *entry = (entry.0 + 1, entry.1.min(n));
    }
    let configured = world.extensions_length.clamp(2, DIGITS_MAX);
    // Among equally common lengths the PBX's own decides, then the shorter.
    let commonest = by_length
        .iter()
        .filter(|(length, _)| (2..=DIGITS_MAX).contains(*length))
        .max_by_key(|(length, (count, _))| (*count, **length == configured, std::cmp::Reverse(**length)));
    let (length, lowest) = match commonest {
        Some((length, (_, lowest))) => (*length, Some(*lowest)),
        None => (configured, None),
    };
    let from = lowest.unwrap_or(2 * 10u64.pow(length - 1)).max(10u64.pow(length - 1));
    let warning = (length != configured).then(|| {
        format!(
            "most numbers in use have {length} digits, but the PBX is set to {configured}: free numbers are given with {length}"
        )
    });
    let to = 10u64.pow(length) - 1;
    (vec![NumberRange { from: from.min(to) as u32, to: to as u32 }], warning)
}

/// A range cut down to numbers the PBX takes.
fn within_digits(range: NumberRange) -> NumberRange {
    NumberRange { from: range.from.max(10), to: range.to.min(10u32.pow(DIGITS_MAX) - 1) }
}

fn kind_in_words(kind: &str) -> &str {
    match kind {
        "SIP" => "another phone",
        "EXTERNAL" => "a mobile number",
        "QUEUE" => "a call queue",
        "IVR MENU" => "a voice menu",
        "CONFERENCE" => "a conference room",
        "PARKING" => "a parking slot",
        "DIALPLAN APPLICATION" => "a dialplan application",
        "SYSTEM" => "the system",
        _ => "another extension",
    }
}
