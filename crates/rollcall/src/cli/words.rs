//! Words for people, where the ones for scripts are too short.

use crate::cli::output::{Cell, Ink, shown};
use crate::cycle::report::{ChangeReport, ChangeResult, Side, Status, Updated};
use reconcile::merge::Cause;
use reconcile::{ConflictKind, Field, LeftReason, RefusedBy, Verdict};
use serde::Serialize;
use serde::de::DeserializeOwned;
use store::Outcome;

/// The word a value is written as in JSON.
pub fn word(value: impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

/// The value a word stands for.
pub fn meaning<T: DeserializeOwned>(word: &str) -> Option<T> {
    serde_json::from_value(serde_json::Value::String(word.to_owned())).ok()
}

pub fn outcome(outcome: Outcome) -> String {
    match outcome {
        Outcome::Partial => "done, incompletely read".to_owned(),
        other => word(other),
    }
}

pub const fn left_reason(reason: LeftReason) -> &'static str {
    match reason {
        LeftReason::Disabled => "disabled in the directory",
        LeftReason::Expired => "account expired",
        LeftReason::Locked => "account locked for good",
        LeftReason::Deleted => "deleted from the directory",
        LeftReason::MovedOut => "moved out of the synchronised part",
        LeftReason::FilteredOut => "no longer taken by the filter",
    }
}

pub fn conflict_kind(kind: ConflictKind, field: Option<Field>) -> String {
    let kind = match kind {
        ConflictKind::AmbiguousMatch => "ambiguous match",
        ConflictKind::BackUnderNewId => "back under a new id?",
        ConflictKind::AlreadySomeones => "already someone's",
        ConflictKind::BothChanged => "both sides changed",
        ConflictKind::FirstMeeting => "first meeting",
        ConflictKind::SeveralValues => "several values",
        ConflictKind::Unusable => "unusable value",
        ConflictKind::NoName => "no name",
        ConflictKind::NumberTaken => "number taken",
        ConflictKind::NumberWantedTwice => "number wanted twice",
        ConflictKind::NumberSwap => "number swap",
        ConflictKind::NoFreeNumber => "no free number",
        ConflictKind::EmployeeDeleted => "employee deleted",
        ConflictKind::NotTheSameEmployee => "not the same employee",
        ConflictKind::Refused => "refused",
        ConflictKind::UndoneJoin => "undone join",
    };
    match field {
        Some(field) => format!("{field}: {kind}"),
        None => kind.to_owned(),
    }
}

pub const fn refused_by(by: RefusedBy) -> &'static str {
    match by {
        RefusedBy::Rollcall => "Rollcall",
        RefusedBy::Directory => "the directory",
        RefusedBy::Pbx => "the PBX",
    }
}

pub const fn cause(cause: Cause) -> &'static str {
    match cause {
        Cause::DirectoryChanged => "the directory changed",
        Cause::PbxChanged => "the PBX changed",
        Cause::FirstMeeting => "first meeting",
        Cause::BothChangedDirectoryWins => "both changed, the directory wins",
        Cause::BothChangedPbxWins => "both changed, the PBX wins",
        Cause::Newest => "both changed, the newest wins",
        Cause::Decision => "an administrator decided",
        Cause::NewEmployee => "new employee",
        Cause::NewNumber => "new number",
        Cause::Undo => "undone",
    }
}

pub fn status(status: Status) -> Cell {
    let ink = match status {
        Status::Processed => Ink::Good,
        Status::Skipped => Ink::Dim,
        Status::Conflict => Ink::Warn,
        Status::Failed => Ink::Bad,
    };
    Cell::new(status.as_str(), ink)
}

pub const fn updated(updated: Option<Updated>) -> &'static str {
    match updated {
        Some(Updated::Pbx) => "PBX",
        Some(Updated::Directory) => "directory",
        Some(Updated::Both) => "both",
        None => "",
    }
}

pub fn verdict(verdict: &Verdict, read: usize, what: &str) -> Cell {
    match verdict {
        Verdict::Complete => Cell::new(format!("{read} {what}, complete"), Ink::Plain),
        Verdict::Partial(why) => Cell::new(format!("{read} {what}, incomplete: {why}"), Ink::Bad),
    }
}

/// `mobile: 7926… → 7927…`, and where, if it is not obvious.
pub fn change(change: &ChangeReport, say_side: bool) -> String {
    let side = match (say_side, change.side) {
        (false, _) => "",
        (true, Side::Pbx) => "PBX ",
        (true, Side::Directory) => "directory ",
    };
    let values = match (change.before.as_deref(), change.after.as_deref()) {
        // Everything about somebody new is new.
        (None, after) if change.cause == Cause::NewEmployee => shown(after),
        (Some("set"), Some("set")) if change.field == Field::SipPassword => "changed".to_owned(),
        (before, after) => format!("{} → {}", shown(before), shown(after)),
    };
    let result = match change.result {
        ChangeResult::Planned | ChangeResult::Done => String::new(),
        ChangeResult::Moved => " (not done: moved meanwhile)".to_owned(),
        ChangeResult::Refused => " (refused)".to_owned(),
        ChangeResult::Unknown => " (sent, unanswered; the next run looks)".to_owned(),
    };
    let note = change.note.as_deref().map(|note| format!("; {}", shown(Some(note)))).unwrap_or_default();
    format!("{side}{}: {values}{result}{note}", change.field)
}
