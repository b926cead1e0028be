//! Synchronization Conflicts: what waits for a human, why, and the ways out.
//! An answer changes nobody's data; the next run carries it out.

mod filter;
mod row;

use crate::app::Usage;
use crate::cli::conflicts::view::Settled;
use crate::cli::conflicts::{self, Said, retry, views};
use crate::cli::errors::describe;
use crate::cli::server::draft_of;
use crate::limits;
use crate::web::Web;
use crate::web::auth::{Flash, FlashKind, local_path};
use crate::web::lang::Arg;
use crate::web::problem::Problem;
use crate::web::render::{Nav, Page, Pager, html};
use crate::web::visit::Visit;
use anyhow::{Result, anyhow};
use askama::Template;
use axum::extract::{Form, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use filter::{Filter, Wanted};
use reconcile::{ConflictKind, Field, WayOut};
use row::{Button, Row};
use std::collections::{BTreeMap, BTreeSet};
use store::{ConflictRow, ConflictState, ConflictsOf, DirectoryId, DirectoryRow, LIST_ROWS_MAX, Window};

#[derive(Template)]
#[template(path = "conflicts.html")]
struct ConflictsPage {
    p: Page,
    at: Filter,
    servers: Vec<(DirectoryId, String)>,
    /// Each state that is offered, with how many there are in it.
    states: Vec<(ConflictState, u64)>,
    /// Each kind there is in this state.
    kinds: Vec<(ConflictKind, u64)>,
    kinds_total: u64,
    rows: Vec<Row>,
    /// What many of one kind can be answered at once. Empty unless a kind is chosen.
    many: Vec<Button>,
    pager: Pager,
    base: String,
}

pub async fn list(
    State(web): State<Web>,
    visit: Visit,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    let servers = web.app.store.directories().await?;
    let at = wanted.filter(&servers);
    let (page, limit) = (wanted.page(), limits::PAGE_ROWS);
    let window = Window { limit, offset: Pager::offset(page, limit) };
    let found = web.app.store.conflict_page(&at.query(window)).await?;
    let counts = web.app.store.conflict_counts(at.server).await?;
    let in_state = |state| counts.iter().filter(move |((_, is), _)| *is == state);
    let states = [ConflictState::Open, ConflictState::Silenced];
    let total = |state| (state, in_state(state).map(|(_, n)| n).sum());
    let p = Page::of(&web, &visit, Nav::Conflicts, visit.lang.say("nav-conflicts", &[])).await?;
    let views = views(&web.app, found.rows).await?;
    let may_write: BTreeMap<DirectoryId, bool> = servers.iter().map(writes_numbers).collect::<Result<_>>()?;
    let rows: Vec<Row> = views
        .into_iter()
        .map(|view| {
            let keeps = may_write.get(&view.directory).copied().unwrap_or_default();
            Row::of(&p, view, keeps)
        })
        .collect();
    html(&ConflictsPage {
        servers: servers.into_iter().map(|row| (row.id, row.name)).collect(),
        states: states.into_iter().map(total).collect(),
        kinds_total: in_state(at.state).map(|(_, n)| n).sum(),
        kinds: in_state(at.state).map(|((kind, _), n)| (*kind, *n)).collect(),
        many: if at.kind.is_some() { row::for_many(&p, &rows) } else { Vec::new() },
        pager: Pager { page, rows: limit, total: found.total },
        base: at.base(),
        p,
        at,
        rows,
    })
}

/// Whether a new number would be written to the domain, unless somebody says
/// that it stays in the PBX.
fn writes_numbers(row: &DirectoryRow) -> Result<(DirectoryId, bool)> {
    Ok((row.id, draft_of(row)?.policy.direction(Field::Extension).to_directory()))
}

/// What was sent, as names and values: a mark of each row comes under one name.
type Sent = Vec<(String, String)>;

fn sent<'a>(form: &'a Sent, name: &str) -> &'a str {
    form.iter().find(|(key, _)| key == name).map(|(_, value)| value.trim()).unwrap_or_default()
}

/// One answer to one conflict, or to many of a kind.
pub async fn answer(
    State(web): State<Web>,
    visit: Visit,
    Form(form): Form<Sent>,
) -> Result<Response, Problem> {
    let back = Redirect::to(local_path(sent(&form, "then"))).into_response();
    let done = match wish(&form) {
        Ok(wish) => carry_out(&web, &form, &wish).await,
        Err(error) => Err(error),
    };
    match done {
        Ok(done) => web.sessions.flash(visit.session.as_ref(), done.told(&visit)),
        Err(error) if error.is::<Usage>() => {
            web.sessions.tell(visit.session.as_ref(), FlashKind::Bad, describe(&error));
        }
        Err(error) => return Err(error.into()),
    }
    Ok(back)
}

/// What a button of a conflict stands for.
enum Wish {
    Say(Said),
    Retry,
    Remove,
}

fn wish(form: &Sent) -> Result<Wish> {
    let wish = match sent(form, "answer") {
        "retry" => Wish::Retry,
        "remove" => Wish::Remove,
        "use-directory" => Wish::Say(Said::UseDirectory),
        "use-pbx" => Wish::Say(Said::UsePbx),
        "employee" => Wish::Say(Said::Employee { id: sent(form, "employee").parse().unwrap_or_default() }),
        "new-employee" => Wish::Say(Said::NewEmployee),
        "relink" => Wish::Say(Said::Relink),
        "number" => Wish::Say(Said::Number {
            number: sent(form, "number").to_owned(),
            keep_in_pbx: !sent(form, "keep_in_pbx").is_empty(),
        }),
        "leave-out" => Wish::Say(Said::LeaveOut),
        "leave-as-is" => Wish::Say(Said::LeaveAsIs),
        "ask-again" => Wish::Say(Said::AskAgain),
        _ => return Err(anyhow!(Usage("that is no answer to a conflict".to_owned()))),
    };
    Ok(wish)
}

/// What became of it.
struct Done {
    key: &'static str,
    count: usize,
    /// The servers whose next run has something to do for it.
    next: BTreeMap<DirectoryId, String>,
}

impl Done {
    fn told(self, visit: &Visit) -> Flash {
        let text = visit.lang.say(self.key, &[("n", Arg::from(self.count))]);
        Flash { next: self.next.into_iter().collect(), ..Flash::new(FlashKind::Good, text) }
    }
}

async fn carry_out(web: &Web, form: &Sent, wish: &Wish) -> Result<Done> {
    let app = &web.app;
    let rows = meant(web, form, wish).await?;
    let key = match wish {
        Wish::Say(said) => match conflicts::resolve(app, &rows, said).await? {
            Settled::AskedAgain { .. } => "conflicts-asked-again",
            _ if *said == Said::LeaveAsIs => "conflicts-left-as-is",
            _ if *said == Said::LeaveOut => "conflicts-left-out",
            _ => "conflicts-answered",
        },
        Wish::Retry => {
            for row in &rows {
                retry::of_conflict(app, row).await?;
            }
            "conflicts-retried"
        }
        Wish::Remove => {
            for row in &rows {
                conflicts::clear(app, ConflictsOf::One(row.id)).await?;
            }
            "conflicts-cleared"
        }
    };
    let waits = matches!(wish, Wish::Say(said) if !matches!(said, Said::LeaveAsIs | Said::LeaveOut));
    let mut next = BTreeMap::new();
    if waits || matches!(wish, Wish::Retry) {
        let servers: BTreeSet<DirectoryId> = rows.iter().map(|row| row.directory).collect();
        let all = app.store.directories().await?.into_iter();
        next = all.filter(|row| servers.contains(&row.id)).map(|row| (row.id, row.name)).collect();
    }
    Ok(Done { key, count: rows.len(), next })
}

/// The conflicts that were marked; or all of the list, as far as they offer
/// this way out.
async fn meant(web: &Web, form: &Sent, wish: &Wish) -> Result<Vec<ConflictRow>> {
    if sent(form, "all").is_empty() {
        let ids = form.iter().filter(|(name, _)| name == "ids");
        let ids: Vec<i64> = ids.filter_map(|(_, id)| id.parse().ok()).collect();
        return match ids.is_empty() {
            true => Err(anyhow!(Usage("no conflict is marked".to_owned()))),
            false => conflicts::rows(&web.app, &ids).await,
        };
    }
    let wanted = Wanted::of(|name| sent(form, name).to_owned());
    let at = wanted.filter(&web.app.store.directories().await?);
    let mut rows = Vec::new();
    loop {
        let window = Window { limit: LIST_ROWS_MAX, offset: u32::try_from(rows.len())? };
        let found = web.app.store.conflict_page(&at.query(window)).await?;
        let is_last = found.rows.len() < LIST_ROWS_MAX as usize;
        rows.extend(found.rows);
        if is_last {
            break;
        }
    }
    rows.retain(|row| way(wish).is_none_or(|way| row.conflict.ways_out.contains(&way)));
    match rows.is_empty() {
        true => Err(anyhow!(Usage("none of these conflicts can be answered so".to_owned()))),
        false => Ok(rows),
    }
}

/// The way out that a conflict has to offer for this.
const fn way(wish: &Wish) -> Option<WayOut> {
    match wish {
        Wish::Retry => Some(WayOut::Retry),
        Wish::Remove | Wish::Say(Said::AskAgain) => None,
        Wish::Say(Said::UseDirectory) => Some(WayOut::UseDirectory),
        Wish::Say(Said::UsePbx) => Some(WayOut::UsePbx),
        Wish::Say(Said::Employee { .. }) => Some(WayOut::PickEmployee),
        Wish::Say(Said::NewEmployee) => Some(WayOut::NewEmployee),
        Wish::Say(Said::Relink) => Some(WayOut::Relink),
        Wish::Say(Said::Number { .. }) => Some(WayOut::GiveNumber),
        Wish::Say(Said::LeaveOut) => Some(WayOut::LeaveOut),
        Wish::Say(Said::LeaveAsIs) => Some(WayOut::LeaveAsIs),
    }
}

/// Removes all rows, of one server or of all; what still stands returns.
pub async fn clear(
    State(web): State<Web>,
    visit: Visit,
    Form(form): Form<Sent>,
) -> Result<Response, Problem> {
    let servers = web.app.store.directories().await?;
    let of = match sent(&form, "server") {
        "" => ConflictsOf::Everybody,
        id => match servers.iter().find(|row| row.id.to_string() == id) {
            Some(row) => ConflictsOf::Directory(row.id),
            None => return Err(Problem::not_found()),
        },
    };
    let Settled::Cleared { cleared } = conflicts::clear(&web.app, of).await? else {
        return Err(anyhow!("clearing told of something else").into());
    };
    let text = visit.lang.say("conflicts-cleared", &[("n", cleared.into())]);
    web.sessions.tell(visit.session.as_ref(), FlashKind::Good, text);
    Ok(Redirect::to(local_path(sent(&form, "then"))).into_response())
}

#[cfg(test)]
mod tests;
