//! An employee: a user of the PBX with an internal number.

use crate::field::FieldMap;
use crate::value::Reading;
use serde::{Deserialize, Serialize};
use std::fmt;

/// `Users.id` of MikoPBX: an integer in lists, a string in records, and never
/// used again after a deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EmployeeId(pub u64);

impl fmt::Display for EmployeeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Employee {
    pub id: EmployeeId,
    pub fields: FieldMap<Reading>,
    /// What the list shows as mobile: the dial string, or the mobile number
    /// where that is empty. A cheap hint that the record changed, and a join key.
    pub dial: Box<str>,
    /// Whether the list names a picture of this employee's own.
    pub has_photo: bool,
    /// Read-only for the API; shown, never concluded from.
    pub disabled: bool,
}

/// A number that is in use in the PBX, by anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakenNumber {
    pub number: Box<str>,
    /// The extension's type as the PBX names it (`SIP`, `QUEUE`, `EXTERNAL`, …).
    pub kind: Box<str>,
    pub holder: Box<str>,
}
