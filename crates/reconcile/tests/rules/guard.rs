//! What the guard counts over a day, and what it stopped stays stopped.

use crate::support::*;
use reconcile::guard::{GuardKind, Halt, LookFirst, Touched, Tripped};
use reconcile::plan::{HeldBack, LineOutcome, Plan};
use reconcile::{Account, Answer, ConflictKind, NumberRange, PersonId, Verdict};
use std::collections::BTreeSet;

/// So many different people.
pub fn numbered(people: std::ops::Range<u32>) -> BTreeSet<PersonId> {
    people.map(|at| PersonId::new(format!("n{at:05}"))).collect()
}

fn people(ids: &[&str]) -> BTreeSet<PersonId> {
    ids.iter().map(|id| PersonId::new(*id)).collect()
}

/// What a plan held back because it was stopped before.
fn stopped(plan: &Plan) -> Vec<(GuardKind, u32)> {
    plan.held_back.iter().filter_map(|held| Some((held.stopped?, held.people))).collect()
}

/// The number a plan shows for somebody.
fn number_of<'p>(plan: &'p Plan, person: &str) -> Option<&'p str> {
    plan.people.iter().find(|line| line.person.as_str() == person)?.extension.as_deref()
}

#[track_caller]
fn tripped(plan: &Plan) -> Vec<(GuardKind, u32)> {
    plan.halt.iter().flat_map(|halt| &halt.tripped).map(|trip| (trip.kind, trip.people)).collect()
}

#[test]
fn safety_2_somebody_touched_twice_in_a_day_is_one_person() {
    let mut company = staff(20);
    for at in 1..=5 {
        company.person(&format!("p{at:02}")).account(Account::Disabled);
    }
    company.recent = Touched::from([(GuardKind::Disables, people(&["p01", "p02", "p03", "p04", "p05"]))]);
    assert_eq!(company.preview().halt, None, "the same five people");
    company.recent = Touched::from([(GuardKind::Disables, people(&["p01", "p02", "p03", "p04", "p06"]))]);
    let plan = company.preview();
    assert_eq!(tripped(&plan), [(GuardKind::Disables, 6)]);
    assert_eq!(plan.halt.unwrap().tripped[0].recent, 5);
}

#[test]
fn safety_2_lost_employees_count_by_person_over_the_day() {
    let mut company = staff(20);
    for at in 1..=3 {
        company.records.remove(&at);
    }
    let plan = company.preview();
    let lost = people(&["p01", "p02", "p03"]);
    assert_eq!((&plan.lost, &plan.touched[&GuardKind::LostEmployees]), (&lost, &lost));
    company.recent = plan.touched;
    assert_eq!(company.preview().halt, None, "still the same three");
    company.recent = Touched::from([(GuardKind::LostEmployees, people(&["p04", "p05", "p06"]))]);
    assert_eq!(tripped(&company.preview()), [(GuardKind::LostEmployees, 6)]);
}

#[test]
fn safety_2_the_creations_of_a_first_run_are_nobodys_for_the_runs_after_it() {
    let mut company = company();
    for at in 1..=20 {
        company.person(&format!("n{at:02}")).name(&format!("Newcomer{at} Of{at}"));
    }
    assert_eq!(company.preview().touched, Touched::new());
    company.ran_before = true;
    assert_eq!(company.preview().touched[&GuardKind::Creations].len(), 20);
}

type Edit = fn(&mut Company);

/// One change of each kind that is made by an action, of person and employee 1.
fn one_of_each() -> [(GuardKind, Edit); 6] {
    [
        (GuardKind::Disables, |company| {
            company.person("p01").account(Account::Disabled);
        }),
        (GuardKind::Clears, |company| {
            company.employee(1).mail("");
        }),
        (GuardKind::Renumberings, |company| {
            company.person("p01").ext("301");
        }),
        (GuardKind::OverwritesInPbx, |company| {
            company.person("p01").name("New1 Name");
        }),
        (GuardKind::OverwritesInDirectory, |company| {
            company.employee(1).name("New1 Name");
        }),
        (GuardKind::Creations, |company| {
            company.person("p99").name("Newcomer Of99");
        }),
    ]
}

#[test]
fn safety_2_what_was_stopped_is_held_back_and_the_rest_is_done() {
    for (kind, change) in one_of_each() {
        let mut company = staff(20);
        change(&mut company);
        // Filling an empty value counts as nothing.
        company.person("p02").mobile("");
        company.settle_but(kind);
        company.person("p02").mobile("+79265550002");
        company.stopped = BTreeSet::from([kind]);
        let plan = company.run();
        assert_eq!((plan.halt.as_ref(), stopped(&plan)), (None, vec![(kind, 1)]), "{kind:?}");
        let acts: Vec<_> = plan.actions.iter().map(|action| action.person.as_str()).collect();
        assert_eq!(acts, ["p02"], "{kind:?}");
        let held = plan
            .people
            .iter()
            .find(|line| ["p01", "p99"].contains(&line.person.as_str()) && line.outcome == LineOutcome::Skip);
        let reason = held.unwrap().reason.as_deref().unwrap();
        assert!(reason.contains(&kind.to_string()), "{reason}");
        assert_eq!(company.ours(2, Mobile), "79265550002");
        assert_eq!(stopped(&company.run()), [(kind, 1)], "{kind:?}: again and again");
        company.stopped.clear();
        assert_eq!(company.run().actions.len(), 1, "{kind:?}: nothing was forgotten meanwhile");
        company.settle();
    }
}

impl Company {
    /// Settles everything else while one kind is held back.
    fn settle_but(&mut self, kind: GuardKind) {
        self.stopped = BTreeSet::from([kind]);
        self.settle();
        self.stopped.clear();
    }
}

#[test]
fn safety_2_the_reason_of_a_stop_says_how_to_end_it() {
    let mut company = staff(4);
    company.person("p01").account(Account::Disabled);
    company.stopped = BTreeSet::from([GuardKind::Disables]);
    let [HeldBack { what, people, why, .. }] = &company.preview().held_back[..] else { panic!("one row") };
    assert_eq!((what.as_str(), people), ("people disabled", &1));
    assert!(["release", "discard", "limits"].iter().all(|word| why.contains(word)), "{why}");
}

#[test]
fn safety_2_somebody_held_back_waits_with_everything() {
    let mut company = staff(20);
    company.person("p02").mobile("").name("Other Name");
    company.stopped = BTreeSet::from([GuardKind::Clears]);
    company.run();
    assert_eq!((company.ours(2, Name), company.ours(2, Mobile)), ("First02 Last02", "79261230002"));
}

#[test]
fn safety_2_nothing_is_built_on_a_number_that_is_held_back() {
    let chain = |kind: GuardKind| {
        let mut company = staff(20);
        company.person("p01").ext("202");
        company.person("p02").ext("250").mail("");
        company.person("new").name("Some Newcomer").ext("201");
        company.stopped = BTreeSet::from([kind]);
        let plan = company.run();
        (company, plan)
    };
    let (company, plan) = chain(GuardKind::Renumberings);
    assert_eq!(stopped(&plan), [(GuardKind::Renumberings, 2)]);
    assert!(plan.actions.is_empty(), "{:#?}", plan.actions);
    assert_eq!(plan.conflict_of("new").kind, ConflictKind::NumberTaken);
    assert_eq!((company.ours(1, Extension), company.ours(2, Extension)), ("201", "202"));
    // Another kind holds only the second: the first cannot have their number.
    let (company, plan) = chain(GuardKind::Clears);
    assert_eq!(stopped(&plan), [(GuardKind::Clears, 1)]);
    assert_eq!(plan.conflict_of("p01").kind, ConflictKind::NumberTaken);
    assert_eq!((company.ours(1, Extension), company.ours(2, Extension)), ("201", "202"));
    // Released, everybody moves.
    let (mut company, _) = chain(GuardKind::Renumberings);
    company.stopped.clear();
    company.settle();
    let numbers = [1, 2].map(|id| company.ours(id, Extension).to_owned());
    assert_eq!((numbers, company.linked("new").is_some()), (["202", "250"].map(str::to_owned), true));
}

#[test]
fn safety_2_a_number_the_directory_keeps_meanwhile_is_still_theirs() {
    let mut company = staff(20);
    company.employee(1).ext("250");
    company.person("p02").ext("201");
    assert!(company.preview().has_action("p02"), "given up in the PBX, and soon in the directory");
    company.stopped = BTreeSet::from([GuardKind::OverwritesInDirectory]);
    let plan = company.preview();
    assert_eq!(plan.conflict_of("p02").kind, ConflictKind::NumberTaken);
}

#[test]
fn safety_2_a_number_that_is_held_back_is_given_to_nobody_else() {
    let mut company = staff(20);
    company.policy.numbers = vec![NumberRange { from: 300, to: 399 }];
    company.person("p01").ext("12a");
    let conflict = company.preview().conflict_of("p01").clone();
    company.answer(&conflict, Answer::Number { number: "300".into(), keep_in_pbx: true });
    company.person("new").name("Some Newcomer");
    company.stopped = BTreeSet::from([GuardKind::Renumberings]);
    assert_eq!(company.run().number("new"), "301");
    // Nor to somebody who asks for it: whoever waits asked as well.
    company.person("p02").ext("300").mail("");
    company.stopped = BTreeSet::from([GuardKind::Clears]);
    let plan = company.preview();
    assert_eq!(plan.conflict_of("p01").kind, ConflictKind::NumberWantedTwice);
    assert_eq!(plan.conflict_of("p02").kind, ConflictKind::NumberWantedTwice);
}

#[test]
fn safety_2_a_number_nobody_could_have_is_a_conflict_and_not_held_back() {
    let mut company = staff(20);
    company.person("p01").ext("202").mobile("+79265550001");
    company.stopped = BTreeSet::from([GuardKind::Renumberings]);
    let plan = company.preview();
    assert_eq!(plan.conflict_of("p01").kind, ConflictKind::NumberTaken);
    assert_eq!(stopped(&plan), []);
    assert_eq!(sent(&plan.action("p01").pbx, Mobile), Some("79265550001"), "the rest goes on");
}

#[test]
fn safety_2_a_new_number_that_overwrites_is_held_back_before_it_is_given() {
    let mut company = staff(20);
    company.policy.numbers = vec![NumberRange { from: 300, to: 399 }];
    company.person("new").name("Some Newcomer").ext("12a");
    let conflict = company.preview().conflict_of("new").clone();
    company.answer(&conflict, Answer::Number { number: "300".into(), keep_in_pbx: false });
    company.person("other").name("Other Newcomer");
    company.stopped = BTreeSet::from([GuardKind::OverwritesInDirectory]);
    let plan = company.run();
    assert_eq!(stopped(&plan), [(GuardKind::OverwritesInDirectory, 1)]);
    assert_eq!((plan.number("other"), plan.has_action("new")), ("301", false));
    assert_eq!(number_of(&plan, "new"), None, "they have none yet");
    company.stopped = BTreeSet::from([GuardKind::Creations]);
    assert_eq!(stopped(&company.preview()), [(GuardKind::Creations, 1)]);
    company.stopped.clear();
    company.settle();
    assert_eq!(company.theirs("new", Extension), "300");
}

#[test]
fn safety_2_creations_that_are_held_back_use_up_no_number() {
    let mut company = staff(20);
    company.policy.numbers = vec![NumberRange { from: 300, to: 300 }];
    company.person("n1").name("Newcomer One");
    company.person("n2").name("Newcomer Two");
    company.stopped = BTreeSet::from([GuardKind::Creations]);
    let plan = company.preview();
    assert_eq!((stopped(&plan), plan.kinds()), (vec![(GuardKind::Creations, 2)], vec![]));
    assert_eq!((number_of(&plan, "n1"), number_of(&plan, "n2")), (None, None));
}

#[test]
fn safety_2_another_kind_still_stops_the_run() {
    let mut company = staff(20);
    for at in 1..=6 {
        company.person(&format!("p{at:02}")).account(Account::Disabled);
    }
    for at in 7..=12 {
        company.employee(at).mail("");
    }
    company.stopped = BTreeSet::from([GuardKind::Disables]);
    let plan = company.preview();
    assert_eq!(stopped(&plan), [(GuardKind::Disables, 6)]);
    assert_eq!(tripped(&plan), [(GuardKind::Clears, 6)]);
}

#[test]
fn safety_2_whoever_is_stopped_counts_no_more() {
    let mut company = staff(20);
    for at in 1..=6 {
        company.person(&format!("p{at:02}")).account(Account::Disabled);
    }
    company.stopped = BTreeSet::from([GuardKind::Disables]);
    let plan = company.preview();
    assert_eq!((&plan.halt, plan.touched.contains_key(&GuardKind::Disables)), (&None, false));
}

#[test]
fn identity_8_lost_employees_stay_stopped_while_there_are_any() {
    let mut company = staff(20);
    company.guarded = true;
    company.stopped = BTreeSet::from([GuardKind::LostEmployees]);
    company.person("p02").name("New Name");
    company.records.remove(&1);
    let plan = company.run();
    assert_eq!(tripped(&plan), [(GuardKind::LostEmployees, 1)], "one is too many now");
    let trip = &plan.halt.as_ref().unwrap().tripped[0];
    assert!(trip.stopped && trip.people <= trip.limit, "{trip:?}");
    assert_eq!(company.ours(2, Name), "First02 Last02", "both directions");
    // Nobody knows whether any are lost.
    company.pbx = partial();
    assert_eq!(tripped(&company.run()), [(GuardKind::LostEmployees, 0)]);
    (company.pbx, company.directory) = (Verdict::Complete, partial());
    company.employee(1).name("First01 Last01").mail("p01@example.org").ext("201").mobile("79261230001");
    assert_eq!(tripped(&company.run()), [(GuardKind::LostEmployees, 0)]);
    company.directory = Verdict::Complete;
    let plan = company.run();
    assert_eq!((&plan.halt, plan.lost.len()), (&None, 0), "they are back");
    assert_eq!(company.ours(2, Name), "New Name");
}

#[test]
fn safety_2_lost_employees_a_human_released_leave_the_count() {
    let mut company = staff(20);
    for at in 1..=6 {
        company.records.remove(&at);
    }
    assert_eq!(tripped(&company.preview()), [(GuardKind::LostEmployees, 6)]);
    company.lost_released = people(&["p01", "p02", "p03", "p04", "p05", "p06"]);
    let plan = company.preview();
    assert_eq!((&plan.halt, plan.lost.len(), &plan.touched), (&None, 6, &Touched::new()));
    assert_eq!(plan.kinds().len(), 6, "they are still asked about");
    for at in 7..=12 {
        company.records.remove(&at);
    }
    assert_eq!(tripped(&company.preview()), [(GuardKind::LostEmployees, 6)], "others are not");
}

#[test]
fn a_halt_says_in_words_why() {
    let kind = GuardKind::Disables;
    let trip = |people, stopped| Tripped { kind, people, recent: 0, limit: 5, linked: 40, stopped };
    let words = |tripped: Tripped| Halt { tripped: vec![tripped], look_first: None }.to_string();
    assert_eq!(words(trip(12, false)), "12 of 40 linked: people disabled, more than the limit of 5");
    assert_eq!(words(trip(6, false)), "6 of 40 linked: people disabled, more than the limit of 5");
    assert_eq!(words(trip(5, false)), "5 of 40 linked: people disabled, all there are");
    assert_eq!(words(trip(1, true)), "1 of 40 linked: people disabled, which was stopped before");
    let both = Halt { tripped: vec![trip(12, false)], look_first: Some(LookFirst::NeverLooked) };
    assert!(both.to_string().starts_with("nobody has looked yet") && both.to_string().contains("; 12 of 40"));
}

/// Reports of earlier versions know fewer keys.
#[test]
fn a_halt_keeps_its_keys() {
    let json = r#"{"tripped":[{"kind":"lost-employees","people":7,"recent":2,"limit":5,"linked":40}]}"#;
    let halt: Halt = serde_json::from_str(json).unwrap();
    assert_eq!((halt.tripped[0].people, halt.tripped[0].stopped, halt.look_first), (7, false, None));
    let now = serde_json::to_value(Halt { look_first: Some(LookFirst::SettingsChanged), ..halt }).unwrap();
    assert_eq!(now["look_first"], "settings-changed");
    assert_eq!(now["tripped"][0]["recent"], 2);
}

#[test]
fn safety_2_creations_of_a_first_run_are_held_back_by_nothing() {
    let mut company = staff(3);
    company.ran_before = false;
    company.stopped = BTreeSet::from([GuardKind::Creations]);
    company.person("new").name("New Person");
    assert!(company.preview().has_action("new"));
    company.ran_before = true;
    assert!(!company.preview().has_action("new"));
}

#[test]
fn safety_2_a_new_number_that_overwrites_nothing_is_not_held_back() {
    let mut company = staff(3);
    company.policy.numbers = vec![NumberRange { from: 201, to: 203 }];
    company.person("new").name("New Person");
    let plan = company.run();
    assert_eq!(plan.kinds(), [ConflictKind::NoFreeNumber]);
    company.answer(&plan.conflicts[0], Answer::Number { number: "288".into(), keep_in_pbx: false });
    company.stopped = BTreeSet::from([GuardKind::OverwritesInDirectory]);
    assert_eq!(company.preview().number("new"), "288");
}
