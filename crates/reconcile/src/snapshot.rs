//! Everything one side says at one time, with a verdict.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    Pbx,
    Directory,
}

/// Whether a read proved that it saw everything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", content = "reason", rename_all = "lowercase")]
pub enum Verdict {
    Complete,
    /// Why something may be missing, in words for the administrator. Nobody
    /// is disabled, moved, created or numbered on such a read.
    Partial(String),
}

impl Verdict {
    pub fn is_complete(&self) -> bool {
        matches!(self, Verdict::Complete)
    }

    pub fn reason(&self) -> Option<&str> {
        match self {
            Verdict::Complete => None,
            Verdict::Partial(why) => Some(why),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot<T> {
    pub rows: Vec<T>,
    pub verdict: Verdict,
    /// When the read began, by our clock, in ms since the epoch.
    pub at_ms: i64,
}
