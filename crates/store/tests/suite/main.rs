//! What every store does. Each test runs on all of them.

#![allow(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

#[path = "../common/mod.rs"]
mod common;
mod conflicts;
mod coordination;
mod fence;
mod history;
mod links;
mod lists;
mod rows;
mod run_lists;
mod settings;
