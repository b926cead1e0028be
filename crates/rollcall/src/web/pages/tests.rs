//! Pages of people and runs, asked for as a browser asks for them.

mod disabled;
mod employees;
mod history;
mod servers;
mod undo;

use crate::app::App;
use crate::cli::testing::{NOW_MS, app, link, server, start_as};
use crate::cycle::report::Report;
use crate::web::testing::Site;
use axum::http::StatusCode;
use reconcile::{EmployeeId, Field, LeftReason, Link, LinkState, PersonId};
use serde_json::json;
use store::{
    By, DirectoryId, JournalRow, Outcome, PersonStatus, RunId, RunNote, RunPerson, Side, State, Trigger,
    Updated, What,
};

/// What a page has to escape.
const EVIL: &str = "<script>alert(1)</script>";
/// More than fit on one page.
const MANY: u64 = 120;

/// An installation with one server, `hq`, of whom nobody is linked.
async fn nobody() -> (App, DirectoryId) {
    let app = app();
    let id = server(&app).await;
    (app, id)
}

async fn linked(app: &App, id: DirectoryId, links: &[Link]) {
    app.store.agree(By::Hand(id), &[], links).await.unwrap();
}

fn left(person: &str, name: &str, number: u64, reason: LeftReason) -> Link {
    let state = LinkState::Left { reason, since_ms: NOW_MS - 3 * 86_400_000 };
    Link { state, ..link(person, name, number, &number.to_string()) }
}

/// Three people: one works, one is disabled, one has a name that is none.
async fn few() -> (App, DirectoryId) {
    let (app, id) = nobody().await;
    let links = [
        link("192df0c9-fb24", "Иванов Пётр", 12, "212"),
        left("p/2 ?", "Яковлева Анна", 213, LeftReason::Disabled),
        link("p3", EVIL, 14, "214"),
    ];
    linked(&app, id, &links).await;
    (app, id)
}

/// Everybody from 1 to [`MANY`]; every third has left.
async fn many() -> (App, DirectoryId) {
    let (app, id) = nobody().await;
    let one = |n: u64| match n % 3 {
        0 => left(&format!("p{n}"), &format!("Person {n:03}"), n, LeftReason::Deleted),
        _ => link(&format!("p{n}"), &format!("Person {n:03}"), n, &n.to_string()),
    };
    linked(&app, id, &(1..=MANY).map(one).collect::<Vec<_>>()).await;
    (app, id)
}

/// A run that ended like this, and what became of whom.
async fn ran(app: &App, id: DirectoryId, trigger: Trigger, outcome: Outcome, report: &Report) -> RunId {
    let run = start_as(app, id, trigger).await;
    let people: Vec<RunPerson> = report
        .people
        .iter()
        .map(|person| RunPerson {
            person: PersonId::new(&*person.id),
            employee: person.employee.map(EmployeeId),
            name: person.name.clone(),
            extension: person.extension.clone().unwrap_or_default(),
            status: serde_json::from_value(json!(person.status)).unwrap_or(PersonStatus::Processed),
            updated: match person.updated {
                Some(updated) => updated.as_str().parse().unwrap(),
                None => Updated::Nothing,
            },
            changes: json!(person),
            reason: person.reason.clone().unwrap_or_default(),
        })
        .collect();
    app.store.add_run_people(run, &people).await.unwrap();
    let report = json!(Report { run: Some(run.0), ..report.without_people() });
    let note = RunNote { outcome, ended_ms: Some(NOW_MS + 12_000), plan_hash: None, report };
    app.store.note_run(run, &note).await.unwrap();
    run
}

/// Three steps of two people in a run that is under way.
async fn wrote(app: &App, id: DirectoryId, run: RunId) {
    let step = |seq, person: &str, side, what, before, after, state| JournalRow {
        run,
        seq,
        directory: id,
        at_ms: NOW_MS,
        person: PersonId::new(person),
        employee: Some(EmployeeId(12)),
        side,
        what,
        cause: "directory-changed".to_owned(),
        before,
        after,
        state,
        reserved_number: None,
        fingerprint: None,
        picture: None,
    };
    let mobile = What::Field(Field::Mobile);
    let secret = json!({ "raw": "set", "canonical": "fp:00ff" });
    let rows = [
        step(1, "192df0c9-fb24", Side::Rollcall, What::Join, json!(null), json!(null), State::Done),
        step(2, "192df0c9-fb24", Side::Pbx, mobile, json!("79031"), json!("79261234567"), State::Done),
        step(3, "p3", Side::Directory, What::Field(Field::SipPassword), json!(null), secret, State::Refused),
    ];
    app.store.journal(&rows).await.unwrap();
}

#[tokio::test]
async fn strangers_are_led_to_the_sign_in() {
    let (app, _) = few().await;
    let site = Site::of(app).await;
    for path in [
        "/employees",
        "/employees/1/p3",
        "/employees/1/p3/photo",
        "/disabled",
        "/disabled/disabled.csv",
        "/disabled/1/p3",
        "/history",
        "/history/1",
        "/history/1/steps",
    ] {
        let shown = site.get_as_stranger(path).await;
        assert!(shown.leads_to().starts_with("/sign-in?then="), "{path}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let (app, id) = few().await;
    let site = Site::of(app).await;
    for path in [
        format!("/employees/{id}/nobody"),
        "/employees/99/p3".to_owned(),
        format!("/employees/{id}/nobody/photo"),
        "/employees/99/p3/photo".to_owned(),
        // There is no PBX, so there is no picture.
        format!("/employees/{id}/p3/photo"),
        format!("/disabled/{id}/nobody"),
        "/disabled/99/p3".to_owned(),
        "/history/99".to_owned(),
        "/history/99/steps".to_owned(),
    ] {
        assert_eq!(site.get(&path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    for path in ["/employees/x/p3", "/history/x", "/history/x/steps"] {
        assert!(site.get(path).await.status.is_client_error(), "{path}");
    }
    assert_eq!(site.post("/history/99/undo", "").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_is_asked_for_and_not_known_is_ignored() {
    let (app, id) = few().await;
    let run = start_as(&app, id, Trigger::Manual).await;
    wrote(&app, id, run).await;
    let site = Site::of(app).await;
    let odd = "?page=x&server=99&state=odd&sort=odd&order=odd&trigger=odd&status=odd&updated=odd&reason=odd\
               &unknown=1&page=2&%FF=%FF";
    let run = format!("/history/{run}");
    for path in ["/employees", "/disabled", "/history", &run] {
        assert_eq!(
            site.get(path).await.content(),
            site.get(&format!("{path}{odd}")).await.content(),
            "{path}"
        );
    }
    site.get(&format!("{run}/steps{odd}")).await.text();
}
