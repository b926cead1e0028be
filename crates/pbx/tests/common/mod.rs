//! A PBX that answers by a script, and complains about any other request.
#![allow(dead_code, clippy::unwrap_used, clippy::panic)]

use effects::{BoxFuture, ManualClock};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use pbx::{Exchange, ExchangeError, Pbx, Request, Response, Settings, SignIn, Trust};
use reconcile::canonical::Fingerprinter;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub type Answer = Result<(u16, Vec<(&'static str, String)>, Vec<u8>), ExchangeError>;

#[derive(Clone)]
pub struct Seen {
    pub line: String,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

pub struct Script {
    expected: Mutex<VecDeque<(String, Answer)>>,
    seen: Mutex<Vec<Seen>>,
}

impl Script {
    pub fn new<const N: usize>(steps: [(&str, Answer); N]) -> Arc<Self> {
        let steps = steps.into_iter().map(|(line, answer)| (line.to_owned(), answer)).collect();
        Arc::new(Script { expected: Mutex::new(steps), seen: Mutex::default() })
    }

    pub fn then<const N: usize>(&self, steps: [(&str, Answer); N]) {
        let steps = steps.into_iter().map(|(line, answer)| (line.to_owned(), answer));
        self.expected.lock().unwrap().extend(steps);
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub fn body(&self, index: usize) -> Value {
        self.seen()[index].body.clone()
    }

    /// Every step was asked for.
    pub fn done(&self) {
        let left: Vec<String> = self.expected.lock().unwrap().iter().map(|(line, _)| line.clone()).collect();
        assert!(left.is_empty(), "never asked: {left:?}");
    }
}

impl Exchange for Script {
    fn exchange(&self, request: Request) -> BoxFuture<'_, Result<Response, ExchangeError>> {
        let path = request.path_and_query.trim_start_matches("/pbxcore/api/v3/");
        let line = format!("{} {path}", request.method);
        let body = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
        self.seen.lock().unwrap().push(Seen { line: line.clone(), headers: request.headers, body });
        let (expected, answer) =
            self.expected.lock().unwrap().pop_front().unwrap_or_else(|| panic!("unexpected {line}"));
        assert_eq!(line, expected);
        Box::pin(async move { answer.map(response) })
    }
}

impl std::fmt::Debug for Script {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Script")
    }
}

fn response((status, pairs, body): (u16, Vec<(&'static str, String)>, Vec<u8>)) -> Response {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(HeaderName::from_static(name), HeaderValue::from_str(&value).unwrap());
    }
    Response { status: StatusCode::from_u16(status).unwrap(), headers, body: body.into() }
}

pub fn local(script: &Arc<Script>) -> Pbx {
    make("http://127.0.0.1", SignIn::Local, None, script, Arc::new(ManualClock::at(1_000_000)), 0)
}

pub fn remote(script: &Arc<Script>) -> Pbx {
    remote_at(script, Arc::new(ManualClock::at(1_000_000)))
}

pub fn remote_at(script: &Arc<Script>, clock: Arc<ManualClock>) -> Pbx {
    make("https://pbx.example.org", SignIn::ApiKey, Some("the-key"), script, clock, 0)
}

pub fn make(
    url: &str,
    sign_in: SignIn,
    secret: Option<&str>,
    script: &Arc<Script>,
    clock: Arc<ManualClock>,
    patience_s: u64,
) -> Pbx {
    let settings = Settings { url: url.into(), sign_in, trust: Trust::SystemRoots };
    let secret = secret.map(|secret| secret.to_owned().into());
    let key = Fingerprinter::new([7; 32]);
    Pbx::new(&settings, secret, script.clone(), clock, key, Duration::from_secs(patience_s)).unwrap()
}

pub fn status(status: u16, body: &Value) -> Answer {
    Ok((status, vec![("content-type", "application/json".into())], body.to_string().into_bytes()))
}

pub fn data(data: Value) -> Answer {
    status(200, &json!({"result": true, "data": data, "messages": [], "function": "f", "pid": 1}))
}

pub fn failed(code: u16, text: &str) -> Answer {
    status(code, &json!({"result": false, "data": [], "messages": {"error": [text]}}))
}

pub fn refused(text: &str) -> Answer {
    failed(422, text)
}

pub fn text(status: u16, body: &str) -> Answer {
    Ok((status, vec![("content-type", "text/plain; charset=utf-8".into())], body.as_bytes().to_vec()))
}

pub fn html(status: u16, body: &str) -> Answer {
    Ok((status, vec![("content-type", "text/html".into())], body.as_bytes().to_vec()))
}

pub fn lost() -> Answer {
    Err(ExchangeError::OutcomeUnknown("connection closed before message completed".into()))
}

pub fn picture(etag: &str, bytes: &[u8]) -> Answer {
    Ok((200, vec![("content-type", "image/jpeg".into()), ("etag", etag.into())], bytes.to_vec()))
}

pub fn list(rows: &[Value]) -> Answer {
    data(json!({"data": rows, "recordsTotal": rows.len(), "recordsFiltered": rows.len()}))
}

pub fn row(id: u64, number: &str, name: &str) -> Value {
    json!({"id": id, "number": number, "user_username": name, "user_email": "", "mobile": "",
        "avatar": "/admin-cabinet/assets/img/unknownPerson.jpg", "disabled": false})
}

/// Employee 12 with number 204, with these keys changed.
pub fn record(changes: Value) -> Value {
    let mut record = json!({
        "id": "12", "user_username": "Anna Smirnova", "user_email": "anna@example.org",
        "user_avatar": "/admin-cabinet/assets/img/unknownPerson.jpg", "number": "204", "extensions_length": 3,
        "sip_secret": "Xk29dlsQ7pWz", "sip_enableRecording": true, "sip_dtmfmode": "auto",
        "sip_transport": "udp,tcp", "sip_manualattributes": "", "fwd_ringlength": 45,
        "mobile_number": "79991234567", "mobile_dialstring": "79991234567", "sip_networkfilterid": "none",
        "fwd_forwarding": "", "fwd_forwardingonbusy": "", "fwd_forwardingonunavailable": "",
    });
    for (key, value) in changes.as_object().unwrap() {
        record[key] = value.clone();
    }
    record
}

pub fn extensions(numbers: &[&str]) -> Answer {
    data(
        numbers
            .iter()
            .map(|n| json!({"id": n, "number": n, "type": "SIP", "callerid": "Somebody"}))
            .collect(),
    )
}

/// A JPEG as far as the PBX looks.
pub fn jpeg(fill: u8) -> Vec<u8> {
    let mut bytes = vec![0xff, 0xd8, 0xff, 0xe0];
    bytes.resize(2048, fill);
    bytes
}
