//! Who is signed in.

use super::{Frame, Tab, back};
use crate::web::Web;
use crate::web::auth::Session;
use crate::web::problem::Problem;
use crate::web::render::{Page, html};
use crate::web::visit::Visit;
use askama::Template;
use axum::extract::{Form, State};
use axum::response::Response;
use serde::Deserialize;

#[derive(Template)]
#[template(path = "settings-sessions.html")]
struct SessionsPage {
    p: Page,
    tabs: [(Tab, bool); 5],
    sessions: Vec<Session>,
    here: String,
}

pub async fn show(State(web): State<Web>, visit: Visit) -> Result<Response, Problem> {
    let frame = Frame::of(&web, &visit, Tab::Sessions).await?;
    let sessions = web.sessions.all().await?;
    let here = visit.session.map(|session| session.id).unwrap_or_default();
    html(&SessionsPage { tabs: frame.tabs(), p: frame.page, sessions, here })
}

#[derive(Deserialize)]
pub struct Which {
    id: String,
}

pub async fn end(
    State(web): State<Web>,
    visit: Visit,
    Form(which): Form<Which>,
) -> Result<Response, Problem> {
    web.sessions.end(&which.id).await?;
    let text = visit.lang.say("session-ended", &[]);
    back(&web, &visit, Tab::Sessions, Ok(text))
}

pub async fn end_others(State(web): State<Web>, visit: Visit) -> Result<Response, Problem> {
    if let Some(session) = &visit.session {
        web.sessions.end_others(&session.id).await?;
    }
    let text = visit.lang.say("sessions-ended", &[]);
    back(&web, &visit, Tab::Sessions, Ok(text))
}
