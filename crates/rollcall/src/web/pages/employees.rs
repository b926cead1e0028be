//! Everybody who is linked: found, filtered, sorted and cut to pages where
//! they are stored.

use super::{Choice, servers_by_name};
use crate::cli::people::last_whole_run;
use crate::cli::words;
use crate::limits;
use crate::web::Web;
use crate::web::lists::{Wishes, base, paged};
use crate::web::problem::Problem;
use crate::web::render::{Nav, Page, Pager, html};
use crate::web::visit::{Visit, encoded};
use anyhow::Result;
use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use reconcile::{LeftReason, LinkState, PersonId};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use store::{DirectoryId, LastRun, Order, PeopleQuery, PeopleSort, PersonRow, PersonStatus, RunId, Standing};

#[derive(Template)]
#[template(path = "employees.html")]
struct EmployeesPage {
    p: Page,
    servers: Vec<Choice>,
    states: Vec<Choice>,
    search: String,
    sort: &'static str,
    order: &'static str,
    heads: Vec<Head>,
    rows: Vec<Row>,
    pager: Pager,
    base: String,
    is_filtered: bool,
}

struct Row {
    person: PersonRow,
    href: String,
    server: String,
    /// The word of the state.
    state: String,
    tone: &'static str,
    since_ms: Option<i64>,
    last: Option<LastRun>,
}

/// The head of a column.
struct Head {
    text: String,
    /// Where the list is sorted by it.
    href: Option<String>,
    sorted: Option<&'static str>,
}

/// The texts of the columns, and what sorts by them.
const COLUMNS: [(&str, Option<PeopleSort>); 9] = [
    ("name", Some(PeopleSort::Name)),
    ("extension", Some(PeopleSort::Number)),
    ("field-email", Some(PeopleSort::Email)),
    ("field-mobile", None),
    ("server", None),
    ("state", Some(PeopleSort::Since)),
    ("status", None),
    ("updated", None),
    ("last-run", Some(PeopleSort::LastRun)),
];

pub const LEFT: [LeftReason; 6] = [
    LeftReason::Disabled,
    LeftReason::Expired,
    LeftReason::Locked,
    LeftReason::Deleted,
    LeftReason::MovedOut,
    LeftReason::FilteredOut,
];

pub async fn list(
    State(web): State<Web>,
    visit: Visit,
    Query(wishes): Query<Wishes>,
) -> Result<Response, Problem> {
    let p = Page::of(&web, &visit, Nav::Employees, visit.lang.say("employees-title", &[])).await?;
    let servers = servers_by_name(&web, wishes.number("server")).await?;
    let server = servers.iter().find(|choice| choice.is_chosen).map(|choice| choice.value.clone());
    let server = server.unwrap_or_default();
    let state = standing(wishes.text("state"));
    let state_word = state.map(|_| wishes.text("state")).unwrap_or_default();
    let sort = wishes.text("sort");
    let sort =
        COLUMNS.into_iter().find_map(|(_, by)| by.filter(|by| sort_word(*by) == sort)).unwrap_or_default();
    let order = if wishes.text("order") == "desc" { Order::Descending } else { Order::Ascending };
    let search = wishes.text("search");
    let query = &PeopleQuery {
        directory: server.parse().ok().map(DirectoryId),
        state,
        search: search.to_owned(),
        sort,
        order,
        ..PeopleQuery::default()
    };
    let store = &web.app.store;
    let (found, pager) = paged(wishes.page(), limits::PAGE_ROWS, |window| async move {
        store.people(&PeopleQuery { window, ..query.clone() }).await
    })
    .await?;
    let filter = [("server", &*server), ("state", state_word), ("search", search)];
    let list = base(&[&filter[..], &[("sort", sort_word(sort)), ("order", order_word(order))]].concat());
    html(&EmployeesPage {
        heads: heads(&p, &base(&filter), sort, order),
        rows: rows(&web, &servers, found).await?,
        states: states(&p, state_word),
        servers,
        search: search.to_owned(),
        sort: sort_word(sort),
        order: order_word(order),
        pager,
        base: list,
        is_filtered: filter.iter().any(|(_, value)| !value.is_empty()),
        p,
    })
}

async fn rows(web: &Web, servers: &[Choice], found: Vec<PersonRow>) -> Result<Vec<Row>> {
    let mut whole: BTreeMap<DirectoryId, Option<RunId>> = BTreeMap::new();
    for person in &found {
        if let Entry::Vacant(unknown) = whole.entry(person.directory) {
            unknown.insert(last_whole_run(&web.app, person.directory).await?);
        }
    }
    let row = |person: PersonRow| {
        let whole = whole.get(&person.directory).copied().flatten();
        let server = servers.iter().find(|choice| choice.value == person.directory.to_string());
        let (state, tone, since_ms) = match &person.state {
            LinkState::Active => ("active".to_owned(), "good", None),
            LinkState::Resting { since_ms } => ("resting".to_owned(), "warn", Some(*since_ms)),
            LinkState::Left { reason, since_ms } => (words::word(reason), "warn", Some(*since_ms)),
        };
        Row {
            href: href(person.directory, &person.person),
            server: server.map(|choice| choice.text.clone()).unwrap_or_default(),
            state,
            tone,
            since_ms,
            last: person.last.clone().filter(|last| !is_over(last, whole)),
            person,
        }
    };
    Ok(found.into_iter().map(row).collect())
}

/// A trouble that a later run did not find is over.
fn is_over(last: &LastRun, whole: Option<RunId>) -> bool {
    matches!(last.status, PersonStatus::Conflict | PersonStatus::Failed) && Some(last.run) < whole
}

/// The page of a person.
pub fn href(directory: DirectoryId, person: &PersonId) -> String {
    format!("/employees/{directory}/{}", encoded(person.as_str()))
}

fn standing(word: &str) -> Option<Standing> {
    match word {
        "active" => Some(Standing::Active),
        "resting" => Some(Standing::Resting),
        "left" => Some(Standing::Left),
        _ => words::meaning(word).map(Standing::LeftAs),
    }
}

fn states(p: &Page, chosen: &str) -> Vec<Choice> {
    let words = ["active", "resting", "left"].map(str::to_owned).into_iter();
    let words = words.chain(LEFT.map(words::word));
    words
        .map(|word| Choice { text: p.word("state", &word), is_chosen: word == chosen, value: word })
        .collect()
}

/// By what a list is sorted, as an address says it.
const fn sort_word(sort: PeopleSort) -> &'static str {
    match sort {
        PeopleSort::Name => "name",
        PeopleSort::Number => "number",
        PeopleSort::Email => "email",
        PeopleSort::Since => "since",
        PeopleSort::LastRun => "run",
    }
}

const fn order_word(order: Order) -> &'static str {
    match order {
        Order::Ascending => "asc",
        Order::Descending => "desc",
    }
}

/// The heads of the columns; the one that is sorted by turns the order round.
fn heads(p: &Page, base: &str, sort: PeopleSort, order: Order) -> Vec<Head> {
    let head = |(key, by): (&str, Option<PeopleSort>)| {
        let is_sorted = by == Some(sort);
        let next = match order {
            Order::Ascending if is_sorted => Order::Descending,
            _ => Order::Ascending,
        };
        let sorted = match order {
            Order::Ascending => "ascending",
            Order::Descending => "descending",
        };
        Head {
            text: p.t(key),
            href: by.map(|by| format!("{base}sort={}&order={}", sort_word(by), order_word(next))),
            sorted: is_sorted.then_some(sorted),
        }
    };
    COLUMNS.into_iter().map(head).collect()
}
