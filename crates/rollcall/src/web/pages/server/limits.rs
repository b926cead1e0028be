//! When the guard stops a run, and when the next one comes.

use super::NEW;
use crate::cli::errors::{describe, usage};
use crate::cycle::stops::Stops;
use crate::limits;
use crate::schedule::Schedule;
use crate::web::Web;
use crate::web::auth::FlashKind;
use crate::web::pages::server;
use crate::web::problem::Problem;
use crate::web::render::{Nav, Page, html};
use crate::web::visit::Visit;
use anyhow::Result;
use askama::Template;
use axum::extract::{Form, Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use reconcile::guard::GuardKind;
use serde::Deserialize;

#[derive(Template)]
#[template(path = "server-limits.html")]
struct LimitsPage {
    p: Page,
    id: i64,
    tab: &'static str,
    floor: u32,
    percent: u32,
    ceiling: u32,
    linked: u64,
    /// Above so many people a run stops, with as many linked as now.
    limit: u64,
    schedule: Schedule,
    every_max: u32,
    stops: Vec<(GuardKind, i64, String)>,
    error: Option<String>,
}

impl LimitsPage {
    fn is_new(&self) -> bool {
        self.id == NEW
    }
}

pub async fn show(State(web): State<Web>, visit: Visit, Path(id): Path<i64>) -> Result<Response, Problem> {
    page(&web, &visit, id, None).await
}

async fn page(web: &Web, visit: &Visit, id: i64, error: Option<String>) -> Result<Response, Problem> {
    let row = server(web, id).await?;
    let thresholds = row.policy.thresholds;
    let counts = web.app.store.directory_counts().await?.get(&row.id).copied().unwrap_or_default();
    let stops = Stops::of(&web.app, row.id).await?;
    let stops = stops.iter().map(|(kind, stop)| (kind, stop.since_ms, stop.plan.clone())).collect();
    let share = counts.linked * u64::from(thresholds.percent) / 100;
    let limit = share.max(u64::from(thresholds.floor)).min(u64::from(thresholds.ceiling));
    let schedule = Schedule::of(&web.app, row.id).await?;
    let p = Page::of(web, visit, Nav::Servers, row.name).await?;
    html(&LimitsPage {
        p,
        id,
        tab: "limits",
        floor: thresholds.floor,
        percent: thresholds.percent,
        ceiling: thresholds.ceiling,
        linked: counts.linked,
        limit,
        schedule,
        every_max: limits::SCHEDULE_MIN_MAX,
        stops,
        error,
    })
}

#[derive(Deserialize)]
pub struct LimitsForm {
    floor: u32,
    percent: u32,
    ceiling: u32,
    every_min: u32,
    #[serde(default)]
    automatic: bool,
}

pub async fn take(
    State(web): State<Web>,
    visit: Visit,
    Path(id): Path<i64>,
    Form(form): Form<LimitsForm>,
) -> Result<Response, Problem> {
    match save(&web, id, &form).await {
        Ok(()) => {
            web.sessions.tell(visit.session.as_ref(), FlashKind::Good, visit.lang.say("saved", &[]));
            Ok(Redirect::to(&format!("/servers/{id}/limits")).into_response())
        }
        Err(problem) => page(&web, &visit, id, Some(problem.text)).await,
    }
}

async fn save(web: &Web, id: i64, form: &LimitsForm) -> Result<(), Problem> {
    let row = server(web, id).await?;
    if form.percent > 100 {
        return Err(usage("a share is at most 100 percent").into());
    }
    if form.floor > form.ceiling {
        return Err(usage("the floor lies above the ceiling: then it means nothing").into());
    }
    let mut draft = crate::cli::server::draft_of(&row)?;
    let thresholds = &mut draft.policy.thresholds;
    (thresholds.floor, thresholds.percent, thresholds.ceiling) = (form.floor, form.percent, form.ceiling);
    if draft.policy != row.policy {
        crate::cli::server::replace(&web.app, &row, draft, None)
            .await
            .map_err(|error| describe_as(&error))?;
    }
    Schedule::set(&web.app, row.id, |schedule| {
        (schedule.automatic, schedule.every_min) = (form.automatic, form.every_min);
    })
    .await?;
    Ok(())
}

fn describe_as(error: &anyhow::Error) -> Problem {
    Problem::refused(describe(error))
}
