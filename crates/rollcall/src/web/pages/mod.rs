//! The pages, by the addresses they have.

mod conflicts;
mod disabled;
mod employees;
mod first_steps;
mod history;
mod job;
mod person;
mod plan;
mod request;
mod run;
mod server;
pub(super) mod servers;
mod settings;
mod sign_in;
mod steps;
mod synchronize;
mod taste;
#[cfg(test)]
mod tests;
mod undo;

pub(super) use request::expect;
pub use server::Drafts;

use super::Web;
use super::auth::FlashKind;
use super::live::{Started, Task};
use super::problem::Problem;
use super::visit::Visit;
use axum::Router;
use axum::routing::{get, post};
use store::{DirectoryId, DirectoryRow};

/// For whoever is signed in.
pub fn inside() -> Router<Web> {
    Router::new()
        .route("/first-steps", get(first_steps::show))
        .route("/pbx", get(first_steps::pbx).post(first_steps::set_pbx))
        .route("/pbx/test", post(first_steps::test_pbx))
        .route("/servers", get(servers::list))
        .route("/servers/{id}/automatic", post(servers::automatic))
        .route("/servers/{id}/pause", post(servers::pause))
        .route("/servers/{id}/duplicate", post(servers::duplicate))
        .route("/servers/{id}/remove", get(servers::ask_remove).post(servers::remove))
        .route("/servers/{id}/request", get(request::show).post(request::start))
        .route("/servers/{id}/synchronize", get(synchronize::show).post(synchronize::start))
        .route("/servers/{id}/job", get(job::show))
        .route("/servers/{id}/job/cancel", post(job::cancel))
        .route("/servers/{id}/plans/{hash}", get(plan::show))
        .route("/servers/{id}/plans/{hash}/plan.csv", get(plan::csv))
        .route("/servers/{id}/plans/{hash}/plan.json", get(plan::json))
        .route("/servers/{id}/plans/{hash}/apply", post(plan::apply))
        .route("/servers/{id}/plans/{hash}/discard", post(plan::discard))
        .route("/employees", get(employees::list))
        .route("/employees/{server}/{person}", get(person::show))
        .route("/employees/{server}/{person}/photo", get(person::photo))
        .route("/disabled", get(disabled::list))
        .route("/disabled/disabled.csv", get(disabled::csv))
        .route("/disabled/{server}/{person}", get(disabled::mentions))
        .route("/history", get(history::list))
        .route("/history/{run}", get(run::show))
        .route("/history/{run}/steps", get(undo::steps))
        .route("/history/{run}/undo", post(undo::start))
        .route("/conflicts", get(conflicts::list))
        .route("/conflicts/answer", post(conflicts::answer))
        .route("/conflicts/clear", post(conflicts::clear))
        .merge(settings::routes())
        .route("/sign-out", post(sign_in::out))
        .merge(server::routes())
}

/// For anybody.
pub fn outside() -> Router<Web> {
    Router::new()
        .route("/sign-in", get(sign_in::show).post(sign_in::sign_in))
        .route("/setup", get(sign_in::setup).post(sign_in::set_up))
        .route("/taste", post(taste::choose))
}

/// What goes on for as long as somebody watches; signed in, without a time limit.
pub fn live(web: Web) -> Router<Web> {
    let only = axum::middleware::from_fn_with_state(web, super::visit::only_signed_in);
    Router::new().route("/servers/{id}/job/events", get(job::events)).layer(only)
}

/// The server of an address, or the page that says there is none.
pub async fn server(web: &Web, id: i64) -> Result<DirectoryRow, Problem> {
    let rows = web.app.store.directories().await?;
    rows.into_iter().find(|row| row.id == DirectoryId(id)).ok_or_else(Problem::not_found)
}

/// One of several things to choose.
pub struct Choice {
    pub value: String,
    pub text: String,
    pub is_chosen: bool,
}

/// All servers, and which of them is chosen, if that one is there.
pub async fn servers_by_name(web: &Web, chosen: Option<i64>) -> Result<Vec<Choice>, store::Error> {
    let choice = |row: DirectoryRow| Choice {
        value: row.id.to_string(),
        is_chosen: Some(row.id.0) == chosen,
        text: row.name,
    };
    Ok(web.app.store.directories().await?.into_iter().map(choice).collect())
}

/// Starts a job, and says so where another one is in the way.
pub fn start_job(web: &Web, visit: &Visit, row: &DirectoryRow, task: Task) {
    if let Started::Busy(_) = web.jobs.start(row, task) {
        let text = visit.lang.say("undo-busy", &[]);
        web.sessions.tell(visit.session.as_ref(), FlashKind::Bad, text);
    }
}
