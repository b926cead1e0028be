//! Kept plans: those of previews, and those of runs that were halted. A human
//! looks at one, and carries out exactly that, or discards it.

use super::lease::lease;
use super::people;
use super::plausible::Expect;
use super::progress::Silent;
use super::report::{PersonReport, Report, Side, Status};
use super::stops::Stops;
use super::undo::Undoing;
use crate::app::{App, Usage};
use anyhow::{Context, Result, anyhow};
use reconcile::guard::{GuardKind, Halt};
use reconcile::plan::{Action, LineOutcome, PersonLine, Plan};
use reconcile::{EmployeeId, PersonId, World};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeSet, HashMap};
use store::{DirectoryId, DirectoryRow, PlanHead, PlanPerson, PlanState};

/// A plan as it is kept: people who do not change are not worth the room.
#[derive(Debug, Serialize, Deserialize)]
pub struct Body {
    actions: Vec<Action>,
    /// Of those who have an action.
    lines: Vec<PersonLine>,
    pub halt: Option<Halt>,
    /// What was stopped when it was made, and is therefore not part of it.
    stopped: BTreeSet<GuardKind>,
    pub lost: BTreeSet<PersonId>,
    /// The settings it was made with, see [`super::looked`].
    pub settings: String,
    /// What it undoes, if that is what it does.
    pub undo: Option<Undoing>,
    /// What was expected when it was made; it is carried out so, too.
    #[serde(default)]
    pub expect: Expect,
}

/// A plan that a human looked at and wants carried out.
#[derive(Debug)]
pub struct Reviewed {
    pub hash: String,
    pub made_ms: i64,
    pub body: Body,
    pub released: bool,
}

/// One row of the list of plans.
#[derive(Debug, Serialize)]
pub struct Kept {
    pub plan: String,
    pub server: String,
    pub made_ms: i64,
    pub state: PlanState,
    pub halted: Option<Halt>,
}

#[derive(Debug)]
pub struct Shown {
    pub kept: Kept,
    pub people: Vec<PersonReport>,
    /// Who would be joined with an employee.
    pub joined: BTreeSet<String>,
}

#[derive(Debug, Serialize)]
pub struct Discarded {
    pub discarded: String,
    pub server: String,
    /// What is no longer stopped.
    pub ended: BTreeSet<GuardKind>,
}

/// The name of a plan: what it does, on which server, and what the guard says.
pub fn hash_of(row: &DirectoryRow, plan: &Plan) -> String {
    let mut digest = Sha256::new();
    digest.update(format!("{}\n{}\n{:?}", row.id.0, plan.hash(), plan.halt));
    digest.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// What a plan was made with.
#[derive(Clone, Copy, Debug)]
pub struct Made<'a> {
    pub settings: &'a str,
    pub undoing: Option<&'a Undoing>,
    pub expect: Expect,
}

/// Keeps a plan for review, with everybody it is about.
pub async fn keep(
    app: &App,
    row: &DirectoryRow,
    world: &World,
    plan: &Plan,
    made: Made<'_>,
    report: &Report,
) -> Result<()> {
    let acts: BTreeSet<&PersonId> = plan.actions.iter().map(|action| &action.person).collect();
    let body = Body {
        actions: plan.actions.clone(),
        lines: plan.people.iter().filter(|line| acts.contains(&line.person)).cloned().collect(),
        halt: plan.halt.clone(),
        stopped: world.stopped.clone(),
        lost: plan.lost.clone(),
        settings: made.settings.to_owned(),
        undo: made.undoing.cloned(),
        expect: made.expect,
    };
    let (hash, body) = (&report.plan, serde_json::to_string(&body)?);
    app.store.put_plan(row.id, hash, app.clock.now_ms(), &body).await?;
    let (halt, undo) = (plan.halt.clone(), made.undoing.cloned());
    Brief { halt, undo, report: Some(report.without_people()) }.keep(app, row, hash).await?;
    let outcomes: HashMap<&str, LineOutcome> =
        plan.people.iter().map(|line| (line.person.as_str(), line.outcome)).collect();
    let people = report.people.iter().map(|person| {
        let outcome = outcomes.get(person.id.as_str()).copied().unwrap_or(LineOutcome::Unchanged);
        listed(person, outcome)
    });
    let mut people: Vec<PlanPerson> = people.collect::<Result<_, _>>()?;
    // What happens comes before what does not; each by name, as in the report.
    people.sort_by_key(|person| KINDS.iter().position(|kind| *kind == person.kind));
    Ok(app.store.put_plan_people(row.id, hash, &people).await?)
}

/// A person of a plan, as its list is stored.
fn listed(person: &PersonReport, outcome: LineOutcome) -> Result<PlanPerson, serde_json::Error> {
    Ok(PlanPerson {
        person: PersonId::new(person.id.as_str()),
        employee: person.employee.map(EmployeeId),
        name: person.name.clone(),
        extension: person.extension.clone().unwrap_or_default(),
        kind: kind(person, outcome).to_owned(),
        changes: serde_json::to_value(person)?,
        reason: person.reason.clone().unwrap_or_default(),
    })
}

/// What happens to somebody, in one word: the most that does.
fn kind(person: &PersonReport, outcome: LineOutcome) -> &'static str {
    if person.status == Status::Conflict {
        return "conflict";
    }
    match outcome {
        LineOutcome::Create => "create",
        LineOutcome::Join => "join",
        LineOutcome::Leave => "disabled",
        LineOutcome::Return => "return",
        LineOutcome::Unlink => "unlink",
        LineOutcome::Conflict => "conflict",
        LineOutcome::Update if person.changes.iter().all(|change| change.side == Side::Directory) => {
            "write-back"
        }
        LineOutcome::Update => "update",
        LineOutcome::Unchanged => "unchanged",
        LineOutcome::Left => "left",
        LineOutcome::Skip => "skip",
    }
}

/// The words there are, in the order in which pages offer them.
pub const KINDS: [&str; 11] = [
    "conflict",
    "create",
    "join",
    "update",
    "write-back",
    "disabled",
    "return",
    "unlink",
    "skip",
    "left",
    "unchanged",
];

/// What is told of a plan without looking at what it does to whom: that may be
/// long. Kept beside the plan, under a name of its own.
#[derive(Debug, Serialize, Deserialize)]
pub struct Brief {
    pub halt: Option<Halt>,
    #[serde(default)]
    pub undo: Option<Undoing>,
    pub report: Option<Report>,
}

impl Brief {
    async fn of(app: &App, row: &DirectoryRow, hash: &str) -> Result<Option<Self>> {
        let kept = app.store.meta(&name(row.id, hash)).await?;
        kept.map(|text| serde_json::from_str(&text)).transpose().with_context(|| unreadable(hash))
    }

    /// Those of plans that are no longer kept go.
    async fn keep(&self, app: &App, row: &DirectoryRow, hash: &str) -> Result<()> {
        app.store.put_meta(&name(row.id, hash), Some(&serde_json::to_string(self)?)).await?;
        let plans = app.store.plans(row.id).await?;
        let kept: BTreeSet<String> = plans.iter().map(|head| name(row.id, &head.hash)).collect();
        let mut names: Vec<String> =
            app.store.metas(&name(row.id, "")).await?.into_iter().map(|(name, _)| name).collect();
        names.retain(|name| !kept.contains(name));
        if names.is_empty() { Ok(()) } else { Ok(app.store.remove_metas(&names).await?) }
    }
}

fn name(directory: DirectoryId, hash: &str) -> String {
    format!("directory/{directory}/plan/{hash}")
}

/// One kept plan, as it was told when it was made.
pub async fn told(app: &App, row: &DirectoryRow, hash: &str) -> Result<Option<(Kept, Brief)>> {
    let heads = app.store.plans(row.id).await?;
    let Some(head) = heads.into_iter().find(|head| head.hash == hash) else { return Ok(None) };
    let brief = brief(app, row, hash).await?;
    Ok(Some((kept(row, head, brief.halt.clone()), brief)))
}

/// Of plans that were kept before there was a brief, the whole is looked at.
async fn brief(app: &App, row: &DirectoryRow, hash: &str) -> Result<Brief> {
    match Brief::of(app, row, hash).await? {
        Some(brief) => Ok(brief),
        None => {
            let Body { halt, undo, .. } = body(app, row, hash).await?;
            Ok(Brief { halt, undo, report: None })
        }
    }
}

/// The plan a human wants carried out.
pub async fn reviewed(app: &App, prefix: &str, released: bool) -> Result<(DirectoryRow, Reviewed)> {
    let (row, PlanHead { hash, made_ms, state, .. }) = find(app, prefix).await?;
    if state != PlanState::Pending {
        return Err(anyhow!(Usage(format!("plan {hash} was carried out or discarded already"))));
    }
    let body = body(app, &row, &hash).await?;
    Ok((row, Reviewed { hash, made_ms, body, released }))
}

/// A reviewed plan was carried out; where a human released it, what it had
/// stopped goes on.
pub async fn carried_out(
    app: &App,
    row: &DirectoryRow,
    reviewed: &Reviewed,
    stops: &mut Stops,
) -> Result<()> {
    if let Some(halt) = &reviewed.body.halt {
        stops.released(&reviewed.hash, reviewed.made_ms, halt, &reviewed.body.lost);
        // Before the plan is settled: else nobody could release it again.
        stops.keep(app, row.id).await?;
    }
    Ok(app.store.settle_plan(row.id, &reviewed.hash, PlanState::Applied).await?)
}

/// Every kept plan, the newest of each server first.
pub async fn list(app: &App, server: Option<&str>) -> Result<Vec<Kept>> {
    let rows = match server {
        Some(name) => vec![app.server(name).await?],
        None => app.store.directories().await?,
    };
    let mut list = Vec::new();
    for row in rows {
        for head in app.store.plans(row.id).await? {
            let halt = brief(app, &row, &head.hash).await?.halt;
            list.push(kept(&row, head, halt));
        }
    }
    Ok(list)
}

/// One plan, with what it does to whom.
pub async fn show(app: &App, prefix: &str) -> Result<Shown> {
    let (row, head) = find(app, prefix).await?;
    let body = body(app, &row, &head.hash).await?;
    let actions: HashMap<&PersonId, &Action> =
        body.actions.iter().map(|action| (&action.person, action)).collect();
    let joins = body.lines.iter().filter(|line| line.outcome == LineOutcome::Join);
    let joined = joins.map(|line| line.person.to_string()).collect();
    let planned = |line: &PersonLine| people::planned_for(line, actions.get(&line.person).copied());
    let mut people: Vec<PersonReport> = body.lines.iter().map(planned).collect();
    people.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
    Ok(Shown { kept: kept(&row, head, body.halt), people, joined })
}

/// A human does not want a plan. What it stopped is stopped no longer: the
/// next run counts anew.
pub async fn discard(app: &App, prefix: &str) -> Result<Discarded> {
    loop {
        let (row, hash) = to_discard(app, prefix).await?;
        let work = async {
            let mut stops = Stops::of(app, row.id).await?;
            let ended = stops.discarded(&hash);
            if app.store.plan(row.id, &hash).await?.is_some() {
                app.store.settle_plan(row.id, &hash, PlanState::Discarded).await?;
            }
            stops.keep(app, row.id).await?;
            Ok(Discarded { discarded: hash, server: row.name.clone(), ended })
        };
        // A run that is on may be carrying it out: wait, and look again.
        if let Ok(leased) = lease(app, &row, &Silent).await? {
            return leased.during(work).await;
        }
    }
}

impl Reviewed {
    /// What the plan is made without: what it was made without before, and
    /// what was stopped since. A release says that the latter may be done; of
    /// lost employees it says nothing.
    pub fn stopped(&self, stops: &Stops) -> BTreeSet<GuardKind> {
        let mut stopped = stops.kinds();
        stopped.retain(|kind| !self.released || *kind == GuardKind::LostEmployees);
        stopped.union(&self.body.stopped).copied().collect()
    }

    /// Leaves of a plan the actions that were reviewed and would be planned
    /// the same now; the others are named, one line each.
    pub fn narrow(&self, plan: &mut Plan) -> Vec<String> {
        let mut now: HashMap<PersonId, Action> =
            plan.actions.drain(..).map(|action| (action.person.clone(), action)).collect();
        let skipped = |line: &&PersonLine| line.outcome == LineOutcome::Skip;
        let skipped: HashMap<&PersonId, &str> = plan
            .people
            .iter()
            .filter(skipped)
            .filter_map(|line| Some((&line.person, line.reason.as_deref()?)))
            .collect();
        let mut moved = Vec::new();
        for action in &self.body.actions {
            match (now.remove(&action.person), skipped.get(&action.person)) {
                (Some(same), _) if same == *action => plan.actions.push(same),
                (None, Some(why)) => moved.push(format!("{}: not done, {why}", action.name)),
                _ => moved.push(format!(
                    "{}: not done, a side moved since the plan was made; preview again",
                    action.name
                )),
            }
        }
        let kept: BTreeSet<&PersonId> = plan.actions.iter().map(|action| &action.person).collect();
        for line in &mut plan.people {
            let acts = !matches!(
                line.outcome,
                LineOutcome::Unchanged | LineOutcome::Left | LineOutcome::Skip | LineOutcome::Conflict
            );
            if acts && !kept.contains(&line.person) {
                line.outcome = LineOutcome::Skip;
                line.reason = Some("not part of the reviewed plan, or moved since".to_owned());
            }
        }
        plan.halt = self.halt(plan.halt.take());
        moved
    }

    /// The guard's opinion of the reviewed plan counts, and a human may
    /// overrule it. That the PBX is another one by now, nobody has reviewed.
    fn halt(&self, now: Option<Halt>) -> Option<Halt> {
        let lost =
            |halt: &Halt| halt.tripped.iter().find(|trip| trip.kind == GuardKind::LostEmployees).cloned();
        let then = self.body.halt.as_ref();
        match (then.filter(|_| !self.released), now.as_ref().and_then(lost)) {
            (Some(then), _) => Some(then.clone()),
            (None, Some(trip)) if then.and_then(lost).is_none() => {
                Some(Halt { tripped: vec![trip], look_first: None })
            }
            (None, _) => None,
        }
    }
}

/// The one plan whose hash begins like this.
async fn find(app: &App, prefix: &str) -> Result<(DirectoryRow, PlanHead)> {
    let mut found = Vec::new();
    for row in app.store.directories().await? {
        let heads = app.store.plans(row.id).await?;
        let wanted = heads.into_iter().filter(|head| !prefix.is_empty() && head.hash.starts_with(prefix));
        found.extend(wanted.map(|head| (row.clone(), head)));
    }
    if found.len() > 1 {
        found.retain(|(_, head)| head.state == PlanState::Pending);
    }
    match found.len() {
        0 => Err(anyhow!(Usage(format!("there is no plan `{prefix}`; make one with `rollcall preview`")))),
        1 => Ok(found.remove(0)),
        _ => Err(anyhow!(Usage(format!("several plans begin with `{prefix}`; give more of the hash")))),
    }
}

/// A plan that waits, or one that is no longer kept and still stops something.
async fn to_discard(app: &App, prefix: &str) -> Result<(DirectoryRow, String)> {
    let found = find(app, prefix).await;
    if let Ok((row, head)) = found {
        return match head.state {
            PlanState::Pending => Ok((row, head.hash)),
            _ => Err(anyhow!(Usage(format!("plan {} was carried out or discarded already", head.hash)))),
        };
    }
    for row in app.store.directories().await? {
        let stops = Stops::of(app, row.id).await?;
        let gone = stops.iter().find(|(_, stop)| !prefix.is_empty() && stop.plan.starts_with(prefix));
        if let Some((_, stop)) = gone {
            return Ok((row, stop.plan.clone()));
        }
    }
    found.map(|(row, head)| (row, head.hash))
}

async fn body(app: &App, row: &DirectoryRow, hash: &str) -> Result<Body> {
    let body = app.store.plan(row.id, hash).await?.map(|(_, body)| body).unwrap_or_default();
    serde_json::from_str(&body).with_context(|| unreadable(hash))
}

fn unreadable(hash: &str) -> String {
    format!("the kept plan {hash} cannot be read; preview again")
}

fn kept(row: &DirectoryRow, head: PlanHead, halted: Option<Halt>) -> Kept {
    Kept { plan: head.hash, server: row.name.clone(), made_ms: head.made_ms, state: head.state, halted }
}
