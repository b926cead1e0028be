//! Past runs and what became of people in them.

use super::jobs;
use super::reply::{Asked as Query, At, Refusal, Reply, Sent, part, server_if, window, with};
use crate::cli::history::Run;
use crate::cli::words::meaning;
use crate::cycle::{self, Asked};
use crate::web::Web;
use crate::web::live::Task;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use store::{RunId, RunPeopleQuery, RunQuery};
use utoipa::{IntoParams, ToSchema};

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
pub async fn list(State(web): State<Web>, Query(which): Query<Which>) -> Reply {
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
pub async fn people(State(web): State<Web>, At(id): At<i64>, Query(whom): Query<Whom>) -> Reply {
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

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Undo {
    /// Only what was done to this person: a name, or an id.
    person: Option<String>,
    /// Only these steps of its journal.
    #[serde(default)]
    steps: Vec<i64>,
    /// Shows what undoing would do; its plan is kept.
    #[serde(default)]
    preview: bool,
}

/// Undoes a run, or a part of it.
#[utoipa::path(post, path = "/runs/{run}/undo", tag = "runs", params(("run" = i64, Path)),
    request_body = Undo, responses((status = 202, body = Object, description = "the job; see `/servers/{id}/job`"))
)]
pub async fn undo(
    State(web): State<Web>,
    At(id): At<i64>,
    Sent(Undo { person, steps, preview }): Sent<Undo>,
) -> Result<Response, Refusal> {
    let run = web.app.store.run(RunId(id)).await?.ok_or_else(|| Refusal::not_found("run"))?;
    let asked = Asked { run: run.id.0, person, steps };
    // Says at once what is wrong with the question, if anything is.
    let row = cycle::undoable(&web.app, &asked).await?;
    let task = if preview { Task::PreviewUndo(asked) } else { Task::Undo(asked) };
    Ok(jobs::start(&web, &row, task))
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
