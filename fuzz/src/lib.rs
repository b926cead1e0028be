//! What is fuzzed: one module a target, each with one function that takes any
//! bytes and panics where something that must hold does not.
//!
//! libFuzzer calls them from `fuzz_targets/`, and a test of crate `rollcall`
//! includes this file and replays the corpus through them on every
//! `cargo test`. Deliberately absent: anything that only one of the two does.

pub mod canonical;
pub mod entry;
pub mod envelope;
pub mod filter;
pub mod photo;
