//! The merge of fields in a whole company: directions, first meetings, clears,
//! stored values, who was later. The table itself is tested exhaustively
//! elsewhere.

use crate::support::*;
use reconcile::merge::Cause;
use reconcile::{Answer, BothChanged, ConflictKind, Direction, Interval, Mark, WayOut};

/// A new value of each field, as the directory and as the PBX spells it.
const NEWS: [(reconcile::Field, &str, &str); 6] = [
    (Name, "New Name", "New Name"),
    (Extension, "277", "277"),
    (Mobile, "+79265550000", "79265550000"),
    (Email, "new@example.org", "new@example.org"),
    (Photo, "pictureN", "pictureN"),
    (SipPassword, "secretN", "secretN"),
];

#[test]
fn fields_a_change_crosses_to_the_other_side() {
    for (field, theirs, ours) in NEWS {
        let mut company = staff(3);
        company.person("p01").set(field, theirs);
        company.settle();
        assert_eq!(company.ours(1, field), ours);
        let mut company = staff(3);
        company.employee(1).set(field, ours);
        company.settle();
        assert_eq!(company.theirs("p01", field), theirs);
    }
}

#[test]
fn fields_equivalent_spellings_are_never_rewritten() {
    let mut company = company();
    company
        .person("anna")
        .name("Anna  Smirnova")
        .ext(" 201")
        .mobile("+7 (926) 123-45-67")
        .mail("Anna@Example.org");
    company.employee(1).name("Anna Smirnova ").ext("201").mobile("79261234567").mail("anna@example.org");
    for _ in 0..3 {
        let plan = company.run();
        assert!(plan.actions.iter().all(|action| action.pbx.is_empty() && action.directory.is_empty()
            || action.directory.iter().all(|c| c.field == SipPassword)));
    }
    company.person("anna").mobile("8 926 123 45 67");
    let plan = company.run();
    assert!(!plan.writes() && plan.action("anna").agree.len() == 1, "the pair moves, nothing is written");
    company.employee(1).mobile("79269999999");
    company.settle();
    assert_eq!(company.theirs("anna", Mobile), "+79269999999");
}

#[test]
fn fields_what_would_be_stored_alike_is_not_written() {
    let mut company = company();
    company.person("anna").name("Anna").mail("a@example.org").mobile("+7 926 123-45-67 ext. 12");
    company.employee(1).name("Anna").mail("a@example.org").ext("201").mobile("79261234567");
    let plan = company.run();
    assert_eq!(sent(&plan.action("anna").pbx, Mobile), None, "the inner extension stays at home");
    company.settle();
    assert_eq!(company.preview().people[0].differs, [Mobile]);
    assert_eq!(company.ours(1, Mobile), "79261234567");
    assert_eq!(company.theirs("anna", Mobile), "+7 926 123-45-67 ext. 12");
}

#[test]
fn fields_first_meeting_defaults() {
    let mut company = company();
    let person = company.person("anna").name("Anna Smirnova").mail("anna@example.org").ext("201");
    person.mobile("+79260000001").set(Photo, "pictureD").set(SipPassword, "secretD");
    let employee = company.employee(1).name("Anna S").mail("anna@example.org").ext("202");
    employee.mobile("79260000002").set(Photo, "pictureP").set(SipPassword, "secretP");
    let plan = company.run();
    assert_eq!(plan.kinds(), [ConflictKind::FirstMeeting], "the number is asked about");
    assert_eq!(plan.conflicts[0].field, Some(Extension));
    let action = plan.action("anna");
    assert!(action.pbx.iter().chain(&action.directory).all(|change| change.cause == Cause::FirstMeeting));
    company.settle();
    assert_eq!(company.ours(1, Name), "Anna Smirnova");
    assert_eq!(company.ours(1, Mobile), "79260000001");
    assert_eq!(company.ours(1, Photo), "pictureD");
    assert_eq!(company.theirs("anna", SipPassword), "secretP", "phones are registered with it");
    assert_eq!((company.theirs("anna", Extension), company.ours(1, Extension)), ("201", "202"));
}

#[test]
fn fields_first_meeting_fills_what_is_empty() {
    for (field, theirs, ours) in NEWS.into_iter().filter(|(field, ..)| !matches!(field, Name | Extension)) {
        for full in [true, false] {
            let mut company = company();
            company.person("anna").name("Anna").set(field, if full { theirs } else { "" });
            company.employee(1).name("Anna").ext("201").set(field, if full { "" } else { ours });
            company.settle();
            assert_eq!((company.theirs("anna", field), company.ours(1, field)), (theirs, ours));
        }
    }
}

#[test]
fn fields_an_answer_decides_and_is_not_asked_again() {
    for (answer, expected) in [(Answer::UseDirectory, ("281", "281")), (Answer::UsePbx, ("291", "291"))] {
        let mut company = staff(3);
        company.person("p01").ext("281");
        company.employee(1).ext("291");
        let plan = company.run();
        assert_eq!(plan.kinds(), [ConflictKind::BothChanged]);
        company.answer(&plan.conflicts[0], answer).settle();
        assert_eq!((company.theirs("p01", Extension), company.ours(1, Extension)), expected);
        assert!(company.preview().conflicts.is_empty());
    }
}

#[test]
fn fields_an_answer_never_writes_where_nothing_is_to_be_written() {
    for answer in [Answer::UsePbx, Answer::UseDirectory] {
        let mut company = company();
        company.policy.write_back = false;
        company.person("anna").name("Anna").ext("201").mail("a@example.org");
        company.employee(1).name("Anna").ext("202").mail("a@example.org");
        let plan = company.run();
        let conflict = plan.conflict(ConflictKind::FirstMeeting);
        assert!(!conflict.ways_out.contains(&WayOut::UsePbx), "{:?}", conflict.ways_out);
        company.answer(conflict, answer.clone()).settle();
        let kept = if answer == Answer::UsePbx { "202" } else { "201" };
        assert_eq!((company.theirs("anna", Extension), company.ours(1, Extension)), ("201", kept));
        assert!(company.preview().conflicts.is_empty());
    }
}

#[test]
fn fields_an_answer_never_clears_what_is_never_cleared() {
    let mut company = staff(4);
    company.person("p01").name("").mail("");
    company.employee(1).name("Renamed").mail("renamed@example.org");
    company.policy.fields[Email].clear = false;
    let plan = company.run();
    assert_eq!(plan.kinds(), [ConflictKind::BothChanged; 2]);
    for conflict in &plan.conflicts {
        company.answer(conflict, Answer::UseDirectory);
    }
    company.settle();
    assert_eq!((company.ours(1, Name), company.ours(1, Email)), ("Renamed", "renamed@example.org"));
}

#[test]
fn fields_the_domain_is_not_updated_while_the_switch_is_off() {
    let mut company = staff(3);
    company.policy.write_back = false;
    for (field, _, ours) in NEWS {
        company.employee(1).set(field, ours);
    }
    company.employee(1).name("First01 Last01");
    company.person("new").name("Somebody New");
    company.settle();
    for (field, ..) in NEWS {
        assert_eq!(company.theirs("new", field), if field == Name { "Somebody New" } else { "" });
    }
    assert_eq!(company.theirs("p01", Email), "p01@example.org");
}

#[test]
fn fields_one_way_is_not_enforcement() {
    let mut company = staff(3);
    company.direction(Email, Direction::ToPbx);
    company.employee(1).mail("edited@example.org");
    company.settle();
    assert_eq!(company.ours(1, Email), "edited@example.org");
    let line = &company.preview().people[0];
    assert_eq!(line.differs, [Email], "shown as differing");
    company.person("p01").mail("sender@example.org");
    let plan = company.run();
    let change = &plan.action("p01").pbx[0];
    assert_eq!(change.before.as_ref().unwrap().raw(), "edited@example.org", "counts as overwritten");
    assert_eq!(company.ours(1, Email), "sender@example.org");
}

#[test]
fn fields_directions_and_off() {
    for (direction, crosses_down, crosses_up) in [
        (Direction::Both, true, true),
        (Direction::ToPbx, true, false),
        (Direction::ToDirectory, false, true),
        (Direction::Off, false, false),
    ] {
        for (field, theirs, ours) in NEWS {
            let mut down = staff(3);
            down.direction(field, direction).person("p01").set(field, theirs);
            down.settle();
            assert_eq!(down.ours(1, field) == ours, crosses_down, "{field} {direction:?}");
            let mut up = staff(3);
            up.direction(field, direction).employee(1).set(field, ours);
            up.settle();
            assert_eq!(up.theirs("p01", field) == theirs, crosses_up, "{field} {direction:?}");
        }
    }
}

#[test]
fn fields_what_can_only_be_read_flows_to_the_pbx_only() {
    let mut company = staff(3);
    company.policy.read_only[Name] = true;
    company.employee(1).name("Edited");
    company.person("p02").name("New Name");
    company.settle();
    assert_eq!((company.theirs("p01", Name), company.ours(2, Name)), ("First01 Last01", "New Name"));
}

#[test]
fn fields_unmapped_do_not_exist() {
    let mut company = staff(3);
    company.mapped[Email] = false;
    company.employee(1).mail("edited@example.org");
    let plan = company.run();
    assert!(plan.actions.is_empty() && plan.people[0].differs.is_empty());
}

#[test]
fn fields_that_are_off_are_nobodys_conflict() {
    let mut company = staff(3);
    company.direction(Email, Direction::Off);
    company.person("p01").mail("nobody");
    company.employee(2).mail("nobody");
    assert!(company.run().conflicts.is_empty());
}

#[test]
fn fields_clears_cross_only_where_they_may() {
    for (field, _, _) in NEWS {
        for allowed in [true, false] {
            for from_directory in [true, false] {
                if !from_directory && matches!(field, Extension | SipPassword | Name) {
                    continue;
                }
                let mut company = staff(4);
                company.policy.fields[field].clear = allowed;
                if from_directory {
                    company.person("p01").set(field, "");
                } else {
                    company.employee(1).set(field, "");
                }
                company.settle();
                let left = if from_directory { company.ours(1, field) } else { company.theirs("p01", field) };
                let clears = allowed && matches!(field, Mobile | Email | Photo);
                assert_eq!(left.is_empty(), clears, "{field} {allowed} {from_directory}");
            }
        }
    }
}

#[test]
fn fields_a_clear_that_may_not_cross_rests_and_the_next_change_crosses() {
    let mut company = staff(4);
    company.policy.fields[Email].clear = false;
    company.person("p01").mail("");
    company.settle();
    assert_eq!(company.preview().people[0].differs, [Email]);
    company.employee(1).mail("later@example.org");
    company.settle();
    assert_eq!(company.theirs("p01", Email), "later@example.org");
}

#[test]
fn fields_a_stored_value_that_differs_is_not_sent_again() {
    let mut company = staff(3);
    company.person("p01").name("A Very Long Name");
    company.run();
    // The PBX cut it, and its answer said so.
    company.employee(1).name("A Very");
    let link = company.links.iter_mut().find(|link| link.person.as_str() == "p01").unwrap();
    let stored = reconcile::Value::new("A Very", "A Very");
    link.pairs[Name].as_mut().unwrap().pbx = Some(stored.clone());
    link.pbx[Name].as_mut().unwrap().value = Some(stored);
    assert!(company.run().actions.is_empty());
    company.person("p01").name("Short");
    company.settle();
    assert_eq!(company.ours(1, Name), "Short");
}

#[test]
fn fields_leave_as_is_holds_until_either_side_changes() {
    let held = || {
        let mut company = staff(3);
        company.person("p01").mail("d@example.org");
        company.employee(1).mail("p@example.org");
        let plan = company.run();
        company.answer(&plan.conflicts[0], Answer::LeaveAsIs);
        let plan = company.run();
        assert!(plan.conflicts.is_empty() && !plan.writes());
        assert!(company.link_of("p01").unwrap().pairs[Email].as_ref().unwrap().held);
        let plan = company.run();
        assert!(plan.actions.is_empty());
        assert_eq!(plan.people[0].differs, [Email], "shown so");
        company
    };
    let mut down = held();
    down.person("p01").mail("d2@example.org");
    down.settle();
    assert_eq!(down.ours(1, Email), "d2@example.org");
    let mut up = held();
    up.employee(1).mail("p2@example.org");
    up.settle();
    assert_eq!(up.theirs("p01", Email), "p2@example.org");
}

#[test]
fn fields_a_picture_derived_from_the_other_is_not_sent() {
    let mut world = staff(3).world();
    world.people.rows[0].fields[Photo] =
        reconcile::Reading::one(reconcile::Value::new("JPEG", "small").or_also("picture1"));
    assert!(!reconcile::plan::plan(&world).writes());
}

#[test]
fn fields_a_derived_picture_is_never_sent_over_another() {
    let derived = || reconcile::Reading::one(reconcile::Value::new("JPEG", "small").or_also("pictureX"));
    for in_directory in [true, false] {
        for first_meeting in [true, false] {
            let mut world = staff(3).world();
            if in_directory {
                world.people.rows[0].fields[Photo] = derived();
            } else {
                world.employees.rows[0].fields[Photo] = derived();
            }
            if first_meeting {
                world.links[0].pairs[Photo] = None;
            }
            let plan = reconcile::plan::plan(&world);
            let action = plan.action("p01");
            let sent_from_it = if in_directory { &action.pbx } else { &action.directory };
            assert!(sent_from_it.is_empty(), "{action:#?}");
            let the_other_way = if in_directory { &action.directory } else { &action.pbx };
            assert_eq!(!the_other_way.is_empty(), first_meeting);
        }
    }
}

/// Runs of five minutes; who was seen to change last.
mod newest {
    use super::*;

    fn contested(dates: bool) -> Company {
        let mut company = company();
        company.dates_attributes = dates;
        company.both_changed(Email, BothChanged::Newest).both_changed(SipPassword, BothChanged::Newest);
        (1..=3).for_each(|at| company.pair_up(at));
        company.settle();
        company
    }

    #[test]
    fn fields_newest_within_one_interval_is_a_tie() {
        let mut company = contested(false);
        company.person("p01").mail("d@example.org").set(SipPassword, "secretD");
        company.employee(1).mail("p@example.org").set(SipPassword, "secretP");
        let plan = company.run();
        assert_eq!(plan.kinds(), [ConflictKind::BothChanged], "the password's tie is the PBX's");
        assert_eq!(company.theirs("p01", SipPassword), "secretP");
        assert_eq!(company.ours(1, Email), "p@example.org");
    }

    /// The directory dates its change; the PBX was looked at before.
    fn dated(minutes: i64, skew_ms: Option<i64>) -> Company {
        let mut company = contested(true);
        company.employee(1).looked = false;
        company.now_ms += 60 * MINUTE_MS;
        company.skew_ms = skew_ms;
        // The PBX changed within the last minute, the directory so many minutes ago.
        company.pbx_seen_ms = company.now_ms - MINUTE_MS;
        company.employee(1).mail("p@example.org");
        company.person("p01").mail("d@example.org");
        let at = company.now_ms - minutes * MINUTE_MS + skew_ms.unwrap_or(0);
        company.person("p01").edited[Email].1 = at;
        company
    }

    #[test]
    fn fields_newest_is_narrowed_by_the_attributes_own_date() {
        for (minutes, skew_ms, winner) in [
            (30, Some(0), Some("p@example.org")),
            (30, Some(20 * MINUTE_MS), Some("p@example.org")),
            (30, None, Some("p@example.org")),
            (4, Some(0), Some("p@example.org")),
            (4, None, None),
            (0, Some(0), None),
        ] {
            let mut company = dated(minutes, skew_ms);
            let plan = company.run();
            match winner {
                Some(winner) => assert_eq!(company.ours(1, Email), winner, "{minutes}"),
                None => assert_eq!(plan.kinds(), [ConflictKind::BothChanged], "{minutes} {skew_ms:?}"),
            }
            assert_eq!(company.theirs("p01", Email) == "p@example.org", winner.is_some(), "{minutes}");
        }
    }

    #[test]
    fn fields_newest_may_be_the_directory() {
        // A stamp is exact to two seconds.
        for (after_the_pbx_ms, is_later) in
            [(29 * MINUTE_MS, true), (2_001, true), (2_000, false), (1, false)]
        {
            let mut company = contested(true);
            company.now_ms += 60 * MINUTE_MS;
            company.skew_ms = Some(0);
            company.employee(1).mail("p@example.org");
            company.person("p01").mail("d@example.org");
            company.person("p01").edited[Email].1 = company.now_ms - MINUTE_MS;
            // Seen to change before, and unsettled since.
            let link = company.links.iter_mut().find(|link| link.person.as_str() == "p01").unwrap();
            let value = Some(reconcile::Value::new("p@example.org", "p@example.org"));
            let by_ms = company.now_ms - MINUTE_MS - after_the_pbx_ms;
            let change = Interval { after_ms: 0, by_ms };
            link.pbx[Email] = Some(reconcile::Sight { value, change, mark: None });
            let plan = company.run();
            if is_later {
                assert_eq!(company.ours(1, Email), "d@example.org", "{after_the_pbx_ms}");
            } else {
                assert_eq!(plan.kinds(), [ConflictKind::BothChanged], "{after_the_pbx_ms}");
            }
        }
    }

    #[test]
    fn fields_newest_takes_the_entrys_date_for_an_upper_bound_only() {
        for (modified_minutes_ago, winner) in [(30, "p@example.org"), (4, "p01-tie"), (0, "p01-tie")] {
            let mut company = contested(false);
            company.skew_ms = None;
            company.now_ms += 60 * MINUTE_MS;
            company.pbx_seen_ms = company.now_ms - MINUTE_MS;
            company.employee(1).mail("p@example.org");
            company.person("p01").mail("d@example.org");
            let mut world = company.world();
            let modified_ms = Some(company.now_ms - modified_minutes_ago * MINUTE_MS);
            world.people.rows.iter_mut().for_each(|person| person.modified_ms = modified_ms);
            let plan = reconcile::plan::plan(&world);
            if winner == "p01-tie" {
                assert_eq!(plan.kinds(), [ConflictKind::BothChanged]);
            } else {
                assert_eq!(sent(&plan.action("p01").directory, Email), Some(winner));
            }
        }
    }

    #[test]
    fn fields_newest_does_not_take_the_entrys_date_for_a_lower_bound() {
        let mut company = contested(false);
        company.now_ms += 60 * MINUTE_MS;
        company.employee(1).mail("p@example.org");
        company.person("p01").mail("d@example.org");
        let link = company.links.iter_mut().find(|link| link.person.as_str() == "p01").unwrap();
        let value = Some(reconcile::Value::new("p@example.org", "p@example.org"));
        let change = Interval { after_ms: 0, by_ms: company.now_ms - 30 * MINUTE_MS };
        link.pbx[Email] = Some(reconcile::Sight { value, change, mark: None });
        let mut world = company.world();
        // Any other write moves it, ours too.
        world.people.rows[0].modified_ms = Some(company.now_ms - MINUTE_MS);
        assert_eq!(reconcile::plan::plan(&world).kinds(), [ConflictKind::BothChanged]);
    }

    #[test]
    fn fields_newest_does_not_believe_a_date_that_contradicts_what_was_seen() {
        let mut company = contested(true);
        company.now_ms += 60 * MINUTE_MS;
        company.person("p01").mail("d@example.org");
        company.employee(1).mail("p@example.org");
        company.person("p01").edited[Email] = (99, company.now_ms + 600 * MINUTE_MS);
        let mut world = company.world();
        world.people.rows[0].mark = Some(Mark("dc1:99".into()));
        assert_eq!(reconcile::plan::plan(&world).kinds(), [ConflictKind::BothChanged]);
    }
}
