//! People who leave, and people who come back.

use crate::support::*;
use reconcile::plan::{LineOutcome, LinkStep};
use reconcile::{Account, Answer, ConflictKind, EmployeeId, LeftReason, LinkState};

const LEAVING: [(Account, LeftReason); 3] = [
    (Account::Disabled, LeftReason::Disabled),
    (Account::Expired, LeftReason::Expired),
    (Account::Locked, LeftReason::Locked),
];
const GOING: [(Place, LeftReason); 3] = [
    (Place::Deleted, LeftReason::Deleted),
    (Place::Moved, LeftReason::MovedOut),
    (Place::Filtered, LeftReason::FilteredOut),
];

fn left(company: &Company, person: &str) -> Option<LeftReason> {
    match company.link_of(person)?.state {
        LinkState::Left { reason, .. } => Some(reason),
        LinkState::Active | LinkState::Resting { .. } => None,
    }
}

#[test]
fn leavers_the_employee_keeps_working_untouched() {
    for (account, reason) in LEAVING {
        let mut company = staff(4);
        let before = company.records[&1].values.clone();
        company.person("p01").account(account).mail("other@example.org").name("Other Name");
        let plan = company.run();
        let action = plan.action("p01");
        assert_eq!(action.link, Some(LinkStep::Leave { reason }));
        assert!(action.pbx.is_empty() && action.directory.is_empty() && action.agree.is_empty());
        company.employee(1).mobile("79995550000");
        assert!(company.run().actions.is_empty(), "no field moves either way");
        assert_eq!(company.preview().people[0].outcome, LineOutcome::Left);
        assert_eq!(left(&company, "p01"), Some(reason));
        let mut after = company.records[&1].values.clone();
        after[Mobile].clone_from(&before[Mobile]);
        assert_eq!(after, before);
        assert_eq!(company.theirs("p01", Mobile), "+79261230001");
    }
}

#[test]
fn leavers_a_lock_out_after_wrong_passwords_is_not_one() {
    let mut company = staff(4);
    company.person("p01").account(Account::LockedOut).mail("new@example.org");
    company.settle();
    assert_eq!((left(&company, "p01"), company.ours(1, Email)), (None, "new@example.org"));
}

#[test]
fn leavers_nobody_is_gone_by_absence_alone() {
    for (place, reason) in GOING {
        let mut company = staff(4);
        company.person("p01").place(place);
        let plan = company.run();
        assert_eq!(plan.action("p01").link, Some(LinkStep::Leave { reason }));
        assert!(company.run().actions.is_empty());
    }
    for place in [Place::Missed, Place::Refused] {
        let mut company = staff(4);
        company.person("p01").place(place);
        let plan = company.run();
        assert!(plan.actions.is_empty());
        assert_eq!(plan.held_back[0].people, 1);
        assert_eq!(left(&company, "p01"), None);
    }
    let mut company = staff(4);
    company.person("p01").place(Place::Deleted);
    let mut world = company.world();
    world.whereabouts.clear();
    assert!(reconcile::plan::plan(&world).actions.is_empty(), "nobody looked");
}

#[test]
fn leavers_since_when_stays_whatever_the_reason_becomes() {
    let mut company = staff(4);
    company.person("p01").account(Account::Disabled);
    company.run();
    let LinkState::Left { since_ms, .. } = company.state("p01") else { panic!("still there") };
    company.person("p01").place(Place::Deleted);
    company.run();
    assert_eq!(company.state("p01"), LinkState::Left { reason: LeftReason::Deleted, since_ms });
}

#[test]
fn leavers_back_from_disabled_is_merged_as_ever() {
    for (account, _) in LEAVING {
        let mut company = staff(4);
        company.person("p01").account(account);
        company.settle();
        company.person("p01").mail("while-away@example.org");
        company.employee(1).mobile("79995550000");
        company.run();
        company.person("p01").account(Account::Enabled);
        assert!(matches!(company.run().action("p01").link, Some(LinkStep::Return { .. })));
        company.settle();
        assert_eq!(company.ours(1, Email), "while-away@example.org");
        assert_eq!(company.theirs("p01", Mobile), "+79995550000");
    }
}

#[test]
fn leavers_back_from_gone_is_a_first_meeting_that_clears_nothing() {
    for (place, _) in GOING {
        let mut company = staff(4);
        company.person("p01").place(place);
        company.settle();
        // Restored: same id, another e-mail, no mobile; the PBX has a new name.
        company.person("p01").mail("restored@example.org").mobile("").place(Place::Here);
        company.employee(1).name("Renamed Meanwhile");
        company.settle();
        assert_eq!(company.linked("p01"), Some(1));
        assert_eq!(company.ours(1, Email), "restored@example.org");
        assert_eq!(company.ours(1, Name), "First01 Last01", "the directory's, though only the PBX changed");
        assert_eq!(company.ours(1, Mobile), "79261230001");
        assert_eq!(company.theirs("p01", Mobile), "+79261230001", "filled, not cleared");
    }
}

#[test]
fn leavers_back_from_gone_by_way_of_disabled_is_a_first_meeting_too() {
    let mut company = staff(4);
    company.person("p01").place(Place::Deleted);
    company.settle();
    company.person("p01").place(Place::Here).account(Account::Disabled).mobile("");
    company.employee(1).name("Renamed Meanwhile");
    company.settle();
    assert_eq!(left(&company, "p01"), Some(LeftReason::Disabled));
    company.person("p01").account(Account::Enabled);
    company.settle();
    assert_eq!(company.ours(1, Name), "First01 Last01");
    assert_eq!(company.ours(1, Mobile), "79261230001");
}

#[test]
fn leavers_what_was_not_looked_at_on_return_meets_first_too() {
    let mut company = staff(4);
    company.person("p01").place(Place::Deleted);
    company.settle();
    company.person("p01").place(Place::Here);
    company.employee(1).set(SipPassword, "secretP").set(Mobile, "79995550000").looked = false;
    company.run();
    company.employee(1).looked = true;
    company.settle();
    assert_eq!(company.ours(1, Mobile), "79261230001", "the directory's wins a first meeting");
    assert_eq!(company.theirs("p01", SipPassword), "secretP");
}

#[test]
fn leavers_disabled_at_the_first_meeting_is_joined_and_listed() {
    for (account, reason) in LEAVING {
        let mut company = company();
        company.person("anna").name("Anna Smirnova").mail("a@example.org").account(account);
        company.employee(1).name("Anna Petrova").ext("201").mail("a@example.org");
        let plan = company.run();
        assert!(!plan.writes() && plan.action("anna").agree.is_empty());
        assert_eq!(left(&company, "anna"), Some(reason));
        company.settle();
        assert_eq!((company.ours(1, Name), company.theirs("anna", Extension)), ("Anna Petrova", ""));
    }
}

#[test]
fn leavers_the_link_ends_when_the_employee_is_deleted() {
    for gone in [true, false] {
        let mut company = staff(4);
        if gone {
            company.person("p01").place(Place::Deleted);
        } else {
            company.person("p01").account(Account::Disabled);
        }
        company.settle();
        company.records.remove(&1);
        let plan = company.run();
        assert_eq!(plan.action("p01").link, Some(LinkStep::Unlink));
        assert_eq!(company.linked("p01"), None);
        assert_eq!(company.theirs("p01", Extension), "201", "the directory's value is left");
        assert!(company.run().actions.is_empty());
    }
}

#[test]
fn leavers_an_employee_deleted_under_an_active_person_is_a_question() {
    let deleted = || {
        let mut company = staff(4);
        company.records.remove(&1);
        let plan = company.run();
        assert_eq!(plan.kinds(), [ConflictKind::EmployeeDeleted]);
        assert!(plan.actions.is_empty());
        assert_eq!(company.linked("p01"), Some(1));
        (company, plan.conflicts[0].clone())
    };
    let (mut again, conflict) = deleted();
    again.answer(&conflict, Answer::NewEmployee).settle();
    assert_eq!(again.linked("p01"), Some(1_001));
    assert_eq!(again.ours(1_001, Extension), "201");

    // A number only the PBX knew is given again.
    let mut unwritten = staff(4);
    unwritten.policy.write_back = false;
    unwritten.person("p01").ext("");
    unwritten.settle();
    unwritten.records.remove(&1);
    let conflict = unwritten.run().conflicts[0].clone();
    unwritten.answer(&conflict, Answer::NewEmployee).settle();
    assert_eq!(unwritten.ours(1_001, Extension), "201");

    // Re-created by a run that did not live to link it.
    let (mut found, conflict) = deleted();
    found.employee(77).name("First01 Last01").ext("201");
    found.answer(&conflict, Answer::Employee { id: EmployeeId(77) }).settle();
    assert_eq!((found.linked("p01"), found.records.len()), (Some(77), 4));
    let (mut taken, conflict) = deleted();
    taken.answer(&conflict, Answer::Employee { id: EmployeeId(2) }).run();
    assert_eq!(taken.linked("p02"), Some(2), "nobody else's");

    let (mut out, conflict) = deleted();
    out.answer(&conflict, Answer::LeaveOut).settle();
    out.person("p01").name("Changed");
    let plan = out.run();
    assert!(plan.actions.is_empty() && plan.conflicts.is_empty());
    assert_eq!(out.records.len(), 3);
}

#[test]
fn leavers_come_back_even_if_they_cannot_have_another_number() {
    let mut company = staff(3);
    company.person("p01").account(Account::Disabled);
    company.settle();
    company.person("p01").account(Account::Enabled).ext("202");
    let plan = company.run();
    assert_eq!(plan.kinds(), [ConflictKind::NumberTaken]);
    assert_eq!(company.state("p01"), LinkState::Active);
}
