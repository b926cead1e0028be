//! Worlds that no run of ours would leave behind.

use crate::edits::{PEOPLE, field, value};
use crate::support::{Extension, Name, in_directory, set_aside};
use proptest::prelude::*;
use reconcile::plan::{creation_stands_on, field_stands_on, plan};
use reconcile::{
    Answer, ConflictKind, Decision, EmployeeId, Field, Interval, LeftReason, LinkState, NumberRange, Pair,
    Reading, Sight, Whereabouts, World,
};

/// What a lost, restored or foreign memory may come to.
#[derive(Clone, Debug)]
pub enum Mess {
    Pair(usize, Field, usize, usize, bool),
    NoPair(usize, Field),
    Sight(usize, Field, bool, usize),
    NoSight(usize, Field, bool),
    State(usize, usize),
    NoLink(usize),
    Theirs(usize, Field, usize),
    Ours(usize, Field, usize),
    Number(usize, usize),
    Elsewhere(u64),
    SetAside(usize, Option<Field>, bool),
    Decided(usize, usize, Option<Field>, usize, bool),
    Whereabouts(usize, usize),
    Ranges(u32, u32),
}

pub fn mess() -> impl Strategy<Value = Mess> {
    let (row, at) = (|| 0..6usize, || 0..7usize);
    prop_oneof![
        (row(), field(), at(), at(), any::<bool>())
            .prop_map(|(l, f, d, p, held)| Mess::Pair(l, f, d, p, held)),
        (row(), field()).prop_map(|(link, field)| Mess::NoPair(link, field)),
        (row(), field(), any::<bool>(), at()).prop_map(|(l, field, pbx, at)| Mess::Sight(l, field, pbx, at)),
        (row(), field(), any::<bool>()).prop_map(|(link, field, pbx)| Mess::NoSight(link, field, pbx)),
        (row(), at()).prop_map(|(link, at)| Mess::State(link, at)),
        row().prop_map(Mess::NoLink),
        (row(), field(), at()).prop_map(|(row, field, at)| Mess::Theirs(row, field, at)),
        (row(), field(), at()).prop_map(|(row, field, at)| Mess::Ours(row, field, at)),
        (at(), at()).prop_map(|(kind, at)| Mess::Number(kind, at)),
        (1..=PEOPLE).prop_map(Mess::Elsewhere),
        (row(), prop::option::of(field()), any::<bool>()).prop_map(|(r, f, due)| Mess::SetAside(r, f, due)),
        (row(), 0..ConflictKind::ALL.len(), prop::option::of(field()), at(), any::<bool>())
            .prop_map(|(row, kind, field, at, matching)| Mess::Decided(row, kind, field, at, matching)),
        (row(), at()).prop_map(|(link, at)| Mess::Whereabouts(link, at)),
        (0..400u32, 0..400u32).prop_map(|(from, to)| Mess::Ranges(from, to)),
    ]
}

pub fn make(world: &mut World, mess: &Mess) {
    let known = |field, at: usize| in_directory(field, value(field, at)).ok();
    let reading = |field, at: usize| match at {
        0 => Reading::Absent,
        1 => Reading::NotLooked,
        2 => Reading::Empty,
        3 => Reading::Unmapped,
        _ => in_directory(field, value(field, at)).map_or_else(Reading::Unusable, Reading::one),
    };
    let link_at = |at: usize| at.min(world.links.len().saturating_sub(1));
    match mess {
        Mess::Pair(at, field, theirs, ours, held) => {
            let pair = Pair { directory: known(*field, *theirs), pbx: known(*field, *ours), held: *held };
            if let Some(link) = world.links.get_mut(*at) {
                link.pairs[*field] = Some(pair);
            }
        }
        Mess::NoPair(at, field) => {
            if let Some(link) = world.links.get_mut(*at) {
                link.pairs[*field] = None;
            }
        }
        Mess::Sight(at, field, pbx, value_at) => {
            let change = Interval { after_ms: 5, by_ms: 1 };
            let sight = Some(Sight { value: known(*field, *value_at), change, mark: None });
            if let Some(link) = world.links.get_mut(*at) {
                let sights = if *pbx { &mut link.pbx } else { &mut link.directory };
                sights[*field] = sight;
            }
        }
        Mess::NoSight(at, field, pbx) => {
            if let Some(link) = world.links.get_mut(*at) {
                let sights = if *pbx { &mut link.pbx } else { &mut link.directory };
                sights[*field] = None;
            }
        }
        Mess::State(at, state) => {
            let left = |reason| LinkState::Left { reason, since_ms: 1 };
            let state = match state {
                0 => LinkState::Active,
                1 => LinkState::Resting { since_ms: 1 },
                2 => left(LeftReason::Disabled),
                3 => left(LeftReason::Deleted),
                4 => left(LeftReason::MovedOut),
                5 => left(LeftReason::FilteredOut),
                _ => left(LeftReason::Locked),
            };
            if let Some(link) = world.links.get_mut(*at) {
                link.state = state;
            }
        }
        Mess::NoLink(at) => {
            if !world.links.is_empty() {
                let at = link_at(*at);
                world.links.remove(at);
            }
        }
        Mess::Theirs(at, field, value_at) => {
            if let Some(row) = world.people.rows.get_mut(*at) {
                row.fields[*field] = reading(*field, *value_at);
            }
        }
        // The PBX's own rows have a name and one number of their own.
        Mess::Ours(at, field, value_at) if !matches!(field, Name | Extension) => {
            if let Some(row) = world.employees.rows.get_mut(*at) {
                row.fields[*field] = reading(*field, *value_at);
            }
        }
        Mess::Ours(..) => {}
        Mess::Number(kind, at) => {
            let number = ["201", "250", "206", "00250", "1", "99999999", "x"][*at];
            match kind {
                0..=2 => world.reserved.push(number.into()),
                _ => world.cooling.push(number.into()),
            }
        }
        Mess::Elsewhere(id) => {
            let ours = world.links.iter().any(|link| link.employee.0 == *id);
            if !ours {
                world.linked_elsewhere.insert(EmployeeId(*id), "Branch".into());
            }
        }
        Mess::SetAside(at, field, due) => {
            let Some(person) = world.people.rows.get(*at) else { return };
            let stands_on = match field {
                None => creation_stands_on(person),
                Some(field) => {
                    let link = world.links.iter().find(|link| link.person == person.id);
                    let row = link.and_then(|l| world.employees.rows.iter().find(|row| row.id == l.employee));
                    let ours = row.map_or(&Reading::Empty, |row| &row.fields[*field]);
                    field_stands_on(*field, &person.fields[*field], ours)
                }
            };
            let next_try_ms = if *due { 0 } else { world.now_ms + 1 };
            let row = set_aside(person.id.as_str(), *field, stands_on, next_try_ms);
            world.set_aside.retain(|known| known.person != row.person || known.field != row.field);
            world.set_aside.push(row);
        }
        Mess::Decided(at, kind, field, answer, matching) => {
            let Some(person) = world.people.rows.get(*at).map(|person| person.id.clone()) else { return };
            let found = plan(world).conflicts.into_iter().find(|row| row.person == person);
            let (kind, field, stands_on) = match found.filter(|_| *matching) {
                Some(conflict) => (conflict.kind, conflict.field, conflict.stands_on),
                None => (ConflictKind::ALL[*kind], *field, String::new()),
            };
            let id = EmployeeId(*at as u64 + 1);
            let answer = match answer {
                0 => Answer::UseDirectory,
                1 => Answer::UsePbx,
                2 => Answer::Employee { id },
                3 => Answer::NewEmployee,
                4 => Answer::Relink,
                5 => Answer::Number { number: "250".into(), keep_in_pbx: false },
                _ => Answer::NotThese { ids: vec![id] },
            };
            let same = |row: &Decision| row.person == person && row.kind == kind && row.field == field;
            world.decisions.retain(|row| !same(row));
            world.decisions.push(Decision { person, kind, field, answer, stands_on, at_ms: *at as i64 });
        }
        Mess::Whereabouts(at, found) => {
            let Some(link) = world.links.get(*at) else { return };
            let found = match found {
                0 => Whereabouts::NotFound,
                1 => Whereabouts::OutOfScope { dn: String::new() },
                2 => Whereabouts::FilteredOut { dn: String::new() },
                3 => Whereabouts::InScope,
                _ => Whereabouts::Refused("no".into()),
            };
            world.whereabouts.insert(link.person.clone(), found);
        }
        Mess::Ranges(from, to) => world.policy.numbers.push(NumberRange { from: *from, to: *to }),
    }
}
