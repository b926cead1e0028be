//! What undoing says of what it did, and where it stops short.

use crate::support::*;
use crate::undo::{ran, refused};
use reconcile::guard::GuardKind;
use reconcile::plan::{LineOutcome, LinkStep, Step, What, Wrote, plan, undo};
use reconcile::{Account, Answer, ConflictKind, Direction, EmployeeId, Field, PersonId, Side};
use std::collections::BTreeSet;

fn step(seq: i64, person: &str, employee: u64, what: What) -> Step {
    Step { seq, person: PersonId::new(person), employee: Some(EmployeeId(employee)), what }
}

fn wrote(side: Side, field: Field, before: &str, after: &str) -> What {
    let value = |raw: &str| (!raw.is_empty()).then(|| in_directory(field, raw).unwrap());
    What::Wrote(Wrote { side, field, before: value(before), after: value(after), kept: true })
}

/// The first person's join was undone.
fn parted() -> (Company, [Step; 1]) {
    let mut company = staff(3);
    company.links.retain(|link| link.person.as_str() != "p01");
    (company, [step(1, "p01", 1, What::Parted)])
}

#[test]
fn undo_of_a_join_is_remembered_once_and_from_now_on() {
    let mut company = staff(3);
    let once = Answer::NotThese { ids: vec![EmployeeId(1)] };
    company.decide("p01", ConflictKind::UndoneJoin, None, once.clone(), "");
    company.now_ms += MINUTE_MS;
    let write = wrote(Side::Pbx, Email, "old@example.org", "p01@example.org");
    let undo = undo(&company.world(), &[step(1, "p01", 1, What::Joined), step(2, "p01", 1, write)]);
    assert_eq!((&undo.remember[0].answer, undo.remember[0].at_ms), (&once, company.now_ms));
    assert_eq!(undo.plan.action("p01").pbx.len(), 1);
    assert_eq!(undo.plan.people[0].differs, [], "who is linked with nobody differs from nobody");
}

#[test]
fn undo_of_a_join_ends_the_link_of_somebody_who_is_gone() {
    let mut company = staff(3);
    company.person("p01").place(Place::Deleted);
    company.settle();
    let undo = company.undo(&[step(1, "p01", 1, What::Joined)]);
    assert_eq!(undo.plan.action("p01").link, Some(LinkStep::Part));
    assert_eq!(undo.plan.people[0].outcome, LineOutcome::Unlink);
    assert_eq!(company.linked("p01"), None);
}

#[test]
fn undo_joins_again_nobody_on_an_incomplete_read_or_beside_another_link() {
    let (mut company, steps) = parted();
    company.pbx = partial();
    refused(&undo(&company.world(), &steps), "read incompletely");
    let (mut company, steps) = parted();
    company.links[0].employee = EmployeeId(1);
    refused(&undo(&company.world(), &steps), "somebody else's");
    // What was written to another employee before is none of this one's business.
    let (company, [again]) = parted();
    let write = wrote(Side::Pbx, Email, "old@example.org", "p02@example.org");
    let undo = undo(&company.world(), &[again, step(2, "p01", 2, write)]);
    assert!(undo.plan.action("p01").pbx.is_empty());
    assert!(undo.not_undone[0].why.contains("not linked"), "{:?}", undo.not_undone);
}

#[test]
fn undo_joins_a_disabled_person_again_as_one_who_left() {
    let (mut company, steps) = parted();
    company.person("p01").account(Account::Disabled);
    let undo = undo(&company.world(), &steps);
    let left = Some(reconcile::LeftReason::Disabled);
    assert_eq!(undo.plan.action("p01").link, Some(LinkStep::Join { by: vec![], decided: true, left }));
}

#[test]
fn undo_agrees_only_on_what_flows_and_was_seen() {
    let (mut company, steps) = parted();
    let fields = |company: &Company| -> Vec<Field> {
        let undo = undo(&company.world(), &steps);
        undo.plan.action("p01").agree.iter().map(|agreed| agreed.field).collect()
    };
    assert_eq!(fields(&company), Field::ALL);
    company.direction(Email, Direction::Off);
    company.employee(1).looked = false;
    assert_eq!(fields(&company), [Name, Extension]);
}

#[test]
fn undo_of_another_spelling_is_no_write() {
    let company = staff(3);
    let respelled = step(1, "p01", 1, wrote(Side::Pbx, Email, "P01@Example.org", "p01@example.org"));
    refused(&undo(&company.world(), &[respelled]), "says the same as before");
}

#[test]
fn undo_replaces_what_the_directory_spells_otherwise_by_now() {
    let mut company = staff(3);
    company.person("p01").mail("P01@Example.org");
    let write = step(1, "p01", 1, wrote(Side::Directory, Email, "old@example.org", "p01@example.org"));
    let undo = undo(&company.world(), &[write]);
    let change = &undo.plan.action("p01").directory[0];
    assert_eq!(change.before.as_ref().unwrap().raw(), "P01@Example.org", "what stands there to the letter");
    assert_eq!(change.after.as_ref().unwrap().raw(), "old@example.org");
}

#[test]
fn undo_of_a_clear_in_the_directory_fills_it_again() {
    let mut company = staff(3);
    company.employee(1).mobile("");
    let steps = ran(&mut company);
    assert_eq!((steps.len(), company.theirs("p01", Mobile)), (1, ""));
    let undo = company.undo(&steps);
    assert_eq!(undo.not_undone, []);
    assert_eq!((company.theirs("p01", Mobile), company.ours(1, Mobile)), ("+79261230001", ""));
}

#[test]
fn undo_forgets_an_answer_that_wrote_to_the_directory() {
    let mut company = staff(3);
    company.person("p01").mail("d@example.org");
    company.employee(1).mail("p@example.org");
    let plan = company.run();
    company.answer(&plan.conflicts[0], Answer::UsePbx);
    let steps = ran(&mut company);
    assert_eq!(company.theirs("p01", Email), "p@example.org");
    let undo = company.undo(&steps);
    let forgotten: Vec<_> = undo.forget.iter().map(|decision| &decision.answer).collect();
    assert_eq!(forgotten, [&Answer::UsePbx]);
    assert_eq!(company.theirs("p01", Email), "d@example.org");
}

#[test]
fn undo_lists_each_step_once_and_in_the_order_of_the_run() {
    let mut company = staff(6);
    let secret = || wrote(Side::Pbx, SipPassword, "secret0", "secret1");
    let mail = wrote(Side::Pbx, Email, "old@example.org", "p01@example.org");
    company.stopped = BTreeSet::from([GuardKind::OverwritesInPbx]);
    let steps = [step(3, "p02", 2, secret()), step(5, "p01", 1, secret()), step(4, "p01", 1, mail)];
    let undo = undo(&company.world(), &steps);
    let listed: Vec<_> = undo.not_undone.iter().map(|step| step.seq).collect();
    assert_eq!(listed, [3, 4, 5]);
}

#[test]
fn undo_tells_of_nobody_whose_number_is_not_free_and_warns_of_nothing() {
    let mut company = staff(3);
    company.person("p01").ext("277");
    let steps = ran(&mut company);
    company.queue("201", "QUEUE");
    let mut world = company.world();
    world.extensions_length = 4;
    assert!(!plan(&world).warnings.is_empty());
    let undo = undo(&world, &steps);
    refused(&undo, "call queue");
    assert_eq!((undo.plan.people, undo.plan.warnings), (Vec::new(), Vec::new()));
}

#[test]
fn undo_lists_a_number_once_where_the_rest_is_held_back_too() {
    let mut company = staff(3);
    company.person("p01").ext("277").mail("new@example.org");
    let steps = ran(&mut company);
    company.queue("201", "QUEUE");
    company.stopped = BTreeSet::from([GuardKind::OverwritesInPbx]);
    let undo = undo(&company.world(), &steps);
    let listed: Vec<_> = undo.not_undone.iter().map(|step| step.seq).collect();
    assert_eq!(listed, [1, 2], "{:#?}", undo.not_undone);
}
