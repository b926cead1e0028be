//! A job of a server while it goes on: phase, bar, rate, people scrolling in.
//! Every browser that opens this page sees the same job. Once it has ended,
//! the page leads to what it made.

use super::server;
use crate::cycle::Seen;
use crate::limits;
use crate::web::Web;
use crate::web::live::{Ended, Job, State as JobState};
use crate::web::problem::Problem;
use crate::web::render::{Nav, Page, html};
use crate::web::visit::Visit;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Redirect, Response};
use futures_util::Stream;
use serde_json::json;
use std::convert::Infallible;
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use store::DirectoryId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

static WATCHERS: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(limits::WATCHERS_MAX)));

/// Asked again after so many seconds where there is no script.
const REFRESH_S: u32 = 3;

#[derive(Template)]
#[template(path = "job.html")]
struct JobPage {
    p: Page,
    id: i64,
    name: String,
    is_preview: bool,
    state: StatePart,
    rows: String,
    /// Why it failed, once it did.
    failed: Option<String>,
    is_cancelled: bool,
}

/// What changes all the time.
#[derive(Template)]
#[template(path = "job-state.html")]
struct StatePart {
    p: Page,
    phase: &'static str,
    done: usize,
    total: Option<usize>,
    /// People a second in this phase.
    rate: Option<u64>,
    took: String,
    is_cancelled: bool,
}

#[derive(Template)]
#[template(path = "job-rows.html")]
struct Rows<'a> {
    p: &'a Page,
    people: Vec<Seen>,
}

impl StatePart {
    fn of(web: &Web, visit: &Visit, job: &Job, state: &JobState) -> Self {
        let now_ms = state.ended_ms.unwrap_or_else(|| web.app.clock.now_ms());
        let p = Page::outside(web, visit, "");
        let elapsed_ms = u64::try_from(now_ms - state.since_ms).unwrap_or(0);
        let rate = (elapsed_ms >= 1_000 && state.done > 0).then(|| state.done as u64 * 1_000 / elapsed_ms);
        StatePart {
            took: p.took(now_ms - job.started_ms),
            phase: state.phase.map_or("start", |phase| phase.as_str()),
            done: state.done,
            total: state.total,
            rate: rate.filter(|rate| *rate > 0),
            is_cancelled: job.is_cancelled(),
            p,
        }
    }
}

fn rows(p: &Page, mut people: Vec<Seen>) -> Result<String, askama::Error> {
    people.reverse();
    Rows { p, people }.render()
}

pub async fn show(State(web): State<Web>, visit: Visit, Path(id): Path<i64>) -> Result<Response, Problem> {
    let row = server(&web, id).await?;
    let Some(job) = web.jobs.of(row.id) else {
        return Ok(Redirect::to(&format!("/servers/{id}/synchronize")).into_response());
    };
    let state = job.state();
    if let Some(to) = state.ended.as_ref().and_then(|ended| made(row.id, ended)) {
        return Ok(Redirect::to(&to).into_response());
    }
    let is_preview = job.task.is_preview();
    let title = visit.lang.say(if is_preview { "request-title" } else { "synchronize-title" }, &[]);
    let mut p = Page::of(&web, &visit, Nav::Servers, title).await?;
    p.refresh = state.ended.is_none().then_some(REFRESH_S);
    let rows = rows(&p, state.people_after(0).0)?;
    let (failed, is_cancelled) = match &state.ended {
        Some(Ended::Failed(why)) => (Some(why.clone()), false),
        Some(Ended::Cancelled) => (None, true),
        _ => (None, false),
    };
    let state = StatePart::of(&web, &visit, &job, &state);
    html(&JobPage { p, id, name: row.name, is_preview, state, rows, failed, is_cancelled })
}

/// Where to see what a job made.
fn made(directory: DirectoryId, ended: &Ended) -> Option<String> {
    match ended {
        Ended::Told(told) => Some(match told.run {
            Some(run) => format!("/history/{run}"),
            None => format!("/servers/{directory}/plans/{}", told.plan),
        }),
        Ended::Cancelled | Ended::Failed(_) => None,
    }
}

pub async fn cancel(State(web): State<Web>, Path(id): Path<i64>) -> Result<Response, Problem> {
    let row = server(&web, id).await?;
    if let Some(job) = web.jobs.of(row.id) {
        job.cancel();
    }
    Ok(Redirect::to(&format!("/servers/{id}/job")).into_response())
}

/// A stream of how far the job is. Bounded: a state every so often, and of the
/// people only the last.
pub async fn events(State(web): State<Web>, visit: Visit, Path(id): Path<i64>) -> Result<Response, Problem> {
    let row = server(&web, id).await?;
    let job = web.jobs.of(row.id).ok_or_else(Problem::not_found)?;
    let Ok(place) = WATCHERS.clone().try_acquire_owned() else {
        return Ok(StatusCode::SERVICE_UNAVAILABLE.into_response());
    };
    let watcher = Watcher { web, visit, job, directory: row.id, shown: None, ended: false, _place: place };
    Ok(Sse::new(watcher.stream()).keep_alive(KeepAlive::default()).into_response())
}

struct Watcher {
    web: Web,
    visit: Visit,
    job: Arc<Job>,
    directory: DirectoryId,
    /// The number of the last person shown. The page began with those there were.
    shown: Option<u64>,
    ended: bool,
    _place: OwnedSemaphorePermit,
}

impl Watcher {
    fn stream(self) -> impl Stream<Item = Result<Event, Infallible>> {
        futures_util::stream::unfold(self, async |mut watcher| {
            let event = watcher.next().await?;
            Some((Ok(event), watcher))
        })
    }

    async fn next(&mut self) -> Option<Event> {
        if self.ended {
            return None;
        }
        let mut moved = self.job.watch();
        if self.shown.is_some() && self.job.is_running() {
            self.web.app.clock.sleep(Duration::from_millis(limits::LIVE_EVERY_MS)).await;
            if self.job.is_running() && !moved.has_changed().unwrap_or(true) {
                // Nothing moved: the clock of the page still goes on, slowly.
                let second = Duration::from_millis(1_000 - limits::LIVE_EVERY_MS);
                let _ = tokio::time::timeout(second, moved.changed()).await;
            }
        }
        let state = self.job.state();
        if let Some(ended) = &state.ended {
            self.ended = true;
            let to = made(self.directory, ended);
            let here = format!("/servers/{}/job", self.directory);
            return Some(Event::default().event("end").data(to.unwrap_or(here)));
        }
        let (new, last) = state.people_after(self.shown.unwrap_or(u64::MAX));
        self.shown = Some(last);
        let part = StatePart::of(&self.web, &self.visit, &self.job, &state);
        let rows = rows(&part.p, new).unwrap_or_default();
        let told = json!({ "state": part.render().unwrap_or_default(), "rows": rows });
        Some(Event::default().event("progress").data(told.to_string()))
    }
}
