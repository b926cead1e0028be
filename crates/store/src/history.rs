//! The rows of history: runs, what became of each person in them, and the
//! journal of every single write.

use crate::rows::{DirectoryId, PictureId, RunId};
use crate::words::words;
use reconcile::{EmployeeId, Field, PersonId};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use std::fmt;
use std::str::FromStr;

words! {
    pub enum Trigger {
        Manual = "manual",
        Automatic = "automatic",
        /// A human released a reviewed plan.
        Apply = "apply",
        /// A human undid an earlier run.
        Undo = "undo",
        Demo = "demo",
    }
}

words! {
    pub enum Outcome {
        Running = "running",
        Done = "done",
        /// It did what it could: a side was read in part, or went away.
        Partial = "partial",
        /// The guard stopped it before its first write.
        Halted = "halted",
        Failed = "failed",
        Cancelled = "cancelled",
        /// Its process ended before it did.
        Interrupted = "interrupted",
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunStart {
    pub directory: DirectoryId,
    pub trigger: Trigger,
    pub started_ms: i64,
    /// Who runs it: the holder of the directory's lease.
    pub holder: String,
}

words! {
    pub enum Phase {
        ReadDirectory = "read-directory",
        ReadPbx = "read-pbx",
        LookUp = "look-up",
        Plan = "plan",
        Write = "write",
    }
}

/// How far a run is, for whoever follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunProgress {
    pub phase: Phase,
    /// People done in this phase, and how many there are, where that is known.
    pub done: usize,
    pub total: Option<usize>,
}

/// What is reported of a run whose process died.
pub(crate) fn interrupted() -> Json {
    serde_json::json!({ "error": "its process ended before it did" })
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunNote {
    pub outcome: Outcome,
    pub ended_ms: Option<i64>,
    pub plan_hash: Option<String>,
    /// Verdicts, counts, warnings. Small: people have rows of their own.
    pub report: Json,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRow {
    pub id: RunId,
    pub directory: DirectoryId,
    /// As it was called then: history outlives its directory.
    pub directory_name: String,
    pub trigger: Trigger,
    pub started_ms: i64,
    pub ended_ms: Option<i64>,
    pub outcome: Outcome,
    pub plan_hash: Option<String>,
    pub report: Json,
    /// Who ran it, as in [`RunStart`].
    pub holder: String,
    /// How far it is. An ended run has none.
    pub progress: Option<RunProgress>,
}

words! {
    pub enum PersonStatus {
        Processed = "processed",
        Skipped = "skipped",
        Conflict = "conflict",
        Failed = "failed",
    }
}

words! {
    pub enum Updated {
        Nothing = "nothing",
        Pbx = "pbx",
        Directory = "directory",
        Both = "both",
    }
}

/// What became of one person in one run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunPerson {
    /// An employee without a person has the empty id.
    pub person: PersonId,
    pub employee: Option<EmployeeId>,
    pub name: String,
    pub extension: String,
    pub status: PersonStatus,
    pub updated: Updated,
    pub changes: Json,
    pub reason: String,
}

/// One step of a run. Written as *intended* before its effect, settled after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalRow {
    pub run: RunId,
    /// Counted by the run, from 1.
    pub seq: i64,
    pub directory: DirectoryId,
    pub at_ms: i64,
    pub person: PersonId,
    pub employee: Option<EmployeeId>,
    pub side: Side,
    pub what: What,
    pub cause: String,
    /// `null` is an empty value. A secret is only ever its fingerprint.
    pub before: Json,
    pub after: Json,
    pub state: State,
    /// What a half-done creation is recognised by: the number it took and the
    /// fingerprint of the SIP password it sent.
    pub reserved_number: Option<Box<str>>,
    pub fingerprint: Option<Box<str>>,
    /// The picture that was there before.
    pub picture: Option<PictureId>,
}

words! {
    pub enum Side {
        Pbx = "pbx",
        Directory = "directory",
        /// Our own memory of the two.
        Rollcall = "rollcall",
    }
}

words! {
    pub enum State {
        Intended = "intended",
        Done = "done",
        Refused = "refused",
        /// Sent, but the answer never came.
        Unknown = "unknown",
        Undone = "undone",
    }
}

impl State {
    pub const fn is_unfinished(self) -> bool {
        matches!(self, State::Intended | State::Unknown)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    Create,
    Join,
    Unlink,
    Leave,
    Return,
    Field(Field),
}

impl What {
    const STEPS: [What; 5] = [What::Create, What::Join, What::Unlink, What::Leave, What::Return];

    pub const fn as_str(self) -> &'static str {
        match self {
            What::Create => "create",
            What::Join => "join",
            What::Unlink => "unlink",
            What::Leave => "leave",
            What::Return => "return",
            What::Field(field) => field.as_str(),
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for What {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match What::STEPS.into_iter().find(|step| step.as_str() == text) {
            Some(step) => Ok(step),
            None => text.parse().map(What::Field),
        }
    }
}

/// How an intended step ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    pub state: State,
    /// What was stored in the end, where that is known; else `after` stays.
    pub after: Option<Json>,
    /// The employee a creation made.
    pub employee: Option<EmployeeId>,
}

/// Which part of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JournalOf {
    /// In the order of its steps.
    Run(RunId),
    /// One step, if it is there.
    Step(RunId, i64),
    /// Newest first, at most [`crate::PERSON_HISTORY_ROWS_MAX`].
    Person(DirectoryId, PersonId),
    /// Steps of any run whose end is not known, oldest first.
    Unfinished(DirectoryId),
}
