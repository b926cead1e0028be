//! The rows of settings, links, conflicts and what coordinates runs. Times are
//! ms since the epoch.

use crate::words::{ids, words};
use reconcile::{Conflict, EmployeeId, Field, PersonId, Policy};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::fmt;

ids! {
    PbxId
    DirectoryId
    RunId
    /// Short and never used twice: it is what one types on the command line.
    ConflictId
    PictureId
}

impl PbxId {
    /// The one PBX of an ordinary installation.
    pub const DEFAULT: PbxId = PbxId(1);
}

impl DirectoryId {
    /// Stands in a row that was not stored yet; storing it gives it an id.
    pub const NEW: DirectoryId = DirectoryId(0);
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PbxRow {
    pub id: PbxId,
    pub name: String,
    pub settings: Json,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectoryRow {
    pub id: DirectoryId,
    pub name: String,
    pub pbx: PbxId,
    pub settings: Json,
    pub policy: Policy,
    pub created_ms: i64,
    /// When each side was last read completely; 0 = never. These and the two
    /// below are observations: storing settings does not touch them.
    pub last_complete_ms: i64,
    pub pbx_complete_ms: i64,
    /// The search references of the last complete read.
    pub references: Vec<String>,
    /// Whether a run of this directory was ever completed.
    pub ran_before: bool,
}

/// Whose secret it is: the credentials of a PBX, the bind password of a
/// directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SecretOf {
    Pbx(PbxId),
    Directory(DirectoryId),
}

impl fmt::Display for SecretOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SecretOf::Pbx(id) => write!(f, "pbx/{id}"),
            SecretOf::Directory(id) => write!(f, "directory/{id}"),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkedEmployee {
    pub employee: EmployeeId,
    pub directory: DirectoryId,
    pub person: PersonId,
    pub name: Box<str>,
}

/// A number that no employee may have and that is not free either.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldNumber {
    pub number: Box<str>,
    pub by: HeldBy,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum HeldBy {
    /// Released a while ago and cooling down.
    Rest { at_ms: i64 },
    /// Promised to a person by an action whose end is not known.
    Action { directory: DirectoryId, person: PersonId },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConflictRow {
    pub id: ConflictId,
    pub directory: DirectoryId,
    pub conflict: Conflict,
    pub first_seen_ms: i64,
    pub last_seen_ms: i64,
    /// In how many runs it was seen.
    pub count: i64,
    pub state: ConflictState,
    pub ended_ms: Option<i64>,
}

words! {
    pub enum ConflictState {
        Open = "open",
        /// A human left it as it is, until a value it stands on changes.
        Silenced = "silenced",
        /// Ended: the cause is gone although nobody decided anything.
        ResolvedByItself = "resolved-by-itself",
        /// Ended: the cause is gone after a human's answer.
        Decided = "decided",
        /// Ended: a human removed the row; a cause that stands brings a new one.
        Cleared = "cleared",
    }
}

impl ConflictState {
    pub const fn is_live(self) -> bool {
        matches!(self, ConflictState::Open | ConflictState::Silenced)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConflictsOf {
    Everybody,
    Directory(DirectoryId),
    One(ConflictId),
}

/// What a comparison of a run's conflicts with the remembered ones changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SyncedConflicts {
    pub opened: Vec<ConflictId>,
    pub ended: Vec<ConflictId>,
}

/// A refused change that waits for its next try.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuarantineRow {
    pub person: PersonId,
    /// `None`: the person as a whole.
    pub field: Option<Field>,
    pub attempts: u32,
    pub next_try_ms: i64,
    /// A digest of the values it was refused with: another one is tried at once.
    pub stands_on: String,
    /// Why, as the row that people see.
    pub conflict: Conflict,
}

/// A reviewed plan without its body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanHead {
    pub directory: DirectoryId,
    pub hash: String,
    pub made_ms: i64,
    pub state: PlanState,
}

words! {
    pub enum PlanState {
        Pending = "pending",
        Applied = "applied",
        Discarded = "discarded",
    }
}

/// On whose behalf something is stored about a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// A run, for as long as it holds the lease of its directory; after that
    /// nothing is stored, and the error is [`crate::Error::LeaseLost`].
    Run(RunId),
    /// A human or a tool outside of any run. No lease is asked for.
    Hand(DirectoryId),
}

/// Who synchronises a directory. One process at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lease {
    Held,
    HeldBy { holder: String, until_ms: i64 },
}

/// Something an automatic run did to a person that the guard counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Touch {
    pub kind: Box<str>,
    pub person: PersonId,
}

/// A picture that was overwritten or cleared.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    pub directory: DirectoryId,
    pub person: PersonId,
    pub taken_ms: i64,
    pub bytes: Vec<u8>,
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Picture of {} in {}, {} bytes", self.person, self.directory, self.bytes.len())
    }
}

/// What pruning removed, in rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forgotten {
    pub pictures: u64,
    pub run_people: u64,
    pub journal: u64,
    pub runs: u64,
}
