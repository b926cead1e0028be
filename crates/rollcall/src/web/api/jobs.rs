//! Work that takes long: it is started, and asked after.

use super::PATH;
use super::reply::{At, Refusal, Reply, Sent, server};
use crate::web::Web;
use crate::web::live::{Ended, Job, Started, Task};
use crate::web::pages::expect;
use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use store::{DirectoryRow, Trigger};
use utoipa::ToSchema;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// That far fewer people than the last time are right.
    #[serde(default)]
    expect_fewer: bool,
}

/// Shows what a synchronisation would do; its plan is kept.
#[utoipa::path(post, path = "/servers/{id}/preview", tag = "jobs", params(("id" = i64, Path)),
    request_body = Wanted, responses((status = 202, body = Object, description = "the job; `started` is false where one was on already"))
)]
pub async fn preview(
    State(web): State<Web>,
    At(id): At<i64>,
    Sent(wanted): Sent<Wanted>,
) -> Result<Response, Refusal> {
    let row = server(&web, id).await?;
    Ok(start(&web, &row, Task::Preview(expect(wanted.expect_fewer))))
}

/// Synchronises.
#[utoipa::path(post, path = "/servers/{id}/sync", tag = "jobs", params(("id" = i64, Path)),
    request_body = Wanted, responses((status = 202, body = Object, description = "the job; `started` is false where one was on already"))
)]
pub async fn sync(
    State(web): State<Web>,
    At(id): At<i64>,
    Sent(wanted): Sent<Wanted>,
) -> Result<Response, Refusal> {
    let row = server(&web, id).await?;
    Ok(start(&web, &row, Task::Synchronise(Trigger::Manual, expect(wanted.expect_fewer))))
}

/// The last job of a server since the service began.
#[utoipa::path(get, path = "/servers/{id}/job", tag = "jobs", params(("id" = i64, Path)), responses(
    (status = 200, body = Object, description = "`job`, `server`, `task` (`preview`, `sync`, `apply`, `undo`), `state` (`running`, \
     `done`, `cancelled`, `failed`), `phase`, `done` and `total` of it, `started_ms`, `ended_ms`, `error`; of one that is \
     done `run`, `plan`, `counts`, `halted`")
))]
pub async fn show(State(web): State<Web>, At(id): At<i64>) -> Reply {
    let row = server(&web, id).await?;
    let job = web.jobs.of(row.id).ok_or_else(|| Refusal::not_found("job"))?;
    Ok(Json(told(&job)))
}

/// Asks the job that is on to end: whoever is being written is finished, the rest waits for the next run.
#[utoipa::path(post, path = "/servers/{id}/job/cancel", tag = "jobs", params(("id" = i64, Path)), responses(
    (status = 200, body = Object, description = "the job, as it is at this moment")
))]
pub async fn cancel(State(web): State<Web>, At(id): At<i64>) -> Reply {
    let row = server(&web, id).await?;
    let job = web.jobs.of(row.id).ok_or_else(|| Refusal::not_found("job"))?;
    job.cancel();
    Ok(Json(told(&job)))
}

/// Starts a job, or names the one that is on: one server, one job.
pub fn start(web: &Web, row: &DirectoryRow, task: Task) -> Response {
    let (job, is_new) = match web.jobs.start(row, task) {
        Started::New(job) => (job, true),
        Started::Busy(job) => (job, false),
    };
    let mut body = told(&job);
    body["started"] = Value::from(is_new);
    let at = format!("{PATH}/servers/{}/job", row.id);
    body["poll"] = Value::from(at.as_str());
    (StatusCode::ACCEPTED, [(header::LOCATION, at)], Json(body)).into_response()
}

fn told(job: &Job) -> Value {
    let state = job.state();
    let task = match job.task {
        Task::Preview(_) | Task::PreviewUndo(_) => "preview",
        Task::Synchronise(..) => "sync",
        Task::Apply { .. } => "apply",
        Task::Undo(_) => "undo",
    };
    let (word, error) = match &state.ended {
        None => ("running", None),
        Some(Ended::Told(_)) => ("done", None),
        Some(Ended::Cancelled) => ("cancelled", None),
        Some(Ended::Failed(why)) => ("failed", Some(why)),
    };
    let mut told = json!({
        "job": job.id, "server": job.server, "task": task, "state": word, "error": error,
        "phase": state.phase.map(|phase| phase.as_str()), "done": state.done, "total": state.total,
        "started_ms": job.started_ms, "ended_ms": state.ended_ms,
    });
    if let Some(Ended::Told(made)) = &state.ended {
        told["run"] = json!(made.run);
        told["plan"] = json!(made.plan);
        told["counts"] = json!(made.counts);
        told["halted"] = json!(made.is_halted);
    }
    told
}
