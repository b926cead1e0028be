//! Past runs and what became of people in them.

use super::reply::{Asked, At, Refusal, Reply, part, server_if, window, with};
use crate::cli::history::Run;
use crate::cli::words::meaning;
use crate::web::Web;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use store::{RunId, RunPeopleQuery, RunQuery};
use utoipa::IntoParams;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// The id of a server.
    server: Option<i64>,
    /// `manual`, `automatic`, `apply`, `undo`, `demo`.
    trigger: Option<String>,
    limit: Option<u32>,
    offset: Option<u32>,
}

/// Runs, newest first.
#[utoipa::path(get, path = "/runs", tag = "runs", params(Which), responses(
    (status = 200, body = Object, description = "`runs`: those of `history`; `total`, `limit`, `offset`")
))]
pub async fn list(State(web): State<Web>, Asked(which): Asked<Which>) -> Reply {
    let window = window(which.limit, which.offset);
    let directory = server_if(&web, which.server).await?;
    let query = RunQuery { directory, trigger: word("trigger", which.trigger.as_deref())?, window };
    let found = web.app.store.run_page(&query).await?;
    let runs: Vec<Run> = found.rows.into_iter().map(Run::from).collect();
    part("runs", &runs, found.total, window)
}

/// One run.
#[utoipa::path(get, path = "/runs/{run}", tag = "runs", params(("run" = i64, Path)), responses(
    (status = 200, body = Object, description = "the object of `history`, with `report`: that of `sync` without its people")
))]
pub async fn show(State(web): State<Web>, At(id): At<i64>) -> Reply {
    let row = web.app.store.run(RunId(id)).await?.ok_or_else(|| Refusal::not_found("run"))?;
    let report = row.report.clone();
    Ok(Json(with(&Run::from(row), json!({ "report": report }))?))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Whom {
    /// `processed`, `skipped`, `conflict`, `failed`.
    status: Option<String>,
    /// `nothing`, `pbx`, `directory`, `both`.
    updated: Option<String>,
    /// Words of name or number.
    search: Option<String>,
    limit: Option<u32>,
    offset: Option<u32>,
}

/// Whom a run had something to tell of.
#[utoipa::path(get, path = "/runs/{run}/people", tag = "runs", params(("run" = i64, Path), Whom), responses(
    (status = 200, body = Object, description = "`people`: those of a report; `total`, `limit`, `offset`")
))]
pub async fn people(State(web): State<Web>, At(id): At<i64>, Asked(whom): Asked<Whom>) -> Reply {
    let run = web.app.store.run(RunId(id)).await?.ok_or_else(|| Refusal::not_found("run"))?;
    let window = window(whom.limit, whom.offset);
    let (status, updated) =
        (word("status", whom.status.as_deref())?, word("updated", whom.updated.as_deref())?);
    let query = RunPeopleQuery { status, updated, search: whom.search.unwrap_or_default(), window };
    let found = web.app.store.run_people_page(run.id, &query).await?;
    // As they were told then.
    let people: Vec<Value> = found.rows.into_iter().map(|row| row.changes).collect();
    part("people", &people, found.total, window)
}

/// A word of a closed set, if one is asked for.
pub fn word<T: DeserializeOwned>(name: &str, word: Option<&str>) -> Result<Option<T>, Refusal> {
    match word.map(|word| (word, meaning(word))) {
        None => Ok(None),
        Some((_, Some(value))) => Ok(Some(value)),
        Some((word, None)) => {
            Err(Refusal::new(StatusCode::BAD_REQUEST, format!("{name}: `{word}` means nothing")))
        }
    }
}
