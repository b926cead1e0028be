//! Undoing: what comes back, what rests, and what is listed instead.

use crate::support::*;
use reconcile::guard::GuardKind;
use reconcile::merge::Cause;
use reconcile::plan::{LinkStep, Plan, Step, Undo, What, Wrote, undo};
use reconcile::unfinished::{self, End, Unfinished};
use reconcile::{
    Account, Answer, ConflictKind, Direction, EmployeeId, Field, LinkState, PersonId, Side, Value,
};
use std::collections::BTreeSet;

/// The journal of a run that carried out this plan: what it sent, and what is stored by now.
fn journal(company: &Company, plan: &Plan) -> Vec<Step> {
    let world = company.world();
    let mut steps: Vec<Step> = Vec::new();
    for action in &plan.actions {
        let employee = company.linked(action.person.as_str()).map(EmployeeId).or(action.employee);
        let mut add = |what| {
            let seq = steps.len() as i64 + 1;
            steps.push(Step { seq, person: action.person.clone(), employee, what });
        };
        match &action.link {
            Some(LinkStep::Create { number, .. }) => add(What::Created { number: number.clone() }),
            Some(LinkStep::Join { .. } | LinkStep::Relink { .. }) => add(What::Joined),
            Some(LinkStep::Part) => add(What::Parted),
            Some(LinkStep::Unlink) => add(What::Ended),
            Some(_) => add(What::Observed),
            None => {}
        }
        let person = world.people.rows.iter().find(|row| row.id == action.person);
        let record = world.employees.rows.iter().find(|row| Some(row.id) == employee);
        let creates = matches!(action.link, Some(LinkStep::Create { .. }));
        let sides = [(Side::Pbx, &action.pbx), (Side::Directory, &action.directory)];
        for (side, changes) in sides {
            // What travels with a creation is part of it.
            let changes =
                changes.iter().filter(|change| !(creates && side == Side::Pbx && change.field != Photo));
            for change in changes {
                let values = match side {
                    Side::Pbx => record.unwrap().fields[change.field].values(),
                    Side::Directory => person.unwrap().fields[change.field].values(),
                };
                let sent = change.after.as_ref();
                let stored = sent.and_then(|sent| values.iter().find(|value| value.equivalent(sent)));
                add(What::Wrote(Wrote {
                    side,
                    field: change.field,
                    before: change.before.clone(),
                    after: stored.cloned(),
                    kept: true,
                }));
            }
        }
    }
    steps
}

/// Runs once and tells the journal of that.
pub fn ran(company: &mut Company) -> Vec<Step> {
    let plan = company.run();
    journal(company, &plan)
}

#[track_caller]
fn rests(company: &mut Company) {
    let plan = company.run();
    assert!(plan.actions.is_empty(), "{:#?}", plan.actions);
    assert!(plan.conflicts.is_empty(), "{:#?}", plan.conflicts);
}

#[track_caller]
fn whole(undo: &Undo) {
    assert_eq!(undo.not_undone, [], "{:#?}", undo.plan.actions);
}

/// Nothing is done, and this is why.
#[track_caller]
pub fn refused(undo: &Undo, why: &str) {
    assert!(undo.plan.actions.is_empty(), "{:#?}", undo.plan.actions);
    assert!(!undo.not_undone.is_empty());
    for step in &undo.not_undone {
        assert!(step.why.contains(why), "{} for `{why}`", step.why);
    }
}

fn held(company: &Company, person: &str, field: Field) -> bool {
    company.link_of(person).unwrap().pairs[field].as_ref().unwrap().held
}

/// Two values of a field, as each side spells them.
fn two(field: Field) -> [&'static str; 2] {
    match field {
        Name => ["First01 Last01", "Another Name"],
        Extension => ["201", "277"],
        Mobile => ["+79261230001", "+79260000077"],
        Email => ["p01@example.org", "new@example.org"],
        Photo => ["picture1", "picture-new"],
        SipPassword => ["secret1", "secret-new"],
    }
}

fn in_pbx(field: Field, value: &str) -> &str {
    if field == Mobile { value.trim_start_matches('+') } else { value }
}

#[test]
fn undo_puts_the_value_back_and_both_sides_rest() {
    for field in [Name, Extension, Mobile, Email, Photo] {
        for side in [Side::Pbx, Side::Directory] {
            let [old, new] = two(field);
            let mut company = staff(3);
            match side {
                Side::Pbx => _ = company.person("p01").set(field, new),
                Side::Directory => _ = company.employee(1).set(field, in_pbx(field, new)),
            }
            let steps = ran(&mut company);
            assert_eq!(steps.len(), 1, "{field} {steps:#?}");
            let undo = company.undo(&steps);
            whole(&undo);
            let action = undo.plan.action("p01");
            assert!(action.pbx.iter().chain(&action.directory).all(|change| change.cause == Cause::Undo));
            let (theirs, ours) = match side {
                Side::Pbx => (new, old),
                Side::Directory => (old, new),
            };
            assert_eq!((company.theirs("p01", field), company.ours(1, field)), (theirs, in_pbx(field, ours)));
            assert!(held(&company, "p01", field));
            let told = undo.plan.people.iter().map(|line| (line.person.as_str(), &line.differs[..]));
            assert_eq!(told.collect::<Vec<_>>(), [("p01", &[field][..])]);
            rests(&mut company);
            assert_eq!((company.theirs("p01", field), company.ours(1, field)), (theirs, in_pbx(field, ours)));
        }
    }
}

#[test]
fn undo_and_the_next_edit_of_either_side_flows_from_there() {
    for side in [Side::Pbx, Side::Directory] {
        let mut company = staff(3);
        company.person("p01").mail("new@example.org");
        let steps = ran(&mut company);
        whole(&company.undo(&steps));
        rests(&mut company);
        match side {
            Side::Pbx => _ = company.employee(1).mail("third@example.org"),
            Side::Directory => _ = company.person("p01").mail("third@example.org"),
        }
        company.settle();
        assert_eq!(
            (company.theirs("p01", Email), company.ours(1, Email)),
            ("third@example.org", "third@example.org")
        );
        assert!(!held(&company, "p01", Email));
    }
}

#[test]
fn undo_leaves_what_somebody_changed_since() {
    for field in [Name, Extension, Mobile, Email, Photo] {
        for side in [Side::Pbx, Side::Directory] {
            let [_, new] = two(field);
            let since = match field {
                Extension => "288",
                Mobile => "+79260000099",
                Photo => "picture-since",
                _ => "since@example.org",
            };
            let mut company = staff(3);
            match side {
                Side::Pbx => _ = company.person("p01").set(field, new),
                Side::Directory => _ = company.employee(1).set(field, in_pbx(field, new)),
            }
            let steps = ran(&mut company);
            match side {
                Side::Pbx => _ = company.employee(1).set(field, in_pbx(field, since)),
                Side::Directory => _ = company.person("p01").set(field, since),
            }
            refused(&company.undo(&steps), "changed since");
            company.settle();
            assert_eq!(
                (company.theirs("p01", field), company.ours(1, field)),
                (since, in_pbx(field, since)),
                "and that flows"
            );
        }
    }
}

#[test]
fn undo_of_a_clear_brings_the_value_back_and_of_a_fill_clears_again() {
    for field in [Mobile, Email, Photo] {
        let [old, _] = two(field);
        let mut company = staff(3);
        company.person("p01").set(field, "");
        let steps = ran(&mut company);
        assert_eq!(company.ours(1, field), "");
        whole(&company.undo(&steps));
        assert_eq!((company.theirs("p01", field), company.ours(1, field)), ("", in_pbx(field, old)));
        rests(&mut company);

        let mut company = staff(3);
        company.employee(1).set(field, "");
        company.settle();
        company.person("p01").set(field, old);
        let steps = ran(&mut company);
        assert_eq!(company.ours(1, field), in_pbx(field, old));
        whole(&company.undo(&steps));
        assert_eq!((company.theirs("p01", field), company.ours(1, field)), (old, ""));
        rests(&mut company);
    }
}

#[test]
fn undo_never_clears_a_name_a_number_or_a_secret() {
    let mut company = staff(3);
    company.person("zoe").name("Zoe New").mail("zoe@example.org");
    let steps = ran(&mut company);
    let number = company.theirs("zoe", Extension).to_owned();
    let undo = company.undo(&steps);
    assert!(undo.plan.actions.is_empty(), "{:#?}", undo.plan.actions);
    let told = |what: &dyn Fn(&What) -> bool| {
        let step = steps.iter().find(|step| what(&step.what)).unwrap();
        undo.not_undone.iter().find(|row| row.seq == step.seq).unwrap().why.clone()
    };
    let wrote = |field: Field| move |what: &What| matches!(what, What::Wrote(wrote) if wrote.field == field);
    assert!(told(&wrote(Extension)).contains("never cleared"));
    assert!(told(&wrote(SipPassword)).contains("give a new one"));
    let created = told(&|what| matches!(what, What::Created { .. }));
    let employee = company.linked("zoe").unwrap();
    assert!(
        created.contains("never deleted")
            && created.contains(&format!("employee {employee}, number {number},")),
        "{created}"
    );
    assert_eq!(undo.not_undone.len(), steps.len());
    rests_after_agreeing(&mut company);
}

#[test]
fn undo_of_a_secret_offers_another_one() {
    let mut company = staff(3);
    company.person("p01").set(SipPassword, "secret-new");
    let steps = ran(&mut company);
    refused(&company.undo(&steps), "give a new one on either side");
}

#[test]
fn undo_of_a_picture_needs_the_picture() {
    let mut company = staff(3);
    company.person("p01").set(Photo, "picture-new");
    let mut steps = ran(&mut company);
    let What::Wrote(wrote) = &mut steps[0].what else { panic!("{steps:#?}") };
    wrote.kept = false;
    refused(&company.undo(&steps), "not kept any more");
}

#[test]
fn undo_of_both_sides_puts_each_side_back() {
    // An extension nobody can use, and a human who gave another one.
    let mut company = staff(3);
    company.person("p01").ext("12a");
    let plan = company.run();
    let number = Answer::Number { number: "277".into(), keep_in_pbx: false };
    company.answer(plan.conflict(ConflictKind::Unusable), number);
    let steps = ran(&mut company);
    assert_eq!((company.theirs("p01", Extension), company.ours(1, Extension)), ("277", "277"));
    assert_eq!(steps.len(), 2);
    let undo = company.undo(&steps);
    whole(&undo);
    assert_eq!((company.theirs("p01", Extension), company.ours(1, Extension)), ("12a", "201"));
    // The answer that led there does not lead there again: it is asked again.
    assert_eq!(undo.forget.len(), 1);
    let plan = company.run();
    assert!(plan.actions.is_empty(), "{:#?}", plan.actions);
    assert_eq!(plan.kinds(), [ConflictKind::Unusable]);
    assert_eq!((company.theirs("p01", Extension), company.ours(1, Extension)), ("12a", "201"));
}

#[test]
fn undo_takes_answers_back_only_about_what_it_undoes() {
    let mut company = staff(3);
    company.decide("p01", ConflictKind::BothChanged, Some(Mobile), Answer::UsePbx, "then");
    company.decide("p01", ConflictKind::Refused, Some(Email), Answer::LeaveAsIs, "then");
    company.person("p01").mail("new@example.org");
    let steps = ran(&mut company);
    let undo = company.undo(&steps);
    assert_eq!((undo.forget, undo.remember), (Vec::new(), Vec::new()));
}

#[test]
fn undo_exchanges_one_of_several_values() {
    let mut company = staff(3);
    company.person("p01").many(Email, &["p01@example.org", "other@example.org"]);
    company.settle();
    company.employee(1).mail("new@example.org");
    let steps = ran(&mut company);
    assert_eq!(company.entries["p01"].values[Email], ["new@example.org", "other@example.org"]);
    whole(&company.undo(&steps));
    assert_eq!(company.entries["p01"].values[Email], ["p01@example.org", "other@example.org"]);
    rests(&mut company);
}

#[test]
fn undo_gives_a_number_back_only_if_it_is_free() {
    type Spoil = fn(&mut Company);
    let spoils: [(&str, Spoil, &str); 6] = [
        ("nobody", |_| {}, ""),
        ("an employee", |company| _ = company.employee(9).name("Nine").ext("201"), "Nine"),
        ("a queue", |company| company.queue("201", "QUEUE"), "a call queue"),
        (
            "a person",
            |company| _ = company.person("other").ext("201").account(Account::Disabled),
            "in the directory",
        ),
        ("another directory", |company| company.reserved.push("201".into()), "another directory"),
        ("a leading zero", |company| company.queue("0201", "QUEUE"), "which blocks it"),
    ];
    for side in [Side::Pbx, Side::Directory] {
        for (by, spoil, why) in spoils {
            let mut company = staff(3);
            match side {
                Side::Pbx => _ = company.person("p01").ext("277").mail("new@example.org"),
                Side::Directory => {
                    company.employee(1).ext("277");
                    company.person("p01").mail("new@example.org");
                }
            }
            let steps = ran(&mut company);
            // Our own cool-down of this very number is no reason.
            company.cooling.push("201".into());
            spoil(&mut company);
            let undo = company.undo(&steps);
            assert_eq!(company.ours(1, Email), "p01@example.org", "the rest is undone: {by}");
            assert!(undo.plan.conflicts.is_empty(), "nothing waits for an answer");
            let numbers = (company.theirs("p01", Extension), company.ours(1, Extension));
            if why.is_empty() {
                whole(&undo);
                assert_eq!(numbers, if side == Side::Pbx { ("277", "201") } else { ("201", "277") });
            } else {
                assert_eq!(numbers, ("277", "277"), "{by}");
                assert_eq!(undo.not_undone.len(), 1, "{by}: {:#?}", undo.not_undone);
                assert!(undo.not_undone[0].why.contains(why), "{by}: {}", undo.not_undone[0].why);
            }
        }
    }
}

#[test]
fn undo_gives_numbers_back_in_the_order_in_which_they_are_freed() {
    let mut company = staff(4);
    // 201 → 277, 202 → 201, 203 → 202.
    company.person("p01").ext("277");
    company.person("p02").ext("201");
    company.person("p03").ext("202");
    let steps = ran(&mut company);
    let numbers = |company: &Company| [1, 2, 3].map(|id| company.ours(id, Extension).to_owned());
    assert_eq!(numbers(&company), ["277", "201", "202"]);
    let undo = company.undo(&steps);
    // The directory still gives 201 to p02 and 202 to p03: nobody takes a number somebody has.
    assert_eq!(undo.not_undone.len(), 2, "{:#?}", undo.not_undone);
    assert_eq!(numbers(&company), ["277", "201", "203"]);

    // Renumbered in the PBX, the directory followed: both come back in one go.
    let mut company = staff(4);
    company.employee(1).ext("277");
    company.run();
    company.employee(2).ext("201");
    let steps = ran(&mut company);
    assert_eq!(company.theirs("p02", Extension), "201");
    whole(&company.undo(&steps));
    assert_eq!((company.theirs("p02", Extension), company.ours(2, Extension)), ("202", "201"));
    rests(&mut company);
}

#[test]
fn undo_waits_for_nobody_who_moves_in_the_directory_only() {
    let mut company = staff(4);
    company.employee(1).ext("277");
    company.person("p02").ext("299");
    let steps = ran(&mut company);
    assert_eq!((company.theirs("p01", Extension), company.ours(2, Extension)), ("277", "299"));
    // Somebody gave the number of the second to the first, by hand.
    company.employee(1).ext("202");
    let undo = company.undo(&steps);
    assert_eq!((company.theirs("p01", Extension), company.ours(1, Extension)), ("201", "202"));
    assert_eq!(undo.not_undone.len(), 1);
    assert!(undo.not_undone[0].why.contains("number 202 belongs to"), "{:#?}", undo.not_undone);
}

/// Anna of the directory and Anna of the PBX share an e-mail; nothing else is alike.
fn wrongly_joined() -> (Company, Vec<Step>) {
    let mut company = staff(3);
    company.person("anna").name("Anna Smirnova").mail("sales@example.org").mobile("+79269999999");
    company.employee(9).name("Sales Desk").ext("209").mail("sales@example.org").set(SipPassword, "secret9");
    let steps = ran(&mut company);
    assert_eq!(company.linked("anna"), Some(9));
    assert_eq!((company.ours(9, Name), company.ours(9, Mobile)), ("Anna Smirnova", "79269999999"));
    assert_eq!(company.theirs("anna", Extension), "209");
    (company, steps)
}

#[test]
fn undo_of_a_join_ends_the_link_and_asks_instead_of_joining_or_creating() {
    let (mut company, steps) = wrongly_joined();
    let undo = company.undo(&steps);
    assert_eq!(undo.plan.action("anna").link, Some(LinkStep::Part));
    assert_eq!(
        (company.ours(9, Name), company.ours(9, Mobile), company.ours(9, Extension)),
        ("Sales Desk", "", "209")
    );
    assert_eq!(company.linked("anna"), None);
    // The number and the secret that were filled in stay in the directory.
    assert_eq!(undo.not_undone.len(), 2, "{:#?}", undo.not_undone);
    for _ in 0..2 {
        let plan = company.run();
        assert!(plan.actions.is_empty(), "{:#?}", plan.actions);
        let conflict = plan.conflict_of("anna");
        assert_eq!((conflict.kind, conflict.candidates.len()), (ConflictKind::AmbiguousMatch, 0));
    }
    let plan = company.preview();
    company.person("anna").ext("").set(SipPassword, "");
    company.answer(plan.conflict_of("anna"), Answer::NewEmployee);
    company.settle();
    assert!(company.linked("anna").is_some_and(|id| id > 1_000), "created because a human said so");
    assert_eq!(company.ours(9, Name), "Sales Desk");
}

#[test]
fn undo_of_a_join_leaves_the_person_to_whoever_else_matches() {
    let (mut company, steps) = wrongly_joined();
    company.undo(&steps);
    company.employee(10).name("Anna Smirnova").ext("210").mobile("79269999999").set(SipPassword, "secret10");
    company.settle();
    assert_eq!(company.linked("anna"), Some(10), "by the ordinary rules");
    assert_eq!(company.linked("p01"), Some(1));
}

#[test]
fn undo_of_two_joins_remembers_both() {
    let (mut company, steps) = wrongly_joined();
    company.undo(&steps);
    company.employee(10).name("Anna Smirnova").ext("210").mobile("79269999999").set(SipPassword, "secret10");
    let steps = ran(&mut company);
    company.undo(&steps);
    let plan = company.run();
    assert!(plan.actions.is_empty(), "{:#?}", plan.actions);
    assert_eq!(plan.conflict_of("anna").candidates, []);
    // Leaving her out and taking that back joins nobody either.
    company.answer(plan.conflict_of("anna"), Answer::LeaveOut).run();
    company.decisions.retain(|decision| decision.answer != Answer::LeaveOut);
    let plan = company.run();
    assert!(plan.actions.is_empty() && company.linked("anna").is_none(), "{:#?}", plan.actions);
}

#[test]
fn undo_of_a_join_outweighs_the_answer_that_led_to_it() {
    let mut company = staff(3);
    company.person("anna").name("Anna Smirnova").mail("anna@example.org");
    company.employee(9).name("Anna Smirnova").ext("209").mail("other@example.org");
    let plan = company.run();
    company.answer(plan.conflict_of("anna"), Answer::Employee { id: EmployeeId(9) });
    company.now_ms += MINUTE_MS;
    let steps = ran(&mut company);
    assert_eq!(company.linked("anna"), Some(9));
    company.undo(&steps);
    let plan = company.run();
    assert!(plan.actions.is_empty() && company.linked("anna").is_none(), "{:#?}", plan.actions);
}

#[test]
fn undo_of_an_undo_is_an_undo() {
    let mut company = staff(3);
    company.person("p01").mail("new@example.org");
    let steps = ran(&mut company);
    let undo = company.undo(&steps);
    let steps = journal(&company, &undo.plan);
    whole(&company.undo(&steps));
    assert_eq!(
        (company.theirs("p01", Email), company.ours(1, Email)),
        ("new@example.org", "new@example.org")
    );
    assert!(!held(&company, "p01", Email), "they are in step again");
    rests(&mut company);

    let (mut company, steps) = wrongly_joined();
    let before = (company.records[&9].values.clone(), company.entries["anna"].values.clone());
    let undo = company.undo(&steps);
    let mut steps = journal(&company, &undo.plan);
    steps.iter_mut().for_each(|step| step.employee = Some(EmployeeId(9)));
    let undo = company.undo(&steps);
    whole(&undo);
    assert_eq!(company.linked("anna"), Some(9));
    assert_eq!((company.records[&9].values.clone(), company.entries["anna"].values.clone()), before);
    rests(&mut company);
    assert!(company.decisions.iter().all(|decision| decision.answer == Answer::NotThese { ids: Vec::new() }));
}

#[test]
fn undo_joins_again_only_what_is_free() {
    let (mut company, steps) = wrongly_joined();
    let undo = company.undo(&steps);
    let mut steps = journal(&company, &undo.plan);
    steps.iter_mut().for_each(|step| step.employee = Some(EmployeeId(9)));
    let parted: Vec<Step> = steps.into_iter().filter(|step| matches!(step.what, What::Parted)).collect();
    let mut elsewhere = company.clone();
    elsewhere.linked_elsewhere.insert(EmployeeId(9), "other".into());
    refused(&elsewhere.undo(&parted), "somebody else's");
    company.records.remove(&9);
    refused(&company.undo(&parted), "gone");
    let mut linked = staff(3);
    refused(
        &linked.undo(&[Step { person: PersonId::new("p01"), ..parted[0].clone() }]),
        "linked with employee 1",
    );
}

#[test]
fn undo_never_touches_account_state() {
    let mut company = staff(3);
    company.person("p01").account(Account::Disabled);
    let steps = ran(&mut company);
    refused(&company.undo(&steps), "only observed");
    assert!(matches!(company.state("p01"), LinkState::Left { .. }));
    company.person("p01").account(Account::Enabled);
    let steps = ran(&mut company);
    refused(&company.undo(&steps), "only observed");
    assert_eq!(company.state("p01"), LinkState::Active);
}

#[test]
fn undo_brings_no_deleted_employee_back() {
    let mut company = staff(3);
    company.person("p01").place(Place::Deleted);
    company.run();
    company.records.remove(&1);
    let steps = ran(&mut company);
    assert!(matches!(steps[0].what, What::Ended));
    refused(&company.undo(&steps), "deleted in the PBX");
}

#[test]
fn undo_writes_nowhere_a_synchronisation_would_not() {
    fn link(company: &mut Company) -> &mut reconcile::Link {
        company.links.iter_mut().find(|link| link.person.as_str() == "p01").unwrap()
    }
    type Spoil = fn(&mut Company);
    let spoils: [(Side, Spoil, &str); 12] = [
        (
            Side::Pbx,
            |company| _ = company.person("p01").account(Account::Expired),
            "expired: their data rests",
        ),
        (
            Side::Pbx,
            |company| _ = company.person("p01").place(Place::Deleted),
            "not in the synchronised part",
        ),
        (Side::Pbx, |company| company.links.retain(|link| link.person.as_str() != "p01"), "not linked"),
        (Side::Pbx, |company| link(company).employee = EmployeeId(77), "linked with employee 77"),
        (Side::Pbx, |company| link(company).state = LinkState::Resting { since_ms: 0 }, "somebody else"),
        (Side::Pbx, |company| _ = company.records.remove(&1), "not found in the PBX"),
        (Side::Pbx, |company| company.employee(1).looked = false, "could not be read"),
        (
            Side::Pbx,
            |company| _ = company.direction(Mobile, Direction::ToDirectory),
            "not written to the PBX",
        ),
        (Side::Pbx, |company| company.mapped[Mobile] = false, "not written to the PBX"),
        (Side::Directory, |company| company.policy.write_back = false, "not written to the directory"),
        (
            Side::Directory,
            |company| {
                // The value and its mark were seen, and the entry stood still since.
                company.run();
                company.person("p01").hide(Mobile);
            },
            "could not be read",
        ),
        (
            Side::Pbx,
            |company| _ = company.employee(1).name("Who Else").ext("288").mail("else@example.org"),
            "looks like somebody else",
        ),
    ];
    for (side, spoil, why) in spoils {
        let mut company = staff(3);
        match side {
            Side::Pbx => _ = company.person("p01").mobile("+79260000077"),
            Side::Directory => _ = company.employee(1).mobile("79260000077"),
        }
        let steps = ran(&mut company);
        spoil(&mut company);
        let undo = company.undo(&steps);
        assert!(undo.plan.actions.is_empty(), "{why}");
        refused(&undo, why);
    }
}

#[test]
fn undo_empties_nothing_moves_nobody_and_gives_no_number_on_an_incomplete_read() {
    for side in [Side::Pbx, Side::Directory] {
        let spoil = |company: &mut Company| match side {
            Side::Pbx => company.pbx = partial(),
            Side::Directory => company.directory = partial(),
        };
        let mut company = staff(3);
        company.employee(1).mail("");
        company.settle();
        company.person("p01").mail("new@example.org").ext("277");
        let steps = ran(&mut company);
        spoil(&mut company);
        refused(&company.undo(&steps), "incompletely");

        let (mut company, mut steps) = wrongly_joined();
        steps.retain(|step| matches!(step.what, What::Joined));
        spoil(&mut company);
        refused(&company.undo(&steps), "incompletely");

        // A value comes back as any update does.
        let mut company = staff(3);
        company.person("p01").mail("new@example.org");
        let steps = ran(&mut company);
        spoil(&mut company);
        whole(&company.undo(&steps));
    }
}

#[test]
fn undo_is_judged_by_the_guard() {
    let mut company = staff(20);
    for at in 1..=8 {
        company.person(&format!("p{at:02}")).mail(&format!("new{at}@example.org"));
    }
    let steps = ran(&mut company);
    let undo = company.undo(&steps);
    let halt = undo.plan.halt.unwrap();
    assert_eq!((halt.tripped[0].people, halt.tripped[0].limit), (8, 5));
}

#[test]
fn undo_of_a_part_leaves_the_rest() {
    let mut company = staff(3);
    company.person("p01").mail("new@example.org").mobile("+79260000077");
    company.person("p02").mail("two@example.org");
    let steps = ran(&mut company);
    let only: Vec<Step> = steps
        .iter()
        .filter(|step| matches!(&step.what, What::Wrote(wrote) if wrote.field == Mobile))
        .cloned()
        .collect();
    whole(&company.undo(&only));
    assert_eq!((company.ours(1, Email), company.ours(1, Mobile)), ("new@example.org", "79261230001"));
    assert_eq!(company.ours(2, Email), "two@example.org");
    rests(&mut company);
}

#[test]
fn undo_does_not_care_in_which_order_it_is_asked() {
    let (company, steps) = wrongly_joined();
    let world = company.world();
    let mut turned = steps.clone();
    turned.reverse();
    assert_eq!(reconcile::plan::undo(&world, &steps), reconcile::plan::undo(&world, &turned));
    assert_eq!(reconcile::plan::undo(&world, &[]).plan.actions, []);
}

#[test]
fn undo_lists_what_has_no_effect() {
    let mut company = staff(3);
    let step = Step {
        seq: 3,
        person: PersonId::new("p01"),
        employee: Some(EmployeeId(1)),
        what: What::Void("undone already".into()),
    };
    refused(&company.undo(&[step]), "undone already");
}

/// An undo whose process died after the write and before the agreement.
fn died(company: &mut Company, steps: &[Step]) -> Vec<Unfinished> {
    let links = company.links.clone();
    let undo = company.undo(steps);
    company.links = links;
    let mut writes = Vec::new();
    for action in &undo.plan.actions {
        for (side, changes) in [(Side::Pbx, &action.pbx), (Side::Directory, &action.directory)] {
            writes.extend(changes.iter().map(|change| Unfinished {
                person: action.person.clone(),
                employee: action.employee.unwrap(),
                side,
                field: change.field,
                after: change.after.clone(),
                undoes: true,
                came_across: false,
            }));
        }
    }
    assert!(!writes.is_empty());
    writes
}

fn find_out(company: &mut Company, writes: &[Unfinished]) -> Vec<End> {
    let found = unfinished::find_out(&company.world(), writes);
    for link in found.links {
        let known = company.links.iter_mut().find(|known| known.person == link.person);
        *known.unwrap() = link;
    }
    found.ends
}

#[test]
fn undo_that_died_after_a_write_is_held_and_not_made_good_again() {
    for field in [Name, Extension, Mobile, Email, Photo] {
        for side in [Side::Pbx, Side::Directory] {
            let [old, new] = two(field);
            let mut company = staff(3);
            match side {
                Side::Pbx => _ = company.person("p01").set(field, new),
                Side::Directory => _ = company.employee(1).set(field, in_pbx(field, new)),
            }
            let steps = ran(&mut company);
            let writes = died(&mut company, &steps);
            assert!(company.preview().writes(), "it would be taken for an edit: {field}");
            assert_eq!(find_out(&mut company, &writes), [End::Written]);
            rests(&mut company);
            assert!(held(&company, "p01", field));
            let undone = match side {
                Side::Pbx => company.ours(1, field) == in_pbx(field, old),
                Side::Directory => company.theirs("p01", field) == old,
            };
            assert!(undone, "{field}");
            // Found out once more, as after another death: nothing changes.
            assert_eq!(find_out(&mut company, &writes), [End::Written]);
            rests(&mut company);
        }
    }
}

#[test]
fn undo_that_died_emptying_the_directory_is_held_once_that_is_proved() {
    for dated in [false, true] {
        let mut company = company();
        company.dates_attributes = dated;
        company.pair_up(1);
        company.person("p01").mail("");
        company.employee(1).mail("");
        company.settle();
        company.employee(1).mail("new@example.org");
        let steps = ran(&mut company);
        let writes = died(&mut company, &steps);
        assert_eq!(company.theirs("p01", Email), "");
        company.person("p01").marked = false;
        assert_eq!(find_out(&mut company, &writes), [End::NotKnown], "hidden or gone, who knows");
        assert!(company.preview().actions.is_empty(), "and nothing is concluded from it");
        company.person("p01").marked = true;
        assert_eq!(find_out(&mut company, &writes), [End::Written]);
        rests(&mut company);
    }
}

#[test]
fn undo_that_died_before_its_write_changed_nothing() {
    let mut company = staff(3);
    company.person("p01").mobile("+79260000077");
    let steps = ran(&mut company);
    let before = company.clone();
    let writes = died(&mut company, &steps);
    let mut company = before;
    assert_eq!(find_out(&mut company, &writes), [End::NotWritten]);
    rests(&mut company);
    assert_eq!(company.ours(1, Mobile), "79260000077");
    // An edit made since is an edit.
    company.employee(1).mobile("79260000088");
    assert_eq!(find_out(&mut company, &writes), [End::NotWritten]);
    company.settle();
    assert_eq!(company.theirs("p01", Mobile), "+79260000088");
}

#[test]
fn undo_that_died_lets_later_edits_of_the_other_side_flow() {
    let mut company = staff(3);
    company.person("p01").mobile("+79260000077");
    let steps = ran(&mut company);
    let writes = died(&mut company, &steps);
    company.person("p01").mobile("+79260000088");
    assert_eq!(find_out(&mut company, &writes), [End::Written]);
    company.settle();
    assert_eq!(company.ours(1, Mobile), "79260000088");
}

#[test]
fn undo_that_died_waits_for_what_was_not_looked_at() {
    let mut company = staff(3);
    company.person("p01").mobile("+79260000077");
    let steps = ran(&mut company);
    let writes = died(&mut company, &steps);
    company.employee(1).looked = false;
    assert_eq!(find_out(&mut company, &writes), [End::NotKnown]);
    assert!(company.preview().actions.is_empty(), "nothing is concluded meanwhile");
    company.links.clear();
    assert_eq!(find_out(&mut company, &writes), [End::NotWritten], "no agreement is left to disturb");
}

#[test]
fn a_write_that_died_is_known_to_be_ours() {
    // Number, name and e-mail at once look like somebody else under a known id.
    let mut company = staff(3);
    let links = company.links.clone();
    company.person("p01").name("New Name").ext("277").mail("new@example.org");
    let plan = company.run();
    company.links = links;
    let writes: Vec<Unfinished> = plan
        .action("p01")
        .pbx
        .iter()
        .map(|change| Unfinished {
            person: PersonId::new("p01"),
            employee: EmployeeId(1),
            side: Side::Pbx,
            field: change.field,
            after: change.after.clone(),
            undoes: false,
            came_across: true,
        })
        .collect();
    assert_eq!(company.preview().kinds(), [ConflictKind::NotTheSameEmployee]);
    assert_eq!(find_out(&mut company, &writes), [End::Written; 3]);
    rests_after_agreeing(&mut company);
}

/// A run whose answer was lost wrote a mobile into the directory; then somebody
/// takes the number out of the PBX, or types another one into the directory.
#[test]
fn an_edit_behind_a_write_that_died_is_an_edit() {
    let died = || {
        let mut company = staff(3);
        company.employee(1).mobile("79161110000");
        let links = company.links.clone();
        let plan = company.run();
        let sent = plan.action("p01").directory[0].clone();
        company.links = links;
        let write = Unfinished {
            person: PersonId::new("p01"),
            employee: EmployeeId(1),
            side: Side::Directory,
            field: Mobile,
            after: sent.after,
            undoes: false,
            came_across: true,
        };
        (company, [write])
    };
    let (mut company, writes) = died();
    assert_eq!(find_out(&mut company, &writes), [End::Written]);
    rests_after_agreeing(&mut company);

    let (mut company, writes) = died();
    company.employee(1).mobile("");
    assert_eq!(find_out(&mut company, &writes), [End::Written]);
    let plan = company.run();
    let change = &plan.action("p01").directory[0];
    assert_eq!((change.field, change.after.as_ref()), (Mobile, None), "what was cleared stays cleared");
    rests(&mut company);
}

#[track_caller]
fn rests_after_agreeing(company: &mut Company) {
    let plan = company.run();
    assert!(!plan.writes() && plan.conflicts.is_empty(), "{plan:#?}");
    rests(company);
}

#[test]
fn a_look_is_added_once_and_in_front() {
    let mut company = staff(3);
    for at in 1..=3 {
        let employee = company.employee(at);
        (employee.looked, employee.dial) = (false, Some(String::new()));
    }
    let look = |side, field| reconcile::needs::Look {
        person: PersonId::new("p02"),
        employee: EmployeeId(2),
        side,
        field,
    };
    let world = company.world();
    let mut needs = reconcile::needs::needs(&world);
    let looks = [
        look(Side::Pbx, Mobile),
        look(Side::Pbx, Photo),
        look(Side::Directory, Photo),
        look(Side::Pbx, Name),
    ];
    for _ in 0..2 {
        needs.also(&looks);
        assert_eq!(needs.records, [EmployeeId(2)]);
        assert_eq!(needs.records_in_turn, [EmployeeId(1), EmployeeId(3)]);
        assert_eq!(needs.avatars, [EmployeeId(2), EmployeeId(1), EmployeeId(3)]);
        assert_eq!(needs.photos, [PersonId::new("p02")]);
    }
}

#[test]
fn a_pair_that_was_left_is_held_only_if_it_differs() {
    let value = |text: &str| Some(Value::new(text, text));
    for (theirs, ours, expected) in [
        (value("a"), value("a"), false),
        (value("a"), value("b"), true),
        (value("a"), None, true),
        (None, value("a"), true),
        (None, None, false),
    ] {
        assert_eq!(reconcile::Pair::left(theirs, ours).held, expected);
    }
}

#[test]
fn undo_holds_back_what_is_stopped_and_says_so() {
    let mut company = staff(6);
    company.person("p01").mail("new@example.org").mobile("+79260000077");
    company.employee(2).mail("other@example.org");
    company.person("p03").mobile("");
    let steps = ran(&mut company);
    // Of person 1 two values would come back, one to the PBX; of person 3 an empty one is filled.
    company.stopped = BTreeSet::from([GuardKind::OverwritesInPbx]);
    let undo = company.undo(&steps);
    let acts: Vec<_> = undo.plan.actions.iter().map(|action| action.person.as_str()).collect();
    assert_eq!(acts, ["p02", "p03"]);
    let of_p01 = steps.iter().filter(|step| step.person.as_str() == "p01").count();
    assert_eq!((undo.not_undone.len(), of_p01), (2, 2));
    assert!(
        undo.not_undone.iter().all(|step| step.why.contains("guard stopped it")),
        "{:?}",
        undo.not_undone
    );
    let held: Vec<_> = undo.plan.held_back.iter().map(|held| (held.stopped, held.people)).collect();
    assert_eq!(held, [(Some(GuardKind::OverwritesInPbx), 1)]);
    assert_eq!(company.ours(1, Email), "new@example.org");
}

#[test]
fn undo_puts_nothing_back_into_a_pbx_that_was_replaced() {
    let mut company = staff(20);
    company.person("p20").mail("new@example.org");
    let steps = ran(&mut company);
    for id in 1..=6 {
        company.records.remove(&id);
    }
    let halt = undo(&company.world(), &steps).plan.halt.unwrap();
    assert_eq!((halt.tripped[0].kind, halt.tripped[0].people), (GuardKind::LostEmployees, 6));
    for id in 2..=6 {
        company.pair_up(id);
    }
    assert_eq!(undo(&company.world(), &steps).plan.halt, None);
    company.stopped = BTreeSet::from([GuardKind::LostEmployees]);
    assert!(undo(&company.world(), &steps).plan.halt.is_some(), "one is too many now");
}
