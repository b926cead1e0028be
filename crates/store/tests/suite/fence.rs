//! What a run may store: as long as it holds its lease, and no longer.

use crate::common::{company, conflict, everywhere, link, person};
use crate::rows::{quarantined, settle, start, step};
use reconcile::ConflictKind;
use serde_json::json;
use std::collections::BTreeSet;
use std::slice::from_ref;
use store::{
    By, ConflictsOf, DirectoryId, Error, JournalOf, Lease, Outcome, Phase, RunId, RunNote, RunProgress,
    RunStart, State, Store, Touch, Trigger,
};

async fn begin(store: &dyn Store, directory: DirectoryId, holder: &str) -> Result<RunId, Error> {
    let (trigger, holder) = (Trigger::Automatic, holder.to_owned());
    store.start_run(&RunStart { directory, trigger, started_ms: 500, holder }).await
}

/// Everything that a run stores about its directory, each as one call.
async fn everything(
    store: &dyn Store,
    run: RunId,
    directory: DirectoryId,
    seq: i64,
) -> Vec<Result<(), Error>> {
    let touch = Touch { kind: "clears".into(), person: person(1) };
    let refused = conflict(1, ConflictKind::Refused, "x");
    let by = By::Run(run);
    vec![
        store.journal(&[step(run, seq, directory)]).await,
        store.agree(by, &[], &[link(1, 10)]).await,
        store.touch(run, &[touch]).await,
        store.sync_conflicts(by, 1, from_ref(&refused), &BTreeSet::new()).await.map(drop),
        store.change_quarantine(by, &[], &[quarantined(1, 1)]).await,
        store.note_directory_read(by, 77, &["ldap://elsewhere".to_owned()]).await,
        store.note_pbx_read(by, 78).await,
    ]
}

#[tokio::test]
async fn a_run_stores_nothing_beside_its_successor() {
    everywhere(async |store| {
        let id = company(store).await;
        assert_eq!(store.take_lease(id, "slow", 100, 0).await.unwrap(), Lease::Held);
        let slow = begin(store, id, "slow").await.unwrap();
        store.journal(&[step(slow, 1, id)]).await.unwrap();
        // It sleeps for longer than its lease, and somebody takes over.
        assert_eq!(store.take_lease(id, "quick", 200, 100).await.unwrap(), Lease::Held);
        for stored in everything(store, slow, id, 2).await {
            assert!(matches!(&stored, Err(Error::LeaseLost(name)) if name == "head office"), "{stored:?}");
        }
        assert_eq!(store.journal_of(&JournalOf::Run(slow)).await.unwrap().len(), 1);
        assert_eq!(store.links(id).await.unwrap(), []);
        assert!(store.touched(id, 0).await.unwrap().is_empty());
        assert!(store.conflicts(ConflictsOf::Everybody).await.unwrap().is_empty());
        assert!(store.quarantine(id).await.unwrap().is_empty());
        let row = store.directory("head office").await.unwrap().unwrap();
        assert_eq!((row.last_complete_ms, row.pbx_complete_ms, row.references.len()), (0, 0, 0));
        // What became of a step that was sent may still be told, and how it all ended.
        settle(store, slow, 1, State::Unknown).await;

        let quick = begin(store, id, "quick").await.unwrap();
        for stored in everything(store, quick, id, 1).await {
            stored.unwrap();
        }
        assert_eq!(store.links(id).await.unwrap(), [link(1, 10)]);
        assert_eq!(store.touched(id, 0).await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_lease_that_was_given_back_is_lost_too() {
    everywhere(async |store| {
        let id = company(store).await;
        let run = start(store, id, Trigger::Manual, 1).await;
        // Expired, but nobody wanted it: whoever held it still does.
        assert_eq!(store.take_lease(id, "me", 100, 0).await.unwrap(), Lease::Held);
        assert_eq!(store.lease_holder(id, 100).await.unwrap(), None);
        store.agree(By::Run(run), &[], &[link(1, 10)]).await.unwrap();
        store.release_lease(id, "me").await.unwrap();
        assert!(matches!(store.agree(By::Run(run), &[], &[link(2, 20)]).await, Err(Error::LeaseLost(_))));
        assert!(matches!(store.agree(By::Run(RunId(99)), &[], &[]).await, Err(Error::Missing(_))));
        // A tool needs no lease.
        store.agree(By::Hand(id), &[person(1)], &[link(2, 10)]).await.unwrap();
        assert_eq!(store.links(id).await.unwrap(), [link(2, 10)]);
    })
    .await;
}

#[tokio::test]
async fn a_run_starts_under_the_lease_and_buries_the_dead() {
    everywhere(async |store| {
        let id = company(store).await;
        assert!(matches!(begin(store, id, "a").await, Err(Error::LeaseLost(name)) if name == "head office"));
        store.take_lease(id, "a", 100, 0).await.unwrap();
        assert!(matches!(begin(store, id, "b").await, Err(Error::LeaseLost(_))));
        let killed = begin(store, id, "a").await.unwrap();
        assert_eq!(store.run(killed).await.unwrap().unwrap().holder, "a");
        store.take_lease(id, "b", 200, 100).await.unwrap();
        let next = begin(store, id, "b").await.unwrap();
        let killed = store.run(killed).await.unwrap().unwrap();
        assert_eq!((killed.outcome, killed.ended_ms), (Outcome::Interrupted, Some(500)));
        assert_eq!(killed.report, json!({ "error": "its process ended before it did" }));
        assert_eq!(store.run(next).await.unwrap().unwrap().outcome, Outcome::Running);
    })
    .await;
}

#[tokio::test]
async fn a_run_tells_how_far_it_is_until_it_ended() {
    everywhere(async |store| {
        let id = company(store).await;
        let run = start(store, id, Trigger::Manual, 1).await;
        let progress = async || store.run(run).await.unwrap().unwrap().progress;
        assert_eq!(progress().await, None);
        let reading = RunProgress { phase: Phase::ReadDirectory, done: 100, total: None };
        store.note_progress(run, &reading).await.unwrap();
        let writing = RunProgress { phase: Phase::Write, done: 3, total: Some(7) };
        store.note_progress(run, &writing).await.unwrap();
        assert_eq!(progress().await, Some(writing));
        let (outcome, report) = (Outcome::Done, json!({}));
        let note = RunNote { outcome, ended_ms: Some(9), plan_hash: None, report };
        store.note_run(run, &note).await.unwrap();
        store.note_progress(run, &reading).await.unwrap();
        assert_eq!(progress().await, None, "it ended");
    })
    .await;
}
