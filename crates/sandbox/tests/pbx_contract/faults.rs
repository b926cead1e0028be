//! Faults strike where they say, and leave what they say.

use crate::{Bench, error, errors, is_occupied};
use http::{HeaderMap, Method};
use sandbox::pbx::{Client, Dropped};
use serde_json::json;

#[tokio::test]
async fn before_and_after_the_write() {
    for (fault, status, stored) in
        [("locked", 422, false), ("timeout", 400, false), ("timeout-done", 400, true), ("busy", 503, false)]
    {
        let bench = Bench::new();
        bench.set(&format!("pbx.{fault}=x1"));
        assert_eq!(bench.create("310", json!({})).await.0, status, "{fault}");
        assert_eq!(bench.numbers("?search=number:310").await.len(), usize::from(stored), "{fault}");
        assert_eq!(bench.pbx.writes(), u64::from(stored), "{fault}");
    }
    for (fault, stored) in [("drop", true), ("drop-before", false)] {
        let bench = Bench::new();
        bench.set(&format!("pbx.{fault}=x1"));
        let path = "/pbxcore/api/v3/employees/111";
        let delete = bench.pbx.handle(&Method::DELETE, path, &HeaderMap::new(), b"", Client::Local).await;
        assert_eq!(delete.map(|answer| answer.status()), Err(Dropped));
        assert_eq!(bench.numbers("?search=id:111").await.is_empty(), stored, "{fault}");
    }
}

#[tokio::test]
async fn a_locked_database_still_reads() {
    let bench = Bench::new();
    bench.set("pbx.locked=always");
    let (status, body) = bench.patch(111, json!({"user_email": "a@b.co"})).await;
    assert_eq!(body.get("httpCode"), None);
    let text = "SQLSTATE[HY000]: General error: 5 database is locked";
    assert_eq!(error((status, body)), (422, text.to_owned()));
    assert_eq!(bench.get("employees/111").await.0, 200);
    assert_eq!(bench.post("extensions:available", json!({"number": "299"})).await.0, 200);
}

#[tokio::test]
async fn answers_that_are_no_json() {
    let bench = Bench::new();
    for (fault, status, start) in
        [("forbidden", 403, "Security violation"), ("gateway", 502, "<html>"), ("limit", 429, "Too many")]
    {
        bench.set(&format!("pbx.{fault}=x1"));
        let answer = bench.raw(Method::GET, "/pbxcore/api/v3/employees", "").await;
        assert_eq!(answer.status(), status);
        assert!(answer.body().starts_with(start.as_bytes()), "{fault}");
    }
    // The limit blocks, even localhost, since it was asked for.
    assert_eq!(bench.get("employees").await.0, 429);
    bench.pass(300);
    assert_eq!(bench.get("employees").await.0, 200);
}

#[tokio::test]
async fn a_rival_takes_the_number() {
    let bench = Bench::new();
    bench.set("pbx.race=x1");
    let number = bench.proposed().await;
    is_occupied(bench.create(&number, json!({})).await);
    assert_eq!(bench.numbers("?search=quick").await, [number]);
    let next = bench.proposed().await;
    assert_eq!(bench.create(&next, json!({})).await.0, 201);
}

#[tokio::test]
async fn a_create_that_comes_late() {
    let bench = Bench::new();
    bench.set("pbx.late=x1");
    assert_eq!(bench.create("310", json!({})).await.0, 400);
    assert!(bench.numbers("?search=number:310").await.is_empty());
    is_occupied(bench.create("310", json!({})).await);
    assert_eq!(bench.numbers("?search=number:310").await, ["310"]);
}

#[tokio::test]
async fn values_and_counts_that_are_wrong() {
    let bench = Bench::new();
    bench.set("pbx.cut=4, pbx.total=-1, pbx.language=ru");
    assert_eq!(
        bench.patch(111, json!({"user_username": "Фёдоров"})).await.1["data"]["user_username"],
        "Фёдо"
    );
    assert_eq!(bench.get("employees").await.1["data"]["recordsTotal"], 2);
    assert_eq!(errors(bench.create("201", json!({})).await).1, ["Внутренний номер уже занят"]);
    let missing = bench.post("employees", json!({})).await.1;
    assert_eq!(missing["messages"]["error"]["number"], "ex_ValidateNumberIsEmpty");
}

#[tokio::test]
async fn an_event_bus_that_lies() {
    let bench = Bench::new();
    let mut listener = bench.pbx.subscribe();
    bench.set("pbx.phantom-event=x1");
    bench.get("employees").await;
    assert_eq!(listener.drain().len(), 1);
    bench.set("pbx.lose-event=always");
    bench.patch(111, json!({"user_email": "a@b.co"})).await;
    assert!(listener.drain().is_empty());
    assert_eq!(bench.pbx.writes(), 1);
}

#[tokio::test]
async fn latency_is_asked_of_the_clock() {
    let bench = Bench::new();
    bench.set("pbx.latency=25ms-40ms");
    let before = effects::Clock::now_ms(&*bench.clock);
    for _ in 0..10 {
        bench.get("employees").await;
    }
    let taken = effects::Clock::now_ms(&*bench.clock) - before;
    assert!((240..=400).contains(&taken), "{taken}");
}
