//! What requests bring and answers hold: bodies, addresses, parts of lists,
//! and what went wrong.

use crate::app::Usage;
use crate::cli::errors::describe;
use crate::limits;
use crate::web::Web;
use axum::Json;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use store::{DirectoryId, DirectoryRow, LIST_ROWS_MAX, Window};

/// Why something was not done: `{"error": …}`.
#[derive(Debug)]
pub struct Refusal {
    status: StatusCode,
    text: String,
}

impl Refusal {
    pub fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Refusal { status, text: text.into() }
    }

    pub fn not_found(what: &str) -> Self {
        Refusal::new(StatusCode::NOT_FOUND, format!("there is no such {what}"))
    }

    fn malformed(text: impl Into<String>) -> Self {
        Refusal::new(StatusCode::BAD_REQUEST, text)
    }
}

impl<E: Into<anyhow::Error>> From<E> for Refusal {
    fn from(error: E) -> Self {
        let error = error.into();
        let text = describe(&error);
        if error.chain().any(|cause| cause.is::<Usage>()) {
            return Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, text);
        }
        tracing::error!(error = text, "a request of the API failed");
        Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, text)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, Json(json!({ "error": self.text }))).into_response()
    }
}

/// A JSON body; none is an empty object.
#[derive(Debug)]
pub struct Sent<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Sent<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let bytes = Bytes::from_request(request, state).await;
        let bytes = bytes.map_err(|error| Refusal::new(error.status(), error.body_text()))?;
        let body = if bytes.is_empty() { &b"{}"[..] } else { &bytes[..] };
        serde_json::from_slice(body)
            .map(Sent)
            .map_err(|error| Refusal::malformed(format!("the body: {error}")))
    }
}

/// What stands behind the `?`.
#[derive(Debug)]
pub struct Asked<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let query = Query::<T>::from_request_parts(parts, state).await;
        query.map(|Query(asked)| Asked(asked)).map_err(|error| Refusal::malformed(error.body_text()))
    }
}

/// What an address names. One that cannot be a name is not there.
#[derive(Debug)]
pub struct At<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for At<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let path = Path::<T>::from_request_parts(parts, state).await;
        path.map(|Path(at)| At(at)).map_err(|_| Refusal::not_found("path"))
    }
}

pub type Reply = Result<Json<Value>, Refusal>;

/// Which part of a list is meant.
pub fn window(limit: Option<u32>, offset: Option<u32>) -> Window {
    Window { limit: limit.unwrap_or(limits::API_ROWS).clamp(1, LIST_ROWS_MAX), offset: offset.unwrap_or(0) }
}

/// Part of a list under its name, with how many there are in all.
pub fn part(name: &str, rows: &impl Serialize, total: u64, window: Window) -> Reply {
    let Window { limit, offset } = window;
    Ok(Json(json!({ name: rows, "total": total, "limit": limit, "offset": offset })))
}

/// The same of a list that is short and at hand.
pub fn part_of<T: Serialize>(name: &str, rows: &[T], window: Window) -> Reply {
    let from = rows.len().min(window.offset as usize);
    let to = rows.len().min(from + window.limit as usize);
    part(name, &&rows[from..to], rows.len() as u64, window)
}

/// An object with more keys.
pub fn with(object: &impl Serialize, more: Value) -> Result<Value, Refusal> {
    let mut object = serde_json::to_value(object)?;
    if let (Value::Object(all), Value::Object(more)) = (&mut object, more) {
        all.extend(more);
    }
    Ok(object)
}

pub async fn server(web: &Web, id: i64) -> Result<DirectoryRow, Refusal> {
    let rows = web.app.store.directories().await?;
    rows.into_iter().find(|row| row.id == DirectoryId(id)).ok_or_else(|| Refusal::not_found("server"))
}

/// The server of a filter, if one is asked for.
pub async fn server_if(web: &Web, id: Option<i64>) -> Result<Option<DirectoryId>, Refusal> {
    match id {
        Some(id) => Ok(Some(server(web, id).await?.id)),
        None => Ok(None),
    }
}
