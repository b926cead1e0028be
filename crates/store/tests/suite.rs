//! What every store does. Each test runs on all of them.

mod common;

use common::{company, conflict, directory, everywhere, link, pbx, person};
use reconcile::{
    Answer, ConflictKind, Decision, EmployeeId, Field, Interval, LeftReason, Link, LinkState, Mark, Pair,
    Sight, Value,
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use store::{
    ConflictState, ConflictsOf, DirectoryId, DirectoryRow, Error, HeldBy, HeldNumber, JournalOf, JournalRow,
    Lease, Outcome, PLANS_KEPT_MAX, PbxId, PersonStatus, Picture, PlanState, QuarantineRow, RunId, RunNote,
    RunPerson, RunStart, SecretOf, Settlement, Side, State, Store, Touch, Trigger, Updated, What,
};

#[tokio::test]
async fn settings_are_stored_and_observations_are_not_overwritten() {
    everywhere(async |store| {
        let id = company(store).await;
        store.note_directory_read(id, 77, &["ldap://elsewhere".to_owned()]).await.unwrap();
        store.note_pbx_read(id, 78).await.unwrap();
        let mut row = store.directory("head office").await.unwrap().unwrap();
        assert_eq!((row.last_complete_ms, row.pbx_complete_ms), (77, 78));
        assert_eq!(row.references, ["ldap://elsewhere"]);
        assert_eq!(row.policy, directory("").policy);

        row.name = "Moscow".into();
        row.settings = json!({"base": "dc=new"});
        row.last_complete_ms = 0;
        row.references.clear();
        assert_eq!(store.put_directory(&row, None).await.unwrap(), id);
        let branch = store.put_directory(&directory("branch"), None).await.unwrap();
        assert_ne!(branch, id);
        let rows = store.directories().await.unwrap();
        assert_eq!(rows.iter().map(|row| &*row.name).collect::<Vec<_>>(), ["Moscow", "branch"]);
        assert_eq!((rows[0].last_complete_ms, rows[0].references.len()), (77, 1));
        assert_eq!(rows[0].settings, json!({"base": "dc=new"}));
        assert_eq!(store.pbxes().await.unwrap(), [pbx(1, "office")]);
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_stored_is_refused_in_words() {
    everywhere(async |store| {
        let id = company(store).await;
        let twice = store.put_directory(&directory("head office"), None).await;
        assert!(matches!(twice, Err(Error::NameTaken(name)) if name == "head office"));
        let twice = store.put_pbx(&pbx(2, "office"), None).await;
        assert!(matches!(twice, Err(Error::NameTaken(_))));
        let lost = DirectoryRow { pbx: PbxId(9), ..directory("lost") };
        assert!(matches!(store.put_directory(&lost, None).await, Err(Error::Missing(_))));
        let unknown = DirectoryRow { id: DirectoryId(99), ..directory("unknown") };
        assert!(matches!(store.put_directory(&unknown, None).await, Err(Error::Missing(_))));
        assert!(matches!(store.note_pbx_read(DirectoryId(99), 1).await, Err(Error::Missing(_))));
        assert!(matches!(store.release_number(PbxId(9), "201", 1).await, Err(Error::Missing(_))));
        assert!(matches!(store.agree(DirectoryId(99), &[], &[]).await, Err(Error::Missing(_))));

        store.put_pbx(&pbx(2, "warehouse"), None).await.unwrap();
        let moved = DirectoryRow { id, pbx: PbxId(2), ..directory("head office") };
        store.agree(id, &[], &[link(1, 10)]).await.unwrap();
        assert!(matches!(store.put_directory(&moved, None).await, Err(Error::PbxFixed(_))));
        store.agree(id, &[person(1)], &[]).await.unwrap();
        store.put_directory(&moved, None).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn secrets_come_back_and_go() {
    everywhere(async |store| {
        let id = company(store).await;
        let secret = |text: &str| SecretString::from(text.to_owned());
        let row = DirectoryRow { id, ..directory("head office") };
        store.put_directory(&row, Some(&secret("bind pässword"))).await.unwrap();
        store.put_pbx(&pbx(1, "office"), Some(&secret("api key"))).await.unwrap();
        store.put_directory(&row, None).await.unwrap();
        let read = async |of| {
            let secret: Option<SecretString> = store.secret(of).await.unwrap();
            secret.map(|secret| secret.expose_secret().to_owned())
        };
        assert_eq!(read(SecretOf::Directory(id)).await.as_deref(), Some("bind pässword"));
        assert_eq!(read(SecretOf::Pbx(PbxId::DEFAULT)).await.as_deref(), Some("api key"));
        store.put_pbx(&pbx(1, "office"), Some(&secret(""))).await.unwrap();
        assert_eq!(read(SecretOf::Pbx(PbxId::DEFAULT)).await, None);
        assert_eq!(read(SecretOf::Directory(DirectoryId(9))).await, None);
        let (one, two) = (store.fingerprinter(), store.fingerprinter());
        assert_eq!(one.secret(b"x"), two.secret(b"x"));
        assert_ne!(one.secret(b"x"), one.secret(b"y"));
    })
    .await;
}

#[tokio::test]
async fn meta_is_put_replaced_and_removed() {
    everywhere(async |store| {
        assert_eq!(store.meta("a").await.unwrap(), None);
        store.put_meta("a", Some("1")).await.unwrap();
        store.put_meta("a", Some("2")).await.unwrap();
        assert_eq!(store.meta("a").await.unwrap().as_deref(), Some("2"));
        store.put_meta("a", None).await.unwrap();
        assert_eq!(store.meta("a").await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn a_removed_directory_takes_everything_but_its_history() {
    everywhere(async |store| {
        let id = company(store).await;
        let other = store.put_directory(&directory("other"), None).await.unwrap();
        for (id, number) in [(id, 1), (other, 2)] {
            let row = DirectoryRow { id, ..directory(&format!("directory {number}")) };
            store.put_directory(&row, Some(&"secret".to_owned().into())).await.unwrap();
            store.agree(id, &[], &[link(number, number as u64)]).await.unwrap();
            store.sync_conflicts(id, 1, &[conflict(1, ConflictKind::Refused, "x")], true).await.unwrap();
            store.put_decision(id, &decision(1, Answer::LeaveOut, "x")).await.unwrap();
            store.change_quarantine(id, &[], &[quarantined(1, 1)]).await.unwrap();
            store.put_plan(id, "hash", 1, "{}").await.unwrap();
            store.put_meta(&format!("directory/{id}/cursor"), Some("c")).await.unwrap();
            store.take_lease(id, "me", 10, 0).await.unwrap();
        }
        let picture = Picture { directory: id, person: person(1), taken_ms: 1, bytes: vec![1] };
        let picture = store.keep_picture(&picture).await.unwrap();
        let run = start(store, id, Trigger::Manual, 5).await;
        store
            .journal(&[JournalRow { reserved_number: Some("205".into()), ..step(run, 1, id) }])
            .await
            .unwrap();

        store.remove_directory(id).await.unwrap();
        assert_eq!(store.directory("directory 1").await.unwrap(), None);
        assert!(store.secret(SecretOf::Directory(id)).await.unwrap().is_none());
        assert!(store.links(id).await.unwrap().is_empty());
        assert!(store.conflicts(ConflictsOf::Directory(id)).await.unwrap().is_empty());
        assert!(store.decisions(id).await.unwrap().is_empty());
        assert!(store.quarantine(id).await.unwrap().is_empty());
        assert!(store.plans(id).await.unwrap().is_empty());
        assert_eq!(store.picture(picture).await.unwrap(), None);
        assert_eq!(store.meta(&format!("directory/{id}/cursor")).await.unwrap(), None);
        assert_eq!(store.lease_holder(id, 0).await.unwrap(), None);
        assert_eq!(store.held_numbers(PbxId::DEFAULT, 0).await.unwrap(), []);

        assert_eq!(store.run(run).await.unwrap().unwrap().directory_name, "directory 1");
        assert_eq!(store.journal_of(&JournalOf::Run(run)).await.unwrap().len(), 1);
        assert_eq!(store.links(other).await.unwrap(), [link(2, 2)]);
        assert_eq!(store.decisions(other).await.unwrap().len(), 1);
        assert!(store.secret(SecretOf::Directory(other)).await.unwrap().is_some());
        assert!(store.meta(&format!("directory/{other}/cursor")).await.unwrap().is_some());
        assert!(store.lease_holder(other, 0).await.unwrap().is_some());
        // An id is never given twice: history belongs to the old one.
        let next = store.put_directory(&directory("next"), None).await.unwrap();
        assert!(next > other && next != id);
    })
    .await;
}

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
        store.agree(id, &[], &[links[2].clone(), links[0].clone(), links[1].clone()]).await.unwrap();
        assert_eq!(store.links(id).await.unwrap(), links);
        let mut moved = links[0].clone();
        moved.pairs[Field::Name] = None;
        moved.name = "renamed".into();
        store.agree(id, &[person(2)], &[moved.clone()]).await.unwrap();
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
        store.agree(id, &[], &before).await.unwrap();

        let other_employee = store.agree(id, &[], &[link(3, 30), link(1, 11)]).await;
        let (p1, p2) = (person(1), person(2));
        assert!(matches!(other_employee, Err(Error::PersonLinked { person, employee: EmployeeId(10) }) if person == p1));
        let other_person = store.agree(id, &[], &[link(3, 30), link(4, 20)]).await;
        assert!(matches!(other_person, Err(Error::EmployeeLinked { employee: EmployeeId(20), directory, person })
            if person == p2 && directory == id));
        let from_elsewhere = store.agree(branch, &[], &[link(1, 10)]).await;
        assert!(matches!(from_elsewhere, Err(Error::EmployeeLinked { directory, .. }) if directory == id));
        let twice = store.agree(id, &[], &[link(5, 50), link(6, 50)]).await;
        assert!(matches!(twice, Err(Error::EmployeeLinked { employee: EmployeeId(50), .. })));
        // None of these left a trace.
        assert_eq!(store.links(id).await.unwrap(), before);
        assert!(store.links(branch).await.unwrap().is_empty());

        // In the open, employees may even change places.
        store.agree(id, &[person(1), person(2)], &[link(1, 20), link(3, 10)]).await.unwrap();
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
        store.agree(id, &[], &[link(1, 10)]).await.unwrap();
        store.agree(away, &[], &[link(1, 10)]).await.unwrap();
        store.agree(branch, &[], &[link(1, 9)]).await.unwrap();
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

#[tokio::test]
async fn conflicts_open_count_and_end() {
    everywhere(async |store| {
        let id = company(store).await;
        let other = store.put_directory(&directory("other"), None).await.unwrap();
        let taken = conflict(1, ConflictKind::NumberTaken, "a");
        let changed = conflict(1, ConflictKind::BothChanged, "a");
        let first = store.sync_conflicts(id, 10, &[taken.clone(), changed.clone()], true).await.unwrap();
        assert_eq!((first.opened.len(), first.ended.len()), (2, 0));
        store.sync_conflicts(other, 10, &[taken.clone()], true).await.unwrap();

        // A partial run proves nothing about what it did not meet.
        let partial = store.sync_conflicts(id, 20, &[taken.clone()], false).await.unwrap();
        assert_eq!((partial.opened.len(), partial.ended.len()), (0, 0));
        let rows = store.conflicts(ConflictsOf::Directory(id)).await.unwrap();
        assert_eq!(rows.len(), 2);
        let row = rows.iter().find(|row| row.conflict == taken).unwrap();
        assert_eq!((row.first_seen_ms, row.last_seen_ms, row.count), (10, 20, 2));

        let newer = conflict(1, ConflictKind::NumberTaken, "b");
        let last = store.sync_conflicts(id, 30, &[newer.clone()], true).await.unwrap();
        assert_eq!(last.ended.len(), 1);
        let rows = store.conflicts(ConflictsOf::Directory(id)).await.unwrap();
        assert_eq!(rows.len(), 1);
        assert_eq!((&rows[0].conflict, rows[0].id, rows[0].count), (&newer, row.id, 3));
        let ended = store.ended_conflicts(id, &person(1)).await.unwrap();
        assert_eq!(ended.len(), 1);
        assert_eq!((&ended[0].conflict, ended[0].state), (&changed, ConflictState::ResolvedByItself));
        assert_eq!(ended[0].ended_ms, Some(30));
        assert_eq!(store.conflicts(ConflictsOf::Everybody).await.unwrap().len(), 2);

        // It comes back as a new one, under a number of its own.
        let again = store.sync_conflicts(id, 40, &[newer, changed], true).await.unwrap();
        assert_eq!(again.opened.len(), 1);
        assert!(!first.opened.contains(&again.opened[0]));
        let one = store.conflicts(ConflictsOf::One(again.opened[0])).await.unwrap();
        assert_eq!((one.len(), one[0].count, one[0].first_seen_ms), (1, 1, 40));
    })
    .await;
}

#[tokio::test]
async fn clearing_removes_rows_and_not_causes() {
    everywhere(async |store| {
        let id = company(store).await;
        let found = [1, 2, 3].map(|number| conflict(number, ConflictKind::Refused, "x"));
        let opened = store.sync_conflicts(id, 1, &found, true).await.unwrap().opened;
        assert_eq!(store.clear_conflicts(ConflictsOf::One(opened[0]), 2).await.unwrap(), 1);
        assert_eq!(store.clear_conflicts(ConflictsOf::One(opened[0]), 2).await.unwrap(), 0);
        assert_eq!(store.clear_conflicts(ConflictsOf::Directory(DirectoryId(9)), 2).await.unwrap(), 0);
        assert_eq!(store.clear_conflicts(ConflictsOf::Everybody, 2).await.unwrap(), 2);
        assert!(store.conflicts(ConflictsOf::Everybody).await.unwrap().is_empty());
        let cleared = store.ended_conflicts(id, &person(2)).await.unwrap();
        assert_eq!(cleared[0].state, ConflictState::Cleared);
        assert_eq!(store.sync_conflicts(id, 3, &found, true).await.unwrap().opened.len(), 3);
    })
    .await;
}

#[tokio::test]
async fn an_answer_silences_or_ends_a_conflict() {
    everywhere(async |store| {
        let id = company(store).await;
        let at = |stands_on| conflict(1, ConflictKind::BothChanged, stands_on);
        let state = async || store.conflicts(ConflictsOf::Everybody).await.unwrap()[0].state;
        store.sync_conflicts(id, 1, &[at("a")], true).await.unwrap();
        store.put_decision(id, &decision(1, Answer::LeaveAsIs, "other values")).await.unwrap();
        assert_eq!(state().await, ConflictState::Open);
        store.put_decision(id, &decision(1, Answer::LeaveAsIs, "a")).await.unwrap();
        assert_eq!(state().await, ConflictState::Silenced);
        // Whether runs still find it or not, it stays silenced.
        store.sync_conflicts(id, 2, &[at("a")], true).await.unwrap();
        assert_eq!(state().await, ConflictState::Silenced);
        assert!(store.sync_conflicts(id, 3, &[], true).await.unwrap().ended.is_empty());
        assert_eq!(state().await, ConflictState::Silenced);
        // Until a value it was decided on changes.
        store.sync_conflicts(id, 4, &[at("b")], true).await.unwrap();
        assert_eq!(state().await, ConflictState::Open);
        // Any other answer ends it when the cause is gone.
        store.put_decision(id, &decision(1, Answer::UsePbx, "b")).await.unwrap();
        assert_eq!(state().await, ConflictState::Open);
        assert_eq!(store.sync_conflicts(id, 5, &[], true).await.unwrap().ended.len(), 1);
        assert_eq!(store.ended_conflicts(id, &person(1)).await.unwrap()[0].state, ConflictState::Decided);
    })
    .await;
}

#[tokio::test]
async fn decisions_replace_one_another() {
    everywhere(async |store| {
        let id = company(store).await;
        let early = Decision { at_ms: 1, ..decision(2, Answer::NewEmployee, "x") };
        let number = Answer::Number { number: "0205".into(), keep_in_pbx: true };
        store.put_decision(id, &decision(1, Answer::LeaveOut, "x")).await.unwrap();
        store.put_decision(id, &early).await.unwrap();
        store.put_decision(id, &decision(1, number.clone(), "y")).await.unwrap();
        assert_eq!(store.decisions(id).await.unwrap(), [early.clone(), decision(1, number, "y")]);
        let remove = async |field| {
            store.remove_decision(id, &person(1), ConflictKind::BothChanged, field).await.unwrap()
        };
        assert!(!remove(None).await);
        assert!(remove(Some(Field::Mobile)).await);
        assert_eq!(store.decisions(id).await.unwrap(), [early.clone()]);
        assert!(matches!(store.put_decision(DirectoryId(9), &early).await, Err(Error::Missing(_))));
    })
    .await;
}

#[tokio::test]
async fn quarantine_is_put_and_lifted() {
    everywhere(async |store| {
        let id = company(store).await;
        let whole = QuarantineRow { field: None, ..quarantined(1, 1) };
        store
            .change_quarantine(id, &[], &[quarantined(2, 1), quarantined(1, 1), whole.clone()])
            .await
            .unwrap();
        store.change_quarantine(id, &[(person(2), Some(Field::Mobile))], &[quarantined(1, 2)]).await.unwrap();
        assert_eq!(store.quarantine(id).await.unwrap(), [whole, quarantined(1, 2)]);
    })
    .await;
}

#[tokio::test]
async fn runs_tell_how_far_they_are_and_how_they_ended() {
    everywhere(async |store| {
        let id = company(store).await;
        let other = store.put_directory(&directory("other"), None).await.unwrap();
        let first = start(store, id, Trigger::Automatic, 10).await;
        let second = start(store, other, Trigger::Manual, 20).await;
        let running = store.run(first).await.unwrap().unwrap();
        assert_eq!(
            (running.outcome, running.ended_ms, running.trigger),
            (Outcome::Running, None, Trigger::Automatic)
        );
        let note = |outcome, ended_ms| RunNote {
            outcome,
            ended_ms,
            plan_hash: Some("h".into()),
            report: json!({"people": 3}),
        };
        store.note_run(first, &note(Outcome::Halted, Some(12))).await.unwrap();
        assert!(!store.directory("head office").await.unwrap().unwrap().ran_before);
        store.note_run(first, &note(Outcome::Done, Some(13))).await.unwrap();
        let done = store.run(first).await.unwrap().unwrap();
        assert_eq!(
            (done.outcome, done.ended_ms, done.plan_hash.as_deref()),
            (Outcome::Done, Some(13), Some("h"))
        );
        assert_eq!(done.report, json!({"people": 3}));
        assert!(store.directory("head office").await.unwrap().unwrap().ran_before);
        assert!(!store.directory("other").await.unwrap().unwrap().ran_before);

        let ids = async |directory, limit, offset| -> Vec<RunId> {
            store.runs(directory, limit, offset).await.unwrap().iter().map(|run| run.id).collect()
        };
        assert_eq!(ids(None, 10, 0).await, [second, first]);
        assert_eq!(ids(None, 1, 1).await, [first]);
        assert_eq!(ids(Some(other), 10, 0).await, [second]);
        assert_eq!(store.run(RunId(99)).await.unwrap(), None);
        assert!(matches!(
            store.note_run(RunId(99), &note(Outcome::Done, None)).await,
            Err(Error::Missing(_))
        ));
        let nowhere = RunStart { directory: DirectoryId(9), trigger: Trigger::Demo, started_ms: 1 };
        assert!(matches!(store.start_run(&nowhere).await, Err(Error::Missing(_))));
    })
    .await;
}

#[tokio::test]
async fn people_of_runs_are_paged_and_the_latest_found() {
    everywhere(async |store| {
        let id = company(store).await;
        let first = start(store, id, Trigger::Manual, 1).await;
        store.add_run_people(first, &[seen(2, "old"), seen(1, "only")]).await.unwrap();
        store.add_run_people(first, &[seen(3, "third")]).await.unwrap();
        let second = start(store, id, Trigger::Manual, 2).await;
        store.add_run_people(second, &[seen(2, "new")]).await.unwrap();
        let rows = store.run_people(first, 10, 0).await.unwrap();
        assert_eq!(rows, [seen(2, "old"), seen(1, "only"), seen(3, "third")]);
        assert_eq!(store.run_people(first, 1, 1).await.unwrap(), [seen(1, "only")]);
        assert_eq!(
            store.latest_people(id).await.unwrap(),
            [(first, seen(1, "only")), (second, seen(2, "new")), (first, seen(3, "third"))]
        );
        assert!(store.latest_people(DirectoryId(9)).await.unwrap().is_empty());
        assert!(matches!(store.add_run_people(RunId(9), &[]).await, Err(Error::Missing(_))));
    })
    .await;
}

#[tokio::test]
async fn the_journal_keeps_intentions_until_they_are_settled() {
    everywhere(async |store| {
        let id = company(store).await;
        let run = start(store, id, Trigger::Manual, 1).await;
        let create = JournalRow {
            what: What::Create,
            employee: None,
            reserved_number: Some("205".into()),
            fingerprint: Some("fp:1".into()),
            ..step(run, 1, id)
        };
        let rename = JournalRow { what: What::Field(Field::Name), person: person(2), ..step(run, 2, id) };
        store.journal(&[create.clone(), rename.clone()]).await.unwrap();
        let unfinished = async || store.journal_of(&JournalOf::Unfinished(id)).await.unwrap();
        assert_eq!(unfinished().await, [create.clone(), rename.clone()]);

        let made = Settlement { state: State::Done, after: None, employee: Some(EmployeeId(77)) };
        store.settle(run, 1, &made).await.unwrap();
        let refused = Settlement { state: State::Refused, after: Some(json!(null)), employee: None };
        store.settle(run, 2, &refused).await.unwrap();
        assert_eq!(unfinished().await, []);
        let create = JournalRow { state: State::Done, employee: Some(EmployeeId(77)), ..create };
        let rename = JournalRow { state: State::Refused, after: json!(null), ..rename };
        assert_eq!(store.journal_of(&JournalOf::Run(run)).await.unwrap(), [create.clone(), rename.clone()]);

        let later = start(store, id, Trigger::Manual, 2).await;
        let leave =
            JournalRow { what: What::Leave, side: Side::Rollcall, person: person(2), ..step(later, 1, id) };
        store.journal(&[leave.clone()]).await.unwrap();
        assert_eq!(
            store.journal_of(&JournalOf::Person(id, person(2))).await.unwrap(),
            [leave, rename.clone()]
        );
        assert_eq!(store.journal_of(&JournalOf::Person(id, person(1))).await.unwrap(), [create]);

        // A step is written once, and with it whatever came in the same call.
        let twice = store.journal(&[step(later, 2, id), step(run, 2, id)]).await;
        assert!(matches!(twice, Err(Error::StepTaken { seq: 2, .. })));
        assert_eq!(store.journal_of(&JournalOf::Run(later)).await.unwrap().len(), 1);
        assert!(matches!(store.journal(&[step(RunId(99), 1, id)]).await, Err(Error::Missing(_))));
        assert!(matches!(store.settle(run, 9, &made).await, Err(Error::Missing(_))));
    })
    .await;
}

#[tokio::test]
async fn plans_are_kept_under_their_hash_and_not_too_many() {
    everywhere(async |store| {
        let id = company(store).await;
        for number in 0..=PLANS_KEPT_MAX {
            store.put_plan(id, &format!("hash {number}"), number as i64, "{}").await.unwrap();
        }
        let heads = store.plans(id).await.unwrap();
        assert_eq!(heads.len(), PLANS_KEPT_MAX);
        assert_eq!(heads[0].hash, format!("hash {PLANS_KEPT_MAX}"));
        assert_eq!(store.plan(id, "hash 0").await.unwrap(), None);
        store.settle_plan(id, "hash 1", PlanState::Applied).await.unwrap();
        let (head, body) = store.plan(id, "hash 1").await.unwrap().unwrap();
        assert_eq!((head.state, head.made_ms, &*body), (PlanState::Applied, 1, "{}"));
        store.put_plan(id, "hash 1", 500, "{1}").await.unwrap();
        let (head, body) = store.plan(id, "hash 1").await.unwrap().unwrap();
        assert_eq!((head.state, head.made_ms, &*body), (PlanState::Pending, 500, "{1}"));
        assert!(matches!(store.settle_plan(id, "none", PlanState::Applied).await, Err(Error::Missing(_))));
        assert!(matches!(store.put_plan(DirectoryId(9), "h", 1, "").await, Err(Error::Missing(_))));
    })
    .await;
}

#[tokio::test]
async fn one_holds_the_lease() {
    everywhere(async |store| {
        let id = DirectoryId(1);
        let take =
            async |holder: &'static str, until, now| store.take_lease(id, holder, until, now).await.unwrap();
        assert_eq!(take("a", 100, 0).await, Lease::Held);
        assert_eq!(take("b", 150, 99).await, Lease::HeldBy { holder: "a".into(), until_ms: 100 });
        assert_eq!(take("a", 110, 50).await, Lease::Held);
        assert!(store.renew_lease(id, "a", 120, 109).await.unwrap());
        assert!(!store.renew_lease(id, "b", 200, 109).await.unwrap());
        assert_eq!(store.lease_holder(id, 119).await.unwrap(), Some(("a".into(), 120)));
        assert_eq!(store.lease_holder(id, 120).await.unwrap(), None);
        // Expired: whoever comes first takes it, and the old holder has lost.
        assert!(!store.renew_lease(id, "a", 300, 120).await.unwrap());
        assert_eq!(take("b", 200, 120).await, Lease::Held);
        assert!(!store.renew_lease(id, "a", 300, 130).await.unwrap());
        store.release_lease(id, "a").await.unwrap();
        assert_eq!(store.lease_holder(id, 130).await.unwrap(), Some(("b".into(), 200)));
        store.release_lease(id, "b").await.unwrap();
        assert_eq!(take("a", 300, 130).await, Lease::Held);
        assert_eq!(store.take_lease(DirectoryId(2), "b", 300, 130).await.unwrap(), Lease::Held);
    })
    .await;
}

#[tokio::test]
async fn the_guard_counts_people_of_recent_automatic_runs_once() {
    everywhere(async |store| {
        let id = company(store).await;
        let other = store.put_directory(&directory("other"), None).await.unwrap();
        let touch = |kind: &str, number| Touch { kind: kind.into(), person: person(number) };
        for (directory, trigger, started_ms, touches) in [
            (id, Trigger::Automatic, 5, vec![touch("clears", 9)]),
            (id, Trigger::Automatic, 10, vec![touch("clears", 1), touch("clears", 1), touch("disables", 1)]),
            (id, Trigger::Automatic, 11, vec![touch("clears", 1), touch("clears", 2)]),
            (id, Trigger::Apply, 12, vec![touch("clears", 3)]),
            (other, Trigger::Automatic, 13, vec![touch("clears", 4)]),
        ] {
            let run = start(store, directory, trigger, started_ms).await;
            store.touch(run, &touches).await.unwrap();
        }
        let touched: Vec<Touch> = store.touched(id, 10).await.unwrap().into_iter().collect();
        assert_eq!(touched, [touch("clears", 1), touch("clears", 2), touch("disables", 1)]);
        assert!(matches!(store.touch(RunId(99), &[touch("clears", 1)]).await, Err(Error::Missing(_))));
    })
    .await;
}

#[tokio::test]
async fn pruning_forgets_what_is_old_and_told_better_elsewhere() {
    const DAY_MS: i64 = 24 * 3_600_000;
    everywhere(async |store| {
        let id = company(store).await;
        let now = 1_000 * DAY_MS;
        let picture = |age_days| Picture {
            directory: id,
            person: person(1),
            taken_ms: now - age_days * DAY_MS,
            bytes: vec![0xff, 0, 0xd8],
        };
        let old = store.keep_picture(&picture(31)).await.unwrap();
        let young = store.keep_picture(&picture(29)).await.unwrap();

        let end = RunNote { outcome: Outcome::Failed, ended_ms: Some(1), plan_hash: None, report: json!(1) };
        let ended = async |age_days: i64| {
            let run = start(store, id, Trigger::Manual, now - age_days * DAY_MS).await;
            store.note_run(run, &end).await.unwrap();
            run
        };
        let ancient = ended(400).await;
        let done = JournalRow { state: State::Done, ..step(ancient, 1, id) };
        store.journal(&[done, step(ancient, 2, id)]).await.unwrap();
        let told = ended(367).await;
        store.journal(&[JournalRow { state: State::Done, ..step(told, 1, id) }]).await.unwrap();
        let quarter = ended(91).await;
        store.add_run_people(quarter, &[seen(1, "superseded"), seen(2, "the latest")]).await.unwrap();
        let empty = ended(91).await;
        let recent = ended(1).await;
        store.add_run_people(recent, &[seen(1, "newer")]).await.unwrap();

        let forgotten = store.prune(now).await.unwrap();
        assert_eq!(
            (forgotten.pictures, forgotten.run_people, forgotten.journal, forgotten.runs),
            (1, 1, 2, 2)
        );
        assert_eq!(store.picture(old).await.unwrap(), None);
        assert_eq!(store.picture(young).await.unwrap(), Some(picture(29)));
        let runs: Vec<RunId> = store.runs(None, 10, 0).await.unwrap().iter().map(|run| run.id).collect();
        assert_eq!(runs, [recent, quarter, ancient]);
        assert!(!runs.contains(&told) && !runs.contains(&empty));
        assert_eq!(store.run_people(quarter, 10, 0).await.unwrap(), [seen(2, "the latest")]);
        // What is unfinished is never forgotten.
        assert_eq!(store.journal_of(&JournalOf::Run(ancient)).await.unwrap().len(), 1);
        assert_eq!(store.prune(now).await.unwrap(), Default::default());
    })
    .await;
}

fn decision(number: usize, answer: Answer, stands_on: &str) -> Decision {
    Decision {
        person: person(number),
        kind: ConflictKind::BothChanged,
        field: Some(Field::Mobile),
        answer,
        stands_on: stands_on.into(),
        at_ms: 50,
    }
}

fn quarantined(number: usize, attempts: u32) -> QuarantineRow {
    QuarantineRow {
        person: person(number),
        field: Some(Field::Mobile),
        attempts,
        next_try_ms: 1_000,
        stands_on: "x".into(),
        conflict: conflict(number, ConflictKind::Refused, "x"),
    }
}

async fn start(store: &dyn Store, directory: DirectoryId, trigger: Trigger, started_ms: i64) -> RunId {
    store.start_run(&RunStart { directory, trigger, started_ms }).await.unwrap()
}

async fn settle(store: &dyn Store, run: RunId, seq: i64, state: State) {
    store.settle(run, seq, &Settlement { state, after: None, employee: None }).await.unwrap();
}

fn step(run: RunId, seq: i64, directory: DirectoryId) -> JournalRow {
    JournalRow {
        run,
        seq,
        directory,
        at_ms: 5,
        person: person(1),
        employee: Some(EmployeeId(3)),
        side: Side::Pbx,
        what: What::Field(Field::SipPassword),
        cause: "changed in the directory".into(),
        before: json!("set"),
        after: json!({"raw": "set"}),
        state: State::Intended,
        reserved_number: None,
        fingerprint: None,
        picture: None,
    }
}

fn seen(number: usize, reason: &str) -> RunPerson {
    RunPerson {
        person: person(number),
        employee: Some(EmployeeId(3)),
        name: format!("Person {number}"),
        extension: "0201".into(),
        status: PersonStatus::Processed,
        updated: Updated::Both,
        changes: json!([{"field": "name"}]),
        reason: reason.into(),
    }
}
