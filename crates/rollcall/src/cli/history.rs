//! Past runs, or one run in detail.

use super::errors::usage;
use super::journal::Written;
use super::output::{Cell, Ink, NONE, Out, Page, Table, View, count, shown};
use super::progress;
use super::report::{Extent, Kind, Known, ReportView};
use super::words::{outcome, word};
use crate::app::App;
use crate::cycle::report::{Counts, Writes};
use crate::cycle::{self, Report};
use anyhow::Result;
use reconcile::guard::Halt;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use store::{JournalOf, JournalRow, Outcome, RunId, RunProgress, RunRow, Trigger};

/// Steps of a run that are listed for people.
const STEPS_SHOWN_MAX: usize = 40;

pub async fn list(app: &App, limit: u32, out: &Out) -> Result<u8> {
    out.show(&runs(app, limit).await?)
}

async fn runs(app: &App, limit: u32) -> Result<Runs> {
    let runs = app.store.runs(None, limit, 0).await?;
    Ok(Runs { runs: runs.into_iter().map(Run::from).collect() })
}

pub async fn show(app: &App, id: i64, out: &Out) -> Result<u8> {
    out.show(&one(app, id).await?)
}

async fn one(app: &App, id: i64) -> Result<One> {
    let Some(row) = app.store.run(RunId(id)).await? else {
        return Err(usage(format!("there is no run {id}; see `rollcall history`")));
    };
    let report = match serde_json::from_value::<Report>(row.report.clone()) {
        Ok(mut report) => {
            report.people = cycle::people_of(app, row.id).await?;
            let known = Known::default().with_conflicts(app, &report.server).await?;
            Some(ReportView { report, kind: Kind::Past, extent: Extent::Whole, known })
        }
        Err(_) => None,
    };
    let steps = steps(app, row.id, report.as_ref()).await?;
    Ok(One { run: Run::from(row), report, steps })
}

/// The journal of a run, with the names its people had.
async fn steps(app: &App, run: RunId, report: Option<&ReportView>) -> Result<Vec<Step>> {
    let people = report.iter().flat_map(|view| &view.report.people);
    let names: HashMap<&str, &str> = people.map(|person| (&*person.id, &*person.name)).collect();
    let rows = app.store.journal_of(&JournalOf::Run(run)).await?;
    let step = |row: JournalRow| Step {
        person: row.person.to_string(),
        name: names.get(row.person.as_str()).map(|name| (*name).to_owned()),
        written: Written::from(row),
    };
    Ok(rows.into_iter().map(step).collect())
}

#[derive(Debug, Serialize)]
struct Runs {
    runs: Vec<Run>,
}

/// A run, briefly.
#[derive(Debug, Serialize)]
pub struct Run {
    pub run: RunId,
    pub server: String,
    pub trigger: Trigger,
    pub started_ms: i64,
    pub ended_ms: Option<i64>,
    pub outcome: Outcome,
    pub plan: Option<String>,
    pub counts: Option<Counts>,
    pub writes: Option<Writes>,
    pub error: Option<String>,
    /// How far it is; none once it ended.
    pub progress: Option<RunProgress>,
    /// Scripts find it in the report.
    #[serde(skip)]
    pub halted: Option<Halt>,
}

impl From<RunRow> for Run {
    fn from(row: RunRow) -> Self {
        /// As much of a kept report as a list shows.
        #[derive(Default, Deserialize)]
        struct Brief {
            counts: Option<Counts>,
            writes: Option<Writes>,
            error: Option<String>,
            halted: Option<Halt>,
        }
        let brief: Brief = serde_json::from_value(row.report).unwrap_or_default();
        Run {
            run: row.id,
            server: row.directory_name,
            trigger: row.trigger,
            started_ms: row.started_ms,
            ended_ms: row.ended_ms,
            outcome: row.outcome,
            plan: row.plan_hash,
            counts: brief.counts,
            writes: brief.writes,
            error: brief.error,
            progress: row.progress,
            halted: brief.halted,
        }
    }
}

impl Run {
    fn ink(&self) -> Ink {
        match self.outcome {
            Outcome::Done => Ink::Good,
            Outcome::Running => Ink::Plain,
            Outcome::Halted | Outcome::Partial | Outcome::Cancelled | Outcome::Interrupted => Ink::Warn,
            Outcome::Failed => Ink::Bad,
        }
    }

    fn took(&self) -> String {
        match self.ended_ms {
            Some(ended_ms) => format!("{:.1} s", (ended_ms - self.started_ms).max(0) as f64 / 1000.0),
            None => NONE.to_owned(),
        }
    }

    fn what(&self) -> String {
        if let Some(halt) = &self.halted {
            return halt.to_string();
        }
        if let Some(RunProgress { phase, done, total }) = self.progress {
            let of = total.map(|total| format!(" of {total}")).unwrap_or_default();
            return format!("{}: {done}{of}", progress::words(phase));
        }
        let Some(counts) = &self.counts else { return self.error.clone().unwrap_or_default() };
        let parts = [
            (counts.created, "created"),
            (counts.joined, "joined"),
            (counts.updated_in_pbx, "in the PBX"),
            (counts.updated_in_directory, "in the directory"),
            (counts.disabled, "disabled"),
            (counts.restored, "restored"),
            (counts.conflicts, "in conflict"),
            (counts.failed, "failed"),
        ];
        let parts: Vec<String> =
            parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
        if parts.is_empty() { "nothing to do".to_owned() } else { parts.join(" · ") }
    }
}

impl View for Runs {
    fn write(&self, page: &mut Page) {
        if self.runs.is_empty() {
            return page.say("Nothing ran yet: rollcall sync SERVER", Ink::Plain);
        }
        let mut table = Table::new(["Run", "Server", "Started", "Took", "By", "Outcome", "What"])
            .keep(["Run", "Started", "Took", "By"]);
        for run in &self.runs {
            table.row([
                Cell::new(run.run.to_string(), Ink::Strong),
                run.server.clone().into(),
                page.look.time(run.started_ms).into(),
                run.took().into(),
                word(run.trigger).into(),
                Cell::new(outcome(run.outcome), run.ink()),
                run.what().into(),
            ]);
        }
        page.table(&table);
    }
}

#[derive(Debug, Serialize)]
struct One {
    #[serde(flatten)]
    run: Run,
    report: Option<ReportView>,
    steps: Vec<Step>,
}

#[derive(Debug, Serialize)]
struct Step {
    person: String,
    name: Option<String>,
    #[serde(flatten)]
    written: Written,
}

impl View for One {
    fn write(&self, page: &mut Page) {
        if let Some(report) = &self.report {
            report.write(page);
        } else {
            page.title(format!("Synchronisation of {}, run {}", self.run.server, self.run.run));
        }
        page.gap();
        let times = format!("{}, took {}", page.look.time(self.run.started_ms), self.run.took());
        let mut facts = vec![
            ("started", times.into()),
            ("by", word(self.run.trigger).into()),
            ("outcome", Cell::new(outcome(self.run.outcome), self.run.ink())),
        ];
        if self.run.progress.is_some() {
            facts.push(("so far", self.run.what().into()));
        }
        if let Some(error) = &self.run.error {
            facts.push(("error", Cell::new(error, Ink::Bad)));
        }
        page.facts(facts);
        self.write_steps(page);
    }
}

impl One {
    /// What was written, and how to take it back.
    fn write_steps(&self, page: &mut Page) {
        if self.steps.is_empty() {
            return;
        }
        page.title("Steps");
        let mut table = Table::new(["Step", "Person", "What", "Because", "Result"]).keep(["Step", "Result"]);
        for Step { person, name, written } in self.steps.iter().take(STEPS_SHOWN_MAX) {
            table.row([
                written.step.to_string().into(),
                shown(Some(name.as_deref().unwrap_or(person))).into(),
                written.what_cell(),
                written.cause_cell(),
                written.state_cell(),
            ]);
        }
        page.table(&table);
        let others = self.steps.len().saturating_sub(STEPS_SHOWN_MAX);
        if others > 0 {
            page.say(format!("and {}; --json has them all", count(others, "other", "others")), Ink::Dim);
        }
        if self.steps.iter().any(|step| step.written.is_done()) {
            page.gap();
            page.say(
                "To undo it, wherever it still stands; with --step or --person a part of it, and --preview shows first:",
                Ink::Plain,
            );
            page.command(2, &format!("rollcall undo {}", self.run.run));
        }
    }
}

#[cfg(test)]
mod tests;
