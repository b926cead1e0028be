//! Whole lives of Rollcall from a seed. Both sides, the network, the memory,
//! the clock and chance are in this process and owned by the simulation; the
//! product is the one that ships, from [`rollcall::cycle`] down.
//!
//! Deliberately absent: TLS, sockets, SQL. Those are covered by tests that run
//! and kill the real binary.

#![forbid(unsafe_code)]

mod clock;
mod exchange;
mod forced;
mod humans;
mod life;
mod lot;
mod matrix;
mod process;
mod relay;
mod rest;
mod stage;
mod truth;
mod weather;
mod witness;

pub use forced::{Answer, Call, Forced, Phase};
pub use life::{Outcome, live, live_doomed};
pub use matrix::{Case, case, cases};
