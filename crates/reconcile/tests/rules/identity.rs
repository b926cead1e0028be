//! Who is who.

use crate::support::*;
use reconcile::plan::plan;
use reconcile::plan::{LineOutcome, LinkStep};
use reconcile::{Account, Answer, ConflictKind, EmployeeId, WayOut};

#[test]
fn identity_1_a_person_is_known_by_id_whatever_else_changes() {
    let mut company = staff(3);
    let entry = company.person("p01");
    entry.dn = "CN=Someone Else,OU=Elsewhere,DC=example,DC=org".into();
    entry.name("Married Name").mail("married@example.org").mobile("+79990000000");
    let plan = company.run();
    assert_eq!(plan.action("p01").link, None);
    assert_eq!(company.ours(1, Name), "Married Name");
    assert_eq!(company.linked("p01"), Some(1));
    assert_eq!(&*company.link_of("p01").unwrap().dn, "CN=Someone Else,OU=Elsewhere,DC=example,DC=org");
}

/// Keys for, keys against, and what comes of it. `=` is the same value on both
/// sides, `#` a different one, ` ` one side without; the order is mail, number,
/// mobile, name (`~`: a word in common).
#[test]
fn identity_2_strong_weak_and_nobody() {
    for (keys, joins, asks) in [
        ("=   ", true, false),
        ("=###", true, false),
        ("#==#", true, false),
        ("##==", true, false),
        ("#=#=", true, false),
        (" =  ", true, false),
        ("  = ", true, false),
        ("   =", true, false),
        (" = ~", true, false),
        ("#=  ", false, true),
        (" =# ", false, true),
        (" = #", false, true),
        ("# = ", false, true),
        ("#  =", false, true),
        (" # =", false, true),
        ("  #=", false, true),
        ("####", false, false),
        ("    ", false, false),
        ("   ~", false, false),
        ("   #", false, false),
    ] {
        let mut company = company();
        let (person, employee) = (0..4)
            .map(|at| keys.as_bytes()[at])
            .zip([Email, Extension, Mobile, Name])
            .fold((Vec::new(), Vec::new()), |(mut person, mut employee), (key, field)| {
                let (one, other) = match field {
                    Email => ("Anna@Example.org", ["anna@example.ORG", "boris@example.org"]),
                    Extension => ("201", ["201", "202"]),
                    Mobile => ("8 (926) 123-45-67", ["79261234567", "79991112233"]),
                    _ => ("Anna  Smirnova", ["ANNA SMIRNOVA", "Boris Petrov"]),
                };
                match key {
                    b'=' => (person.push((field, one)), employee.push((field, other[0]))),
                    b'#' => (person.push((field, one)), employee.push((field, other[1]))),
                    b'~' => (person.push((field, one)), employee.push((field, "Anna Petrova"))),
                    // What only one side has is no key: on either side in turn.
                    _ if field == Email => (employee.push((field, other[0])), ()),
                    _ if field == Mobile => (person.push((field, one)), ()),
                    _ => ((), ()),
                };
                (person, employee)
            });
        company.person("anna");
        company.employee(1);
        for (field, value) in person {
            company.person("anna").set(field, value);
        }
        for (field, value) in employee {
            company.employee(1).set(field, value);
        }
        let plan = company.preview();
        let join = plan.actions.iter().any(|action| matches!(action.link, Some(LinkStep::Join { .. })));
        let asked = plan.kinds().contains(&ConflictKind::AmbiguousMatch);
        assert_eq!((join, asked), (joins, asks), "`{keys}`: {:#?}", plan.conflicts);
    }
}

#[test]
fn identity_2_every_usable_value_is_a_key() {
    let mut company = company();
    company.person("anna").many(Email, &["old@example.org", "anna@example.org"]);
    company.employee(1).name("A. S.").ext("201").mail("anna@example.org");
    company.employee(2).name("Q").ext("202");
    company.person("boris").many(Mobile, &["+79260000001", "+79260000002"]);
    company.employee(3).name("Z").ext("203").mobile("79260000002");
    company.run();
    assert_eq!(company.linked("anna"), Some(1));
    assert_eq!(company.linked("boris"), Some(3));
}

#[test]
fn identity_2_a_dial_string_speaks_for_a_match_and_never_against() {
    for (dial, joins) in [("79261234567", true), ("100500", true)] {
        let mut company = company();
        company.person("anna").name("Anna Smirnova").mobile("+79261234567");
        let employee = company.employee(1).name("Anna Smirnova").ext("201").mobile("79261234567");
        employee.looked = false;
        employee.dial = Some(dial.into());
        company.run();
        assert_eq!(company.linked("anna").is_some(), joins, "{dial}");
    }
    let mut company = company();
    company.person("anna").name("Anna").mobile("+79261234567");
    let employee = company.employee(1).name("Quite Different").ext("201");
    employee.looked = false;
    employee.dial = Some("79261234567".into());
    company.run();
    assert_eq!(company.linked("anna"), None, "one for and the name against is weak");
    company.employee(1).name("Anna Petrova");
    company.run();
    assert_eq!(company.linked("anna"), Some(1));
}

#[test]
fn identity_3_one_strong_candidate_outweighs_weak_ones() {
    let mut company = company();
    company.person("anna").name("Anna Smirnova").mail("anna@example.org").ext("201");
    company.employee(1).name("Anna S.").ext("205").mail("anna@example.org");
    company.employee(2).name("Boris Petrov").ext("201").mail("boris@example.org");
    let plan = company.preview();
    assert_eq!(plan.action("anna").employee, Some(EmployeeId(1)));
    assert!(!plan.kinds().contains(&ConflictKind::AmbiguousMatch));
}

#[test]
fn identity_3_several_strong_is_a_question_with_candidates_and_keys() {
    let mut company = company();
    company.person("anna").name("Anna Smirnova").mail("anna@example.org");
    company.employee(1).name("Anna").ext("201").mail("anna@example.org");
    company.employee(2).name("Anna Smirnova").ext("202");
    let plan = company.preview();
    let conflict = plan.conflict(ConflictKind::AmbiguousMatch);
    let candidates: Vec<_> = conflict
        .candidates
        .iter()
        .map(|c| (c.employee.0, c.agrees.as_slice(), c.extension.as_str()))
        .collect();
    assert_eq!(candidates, [(1, &[Email][..], "201"), (2, &[Name][..], "202")]);
    assert!(plan.actions.is_empty(), "nothing is created or written");
}

#[test]
fn identity_3_an_employee_two_people_claim_is_a_question_for_both() {
    let mut company = company();
    company.person("anna1").name("Anna Smirnova");
    company.person("anna2").name("Anna Smirnova");
    company.employee(1).name("Anna Smirnova").ext("201");
    let plan = company.preview();
    assert_eq!(plan.kinds(), [ConflictKind::AmbiguousMatch; 2], "namesakes");
    assert!(plan.actions.is_empty());
}

#[test]
fn identity_3_two_namesakes_with_mail_are_told_apart() {
    let mut company = company();
    company.person("anna1").name("Anna Smirnova").mail("a1@example.org");
    company.person("anna2").name("Anna Smirnova").mail("a2@example.org");
    company.employee(1).name("Anna Smirnova").ext("201").mail("a1@example.org");
    company.employee(2).name("Anna Smirnova").ext("202").mail("a2@example.org");
    company.run();
    assert_eq!((company.linked("anna1"), company.linked("anna2")), (Some(1), Some(2)));
}

#[test]
fn identity_3_a_choice_is_remembered() {
    let ambiguous = || {
        let mut company = company();
        company.person("anna").name("Anna Smirnova").mail("anna@example.org");
        company.employee(1).name("Anna Smirnova").ext("201");
        company.employee(2).name("Anna Smirnova").ext("202");
        company
    };
    let mut picked = ambiguous();
    let conflict = picked.preview().conflict(ConflictKind::AmbiguousMatch).clone();
    picked.answer(&conflict, Answer::Employee { id: EmployeeId(2) }).settle();
    assert_eq!(picked.linked("anna"), Some(2));

    let mut new = ambiguous();
    new.answer(&conflict, Answer::NewEmployee).settle();
    assert_eq!(new.linked("anna"), Some(1_001));

    let mut out = ambiguous();
    out.answer(&conflict, Answer::LeaveOut);
    let plan = out.run();
    assert_eq!((out.linked("anna"), plan.conflicts.len()), (None, 0));
    assert_eq!(plan.people[0].outcome, LineOutcome::Skip);
    out.person("anna").mail("other@example.org");
    assert!(out.run().actions.is_empty(), "left out holds until it is taken back");
    out.decisions.clear();
    assert!(!out.run().conflicts.is_empty());
}

#[test]
fn identity_3_what_a_human_gave_is_nobody_elses() {
    let mut company = company();
    company.person("anna").name("Anna Smirnova");
    company.person("boris").name("Boris").mail("b@example.org");
    company.employee(1).name("Boris").ext("201").mail("b@example.org");
    let id = EmployeeId(1);
    company.decide("anna", ConflictKind::AmbiguousMatch, None, Answer::Employee { id }, "");
    let plan = company.preview();
    assert_eq!(plan.action("anna").employee, Some(id));
    assert_ne!(plan.actions.iter().filter(|action| action.employee == Some(id)).count(), 2);
    company.decide("boris", ConflictKind::AmbiguousMatch, None, Answer::Employee { id }, "");
    let mut turned = company.world();
    turned.people.rows.reverse();
    assert_eq!(reconcile::plan::plan(&turned), company.preview(), "whoever was read first");
    company.run();
    assert_eq!((company.linked("anna"), company.linked("boris")), (Some(1), None), "one of the two gets it");
}

#[test]
fn identity_3_an_undone_join_is_not_repeated_and_creates_nobody() {
    let mut company = company();
    company.person("anna").name("Anna Smirnova").mail("anna@example.org");
    company.employee(1).name("Anna Smirnova").ext("201").mail("anna@example.org");
    let never = Answer::NotThese { ids: vec![EmployeeId(1)] };
    company.decide("anna", ConflictKind::UndoneJoin, None, never, "");
    let plan = company.run();
    assert!(plan.actions.is_empty(), "{:#?}", plan.actions);
    let conflict = plan.conflict(ConflictKind::AmbiguousMatch);
    assert_eq!(conflict.ways_out, [WayOut::NewEmployee, WayOut::LeaveOut]);
    company.answer(conflict, Answer::NewEmployee).settle();
    assert_eq!(company.linked("anna"), Some(1_001));
}

#[test]
fn identity_3_disabled_people_come_second() {
    let mut company = company();
    company.person("a-old").name("Anna Smirnova").mail("anna@example.org").account(Account::Disabled);
    company.person("b-new").name("Anna Smirnova").mail("anna@example.org");
    company.employee(1).name("Anna Smirnova").ext("201").mail("anna@example.org");
    let plan = company.run();
    assert_eq!((company.linked("b-new"), company.linked("a-old")), (Some(1), None));
    assert!(plan.conflicts.is_empty(), "a disabled person raises no conflict: {:#?}", plan.conflicts);

    // Not even an employee that an enabled person matches weakly.
    let mut company = crate::support::company();
    company.person("a-old").name("Anna Smirnova").mail("anna@example.org").account(Account::Disabled);
    company.person("b-new").name("Anna Smirnova").mail("new@example.org");
    company.employee(1).name("Anna Smirnova").ext("201").mail("anna@example.org");
    let plan = company.run();
    assert_eq!(company.linked("a-old"), None);
    assert_eq!(plan.kinds(), [ConflictKind::AmbiguousMatch]);

    let mut two = crate::support::company();
    two.person("a1").name("Anna Smirnova").account(Account::Disabled);
    two.person("a2").name("Anna Smirnova").account(Account::Expired);
    two.employee(1).name("Anna Smirnova").ext("201");
    let plan = two.run();
    assert!(plan.conflicts.is_empty() && plan.actions.is_empty());
}

#[test]
fn identity_4_somebody_elses_employee_is_never_taken() {
    for elsewhere in [false, true] {
        let mut company = staff(3);
        if elsewhere {
            company.employee(9).name("Guest").ext("300").mail("guest@example.org");
            company.linked_elsewhere.insert(EmployeeId(9), "Branch".into());
            company.person("double").name("Guest").mail("guest@example.org");
        } else {
            company.person("double").name("Double").mail("p02@example.org");
        }
        let plan = company.run();
        assert_eq!(plan.kinds(), [ConflictKind::AlreadySomeones]);
        assert_eq!((company.linked("double"), company.linked("p02")), (None, Some(2)));
        assert!(plan.actions.is_empty());
        let conflict = plan.conflicts[0].clone();
        company.answer(&conflict, Answer::Employee { id: conflict.candidates[0].employee });
        company.settle();
        assert_eq!(company.linked("double"), None, "not even by an answer while they live");
    }
}

#[test]
fn identity_4_a_name_alone_says_nothing_about_a_linked_employee() {
    let mut company = staff(2);
    company.person("namesake").name("First01 Last01");
    company.settle();
    assert_eq!(company.linked("namesake"), Some(1_001), "namesakes exist");
}

#[test]
fn identity_4_back_under_a_new_id() {
    let migrated = |answer: Option<Answer>| {
        let mut company = staff(4);
        company.person("p01").place(Place::Deleted);
        company.person("q01").name("First01 Last01").mail("p01@example.org").ext("201");
        let plan = company.preview();
        let conflict = plan.conflict_of("q01").clone();
        assert_eq!(conflict.kind, ConflictKind::BackUnderNewId);
        assert!(!plan.has_action("q01"), "nothing is created");
        if let Some(answer) = answer {
            company.answer(&conflict, answer);
        }
        company.settle();
        company
    };
    let unanswered = migrated(None);
    assert_eq!((unanswered.linked("p01"), unanswered.linked("q01")), (Some(1), None));
    for relink in [Answer::Relink, Answer::Employee { id: EmployeeId(1) }] {
        let relinked = migrated(Some(relink));
        assert_eq!((relinked.linked("p01"), relinked.linked("q01")), (None, Some(1)));
        assert_eq!(relinked.ours(1, Extension), "201");
    }
    let mut new = migrated(Some(Answer::NewEmployee));
    assert_eq!(new.linked("p01"), Some(1));
    assert_eq!(new.linked("q01"), None, "the number is still the old one's");
    let conflict = new.preview().conflict(ConflictKind::NumberTaken).clone();
    new.answer(&conflict, Answer::Number { number: "299".into(), keep_in_pbx: false }).settle();
    assert_eq!(new.linked("q01"), Some(1_001));
}

#[test]
fn identity_4_a_migrated_domain_is_answered_at_once() {
    let mut company = staff(5);
    for at in 1..=5 {
        company.person(&format!("p{at:02}")).place(Place::Deleted);
        let mail = format!("p{at:02}@example.org");
        company.person(&format!("q{at:02}")).name(&format!("First{at:02} Last{at:02}")).mail(&mail);
    }
    for conflict in company.preview().conflicts {
        company.answer(&conflict, Answer::Relink);
    }
    company.settle();
    for at in 1..=5 {
        assert_eq!(company.linked(&format!("q{at:02}")), Some(at));
        assert_eq!(company.linked(&format!("p{at:02}")), None);
    }
}

#[test]
fn identity_4_not_seen_is_not_gone() {
    for place in [Place::Missed, Place::Refused] {
        let mut company = staff(4);
        company.person("p01").place(place);
        company.person("q01").name("First01 Last01").mail("p01@example.org");
        let conflict = company.run().conflict_of("q01").clone();
        assert_eq!(conflict.kind, ConflictKind::AlreadySomeones);
        company.answer(&conflict, Answer::Employee { id: EmployeeId(1) }).settle();
        assert_eq!((company.linked("p01"), company.linked("q01")), (Some(1), None));
    }
}

#[test]
fn identity_4_two_people_cannot_take_over_one_link() {
    let mut company = staff(4);
    company.person("p01").place(Place::Deleted);
    company.person("q01").name("First01 Last01").mail("p01@example.org");
    company.person("r01").name("First01 Last01").mail("p01@example.org");
    for conflict in company.preview().conflicts {
        company.answer(&conflict, Answer::Relink);
    }
    company.settle();
    assert_eq!((company.linked("q01"), company.linked("r01")), (None, None));
    assert_eq!(company.preview().kinds(), [ConflictKind::BackUnderNewId; 2]);
}

#[test]
fn identity_4_an_old_answer_does_not_move_another_link() {
    let mut company = staff(4);
    company.person("p01").place(Place::Deleted);
    company.person("q01").name("First01 Last01").mail("p01@example.org");
    let conflict = company.preview().conflict_of("q01").clone();
    company.answer(&conflict, Answer::Relink);
    company.person("p01").place(Place::Here);
    company.person("p02").place(Place::Deleted);
    company.person("q01").name("First02 Last02").mail("p02@example.org");
    company.settle();
    assert_eq!((company.linked("p02"), company.linked("q01")), (Some(2), None));
}

#[test]
fn identity_5_nobody_matches() {
    let mut company = company();
    company.person("anna").name("Anna Smirnova").mail("anna@example.org");
    company.person("gone").name("Boris Petrov").account(Account::Disabled);
    company.person("late").name("Clara Petrova").account(Account::Expired);
    company.person("locked").name("Denis Petrov").account(Account::Locked);
    company.person("typo").name("Egor Petrov").account(Account::LockedOut);
    company.settle();
    assert!(company.linked("anna").is_some() && company.linked("typo").is_some());
    assert_eq!(company.records.len(), 2, "a disabled account never creates one");
    for id in ["gone", "late", "locked"] {
        company.decide(id, ConflictKind::AmbiguousMatch, None, Answer::NewEmployee, "");
    }
    company.settle();
    assert_eq!(company.records.len(), 2, "not even by an answer");
}

#[test]
fn identity_6_an_employee_without_a_person_is_none_of_our_business() {
    let mut company = company();
    company.employee(1).name("Front Desk").ext("201").mail("desk@example.org");
    company.person("anna").name("Anna Smirnova");
    company.settle();
    assert_eq!(company.ours(1, Name), "Front Desk");
    assert_ne!(company.ours(1_001, Extension), "201", "its number is respected");
}

#[test]
fn identity_7_a_lost_database_is_found_again_without_a_write() {
    let mut company = staff(9);
    company.person("p03").mobile("8 (926) 123-00-03");
    company.settle();
    let before: Vec<_> = company.links.iter().map(|link| (link.person.clone(), link.employee)).collect();
    company.links.clear();
    company.ran_before = false;
    let plan = company.run();
    assert!(!plan.writes(), "{:#?}", plan.actions);
    company.settle();
    let mut after: Vec<_> = company.links.iter().map(|link| (link.person.clone(), link.employee)).collect();
    after.sort();
    let mut before = before;
    before.sort();
    assert_eq!(before, after);
}

#[test]
fn identity_3_an_answer_to_another_question_is_no_choice() {
    let mut company = company();
    company.person("anna").name("Anna Smirnova").mail("anna@example.org");
    company.employee(1).name("Anna Smirnova").ext("201").mail("anna@example.org");
    company.decide("anna", ConflictKind::EmployeeDeleted, None, Answer::NewEmployee, "");
    company.settle();
    assert_eq!(company.linked("anna"), Some(1));
}

#[test]
fn identity_3_the_latest_choice_counts() {
    let mut company = company();
    company.person("anna").name("Anna Smirnova");
    company.employee(1).name("Anna Sidorova").ext("201");
    let one = Answer::Employee { id: EmployeeId(1) };
    company.decide("anna", ConflictKind::AmbiguousMatch, None, one, "");
    company.now_ms += MINUTE_MS;
    company.decide("anna", ConflictKind::AlreadySomeones, None, Answer::NewEmployee, "");
    company.settle();
    assert_eq!(company.linked("anna"), Some(1_001));
}

#[test]
fn identity_3_an_undo_that_was_undone_leaves_no_question() {
    let mut company = company();
    company.person("anna").name("Anna Smirnova");
    company.decide("anna", ConflictKind::UndoneJoin, None, Answer::NotThese { ids: Vec::new() }, "");
    company.settle();
    assert!(company.linked("anna").is_some());
}

#[test]
fn identity_3_weak_candidates_are_not_offered_beside_strong_ones() {
    let mut company = company();
    company.person("anna").name("Anna Smirnova").mail("anna@example.org");
    for at in [1, 2] {
        company.employee(at).name("Sales").ext(&format!("20{at}")).mail("anna@example.org");
    }
    company.employee(3).name("Anna Smirnova").ext("203").mail("other@example.org");
    let conflict = company.preview().conflict_of("anna").clone();
    let offered: Vec<_> = conflict.candidates.iter().map(|candidate| candidate.employee.0).collect();
    assert_eq!(offered, [1, 2]);
}

#[test]
fn identity_4_a_weak_likeness_to_a_linked_employee_is_none() {
    let mut company = staff(3);
    company.person("new").name("Somebody Else").mail("new@example.org").mobile("+79261230001");
    company.settle();
    assert_eq!(company.linked("new"), Some(1_001), "a mobile may be shared");
}

#[test]
fn identity_4_a_disabled_account_takes_over_no_link() {
    let mut company = staff(4);
    company.person("p01").place(Place::Deleted);
    company.person("q01").name("First01 Last01").mail("p01@example.org");
    let conflict = company.preview().conflict_of("q01").clone();
    company.answer(&conflict, Answer::Employee { id: EmployeeId(1) });
    company.person("q01").account(Account::Disabled);
    company.settle();
    assert_eq!((company.linked("p01"), company.linked("q01")), (Some(1), None));
}

#[test]
fn identity_4_only_the_link_of_the_gone_is_moved() {
    let mut company = staff(4);
    company.person("p01").place(Place::Deleted);
    company.person("q01").name("First01 Last01").mail("p01@example.org").ext("202").mobile("+79261230002");
    let conflict = company.preview().conflict_of("q01").clone();
    assert_eq!((conflict.kind, conflict.candidates.len()), (ConflictKind::BackUnderNewId, 2));
    company.answer(&conflict, Answer::Relink).run();
    assert_eq!((company.linked("q01"), company.linked("p02")), (Some(1), Some(2)));
}

#[test]
fn identity_4_one_link_is_moved_once() {
    let mut company = staff(4);
    company.person("p01").place(Place::Deleted);
    company.person("q01").name("First01 Last01").mail("p01@example.org");
    let conflict = company.preview().conflict_of("q01").clone();
    company.answer(&conflict, Answer::Relink);
    company.person("r01").name("Somebody Else");
    let one = Answer::Employee { id: EmployeeId(1) };
    company.decide("r01", ConflictKind::AmbiguousMatch, None, one, "");
    company.run();
    assert_eq!((company.linked("r01"), company.linked("q01")), (Some(1), None));
}

#[test]
fn identity_4_gone_is_who_left_for_good_and_is_not_back() {
    let asked = |company: &Company| plan(&company.world()).conflict_of("q01").kind;
    let mut company = staff(4);
    company.person("p01").place(Place::Deleted);
    company.settle();
    company.person("q01").name("First01 Last01").mail("p01@example.org");
    let mut known = company.world();
    known.whereabouts.clear();
    assert_eq!(plan(&known).conflict_of("q01").kind, ConflictKind::BackUnderNewId, "known since then");
    company.person("p01").place(Place::Here);
    assert_eq!(asked(&company), ConflictKind::AlreadySomeones, "they are back");

    let mut company = staff(4);
    company.person("p01").account(Account::Disabled);
    company.settle();
    company.person("p01").place(Place::Missed);
    company.person("q01").name("First01 Last01").mail("p01@example.org");
    assert_eq!(asked(&company), ConflictKind::AlreadySomeones, "disabled and not seen is not gone");
}

#[test]
fn identity_4_an_answer_is_good_for_its_candidates_and_its_person() {
    let answered = || {
        let mut company = staff(4);
        company.person("p01").place(Place::Deleted);
        company.person("q01").name("Quite Another").mail("p01@example.org");
        let conflict = company.preview().conflict_of("q01").clone();
        company.answer(&conflict, Answer::Relink);
        company
    };
    let mut same = answered();
    same.run();
    assert_eq!(same.linked("q01"), Some(1));
    let mut other_candidate = answered();
    other_candidate.person("p01").place(Place::Here);
    other_candidate.person("p02").place(Place::Deleted);
    other_candidate.employee(1).mail("moved@example.org");
    other_candidate.employee(2).mail("p01@example.org");
    other_candidate.run();
    assert_eq!((other_candidate.linked("p02"), other_candidate.linked("q01")), (Some(2), None));
    let mut other_name = answered();
    other_name.person("q01").name("Somebody Else");
    other_name.run();
    assert_eq!((other_name.linked("p01"), other_name.linked("q01")), (Some(1), None));
}

#[test]
fn identity_3_a_weak_likeness_to_whom_another_is_joined_with_now_is_none() {
    let mut company = company();
    company.person("a").name("Anna Smirnova").mail("a@example.org");
    company.person("b").name("Anna Smirnova").mail("b@example.org");
    company.employee(1).name("Anna Smirnova").ext("201").mail("a@example.org");
    let plan = company.preview();
    assert_eq!(plan.action("a").employee, Some(EmployeeId(1)));
    assert!(plan.has_action("b") && plan.conflicts.is_empty(), "created now, and not asked first");
}
