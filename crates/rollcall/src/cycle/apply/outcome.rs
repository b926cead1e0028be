//! What became of one person's action.

use super::undo::Unsettled;
use crate::cycle::people::shown;
use crate::cycle::report::{ChangeReport, ChangeResult, Side};
use reconcile::plan::{Action, Change};
use reconcile::{Conflict, EmployeeId, Field, PersonId};
use store::QuarantineRow;

#[derive(Clone, Debug)]
pub struct Done {
    pub person: PersonId,
    pub employee: Option<EmployeeId>,
    /// The number in the end, where it was not the planned one.
    pub number: Option<String>,
    /// Whether the link step happened (created, joined, left, …).
    pub linked: bool,
    pub changes: Vec<ChangeReport>,
    pub conflicts: Vec<Conflict>,
    pub set_aside: Vec<QuarantineRow>,
    pub lifted: Vec<(PersonId, Option<Field>)>,
    /// Requests that changed something.
    pub pbx_writes: u32,
    pub directory_writes: u32,
    pub failed: Option<String>,
    /// Steps of an undo that wait for their agreement.
    pub(super) unsettled: Vec<Unsettled>,
}

impl Done {
    pub fn of(action: &Action) -> Self {
        Done {
            person: action.person.clone(),
            employee: action.employee,
            number: None,
            linked: false,
            changes: Vec::new(),
            conflicts: Vec::new(),
            set_aside: Vec::new(),
            lifted: Vec::new(),
            pbx_writes: 0,
            directory_writes: 0,
            failed: None,
            unsettled: Vec::new(),
        }
    }

    pub fn note(&mut self, side: Side, change: &Change, result: ChangeResult, note: Option<String>) {
        self.changes.push(shown(side, change, result, note));
    }

    pub fn fail(&mut self, why: String) {
        self.failed.get_or_insert(why);
    }
}

/// Why a change could not even be sent.
pub enum NotSent {
    /// The value to send is another one by now, on this side.
    Moved(&'static str),
    /// The other side could not take it.
    Unfit(String),
    /// It could not be fetched.
    Failed(anyhow::Error),
}

impl NotSent {
    pub fn unfit(why: picture::Error) -> Self {
        NotSent::Unfit(why.to_string())
    }
}

impl<E: Into<anyhow::Error>> From<E> for NotSent {
    fn from(error: E) -> Self {
        NotSent::Failed(error.into())
    }
}
