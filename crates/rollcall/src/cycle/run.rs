//! Runs: one plan carried out, with its report and its place in the history.

use super::apply::{Apply, Done, Running};
use super::follow::Published;
use super::gather::{Gathered, Wanted, gather, remember_numbers};
use super::lease::{Leased, lease};
use super::looked;
use super::notices;
use super::people::{self, About, Progressed};
use super::plans::{self, Reviewed};
use super::plausible::{self, Expect};
use super::progress::{Phase, Progress};
use super::report::{PersonReport, Report, Status, Updated};
use super::stops::{Stop, Stops, ended_in_words};
use super::undo::{Journal, Undo, Undoing};
use crate::app::App;
use crate::limits;
use anyhow::{Result, anyhow};
use directory::Directory;
use pbx::Pbx;
use reconcile::guard::{GuardKind, Halt};
use reconcile::plan::Plan;
use reconcile::{EmployeeId, Judge, PersonId, World};
use serde_json::json;
use std::collections::BTreeSet;
use store::{
    By, ConflictId, ConflictsOf, DirectoryRow, Outcome, PersonStatus, RunId, RunNote, RunPerson, RunRow,
    RunStart, Touch, Trigger,
};

/// Why a run did not do everything that was due.
pub(super) const CANCELLED: &str = "it was cancelled; the next run does the rest";

/// Shows what a synchronisation would do. Writes to neither side.
pub async fn preview(app: &App, server: &str, expect: Expect, progress: &dyn Progress) -> Result<Report> {
    let row = app.server(server).await?;
    show(app, &row, Task::Synchronise(expect), progress).await
}

/// Shows what a synchronisation or an undo would do.
pub(super) async fn show(
    app: &App,
    row: &DirectoryRow,
    task: Task<'_>,
    progress: &dyn Progress,
) -> Result<Report> {
    let settings = looked::settings_of(app, row).await?;
    let mut sides = Sides::open(app, row).await?;
    let due = planned(app, row, &mut sides, task, progress).await?;
    sides.directory.close().await;
    let Planned { gathered, plan, undo, .. } = due;
    let warnings = gathered.warnings.clone();
    let about = About { server: &row.name, run: None, hash: plans::hash_of(row, &plan), warnings };
    let mut report = people::report(about, &gathered.world, &plan, Progressed::Previewed);
    if let Some(undo) = &undo {
        undo.tell(&mut report, None);
    }
    let made = plans::Made { settings: &settings, undoing: task.undoing(), expect: task.expect() };
    plans::keep(app, row, &gathered.world, &plan, made, &report).await?;
    // Last: who was interrupted before has shown nobody anything.
    if task.undoing().is_none() && is_whole(&plan) {
        looked::note(app, row.id, &settings).await?;
    }
    Ok(report)
}

/// Synchronises now, or follows the run that is already doing it.
pub async fn sync(
    app: &App,
    server: &str,
    trigger: Trigger,
    expect: Expect,
    progress: &dyn Progress,
) -> Result<Report> {
    let row = app.server(server).await?;
    loop {
        match (lease(app, &row, progress).await?, expect) {
            (Ok(leased), _) => {
                // What was edited before the lease was ours is what counts.
                let row_now = app.server(server).await;
                let work =
                    async { run(&leased, &row_now?, trigger, Task::Synchronise(expect), progress).await };
                let ran = leased.during(work).await;
                notices::tell(app, &row, trigger, &ran).await;
                return Ok(ran?.report);
            }
            (Err(followed), Expect::AsBefore) => return Ok(followed.report),
            // The run that was waited for did not know what to expect.
            (Err(_), Expect::Fewer) => {}
        }
    }
}

/// Carries out exactly the plan that a preview or a halted run showed; what
/// moved since is left out and listed.
pub async fn apply(app: &App, plan: &str, release: bool, progress: &dyn Progress) -> Result<Report> {
    loop {
        let (row, reviewed) = plans::reviewed(app, plan, release).await?;
        let trigger = if reviewed.body.undo.is_some() { Trigger::Undo } else { Trigger::Apply };
        // A run that was waited for was another one; this plan is still due.
        if let Ok(leased) = lease(app, &row, progress).await? {
            // What was discarded or set before the lease was ours is what counts.
            let work = async {
                let (row, reviewed) = plans::reviewed(app, &reviewed.hash, release).await?;
                run(&leased, &row, trigger, Task::Apply(&reviewed), progress).await
            };
            return Ok(leased.during(work).await?.report);
        }
    }
}

/// The report of a run of the past, as far as it was kept.
pub(super) async fn report_of(app: &App, run: &RunRow) -> Result<Report> {
    let mut report: Report = serde_json::from_value(run.report.clone())
        .map_err(|_| anyhow!("run {} of server `{}` ended without a report", run.id, run.directory_name))?;
    report.people = people_of(app, run.id).await?;
    Ok(report)
}

/// Everybody of whom a run of the past had something to tell.
pub async fn people_of(app: &App, run: RunId) -> Result<Vec<PersonReport>> {
    let rows = people_rows(app, run).await?;
    rows.into_iter().map(|row| Ok(serde_json::from_value(row.changes)?)).collect()
}

/// The same as it is kept.
pub(super) async fn people_rows(app: &App, run: RunId) -> Result<Vec<RunPerson>> {
    let mut rows = Vec::new();
    loop {
        let offset = u32::try_from(rows.len())?;
        let page = app.store.run_people(run, limits::RUN_PEOPLE_PAGE, offset).await?;
        if page.is_empty() {
            return Ok(rows);
        }
        rows.extend(page);
    }
}

/// What a run is to do.
#[derive(Clone, Copy)]
pub(super) enum Task<'a> {
    Synchronise(Expect),
    /// Exactly this plan.
    Apply(&'a Reviewed),
    Undo(&'a Undoing),
}

impl<'a> Task<'a> {
    fn reviewed(self) -> Option<&'a Reviewed> {
        match self {
            Task::Apply(reviewed) => Some(reviewed),
            Task::Synchronise(_) | Task::Undo(_) => None,
        }
    }

    fn undoing(self) -> Option<&'a Undoing> {
        match self {
            Task::Synchronise(_) => None,
            Task::Apply(reviewed) => reviewed.body.undo.as_ref(),
            Task::Undo(undoing) => Some(undoing),
        }
    }

    fn expect(self) -> Expect {
        match self {
            Task::Synchronise(expect) => expect,
            Task::Apply(reviewed) => reviewed.body.expect,
            Task::Undo(_) => Expect::AsBefore,
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
    task: Task<'_>,
    progress: &dyn Progress,
) -> Result<Planned> {
    let stops = Stops::of(app, row.id).await?;
    let journal = match task.undoing() {
        Some(undoing) => Some(undoing.load(app).await?),
        None => None,
    };
    let also = journal.as_ref().map(Journal::looks).unwrap_or_default();
    let asked = Wanted { expect: task.expect(), also: &also };
    let mut gathered = gather(app, row, &mut sides.directory, &sides.pbx, asked, progress).await?;
    gathered.world.stopped =
        task.reviewed().map_or_else(|| stops.kinds(), |reviewed| reviewed.stopped(&stops));
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
    leased: &Leased,
    row: &DirectoryRow,
    trigger: Trigger,
    task: Task<'_>,
    progress: &dyn Progress,
) -> Result<Ran> {
    let Leased { app, hold, .. } = leased;
    let holder = hold.holder().to_owned();
    let start = RunStart { directory: row.id, trigger, started_ms: app.clock.now_ms(), holder };
    let run = app.store.start_run(&start).await?;
    let progress = Published::new(progress);
    let result = tokio::select! {
        biased;
        result = carry_out(app, row, Running { id: run, hold }, trigger, task, &progress) => result,
        () = progress.cancelled_before_writing() => Err(anyhow!(CANCELLED)),
        never = progress.tell(app, run) => match never {},
    };
    if let Err(error) = &result {
        let note = RunNote {
            outcome: if progress.is_cancelled() { Outcome::Cancelled } else { Outcome::Failed },
            ended_ms: Some(app.clock.now_ms()),
            plan_hash: None,
            report: json!({ "error": format!("{error:#}") }),
        };
        app.store.note_run(run, &note).await?;
    }
    result
}

async fn carry_out(
    app: &App,
    row: &DirectoryRow,
    running: Running<'_>,
    trigger: Trigger,
    task: Task<'_>,
    progress: &dyn Progress,
) -> Result<Ran> {
    let settings = looked::settings_of(app, row).await?;
    let mut sides = Sides::open(app, row).await?;
    let mut due = planned(app, row, &mut sides, task, progress).await?;
    let (mut notes, mut ended) = (Vec::new(), Vec::new());
    match task {
        Task::Synchronise(_) => ended = due.stops.end_what_is_over(&due.plan),
        Task::Apply(reviewed) => notes = reviewed.narrow(&mut due.plan),
        Task::Undo(_) => {}
    }
    notes.extend(ended.iter().map(|(kind, stop)| ended_in_words(*kind, stop)));
    if trigger == Trigger::Automatic
        && let Some(look_first) = looked::missing(app, row.id, &settings).await?
    {
        due.plan.halt.get_or_insert_with(Halt::default).look_first = Some(look_first);
    }
    let mut ready = Ready { app, row, running, trigger, task, settings, due, notes };
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
    running: Running<'a>,
    trigger: Trigger,
    task: Task<'a>,
    settings: String,
    due: Planned,
    notes: Vec<String>,
}

impl Ready<'_> {
    /// Keeps the plan for a human, and remembers what is stopped from now on.
    async fn halt(&mut self, halt: &Halt) -> Result<Report> {
        let (app, row, run) = (self.app, self.row, self.running.id);
        let Planned { gathered: Gathered { world, .. }, plan, undo, .. } = &self.due;
        let reviewed = self.task.reviewed().filter(|reviewed| reviewed.body.halt == plan.halt);
        let hash = reviewed.map_or_else(|| plans::hash_of(row, plan), |reviewed| reviewed.hash.clone());
        let mut report = people::report(self.about(&hash, None), world, plan, Progressed::Halted);
        if let Some(undo) = undo {
            undo.tell(&mut report, None);
        }
        if reviewed.is_none() {
            let (undoing, expect) = (self.task.undoing(), self.task.expect());
            let made = plans::Made { settings: &self.settings, undoing, expect };
            plans::keep(app, row, world, plan, made, &report).await?;
        }
        // Questions can be answered while it waits to be released.
        app.store.sync_conflicts(By::Run(run), world.now_ms, &report.conflicts, &BTreeSet::new()).await?;
        // An undo is one human's plan, and waits for that human alone: a
        // synchronisation had no part in it.
        if self.task.undoing().is_none() {
            self.due.stops.halted(halt, run, &hash, app.clock.now_ms());
        }
        self.due.stops.keep(app, row.id).await?;
        finish(app, run, Outcome::Halted, &report).await?;
        Ok(report)
    }

    async fn go(&mut self, sides: &mut Sides, progress: &dyn Progress) -> Result<Report> {
        let (app, row, running, reviewed) = (self.app, self.row, self.running, self.task.reviewed());
        let run = running.id;
        let Planned { gathered, plan, undo, .. } = &self.due;
        let hash = reviewed.map_or_else(|| plans::hash_of(row, plan), |reviewed| reviewed.hash.clone());
        let whole_plan = matches!(self.task, Task::Synchronise(_));
        if whole_plan {
            touch(app, run, plan).await?;
        }
        gathered.recovered.settle(app, row, run).await?;
        progress.phase(Phase::Write, Some(plan.actions.len()));
        let (done, broke_off) = write(app, row, running, &self.due, sides, progress).await?;
        let about = self.about(&hash, broke_off.clone());
        let mut report = people::report(about, &gathered.world, plan, Progressed::CarriedOut(&done));
        if let Some(undo) = undo {
            undo.tell(&mut report, Some(&done));
        }
        // One that broke off did not come to everybody whose turn it was.
        let came_to_all = whole_plan && broke_off.is_none();
        remember(app, row, run, gathered, &done, &mut report, came_to_all).await?;
        let whole = broke_off.is_none() && is_whole(plan);
        if whole && self.shows_what_is_due() {
            looked::note(app, row.id, &self.settings).await?;
        }
        if let Some(reviewed) = reviewed.filter(|_| broke_off.is_none()) {
            plans::carried_out(app, row, reviewed, &mut self.due.stops).await?;
        }
        self.due.stops.keep(app, row.id).await?;
        let outcome = match whole {
            true => Outcome::Done,
            false if progress.is_cancelled() => Outcome::Cancelled,
            false => Outcome::Partial,
        };
        finish(app, run, outcome, &report).await?;
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
        About { server: &self.row.name, run: Some(self.running.id.0), hash: hash.to_owned(), warnings }
    }
}

async fn write(
    app: &App,
    row: &DirectoryRow,
    running: Running<'_>,
    due: &Planned,
    sides: &mut Sides,
    progress: &dyn Progress,
) -> Result<(Vec<Done>, Option<String>)> {
    let Planned { gathered: Gathered { world, looked, .. }, plan, undo, .. } = due;
    let apply = Apply::new(app, row, running, world, looked, &sides.pbx, &mut sides.directory).await?;
    let apply = apply.undoing(undo.as_ref());
    for number in apply.given_up() {
        app.store.release_number(row.pbx, &number, world.now_ms).await?;
    }
    app.store.agree(By::Run(running.id), &[], &apply.observed(&plan.actions)).await?;
    let done = apply.carry_out(&plan.actions, progress).await;
    Ok((done, apply.stopped()))
}

/// Brings our memory up to date: conflicts, refusals, what was read. Begins
/// with what only the holder of the lease may store.
async fn remember(
    app: &App,
    row: &DirectoryRow,
    run: RunId,
    gathered: &Gathered,
    done: &[Done],
    report: &mut Report,
    came_to_all: bool,
) -> Result<()> {
    let world = &gathered.world;
    let lifted: Vec<_> = done.iter().flat_map(|done| done.lifted.iter().cloned()).collect();
    let set_aside: Vec<_> = done.iter().flat_map(|done| done.set_aside.iter().cloned()).collect();
    let by = By::Run(run);
    app.store.change_quarantine(by, &lifted, &set_aside).await?;
    let judged = if came_to_all { judged(app, row, world).await? } else { BTreeSet::new() };
    app.store.sync_conflicts(by, world.now_ms, &report.conflicts, &judged).await?;
    if world.people.verdict.is_complete() {
        app.store.note_directory_read(by, world.people.at_ms, &gathered.references).await?;
        remember_numbers(app, row, world).await?;
    }
    if world.employees.verdict.is_complete() {
        app.store.note_pbx_read(by, world.employees.at_ms).await?;
    }
    plausible::remember(app, row, &gathered.scopes, world).await?;
    app.store.prune(app.clock.now_ms()).await?;
    Ok(())
}

/// The conflicts that are over unless this run met them.
async fn judged(app: &App, row: &DirectoryRow, world: &World) -> Result<BTreeSet<ConflictId>> {
    let live = app.store.conflicts(ConflictsOf::Directory(row.id)).await?;
    let judge = Judge::of(world);
    Ok(live.iter().filter(|row| judge.could_tell(&row.conflict)).map(|row| row.id).collect())
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
    let note = RunNote {
        outcome,
        ended_ms: Some(app.clock.now_ms()),
        plan_hash: Some(report.plan.clone()),
        report: serde_json::to_value(report.without_people())?,
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
