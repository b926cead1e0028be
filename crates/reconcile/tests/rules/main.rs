//! Every rule of a correct synchronisation that the pure core can keep, by name.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests say what is wrong by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod conflicts;
mod fields;
mod guard;
mod identity;
mod leavers;
mod needs;
mod numbers;
mod reading;
mod restored_pbx;
mod safety;
mod trust;
mod undo;
mod undone;
mod unfinished;
