//! The listing and its verdict, records, pictures, and the diagnosis.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use common::*;
use effects::ManualClock;
use pbx::{Error, ExchangeError, PhotoAnswer, Progress};
use reconcile::{EmployeeId, Field, Reading, Verdict};
use secrecy::ExposeSecret;
use serde_json::json;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const ID: EmployeeId = EmployeeId(12);

fn template() -> Answer {
    data(json!({"id": "", "number": "204", "extensions_length": 4, "sip_secret": "invented"}))
}

#[tokio::test]
async fn a_whole_listing() {
    let mut picture = row(3, "203", "Carl");
    picture["avatar"] = json!("/avatars/user_3.jpg");
    picture["mobile"] = json!("79991234567");
    picture["disabled"] = json!(true);
    let mut legacy = row(4, "205", "Dora");
    legacy["avatar"] = json!("/admin-cabinet/assets/img/cache/abc.jpg");
    let script = Script::new([
        ("GET employees", list(&[picture, row(1, "201", "Anna"), row(2, "", "No Phone"), legacy])),
        ("GET extensions", extensions(&["hangup", "203", "201", "205", "2001"])),
        ("GET employees:getDefault", template()),
    ]);
    let listing = local(&script).snapshot(&|_| {}).await.unwrap();
    script.done();
    assert_eq!(listing.employees.verdict, Verdict::Complete);
    assert_eq!(listing.employees.at_ms, 1_000_000);
    assert_eq!((listing.users_without_number, listing.extensions_length), (1, 4));
    let numbers: Vec<&str> = listing.numbers.iter().map(|taken| &*taken.number).collect();
    assert_eq!(numbers, ["2001", "201", "203", "205", "hangup"]);

    let [anna, carl, dora] = &listing.employees.rows[..] else { panic!("{listing:?}") };
    assert_eq!(anna.fields[Field::Name].values()[0].raw(), "Anna");
    assert_eq!(anna.fields[Field::Extension].values()[0].canonical(), "201");
    for empty in [Field::Mobile, Field::Email, Field::Photo] {
        assert_eq!(anna.fields[empty], Reading::Empty);
    }
    for unseen in [Field::Mobile, Field::Photo, Field::SipPassword] {
        assert_eq!(carl.fields[unseen], Reading::NotLooked);
    }
    assert!(carl.has_photo && carl.disabled && &*carl.dial == "79991234567");
    assert!(matches!(dora.fields[Field::Photo], Reading::Unusable(_)) && !dora.has_photo);
}

async fn verdict(employees: Answer, extensions: Answer) -> Verdict {
    let script = Script::new([
        ("GET employees", employees),
        ("GET extensions", extensions),
        ("GET employees:getDefault", template()),
    ]);
    let listing = remote(&script).snapshot(&|_| {}).await.unwrap();
    script.done();
    listing.employees.verdict
}

#[tokio::test]
async fn a_listing_that_is_not_whole_says_so() {
    let rows = |annas: usize, total: usize| {
        data(json!({"data": vec![row(1, "201", "Anna"); annas], "recordsTotal": total}))
    };
    let whole = || extensions(&["201"]);
    assert_eq!(verdict(rows(1, 1), whole()).await, Verdict::Complete);
    assert_eq!(verdict(rows(0, 0), whole()).await, Verdict::Complete);
    for total in [0, 2] {
        assert!(!verdict(rows(1, total), whole()).await.is_complete());
    }
    for total in [1, 2] {
        assert!(!verdict(rows(2, total), whole()).await.is_complete(), "the same row twice");
    }
    let unlisted = verdict(rows(1, 1), extensions(&["202"])).await;
    assert!(unlisted.reason().unwrap().contains("201"));
    let forbidden = verdict(rows(1, 1), failed(401, "The user isn't authenticated.")).await;
    assert!(forbidden.reason().unwrap().contains(r#""/api/v3/extensions": "read""#), "{forbidden:?}");
}

#[tokio::test]
async fn numbers_of_employees_are_taken_even_if_the_numbers_may_not_be_read() {
    let script = Script::new([
        ("GET employees", list(&[row(1, "201", "Anna")])),
        ("GET extensions", failed(401, "")),
        ("GET employees:getDefault", template()),
    ]);
    let listing = remote(&script).snapshot(&|_| {}).await.unwrap();
    assert_eq!((&*listing.numbers[0].number, &*listing.numbers[0].holder), ("201", "Anna"));
}

#[tokio::test]
async fn a_listing_too_large_is_read_in_pages() {
    let page = |from: u64, to: u64| {
        let rows: Vec<_> = (from..to).map(|id| row(id, &(10_000 + id).to_string(), "N")).collect();
        data(json!({"data": rows, "recordsTotal": 1500}))
    };
    for first in [Err(ExchangeError::TooLarge), failed(400, "Request timeout"), refused("no")] {
        let numbers: Vec<String> = (0..1500).map(|id| (10_000 + id).to_string()).collect();
        let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
        let script = Script::new([
            ("GET employees", first),
            ("GET employees?limit=1000&offset=0&order_by=number&order_direction=ASC", page(0, 1000)),
            ("GET employees?limit=1000&offset=1000&order_by=number&order_direction=ASC", page(1000, 1500)),
            ("GET extensions", extensions(&numbers)),
            ("GET employees:getDefault", template()),
        ]);
        let told = Mutex::new(Vec::new());
        let listing =
            remote(&script).snapshot(&|progress| told.lock().unwrap().push(progress)).await.unwrap();
        script.done();
        assert_eq!((listing.employees.rows.len(), listing.employees.verdict), (1500, Verdict::Complete));
        assert_eq!(told.lock().unwrap()[0], Progress { read: 1000, total: 1500 });
    }
}

#[tokio::test]
async fn a_record() {
    let script =
        Script::new([("GET employees/12", data(record(json!({"fwd_forwarding": "202", "user_email": ""}))))]);
    let record = local(&script).record(ID, Some("RU")).await.unwrap().unwrap();
    assert_eq!((record.id, record.dial(), record.extensions_length), (ID, "79991234567", 3));
    assert_eq!((&*record.forwarding.unanswered, record.forwarding.ring_s), ("202", 45));
    assert_eq!(record.fields[Field::Email], Reading::Empty);
    assert_eq!(record.fields[Field::Mobile].values()[0].raw(), "79991234567");
    let secret = record.fields[Field::SipPassword].values()[0].clone();
    assert!(secret.raw() == "set" && secret.canonical().starts_with("fp:"));
}

#[tokio::test]
async fn the_secret_only_on_demand() {
    let script = Script::new([("GET employees/12", data(record(json!({}))))]);
    assert_eq!(local(&script).secret(ID).await.unwrap().expose_secret(), "Xk29dlsQ7pWz");
}

#[tokio::test]
async fn not_found_is_decided_by_the_list_and_not_by_the_text() {
    let search = "GET employees?search=id%3A12";
    let script = Script::new([
        ("GET employees/12", refused("Сотрудник не найден")),
        (search, list(&[])),
        ("GET employees/12", refused("Employee with user_id 12 not found")),
        (search, list(&[row(12, "204", "Anna")])),
        ("GET employees/12", refused("x")),
        (search, list(&[])),
    ]);
    let pbx = local(&script);
    assert_eq!(pbx.record(ID, None).await.unwrap(), None);
    assert!(matches!(pbx.record(ID, None).await, Err(Error::Refused { .. })));
    assert!(matches!(pbx.secret(ID).await, Err(Error::Gone { id: ID })));
    script.done();
}

#[tokio::test]
async fn a_creation_can_be_found_again() {
    let script = Script::new([
        ("GET employees?search=number%3A204", list(&[row(12, "204", "Anna")])),
        ("GET employees?search=number%3A299", list(&[])),
    ]);
    let pbx = local(&script);
    assert_eq!(pbx.find("204").await.unwrap().unwrap().id, ID);
    assert_eq!(pbx.find("299").await.unwrap(), None);
}

#[tokio::test]
async fn pictures() {
    let (own, nobody) = ("GET /avatars/user_12.jpg", "GET /avatars/user_0.jpg");
    let grey = jpeg(1);
    let script = Script::new([
        (own, picture("\"a\"", &jpeg(2))),
        (nobody, picture("\"grey\"", &grey)),
        (own, Ok((304, vec![], vec![]))),
        (own, picture("\"grey\"", &grey)),
        (own, picture("\"grey-elsewhere\"", &grey)),
        (own, html(200, "<h1>Sign in</h1>")),
        (own, Ok((404, vec![], vec![]))),
    ]);
    let clock = Arc::new(ManualClock::at(1_000_000));
    let pbx = remote_at(&script, clock.clone());
    let PhotoAnswer::Picture { etag, bytes, .. } = pbx.photo(ID, None).await.unwrap() else { panic!() };
    assert_eq!((etag.as_deref(), &bytes[..]), (Some("\"a\""), &jpeg(2)[..]));
    assert_eq!(pbx.photo(ID, Some("\"a\"")).await.unwrap(), PhotoAnswer::NotModified);
    assert_eq!(pbx.photo(ID, None).await.unwrap(), PhotoAnswer::Missing);
    assert_eq!(pbx.photo(ID, None).await.unwrap(), PhotoAnswer::Missing);
    assert!(matches!(pbx.photo(ID, None).await, Err(Error::BadAnswer { .. })));
    assert_eq!(pbx.photo(ID, None).await.unwrap(), PhotoAnswer::Missing);
    assert_eq!(script.seen()[2].header("if-none-match"), Some("\"a\""));
    assert!(script.seen().iter().all(|seen| seen.header("authorization").is_none()));

    // An update of the PBX brings another default picture.
    clock.advance(Duration::from_secs(601));
    script.then([(own, picture("\"new\"", &jpeg(3))), (nobody, picture("\"new\"", &jpeg(3)))]);
    assert_eq!(pbx.photo(ID, None).await.unwrap(), PhotoAnswer::Missing);
    script.done();
}

#[tokio::test]
async fn answers_that_are_not_the_pbx() {
    let script = Script::new([
        ("GET extensions", html(200, "<title>Router login</title>")),
        ("GET extensions", status(200, &json!({"hello": 1}))),
        ("GET extensions", html(502, "<h1>502 Bad Gateway</h1>")),
        ("GET extensions", Ok((301, vec![("location", "https://pbx.example.org/".into())], vec![]))),
        (
            "GET extensions",
            status(404, &json!({"success": false, "messages": {"error": ["x"]}, "data": null})),
        ),
        ("GET extensions", data(json!([{"unexpected": 1}]))),
        ("GET extensions", Err(ExchangeError::Untrusted("unknown issuer".into()))),
    ]);
    let pbx = remote(&script);
    let error = pbx.numbers().await.unwrap_err();
    assert!(
        matches!(&error, Error::BadAnswer { status: 200, start, url } if start.contains("Router") && url.ends_with("/extensions"))
    );
    assert!(matches!(pbx.numbers().await, Err(Error::BadAnswer { .. })));
    assert!(matches!(pbx.numbers().await, Err(Error::NoAnswer { .. })));
    assert!(matches!(pbx.numbers().await, Err(Error::Redirected { .. })));
    assert!(matches!(pbx.numbers().await, Err(Error::NoSuchApi { .. })));
    assert!(matches!(pbx.numbers().await, Err(Error::BadAnswer { .. })));
    let error = pbx.numbers().await.unwrap_err().to_string();
    assert!(error.contains("fingerprint"), "{error}");
    script.done();
}

#[tokio::test]
async fn a_read_whose_connection_died_is_asked_once_more() {
    let script = Script::new([
        ("GET extensions", lost()),
        ("GET extensions", extensions(&["201"])),
        ("GET extensions", lost()),
        ("GET extensions", lost()),
    ]);
    let pbx = local(&script);
    assert_eq!(pbx.numbers().await.unwrap().len(), 1);
    assert!(matches!(pbx.numbers().await, Err(Error::Unreachable { .. })));
    script.done();
}

#[tokio::test]
async fn too_many_requests_are_not_answered_with_more() {
    let clock = Arc::new(ManualClock::at(1_000_000));
    let script = Script::new([("GET extensions", text(429, "Too many requests\n"))]);
    let pbx = remote_at(&script, clock.clone());
    for _ in 0..10 {
        assert!(matches!(pbx.numbers().await, Err(Error::Busy { retry_at_ms: 1_305_000, .. })));
    }
    script.done();
    clock.advance(Duration::from_secs(305));
    script.then([("GET extensions", extensions(&[]))]);
    assert!(pbx.numbers().await.is_ok());
}

#[tokio::test]
async fn a_patient_caller_waits_for_the_block_to_end() {
    let clock = Arc::new(ManualClock::at(1_000_000));
    let script = Script::new([
        ("GET extensions", text(429, "Too many requests\n")),
        ("GET extensions", extensions(&[])),
    ]);
    let pbx = make("https://pbx.example.org", pbx::SignIn::ApiKey, Some("k"), &script, clock.clone(), 400);
    assert!(pbx.numbers().await.is_ok());
    assert!(effects::Clock::now_ms(&*clock) >= 1_305_000);
    script.done();
}

#[tokio::test]
async fn a_full_queue_is_waited_for_within_bounds() {
    let full = || failed(503, "Service temporarily unavailable, please retry later");
    let script = Script::new([("GET extensions", full()), ("GET extensions", extensions(&[]))]);
    assert!(local(&script).numbers().await.is_ok());
    let line = "GET extensions";
    let script = Script::new([(line, full()), (line, full()), (line, full()), (line, full())]);
    assert!(matches!(local(&script).numbers().await, Err(Error::Busy { .. })));
    script.done();
}

#[tokio::test]
async fn the_diagnosis_goes_as_far_as_it_makes_sense() {
    let names =
        |steps: &[pbx::Step]| -> Vec<(&'static str, bool)> { steps.iter().map(|s| (s.name, s.ok)).collect() };
    let one = || data(json!({"data": [], "recordsTotal": 7}));
    let script = Script::new([
        ("GET system:ping", data(json!({"pong": 1}))),
        ("GET employees?limit=1&offset=0", one()),
        ("GET employees?limit=1&offset=0", one()),
        ("GET extensions", failed(401, "no")),
        ("POST employees", failed(401, "no")),
    ]);
    let steps = remote(&script).test().await;
    script.done();
    assert_eq!(
        names(&steps),
        [
            ("address", true),
            ("certificate", true),
            ("MikoPBX", true),
            ("sign-in", true),
            ("read employees", true),
            ("read taken numbers", false),
            ("change employees", false)
        ]
    );
    assert!(steps[6].detail.contains(r#""/api/v3/employees": "write""#), "{}", steps[6].detail);
    assert_eq!(script.body(4), json!({}));

    let missing =
        json!({"result": false, "data": [], "messages": {"error": {"number": "ex_ValidateNumberIsEmpty"}}});
    let script = Script::new([
        ("GET system:ping", data(json!([]))),
        ("GET employees?limit=1&offset=0", one()),
        ("GET employees?limit=1&offset=0", one()),
        ("GET extensions", extensions(&["201"])),
        ("POST employees", status(422, &missing)),
    ]);
    assert!(local(&script).test().await.iter().all(|step| step.ok));

    let down = || Err(ExchangeError::NotSent("connection refused".into()));
    let script = Script::new([("GET system:ping", down()), ("GET system:ping", down())]);
    assert_eq!(names(&remote(&script).test().await), [("address", false)]);

    let script = Script::new([("GET system:ping", Err(ExchangeError::Untrusted("unknown issuer".into())))]);
    assert_eq!(names(&remote(&script).test().await), [("address", true), ("certificate", false)]);

    let script = Script::new([
        ("GET system:ping", data(json!([]))),
        ("GET employees?limit=1&offset=0", failed(401, "no")),
    ]);
    assert_eq!(names(&local(&script).test().await).last(), Some(&("sign-in", false)));
}
