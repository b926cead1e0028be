//! Conflicts: what they stand on, how they are silenced, how refused changes
//! wait.

use crate::support::*;
use reconcile::{Account, Answer, Conflict, ConflictKind, Direction, Field, Judge, RefusedBy, WayOut};
use std::collections::BTreeSet;

fn both_changed() -> (Company, Conflict) {
    let mut company = staff(3);
    company.person("p01").mail("d@example.org");
    company.employee(1).mail("p@example.org");
    let conflict = company.run().conflicts[0].clone();
    (company, conflict)
}

#[test]
fn conflicts_say_what_each_side_stores_and_what_can_be_done() {
    let (_, conflict) = both_changed();
    assert_eq!(conflict.directory_value.as_deref(), Some("d@example.org"));
    assert_eq!(conflict.pbx_value.as_deref(), Some("p@example.org"));
    assert_eq!((conflict.refused_by, conflict.field), (RefusedBy::Rollcall, Some(Email)));
    assert_eq!(conflict.ways_out, [WayOut::UseDirectory, WayOut::UsePbx, WayOut::LeaveAsIs]);
    assert!(!conflict.reason.is_empty());
}

#[test]
fn conflicts_come_back_until_their_cause_is_gone() {
    let (mut company, conflict) = both_changed();
    for _ in 0..3 {
        assert_eq!(company.run().conflicts, std::slice::from_ref(&conflict), "one row, the same every time");
    }
    company.employee(1).mail("d@example.org");
    assert!(company.run().conflicts.is_empty(), "resolved by itself");
}

#[test]
fn conflicts_stand_on_values_not_on_spelling_or_people() {
    let (mut company, conflict) = both_changed();
    company.person("p01").mail("D@example.org");
    assert_eq!(company.run().conflicts[0].stands_on, conflict.stands_on);
    company.person("p01").mail("d2@example.org");
    assert_ne!(company.run().conflicts[0].stands_on, conflict.stands_on);
}

#[test]
fn conflicts_an_answer_is_good_for_the_question_it_answered() {
    let (mut company, conflict) = both_changed();
    company.answer(&conflict, Answer::UseDirectory);
    company.employee(1).mail("p2@example.org");
    let plan = company.run();
    assert_eq!(plan.kinds(), [ConflictKind::BothChanged], "somebody typed something else meanwhile");
    assert!(plan.actions.is_empty());
}

#[test]
fn conflicts_leave_as_is_silences_until_a_value_changes() {
    for (kind, make, change) in [
        (
            ConflictKind::Unusable,
            (|company| company.person("p01").mail("nobody")) as fn(&mut Company) -> &mut Entry,
            (|company| company.person("p01").mail("no body")) as fn(&mut Company) -> &mut Entry,
        ),
        (
            ConflictKind::SeveralValues,
            |company| company.person("p01").many(Extension, &["288", "277"]),
            |company| company.person("p01").many(Extension, &["288", "278"]),
        ),
        (
            ConflictKind::NoName,
            |company| company.person("new").mail("n@example.org"),
            |company| company.person("new").name("\u{200B}"),
        ),
    ] {
        let mut company = staff(3);
        make(&mut company);
        let plan = company.run();
        assert_eq!(plan.kinds(), [kind]);
        company.answer(&plan.conflicts[0], Answer::LeaveAsIs);
        assert!(company.run().conflicts.is_empty());
        change(&mut company);
        assert_eq!(company.run().kinds(), [kind]);
    }
}

#[test]
fn conflicts_nobody_is_created_without_a_name() {
    let mut company = company();
    company.person("nameless").mail("n@example.org");
    company.person("control").name("Anna\u{7}");
    let plan = company.run();
    assert_eq!(plan.kinds(), [ConflictKind::NoName; 2]);
    assert!(plan.actions.is_empty());
}

#[test]
fn conflicts_a_bad_field_does_not_stop_a_creation() {
    let mut company = staff(2);
    company.person("new").name("Some Newcomer").mail("nobody").mobile("+1234567890123456");
    company.person("new").many(SipPassword, &["secretA", "secretB"]).set(Photo, "text");
    let plan = company.run();
    let fields: BTreeSet<Field> = plan.conflicts.iter().filter_map(|conflict| conflict.field).collect();
    assert_eq!(fields, BTreeSet::from([Email, Mobile, Photo, SipPassword]), "each its own conflict");
    let id = company.linked("new").unwrap();
    assert_eq!((company.ours(id, Email), company.ours(id, Mobile)), ("", ""));
    assert_eq!(company.ours(id, SipPassword), "secret-of-1001");
    let later = company.run();
    let again: BTreeSet<Field> = later.conflicts.iter().filter_map(|conflict| conflict.field).collect();
    assert_eq!(again, fields);
}

#[test]
fn conflicts_a_refused_change_waits_for_its_next_try_or_for_either_side() {
    let mut company = staff(3);
    company.person("p01").mail("refused@example.org").name("New Name");
    let hour = company.now_ms + 60 * MINUTE_MS;
    company.refuse("p01", Some(Email), hour);
    let plan = company.run();
    assert_eq!(sent(&plan.action("p01").pbx, Email), None);
    assert_eq!(sent(&plan.action("p01").pbx, Name), Some("New Name"), "the other fields go on");
    assert_eq!(plan.kinds(), [ConflictKind::Refused], "it stays on the list");

    let mut moved = company.clone();
    moved.person("p01").mail("other@example.org");
    assert_eq!(sent(&moved.run().action("p01").pbx, Email), Some("other@example.org"));

    let mut left = company.clone();
    left.decide("p01", ConflictKind::Refused, Some(Email), Answer::LeaveAsIs, "refused");
    left.now_ms = hour + MINUTE_MS;
    let plan = left.run();
    assert!(plan.conflicts.is_empty() && !plan.writes());
    assert!(left.link_of("p01").unwrap().pairs[Email].as_ref().unwrap().held, "agreed although they differ");
    assert!(left.run().actions.is_empty());
    left.employee(1).mail("desk@example.org");
    let plan = left.run();
    assert_eq!(
        sent(&plan.action("p01").directory, Email),
        Some("desk@example.org"),
        "only the PBX changed since"
    );

    company.now_ms = hour;
    assert_eq!(sent(&company.run().action("p01").pbx, Email), Some("refused@example.org"), "due");
}

#[test]
fn conflicts_a_refused_given_number_waits_too() {
    let mut company = staff(3);
    company.person("p01").ext("12a");
    let conflict = company.run().conflicts[0].clone();
    company.answer(&conflict, Answer::Number { number: "201".into(), keep_in_pbx: false });
    let hour = company.now_ms + 60 * MINUTE_MS;
    company.refuse("p01", Some(Extension), hour);
    let plan = company.run();
    assert_eq!(plan.kinds(), [ConflictKind::Refused]);
    assert!(plan.actions.is_empty());
}

#[test]
fn conflicts_a_refused_creation_waits_too() {
    let mut company = staff(3);
    company.person("new").name("Some Newcomer");
    let hour = company.now_ms + 60 * MINUTE_MS;
    company.refuse("new", None, hour);
    let plan = company.run();
    assert!(plan.actions.is_empty());
    assert_eq!(plan.kinds(), [ConflictKind::Refused]);
    let mut moved = company.clone();
    moved.person("new").mail("n@example.org");
    assert!(moved.run().has_action("new"));
    company.now_ms = hour;
    assert!(company.run().has_action("new"));
}

#[test]
fn conflicts_one_row_a_person_kind_and_field() {
    let mut company = staff(4);
    company.person("p01").mail("d@example.org").name("D").ext("202").set(Photo, "text");
    company.employee(1).mail("p@example.org").name("P");
    company.person("a").ext("1");
    company.person("b").account(Account::Disabled).ext("1");
    let plan = company.preview();
    let keys: BTreeSet<_> =
        plan.conflicts.iter().map(|conflict| (&conflict.person, conflict.kind, conflict.field)).collect();
    assert_eq!(keys.len(), plan.conflicts.len());
}

/// Whether a run of this company could tell that this conflict is over.
fn could_tell(company: &Company, conflict: &Conflict) -> bool {
    Judge::of(&company.world()).could_tell(conflict)
}

#[test]
fn conflicts_are_over_only_if_what_they_stand_on_was_seen() {
    let mut company = staff(3);
    company.person("p01").mobile("+79261110001");
    company.employee(1).mobile("79261110002");
    company.employee(2).set(Photo, "rubbish");
    let found = company.run();
    assert_eq!(found.kinds(), [ConflictKind::BothChanged, ConflictKind::Unusable]);
    assert!(found.conflicts.iter().all(|conflict| could_tell(&company, conflict)));

    company.employee(1).looked = false;
    company.employee(2).looked = false;
    assert!(company.preview().conflicts.is_empty(), "nothing is concluded from what was not looked at");
    assert!(!found.conflicts.iter().any(|conflict| could_tell(&company, conflict)));

    // Nor is it over because the directory no longer shows its value.
    company.employee(1).looked = true;
    company.person("p01").hide(Mobile);
    assert!(company.preview().conflicts.is_empty());
    assert!(!could_tell(&company, &found.conflicts[0]));
    company.person("p01").mobile("");
    assert!(could_tell(&company, &found.conflicts[0]), "it was emptied, as the mark shows");
}

#[test]
fn conflicts_about_the_directory_alone_need_no_look_at_the_pbx() {
    let mut company = staff(3);
    company.person("p01").many(SipPassword, &["secret7", "secret8"]);
    company.person("new").name("New Person").mobile("not a number");
    let found = company.preview();
    assert_eq!(found.kinds(), [ConflictKind::SeveralValues, ConflictKind::Unusable]);
    company.employee(1).looked = false;
    assert!(found.conflicts.iter().all(|conflict| could_tell(&company, conflict)));
}

#[test]
fn conflicts_of_who_left_or_has_no_employee_or_of_a_field_that_does_not_flow_are_over() {
    let mut company = staff(3);
    company.person("p01").mobile("+79261110001");
    company.employee(1).mobile("79261110002");
    let conflict = company.run().conflicts[0].clone();
    company.employee(1).looked = false;
    assert!(!could_tell(&company, &conflict));
    let mut left = company.clone();
    left.person("p01").account(Account::Disabled);
    let mut gone = company.clone();
    gone.person("p01").place(Place::Deleted);
    let mut alone = company.clone();
    alone.records.remove(&1);
    let mut off = company.clone();
    off.direction(Mobile, Direction::Off);
    let mut unmapped = company.clone();
    unmapped.mapped[Mobile] = false;
    for mut company in [left, gone, alone, off, unmapped] {
        assert!(could_tell(&company, &conflict));
        company.directory = partial();
        assert!(!could_tell(&company, &conflict), "an incomplete read says nothing about it");
    }
    let about_all = Conflict { field: None, ..conflict };
    assert!(could_tell(&company, &about_all), "who is who is told by the lists");
    company.pbx = partial();
    assert!(!could_tell(&company, &about_all));
}
