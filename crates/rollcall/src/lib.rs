//! The product: one cycle (read → plan → guard → apply → agree) behind the
//! command line. A library so that whole cycles can be run by tests.

#![forbid(unsafe_code)]

pub mod app;
pub mod cli;
pub mod cycle;
pub mod limits;
pub mod mentions;
pub mod notify;
pub mod schedule;
pub mod support;
pub mod web;
