//! Run request: shows what a synchronisation would do, and writes nothing.

use super::{server, start_job};
use crate::cycle::Expect;
use crate::cycle::plans::{self, Kept};
use crate::web::Web;
use crate::web::live::Task;
use crate::web::problem::Problem;
use crate::web::render::{Nav, Page, html};
use crate::web::visit::Visit;
use askama::Template;
use axum::extract::{Form, Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "request.html")]
struct RequestPage {
    p: Page,
    id: i64,
    name: String,
    running: bool,
    plans: Vec<Kept>,
}

pub async fn show(State(web): State<Web>, visit: Visit, Path(id): Path<i64>) -> Result<Response, Problem> {
    let row = server(&web, id).await?;
    let title = visit.lang.say("request-title", &[]);
    let p = Page::of(&web, &visit, Nav::Servers, title).await?;
    let running = web.jobs.of(row.id).is_some_and(|job| job.is_running());
    let plans = plans::list(&web.app, Some(&row.name)).await?;
    html(&RequestPage { p, id, name: row.name, running, plans })
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
    start_job(&web, &visit, &row, Task::Preview(expect(wanted.expect_fewer)));
    Ok(Redirect::to(&format!("/servers/{id}/job")).into_response())
}

pub const fn expect(fewer: bool) -> Expect {
    if fewer { Expect::Fewer } else { Expect::AsBefore }
}
