//! The last view of each side: what was seen is remembered whether or not
//! anything came of it, so that the next run can tell a change from a state.

use crate::absence::{self, Vanished};
use crate::employee::Employee;
use crate::field::Field;
use crate::impostor;
use crate::link::{Interval, Link, Sight};
use crate::merge::State;
use crate::newest;
use crate::person::{Mark, Person};
use crate::value::{Reading, Value};
use crate::world::World;
use std::borrow::Cow;

/// The links whose observations changed, with the new ones.
pub fn observe(world: &World) -> Vec<Link> {
    let index = world.index();
    let vanished = Vanished::find(world, &index.linked_people);
    let seen = world.links.iter().filter_map(|link| {
        let person = index.people.get(link.person.as_str()).copied();
        let employee = index.employees.get(&link.employee).copied();
        news(world, &vanished, link, person, employee)
    });
    seen.collect()
}

/// One link with everything seen in this run.
pub fn observed(
    world: &World,
    vanished: &Vanished<'_>,
    link: &Link,
    person: Option<&Person>,
    employee: Option<&Employee>,
) -> Link {
    news(world, vanished, link, person, employee).unwrap_or_else(|| link.clone())
}

/// The link with what is new about it. Most have no news, and a link is large.
fn news(
    world: &World,
    vanished: &Vanished<'_>,
    link: &Link,
    person: Option<&Person>,
    employee: Option<&Employee>,
) -> Option<Link> {
    let mut now = Cow::Borrowed(link);
    if let Some(person) = person {
        see_person(world, vanished, link, person, employee, &mut now);
    }
    // Of somebody else under a known id nothing is remembered: what was seen
    // before is the evidence against them, in every later run too.
    if let Some(employee) = employee.filter(|employee| !impostor::is_somebody_else(world, link, employee)) {
        for field in Field::ALL {
            let state = absence::in_pbx(&employee.fields[field]);
            let looked_ms = newest::pbx_looked_ms(world, link, field);
            if let Some(sight) = see(link.pbx[field].as_ref(), state, looked_ms, world.now_ms, None) {
                now.to_mut().pbx[field] = Some(sight);
            }
        }
    }
    match now {
        Cow::Borrowed(_) => None,
        Cow::Owned(now) => Some(now),
    }
}

fn see_person(
    world: &World,
    vanished: &Vanished<'_>,
    link: &Link,
    person: &Person,
    employee: Option<&Employee>,
    now: &mut Cow<'_, Link>,
) {
    let nothing = Reading::NotLooked;
    for field in Field::ALL {
        let theirs = &person.fields[field];
        let pbx = employee.map_or(&nothing, |employee| &employee.fields[field]);
        // Which of several it is was not decided: then none of them was seen.
        if absence::undecided(theirs, Some(link), field, pbx) {
            continue;
        }
        let state = absence::in_directory(world, vanished, Some(link), person, field, pbx);
        let known = matches!(state, State::Set(_) | State::Empty);
        let mark = person.mark.as_ref();
        let seen = link.directory[field].as_ref();
        if let Some(sight) = see(seen, state, world.directory_seen_ms, world.now_ms, mark) {
            now.to_mut().directory[field] = Some(sight);
        }
        // Gone although the entry stood still: hidden from us. That the entry
        // moves later proves nothing until the value is seen again.
        let hidden = *theirs == Reading::Absent && state == State::Unknown && !world.dates_attributes;
        if let Some(seen) = seen.filter(|seen| hidden && mark.is_some() && seen.mark.as_ref() == mark) {
            now.to_mut().directory[field] = Some(Sight { mark: None, ..seen.clone() });
        }
        // A picture nothing could be concluded from is read again.
        if field == Field::Photo && known && link.photo_mark != person.mark {
            now.to_mut().photo_mark.clone_from(&person.mark);
        }
    }
    if let Some(name) = person.fields[Field::Name].values().first()
        && *link.name != *name.canonical()
    {
        now.to_mut().name = name.canonical().into();
    }
    if link.dn != person.dn {
        now.to_mut().dn.clone_from(&person.dn);
    }
}

/// What is newly seen, if anything is. A new value came after the last look at
/// its predecessor; a known one keeps its interval and only its mark moves on.
fn see(
    sight: Option<&Sight>,
    state: State<'_>,
    last_look_ms: i64,
    now_ms: i64,
    mark: Option<&Mark>,
) -> Option<Sight> {
    let value: Option<&Value> = match state {
        State::Set(value) => Some(value),
        State::Empty => None,
        State::Unknown | State::Unusable => return None,
    };
    let mark_of = |sight: &Sight| sight.mark.as_ref() == mark;
    match sight {
        Some(sight) if sight.value.as_ref() == value && mark_of(sight) => None,
        Some(sight) if sight.value.as_ref() == value => Some(Sight { mark: mark.cloned(), ..sight.clone() }),
        _ => {
            let change = Interval { after_ms: last_look_ms, by_ms: now_ms };
            Some(Sight { value: value.cloned(), change, mark: mark.cloned() })
        }
    }
}
