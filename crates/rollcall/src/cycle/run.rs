//! Runs: one plan carried out, with its report and its place in the history.

use super::apply::{Apply, Done};
use super::gather::{Gathered, gather, remember_numbers};
use super::lease::under_lease;
use super::looked;
use super::notices;
use super::people::{self, About, Progressed};
use super::plans::{self, Reviewed};
use super::progress::{Phase, Progress};
use super::report::{PersonReport, Report, Status, Updated};
use super::stops::{Stop, Stops, ended_in_words};
use super::undo::{Journal, Undo, Undoing};
use crate::app::App;
use anyhow::{Result, anyhow};
use directory::Directory;
use pbx::Pbx;
use reconcile::guard::{GuardKind, Halt};
use reconcile::plan::Plan;
use reconcile::{EmployeeId, PersonId};
use serde_json::json;
use store::{
    DirectoryRow, Outcome, PersonStatus, RunId, RunNote, RunPerson, RunRow, RunStart, Touch, Trigger,
};

/// Shows what a synchronisation would do. Writes to neither side.
pub async fn preview(app: &App, server: &str, progress: &dyn Progress) -> Result<Report> {
    let row = app.server(server).await?;
    show(app, &row, None, progress).await
}

/// Shows what a synchronisation or an undo would do.
pub(super) async fn show(
    app: &App,
    row: &DirectoryRow,
    undoing: Option<&Undoing>,
    progress: &dyn Progress,
) -> Result<Report> {
    let settings = looked::settings_of(app, row).await?;
    let mut sides = Sides::open(app, row).await?;
    let due = planned(app, row, &mut sides, undoing, None, progress).await?;
    let hash = plans::keep(app, row, &due.gathered.world, &due.plan, &settings, undoing).await?;
    sides.directory.close().await;
    let Planned { gathered, plan, undo, .. } = due;
    if undoing.is_none() && is_whole(&plan) {
        looked::note(app, row.id, &settings).await?;
    }
    let warnings = gathered.warnings.clone();
    let about = About { server: &row.name, run: None, hash, warnings };
    let mut report = people::report(about, &gathered.world, &plan, Progressed::Previewed);
    if let Some(undo) = &undo {
        undo.tell(&mut report, None);
    }
    Ok(report)
}

/// Synchronises now, or follows the run that is already doing it.
pub async fn sync(app: &App, server: &str, trigger: Trigger, progress: &dyn Progress) -> Result<Report> {
    let row = app.server(server).await?;
    let work = async {
        // What was edited before the lease was ours is what counts.
        let row = app.server(server).await?;
        Ok(run(app, &row, trigger, Task::Synchronise, progress).await)
    };
    match under_lease(app, &row, work).await? {
        Ok(ran) => {
            notices::tell(app, &row, trigger, &ran).await;
            Ok(ran?.report)
        }
        Err(followed) => Ok(followed.report),
    }
}

/// Carries out exactly the plan that a preview or a halted run showed; what
/// moved since is left out and listed.
pub async fn apply(app: &App, plan: &str, release: bool, progress: &dyn Progress) -> Result<Report> {
    loop {
        let (row, reviewed) = plans::reviewed(app, plan, release).await?;
        let trigger = if reviewed.body.undo.is_some() { Trigger::Undo } else { Trigger::Apply };
        let work = run(app, &row, trigger, Task::Apply(&reviewed), progress);
        // The run that was waited for was another one; this plan is still due.
        if let Ok(ran) = under_lease(app, &row, work).await? {
            return Ok(ran.report);
        }
    }
}

/// The report of a run of the past, as far as it was kept.
pub(super) async fn report_of(app: &App, run: &RunRow) -> Result<Report> {
    let mut report: Report = serde_json::from_value(run.report.clone())
        .map_err(|_| anyhow!("run {} of server `{}` ended without a report", run.id, run.directory_name))?;
    let rows = app.store.run_people(run.id, u32::MAX, 0).await?;
    report.people = rows.into_iter().filter_map(|row| serde_json::from_value(row.changes).ok()).collect();
    Ok(report)
}

/// What a run is to do.
#[derive(Clone, Copy)]
pub(super) enum Task<'a> {
    Synchronise,
    /// Exactly this plan.
    Apply(&'a Reviewed),
    Undo(&'a Undoing),
}

impl<'a> Task<'a> {
    fn reviewed(self) -> Option<&'a Reviewed> {
        match self {
            Task::Apply(reviewed) => Some(reviewed),
            Task::Synchronise | Task::Undo(_) => None,
        }
    }

    fn undoing(self) -> Option<&'a Undoing> {
        match self {
            Task::Synchronise => None,
            Task::Apply(reviewed) => reviewed.body.undo.as_ref(),
            Task::Undo(undoing) => Some(undoing),
        }
    }
}

/// A run that came to its end.
#[derive(Debug)]
pub struct Ran {
    pub report: Report,
    /// What was stopped before it and concerns nobody any more.
    pub ended: Vec<(GuardKind, Stop)>,
}

/// Both connections of one run.
struct Sides {
    directory: Directory,
    pbx: Pbx,
}

impl Sides {
    async fn open(app: &App, row: &DirectoryRow) -> Result<Self> {
        Ok(Sides { directory: app.directory(row).await?, pbx: app.pbx(row.pbx).await? })
    }
}

struct Planned {
    gathered: Gathered,
    plan: Plan,
    undo: Option<Undo>,
    stops: Stops,
}

/// Reads both sides and plans: what is due, or what undoes an earlier run.
async fn planned(
    app: &App,
    row: &DirectoryRow,
    sides: &mut Sides,
    undoing: Option<&Undoing>,
    reviewed: Option<&Reviewed>,
    progress: &dyn Progress,
) -> Result<Planned> {
    let stops = Stops::of(app, row.id).await?;
    let journal = match undoing {
        Some(undoing) => Some(undoing.load(app).await?),
        None => None,
    };
    let also = journal.as_ref().map(Journal::looks).unwrap_or_default();
    let mut gathered = gather(app, row, &mut sides.directory, &sides.pbx, &also, progress).await?;
    gathered.world.stopped = reviewed.map_or_else(|| stops.kinds(), |reviewed| reviewed.stopped(&stops));
    progress.phase(Phase::Plan, None);
    let undo = journal.map(|journal| journal.plan(&gathered));
    let mut plan = match &undo {
        Some(undo) => undo.plan.clone(),
        None => reconcile::plan::plan(&gathered.world),
    };
    stops.explain(&mut plan.held_back);
    Ok(Planned { gathered, plan, undo, stops })
}

/// Whether both sides were read completely.
fn is_whole(plan: &Plan) -> bool {
    plan.directory.is_complete() && plan.pbx.is_complete()
}

pub(super) async fn run(
    app: &App,
    row: &DirectoryRow,
    trigger: Trigger,
    task: Task<'_>,
    progress: &dyn Progress,
) -> Result<Ran> {
    bury_the_dead(app, row).await?;
    let start = RunStart { directory: row.id, trigger, started_ms: app.clock.now_ms() };
    let run = app.store.start_run(&start).await?;
    let result = carry_out(app, row, run, trigger, task, progress).await;
    if let Err(error) = &result {
        let note = RunNote {
            outcome: Outcome::Failed,
            ended_ms: Some(app.clock.now_ms()),
            plan_hash: None,
            report: json!({ "error": format!("{error:#}") }),
        };
        app.store.note_run(run, &note).await?;
    }
    result
}

/// We hold the lease: a last run that still says "running" was killed.
async fn bury_the_dead(app: &App, row: &DirectoryRow) -> Result<()> {
    let last = app.store.runs(Some(row.id), 1, 0).await?.into_iter().next();
    if let Some(dead) = last.filter(|run| run.outcome == Outcome::Running) {
        let note = RunNote {
            outcome: Outcome::Interrupted,
            ended_ms: Some(app.clock.now_ms()),
            plan_hash: dead.plan_hash,
            report: json!({ "error": "its process ended before it did" }),
        };
        app.store.note_run(dead.id, &note).await?;
    }
    Ok(())
}

async fn carry_out(
    app: &App,
    row: &DirectoryRow,
    run: RunId,
    trigger: Trigger,
    task: Task<'_>,
    progress: &dyn Progress,
) -> Result<Ran> {
    let settings = looked::settings_of(app, row).await?;
    let mut sides = Sides::open(app, row).await?;
    let mut due = planned(app, row, &mut sides, task.undoing(), task.reviewed(), progress).await?;
    let (mut notes, mut ended) = (Vec::new(), Vec::new());
    match task {
        Task::Synchronise => ended = due.stops.end_what_is_over(&due.plan),
        Task::Apply(reviewed) => notes = reviewed.narrow(&mut due.plan),
        Task::Undo(_) => {}
    }
    notes.extend(ended.iter().map(|(kind, stop)| ended_in_words(*kind, stop)));
    if trigger == Trigger::Automatic
        && let Some(look_first) = looked::missing(app, row.id, &settings).await?
    {
        due.plan.halt.get_or_insert_with(Halt::default).look_first = Some(look_first);
    }
    let mut ready = Ready { app, row, run, trigger, task, settings, due, notes };
    let report = match ready.due.plan.halt.clone() {
        Some(halt) => ready.halt(&halt).await?,
        None => ready.go(&mut sides, progress).await?,
    };
    sides.directory.close().await;
    Ok(Ran { report, ended })
}

/// A run that has its plan, before its first write.
struct Ready<'a> {
    app: &'a App,
    row: &'a DirectoryRow,
    run: RunId,
    trigger: Trigger,
    task: Task<'a>,
    settings: String,
    due: Planned,
    notes: Vec<String>,
}

impl Ready<'_> {
    /// Keeps the plan for a human, and remembers what is stopped from now on.
    async fn halt(&mut self, halt: &Halt) -> Result<Report> {
        let (app, row, run) = (self.app, self.row, self.run);
        let Planned { gathered: Gathered { world, .. }, plan, undo, .. } = &self.due;
        let hash = match self.task.reviewed().filter(|reviewed| reviewed.body.halt == plan.halt) {
            Some(reviewed) => reviewed.hash.clone(),
            None => plans::keep(app, row, world, plan, &self.settings, self.task.undoing()).await?,
        };
        let mut report = people::report(self.about(&hash, None), world, plan, Progressed::Halted);
        if let Some(undo) = undo {
            undo.tell(&mut report, None);
        }
        // Questions can be answered while it waits to be released.
        app.store.sync_conflicts(row.id, world.now_ms, &report.conflicts, false).await?;
        self.due.stops.halted(halt, run, &hash, app.clock.now_ms());
        self.due.stops.keep(app, row.id).await?;
        finish(app, run, Outcome::Halted, &report).await?;
        Ok(report)
    }

    async fn go(&mut self, sides: &mut Sides, progress: &dyn Progress) -> Result<Report> {
        let (app, row, run, reviewed) = (self.app, self.row, self.run, self.task.reviewed());
        let Planned { gathered, plan, undo, .. } = &self.due;
        let hash = reviewed.map_or_else(|| plans::hash_of(row, plan), |reviewed| reviewed.hash.clone());
        gathered.recovered.settle(app, row).await?;
        let whole_plan = matches!(self.task, Task::Synchronise);
        if whole_plan {
            touch(app, run, plan).await?;
        }
        progress.phase(Phase::Write, Some(plan.actions.len()));
        let (done, broke_off) = write(app, row, run, &self.due, sides, progress).await?;
        let about = self.about(&hash, broke_off.clone());
        let mut report = people::report(about, &gathered.world, plan, Progressed::CarriedOut(&done));
        if let Some(undo) = undo {
            undo.tell(&mut report, Some(&done));
        }
        remember(app, row, gathered, &done, &mut report, whole_plan).await?;
        let whole = broke_off.is_none() && is_whole(plan);
        if whole && self.shows_what_is_due() {
            looked::note(app, row.id, &self.settings).await?;
        }
        if let Some(reviewed) = reviewed.filter(|_| broke_off.is_none()) {
            plans::carried_out(app, row, reviewed, &mut self.due.stops).await?;
        }
        self.due.stops.keep(app, row.id).await?;
        finish(app, run, if whole { Outcome::Done } else { Outcome::Partial }, &report).await?;
        Ok(report)
    }

    /// Whether a human who started this run knows now what a synchronisation
    /// with these settings does.
    fn shows_what_is_due(&self) -> bool {
        match self.trigger {
            Trigger::Automatic | Trigger::Undo => false,
            Trigger::Manual | Trigger::Apply | Trigger::Demo => {
                self.task.reviewed().is_none_or(|reviewed| reviewed.body.settings == self.settings)
            }
        }
    }

    fn about(&self, hash: &str, more: Option<String>) -> About<'_> {
        let warnings = self.due.gathered.warnings.iter().chain(&self.notes).cloned().chain(more).collect();
        About { server: &self.row.name, run: Some(self.run.0), hash: hash.to_owned(), warnings }
    }
}

async fn write(
    app: &App,
    row: &DirectoryRow,
    run: RunId,
    due: &Planned,
    sides: &mut Sides,
    progress: &dyn Progress,
) -> Result<(Vec<Done>, Option<String>)> {
    let Planned { gathered: Gathered { world, looked, .. }, plan, undo, .. } = due;
    let apply = Apply::new(app, row, run, world, looked, &sides.pbx, &mut sides.directory).await?;
    let apply = apply.undoing(undo.as_ref());
    for number in apply.given_up() {
        app.store.release_number(row.pbx, &number, world.now_ms).await?;
    }
    app.store.agree(row.id, &[], &apply.observed(&plan.actions)).await?;
    let done = apply.carry_out(&plan.actions, progress).await;
    Ok((done, apply.stopped()))
}

/// Brings our memory up to date: conflicts, refusals, what was read.
async fn remember(
    app: &App,
    row: &DirectoryRow,
    gathered: &Gathered,
    done: &[Done],
    report: &mut Report,
    whole_plan: bool,
) -> Result<()> {
    let world = &gathered.world;
    let lifted: Vec<_> = done.iter().flat_map(|done| done.lifted.iter().cloned()).collect();
    let set_aside: Vec<_> = done.iter().flat_map(|done| done.set_aside.iter().cloned()).collect();
    app.store.change_quarantine(row.id, &lifted, &set_aside).await?;
    let complete = world.people.verdict.is_complete() && world.employees.verdict.is_complete() && whole_plan;
    app.store.sync_conflicts(row.id, world.now_ms, &report.conflicts, complete).await?;
    if world.people.verdict.is_complete() {
        app.store.note_directory_read(row.id, world.people.at_ms, &gathered.references).await?;
        remember_numbers(app, row, world).await?;
    }
    if world.employees.verdict.is_complete() {
        app.store.note_pbx_read(row.id, world.employees.at_ms).await?;
    }
    app.store.prune(app.clock.now_ms()).await?;
    Ok(())
}

/// Notes for the guard of later runs whom this one touches.
async fn touch(app: &App, run: RunId, plan: &Plan) -> Result<()> {
    let mut touches = Vec::new();
    for (kind, people) in &plan.touched {
        let kind = serde_json::to_value(kind)?.as_str().unwrap_or_default().to_owned();
        let touch = |person: &PersonId| Touch { kind: kind.as_str().into(), person: person.clone() };
        touches.extend(people.iter().map(touch));
    }
    Ok(app.store.touch(run, &touches).await?)
}

async fn finish(app: &App, run: RunId, outcome: Outcome, report: &Report) -> Result<()> {
    let rows: Vec<RunPerson> =
        report.people.iter().filter(|person| worth_keeping(person)).map(kept).collect();
    app.store.add_run_people(run, &rows).await?;
    let mut small = report.clone();
    small.people.clear();
    let note = RunNote {
        outcome,
        ended_ms: Some(app.clock.now_ms()),
        plan_hash: Some(report.plan.clone()),
        report: serde_json::to_value(small)?,
    };
    Ok(app.store.note_run(run, &note).await?)
}

/// A run of 50,000 in which three people changed keeps three rows.
fn worth_keeping(person: &PersonReport) -> bool {
    person.updated.is_some()
        || person.status != Status::Processed
        || !person.changes.is_empty()
        || person.reason.is_some()
}

fn kept(person: &PersonReport) -> RunPerson {
    RunPerson {
        person: PersonId::new(person.id.as_str()),
        employee: person.employee.map(EmployeeId),
        name: person.name.clone(),
        extension: person.extension.clone().unwrap_or_default(),
        status: match person.status {
            Status::Processed => PersonStatus::Processed,
            Status::Skipped => PersonStatus::Skipped,
            Status::Conflict => PersonStatus::Conflict,
            Status::Failed => PersonStatus::Failed,
        },
        updated: match person.updated {
            None => store::Updated::Nothing,
            Some(Updated::Pbx) => store::Updated::Pbx,
            Some(Updated::Directory) => store::Updated::Directory,
            Some(Updated::Both) => store::Updated::Both,
        },
        changes: serde_json::to_value(person).unwrap_or_default(),
        reason: person.reason.clone().unwrap_or_default(),
    }
}
