//! What has to be looked at before a plan can be made, beyond the two
//! listings: pure, so that the cycle only fetches.

use crate::absence;
use crate::employee::{Employee, EmployeeId};
use crate::field::Field;
use crate::join::{self, Match};
use crate::link::{Link, LinkState};
use crate::person::{Person, PersonId};
use crate::policy::{BothChanged, Direction};
use crate::snapshot::Side;
use crate::value::Reading;
use crate::world::World;
use std::collections::BTreeSet;

#[derive(Debug, Default)]
pub struct Needs {
    /// Linked people a complete read did not return.
    pub whereabouts: Vec<PersonId>,
    /// People whose picture may have changed.
    pub photos: Vec<PersonId>,
    /// Records without which something would stay unknown that has to be decided.
    pub records: Vec<EmployeeId>,
    /// Records whose turn it is some day: the longest not looked at first.
    pub records_in_turn: Vec<EmployeeId>,
    /// Pictures to ask for, the longest not looked at first.
    pub avatars: Vec<EmployeeId>,
}

/// A field of one side that has to be known, whatever a plan would need.
#[derive(Clone, Debug)]
pub struct Look {
    pub person: PersonId,
    pub employee: EmployeeId,
    pub side: Side,
    pub field: Field,
}

impl Needs {
    /// Adds what a listing does not show, in front of what has its turn anyway.
    pub fn also(&mut self, looks: &[Look]) {
        let of = |side: Side, fields: &[Field]| -> Vec<&Look> {
            looks.iter().filter(|look| look.side == side && fields.contains(&look.field)).collect()
        };
        let employees =
            |looks: Vec<&Look>| looks.into_iter().map(|look| look.employee).collect::<BTreeSet<_>>();
        let mut records = employees(of(Side::Pbx, &[Field::Mobile, Field::SipPassword]));
        self.records.iter().for_each(|id| _ = records.remove(id));
        self.records_in_turn.retain(|id| !records.contains(id));
        self.records.extend(records);
        let avatars = employees(of(Side::Pbx, &[Field::Photo]));
        self.avatars.retain(|id| !avatars.contains(id));
        self.avatars.splice(0..0, avatars);
        let people = of(Side::Directory, &[Field::Photo]).into_iter().map(|look| &look.person);
        let mut photos: BTreeSet<PersonId> = people.cloned().collect();
        self.photos.iter().for_each(|id| _ = photos.remove(id));
        self.photos.extend(photos);
    }
}

pub fn needs(world: &World) -> Needs {
    let index = world.index();
    let matches = join::join(world, &index);
    let mut needs = Needs::default();
    let mut in_turn: Vec<(i64, EmployeeId)> = Vec::new();
    let mut avatars: Vec<(i64, EmployeeId)> = Vec::new();
    for link in &world.links {
        let person = index.people.get(link.person.as_str()).copied();
        let employee = index.employees.get(&link.employee).copied();
        let (Some(person), Some(employee)) = (person, employee) else {
            if person.is_none() && world.people.verdict.is_complete() && !already_gone(link) {
                needs.whereabouts.push(link.person.clone());
            }
            continue;
        };
        if !person.account.active() {
            continue;
        }
        if wanted(world, Field::Photo) {
            if photo_may_have_changed(link, person) {
                needs.photos.push(person.id.clone());
            }
            if employee.has_photo {
                avatars.push((link.photo_looked_ms, employee.id));
            }
        }
        if record_needed(world, link, person, employee) {
            needs.records.push(employee.id);
        } else if wanted(world, Field::Mobile) || wanted(world, Field::SipPassword) {
            in_turn.push((link.record_looked_ms, employee.id));
        }
    }
    let mut asked: BTreeSet<EmployeeId> = BTreeSet::new();
    for (id, result) in &matches {
        let Some(person) = index.people.get(id).filter(|person| person.account.active()) else { continue };
        let employee = match result {
            Match::Join { employee, .. } | Match::Relink { employee, .. } => Some(*employee),
            Match::Nobody => None,
            Match::Ask { candidates, .. } => {
                // The mobile number in a record may tell the candidates apart.
                let shown = candidates.iter().filter_map(|one| index.employees.get(&one.employee));
                let unlooked = shown.filter(|one| unlooked_record_field(world, one) && !one.dial.is_empty());
                asked.extend(unlooked.map(|one| one.id));
                continue;
            }
            Match::Ignored | Match::LeftOut => continue,
        };
        if wanted(world, Field::Photo) {
            needs.photos.push(person.id.clone());
        }
        if let Some(employee) = employee.and_then(|id| index.employees.get(&id)) {
            if wanted(world, Field::Photo) && employee.has_photo {
                avatars.push((0, employee.id));
            }
            if unlooked_record_field(world, employee) {
                needs.records.push(employee.id);
            }
        }
    }
    needs.records.iter().for_each(|id| _ = asked.remove(id));
    needs.records.extend(asked);
    in_turn.sort_unstable();
    avatars.sort_unstable();
    needs.records_in_turn = in_turn.into_iter().map(|(_, id)| id).collect();
    needs.avatars = avatars.into_iter().map(|(_, id)| id).collect();
    needs
}

/// People for whom single attributes have to be dated: to prove that a value
/// is gone, or to say which side changed last. Only where the directory can.
pub fn to_date(world: &World) -> Vec<PersonId> {
    if !world.dates_attributes {
        return Vec::new();
    }
    let index = world.index();
    let dated = world.people.rows.iter().filter(|person| {
        index.linked_people.get(person.id.as_str()).is_some_and(|link| {
            Field::ALL
                .into_iter()
                .any(|field| wanted(world, field) && to_be_dated(world, link, person, field))
        })
    });
    dated.map(|person| person.id.clone()).collect()
}

/// Fills in pictures nobody looked at because the entry's mark stands still.
pub fn recall_photos(world: &mut World) {
    let unchanged: std::collections::HashMap<&str, &Link> =
        world.links.iter().map(|link| (link.person.as_str(), link)).collect();
    for person in &mut world.people.rows {
        let Some(link) = unchanged.get(person.id.as_str()) else { continue };
        if person.fields[Field::Photo] == Reading::NotLooked && !photo_may_have_changed(link, person) {
            let seen = link.directory[Field::Photo].as_ref().map(|sight| sight.value.clone());
            person.fields[Field::Photo] = match seen {
                Some(Some(value)) => Reading::one(value),
                Some(None) => Reading::Absent,
                None => Reading::NotLooked,
            };
        }
    }
}

fn wanted(world: &World, field: Field) -> bool {
    world.mapped[field] && world.policy.direction(field) != Direction::Off
}

fn already_gone(link: &Link) -> bool {
    matches!(&link.state, LinkState::Left { reason, .. } if reason.is_gone())
}

fn photo_may_have_changed(link: &Link, person: &Person) -> bool {
    link.pairs[Field::Photo].is_none()
        || link.photo_mark.is_none()
        || person.mark.is_none()
        || link.photo_mark != person.mark
}

fn record_needed(world: &World, link: &Link, person: &Person, employee: &Employee) -> bool {
    if !unlooked_record_field(world, employee) {
        return false;
    }
    let never_met = |field: Field| {
        let usable = !matches!(person.fields[field], Reading::Unusable(_));
        wanted(world, field) && usable && (link.pairs[field].is_none() || already_gone(link))
    };
    let moved = |field: Field| {
        let then = link.pairs[field].as_ref().and_then(|pair| pair.directory.as_ref());
        wanted(world, field)
            && match &person.fields[field] {
                Reading::Values(values) => !then.is_some_and(|then| values.contains(then)),
                Reading::Absent | Reading::Empty => then.is_some(),
                Reading::Unmapped | Reading::NotLooked | Reading::Unusable(_) => false,
            }
    };
    // Seen to have changed there, and not agreed on yet.
    let open = |field: Field| {
        let (pair, seen) = (link.pairs[field].as_ref(), link.pbx[field].as_ref());
        wanted(world, field) && pair.zip(seen).is_some_and(|(pair, seen)| pair.pbx != seen.value)
    };
    *link.dial != *employee.dial
        || [Field::Mobile, Field::SipPassword]
            .into_iter()
            .any(|field| never_met(field) || moved(field) || open(field))
}

fn unlooked_record_field(world: &World, employee: &Employee) -> bool {
    let unlooked = |field| wanted(world, field) && employee.fields[field] == Reading::NotLooked;
    unlooked(Field::Mobile) || unlooked(Field::SipPassword)
}

fn to_be_dated(world: &World, link: &Link, person: &Person, field: Field) -> bool {
    let vanished = matches!(person.fields[field], Reading::Absent) && absence::had(link, field);
    let marked = link.directory[field].as_ref().and_then(|sight| sight.mark.as_ref());
    let contested = world.policy.fields[field].both_changed == BothChanged::Newest
        && link.pairs[field].as_ref().is_some_and(|pair| {
            let now = person.fields[field].values();
            !pair.directory.as_ref().is_some_and(|then| now.contains(then))
        });
    (vanished && marked != person.mark.as_ref()) || contested
}
