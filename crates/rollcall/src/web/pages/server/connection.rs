//! Where a server is, how to sign in, whom it is about; with a diagnosis step
//! by step, and how many people the settings find.

use super::NEW;
use super::draft::Edited;
use crate::cli::errors::{describe, usage};
use crate::web::Web;
use crate::web::auth::FlashKind;
use crate::web::problem::Problem;
use crate::web::render::{Nav, Page, html};
use crate::web::visit::Visit;
use anyhow::Result;
use askama::Template;
use axum::extract::{Form, Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use directory::{Certificate, Count, Kind, Security, SignIn, Step, StepName, StepState, Trust};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

#[derive(Template)]
#[template(path = "server-connection.html")]
struct ConnectionPage {
    p: Page,
    id: i64,
    tab: &'static str,
    edited: Edited,
    kinds: [Kind; 4],
    securities: [Security; 3],
    found: Found,
}

/// What a look at the live server found.
#[derive(Default)]
struct Found {
    steps: Vec<Step>,
    certificate: Option<Certificate>,
    count: Option<Count>,
    error: Option<String>,
    /// Where in the additional filter the mistake is.
    filter_error: Option<String>,
}

impl ConnectionPage {
    fn is_new(&self) -> bool {
        self.id == NEW
    }

    fn lines(&self, lines: &[String]) -> String {
        lines.join("\n")
    }

    fn login(&self) -> &str {
        match &self.edited.draft.settings.sign_in {
            SignIn::Simple { dn } => dn,
            SignIn::External => "",
        }
    }

    /// The port, where it is not the usual one.
    fn port(&self) -> String {
        let settings = &self.edited.draft.settings;
        if settings.port == settings.security.default_port() {
            String::new()
        } else {
            settings.port.to_string()
        }
    }

    fn trust(&self) -> &'static str {
        match &self.edited.draft.settings.trust {
            Trust::System => "system",
            Trust::CaPem(_) => "authority",
            Trust::Fingerprint(_) => "pinned",
        }
    }

    fn pem(&self) -> &str {
        match &self.edited.draft.settings.trust {
            Trust::CaPem(pem) => pem,
            _ => "",
        }
    }

    fn fingerprint(&self) -> String {
        match &self.edited.draft.settings.trust {
            Trust::Fingerprint(fingerprint) => fingerprint.to_string(),
            _ => String::new(),
        }
    }

    fn mark(&self, step: &Step) -> &'static str {
        match step.state {
            StepState::Ok => "✓",
            StepState::Failed => "✕",
            StepState::NotReached => "·",
        }
    }

    fn tone(&self, step: &Step) -> &'static str {
        match step.state {
            StepState::Ok => "good",
            StepState::Failed => "bad",
            StepState::NotReached => "",
        }
    }

    fn step_word(&self, step: &Step) -> String {
        let key = match step.state {
            StepState::Ok => "step-ok",
            StepState::Failed => "step-failed",
            StepState::NotReached => "step-not-reached",
        };
        self.p.t(key)
    }

    fn works(&self) -> bool {
        !self.found.steps.is_empty() && self.found.steps.iter().all(Step::is_ok)
    }
}

pub async fn new(State(web): State<Web>, visit: Visit) -> Result<Response, Problem> {
    let edited = Edited::of(&web, &visit, NEW).await?;
    page(&web, &visit, NEW, edited, Found::default()).await
}

pub async fn show(State(web): State<Web>, visit: Visit, Path(id): Path<i64>) -> Result<Response, Problem> {
    if id == NEW {
        return Ok(Redirect::to("/servers/new").into_response());
    }
    let edited = Edited::of(&web, &visit, id).await?;
    page(&web, &visit, id, edited, Found::default()).await
}

async fn page(web: &Web, visit: &Visit, id: i64, edited: Edited, found: Found) -> Result<Response, Problem> {
    let title = if id == NEW { visit.lang.say("server-new", &[]) } else { edited.name.clone() };
    let p = Page::of(web, visit, Nav::Servers, title).await?;
    html(&ConnectionPage {
        p,
        id,
        tab: "connection",
        edited,
        kinds: Kind::ALL,
        securities: Security::ALL,
        found,
    })
}

/// The form as it was sent, and which of its buttons was pressed.
#[derive(Deserialize)]
pub struct ConnectionForm {
    #[serde(default)]
    name: String,
    kind: String,
    #[serde(default)]
    hosts: String,
    #[serde(default)]
    domain: String,
    #[serde(default)]
    port: String,
    security: String,
    #[serde(default)]
    allow_plain: bool,
    trust: String,
    #[serde(default)]
    pem: String,
    #[serde(default)]
    fingerprint: String,
    #[serde(default)]
    login: String,
    #[serde(default)]
    password: SecretString,
    #[serde(default)]
    base_dn: String,
    #[serde(default)]
    ous: String,
    #[serde(default)]
    exclude: String,
    #[serde(default)]
    groups: String,
    #[serde(default)]
    filter: String,
    #[serde(rename = "do", default)]
    what: String,
}

impl ConnectionForm {
    /// The button below a certificate that was shown brings its fingerprint.
    fn accepting(self) -> Self {
        match self.what.strip_prefix("accept ") {
            Some(fingerprint) => {
                let fingerprint = fingerprint.to_owned();
                ConnectionForm { trust: "pinned".to_owned(), fingerprint, what: "test".to_owned(), ..self }
            }
            None => self,
        }
    }

    fn apply(&self, edited: &mut Edited) -> Result<()> {
        if edited.row.is_none() {
            self.name.trim().clone_into(&mut edited.name);
        }
        if let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.as_str() == self.kind) {
            edited.draft.change_kind(kind);
        }
        let settings = &mut edited.draft.settings;
        settings.hosts = lines(&self.hosts);
        settings.domain = Some(self.domain.trim().to_owned()).filter(|domain| !domain.is_empty());
        let security = Security::ALL.into_iter().find(|security| security.as_str() == self.security);
        settings.security = security.unwrap_or(settings.security);
        settings.port = match self.port.trim() {
            "" => settings.security.default_port(),
            text => text.parse().map_err(|_| usage(format!("`{text}` is no port: 1 to 65535")))?,
        };
        settings.allow_plain = self.allow_plain && settings.security == Security::None;
        if !(settings.sign_in == SignIn::External && self.login.trim().is_empty()) {
            settings.sign_in = SignIn::Simple { dn: self.login.trim().to_owned() };
            settings.client_certificate = None;
        }
        if !self.password.expose_secret().is_empty() {
            edited.secret = Some(self.password.clone());
        }
        self.base_dn.trim().clone_into(&mut settings.base_dn);
        settings.ous = lines(&self.ous);
        settings.exclude = lines(&self.exclude);
        settings.groups = lines(&self.groups);
        settings.filter = Some(self.filter.trim().to_owned()).filter(|text| !text.is_empty());
        settings.trust = match self.trust.as_str() {
            "authority" => Trust::CaPem(self.pem.trim().to_owned() + "\n"),
            "pinned" => Trust::Fingerprint(self.fingerprint.trim().parse().map_err(usage_of)?),
            _ => Trust::System,
        };
        edited.draft.follow();
        Ok(())
    }
}

fn usage_of(why: impl std::fmt::Display) -> anyhow::Error {
    usage(why.to_string())
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

pub async fn take(
    State(web): State<Web>,
    visit: Visit,
    Path(id): Path<i64>,
    Form(form): Form<ConnectionForm>,
) -> Result<Response, Problem> {
    let mut edited = Edited::of(&web, &visit, id).await?;
    let form = form.accepting();
    let applied = form.apply(&mut edited);
    web.drafts.keep(&web, &visit, id, edited.clone()).await?;
    edited.is_changed = true;
    let failed = |error: &anyhow::Error| Found { error: Some(describe(error)), ..Found::default() };
    if let Err(error) = applied {
        return page(&web, &visit, id, edited, failed(&error)).await;
    }
    if let Some(filter) = &edited.draft.settings.filter
        && let Err(error) = directory::check_filter(filter)
    {
        let found = Found { filter_error: Some(error.to_string()), ..Found::default() };
        return page(&web, &visit, id, edited, found).await;
    }
    match form.what.as_str() {
        "tree" => Ok(Redirect::to(&format!("/servers/{id}/tree")).into_response()),
        "test" => {
            let found = test(&web, &edited).await.unwrap_or_else(|error| failed(&error));
            page(&web, &visit, id, edited, found).await
        }
        "count" => {
            let found = count(&web, &edited).await.unwrap_or_else(|error| failed(&error));
            page(&web, &visit, id, edited, found).await
        }
        "certificate" => {
            let found = look_at_certificate(&web, &edited).await.unwrap_or_else(|error| failed(&error));
            page(&web, &visit, id, edited, found).await
        }
        _ => match save(&web, &visit, id, &edited).await {
            Ok(response) => Ok(response),
            Err(error) => page(&web, &visit, id, edited, failed(&error)).await,
        },
    }
}

async fn save(web: &Web, visit: &Visit, id: i64, edited: &Edited) -> Result<Response> {
    if edited.row.is_none() {
        crate::cli::server::check_name(edited.name.trim())?;
    }
    edited.draft.settings.check()?;
    if edited.row.is_none() && edited.secret.is_none() && edited.draft.settings.sign_in != SignIn::External {
        return Err(usage(visit.lang.say("server-password-missing", &[])));
    }
    let row = edited.save(&web.app).await?;
    web.drafts.forget(visit, id);
    web.sessions.tell(visit.session.as_ref(), FlashKind::Good, visit.lang.say("saved", &[]));
    let to = if id == NEW { format!("/servers/{}/attributes", row.id) } else { format!("/servers/{id}") };
    Ok(Redirect::to(&to).into_response())
}

async fn test(web: &Web, edited: &Edited) -> Result<Found> {
    edited.draft.settings.check()?;
    let steps = edited.directory(&web.app).await?.test().await;
    let tls_failed = steps.iter().any(|step| step.name == StepName::Tls && step.state == StepState::Failed);
    let certificate = if tls_failed { look_at_certificate(web, edited).await.ok() } else { None };
    let certificate = certificate.and_then(|found| found.certificate);
    Ok(Found { steps, certificate, ..Found::default() })
}

async fn count(web: &Web, edited: &Edited) -> Result<Found> {
    edited.draft.settings.check()?;
    let mut directory = edited.directory(&web.app).await?;
    let count = directory.count_people().await?;
    directory.close().await;
    Ok(Found { count: Some(count), ..Found::default() })
}

async fn look_at_certificate(web: &Web, edited: &Edited) -> Result<Found> {
    let settings = &edited.draft.settings;
    let dial = web.app.net.dial();
    let servers = directory::servers(&*dial, settings).await?;
    let server = servers.first().ok_or_else(|| usage("the server address is missing"))?;
    let shown = directory::certificate(&*dial, &server.host, server.port, settings.security).await?;
    Ok(Found { certificate: Some(shown), ..Found::default() })
}

pub async fn forget(State(web): State<Web>, visit: Visit, Path(id): Path<i64>) -> Result<Response, Problem> {
    web.drafts.forget(&visit, id);
    let to = if id == NEW { "/servers".to_owned() } else { format!("/servers/{id}") };
    Ok(Redirect::to(&to).into_response())
}
