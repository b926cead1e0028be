//! Signing in and out, and the first visit.

use crate::web::Web;
use crate::web::auth::{self, Account, Refused, SESSION_COOKIE, local_path};
use crate::web::doors::Peer;
use crate::web::problem::Problem;
use crate::web::render::{Page, html};
use crate::web::visit::Visit;
use crate::{app::Usage, limits};
use askama::Template;
use axum::extract::{ConnectInfo, Form, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::net::IpAddr;

#[derive(Template)]
#[template(path = "sign-in.html")]
struct SignInPage {
    p: Page,
    then: String,
    login: String,
    by_pbx: bool,
    with_pbx: bool,
    error: Option<String>,
}

#[derive(Deserialize, Default)]
pub struct Then {
    #[serde(default)]
    then: String,
}

pub async fn show(
    State(web): State<Web>,
    visit: Visit,
    Query(query): Query<Then>,
) -> Result<Response, Problem> {
    if visit.session.is_some() {
        return Ok(Redirect::to(local_path(&query.then)).into_response());
    }
    let Some(account) = Account::of(&web.app).await? else {
        return Ok(Redirect::to("/setup").into_response());
    };
    let p = Page::outside(&web, &visit, visit.lang.say("sign-in", &[]));
    let then = local_path(&query.then).to_owned();
    let login = String::new();
    html(&SignInPage { p, then, login, by_pbx: account.by_pbx, with_pbx: false, error: None })
}

#[derive(Deserialize)]
pub struct Credentials {
    login: String,
    password: SecretString,
    #[serde(default)]
    with: String,
    #[serde(default)]
    then: String,
}

pub async fn sign_in(
    State(web): State<Web>,
    visit: Visit,
    ConnectInfo(Peer(from)): ConnectInfo<Peer>,
    headers: HeaderMap,
    Form(given): Form<Credentials>,
) -> Result<Response, Problem> {
    let Some(account) = Account::of(&web.app).await? else {
        return Ok(Redirect::to("/setup").into_response());
    };
    let with_pbx = account.by_pbx && given.with == "mikopbx";
    let error = match let_in(&web, &account, &given, with_pbx, from).await {
        Ok(Ok(())) => {
            let agent = headers.get(header::USER_AGENT).and_then(|text| text.to_str().ok());
            let key = web.sessions.begin(given.login.trim(), with_pbx, agent.unwrap_or_default()).await?;
            let mut response = Redirect::to(local_path(&given.then)).into_response();
            response.headers_mut().append(header::SET_COOKIE, session_cookie(&web, &key)?);
            return Ok(response);
        }
        Ok(Err(Refused::Wrong)) => visit.lang.say("sign-in-wrong", &[]),
        Ok(Err(Refused::Throttled { wait_s })) => {
            let wait = i64::try_from(wait_s).unwrap_or(i64::MAX);
            visit.lang.say("sign-in-throttled", &[("n", wait.into())])
        }
        // The PBX did not answer: nobody was refused.
        Err(error) => crate::cli::errors::describe(&error),
    };
    let page = SignInPage {
        p: Page::outside(&web, &visit, visit.lang.say("sign-in", &[])),
        then: local_path(&given.then).to_owned(),
        login: given.login,
        by_pbx: account.by_pbx,
        with_pbx,
        error: Some(error),
    };
    Ok((StatusCode::UNAUTHORIZED, html(&page)?).into_response())
}

async fn let_in(
    web: &Web,
    account: &Account,
    given: &Credentials,
    with_pbx: bool,
    from: IpAddr,
) -> anyhow::Result<Result<(), Refused>> {
    if let Err(wait_s) = web.throttle.try_from(from) {
        return Ok(Err(Refused::Throttled { wait_s }));
    }
    let right = match with_pbx {
        true => auth::pbx_lets_in(&web.app, &given.login, &given.password).await?,
        false => account.is(&given.login, &given.password).await?,
    };
    Ok(if right { Ok(()) } else { Err(Refused::Wrong) })
}

pub async fn out(State(web): State<Web>, visit: Visit) -> Result<Response, Problem> {
    if let Some(session) = &visit.session {
        web.sessions.end(&session.id).await?;
        web.drafts.forget_session(&session.id);
    }
    let mut response = Redirect::to("/sign-in").into_response();
    let gone = format!("{SESSION_COOKIE}=; Path=/; Max-Age=0; SameSite=Lax; HttpOnly");
    response.headers_mut().append(header::SET_COOKIE, HeaderValue::try_from(gone)?);
    Ok(response)
}

#[derive(Template)]
#[template(path = "setup.html")]
struct SetupPage {
    p: Page,
    key: Option<String>,
    login: String,
    min: usize,
    error: Option<String>,
}

#[derive(Deserialize, Default)]
pub struct Key {
    #[serde(default)]
    key: String,
}

/// Without the right key the page says where to find it.
pub async fn setup(
    State(web): State<Web>,
    visit: Visit,
    Query(query): Query<Key>,
) -> Result<Response, Problem> {
    if !web.needs_setup().await? {
        return Ok(Redirect::to("/sign-in").into_response());
    }
    let key = Some(query.key).filter(|key| web.setup.is(key));
    setup_page(&web, &visit, key, "admin".to_owned(), None)
}

fn setup_page(
    web: &Web,
    visit: &Visit,
    key: Option<String>,
    login: String,
    error: Option<String>,
) -> Result<Response, Problem> {
    let p = Page::outside(web, visit, visit.lang.say("setup-title", &[]));
    html(&SetupPage { p, key, login, min: limits::PASSWORD_CHARS_MIN, error })
}

#[derive(Deserialize)]
pub struct FirstAccount {
    key: String,
    login: String,
    password: SecretString,
    again: SecretString,
}

pub async fn set_up(
    State(web): State<Web>,
    visit: Visit,
    headers: HeaderMap,
    Form(given): Form<FirstAccount>,
) -> Result<Response, Problem> {
    if !web.needs_setup().await? {
        return Ok(Redirect::to("/sign-in").into_response());
    }
    if !web.setup.is(&given.key) {
        return setup_page(&web, &visit, None, given.login, None);
    }
    let set = match given.password.expose_secret() == given.again.expose_secret() {
        true => Account::set(&web.app, &given.login, &given.password).await,
        false => Err(anyhow::anyhow!(Usage(visit.lang.say("password-differs", &[])))),
    };
    if let Err(error) = set {
        let text = error.to_string();
        return setup_page(&web, &visit, Some(given.key), given.login, Some(text));
    }
    let agent = headers.get(header::USER_AGENT).and_then(|text| text.to_str().ok());
    let key = web.sessions.begin(given.login.trim(), false, agent.unwrap_or_default()).await?;
    let mut response = Redirect::to("/first-steps").into_response();
    response.headers_mut().append(header::SET_COOKIE, session_cookie(&web, &key)?);
    Ok(response)
}

/// For the whole life of a session; the server ends it before.
fn session_cookie(web: &Web, key: &str) -> Result<HeaderValue, Problem> {
    let age_s = limits::SESSION_MS / 1_000;
    let secure = if web.is_secure() { "; Secure" } else { "" };
    let text = format!("{SESSION_COOKIE}={key}; Path=/; Max-Age={age_s}; SameSite=Lax; HttpOnly{secure}");
    let mut value = HeaderValue::try_from(text)?;
    value.set_sensitive(true);
    Ok(value)
}
