//! The plan: the whole list of actions, each with its cause and its before and
//! after. A preview is a plan nobody carried out.

mod build;
mod create;
mod describe;
mod fields;
mod linked;
mod renumber;
mod stopped;
mod undo;

pub use build::plan;
pub use create::creation_stands_on;
pub(crate) use describe::{essence, link_stands_on};
pub use describe::{field_stands_on, stands_on};
pub use undo::{NotUndone, Step, Undo, What, Wrote, undo};

use crate::conflict::Conflict;
use crate::employee::EmployeeId;
use crate::field::Field;
use crate::guard::{GuardKind, Halt, Touched};
use crate::link::LeftReason;
use crate::merge::Cause;
use crate::person::PersonId;
use crate::snapshot::Verdict;
use crate::value::Value;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// What would be done, one entry per person, in the order of execution.
    pub actions: Vec<Action>,
    /// Everyone, changed or not, by id.
    pub people: Vec<PersonLine>,
    pub conflicts: Vec<Conflict>,
    /// What a `Partial` verdict, or an earlier stop, kept from happening.
    pub held_back: Vec<HeldBack>,
    /// Set when the guard stops the run before its first write.
    pub halt: Option<Halt>,
    /// Whom it touches, as the guard counts.
    pub touched: Touched,
    /// Everybody whose linked employee is missing or replaced.
    pub lost: BTreeSet<PersonId>,
    /// Doubts worth a line to the administrator.
    pub warnings: Vec<String>,
    pub directory: Verdict,
    pub pbx: Verdict,
}

impl Plan {
    /// A digest of what would be done. Two plans with the same hash do the
    /// same, whenever they were made.
    pub fn hash(&self) -> String {
        let bytes = serde_json::to_vec(&self.actions).expect("plain data with string keys becomes JSON");
        Sha256::digest(&bytes).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }

    /// Whether carrying it out would write to either side.
    pub fn writes(&self) -> bool {
        self.actions.iter().any(|action| !action.pbx.is_empty() || !action.directory.is_empty())
    }
}

/// Everything that happens to one person and their employee.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Action {
    pub person: PersonId,
    pub name: Box<str>,
    pub dn: Box<str>,
    /// The employee it concerns; none yet for a creation.
    pub employee: Option<EmployeeId>,
    pub link: Option<LinkStep>,
    pub pbx: Vec<Change>,
    pub directory: Vec<Change>,
    /// Pairs that move without a write.
    pub agree: Vec<Agreement>,
    /// Actions of a later wave need a number that an earlier one frees.
    pub wave: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
pub enum LinkStep {
    Create {
        number: Box<str>,
        number_from: NumberFrom,
    },
    /// `left` is set for a person who is disabled: joined and listed only.
    Join {
        by: Vec<Field>,
        decided: bool,
        left: Option<LeftReason>,
    },
    Relink {
        from: PersonId,
    },
    Leave {
        reason: LeftReason,
    },
    /// Back from gone, the old pairs are void: see [`crate::Link::take`].
    Return {
        was: LeftReason,
    },
    /// The employee is gone and so is the person's claim: the link ends.
    Unlink,
    /// An administrator undid the join: the link ends, and the two are not
    /// joined again.
    Part,
    /// The linked id is somebody else by the looks of it.
    Rest,
    /// A human said that the resting link is right after all.
    Wake,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NumberFrom {
    /// The directory asked for it.
    Directory,
    /// The lowest free one.
    Free,
    /// A human gave it.
    Decision,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    pub field: Field,
    pub before: Option<Value>,
    /// What is sent. `None` clears.
    pub after: Option<Value>,
    pub cause: Cause,
}

/// The canonical form of a SIP password that does not exist yet.
pub const GENERATED: &str = "generated";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreement {
    pub field: Field,
    pub directory: Option<Value>,
    pub pbx: Option<Value>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub held: bool,
}

/// One person, as lists and reports show them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonLine {
    pub person: PersonId,
    pub employee: Option<EmployeeId>,
    pub name: Box<str>,
    pub extension: Option<Box<str>>,
    pub outcome: LineOutcome,
    /// Fields whose sides differ and rest so: one-way, held, or not clearable.
    pub differs: Vec<Field>,
    pub reason: Option<String>,
}

/// What a plan does for a person, before anything was carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LineOutcome {
    Unchanged,
    Create,
    Join,
    Update,
    Leave,
    Return,
    Unlink,
    /// On the list of disabled employees already.
    Left,
    Skip,
    Conflict,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldBack {
    pub what: String,
    pub people: u32,
    pub why: String,
    /// Set where an earlier stop is the reason.
    #[serde(default)]
    pub stopped: Option<GuardKind>,
}
