//! Signing in, and what 401 means.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use common::*;
use effects::ManualClock;
use pbx::{Error, SignIn};
use reconcile::EmployeeId;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

const ID: EmployeeId = EmployeeId(12);

fn token(access: &str) -> serde_json::Value {
    json!({"accessToken": access, "tokenType": "Bearer", "expiresIn": 900, "login": "admin"})
}

fn logged_in(access: &str, refresh: &str) -> Answer {
    let (status, mut headers, body) = data(token(access))?;
    headers.push(("set-cookie", format!("refreshToken={refresh}; path=/; HttpOnly; SameSite=Strict")));
    Ok((status, headers, body))
}

fn by_login(script: &Arc<Script>, clock: &Arc<ManualClock>) -> pbx::Pbx {
    let sign_in = SignIn::Login { login: "admin".into() };
    make("https://pbx.example.org", sign_in, Some("pass"), script, clock.clone(), 0)
}

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(1_000_000))
}

#[tokio::test]
async fn the_loopback_sends_nothing_to_be_judged_by() {
    let script = Script::new([("GET employees/12", data(record(json!({}))))]);
    local(&script).record(ID, None).await.unwrap();
    assert_eq!(script.seen()[0].header("authorization"), None);
}

#[tokio::test]
async fn a_key_is_a_bearer() {
    let script = Script::new([("GET employees/12", data(record(json!({}))))]);
    remote(&script).record(ID, None).await.unwrap();
    assert_eq!(script.seen()[0].header("authorization"), Some("Bearer the-key"));
    assert!(script.seen()[0].headers["authorization"].is_sensitive());
}

#[tokio::test]
async fn a_login_is_kept_renewed_by_its_cookie_and_then_by_the_password() {
    let clock = clock();
    let script = Script::new([
        ("POST auth:login", logged_in("one", "cookie%2Bone")),
        ("GET employees/12", data(record(json!({})))),
        ("GET employees/12", data(record(json!({})))),
        ("POST auth:refresh", data(token("two"))),
        ("GET employees/12", data(record(json!({})))),
        ("POST auth:refresh", failed(401, "Refresh token expired or not found")),
        ("POST auth:login", logged_in("three", "next")),
        ("GET employees/12", data(record(json!({})))),
    ]);
    let pbx = by_login(&script, &clock);
    pbx.record(ID, None).await.unwrap();
    clock.advance(Duration::from_secs(800));
    pbx.record(ID, None).await.unwrap();
    clock.advance(Duration::from_secs(100));
    pbx.record(ID, None).await.unwrap();
    clock.advance(Duration::from_secs(900));
    pbx.record(ID, None).await.unwrap();
    script.done();
    let seen = script.seen();
    assert_eq!(seen[0].body, json!({"login": "admin", "password": "pass"}));
    assert_eq!(seen[2].header("authorization"), Some("Bearer one"));
    assert_eq!(seen[3].header("cookie"), Some("refreshToken=cookie%2Bone"));
    assert_eq!(seen[4].header("authorization"), Some("Bearer two"));
    assert_eq!(seen[7].header("authorization"), Some("Bearer three"));
}

#[tokio::test]
async fn a_token_that_is_refused_is_renewed_once() {
    let clock = clock();
    let unauthorised = || failed(401, "The user isn't authenticated.");
    let script = Script::new([
        ("POST auth:login", logged_in("one", "cookie")),
        ("GET employees/12", unauthorised()),
        ("POST auth:refresh", data(token("two"))),
        ("GET employees/12", data(record(json!({})))),
        ("GET employees/12", unauthorised()),
        ("POST auth:refresh", data(token("three"))),
        ("GET employees/12", unauthorised()),
    ]);
    let pbx = by_login(&script, &clock);
    assert!(pbx.record(ID, None).await.is_ok());
    assert!(matches!(pbx.record(ID, None).await, Err(Error::NotPermitted { .. })));
    script.done();
}

#[tokio::test]
async fn a_wrong_password_is_not_tried_again_and_again() {
    let clock = clock();
    let script =
        Script::new([("POST auth:login", failed(401, "Authorization error, you have 9 attempts left"))]);
    let pbx = by_login(&script, &clock);
    for _ in 0..20 {
        let error = pbx.record(ID, None).await.unwrap_err();
        assert!(matches!(&error, Error::NotSignedIn { why } if why.contains("9 attempts")), "{error}");
    }
    script.done();
    clock.advance(Duration::from_secs(601));
    script.then([
        ("POST auth:login", logged_in("one", "cookie")),
        ("GET employees/12", data(record(json!({})))),
    ]);
    pbx.record(ID, None).await.unwrap();
    script.done();
}

#[tokio::test]
async fn an_unknown_key_and_a_missing_permission_get_the_same_answer() {
    let unauthorised = || failed(401, "The user isn't authenticated.");
    let script = Script::new([
        ("GET employees/12", unauthorised()),
        ("GET employees/12", data(record(json!({})))),
        ("GET extensions", unauthorised()),
    ]);
    let pbx = remote(&script);
    assert!(
        matches!(pbx.record(ID, None).await, Err(Error::NotSignedIn { why }) if why.contains("minute later"))
    );
    pbx.record(ID, None).await.unwrap();
    let error = pbx.numbers().await.unwrap_err();
    assert!(error.to_string().contains(r#""/api/v3/extensions": "read""#), "{error}");
    script.done();
}

#[tokio::test]
async fn a_lost_login_leaves_no_write_unknown() {
    let clock = clock();
    let script = Script::new([("POST auth:login", lost()), ("POST auth:login", lost())]);
    let error = by_login(&script, &clock).save(ID, &[], None).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");
    script.done();
}

#[tokio::test]
async fn nothing_secret_is_ever_printed() {
    let clock = clock();
    let script = Script::new([
        ("POST auth:login", logged_in("token-one", "cookie")),
        ("GET employees/12", data(record(json!({})))),
    ]);
    let pbx = by_login(&script, &clock);
    let record = pbx.record(ID, None).await.unwrap().unwrap();
    let printed = format!("{pbx:?} {record:?}");
    for secret in ["pass\"", "token-one", "cookie", "Xk29dlsQ7pWz"] {
        assert!(!printed.contains(secret), "{printed}");
    }
}

#[test]
fn a_sign_in_without_its_secret_is_refused_at_once() {
    let script = Script::new([]);
    let settings = pbx::Settings {
        url: "https://pbx.example.org".into(),
        sign_in: SignIn::ApiKey,
        trust: pbx::Trust::SystemRoots,
    };
    let key = reconcile::canonical::Fingerprinter::new([7; 32]);
    for secret in [None, Some(String::new().into())] {
        let made = pbx::Pbx::new(&settings, secret, script.clone(), clock(), key.clone(), Duration::ZERO);
        assert!(matches!(made, Err(Error::Settings(_))));
    }
}
