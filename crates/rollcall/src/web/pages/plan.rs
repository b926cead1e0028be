//! One kept plan: what would happen to whom. Filters, search, download, the
//! guard's opinion, and the two things that can be done with it.

use super::{server, start_job};
use crate::cli::output;
use crate::cycle::plans::{self, KINDS, Kept};
use crate::cycle::report::{PersonReport, Report};
use crate::limits;
use crate::web::Web;
use crate::web::auth::FlashKind;
use crate::web::download::{self, Part, line};
use crate::web::live::Task;
use crate::web::problem::Problem;
use crate::web::render::{Nav, Page, Pager, html};
use crate::web::visit::{Visit, encoded};
use anyhow::Result;
use askama::Template;
use axum::extract::{Form, Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use reconcile::Field;
use serde::Deserialize;
use store::{DirectoryId, PlanPeopleQuery, PlanPerson, PlanState, Window};

#[derive(Template)]
#[template(path = "plan.html")]
struct PlanPage {
    p: Page,
    id: i64,
    name: String,
    plan: Kept,
    report: Option<Report>,
    /// Every kind there is in this plan, with how many people.
    kinds: Vec<(&'static str, u64)>,
    kind: String,
    search: String,
    rows: Vec<Row>,
    pager: Pager,
    /// The address of another page of the same list, up to the number.
    base: String,
    is_pending: bool,
    /// Nothing would be written.
    is_idle: bool,
    fields: Vec<Field>,
}

struct Row {
    kind: String,
    person: PersonReport,
}

#[derive(Clone, Deserialize, Default)]
pub struct Filter {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    search: String,
    /// What is no number is the first page.
    #[serde(default)]
    page: String,
}

impl Filter {
    /// A kind that there is; else all.
    fn kind(&self) -> Option<&'static str> {
        KINDS.into_iter().find(|kind| *kind == self.kind)
    }

    fn query(&self, window: Window) -> PlanPeopleQuery {
        let kind = self.kind().map(str::to_owned);
        PlanPeopleQuery { kind, search: self.search.trim().to_owned(), window }
    }
}

pub async fn show(
    State(web): State<Web>,
    visit: Visit,
    Path((id, hash)): Path<(i64, String)>,
    Query(filter): Query<Filter>,
) -> Result<Response, Problem> {
    let row = server(&web, id).await?;
    let (plan, body) = plans::told(&web.app, &row, &hash).await?.ok_or_else(Problem::not_found)?;
    let (page, limit) = (filter.page.trim().parse::<u32>().unwrap_or(1).max(1), limits::PAGE_ROWS);
    let window = Window { limit, offset: Pager::offset(page, limit) };
    let found = web.app.store.plan_people(row.id, &hash, &filter.query(window)).await?;
    let counts = web.app.store.plan_counts(row.id, &hash).await?;
    let is_idle = body.report.as_ref().is_some_and(|report| report.counts.is_idle());
    let kinds = KINDS.into_iter().filter_map(|kind| counts.get(kind).map(|n| (kind, *n))).collect();
    let rows = found.rows.into_iter().map(shown).collect::<Result<Vec<_>>>()?;
    let pager = Pager { page, rows: limit, total: found.total };
    let is_undo = body.undo.is_some();
    let title = visit.lang.say(if is_undo { "undo-preview-title" } else { "request-title" }, &[]);
    let p = Page::of(&web, &visit, Nav::Servers, title).await?;
    let kind = filter.kind().unwrap_or_default().to_owned();
    let base = format!("?kind={kind}&search={}&", encoded(filter.search.trim()));
    html(&PlanPage {
        id,
        name: row.name,
        is_pending: plan.state == PlanState::Pending,
        is_idle,
        plan,
        report: body.report,
        kinds,
        kind,
        search: filter.search.trim().to_owned(),
        rows,
        pager,
        base,
        fields: Field::ALL.to_vec(),
        p,
    })
}

fn shown(row: PlanPerson) -> Result<Row> {
    Ok(Row { kind: row.kind, person: serde_json::from_value(row.changes)? })
}

#[derive(Deserialize)]
pub struct Release {
    #[serde(default)]
    release: bool,
}

/// Carries out exactly this plan.
pub async fn apply(
    State(web): State<Web>,
    visit: Visit,
    Path((id, hash)): Path<(i64, String)>,
    Form(form): Form<Release>,
) -> Result<Response, Problem> {
    let row = server(&web, id).await?;
    plans::told(&web.app, &row, &hash).await?.ok_or_else(Problem::not_found)?;
    // Says at once what is wrong with it, if anything is.
    plans::reviewed(&web.app, &hash, form.release).await?;
    start_job(&web, &visit, &row, Task::Apply { plan: hash, release: form.release });
    Ok(Redirect::to(&format!("/servers/{id}/job")).into_response())
}

pub async fn discard(
    State(web): State<Web>,
    visit: Visit,
    Path((id, hash)): Path<(i64, String)>,
) -> Result<Response, Problem> {
    let row = server(&web, id).await?;
    plans::told(&web.app, &row, &hash).await?.ok_or_else(Problem::not_found)?;
    plans::discard(&web.app, &hash).await?;
    let text = visit.lang.say("plan-discarded", &[]);
    web.sessions.tell(visit.session.as_ref(), FlashKind::Good, text);
    Ok(Redirect::to(&format!("/servers/{id}/request")).into_response())
}

pub async fn csv(
    State(web): State<Web>,
    Path((id, hash)): Path<(i64, String)>,
    Query(filter): Query<Filter>,
) -> Result<Response, Problem> {
    download(web, id, hash, filter, download::CSV, "csv", csv_of).await
}

pub async fn json(
    State(web): State<Web>,
    Path((id, hash)): Path<(i64, String)>,
    Query(filter): Query<Filter>,
) -> Result<Response, Problem> {
    download(web, id, hash, filter, "application/x-ndjson", "jsonl", json_of).await
}

async fn download(
    web: Web,
    id: i64,
    hash: String,
    filter: Filter,
    kind: &'static str,
    end: &'static str,
    write: fn(&[Row], bool) -> Result<String>,
) -> Result<Response, Problem> {
    let row = server(&web, id).await?;
    plans::told(&web.app, &row, &hash).await?.ok_or_else(Problem::not_found)?;
    let name: String = hash.chars().take(limits::HASH_SHOWN).collect();
    download::file(&format!("rollcall-{name}.{end}"), kind, move |from| {
        let (web, hash, filter) = (web.clone(), hash.clone(), filter.clone());
        async move {
            let rows = rows_of(&web, row.id, &hash, &filter, from).await?;
            let is_last = rows.len() < limits::DOWNLOAD_ROWS as usize;
            let next = from + u32::try_from(rows.len())?;
            Ok(Part { text: write(&rows, from == 0)?, next: (!is_last).then_some(next) })
        }
    })
}

async fn rows_of(
    web: &Web,
    directory: DirectoryId,
    hash: &str,
    filter: &Filter,
    offset: u32,
) -> Result<Vec<Row>> {
    let query = filter.query(Window { limit: limits::DOWNLOAD_ROWS, offset });
    let found = web.app.store.plan_people(directory, hash, &query).await?;
    found.rows.into_iter().map(shown).collect()
}

fn json_of(rows: &[Row], _: bool) -> Result<String> {
    let mut text = String::new();
    for row in rows {
        let mut person = serde_json::to_value(&row.person)?;
        person["kind"] = serde_json::Value::from(row.kind.as_str());
        text.push_str(&person.to_string());
        text.push('\n');
    }
    Ok(text)
}

/// One line a person: what happens, every mapped field as the directory gave
/// it, and every change.
fn csv_of(rows: &[Row], is_first: bool) -> Result<String> {
    let mut text = String::new();
    if is_first {
        text.push(download::CSV_MARK);
        let fields = Field::ALL.iter().map(|field| field.as_str().to_owned());
        let head = ["kind".to_owned(), "name".to_owned(), "number".to_owned()];
        line(&mut text, head.into_iter().chain(fields).chain(["changes".to_owned(), "reason".to_owned()]));
    }
    for Row { kind, person } in rows {
        let raw =
            |field: Field| person.values.get(&field).and_then(|value| value.raw.clone()).unwrap_or_default();
        let change = |change: &crate::cycle::report::ChangeReport| {
            let [before, after] =
                [&change.before, &change.after].map(|value| output::shown(value.as_deref()));
            format!("{} {}: {before} → {after}", change.side.as_str(), change.field)
        };
        let changes: Vec<String> = person.changes.iter().map(change).collect();
        let head = [kind.clone(), person.name.clone(), person.extension.clone().unwrap_or_default()];
        let tail = [changes.join("; "), person.reason.clone().unwrap_or_default()];
        line(&mut text, head.into_iter().chain(Field::ALL.map(raw)).chain(tail));
    }
    Ok(text)
}
