//! Runs, and one of them.

use super::*;
use crate::cli::testing::{report, start};
use crate::cycle::report::NotUndone;
use reconcile::Verdict;
use reconcile::guard::{GuardKind, Halt, Tripped};
use reconcile::plan::HeldBack;
use store::{Phase, RunProgress};

fn halted() -> Report {
    let tripped =
        Tripped { kind: GuardKind::Disables, people: 40, recent: 2, limit: 5, linked: 90, stopped: false };
    let mut report = report();
    report.halted = Some(Halt { tripped: vec![tripped], look_first: None });
    report.writes = crate::cycle::report::Writes::default();
    report
}

#[tokio::test]
async fn runs_look_like_this() {
    let (app, id) = nobody().await;
    let site = Site::of(app.clone()).await;
    insta::assert_snapshot!("history_none", site.get("/history").await.content());
    ran(&app, id, Trigger::Manual, Outcome::Done, &report()).await;
    ran(&app, id, Trigger::Automatic, Outcome::Halted, &halted()).await;
    let run = start(&app, id).await;
    let error = json!({ "error": format!("the PBX said {EVIL}") });
    let note = RunNote { outcome: Outcome::Failed, ended_ms: Some(NOW_MS), plan_hash: None, report: error };
    app.store.note_run(run, &note).await.unwrap();
    let run = start(&app, id).await;
    let progress = RunProgress { phase: Phase::Write, done: 3, total: Some(9) };
    app.store.note_progress(run, &progress).await.unwrap();
    insta::assert_snapshot!("history_few", site.get("/history").await.content());
    insta::assert_snapshot!("history_few_ru", site.get_in("ru", "/history").await.content());
}

#[tokio::test]
async fn runs_are_filtered_and_cut_to_pages() {
    let (app, id) = nobody().await;
    for n in 0..60 {
        let trigger = if n % 2 == 0 { Trigger::Manual } else { Trigger::Automatic };
        ran(&app, id, trigger, Outcome::Done, &report()).await;
    }
    let site = Site::of(app).await;
    let rows = async |query: &str| {
        let text = site.get(&format!("/history{query}")).await.text();
        assert_eq!(text.matches("<rect ").count(), text.matches("data-label=\"Run\"").count());
        text.matches("data-label=\"Run\"").count()
    };
    assert_eq!(rows("").await, 50);
    assert_eq!(rows("?page=2").await, 10);
    assert_eq!(rows("?page=99").await, 10);
    assert_eq!(rows("?trigger=automatic").await, 30);
    assert_eq!(rows("?trigger=undo").await, 0);
    assert_eq!(rows(&format!("?server={id}&trigger=manual")).await, 30);
}

#[tokio::test]
async fn the_newest_bar_is_on_the_right() {
    let (app, id) = nobody().await;
    let first = ran(&app, id, Trigger::Manual, Outcome::Done, &report()).await;
    let second = ran(&app, id, Trigger::Manual, Outcome::Halted, &halted()).await;
    let text = Site::of(app).await.get("/history").await.text();
    let at = |run: RunId| text.find(&format!("<title>Run {run}, ")).expect("a bar has a title");
    assert!(at(first) < at(second), "{text}");
    assert!(text.contains("<rect class=\"good\" x=\"0\" y=\"0\" width=\"9\" height=\"100\">"), "{text}");
    assert!(text.contains("<rect class=\"warn\" x=\"12\" y=\"97\" width=\"9\" height=\"3\">"), "{text}");
}

#[tokio::test]
async fn a_run_looks_like_this() {
    let (app, id) = nobody().await;
    let site = Site::of(app.clone()).await;
    let done = ran(&app, id, Trigger::Manual, Outcome::Done, &report()).await;
    let done = format!("/history/{done}");
    insta::assert_snapshot!("run_done", site.get(&done).await.content());
    insta::assert_snapshot!("run_done_ru", site.get_in("ru", &done).await.content());

    let halted = ran(&app, id, Trigger::Automatic, Outcome::Halted, &halted()).await;
    insta::assert_snapshot!("run_halted", site.get(&format!("/history/{halted}")).await.content());

    let mut partial = report();
    partial.people.clear();
    partial.directory.verdict = Verdict::Partial("the server stopped after 500 entries".to_owned());
    let why = "the directory was read in part".to_owned();
    partial.held_back =
        vec![HeldBack { what: "nobody is taken for gone".to_owned(), people: 3, why, stopped: None }];
    partial.warnings = vec![format!("odd: {EVIL}")];
    partial.undoes = Some(1);
    partial.not_undone = vec![NotUndone {
        person: "p1".to_owned(),
        name: "Anna".to_owned(),
        step: 3,
        side: Side::Rollcall,
        what: "create".to_owned(),
        why: "employees are never deleted".to_owned(),
    }];
    let partial = ran(&app, id, Trigger::Undo, Outcome::Partial, &partial).await;
    insta::assert_snapshot!("run_partial_undo", site.get(&format!("/history/{partial}")).await.content());

    let running = start(&app, id).await;
    let progress = RunProgress { phase: Phase::Write, done: 3, total: Some(9) };
    app.store.note_progress(running, &progress).await.unwrap();
    let running = site.get(&format!("/history/{running}")).await;
    assert!(running.text().contains("http-equiv=\"refresh\""), "it asks again by itself");
    insta::assert_snapshot!("run_running", running.content());
}

#[tokio::test]
async fn people_of_a_run_are_found_and_filtered() {
    let (app, id) = nobody().await;
    let mut long = report();
    long.people[0].name = EVIL.to_owned();
    let more = (0..MANY).map(|n| crate::cycle::report::PersonReport {
        id: format!("more{n}"),
        name: format!("More {n:03}"),
        ..long.people[6].clone()
    });
    long.people.extend(more.collect::<Vec<_>>());
    let run = ran(&app, id, Trigger::Manual, Outcome::Done, &long).await;
    let site = Site::of(app).await;
    let rows = async |query: &str| {
        let text = site.get(&format!("/history/{run}{query}")).await.text();
        assert!(!text.contains(EVIL), "{text}");
        text.matches("<td data-label=\"Person\">").count()
    };
    assert_eq!(rows("").await, 50);
    assert_eq!(rows("?page=3").await, 27);
    assert_eq!(rows("?page=4294967295").await, 27);
    assert_eq!(rows("?status=conflict").await, 1);
    assert_eq!(rows("?status=skipped").await, 1);
    assert_eq!(rows("?updated=directory").await, 1);
    assert_eq!(rows("?updated=both&status=conflict").await, 0);
    assert_eq!(rows("?search=more+007").await, 1);
}
