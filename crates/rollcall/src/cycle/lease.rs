//! One writer: a directory is synchronised by one process at a time. Whoever
//! comes second follows the first and reports what it did.

use super::report::Report;
use crate::app::App;
use crate::limits;
use anyhow::{Result, anyhow};
use std::future::Future;
use std::time::Duration;
use std::{fs, process};
use store::{DirectoryRow, Lease, Outcome};

/// Runs `work` under the lease of the directory, or waits for whoever holds it
/// and returns what that run reported.
pub async fn under_lease<T>(
    app: &App,
    row: &DirectoryRow,
    work: impl Future<Output = Result<T>>,
) -> Result<Result<T, Followed>> {
    let holder = Holder::of_this_process(app).text;
    loop {
        let now_ms = app.clock.now_ms();
        match app.store.take_lease(row.id, &holder, now_ms + limits::LEASE_MS, now_ms).await? {
            Lease::Held => break,
            Lease::HeldBy { holder: other, .. } if Holder { text: other.clone() }.is_dead() => {
                app.store.release_lease(row.id, &other).await?;
            }
            Lease::HeldBy { .. } => {
                if let Some(followed) = follow(app, row, now_ms).await? {
                    return Ok(Err(followed));
                }
            }
        }
    }
    let result = tokio::select! {
        biased;
        result = work => result,
        lost = renew(app, row, &holder) => Err(lost),
    };
    app.store.release_lease(row.id, &holder).await?;
    result.map(Ok)
}

/// A run of another process that was waited for.
#[derive(Debug)]
pub struct Followed {
    pub report: Report,
}

/// Prolongs the lease for as long as it is polled; ends only when it is lost.
async fn renew(app: &App, row: &DirectoryRow, holder: &str) -> anyhow::Error {
    loop {
        app.clock.sleep(Duration::from_millis(limits::LEASE_RENEW_MS)).await;
        let now_ms = app.clock.now_ms();
        match app.store.renew_lease(row.id, holder, now_ms + limits::LEASE_MS, now_ms).await {
            Ok(true) => {}
            Ok(false) => {
                return anyhow!(
                    "another process took over server `{}`; this run stopped between two writes and the next one \
                     goes on from there",
                    row.name
                );
            }
            Err(error) => tracing::warn!(%error, "the lease could not be renewed"),
        }
    }
}

/// Waits until nobody holds the lease. The run that ended meanwhile is the one
/// that was waited for; `None` when its process died instead.
async fn follow(app: &App, row: &DirectoryRow, since_ms: i64) -> Result<Option<Followed>> {
    tracing::info!(server = row.name, "another process synchronises this server; waiting for it");
    while let Some((holder, _)) = app.store.lease_holder(row.id, app.clock.now_ms()).await? {
        if (Holder { text: holder }).is_dead() {
            return Ok(None);
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

/// Names this process among all that may share a store, so that others on the
/// same machine can tell when it is dead and need not wait for the lease to
/// expire: process, its start, and where its number means anything.
struct Holder {
    text: String,
}

impl Holder {
    fn of_this_process(app: &App) -> Self {
        let mut salt = [0; 8];
        app.random.fill(&mut salt);
        let salt: String = salt.iter().map(|byte| format!("{byte:02x}")).collect();
        let pid = process::id();
        let started = started(pid).unwrap_or_default();
        Holder { text: format!("{pid}/{started}/{}/{salt}", place().unwrap_or_default()) }
    }

    /// Only what is certain: a process of another machine, or of a system
    /// without /proc, is never dead.
    fn is_dead(&self) -> bool {
        let mut parts = self.text.split('/');
        let (Some(pid), Some(then), Some(there)) = (parts.next(), parts.next(), parts.next()) else {
            return false;
        };
        let Ok(pid) = pid.parse() else { return false };
        place().is_some_and(|here| here == there) && started(pid).as_deref() != Some(then)
    }
}

/// When a living process started, in ticks since boot. `None` for the dead,
/// among them those whom nobody has buried yet.
fn started(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything; the rest is words.
    let mut words = stat.rsplit_once(") ")?.1.split(' ');
    let state = words.next()?;
    (!matches!(state, "Z" | "X")).then(|| words.nth(18).map(str::to_owned)).flatten()
}

/// This boot of this machine, and this numbering of processes.
fn place() -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let namespace = fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{}-{}", boot.trim(), namespace.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder(pid: u32, started: &str, place: &str) -> Holder {
        Holder { text: format!("{pid}/{started}/{place}/salt") }
    }

    #[test]
    fn only_the_dead_of_this_machine_are_dead() {
        let (Some(here), Some(start)) = (place(), started(process::id())) else { return };
        assert!(!here.contains('/') && start.parse::<u64>().is_ok(), "{here} {start}");
        assert!(!holder(process::id(), &start, &here).is_dead());
        assert!(holder(process::id(), "1", &here).is_dead(), "a number used again");
        assert!(holder(u32::MAX, &start, &here).is_dead());
        assert!(!holder(u32::MAX, &start, "elsewhere").is_dead());
        assert!(!Holder { text: "17-salt".to_owned() }.is_dead());
    }
}
