//! Serving: where to listen, over what, and what stands before every page.

use super::doors::{Doors, Peer};
use super::problem::Problem;
use super::turns::take_turns;
use super::visit::{self, Visit};
use super::{Web, api, assets, pages, render};
use crate::app::{App, Usage};
use crate::limits;
use anyhow::{Context, Result, anyhow};
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use std::net::SocketAddr;
use std::path::PathBuf;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tower_http::csrf::CsrfLayer;
use tower_http::timeout::TimeoutLayer;

pub const LISTEN_DEFAULT: &str = "127.0.0.1:8389";

/// Nothing but our own files, and no script or style inside a page.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

#[derive(Clone, Debug)]
pub struct ServeOptions {
    pub listen: SocketAddr,
    pub tls: Option<Tls>,
    /// A reverse proxy in front speaks TLS, and says where browsers come from.
    pub behind_proxy: bool,
}

#[derive(Clone, Debug)]
pub struct Tls {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// Pages that are being served.
#[derive(Debug)]
pub struct Serving {
    pub addr: SocketAddr,
    /// `http://127.0.0.1:8389`
    pub url: String,
    pub web: Web,
    stop: CancellationToken,
    task: JoinHandle<Result<()>>,
    turns: JoinHandle<()>,
}

/// Listens, and serves in the background from when this returns.
pub async fn start(app: App, options: &ServeOptions) -> Result<Serving> {
    let is_open = !options.listen.ip().is_loopback();
    if is_open && options.tls.is_none() && !options.behind_proxy {
        return Err(anyhow!(Usage(format!(
            "{} can be reached from other machines, and without TLS passwords would cross the network in the clear: \
             give --tls-certificate and --tls-key, or --behind-proxy where a reverse proxy speaks TLS",
            options.listen
        ))));
    }
    let tls = options.tls.as_ref().map(super::doors::acceptor).transpose()?;
    let tcp = TcpListener::bind(options.listen).await.with_context(|| {
        format!("cannot listen on {}: is `rollcall serve` running already?", options.listen)
    })?;
    let addr = tcp.local_addr()?;
    let is_secure = tls.is_some() || options.behind_proxy;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let web = Web::new(app, is_secure);
    let stop = CancellationToken::new();
    let service = router(web.clone(), options.behind_proxy).into_make_service_with_connect_info::<Peer>();
    let ended = stop.clone().cancelled_owned();
    let work = axum::serve(Doors::new(tcp, tls), service).with_graceful_shutdown(ended);
    let task = tokio::spawn(async move { work.await.context("the pages cannot be served any more") });
    let (app, jobs) = (web.app.clone(), web.jobs.clone());
    let turns = tokio::spawn(async move { match take_turns(&app, &jobs).await {} });
    Ok(Serving { addr, url: format!("{scheme}://{addr}"), web, stop, task, turns })
}

impl Serving {
    /// Ends jobs first: what they sent is answered, and watchers are told.
    pub async fn stop(self) -> Result<()> {
        self.turns.abort();
        self.web.jobs.stop().await;
        self.stop.cancel();
        match tokio::time::timeout(limits::FAREWELL_TIME_MAX, self.task).await {
            Ok(ended) => ended?,
            Err(_) => Ok(()),
        }
    }
}

pub fn router(web: Web, behind_proxy: bool) -> Router {
    let inside = pages::inside().layer(from_fn_with_state(web.clone(), visit::only_signed_in));
    Router::new()
        .route("/", get(async || Redirect::to("/servers")))
        .merge(inside)
        .merge(pages::outside())
        .layer(from_fn(to_its_end))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, limits::REQUEST_TIME_MAX))
        .merge(pages::live(web.clone()))
        .fallback(async || Problem::not_found())
        .layer(DefaultBodyLimit::max(limits::BODY_BYTES_MAX))
        .layer(CsrfLayer::new())
        .layer(from_fn_with_state(web.clone(), problems))
        .layer(from_fn_with_state(web.clone(), visit::look))
        .nest_service(api::PATH, api::service(web.clone()))
        .route("/assets/{version}/{name}", get(assets::asset))
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .layer(from_fn_with_state((web.clone(), behind_proxy), protect))
        .with_state(web)
}

/// A browser that goes away in the middle of a change leaves no half of it
/// behind: what may change something is not dropped with its connection.
pub(super) async fn to_its_end(request: Request, next: Next) -> Response {
    if request.method().is_safe() {
        return next.run(request).await;
    }
    match tokio::spawn(next.run(request)).await {
        Ok(response) => response,
        Err(error) => {
            tracing::error!(%error, "a request broke down");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Ready is who can remember things.
async fn ready(State(web): State<Web>) -> Response {
    match web.app.store.directories().await {
        Ok(_) => "ready\n".into_response(),
        Err(error) => {
            tracing::error!(%error, "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, "the store cannot be read\n").into_response()
        }
    }
}

/// Turns whatever went wrong into a page.
async fn problems(State(web): State<Web>, visit: Visit, request: Request, next: Next) -> Response {
    let is_head = request.method() == Method::HEAD;
    let response = next.run(request).await;
    let status = response.status();
    if let Some(problem) = response.extensions().get::<Problem>() {
        return render::problem(&web, &visit, problem);
    }
    let is_bare = !response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| {
        kind.as_bytes().starts_with(b"text/html") || kind.as_bytes().starts_with(b"application/json")
    });
    if (status.is_client_error() || status.is_server_error()) && is_bare && !is_head {
        return render::problem(&web, &visit, &Problem { status, text: String::new() });
    }
    response
}

async fn protect(
    State((web, behind_proxy)): State<(Web, bool)>,
    mut request: Request,
    next: Next,
) -> Response {
    if behind_proxy {
        super::doors::take_forwarded(&mut request);
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=()"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if web.secure {
        let year = HeaderValue::from_static("max-age=31536000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::routing::any;
    use std::sync::Arc;
    use std::time::Duration;
    use tokio::sync::Notify;
    use tower::ServiceExt;

    #[tokio::test]
    async fn who_goes_away_in_the_middle_of_a_change_leaves_no_half_of_it() {
        for (method, is_done) in [(Method::POST, true), (Method::DELETE, true), (Method::GET, false)] {
            let (go_on, done) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
            let (wait, tell) = (go_on.clone(), done.clone());
            let change = async move || {
                wait.notified().await;
                tell.notify_one();
            };
            let router = Router::new().route("/", any(change)).layer(from_fn(to_its_end));
            let request = Request::builder().method(method.clone()).uri("/").body(Body::empty()).unwrap();
            let asking = router.oneshot(request);
            let given_up = tokio::time::timeout(Duration::from_millis(20), asking).await;
            assert!(given_up.is_err(), "{method} did not wait");
            go_on.notify_one();
            let ended = tokio::time::timeout(Duration::from_millis(200), done.notified()).await;
            assert_eq!(ended.is_ok(), is_done, "{method}");
        }
    }
}
