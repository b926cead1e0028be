//! The guard: a run that would touch too many people stops before its first
//! write and waits for a human.

use crate::field::Field;
use crate::plan::{Action, LinkStep};
use crate::policy::Thresholds;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// What is counted, in people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GuardKind {
    Disables,
    Clears,
    Renumberings,
    OverwritesInPbx,
    OverwritesInDirectory,
    Creations,
    /// Linked ids of the PBX that are missing or belong to somebody else.
    LostEmployees,
}

impl fmt::Display for GuardKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            GuardKind::Disables => "people disabled",
            GuardKind::Clears => "values cleared",
            GuardKind::Renumberings => "numbers changed",
            GuardKind::OverwritesInPbx => "values overwritten in the PBX",
            GuardKind::OverwritesInDirectory => "values overwritten in the directory",
            GuardKind::Creations => "employees created",
            GuardKind::LostEmployees => "linked employees missing or replaced in the PBX",
        })
    }
}

pub type Counts = BTreeMap<GuardKind, u32>;

/// Why a run was stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Halt {
    pub tripped: Vec<Tripped>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tripped {
    pub kind: GuardKind,
    pub people: u32,
    /// How many of them automatic runs of the last 24 hours already touched.
    pub recent: u32,
    pub limit: u32,
    pub linked: u32,
}

impl fmt::Display for Halt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, trip) in self.tripped.iter().enumerate() {
            let separator = if i == 0 { "" } else { "; " };
            write!(
                f,
                "{separator}{} of {} linked: {}, more than the limit of {}",
                trip.people, trip.linked, trip.kind, trip.limit
            )?;
        }
        Ok(())
    }
}

/// Counts the people of a plan per kind. Only creations of a first run are not
/// counted: everybody is new then.
pub fn count(actions: &[Action], lost_employees: u32, ran_before: bool) -> Counts {
    let mut counts = Counts::new();
    for action in actions {
        for kind in kinds(action, ran_before) {
            *counts.entry(kind).or_default() += 1;
        }
    }
    if lost_employees > 0 {
        counts.insert(GuardKind::LostEmployees, lost_employees);
    }
    counts
}

/// Judges the counts of a plan together with those of recent automatic runs.
///
/// `joining` are people this very plan links: they widen the share, but "all of
/// the linked" means those who were linked before.
pub fn guard(
    planned: &Counts,
    recent: &Counts,
    linked_before: u32,
    joining: u32,
    limits: Thresholds,
) -> Option<Halt> {
    let linked = linked_before.saturating_add(joining);
    let share = u64::from(linked) * u64::from(limits.percent) / 100;
    let limit = u32::try_from(share).unwrap_or(u32::MAX).max(limits.floor).min(limits.ceiling);
    let tripped = planned.iter().filter_map(|(&kind, &now)| {
        let before = recent.get(&kind).copied().unwrap_or(0);
        let people = now.saturating_add(before);
        // All of them is too many even where the floor would let it pass.
        let all = match kind {
            GuardKind::Disables | GuardKind::Clears | GuardKind::LostEmployees => Some(linked_before),
            // A first meeting renumbers and overwrites too.
            GuardKind::Renumberings | GuardKind::OverwritesInPbx | GuardKind::OverwritesInDirectory => {
                Some(linked)
            }
            GuardKind::Creations => None,
        };
        let everyone = linked_before >= 3 && all.is_some_and(|all| people >= all);
        (people > limit || everyone).then_some(Tripped { kind, people, recent: before, limit, linked })
    });
    let tripped: Vec<Tripped> = tripped.collect();
    (!tripped.is_empty()).then_some(Halt { tripped })
}

fn kinds(action: &Action, ran_before: bool) -> Vec<GuardKind> {
    let mut kinds = Vec::new();
    let mut add = |condition: bool, kind: GuardKind| {
        if condition {
            kinds.push(kind);
        }
    };
    let creates = matches!(action.link, Some(LinkStep::Create { .. }));
    add(matches!(action.link, Some(LinkStep::Leave { .. })), GuardKind::Disables);
    add(creates && ran_before, GuardKind::Creations);
    let both = || action.pbx.iter().chain(&action.directory);
    add(both().any(|change| change.before.is_some() && change.after.is_none()), GuardKind::Clears);
    add(
        !creates && action.pbx.iter().any(|change| change.field == Field::Extension),
        GuardKind::Renumberings,
    );
    let overwrites = |changes: &[crate::plan::Change]| {
        changes.iter().any(|change| change.before.is_some() && change.after.is_some())
    };
    add(overwrites(&action.pbx), GuardKind::OverwritesInPbx);
    add(overwrites(&action.directory), GuardKind::OverwritesInDirectory);
    kinds
}
