//! A restored or replaced PBX gives a known id to somebody else: the link rests until a human says who it is.

use crate::support::*;
use reconcile::plan::LinkStep;
use reconcile::{Answer, ConflictKind, LinkState};

fn replaced(company: &mut Company, id: u64) {
    company.employee(id).name("Stranger").ext(&(700 + id).to_string()).mail("stranger@example.org");
}

#[test]
fn identity_8_somebody_else_under_a_known_id_rests() {
    let mut company = staff(12);
    replaced(&mut company, 1);
    let plan = company.run();
    assert_eq!(plan.action("p01").link, Some(LinkStep::Rest));
    assert!(plan.kinds().contains(&ConflictKind::NotTheSameEmployee));
    for _ in 0..3 {
        let plan = company.run();
        assert!(plan.kinds().contains(&ConflictKind::NotTheSameEmployee), "the evidence is kept");
        assert!(plan.actions.is_empty(), "{:#?}", plan.actions);
    }
    assert_eq!(company.theirs("p01", Name), "First01 Last01", "nothing of the stranger is taken over");
    assert_eq!(company.ours(1, Name), "Stranger");
}

#[test]
fn identity_8_two_of_three_are_an_ordinary_change() {
    for kept in [Name, Extension, Email] {
        let mut company = staff(12);
        let was = company.ours(1, kept).to_owned();
        replaced(&mut company, 1);
        company.employee(1).set(kept, &was);
        company.settle();
        assert_eq!(company.state("p01"), LinkState::Active, "{kept}");
    }
}

#[test]
fn identity_8_a_filled_mail_is_a_change_too() {
    let mut company = company();
    for at in 1..=12 {
        company.pair_up(at);
    }
    company.person("p01").mail("");
    company.employee(1).mail("");
    company.settle();
    replaced(&mut company, 1);
    assert_eq!(company.run().action("p01").link, Some(LinkStep::Rest));
}

#[test]
fn identity_8_what_we_wrote_ourselves_is_no_stranger() {
    let mut company = staff(12);
    company.person("p01").name("Married Name").ext("288").mail("married@example.org");
    company.run();
    // Even where the sights were lost between the write and the next look.
    let link = company.links.iter_mut().find(|link| link.person.as_str() == "p01").unwrap();
    for field in [Name, Extension, Email] {
        let sight = link.pbx[field].as_mut().unwrap();
        sight.value = Some(reconcile::Value::new("before", "before"));
    }
    company.settle();
    assert_eq!(company.state("p01"), LinkState::Active);
}

#[test]
fn identity_8_values_that_come_back_wake_the_link() {
    let mut company = staff(12);
    let before = company.records[&1].clone();
    replaced(&mut company, 1);
    company.run();
    *company.employee(1) = before;
    assert_eq!(company.run().action("p01").link, Some(LinkStep::Wake));
    company.settle();
}

#[test]
fn identity_8_a_human_may_say_it_is_the_same() {
    let mut company = staff(12);
    replaced(&mut company, 1);
    let plan = company.run();
    let conflict = plan.conflict(ConflictKind::NotTheSameEmployee);
    company.answer(conflict, Answer::Relink).settle();
    assert_eq!(company.state("p01"), LinkState::Active);
    assert_eq!(company.theirs("p01", Name), "Stranger", "then it was an ordinary change");
    company.employee(1).name("Renamed");
    company.settle();
    assert_eq!(company.theirs("p01", Name), "Renamed", "and is not asked about again");
}

#[test]
fn identity_8_what_a_human_said_of_one_stranger_is_not_said_of_the_next() {
    let mut company = staff(12);
    replaced(&mut company, 1);
    let conflict = company.run().conflict(ConflictKind::NotTheSameEmployee).clone();
    company.answer(&conflict, Answer::Relink);
    company.employee(1).name("Another").ext("888").mail("another@example.org");
    for _ in 0..2 {
        let plan = company.run();
        assert_eq!(plan.conflict_of("p01").kind, ConflictKind::NotTheSameEmployee);
        assert!(plan.actions.is_empty(), "{:#?}", plan.actions);
    }
    assert_eq!(company.theirs("p01", Name), "First01 Last01");
}

#[test]
fn identity_8_only_that_answer_to_that_question_about_that_person_says_so() {
    let kind = ConflictKind::NotTheSameEmployee;
    for (person, kind, answer) in [
        ("p02", kind, Answer::Relink),
        ("p01", ConflictKind::EmployeeDeleted, Answer::Relink),
        ("p01", kind, Answer::LeaveAsIs),
    ] {
        let mut company = staff(12);
        replaced(&mut company, 1);
        let stands_on = company.run().conflict(ConflictKind::NotTheSameEmployee).stands_on.clone();
        company.decide(person, kind, None, answer, &stands_on);
        company.run();
        assert!(matches!(company.state("p01"), LinkState::Resting { .. }), "{person} {kind:?}");
        assert_eq!(company.theirs("p01", Name), "First01 Last01");
    }
}

#[test]
fn identity_8_many_of_them_halt_the_run_and_keep_halting_it() {
    let mut company = staff(12);
    company.guarded = true;
    (1..=4).for_each(|id| replaced(&mut company, id));
    (5..=6).for_each(|id| drop(company.records.remove(&id)));
    company.person("p10").mail("new@example.org");
    for _ in 0..3 {
        let plan = company.run();
        assert!(plan.halt.is_some(), "missing and changed ones count together");
    }
    assert_eq!(company.ours(10, Email), "p10@example.org", "both directions stand still");
}
