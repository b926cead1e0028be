//! What can go wrong between us and a PBX: what happened, to whom, and what
//! the administrator can do about it. Never contains a secret.

use reconcile::{EmployeeId, Field};

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("the PBX connection is not usable: {0}")]
    Settings(String),

    #[error("the PBX at {url} cannot be reached: {why}. Check the address, the port and the firewall")]
    Unreachable { url: String, why: String },

    /// TLS answered, but its certificate is not one we were told to trust.
    #[error(
        "the certificate of {url} is not trusted: {why}. MikoPBX makes its own certificate unless one was \
         installed: compare its SHA-256 fingerprint and pin it, or give the certificate of its authority"
    )]
    Untrusted { url: String, why: String },

    #[error(
        "{url} answers with a redirect to {location}: enter that address (MikoPBX redirects http to https)"
    )]
    Redirected { url: String, location: String },

    #[error("the PBX did not accept the sign-in: {why}")]
    NotSignedIn { why: String },

    #[error(
        "the PBX does not let this sign-in {action}. Grant it {grant}; a changed key takes up to 5 minutes"
    )]
    NotPermitted { action: String, grant: String },

    /// Nothing was done; the same request may succeed later.
    #[error("the PBX is busy: {why}")]
    Busy { why: String, retry_at_ms: i64 },

    /// A read that the PBX gave up on.
    #[error(
        "the PBX gave up when it was asked to {what} ({why}): it is overloaded, or its API workers have stopped; \
         look at the PBX, restart it if need be"
    )]
    NoAnswer { what: String, why: String },

    /// A write that may or may not have been done. Only another read can tell.
    #[error("nobody knows whether the PBX did {what}: {why}. The next run looks again")]
    OutcomeUnknown { what: String, why: String },

    #[error("employee {id} is no longer in the PBX")]
    Gone { id: EmployeeId },

    #[error("number {number} is taken in the PBX by {holder}")]
    Occupied { number: String, holder: String },

    #[error("the PBX refused with status {status}: {text}. {advice}")]
    Refused { status: u16, text: String, advice: String },

    /// Refused here, before anything was sent.
    #[error("the {field} cannot be stored in the PBX: {why}")]
    Unusable { field: Field, why: String },

    /// Somebody edited the field in the PBX after it was compared.
    #[error("the {field} changed in the PBX meanwhile: the next run compares it again")]
    Moved { field: Field },

    #[error("the {field} was not tried: the PBX refused too many requests for this employee in a row")]
    NotTried { field: Field },

    #[error("the answer of {url} is larger than {limit} bytes")]
    TooLarge { url: String, limit: usize },

    #[error("{url} does not have this function: Rollcall needs MikoPBX 2025.1.1 or newer")]
    NoSuchApi { url: String },

    #[error("{url} answered {status} with something that is not MikoPBX: {start}")]
    BadAnswer { url: String, status: u16, start: String },
}

impl Error {
    /// Whether it is about one value or one employee only, so that the other
    /// fields of the same employee may still be tried.
    pub fn concerns_one_field(&self) -> bool {
        matches!(
            self,
            Error::Occupied { .. }
                | Error::Refused { .. }
                | Error::Unusable { .. }
                | Error::Moved { .. }
                | Error::NotTried { .. }
        )
    }

    /// What the PBX itself said, or whatever answered in its place.
    pub(crate) fn words_mut(&mut self) -> Option<&mut String> {
        match self {
            Error::Unreachable { why, .. }
            | Error::Untrusted { why, .. }
            | Error::Redirected { location: why, .. }
            | Error::NotSignedIn { why }
            | Error::Busy { why, .. }
            | Error::NoAnswer { why, .. }
            | Error::OutcomeUnknown { why, .. }
            | Error::Occupied { holder: why, .. }
            | Error::Refused { text: why, .. }
            | Error::BadAnswer { start: why, .. } => Some(why),
            Error::Settings(_)
            | Error::NotPermitted { .. }
            | Error::Gone { .. }
            | Error::Unusable { .. }
            | Error::Moved { .. }
            | Error::NotTried { .. }
            | Error::TooLarge { .. }
            | Error::NoSuchApi { .. } => None,
        }
    }
}
