//! All servers at a glance, and what can be done to one without opening it.

use super::server;
use crate::app::directory_settings;
use crate::cli::server as servers;
use crate::cycle;
use crate::schedule::Schedule;
use crate::web::Web;
use crate::web::auth::FlashKind;
use crate::web::problem::Problem;
use crate::web::render::{Nav, Page, html};
use crate::web::visit::Visit;
use anyhow::Result;
use askama::Template;
use axum::extract::{Form, Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use store::{Counts, DirectoryId, DirectoryRow, RunRow, SecretOf};

#[derive(Template)]
#[template(path = "servers.html")]
struct ServersPage {
    p: Page,
    servers: Vec<Listed>,
    has_pbx: bool,
}

struct Listed {
    id: DirectoryId,
    name: String,
    kind: &'static str,
    hosts: String,
    bases: Vec<String>,
    counts: Counts,
    schedule: Schedule,
    last: Option<RunRow>,
    running: bool,
    stopped: bool,
    /// Nobody has looked at what a run with these settings does.
    look_first: bool,
}

pub async fn list(State(web): State<Web>, visit: Visit) -> Result<Response, Problem> {
    let rows = web.app.store.directories().await?;
    if rows.is_empty() {
        return Ok(Redirect::to("/first-steps").into_response());
    }
    let counts = web.app.store.directory_counts().await?;
    let mut servers = Vec::new();
    for row in rows {
        servers.push(listed(&web, &row, counts.get(&row.id).copied().unwrap_or_default()).await?);
    }
    let has_pbx = web.app.store.pbxes().await?.iter().any(|pbx| !pbx.settings.is_null());
    let p = Page::of(&web, &visit, Nav::Servers, visit.lang.say("servers-title", &[])).await?;
    html(&ServersPage { p, servers, has_pbx })
}

async fn listed(web: &Web, row: &DirectoryRow, counts: Counts) -> Result<Listed> {
    let settings = directory_settings(row)?;
    let stops = cycle::stops::Stops::of(&web.app, row.id).await?;
    Ok(Listed {
        id: row.id,
        name: row.name.clone(),
        kind: settings.kind.as_str(),
        hosts: settings.domain.clone().unwrap_or_else(|| settings.hosts.join(", ")),
        bases: settings.bases().to_vec(),
        counts,
        schedule: Schedule::of(&web.app, row.id).await?,
        last: web.app.store.runs(Some(row.id), 1, 0).await?.pop(),
        running: web.jobs.of(row.id).is_some_and(|job| job.is_running()),
        stopped: stops.iter().next().is_some(),
        look_first: cycle::look_first(&web.app, row).await?.is_some(),
    })
}

#[derive(Deserialize)]
pub struct Switch {
    #[serde(default)]
    on: bool,
}

/// Switches automatic synchronisation on or off.
pub async fn automatic(
    State(web): State<Web>,
    visit: Visit,
    Path(id): Path<i64>,
    Form(switch): Form<Switch>,
) -> Result<Response, Problem> {
    let row = server(&web, id).await?;
    Schedule::set(&web.app, row.id, |schedule| {
        (schedule.automatic, schedule.paused) = (switch.on, false);
    })
    .await?;
    let key = match (switch.on, cycle::look_first(&web.app, &row).await?) {
        (true, Some(_)) => "automatic-on-look",
        (true, None) => "automatic-on",
        (false, _) => "automatic-off",
    };
    told(&web, &visit, key, &row.name);
    Ok(Redirect::to("/servers").into_response())
}

pub async fn pause(
    State(web): State<Web>,
    visit: Visit,
    Path(id): Path<i64>,
    Form(switch): Form<Switch>,
) -> Result<Response, Problem> {
    let row = server(&web, id).await?;
    Schedule::set(&web.app, row.id, |schedule| schedule.paused = switch.on).await?;
    told(&web, &visit, if switch.on { "paused" } else { "resumed" }, &row.name);
    Ok(Redirect::to("/servers").into_response())
}

/// Another server with the same settings and password, and nobody linked.
pub async fn duplicate(
    State(web): State<Web>,
    visit: Visit,
    Path(id): Path<i64>,
) -> Result<Response, Problem> {
    let row = server(&web, id).await?;
    let secret = web.app.store.secret(SecretOf::Directory(row.id)).await?;
    let taken: Vec<String> = web.app.store.directories().await?.into_iter().map(|row| row.name).collect();
    let free = (2_u32..).map(|n| format!("{} {n}", row.name)).find(|name| !taken.contains(name));
    let name = free.unwrap_or_else(|| row.name.clone());
    let draft = servers::draft_of(&row)?;
    let new = servers::store(&web.app, &name, draft, secret.as_ref()).await?;
    told(&web, &visit, "duplicated", &name);
    Ok(Redirect::to(&format!("/servers/{}", new.id)).into_response())
}

#[derive(Template)]
#[template(path = "server-remove.html")]
struct RemovePage {
    p: Page,
    id: i64,
    name: String,
    counts: Counts,
}

pub async fn ask_remove(
    State(web): State<Web>,
    visit: Visit,
    Path(id): Path<i64>,
) -> Result<Response, Problem> {
    let row = server(&web, id).await?;
    let counts = web.app.store.directory_counts().await?.get(&row.id).copied().unwrap_or_default();
    let title = visit.lang.say("remove-title", &[("name", (&row.name).into())]);
    let p = Page::of(&web, &visit, Nav::Servers, title).await?;
    html(&RemovePage { p, id, name: row.name, counts })
}

pub async fn remove(State(web): State<Web>, visit: Visit, Path(id): Path<i64>) -> Result<Response, Problem> {
    let row = server(&web, id).await?;
    servers::forget(&web.app, &row.name).await?;
    web.jobs.forget(row.id);
    told(&web, &visit, "removed", &row.name);
    Ok(Redirect::to("/servers").into_response())
}

fn told(web: &Web, visit: &Visit, key: &str, name: &str) {
    let text = visit.lang.say(&format!("servers-{key}"), &[("name", name.into())]);
    web.sessions.tell(visit.session.as_ref(), FlashKind::Good, text);
}
