//! Preview, synchronise, apply: call the cycle, show its report.

use super::args::SyncArgs;
use super::errors::{describe, usage};
use super::output::{Ink, Out, Page, View};
use super::progress;
use super::report::{Extent, Kind, Known, ReportView};
use crate::app::App;
use crate::cycle::{self, Expect, Report};
use anyhow::Result;
use serde::Serialize;
use store::Trigger;

pub async fn preview(app: &App, server: &str, expect: Expect, out: &Out) -> Result<u8> {
    let known = known(app, out).await?;
    let report = cycle::preview(app, server, expect, &*progress::watched(out.json)).await?;
    out.show(&view(app, out, report, Kind::Preview, known).await?)
}

pub async fn apply(app: &App, plan: &str, release: bool, out: &Out) -> Result<u8> {
    let known = known(app, out).await?;
    let report = cycle::apply(app, plan, release, &*progress::watched(out.json)).await?;
    out.show(&view(app, out, report, Kind::Run, known).await?)
}

pub async fn sync(app: &App, args: &SyncArgs, out: &Out) -> Result<u8> {
    match &args.server {
        Some(server) => out.show(&one(app, server, expected(args.expect_fewer), out).await?),
        None => all(app, out).await,
    }
}

/// What the option says about how many there are.
pub fn expected(fewer: bool) -> Expect {
    if fewer { Expect::Fewer } else { Expect::AsBefore }
}

async fn one(app: &App, server: &str, expect: Expect, out: &Out) -> Result<ReportView> {
    let known = known(app, out).await?;
    let report = cycle::sync(app, server, Trigger::Manual, expect, &*progress::watched(out.json)).await?;
    view(app, out, report, Kind::Run, known).await
}

/// Every server, one after the other; one that fails does not stop the others.
async fn all(app: &App, out: &Out) -> Result<u8> {
    let mut runs = Vec::new();
    for row in app.store.directories().await? {
        runs.push(match one(app, &row.name, Expect::AsBefore, out).await {
            Ok(view) => One::Done(Box::new(view)),
            Err(error) => One::Failed { server: row.name, error: describe(&error) },
        });
    }
    if runs.is_empty() {
        return Err(usage("there is no server yet; add one with `rollcall server add`"));
    }
    out.show(&Runs { runs })
}

/// Only tables tell who was linked before.
async fn known(app: &App, out: &Out) -> Result<Known> {
    match out.json {
        true => Ok(Known::default()),
        false => Known::before(app).await,
    }
}

async fn view(app: &App, out: &Out, report: Report, kind: Kind, known: Known) -> Result<ReportView> {
    let known = match out.json {
        true => known,
        false => known.with_conflicts(app, &report.server).await?,
    };
    Ok(ReportView { report, kind, extent: Extent::Whole, known })
}

#[derive(Debug, Serialize)]
struct Runs {
    runs: Vec<One>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum One {
    Done(Box<ReportView>),
    Failed { server: String, error: String },
}

impl View for Runs {
    fn write(&self, page: &mut Page) {
        for run in &self.runs {
            match run {
                One::Done(view) => view.write(page),
                One::Failed { server, error } => {
                    page.title(format!("Synchronisation of {server}"));
                    page.say(format!("error: {error}"), Ink::Bad);
                }
            }
        }
    }

    fn exit_code(&self) -> u8 {
        let codes = self.runs.iter().map(|run| match run {
            One::Done(view) => view.exit_code(),
            One::Failed { .. } => 1,
        });
        most_severe(codes)
    }
}

/// Failed outweighs held back, held back outweighs conflicts.
fn most_severe(codes: impl Iterator<Item = u8>) -> u8 {
    const SEVERITY: [u8; 4] = [0, 4, 3, 1];
    codes.max_by_key(|code| SEVERITY.iter().position(|one| one == code)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_severe_exit_code_wins() {
        for (codes, expected) in [(&[0, 4, 0][..], 4), (&[4, 3], 3), (&[3, 1, 4], 1), (&[0, 0], 0), (&[], 0)]
        {
            assert_eq!(most_severe(codes.iter().copied()), expected, "{codes:?}");
        }
    }
}
