//! From nothing to automatic synchronisation, one step after the other; and
//! the first of them, the PBX.

use crate::app::{App, directory_settings, pbx_settings};
use crate::cli::pbx as pbx_command;
use crate::cycle;
use crate::schedule::Schedule;
use crate::web::Web;
use crate::web::auth::FlashKind;
use crate::web::problem::Problem;
use crate::web::render::{Nav, Page, html};
use crate::web::visit::Visit;
use anyhow::Result;
use askama::Template;
use axum::extract::{Form, State};
use axum::response::{IntoResponse, Redirect, Response};
use pbx::{Settings, SignIn, Trust};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use store::{Outcome, PbxId, SecretOf};

/// One of the first steps.
struct Step {
    key: &'static str,
    done: bool,
    /// Everything before it is done.
    open: bool,
    href: String,
}

impl Step {
    const fn action(&self) -> &'static str {
        if self.done { "step-look" } else { "step-begin" }
    }
}

#[derive(Template)]
#[template(path = "first-steps.html")]
struct FirstSteps {
    p: Page,
    steps: Vec<Step>,
    all_done: bool,
}

pub async fn show(State(web): State<Web>, visit: Visit) -> Result<Response, Problem> {
    let steps = steps(&web.app).await?;
    let all_done = steps.iter().all(|step| step.done);
    let p = Page::of(&web, &visit, Nav::FirstSteps, visit.lang.say("first-steps-title", &[])).await?;
    html(&FirstSteps { p, steps, all_done })
}

async fn steps(app: &App) -> Result<Vec<Step>> {
    let has_pbx = app.store.pbxes().await?.iter().any(|row| !row.settings.is_null());
    let server = app.store.directories().await?.into_iter().next();
    let id = server.as_ref().map(|row| row.id.to_string()).unwrap_or_default();
    let (mut mapped, mut looked, mut ran, mut automatic) = (false, false, false, false);
    if let Some(row) = &server {
        mapped = directory_settings(row)?.check().is_ok();
        looked = has_pbx && cycle::look_first(app, row).await?.is_none();
        let runs = app.store.runs(Some(row.id), 20, 0).await?;
        ran = row.ran_before || runs.iter().any(|run| run.outcome == Outcome::Done);
        automatic = Schedule::of(app, row.id).await?.automatic;
    }
    let below =
        |path: &str| if id.is_empty() { "/servers/new".to_owned() } else { format!("/servers/{id}{path}") };
    let all = [
        ("pbx", has_pbx, "/pbx".to_owned()),
        ("server", server.is_some(), below("")),
        ("map", mapped, below("/attributes")),
        ("request", looked || ran, below("/request")),
        ("synchronize", ran, below("/synchronize")),
        ("automatic", automatic, "/servers".to_owned()),
    ];
    let mut open = true;
    let step = |(key, done, href)| {
        let step = Step { key, done, open, href };
        open = open && done;
        step
    };
    Ok(all.into_iter().map(step).collect())
}

#[derive(Template)]
#[template(path = "pbx.html")]
struct PbxPage {
    p: Page,
    form: PbxForm,
    has_secret: bool,
    steps: Vec<pbx::Step>,
    warnings: Vec<String>,
    error: Option<String>,
    /// What the PBX shows as its certificate, where nobody trusts it yet.
    offered: Option<String>,
}

/// The secret is never sent back.
#[derive(Deserialize)]
pub struct PbxForm {
    url: String,
    sign_in: String,
    #[serde(default)]
    login: String,
    #[serde(default)]
    secret: SecretString,
    trust: String,
    #[serde(default)]
    pem: String,
    #[serde(default)]
    sha256: String,
}

impl PbxForm {
    fn of(settings: Option<&Settings>) -> Self {
        let (sign_in, login) = match settings.map(|settings| &settings.sign_in) {
            None | Some(SignIn::Local) => ("local", ""),
            Some(SignIn::ApiKey) => ("api-key", ""),
            Some(SignIn::Login { login }) => ("login", login.as_str()),
        };
        let (trust, pem, sha256) = match settings.map(|settings| &settings.trust) {
            None | Some(Trust::SystemRoots) => ("system", "", ""),
            Some(Trust::Authority { pem }) => ("authority", pem.as_str(), ""),
            Some(Trust::Pinned { sha256 }) => ("pinned", "", sha256.as_str()),
        };
        PbxForm {
            url: settings.map_or("http://127.0.0.1", |settings| &settings.url).to_owned(),
            sign_in: sign_in.to_owned(),
            login: login.to_owned(),
            secret: SecretString::default(),
            trust: trust.to_owned(),
            pem: pem.to_owned(),
            sha256: sha256.to_owned(),
        }
    }

    fn settings(&self) -> Settings {
        Settings {
            url: self.url.trim().to_owned(),
            sign_in: match self.sign_in.as_str() {
                "api-key" => SignIn::ApiKey,
                "login" => SignIn::Login { login: self.login.trim().to_owned() },
                _ => SignIn::Local,
            },
            trust: match self.trust.as_str() {
                "authority" => Trust::Authority { pem: self.pem.trim().to_owned() },
                "pinned" => Trust::Pinned { sha256: self.sha256.trim().to_owned() },
                _ => Trust::SystemRoots,
            },
        }
    }
}

async fn stored(app: &App) -> Result<Option<Settings>> {
    let row = app.store.pbxes().await?.into_iter().find(|row| row.id == PbxId::DEFAULT);
    row.filter(|row| !row.settings.is_null()).map(|row| pbx_settings(&row)).transpose()
}

pub async fn pbx(State(web): State<Web>, visit: Visit) -> Result<Response, Problem> {
    let form = PbxForm::of(stored(&web.app).await?.as_ref());
    page(&web, &visit, form, Vec::new(), None).await
}

/// Saves what was entered, and tries it at once.
pub async fn set_pbx(
    State(web): State<Web>,
    visit: Visit,
    Form(form): Form<PbxForm>,
) -> Result<Response, Problem> {
    let settings = form.settings();
    let before = stored(&web.app).await?;
    // Another address or sign-in is another secret: the stored one is sent to
    // nobody else. An empty field means the one there is.
    let same = before
        .as_ref()
        .is_some_and(|before| before.sign_in == settings.sign_in && before.url == settings.url);
    let secret = match form.secret.expose_secret().is_empty() {
        true if same => None,
        _ => Some(form.secret.clone()),
    };
    if let Err(error) = pbx_command::store(&web.app, &settings, secret.as_ref()).await {
        let text = crate::cli::errors::describe(&error);
        return page(&web, &visit, form, Vec::new(), Some(text)).await;
    }
    test(&web, &visit).await
}

pub async fn test_pbx(State(web): State<Web>, visit: Visit) -> Result<Response, Problem> {
    match stored(&web.app).await? {
        Some(_) => test(&web, &visit).await,
        None => Ok(Redirect::to("/pbx").into_response()),
    }
}

async fn test(web: &Web, visit: &Visit) -> Result<Response, Problem> {
    let form = PbxForm::of(stored(&web.app).await?.as_ref());
    match web.app.pbx(PbxId::DEFAULT).await {
        Ok(pbx) => {
            let steps = pbx.test().await;
            if steps.iter().all(|step| step.ok) {
                let text = visit.lang.say("pbx-works", &[]);
                web.sessions.tell(visit.session.as_ref(), FlashKind::Good, text);
            }
            page(web, visit, form, steps, None).await
        }
        Err(error) => {
            let text = crate::cli::errors::describe(&error);
            page(web, visit, form, Vec::new(), Some(text)).await
        }
    }
}

async fn page(
    web: &Web,
    visit: &Visit,
    form: PbxForm,
    steps: Vec<pbx::Step>,
    error: Option<String>,
) -> Result<Response, Problem> {
    let settings = form.settings();
    let untrusted = steps.iter().any(|step| step.name == "certificate" && !step.ok);
    let offered = match untrusted {
        true => pbx::certificate_fingerprint(&settings).await.ok(),
        false => None,
    };
    let warnings = settings.check().unwrap_or_default().iter().map(ToString::to_string).collect();
    let has_secret = web.app.store.secret(SecretOf::Pbx(PbxId::DEFAULT)).await?.is_some();
    let p = Page::of(web, visit, Nav::FirstSteps, visit.lang.say("pbx-title", &[])).await?;
    html(&PbxPage { p, form, has_secret, steps, warnings, error, offered })
}
