//! What must hold always.

use crate::guard::numbered;
use crate::support::*;
use reconcile::guard::{GuardKind, Touched, guard};
use reconcile::plan::{LineOutcome, plan};
use reconcile::{Account, Direction, LinkState, Thresholds, Verdict};
use std::collections::BTreeSet;

fn is_active(company: &Company, person: &str) -> bool {
    company.state(person) == LinkState::Active
}

#[test]
fn safety_1_partial_directory_disables_nobody() {
    let mut company = staff(4);
    company.directory = partial();
    company.person("p01").account(Account::Disabled).mail("x@example.org");
    company.person("p02").place(Place::Deleted);
    company.person("p03").place(Place::Moved);
    let plan = company.run();
    assert!(plan.actions.is_empty(), "{:#?}", plan.actions);
    assert!(["p01", "p02", "p03"].iter().all(|person| is_active(&company, person)));
    assert_eq!((plan.held_back[0].what.as_str(), plan.held_back[0].people), ("leavers", 3));
    assert_eq!(plan.directory, partial());
    company.directory = Verdict::Complete;
    company.settle();
    assert!(["p01", "p02", "p03"].iter().all(|person| !is_active(&company, person)));
}

#[test]
fn safety_1_partial_directory_ends_no_link() {
    for gone in [true, false] {
        let mut company = staff(4);
        if gone {
            company.person("p01").place(Place::Deleted);
        } else {
            company.person("p01").account(Account::Disabled);
        }
        company.settle();
        company.records.remove(&1);
        company.directory = partial();
        company.run();
        assert_eq!(company.linked("p01"), Some(1));
    }
}

#[test]
fn safety_1_partial_directory_takes_nobody_back() {
    for gone in [true, false] {
        let mut company = staff(4);
        if gone {
            company.person("p01").place(Place::Moved);
        } else {
            company.person("p01").account(Account::Disabled);
        }
        company.settle();
        assert!(!is_active(&company, "p01"));
        company.person("p01").place(Place::Here).account(Account::Enabled).mail("back@example.org");
        company.directory = partial();
        let plan = company.run();
        assert!(plan.actions.is_empty(), "{:#?}", plan.actions);
        assert_eq!((plan.held_back[0].what.as_str(), plan.held_back[0].people), ("returns", 1));
        assert!(!is_active(&company, "p01"));
        company.directory = Verdict::Complete;
        company.settle();
        assert!(is_active(&company, "p01"));
        assert_eq!(company.ours(1, Email), "back@example.org");
    }
}

#[test]
fn safety_1_partial_creates_and_joins_nobody() {
    for directory in [true, false] {
        let mut company = staff(4);
        company.person("new").name("Some Newcomer");
        company.person("p02").place(Place::Deleted);
        company.person("q02").name("First02 Last02").mail("p02@example.org");
        let conflict = company.preview().conflict_of("q02").clone();
        company.answer(&conflict, reconcile::Answer::Employee { id: reconcile::EmployeeId(2) });
        company.employee(9).name("Waiting").ext("299");
        company.person("w").name("Waiting");
        if directory {
            company.directory = partial();
        } else {
            company.pbx = partial();
        }
        company.run();
        assert_eq!(company.records.len(), 5);
        assert!(company.linked("w").is_none() && company.linked("new").is_none());
        assert_eq!((company.linked("p02"), company.linked("q02")), (Some(2), None), "no link moves");
    }
}

#[test]
fn safety_1_partial_clears_nobody() {
    for directory in [true, false] {
        let mut company = staff(4);
        company.person("p01").mail("");
        company.employee(2).mobile("");
        if directory {
            company.directory = partial();
        } else {
            company.pbx = partial();
        }
        company.run();
        company.run();
        assert_eq!(company.ours(1, Email), "p01@example.org");
        assert_eq!(company.theirs("p02", Mobile), "+79261230002");
        (company.directory, company.pbx) = (Verdict::Complete, Verdict::Complete);
        company.settle();
        assert_eq!((company.ours(1, Email), company.theirs("p02", Mobile)), ("", ""));
    }
}

#[test]
fn safety_1_partial_pbx_gives_no_number_and_notices_no_deletion() {
    let mut company = staff(4);
    company.person("p01").ext("250");
    company.records.remove(&2);
    company.person("p03").ext("12a");
    let conflict = company.preview().conflict_of("p03").clone();
    company.answer(&conflict, reconcile::Answer::Number { number: "260".into(), keep_in_pbx: false });
    company.pbx = partial();
    let plan = company.run();
    assert!(plan.actions.is_empty() && plan.conflicts.is_empty(), "{:#?}", plan.actions);
    assert_eq!(company.ours(1, Extension), "201");
}

#[test]
fn safety_1_partial_still_brings_updates_for_whom_it_did_read() {
    for directory in [true, false] {
        let mut company = staff(4);
        company.person("p01").mail("new@example.org");
        company.employee(2).name("New Name");
        if directory {
            company.directory = partial();
        } else {
            company.pbx = partial();
        }
        company.run();
        assert_eq!(company.ours(1, Email), "new@example.org");
        assert_eq!(company.theirs("p02", Name), "New Name");
    }
}

/// "more than max(5, 10 % of the linked people), more than 500, or all of ≥ 3",
/// over this plan and the automatic runs of the last 24 hours.
#[test]
fn safety_2_thresholds() {
    let nothing = BTreeSet::new();
    for kind in GuardKind::ALL {
        for linked in [0, 1, 2, 3, 5, 6, 40, 50, 51, 60, 100, 4_999, 5_000, 5_010, 6_000] {
            for people in [1, 2, 3, 4, 5, 6, 7, 10, 11, 499, 500, 501, 600, 4_999] {
                for before in [0, 1, 3, people] {
                    let total = people + before;
                    let many = f64::from(total) > f64::max(5.0, 0.1 * f64::from(linked)) || total > 500;
                    let all = linked >= 3 && total >= linked && kind != GuardKind::Creations;
                    let planned = Touched::from([(kind, numbered(0..people))]);
                    let recent = Touched::from([(kind, numbered(people..total))]);
                    let halt = guard(&planned, &recent, &nothing, linked, 0, Thresholds::default());
                    assert_eq!(halt.is_some(), many || all, "{kind:?} {people}+{before} of {linked}");
                    if let Some(halt) = halt {
                        assert_eq!((halt.tripped[0].people, halt.tripped[0].recent), (total, before));
                    }
                }
            }
        }
    }
}

/// Who joins in this very plan widens the share; all of the linked are those
/// who were linked before.
#[test]
fn safety_2_all_of_them_are_those_linked_before() {
    let halts = |kind, people, linked, joining| {
        let planned = Touched::from([(kind, numbered(0..people))]);
        let (recent, stopped) = (Touched::new(), BTreeSet::new());
        guard(&planned, &recent, &stopped, linked, joining, Thresholds::default()).is_some()
    };
    for kind in GuardKind::ALL {
        assert!(!halts(kind, 4, 2, 2), "{kind:?}: hardly anybody was");
        assert!(!halts(kind, 9, 0, 90), "{kind:?}: the share of all");
        let of_the_linked =
            matches!(kind, GuardKind::Disables | GuardKind::Clears | GuardKind::LostEmployees);
        assert_eq!(halts(kind, 3, 3, 50), of_the_linked, "{kind:?}");
        assert_eq!(halts(kind, 4, 3, 1), kind != GuardKind::Creations, "{kind:?}");
    }
}

#[test]
fn safety_2_each_kind_counts_for_itself() {
    let four = || numbered(0..4);
    let planned = Touched::from([(GuardKind::Disables, four()), (GuardKind::Clears, four())]);
    let recent = Touched::from([(GuardKind::Renumberings, numbered(0..400))]);
    assert_eq!(guard(&planned, &recent, &BTreeSet::new(), 20, 0, Thresholds::default()), None);
}

/// What one person's change counts as.
#[test]
fn safety_2_what_is_counted() {
    type Change = fn(&mut Company, u64);
    let changes: [(&[GuardKind], Change); 9] = [
        (&[GuardKind::Disables], |company, at| {
            company.person(&format!("p{at:02}")).account(Account::Disabled);
        }),
        (&[GuardKind::Disables], |company, at| {
            company.person(&format!("p{at:02}")).place(Place::Deleted);
        }),
        (&[GuardKind::Clears], |company, at| {
            company.employee(at).mail("").mobile("");
        }),
        (&[GuardKind::Renumberings, GuardKind::OverwritesInPbx], |company, at| {
            company.person(&format!("p{at:02}")).ext(&(300 + at).to_string());
        }),
        (&[GuardKind::OverwritesInPbx], |company, at| {
            company
                .person(&format!("p{at:02}"))
                .name(&format!("New{at} Name"))
                .mobile(&format!("+7926555{at:04}"));
        }),
        (&[GuardKind::OverwritesInDirectory], |company, at| {
            company.employee(at).name(&format!("New{at} Name")).ext(&(300 + at).to_string());
        }),
        (&[GuardKind::Creations], |company, at| {
            company.person(&format!("n{at:02}")).name(&format!("Newcomer{at} Of{at}"));
        }),
        (&[GuardKind::LostEmployees], |company, at| {
            company.records.remove(&at);
        }),
        (&[GuardKind::LostEmployees], |company, at| {
            let mail = format!("stranger{at}@example.org");
            company
                .employee(at)
                .name(&format!("Stranger{at} S{at}"))
                .ext(&(400 + at).to_string())
                .mail(&mail);
        }),
    ];
    for (kinds, change) in changes {
        for (people, halts) in [(5, false), (6, true)] {
            let mut company = staff(20);
            (1..=people).for_each(|at| change(&mut company, at));
            let halt = company.preview().halt;
            let tripped: Vec<_> = halt.iter().flat_map(|halt| &halt.tripped).map(|trip| trip.kind).collect();
            assert_eq!(tripped, if halts { kinds } else { &[] }, "{people}");
            if halts {
                company.guarded = true;
                company.run();
                assert!(company.preview().halt.is_some(), "stopped before its first write, again and again");
            }
        }
    }
}

#[test]
fn safety_2_filling_and_the_first_creations_do_not_count() {
    let mut company = company();
    for at in 1..=20 {
        company.person(&format!("n{at:02}")).name(&format!("Newcomer{at} Of{at}"));
    }
    assert_eq!(company.preview().halt, None, "everybody is new in a first run");
    company.settle();
    for at in 1..=20 {
        company.person(&format!("n{at:02}")).mail(&format!("n{at}@example.org"));
    }
    assert_eq!(company.preview().halt, None, "filling an empty value does not count");
}

#[test]
fn safety_2_what_a_first_meeting_overwrites_counts() {
    let mut company = company();
    (1..=20).for_each(|at| company.pair_up(at));
    for at in 1..=6 {
        company.employee(at).name(&format!("Other{at} Spelt{at}"));
    }
    let halt = company.preview().halt.unwrap();
    assert_eq!(halt.tripped[0].kind, GuardKind::OverwritesInPbx);
}

#[test]
fn safety_3_a_preview_is_the_plan() {
    let mut company = staff(4);
    company.person("p01").mail("new@example.org");
    company.person("new").name("Some Newcomer");
    let (one, other) = (company.preview(), company.preview());
    assert_eq!((&one, one.hash()), (&other, other.hash()));
    assert_eq!(company.run(), one);
    assert_ne!(company.preview().hash(), one.hash());
}

#[test]
fn safety_3_the_hash_is_of_what_would_be_done_and_not_of_when() {
    let mut company = staff(4);
    company.person("p01").mail("new@example.org");
    let hash = company.preview().hash();
    let mut later = company.clone();
    later.now_ms += 1_000 * MINUTE_MS;
    later.person("p02").mobile("8 (926) 123-00-02");
    assert_ne!(later.preview().hash(), hash, "a pair that moves is something that is done");
    later.person("p02").mobile("+79261230002");
    assert_eq!(later.preview().hash(), hash);
    company.person("p01").mail("newer@example.org");
    assert_ne!(company.preview().hash(), hash);
    assert_eq!(hash.len(), 32);
}

#[test]
fn safety_4_a_second_run_does_nothing() {
    let mut company = staff(6);
    company.person("p01").mail("new@example.org");
    company.employee(2).name("New Name");
    company.person("new").name("Some Newcomer");
    company.person("p03").account(Account::Disabled);
    company.person("p04").many(Email, &["a@example.org", "b@example.org"]);
    company.person("p05").set(Photo, "text");
    company.run();
    assert!(!company.run().writes());
    assert!(company.run().actions.is_empty());
}

#[test]
fn safety_5_one_line_a_person_and_one_action_at_most() {
    let mut company = staff(5);
    company.person("p01").place(Place::Missed);
    company.person("p02").place(Place::Deleted);
    company.records.remove(&3);
    company.person("p04").account(Account::Expired);
    company.person("new").name("Some Newcomer");
    company.person("off").name("Somebody Off").account(Account::Disabled);
    company.person("nameless");
    let plan = company.preview();
    let people: Vec<_> = plan.people.iter().map(|line| line.person.as_str()).collect();
    assert_eq!(people, ["nameless", "new", "off", "p01", "p02", "p03", "p04", "p05"]);
    let outcomes: Vec<_> = plan.people.iter().map(|line| line.outcome).collect();
    use LineOutcome::{Conflict, Create, Leave, Skip, Unchanged};
    assert_eq!(outcomes, [Conflict, Create, Skip, Skip, Leave, Conflict, Leave, Unchanged]);
}

#[test]
fn safety_8_one_bad_person_stops_nobody() {
    let mut company = staff(4);
    company.person("p01").name("\u{1}").mail("x").mobile("y").ext("z").set(Photo, "?").set(SipPassword, "?");
    company.person("p02").mail("new@example.org");
    company.person("new").name("Some Newcomer");
    company.run();
    assert_eq!(company.ours(2, Email), "new@example.org");
    assert!(company.linked("new").is_some());
}

#[test]
fn safety_9_a_plan_holds_no_secret() {
    let mut company = staff(4);
    let world = {
        company.person("p01").set(SipPassword, "secretN");
        company.person("p02").set(SipPassword, "secretD");
        company.employee(2).set(SipPassword, "secretP");
        company.world()
    };
    let mut fingerprinted = world.clone();
    let fingerprinter = reconcile::canonical::Fingerprinter::new([7; 32]);
    for person in &mut fingerprinted.people.rows {
        let plain = person.fields[SipPassword].values()[0].canonical().to_owned();
        person.fields[SipPassword] = reconcile::Reading::one(fingerprinter.secret(plain.as_bytes()).unwrap());
    }
    let plan = plan(&fingerprinted);
    let written = format!("{plan:?}{}", serde_json::to_string(&plan).unwrap());
    assert!(plan.actions.iter().any(|action| !action.pbx.is_empty() || !action.directory.is_empty()));
    assert!(!written.contains("secretN") && !written.contains("secretD"));
}

#[test]
fn safety_12_nothing_is_ever_deleted() {
    let mut company = staff(5);
    company.person("p01").place(Place::Deleted);
    company.person("p02").account(Account::Disabled);
    company.records.remove(&3);
    company.employee(9).name("Only Here").ext("299");
    let (entries, records) = (company.entries.len(), company.records.len());
    company.settle();
    assert_eq!((company.entries.len(), company.records.len()), (entries, records));
}

#[test]
fn safety_a_direction_that_is_off_sends_nothing_with_a_creation() {
    let mut company = company();
    for field in [Email, Mobile, Photo, SipPassword] {
        company.direction(field, Direction::ToDirectory);
    }
    let person = company.person("new").name("Some Newcomer").mail("n@example.org").mobile("+79265550000");
    person.set(Photo, "pictureN").set(SipPassword, "secretN");
    company.run();
    let id = company.linked("new").unwrap();
    assert_eq!((company.ours(id, Email), company.ours(id, Mobile), company.ours(id, Photo)), ("", "", ""));
    assert_eq!(company.ours(id, SipPassword), format!("secret-of-{id}"));
}
