//! From the options of `conflicts resolve` to an answer that fits the conflict.

use super::view::way_in_words;
use crate::cli::args::{ResolveArgs, SideArg};
use crate::cli::errors::usage;
use anyhow::Result;
use reconcile::{Answer, Conflict, ConflictKind, EmployeeId, WayOut, canonical};
use store::ConflictRow;

/// The answer, or `None` to take back an earlier one.
pub fn answer(args: &ResolveArgs, conflict: &Conflict) -> Result<Option<Answer>> {
    let given = &args.answer;
    let answer = match (&given.take, given.employee, &given.number) {
        (Some(SideArg::Directory), _, _) => Answer::UseDirectory,
        (Some(SideArg::Pbx), _, _) => Answer::UsePbx,
        (_, Some(id), _) => Answer::Employee { id: EmployeeId(id) },
        (_, _, Some(number)) => Answer::Number { number: internal(number)?, keep_in_pbx: args.keep_in_pbx },
        _ if given.new => Answer::NewEmployee,
        _ if given.relink => relink(conflict)?,
        _ if given.leave_out => Answer::LeaveOut,
        _ if given.leave_as_is => Answer::LeaveAsIs,
        _ => return Ok(None),
    };
    Ok(Some(answer))
}

/// Checks that the conflict offers this way out.
pub fn check(row: &ConflictRow, answer: &Answer) -> Result<()> {
    let conflict = &row.conflict;
    let way = match answer {
        Answer::UseDirectory => WayOut::UseDirectory,
        Answer::UsePbx => WayOut::UsePbx,
        Answer::Employee { .. } if conflict.kind == ConflictKind::BackUnderNewId => WayOut::Relink,
        Answer::Employee { .. } => WayOut::PickEmployee,
        Answer::NewEmployee => WayOut::NewEmployee,
        Answer::Relink => WayOut::Relink,
        Answer::Number { .. } => WayOut::GiveNumber,
        Answer::LeaveOut => WayOut::LeaveOut,
        Answer::LeaveAsIs => WayOut::LeaveAsIs,
        // Nobody says this to a conflict: undoing a join does.
        Answer::NotThese { .. } => return Ok(()),
    };
    if !conflict.ways_out.contains(&way) {
        let ways: Vec<&str> = conflict.ways_out.iter().map(|way| way_in_words(*way, conflict.kind)).collect();
        return Err(usage(format!(
            "conflict {} cannot be answered so; its ways out are: {}. See `rollcall conflicts show {}`",
            row.id,
            ways.join(", "),
            row.id
        )));
    }
    match answer {
        Answer::Employee { id } if !conflict.candidates.iter().any(|one| one.employee == *id) => {
            let ids: Vec<String> = conflict.candidates.iter().map(|one| one.employee.to_string()).collect();
            Err(usage(format!(
                "employee {id} is no candidate of conflict {}; these are: {}",
                row.id,
                ids.join(", ")
            )))
        }
        _ => Ok(()),
    }
}

/// A person back under a new id takes the employee they had.
fn relink(conflict: &Conflict) -> Result<Answer> {
    match (conflict.kind, conflict.candidates.as_slice()) {
        (ConflictKind::BackUnderNewId, [only]) => Ok(Answer::Employee { id: only.employee }),
        (ConflictKind::BackUnderNewId, _) => {
            Err(usage("several employees may be this person: say which with --employee ID"))
        }
        _ => Ok(Answer::Relink),
    }
}

fn internal(number: &str) -> Result<String> {
    match canonical::extension(number) {
        Ok(value) => Ok(value.canonical().to_owned()),
        Err(bad) => Err(usage(format!("--number: `{number}` is no internal number: {}", bad.why))),
    }
}
