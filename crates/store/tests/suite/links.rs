//! Links and held numbers.

use crate::common::{company, directory, everywhere, link, pbx, person};
use crate::rows::{settle, start, step};
use reconcile::{EmployeeId, Field, Interval, LeftReason, Link, LinkState, Mark, Pair, Sight, Value};
use store::{By, DirectoryId, DirectoryRow, Error, HeldBy, HeldNumber, JournalRow, PbxId, State, Trigger};

#[tokio::test]
async fn links_come_back_as_they_were() {
    let mut odd = link(2, 20);
    odd.state = LinkState::Left { reason: LeftReason::MovedOut, since_ms: 3 };
    odd.pairs[Field::Name] = None;
    odd.pairs[Field::Mobile] = Some(Pair {
        directory: Some(Value::new("8 926", "+7926").or_also("+8926")),
        pbx: Some(Value::new("7926", "7926").or_also("+7926")),
        held: true,
    });
    odd.pairs[Field::Email] = Some(Pair { directory: None, pbx: None, held: false });
    odd.pbx[Field::Mobile] = None;
    odd.directory[Field::Email] = Some(Sight {
        value: None,
        change: Interval { after_ms: -1, by_ms: i64::MAX },
        mark: Some(Mark("another mark".into())),
    });
    odd.photo_etag = Some("\"etag\"".into());
    odd.photo_mark = Some(Mark("photo mark".into()));
    odd.name = "Ёлкин \"Ё\" \\ 'quote'".into();
    let bare = Link {
        pairs: Default::default(),
        directory: Default::default(),
        pbx: Default::default(),
        ..link(3, u64::MAX)
    };
    everywhere(async |store| {
        let id = company(store).await;
        let links = [link(1, 10), odd.clone(), bare.clone()];
        store
            .agree(By::Hand(id), &[], &[links[2].clone(), links[0].clone(), links[1].clone()])
            .await
            .unwrap();
        assert_eq!(store.links(id).await.unwrap(), links);
        let mut moved = links[0].clone();
        moved.pairs[Field::Name] = None;
        moved.name = "renamed".into();
        store.agree(By::Hand(id), &[person(2)], &[moved.clone()]).await.unwrap();
        assert_eq!(store.links(id).await.unwrap(), [moved, links[2].clone()]);
        assert!(store.links(DirectoryId(99)).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_link_is_never_re_pointed_in_silence() {
    everywhere(async |store| {
        let id = company(store).await;
        let branch = store.put_directory(&directory("branch"), None).await.unwrap();
        let before = [link(1, 10), link(2, 20)];
        store.agree(By::Hand(id), &[], &before).await.unwrap();

        let other_employee = store.agree(By::Hand(id), &[], &[link(3, 30), link(1, 11)]).await;
        let (p1, p2) = (person(1), person(2));
        assert!(matches!(other_employee, Err(Error::PersonLinked { person, employee: EmployeeId(10) }) if person == p1));
        let other_person = store.agree(By::Hand(id), &[], &[link(3, 30), link(4, 20)]).await;
        assert!(matches!(other_person, Err(Error::EmployeeLinked { employee: EmployeeId(20), directory, person })
            if person == p2 && directory == id));
        let from_elsewhere = store.agree(By::Hand(branch), &[], &[link(1, 10)]).await;
        assert!(matches!(from_elsewhere, Err(Error::EmployeeLinked { directory, .. }) if directory == id));
        let twice = store.agree(By::Hand(id), &[], &[link(5, 50), link(6, 50)]).await;
        assert!(matches!(twice, Err(Error::EmployeeLinked { employee: EmployeeId(50), .. })));
        // None of these left a trace.
        assert_eq!(store.links(id).await.unwrap(), before);
        assert!(store.links(branch).await.unwrap().is_empty());

        // In the open, employees may even change places.
        store.agree(By::Hand(id), &[person(1), person(2)], &[link(1, 20), link(3, 10)]).await.unwrap();
        assert_eq!(store.links(id).await.unwrap(), [link(1, 20), link(3, 10)]);
    })
    .await;
}

#[tokio::test]
async fn an_employee_is_linked_once_per_pbx() {
    everywhere(async |store| {
        let id = company(store).await;
        store.put_pbx(&pbx(2, "warehouse"), None).await.unwrap();
        let away = DirectoryRow { pbx: PbxId(2), ..directory("away") };
        let away = store.put_directory(&away, None).await.unwrap();
        let branch = store.put_directory(&directory("branch"), None).await.unwrap();
        store.agree(By::Hand(id), &[], &[link(1, 10)]).await.unwrap();
        store.agree(By::Hand(away), &[], &[link(1, 10)]).await.unwrap();
        store.agree(By::Hand(branch), &[], &[link(1, 9)]).await.unwrap();
        let linked = store.linked_employees(PbxId::DEFAULT).await.unwrap();
        let linked: Vec<_> = linked.iter().map(|row| (row.employee.0, row.directory, &*row.name)).collect();
        assert_eq!(linked, [(9, branch, "Person 1"), (10, id, "Person 1")]);
        assert_eq!(store.linked_employees(PbxId(2)).await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn numbers_rest_after_release_and_while_an_action_is_unfinished() {
    everywhere(async |store| {
        let id = company(store).await;
        store.release_number(PbxId::DEFAULT, "0201", 100).await.unwrap();
        store.release_number(PbxId::DEFAULT, "202", 50).await.unwrap();
        store.release_number(PbxId::DEFAULT, "202", 99).await.unwrap();
        let run = start(store, id, Trigger::Manual, 1).await;
        let create = JournalRow { reserved_number: Some("204".into()), ..step(run, 1, id) };
        store.journal(&[create, step(run, 2, id)]).await.unwrap();
        let held = |number: &str, by| HeldNumber { number: number.into(), by };
        let action = held("204", HeldBy::Action { directory: id, person: person(1) });
        assert_eq!(
            store.held_numbers(PbxId::DEFAULT, 99).await.unwrap(),
            [
                held("0201", HeldBy::Rest { at_ms: 100 }),
                held("202", HeldBy::Rest { at_ms: 99 }),
                action.clone()
            ]
        );
        settle(store, run, 1, State::Unknown).await;
        assert_eq!(store.held_numbers(PbxId::DEFAULT, 101).await.unwrap(), [action]);
        settle(store, run, 1, State::Done).await;
        assert_eq!(store.held_numbers(PbxId::DEFAULT, 101).await.unwrap(), []);
    })
    .await;
}
