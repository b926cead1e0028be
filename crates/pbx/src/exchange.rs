//! The narrow door to the network: one request, one answer. Everything above
//! it runs as well against a PBX in process.
//!
//! Deliberately absent: redirects, cookies, proxies, retries. Whoever asks
//! decides about those.

use bytes::Bytes;
use effects::BoxFuture;
use http::{HeaderMap, Method, StatusCode};
use std::fmt;

/// The largest answer that is read. 50,000 employees take about 9 MiB.
pub const ANSWER_BYTES_MAX: usize = 32 * 1024 * 1024;

pub trait Exchange: Send + Sync + fmt::Debug {
    fn exchange(&self, request: Request) -> BoxFuture<'_, Result<Response, ExchangeError>>;
}

pub struct Request {
    pub method: Method,
    /// Begins with a slash and is encoded already.
    pub path_and_query: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

pub struct Response {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// At most [`ANSWER_BYTES_MAX`].
    pub body: Bytes,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExchangeError {
    /// The PBX never saw the request.
    #[error("{0}")]
    NotSent(String),
    /// The PBX never saw the request, because its certificate was not accepted.
    #[error("{0}")]
    Untrusted(String),
    /// The request went out and the answer did not arrive.
    #[error("{0}")]
    OutcomeUnknown(String),
    #[error("the answer is larger than {ANSWER_BYTES_MAX} bytes")]
    TooLarge,
}

// Bodies hold SIP passwords, headers hold tokens: neither is ever printed.

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({} bytes)", self.method, self.path_and_query, self.body.len())
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} bytes)", self.status, self.body.len())
    }
}
