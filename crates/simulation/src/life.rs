//! One life: a company, some weeks of edits and synchronisations with whatever
//! goes wrong, and then peace, in which everything has to come to rest.

use crate::humans;
use crate::process::Process;
use crate::rest;
use crate::stage::{Chances, SERVER, Stage};
use directory::Kind;
use effects::Clock;
use futures_util::FutureExt;
use reconcile::{Field, LinkState, PersonId};
use rollcall::cycle::{self, Expect, Report, Silent};
use sandbox::pbx::Rate;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use store::{Conflicts, ConflictsOf, Coordination, DirectoryId, History, Links, Trigger};
use tokio::runtime::Builder;
use uuid::Uuid;

/// Rounds of edits and runs before peace.
const ROUNDS_MAX: i64 = 4;
/// Edits between the two runs of a doomed life.
const EDITS_BETWEEN: usize = 6;
/// Steps within which a process may be told to die. Most runs have fewer.
const FATAL_STEP_MAX: i64 = 260;
pub const STACK_BYTES: usize = 32 * 1024 * 1024;
/// Runs among which one is undone.
const RUNS_REMEMBERED: u32 = 6;
const DAY_MS: i64 = 86_400_000;

/// What became of a life.
#[derive(Debug, Default)]
pub struct Outcome {
    pub seed: u64,
    pub runs: u64,
    pub steps: u64,
    pub writes: u64,
    pub exempt: u64,
    pub repairs: u64,
    /// What went wrong on purpose, and how often.
    pub faults: BTreeMap<&'static str, u64>,
    pub violations: Vec<String>,
    pub digest: u64,
    pub trace: Vec<String>,
}

/// What may happen in a life; every seed has one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Temper {
    /// Nothing goes wrong: plain bookkeeping.
    Calm,
    /// Processes die.
    Mortal,
    /// Networks and servers misbehave.
    Stormy,
    /// Others edit while we work.
    Busy,
    Everything,
}

/// Lives one seed from its beginning to its rest, on a thread of its own: not
/// optimised, the futures of a whole run are large.
pub fn live(seed: u64, told: bool) -> Outcome {
    let life = thread::Builder::new().stack_size(STACK_BYTES).spawn(move || life(seed, told));
    life.expect("the system has a thread left").join().unwrap_or_else(|_| Outcome {
        seed,
        violations: vec!["it panicked".to_owned()],
        ..Outcome::default()
    })
}

/// A company and its first synchronisation or, after some edits, its second
/// one (`doomed` is 0 or 1). In that one the process dies at the given step;
/// step 0 never comes. What both sides hold at rest, and how many steps it had.
pub fn live_doomed(seed: u64, doomed: usize, dies_at: u64) -> (String, u64, Vec<String>) {
    let life =
        thread::Builder::new().stack_size(STACK_BYTES).spawn(move || doomed_life(seed, doomed, dies_at));
    life.expect("the system has a thread left").join().expect("a life is only told, whatever happens in it")
}

fn life(seed: u64, told: bool) -> Outcome {
    in_its_own_time(async move {
        let mut life = Life::new(seed, told).await;
        life.pass().await;
        life.end(seed)
    })
}

fn doomed_life(seed: u64, doomed: usize, dies_at: u64) -> (String, u64, Vec<String>) {
    in_its_own_time(async move {
        let mut life = Life::new(seed, false).await;
        humans::found(&life.stage);
        if doomed > 0 {
            drop(life.sync(Trigger::Manual, 0).await);
            for _ in 0..EDITS_BETWEEN {
                humans::edit(&life.stage);
            }
        }
        let before = life.steps;
        drop(life.sync(Trigger::Manual, dies_at).await);
        let steps = life.steps - before;
        rest::come_to_rest(&mut life).await;
        let portrait = life.stage.witness().likeness();
        let violations = life.end(seed).violations;
        (portrait, steps, violations)
    })
}

/// Time that passes only where somebody waits.
pub fn in_its_own_time<T>(life: impl Future<Output = T>) -> T {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime without sockets needs nothing of the system").block_on(life)
}

pub struct Life {
    pub stage: Arc<Stage>,
    pub directory: DirectoryId,
    pub runs: u64,
    pub steps: u64,
    /// What was agreed, with nobody asked, when everything rested last.
    pub rested: BTreeSet<(PersonId, u64, Field)>,
    /// Fields of which a report said that something else was stored than was sent.
    pub told: BTreeSet<(String, Field)>,
}

impl Life {
    async fn new(seed: u64, told: bool) -> Self {
        let stage = Stage::new(seed, told);
        Life {
            directory: stage.set_up().await,
            stage,
            runs: 0,
            steps: 0,
            rested: BTreeSet::new(),
            told: BTreeSet::new(),
        }
    }

    /// A plain company with this kind of directory, and the ordinary policy.
    pub async fn with(kind: Kind) -> Self {
        let stage = Stage::plain(kind);
        Life {
            directory: stage.set_up().await,
            stage,
            runs: 0,
            steps: 0,
            rested: BTreeSet::new(),
            told: BTreeSet::new(),
        }
    }

    async fn pass(&mut self) {
        let tempers = [Temper::Calm, Temper::Mortal, Temper::Stormy, Temper::Busy, Temper::Everything];
        let temper = *self.stage.lot.pick(&tempers).unwrap_or(&Temper::Calm);
        self.stage.note(format_args!("a {temper:?} life with {:?}", self.stage.kind));
        humans::found(&self.stage);
        for _ in 0..self.stage.lot.within(1, ROUNDS_MAX) {
            for _ in 0..self.stage.lot.within(0, 4) {
                humans::edit(&self.stage);
            }
            self.time_passes(DAY_MS).await;
            self.bring_faults(temper);
            self.work(temper).await;
            self.calm_down();
            self.somebody_answers().await;
            if self.stage.lot.strikes(300) {
                rest::come_to_rest(self).await;
            }
        }
        rest::come_to_rest(self).await;
        rest::lose_the_memory(self).await;
    }

    /// Something an administrator or the timer would do.
    async fn work(&mut self, temper: Temper) {
        let mortal = matches!(temper, Temper::Mortal | Temper::Everything);
        let dies_at = match mortal && self.stage.lot.strikes(700) {
            true => u64::try_from(self.stage.lot.within(1, FATAL_STEP_MAX)).unwrap_or(1),
            false => 0,
        };
        match self.stage.lot.below(10) {
            0 | 1 => self.preview_and_apply(dies_at).await,
            2 => self.two_at_once(dies_at).await,
            3 if temper != Temper::Calm || self.stage.lot.strikes(500) => self.undo_something(dies_at).await,
            3 | 4 if temper == Temper::Calm => self.preview_is_the_plan().await,
            3..6 => drop(self.sync(Trigger::Automatic, dies_at).await),
            _ => drop(self.sync(Trigger::Manual, dies_at).await),
        }
    }

    /// One synchronisation by a process of its own. None if it died.
    pub async fn sync(&mut self, trigger: Trigger, dies_at: u64) -> Option<anyhow::Result<Report>> {
        let process = Process::start(&self.stage, dies_at);
        self.run(&process, async |app| cycle::sync(app, SERVER, trigger, Expect::AsBefore, &Silent).await).await
    }

    /// Anything that may write, watched from its beginning to its end.
    pub async fn run(
        &mut self,
        process: &Arc<Process>,
        work: impl AsyncFnOnce(&rollcall::app::App) -> anyhow::Result<Report>,
    ) -> Option<anyhow::Result<Report>> {
        let before = self.leavers();
        self.stage.witness().begin();
        let app = process.app();
        let result = process.live(work(&app)).await;
        drop(app);
        self.stage.settle().await;
        self.runs += 1;
        self.steps += process.steps();
        if let Some(result) = &result {
            match result {
                Ok(report) => {
                    let (counts, halted) = (&report.counts, report.halted.is_some());
                    self.stage.note(format_args!("run: {counts:?}, halted: {halted}"));
                    self.tell(report);
                    self.judge_verdicts(report);
                }
                Err(error) => self.stage.note(format_args!("run failed: {error:#}")),
            }
        }
        self.judge_leavers(&before);
        result
    }

    /// What a run did, for whoever reads the trace.
    fn tell(&mut self, report: &Report) {
        for person in report.people.iter().filter(|person| !person.changes.is_empty()) {
            for change in &person.changes {
                self.stage.note(format_args!("  {}: {change:?}", person.id));
                if change.note.as_ref().is_some_and(|note| note.contains("instead")) {
                    self.told.insert((person.id.clone(), change.field));
                }
            }
        }
        for conflict in &report.conflicts {
            let (kind, field) = (conflict.kind, conflict.field);
            self.stage.note(format_args!("  {}: {kind:?} {field:?} {}", conflict.person, conflict.reason));
        }
        for warning in &report.warnings {
            self.stage.note(format_args!("  warning: {warning}"));
        }
    }

    /// A human looks at the plan, does something else, and has it carried out.
    async fn preview_and_apply(&mut self, dies_at: u64) {
        let process = Process::start(&self.stage, 0);
        let Some(Ok(shown)) = self.preview(&process).await else { return };
        if self.stage.lot.strikes(500) {
            humans::edit(&self.stage);
        }
        let release = shown.halted.is_some() && self.stage.lot.strikes(700);
        let process = Process::start(&self.stage, dies_at);
        self.run(&process, async |app| cycle::apply(app, &shown.plan, release, &Silent).await).await;
    }

    /// With nothing in between, a run does exactly what the preview showed.
    async fn preview_is_the_plan(&mut self) {
        let process = Process::start(&self.stage, 0);
        let Some(Ok(shown)) = self.preview(&process).await else { return };
        if let Some(Ok(report)) = self.sync(Trigger::Manual, 0).await
            && report.plan != shown.plan
        {
            self.stage.violated(format!("preview {} was not the plan {}", shown.plan, report.plan));
        }
    }

    /// A preview writes nothing anywhere.
    async fn preview(&mut self, process: &Arc<Process>) -> Option<anyhow::Result<Report>> {
        let before = (self.stage.pbx.attempts(), self.stage.directory.counts().write_requests);
        let shown = self.run(process, async |app| cycle::preview(app, SERVER, Expect::AsBefore, &Silent).await).await;
        let after = (self.stage.pbx.attempts(), self.stage.directory.counts().write_requests);
        if before != after {
            self.stage.violated(format!("a preview wrote: {before:?} → {after:?}"));
        }
        shown
    }

    /// A human wants back what an earlier run did.
    async fn undo_something(&mut self, dies_at: u64) {
        let runs =
            self.stage.store().runs(Some(self.directory), RUNS_REMEMBERED, 0).await.unwrap_or_default();
        let Some(run) = self.stage.lot.pick(&runs) else { return };
        self.stage.note(format_args!("run {} is undone", run.id));
        self.stage.count("run undone");
        let asked = cycle::Asked { run: run.id.0, person: None, steps: Vec::new() };
        let process = Process::start(&self.stage, dies_at);
        let before = self.stage.witness().undone.clone();
        self.run(&process, async |app| cycle::undo(app, &asked, &Silent).await).await;
        let after = self.stage.witness().undone.clone();
        if before != after {
            self.stage.count("undo that wrote");
        }
    }

    /// Two processes want the same; one of them waits.
    async fn two_at_once(&mut self, dies_at: u64) {
        let other = Process::start(&self.stage, 0);
        let theirs = other.app();
        let process = Process::start(&self.stage, dies_at);
        self.run(&process, async |app| {
            let (ours, _) = tokio::join!(
                cycle::sync(app, SERVER, Trigger::Manual, Expect::AsBefore, &Silent),
                other.live(cycle::sync(&theirs, SERVER, Trigger::Automatic, Expect::AsBefore, &Silent)),
            );
            ours
        })
        .await;
        self.steps += other.steps();
    }

    /// An administrator deals with what waits for a human.
    async fn somebody_answers(&mut self) {
        let open = self.stage.store().conflicts(ConflictsOf::Directory(self.directory)).await;
        for row in open.unwrap_or_default() {
            if !self.stage.lot.strikes(250) {
                continue;
            }
            let Some(&way) = self.stage.lot.pick(&row.conflict.ways_out) else { continue };
            let Some(answer) = rest::answer(&self.stage, &row.conflict, way) else { continue };
            self.stage.note(format_args!("  answered: {:?} {way:?}", row.conflict.kind));
            self.stage.witness().answered(&row.conflict.person);
            let decision = reconcile::Decision {
                person: row.conflict.person.clone(),
                kind: row.conflict.kind,
                field: row.conflict.field,
                answer,
                stands_on: row.conflict.stands_on.clone(),
                at_ms: self.stage.clock.now_ms(),
            };
            if let Err(error) = self.stage.store().put_decision(self.directory, &decision).await {
                self.stage.violated(format!("an answer was refused: {error}"));
            }
        }
    }

    fn bring_faults(&self, temper: Temper) {
        let stormy = matches!(temper, Temper::Stormy | Temper::Everything);
        let busy = matches!(temper, Temper::Busy | Temper::Everything);
        let some = |on: bool, most: i64| match on && self.stage.lot.strikes(600) {
            true => u16::try_from(self.stage.lot.within(1, most)).unwrap_or(0),
            false => 0,
        };
        self.stage.set_chances(Chances {
            meddle: some(busy, 40),
            window: some(busy, 300),
            delay: some(busy || stormy, 20),
            jump: some(stormy, 10),
            dial_refused: some(stormy, 300),
            cut: some(stormy, 15),
            lost: some(stormy, 10),
            doubled: some(stormy, 60),
            pbx_refused: some(stormy, 40),
            request_lost: some(stormy, 30),
            answer_lost: some(stormy, 40),
        });
        if stormy {
            self.break_the_servers();
        }
    }

    fn break_the_servers(&self) {
        let lot = &self.stage.lot;
        let rate = |most: u64| match lot.strikes(200) {
            true => Rate::Percent(u8::try_from(1 + lot.below(most)).unwrap_or(1)),
            false => Rate::Never,
        };
        let faults = sandbox::pbx::Faults {
            busy: rate(10),
            limit: rate(3),
            forbidden: rate(3),
            gateway: rate(5),
            locked: rate(20),
            timeout: rate(20),
            timeout_done: rate(25),
            drop: rate(25),
            drop_before: rate(20),
            race: rate(30),
            cut: lot.strikes(100).then_some(8),
            total: if lot.strikes(60) { lot.within(-2, 2) } else { 0 },
            ..sandbox::pbx::Faults::default()
        };
        self.stage.note(format_args!("  PBX: {faults:?}"));
        self.stage.pbx.set_faults(faults);
        self.stage.directory.with_faults(|faults| {
            *faults = crate::weather::directory(lot);
            self.stage.note(format_args!("  directory: {faults:?}"));
        });
    }

    pub fn calm_down(&self) {
        self.stage.set_chances(Chances::default());
        self.stage.pbx.set_faults(sandbox::pbx::Faults::default());
        self.stage.directory.with_faults(|faults| *faults = sandbox::directory::Faults::default());
    }

    pub async fn time_passes(&self, most_ms: i64) {
        let ms = u64::try_from(self.stage.lot.within(1_000, most_ms)).unwrap_or(1_000);
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }

    /// A read that did not see everything never disables anybody.
    fn judge_verdicts(&self, report: &Report) {
        let counts = report.counts;
        if report.directory.verdict.reason().is_some() && counts.disabled + counts.restored > 0 {
            let torn = report.directory.verdict.reason().unwrap_or_default();
            self.stage.violated(format!("people were moved on an incomplete read: {torn}"));
        }
        if report.pbx.verdict.reason().is_some() && counts.created > 0 {
            self.stage.violated("somebody was created on an incomplete read of the PBX".to_owned());
        }
    }

    fn leavers(&self) -> BTreeMap<PersonId, bool> {
        let links = self.stage.store().links(self.directory).now_or_never().and_then(Result::ok);
        let left = |state: &LinkState| matches!(state, LinkState::Left { .. });
        links.unwrap_or_default().into_iter().map(|link| (link.person, left(&link.state))).collect()
    }

    /// Whoever is listed as a leaver since this run was one during it.
    fn judge_leavers(&self, before: &BTreeMap<PersonId, bool>) {
        let witness = self.stage.witness();
        let wrong: Vec<PersonId> = self
            .leavers()
            .into_iter()
            .filter(|(person, left)| *left && before.get(person) != Some(&true))
            .map(|(person, _)| person)
            .filter(|person| {
                let id: Option<Uuid> = person.as_str().parse().ok();
                id.is_none_or(|id| witness.people.contains_key(&id) && !witness.left.contains(&id))
            })
            .collect();
        drop(witness);
        for person in wrong {
            self.stage.violated(format!("{person} was taken for a leaver and was none"));
        }
    }

    /// Carries out the plan of a halted run.
    pub async fn release(&mut self, hash: &str) -> Option<anyhow::Result<Report>> {
        let kept = self.stage.store().plans(self.directory).await.unwrap_or_default();
        if !kept.iter().any(|plan| plan.hash == hash) {
            self.stage.violated(format!("the halted plan {hash} was not kept"));
        }
        let process = Process::start(&self.stage, 0);
        self.run(&process, async |app| cycle::apply(app, hash, true, &Silent).await).await
    }

    fn end(self, seed: u64) -> Outcome {
        let witness = self.stage.witness();
        let (writes, exempt, repairs) = (witness.writes, witness.exempt, witness.repairs);
        let violations = witness.violations.clone();
        drop(witness);
        Outcome {
            seed,
            runs: self.runs,
            steps: self.steps,
            writes,
            exempt,
            repairs,
            faults: self.stage.counts(),
            violations,
            digest: self.stage.digest(),
            trace: self.stage.lines(),
        }
    }
}
