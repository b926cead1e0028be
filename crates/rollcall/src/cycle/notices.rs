//! What is told to somebody who is not looking: that an automatic run was
//! halted or failed, and that a stop ended by itself. Never more often than
//! once for the same halted plan, and never at the price of a run.

use super::report::Report;
use super::run::Ran;
use super::stops;
use crate::app::App;
use crate::limits;
use crate::notify::Program;
use anyhow::{Context, Result};
use reconcile::guard::Halt;
use serde::Serialize;
use serde_json::json;
use store::{DirectoryId, DirectoryRow, Outcome, Trigger};

const PROGRAM: &str = "notify";

/// The object a program gets. Its keys are an interface; see
/// docs/reference/cli.md.
#[derive(Debug, Default, Serialize)]
struct Notice<'a> {
    event: &'static str,
    server: Option<&'a str>,
    run: Option<i64>,
    at_ms: i64,
    text: String,
    plan: Option<&'a str>,
    halted: Option<&'a Halt>,
}

/// The program that is told, where there is one.
pub async fn program(app: &App) -> Result<Option<Program>> {
    let kept = app.store.meta(PROGRAM).await?;
    let program = kept.map(|text| serde_json::from_str(&text)).transpose();
    program.context("the notification program cannot be read; set it again with `rollcall notify set`")
}

pub async fn set_program(app: &App, program: Option<&Program>) -> Result<()> {
    let text = program.map(serde_json::to_string).transpose()?;
    Ok(app.store.put_meta(PROGRAM, text.as_deref()).await?)
}

/// Sends a notice that means nothing.
pub async fn test(app: &App, program: &Program) -> Result<()> {
    let text = "This is a test of Rollcall's notifications.".to_owned();
    send(app, program, Notice { event: "test", text, ..Notice::default() }).await
}

/// Tells what there is to tell about a run that is over. What goes wrong on
/// the way is a line in the log.
pub async fn tell(app: &App, row: &DirectoryRow, trigger: Trigger, ran: &Result<Ran>) {
    if let Err(error) = try_to_tell(app, row, trigger, ran).await {
        tracing::error!(server = row.name, "nobody could be notified: {error:#}");
    }
}

async fn try_to_tell(app: &App, row: &DirectoryRow, trigger: Trigger, ran: &Result<Ran>) -> Result<()> {
    let Some(program) = program(app).await? else { return Ok(()) };
    let (server, alone) = (Some(row.name.as_str()), trigger == Trigger::Automatic);
    match ran {
        Err(error) if alone => {
            let text = format!("The synchronisation of {} failed: {error:#}", row.name);
            let last = app.store.runs(Some(row.id), 1, 0).await?.pop();
            let run = last.filter(|run| run.outcome == Outcome::Failed).map(|run| run.id.0);
            send(app, &program, Notice { event: "failed", server, run, text, ..Notice::default() }).await
        }
        // A human sees it.
        Err(_) => Ok(()),
        Ok(Ran { report, ended }) => {
            for (kind, stop) in ended {
                let text = format!("{}: {}", row.name, stops::ended_in_words(*kind, stop));
                let notice =
                    Notice { event: "stop-ended", server, run: report.run, text, ..Notice::default() };
                send(app, &program, notice).await?;
            }
            match &report.halted {
                Some(halt) if alone => halted(app, row, &program, report, halt).await,
                _ => Ok(()),
            }
        }
    }
}

/// The first time this plan is halted.
async fn halted(
    app: &App,
    row: &DirectoryRow,
    program: &Program,
    report: &Report,
    halt: &Halt,
) -> Result<()> {
    let mut told = told(app, row.id).await?;
    if told.contains(&report.plan) {
        return Ok(());
    }
    let text = format!(
        "The synchronisation of {} was stopped before its first write: {halt}. Look at it with `rollcall plans show \
         {plan}`; carry out exactly that with `rollcall apply {plan} --release`.",
        row.name,
        plan = report.plan
    );
    let notice = Notice {
        event: "halted",
        server: Some(&row.name),
        run: report.run,
        text,
        plan: Some(&report.plan),
        halted: Some(halt),
        ..Notice::default()
    };
    send(app, program, notice).await?;
    told.push(report.plan.clone());
    let surplus = told.len().saturating_sub(limits::NOTICES_REMEMBERED_MAX);
    let told = json!(told[surplus..]).to_string();
    Ok(app.store.put_meta(&key(row.id), Some(&told)).await?)
}

async fn send(app: &App, program: &Program, mut notice: Notice<'_>) -> Result<()> {
    notice.at_ms = app.clock.now_ms();
    if let Some((at, _)) = notice.text.char_indices().nth(limits::NOTICE_CHARS_MAX) {
        notice.text.truncate(at);
    }
    let mut text = serde_json::to_string(&notice)?;
    text.push('\n');
    app.notify.tell(program, &text).await
}

/// The halted plans somebody was told of, oldest first.
async fn told(app: &App, directory: DirectoryId) -> Result<Vec<String>> {
    let kept = app.store.meta(&key(directory)).await?;
    let told = kept.map(|text| serde_json::from_str(&text)).transpose();
    Ok(told.context("what was told before cannot be read")?.unwrap_or_default())
}

fn key(directory: DirectoryId) -> String {
    format!("directory/{directory}/told")
}

#[cfg(test)]
mod tests;
