//! Answers: the envelope of actions, the three other shapes of errors, and
//! JSON as PHP writes it.

use super::lists::List;
use bytes::Bytes;
use http::StatusCode;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CONTENT_TYPE, SET_COOKIE};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::ser::{CharEscape, Formatter, Serializer};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::io;

pub type Response = http::Response<Bytes>;

/// The answer of an action.
#[derive(Debug)]
pub(super) struct Reply {
    pub status: u16,
    pub data: Data,
    pub messages: Value,
    pub function: String,
    pub processor: &'static str,
    /// Whether the body repeats the status.
    pub coded: bool,
    pub reload: Option<String>,
    pub cookie: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Data {
    Json(Value),
    List(List),
}

/// Why an action refuses.
#[derive(Debug)]
pub(super) struct Refusal {
    pub status: u16,
    pub coded: bool,
    /// An array of texts, or an object of raw keys.
    pub error: Value,
}

impl Reply {
    pub(super) fn ok(function: &str, processor: &'static str, data: Value) -> Self {
        Reply {
            status: 200,
            data: Data::Json(data),
            messages: json!([]),
            function: function.to_owned(),
            processor,
            coded: false,
            reload: None,
            cookie: None,
        }
    }

    pub(super) fn refused(function: &str, processor: &'static str, refusal: Refusal) -> Self {
        Reply {
            status: refusal.status,
            messages: json!({ "error": refusal.error }),
            coded: refusal.coded,
            ..Reply::ok(function, processor, json!([]))
        }
    }

    pub(super) fn text(function: &str, processor: &'static str, text: impl Into<String>) -> Self {
        Reply::refused(function, processor, Refusal::text(text))
    }

    pub(super) fn coded(self, status: u16) -> Self {
        Reply { status, coded: true, ..self }
    }

    /// An error of the front controller, which has no action.
    pub(super) fn front(status: u16, text: &str) -> Self {
        Reply { status, ..Reply::text("", "", text) }
    }

    pub(super) fn render(mut self, pid: u32, now_ms: i64, russian: bool) -> Response {
        if russian {
            translate(&mut self.messages);
        }
        let body = Envelope {
            result: self.status < 400,
            data: &self.data,
            messages: &self.messages,
            function: &self.function,
            processor: match self.processor {
                "" => String::new(),
                some => format!("MikoPBX\\PBXCoreREST\\Lib\\{some}"),
            },
            pid,
            http_code: self.coded.then_some(self.status),
            reload: self.reload.as_deref(),
            meta: meta(now_ms),
        };
        let mut response = json_response(self.status, &body);
        if let Some(cookie) = self.cookie.and_then(|cookie| cookie.parse().ok()) {
            response.headers_mut().insert(SET_COOKIE, cookie);
        }
        response
    }
}

impl Refusal {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Refusal::texts(vec![text.into()])
    }

    pub(super) fn texts(texts: Vec<String>) -> Self {
        Refusal { status: 422, coded: false, error: json!(texts) }
    }

    pub(super) fn coded(self, status: u16) -> Self {
        Refusal { status, coded: true, ..self }
    }
}

/// The error of the method map: 405, or 400 for a missing id.
pub(super) fn short(status: u16, text: &str, now_ms: i64) -> Response {
    json_response(status, &json!({ "result": false, "messages": { "error": [text] }, "meta": meta(now_ms) }))
}

/// Where no route fits: `success` instead of `result`.
pub(super) fn not_found(uri: &str, now_ms: i64) -> Response {
    let text = format!("Endpoint not found: {uri}");
    let body =
        json!({ "success": false, "messages": { "error": [text] }, "data": null, "meta": meta(now_ms) });
    json_response(404, &body)
}

/// What nginx answers by itself.
pub(super) fn plain(status: u16, content_type: &'static str, body: impl Into<Bytes>) -> Response {
    let mut response = http::Response::new(body.into());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static(content_type));
    response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, http::HeaderValue::from_static("*"));
    response
}

pub(super) const TEXT: &str = "text/plain; charset=utf-8";
pub(super) const HTML: &str = "text/html; charset=utf-8";

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

pub(super) fn http_date(seconds: i64) -> String {
    Timestamp::from_second(seconds).unwrap_or_default().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

pub(super) fn local_time(now_ms: i64) -> String {
    Timestamp::from_millisecond(now_ms).unwrap_or_default().strftime("%Y-%m-%d %H:%M:%S").to_string()
}

#[derive(Serialize)]
struct Envelope<'a> {
    result: bool,
    data: &'a Data,
    messages: &'a Value,
    function: &'a str,
    processor: String,
    pid: u32,
    #[serde(rename = "httpCode", skip_serializing_if = "Option::is_none")]
    http_code: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reload: Option<&'a str>,
    meta: Value,
}

/// The hash is of the right shape only; no client can make use of it.
fn meta(now_ms: i64) -> Value {
    let timestamp = Timestamp::from_millisecond(now_ms).unwrap_or_default();
    let timestamp = timestamp.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string();
    json!({ "hash": hex(&Sha256::digest(&timestamp)[..20]), "timestamp": timestamp })
}

fn json_response(status: u16, body: &impl Serialize) -> Response {
    let mut bytes = Vec::with_capacity(1024);
    body.serialize(&mut Serializer::with_formatter(&mut bytes, PhpJson))
        .expect("maps with text keys always become JSON in memory");
    let tag = format!("\"{}\"", hex(&Sha256::digest(&bytes)[..20]));
    let mut response = plain(status, "application/json", bytes);
    if let Ok(tag) = tag.parse() {
        response.headers_mut().insert("e-tag", tag);
    }
    response
}

/// PHP escapes slashes and everything beyond ASCII, and the PBX drops control
/// characters other than tab and line ends.
struct PhpJson;

impl Formatter for PhpJson {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let plain = |b: u8| b.is_ascii() && b != b'/';
        if fragment.bytes().all(plain) {
            return writer.write_all(fragment.as_bytes());
        }
        let mut units = [0; 2];
        for c in fragment.chars() {
            match c {
                '/' => writer.write_all(b"\\/")?,
                c if c.is_ascii() => writer.write_all(&[c as u8])?,
                c => {
                    c.encode_utf16(&mut units).iter().try_for_each(|unit| write!(writer, "\\u{unit:04x}"))?
                }
            }
        }
        Ok(())
    }

    fn write_char_escape<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        escape: CharEscape,
    ) -> io::Result<()> {
        writer.write_all(match escape {
            CharEscape::Quote => b"\\\"",
            CharEscape::ReverseSolidus => b"\\\\",
            CharEscape::Solidus => b"\\/",
            CharEscape::LineFeed => b"\\n",
            CharEscape::CarriageReturn => b"\\r",
            CharEscape::Tab => b"\\t",
            CharEscape::Backspace | CharEscape::FormFeed | CharEscape::AsciiControl(_) => b"",
        })
    }
}

/// The system language of the PBX decides about the texts; raw keys and the
/// texts of the database stay.
fn translate(messages: &mut Value) {
    match messages {
        Value::String(text) => {
            let known = RUSSIAN.iter().find(|(english, _)| text.starts_with(english));
            if let Some((english, russian)) = known {
                text.replace_range(..english.len(), russian);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(translate),
        Value::Object(items) => items.values_mut().for_each(translate),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

const RUSSIAN: [(&str, &str); 10] = [
    ("Extension already occupied", "Внутренний номер уже занят"),
    (
        "Failed to save SIP extension: Specified number is already used for",
        "Failed to save SIP extension: Указанный номер уже используется для",
    ),
    (
        "Failed to save mobile extension: Specified number is already used for",
        "Failed to save mobile extension: Указанный номер уже используется для",
    ),
    ("There are references to the object", "На объект есть ссылки"),
    ("Likely the email address is invalid", "Вероятно, адрес почты указан неверно"),
    ("The mobile number is already used", "Мобильный номер уже используется"),
    ("Check the correctness of entering the mobile", "Проверьте правильность ввода мобильного"),
    ("You cannot set up forwarding", "Нельзя настроить переадресацию"),
    ("For security, password must", "Для безопасности пароль должен"),
    ("SIP password must be longer than 4 characters", "Пароль слишком простой"),
];
