//! Automatic synchronisation: when a server's next run is due. One run at a
//! time; who fails waits longer each time; nobody catches up on turns that were
//! missed.

use crate::app::{App, Usage};
use crate::limits;
use anyhow::{Context, Result, anyhow};
use effects::Random;
use serde::{Deserialize, Serialize};
use store::DirectoryId;

/// What is remembered of a server's turns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    pub automatic: bool,
    /// No automatic run, whatever the switch says, until somebody goes on.
    #[serde(default)]
    pub paused: bool,
    pub every_min: u32,
    pub next_ms: Option<i64>,
    /// Runs in a row that failed or could not read everything.
    pub failures: u32,
}

impl Default for Schedule {
    fn default() -> Self {
        Schedule {
            automatic: false,
            paused: false,
            every_min: limits::SCHEDULE_MIN_DEFAULT,
            next_ms: None,
            failures: 0,
        }
    }
}

impl Schedule {
    pub async fn of(app: &App, directory: DirectoryId) -> Result<Self> {
        read(app.store.meta(&key(directory)).await?.as_deref())
    }

    /// What a human sets; a turn that is told already stays unless turns come
    /// at other times now.
    pub async fn set(app: &App, directory: DirectoryId, set: impl Fn(&mut Self)) -> Result<Self> {
        Schedule::change(app, directory, |mut schedule| {
            let every_min = schedule.every_min;
            set(&mut schedule);
            if schedule.every_min != every_min {
                schedule.next_ms = None;
            }
            if !(1..=limits::SCHEDULE_MIN_MAX).contains(&schedule.every_min) {
                let text = format!("an automatic run comes every 1 to {} minutes", limits::SCHEDULE_MIN_MAX);
                return Err(anyhow!(Usage(text)));
            }
            Ok(schedule.waits_its_turn(app.clock.now_ms(), &*app.random))
        })
        .await
    }

    /// A run that ends and a human who switches may come at once: neither
    /// overwrites what the other said.
    pub async fn change(
        app: &App,
        directory: DirectoryId,
        change: impl Fn(Self) -> Result<Self>,
    ) -> Result<Self> {
        let key = key(directory);
        for _ in 0..limits::SCHEDULE_TRIES {
            let kept = app.store.meta(&key).await?;
            let was = read(kept.as_deref())?;
            let now = change(was.clone())?;
            if now == was || app.store.swap_meta(&key, kept.as_deref(), &serde_json::to_string(&now)?).await?
            {
                return Ok(now);
            }
        }
        Err(anyhow!("the schedule is being changed by others all the time; try again"))
    }

    pub const fn runs(&self) -> bool {
        self.automatic && !self.paused
    }

    pub fn is_due(&self, now_ms: i64) -> bool {
        self.runs() && self.next_ms.is_some_and(|next_ms| next_ms <= now_ms)
    }

    /// Switched on, changed, or begun anew: the first turn is a whole one away,
    /// unless it was told already and is still to come.
    pub fn waits_its_turn(mut self, now_ms: i64, random: &dyn Random) -> Self {
        let longest = i64::from(self.every_min) * 60_000 * 2;
        let comes = |next_ms: &i64| (now_ms..=now_ms + longest).contains(next_ms);
        self.next_ms = match (self.runs(), self.next_ms.filter(comes)) {
            (false, _) => None,
            (true, Some(next_ms)) => Some(next_ms),
            (true, None) => Some(now_ms + self.interval_ms(random)),
        };
        self
    }

    /// After a run.
    pub fn after(mut self, succeeded: bool, now_ms: i64, random: &dyn Random) -> Self {
        self.failures = if succeeded { 0 } else { self.failures.saturating_add(1) };
        self.next_ms = self.runs().then(|| now_ms + self.interval_ms(random));
        self
    }

    /// Doubled for every failure in a row, and a tenth more or less by lot, so
    /// that many servers do not come at once.
    fn interval_ms(&self, random: &dyn Random) -> i64 {
        let every_ms = i64::from(self.every_min.max(1)) * 60_000;
        let doubled = every_ms.saturating_mul(1 << self.failures.min(16));
        let ms = doubled.min(limits::SCHEDULE_BACKOFF_MS.max(every_ms));
        let mut lot = [0; 2];
        random.fill(&mut lot);
        let tenth = ms / 10;
        ms - tenth + i64::from(u16::from_le_bytes(lot)) * (2 * tenth) / i64::from(u16::MAX)
    }
}

fn read(kept: Option<&str>) -> Result<Schedule> {
    let schedule = kept.map(serde_json::from_str).transpose();
    Ok(schedule.context("the schedule of a server cannot be read")?.unwrap_or_default())
}

fn key(directory: DirectoryId) -> String {
    format!("directory/{directory}/schedule")
}

#[cfg(test)]
mod tests {
    use super::*;
    use effects::SeededRandom;

    const NOW: i64 = 1_000_000_000;
    const EVERY: i64 = 15 * 60_000;

    fn on() -> Schedule {
        Schedule { automatic: true, ..Schedule::default() }
    }

    fn wait(schedule: &Schedule) -> i64 {
        schedule.next_ms.expect("a turn") - NOW
    }

    #[test]
    fn turns_come_every_n_minutes_more_or_less() {
        let random = SeededRandom::new(1);
        let waits: Vec<i64> = (0..200).map(|_| wait(&on().after(true, NOW, &random))).collect();
        assert!(waits.iter().all(|wait| (EVERY * 9 / 10..=EVERY * 11 / 10).contains(wait)), "{waits:?}");
        let (least, most) = (waits.iter().min(), waits.iter().max());
        assert!(most > least, "nothing was left to the lot");
    }

    #[test]
    fn who_fails_waits_longer_up_to_a_bound_and_success_forgives() {
        let random = SeededRandom::new(2);
        let mut schedule = on();
        let mut last = 0;
        for _ in 0..3 {
            schedule = schedule.after(false, NOW, &random);
            assert!(wait(&schedule) > last * 3 / 2, "{schedule:?}");
            last = wait(&schedule);
        }
        for _ in 0..40 {
            schedule = schedule.after(false, NOW, &random);
        }
        assert!(wait(&schedule) <= limits::SCHEDULE_BACKOFF_MS * 11 / 10);
        let schedule = schedule.after(true, NOW, &random);
        assert!(schedule.failures == 0 && wait(&schedule) <= EVERY * 11 / 10);
    }

    #[test]
    fn after_a_restart_a_server_waits_its_turn() {
        let random = SeededRandom::new(3);
        let missed = Schedule { next_ms: Some(NOW - 5 * EVERY), ..on() };
        assert!(wait(&missed.waits_its_turn(NOW, &random)) >= EVERY * 9 / 10);
        let told = Schedule { next_ms: Some(NOW + 7), ..on() };
        assert_eq!(wait(&told.waits_its_turn(NOW, &random)), 7);
        let far = Schedule { next_ms: Some(NOW + 100 * EVERY), ..on() };
        assert!(wait(&far.waits_its_turn(NOW, &random)) <= EVERY * 11 / 10, "a clock that jumped");
    }

    #[test]
    fn who_is_off_or_paused_has_no_turn() {
        let random = SeededRandom::new(4);
        let off = Schedule { next_ms: Some(0), ..Schedule::default() };
        let paused = Schedule { paused: true, next_ms: Some(0), ..on() };
        for schedule in [off, paused] {
            assert!(!schedule.is_due(NOW));
            assert_eq!(schedule.clone().waits_its_turn(NOW, &random).next_ms, None);
            assert_eq!(schedule.after(true, NOW, &random).next_ms, None);
        }
        assert!(Schedule { next_ms: Some(NOW), ..on() }.is_due(NOW));
    }
}
