//! Following a run: the process that runs tells the store how far it is, and
//! whoever waits for it shows that as their own.

use super::lease::Holder;
use super::progress::{Phase, Progress, Seen};
use super::report::Report;
use crate::app::App;
use crate::limits;
use anyhow::{Result, anyhow};
use std::convert::Infallible;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use store::{DirectoryRow, Outcome, RunId, RunProgress};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Progress that is shown here, and told to the store for others.
pub struct Published<'a> {
    here: &'a dyn Progress,
    now: Mutex<Option<RunProgress>>,
    moved: Notify,
}

impl<'a> Published<'a> {
    pub fn new(here: &'a dyn Progress) -> Self {
        Published { here, now: Mutex::default(), moved: Notify::new() }
    }

    /// Tells the store for as long as it is polled. A run does not fail
    /// because nobody learns how far it is.
    pub async fn tell(&self, app: &App, run: RunId) -> Infallible {
        loop {
            self.moved.notified().await;
            if let Some(now) = self.read()
                && let Err(error) = app.store.note_progress(run, &now).await
            {
                tracing::debug!(%error, "progress could not be told");
            }
            app.clock.sleep(Duration::from_millis(limits::PROGRESS_EVERY_MS)).await;
        }
    }

    /// Ends when the run is cancelled before its first write. From there on
    /// whoever writes looks by themselves: a request that was sent is answered.
    pub async fn cancelled_before_writing(&self) {
        let Some(cancellation) = self.here.cancellation() else { return std::future::pending().await };
        cancellation.cancelled().await;
        if self.read().is_some_and(|now| now.phase == Phase::Write) {
            std::future::pending().await
        }
    }

    fn read(&self) -> Option<RunProgress> {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Option<RunProgress>)) {
        change(&mut self.now.lock().unwrap_or_else(PoisonError::into_inner));
        self.moved.notify_one();
    }
}

impl Progress for Published<'_> {
    fn phase(&self, phase: Phase, total: Option<usize>) {
        self.here.phase(phase, total);
        self.change(|now| *now = Some(RunProgress { phase, done: 0, total }));
    }

    fn advance(&self, by: usize) {
        self.here.advance(by);
        self.change(|now| now.iter_mut().for_each(|now| now.done += by));
    }

    fn person(&self, seen: &Seen) {
        self.here.person(seen);
    }

    fn cancellation(&self) -> Option<&CancellationToken> {
        self.here.cancellation()
    }
}

/// A run of another process that was waited for.
#[derive(Debug)]
pub struct Followed {
    pub report: Report,
}

/// Waits until nobody holds the lease. The run that ended meanwhile is the one
/// that was waited for; `None` when its process died instead.
pub async fn follow(
    app: &App,
    row: &DirectoryRow,
    since_ms: i64,
    progress: &dyn Progress,
) -> Result<Option<Followed>> {
    tracing::info!(server = row.name, "another process synchronises this server; waiting for it");
    let mut shown = None;
    while let Some((holder, _)) = app.store.lease_holder(row.id, app.clock.now_ms()).await? {
        let last = app.store.runs(Some(row.id), 1, 0).await?.into_iter().next();
        // What holds the lease may be no run at all: settings are changed under it too.
        let running = last.filter(|run| run.holder == holder);
        if let Some(now) = running.and_then(|run| run.progress) {
            show(progress, shown.replace(now), now);
        }
        if (Holder { text: holder }).is_dead() {
            return Ok(None);
        }
        if progress.is_cancelled() {
            return Err(anyhow!("nobody waits any more; the other process goes on"));
        }
        app.clock.sleep(Duration::from_millis(limits::FOLLOW_POLL_MS)).await;
    }
    let last = app.store.runs(Some(row.id), 1, 0).await?.into_iter().next();
    let Some(run) = last.filter(|run| run.ended_ms.is_some_and(|ended_ms| ended_ms >= since_ms)) else {
        return Ok(None);
    };
    if run.outcome == Outcome::Failed {
        let why = run.report["error"].as_str().unwrap_or("it did not say why").to_owned();
        return Err(anyhow!("run {} of another process, which this one waited for, failed: {why}", run.id));
    }
    let report = super::run::report_of(app, &run).await?;
    Ok(Some(Followed { report }))
}

/// Shows what another process told since it was looked at last.
fn show(progress: &dyn Progress, before: Option<RunProgress>, now: RunProgress) {
    let same = before.filter(|before| (before.phase, before.total) == (now.phase, now.total));
    match same.and_then(|before| now.done.checked_sub(before.done)) {
        Some(more) => progress.advance(more),
        None => {
            progress.phase(now.phase, now.total);
            progress.advance(now.done);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Seen(Mutex<Vec<String>>);

    impl Progress for Seen {
        fn phase(&self, phase: Phase, total: Option<usize>) {
            self.0.lock().unwrap().push(format!("{phase} of {total:?}"));
        }

        fn advance(&self, by: usize) {
            self.0.lock().unwrap().push(format!("+{by}"));
        }
    }

    #[test]
    fn what_was_told_is_shown_once() {
        let seen = Seen::default();
        let mut before = None;
        let write = |done| RunProgress { phase: Phase::Write, done, total: Some(9) };
        let read = RunProgress { phase: Phase::ReadPbx, done: 4, total: None };
        for now in [read, write(2), write(5), write(5), write(1)] {
            show(&seen, before.replace(now), now);
        }
        let expected =
            ["read-pbx of None", "+4", "write of Some(9)", "+2", "+3", "+0", "write of Some(9)", "+1"];
        assert_eq!(*seen.0.lock().unwrap(), expected);
    }
}
