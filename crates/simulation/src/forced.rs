//! Answers that are given in the place of a server's own, every time: one LDAP
//! result code in one phase, or one kind of PBX answer to one kind of call.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use pbx::{ExchangeError, Response};
use std::fmt;

/// Where in its work with a directory Rollcall gets the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Bind,
    FirstPage,
    LaterPage,
    Modify,
}

impl Phase {
    pub const ALL: [Phase; 4] = [Phase::Bind, Phase::FirstPage, Phase::LaterPage, Phase::Modify];

    /// Whether a request belongs to this phase. Pages are told by the control
    /// they carry, and the later ones by its cookie.
    pub fn takes(self, operation: u8, message: &[u8]) -> bool {
        const PAGED: &[u8] = b"1.2.840.113556.1.4.319";
        // The control's value: SEQUENCE { size, cookie }, and no cookie is 04 00.
        let paged = message.windows(PAGED.len()).any(|window| window == PAGED);
        let first = message.ends_with(&[0x04, 0x00]);
        match self {
            Phase::Bind => operation == 0x60,
            Phase::FirstPage => operation == 0x63 && paged && first,
            Phase::LaterPage => operation == 0x63 && paged && !first,
            Phase::Modify => operation == 0x66,
        }
    }
}

/// An LDAP answer to a request: its id, the answering operation, the code.
pub fn ldap_answer(request: &[u8], operation: u8, code: u8) -> Vec<u8> {
    let head = if request[1] < 0x80 { 2 } else { 2 + usize::from(request[1] & 0x7f) };
    let id = &request[head..head + 2 + usize::from(request[head + 1])];
    let text = b"asked for by a test";
    let mut result = vec![0x0a, 0x01, code, 0x04, 0x00, 0x04, u8::try_from(text.len()).unwrap_or(0)];
    result.extend(text);
    let mut body = id.to_vec();
    body.extend([operation, u8::try_from(result.len()).unwrap_or(0)]);
    body.extend(result);
    let mut answer = vec![0x30, u8::try_from(body.len()).unwrap_or(0)];
    answer.extend(body);
    answer
}

/// What Rollcall asks a PBX.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    Employees,
    Numbers,
    Setting,
    Record,
    Find,
    Picture,
    Create,
    Save,
}

impl Call {
    pub const ALL: [Call; 8] = [
        Call::Employees,
        Call::Numbers,
        Call::Setting,
        Call::Record,
        Call::Find,
        Call::Picture,
        Call::Create,
        Call::Save,
    ];

    pub fn of(method: &Method, path_and_query: &str) -> Option<Self> {
        let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
        let rest = path.strip_prefix("/pbxcore/api/v3/").unwrap_or(path);
        Some(match (method.as_str(), rest) {
            ("GET", "employees") if query.contains("search=") => Call::Find,
            ("GET", "employees") => Call::Employees,
            ("GET", "extensions") => Call::Numbers,
            ("GET", path) if path.starts_with("general-settings") => Call::Setting,
            ("GET", path) if path.starts_with("employees/") => Call::Record,
            ("GET", path) if path.starts_with("/avatars/") => Call::Picture,
            ("POST", "employees") => Call::Create,
            ("PATCH" | "PUT", path) if path.starts_with("employees/") => Call::Save,
            _ => return None,
        })
    }
}

/// What comes back instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    NoConnection,
    DroppedBefore,
    DroppedBehind,
    TimedOut,
    TimedOutDone,
    Failed,
    Unsigned,
    NotPermitted,
    Filtered,
    NotFound,
    NotAllowed,
    Unprocessable,
    Limited,
    Broken,
    BadGateway,
    Busy,
    Html,
    Empty,
    OtherJson,
}

impl Answer {
    pub const ALL: [Answer; 19] = [
        Answer::NoConnection,
        Answer::DroppedBefore,
        Answer::DroppedBehind,
        Answer::TimedOut,
        Answer::TimedOutDone,
        Answer::Failed,
        Answer::Unsigned,
        Answer::NotPermitted,
        Answer::Filtered,
        Answer::NotFound,
        Answer::NotAllowed,
        Answer::Unprocessable,
        Answer::Limited,
        Answer::Broken,
        Answer::BadGateway,
        Answer::Busy,
        Answer::Html,
        Answer::Empty,
        Answer::OtherJson,
    ];

    /// Whether the PBX does what it was asked before this comes back.
    pub fn is_behind(self) -> bool {
        matches!(self, Answer::DroppedBehind | Answer::TimedOutDone)
    }

    pub fn give(self) -> Result<Response, ExchangeError> {
        let api = |status, text: &str| {
            let body = serde_json::json!({
                "jsonapi": { "version": "1.0" }, "result": false, "data": [],
                "messages": { "error": [text] }, "function": "", "processor": "", "pid": 1,
            });
            answer(status, "application/json", &body.to_string())
        };
        let text = |status, text| answer(status, "text/plain", text);
        Ok(match self {
            Answer::NoConnection => return Err(ExchangeError::NotSent("connection refused".to_owned())),
            Answer::DroppedBefore | Answer::DroppedBehind => {
                return Err(ExchangeError::OutcomeUnknown("the connection was dropped".to_owned()));
            }
            Answer::TimedOut | Answer::TimedOutDone => api(400, "Request timeout or worker not responding"),
            Answer::Failed => api(422, "SQLSTATE[HY000]: General error: 5 database is locked"),
            Answer::Unsigned => api(401, "The user isn't authenticated"),
            Answer::NotPermitted => api(403, "Access denied"),
            Answer::Filtered => text(403, "Security violation detected\n"),
            Answer::NotFound => api(404, "Record not found"),
            Answer::NotAllowed => api(405, "Method is not allowed"),
            Answer::Unprocessable => api(422, "Likely the email address is invalid"),
            Answer::Limited => text(429, "Too many requests\n"),
            Answer::Broken => answer(500, "text/html", "<html><h1>500 Internal Server Error</h1></html>"),
            Answer::BadGateway => answer(502, "text/html", "<html><h1>502 Bad Gateway</h1></html>"),
            Answer::Busy => api(503, "Service temporarily unavailable, please retry later"),
            Answer::Html => answer(200, "text/html", "<html>Welcome to your router</html>"),
            Answer::Empty => answer(200, "application/json", ""),
            Answer::OtherJson => answer(200, "application/json", r#"{"result":true,"data":"surprise"}"#),
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forced {
    Directory { phase: Phase, code: u8 },
    Pbx { call: Call, answer: Answer },
}

impl fmt::Display for Forced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Forced::Directory { phase, code } => write!(f, "code {code} at {phase:?}"),
            Forced::Pbx { call, answer } => write!(f, "{answer:?} to {call:?}"),
        }
    }
}

fn answer(status: u16, kind: &'static str, body: &str) -> Response {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    Response {
        status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        headers,
        body: Bytes::copy_from_slice(body.as_bytes()),
    }
}
