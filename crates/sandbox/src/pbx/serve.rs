//! The PBX behind sockets: axum, the forms of the event bus that stay open, and
//! a small surface of its own for people who try things out.
//!
//! | path | what |
//! |---|---|
//! | `GET /sandbox/writes` | how many requests have changed something |
//! | `POST /sandbox/faults` | sets the faults of the PBX from their line of text |

use super::envelope::{self, Response};
use super::events::{self, Message, Subscription};
use super::{Client, Pbx};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::routing::{get, post};
use bytes::Bytes;
use futures_util::stream;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, ETAG, LAST_MODIFIED, VARY};
use http::{HeaderValue, Method, StatusCode};
use std::io;
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The largest body that is read. A picture of 16 MiB fits.
const BODY_BYTES_MAX: usize = 32 * 1024 * 1024;

/// A PBX that listens. It goes on until it is told to stop, or dropped.
#[derive(Debug)]
pub struct Running {
    pub addr: SocketAddr,
    stop: CancellationToken,
    task: JoinHandle<io::Result<()>>,
}

/// Requests without a peer address count as local ones.
pub fn router(pbx: Pbx) -> Router {
    Router::new()
        .route("/sandbox/writes", get(writes))
        .route("/sandbox/faults", post(faults))
        .fallback(any)
        .with_state(pbx)
}

pub async fn serve(pbx: Pbx, addr: SocketAddr) -> io::Result<Running> {
    let listener = TcpListener::bind(addr).await?;
    let addr = listener.local_addr()?;
    let stop = CancellationToken::new();
    let stopped = stop.clone().cancelled_owned();
    let app = router(pbx).into_make_service_with_connect_info::<SocketAddr>();
    let task = tokio::spawn(async move {
        // Connections that stay open must not hold up the end.
        tokio::select! {
            served = axum::serve(listener, app) => served,
            () = stopped => Ok(()),
        }
    });
    Ok(Running { addr, stop, task })
}

impl Running {
    pub async fn shutdown(mut self) -> io::Result<()> {
        self.stop.cancel();
        (&mut self.task).await.unwrap_or_else(|error| Err(io::Error::other(error)))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn writes(State(pbx): State<Pbx>) -> String {
    serde_json::json!({ "writes": pbx.writes() }).to_string()
}

async fn faults(State(pbx): State<Pbx>, spec: String) -> (StatusCode, String) {
    match crate::faults::Faults::parse(&spec) {
        Ok(faults) => {
            pbx.set_faults(faults.pbx);
            (StatusCode::OK, String::new())
        }
        Err(error) => (StatusCode::BAD_REQUEST, format!("{error}\n")),
    }
}

async fn any(State(pbx): State<Pbx>, request: Request) -> http::Response<Body> {
    let (parts, body) = request.into_parts();
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let client = match peer {
        Some(ip) if pbx.0.treat_as_remote || !ip.is_loopback() => Client::Remote(ip),
        _ => Client::Local,
    };
    let Ok(body) = to_bytes(body, BODY_BYTES_MAX).await else {
        return envelope::plain(413, envelope::TEXT, "Request Entity Too Large\n").map(Body::from);
    };
    let (path, query) = (parts.uri.path(), parts.uri.query().unwrap_or_default());
    let accept = parts.headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let as_stream = accept.contains("text/event-stream");
    if as_stream && path == events::PATH && parts.method == Method::GET {
        return match pbx.subscribe_as(path, query, &parts.headers, client) {
            Ok(subscription) => event_source(subscription),
            Err(refused) => refused.map(Body::from),
        };
    }
    let path_and_query = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
    match pbx.handle(&parts.method, &path_and_query, &parts.headers, &body, client).await {
        Ok(response) => response.map(Body::from),
        Err(dropped) => broken(dropped),
    }
}

/// An answer that breaks off: the head may arrive, the body never does.
fn broken(dropped: super::Dropped) -> http::Response<Body> {
    let body = stream::iter([Err::<Bytes, _>(io::Error::new(io::ErrorKind::ConnectionReset, dropped))]);
    http::Response::new(Body::from_stream(body))
}

fn event_source(subscription: Subscription) -> http::Response<Body> {
    let hello = stream::iter([Ok(Bytes::from_static(b": hi\n\n"))]);
    let messages = stream::unfold(subscription, |mut subscription| async move {
        let message = subscription.next().await?;
        let text = format!("id: {}\ndata: {}\n\n", message.id, message.data);
        Some((Ok::<_, io::Error>(Bytes::from(text)), subscription))
    });
    let mut response = http::Response::new(Body::from_stream(stream::StreamExt::chain(hello, messages)));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert("x-access-control-allow-origin", HeaderValue::from_static("*"));
    response
}

/// The next message, whenever it comes.
pub(super) async fn long_poll(mut subscription: Subscription) -> Response {
    match subscription.next().await {
        Some(message) => polled(&message),
        None => envelope::plain(410, envelope::TEXT, "Gone\n"),
    }
}

fn polled(message: &Message) -> Response {
    let builder = http::Response::builder()
        .header(CONTENT_TYPE, "application/json")
        .header(LAST_MODIFIED, envelope::http_date(message.id.seconds))
        .header(ETAG, message.id.n)
        .header(VARY, "If-None-Match, If-Modified-Since")
        .header("x-access-control-allow-origin", "*");
    builder.body(message.data.to_string().into()).expect("dates and numbers are valid header values")
}
