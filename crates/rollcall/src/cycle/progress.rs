//! How far a run is, for whoever watches.

pub use store::Phase;

pub trait Progress: Send + Sync {
    /// A phase begins. `total` counts people, where it is known.
    fn phase(&self, phase: Phase, total: Option<usize>);

    fn advance(&self, by: usize);
}

/// Nobody watches.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn phase(&self, _: Phase, _: Option<usize>) {}

    fn advance(&self, _: usize) {}
}
