//! How the administrator signs in.

use super::{Frame, Tab, back};
use crate::app::Usage;
use crate::limits;
use crate::web::Web;
use crate::web::auth::Account;
use crate::web::doors::Peer;
use crate::web::lang::Arg;
use crate::web::problem::Problem;
use crate::web::render::{Page, html};
use crate::web::visit::Visit;
use anyhow::{Result, anyhow};
use askama::Template;
use axum::extract::{ConnectInfo, Form, State};
use axum::response::Response;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::net::IpAddr;
use store::PbxId;

#[derive(Template)]
#[template(path = "settings-sign-in.html")]
struct SignInPage {
    p: Page,
    tabs: [(Tab, bool); 5],
    login: String,
    by_pbx: bool,
    has_pbx: bool,
    min: usize,
}

pub async fn show(State(web): State<Web>, visit: Visit) -> Result<Response, Problem> {
    let account = Account::of(&web.app).await?;
    let frame = Frame::of(&web, &visit, Tab::SignIn).await?;
    html(&SignInPage {
        tabs: frame.tabs(),
        p: frame.page,
        by_pbx: account.as_ref().is_some_and(|account| account.by_pbx),
        login: account.map(|account| account.name).unwrap_or_default(),
        has_pbx: super::has_pbx(&web.app).await?,
        min: limits::PASSWORD_CHARS_MIN,
    })
}

/// An empty new password keeps the old one.
#[derive(Deserialize)]
pub struct Change {
    login: String,
    old: SecretString,
    #[serde(default)]
    password: SecretString,
    #[serde(default)]
    again: SecretString,
}

pub async fn change(
    State(web): State<Web>,
    visit: Visit,
    ConnectInfo(Peer(from)): ConnectInfo<Peer>,
    Form(given): Form<Change>,
) -> Result<Response, Problem> {
    let done = try_to_change(&web, &visit, from, &given).await;
    back(&web, &visit, Tab::SignIn, done)
}

async fn try_to_change(web: &Web, visit: &Visit, from: IpAddr, given: &Change) -> Result<String> {
    let refused = |key: &str, args: &[(&str, Arg<'_>)]| anyhow!(Usage(visit.lang.say(key, args)));
    // Whoever finds a browser signed in may not guess the password there either.
    if let Err(wait_s) = web.throttle.try_from(from) {
        return Err(refused("sign-in-throttled", &[("n", wait_s.into())]));
    }
    let account = Account::of(&web.app).await?.ok_or_else(|| refused("setup-title", &[]))?;
    if !account.is(&account.name, &given.old).await? {
        return Err(refused("old-password-wrong", &[]));
    }
    if given.password.expose_secret() != given.again.expose_secret() {
        return Err(refused("password-differs", &[]));
    }
    let keeps = given.password.expose_secret().is_empty();
    Account::set(&web.app, &given.login, if keeps { &given.old } else { &given.password }).await?;
    if let Some(session) = &visit.session {
        web.sessions.end_others(&session.id).await?;
    }
    Ok(visit.lang.say("sign-in-changed", &[]))
}

#[derive(Deserialize)]
pub struct Switch {
    #[serde(default)]
    on: bool,
}

/// Whether whoever may sign in to the PBX may sign in here. Switched off, those
/// who did are signed out, except whoever switches.
pub async fn by_pbx(
    State(web): State<Web>,
    visit: Visit,
    Form(switch): Form<Switch>,
) -> Result<Response, Problem> {
    let done = try_to_switch(&web, &visit, switch.on).await;
    back(&web, &visit, Tab::SignIn, done)
}

async fn try_to_switch(web: &Web, visit: &Visit, on: bool) -> Result<String> {
    let account = Account::of(&web.app).await?;
    let mut account = account.ok_or_else(|| anyhow!(Usage(visit.lang.say("setup-title", &[]))))?;
    if on {
        web.app.pbx_row(PbxId::DEFAULT).await?;
    }
    account.by_pbx = on;
    account.keep(&web.app).await?;
    let here = visit.session.as_ref().map(|session| session.id.as_str());
    for session in web.sessions.all().await? {
        if !on && session.row.by_pbx && Some(session.id.as_str()) != here {
            web.sessions.end(&session.id).await?;
        }
    }
    Ok(visit.lang.say(if on { "by-pbx-is-on" } else { "by-pbx-is-off" }, &[]))
}
