//! Who gets which internal number.

use crate::support::*;
use reconcile::numbers::Numbers;
use reconcile::plan::{LinkStep, NumberFrom, plan};
use reconcile::{Account, Answer, BothChanged, ConflictKind, Direction, EmployeeId, NumberRange, WayOut};

fn range(company: &mut Company, from: u32, to: u32) {
    company.policy.numbers = vec![NumberRange { from, to }];
}

fn free_number(company: &mut Company) -> Option<String> {
    company.person("zoe").name("Zoe Newcomer");
    let plan = company.preview();
    plan.has_action("zoe").then(|| plan.number("zoe").to_owned())
}

#[test]
fn numbers_the_lowest_not_taken_is_free() {
    let mut company = company();
    range(&mut company, 201, 299);
    assert_eq!(free_number(&mut company).unwrap(), "201");
    company.employee(1).name("Q").ext("201");
    company.queue("202", "QUEUE");
    company.queue("203", "PARKING");
    company.queue("204", "EXTERNAL");
    company.reserved.push("205".into());
    company.cooling.push("206".into());
    company.person("other").name("Else").ext("207").account(Account::Disabled);
    company.queue("0208", "CONFERENCE");
    assert_eq!(free_number(&mut company).unwrap(), "209");
}

#[test]
fn numbers_ranges_are_used_in_order() {
    let mut company = company();
    company.policy.numbers = vec![NumberRange { from: 300, to: 300 }, NumberRange { from: 100, to: 101 }];
    for id in ["a", "b", "c", "d"] {
        company.person(id).name(&format!("Person {id}"));
    }
    let plan = company.run();
    let given: Vec<_> = ["a", "b", "c"].map(|id| plan.number(id).to_owned()).into();
    assert_eq!(given, ["300", "100", "101"], "in the order of names");
    assert_eq!(plan.kinds(), [ConflictKind::NoFreeNumber]);
    let number = Answer::Number { number: "55".into(), keep_in_pbx: true };
    company.answer(&plan.conflicts[0], number).settle();
    assert_eq!(company.ours(company.linked("d").unwrap(), Extension), "55");
    assert_eq!(company.theirs("d", Extension), "", "kept in the PBX only");
}

#[test]
fn numbers_only_of_a_length_the_pbx_takes() {
    let mut company = company();
    company.policy.numbers =
        vec![NumberRange { from: 1, to: 10 }, NumberRange { from: 99_999_999, to: 100_000_001 }];
    for id in ["a", "b", "c"] {
        company.person(id).name(&format!("Person {id}"));
    }
    let plan = company.preview();
    assert_eq!((plan.number("a"), plan.number("b")), ("10", "99999999"));
    assert_eq!(plan.conflict_of("c").kind, ConflictKind::NoFreeNumber);
}

#[test]
fn numbers_the_default_range_is_that_of_the_numbers_in_use() {
    for (in_use, free, warned) in [
        (&[][..], "200", false),
        (&["305", "307"], "306", false),
        (&["305", "307", "1000"], "306", false),
        (&["10", "11", "305"], "12", true),
        (&["4001", "4002"], "4003", true),
        (&["999", "998"], "none", false),
        (&["0201", "0202", "305"], "1000", true),
        (&["21", "305"], "306", false),
    ] {
        let mut company = company();
        for (at, number) in in_use.iter().enumerate() {
            company.employee(at as u64 + 1).name(&format!("Employee{at}")).ext(number);
        }
        assert_eq!(free_number(&mut company).unwrap_or("none".into()), free, "{in_use:?}");
        assert_eq!(!company.preview().warnings.is_empty(), warned, "{in_use:?}");
    }
}

#[test]
fn numbers_asked_for_are_served_before_free_ones() {
    let mut company = company();
    range(&mut company, 201, 299);
    company.person("a").name("Aaron First");
    company.person("b").name("Boris Second").ext("201");
    company.person("c").name("Clara Third").ext("0203");
    company.person("d").name("Denis Fourth");
    let plan = company.run();
    assert_eq!((plan.number("a"), plan.number("b")), ("202", "201"));
    assert_eq!(plan.number("c"), "0203", "a leading zero is kept");
    assert_eq!(plan.number("d"), "204", "and blocks its stripped form");
    let Some(LinkStep::Create { number_from, .. }) = &plan.action("b").link else { panic!("created") };
    assert_eq!(*number_from, NumberFrom::Directory);
}

#[test]
fn numbers_a_human_gave_are_not_given_to_others() {
    let mut company = staff(2);
    company.person("a").name("Aaron First");
    company.person("z").name("Zoe Last").ext("12a");
    let conflict = company.preview().conflict_of("z").clone();
    company.answer(&conflict, Answer::Number { number: "203".into(), keep_in_pbx: true });
    let plan = company.run();
    assert_eq!((plan.number("a"), plan.number("z")), ("204", "203"));
}

#[test]
fn numbers_somebody_elses_is_a_conflict_with_free_neighbours() {
    type Taken = fn(&mut Company);
    let by: [Taken; 6] = [
        |company| {
            company.employee(7).name("Desk").ext("205");
            company.linked_elsewhere.insert(EmployeeId(7), "Branch".into());
        },
        |company| company.queue("205", "QUEUE"),
        |company| company.queue("205", "EXTERNAL"),
        |company| company.queue("0205", "PARKING"),
        |company| company.reserved.push("205".into()),
        |company| {
            company.person("other").ext("205").account(Account::Disabled);
        },
    ];
    for (at, taken) in by.into_iter().enumerate() {
        for linked in [true, false] {
            let mut company = staff(4);
            taken(&mut company);
            let person = if linked { "p01" } else { "new" };
            company.person(person).ext("205");
            if !linked {
                company.person(person).name("Some Newcomer");
            }
            let plan = company.run();
            let conflict = plan.conflict_of(person);
            assert_eq!(conflict.kind, ConflictKind::NumberTaken, "{at} {linked}");
            assert!(conflict.reason.contains("free nearby: 206"), "{at}: {}", conflict.reason);
            assert!(plan.actions.is_empty(), "{at}: {:#?}", plan.actions);
            assert_eq!(company.ours(1, Extension), "201", "nobody is renumbered");
        }
    }
}

#[test]
fn numbers_a_human_may_give_one_that_only_a_stale_entry_names() {
    let mut company = staff(4);
    company.person("old").name("Former Colleague").ext("205").account(Account::Disabled);
    company.person("new").name("Some Newcomer").ext("205");
    let conflict = company.run().conflict(ConflictKind::NumberTaken).clone();
    company.answer(&conflict, Answer::Number { number: "205".into(), keep_in_pbx: false }).settle();
    assert_eq!(company.ours(1_001, Extension), "205");
}

#[test]
fn numbers_an_answer_leads_on_where_the_given_one_is_taken_too() {
    for (person, bad) in [("p01", "202"), ("p01", "12a"), ("new", "202"), ("new", "12a")] {
        let mut company = staff(4);
        company.person(person).ext(bad);
        if person == "new" {
            company.person("new").name("Some Newcomer");
        }
        for given in ["203", "204", "250"] {
            let conflict = company.run().conflict_of(person).clone();
            company.answer(&conflict, Answer::Number { number: given.into(), keep_in_pbx: false });
        }
        company.settle();
        assert_eq!(company.ours(company.linked(person).unwrap(), Extension), "250", "{person} {bad}");
        assert_eq!(company.theirs(person, Extension), "250");
        assert!(company.preview().conflicts.is_empty());
    }
}

#[test]
fn numbers_a_taken_one_may_be_left_or_exchanged() {
    for (answer, theirs) in [(Answer::LeaveAsIs, "202"), (Answer::UsePbx, "201")] {
        let mut company = staff(4);
        company.person("p01").ext("202");
        let conflict = company.run().conflict(ConflictKind::NumberTaken).clone();
        company.answer(&conflict, answer).settle();
        assert_eq!((company.ours(1, Extension), company.theirs("p01", Extension)), ("201", theirs));
        assert!(company.preview().conflicts.is_empty());
    }
    let mut one_way = staff(4);
    one_way.direction(Extension, Direction::ToPbx).person("p01").ext("202");
    let conflict = one_way.run().conflict(ConflictKind::NumberTaken).clone();
    one_way.answer(&conflict, Answer::UsePbx).settle();
    assert_eq!(one_way.theirs("p01", Extension), "202", "nothing is written there");
}

#[test]
fn numbers_an_answer_is_for_the_number_they_had() {
    let mut company = staff(4);
    company.both_changed(Extension, BothChanged::Directory).person("p01").ext("202");
    let conflict = company.run().conflict(ConflictKind::NumberTaken).clone();
    company.employee(1).ext("277");
    company.answer(&conflict, Answer::LeaveAsIs);
    let plan = company.run();
    let asked_again = plan.conflict(ConflictKind::NumberTaken);
    assert_eq!(asked_again.pbx_value.as_deref(), Some("277"));
}

#[test]
fn numbers_two_who_want_one_both_wait() {
    for linked in [true, false] {
        let mut company = staff(4);
        company.person("a").name("Aaron First").ext("250");
        if linked {
            company.person("p01").ext("250");
        } else {
            company.person("b").name("Boris Second").ext("250");
        }
        let plan = company.run();
        assert_eq!(plan.kinds(), [ConflictKind::NumberWantedTwice; 2]);
        assert!(plan.actions.is_empty());
    }
}

#[test]
fn numbers_freed_in_the_same_plan_are_taken_in_order() {
    let mut company = staff(4);
    company.person("p01").ext("202");
    company.person("p02").ext("203");
    company.person("p03").ext("250");
    company.person("new").name("Aaron Newcomer").ext("201");
    let plan = company.run();
    let waves: Vec<_> = plan.actions.iter().map(|action| (action.person.as_str(), action.wave)).collect();
    assert_eq!(waves, [("p03", 0), ("p02", 1), ("p01", 2), ("new", 3)]);
    company.settle();
    assert_eq!((company.ours(1, Extension), company.ours(2, Extension)), ("202", "203"));
    assert_eq!(company.ours(1_001, Extension), "201");
}

#[test]
fn numbers_a_cycle_is_a_swap() {
    for cycle in [2, 3] {
        let mut company = staff(5);
        for at in 1..=cycle {
            let next = at % cycle + 1;
            company.person(&format!("p{at:02}")).ext(&(200 + next).to_string());
        }
        company.person("p01").mail("still@example.org");
        let plan = company.run();
        assert_eq!(plan.kinds(), vec![ConflictKind::NumberSwap; cycle as usize]);
        for at in 1..=5 {
            assert_eq!(company.ours(at, Extension), (200 + at).to_string(), "nobody moved");
        }
        assert_eq!(company.ours(1, Email), "still@example.org", "the rest goes on");
    }
}

#[test]
fn numbers_who_waits_for_a_cycle_waits() {
    let mut company = company();
    (1..=2).for_each(|at| company.pair_up(at));
    company.person("p01").ext("0201");
    company.employee(1).ext("0201");
    company.settle();
    company.person("p01").ext("202");
    company.person("p02").ext("0201");
    // The leading zero blocks this one.
    company.person("new").name("Some Newcomer").ext("201");
    let plan = company.run();
    assert_eq!(plan.conflict_of("p01").kind, ConflictKind::NumberSwap);
    assert_eq!(plan.conflict_of("p02").kind, ConflictKind::NumberSwap);
    assert_eq!(plan.conflict_of("new").kind, ConflictKind::NumberTaken);
}

#[test]
fn numbers_who_waits_for_somebody_refused_is_refused() {
    let mut company = staff(4);
    company.queue("260", "QUEUE");
    company.person("p01").ext("260");
    company.person("p02").ext("201");
    company.person("new").name("Aaron Newcomer").ext("202");
    let plan = company.run();
    assert_eq!(plan.kinds(), [ConflictKind::NumberTaken; 3]);
    assert!(plan.actions.is_empty());
}

#[test]
fn numbers_a_leading_zero_may_be_dropped_from_ones_own() {
    let mut company = company();
    company.person("anna").name("Anna").ext("0201");
    company.employee(1).name("Anna").ext("0201");
    company.employee(2).name("Desk").ext("0333");
    company.settle();
    company.person("anna").ext("201");
    company.settle();
    assert_eq!(company.ours(1, Extension), "201");
    company.person("anna").ext("333");
    assert_eq!(company.run().kinds(), [ConflictKind::NumberTaken], "not from another's");
}

#[test]
fn numbers_a_cooling_one_may_be_asked_for() {
    let mut company = staff(2);
    company.cooling.push("250".into());
    company.person("new").name("Some Newcomer").ext("250");
    company.settle();
    assert_eq!(company.ours(1_001, Extension), "250");
}

#[test]
fn numbers_and_the_rest_go_back_to_the_person_in_the_same_run() {
    let mut company = staff(2);
    company.person("new").name("Some Newcomer").mail("n@example.org").mobile("8 926 555-00-00");
    company.run();
    let id = company.linked("new").unwrap();
    assert_eq!(company.theirs("new", Extension), company.ours(id, Extension));
    assert_eq!(company.theirs("new", SipPassword), company.ours(id, SipPassword));
    assert_eq!((company.ours(id, Email), company.ours(id, Mobile)), ("n@example.org", "79265550000"));

    let mut one_way = staff(2);
    one_way.policy.write_back = false;
    one_way.person("new").name("Some Newcomer");
    one_way.settle();
    assert_eq!((one_way.theirs("new", Extension), one_way.theirs("new", SipPassword)), ("", ""));
}

#[test]
fn numbers_flow_by_direction_at_a_creation() {
    for (direction, given) in [(Direction::ToPbx, "250"), (Direction::ToDirectory, "203")] {
        let mut company = staff(2);
        company.direction(Extension, direction);
        company.person("new").name("Some Newcomer").ext("250");
        company.settle();
        assert_eq!((company.ours(1_001, Extension), company.theirs("new", Extension)), (given, "250"));
    }
}

#[test]
fn numbers_of_people_count_even_where_it_is_not_decided_which() {
    let mut company = company();
    range(&mut company, 201, 299);
    company.person("two").name("Two Numbers").many(Extension, &["201", "202"]);
    assert_eq!(free_number(&mut company).unwrap(), "203");
}

#[test]
fn numbers_of_employees_are_taken_even_if_the_list_of_numbers_lacks_them() {
    let mut company = company();
    range(&mut company, 201, 299);
    company.employee(1).name("Q").ext("201");
    company.person("zoe").name("Zoe Newcomer");
    let mut world = company.world();
    world.numbers.clear();
    assert_eq!(plan(&world).number("zoe"), "202");
}

#[test]
fn numbers_are_blocked_by_any_leading_zeros() {
    let mut company = company();
    company.queue("00288", "QUEUE");
    company.person("zoe").name("Zoe Newcomer").ext("288");
    assert_eq!(company.preview().conflict_of("zoe").kind, ConflictKind::NumberTaken);
}

#[test]
fn numbers_offered_are_the_nearest_on_both_sides() {
    let mut company = company();
    company.queue("288", "QUEUE");
    company.queue("289", "QUEUE");
    let world = company.world();
    assert_eq!(Numbers::open(&world).neighbours("288"), ["287", "286", "290"]);
}

#[test]
fn numbers_have_a_length_the_pbx_takes_whatever_it_is_set_to() {
    let mut company = company();
    company.person("zoe").name("Zoe Newcomer");
    let mut world = company.world();
    for (length, number) in [(0, "20"), (1, "20"), (3, "200"), (8, "20000000"), (12, "20000000")] {
        world.extensions_length = length;
        assert_eq!(plan(&world).number("zoe"), number, "{length}");
    }
}

#[test]
fn numbers_of_people_decide_the_length_too() {
    let mut company = company();
    company.employee(1).name("Q").ext("201");
    for at in 1..=2 {
        company.person(&format!("p{at}")).name(&format!("Person {at}")).ext(&format!("300{at}"));
    }
    assert_eq!(free_number(&mut company).unwrap(), "3003");
    assert_eq!(company.preview().warnings.len(), 1, "the PBX is set to 3");
    range(&mut company, 201, 299);
    assert_eq!(company.preview().warnings, [""; 0], "the ranges are the administrator's");
}

#[test]
fn numbers_are_given_in_the_order_of_names() {
    let mut company = company();
    range(&mut company, 201, 299);
    company.person("a").name("Zoe Last");
    company.person("z").name("Anna First");
    let plan = company.preview();
    assert_eq!((plan.number("z"), plan.number("a")), ("201", "202"));
}

#[test]
fn numbers_a_human_gave_are_written_back_only_where_they_are_not_and_may() {
    let answer = Answer::Number { number: "288".into(), keep_in_pbx: false };
    let mut company = company();
    company.person("two").name("Two Numbers").many(Extension, &["277", "288"]);
    company.person("odd").name("Odd Number").ext("12…");
    let plan = company.preview();
    company.answer(plan.conflict_of("two"), answer);
    let other = Answer::Number { number: "299".into(), keep_in_pbx: false };
    company.answer(plan.conflict_of("odd"), other);
    let plan = company.preview();
    for (person, number) in [("two", "288"), ("odd", "299")] {
        assert_eq!((plan.number(person), sent(&plan.action(person).directory, Extension)), (number, None));
    }
}

#[test]
fn numbers_that_cannot_be_had_leave_the_rest_of_an_action() {
    let mut company = staff(3);
    company.person("p01").ext("202");
    company.employee(1).mail("new@example.org");
    let mut plan = company.preview();
    assert_eq!(plan.kinds(), [ConflictKind::NumberTaken]);
    assert_eq!(sent(&plan.action("p01").directory, Email), Some("new@example.org"));
    assert!(plan.conflicts[0].ways_out.contains(&WayOut::UsePbx));
    company.policy.write_back = false;
    plan = company.preview();
    assert!(!plan.conflicts[0].ways_out.contains(&WayOut::UsePbx), "nothing is written there");

    // A respelling is agreed on, and a join stays a join.
    let mut company = staff(3);
    company.person("p01").ext("202").mail("P01@Example.org");
    assert_eq!(company.preview().action("p01").agree.len(), 1);
    let mut company = staff(3);
    company.policy.fields[Extension].first_meeting = reconcile::FirstMeeting::Directory;
    company.links.retain(|link| link.person.as_str() != "p01");
    company.person("p01").ext("202");
    company.run();
    assert_eq!(company.linked("p01"), Some(1));
}
