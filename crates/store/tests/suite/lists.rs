//! Pages of lists: what is found, in which order, and how many there are.

use crate::common::{company, directory, everywhere, link, pbx, person};
use crate::rows::{seen, start};
use reconcile::{EmployeeId, Field, FieldMap, Interval, LeftReason, Link, LinkState, Sight, Value};
use std::slice::from_ref;
use store::{
    By, DirectoryId, DirectoryRow, LIST_ROWS_MAX, LastRun, Order, Page, PbxId, PeopleQuery, PeopleSort,
    PersonRow, PersonStatus, Standing, Store, Trigger, Updated, Window,
};

/// A link of somebody of whom the PBX says this; the directory says nothing.
fn named(number: usize, name: &str, [extension, email, mobile]: [&str; 3]) -> Link {
    let sight = |raw: &str| {
        let value = (!raw.is_empty()).then(|| Value::new(raw, raw));
        Some(Sight { value, change: Interval { after_ms: 1, by_ms: 2 }, mark: None })
    };
    let mut seen = FieldMap::default();
    seen[Field::Extension] = sight(extension);
    seen[Field::Email] = sight(email);
    seen[Field::Mobile] = sight(mobile);
    Link { name: name.into(), pbx: seen, directory: FieldMap::default(), ..link(number, number as u64) }
}

fn company_of_five() -> [Link; 5] {
    [
        named(1, "Ёлкин Пётр", ["100", "Petr@Example.org", "+7 (926) 000-00-01"]),
        named(2, "Яковлева Анна", ["99", "anna@example.org", ""]),
        named(3, "ёлкин пётр", ["0099", "", "79260000003"]),
        named(4, "Straße 100%", ["", "road_works@example.org", ""]),
        named(5, "Жуков\tИван", ["201", "roadxworks@example.org", ""]),
    ]
}

async fn page(store: &dyn Store, query: PeopleQuery) -> (Vec<u64>, u64) {
    let Page { rows, total } = store.people(&query).await.unwrap();
    (rows.iter().map(|row| row.employee.0).collect(), total)
}

async fn found(store: &dyn Store, search: &str) -> Vec<u64> {
    let (rows, total) = page(store, PeopleQuery { search: search.into(), ..PeopleQuery::default() }).await;
    assert_eq!(rows.len() as u64, total);
    rows
}

#[tokio::test]
async fn people_are_found_by_any_part_of_what_is_shown() {
    everywhere(async |store| {
        let id = company(store).await;
        store.agree(By::Hand(id), &[], &company_of_five()).await.unwrap();
        for (search, people) in [
            ("", &[4, 1, 3, 5, 2][..]),
            (" \t ", &[4, 1, 3, 5, 2]),
            ("ёлк", &[1, 3]),
            ("ЕЛКИН", &[1, 3]),
            // Words in any order, each of them somewhere.
            ("пётр ёл", &[1, 3]),
            ("пётр анна", &[]),
            ("пётр @EXAMPLE.org", &[1]),
            ("strasse", &[4]),
            ("STRASSE", &[4]),
            ("иван", &[5]),
            // Signs that mean something to a database mean themselves here.
            ("100%", &[4]),
            ("%", &[4]),
            ("_", &[4]),
            ("road_works", &[4]),
            ("road!works", &[]),
            ("'; --", &[]),
            ("\\", &[]),
            // Numbers in any writing, and no number where one ends and the next begins.
            ("99", &[3, 2]),
            ("00", &[4, 1, 3]),
            ("+7 926", &[1, 3]),
            ("926 000-00-03", &[3]),
            ("20179", &[]),
            ("(", &[]),
        ] {
            assert_eq!(found(store, search).await, people, "{search:?}");
        }
        let long = "ё".repeat(10_000);
        assert!(found(store, &long).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn people_are_sorted_by_every_column_both_ways_and_cut_to_pages() {
    everywhere(async |store| {
        let id = company(store).await;
        let mut links = company_of_five();
        links[0].state = LinkState::Left { reason: LeftReason::Deleted, since_ms: 30 };
        links[2].state = LinkState::Left { reason: LeftReason::Disabled, since_ms: 20 };
        links[4].state = LinkState::Resting { since_ms: 25 };
        store.agree(By::Hand(id), &[], &links).await.unwrap();
        let run = start(store, id, Trigger::Manual, 1).await;
        store.add_run_people(run, &[seen(5, "")]).await.unwrap();
        let run = start(store, id, Trigger::Manual, 2).await;
        store.add_run_people(run, &[seen(2, "")]).await.unwrap();
        for (sort, ascending) in [
            (PeopleSort::Name, [4, 1, 3, 5, 2]),
            (PeopleSort::Number, [4, 2, 1, 5, 3]),
            (PeopleSort::Email, [3, 2, 1, 4, 5]),
            (PeopleSort::Since, [2, 4, 3, 5, 1]),
            (PeopleSort::LastRun, [1, 3, 4, 5, 2]),
        ] {
            let mut expected = ascending.to_vec();
            for order in [Order::Ascending, Order::Descending] {
                let query = |limit, offset| PeopleQuery {
                    sort,
                    order,
                    window: Window { limit, offset },
                    ..PeopleQuery::default()
                };
                assert_eq!(page(store, query(9, 0)).await, (expected.clone(), 5), "{sort:?} {order:?}");
                // Page by page nobody is missed and nobody comes twice.
                for offset in 0..5_u32 {
                    let row = expected[offset as usize];
                    assert_eq!(page(store, query(1, offset)).await, (vec![row], 5));
                }
                assert_eq!(page(store, query(9, 4)).await, (expected[4..].to_vec(), 5));
                assert_eq!(page(store, query(9, 5)).await, (vec![], 5));
                assert_eq!(page(store, query(0, 0)).await, (vec![], 5));
                // The same among those a search finds.
                let some = PeopleQuery { search: "e".into(), ..query(9, 1) };
                let with_e: Vec<u64> = expected.iter().copied().filter(|row| *row != 3).collect();
                assert_eq!(page(store, some).await, (with_e[1..].to_vec(), 4));
                expected.reverse();
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_page_has_a_bound() {
    everywhere(async |store| {
        let id = company(store).await;
        let links: Vec<Link> = (0..1_001).map(|number| link(number, number as u64)).collect();
        store.agree(By::Hand(id), &[], &links).await.unwrap();
        let window = Window { limit: u32::MAX, offset: 0 };
        let (rows, total) = page(store, PeopleQuery { window, ..PeopleQuery::default() }).await;
        assert_eq!((rows.len(), total), (LIST_ROWS_MAX as usize, 1_001));
    })
    .await;
}

#[tokio::test]
async fn a_person_is_shown_as_last_seen() {
    everywhere(async |store| {
        let id = company(store).await;
        let mut one = named(7, "Иванов Иван", ["0201", "I@example.org", "79260000007"]);
        let in_directory = link(7, 7).directory;
        one.directory = in_directory.clone();
        store.agree(By::Hand(id), &[], from_ref(&one)).await.unwrap();
        let row = async || store.people(&PeopleQuery::default()).await.unwrap().rows.remove(0);
        let expected = PersonRow {
            directory: id,
            person: person(7),
            employee: EmployeeId(7),
            name: "Иванов Иван".into(),
            number: "0201".into(),
            email: "I@example.org".into(),
            mobile: "79260000007".into(),
            state: LinkState::Active,
            last: None,
        };
        assert_eq!(row().await, expected);
        // Found by what the directory wrote as well.
        assert_eq!(found(store, "+7 926 0000007").await, [7]);

        one.pbx = FieldMap::default();
        store.agree(By::Hand(id), &[], from_ref(&one)).await.unwrap();
        assert_eq!(
            row().await.mobile,
            in_directory[Field::Mobile].as_ref().unwrap().value.as_ref().unwrap().raw()
        );

        // The newest row of the newest run, whoever is told of in between.
        let first = start(store, id, Trigger::Manual, 10).await;
        store.add_run_people(first, &[seen(7, "first")]).await.unwrap();
        let second = start(store, id, Trigger::Manual, 20).await;
        store.add_run_people(second, &[seen(8, ""), seen(7, "second"), seen(7, "again")]).await.unwrap();
        let last = |run, started_ms, reason: &str| LastRun {
            run,
            started_ms,
            status: PersonStatus::Processed,
            updated: Updated::Both,
            reason: reason.into(),
        };
        assert_eq!(row().await.last, Some(last(second, 20, "again")));
        store.add_run_people(second, &[seen(9, ""), seen(7, "at last")]).await.unwrap();
        assert_eq!(row().await.last, Some(last(second, 20, "at last")));
        store.add_run_people(first, &[seen(7, "late")]).await.unwrap();
        assert_eq!(row().await.last, Some(last(second, 20, "at last")));
        // Linked anew, they are whom the runs told of before.
        store.agree(By::Hand(id), &[person(7)], &[Link { employee: EmployeeId(70), ..one }]).await.unwrap();
        assert_eq!(
            (row().await.employee, row().await.last),
            (EmployeeId(70), Some(last(second, 20, "at last")))
        );
    })
    .await;
}

#[tokio::test]
async fn lists_follow_who_leaves_returns_and_is_unlinked() {
    everywhere(async |store| {
        let id = company(store).await;
        let [one, mut two, three, ..] = company_of_five();
        store.agree(By::Hand(id), &[], &[one.clone(), two.clone(), three.clone()]).await.unwrap();
        let who = async |state| {
            let query = |search: &str| PeopleQuery {
                directory: Some(id),
                state,
                search: search.into(),
                ..PeopleQuery::default()
            };
            let all = page(store, query("")).await;
            assert_eq!(all.0.len() as u64, all.1);
            all.0
        };
        let leave = |reason, since_ms| LinkState::Left { reason, since_ms };
        two.state = leave(LeftReason::MovedOut, 77);
        store.agree(By::Hand(id), &[], from_ref(&two)).await.unwrap();
        assert_eq!(who(None).await, [1, 3, 2]);
        assert_eq!(who(Some(Standing::Active)).await, [1, 3]);
        assert_eq!(who(Some(Standing::Left)).await, [2]);
        assert_eq!(who(Some(Standing::LeftAs(LeftReason::MovedOut))).await, [2]);
        assert!(who(Some(Standing::LeftAs(LeftReason::Disabled))).await.is_empty());
        let left = PeopleQuery { state: Some(Standing::Left), ..PeopleQuery::default() };
        assert_eq!(store.people(&left).await.unwrap().rows[0].state, leave(LeftReason::MovedOut, 77));

        for reason in [
            LeftReason::Disabled,
            LeftReason::Expired,
            LeftReason::Locked,
            LeftReason::Deleted,
            LeftReason::MovedOut,
            LeftReason::FilteredOut,
        ] {
            two.state = leave(reason, 78);
            store.agree(By::Hand(id), &[], from_ref(&two)).await.unwrap();
            assert_eq!(store.people(&left).await.unwrap().rows[0].state, two.state);
            assert_eq!(who(Some(Standing::LeftAs(reason))).await, [2]);
        }
        two.state = LinkState::Resting { since_ms: 79 };
        store.agree(By::Hand(id), &[], from_ref(&two)).await.unwrap();
        assert_eq!((who(Some(Standing::Resting)).await, who(Some(Standing::Left)).await), (vec![2], vec![]));

        two.state = LinkState::Active;
        two.name = "Абрамова Анна".into();
        store.agree(By::Hand(id), &[], from_ref(&two)).await.unwrap();
        assert_eq!(who(Some(Standing::Active)).await, [2, 1, 3]);
        assert_eq!((found(store, "яковлева").await, found(store, "абрамова").await), (vec![], vec![2]));

        // Refused as a whole, and the list as well.
        let taken = Link { employee: EmployeeId(3), ..named(4, "Пятый", ["", "", ""]) };
        store.agree(By::Hand(id), &[person(1)], &[taken]).await.unwrap_err();
        assert_eq!(who(None).await, [2, 1, 3]);
        // People may change places.
        let swapped = [Link { employee: EmployeeId(3), ..one }, Link { employee: EmployeeId(1), ..three }];
        store.agree(By::Hand(id), &[person(1), person(3)], &swapped).await.unwrap();
        let rows = store.people(&PeopleQuery::default()).await.unwrap().rows;
        let who: Vec<_> = rows.iter().map(|row| (row.person.clone(), row.employee.0)).collect();
        assert_eq!(who, [(person(2), 2), (person(3), 1), (person(1), 3)]);
        store.agree(By::Hand(id), &[person(1), person(2)], &[]).await.unwrap();
        assert_eq!(found(store, "").await, [1]);
        store.remove_directory(id).await.unwrap();
        assert!(found(store, "").await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn people_of_several_servers_stand_in_one_list() {
    everywhere(async |store| {
        let id = company(store).await;
        store.put_pbx(&pbx(2, "warehouse"), None).await.unwrap();
        let away = DirectoryRow { pbx: PbxId(2), ..directory("away") };
        let away = store.put_directory(&away, None).await.unwrap();
        let branch = store.put_directory(&directory("branch"), None).await.unwrap();
        let same = |number| named(number, "Same Name", ["", "", ""]);
        // The same employee id in another PBX is somebody else.
        store.agree(By::Hand(away), &[], &[same(1), same(2)]).await.unwrap();
        store.agree(By::Hand(branch), &[], &[same(2)]).await.unwrap();
        store.agree(By::Hand(id), &[], &[same(1), same(3)]).await.unwrap();
        let who = async |directory: Option<DirectoryId>, order| {
            let query = PeopleQuery { directory, order, ..PeopleQuery::default() };
            let Page { rows, total } = store.people(&query).await.unwrap();
            assert_eq!(rows.len() as u64, total);
            rows.into_iter().map(|row| (row.directory, row.employee.0)).collect::<Vec<_>>()
        };
        let mut all = [(id, 1), (branch, 2), (id, 3), (away, 1), (away, 2)];
        assert_eq!(who(None, Order::Ascending).await, all);
        all.reverse();
        assert_eq!(who(None, Order::Descending).await, all);
        assert_eq!(who(Some(away), Order::Descending).await, [(away, 2), (away, 1)]);
        assert_eq!(who(Some(DirectoryId(99)), Order::Ascending).await, []);
    })
    .await;
}
