//! Kinds of change that the guard stopped and nobody released: whoever would
//! be touched that way again waits as a whole, and the others go on.
//!
//! Decided while numbers are settled, so that nothing is built on a number
//! that somebody held back was to give up. Lost employees are no action: they
//! stop the run as a whole, see [`crate::guard`].

use super::build::{Builder, Draft};
use super::renumber::{creates, written_back};
use super::{HeldBack, LineOutcome};
use crate::guard::{self, GuardKind};
use std::collections::BTreeSet;

impl Builder<'_> {
    /// What about a draft is stopped; nothing for one that may go on.
    pub(super) fn stopped(&self, draft: &Draft) -> BTreeSet<GuardKind> {
        if self.world.stopped.is_empty() {
            return BTreeSet::new();
        }
        let mut kinds: BTreeSet<GuardKind> =
            guard::kinds(&draft.action, self.world.ran_before).into_iter().collect();
        if self.overwrites_with_a_new_number(draft) {
            kinds.insert(GuardKind::OverwritesInDirectory);
        }
        kinds.intersection(&self.world.stopped).copied().collect()
    }

    /// Takes out what is stopped, once everybody's number is settled.
    pub(super) fn hold_stopped(&mut self) {
        for mut draft in std::mem::take(&mut self.drafts) {
            let kinds = self.stopped(&draft);
            if kinds.is_empty() {
                self.drafts.push(draft);
                continue;
            }
            let words: Vec<String> = kinds.iter().map(ToString::to_string).collect();
            kinds.into_iter().for_each(|kind| *self.held_stopped.entry(kind).or_default() += 1);
            draft.line.outcome = LineOutcome::Skip;
            draft.line.reason = Some(format!("held back, for the guard stopped it: {}", words.join(", ")));
            self.lines.push(draft.line);
        }
    }

    /// The number a human gave a new employee takes the place of another in
    /// the directory. That change is only made when the number is.
    fn overwrites_with_a_new_number(&self, draft: &Draft) -> bool {
        let person = self.index.people.get(draft.action.person.as_str()).copied();
        let back = person.zip(draft.want.as_ref().filter(|_| creates(draft)));
        let back = back.and_then(|(person, want)| written_back(self, person, want));
        back.is_some_and(|change| change.before.is_some())
    }
}

impl HeldBack {
    pub(super) fn stopped(kind: GuardKind, people: u32) -> Self {
        let why =
            "the guard stopped a run for this; release or discard the plan of that run, or change the limits";
        HeldBack { what: kind.to_string(), people, why: why.to_owned(), stopped: Some(kind) }
    }
}
