//! People who are disabled or gone, while their employees keep working. A row
//! goes by itself when somebody returns, or when the employee is deleted.

use super::employees::{LEFT, href};
use super::{Choice, server, servers_by_name};
use crate::cli::words;
use crate::limits;
use crate::mentions::{self, Mentions};
use crate::web::Web;
use crate::web::download::{self, Part, line};
use crate::web::lang::Arg;
use crate::web::lists::{Wishes, base, paged};
use crate::web::problem::Problem;
use crate::web::render::{Nav, Page, Pager, html};
use crate::web::visit::{Visit, encoded};
use anyhow::Result;
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use jiff::Timestamp;
use pbx::Forwarding;
use reconcile::{Field, LeftReason, LinkState, PersonId, TakenNumber};
use store::{DirectoryId, PeopleQuery, PersonRow, Standing, Window};

#[derive(Template)]
#[template(path = "disabled.html")]
struct DisabledPage {
    p: Page,
    servers: Vec<Choice>,
    reasons: Vec<Choice>,
    search: String,
    rows: Vec<Row>,
    pager: Pager,
    base: String,
    is_filtered: bool,
}

struct Row {
    person: PersonRow,
    href: String,
    /// Where to see what mentions the number.
    mentions: String,
    server: String,
    reason: LeftReason,
    since_ms: i64,
}

/// Which of them.
struct Filter {
    servers: Vec<Choice>,
    server: String,
    reason: Option<LeftReason>,
    search: String,
}

impl Filter {
    async fn of(web: &Web, wishes: &Wishes) -> Result<Self> {
        let servers = servers_by_name(web, wishes.number("server")).await?;
        let server = servers.iter().find(|choice| choice.is_chosen).map(|choice| choice.value.clone());
        Ok(Filter {
            server: server.unwrap_or_default(),
            servers,
            reason: wishes.one_of("reason"),
            search: wishes.text("search").to_owned(),
        })
    }

    fn query(&self, window: Window) -> PeopleQuery {
        PeopleQuery {
            directory: self.server.parse().ok().map(DirectoryId),
            state: Some(self.reason.map_or(Standing::Left, Standing::LeftAs)),
            search: self.search.clone(),
            window,
            ..PeopleQuery::default()
        }
    }

    fn base(&self) -> String {
        let reason = self.reason.map(words::word).unwrap_or_default();
        base(&[("server", &self.server), ("reason", &reason), ("search", &self.search)])
    }
}

pub async fn list(
    State(web): State<Web>,
    visit: Visit,
    Query(wishes): Query<Wishes>,
) -> Result<Response, Problem> {
    let p = Page::of(&web, &visit, Nav::Disabled, visit.lang.say("nav-disabled", &[])).await?;
    let filter = Filter::of(&web, &wishes).await?;
    let (store, asked) = (&web.app.store, &filter);
    let (found, pager) =
        paged(
            wishes.page(),
            limits::PAGE_ROWS,
            |window| async move { store.people(&asked.query(window)).await },
        )
        .await?;
    let reason = |reason: LeftReason| Choice {
        text: p.named("state", &reason),
        is_chosen: filter.reason == Some(reason),
        value: words::word(reason),
    };
    let base = filter.base();
    html(&DisabledPage {
        rows: found.into_iter().filter_map(|person| row(&filter.servers, person)).collect(),
        reasons: LEFT.map(reason).into(),
        is_filtered: base.len() > 1,
        base,
        servers: filter.servers,
        search: filter.search,
        pager,
        p,
    })
}

/// Everybody here has left; whoever returned between two looks is no row.
fn row(servers: &[Choice], person: PersonRow) -> Option<Row> {
    let LinkState::Left { reason, since_ms } = person.state else { return None };
    let server = servers.iter().find(|choice| choice.value == person.directory.to_string());
    Some(Row {
        href: href(person.directory, &person.person),
        mentions: format!("/disabled/{}/{}", person.directory, encoded(person.person.as_str())),
        server: server.map(|choice| choice.text.clone()).unwrap_or_default(),
        reason,
        since_ms,
        person,
    })
}

pub async fn csv(State(web): State<Web>, Query(wishes): Query<Wishes>) -> Result<Response, Problem> {
    download::file("rollcall-disabled.csv", download::CSV, move |from| {
        let (web, wishes) = (web.clone(), wishes.clone());
        async move {
            let filter = Filter::of(&web, &wishes).await?;
            let window = Window { limit: limits::DOWNLOAD_ROWS, offset: from };
            let found = web.app.store.people(&filter.query(window)).await?.rows;
            let count = u32::try_from(found.len())?;
            let rows: Vec<Row> =
                found.into_iter().filter_map(|person| row(&filter.servers, person)).collect();
            let next = (count == limits::DOWNLOAD_ROWS).then_some(from + count);
            Ok(Part { text: csv_of(&rows, from == 0), next })
        }
    })
}

fn csv_of(rows: &[Row], is_first: bool) -> String {
    let mut text = String::new();
    if is_first {
        text.push(download::CSV_MARK);
        let head = ["name", "number", "email", "reason", "since", "server", "employee"];
        line(&mut text, head.map(str::to_owned));
    }
    for row in rows {
        let PersonRow { name, number, email, employee, .. } = &row.person;
        let since = Timestamp::from_millisecond(row.since_ms).map(|time| time.to_string());
        let cells = [
            name.clone(),
            number.clone(),
            email.clone(),
            words::word(row.reason),
            since.unwrap_or_default(),
            row.server.clone(),
            employee.to_string(),
        ];
        line(&mut text, cells);
    }
    text
}

/// What a row is opened for; also a page of its own.
#[derive(Template)]
#[template(path = "mentions.html")]
struct MentionsPart<'a> {
    p: &'a Page,
    number: &'a str,
    mentions: &'a Mentions,
    pbx_page: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "mentions-page.html")]
struct MentionsPage<'a> {
    p: Page,
    href: String,
    part: &'a str,
}

impl MentionsPart<'_> {
    fn held(&self, taken: &TakenNumber) -> String {
        let args = [("number", Arg::from(self.number)), ("holder", Arg::from(&*taken.holder))];
        self.p.lang.say("mentions-number-of", &args)
    }

    /// Where calls go on to, and when.
    fn forwards<'a>(&self, forwarding: &'a Forwarding) -> Vec<(&'static str, &'a str)> {
        let Forwarding { unanswered, busy, unavailable, ring_s: _ } = forwarding;
        let all = [("unanswered", unanswered), ("busy", busy), ("unavailable", unavailable)];
        all.into_iter().filter(|(_, to)| !to.is_empty()).map(|(when, to)| (when, to.as_str())).collect()
    }
}

pub async fn mentions(
    State(web): State<Web>,
    visit: Visit,
    Path((id, person)): Path<(i64, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let row = server(&web, id).await?;
    let person = PersonId::new(&*person);
    let link = web.app.store.link(row.id, &person).await?.ok_or_else(Problem::not_found)?;
    let number = crate::cli::people::last_seen(&link, Field::Extension).unwrap_or_default();
    let mentions = mentions::of(&web.app, &row, &link, &number).await;
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let pbx_page = mentions::employee_page(&web.app, &row, link.employee, host).await?;
    let is_part = headers.contains_key("x-part");
    let p = match is_part {
        true => Page::outside(&web, &visit, &*link.name),
        false => Page::of(&web, &visit, Nav::Disabled, &*link.name).await?,
    };
    let part = MentionsPart { p: &p, number: &number, mentions: &mentions, pbx_page: pbx_page.as_deref() };
    if is_part {
        return html(&part);
    }
    let part = part.render()?;
    html(&MentionsPage { href: href(row.id, &person), part: &part, p })
}
