use super::*;
use crate::cli::errors::is_usage;
use crate::cli::output::tests::text;
use crate::cli::testing::{NOW_MS, app, link, server, start};
use reconcile::{EmployeeId, PersonId};
use serde_json::json;
use store::{By, Outcome, PersonStatus, RunNote, Updated};

async fn company() -> App {
    let app = app();
    let id = server(&app).await;
    let mut gone = link("p2", "Щербаков Илья", 13, "213");
    gone.state = LinkState::Left { reason: LeftReason::Disabled, since_ms: NOW_MS };
    let links = [link("p1", "Müller, Jörg", 12, "212"), gone];
    app.store.agree(By::Hand(id), &[], &links).await.unwrap();
    let run = start(&app, id).await;
    let last = |person: &str, employee, status, updated, reason: &str| RunPerson {
        person: PersonId::new(person),
        employee,
        name: "欧阳芳".to_owned(),
        extension: "216".to_owned(),
        status,
        updated,
        changes: json!({}),
        reason: reason.to_owned(),
    };
    let people = [
        last("p1", Some(EmployeeId(12)), PersonStatus::Processed, Updated::Both, ""),
        last("p3", None, PersonStatus::Conflict, Updated::Nothing, "several people match"),
    ];
    app.store.add_run_people(run, &people).await.unwrap();
    app
}

#[tokio::test]
async fn everybody_with_status_and_what_was_updated_last() {
    let people = everybody(&company().await, "hq").await.unwrap();
    insta::assert_snapshot!("everybody", text(&people, 80));
    assert!(is_usage(&everybody(&app(), "hq").await.unwrap_err()));
}

#[tokio::test]
async fn a_trouble_that_a_whole_run_did_not_find_is_over() {
    let app = company().await;
    let id = app.server("hq").await.unwrap().id;
    let mut row = app.store.latest_people(id).await.unwrap()[0].1.clone();
    row.status = PersonStatus::Failed;
    for (rows, last) in [(&[row][..], Some(PersonStatus::Failed)), (&[], None)] {
        let run = start(&app, id).await;
        app.store.add_run_people(run, rows).await.unwrap();
        let note = RunNote { outcome: Outcome::Done, ended_ms: None, plan_hash: None, report: json!({}) };
        app.store.note_run(run, &note).await.unwrap();
        let people = everybody(&app, "hq").await.unwrap().people;
        let one = people.iter().find(|one| one.id == "p1").unwrap();
        assert_eq!(one.last.as_ref().map(|last| last.status), last);
    }
}

#[tokio::test]
async fn the_disabled_with_reason_and_date() {
    let app = company().await;
    let disabled = leavers(&app, None).await.unwrap();
    assert_eq!(disabled.disabled.len(), 1);
    insta::assert_snapshot!("disabled", text(&disabled, 80));
}
