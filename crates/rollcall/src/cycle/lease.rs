//! One writer: a directory is synchronised by one process at a time. Whoever
//! comes second follows the first and reports what it did.

use super::report::Report;
use crate::app::App;
use crate::limits;
use anyhow::{Result, anyhow};
use std::future::Future;
use std::time::Duration;
use store::{DirectoryRow, Lease};

/// Runs `work` under the lease of the directory, or waits for whoever holds it
/// and returns the number of that run.
pub async fn under_lease<T>(
    app: &App,
    row: &DirectoryRow,
    work: impl Future<Output = Result<T>>,
) -> Result<Result<T, Followed>> {
    let holder = holder(app);
    let now_ms = app.clock.now_ms();
    if let Lease::HeldBy { .. } = app.store.take_lease(row.id, &holder, now_ms + limits::LEASE_MS, now_ms).await? {
        return follow(app, row).await.map(Err);
    }
    let result = tokio::select! {
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

async fn follow(app: &App, row: &DirectoryRow) -> Result<Followed> {
    let running = app.store.runs(Some(row.id), 1, 0).await?.into_iter().next();
    tracing::info!(server = row.name, "another process synchronises this server; waiting for it");
    while app.store.lease_holder(row.id, app.clock.now_ms()).await?.is_some() {
        app.clock.sleep(Duration::from_millis(limits::FOLLOW_POLL_MS)).await;
    }
    let run = running.ok_or_else(|| {
        anyhow!("another process held server `{}` without a run of its own; try again", row.name)
    })?;
    let run = app.store.run(run.id).await?.ok_or_else(|| anyhow!("the run that was waited for is gone"))?;
    let report = super::run::report_of(app, &run).await?;
    Ok(Followed { report })
}

/// Names this process among all that may share a store.
fn holder(app: &App) -> String {
    let mut salt = [0; 8];
    app.random.fill(&mut salt);
    let salt: String = salt.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{salt}", std::process::id())
}
