use super::*;
use crate::cli::errors::is_usage;
use crate::cli::output::tests::text;
use crate::cli::testing::{NOW_MS, app, report, server, start};
use reconcile::guard::{GuardKind, Tripped};
use reconcile::{EmployeeId, Field, PersonId};
use serde_json::json;
use store::{Phase, RunNote, Side, State, What};

#[tokio::test]
async fn runs_and_one_run() {
    let app = app();
    let directory = server(&app).await;
    let mut ids = Vec::new();
    for (outcome, report) in [
        (Outcome::Done, serde_json::to_value(report()).unwrap()),
        (Outcome::Halted, {
            let tripped = Tripped { kind: GuardKind::Disables, people: 12, recent: 2, limit: 5, linked: 40 };
            let halted = Some(Halt { tripped: vec![tripped] });
            serde_json::to_value(Report { halted, ..report() }).unwrap()
        }),
        (Outcome::Partial, serde_json::to_value(report()).unwrap()),
        (Outcome::Failed, json!({ "error": "server `hq` could not be read" })),
    ] {
        let id = start(&app, directory).await;
        let note = RunNote { outcome, ended_ms: Some(NOW_MS + 1_250), plan_hash: None, report };
        app.store.note_run(id, &note).await.unwrap();
        ids.push(id.0);
    }
    insta::assert_snapshot!("runs", text(&runs(&app, 20).await.unwrap(), 80));
    assert_eq!(runs(&app, 1).await.unwrap().runs.len(), 1);
    let failed = text(&one(&app, ids[3]).await.unwrap(), 80);
    assert!(failed.contains("server `hq` could not be read"), "{failed}");
    let done = one(&app, ids[0]).await.unwrap();
    assert_eq!(done.report.map(|view| view.report.counts), Some(report().counts));
    assert!(is_usage(&one(&app, 99).await.unwrap_err()));
}

#[tokio::test]
async fn a_run_says_what_it_wrote_and_how_to_undo_it() {
    let app = app();
    let directory = server(&app).await;
    let run = start(&app, directory).await;
    let step = |seq, state| JournalRow {
        run,
        seq,
        directory,
        at_ms: NOW_MS,
        person: PersonId::new("иванов пётр сергеевич"),
        employee: Some(EmployeeId(12)),
        side: Side::Pbx,
        what: What::Field(Field::Mobile),
        cause: "directory-changed".to_owned(),
        before: json!(null),
        after: json!({ "raw": "79261234567" }),
        state,
        reserved_number: None,
        fingerprint: None,
        picture: None,
    };
    let report = serde_json::to_value(report()).unwrap();
    let note = RunNote { outcome: Outcome::Done, ended_ms: Some(NOW_MS), plan_hash: None, report };
    app.store.note_run(run, &note).await.unwrap();
    app.store.journal(&[step(1, State::Undone)]).await.unwrap();
    let told = text(&one(&app, run.0).await.unwrap(), 100);
    assert!(told.contains("1     иванов пётр сергеевич  PBX mobile: — → 79261234567"), "{told}");
    assert!(!told.contains("rollcall undo"), "nothing is left to undo: {told}");
    let rows: Vec<JournalRow> = (2..=60).map(|seq| step(seq, State::Done)).collect();
    app.store.journal(&rows).await.unwrap();
    let whole = one(&app, run.0).await.unwrap();
    assert_eq!(whole.steps.len(), 60);
    let told = text(&whole, 100);
    assert!(told.contains("and 20 others; --json has them all"), "{told}");
    assert!(told.trim_end().ends_with(&format!("rollcall undo {run}")), "{told}");
}

#[tokio::test]
async fn a_running_run_says_how_far_it_is() {
    let app = app();
    let directory = server(&app).await;
    let id = start(&app, directory).await;
    let progress = RunProgress { phase: Phase::Write, done: 3, total: Some(7) };
    app.store.note_progress(id, &progress).await.unwrap();
    let list = text(&runs(&app, 20).await.unwrap(), 80);
    assert!(list.contains("Writing: 3 of 7"), "{list}");
    let one = one(&app, id.0).await.unwrap();
    assert!(text(&one, 80).contains("Writing: 3 of 7"));
    let json = serde_json::to_value(&one).unwrap();
    assert_eq!(json["progress"], json!({ "phase": "write", "done": 3, "total": 7 }));
    assert_eq!(json["outcome"], "running");
}
