//! What is known of the real server beside the recorded exchanges, case by
//! case: each trap of the API is one assertion here.

#![allow(clippy::unwrap_used, clippy::panic)] // All of it is tests.

mod access;
mod batch;
mod faults;
mod numbers;
mod pictures;
mod reads;
mod saves;
mod sockets;

use effects::{ManualClock, SeededRandom};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use sandbox::pbx::{Client, Faults, Options, Pbx, Response};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

const API: &str = "/pbxcore/api/v3/";
/// Strong enough for any check.
const SECRET: &str = "Xk29dlsQ7pWz";
const REMOTE: &str = "192.0.2.7";

/// A PBX with the factory data set, and somebody who talks to it.
struct Bench {
    pbx: Pbx,
    clock: Arc<ManualClock>,
    client: Client,
    headers: HeaderMap,
}

impl Bench {
    fn new() -> Self {
        Bench::with(Faults::default())
    }

    fn with(faults: Faults) -> Self {
        let clock = Arc::new(ManualClock::at(1_795_000_000_000));
        let random = Arc::new(SeededRandom::new(1));
        let options = Options { clock: clock.clone(), random, faults, ..Options::default() };
        Bench { pbx: Pbx::factory(options), clock, client: Client::Local, headers: HeaderMap::new() }
    }

    /// The same PBX, seen from elsewhere.
    fn remote(&self) -> Self {
        Bench {
            pbx: self.pbx.clone(),
            clock: self.clock.clone(),
            client: Client::Remote(REMOTE.parse().unwrap()),
            headers: HeaderMap::new(),
        }
    }

    fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        self
    }

    fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    fn set(&self, faults: &str) {
        self.pbx.set_faults(sandbox::faults::Faults::parse(faults).unwrap().pbx);
    }

    fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    async fn raw(&self, method: Method, path: &str, body: &str) -> Response {
        let mut headers = self.headers.clone();
        if !headers.contains_key("content-type") {
            headers.insert("content-type", HeaderValue::from_static("application/json"));
        }
        self.pbx.handle(&method, path, &headers, body.as_bytes(), self.client).await.unwrap()
    }

    async fn call(&self, method: Method, path: &str, body: &str) -> (u16, Value) {
        let answer = self.raw(method, &format!("{API}{path}"), body).await;
        (answer.status().as_u16(), serde_json::from_slice(answer.body()).unwrap_or_default())
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        self.call(Method::GET, path, "").await
    }

    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.call(Method::POST, path, &body.to_string()).await
    }

    async fn put(&self, path: &str, body: Value) -> (u16, Value) {
        self.call(Method::PUT, path, &body.to_string()).await
    }

    async fn patch(&self, id: u64, body: Value) -> (u16, Value) {
        self.call(Method::PATCH, &format!("employees/{id}"), &body.to_string()).await
    }

    async fn delete(&self, path: &str) -> (u16, Value) {
        self.call(Method::DELETE, path, "").await
    }

    /// A new employee with the fields, on top of what is required.
    async fn create(&self, number: &str, more: Value) -> (u16, Value) {
        let mut body =
            json!({"number": number, "user_username": format!("Person {number}"), "sip_secret": SECRET});
        body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        self.post("employees", body).await
    }

    /// The id of a new employee.
    async fn created(&self, number: &str, more: Value) -> u64 {
        let (status, body) = self.create(number, more).await;
        assert_eq!(status, 201, "{body}");
        body["data"]["id"].as_str().unwrap().parse().unwrap()
    }

    async fn detail(&self, id: u64) -> Value {
        let (status, body) = self.get(&format!("employees/{id}")).await;
        assert_eq!(status, 200, "{body}");
        body["data"].clone()
    }

    async fn numbers(&self, query: &str) -> Vec<String> {
        let (status, body) = self.get(&format!("employees{query}")).await;
        assert_eq!(status, 200, "{body}");
        let rows = body["data"]["data"].as_array().unwrap();
        rows.iter().map(|row| row["number"].as_str().unwrap().to_owned()).collect()
    }

    async fn proposed(&self) -> String {
        self.get("employees:getDefault").await.1["data"]["number"].as_str().unwrap().to_owned()
    }
}

/// The texts of an error of the array form.
fn errors((status, body): (u16, Value)) -> (u16, Vec<String>) {
    let texts = body["messages"]["error"].as_array().unwrap_or_else(|| panic!("{body}"));
    (status, texts.iter().map(|text| text.as_str().unwrap().to_owned()).collect())
}

/// The only text of an error of the array form.
fn error(answer: (u16, Value)) -> (u16, String) {
    let (status, mut texts) = errors(answer);
    assert_eq!(texts.len(), 1, "{texts:?}");
    (status, texts.remove(0))
}

fn is_occupied(answer: (u16, Value)) {
    assert_eq!(error(answer), (422, "Extension already occupied".to_owned()));
}
