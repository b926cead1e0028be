//! The client against exchanges recorded from a running MikoPBX: what it
//! sends is what was sent then, and what came back is understood.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use common::*;
use pbx::{Change, Error, FieldWrite, NewEmployee};
use reconcile::{EmployeeId, Field, Reading, Verdict};
use serde_json::Value;
use std::sync::Arc;

const ID: EmployeeId = EmployeeId(120);

const FILES: [(&str, &str); 7] = [
    ("auth", include_str!("data/01-auth.json")),
    ("filter", include_str!("data/02-front-filter.json")),
    ("default", include_str!("data/03-get-default.json")),
    ("create", include_str!("data/04-create.json")),
    ("read", include_str!("data/05-read.json")),
    ("patch", include_str!("data/06-patch.json")),
    ("put", include_str!("data/07-put.json")),
];

fn exchanges(file: &str) -> Vec<Value> {
    let text = FILES.iter().find(|(name, _)| *name == file).unwrap().1;
    let recorded: Value = serde_json::from_str(text).unwrap();
    recorded["exchanges"].as_array().unwrap().clone()
}

fn exchange(file: &str, label: &str) -> Value {
    exchanges(file)
        .into_iter()
        .find(|exchange| exchange["label"] == label)
        .unwrap_or_else(|| panic!("{label}"))
}

fn line(exchange: &Value) -> String {
    let path = exchange["request"]["path"].as_str().unwrap().trim_start_matches("/pbxcore/api/v3/");
    format!("{} {path}", exchange["request"]["method"].as_str().unwrap())
}

fn answer(exchange: &Value) -> Answer {
    let response = &exchange["response"];
    let code = u16::try_from(response["status"].as_u64().unwrap()).unwrap();
    match response["body_raw"].as_str() {
        Some(body) => text(code, body),
        None => status(code, &response["body"]),
    }
}

fn client(exchange: &Value, script: &Arc<Script>) -> pbx::Pbx {
    if exchange["client"] == "localhost" { local(script) } else { remote(script) }
}

fn anyway(change: Change) -> FieldWrite {
    FieldWrite { change, expected: Reading::NotLooked }
}

/// Saves the change on the recorded employee and compares the request.
async fn save_as_recorded(label: &str, change: Change) -> pbx::Saved {
    let recorded = exchange("patch", label);
    // A record in which every one of the recorded changes is one.
    let mut before = exchange("patch", "after")["response"]["body"]["data"].clone();
    before["user_email"] = "other@example.com".into();
    before["number"] = "402".into();
    before["sip_secret"] = "Other9dlsQ7pWz".into();
    before["mobile_number"] = "79990000001".into();
    let script = Script::new([("GET employees/120", data(before))]);
    script.then([(&line(&recorded), answer(&recorded))]);
    let saved = local(&script).save(ID, &[anyway(change)], None).await.unwrap();
    script.done();
    assert_eq!(script.body(1), recorded["request"]["body"], "{label}");
    assert!(saved.outcomes.iter().all(|(_, outcome)| outcome.is_ok()), "{saved:?}");
    saved
}

#[tokio::test]
async fn changes_are_sent_as_recorded() {
    let saved = save_as_recorded("user_email", Change::Email(Some("john.patched@example.com".into()))).await;
    assert_eq!(saved.record.fields[Field::Email].values()[0].raw(), "john.patched@example.com");
    let saved = save_as_recorded("user_email cleared with \"\"", Change::Email(None)).await;
    assert_eq!(saved.record.fields[Field::Email], Reading::Empty);
    let saved = save_as_recorded("number back", Change::Extension("302".into())).await;
    assert_eq!(saved.record.fields[Field::Extension].values()[0].raw(), "302");
    let saved = save_as_recorded("sip_secret", Change::SipPassword("Nb8#kkQ2zzPp".to_owned().into())).await;
    assert_eq!(saved.record.fields[Field::SipPassword].values()[0].raw(), "set");
    let saved = save_as_recorded("mobile_number cleared", Change::Mobile(None)).await;
    assert_eq!(saved.record.fields[Field::Mobile], Reading::Empty);
}

#[tokio::test]
async fn every_recorded_answer_to_a_list_is_understood() {
    for recorded in exchanges("read") {
        let path = line(&recorded);
        if !path.starts_with("GET employees?") && path != "GET employees" {
            continue;
        }
        let mut whole = recorded.clone();
        // The pages hold a part of what they count.
        let rows = whole["response"]["body"]["data"]["data"].as_array().unwrap().len();
        whole["response"]["body"]["data"]["recordsTotal"] = rows.into();
        let numbers: Vec<String> = whole["response"]["body"]["data"]["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["number"].as_str().unwrap().to_owned())
            .collect();
        let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
        let script = Script::new([
            ("GET employees", answer(&whole)),
            ("GET extensions", extensions(&numbers)),
            ("GET employees:getDefault", answer(&exchange("default", "defaults"))),
        ]);
        let listing = local(&script).snapshot(&|_| {}).await.unwrap();
        assert_eq!(listing.employees.verdict, Verdict::Complete, "{path}");
        assert_eq!(listing.employees.rows.len() + listing.users_without_number, rows, "{path}");
        assert_eq!(listing.extensions_length, 3);
    }
}

#[tokio::test]
async fn the_whole_recorded_list() {
    let recorded = exchange("read", "list, everything");
    let script = Script::new([("GET employees", answer(&recorded)), ("GET extensions", extensions(&[]))]);
    script.then([("GET employees:getDefault", answer(&exchange("default", "defaults")))]);
    let listing = local(&script).snapshot(&|_| {}).await.unwrap();
    let row = |id| listing.employees.rows.iter().find(|row| row.id == EmployeeId(id)).unwrap();
    assert_eq!(row(141).fields[Field::Name].values()[0].raw(), "Фёдор Ёлкин");
    assert!(row(123).has_photo && row(123).fields[Field::Photo] == Reading::NotLooked);
    assert_eq!((&*row(120).dial, &row(120).fields[Field::Mobile]), ("79991234567", &Reading::NotLooked));
}

#[tokio::test]
async fn every_recorded_record_is_read() {
    let mut read = 0;
    for (file, _) in FILES {
        for recorded in exchanges(file) {
            let body = &recorded["response"]["body"]["data"];
            if body["sip_secret"].is_null() || body["id"] == "" {
                continue;
            }
            let id: u64 = body["id"].as_str().unwrap().parse().unwrap();
            let script = Script::new([]);
            script.then([(&format!("GET employees/{id}"), data(body.clone()))]);
            let record = local(&script).record(EmployeeId(id), Some("RU")).await.unwrap().unwrap();
            assert_eq!(record.mobile_number, body["mobile_number"].as_str().unwrap());
            assert_eq!(u64::from(record.forwarding.ring_s), body["fwd_ringlength"].as_u64().unwrap());
            let name = &record.fields[Field::Name];
            assert_eq!(name.values()[0].raw(), body["user_username"].as_str().unwrap());
            read += 1;
        }
    }
    assert!(read > 80, "{read}");
}

#[tokio::test]
async fn not_found_as_recorded() {
    let missing = exchange("read", "record of a missing id (422, not 404)");
    let script = Script::new([("GET employees/99999", answer(&missing))]);
    let mut none = exchange("read", "search nobody-at-all");
    none["response"]["body"]["meta"] = Value::Null;
    script.then([("GET employees?search=id%3A99999", answer(&none))]);
    assert_eq!(local(&script).record(EmployeeId(99999), None).await.unwrap(), None);
    script.done();
}

#[tokio::test]
async fn recorded_refusals_are_refusals_with_a_text() {
    let mut refusals = 0;
    for recorded in exchanges("patch").into_iter().chain(exchanges("create")) {
        if recorded["response"]["status"] != 422 {
            continue;
        }
        let script = Script::new([("GET extensions", answer(&recorded))]);
        let error = client(&recorded, &script).numbers().await.unwrap_err();
        let Error::Refused { status: 422, text, .. } = &error else { panic!("{error:?}") };
        assert!(!text.is_empty() && text.chars().count() <= 301 && !text.contains("</"), "{text}");
        refusals += 1;
    }
    assert!(refusals > 20, "{refusals}");
}

#[tokio::test]
async fn the_recorded_filter_and_limit() {
    for recorded in exchanges("filter") {
        let script = Script::new([("GET extensions", answer(&recorded))]);
        let outcome = client(&recorded, &script).numbers().await;
        match recorded["response"]["status"].as_u64().unwrap() {
            403 | 429 => assert!(matches!(outcome, Err(Error::Busy { .. })), "{outcome:?}"),
            _ => assert!(!matches!(outcome, Err(Error::Busy { .. })), "{outcome:?}"),
        }
        // What the filter refused is known here before it is sent.
        let body = recorded["request"]["body"].to_string();
        if recorded["request"]["method"] == "PATCH" && recorded["client"] != "localhost" {
            assert_eq!(pbx::suspicious(&body).is_some(), recorded["response"]["status"] == 403, "{body}");
        }
    }
}

#[tokio::test]
async fn a_creation_as_recorded() {
    let recorded = exchange("create", "full fields");
    let body = &recorded["request"]["body"];
    let text = |key: &str| body[key].as_str().unwrap().to_owned();
    let new = NewEmployee {
        name: text("user_username"),
        number: text("number"),
        secret: text("sip_secret").into(),
        email: Some(text("user_email")),
        mobile: Some(text("mobile_number")),
    };
    let script = Script::new([("POST employees", answer(&recorded))]);
    let saved = local(&script).create(&new, None).await.unwrap();
    for (key, value) in script.body(0).as_object().unwrap() {
        assert_eq!(value, &body[key], "{key}");
    }
    assert_eq!(saved.record.id, ID);
    assert_eq!(saved.record.dialstring, "79991234567");
}
