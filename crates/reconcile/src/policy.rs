//! What the administrator decided, per directory and per field.

use crate::field::{Field, FieldMap};
use serde::{Deserialize, Serialize};

/// Which way a field flows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    Both,
    ToPbx,
    ToDirectory,
    Off,
}

impl Direction {
    pub const fn to_pbx(self) -> bool {
        matches!(self, Direction::Both | Direction::ToPbx)
    }

    pub const fn to_directory(self) -> bool {
        matches!(self, Direction::Both | Direction::ToDirectory)
    }
}

/// What happens when both sides changed to different values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BothChanged {
    Newest,
    Directory,
    Pbx,
    Ask,
}

/// What happens when both sides are set and different before they ever agreed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FirstMeeting {
    Directory,
    Pbx,
    Ask,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FieldPolicy {
    pub direction: Direction,
    pub both_changed: BothChanged,
    pub first_meeting: FirstMeeting,
    /// Whether a proved emptiness crosses. Only for clearable fields.
    pub clear: bool,
}

impl FieldPolicy {
    pub const fn default_of(field: Field) -> Self {
        FieldPolicy {
            direction: Direction::Both,
            both_changed: match field {
                Field::SipPassword => BothChanged::Newest,
                _ => BothChanged::Ask,
            },
            first_meeting: match field {
                Field::Extension => FirstMeeting::Ask,
                // Phones are registered with the PBX's secret.
                Field::SipPassword => FirstMeeting::Pbx,
                _ => FirstMeeting::Directory,
            },
            clear: field.clearable(),
        }
    }
}

/// An inclusive range of internal numbers. The text form keeps leading zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberRange {
    pub from: u32,
    pub to: u32,
}

/// How one directory is synchronised. Everything the pure core needs to know
/// about settings, and nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Policy {
    /// "Update data in the domain": off means nothing is ever written there.
    pub write_back: bool,
    pub fields: FieldMap<FieldPolicy>,
    /// Fields that can only be read from the directory: a template, the
    /// naming attribute, a number taken out of a phone.
    pub read_only: FieldMap<bool>,
    /// Two-letter region that resolves national phone numbers.
    pub region: Option<String>,
    /// Ranges that free numbers come from; empty means the default range.
    pub numbers: Vec<NumberRange>,
    /// How long a released number rests, in ms.
    pub cool_down_ms: i64,
    pub thresholds: Thresholds,
}

impl Policy {
    /// The direction in force: the directory-wide switch and what the mapping
    /// allows narrow what the administrator chose.
    pub fn direction(&self, field: Field) -> Direction {
        let wanted = self.fields[field].direction;
        match (self.write_back && !self.read_only[field], wanted) {
            (true, any) => any,
            (false, Direction::Both | Direction::ToPbx) => Direction::ToPbx,
            (false, Direction::ToDirectory | Direction::Off) => Direction::Off,
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            write_back: false,
            fields: FieldMap::from_fn(FieldPolicy::default_of),
            read_only: FieldMap::default(),
            region: None,
            numbers: Vec::new(),
            cool_down_ms: 30 * 24 * 3_600_000,
            thresholds: Thresholds::default(),
        }
    }
}

/// When a run stops before its first write. People counted per kind over the
/// plan and the automatic runs of the last 24 hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Thresholds {
    /// Up to this many are never too many.
    pub floor: u32,
    /// Share of the linked people, in percent.
    pub percent: u32,
    pub ceiling: u32,
}

impl Default for Thresholds {
    fn default() -> Self {
        Thresholds { floor: 5, percent: 10, ceiling: 500 }
    }
}
