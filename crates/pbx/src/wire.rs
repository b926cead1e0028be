//! One API call over the exchange: pacing, headers, the retries that are safe,
//! and what is concluded from the answer.
//!
//! Only answers that prove that nothing was done are retried: a full queue, a
//! locked database, a rate limit; and reads whose connection died.

use crate::advice::advice;
use crate::envelope::{self, Reply};
use crate::error::Error;
use crate::exchange::{ANSWER_BYTES_MAX, Exchange, ExchangeError, Request, Response};
use crate::pacing::Pacing;
use crate::settings::Origin;
use crate::waf;
use bytes::Bytes;
use effects::Clock;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, COOKIE};
use http::{HeaderMap, HeaderValue, Method};
use reconcile::EmployeeId;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;

const API: &str = "/pbxcore/api/v3/";
/// Pauses before a write that met another writer is repeated. Less than a
/// second in all: after that, what the write stands on has to be read again.
const LOCK_PAUSES_MS: [u64; 3] = [150, 300, 450];
/// Pauses before a read that met a full queue is repeated.
const QUEUE_PAUSES_MS: [u64; 3] = [1000, 2000, 4000];
/// When it makes sense to try a busy PBX again.
pub(crate) const CONGESTION_MS: i64 = 2_000;

#[derive(Debug)]
pub(crate) struct Wire {
    pub exchange: Arc<dyn Exchange>,
    pub clock: Arc<dyn Clock>,
    pub pacing: Pacing,
    pub origin: Origin,
}

/// One call of the API.
#[derive(Clone)]
pub(crate) struct Call<'a> {
    pub method: Method,
    /// Below `/pbxcore/api/v3/`.
    pub path: String,
    pub body: Bytes,
    /// Whom it is about, for errors.
    pub employee: Option<EmployeeId>,
    /// What it does, in words that follow "the PBX does not let this sign-in".
    pub what: &'a str,
    /// It stores nothing, so an answer that is lost leaves nothing unknown.
    pub harmless: bool,
}

/// What a call carries to be let in.
#[derive(Clone, Copy)]
pub(crate) enum Pass<'a> {
    None,
    Bearer(&'a SecretString),
    RefreshToken(&'a SecretString),
}

impl<'a> Call<'a> {
    pub(crate) fn get(path: impl Into<String>, what: &'a str) -> Self {
        Call {
            method: Method::GET,
            path: path.into(),
            body: Bytes::new(),
            employee: None,
            what,
            harmless: true,
        }
    }

    pub(crate) fn send(
        method: Method,
        path: impl Into<String>,
        body: &impl Serialize,
        what: &'a str,
    ) -> Self {
        let body = serde_json::to_vec(body).expect("maps of strings and numbers always become JSON");
        Call { method, path: path.into(), body: body.into(), employee: None, what, harmless: false }
    }

    pub(crate) fn about(self, id: EmployeeId) -> Self {
        Call { employee: Some(id), ..self }
    }

    pub(crate) fn harmless(self) -> Self {
        Call { harmless: true, ..self }
    }

    /// The permission that an API key needs for it.
    pub(crate) fn grant(&self) -> String {
        let resource = self.path.split([':', '/', '?']).next().unwrap_or_default();
        format!("\"/api/v3/{resource}\": \"{}\"", if self.method == Method::GET { "read" } else { "write" })
    }
}

impl Wire {
    pub(crate) fn new(
        exchange: Arc<dyn Exchange>,
        clock: Arc<dyn Clock>,
        origin: Origin,
        patience: Duration,
    ) -> Self {
        let pacing = Pacing::new(Arc::clone(&clock), !origin.loopback, patience);
        Wire { exchange, clock, pacing, origin }
    }

    /// Sends the call until there is an answer that is worth showing.
    pub(crate) async fn send(&self, call: &Call<'_>, pass: Pass<'_>) -> Result<(Reply, HeaderMap), Error> {
        let (mut locks, mut queues) = (LOCK_PAUSES_MS.iter(), QUEUE_PAUSES_MS.iter());
        let (mut blocks, mut deaths) = (1, if call.harmless { 1 } else { 0 });
        loop {
            let response = match self.once(call, pass).await {
                Ok(response) => response,
                Err(Error::Unreachable { .. }) if deaths > 0 => {
                    deaths -= 1;
                    continue;
                }
                Err(error) => return Err(error),
            };
            let reply = envelope::read(&response);
            tracing::debug!(method = %call.method, path = call.path, status = response.status.as_u16(), "pbx");
            let pause_ms = match &reply {
                Reply::Locked(_) => locks.next(),
                Reply::Overloaded(_) if call.harmless => queues.next(),
                Reply::Overloaded(_) => None,
                Reply::TooMany(_) => {
                    self.pacing.blocked();
                    blocks -= 1;
                    // The wait, or the refusal to wait, happens at the door.
                    (blocks >= 0).then_some(&0)
                }
                Reply::Filtered(_) => None,
                _ => {
                    self.pacing.answered();
                    None
                }
            };
            match pause_ms {
                Some(ms) => self.clock.sleep(Duration::from_millis(*ms)).await,
                None => return Ok((reply, response.headers)),
            }
        }
    }

    async fn once(&self, call: &Call<'_>, pass: Pass<'_>) -> Result<Response, Error> {
        let _lane = self.pacing.admit(!call.harmless).await?;
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        if call.method != Method::GET {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        match pass {
            Pass::None => {}
            Pass::Bearer(token) => {
                headers.insert(AUTHORIZATION, secret_header(&format!("Bearer {}", token.expose_secret()))?);
            }
            Pass::RefreshToken(token) => {
                headers.insert(COOKIE, secret_header(&format!("refreshToken={}", token.expose_secret()))?);
            }
        }
        let request = Request {
            method: call.method.clone(),
            path_and_query: format!("{API}{}", call.path),
            headers,
            body: call.body.clone(),
        };
        self.exchange.exchange(request).await.map_err(|error| self.failure(call, error))
    }

    /// Fetches a static file, which needs no sign-in and is not counted.
    pub(crate) async fn file(&self, path: &str, headers: HeaderMap) -> Result<Response, Error> {
        let _lane = self.pacing.lane().await;
        let request =
            Request { method: Method::GET, path_and_query: path.to_owned(), headers, body: Bytes::new() };
        let call = Call::get(path, "read pictures");
        self.exchange.exchange(request).await.map_err(|error| self.failure(&call, error))
    }

    fn failure(&self, call: &Call<'_>, error: ExchangeError) -> Error {
        let url = self.origin.text.clone();
        match error {
            ExchangeError::Untrusted(why) => Error::Untrusted { url, why },
            ExchangeError::NotSent(why) => Error::Unreachable { url, why },
            ExchangeError::OutcomeUnknown(why) if call.harmless => Error::Unreachable { url, why },
            ExchangeError::OutcomeUnknown(why) => Error::OutcomeUnknown { what: call.what.to_owned(), why },
            ExchangeError::TooLarge if call.harmless => Error::TooLarge { url, limit: ANSWER_BYTES_MAX },
            ExchangeError::TooLarge => {
                Error::OutcomeUnknown { what: call.what.to_owned(), why: error.to_string() }
            }
        }
    }

    /// What an answer other than success means for this call. `known` says
    /// that the PBX accepted this sign-in before.
    pub(crate) fn conclude(&self, call: &Call<'_>, reply: Reply, known: bool) -> Error {
        let url = || format!("{}{API}{}", self.origin.text, call.path);
        let what = call.what.to_owned();
        match reply {
            Reply::Unauthorised(why) if !known => Error::NotSignedIn { why },
            Reply::Unauthorised(_) | Reply::Denied => {
                Error::NotPermitted { action: what, grant: call.grant() }
            }
            Reply::Filtered(text) => self.filtered(call, text),
            Reply::TooMany(why) => Error::Busy { why, retry_at_ms: self.pacing.blocked() },
            Reply::Overloaded(why) | Reply::Locked(why) => {
                Error::Busy { why, retry_at_ms: self.clock.now_ms() + CONGESTION_MS }
            }
            Reply::GaveUp(why) if call.harmless => Error::NoAnswer { what, why },
            Reply::GaveUp(why) => Error::OutcomeUnknown { what, why },
            Reply::NotFound => match call.employee {
                Some(id) => Error::Gone { id },
                None => Error::NoSuchApi { url: url() },
            },
            Reply::NoSuchApi => Error::NoSuchApi { url: url() },
            Reply::Refused { status, text } => Error::Refused { status, text, advice: advice(None) },
            Reply::Redirect(location) => Error::Redirected { url: url(), location },
            Reply::Broken { status, start } if call.harmless => {
                Error::BadAnswer { url: url(), status, start }
            }
            Reply::Broken { start: why, .. } => Error::OutcomeUnknown { what, why },
            // Success, but without the data that belongs to it.
            Reply::Done(_) => {
                let start = "JSON in an unknown form".to_owned();
                self.conclude(call, Reply::Broken { status: 200, start }, known)
            }
        }
    }

    /// The front filter looks at words and at addresses; which it was can only
    /// be told by looking for the words ourselves.
    fn filtered(&self, call: &Call<'_>, text: String) -> Error {
        match std::str::from_utf8(&call.body).ok().and_then(waf::suspicious) {
            Some(pattern) => Error::Refused {
                status: 403,
                text: format!("{text}: it found `{pattern}`"),
                advice: waf::ADVICE.to_owned(),
            },
            None => Error::Busy {
                why: format!("its front filter refuses this address: {text}. Allow it in the PBX's firewall"),
                retry_at_ms: self.pacing.blocked(),
            },
        }
    }
}

fn secret_header(text: &str) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::from_str(text).map_err(|_| Error::NotSignedIn {
        why: "the key contains characters that cannot be sent: paste it again".to_owned(),
    })?;
    value.set_sensitive(true);
    Ok(value)
}
