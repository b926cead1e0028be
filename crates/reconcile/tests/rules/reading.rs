//! What a read knows: absence is proved, several values are one, and what is
//! unusable counts as set.

use crate::support::*;
use reconcile::plan::plan;
use reconcile::{Answer, ConflictKind, Direction, Mark, Reading, WayOut};

/// A person with an e-mail on both sides, in step for a while.
fn with_mail(dates: bool) -> Company {
    let mut company = company();
    company.dates_attributes = dates;
    (1..=9).for_each(|at| company.pair_up(at));
    company.settle();
    company
}

fn forget_mail(company: &mut Company, people: u64) {
    for at in 1..=people {
        company.person(&format!("p{at:02}")).mail("");
    }
}

#[test]
fn reading_absent_is_empty_only_if_the_mark_moved() {
    for dates in [false, true] {
        let mut hidden = with_mail(dates);
        hidden.person("p01").hide(Email);
        assert!(hidden.run().actions.is_empty(), "rights were withdrawn, nothing was removed");

        let mut cleared = with_mail(dates);
        cleared.person("p01").mail("");
        cleared.settle();
        assert_eq!(cleared.ours(1, Email), "", "dates: {dates}");
    }
}

#[test]
fn reading_where_attributes_are_dated_another_change_proves_nothing() {
    let mut company = with_mail(true);
    company.person("p01").hide(Email).name("Renamed");
    company.settle();
    assert_eq!(company.ours(1, Name), "Renamed");
    assert_eq!(company.ours(1, Email), "p01@example.org");
}

#[test]
fn reading_what_was_hidden_before_the_entry_changed_is_not_cleared() {
    let mut company = with_mail(false);
    company.person("p01").hide(Email);
    company.run();
    company.person("p01").name("Renamed");
    company.settle();
    assert_eq!(company.ours(1, Name), "Renamed");
    assert_eq!(company.ours(1, Email), "p01@example.org");
}

#[test]
fn reading_a_replica_that_lags_behind_proves_nothing() {
    let mut company = with_mail(false);
    company.person("p01").mail("");
    let mut world = company.world();
    let shared = |mark: &mut Option<Mark>, seconds: &str| {
        *mark = Some(Mark(format!("202611232020{seconds}.000000Z#000000#000#000000").into()));
    };
    for sight in world.links.iter_mut().filter_map(|link| link.directory[Email].as_mut()) {
        shared(&mut sight.mark, "30");
    }
    for (seconds, proves) in [("29", false), ("30", false), ("31", true)] {
        world.people.rows.iter_mut().for_each(|person| shared(&mut person.mark, seconds));
        assert_eq!(plan(&world).has_action("p01"), proves, "{seconds}");
    }
}

#[test]
fn reading_a_date_of_another_server_proves_nothing() {
    let mut company = with_mail(true);
    company.person("p01").mail("");
    let mut world = company.world();
    for changes in world.attribute_changes.values_mut() {
        if let Some(change) = &mut changes[Email] {
            change.mark = Mark(change.mark.0.replace("dc1", "dc2").into());
        }
    }
    assert!(!plan(&world).has_action("p01"));
}

#[test]
fn reading_a_fail_over_moves_every_mark_and_proves_nothing() {
    let mut company = with_mail(false);
    company.person("p01").hide(Email);
    let mut world = company.world();
    for person in &mut world.people.rows {
        person.mark = person.mark.as_ref().map(|mark| Mark(mark.0.replace("dc1", "dc2").into()));
    }
    assert!(!plan(&world).has_action("p01"));
}

/// slapd's marks are the same on every replica, and begin with the time.
#[test]
fn reading_an_older_mark_comes_from_a_replica_that_lags_behind() {
    let csn = |seconds: u32| Some(Mark(format!("202601011200{seconds:02}.000000Z#000000#000#000000").into()));
    for (now, proves) in [(29, false), (30, false), (31, true)] {
        let mut company = with_mail(false);
        company.person("p01").mail("");
        let mut world = company.world();
        world.people.rows.iter_mut().for_each(|person| person.mark = csn(now));
        for link in &mut world.links {
            link.directory[Email].as_mut().unwrap().mark = csn(30);
        }
        assert_eq!(plan(&world).has_action("p01"), proves, "{now}");
    }
}

#[test]
fn reading_what_was_hidden_is_not_proved_absent_by_a_later_change() {
    for dates in [false, true] {
        let mut company = with_mail(dates);
        company.person("p01").hide(Email);
        company.run();
        company.person("p01").name("Renamed");
        company.settle();
        assert_eq!(company.ours(1, Name), "Renamed");
        assert_eq!(company.ours(1, Email), "p01@example.org");
        company.person("p01").hidden[Email] = false;
        company.run();
        company.person("p01").mail("");
        company.settle();
        assert_eq!(company.ours(1, Email), "", "seen again, it can be proved");
    }
}

#[test]
fn reading_without_a_readable_mark_nothing_is_proved() {
    let mut company = with_mail(false);
    company.person("p01").marked = false;
    company.settle();
    company.person("p01").mail("");
    company.settle();
    assert_eq!(company.ours(1, Email), "p01@example.org");
}

#[test]
fn reading_an_incomplete_read_proves_nothing_and_the_next_complete_one_does() {
    let mut company = with_mail(false);
    company.person("p01").mail("");
    company.directory = partial();
    company.run();
    company.run();
    assert_eq!(company.ours(1, Email), "p01@example.org");
    company.directory = reconcile::Verdict::Complete;
    company.settle();
    assert_eq!(company.ours(1, Email), "");
}

#[test]
fn reading_who_never_had_a_value_is_simply_without_it() {
    let mut company = company();
    company.person("anna").name("Anna Smirnova").mail("a@example.org");
    company.employee(1).name("Anna Smirnova").ext("201").mail("a@example.org").mobile("79261234567");
    company.settle();
    assert_eq!(company.theirs("anna", Mobile), "+79261234567");
}

#[test]
fn reading_an_attribute_that_vanished_from_most_is_unreadable() {
    let mut company = with_mail(false);
    forget_mail(&mut company, 5);
    company.settle();
    assert_eq!(company.ours(1, Email), "p01@example.org", "5 of 9");

    let mut scattered = with_mail(false);
    for at in 1..=9 {
        scattered.person(&format!("p{at:02}")).below(&format!("OU=Unit{at},DC=example,DC=org"));
    }
    scattered.settle();
    forget_mail(&mut scattered, 5);
    scattered.settle();
    assert_eq!(scattered.ours(1, Email), "p01@example.org", "wherever they are");

    let mut few = with_mail(false);
    forget_mail(&mut few, 4);
    few.settle();
    assert_eq!(few.ours(1, Email), "", "4 of 9 is not most");
}

#[test]
fn reading_an_attribute_that_vanished_below_one_parent_is_unreadable_there() {
    let mut company = with_mail(false);
    // A comma in a name does not make a container of its own.
    for (at, name) in ["p01\\, Anna", "p02\\2C Anna", "p03\\\\", "p04\\,\\,"].into_iter().enumerate() {
        let person = company.person(&format!("p{:02}", at + 1));
        person.dn = format!("CN={name},OU=Sales\\, North,OU=People,DC=example,DC=org");
    }
    company.settle();
    forget_mail(&mut company, 3);
    company.person("p09").mail("");
    company.settle();
    assert_eq!(company.ours(1, Email), "p01@example.org");
    assert_eq!(company.ours(9, Email), "", "elsewhere it is a change like any other");
}

#[test]
fn reading_a_picture_nobody_looked_at_says_nothing_about_the_others() {
    let mut world = with_mail(false).world();
    for person in &mut world.people.rows {
        let at: u32 = person.id.as_str()[1..].parse().unwrap();
        person.mark = Some(Mark("dc1:99".into()));
        person.fields[Photo] = if at <= 3 { Reading::Absent } else { Reading::NotLooked };
    }
    assert!(!plan(&world).writes(), "all that was looked at vanished");
}

#[test]
fn reading_of_several_values_the_agreed_one_is_the_persons() {
    let mut company = with_mail(false);
    company.person("p01").many(Email, &["aaa@example.org", "p01@example.org", "zzz@example.org"]);
    assert!(!company.run().writes());
    company.person("p01").many(Email, &["zzz@example.org", "P01@example.org", "aaa@example.org"]);
    assert!(!company.run().writes(), "order and case mean nothing");
    company.person("p01").many(Email, &["zzz@example.org", "mmm@example.org"]);
    company.settle();
    assert_eq!(company.ours(1, Email), "mmm@example.org", "else the smallest");
}

#[test]
fn reading_of_several_values_the_one_the_pbx_has_comes_next() {
    let mut company = company();
    company.person("anna").name("Anna").many(Mobile, &["+79260000001", "8 926 000-00-02"]);
    company.employee(1).name("Anna").ext("201").mobile("79260000002");
    let plan = company.run();
    assert_eq!(sent(&plan.action("anna").pbx, Mobile), None);
}

#[test]
fn reading_a_write_exchanges_the_one_value_and_leaves_the_rest() {
    let mut company = with_mail(false);
    company.person("p01").many(Email, &["aaa@example.org", "p01@example.org"]);
    company.settle();
    company.employee(1).mail("new@example.org");
    company.settle();
    assert_eq!(company.entries["p01"].values[Email], ["aaa@example.org", "new@example.org"]);
}

#[test]
fn reading_a_value_that_is_there_already_becomes_the_persons() {
    let mut company = with_mail(false);
    company.person("p01").many(Email, &["p01@example.org", "second@example.org"]);
    company.settle();
    company.employee(1).mail("Second@example.org");
    assert!(!company.run().writes());
    company.settle();
    company.employee(1).mail("third@example.org");
    company.settle();
    assert_eq!(company.entries["p01"].values[Email], ["p01@example.org", "third@example.org"]);
}

#[test]
fn reading_several_numbers_are_a_question() {
    let mut company = with_mail(false);
    company.person("p01").many(Extension, &["288", "277"]);
    let plan = company.run();
    assert_eq!(plan.kinds(), [ConflictKind::SeveralValues]);
    assert_eq!(company.ours(1, Extension), "201");
    let number = Answer::Number { number: "288".into(), keep_in_pbx: false };
    company.answer(&plan.conflicts[0], number).settle();
    assert_eq!(company.ours(1, Extension), "288");
    assert_eq!(company.entries["p01"].values[Extension], ["288", "277"], "it is there already");
    assert!(company.preview().conflicts.is_empty());
}

#[test]
fn reading_several_sip_passwords_are_a_question() {
    let mut company = with_mail(false);
    company.person("p01").many(SipPassword, &["secretB", "secretA"]);
    let plan = company.run();
    assert_eq!(plan.kinds(), [ConflictKind::SeveralValues]);
    company.answer(&plan.conflicts[0], Answer::UsePbx).settle();
    assert_eq!(company.entries["p01"].values[SipPassword].len(), 2);
    assert!(company.entries["p01"].values[SipPassword].contains(&"secret1".to_owned()));
    assert!(company.preview().conflicts.is_empty());
}

#[test]
fn reading_unusable_counts_as_set() {
    for (field, bad) in [
        (Name, "Anna\u{1}"),
        (Extension, "12a"),
        (Mobile, "call me"),
        (Email, "nobody"),
        (Photo, "text"),
        (SipPassword, "?"),
    ] {
        for directory in [true, false] {
            let mut company = with_mail(false);
            if directory {
                company.person("p01").set(field, bad);
            } else {
                company.employee(1).set(field, bad);
            }
            let plan = company.run();
            assert_eq!(plan.kinds(), [ConflictKind::Unusable], "{field}");
            assert_eq!(plan.conflicts[0].field, Some(field));
            company.run();
            let (theirs, ours) = (company.theirs("p01", field), company.ours(1, field));
            assert_eq!(if directory { theirs } else { ours }, bad, "{field}: not overwritten");
            assert_ne!(if directory { ours } else { theirs }, bad, "{field}: not sent across");
        }
    }
}

#[test]
fn reading_unusable_is_not_filled_either() {
    let mut company = company();
    company.person("anna").name("Anna Smirnova").mail("nobody");
    company.employee(1).name("Anna Smirnova").ext("201").mail("anna@example.org");
    company.settle();
    assert_eq!(company.theirs("anna", Email), "nobody");
    assert_eq!(company.preview().kinds(), [ConflictKind::Unusable]);
}

#[test]
fn reading_an_unusable_number_creates_nobody_until_a_human_chooses() {
    let waiting = || {
        let mut company = staff(2);
        company.person("anna").name("Anna Smirnova").ext("+7 (495) 123-45-67");
        let plan = company.run();
        assert_eq!(plan.kinds(), [ConflictKind::Unusable]);
        assert!(plan.actions.is_empty());
        (company, plan.conflicts[0].clone())
    };
    let (mut write, conflict) = waiting();
    write.answer(&conflict, Answer::Number { number: "250".into(), keep_in_pbx: false }).settle();
    assert_eq!((write.ours(1_001, Extension), write.theirs("anna", Extension)), ("250", "250"));

    let (mut keep, conflict) = waiting();
    keep.answer(&conflict, Answer::Number { number: "250".into(), keep_in_pbx: true }).settle();
    assert_eq!(keep.ours(1_001, Extension), "250");
    assert_eq!(keep.theirs("anna", Extension), "+7 (495) 123-45-67");
    assert!(keep.preview().conflicts.is_empty(), "chosen is chosen");
    keep.employee(1_001).ext("251");
    keep.settle();
    assert_eq!(keep.ours(1_001, Extension), "251", "a later change in the PBX stands");

    let (mut out, conflict) = waiting();
    out.answer(&conflict, Answer::LeaveOut).settle();
    assert_eq!(out.linked("anna"), None);
}

#[test]
fn reading_an_unusable_number_of_an_employee() {
    for (direction, keep_in_pbx, ours, theirs) in [
        (Direction::Both, false, "250", "250"),
        (Direction::Both, true, "250", "12a"),
        (Direction::ToPbx, false, "250", "12a"),
        (Direction::ToDirectory, false, "201", "12a"),
    ] {
        let mut company = staff(4);
        company.direction(Extension, direction);
        company.person("p01").ext("12a");
        let conflict = company.run().conflict(ConflictKind::Unusable).clone();
        company.answer(&conflict, Answer::Number { number: "250".into(), keep_in_pbx }).run();
        assert_eq!((company.ours(1, Extension), company.theirs("p01", Extension)), (ours, theirs));
    }
}

#[test]
fn reading_unusable_gives_way_to_the_pbx_where_a_human_says_so() {
    for (field, bad) in [(Extension, "12a"), (Mobile, "call me"), (Email, "nobody"), (Name, "\u{200B}")] {
        let mut company = staff(4);
        let ours = company.ours(1, field).to_owned();
        company.person("p01").set(field, bad);
        let conflict = company.run().conflict(ConflictKind::Unusable).clone();
        company.answer(&conflict, Answer::UsePbx).settle();
        assert_eq!(company.ours(1, field), ours);
        assert_eq!(company.theirs("p01", field).trim_start_matches('+'), ours);
    }
    // Where it is not known to the letter, nobody is offered to exchange it.
    for (field, bad) in [(Name, "Anna\u{1}"), (Photo, "text"), (SipPassword, "?")] {
        let mut company = staff(4);
        company.person("p01").set(field, bad);
        let conflict = company.run().conflict(ConflictKind::Unusable).clone();
        assert!(!conflict.ways_out.contains(&WayOut::UsePbx));
        company.answer(&conflict, Answer::UsePbx).settle();
        assert_eq!(company.theirs("p01", field), bad);
    }
}

#[test]
fn reading_what_was_not_looked_at_is_neither_changed_nor_written() {
    let mut company = staff(4);
    company.employee(1).looked = false;
    company.employee(1).set(Mobile, "79990000000").set(SipPassword, "secretX");
    company.person("p01").mobile("+79995555555").set(Photo, "pictureX").mail("new@example.org");
    let plan = company.run();
    let fields: Vec<_> = plan.action("p01").pbx.iter().map(|change| change.field).collect();
    assert_eq!(fields, [Email]);
    company.employee(1).looked = true;
    company.run();
    assert_eq!(company.theirs("p01", SipPassword), "secretX");
    assert_eq!(company.ours(1, Photo), "pictureX");
}

#[test]
fn reading_a_derived_picture_is_never_sent_over_another() {
    let small = Reading::one(reconcile::Value::new("JPEG", "small").or_also("something else"));
    for (direction, sent) in [(Direction::Both, true), (Direction::ToPbx, false)] {
        let mut company = company();
        company.policy.fields[Photo].direction = direction;
        company.pair_up(1);
        let mut world = company.world();
        world.people.rows[0].fields[Photo] = small.clone();
        let plan = plan(&world);
        let action = plan.actions.iter().find(|action| action.person.as_str() == "p01").unwrap();
        assert!(!action.pbx.iter().any(|change| change.field == Photo), "{direction:?}");
        assert_eq!(action.directory.iter().any(|change| change.field == Photo), sent, "{direction:?}");
    }
}

#[test]
fn reading_half_of_them_is_not_most_of_them() {
    let mut company = staff(6);
    for at in 1..=3 {
        company.person(&format!("p{at:02}")).mobile("");
    }
    assert_eq!(company.preview().actions.len(), 3, "three of six have none any more");
    company.person("p04").mobile("");
    assert!(company.preview().actions.is_empty(), "four of six lost the attribute");
}

#[test]
fn reading_who_never_had_a_value_lost_none() {
    let mut company = company();
    for at in 1..=8 {
        company.pair_up(at);
        if at <= 5 {
            company.person(&format!("p{at:02}")).mobile("");
            company.employee(at).mobile("");
        }
    }
    company.settle();
    company.person("p06").mobile("");
    assert_eq!(sent(&company.preview().action("p06").pbx, Mobile), Some(""));
}

#[test]
fn reading_the_agreed_spelling_counts_among_equivalent_ones() {
    let mut company = staff(3);
    company.person("p01").many(Email, &["P01@example.org", "p01@example.org"]);
    assert!(company.preview().actions.is_empty(), "not even the pair moves");
}
