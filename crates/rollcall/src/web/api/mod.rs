//! The JSON API. What it tells is what the command line tells; long work is a
//! job that goes on by itself and is asked after. The routes and their
//! description come from the same declarations.
//!
//! Deliberately absent: cookies. Whoever has no token is told nothing, not even
//! which paths there are.

mod conflicts;
mod jobs;
mod people;
mod plans;
mod reply;
mod runs;
mod servers;

use super::Web;
use super::auth::Token;
use super::serve::to_its_end;
use crate::limits;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use reply::Refusal;
use serde_json::{Value, json};
use std::sync::LazyLock;
use tower_http::timeout::TimeoutLayer;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Where all of it is.
pub const PATH: &str = "/api/v1";

#[derive(OpenApi)]
#[openapi(info(
    title = "Rollcall",
    description = "Keeps the employees of a MikoPBX and the people of a directory in step. Objects that are \
                   described as `object` are those of the command line; see docs/reference/cli.md."
))]
struct Head;

fn routes() -> OpenApiRouter<Web> {
    OpenApiRouter::with_openapi(Head::openapi())
        .routes(routes!(version))
        .routes(routes!(openapi))
        .routes(routes!(servers::list))
        .routes(routes!(servers::show))
        .routes(routes!(servers::schedule, servers::set_schedule))
        .routes(routes!(jobs::preview))
        .routes(routes!(jobs::sync))
        .routes(routes!(jobs::show))
        .routes(routes!(jobs::cancel))
        .routes(routes!(plans::list))
        .routes(routes!(plans::show))
        .routes(routes!(plans::people))
        .routes(routes!(plans::apply))
        .routes(routes!(plans::discard))
        .routes(routes!(runs::list))
        .routes(routes!(runs::show))
        .routes(routes!(runs::people))
        .routes(routes!(runs::undo))
        .routes(routes!(people::list))
        .routes(routes!(people::disabled))
        .routes(routes!(conflicts::list))
        .routes(routes!(conflicts::show))
        .routes(routes!(conflicts::resolve))
        .routes(routes!(conflicts::retry))
        .routes(routes!(conflicts::clear))
}

/// Everything below [`PATH`], known or not. No layer of the pages is around it.
pub fn service(web: Web) -> Router {
    let (router, _) = routes().split_for_parts();
    router
        .fallback(async || Refusal::not_found("path"))
        .method_not_allowed_fallback(async || {
            Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "this path takes other methods; see openapi.json")
        })
        .layer(from_fn(to_its_end))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, limits::REQUEST_TIME_MAX))
        .layer(DefaultBodyLimit::max(limits::BODY_BYTES_MAX))
        .layer(from_fn_with_state(web.clone(), only_with_token))
        .with_state(web)
}

async fn only_with_token(State(web): State<Web>, request: Request, next: Next) -> Response {
    let token = match bearer(request.headers()) {
        Some(key) => Token::find(&web.app, key).await,
        None => Ok(None),
    };
    match token {
        Ok(Some(_)) => next.run(request).await,
        Ok(None) => {
            let mut response =
                Refusal::new(StatusCode::UNAUTHORIZED, "this needs a token: Authorization: Bearer TOKEN")
                    .into_response();
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            response
        }
        Err(error) => Refusal::from(error).into_response(),
    }
}

/// The key of a request, if it shows exactly one.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let (only, None) = (given.next()?, given.next()) else { return None };
    let (scheme, key) = only.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(key.trim())
}

/// Which version answers.
#[utoipa::path(get, path = "/version", responses((status = 200, body = Object, description = "`rollcall`: the version")))]
async fn version() -> Json<Value> {
    Json(json!({ "rollcall": env!("CARGO_PKG_VERSION") }))
}

/// This description.
#[utoipa::path(get, path = "/openapi.json", responses((status = 200, body = Object, description = "OpenAPI 3.1")))]
async fn openapi() -> Json<Value> {
    Json(DESCRIPTION.clone())
}

pub(super) static DESCRIPTION: LazyLock<Value> = LazyLock::new(|| {
    let mut told = serde_json::to_value(routes().into_openapi()).unwrap_or_default();
    told["servers"] = json!([{ "url": PATH }]);
    told["security"] = json!([{ "token": [] }]);
    told["components"]["securitySchemes"] = json!({ "token": { "type": "http", "scheme": "bearer" } });
    let error =
        json!({ "type": "object", "required": ["error"], "properties": { "error": { "type": "string" } } });
    told["components"]["schemas"]["Error"] = error;
    let operations = told["paths"].as_object_mut().into_iter().flat_map(|paths| paths.values_mut());
    for operation in
        operations.flat_map(|path| path.as_object_mut().into_iter().flat_map(|path| path.values_mut()))
    {
        for (status, what) in
            [("400", "malformed"), ("401", "no token"), ("404", "not there"), ("422", "refused")]
        {
            let content =
                json!({ "application/json": { "schema": { "$ref": "#/components/schemas/Error" } } });
            operation["responses"][status] = json!({ "description": what, "content": content });
        }
    }
    told
});

#[cfg(test)]
mod tests;
