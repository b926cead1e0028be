//! A clock on the runtime's paused time: it passes only where somebody waits,
//! all at once, and jumps where it is told to, as wall clocks do.

use effects::{BoxFuture, Clock};
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// 2027-01-15 08:00 UTC.
const BEGINNING_MS: i64 = 1_800_000_000_000;

#[derive(Debug)]
pub struct SimClock {
    started: Instant,
    jumped_ms: AtomicI64,
}

impl SimClock {
    /// A clock that is `ahead_ms` of the simulation's own. Made within a
    /// runtime whose time is paused.
    pub fn new(ahead_ms: i64) -> Self {
        SimClock { started: Instant::now(), jumped_ms: AtomicI64::new(ahead_ms) }
    }

    pub fn jump(&self, by_ms: i64) {
        self.jumped_ms.fetch_add(by_ms, Ordering::Relaxed);
    }
}

impl Clock for SimClock {
    fn now_ms(&self) -> i64 {
        let passed = i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX);
        BEGINNING_MS + passed + self.jumped_ms.load(Ordering::Relaxed)
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'_, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}
