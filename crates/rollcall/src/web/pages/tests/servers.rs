//! First steps, the PBX, servers and what is asked of them.

use super::*;
use crate::cli::pbx as pbx_command;
use crate::cli::testing::{person, report};
use crate::cycle::report::Report;
use crate::schedule::Schedule;
use crate::web::live::{Task, finished};
use crate::web::testing::Browser;
use reconcile::Verdict;
use reconcile::guard::{GuardKind, Halt, Tripped};
use store::{DirectoryRow, PlanPerson, RunProgress};

/// A server that has everything but somebody who listens there.
async fn complete() -> (App, DirectoryRow) {
    let (app, _) = nobody().await;
    let mut row = app.store.directory("hq").await.unwrap().unwrap();
    for (name, value) in [
        ("hosts", json!(["127.0.0.1"])),
        ("port", json!(9)),
        ("base_dn", json!("DC=corp,DC=test")),
        ("sign_in", json!({ "simple": { "dn": "svc@corp.test" } })),
        ("filter", json!("(title=<b>)")),
    ] {
        row.settings[name] = value;
    }
    app.store.put_directory(&row, Some(&"hunter2".into())).await.unwrap();
    (app, row)
}

async fn with_pbx(app: &App) {
    let settings = pbx::Settings {
        url: "https://pbx.corp.test".to_owned(),
        sign_in: pbx::SignIn::ApiKey,
        trust: pbx::Trust::SystemRoots,
    };
    pbx_command::store(app, &settings, Some(&"key-of-the-pbx".into())).await.unwrap();
}

/// Nobody listens on the port that once threw everything away.
const CONNECTION: [(&str, &str); 8] = [
    ("kind", "ad"),
    ("hosts", "127.0.0.1"),
    ("port", "9"),
    ("security", "ldaps"),
    ("trust", "system"),
    ("login", "svc@corp.test"),
    ("password", "hunter2"),
    ("base_dn", "DC=corp,DC=test"),
];

fn connection(more: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
    CONNECTION.into_iter().chain(more.iter().copied()).collect()
}

#[tokio::test]
async fn the_first_steps_look_like_this() {
    let browser = Browser::new(app()).await;
    insta::assert_snapshot!("first_steps_none", browser.get("/first-steps").await.snapshot());
    assert_eq!(browser.get("/servers").await.to.as_deref(), Some("/first-steps"));
    let (app, _) = complete().await;
    with_pbx(&app).await;
    let browser = Browser::new(app).await;
    insta::assert_snapshot!("first_steps_server", browser.get("/first-steps").await.snapshot());
    let browser = browser.in_russian();
    insta::assert_snapshot!("first_steps_server_ru", browser.get("/first-steps").await.snapshot());
}

#[tokio::test]
async fn the_pbx_looks_like_this() {
    let app = app();
    let browser = Browser::new(app.clone()).await;
    insta::assert_snapshot!("pbx_none", browser.get("/pbx").await.snapshot());
    let wrong = [("url", "pbx.corp.test"), ("sign_in", "api-key"), ("secret", "k"), ("trust", "system")];
    insta::assert_snapshot!("pbx_wrong", browser.post("/pbx", &wrong).await.snapshot());
    with_pbx(&app).await;
    let set = browser.get("/pbx").await;
    assert!(!set.text.contains("key-of-the-pbx"), "the key is never sent back");
    insta::assert_snapshot!("pbx_set", set.snapshot());
    insta::assert_snapshot!("pbx_tested", browser.post("/pbx/test", &[]).await.snapshot());
    insta::assert_snapshot!("pbx_tested_ru", browser.in_russian().post("/pbx/test", &[]).await.snapshot());
}

#[tokio::test]
async fn servers_look_like_this() {
    let (app, row) = complete().await;
    with_pbx(&app).await;
    linked(&app, row.id, &[link("p1", "Anna", 12, "212"), left("p2", "Bert", 13, LeftReason::Disabled)])
        .await;
    let browser = Browser::new(app.clone()).await;
    insta::assert_snapshot!("servers_one", browser.get("/servers").await.snapshot());
    ran(&app, row.id, Trigger::Manual, Outcome::Done, &report()).await;
    app.store.release_lease(row.id, "test").await.unwrap();
    Schedule::set(&app, row.id, |schedule| (schedule.automatic, schedule.paused) = (true, true))
        .await
        .unwrap();
    insta::assert_snapshot!("servers_paused", browser.get("/servers").await.snapshot());
    insta::assert_snapshot!("server_remove", browser.get("/servers/1/remove").await.snapshot());
    insta::assert_snapshot!("servers_paused_ru", browser.in_russian().get("/servers").await.snapshot());
}

#[tokio::test]
async fn a_connection_looks_like_this() {
    let (app, _) = complete().await;
    let browser = Browser::new(app).await;
    insta::assert_snapshot!("connection_new", browser.get("/servers/new").await.snapshot());
    let stored = browser.get("/servers/1").await;
    assert!(!stored.text.contains("hunter2") && !stored.text.contains("<b>"));
    insta::assert_snapshot!("connection", stored.snapshot());
    let tested = browser.post("/servers/1", &connection(&[("do", "test")])).await;
    assert!(!tested.text.contains("hunter2"));
    insta::assert_snapshot!("connection_tested", tested.snapshot());
    let filter = connection(&[("filter", "(title=a"), ("do", "save")]);
    insta::assert_snapshot!("connection_wrong_filter", browser.post("/servers/1", &filter).await.snapshot());
    let both = connection(&[("domain", "corp.test"), ("do", "save")]);
    insta::assert_snapshot!("connection_conflicting", browser.post("/servers/1", &both).await.snapshot());
    let browser = browser.in_russian();
    let tested = browser.post("/servers/1", &connection(&[("do", "test")])).await;
    insta::assert_snapshot!("connection_tested_ru", tested.snapshot());
}

#[tokio::test]
async fn what_stands_on_a_server_that_is_away_looks_like_this() {
    let (app, _) = complete().await;
    let browser = Browser::new(app).await;
    insta::assert_snapshot!("attributes_away", browser.get("/servers/1/attributes").await.snapshot());
    insta::assert_snapshot!("tree_away", browser.get("/servers/1/tree").await.snapshot());
    insta::assert_snapshot!("limits", browser.get("/servers/1/limits").await.snapshot());
    let wrong = [("floor", "50"), ("percent", "5"), ("ceiling", "20"), ("every_min", "15")];
    insta::assert_snapshot!("limits_wrong", browser.post("/servers/1/limits", &wrong).await.snapshot());
    let browser = browser.in_russian();
    insta::assert_snapshot!("attributes_away_ru", browser.get("/servers/1/attributes").await.snapshot());
    insta::assert_snapshot!("limits_ru", browser.get("/servers/1/limits").await.snapshot());
}

#[tokio::test]
async fn a_request_and_its_job_look_like_this() {
    let (app, row) = complete().await;
    with_pbx(&app).await;
    let browser = Browser::new(app.clone()).await;
    insta::assert_snapshot!("request_none", browser.get("/servers/1/request").await.snapshot());
    insta::assert_snapshot!("synchronize_none", browser.get("/servers/1/synchronize").await.snapshot());
    assert_eq!(browser.get("/servers/1/job").await.to.as_deref(), Some("/servers/1/synchronize"));

    let started = browser.post("/servers/1/request", &[]).await;
    assert_eq!(started.to.as_deref(), Some("/servers/1/job"));
    finished(&browser.web.jobs.of(row.id).unwrap()).await.unwrap();
    insta::assert_snapshot!("job_failed", browser.get("/servers/1/job").await.snapshot());

    // Once the service ends, whatever is started is over at once.
    browser.web.jobs.stop().await;
    browser.web.jobs.start(&row, Task::Preview(crate::cycle::Expect::AsBefore));
    insta::assert_snapshot!("job_cancelled", browser.get("/servers/1/job").await.snapshot());

    keep(&app, &row, "abc", None).await;
    ran(&app, row.id, Trigger::Manual, Outcome::Done, &report()).await;
    let running = start_as(&app, row.id, Trigger::Automatic).await;
    let progress = RunProgress { phase: store::Phase::Write, done: 3, total: Some(9) };
    app.store.note_progress(running, &progress).await.unwrap();
    insta::assert_snapshot!("request_few", browser.get("/servers/1/request").await.snapshot());
    insta::assert_snapshot!("synchronize_few", browser.get("/servers/1/synchronize").await.snapshot());
}

#[tokio::test]
async fn a_plan_looks_like_this() {
    let (app, row) = complete().await;
    keep(&app, &row, "abc", None).await;
    let tripped = |kind, people| Tripped { kind, people, recent: 0, limit: 5, linked: 90, stopped: false };
    let halt = Halt { tripped: vec![tripped(GuardKind::Disables, 40)], look_first: None };
    keep(&app, &row, "def", Some(halt)).await;
    let browser = Browser::new(app).await;
    let plan = browser.get("/servers/1/plans/abc").await;
    assert!(!plan.text.contains(EVIL));
    insta::assert_snapshot!("plan", plan.snapshot());
    insta::assert_snapshot!("plan_halted", browser.get("/servers/1/plans/def").await.snapshot());
    insta::assert_snapshot!("plan_nobody", browser.get("/servers/1/plans/abc?search=zz").await.snapshot());
    insta::assert_snapshot!("plan_ru", browser.in_russian().get("/servers/1/plans/def").await.snapshot());
}

/// A plan as a preview keeps it.
async fn keep(app: &App, row: &DirectoryRow, hash: &str, halt: Option<Halt>) {
    let mut told = Report { run: None, plan: hash.to_owned(), halted: halt.clone(), ..report() };
    told.people.push(person(EVIL, crate::cycle::report::Status::Processed, None, Vec::new()));
    if halt.is_none() {
        told.directory.verdict = Verdict::Partial("the search ended early".to_owned());
    }
    let body = json!({
        "actions": [], "lines": [], "halt": halt, "stopped": [], "lost": [], "settings": "", "undo": null,
    });
    app.store.put_plan(row.id, hash, NOW_MS, &body.to_string()).await.unwrap();
    let brief = json!({ "halt": halt, "undo": null, "report": told.clone().without_people() });
    let name = format!("directory/{}/plan/{hash}", row.id);
    app.store.put_meta(&name, Some(&brief.to_string())).await.unwrap();
    let kinds = ["create", "update", "conflict", "write-back", "disabled", "skip", "unchanged", "unchanged"];
    let people: Vec<PlanPerson> = told
        .people
        .iter()
        .zip(kinds)
        .map(|(person, kind)| PlanPerson {
            person: PersonId::new(&*person.id),
            employee: person.employee.map(EmployeeId),
            name: person.name.clone(),
            extension: person.extension.clone().unwrap_or_default(),
            kind: kind.to_owned(),
            changes: json!(person),
            reason: person.reason.clone().unwrap_or_default(),
        })
        .collect();
    app.store.put_plan_people(row.id, hash, &people).await.unwrap();
}
