//! Pages of runs, of their people, of the people of plans, and of conflicts.

use crate::common::{company, conflict, directory, everywhere, link, person};
use crate::rows::{decision, quarantined, seen, start, step};
use reconcile::{Answer, Conflict, ConflictKind, EmployeeId, LeftReason, Link, LinkState, PersonId};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::slice::from_ref;
use store::{
    By, ConflictId, ConflictQuery, ConflictSort, ConflictState, ConflictsOf, Counts, DirectoryId, Error,
    JournalRow, Order, PLAN_PEOPLE_KEPT_MAX, PLANS_KEPT_MAX, Page, PersonStatus, PlanPeopleQuery, PlanPerson,
    RunId, RunPeopleQuery, RunPerson, RunQuery, Store, Trigger, Updated, Window,
};

fn told(number: usize, name: &str, status: PersonStatus, updated: Updated) -> RunPerson {
    RunPerson { name: name.into(), extension: format!("20{number}"), status, updated, ..seen(number, "") }
}

#[tokio::test]
async fn people_of_a_run_are_found_and_counted() {
    everywhere(async |store| {
        let id = company(store).await;
        let other = start(store, id, Trigger::Manual, 1).await;
        store.add_run_people(other, &[seen(1, "another run")]).await.unwrap();
        let run = start(store, id, Trigger::Manual, 2).await;
        let (ok, bad) = (PersonStatus::Processed, PersonStatus::Conflict);
        let people = [
            told(3, "Ёлкин Пётр", ok, Updated::Pbx),
            told(1, "Яковлева 5%_", bad, Updated::Nothing),
            told(2, "елкина Анна", ok, Updated::Both),
            told(1, "Яковлева 5%_", ok, Updated::Pbx),
        ];
        store.add_run_people(run, &people[..3]).await.unwrap();
        store.add_run_people(run, &people[3..]).await.unwrap();
        let page = async |query| store.run_people_page(run, &query).await.unwrap();
        let some = |numbers: &[usize], total| Page {
            rows: numbers.iter().map(|&number| people[number].clone()).collect(),
            total,
        };
        let all = RunPeopleQuery::default();
        assert_eq!(page(all.clone()).await, some(&[0, 1, 2, 3], 4));
        let window = Window { limit: 2, offset: 1 };
        assert_eq!(page(RunPeopleQuery { window, ..all.clone() }).await, some(&[1, 2], 4));
        let window = Window { limit: 2, offset: 4 };
        assert_eq!(page(RunPeopleQuery { window, ..all.clone() }).await, some(&[], 4));
        assert_eq!(page(RunPeopleQuery { status: Some(ok), ..all.clone() }).await, some(&[0, 2, 3], 3));
        let updated = Some(Updated::Pbx);
        assert_eq!(page(RunPeopleQuery { updated, ..all.clone() }).await, some(&[0, 3], 2));
        assert_eq!(page(RunPeopleQuery { updated, status: Some(bad), ..all.clone() }).await, some(&[], 0));
        for (search, rows) in [
            ("ЕЛКИН", &[0, 2][..]),
            ("анна ёлкина", &[2]),
            ("%", &[1, 3]),
            ("5%_", &[1, 3]),
            ("203", &[0]),
            ("20", &[0, 1, 2, 3]),
            ("nobody", &[]),
        ] {
            let query = RunPeopleQuery { search: search.into(), ..all.clone() };
            assert_eq!(page(query).await, some(rows, rows.len() as u64), "{search:?}");
        }
        let counts = [((ok, Updated::Pbx), 2), ((ok, Updated::Both), 1), ((bad, Updated::Nothing), 1)];
        assert_eq!(store.run_counts(run).await.unwrap(), BTreeMap::from(counts));
        assert!(store.run_counts(RunId(99)).await.unwrap().is_empty());
        assert_eq!(store.run_people_page(RunId(99), &all).await.unwrap(), some(&[], 0));
    })
    .await;
}

#[tokio::test]
async fn runs_are_paged_by_server_and_trigger() {
    everywhere(async |store| {
        let id = company(store).await;
        let other = store.put_directory(&directory("other"), None).await.unwrap();
        let mut runs = Vec::new();
        for (directory, trigger) in [
            (id, Trigger::Manual),
            (other, Trigger::Automatic),
            (id, Trigger::Automatic),
            (id, Trigger::Automatic),
        ] {
            runs.push(start(store, directory, trigger, 1).await);
        }
        let page = async |query: RunQuery| {
            let Page { rows, total } = store.run_page(&query).await.unwrap();
            for row in &rows {
                assert_eq!(Some(row), store.run(row.id).await.unwrap().as_ref());
            }
            (rows.iter().map(|row| row.id).collect::<Vec<_>>(), total)
        };
        let all = RunQuery::default();
        runs.reverse();
        assert_eq!(page(all).await, (runs.clone(), 4));
        let window = Window { limit: 2, offset: 1 };
        assert_eq!(page(RunQuery { window, ..all }).await, (runs[1..3].to_vec(), 4));
        let own = RunQuery { directory: Some(id), ..all };
        assert_eq!(page(own).await, (vec![runs[0], runs[1], runs[3]], 3));
        let automatic = RunQuery { trigger: Some(Trigger::Automatic), ..all };
        assert_eq!(page(automatic).await, (runs[..3].to_vec(), 3));
        let window = Window { limit: 1, offset: 1 };
        let both = RunQuery { directory: Some(id), window, ..automatic };
        assert_eq!(page(both).await, (vec![runs[1]], 2));
        assert_eq!(page(RunQuery { trigger: Some(Trigger::Undo), ..all }).await, (vec![], 0));
    })
    .await;
}

fn planned(number: usize, kind: &str) -> PlanPerson {
    PlanPerson {
        person: person(number),
        employee: (number > 1).then_some(EmployeeId(number as u64)),
        name: format!("Ёлкин {number}"),
        extension: format!("20{number}"),
        kind: kind.into(),
        changes: json!([{"field": "name", "after": number}]),
        reason: "new".into(),
    }
}

#[tokio::test]
async fn people_of_a_plan_stay_as_long_as_it_does() {
    everywhere(async |store| {
        let id = company(store).await;
        store.put_plan(id, "a", 1, "{}").await.unwrap();
        let people = [planned(1, "create"), planned(2, "update"), planned(3, "create"), planned(4, "100%")];
        store.put_plan_people(id, "a", &[planned(9, "create")]).await.unwrap();
        store.put_plan_people(id, "a", &people).await.unwrap();
        let page = async |query| store.plan_people(id, "a", &query).await.unwrap();
        let some = |numbers: &[usize], total| Page {
            rows: numbers.iter().map(|&number| people[number - 1].clone()).collect(),
            total,
        };
        let all = PlanPeopleQuery::default();
        assert_eq!(page(all.clone()).await, some(&[1, 2, 3, 4], 4));
        let window = Window { limit: 2, offset: 1 };
        assert_eq!(page(PlanPeopleQuery { window, ..all.clone() }).await, some(&[2, 3], 4));
        let kind = Some("create".to_owned());
        assert_eq!(page(PlanPeopleQuery { kind: kind.clone(), ..all.clone() }).await, some(&[1, 3], 2));
        let search = "елкин 203".to_owned();
        assert_eq!(page(PlanPeopleQuery { kind, search, ..all.clone() }).await, some(&[3], 1));
        let none = PlanPeopleQuery { kind: Some("1%".into()), ..all.clone() };
        assert_eq!(page(none).await, some(&[], 0));
        let counts =
            BTreeMap::from([("100%", 1), ("create", 2), ("update", 1)].map(|(k, n)| (k.to_owned(), n)));
        assert_eq!(store.plan_counts(id, "a").await.unwrap(), counts);
        // Put again, it is still the same plan.
        store.put_plan(id, "a", 1, "{}").await.unwrap();
        assert_eq!(store.plan_counts(id, "a").await.unwrap(), counts);
        for (directory, hash) in [(id, "none"), (DirectoryId(9), "a")] {
            let refused = store.put_plan_people(directory, hash, &people).await;
            assert!(matches!(refused, Err(Error::Missing(_))), "{refused:?}");
            assert!(store.plan_counts(directory, hash).await.unwrap().is_empty());
        }

        let other = store.put_directory(&directory("other"), None).await.unwrap();
        store.put_plan(other, "a", 1, "{}").await.unwrap();
        store.put_plan_people(other, "a", &people[..1]).await.unwrap();
        // Only the newest plans keep their people, of each directory.
        for number in 1..=PLAN_PEOPLE_KEPT_MAX {
            assert_eq!(store.plan_counts(id, "a").await.unwrap(), counts);
            let hash = format!("b{number}");
            store.put_plan(id, &hash, 1 + number as i64, "{}").await.unwrap();
            store.put_plan_people(id, &hash, &people).await.unwrap();
        }
        assert!(store.plan_counts(id, "a").await.unwrap().is_empty());
        assert!(store.plan(id, "a").await.unwrap().is_some());
        assert_eq!(store.plan_counts(id, "b1").await.unwrap(), counts);
        assert_eq!(store.plan_counts(other, "a").await.unwrap().len(), 1);
        // They go with their plan, and with their directory.
        for number in 0..PLANS_KEPT_MAX {
            store.put_plan(id, &format!("c{number}"), 100 + number as i64, "{}").await.unwrap();
        }
        assert!(store.plan_counts(id, "b1").await.unwrap().is_empty());
        store.remove_directory(other).await.unwrap();
        assert!(store.plan_counts(other, "a").await.unwrap().is_empty());
    })
    .await;
}

fn about(number: usize, name: &str, kind: ConflictKind) -> Conflict {
    Conflict { name: name.into(), pbx_value: Some("доб_5".into()), ..conflict(number, kind, "x") }
}

async fn ids(store: &dyn Store, query: &ConflictQuery) -> (Vec<i64>, u64) {
    let Page { rows, total } = store.conflict_page(query).await.unwrap();
    (rows.iter().map(|row| row.id.0).collect(), total)
}

#[tokio::test]
async fn conflicts_are_found_sorted_and_counted() {
    everywhere(async |store| {
        let id = company(store).await;
        let other = store.put_directory(&directory("other"), None).await.unwrap();
        let (changed, refused) = (ConflictKind::BothChanged, ConflictKind::Refused);
        let [one, two, three] =
            [about(1, "яковлев", changed), about(2, "Ёлкин", refused), about(3, "Елкин", changed)];
        let none = BTreeSet::new();
        // One at a time, so that their ids are known: 1, 2, 3 and 4.
        store.sync_conflicts(By::Hand(id), 30, from_ref(&one), &none).await.unwrap();
        store.sync_conflicts(By::Hand(id), 10, from_ref(&two), &none).await.unwrap();
        store.sync_conflicts(By::Hand(id), 20, from_ref(&three), &none).await.unwrap();
        store.sync_conflicts(By::Hand(other), 20, from_ref(&two), &none).await.unwrap();
        let all = ConflictQuery::default();
        for (sort, mut ascending) in
            [(ConflictSort::Date, vec![2, 3, 4, 1]), (ConflictSort::Person, vec![2, 3, 4, 1])]
        {
            for order in [Order::Ascending, Order::Descending] {
                let query = |limit, offset| ConflictQuery {
                    sort,
                    order,
                    window: Window { limit, offset },
                    ..all.clone()
                };
                assert_eq!(ids(store, &query(9, 0)).await, (ascending.clone(), 4), "{sort:?} {order:?}");
                for offset in 0..4 {
                    let row = ascending[offset as usize];
                    assert_eq!(ids(store, &query(1, offset)).await, (vec![row], 4));
                }
                assert_eq!(ids(store, &query(9, 4)).await, (vec![], 4));
                ascending.reverse();
            }
        }
        let page = store.conflict_page(&all).await.unwrap();
        let mut rows = store.conflicts(ConflictsOf::Everybody).await.unwrap();
        rows.rotate_left(1);
        assert_eq!(page.rows, rows);
        let kind = Some(changed);
        assert_eq!(ids(store, &ConflictQuery { kind, ..all.clone() }).await, (vec![3, 1], 2));
        let own = ConflictQuery { directory: Some(id), ..all.clone() };
        assert_eq!(ids(store, &own).await, (vec![2, 3, 1], 3));
        for (search, found) in [
            ("ёлкин", &[2, 3][..]),
            ("ЯКОВ", &[1]),
            ("ДОБ_5", &[2, 3, 1]),
            ("_", &[2, 3, 1]),
            ("%", &[]),
            ("926", &[2, 3, 1]),
        ] {
            let query = ConflictQuery { search: search.into(), ..own.clone() };
            assert_eq!(ids(store, &query).await, (found.to_vec(), found.len() as u64), "{search:?}");
        }

        // Another name, a human's answer, and the end of one.
        let renamed = Conflict { name: "Абрамов".into(), ..one };
        let judged = BTreeSet::from([ConflictId(3)]);
        store.sync_conflicts(By::Hand(id), 40, &[renamed, two], &judged).await.unwrap();
        let leave = decision(1, Answer::LeaveAsIs, "x");
        store.put_decision(id, &leave).await.unwrap();
        let by_name = ConflictQuery { sort: ConflictSort::Person, ..own.clone() };
        assert_eq!(ids(store, &by_name).await, (vec![1, 2], 2));
        let of = async |state| ids(store, &ConflictQuery { state: Some(state), ..own.clone() }).await.0;
        assert_eq!(of(ConflictState::Open).await, [2]);
        assert_eq!(of(ConflictState::Silenced).await, [1]);
        assert_eq!(of(ConflictState::ResolvedByItself).await, [3]);
        let counts = [
            ((changed, ConflictState::Silenced), 1),
            ((refused, ConflictState::Open), 1),
            ((changed, ConflictState::ResolvedByItself), 1),
        ];
        assert_eq!(store.conflict_counts(Some(id)).await.unwrap(), BTreeMap::from(counts));
        let everywhere = store.conflict_counts(None).await.unwrap();
        assert_eq!(everywhere[&(refused, ConflictState::Open)], 2);
        store.clear_conflicts(ConflictsOf::Directory(id), 50).await.unwrap();
        assert_eq!(of(ConflictState::Cleared).await, [2, 1]);
        assert_eq!(ids(store, &own).await, (vec![], 0));
    })
    .await;
}

#[tokio::test]
async fn servers_are_counted() {
    everywhere(async |store| {
        let id = company(store).await;
        let other = store.put_directory(&directory("other"), None).await.unwrap();
        let zero = Counts::default();
        assert_eq!(store.directory_counts().await.unwrap(), BTreeMap::from([(id, zero), (other, zero)]));
        let left = LinkState::Left { reason: LeftReason::Locked, since_ms: 5 };
        let links = [
            link(1, 1),
            Link { state: left, ..link(2, 2) },
            Link { state: LinkState::Resting { since_ms: 1 }, ..link(3, 3) },
        ];
        store.agree(By::Hand(id), &[], &links).await.unwrap();
        store.agree(By::Hand(other), &[], &[link(1, 9)]).await.unwrap();
        let found = [1, 2].map(|number| conflict(number, ConflictKind::BothChanged, "x"));
        store.sync_conflicts(By::Hand(id), 1, &found, &BTreeSet::new()).await.unwrap();
        store.put_decision(id, &decision(1, Answer::LeaveAsIs, "x")).await.unwrap();
        store.change_quarantine(By::Hand(other), &[], &[quarantined(1, 1), quarantined(2, 1)]).await.unwrap();
        let counts = store.directory_counts().await.unwrap();
        assert_eq!(counts[&id], Counts { linked: 3, left: 1, conflicts_open: 1, quarantined: 0 });
        assert_eq!(counts[&other], Counts { linked: 1, left: 0, conflicts_open: 0, quarantined: 2 });
        store.remove_directory(id).await.unwrap();
        assert_eq!(store.directory_counts().await.unwrap().into_keys().collect::<Vec<_>>(), [other]);
    })
    .await;
}

#[tokio::test]
async fn one_person_is_found_alone() {
    everywhere(async |store| {
        let id = company(store).await;
        store.agree(By::Hand(id), &[], &[link(1, 11), link(2, 12)]).await.unwrap();
        assert_eq!(store.link(id, &person(2)).await.unwrap(), Some(link(2, 12)));
        assert_eq!(store.link(id, &person(3)).await.unwrap(), None);
        assert_eq!(store.link(DirectoryId(99), &person(2)).await.unwrap(), None);

        let old = start(store, id, Trigger::Manual, 1).await;
        store.add_run_people(old, &[seen(1, "then"), seen(2, "only then")]).await.unwrap();
        let new = start(store, id, Trigger::Manual, 2).await;
        store.add_run_people(new, &[seen(1, "now"), seen(3, "somebody"), seen(1, "at last")]).await.unwrap();
        let latest = async |number| store.latest_person(id, &person(number)).await.unwrap();
        assert_eq!(latest(1).await, Some((new, seen(1, "at last"))));
        assert_eq!(latest(2).await, Some((old, seen(2, "only then"))));
        assert_eq!(latest(4).await, None);
        assert_eq!(store.latest_person(DirectoryId(99), &person(1)).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn the_journal_of_a_run_is_cut_to_pages() {
    everywhere(async |store| {
        let id = company(store).await;
        let other = start(store, id, Trigger::Manual, 1).await;
        store.journal(&[step(other, 1, id)]).await.unwrap();
        let run = start(store, id, Trigger::Manual, 2).await;
        let somebody = |seq| JournalRow { person: person(7), ..step(run, seq, id) };
        let rows = [step(run, 1, id), somebody(2), step(run, 3, id), somebody(4), step(run, 5, id)];
        store.journal(&rows).await.unwrap();
        let page = async |of: Option<PersonId>, limit, offset| {
            let window = Window { limit, offset };
            let page = store.journal_page(run, of.as_ref(), window).await.unwrap();
            (page.rows.iter().map(|row| row.seq).collect::<Vec<_>>(), page.total)
        };
        assert_eq!(page(None, 2, 0).await, (vec![1, 2], 5));
        assert_eq!(page(None, 2, 4).await, (vec![5], 5));
        assert_eq!(page(None, 2, 6).await, (vec![], 5));
        assert_eq!(page(Some(person(7)), 9, 0).await, (vec![2, 4], 2));
        assert_eq!(page(Some(person(8)), 9, 0).await, (vec![], 0));
        let all = store.journal_page(run, None, Window::default()).await.unwrap();
        assert_eq!(all.rows, rows);
    })
    .await;
}
