//! The directory from the outside: operations and their codes, pages and
//! faults, and the command-line tools of OpenLDAP.

#![allow(clippy::unwrap_used, clippy::panic)] // All of it is tests.

mod client;
mod faults;
mod operations;
mod tools;
