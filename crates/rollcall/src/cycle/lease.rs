//! One writer: a directory is synchronised by one process at a time. Whoever
//! comes second follows the first and reports what it did.

use super::fence::{Hold, fenced, ran_out};
use super::follow::{Followed, follow};
use super::progress::Progress;
use crate::app::App;
use crate::limits;
use anyhow::{Error, Result};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use std::{fs, process};
use store::{DirectoryId, DirectoryRow, Lease};

/// The lease of a directory, held by this process.
pub struct Leased {
    /// Sends only as long as the lease lasts.
    pub app: App,
    pub hold: Arc<Hold>,
    directory: DirectoryId,
    server: String,
}

/// Takes the lease of the directory; or waits for whoever holds it, shows how
/// far they are, and returns what that run reported.
pub async fn lease(
    app: &App,
    row: &DirectoryRow,
    progress: &dyn Progress,
) -> Result<Result<Leased, Followed>> {
    let holder = Holder::of_this_process(app).text;
    loop {
        let now_ms = app.clock.now_ms();
        let until_ms = now_ms + limits::LEASE_MS;
        match app.store.take_lease(row.id, &holder, until_ms, now_ms).await? {
            Lease::Held => {
                let hold = Arc::new(Hold::new(holder, until_ms, app.clock.clone()));
                let (app, server) = (fenced(app, &hold), row.name.clone());
                return Ok(Ok(Leased { app, hold, directory: row.id, server }));
            }
            Lease::HeldBy { holder: other, .. } if Holder { text: other.clone() }.is_dead() => {
                app.store.release_lease(row.id, &other).await?;
            }
            Lease::HeldBy { .. } => {
                if let Some(followed) = follow(app, row, now_ms, progress).await? {
                    return Ok(Err(followed));
                }
            }
        }
    }
}

impl Leased {
    /// Does what the lease was taken for, and gives it back.
    pub async fn during<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let result = tokio::select! {
            // Once it is lost nothing of the work goes on.
            biased;
            lost = self.renew() => Err(lost),
            result = work => result,
        };
        self.app.store.release_lease(self.directory, self.hold.holder()).await?;
        result
    }

    /// Prolongs the lease for as long as it is polled; ends only when it is lost.
    async fn renew(&self) -> Error {
        let (app, directory) = (&self.app, self.directory);
        loop {
            app.clock.sleep(Duration::from_millis(limits::LEASE_RENEW_MS)).await;
            let now_ms = app.clock.now_ms();
            let until_ms = now_ms + limits::LEASE_MS;
            match app.store.renew_lease(directory, self.hold.holder(), until_ms, now_ms).await {
                Ok(true) => self.hold.prolong(until_ms),
                Ok(false) => {
                    return match app.store.lease_holder(directory, now_ms).await {
                        Ok(Some(_)) => store::Error::LeaseLost(self.server.clone()).into(),
                        Ok(None) | Err(_) => ran_out(&self.server),
                    };
                }
                Err(error) => tracing::warn!(%error, "the lease could not be renewed"),
            }
        }
    }
}

/// Names this process among all that may share a store, so that others on the
/// same machine can tell when it is dead and need not wait for the lease to
/// expire: process, its start, and where its number means anything.
pub(super) struct Holder {
    pub text: String,
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
    pub fn is_dead(&self) -> bool {
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
