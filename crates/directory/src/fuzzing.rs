//! What fuzzing reaches by name. Everything else of this crate it reaches as
//! a hostile server does, over a connection.

pub use crate::filter::{FilterError, parse as filter};
