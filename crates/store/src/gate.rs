//! A gate before and behind every transaction of the memory store, so that a
//! simulation can end its caller's life there, let time pass, or let somebody
//! else come in between. The database has none: there a process really dies.

use effects::BoxFuture;
use std::fmt;
use std::panic::Location;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passing {
    /// Nothing has happened yet.
    Before,
    /// The transaction is done, and its caller does not know it yet.
    After,
}

pub trait Gate: Send + Sync + fmt::Debug {
    /// `place` names the transaction by its place in this crate.
    fn pass(&self, passing: Passing, place: &'static Location<'static>) -> BoxFuture<'_, ()>;
}
