//! What has to be looked at before a plan, what is dated, and what is
//! remembered of a look.

use crate::support::*;
use reconcile::needs::{needs, recall_photos, to_date};
use reconcile::plan::plan;
use reconcile::{Account, BothChanged, Direction, EmployeeId, Mark, PersonId, Reading, World};

fn ids(people: &[PersonId]) -> Vec<&str> {
    people.iter().map(PersonId::as_str).collect()
}

fn not_looked(company: &Company) -> World {
    let mut world = company.world();
    for employee in &mut world.employees.rows {
        for field in [Mobile, SipPassword, Photo] {
            employee.fields[field] = Reading::NotLooked;
        }
    }
    for person in &mut world.people.rows {
        person.fields[Photo] = Reading::NotLooked;
    }
    world
}

/// In step, and every record was read once.
fn looked(people: u64) -> Company {
    let mut company = staff(people);
    for link in &mut company.links {
        link.dial = company.records[&link.employee.0].values[Mobile].as_str().into();
    }
    company
}

#[test]
fn needs_nothing_when_nothing_changed_but_the_rotation() {
    let mut company = looked(3);
    for (at, link) in company.links.iter_mut().enumerate() {
        link.record_looked_ms = [300, 100, 200][at];
        link.photo_looked_ms = [200, 300, 100][at];
    }
    let needs = needs(&not_looked(&company));
    assert!(needs.whereabouts.is_empty() && needs.photos.is_empty() && needs.records.is_empty());
    assert_eq!(needs.records_in_turn, [2, 3, 1].map(EmployeeId), "the longest not looked at first");
    assert_eq!(needs.avatars, [3, 1, 2].map(EmployeeId));
}

#[test]
fn needs_the_whereabouts_of_linked_people_a_complete_read_missed() {
    let mut company = looked(4);
    company.person("p01").place(Place::Deleted);
    company.person("p02").place(Place::Moved);
    assert_eq!(ids(&needs(&company.world()).whereabouts), ["p01", "p02"]);
    company.directory = partial();
    assert!(needs(&company.world()).whereabouts.is_empty(), "they may be where nobody looked");
    company.directory = reconcile::Verdict::Complete;
    company.settle();
    assert!(needs(&company.world()).whereabouts.is_empty(), "known to be gone");
}

#[test]
fn needs_the_records_that_may_tell_namesakes_apart() {
    let mut company = company();
    for (at, mobile) in [(1, "+79260000001"), (2, "+79260000002")] {
        company.person(&format!("p0{at}")).name("Anna Sidorova").mobile(mobile);
        company.employee(at).name("Anna Sidorova").ext(&format!("20{at}")).mobile(mobile);
        company.employee(at).looked = false;
    }
    assert_eq!(needs(&company.world()).records, [EmployeeId(1), EmployeeId(2)]);
    [1, 2].into_iter().for_each(|at| company.employee(at).looked = true);
    assert!(company.run().conflicts.is_empty());
    assert_eq!([1, 2].map(|at| company.link_of(&format!("p0{at}")).unwrap().employee.0), [1, 2]);
}

#[test]
fn needs_the_record_where_something_has_to_be_decided() {
    type Change = fn(&mut Company);
    let changes: [(bool, Change); 9] = [
        (true, |company| {
            // Seen to have changed in the PBX, and not agreed on yet.
            let sight = company.links[0].pbx[SipPassword].as_mut().unwrap();
            sight.value = Some(reconcile::Value::new("set", "secretP"));
        }),
        (true, |company| {
            company.person("p01").mobile("+79265550000");
        }),
        (true, |company| {
            company.person("p01").set(SipPassword, "secretN");
        }),
        (true, |company| {
            company.person("p01").mobile("");
        }),
        (true, |company| {
            company.employee(1).dial = Some("100500".into());
        }),
        (true, |company| {
            company.links[0].pairs[Mobile] = None;
        }),
        (false, |company| {
            company.links[0].pairs[Mobile] = None;
            company.direction(Mobile, Direction::Off);
        }),
        (false, |company| {
            company.links[0].pairs[Mobile] = None;
            company.person("p01").mobile("call me");
        }),
        (false, |company| {
            company.person("p01").account(Account::Disabled).mobile("+79265550000");
        }),
    ];
    for (at, (needed, change)) in changes.into_iter().enumerate() {
        let mut company = looked(3);
        change(&mut company);
        let records = needs(&not_looked(&company)).records;
        assert_eq!(records.contains(&EmployeeId(1)), needed, "{at}");
        assert!(!records.contains(&EmployeeId(2)), "{at}");
        assert!(needs(&company.world()).records.is_empty(), "{at}: what is known is not asked for");
    }
}

#[test]
fn needs_everything_of_new_links_and_of_people_back_from_gone() {
    let mut company = company();
    company.pair_up(1);
    let of_new = needs(&not_looked(&company));
    assert_eq!((of_new.records.as_slice(), ids(&of_new.photos)), (&[EmployeeId(1)][..], vec!["p01"]));
    assert_eq!(of_new.avatars, [EmployeeId(1)]);
    company.person("new").name("Some Newcomer");
    assert_eq!(ids(&needs(&not_looked(&company)).photos), ["new", "p01"]);

    let mut company = looked(3);
    company.person("p01").place(Place::Deleted);
    company.settle();
    company.person("p01").place(Place::Here);
    assert_eq!(needs(&not_looked(&company)).records, [EmployeeId(1)]);
}

#[test]
fn needs_a_photo_again_only_if_the_entry_moved() {
    let mut company = looked(3);
    company.person("p01").name("New Name");
    let mut world = not_looked(&company);
    assert_eq!(ids(&needs(&world).photos), ["p01"]);
    recall_photos(&mut world);
    let readings: Vec<_> = world.people.rows.iter().map(|person| &person.fields[Photo]).collect();
    assert_eq!(*readings[0], Reading::NotLooked);
    assert_eq!(readings[1].values()[0].canonical(), "picture2");
    company.person("p02").marked = false;
    assert_eq!(ids(&needs(&not_looked(&company)).photos), ["p01", "p02"], "without a mark it may have");
}

/// A picture that could not be concluded from is not taken for seen.
#[test]
fn needs_a_photo_again_until_something_is_known() {
    for unusable in [true, false] {
        let mut company = looked(3);
        company.person("p01").name("New Name");
        if unusable {
            company.person("p01").set(Photo, "text");
        } else {
            company.person("p01").set(Photo, "");
            company.directory = partial();
        }
        company.run();
        company.directory = reconcile::Verdict::Complete;
        let mut world = not_looked(&company);
        assert_eq!(ids(&needs(&world).photos), ["p01"]);
        recall_photos(&mut world);
        assert_eq!(world.people.rows[0].fields[Photo], Reading::NotLooked, "not the one of before");
        company.settle();
        assert_eq!(company.ours(1, Photo), if unusable { "picture1" } else { "" });
    }
}

#[test]
fn needs_a_photo_known_to_be_absent_is_recalled_as_absent() {
    let mut company = looked(3);
    company.person("p01").set(Photo, "");
    company.settle();
    let mut world = not_looked(&company);
    recall_photos(&mut world);
    assert_eq!(world.people.rows[0].fields[Photo], Reading::Absent);
    world.employees.rows[0].fields[Photo] = Reading::Empty;
    assert!(plan(&world).actions.is_empty());
}

#[test]
fn needs_dates_for_what_vanished_and_for_what_newest_decides() {
    let mut company = staff(4);
    company.dates_attributes = true;
    company.both_changed(Email, BothChanged::Newest).both_changed(SipPassword, BothChanged::Ask);
    assert!(to_date(&company.world()).is_empty());
    company.person("p01").mobile("");
    company.person("p02").mail("new@example.org");
    company.person("p03").mobile("+79265550000").set(SipPassword, "secretN");
    company.person("p04").hide(Mobile);
    assert_eq!(ids(&to_date(&company.world())), ["p01", "p02"]);
    company.dates_attributes = false;
    assert!(to_date(&company.world()).is_empty(), "this directory cannot");
}

mod sights {
    use super::*;
    use reconcile::Interval;
    use reconcile::observe::observe;

    #[test]
    fn needs_a_changed_value_came_after_the_last_look_at_its_predecessor() {
        let mut company = staff(3);
        let (directory, pbx) = (company.directory_seen_ms, company.pbx_seen_ms);
        company.links[0].record_looked_ms = 7;
        company.links[0].photo_looked_ms = 8;
        company.person("p01").mail("new@example.org");
        company.employee(1).mail("new@example.org").mobile("79265550000").set(Photo, "pictureN");
        let seen = observe(&company.world());
        let by_ms = company.now_ms;
        let link = seen.iter().find(|link| link.person.as_str() == "p01").unwrap();
        let at = |after_ms| Interval { after_ms, by_ms };
        assert_eq!(link.directory[Email].as_ref().unwrap().change, at(directory));
        assert_eq!(link.pbx[Email].as_ref().unwrap().change, at(pbx));
        assert_eq!(link.pbx[Mobile].as_ref().unwrap().change, at(7));
        assert_eq!(link.pbx[Photo].as_ref().unwrap().change, at(8));
    }

    #[test]
    fn needs_a_known_value_keeps_its_interval_and_moves_its_mark() {
        let mut company = staff(3);
        let before = company.link_of("p01").unwrap().directory[Email].clone().unwrap();
        company.person("p01").name("New Name");
        company.run();
        let after = company.link_of("p01").unwrap().directory[Email].clone().unwrap();
        assert_eq!(after.change, before.change);
        assert_ne!(after.mark, before.mark);
        assert_eq!(after.mark, Some(Mark(format!("dc1:{}", company.entries["p01"].edits).into())));
    }

    #[test]
    fn needs_nothing_is_remembered_of_what_was_not_known() {
        let mut company = staff(3);
        let before = company.link_of("p01").unwrap().clone();
        company.person("p01").set(Mobile, "call me").many(Extension, &["288", "277"]);
        company.employee(1).looked = false;
        company.employee(1).mail("nobody");
        let mut other = company.link_of("p02").unwrap().clone();
        company.person("p02").hide(Email);
        company.run();
        // The entry stood still: its mark proves nothing until the value is seen again.
        other.directory[Email].as_mut().unwrap().mark = None;
        let hidden = company.link_of("p02").unwrap().directory[Email].as_ref().unwrap();
        let before_hiding = other.directory[Email].as_ref().unwrap();
        assert_eq!((&hidden.value, hidden.change), (&before_hiding.value, before_hiding.change));
        let after = company.link_of("p01").unwrap();
        assert_eq!(after.directory[Mobile], before.directory[Mobile]);
        assert_eq!(after.directory[Extension], before.directory[Extension], "not decided");
        assert_eq!(after.pbx[Email], before.pbx[Email]);
        assert_eq!(after.pbx[SipPassword], before.pbx[SipPassword]);
    }

    #[test]
    fn needs_only_what_is_hidden_from_a_directory_that_dates_nothing_loses_its_mark() {
        let mut company = looked(3);
        company.person("p02").hide(Mobile);
        assert!(
            observe(&not_looked(&company)).iter().all(|link| link.directory[Photo]
                .as_ref()
                .unwrap()
                .mark
                .is_some())
        );
        company.dates_attributes = true;
        assert_eq!(observe(&company.world()), [], "the attribute's own date will tell");
    }

    #[test]
    fn needs_the_name_and_the_place_last_seen_are_remembered() {
        let mut company = staff(3);
        company.person("p01").name("New  Name").dn = "uid=p01,ou=Elsewhere,dc=example,dc=test".to_owned();
        company.run();
        let link = company.link_of("p01").unwrap();
        assert_eq!((&*link.name, &*link.dn), ("New Name", "uid=p01,ou=Elsewhere,dc=example,dc=test"));
        company.person("p01").name("");
        company.run();
        assert_eq!(&*company.link_of("p01").unwrap().name, "New Name", "who they were, for the lists");
    }

    #[test]
    fn needs_a_value_seen_of_a_resting_link_may_be_of_any_time() {
        let mut company = staff(3);
        company.links[0].state = reconcile::LinkState::Resting { since_ms: 1 };
        company.employee(1).mail("new@example.org");
        let seen = observe(&company.world());
        let change = seen[0].pbx[Email].as_ref().unwrap().change;
        assert_eq!(
            change,
            Interval { after_ms: 0, by_ms: company.now_ms },
            "it was read and believed nothing"
        );
    }

    #[test]
    fn needs_only_links_that_changed_are_written() {
        let mut company = staff(3);
        company.person("p02").mail("new@example.org");
        let seen: Vec<_> = observe(&company.world()).into_iter().map(|link| link.person).collect();
        assert_eq!(ids(&seen), ["p02"]);
    }
}

mod closely {
    use super::*;
    use reconcile::Side;
    use reconcile::needs::Look;

    #[test]
    fn needs_a_look_at_one_side_only() {
        let company = looked(3);
        let look = |side, field| Look { person: PersonId::new("p02"), employee: EmployeeId(2), side, field };
        let mut needs = needs(&not_looked(&company));
        needs.also(&[look(Side::Directory, Mobile), look(Side::Pbx, Photo)]);
        assert!(needs.records.is_empty() && needs.photos.is_empty());
        assert_eq!(needs.avatars[0], EmployeeId(2));
    }

    #[test]
    fn needs_nothing_of_who_is_there_and_has_no_employee() {
        let mut company = looked(3);
        company.records.remove(&1);
        assert!(needs(&company.world()).whereabouts.is_empty());
    }

    #[test]
    fn needs_no_picture_where_the_list_shows_none() {
        let mut company = looked(3);
        company.person("p01").set(Photo, "");
        company.settle();
        assert_eq!(needs(&not_looked(&company)).avatars, [EmployeeId(2), EmployeeId(3)]);
    }

    #[test]
    fn needs_a_picture_that_was_never_agreed_on() {
        let mut company = looked(3);
        company.links[0].pairs[Photo] = None;
        assert_eq!(ids(&needs(&not_looked(&company)).photos), ["p01"]);
    }

    #[test]
    fn needs_records_for_either_of_their_fields() {
        for off in [Mobile, SipPassword] {
            let mut company = looked(3);
            company.direction(off, Direction::Off);
            assert_eq!(needs(&not_looked(&company)).records_in_turn.len(), 3);
            let other = if off == Mobile { SipPassword } else { Mobile };
            company.links[0].pairs[other] = None;
            assert_eq!(needs(&not_looked(&company)).records, [EmployeeId(1)], "{other} was never agreed on");
            company.mapped[other] = false;
            let needs = needs(&not_looked(&company));
            assert!(needs.records.is_empty() && needs.records_in_turn.is_empty(), "neither flows");
        }
    }

    #[test]
    fn needs_nothing_to_list_a_disabled_person() {
        let mut company = company();
        company.pair_up(1);
        company.person("p01").account(Account::Disabled);
        let needs = needs(&not_looked(&company));
        assert!(needs.records.is_empty() && needs.photos.is_empty() && needs.avatars.is_empty());
    }

    #[test]
    fn needs_no_record_that_cannot_tell_namesakes_apart() {
        let mut company = company();
        for at in [1, 2] {
            company.person(&format!("p0{at}")).name("Anna Sidorova");
            company.employee(at).name("Anna Sidorova").ext(&format!("20{at}")).looked = false;
        }
        assert!(needs(&company.world()).records.is_empty(), "the list shows no mobile");
    }

    #[test]
    fn needs_a_record_once_that_is_asked_for_twice() {
        let mut company = looked(3);
        company.person("new").name("Somebody Else").mail("p01@example.org");
        company.employee(1).dial = Some("100500".into());
        assert_eq!(plan(&company.world()).kinds(), [reconcile::ConflictKind::AlreadySomeones]);
        assert_eq!(needs(&not_looked(&company)).records, [EmployeeId(1)]);
    }

    #[test]
    fn needs_no_date_of_what_does_not_flow_or_never_was() {
        let mut company = company();
        company.dates_attributes = true;
        company.pair_up(1);
        company.person("p01").mobile("");
        company.employee(1).mobile("");
        company.settle();
        company.person("p01").name("New Name");
        assert!(to_date(&company.world()).is_empty(), "there never was a mobile");
        company.person("p01").mail("");
        assert_eq!(ids(&to_date(&company.world())), ["p01"]);
        company.direction(Email, Direction::Off);
        assert!(to_date(&company.world()).is_empty());
    }
}
