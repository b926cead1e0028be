//! The guard: a run that would touch too many people stops before its first
//! write and waits for a human.

use crate::field::Field;
use crate::person::PersonId;
use crate::plan::{Action, LinkStep};
use crate::policy::Thresholds;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
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

impl GuardKind {
    pub const ALL: [GuardKind; 7] = [
        GuardKind::Disables,
        GuardKind::Clears,
        GuardKind::Renumberings,
        GuardKind::OverwritesInPbx,
        GuardKind::OverwritesInDirectory,
        GuardKind::Creations,
        GuardKind::LostEmployees,
    ];
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

/// Who is touched, by kind: the same person touched twice is one person.
pub type Touched = BTreeMap<GuardKind, BTreeSet<PersonId>>;

/// Why a run was stopped.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Halt {
    pub tripped: Vec<Tripped>,
    /// Set when it was an automatic run and a human has to look first.
    #[serde(default)]
    pub look_first: Option<LookFirst>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tripped {
    pub kind: GuardKind,
    pub people: u32,
    /// How many of them automatic runs of the last 24 hours already touched.
    pub recent: u32,
    pub limit: u32,
    pub linked: u32,
    /// It was stopped before: then one person is too many.
    #[serde(default)]
    pub stopped: bool,
}

/// Why nobody knows yet what an automatic run of these settings would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LookFirst {
    NeverLooked,
    SettingsChanged,
}

impl fmt::Display for Halt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let look = self.look_first.iter().map(ToString::to_string);
        let reasons: Vec<String> = look.chain(self.tripped.iter().map(ToString::to_string)).collect();
        f.write_str(&reasons.join("; "))
    }
}

impl fmt::Display for Tripped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tripped { kind, people, limit, linked, .. } = self;
        write!(f, "{people} of {linked} linked: {kind}, ")?;
        match () {
            () if self.stopped => f.write_str("which was stopped before"),
            () if people > limit => write!(f, "more than the limit of {limit}"),
            () => f.write_str("all there are"),
        }
    }
}

impl fmt::Display for LookFirst {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LookFirst::NeverLooked => "nobody has looked yet at what a run of this server does",
            LookFirst::SettingsChanged => {
                "nobody has looked at what a run does since its settings changed: what is read, or where"
            }
        })
    }
}

/// The people of a plan by kind. Only creations of a first run are not
/// counted: everybody is new then.
pub fn touched(actions: &[Action], lost_employees: BTreeSet<PersonId>, ran_before: bool) -> Touched {
    let mut touched = Touched::new();
    for action in actions {
        for kind in kinds(action, ran_before) {
            touched.entry(kind).or_default().insert(action.person.clone());
        }
    }
    if !lost_employees.is_empty() {
        touched.insert(GuardKind::LostEmployees, lost_employees);
    }
    touched
}

/// Judges the people of a plan together with those of recent automatic runs.
///
/// `joining` are people this very plan links: they widen the share, but "all of
/// the linked" means those who were linked before.
pub fn guard(
    planned: &Touched,
    recent: &Touched,
    stopped: &BTreeSet<GuardKind>,
    linked_before: u32,
    joining: u32,
    limits: Thresholds,
) -> Option<Halt> {
    let linked = linked_before.saturating_add(joining);
    let share = u64::from(linked) * u64::from(limits.percent) / 100;
    let limit = u32::try_from(share).unwrap_or(u32::MAX).max(limits.floor).min(limits.ceiling);
    let nobody = BTreeSet::new();
    let tripped = planned.iter().filter_map(|(&kind, now)| {
        let before = recent.get(&kind).unwrap_or(&nobody);
        let people = count(now.union(before).count());
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
        let stopped = stopped.contains(&kind);
        let recent = count(before.len());
        (people > limit || everyone || stopped).then_some(Tripped {
            kind,
            people,
            recent,
            limit,
            linked,
            stopped,
        })
    });
    let tripped: Vec<Tripped> = tripped.collect();
    (!tripped.is_empty()).then_some(Halt { tripped, look_first: None })
}

fn count(people: usize) -> u32 {
    u32::try_from(people).unwrap_or(u32::MAX)
}

/// What one action counts as.
pub(crate) fn kinds(action: &Action, ran_before: bool) -> Vec<GuardKind> {
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
