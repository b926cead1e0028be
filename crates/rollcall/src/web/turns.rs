//! Gives servers their turns, one run at a time, as jobs that can be watched.

use super::live::{Ended, Jobs, Started, Task, finished};
use crate::app::App;
use crate::cycle::Expect;
use crate::limits;
use crate::schedule::Schedule;
use anyhow::Result;
use std::convert::Infallible;
use std::time::Duration;
use store::{DirectoryRow, Trigger};

/// Goes on for as long as it is polled. What fails is tried again next time:
/// whoever looks at the pages sees that a turn was missed.
pub async fn take_turns(app: &App, jobs: &Jobs) -> Infallible {
    if let Err(error) = begin(app).await {
        tracing::error!(%error, "the schedule cannot be read");
    }
    loop {
        app.clock.sleep(Duration::from_millis(limits::SCHEDULE_TICK_MS)).await;
        if let Err(error) = one_turn(app, jobs).await {
            tracing::error!(%error, "an automatic run could not be started");
        }
    }
}

/// Turns that were missed while nobody served are not caught up on.
async fn begin(app: &App) -> Result<()> {
    for row in app.store.directories().await? {
        Schedule::change(app, row.id, |schedule| {
            Ok(schedule.waits_its_turn(app.clock.now_ms(), &*app.random))
        })
        .await?;
    }
    Ok(())
}

/// Whoever is due the longest.
async fn one_turn(app: &App, jobs: &Jobs) -> Result<()> {
    let now_ms = app.clock.now_ms();
    let mut due: Vec<(i64, DirectoryRow)> = Vec::new();
    for row in app.store.directories().await? {
        let schedule = Schedule::of(app, row.id).await?;
        if schedule.is_due(now_ms) {
            due.push((schedule.next_ms.unwrap_or_default(), row));
        }
    }
    let Some((_, row)) = due.into_iter().min_by_key(|(next_ms, row)| (*next_ms, row.id)) else {
        return Ok(());
    };
    let task = Task::Synchronise(Trigger::Automatic, Expect::AsBefore);
    // What somebody else is doing there is no turn: it comes when that is over.
    let Started::New(job) = jobs.start(&row, task) else { return Ok(()) };
    let ended = finished(&job).await?;
    let succeeded = matches!(ended, Ended::Told(told) if told.is_whole);
    // Whatever was switched meanwhile is what counts.
    Schedule::change(app, row.id, |schedule| Ok(schedule.after(succeeded, app.clock.now_ms(), &*app.random)))
        .await?;
    Ok(())
}
