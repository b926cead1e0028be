//! From what a human says to an answer that fits the conflict.

use super::view::way_in_words;
use crate::cli::args::{ResolveArgs, SideArg};
use crate::cli::errors::usage;
use anyhow::Result;
use reconcile::{Answer, Conflict, ConflictKind, EmployeeId, WayOut, canonical};
use serde::Deserialize;
use store::ConflictRow;

/// What a human says to conflicts. An [`Answer`] of each comes of it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "answer")]
pub enum Said {
    UseDirectory,
    UsePbx,
    Employee {
        id: u64,
    },
    NewEmployee,
    Relink,
    Number {
        number: String,
        #[serde(default)]
        keep_in_pbx: bool,
    },
    LeaveOut,
    LeaveAsIs,
    /// An earlier answer is taken back.
    AskAgain,
}

impl Said {
    /// Whether it can only be said of one person.
    pub const fn is_personal(&self) -> bool {
        matches!(self, Said::Employee { .. } | Said::Number { .. })
    }
}

impl From<&ResolveArgs> for Said {
    fn from(args: &ResolveArgs) -> Self {
        let given = &args.answer;
        match (&given.take, given.employee, &given.number) {
            (Some(SideArg::Directory), _, _) => Said::UseDirectory,
            (Some(SideArg::Pbx), _, _) => Said::UsePbx,
            (_, Some(id), _) => Said::Employee { id },
            (_, _, Some(number)) => Said::Number { number: number.clone(), keep_in_pbx: args.keep_in_pbx },
            _ if given.new => Said::NewEmployee,
            _ if given.relink => Said::Relink,
            _ if given.leave_out => Said::LeaveOut,
            _ if given.leave_as_is => Said::LeaveAsIs,
            _ => Said::AskAgain,
        }
    }
}

/// The answer, or `None` to take back an earlier one.
pub fn answer(said: &Said, conflict: &Conflict) -> Result<Option<Answer>> {
    let answer = match said {
        Said::UseDirectory => Answer::UseDirectory,
        Said::UsePbx => Answer::UsePbx,
        Said::Employee { id } => Answer::Employee { id: EmployeeId(*id) },
        Said::Number { number, keep_in_pbx } => {
            Answer::Number { number: internal(number)?, keep_in_pbx: *keep_in_pbx }
        }
        Said::NewEmployee => Answer::NewEmployee,
        Said::Relink => relink(conflict)?,
        Said::LeaveOut => Answer::LeaveOut,
        Said::LeaveAsIs => Answer::LeaveAsIs,
        Said::AskAgain => return Ok(None),
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
            Err(usage("several employees may be this person: say which one (--employee ID)"))
        }
        _ => Ok(Answer::Relink),
    }
}

fn internal(number: &str) -> Result<String> {
    match canonical::extension(number) {
        Ok(value) => Ok(value.canonical().to_owned()),
        Err(bad) => Err(usage(format!("`{number}` is no internal number: {}", bad.why))),
    }
}
