//! Taking back what a run did: the whole of it, one person's part, or single
//! steps. What is asked for is shown as a plan first; nothing is written here.

use super::employees::href;
use super::run::run_of;
use super::start_job;
use super::steps::{StepLine, Who};
use crate::cli::journal::Written;
use crate::cycle::Asked;
use crate::limits;
use crate::web::Web;
use crate::web::auth::FlashKind;
use crate::web::lists::{Wishes, base, paged};
use crate::web::live::Task;
use crate::web::problem::Problem;
use crate::web::render::{Nav, Page, Pager, html};
use crate::web::visit::Visit;
use anyhow::Result;
use askama::Template;
use axum::extract::{Form, Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use reconcile::PersonId;
use std::collections::BTreeMap;
use store::{DirectoryId, JournalRow, Outcome};

#[derive(Template)]
#[template(path = "steps.html")]
struct StepsPage {
    p: Page,
    run: i64,
    server: String,
    /// The one person they are of, if they are one person's.
    person: Option<(String, String)>,
    rows: Vec<StepLine>,
    pager: Pager,
    base: String,
    can_undo: bool,
}

pub async fn steps(
    State(web): State<Web>,
    visit: Visit,
    Path(id): Path<i64>,
    Query(wishes): Query<Wishes>,
) -> Result<Response, Problem> {
    let (run, server) = run_of(&web, id).await?;
    let person = Some(wishes.text("person")).filter(|id| !id.is_empty()).map(PersonId::new);
    let (store, of) = (&web.app.store, person.as_ref());
    let (found, pager) = paged(wishes.page(), limits::PAGE_ROWS, |window| async move {
        store.journal_page(run.id, of, window).await
    })
    .await?;
    let names = names(&web, run.directory, &found).await?;
    let title = visit.lang.say("steps-title", &[("run", id.into())]);
    let p = Page::of(&web, &visit, Nav::History, title).await?;
    let line = |row: JournalRow| {
        let who = Who {
            name: names.get(&row.person).cloned().unwrap_or_else(|| row.person.to_string()),
            href: href(run.directory, &row.person),
        };
        StepLine::of(&p, Written::from(row), Some(who))
    };
    html(&StepsPage {
        run: id,
        base: base(&[("person", of.map_or("", PersonId::as_str))]),
        person: person
            .as_ref()
            .map(|id| (id.to_string(), names.get(id).cloned().unwrap_or_else(|| id.to_string()))),
        rows: found.into_iter().map(line).collect(),
        can_undo: server.is_some() && run.outcome != Outcome::Running,
        server: run.directory_name,
        pager,
        p,
    })
}

/// How these people are called, as far as that is known.
async fn names(
    web: &Web,
    directory: DirectoryId,
    rows: &[JournalRow],
) -> Result<BTreeMap<PersonId, String>, store::Error> {
    let mut names = BTreeMap::new();
    for row in rows {
        if names.contains_key(&row.person) {
            continue;
        }
        let link = web.app.store.link(directory, &row.person).await?;
        let name = match link {
            Some(link) => Some(link.name.to_string()),
            None => web.app.store.latest_person(directory, &row.person).await?.map(|(_, row)| row.name),
        };
        names.extend(name.map(|name| (row.person.clone(), name)));
    }
    Ok(names)
}

/// Starts the preview. The form says `step` for every step, or `person`, or
/// nothing for all of the run; `marked` where steps are meant.
pub async fn start(
    State(web): State<Web>,
    visit: Visit,
    Path(id): Path<i64>,
    Form(form): Form<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let (_, server) = run_of(&web, id).await?;
    let server = server.ok_or_else(Problem::not_found)?;
    let values =
        |name: &'static str| form.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str());
    let person = values("person").find(|person| !person.is_empty()).map(str::to_owned);
    let steps: Vec<i64> = values("step").filter_map(|step| step.parse().ok()).collect();
    if steps.is_empty() && values("marked").next().is_some() {
        let text = visit.lang.say("undo-mark-some", &[]);
        web.sessions.tell(visit.session.as_ref(), FlashKind::Bad, text);
        let base = base(&[("person", person.as_deref().unwrap_or_default())]);
        return Ok(Redirect::to(&format!("/history/{id}/steps{base}")).into_response());
    }
    let job = format!("/servers/{}/job", server.id);
    start_job(&web, &visit, &server, Task::PreviewUndo(Asked { run: id, person, steps }));
    Ok(Redirect::to(&job).into_response())
}
