//! Runs: one plan carried out, with its report and its place in the history.

use super::apply::{Apply, Done};
use super::gather::{Gathered, gather, remember_numbers};
use super::lease::under_lease;
use super::people::{self, About, Progressed};
use super::progress::{Phase, Progress};
use super::report::{PersonReport, Report, Status, Updated};
use super::undo::{Journal, Undo, Undoing};
use crate::app::{App, Usage};
use crate::limits;
use anyhow::{Context, Result, anyhow};
use directory::Directory;
use pbx::Pbx;
use reconcile::guard::{self, Counts};
use reconcile::plan::{Action, LineOutcome, Plan};
use reconcile::{EmployeeId, PersonId};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use store::{
    DirectoryRow, Outcome, PersonStatus, PlanState, RunId, RunNote, RunPerson, RunRow, RunStart, Touch,
    Trigger,
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
    let mut sides = Sides::open(app, row).await?;
    let Planned { gathered, plan, undo } = planned(app, row, &mut sides, undoing, progress).await?;
    keep_plan(app, row, &plan, undoing).await?;
    sides.directory.close().await;
    let warnings = gathered.warnings.clone();
    let about = About { server: &row.name, run: None, hash: hash_of(row, &plan), warnings };
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
        run(app, &row, trigger, Task::Synchronise, progress).await
    };
    Ok(under_lease(app, &row, work).await?.unwrap_or_else(|followed| followed.report))
}

/// Carries out exactly the plan that a preview or a halted run showed; what
/// moved since is left out and listed.
pub async fn apply(app: &App, plan: &str, release: bool, progress: &dyn Progress) -> Result<Report> {
    loop {
        let (row, reviewed) = find_plan(app, plan, release).await?;
        let trigger = if reviewed.body.undo.is_some() { Trigger::Undo } else { Trigger::Apply };
        let work = run(app, &row, trigger, Task::Apply(&reviewed), progress);
        // The run that was waited for was another one; this plan is still due.
        if let Ok(report) = under_lease(app, &row, work).await? {
            return Ok(report);
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

/// A plan that a human looked at.
pub(super) struct Reviewed {
    hash: String,
    body: PlanBody,
    released: bool,
}

/// A plan as it is kept: people who do not change are not worth the room.
#[derive(Debug, Serialize, Deserialize)]
struct PlanBody {
    actions: Vec<Action>,
    halt: Option<guard::Halt>,
    /// What it undoes, if that is what it does.
    #[serde(default)]
    undo: Option<Undoing>,
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
}

/// Reads both sides and plans: what is due, or what undoes an earlier run.
async fn planned(
    app: &App,
    row: &DirectoryRow,
    sides: &mut Sides,
    undoing: Option<&Undoing>,
    progress: &dyn Progress,
) -> Result<Planned> {
    let journal = match undoing {
        Some(undoing) => Some(undoing.load(app).await?),
        None => None,
    };
    let also = journal.as_ref().map(Journal::looks).unwrap_or_default();
    let gathered = gather(app, row, &mut sides.directory, &sides.pbx, &also, progress).await?;
    progress.phase(Phase::Plan, None);
    let undo = journal.map(|journal| journal.plan(&gathered));
    let plan = match &undo {
        Some(undo) => undo.plan.clone(),
        None => reconcile::plan::plan(&gathered.world),
    };
    Ok(Planned { gathered, plan, undo })
}

pub(super) async fn run(
    app: &App,
    row: &DirectoryRow,
    trigger: Trigger,
    task: Task<'_>,
    progress: &dyn Progress,
) -> Result<Report> {
    bury_the_dead(app, row).await?;
    let start = RunStart { directory: row.id, trigger, started_ms: app.clock.now_ms() };
    let run = app.store.start_run(&start).await?;
    let result = carry_out(app, row, run, task, progress).await;
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
    task: Task<'_>,
    progress: &dyn Progress,
) -> Result<Report> {
    let mut sides = Sides::open(app, row).await?;
    let mut due = planned(app, row, &mut sides, task.undoing(), progress).await?;
    let reviewed = task.reviewed();
    let mut moved = Vec::new();
    if let Some(reviewed) = reviewed {
        moved = keep_reviewed(&mut due.plan, reviewed);
    }
    let Planned { gathered, plan, undo } = &due;
    let hash = reviewed.map_or_else(|| hash_of(row, plan), |reviewed| reviewed.hash.clone());
    let about =
        |warnings: Vec<String>| About { server: &row.name, run: Some(run.0), hash: hash.clone(), warnings };
    if plan.halt.is_some() {
        keep_plan(app, row, plan, task.undoing()).await?;
        let mut report =
            people::report(about(gathered.warnings.clone()), &gathered.world, plan, Progressed::Halted);
        if let Some(undo) = undo {
            undo.tell(&mut report, None);
        }
        // Questions can be answered while it waits to be released.
        app.store.sync_conflicts(row.id, gathered.world.now_ms, &report.conflicts, false).await?;
        finish(app, run, Outcome::Halted, &report).await?;
        return Ok(report);
    }
    gathered.recovered.settle(app, row).await?;
    touch(app, run, plan).await?;
    progress.phase(Phase::Write, Some(plan.actions.len()));
    let (done, stopped) = write(app, row, run, &due, &mut sides, progress).await?;
    let warnings = gathered.warnings.iter().cloned().chain(moved).chain(stopped.clone()).collect();
    let mut report = people::report(about(warnings), &gathered.world, plan, Progressed::CarriedOut(&done));
    if let Some(undo) = undo {
        undo.tell(&mut report, Some(&done));
    }
    let whole_plan = matches!(task, Task::Synchronise);
    remember(app, row, gathered, &done, &mut report, whole_plan).await?;
    if let Some(reviewed) = reviewed {
        app.store.settle_plan(row.id, &reviewed.hash, PlanState::Applied).await?;
    }
    let whole = stopped.is_none() && plan.directory.is_complete() && plan.pbx.is_complete();
    finish(app, run, if whole { Outcome::Done } else { Outcome::Partial }, &report).await?;
    sides.directory.close().await;
    Ok(report)
}

async fn write(
    app: &App,
    row: &DirectoryRow,
    run: RunId,
    due: &Planned,
    sides: &mut Sides,
    progress: &dyn Progress,
) -> Result<(Vec<Done>, Option<String>)> {
    let Planned { gathered: Gathered { world, looked, .. }, plan, undo } = due;
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

/// The actions of a reviewed plan that would be planned the same now; the
/// others are named, one line each.
fn keep_reviewed(plan: &mut Plan, reviewed: &Reviewed) -> Vec<String> {
    let mut now: HashMap<PersonId, Action> =
        plan.actions.drain(..).map(|action| (action.person.clone(), action)).collect();
    let mut moved = Vec::new();
    for action in &reviewed.body.actions {
        match now.remove(&action.person) {
            Some(same) if same == *action => plan.actions.push(same),
            _ => moved.push(format!(
                "{}: not done, a side moved since the plan was made; preview again",
                action.name
            )),
        }
    }
    let kept: HashMap<&PersonId, &Action> =
        plan.actions.iter().map(|action| (&action.person, action)).collect();
    for line in &mut plan.people {
        let acts = !matches!(
            line.outcome,
            LineOutcome::Unchanged | LineOutcome::Left | LineOutcome::Skip | LineOutcome::Conflict
        );
        if acts && !kept.contains_key(&line.person) {
            line.outcome = LineOutcome::Skip;
            line.reason = Some("not part of the reviewed plan, or moved since".to_owned());
        }
    }
    // The guard's opinion of the reviewed plan counts, and a human may overrule it.
    plan.halt = reviewed.body.halt.clone().filter(|_| !reviewed.released);
    moved
}

async fn find_plan(app: &App, prefix: &str, released: bool) -> Result<(DirectoryRow, Reviewed)> {
    let mut found = Vec::new();
    for row in app.store.directories().await? {
        for head in app.store.plans(row.id).await? {
            if !prefix.is_empty() && head.hash.starts_with(prefix) {
                found.push((row.clone(), head));
            }
        }
    }
    found.retain(|(_, head)| head.state == PlanState::Pending || prefix == head.hash);
    let (row, head) = match found.len() {
        0 => {
            return Err(anyhow!(Usage(format!(
                "there is no plan `{prefix}`; make one with `rollcall preview`"
            ))));
        }
        1 => found.remove(0),
        _ => {
            return Err(anyhow!(Usage(format!(
                "several plans begin with `{prefix}`; give more of the hash"
            ))));
        }
    };
    if head.state != PlanState::Pending {
        return Err(anyhow!(Usage(format!("plan {} was carried out or discarded already", head.hash))));
    }
    let body = app.store.plan(row.id, &head.hash).await?.map(|(_, body)| body).unwrap_or_default();
    let body = serde_json::from_str(&body).context("the kept plan cannot be read; preview again")?;
    Ok((row, Reviewed { hash: head.hash, body, released }))
}

/// The name of a plan: what it does, on which server, and what the guard says.
fn hash_of(row: &DirectoryRow, plan: &Plan) -> String {
    let mut digest = Sha256::new();
    digest.update(format!("{}\n{}\n{:?}", row.id.0, plan.hash(), plan.halt));
    digest.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

async fn keep_plan(app: &App, row: &DirectoryRow, plan: &Plan, undoing: Option<&Undoing>) -> Result<()> {
    let body = json!({ "actions": plan.actions, "halt": plan.halt, "undo": undoing });
    let body = serde_json::to_string(&body)?;
    Ok(app.store.put_plan(row.id, &hash_of(row, plan), app.clock.now_ms(), &body).await?)
}

/// Notes for the guard of later runs whom this one touches.
async fn touch(app: &App, run: RunId, plan: &Plan) -> Result<()> {
    let mut touches = Vec::new();
    for action in &plan.actions {
        let counts: Counts = guard::count(std::slice::from_ref(action), 0, true);
        touches.extend(counts.into_keys().filter_map(|kind| {
            let kind = serde_json::to_value(kind).ok()?.as_str()?.into();
            Some(Touch { kind, person: action.person.clone() })
        }));
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
