//! The envelope around every answer, in all the forms it comes in: with
//! `result`, with `success`, without either, or no JSON at all.
//!
//! Texts are translated by the PBX, so nothing is decided by them, with one
//! exception: `database is locked` comes from SQLite and means "again, please".

use crate::advice;
use crate::exchange::Response;
use http::StatusCode;
use http::header::{CONTENT_TYPE, LOCATION};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// What one answer means, before anybody knows what was asked.
#[derive(Debug)]
pub(crate) enum Reply {
    /// The payload. `[]` also where an object was to be expected.
    Done(Box<RawValue>),
    /// 401: no such key, no permission, an expired token. Not carried out.
    Unauthorised(String),
    /// 403 from the PBX: the role of this login may not.
    Denied,
    /// 403 from its front filter: a suspicious body, or a blocked address.
    Filtered(String),
    /// 429. Not carried out.
    TooMany(String),
    /// 503: the queue is full. Not carried out.
    Overloaded(String),
    /// 422, another writer was there. Nothing stored.
    Locked(String),
    /// 400, 5xx: the PBX gave up waiting, which says nothing about the work.
    GaveUp(String),
    /// 404 for an employee, where writes say so.
    NotFound,
    /// 404 or 405 for the route.
    NoSuchApi,
    Refused {
        status: u16,
        text: String,
    },
    Redirect(String),
    /// Not the PBX, or cut off. The text never quotes JSON: it may hold secrets.
    Broken {
        status: u16,
        start: String,
    },
}

#[derive(Deserialize)]
struct Envelope<'a> {
    result: Option<bool>,
    success: Option<bool>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    messages: Option<Value>,
}

pub(crate) fn read(response: &Response) -> Reply {
    let status = response.status;
    if status.is_redirection() {
        return Reply::Redirect(header(response, LOCATION));
    }
    let envelope = match serde_json::from_slice::<Envelope<'_>>(&response.body) {
        Ok(envelope) if envelope.result.is_some() || envelope.success.is_some() => envelope,
        Ok(_) | Err(_) => return without_envelope(response),
    };
    let text = envelope.messages.as_ref().map(texts).unwrap_or_default();
    match status.as_u16() {
        _ if envelope.result == Some(true) && status.is_success() => match envelope.data {
            Some(data) => Reply::Done(data.to_owned()),
            None => Reply::Broken { status: status.as_u16(), start: "an answer without data".to_owned() },
        },
        400 | 500..=502 | 504.. => Reply::GaveUp(text),
        401 => Reply::Unauthorised(text),
        403 => Reply::Denied,
        404 if envelope.success.is_some() => Reply::NoSuchApi,
        404 => Reply::NotFound,
        405 => Reply::NoSuchApi,
        429 => Reply::TooMany(text),
        503 => Reply::Overloaded(text),
        422 if is_lock(&text) => Reply::Locked(text),
        status => Reply::Refused { status, text },
    }
}

fn without_envelope(response: &Response) -> Reply {
    // JSON may stand behind a byte order mark, blanks or a warning of PHP.
    let before_json = response.body.iter().position(|byte| matches!(byte, b'{' | b'['));
    let start = &response.body[..before_json.unwrap_or(response.body.len()).min(4096)];
    let start = advice::plain(String::from_utf8_lossy(start).trim_start_matches('\u{feff}'), 80);
    let text = match (start.as_str(), before_json) {
        _ if response.body.is_empty() => "an empty answer".to_owned(),
        ("", Some(_)) => format!("{} bytes of JSON, cut off or in an unknown form", response.body.len()),
        (start, _) => format!("\"{start}\" ({})", header(response, CONTENT_TYPE)),
    };
    match response.status {
        StatusCode::FORBIDDEN => Reply::Filtered(text),
        StatusCode::TOO_MANY_REQUESTS => Reply::TooMany(text),
        StatusCode::SERVICE_UNAVAILABLE => Reply::Overloaded(text),
        status if status.is_server_error() => Reply::GaveUp(text),
        status => Reply::Broken { status: status.as_u16(), start: text },
    }
}

/// SQLite's own words, and the name of the PBX's write lock.
fn is_lock(text: &str) -> bool {
    text.contains("database is locked") || text.contains("'db-write'")
}

/// All error texts in one line. `error` is an array of texts, or an object
/// from field to raw key; a refused list may carry only warnings.
fn texts(messages: &Value) -> String {
    let mut parts = Vec::new();
    for kind in ["error", "warning"] {
        collect(None, &messages[kind], &mut parts);
    }
    advice::plain(&parts.join("; "), advice::TEXT_CHARS_MAX)
}

fn collect(name: Option<&str>, value: &Value, parts: &mut Vec<String>) {
    match (value, name) {
        (Value::String(text), None) => parts.push(text.clone()),
        (Value::String(text), Some(name)) => parts.push(format!("{name}: {text}")),
        (Value::Array(items), name) => items.iter().for_each(|item| collect(name, item, parts)),
        (Value::Object(fields), _) => {
            fields.iter().for_each(|(field, value)| collect(Some(field), value, parts));
        }
        (Value::Null | Value::Bool(_) | Value::Number(_), _) => {}
    }
}

fn header(response: &Response, name: http::HeaderName) -> String {
    let value = response.headers.get(name).and_then(|value| value.to_str().ok());
    advice::plain(value.unwrap_or("nothing"), 200)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn answer(status: u16, kind: &'static str, body: &str) -> Reply {
        let mut headers = http::HeaderMap::new();
        headers.insert(CONTENT_TYPE, http::HeaderValue::from_static(kind));
        read(&Response {
            status: StatusCode::from_u16(status).unwrap(),
            headers,
            body: Bytes::copy_from_slice(body.as_bytes()),
        })
    }

    fn json(status: u16, body: &str) -> Reply {
        answer(status, "application/json", body)
    }

    #[test]
    fn both_error_shapes() {
        let array = r#"{"result":false,"data":[],"messages":{"error":["A","B"]}}"#;
        assert!(matches!(json(422, array), Reply::Refused { status: 422, text } if text == "A; B"));
        let object = r#"{"result":false,"data":[],"messages":{"error":{"number":"ex_Empty"}}}"#;
        assert!(matches!(json(422, object), Reply::Refused { text, .. } if text == "number: ex_Empty"));
        let silent = r#"{"result":false,"data":[],"messages":[]}"#;
        assert!(matches!(json(422, silent), Reply::Refused { text, .. } if text.is_empty()));
        let warning = r#"{"result":false,"data":[],"messages":{"warning":["W"]}}"#;
        assert!(matches!(json(422, warning), Reply::Refused { text, .. } if text == "W"));
    }

    #[test]
    fn the_same_status_from_the_pbx_and_from_its_front() {
        let error = r#"{"result":false,"data":[],"messages":{"error":["x"]}}"#;
        assert!(matches!(json(403, error), Reply::Denied));
        assert!(matches!(answer(403, "text/plain", "Security violation detected\n"), Reply::Filtered(_)));
        assert!(matches!(json(429, error), Reply::TooMany(_)));
        assert!(matches!(answer(429, "text/plain", "Too many requests\n"), Reply::TooMany(_)));
        assert!(matches!(json(400, error), Reply::GaveUp(_)));
        assert!(matches!(answer(502, "text/html", "<h1>502 Bad Gateway</h1>"), Reply::GaveUp(_)));
        assert!(matches!(json(503, error), Reply::Overloaded(_)));
        assert!(matches!(json(404, error), Reply::NotFound));
        let route = r#"{"success":false,"messages":{"error":["Endpoint not found"]},"data":null}"#;
        assert!(matches!(json(404, route), Reply::NoSuchApi));
        let short = r#"{"result":false,"messages":{"error":["Method 'x' is not allowed"]},"meta":{}}"#;
        assert!(matches!(json(405, short), Reply::NoSuchApi));
    }

    #[test]
    fn a_lock_is_known_by_the_words_of_sqlite() {
        let lock = r#"{"result":false,"data":[],"messages":{"error":["SQLSTATE[HY000]: General error: 5 database is locked"]}}"#;
        assert!(matches!(json(422, lock), Reply::Locked(_)));
    }

    #[test]
    fn broken_json_is_never_quoted() {
        let cut = r#"{"result":true,"data":{"sip_secret":"Xk29dlsQ7pWz","#;
        assert!(matches!(json(200, cut), Reply::Broken { start: text, .. } if !text.contains("Xk29")));
        for before in ["\u{feff}", "\r\n ", "<br />\n<b>Warning</b>: x in y.php\n"] {
            let reply = json(200, &format!("{before}{cut}"));
            assert!(
                matches!(&reply, Reply::Broken { start: text, .. } if !text.contains("Xk29")),
                "{reply:?}"
            );
        }
        assert!(matches!(json(200, ""), Reply::Broken { start: text, .. } if text == "an empty answer"));
        assert!(
            matches!(answer(200, "text/html", "<title>Login</title>"), Reply::Broken { start: text, .. } if text.contains("Login"))
        );
        assert!(matches!(json(200, r#"{"hello":1}"#), Reply::Broken { .. }));
        assert!(matches!(json(200, r#"{"result":true}"#), Reply::Broken { .. }));
    }

    #[test]
    fn success_keeps_the_payload_as_it_came() {
        let Reply::Done(data) = json(200, r#"{"result":true,"data":[],"messages":[]}"#) else { panic!() };
        assert_eq!(data.get(), "[]");
    }
}
