//! Rows and steps that several parts of the suite use.

use crate::common::{conflict, person};
use reconcile::{Answer, ConflictKind, Decision, EmployeeId, Field};
use serde_json::json;
use store::{
    DirectoryId, JournalRow, Lease, PersonStatus, QuarantineRow, RunId, RunPerson, RunStart, Settlement,
    Side, State, Store, Trigger, Updated, What,
};

pub fn decision(number: usize, answer: Answer, stands_on: &str) -> Decision {
    Decision {
        person: person(number),
        kind: ConflictKind::BothChanged,
        field: Some(Field::Mobile),
        answer,
        stands_on: stands_on.into(),
        at_ms: 50,
    }
}

pub fn quarantined(number: usize, attempts: u32) -> QuarantineRow {
    QuarantineRow {
        person: person(number),
        field: Some(Field::Mobile),
        attempts,
        next_try_ms: 1_000,
        stands_on: "x".into(),
        conflict: conflict(number, ConflictKind::Refused, "x"),
    }
}

/// A run of a holder whose lease never expires.
pub async fn start(store: &dyn Store, directory: DirectoryId, trigger: Trigger, started_ms: i64) -> RunId {
    assert_eq!(store.take_lease(directory, "me", i64::MAX, 0).await.unwrap(), Lease::Held);
    let holder = "me".to_owned();
    store.start_run(&RunStart { directory, trigger, started_ms, holder }).await.unwrap()
}

pub async fn settle(store: &dyn Store, run: RunId, seq: i64, state: State) {
    store.settle(run, seq, &Settlement { state, after: None, employee: None }).await.unwrap();
}

pub fn step(run: RunId, seq: i64, directory: DirectoryId) -> JournalRow {
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

pub fn seen(number: usize, reason: &str) -> RunPerson {
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
