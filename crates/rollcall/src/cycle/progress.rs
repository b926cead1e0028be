//! How far a run is, for whoever watches.

use super::report::{Status, Updated};
pub use store::Phase;
use tokio_util::sync::CancellationToken;

pub trait Progress: Send + Sync {
    /// A phase begins. `total` counts people, where it is known.
    fn phase(&self, phase: Phase, total: Option<usize>);

    fn advance(&self, by: usize);

    /// What became of one person, while the run goes on.
    fn person(&self, _: &Seen) {}

    /// By what whoever watches can end the run. What is under way is brought
    /// to its end; the next run does the rest.
    fn cancellation(&self) -> Option<&CancellationToken> {
        None
    }

    fn is_cancelled(&self) -> bool {
        self.cancellation().is_some_and(CancellationToken::is_cancelled)
    }
}

/// One person of a run that is under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub name: String,
    pub extension: Option<String>,
    pub status: Status,
    pub updated: Option<Updated>,
}

/// Nobody watches.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn phase(&self, _: Phase, _: Option<usize>) {}

    fn advance(&self, _: usize) {}
}
