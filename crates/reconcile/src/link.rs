//! A link: person ↔ employee, with what both sides said when they last agreed.

use crate::employee::EmployeeId;
use crate::field::FieldMap;
use crate::person::{Mark, PersonId};
use crate::plan::LinkStep;
use crate::value::Value;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    pub person: PersonId,
    pub employee: EmployeeId,
    pub state: LinkState,
    /// `None` before the first meeting of that field.
    pub pairs: FieldMap<Option<Pair>>,
    /// The last view of each side, value by value.
    pub directory: FieldMap<Option<Sight>>,
    pub pbx: FieldMap<Option<Sight>>,
    /// The name and place of the person when last seen: a leaver has neither.
    pub name: Box<str>,
    pub dn: Box<str>,
    /// The dial string the list showed when the record was last read.
    pub dial: Box<str>,
    /// When the employee's record was last read, in ms; 0 = never.
    pub record_looked_ms: i64,
    /// When the employee's picture was last looked at, in ms, and its ETag.
    pub photo_looked_ms: i64,
    pub photo_etag: Option<Box<str>>,
    /// The entry's change mark when its picture was last read.
    pub photo_mark: Option<Mark>,
}

impl Link {
    /// A link of which nothing is known yet but whom it ties together.
    pub fn blank(person: PersonId, employee: EmployeeId, dn: &str) -> Self {
        Link {
            person,
            employee,
            state: LinkState::Active,
            pairs: FieldMap::default(),
            directory: FieldMap::default(),
            pbx: FieldMap::default(),
            name: "".into(),
            dn: dn.into(),
            dial: "".into(),
            record_looked_ms: 0,
            photo_looked_ms: 0,
            photo_etag: None,
            photo_mark: None,
        }
    }

    /// Takes the step of an action, before its agreements and writes. Steps
    /// that make or end a link are none of its business.
    pub fn take(&mut self, step: &LinkStep, now_ms: i64) {
        let was_gone = matches!(&self.state, LinkState::Left { reason, .. } if reason.is_gone());
        self.state = match step {
            LinkStep::Leave { reason } => {
                // A new reason for somebody who left before: still since then.
                let since_ms = match &self.state {
                    LinkState::Left { since_ms, .. } => *since_ms,
                    LinkState::Active | LinkState::Resting { .. } => now_ms,
                };
                LinkState::Left { reason: *reason, since_ms }
            }
            LinkStep::Return { .. } | LinkStep::Wake => LinkState::Active,
            LinkStep::Rest => LinkState::Resting { since_ms: now_ms },
            LinkStep::Create { .. }
            | LinkStep::Join { .. }
            | LinkStep::Relink { .. }
            | LinkStep::Unlink
            | LinkStep::Part => return,
        };
        // Whoever is back from gone meets for the first time again, even if
        // their account comes back disabled.
        if was_gone && !matches!(&self.state, LinkState::Left { reason, .. } if reason.is_gone()) {
            self.pairs = FieldMap::default();
        }
    }
}

/// The values with which the two sides agreed; `None` = empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pair {
    pub directory: Option<Value>,
    pub pbx: Option<Value>,
    /// Agreed by a human although they differ ("leave as is").
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub held: bool,
}

impl Pair {
    /// What both sides have now, agreed by a human: held, if they differ.
    pub fn left(directory: Option<Value>, pbx: Option<Value>) -> Self {
        let alike = match (&directory, &pbx) {
            (Some(theirs), Some(ours)) => theirs.equivalent(ours),
            (theirs, ours) => theirs.is_none() && ours.is_none(),
        };
        Pair { directory, pbx, held: !alike }
    }
}

/// The last seen value of one field on one side, and between which times it
/// became that: after the last sight of its predecessor, by its own first sight.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sight {
    pub value: Option<Value>,
    pub change: Interval,
    /// The entry's change mark at the last sight. Directory side only.
    pub mark: Option<Mark>,
}

/// A span of time in ms since the epoch, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interval {
    pub after_ms: i64,
    pub by_ms: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum LinkState {
    Active,
    /// Listed under "Disabled Employees"; the employee keeps working.
    Left {
        reason: LeftReason,
        since_ms: i64,
    },
    /// The linked id belongs to somebody else by the looks of it; nothing is
    /// concluded until a human decides.
    Resting {
        since_ms: i64,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LeftReason {
    Disabled,
    Expired,
    Locked,
    Deleted,
    MovedOut,
    FilteredOut,
}

impl LeftReason {
    /// Gone people meet again for the first time when they return; disabled
    /// ones are merged as ever.
    pub const fn is_gone(self) -> bool {
        matches!(self, LeftReason::Deleted | LeftReason::MovedOut | LeftReason::FilteredOut)
    }
}
