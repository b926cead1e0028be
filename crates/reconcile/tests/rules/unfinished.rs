//! Writes whose end was not known: whose they are, and what is held of them.

use crate::support::*;
use reconcile::merge::Cause;
use reconcile::unfinished::{End, Unfinished, find_out};
use reconcile::{Direction, EmployeeId, Field, Interval, PersonId, Side, Value, canonical};
use std::slice::from_ref;

/// What a run sent to the first person's employee, and did not live to settle.
fn to_pbx(field: Field, after: &str) -> Unfinished {
    Unfinished {
        person: PersonId::new("p01"),
        employee: EmployeeId(1),
        side: Side::Pbx,
        field,
        after: Some(in_directory(field, after).unwrap()),
        undoes: false,
        came_across: true,
    }
}

#[test]
fn unfinished_writes_that_no_agreement_is_left_for_are_over() {
    let mut company = staff(3);
    let write = to_pbx(Email, "p01@example.org");
    let end = |company: &Company, write: &Unfinished| find_out(&company.world(), from_ref(write)).ends[0];
    assert_eq!(end(&company, &write), End::Written);
    let other = Unfinished { employee: EmployeeId(2), ..write.clone() };
    assert_eq!(end(&company, &other), End::NotWritten, "they are linked with another one by now");
    company.mapped[Email] = false;
    assert_eq!(end(&company, &write), End::NotWritten);
    company.mapped[Email] = true;
    company.direction(Email, Direction::Off);
    assert_eq!(end(&company, &write), End::NotWritten);
}

#[test]
fn unfinished_writes_of_one_person_are_remembered_together() {
    let mut company = staff(3);
    company.employee(1).mail("new@example.org").mobile("79260000077");
    let writes = [to_pbx(Email, "new@example.org"), to_pbx(Mobile, "+79260000077")];
    let found = find_out(&company.world(), &writes);
    assert_eq!((found.ends.as_slice(), found.links.len()), (&[End::Written; 2][..], 1));
    for (field, stored) in [(Email, "new@example.org"), (Mobile, "79260000077")] {
        let link = &found.links[0];
        assert_eq!(link.pairs[field].as_ref().unwrap().pbx.as_ref().unwrap().raw(), stored);
        let seen = link.pbx[field].as_ref().unwrap();
        assert_eq!(seen.value.as_ref().unwrap().raw(), stored);
        let now_ms = company.now_ms;
        assert_eq!(seen.change, Interval { after_ms: now_ms, by_ms: now_ms }, "we wrote that ourselves");
    }
}

/// Somebody edits the directory before it is found out that the value of
/// before arrived in the PBX.
#[test]
fn unfinished_writes_to_the_pbx_hide_no_later_edit_of_the_directory() {
    let mut company = staff(3);
    company.employee(1).mail("new@example.org");
    company.person("p01").mail("newer@example.org");
    let found = find_out(&company.world(), &[to_pbx(Email, "new@example.org")]);
    assert_eq!(found.ends, [End::Written]);
    company.links[0] = found.links[0].clone();
    let plan = company.run();
    let change = &plan.action("p01").pbx[0];
    assert_eq!(change.cause, Cause::DirectoryChanged);
    assert_eq!(company.ours(1, Email), "newer@example.org");
}

/// The PBX stores a phone without the inner extension, which it cannot dial.
#[test]
fn unfinished_writes_of_a_phone_are_recognised_by_what_was_sent() {
    let mut company = staff(3);
    let phone = "+7 926 123-45-67 доб. 12";
    company.person("p01").mobile(phone);
    company.employee(1).mobile("79261234567");
    let sent = canonical::for_pbx(Mobile, &in_directory(Mobile, phone).unwrap()).unwrap();
    let write = Unfinished { after: Some(sent), ..to_pbx(Mobile, phone) };
    let found = find_out(&company.world(), &[write]);
    assert_eq!(found.ends, [End::Written]);
    company.links[0] = found.links[0].clone();
    company.settle();
    assert_eq!(company.theirs("p01", Mobile), phone, "nothing of it is lost");
    // A secret and a picture are told by more than their spelling.
    let other = Unfinished {
        field: SipPassword,
        after: Some(Value::new("set", "fp:other")),
        ..to_pbx(Mobile, phone)
    };
    assert_eq!(find_out(&company.world(), &[other]).ends, [End::NotWritten]);
}

/// The PBX keeps the beginning of a long name: it is no edit of anybody's.
#[test]
fn unfinished_writes_of_a_name_are_recognised_by_its_beginning() {
    let long = "Anna Berg of the long name";
    let mut company = staff(3);
    company.person("p01").name(long);
    company.employee(1).name("Anna Berg of");
    let found = find_out(&company.world(), &[to_pbx(Name, long)]);
    assert_eq!(found.ends, [End::Written]);
    company.links[0] = found.links[0].clone();
    company.settle();
    assert_eq!((company.theirs("p01", Name), company.ours(1, Name)), (long, "Anna Berg of"));

    let mut untouched = staff(3);
    let longer = format!("{} of the long name", untouched.ours(1, Name));
    untouched.person("p01").name(&longer);
    assert_eq!(find_out(&untouched.world(), &[to_pbx(Name, &longer)]).ends, [End::NotWritten]);
    untouched.employee(1).name("Somebody");
    assert_eq!(find_out(&untouched.world(), &[to_pbx(Name, &longer)]).ends, [End::NotWritten]);
}
