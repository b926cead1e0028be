//! What a read proves, and what it does not.

use crate::support::*;
use reconcile::canary::{CANARIES_MAX, canaries};
use reconcile::plausible::too_few;
use reconcile::{Account, World};

fn names(world: &World) -> Vec<&str> {
    canaries(world).into_iter().map(|person| person.id.as_str()).collect()
}

#[test]
fn canaries_are_linked_and_active_people_of_this_very_listing() {
    let mut company = staff(6);
    company.person("p01").account(Account::Disabled);
    company.person("p02").place(Place::Deleted);
    company.person("a0").name("New Here");
    assert_eq!(names(&company.world()), ["p03", "p04", "p05"], "whoever is linked, active and listed");
    assert_eq!(CANARIES_MAX, 3);
}

#[test]
fn where_no_linked_person_is_listed_any_listed_person_is_a_canary() {
    let mut company = staff(2);
    company.person("p01").place(Place::Deleted);
    company.person("p02").account(Account::Disabled);
    company.person("a0").name("New Here");
    assert_eq!(names(&company.world()), ["a0", "p02"]);
    company.person("a0").place(Place::Deleted);
    company.person("p02").place(Place::Deleted);
    assert!(names(&company.world()).is_empty(), "nobody is known to exist");
}

#[test]
fn fewer_than_half_and_ten_fewer_are_too_few() {
    for (read, before, doubted) in [
        (1_000, 2_400, true),
        (1_200, 2_400, false),
        (1_199, 2_400, true),
        (9, 19, true),
        (9, 18, false),
        (8, 17, false),
        (0, 9, false),
        (0, 10, true),
        (30, 20, false),
        (0, 0, false),
    ] {
        assert_eq!(too_few(read, before), doubted, "{read} after {before}");
    }
}

#[test]
fn canaries_who_left_come_after_the_others() {
    let mut company = staff(4);
    company.person("p01").account(Account::Disabled);
    company.settle();
    company.person("p01").account(Account::Enabled);
    assert_eq!(
        names(&company.world()),
        ["p02", "p03", "p04"],
        "the link does not know yet that they are back"
    );
}
