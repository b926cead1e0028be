//! Past runs: which server, how it started, how it ended, how much it changed.

use super::{Choice, servers_by_name};
use crate::cli::history::Run;
use crate::limits;
use crate::web::Web;
use crate::web::lang::Arg;
use crate::web::lists::{Wishes, base, paged};
use crate::web::problem::Problem;
use crate::web::render::{Nav, Page, Pager, html, when};
use crate::web::visit::Visit;
use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use store::{DirectoryId, RunQuery, RunRow, Trigger};

const TRIGGERS: [Trigger; 5] =
    [Trigger::Manual, Trigger::Automatic, Trigger::Apply, Trigger::Undo, Trigger::Demo];

#[derive(Template)]
#[template(path = "history.html")]
struct HistoryPage {
    p: Page,
    servers: Vec<Choice>,
    triggers: Vec<Choice>,
    bars: Vec<Bar>,
    chart_says: String,
    rows: Vec<RunLine>,
    pager: Pager,
    base: String,
    is_filtered: bool,
}

struct RunLine {
    run: Run,
    /// Writes to either side.
    changes: u32,
    took: Option<String>,
    /// What there is to say of it in numbers.
    counts: Vec<(&'static str, u32)>,
}

/// A bar of the chart, in its own units; the drawing is 100 of them high.
#[derive(Debug, PartialEq, Eq)]
struct Bar {
    x: usize,
    y: u32,
    height: u32,
    tone: &'static str,
    title: String,
}

/// How wide a bar is, and from where to where: the sheet knows the same width.
const BAR_STEP: usize = 12;
/// As if there were at least so many.
const BARS_MIN: usize = 30;
const CHART_HEIGHT: u32 = 100;
/// A run without changes is still a run.
const BAR_HEIGHT_MIN: u32 = 3;

pub async fn list(
    State(web): State<Web>,
    visit: Visit,
    Query(wishes): Query<Wishes>,
) -> Result<Response, Problem> {
    let p = Page::of(&web, &visit, Nav::History, visit.lang.say("nav-history", &[])).await?;
    let servers = servers_by_name(&web, wishes.number("server")).await?;
    let server = servers.iter().find(|choice| choice.is_chosen).map(|choice| choice.value.clone());
    let server = server.unwrap_or_default();
    let trigger: Option<Trigger> = wishes.one_of("trigger");
    let query = RunQuery { directory: server.parse().ok().map(DirectoryId), trigger, ..RunQuery::default() };
    let store = &web.app.store;
    let (found, pager) = paged(wishes.page(), limits::PAGE_ROWS, |window| async move {
        store.run_page(&RunQuery { window, ..query }).await
    })
    .await?;
    let rows: Vec<RunLine> = found.into_iter().map(|row| RunLine::of(&p, row)).collect();
    let choice = |trigger_: Trigger| Choice {
        value: trigger_.as_str().to_owned(),
        text: p.word("trigger", trigger_),
        is_chosen: trigger == Some(trigger_),
    };
    let base = base(&[("server", &server), ("trigger", trigger.map_or("", Trigger::as_str))]);
    let changes: u64 = rows.iter().map(|row| u64::from(row.changes)).sum();
    html(&HistoryPage {
        bars: bars(&p, &rows),
        chart_says: p.lang.say("chart-says", &[("n", rows.len().into()), ("changes", changes.into())]),
        triggers: TRIGGERS.map(choice).into(),
        is_filtered: base.len() > 1,
        servers,
        rows,
        pager,
        base,
        p,
    })
}

impl RunLine {
    fn of(p: &Page, row: RunRow) -> Self {
        let run = Run::from(row);
        let took = run.ended_ms.map(|ended_ms| p.took((ended_ms - run.started_ms).max(0)));
        let changes = run.writes.map_or(0, |writes| writes.pbx.saturating_add(writes.directory));
        RunLine { took, changes, counts: run.counts.map(|counts| said(&counts)).unwrap_or_default(), run }
    }
}

/// What happened to how many, where it happened at all.
pub fn said(counts: &crate::cycle::report::Counts) -> Vec<(&'static str, u32)> {
    let all = [
        ("created", counts.created),
        ("joined", counts.joined),
        ("updated-in-pbx", counts.updated_in_pbx),
        ("updated-in-directory", counts.updated_in_directory),
        ("disabled", counts.disabled),
        ("restored", counts.restored),
        ("conflicts", counts.conflicts),
        ("failed", counts.failed),
        ("unchanged", counts.unchanged),
    ];
    all.into_iter().filter(|(_, n)| *n > 0).collect()
}

/// One bar for each run, the newest on the right. Each power of two is a step
/// higher, so that a first run does not press the others to the ground.
fn bars(p: &Page, newest_first: &[RunLine]) -> Vec<Bar> {
    let steps = |changes: u32| (changes + 1).ilog2();
    let highest = newest_first.iter().map(|row| steps(row.changes)).max().unwrap_or(0).max(1);
    let bar = |(at, row): (usize, &RunLine)| {
        let height = (steps(row.changes) * CHART_HEIGHT / highest).max(BAR_HEIGHT_MIN);
        let (outcome, started) = (p.word("outcome", row.run.outcome), when(row.run.started_ms));
        let args = [
            ("run", Arg::from(row.run.run.0)),
            ("when", Arg::from(&started)),
            ("outcome", Arg::from(&outcome)),
            ("n", Arg::from(u64::from(row.changes))),
        ];
        Bar {
            x: at * BAR_STEP,
            y: CHART_HEIGHT - height,
            height,
            tone: p.tone(&row.run.outcome),
            title: p.lang.say("chart-bar", &args),
        }
    };
    newest_first.iter().rev().enumerate().map(bar).collect()
}

impl HistoryPage {
    fn chart_width(&self) -> usize {
        // A few runs stay narrow bars.
        self.bars.len().max(BARS_MIN) * BAR_STEP
    }
}
