//! A conflict: something a human has to look at, and what they may answer.

use crate::employee::EmployeeId;
use crate::field::Field;
use crate::person::PersonId;
use serde::{Deserialize, Serialize};

/// One row per (directory, person, kind, field).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    /// Who it is about. An employee without a person has the empty id.
    pub person: PersonId,
    pub employee: Option<EmployeeId>,
    pub kind: ConflictKind,
    pub field: Option<Field>,
    /// The person's name as last seen, for people to read.
    pub name: String,
    pub refused_by: RefusedBy,
    /// What each side stores, as far as it may be shown.
    pub directory_value: Option<String>,
    pub pbx_value: Option<String>,
    /// What happened, in words.
    pub reason: String,
    /// The ways out that make sense here, most sensible first.
    pub ways_out: Vec<WayOut>,
    pub candidates: Vec<Candidate>,
    /// A digest of the values this stands on. "Leave as is" silences it until
    /// this changes.
    pub stands_on: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConflictKind {
    AmbiguousMatch,
    BackUnderNewId,
    AlreadySomeones,
    BothChanged,
    FirstMeeting,
    SeveralValues,
    Unusable,
    NoName,
    NumberTaken,
    NumberWantedTwice,
    NumberSwap,
    NoFreeNumber,
    EmployeeDeleted,
    NotTheSameEmployee,
    Refused,
    /// Never raised: under this kind the joins are remembered that were undone,
    /// so that no answer to any other question takes their place.
    UndoneJoin,
}

impl ConflictKind {
    pub const ALL: [ConflictKind; 16] = [
        ConflictKind::AmbiguousMatch,
        ConflictKind::BackUnderNewId,
        ConflictKind::AlreadySomeones,
        ConflictKind::BothChanged,
        ConflictKind::FirstMeeting,
        ConflictKind::SeveralValues,
        ConflictKind::Unusable,
        ConflictKind::NoName,
        ConflictKind::NumberTaken,
        ConflictKind::NumberWantedTwice,
        ConflictKind::NumberSwap,
        ConflictKind::NoFreeNumber,
        ConflictKind::EmployeeDeleted,
        ConflictKind::NotTheSameEmployee,
        ConflictKind::Refused,
        ConflictKind::UndoneJoin,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            ConflictKind::AmbiguousMatch => "ambiguous-match",
            ConflictKind::BackUnderNewId => "back-under-new-id",
            ConflictKind::AlreadySomeones => "already-someones",
            ConflictKind::BothChanged => "both-changed",
            ConflictKind::FirstMeeting => "first-meeting",
            ConflictKind::SeveralValues => "several-values",
            ConflictKind::Unusable => "unusable",
            ConflictKind::NoName => "no-name",
            ConflictKind::NumberTaken => "number-taken",
            ConflictKind::NumberWantedTwice => "number-wanted-twice",
            ConflictKind::NumberSwap => "number-swap",
            ConflictKind::NoFreeNumber => "no-free-number",
            ConflictKind::EmployeeDeleted => "employee-deleted",
            ConflictKind::NotTheSameEmployee => "not-the-same-employee",
            ConflictKind::Refused => "refused",
            ConflictKind::UndoneJoin => "undone-join",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefusedBy {
    Rollcall,
    Directory,
    Pbx,
}

/// An answer a human may give. The ones with a value carry it only once given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WayOut {
    UseDirectory,
    UsePbx,
    PickEmployee,
    NewEmployee,
    Relink,
    GiveNumber,
    LeaveOut,
    LeaveAsIs,
    Retry,
}

/// A human's answer to a conflict, remembered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    pub person: PersonId,
    pub kind: ConflictKind,
    pub field: Option<Field>,
    pub answer: Answer,
    /// [`Conflict::stands_on`] of the conflict it answered.
    pub stands_on: String,
    pub at_ms: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "answer")]
pub enum Answer {
    UseDirectory,
    UsePbx,
    Employee {
        id: EmployeeId,
    },
    /// Never one of these: what undone joins leave behind.
    NotThese {
        ids: Vec<EmployeeId>,
    },
    NewEmployee,
    Relink,
    /// Take this number; `keep_in_pbx` leaves the directory's value alone.
    Number {
        number: String,
        keep_in_pbx: bool,
    },
    LeaveOut,
    LeaveAsIs,
}

/// An employee that may be the person, with the keys that speak for it and
/// against it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    pub employee: EmployeeId,
    pub name: String,
    pub extension: String,
    pub agrees: Vec<Field>,
    pub differs: Vec<Field>,
}
