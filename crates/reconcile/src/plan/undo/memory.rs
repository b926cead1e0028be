//! What an undo forgets, and what it remembers.

use super::Undoing;
use crate::conflict::{Answer, ConflictKind, Decision};
use crate::employee::EmployeeId;
use crate::join;
use crate::plan::{Action, LinkStep};

impl<'w> Undoing<'w> {
    fn known(&self, action: &Action) -> &[&'w Decision] {
        self.builder.index.decisions.get(action.person.as_str()).map(Vec::as_slice).unwrap_or_default()
    }

    /// The answers about a field whose write is undone.
    pub(super) fn answers(&self, action: &Action) -> Vec<Decision> {
        let undone =
            |field| action.pbx.iter().chain(&action.directory).any(|change| Some(change.field) == field);
        let acts =
            |answer: &Answer| matches!(answer, Answer::UseDirectory | Answer::UsePbx | Answer::Number { .. });
        let answers = self.known(action).iter();
        answers
            .filter(|known| undone(known.field) && acts(&known.answer))
            .map(|known| (*known).clone())
            .collect()
    }

    /// Whom the person is not, after the action.
    pub(super) fn undone_joins(&self, action: &Action) -> Option<Decision> {
        let employee = action.employee?;
        let mut ids: Vec<EmployeeId> =
            join::undone_joins(self.known(action)).flat_map(|(ids, _)| ids.iter().copied()).collect();
        match &action.link {
            Some(LinkStep::Part) => ids.push(employee),
            Some(LinkStep::Join { .. }) => ids.retain(|id| *id != employee),
            _ => return None,
        }
        ids.sort_unstable();
        ids.dedup();
        Some(Decision {
            person: action.person.clone(),
            kind: ConflictKind::UndoneJoin,
            field: None,
            answer: Answer::NotThese { ids },
            stands_on: String::new(),
            at_ms: self.builder.world.now_ms,
        })
    }
}
