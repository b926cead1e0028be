//! One run: how it ended and why, what became of whom, what was not done.

use super::employees::href;
use super::history::said;
use crate::cli::history::Run;
use crate::cycle::report::{ChangeResult, PersonReport, Report};
use crate::limits;
use crate::web::Web;
use crate::web::lists::{Wishes, base, paged};
use crate::web::problem::Problem;
use crate::web::render::{Nav, Page, Pager, html};
use crate::web::visit::Visit;
use anyhow::Result;
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use std::collections::BTreeMap;
use store::{DirectoryRow, Outcome, PersonStatus, RunId, RunPeopleQuery, RunPerson, RunRow, Updated, Window};

/// Asked again after so many seconds where there is no script.
const REFRESH_S: u32 = 3;

#[derive(Template)]
#[template(path = "run.html")]
struct RunPage {
    p: Page,
    run: Run,
    /// The server, as long as it is there.
    server: Option<i64>,
    took: Option<String>,
    /// What was kept of its report, without its people.
    report: Option<Report>,
    /// Counts of the report that are there.
    said: Vec<(&'static str, u32)>,
    /// The plan it carried out or was stopped at, as long as that is kept.
    plan: Option<String>,
    statuses: Vec<Figure>,
    updates: Vec<Figure>,
    everybody: u64,
    /// How many steps its journal has, and whether they can be undone.
    steps: u64,
    can_undo: bool,
    /// Whether this process runs it, and shows more.
    has_job: bool,
    status: &'static str,
    updated: &'static str,
    search: String,
    rows: Vec<Row>,
    pager: Pager,
    base: String,
}

/// So many are like that; the address shows who.
struct Figure {
    word: &'static str,
    n: u64,
    href: String,
    is_here: bool,
}

struct Row {
    person: PersonReport,
    status: PersonStatus,
    updated: Updated,
    /// An employee without a person has no page.
    href: Option<String>,
    steps: Option<String>,
}

const STATUSES: [PersonStatus; 4] =
    [PersonStatus::Processed, PersonStatus::Skipped, PersonStatus::Conflict, PersonStatus::Failed];
const UPDATES: [Updated; 4] = [Updated::Pbx, Updated::Directory, Updated::Both, Updated::Nothing];

pub async fn show(
    State(web): State<Web>,
    visit: Visit,
    Path(id): Path<i64>,
    Query(wishes): Query<Wishes>,
) -> Result<Response, Problem> {
    let (row, server) = run_of(&web, id).await?;
    let (id, store) = (row.id, &web.app.store);
    let status: Option<PersonStatus> = wishes.one_of("status");
    let updated: Option<Updated> = wishes.one_of("updated");
    let search = wishes.text("search");
    let query = &RunPeopleQuery { status, updated, search: search.to_owned(), ..RunPeopleQuery::default() };
    let (found, pager) = paged(wishes.page(), limits::PAGE_ROWS, |window| async move {
        store.run_people_page(id, &RunPeopleQuery { window, ..query.clone() }).await
    })
    .await?;
    let counts = store.run_counts(id).await?;
    let steps = store.journal_page(id, None, Window { limit: 1, offset: 0 }).await?.total;
    let plan = match (&row.plan_hash, &server) {
        (Some(hash), Some(server)) => {
            let kept = store.plans(server.id).await?;
            kept.iter().any(|plan| plan.hash == *hash).then(|| format!("/servers/{}/plans/{hash}", server.id))
        }
        _ => None,
    };
    let title = visit.lang.say("run-title", &[("run", id.0.into())]);
    let mut p = Page::of(&web, &visit, Nav::History, title).await?;
    let is_running = row.outcome == Outcome::Running;
    p.refresh = is_running.then_some(REFRESH_S);
    let report: Option<Report> = serde_json::from_value(row.report.clone()).ok();
    let (status_word, updated_word) =
        (status.map_or("", PersonStatus::as_str), updated.map_or("", Updated::as_str));
    let run = Run::from(row);
    html(&RunPage {
        took: run.ended_ms.map(|ended_ms| p.took((ended_ms - run.started_ms).max(0))),
        said: report.as_ref().map(|report| said(&report.counts)).unwrap_or_default(),
        statuses: statuses(&counts, status, updated_word, search),
        updates: updates(&counts, updated, status_word, search),
        everybody: counts.values().sum(),
        has_job: server
            .as_ref()
            .is_some_and(|row| is_running && web.jobs.of(row.id).is_some_and(|job| job.is_running())),
        can_undo: steps > 0 && !is_running && server.is_some(),
        rows: found.into_iter().map(|person| shown(id, server.as_ref(), person)).collect::<Result<_>>()?,
        server: server.map(|row| row.id.0),
        base: base(&[("status", status_word), ("updated", updated_word), ("search", search)]),
        status: status_word,
        updated: updated_word,
        search: search.to_owned(),
        report,
        plan,
        steps,
        pager,
        run,
        p,
    })
}

/// A run, and its server as long as that is there.
pub async fn run_of(web: &Web, id: i64) -> Result<(RunRow, Option<DirectoryRow>), Problem> {
    let row = web.app.store.run(RunId(id)).await?.ok_or_else(Problem::not_found)?;
    let servers = web.app.store.directories().await?;
    let server = servers.into_iter().find(|server| server.id == row.directory);
    Ok((row, server))
}

fn shown(run: RunId, server: Option<&DirectoryRow>, row: RunPerson) -> Result<Row> {
    let href = server.filter(|_| !row.person.as_str().is_empty()).map(|server| href(server.id, &row.person));
    let person = super::steps::of_person(run, &row.person);
    Ok(Row {
        steps: (row.updated != Updated::Nothing).then_some(person),
        href,
        status: row.status,
        updated: row.updated,
        person: serde_json::from_value(row.changes)?,
    })
}

fn statuses(
    counts: &BTreeMap<(PersonStatus, Updated), u64>,
    here: Option<PersonStatus>,
    updated: &str,
    search: &str,
) -> Vec<Figure> {
    let figure = |status: PersonStatus| Figure {
        word: status.as_str(),
        n: counts.iter().filter(|((its, _), _)| *its == status).map(|(_, n)| n).sum(),
        href: base(&[("status", status.as_str()), ("updated", updated), ("search", search)]),
        is_here: here == Some(status),
    };
    STATUSES.map(figure).into_iter().filter(|figure| figure.n > 0).collect()
}

fn updates(
    counts: &BTreeMap<(PersonStatus, Updated), u64>,
    here: Option<Updated>,
    status: &str,
    search: &str,
) -> Vec<Figure> {
    let figure = |updated: Updated| Figure {
        word: updated.as_str(),
        n: counts.iter().filter(|((_, its), _)| *its == updated).map(|(_, n)| n).sum(),
        href: base(&[("status", status), ("updated", updated.as_str()), ("search", search)]),
        is_here: here == Some(updated),
    };
    UPDATES.map(figure).into_iter().filter(|figure| figure.n > 0).collect()
}

impl RunPage {
    /// The address of the list without this filter.
    fn without(&self, filter: &str) -> String {
        let (status, updated) = match filter {
            "status" => ("", self.updated),
            _ => (self.status, ""),
        };
        base(&[("status", status), ("updated", updated), ("search", &self.search)])
    }

    /// What became of a change that was not simply done.
    const fn missed(&self, result: &ChangeResult) -> Option<&'static str> {
        match result {
            ChangeResult::Done => None,
            ChangeResult::Planned => Some("planned"),
            ChangeResult::Moved => Some("moved"),
            ChangeResult::Refused => Some("refused"),
            ChangeResult::Unknown => Some("unknown"),
        }
    }

    fn is_plain(&self) -> bool {
        self.status.is_empty() && self.updated.is_empty() && self.search.is_empty()
    }
}
