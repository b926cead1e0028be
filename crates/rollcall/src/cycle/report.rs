//! What a run did, or would do: the object behind `--json`, the tables and the
//! history. Its keys are an interface; see docs/reference/cli.md.

use reconcile::guard::Halt;
use reconcile::merge::Cause;
use reconcile::{Conflict, Field, Verdict};
use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};
use std::collections::BTreeMap;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// The run's number; none for a preview.
    pub run: Option<i64>,
    pub server: String,
    /// The plan's hash.
    pub plan: String,
    pub directory: SideRead,
    pub pbx: SideRead,
    pub counts: Counts,
    /// Requests that changed something.
    pub writes: Writes,
    pub people: Vec<PersonReport>,
    pub conflicts: Vec<Conflict>,
    pub held_back: Vec<reconcile::plan::HeldBack>,
    pub halted: Option<Halt>,
    pub warnings: Vec<String>,
    /// The run that this one undoes, or a part of it.
    #[serde(default)]
    pub undoes: Option<i64>,
    /// What of it was not undone, and why.
    #[serde(default)]
    pub not_undone: Vec<NotUndone>,
}

/// A step of the journal that an undo left as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotUndone {
    pub person: String,
    pub name: String,
    pub step: i64,
    pub side: store::Side,
    pub what: String,
    pub why: String,
}

#[derive(Clone, Debug, Deserialize)]
pub struct SideRead {
    #[serde(flatten)]
    pub verdict: Verdict,
    pub read: usize,
}

/// All three keys, always: a script need not ask whether `reason` is there.
impl Serialize for SideRead {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_struct("SideRead", 3)?;
        map.serialize_field("verdict", if self.verdict.is_complete() { "complete" } else { "partial" })?;
        map.serialize_field("reason", &self.verdict.reason())?;
        map.serialize_field("read", &self.read)?;
        map.end()
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub unchanged: u32,
    pub created: u32,
    pub joined: u32,
    pub updated_in_pbx: u32,
    pub updated_in_directory: u32,
    pub disabled: u32,
    pub restored: u32,
    pub conflicts: u32,
    pub failed: u32,
}

impl Counts {
    /// Whether nothing happens to anybody.
    pub const fn is_idle(&self) -> bool {
        self.created == 0
            && self.joined == 0
            && self.updated_in_pbx == 0
            && self.updated_in_directory == 0
            && self.disabled == 0
            && self.restored == 0
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Writes {
    pub pbx: u32,
    pub directory: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PersonReport {
    pub id: String,
    pub name: String,
    pub extension: Option<String>,
    pub employee: Option<u64>,
    /// Every mapped field as the directory gave it.
    pub values: BTreeMap<Field, ValueReport>,
    pub status: Status,
    pub updated: Option<Updated>,
    pub changes: Vec<ChangeReport>,
    pub reason: Option<String>,
    /// Fields whose sides differ and rest so.
    pub differs: Vec<Field>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValueReport {
    pub state: ValueState,
    pub raw: Option<String>,
    pub canonical: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ValueState {
    Set,
    Empty,
    Unreadable,
    Unusable,
}

impl ValueState {
    pub const fn as_str(self) -> &'static str {
        match self {
            ValueState::Set => "set",
            ValueState::Empty => "empty",
            ValueState::Unreadable => "unreadable",
            ValueState::Unusable => "unusable",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Processed,
    Skipped,
    Conflict,
    Failed,
}

impl Status {
    pub const fn as_str(self) -> &'static str {
        match self {
            Status::Processed => "processed",
            Status::Skipped => "skipped",
            Status::Conflict => "conflict",
            Status::Failed => "failed",
        }
    }
}

/// Where a person's data was updated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Updated {
    Pbx,
    Directory,
    Both,
}

impl Updated {
    pub const fn of(pbx: bool, directory: bool) -> Option<Self> {
        match (pbx, directory) {
            (true, true) => Some(Updated::Both),
            (true, false) => Some(Updated::Pbx),
            (false, true) => Some(Updated::Directory),
            (false, false) => None,
        }
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Updated::Pbx => "pbx",
            Updated::Directory => "directory",
            Updated::Both => "both",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    Pbx,
    Directory,
}

impl Side {
    pub const fn as_str(self) -> &'static str {
        match self {
            Side::Pbx => "pbx",
            Side::Directory => "directory",
        }
    }
}

/// One value that changes, or the link step that happens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeReport {
    pub side: Side,
    pub field: Field,
    pub before: Option<String>,
    pub after: Option<String>,
    pub cause: Cause,
    pub result: ChangeResult,
    /// Why it was not done, or what the other side stored instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeResult {
    /// Part of a plan that was not carried out.
    Planned,
    Done,
    /// The other side moved since the plan was made; the next run looks again.
    Moved,
    Refused,
    /// Sent, but nobody knows whether it arrived; the next run looks.
    Unknown,
}

impl Report {
    /// The same without its people, who are kept apart.
    pub fn without_people(&self) -> Report {
        Report {
            run: self.run,
            server: self.server.clone(),
            plan: self.plan.clone(),
            directory: self.directory.clone(),
            pbx: self.pbx.clone(),
            counts: self.counts,
            writes: self.writes,
            people: Vec::new(),
            conflicts: self.conflicts.clone(),
            held_back: self.held_back.clone(),
            halted: self.halted.clone(),
            warnings: self.warnings.clone(),
            undoes: self.undoes,
            not_undone: self.not_undone.clone(),
        }
    }

    /// The exit code of the command that made this report.
    pub fn exit_code(&self) -> u8 {
        let partial = !self.directory.verdict.is_complete() || !self.pbx.verdict.is_complete();
        if self.halted.is_some() || partial || !self.held_back.is_empty() {
            3
        } else if self.counts.conflicts > 0 || self.counts.failed > 0 || !self.not_undone.is_empty() {
            4
        } else {
            0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_side_has_three_keys_and_survives_the_store() {
        for verdict in [Verdict::Complete, Verdict::Partial("cut".to_owned())] {
            let side = SideRead { verdict: verdict.clone(), read: 7 };
            let json = serde_json::to_value(&side).unwrap();
            assert_eq!(json.as_object().unwrap().len(), 3, "{json}");
            let back: SideRead = serde_json::from_value(json).unwrap();
            assert_eq!((back.verdict, back.read), (verdict, 7));
        }
    }

    #[test]
    fn what_was_not_undone_shows_in_the_exit_code_and_survives_the_store() {
        let side = || SideRead { verdict: Verdict::Complete, read: 1 };
        let mut report = Report {
            run: Some(8),
            server: "hq".to_owned(),
            plan: String::new(),
            directory: side(),
            pbx: side(),
            counts: Counts::default(),
            writes: Writes::default(),
            people: Vec::new(),
            conflicts: Vec::new(),
            held_back: Vec::new(),
            halted: None,
            warnings: Vec::new(),
            undoes: Some(7),
            not_undone: Vec::new(),
        };
        assert_eq!(report.exit_code(), 0);
        report.not_undone.push(NotUndone {
            person: "p1".to_owned(),
            name: "Anna".to_owned(),
            step: 3,
            side: store::Side::Rollcall,
            what: "create".to_owned(),
            why: "employees are never deleted".to_owned(),
        });
        assert_eq!(report.exit_code(), 4);
        let mut json = serde_json::to_value(&report).unwrap();
        assert_eq!(serde_json::from_value::<Report>(json.clone()).unwrap().not_undone, report.not_undone);
        // Runs of before there was an undo.
        let keys = json.as_object_mut().unwrap();
        keys.retain(|key, _| key != "undoes" && key != "not_undone");
        assert_eq!(serde_json::from_value::<Report>(json).unwrap().undoes, None);
    }
}
