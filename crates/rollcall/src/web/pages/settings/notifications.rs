//! The program that is told when an automatic run is halted or fails. Which one
//! is said on the machine itself, by `rollcall notify set`: whoever may sign in
//! to the pages is not thereby whoever may start programs there. For the same
//! reason what it complains of stays in the log.

use super::{Frame, Tab, back};
use crate::app::Usage;
use crate::cli::errors::describe;
use crate::cycle;
use crate::web::Web;
use crate::web::problem::Problem;
use crate::web::render::{Page, html};
use crate::web::visit::Visit;
use anyhow::{Result, anyhow};
use askama::Template;
use axum::extract::State;
use axum::response::Response;

#[derive(Template)]
#[template(path = "settings-notifications.html")]
struct NotificationsPage {
    p: Page,
    tabs: [(Tab, bool); 5],
    /// Path and arguments.
    command: Option<String>,
}

pub async fn show(State(web): State<Web>, visit: Visit) -> Result<Response, Problem> {
    let frame = Frame::of(&web, &visit, Tab::Notifications).await?;
    let program = cycle::program(&web.app).await?;
    let command = program.map(|program| [&[program.path][..], &program.arguments].concat().join(" "));
    html(&NotificationsPage { tabs: frame.tabs(), p: frame.page, command })
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
            Err(error) => {
                tracing::error!("the notification program failed: {}", describe(&error));
                Err(anyhow!(Usage(visit.lang.say("notify-failed", &[]))))
            }
        },
    };
    back(&web, &visit, Tab::Notifications, done)
}
