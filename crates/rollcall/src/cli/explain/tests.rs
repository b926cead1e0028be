use super::*;
use crate::cli::errors::is_usage;
use crate::cli::output::tests::text;
use crate::cli::testing::{NOW_MS, app, both_changed, link, server, start};
use reconcile::{EmployeeId, LeftReason, Pair};
use serde_json::json;
use std::collections::BTreeSet;
use store::{By, JournalRow, Outcome, PersonStatus, RunNote, Side, State as JournalState, What};

const ID: &str = "192df0c9-fb24-4a25-8cd6-326044b13ba0";

/// A server with four linked people, the first of whom has a story.
async fn company() -> App {
    let app = app();
    let id = server(&app).await;
    let mut first = link(ID, "Иванов Пётр Сергеевич", 12, "212");
    let value = |text: &str| Some(Value::new(text, text));
    first.pairs[Field::Mobile] = Some(Pair { directory: value("+7 926"), pbx: value("79031"), held: true });
    first.directory[Field::Mobile] = first.directory[Field::Name].clone();
    first.directory[Field::Mobile].as_mut().unwrap().value = value("+7 926");
    first.pbx[Field::SipPassword] = first.pbx[Field::Name].clone();
    first.pbx[Field::SipPassword].as_mut().unwrap().value = value("set");
    let mut gone = link("p2", "Иванова Анна", 13, "213");
    gone.state = LinkState::Left { reason: LeftReason::Disabled, since_ms: NOW_MS };
    let links = [first, gone, link("p3", "Иванченко Лев", 14, "214"), link("p4", "Иванюк Зоя", 15, "215")];
    app.store.agree(By::Hand(id), &[], &links).await.unwrap();
    let mut conflict = both_changed();
    conflict.person = PersonId::new(ID);
    app.store.sync_conflicts(By::Hand(id), NOW_MS, &[conflict], &BTreeSet::new()).await.unwrap();
    let run = start(&app, id).await;
    let step = |seq, side, what, before, after| JournalRow {
        run,
        seq,
        directory: id,
        at_ms: NOW_MS,
        person: PersonId::new(ID),
        employee: Some(EmployeeId(12)),
        side,
        what,
        cause: "directory-changed".to_owned(),
        before,
        after,
        state: JournalState::Done,
        reserved_number: None,
        fingerprint: None,
        picture: None,
    };
    let mobile = (json!("79031"), json!("79261234567"));
    let secret = json!({ "raw": "set", "canonical": "fp:00ff" });
    let journal = [
        step(1, Side::Rollcall, What::Join, json!(null), json!(null)),
        step(2, Side::Pbx, What::Field(Field::Mobile), mobile.0, mobile.1),
        step(3, Side::Directory, What::Field(Field::SipPassword), json!(null), secret),
    ];
    app.store.journal(&journal).await.unwrap();
    app
}

async fn found(app: &App, query: &str) -> Vec<String> {
    let found = find(app, query, None).await.unwrap();
    found.people.into_iter().map(|person| person.name).collect()
}

#[tokio::test]
async fn people_are_found_by_whatever_is_known_of_them() {
    let app = company().await;
    for query in ["Иванов Пётр Сергеевич", "пётр иван", "212", ID, "192df0c9", " 212 "]
    {
        assert_eq!(found(&app, query).await, ["Иванов Пётр Сергеевич"], "{query}");
    }
    assert_eq!(found(&app, "иван").await.len(), 4);
    for query in ["Сидоров", "", "21", "192df"] {
        let error = find(&app, query, None).await.err().unwrap_or_else(|| panic!("{query} is nobody"));
        assert!(is_usage(&error), "{error}");
    }
}

#[tokio::test]
async fn one_person_in_full() {
    let app = company().await;
    let one = find(&app, "212", Some("hq")).await.unwrap();
    insta::assert_snapshot!("one_person", text(&one, 100));
    let json = serde_json::to_string(&one).unwrap();
    assert!(!json.contains("00ff"), "a fingerprint is nobody's business: {json}");
}

#[tokio::test]
async fn news_is_over_once_a_whole_run_told_nothing() {
    let app = company().await;
    let directory = app.store.directories().await.unwrap()[0].id;
    let told = async || find(&app, "212", None).await.unwrap().people[0].last_run.is_some();
    for (outcome, status, news) in [
        (Outcome::Done, Some(PersonStatus::Conflict), true),
        (Outcome::Partial, None, true),
        (Outcome::Failed, None, true),
        (Outcome::Done, None, false),
        (Outcome::Halted, Some(PersonStatus::Skipped), true),
    ] {
        let run = start(&app, directory).await;
        let row = status.map(|status| store::RunPerson {
            person: PersonId::new(ID),
            employee: Some(EmployeeId(12)),
            name: String::new(),
            extension: "212".to_owned(),
            status,
            updated: store::Updated::Nothing,
            changes: json!({}),
            reason: "`12a` is no number".to_owned(),
        });
        app.store.add_run_people(run, row.as_slice()).await.unwrap();
        let note = RunNote { outcome, ended_ms: Some(NOW_MS), plan_hash: None, report: json!({}) };
        app.store.note_run(run, &note).await.unwrap();
        assert_eq!(told().await, news, "{outcome}");
    }
}

#[tokio::test]
async fn many_people_are_listed_without_their_stories() {
    let app = company().await;
    let many = find(&app, "иван", None).await.unwrap();
    assert!(many.people.iter().all(|person| person.journal.is_empty()));
    insta::assert_snapshot!("many_people", text(&many, 80));
}
