//! The pages in a real browser: headless Chromium against the real binary,
//! with the sandbox and with real slapd.

#![allow(clippy::panic, reason = "whatever is not on a page fails the test that looks for it")]

#[path = "../support/mod.rs"]
mod support;

mod conflicts;
mod doors;
mod newcomers;
mod people;
mod pictures;
mod runs;
mod setup;
mod site;
mod window;
