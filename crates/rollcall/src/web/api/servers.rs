//! Servers and their schedules.

use super::reply::{Asked, At, Reply, Sent, part, server, window, with};
use crate::cli::server as servers;
use crate::schedule::Schedule;
use crate::web::Web;
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

/// A part of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Part {
    limit: Option<u32>,
    offset: Option<u32>,
}

/// All servers.
#[utoipa::path(get, path = "/servers", tag = "servers", params(Part), responses(
    (status = 200, body = Object, description = "`servers`: those of `server list`, with `id`; `total`, `limit`, `offset`")
))]
pub async fn list(State(web): State<Web>, Asked(part_asked): Asked<Part>) -> Reply {
    let window = window(part_asked.limit, part_asked.offset);
    let all = web.app.store.directories().await?;
    let mut rows = Vec::new();
    for row in all.iter().skip(window.offset as usize).take(window.limit as usize) {
        rows.push(with(&servers::listed(&web.app, row).await?, json!({ "id": row.id }))?);
    }
    part("servers", &rows, all.len() as u64, window)
}

/// One server.
#[utoipa::path(get, path = "/servers/{id}", tag = "servers", params(("id" = i64, Path)), responses(
    (status = 200, body = Object, description = "the object of `server show`, with `id`")
))]
pub async fn show(State(web): State<Web>, At(id): At<i64>) -> Reply {
    let row = server(&web, id).await?;
    Ok(Json(with(&servers::view(&web.app, &row).await?, json!({ "id": row.id }))?))
}

/// When its automatic runs are due.
#[utoipa::path(get, path = "/servers/{id}/schedule", tag = "servers", params(("id" = i64, Path)), responses(
    (status = 200, body = Object, description = "`automatic`, `paused`, `every_min`, `next_ms` or null, `failures` in a row")
))]
pub async fn schedule(State(web): State<Web>, At(id): At<i64>) -> Reply {
    let row = server(&web, id).await?;
    Ok(Json(serde_json::to_value(Schedule::of(&web.app, row.id).await?)?))
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Switch {
    automatic: bool,
}

/// Switches automatic synchronisation on or off.
#[utoipa::path(put, path = "/servers/{id}/schedule", tag = "servers", params(("id" = i64, Path)),
    request_body = Switch, responses((status = 200, body = Object, description = "the schedule from now on")
))]
pub async fn set_schedule(State(web): State<Web>, At(id): At<i64>, Sent(switch): Sent<Switch>) -> Reply {
    let row = server(&web, id).await?;
    let schedule = Schedule::set(&web.app, row.id, |schedule| {
        (schedule.automatic, schedule.paused) = (switch.automatic, false);
    });
    Ok(Json(serde_json::to_value(schedule.await?)?))
}
