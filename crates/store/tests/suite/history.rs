//! Runs, their people, the journal and what is pruned.

use crate::common::{company, directory, everywhere, person};
use crate::rows::{seen, start, step};
use reconcile::{EmployeeId, Field};
use serde_json::json;
use std::slice::from_ref;
use store::{
    DirectoryId, Error, JournalOf, JournalRow, Outcome, Picture, RunId, RunNote, RunStart, Settlement, Side,
    State, Trigger, What,
};

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
        let holder = "me".to_owned();
        let nowhere = RunStart { directory: DirectoryId(9), trigger: Trigger::Demo, started_ms: 1, holder };
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
        assert_eq!(store.journal_of(&JournalOf::Step(run, rename.seq)).await.unwrap(), from_ref(&rename));
        assert_eq!(store.journal_of(&JournalOf::Step(run, 99)).await.unwrap(), []);
        assert_eq!(store.journal_of(&JournalOf::Run(run)).await.unwrap(), [create.clone(), rename.clone()]);

        let later = start(store, id, Trigger::Manual, 2).await;
        let leave =
            JournalRow { what: What::Leave, side: Side::Rollcall, person: person(2), ..step(later, 1, id) };
        store.journal(from_ref(&leave)).await.unwrap();
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
