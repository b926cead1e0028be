//! Conflicts, answers and quarantine.

use crate::common::{company, conflict, directory, everywhere, person};
use crate::rows::{decision, quarantined};
use reconcile::{Answer, ConflictKind, Decision, Field};
use std::collections::BTreeSet;
use std::slice::from_ref;
use store::{By, ConflictId, ConflictRow, ConflictState, ConflictsOf, DirectoryId, Error, QuarantineRow};

/// A run that could judge none of the conflicts it did not find.
const NONE: BTreeSet<ConflictId> = BTreeSet::new();

#[tokio::test]
async fn conflicts_open_count_and_end() {
    everywhere(async |store| {
        let id = company(store).await;
        let other = store.put_directory(&directory("other"), None).await.unwrap();
        let taken = conflict(1, ConflictKind::NumberTaken, "a");
        let changed = conflict(1, ConflictKind::BothChanged, "a");
        let first =
            store.sync_conflicts(By::Hand(id), 10, &[taken.clone(), changed.clone()], &NONE).await.unwrap();
        assert_eq!((first.opened.len(), first.ended.len()), (2, 0));
        store.sync_conflicts(By::Hand(other), 10, from_ref(&taken), &NONE).await.unwrap();

        // What a run could not judge stays as it is: neither seen nor ended.
        let live = store.conflicts(ConflictsOf::Directory(id)).await.unwrap();
        let only_taken = live.iter().filter(|row| row.conflict == taken).map(|row| row.id).collect();
        let partial = store.sync_conflicts(By::Hand(id), 20, from_ref(&taken), &only_taken).await.unwrap();
        assert_eq!((partial.opened.len(), partial.ended.len()), (0, 0));
        let rows = store.conflicts(ConflictsOf::Directory(id)).await.unwrap();
        let of = |rows: &[ConflictRow]| rows.iter().find(|row| row.conflict == changed).cloned();
        assert_eq!((rows.len(), of(&rows)), (2, of(&live)));
        let row = rows.iter().find(|row| row.conflict == taken).unwrap();
        assert_eq!((row.first_seen_ms, row.last_seen_ms, row.count), (10, 20, 2));

        let newer = conflict(1, ConflictKind::NumberTaken, "b");
        let both = live.iter().map(|row| row.id).collect();
        let last = store.sync_conflicts(By::Hand(id), 30, from_ref(&newer), &both).await.unwrap();
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
        let again = store.sync_conflicts(By::Hand(id), 40, &[newer, changed], &NONE).await.unwrap();
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
        let opened = store.sync_conflicts(By::Hand(id), 1, &found, &NONE).await.unwrap().opened;
        assert_eq!(store.clear_conflicts(ConflictsOf::One(opened[0]), 2).await.unwrap(), 1);
        assert_eq!(store.clear_conflicts(ConflictsOf::One(opened[0]), 2).await.unwrap(), 0);
        assert_eq!(store.clear_conflicts(ConflictsOf::Directory(DirectoryId(9)), 2).await.unwrap(), 0);
        assert_eq!(store.clear_conflicts(ConflictsOf::Everybody, 2).await.unwrap(), 2);
        assert!(store.conflicts(ConflictsOf::Everybody).await.unwrap().is_empty());
        let cleared = store.ended_conflicts(id, &person(2)).await.unwrap();
        assert_eq!(cleared[0].state, ConflictState::Cleared);
        assert_eq!(store.sync_conflicts(By::Hand(id), 3, &found, &NONE).await.unwrap().opened.len(), 3);
    })
    .await;
}

#[tokio::test]
async fn an_answer_silences_or_ends_a_conflict() {
    everywhere(async |store| {
        let id = company(store).await;
        let at = |stands_on| conflict(1, ConflictKind::BothChanged, stands_on);
        let state = async || store.conflicts(ConflictsOf::Everybody).await.unwrap()[0].state;
        let opened = store.sync_conflicts(By::Hand(id), 1, &[at("a")], &NONE).await.unwrap().opened;
        let judged = opened.into_iter().collect();
        store.put_decision(id, &decision(1, Answer::LeaveAsIs, "other values")).await.unwrap();
        assert_eq!(state().await, ConflictState::Open);
        store.put_decision(id, &decision(1, Answer::LeaveAsIs, "a")).await.unwrap();
        assert_eq!(state().await, ConflictState::Silenced);
        // Whether runs still find it or not, it stays silenced.
        store.sync_conflicts(By::Hand(id), 2, &[at("a")], &judged).await.unwrap();
        assert_eq!(state().await, ConflictState::Silenced);
        assert!(store.sync_conflicts(By::Hand(id), 3, &[], &judged).await.unwrap().ended.is_empty());
        assert_eq!(state().await, ConflictState::Silenced);
        // Until a value it was decided on changes.
        store.sync_conflicts(By::Hand(id), 4, &[at("b")], &judged).await.unwrap();
        assert_eq!(state().await, ConflictState::Open);
        // Any other answer ends it when the cause is gone.
        store.put_decision(id, &decision(1, Answer::UsePbx, "b")).await.unwrap();
        assert_eq!(state().await, ConflictState::Open);
        assert_eq!(store.sync_conflicts(By::Hand(id), 5, &[], &judged).await.unwrap().ended.len(), 1);
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
        assert_eq!(store.decisions(id).await.unwrap(), *from_ref(&early));
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
            .change_quarantine(By::Hand(id), &[], &[quarantined(2, 1), quarantined(1, 1), whole.clone()])
            .await
            .unwrap();
        store
            .change_quarantine(By::Hand(id), &[(person(2), Some(Field::Mobile))], &[quarantined(1, 2)])
            .await
            .unwrap();
        assert_eq!(store.quarantine(id).await.unwrap(), [whole, quarantined(1, 2)]);
    })
    .await;
}
