//! What waits for a human, and what a human says to it.

use super::reply::{Asked, At, Refusal, Reply, Sent, part, server_if, window};
use super::runs::word;
use crate::cli::conflicts::{self, Said, retry as again, views};
use crate::web::Web;
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use store::{ConflictId, ConflictQuery, ConflictRow, ConflictState, ConflictsOf};
use utoipa::{IntoParams, ToSchema};

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// The id of a server.
    server: Option<i64>,
    kind: Option<String>,
    /// `open`, `silenced`; both unless one is asked for.
    state: Option<String>,
    /// Words of the name or of what each side stores.
    search: Option<String>,
    limit: Option<u32>,
    offset: Option<u32>,
}

/// Conflicts, the longest known first.
#[utoipa::path(get, path = "/conflicts", tag = "conflicts", params(Which), responses(
    (status = 200, body = Object, description = "`conflicts`: those of `conflicts list`; `total`, `limit`, `offset`")
))]
pub async fn list(State(web): State<Web>, Asked(which): Asked<Which>) -> Reply {
    let window = window(which.limit, which.offset);
    let query = ConflictQuery {
        directory: server_if(&web, which.server).await?,
        kind: word("kind", which.kind.as_deref())?,
        state: word::<ConflictState>("state", which.state.as_deref())?,
        search: which.search.unwrap_or_default(),
        window,
        ..ConflictQuery::default()
    };
    let found = web.app.store.conflict_page(&query).await?;
    part("conflicts", &views(&web.app, found.rows).await?, found.total, window)
}

/// One conflict.
#[utoipa::path(get, path = "/conflicts/{id}", tag = "conflicts", params(("id" = i64, Path)), responses(
    (status = 200, body = Object, description = "the object of `conflicts show`")
))]
pub async fn show(State(web): State<Web>, At(id): At<i64>) -> Reply {
    let row = one(&web, id).await?;
    let view = views(&web.app, vec![row]).await?.pop();
    Ok(Json(serde_json::to_value(view)?))
}

/// An answer to conflicts of one kind.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Resolve {
    ids: Vec<i64>,
    #[serde(flatten)]
    #[schema(value_type = Answer)]
    said: Said,
}

/// What is said. `id` goes with `employee`, `number` and `keep_in_pbx` with `number`.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "it describes `Said`, whose keys depend on the answer")]
pub struct Answer {
    /// `use-directory`, `use-pbx`, `employee`, `new-employee`, `relink`, `number`, `leave-out`, `leave-as-is`, `ask-again`
    answer: String,
    id: Option<u64>,
    number: Option<String>,
    keep_in_pbx: Option<bool>,
}

/// Answers conflicts; the next synchronisation carries it out.
#[utoipa::path(post, path = "/conflicts/resolve", tag = "conflicts", request_body = Resolve, responses(
    (status = 200, body = Object, description = "the object of `conflicts resolve`")
))]
pub async fn resolve(State(web): State<Web>, Sent(body): Sent<Resolve>) -> Reply {
    let mut rows = Vec::new();
    for id in body.ids {
        rows.push(one(&web, id).await?);
    }
    Ok(Json(serde_json::to_value(conflicts::resolve(&web.app, &rows, &body.said).await?)?))
}

/// Tries a refused change at the next synchronisation instead of after its pause.
#[utoipa::path(post, path = "/conflicts/{id}/retry", tag = "conflicts", params(("id" = i64, Path)), responses(
    (status = 200, body = Object, description = "the object of `conflicts retry`")
))]
pub async fn retry(State(web): State<Web>, At(id): At<i64>) -> Reply {
    let row = one(&web, id).await?;
    Ok(Json(serde_json::to_value(again::of_conflict(&web.app, &row).await?)?))
}

/// One conflict, those of a server, or all.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Clear {
    id: Option<i64>,
    /// The id of a server.
    server: Option<i64>,
}

/// Removes rows and changes no data; what still stands returns.
#[utoipa::path(post, path = "/conflicts/clear", tag = "conflicts", request_body = Clear, responses(
    (status = 200, body = Object, description = "the object of `conflicts clear`")
))]
pub async fn clear(State(web): State<Web>, Sent(body): Sent<Clear>) -> Reply {
    let of = match (body.id, server_if(&web, body.server).await?) {
        (Some(_), Some(_)) => {
            return Err(Refusal::new(
                axum::http::StatusCode::UNPROCESSABLE_ENTITY,
                "one conflict, or all of a server: not both",
            ));
        }
        (Some(id), None) => ConflictsOf::One(one(&web, id).await?.id),
        (None, Some(server)) => ConflictsOf::Directory(server),
        (None, None) => ConflictsOf::Everybody,
    };
    Ok(Json(serde_json::to_value(conflicts::clear(&web.app, of).await?)?))
}

async fn one(web: &Web, id: i64) -> Result<ConflictRow, Refusal> {
    let rows = web.app.store.conflicts(ConflictsOf::One(ConflictId(id))).await?;
    rows.into_iter().next().ok_or_else(|| Refusal::not_found("conflict"))
}
