//! Recorded exchanges with a real MikoPBX, replayed in order against the
//! sandbox. They come from two sessions: files 01 to 10 with 02 at the end, and
//! 11 and 12, each on the factory data set.
//!
//! Compared are status, content type, cookies and the headers of files, and
//! bodies as JSON, but for what was scrubbed when they were recorded.

#![allow(clippy::unwrap_used, clippy::panic)] // All of it is tests.

mod matching;
mod replay;

use effects::{ManualClock, SeededRandom};
use http::{HeaderMap, Method};
use replay::{Exchange, Session};
use sandbox::pbx::{Client, Message, Options, Pbx, router};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tower::ServiceExt;

const BUS: &str = "/pbxcore/api/nchan/sub/event-bus";
const NOW_MS: i64 = 1_795_000_000_000;

/// What is not replayed, and why.
const LEFT_OUT: [(&str, &[usize], &str); 2] = [
    (
        "10-batch-import-export",
        &[15, 16, 17, 18],
        "CSV import is absent from the sandbox; its result is added by hand",
    ),
    (
        "12-event-bus",
        &[28],
        "the WebSocket form is absent from the sandbox; EventSource carries the same messages",
    ),
];

fn left_out(file: &str, index: usize) -> bool {
    LEFT_OUT.iter().any(|(name, indexes, _)| *name == file && indexes.contains(&index))
}

fn session() -> (Session, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(NOW_MS));
    let options =
        Options { clock: clock.clone(), random: Arc::new(SeededRandom::new(1)), ..Options::default() };
    (Session::new(Pbx::factory(options)), clock)
}

async fn replay_file(session: &mut Session, name: &str) {
    for (index, exchange) in replay::read(name).iter().enumerate() {
        prepare(session, name, index).await;
        if !left_out(name, index) {
            session.replay(name, index, exchange).await;
        }
    }
}

/// What happened beside the recorded exchanges.
async fn prepare(session: &Session, name: &str, index: usize) {
    let secret = "Xk29dlsQ7pWz";
    match (name, index) {
        ("01-auth", 30) => {
            for _ in 2..=9 {
                session.wrong_password("192.0.2.99").await;
            }
        }
        ("02-front-filter", 14) => {
            for _ in 1..=200 {
                session.count_a_request("192.0.2.51").await;
            }
        }
        ("04-create", 0) => session.pbx.skip_ids_to(119),
        ("04-create", 64) => {
            let race = json!({"number": "330", "user_username": "Race 2", "sip_secret": secret});
            assert_eq!(session.pbx.add(race), Ok(151));
        }
        ("10-batch-import-export", 19) => {
            let imported = json!({
                "number": "370", "user_username": "Import One", "user_email": "import.one@example.com",
                "mobile_number": "79993330001", "mobile_dialstring": "79993330001", "sip_secret": secret,
            });
            assert_eq!(session.pbx.add(imported), Ok(160));
        }
        _ => {}
    }
}

#[tokio::test]
async fn the_long_session_is_answered_as_it_was() {
    let (mut session, _) = session();
    for name in [
        "01-auth",
        "03-get-default",
        "04-create",
        "05-read",
        "06-patch",
        "07-put",
        "08-delete",
        "09-available",
        "10-batch-import-export",
        "02-front-filter",
    ] {
        replay_file(&mut session, name).await;
    }
    session.finish(281);
}

#[tokio::test]
async fn numbers_are_proposed_as_they_were() {
    let (mut session, _) = session();
    replay_file(&mut session, "11-numbering").await;
    session.finish(23);
}

#[tokio::test]
async fn the_event_bus_says_what_it_said() {
    let (mut session, clock) = session();
    session.sign_in("192.0.2.10").await;
    let exchanges = replay::read("12-event-bus");
    open_as_event_source(&session, &exchanges[0]).await;
    let mut listener = session.pbx.subscribe();
    for (index, exchange) in exchanges.iter().enumerate().take(23).skip(1) {
        session.replay("12-event-bus", index, exchange).await;
        session.compare("12-event-bus", index, &events(exchange), &sent(&listener.drain()));
        clock.advance(Duration::from_secs(1));
    }
    let mut newcomer = session.pbx.subscribe();
    session.compare("12-event-bus", 23, &events(&exchanges[23]), &sent(&newcomer.drain()));

    let id = session
        .pbx
        .add(json!({"number": "503", "user_username": "Eve", "sip_secret": "Xk29dlsQ7pWz"}))
        .unwrap();
    let last_seen = newcomer.drain().last().unwrap().id.to_string();
    session.pbx.edit(id, json!({"user_email": "eve@example.com"})).unwrap();
    let after = missed(&session, &last_seen, 2).await;
    session.compare("12-event-bus", 24, &events(&exchanges[24]), &json!(after));
    clock.advance(Duration::from_secs(11));
    assert_eq!(missed(&session, &last_seen, 1).await, Vec::<Value>::new());

    long_poll(&mut session, id, &exchanges).await;
    for (index, exchange) in exchanges.iter().enumerate().skip(28) {
        if !left_out("12-event-bus", index) {
            session.replay("12-event-bus", index, exchange).await;
        }
    }
    session.finish(29);
}

/// The next message, and with its headers the one after that.
async fn long_poll(session: &mut Session, id: u64, exchanges: &[Exchange]) {
    let path = format!("{BUS}?token={}", session.token());
    let pbx = session.pbx.clone();
    let headers = HeaderMap::new();
    let poll = pbx.handle(&Method::GET, &path, &headers, b"", Client::Local);
    let write = async { pbx.edit(id, json!({"user_email": "eve.b@example.com"})) };
    let (first, written) = tokio::join!(poll, write);
    written.unwrap();
    let first = first.unwrap();
    let mut next = HeaderMap::new();
    next.insert("if-modified-since", first.headers()["last-modified"].clone());
    next.insert("if-none-match", first.headers()["etag"].clone());
    let second = pbx.handle(&Method::GET, &path, &next, b"", Client::Local).await.unwrap();
    for (index, answer) in [(26, &first), (27, &second)] {
        session.judge("12-event-bus", index, &exchanges[index], answer);
    }
}

async fn open_as_event_source(session: &Session, exchange: &Exchange) {
    let uri = format!("{BUS}?token={}", session.token());
    let request = http::Request::get(uri).header("accept", "text/event-stream");
    let response =
        router(session.pbx.clone()).oneshot(request.body(axum::body::Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.status(), exchange.response["status"].as_u64().unwrap() as u16);
    assert_eq!(
        response.headers()["content-type"],
        exchange.response["headers"]["content-type"].as_str().unwrap()
    );
    let first = first_chunk(response.into_body()).await;
    assert_eq!(first, exchange.response["body_raw"].as_str().unwrap());
}

async fn first_chunk(body: axum::body::Body) -> String {
    let mut chunks = body.into_data_stream();
    let chunk = futures_util::StreamExt::next(&mut chunks).await.unwrap().unwrap();
    String::from_utf8(chunk.to_vec()).unwrap()
}

/// What an EventSource that comes back gets within a moment, up to `count`.
async fn missed(session: &Session, last_seen: &str, count: usize) -> Vec<Value> {
    let uri = format!("{BUS}?token={}", session.token());
    let request =
        http::Request::get(uri).header("accept", "text/event-stream").header("last-event-id", last_seen);
    let response =
        router(session.pbx.clone()).oneshot(request.body(axum::body::Body::empty()).unwrap()).await.unwrap();
    let mut chunks = response.into_body().into_data_stream();
    let mut messages = Vec::new();
    for _ in 0..=count {
        let next = futures_util::StreamExt::next(&mut chunks);
        let Ok(Some(chunk)) = tokio::time::timeout(Duration::from_millis(50), next).await else { break };
        let text = String::from_utf8(chunk.unwrap().to_vec()).unwrap();
        if let Some((_, data)) = text.split_once("\ndata: ") {
            messages.push(serde_json::from_str(data.trim()).unwrap());
        }
    }
    messages
}

fn events(exchange: &Exchange) -> Value {
    exchange.events.iter().map(|event| event["data"].clone()).collect()
}

fn sent(messages: &[Arc<Message>]) -> Value {
    messages.iter().map(|message| message.data.clone()).collect()
}
