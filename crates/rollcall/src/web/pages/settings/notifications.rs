//! The program that is told when an automatic run is halted or fails.

use super::{Frame, Tab, back};
use crate::app::Usage;
use crate::cli::errors::describe;
use crate::cli::notify;
use crate::cycle;
use crate::web::Web;
use crate::web::problem::Problem;
use crate::web::render::{Page, html};
use crate::web::visit::Visit;
use anyhow::{Result, anyhow};
use askama::Template;
use axum::extract::{Form, State};
use axum::response::Response;
use serde::Deserialize;
use std::path::Path;

#[derive(Template)]
#[template(path = "settings-notifications.html")]
struct NotificationsPage {
    p: Page,
    tabs: [(Tab, bool); 5],
    path: String,
    arguments: String,
}

pub async fn show(State(web): State<Web>, visit: Visit) -> Result<Response, Problem> {
    let frame = Frame::of(&web, &visit, Tab::Notifications).await?;
    let program = cycle::program(&web.app).await?;
    let (path, arguments) =
        program.map(|program| (program.path, program.arguments.join("\n"))).unwrap_or_default();
    html(&NotificationsPage { tabs: frame.tabs(), p: frame.page, path, arguments })
}

#[derive(Deserialize)]
pub struct Named {
    path: String,
    /// One a line.
    #[serde(default)]
    arguments: String,
}

pub async fn set(
    State(web): State<Web>,
    visit: Visit,
    Form(named): Form<Named>,
) -> Result<Response, Problem> {
    let arguments = named.arguments.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
    let done = match notify::named(Path::new(named.path.trim()), arguments) {
        Ok(program) => cycle::set_program(&web.app, Some(&program)).await,
        Err(error) => Err(error),
    };
    back(&web, &visit, Tab::Notifications, done.map(|()| visit.lang.say("notify-is-set", &[])))
}

pub async fn off(State(web): State<Web>, visit: Visit) -> Result<Response, Problem> {
    cycle::set_program(&web.app, None).await?;
    let text = visit.lang.say("notify-is-off", &[]);
    back(&web, &visit, Tab::Notifications, Ok(text))
}

/// Sends a notice that means nothing; how the program failed, if it did.
pub async fn test(State(web): State<Web>, visit: Visit) -> Result<Response, Problem> {
    let done = match cycle::program(&web.app).await? {
        None => Err(anyhow!(Usage(visit.lang.say("notify-nobody", &[])))),
        Some(program) => match cycle::test_program(&web.app, &program).await {
            Ok(()) => Ok(visit.lang.say("notify-taken", &[("program", (&program.path).into())])),
            Err(error) => Err(anyhow!(Usage(describe(&error)))),
        },
    };
    back(&web, &visit, Tab::Notifications, done)
}
