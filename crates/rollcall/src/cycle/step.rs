//! A step of the journal by its name, and how steps undo one another.

use crate::app::App;
use anyhow::Result;
use std::fmt;
use store::{DirectoryId, JournalOf, JournalRow, RunId, Settlement, State};

const CAUSE: &str = "undo of ";

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StepRef {
    pub run: RunId,
    pub seq: i64,
}

impl StepRef {
    pub fn of(row: &JournalRow) -> Self {
        StepRef { run: row.run, seq: row.seq }
    }

    /// The cause of the step that undoes this one, as the journal has it.
    pub fn as_cause(self) -> String {
        format!("{CAUSE}{self}")
    }

    /// Which step one with this cause undoes.
    pub fn undone_by(cause: &str) -> Option<Self> {
        let (seq, run) = cause.strip_prefix(CAUSE)?.strip_prefix("step ")?.split_once(" of run ")?;
        Some(StepRef { run: RunId(run.parse().ok()?), seq: seq.parse().ok()? })
    }

    /// Settles the step as undone, or as done again. If it had undone another
    /// one itself, that one is what this one no longer is, and so on down.
    pub async fn turn(self, app: &App, directory: DirectoryId, state: State) -> Result<()> {
        let (mut at, mut state) = (self, state);
        loop {
            let row = app.store.journal_of(&JournalOf::Step(at.run, at.seq)).await?.pop();
            // The history of old runs goes.
            let Some(row) = row.filter(|row| row.directory == directory) else { return Ok(()) };
            let settlement = Settlement { state, after: None, employee: None };
            app.store.settle(at.run, at.seq, &settlement).await?;
            let Some(below) = StepRef::undone_by(&row.cause) else { return Ok(()) };
            at = below;
            state = if state == State::Undone { State::Done } else { State::Undone };
        }
    }
}

impl fmt::Display for StepRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "step {} of run {}", self.seq, self.run)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_names_the_step_it_undoes() {
        let step = StepRef { run: RunId(12), seq: 3 };
        assert_eq!(step.as_cause(), "undo of step 3 of run 12");
        assert_eq!(StepRef::undone_by(&step.as_cause()), Some(step));
        for cause in
            ["undo", "directory-changed", "undo of step 3", "undo of step x of run 12", "step 3 of run 12"]
        {
            assert_eq!(StepRef::undone_by(cause), None, "{cause}");
        }
    }
}
