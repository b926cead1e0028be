//! The exchange over real sockets: reqwest on rustls, HTTP/1.1.
//!
//! Redirects are never followed, because a 301 turns a POST into a GET, and no
//! proxy is used, because a PBX is reached directly.

use crate::error::Error;
use crate::exchange::{ANSWER_BYTES_MAX, Exchange, ExchangeError, Request, Response};
use crate::settings::{Origin, Settings, Trust};
use crate::tls::{self, Pin};
use bytes::{Bytes, BytesMut};
use effects::BoxFuture;
use std::fmt;
use std::time::Duration;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The PBX itself gives up after 30 s, and may wait 15 s for its write lock.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(50);
/// Well below the 75 s after which nginx closes a connection that rests, so
/// that a request rarely meets a closing one.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);

pub struct HttpExchange {
    client: reqwest::Client,
    origin: Origin,
}

impl HttpExchange {
    pub fn new(settings: &Settings) -> Result<Self, Error> {
        settings.check()?;
        HttpExchange::with_timeout(settings, REQUEST_TIMEOUT)
    }

    pub(crate) fn with_timeout(settings: &Settings, timeout: Duration) -> Result<Self, Error> {
        let builder = client(timeout);
        let builder = match &settings.trust {
            Trust::SystemRoots => builder,
            Trust::Authority { pem } => builder.tls_certs_only(
                reqwest::Certificate::from_pem_bundle(pem.as_bytes())
                    .map_err(|error| Error::Settings(format!("the authority cannot be read: {error}")))?,
            ),
            Trust::Pinned { sha256 } => builder
                .tls_backend_preconfigured(tls::pinned(Pin::new(crate::settings::fingerprint(sha256)?))?),
        };
        build(builder, settings)
    }
}

/// The SHA-256 fingerprint of the certificate that the PBX shows, for a human
/// to compare. Nothing is sent beyond the handshake.
pub async fn certificate_fingerprint(settings: &Settings) -> Result<String, Error> {
    let pin = Pin::look();
    let exchange =
        build(client(CONNECT_TIMEOUT).tls_backend_preconfigured(tls::pinned(pin.clone())?), settings)?;
    let url = exchange.origin.text.clone();
    // The handshake is refused on purpose once the certificate was seen.
    let outcome = exchange.client.get(&url).send().await;
    pin.seen().ok_or_else(|| Error::Unreachable {
        url,
        why: outcome.err().map_or_else(|| "no TLS there".to_owned(), |error| chain(&error)),
    })
}

fn client(timeout: Duration) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .no_proxy()
        .http1_only()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(timeout)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .user_agent(concat!("Rollcall/", env!("CARGO_PKG_VERSION")))
}

fn build(builder: reqwest::ClientBuilder, settings: &Settings) -> Result<HttpExchange, Error> {
    let client = builder.build().map_err(|error| Error::Settings(chain(&error)))?;
    Ok(HttpExchange { client, origin: settings.origin()? })
}

impl Exchange for HttpExchange {
    fn exchange(&self, request: Request) -> BoxFuture<'_, Result<Response, ExchangeError>> {
        Box::pin(async move {
            let url = format!("{}{}", self.origin.text, request.path_and_query);
            let sending =
                self.client.request(request.method, url).headers(request.headers).body(request.body);
            let mut answer = sending.send().await.map_err(|error| failure(&error))?;
            let (status, headers) = (answer.status(), std::mem::take(answer.headers_mut()));
            Ok(Response { status, headers, body: read_body(answer).await? })
        })
    }
}

impl fmt::Debug for HttpExchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HttpExchange({})", self.origin.text)
    }
}

async fn read_body(mut answer: reqwest::Response) -> Result<Bytes, ExchangeError> {
    let mut body = BytesMut::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| failure(&error))? {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err(ExchangeError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

fn failure(error: &reqwest::Error) -> ExchangeError {
    match tls::certificate_failure(error) {
        Some(why) => ExchangeError::Untrusted(why),
        None if error.is_connect() || error.is_builder() => ExchangeError::NotSent(chain(error)),
        None => ExchangeError::OutcomeUnknown(chain(error)),
    }
}

/// The innermost cause says what happened; the outer ones only where.
fn chain(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::SignIn;

    #[tokio::test]
    async fn a_pbx_that_never_answers_leaves_the_outcome_unknown() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let settings = Settings { url, sign_in: SignIn::Local, trust: Trust::SystemRoots };
        let exchange = HttpExchange::with_timeout(&settings, Duration::from_millis(200)).unwrap();
        let request = Request {
            method: http::Method::POST,
            path_and_query: "/a".into(),
            headers: http::HeaderMap::new(),
            body: Bytes::from_static(b"{}"),
        };
        let error = exchange.exchange(request).await.unwrap_err();
        assert!(
            matches!(&error, ExchangeError::OutcomeUnknown(why) if why.contains("timed out")),
            "{error:?}"
        );
    }
}
