//! How plans and conflicts put things into words.

use crate::conflict::{Conflict, ConflictKind, RefusedBy, WayOut};
use crate::employee::EmployeeId;
use crate::field::Field;
use crate::link::Link;
use crate::person::{Account, Person, PersonId};
use crate::value::Reading;
use crate::{LeftReason, Value};
use sha2::{Digest, Sha256};

/// A digest of the values a conflict stands on.
pub fn stands_on(parts: &[&str]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update((part.len() as u64).to_le_bytes());
        digest.update(part.as_bytes());
    }
    digest.finalize().iter().take(12).map(|byte| format!("{byte:02x}")).collect()
}

/// What a reading looks like to the digest above: values by canonical form.
pub(crate) fn essence(reading: &Reading) -> String {
    match reading {
        Reading::Unmapped | Reading::NotLooked => "?".to_owned(),
        Reading::Absent | Reading::Empty => String::new(),
        Reading::Unusable(unusable) => format!("!{}", unusable.raw),
        Reading::Values(values) => values.iter().map(Value::canonical).collect::<Vec<_>>().join("\u{1f}"),
    }
}

/// What a reading looks like to people.
pub(super) fn shown(reading: &Reading) -> Option<String> {
    match reading {
        Reading::Values(values) => Some(values.iter().map(Value::raw).collect::<Vec<_>>().join(", ")),
        Reading::Unusable(unusable) => Some(unusable.raw.clone()),
        Reading::Unmapped | Reading::NotLooked | Reading::Absent | Reading::Empty => None,
    }
}

/// Whether what a directory write finds in its place is known to the letter.
/// Of an unusable picture or secret only a description is, and of a hostile or
/// endless text only what may be shown.
pub(super) fn stands_as_shown(field: Field, reading: &Reading) -> bool {
    match reading {
        Reading::Unusable(unusable) => {
            let shown_otherwise = |c: char| c == char::REPLACEMENT_CHARACTER || c == '…';
            !matches!(field, Field::Photo | Field::SipPassword) && !unusable.raw.contains(shown_otherwise)
        }
        _ => true,
    }
}

/// What a directory write finds in its place: the value it replaces, usable or not.
pub(super) fn stored(reading: &Reading) -> Option<Value> {
    match reading {
        Reading::Values(values) => values.first().cloned(),
        Reading::Unusable(unusable) => Some(Value::new(unusable.raw.as_str(), unusable.raw.as_str())),
        Reading::Unmapped | Reading::NotLooked | Reading::Absent | Reading::Empty => None,
    }
}

/// The person's name, or what comes closest to one.
pub(super) fn name_of(person: &Person) -> Box<str> {
    match person.fields[Field::Name].values().first() {
        Some(value) => value.canonical().into(),
        None => person.dn.clone(),
    }
}

pub(super) fn left_reason(account: Account) -> Option<LeftReason> {
    match account {
        Account::Enabled | Account::LockedOut => None,
        Account::Disabled => Some(LeftReason::Disabled),
        Account::Expired => Some(LeftReason::Expired),
        Account::Locked => Some(LeftReason::Locked),
    }
}

pub(super) const fn left_in_words(reason: LeftReason) -> &'static str {
    match reason {
        LeftReason::Disabled => "disabled in the directory",
        LeftReason::Expired => "the account has expired",
        LeftReason::Locked => "the account is locked for good",
        LeftReason::Deleted => "deleted from the directory",
        LeftReason::MovedOut => "moved out of the synchronised part of the directory",
        LeftReason::FilteredOut => "no longer taken by the filter",
    }
}

/// A conflict about one person, to be completed by the caller.
pub(super) fn about(person: &PersonId, name: &str, kind: ConflictKind) -> Conflict {
    Conflict {
        person: person.clone(),
        employee: None,
        kind,
        field: None,
        name: name.to_owned(),
        refused_by: RefusedBy::Rollcall,
        directory_value: None,
        pbx_value: None,
        reason: String::new(),
        ways_out: Vec::new(),
        candidates: Vec::new(),
        stands_on: String::new(),
    }
}

/// A conflict of one field, standing on what both sides say now.
pub(super) fn about_field(
    person: &Person,
    employee: Option<EmployeeId>,
    kind: ConflictKind,
    field: Field,
    pbx: &Reading,
) -> Conflict {
    let directory = &person.fields[field];
    Conflict {
        employee,
        field: Some(field),
        directory_value: shown(directory),
        pbx_value: shown(pbx),
        stands_on: field_stands_on(field, directory, pbx),
        ..about(&person.id, &name_of(person), kind)
    }
}

pub fn field_stands_on(field: Field, directory: &Reading, pbx: &Reading) -> String {
    stands_on(&[field.as_str(), &essence(directory), &essence(pbx)])
}

pub(super) fn both_changed(mut conflict: Conflict) -> Conflict {
    conflict.reason = "it changed on both sides to different values since they last agreed".to_owned();
    conflict.ways_out = vec![WayOut::UseDirectory, WayOut::UsePbx, WayOut::LeaveAsIs];
    conflict
}

pub(super) fn first_meeting(mut conflict: Conflict) -> Conflict {
    conflict.reason = "both sides have a different value, and they never agreed on one".to_owned();
    conflict.ways_out = vec![WayOut::UseDirectory, WayOut::UsePbx, WayOut::LeaveAsIs];
    conflict
}

pub(super) fn several_values(mut conflict: Conflict) -> Conflict {
    let what = conflict.field.map_or("value", Field::as_str);
    conflict.refused_by = RefusedBy::Rollcall;
    conflict.reason =
        format!("the directory holds several values for {what}, and nothing says which one is meant");
    conflict.ways_out = match conflict.field {
        Some(Field::Extension) => vec![WayOut::GiveNumber, WayOut::LeaveOut, WayOut::LeaveAsIs],
        _ => vec![WayOut::LeaveAsIs],
    };
    conflict
}

pub(super) fn unusable(mut conflict: Conflict, side: &str, why: &str) -> Conflict {
    let what = conflict.field.map_or("value", Field::as_str);
    conflict.reason = format!("the {what} in the {side} cannot be used: {why}");
    conflict.ways_out = match conflict.field {
        Some(Field::Extension) => vec![WayOut::GiveNumber, WayOut::LeaveOut, WayOut::LeaveAsIs],
        _ => vec![WayOut::Retry, WayOut::LeaveAsIs],
    };
    conflict
}

pub(crate) fn link_stands_on(link: &Link) -> String {
    stands_on(&[link.person.as_str(), &link.employee.to_string()])
}
