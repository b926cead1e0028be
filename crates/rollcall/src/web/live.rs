//! Jobs: previews and runs that were started here, and everybody who watches
//! them. A job is one task of this process; a run of another process is joined
//! by a job that follows it.
//!
//! What is shown of a job is its state at the time of asking, so a slow watcher
//! misses people who scrolled by and never holds anything up.

use crate::app::App;
use crate::cli::errors::describe;
use crate::cycle::report::{Counts, Report};
use crate::cycle::{self, Asked, Expect, Phase, Progress, Seen};
use crate::limits;
use anyhow::Result;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use store::{DirectoryId, DirectoryRow, Trigger};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// What a job does.
#[derive(Clone, Debug)]
pub enum Task {
    Preview(Expect),
    Synchronise(Trigger, Expect),
    Apply { plan: String, release: bool },
    PreviewUndo(Asked),
    Undo(Asked),
}

impl Task {
    /// Whether it only shows what would happen.
    pub const fn is_preview(&self) -> bool {
        matches!(self, Task::Preview(_) | Task::PreviewUndo(_))
    }
}

/// How a job ended.
#[derive(Clone, Debug)]
pub enum Ended {
    Told(Box<Told>),
    Cancelled,
    Failed(String),
}

/// What its report said, without its people: those are in the store.
#[derive(Clone, Debug)]
pub struct Told {
    pub run: Option<i64>,
    pub plan: String,
    pub counts: Counts,
    pub is_halted: bool,
    pub is_whole: bool,
}

#[derive(Clone, Debug)]
pub struct State {
    pub phase: Option<Phase>,
    pub done: usize,
    pub total: Option<usize>,
    /// When this phase began.
    pub since_ms: i64,
    pub ended: Option<Ended>,
    pub ended_ms: Option<i64>,
    /// The people who came last, with their numbers from 1.
    people: VecDeque<(u64, Seen)>,
    people_count: u64,
}

impl State {
    /// People behind this number, oldest first, and the number of the last.
    pub fn people_after(&self, after: u64) -> (Vec<Seen>, u64) {
        let new = self.people.iter().filter(|(number, _)| *number > after);
        (new.map(|(_, seen)| seen.clone()).collect(), self.people_count)
    }
}

pub struct Job {
    pub id: u64,
    pub server: String,
    pub task: Task,
    pub started_ms: i64,
    app: App,
    cancellation: CancellationToken,
    state: Mutex<State>,
    moved: watch::Sender<()>,
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Job {} of {}", self.id, self.server)
    }
}

impl Job {
    pub fn state(&self) -> State {
        self.locked().clone()
    }

    pub fn is_running(&self) -> bool {
        self.locked().ended.is_none()
    }

    pub fn cancel(&self) {
        self.cancellation.cancel();
    }

    pub fn is_cancelled(&self) -> bool {
        self.cancellation.is_cancelled()
    }

    /// Tells that something moved; whoever is slow sees only the last.
    pub fn watch(&self) -> watch::Receiver<()> {
        self.moved.subscribe()
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.locked());
        self.moved.send_replace(());
    }

    async fn run(&self) {
        let work = async {
            let (app, server) = (&self.app, &self.server);
            match &self.task {
                Task::Preview(expect) => cycle::preview(app, server, *expect, self).await,
                Task::Synchronise(trigger, expect) => cycle::sync(app, server, *trigger, *expect, self).await,
                Task::Apply { plan, release } => cycle::apply(app, plan, *release, self).await,
                Task::PreviewUndo(asked) => cycle::preview_undo(app, asked, self).await,
                Task::Undo(asked) => cycle::undo(app, asked, self).await,
            }
        };
        let cancelled = async {
            self.cancellation.cancelled().await;
            if !self.task.is_preview() {
                std::future::pending::<()>().await;
            }
        };
        let result = tokio::select! {
            biased;
            result = work => Some(result),
            // It writes nothing, so nothing has to be brought to an end.
            () = cancelled => None,
        };
        let ended = match result {
            Some(Ok(report)) => Ended::Told(Box::new(Told::of(&report))),
            Some(Err(_)) | None if self.is_cancelled() => Ended::Cancelled,
            Some(Err(error)) => Ended::Failed(describe(&error)),
            None => Ended::Cancelled,
        };
        self.end(ended);
    }

    fn end(&self, ended: Ended) {
        let now_ms = self.app.clock.now_ms();
        self.change(|state| {
            state.ended = Some(ended);
            state.ended_ms = Some(now_ms);
        });
    }
}

impl Told {
    fn of(report: &Report) -> Self {
        Told {
            run: report.run,
            plan: report.plan.clone(),
            counts: report.counts,
            is_halted: report.halted.is_some(),
            is_whole: report.directory.verdict.is_complete() && report.pbx.verdict.is_complete(),
        }
    }
}

impl Progress for Job {
    fn phase(&self, phase: Phase, total: Option<usize>) {
        let since_ms = self.app.clock.now_ms();
        self.change(|state| {
            (state.phase, state.done, state.total, state.since_ms) = (Some(phase), 0, total, since_ms);
        });
    }

    fn advance(&self, by: usize) {
        self.change(|state| state.done += by);
    }

    fn person(&self, seen: &Seen) {
        self.change(|state| {
            state.people_count += 1;
            state.people.push_back((state.people_count, seen.clone()));
            if state.people.len() > limits::LIVE_PEOPLE {
                state.people.pop_front();
            }
        });
    }

    fn cancellation(&self) -> Option<&CancellationToken> {
        Some(&self.cancellation)
    }
}

/// What became of the wish to start a job.
#[derive(Debug)]
pub enum Started {
    New(Arc<Job>),
    /// Another one is running; the wish was not heard.
    Busy(Arc<Job>),
}

/// The last job of every server.
pub struct Jobs {
    app: App,
    /// The service ends.
    closed: AtomicBool,
    last_id: AtomicU64,
    jobs: Mutex<BTreeMap<DirectoryId, Arc<Job>>>,
}

impl fmt::Debug for Jobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Jobs of {} servers", self.locked().len())
    }
}

impl Jobs {
    pub fn new(app: App) -> Self {
        Jobs { app, closed: AtomicBool::new(false), last_id: AtomicU64::new(0), jobs: Mutex::default() }
    }

    pub fn of(&self, directory: DirectoryId) -> Option<Arc<Job>> {
        self.locked().get(&directory).cloned()
    }

    /// Starts a job; or returns the one that is running already, which is
    /// another one's. Once the service ends, nothing is started any more.
    pub fn start(&self, row: &DirectoryRow, task: Task) -> Started {
        let mut jobs = self.locked();
        if let Some(job) = jobs.get(&row.id).filter(|job| job.is_running()) {
            return Started::Busy(job.clone());
        }
        let now_ms = self.app.clock.now_ms();
        let state = State {
            phase: None,
            done: 0,
            total: None,
            since_ms: now_ms,
            ended: None,
            ended_ms: None,
            people: VecDeque::new(),
            people_count: 0,
        };
        let job = Arc::new(Job {
            id: self.last_id.fetch_add(1, Ordering::Relaxed) + 1,
            server: row.name.clone(),
            task,
            started_ms: now_ms,
            app: self.app.clone(),
            cancellation: CancellationToken::new(),
            state: Mutex::new(state),
            moved: watch::Sender::default(),
        });
        jobs.insert(row.id, job.clone());
        if self.closed.load(Ordering::Relaxed) {
            job.end(Ended::Cancelled);
            return Started::New(job);
        }
        let work = job.clone();
        tokio::spawn(async move {
            let inner = work.clone();
            // A job that breaks down is over, too.
            if let Err(error) = tokio::spawn(async move { inner.run().await }).await {
                tracing::error!(%error, "a job broke down");
                work.end(Ended::Failed("it broke down; the log says more".to_owned()));
            }
        });
        Started::New(job)
    }

    /// Forgets what a server's last job was, unless it is running.
    pub fn forget(&self, directory: DirectoryId) {
        let mut jobs = self.locked();
        if jobs.get(&directory).is_some_and(|job| !job.is_running()) {
            jobs.remove(&directory);
        }
    }

    /// Ends every job and waits for what was sent to be answered.
    pub async fn stop(&self) {
        let jobs: Vec<Arc<Job>> = {
            let jobs = self.locked();
            self.closed.store(true, Ordering::Relaxed);
            jobs.values().cloned().collect()
        };
        jobs.iter().for_each(|job| job.cancel());
        for job in jobs {
            let mut moved = job.watch();
            while job.is_running() && moved.changed().await.is_ok() {}
        }
    }

    fn locked(&self) -> MutexGuard<'_, BTreeMap<DirectoryId, Arc<Job>>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for a job; what it told, or why it did not.
pub async fn finished(job: &Job) -> Result<Ended> {
    let mut moved = job.watch();
    loop {
        if let Some(ended) = job.state().ended {
            return Ok(ended);
        }
        moved.changed().await?;
    }
}
