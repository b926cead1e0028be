//! Whether a run could tell that a conflict is over. One it did not meet has
//! lost its cause only if the values it stands on were seen.

use crate::absence::{self, Vanished};
use crate::conflict::{Conflict, ConflictKind};
use crate::merge::State;
use crate::policy::Direction;
use crate::value::Reading;
use crate::world::{Index, World};

/// What a world has to say about conflicts that its plan did not raise.
#[derive(Debug)]
pub struct Judge<'w> {
    world: &'w World,
    index: Index<'w>,
    vanished: Vanished<'w>,
}

impl<'w> Judge<'w> {
    pub fn of(world: &'w World) -> Self {
        let index = world.index();
        Judge { world, vanished: Vanished::find(world, &index.linked_people), index }
    }

    /// Whether everything was seen that this conflict stands on. Nobody's
    /// fields are merged who left or has no employee: then it is over too.
    pub fn could_tell(&self, conflict: &Conflict) -> bool {
        if self.world.doubt().is_some() {
            return false;
        }
        let flows = |field| self.world.mapped[field] && self.world.policy.direction(field) != Direction::Off;
        let Some(field) = conflict.field.filter(|field| flows(*field)) else { return true };
        let id = conflict.person.as_str();
        let person = self.index.people.get(id).filter(|person| person.account.active());
        let Some(person) = person.copied() else { return true };
        let link = self.index.linked_people.get(id).copied();
        let ours = match link.map(|link| self.index.employees.get(&link.employee)) {
            Some(Some(employee)) => &employee.fields[field],
            Some(None) => return true,
            // About a person alone, and what they bring along.
            None => &Reading::Empty,
        };
        let theirs = absence::in_directory(self.world, &self.vanished, link, person, field, ours);
        theirs != State::Unknown && (of_directory(conflict.kind) || absence::in_pbx(ours) != State::Unknown)
    }
}

/// Conflicts that stand whatever the PBX says. A value that cannot be used may
/// be that of either side, so both have to be seen.
fn of_directory(kind: ConflictKind) -> bool {
    matches!(kind, ConflictKind::SeveralValues | ConflictKind::NoName)
}
