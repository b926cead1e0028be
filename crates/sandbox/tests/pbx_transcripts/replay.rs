//! Sending recorded requests, with the secrets of this session where theirs
//! were scrubbed.

use crate::matching::{differences, excerpt_differences, text_fits};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use sandbox::pbx::{Client, Pbx, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

const API: &str = "/pbxcore/api/v3";
/// The keys of the recorded session, by the descriptions they were stored with.
const KEYS: [(&str, &str); 4] = [
    ("directory sync", "<api-key>"),
    ("ro", "<api-key-ro>"),
    ("rw", "<api-key-rw>"),
    ("late", "<api-key-new>"),
];

#[derive(Deserialize)]
pub struct Exchange {
    label: String,
    client: String,
    request: Request,
    pub response: Value,
    #[serde(default)]
    pub events: Vec<Value>,
}

#[derive(Deserialize)]
struct Request {
    method: String,
    path: String,
    #[serde(default)]
    headers: std::collections::BTreeMap<String, String>,
    body: Option<Value>,
    body_raw: Option<String>,
}

#[derive(Deserialize)]
struct Transcript {
    exchanges: Vec<Exchange>,
}

pub struct Session {
    pub pbx: Pbx,
    jwt: String,
    cookie: String,
    uploaded: Option<Vec<u8>>,
    replayed: usize,
    differences: Vec<String>,
}

pub fn read(name: &str) -> Vec<Exchange> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/data/mikopbx/{name}.json"));
    let transcript: Transcript = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    transcript.exchanges
}

impl Session {
    pub fn new(pbx: Pbx) -> Self {
        Session {
            pbx,
            jwt: String::new(),
            cookie: String::new(),
            uploaded: None,
            replayed: 0,
            differences: Vec::new(),
        }
    }

    pub fn token(&self) -> &str {
        &self.jwt
    }

    pub async fn replay(&mut self, file: &str, index: usize, exchange: &Exchange) {
        let Request { method, path, headers, body, body_raw } = &exchange.request;
        let (mut sent, mut bytes) = (HeaderMap::new(), body_raw.clone().unwrap_or_default());
        for (name, value) in headers {
            sent.insert(name.parse::<HeaderName>().unwrap(), self.fill_in(value).parse().unwrap());
        }
        if let Some(body) = body {
            bytes = self.fill_in_body(body).to_string();
        }
        let client = client(&exchange.client);
        let method: Method = method.parse().unwrap();
        let answer =
            self.pbx.handle(&method, &self.fill_in(path), &sent, bytes.as_bytes(), client).await.unwrap();
        self.learn(&answer);
        self.judge(file, index, exchange, &answer);
        if let Some(picture) = body.as_ref().and_then(|body| body["user_avatar"].as_str()?.split_once(',')) {
            self.uploaded = STANDARD.decode(picture.1).ok();
        }
    }

    /// Notes every difference between the recorded answer and this one.
    pub fn judge(&mut self, file: &str, index: usize, exchange: &Exchange, answer: &Response) {
        self.replayed += 1;
        let recorded = &exchange.response;
        let mut found = Vec::new();
        if recorded["status"] != json!(answer.status().as_u16()) {
            found.push(format!("status: recorded {}, answered {}", recorded["status"], answer.status()));
        }
        for (name, value) in recorded["headers"].as_object().into_iter().flatten() {
            // nginx's own connection handling is no part of an answer in process.
            let value = value.as_str().unwrap();
            let answered = answer.headers().get(name).map_or("(none)", |value| value.to_str().unwrap());
            let length = answer.body().len().to_string();
            let answered = if name == "content-length" { &length } else { answered };
            if name != "connection" && !text_fits(value, answered) {
                found.push(format!("{name}: recorded {value}, answered {answered}"));
            }
        }
        let body = || serde_json::from_slice(answer.body()).unwrap_or(Value::Null);
        if let Some(recorded) = recorded.get("body") {
            found.extend(differences(recorded, &body()));
        }
        if let Some(excerpt) = recorded.get("body_excerpt") {
            found.extend(excerpt_differences(excerpt, &body()));
        }
        if let Some(raw) = recorded["body_raw"].as_str().filter(|raw| raw.as_bytes() != answer.body()) {
            found.push(format!("body: recorded {raw:?}, answered {:?}", answer.body()));
        }
        // The digest tells that the file is what was uploaded before.
        if recorded.get("body_md5").is_some() && self.uploaded.as_deref() != Some(answer.body()) {
            found.push("body: not the picture that was uploaded".to_owned());
        }
        let label = &exchange.label;
        self.differences.extend(found.into_iter().map(|found| format!("{file} [{index}] {label}: {found}")));
    }

    pub fn compare(&mut self, file: &str, index: usize, recorded: &Value, answered: &Value) {
        let found = differences(recorded, answered);
        self.differences.extend(found.into_iter().map(|found| format!("{file} [{index}] events {found}")));
    }

    pub fn finish(self, replayed: usize) {
        assert_eq!(self.replayed, replayed);
        assert!(self.differences.is_empty(), "\n{}", self.differences.join("\n"));
    }

    pub async fn sign_in(&mut self, ip: &str) {
        let answer = self.log_in(ip, "admin").await;
        self.learn(&answer);
        assert!(!self.jwt.is_empty());
    }

    pub async fn wrong_password(&self, ip: &str) {
        assert_eq!(self.log_in(ip, "wrong").await.status(), 401);
    }

    /// Any request counts, refused or not.
    pub async fn count_a_request(&self, ip: &str) {
        let client = client(&format!("remote {ip}"));
        let path = format!("{API}/employees?limit=1");
        let answer = self.pbx.handle(&Method::GET, &path, &HeaderMap::new(), b"", client).await;
        assert_eq!(answer.unwrap().status(), 401);
    }

    async fn log_in(&self, ip: &str, password: &str) -> Response {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        let body = json!({"login": "admin", "password": password}).to_string();
        let client = client(&format!("remote {ip}"));
        let path = format!("{API}/auth:login");
        self.pbx.handle(&Method::POST, &path, &headers, body.as_bytes(), client).await.unwrap()
    }

    fn learn(&mut self, answer: &Response) {
        let body: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
        if let Some(token) = body["data"]["accessToken"].as_str() {
            token.clone_into(&mut self.jwt);
        }
        if let Some(cookie) = answer.headers().get("set-cookie") {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            pair.strip_prefix("refreshToken=").unwrap().clone_into(&mut self.cookie);
        }
    }

    fn fill_in(&self, text: &str) -> String {
        let mut text = text.replace("<jwt>", &self.jwt).replace("<opaque>", &self.cookie);
        for (_, name) in KEYS {
            text = text.replace(name, &key(name));
        }
        text
    }

    fn fill_in_body(&self, body: &Value) -> Value {
        let mut body = body.clone();
        if body.get("key").is_some() {
            let name = KEYS.iter().find(|(description, _)| body["description"] == *description).unwrap().1;
            body["key"] = json!(key(name));
        }
        body
    }
}

fn key(name: &str) -> String {
    name.bytes().cycle().take(32).map(|b| format!("{b:02x}")).collect()
}

fn client(text: &str) -> Client {
    match text.strip_prefix("remote ") {
        Some(ip) => Client::Remote(ip.parse().unwrap()),
        None => Client::Local,
    }
}
