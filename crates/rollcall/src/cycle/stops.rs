//! What the guard stopped on a server, remembered between runs. A later run
//! holds back what is stopped and does the rest; how, is the planner's to
//! know. A stop ends by a human's hand (its plan is released or discarded, the
//! limits change), or when a complete run finds nobody of its kind any more.

use crate::app::App;
use crate::limits;
use anyhow::{Context, Result};
use reconcile::PersonId;
use reconcile::guard::{GuardKind, Halt};
use reconcile::plan::{HeldBack, Plan};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use store::{DirectoryId, RunId};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stops {
    stops: BTreeMap<GuardKind, Stop>,
    /// People whose lost employees were part of a plan that a human released.
    lost_released: BTreeSet<PersonId>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    pub since_ms: i64,
    /// The run that was halted first, and the plan that was halted last.
    pub run: RunId,
    pub plan: String,
}

impl Stops {
    pub async fn of(app: &App, directory: DirectoryId) -> Result<Self> {
        let kept = app.store.meta(&key(directory)).await?;
        let stops = kept.map(|text| serde_json::from_str(&text)).transpose();
        Ok(stops.context("what the guard stopped cannot be read")?.unwrap_or_default())
    }

    pub async fn keep(&self, app: &App, directory: DirectoryId) -> Result<()> {
        if *self == Stops::of(app, directory).await? {
            return Ok(());
        }
        let text = match *self == Stops::default() {
            true => None,
            false => Some(serde_json::to_string(self)?),
        };
        Ok(app.store.put_meta(&key(directory), text.as_deref()).await?)
    }

    pub fn iter(&self) -> impl Iterator<Item = (GuardKind, &Stop)> {
        self.stops.iter().map(|(kind, stop)| (*kind, stop))
    }

    pub fn kinds(&self) -> BTreeSet<GuardKind> {
        self.stops.keys().copied().collect()
    }

    pub fn lost_released(&self) -> &BTreeSet<PersonId> {
        &self.lost_released
    }

    /// A run was halted: whatever tripped is stopped from now on.
    pub fn halted(&mut self, halt: &Halt, run: RunId, plan: &str, now_ms: i64) {
        for trip in &halt.tripped {
            let new = || Stop { since_ms: now_ms, run, plan: String::new() };
            plan.clone_into(&mut self.stops.entry(trip.kind).or_insert_with(new).plan);
        }
    }

    /// A human released a plan and it was carried out. That ends what this
    /// plan stopped, also where a later look at the same stop made it.
    pub fn released(&mut self, plan: &str, made_ms: i64, halt: &Halt, lost: &BTreeSet<PersonId>) {
        let tripped: BTreeSet<GuardKind> = halt.tripped.iter().map(|trip| trip.kind).collect();
        let meant = |kind: &GuardKind, stop: &Stop| {
            stop.plan == plan || (tripped.contains(kind) && made_ms >= stop.since_ms)
        };
        self.stops.retain(|kind, stop| !meant(kind, stop));
        if tripped.contains(&GuardKind::LostEmployees) {
            self.lost_released.extend(lost.iter().cloned());
        }
    }

    /// A human does not want the plan: the next run counts anew.
    pub fn discarded(&mut self, plan: &str) -> BTreeSet<GuardKind> {
        let before = self.kinds();
        self.stops.retain(|_, stop| stop.plan != plan);
        before.difference(&self.kinds()).copied().collect()
    }

    /// Other limits, another opinion.
    pub fn limits_changed(&mut self) {
        self.stops.clear();
    }

    /// Ends what a complete plan concerns nobody with any more.
    pub fn end_what_is_over(&mut self, plan: &Plan) -> Vec<(GuardKind, Stop)> {
        if !plan.directory.is_complete() || !plan.pbx.is_complete() {
            return Vec::new();
        }
        self.lost_released.retain(|person| plan.lost.contains(person));
        let held = |kind| plan.held_back.iter().any(|held| held.stopped == Some(kind));
        let lasts = |kind| held(kind) || plan.touched.contains_key(&kind);
        self.stops.extract_if(.., |kind, _| !lasts(*kind)).collect()
    }

    /// Says of what is held back which run stopped it, and what to type.
    pub fn explain(&self, held_back: &mut [HeldBack]) {
        for held in held_back {
            let Some(stop) = held.stopped.and_then(|kind| self.stops.get(&kind)) else { continue };
            let plan: String = stop.plan.chars().take(limits::HASH_SHOWN).collect();
            held.why = format!(
                "stopped since run {}: release its plan (`rollcall apply {plan} --release`), discard it (`rollcall \
                 plans discard {plan}`), or change the limits (`rollcall server edit`)",
                stop.run
            );
        }
    }
}

/// The sentence in which a run tells that a stop is over.
pub fn ended_in_words(kind: GuardKind, stop: &Stop) -> String {
    format!(
        "{kind}: what the guard stopped in run {} ended by itself, for it concerns nobody any more",
        stop.run
    )
}

fn key(directory: DirectoryId) -> String {
    format!("directory/{directory}/stopped")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::testing::{app, server};
    use reconcile::guard::Tripped;

    const RUN: RunId = RunId(7);

    fn halt(kinds: &[GuardKind]) -> Halt {
        let trip = |kind: &GuardKind| Tripped {
            kind: *kind,
            people: 9,
            recent: 0,
            limit: 5,
            linked: 40,
            stopped: false,
        };
        Halt { tripped: kinds.iter().map(trip).collect(), look_first: None }
    }

    fn stopped(kinds: &[GuardKind]) -> Stops {
        let mut stops = Stops::default();
        stops.halted(&halt(kinds), RUN, "plan", 100);
        stops
    }

    use GuardKind::{Clears, Disables, LostEmployees};

    #[tokio::test]
    async fn a_stop_is_remembered_and_goes_with_its_server() {
        let app = app();
        let directory = server(&app).await;
        assert_eq!(Stops::of(&app, directory).await.unwrap(), Stops::default());
        let mut stops = stopped(&[Disables, Clears]);
        stops.keep(&app, directory).await.unwrap();
        assert_eq!(Stops::of(&app, directory).await.unwrap(), stops);
        stops.halted(&halt(&[Disables]), RunId(8), "newer", 200);
        let kept = Stop { since_ms: 100, run: RUN, plan: "newer".to_owned() };
        assert_eq!(stops.stops[&Disables], kept, "since its first run, with its last plan");
        app.store.remove_directory(directory).await.unwrap();
        assert_eq!(Stops::of(&app, directory).await.unwrap(), Stops::default());
    }

    #[tokio::test]
    async fn nothing_is_kept_when_nothing_is_stopped() {
        let app = app();
        let directory = server(&app).await;
        let mut stops = stopped(&[Disables]);
        stops.keep(&app, directory).await.unwrap();
        stops.limits_changed();
        stops.keep(&app, directory).await.unwrap();
        assert_eq!(app.store.meta(&key(directory)).await.unwrap(), None);
    }

    #[test]
    fn a_released_plan_ends_its_own_stops_and_no_others() {
        let ends = |plan: &str, made_ms, tripped: &[GuardKind]| {
            let mut stops = stopped(&[Disables]);
            stops.halted(&halt(&[Clears]), RUN, "other", 100);
            stops.released(plan, made_ms, &halt(tripped), &BTreeSet::new());
            stops.kinds()
        };
        assert_eq!(ends("plan", 0, &[Disables]), BTreeSet::from([Clears]));
        assert_eq!(ends("older", 99, &[Disables]), BTreeSet::from([Disables, Clears]), "never looked at");
        assert_eq!(ends("a later look", 100, &[Disables]), BTreeSet::from([Clears]));
        assert_eq!(ends("of something else", 100, &[]), BTreeSet::from([Disables, Clears]));
    }

    #[test]
    fn a_discarded_plan_ends_its_stops() {
        let mut stops = stopped(&[Disables, Clears]);
        assert_eq!(stops.discarded("other"), BTreeSet::new());
        assert_eq!(stops.discarded("plan"), BTreeSet::from([Disables, Clears]));
        assert_eq!(stops, Stops::default());
    }

    #[test]
    fn lost_employees_are_remembered_only_of_a_plan_that_was_halted_for_them() {
        let lost = BTreeSet::from([PersonId::new("p1")]);
        let mut stops = stopped(&[Disables]);
        stops.released("plan", 0, &halt(&[Disables]), &lost);
        assert_eq!(stops, Stops::default());
        stops.released("another", 0, &halt(&[LostEmployees]), &lost);
        assert_eq!(stops.lost_released(), &lost);
    }
}
