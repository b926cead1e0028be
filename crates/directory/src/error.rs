//! What can go wrong with a directory: what happened, to whom, and what the
//! administrator can do about it.

use crate::advice::{Refusal, fingerprint_hint};
use crate::filter::FilterError;
use crate::settings::Fingerprint;
use thiserror::Error;

#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Error {
    /// Found without asking any server.
    #[error("{0}")]
    Settings(String),
    #[error("{address}: no connection: {why}")]
    Connect { address: String, why: String, unknown_name: bool },
    #[error("{address}: no secure connection: {why}{}", fingerprint_hint(.seen.as_ref()))]
    Tls { address: String, why: String, seen: Option<Fingerprint> },
    #[error("{address}: the sign-in was refused: {refusal}")]
    SignIn { address: String, refusal: Refusal },
    #[error("{what}: {refusal}")]
    Refused { what: String, refusal: Refusal },
    /// The connection is gone, or what came over it made no sense. Asking
    /// again on a new connection may help.
    #[error("{address}: the connection was lost: {why}")]
    Lost { address: String, why: String },
    #[error("there is no entry with the id {0} in this directory any more")]
    NoSuchPerson(String),
}

impl From<FilterError> for Error {
    fn from(error: FilterError) -> Self {
        Error::Settings(error.to_string())
    }
}

impl Error {
    /// Whether the same request on a new connection may go better.
    pub(crate) fn is_lost(&self) -> bool {
        matches!(self, Error::Lost { .. })
    }

    /// Whether the server cannot be reached or signed in to: every further
    /// request would end the same way.
    pub fn is_gone(&self) -> bool {
        matches!(self, Error::Connect { .. } | Error::Tls { .. } | Error::SignIn { .. } | Error::Lost { .. })
    }

    pub(crate) fn code(&self) -> Option<u32> {
        match self {
            Error::Refused { refusal, .. } | Error::SignIn { refusal, .. } => refusal.code,
            _ => None,
        }
    }
}
