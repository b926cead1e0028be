//! Ids may lie: a restored or replaced PBX gives a known id to somebody else.

use crate::absence;
use crate::conflict::{Answer, ConflictKind};
use crate::employee::Employee;
use crate::field::Field;
use crate::link::Link;
use crate::merge::State;
use crate::plan::{link_stands_on, stands_on};
use crate::world::World;

/// Who an employee is to people. When all of it changed at once, it is not
/// the same employee.
const WHO: [Field; 3] = [Field::Extension, Field::Name, Field::Email];

/// Whether number, name and e-mail all changed since they were last seen, none
/// by us, and no human said that it is the same employee after all.
pub(crate) fn is_somebody_else(world: &World, link: &Link, employee: &Employee) -> bool {
    WHO.into_iter().all(|field| changed(link, employee, field)) && !accepted(world, link, employee)
}

/// What the question about a changed employee stands on.
pub(crate) fn replaced_stands_on(link: &Link, employee: &Employee) -> String {
    let now = WHO.map(|field| crate::plan::essence(&employee.fields[field]));
    stands_on(&[&link_stands_on(link), &now[0], &now[1], &now[2]])
}

fn changed(link: &Link, employee: &Employee, field: Field) -> bool {
    let Some(sight) = &link.pbx[field] else { return false };
    match absence::in_pbx(&employee.fields[field]) {
        State::Unknown => false,
        State::Unusable => true,
        State::Empty => sight.value.is_some(),
        State::Set(now) => {
            let agreed = link.pairs[field].as_ref().and_then(|pair| pair.pbx.as_ref());
            // Agreed but not yet seen: we wrote that ourselves.
            [sight.value.as_ref(), agreed].into_iter().flatten().all(|then| !then.equivalent(now))
        }
    }
}

fn accepted(world: &World, link: &Link, employee: &Employee) -> bool {
    let stands_on = replaced_stands_on(link, employee);
    world.decisions.iter().any(|decision| {
        decision.person == link.person
            && decision.kind == ConflictKind::NotTheSameEmployee
            && decision.answer == Answer::Relink
            && decision.stands_on == stands_on
    })
}
