//! Settings of Rollcall itself: signing in, sessions, tokens, who is told, and
//! what it is.

mod account;
mod notifications;
mod sessions;
mod tokens;

use crate::app::{App, Usage};
use crate::cli::errors::describe;
use crate::support;
use crate::web::Web;
use crate::web::auth::FlashKind;
use crate::web::problem::Problem;
use crate::web::render::{Nav, Page, html};
use crate::web::visit::Visit;
use anyhow::Result;
use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use store::PbxId;

pub fn routes() -> Router<Web> {
    Router::new()
        .route("/settings", get(account::show).post(account::change))
        .route("/settings/by-pbx", post(account::by_pbx))
        .route("/settings/sessions", get(sessions::show))
        .route("/settings/sessions/end", post(sessions::end))
        .route("/settings/sessions/end-others", post(sessions::end_others))
        .route("/settings/tokens", get(tokens::show).post(tokens::make))
        .route("/settings/tokens/revoke", post(tokens::revoke))
        .route("/settings/notifications", get(notifications::show))
        .route("/settings/notifications/off", post(notifications::off))
        .route("/settings/notifications/test", post(notifications::test))
        .route("/settings/about", get(about))
        .route("/settings/support.json", get(bundle))
}

/// The pages of the settings, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tab {
    SignIn,
    Sessions,
    Tokens,
    Notifications,
    About,
}

impl Tab {
    pub const ALL: [Tab; 5] = [Tab::SignIn, Tab::Sessions, Tab::Tokens, Tab::Notifications, Tab::About];

    pub const fn as_str(self) -> &'static str {
        match self {
            Tab::SignIn => "sign-in",
            Tab::Sessions => "sessions",
            Tab::Tokens => "tokens",
            Tab::Notifications => "notifications",
            Tab::About => "about",
        }
    }

    pub const fn href(self) -> &'static str {
        match self {
            Tab::SignIn => "/settings",
            Tab::Sessions => "/settings/sessions",
            Tab::Tokens => "/settings/tokens",
            Tab::Notifications => "/settings/notifications",
            Tab::About => "/settings/about",
        }
    }
}

/// The frame of one of them, with links to the others.
struct Frame {
    page: Page,
    tab: Tab,
}

impl Frame {
    async fn of(web: &Web, visit: &Visit, tab: Tab) -> Result<Self, Problem> {
        let page = Page::of(web, visit, Nav::Settings, visit.lang.say("nav-settings", &[])).await?;
        Ok(Frame { page, tab })
    }

    fn tabs(&self) -> [(Tab, bool); 5] {
        Tab::ALL.map(|tab| (tab, tab == self.tab))
    }
}

/// Back to a tab, told what became of it. Whatever the administrator can mend
/// is told there, too.
fn back(web: &Web, visit: &Visit, tab: Tab, done: Result<String>) -> Result<Response, Problem> {
    let (kind, text) = match done {
        Ok(text) => (FlashKind::Good, text),
        Err(error) if error.is::<Usage>() => (FlashKind::Bad, describe(&error)),
        Err(error) => return Err(error.into()),
    };
    web.sessions.tell(visit.session.as_ref(), kind, text);
    Ok(Redirect::to(tab.href()).into_response())
}

#[derive(Template)]
#[template(path = "settings-about.html")]
struct AboutPage {
    p: Page,
    tabs: [(Tab, bool); 5],
    version: &'static str,
    schema: i64,
    servers: usize,
    people: u64,
    open: u64,
    waiting: u64,
    has_pbx: bool,
}

async fn about(State(web): State<Web>, visit: Visit) -> Result<Response, Problem> {
    let counts = web.app.store.directory_counts().await?;
    let frame = Frame::of(&web, &visit, Tab::About).await?;
    html(&AboutPage {
        tabs: frame.tabs(),
        p: frame.page,
        version: env!("CARGO_PKG_VERSION"),
        schema: store::known_schema(),
        servers: counts.len(),
        people: counts.values().map(|counts| counts.linked).sum(),
        open: counts.values().map(|counts| counts.conflicts_open).sum(),
        waiting: counts.values().map(|counts| counts.quarantined).sum(),
        has_pbx: has_pbx(&web.app).await?,
    })
}

async fn has_pbx(app: &App) -> Result<bool> {
    Ok(app.store.pbxes().await?.iter().any(|row| row.id == PbxId::DEFAULT && !row.settings.is_null()))
}

/// A file for whoever is asked for help.
async fn bundle(State(web): State<Web>) -> Result<Response, Problem> {
    let text = serde_json::to_string_pretty(&support::bundle(&web.app).await?)?;
    let kind = (header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let name = HeaderValue::from_static("attachment; filename=\"rollcall-support.json\"");
    Ok(([kind, (header::CONTENT_DISPOSITION, name)], text).into_response())
}

#[cfg(test)]
mod tests;
