//! The command line: parse, call, render. No logic.

pub mod args;
