//! Synchronize data: starts a run, or leads to the one that is on.

use super::request::expect;
use super::{server, start_job};
use crate::schedule::Schedule;
use crate::web::Web;
use crate::web::live::Task;
use crate::web::problem::Problem;
use crate::web::render::{Nav, Page, html};
use crate::web::visit::Visit;
use askama::Template;
use axum::extract::{Form, Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use store::{RunRow, Trigger};

/// Runs that are listed below the button.
const RUNS_SHOWN: u32 = 5;

#[derive(Template)]
#[template(path = "synchronize.html")]
struct SynchronizePage {
    p: Page,
    id: i64,
    name: String,
    ran_before: bool,
    schedule: Schedule,
    runs: Vec<RunRow>,
}

pub async fn show(State(web): State<Web>, visit: Visit, Path(id): Path<i64>) -> Result<Response, Problem> {
    let row = server(&web, id).await?;
    if web.jobs.of(row.id).is_some_and(|job| job.is_running()) {
        return Ok(Redirect::to(&format!("/servers/{id}/job")).into_response());
    }
    let p = Page::of(&web, &visit, Nav::Servers, visit.lang.say("synchronize-title", &[])).await?;
    let runs = web.app.store.runs(Some(row.id), RUNS_SHOWN, 0).await?;
    let schedule = Schedule::of(&web.app, row.id).await?;
    html(&SynchronizePage { p, id, name: row.name, ran_before: row.ran_before, schedule, runs })
}

#[derive(Deserialize)]
pub struct Wanted {
    #[serde(default)]
    expect_fewer: bool,
}

pub async fn start(
    State(web): State<Web>,
    visit: Visit,
    Path(id): Path<i64>,
    Form(wanted): Form<Wanted>,
) -> Result<Response, Problem> {
    let row = server(&web, id).await?;
    start_job(&web, &visit, &row, Task::Synchronise(Trigger::Manual, expect(wanted.expect_fewer)));
    Ok(Redirect::to(&format!("/servers/{id}/job")).into_response())
}
