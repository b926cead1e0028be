//! A client of MikoPBX REST API v3: session, employees, numbers, photos,
//! pacing.
//!
//! Everything this crate knows about the PBX it learnt from a running server;
//! recorded exchanges are among the tests. Deliberately absent: deleting
//! employees (that is an administrator's business), bulk creation and CSV
//! (they cut names, skip checks and leave secrets under a public address), and
//! decisions about what to write.

#![forbid(unsafe_code)]

mod advice;
mod body;
mod change;
pub mod checks;
mod client;
mod diagnosis;
mod employees;
mod envelope;
mod error;
mod exchange;
mod numbers;
mod pacing;
mod photos;
mod record;
mod save;
mod session;
mod settings;
mod socket;
mod tls;
mod waf;
mod wire;

pub use change::{Change, FieldWrite, NewEmployee, Outcome, Saved};
pub use client::Pbx;
pub use diagnosis::Step;
pub use employees::{Listing, Progress};
pub use error::Error;
pub use exchange::{ANSWER_BYTES_MAX, Exchange, ExchangeError, Request, Response};
pub use photos::PhotoAnswer;
pub use record::{Forwarding, Record};
pub use settings::{Settings, SignIn, Trust, Warning};
pub use socket::{HttpExchange, certificate_fingerprint};
pub use waf::suspicious;
