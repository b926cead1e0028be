//! How fast a PBX may be asked.
//!
//! Remote addresses get 200 requests a minute and are then blocked for five
//! minutes and more; the loopback is free, but a PBX has three workers. Photos
//! are static files and are not counted.

use crate::error::Error;
use effects::Clock;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Requests at the same time: as many as the PBX has workers.
const LANES: usize = 3;
/// Below the 180 + 20 that the PBX allows: its web pages count as well.
const WINDOW_REQUESTS_MAX: usize = 145;
/// Of these, as many are kept for writes: a write must follow the read that
/// it stands on at once, and not a minute later.
const WINDOW_WRITES: usize = 10;
const WINDOW_MS: i64 = 60_000;
/// The first block lasts 300 s; a little more, because clocks differ.
const BLOCK_MS: i64 = 305_000;
const BLOCK_MS_MAX: i64 = 3_605_000;

#[derive(Debug)]
pub(crate) struct Pacing {
    clock: Arc<dyn Clock>,
    remote: bool,
    /// How long one call may wait for a block to end.
    patience: Duration,
    lanes: Semaphore,
    writers: Semaphore,
    ledger: Mutex<Ledger>,
}

#[derive(Debug, Default)]
struct Ledger {
    /// When the requests of the last minute were sent, oldest first. Never
    /// longer than [`WINDOW_REQUESTS_MAX`].
    sent_ms: VecDeque<i64>,
    blocked_until_ms: i64,
    /// Blocks in a row: each doubles.
    offences: u32,
}

enum Turn {
    Now,
    At(i64),
    BlockedUntil(i64),
}

impl Pacing {
    pub(crate) fn new(clock: Arc<dyn Clock>, remote: bool, patience: Duration) -> Self {
        Pacing {
            clock,
            remote,
            patience,
            lanes: Semaphore::new(LANES),
            // Parallel writes queue up behind one lock in the PBX anyway.
            writers: Semaphore::new(if remote { 1 } else { LANES }),
            ledger: Mutex::default(),
        }
    }

    /// Waits for a turn to write. Held from the read that a write stands on to
    /// the write's answer, so that nothing of ours comes in between.
    pub(crate) async fn writer(&self) -> SemaphorePermit<'_> {
        self.writers.acquire().await.expect("the semaphore is never closed")
    }

    /// A lane for something that is not counted.
    pub(crate) async fn lane(&self) -> SemaphorePermit<'_> {
        self.lanes.acquire().await.expect("the semaphore is never closed")
    }

    /// A lane and a place in the minute, or [`Error::Busy`] while the PBX
    /// blocks us for longer than the caller's patience.
    pub(crate) async fn admit(&self, is_write: bool) -> Result<SemaphorePermit<'_>, Error> {
        let lane = self.lane().await;
        // What is left of the patience, so that several blocks do not add up.
        let deadline_ms = self.clock.now_ms().saturating_add(ms(self.patience));
        loop {
            let now_ms = self.clock.now_ms();
            let until_ms = match self.turn(now_ms, is_write) {
                Turn::Now => return Ok(lane),
                Turn::At(at_ms) => at_ms,
                Turn::BlockedUntil(until_ms) if until_ms > deadline_ms => {
                    let why =
                        "it blocks this address for some minutes because of too many requests".to_owned();
                    return Err(Error::Busy { why, retry_at_ms: until_ms });
                }
                Turn::BlockedUntil(until_ms) => until_ms,
            };
            let wait_ms = u64::try_from(until_ms - now_ms).unwrap_or(0).max(1);
            self.clock.sleep(Duration::from_millis(wait_ms)).await;
        }
    }

    /// The PBX said 429, or its filter shut us out. Returns when to try again.
    pub(crate) fn blocked(&self) -> i64 {
        let now_ms = self.clock.now_ms();
        let mut ledger = self.ledger();
        // Several requests in flight meet the same block: it counts once.
        if ledger.blocked_until_ms <= now_ms {
            let block_ms = BLOCK_MS.saturating_mul(1 << ledger.offences.min(4)).min(BLOCK_MS_MAX);
            ledger.blocked_until_ms = now_ms + block_ms;
            ledger.offences = ledger.offences.saturating_add(1);
        }
        ledger.blocked_until_ms
    }

    pub(crate) fn answered(&self) {
        self.ledger().offences = 0;
    }

    fn turn(&self, now_ms: i64, is_write: bool) -> Turn {
        let mut ledger = self.ledger();
        // A clock that was set back must shut neither the door nor the window for good.
        ledger.blocked_until_ms = ledger.blocked_until_ms.min(now_ms + BLOCK_MS_MAX);
        if ledger.blocked_until_ms > now_ms {
            return Turn::BlockedUntil(ledger.blocked_until_ms);
        }
        if !self.remote {
            return Turn::Now;
        }
        while ledger.sent_ms.front().is_some_and(|sent| now_ms - sent >= WINDOW_MS || *sent > now_ms) {
            ledger.sent_ms.pop_front();
        }
        let room = WINDOW_REQUESTS_MAX - if is_write { 0 } else { WINDOW_WRITES };
        // The one whose leaving makes room.
        match ledger.sent_ms.len().checked_sub(room).and_then(|at| ledger.sent_ms.get(at)) {
            Some(in_the_way) => Turn::At(in_the_way + WINDOW_MS),
            None => {
                ledger.sent_ms.push_back(now_ms);
                Turn::Now
            }
        }
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use effects::ManualClock;

    fn pacing(remote: bool, patience_s: u64) -> (Arc<ManualClock>, Pacing) {
        let clock = Arc::new(ManualClock::at(1_000_000));
        let pacing = Pacing::new(clock.clone(), remote, Duration::from_secs(patience_s));
        (clock, pacing)
    }

    #[tokio::test]
    async fn no_minute_holds_more_than_the_limit() {
        let (clock, pacing) = pacing(true, 0);
        let mut sent = Vec::new();
        for n in 0..1000 {
            drop(pacing.admit(n % 2 == 0).await.unwrap());
            sent.push(clock.now_ms());
            clock.advance(Duration::from_millis(7));
        }
        for window in sent.windows(WINDOW_REQUESTS_MAX + 1) {
            assert!(window[WINDOW_REQUESTS_MAX] - window[0] >= WINDOW_MS);
        }
        // Nor are we slower than allowed.
        assert_eq!((sent[999] - sent[0]) / WINDOW_MS, 7);
    }

    #[tokio::test]
    async fn a_write_follows_its_read_at_once() {
        let (clock, pacing) = pacing(true, 0);
        for _ in 0..1000 {
            drop(pacing.admit(false).await.unwrap());
            let read_ms = clock.now_ms();
            for _ in 0..6 {
                drop(pacing.admit(true).await.unwrap());
            }
            assert_eq!(clock.now_ms(), read_ms);
        }
    }

    #[tokio::test]
    async fn the_loopback_is_not_counted() {
        let (clock, pacing) = pacing(false, 0);
        for _ in 0..1000 {
            drop(pacing.admit(false).await.unwrap());
        }
        assert_eq!(clock.now_ms(), 1_000_000);
    }

    #[tokio::test]
    async fn a_block_is_reported_or_waited_for_and_doubles() {
        let (clock, impatient) = pacing(true, 60);
        let until_ms = impatient.blocked();
        assert_eq!(until_ms, 1_000_000 + BLOCK_MS);
        assert_eq!(impatient.blocked(), until_ms, "the same block");
        assert!(
            matches!(impatient.admit(false).await, Err(Error::Busy { retry_at_ms, .. }) if retry_at_ms == until_ms)
        );
        clock.advance(Duration::from_millis(305_000));
        assert!(impatient.admit(false).await.is_ok());
        assert_eq!(impatient.blocked() - clock.now_ms(), 2 * BLOCK_MS);
        clock.advance(Duration::from_millis(610_000));
        impatient.answered();
        assert_eq!(impatient.blocked() - clock.now_ms(), BLOCK_MS);

        let (clock, patient) = pacing(true, 600);
        patient.blocked();
        assert!(patient.admit(false).await.is_ok());
        assert_eq!(clock.now_ms(), 1_000_000 + BLOCK_MS);
    }

    #[tokio::test]
    async fn a_clock_set_back_does_not_stop_us() {
        let (clock, pacing) = pacing(true, 0);
        clock.advance(Duration::from_secs(86_400));
        for _ in 0..WINDOW_REQUESTS_MAX {
            drop(pacing.admit(true).await.unwrap());
        }
        let earlier = Pacing { clock: Arc::new(ManualClock::at(5_000)), ..pacing };
        drop(earlier.admit(false).await.unwrap());
        assert_eq!(earlier.clock.now_ms(), 5_000);
    }

    #[tokio::test]
    async fn one_remote_writer_three_local_ones() {
        for (remote, writers) in [(true, 1), (false, LANES)] {
            assert_eq!(pacing(remote, 0).1.writers.available_permits(), writers);
        }
    }
}
