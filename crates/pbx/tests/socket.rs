//! The exchange over real sockets: what reached the PBX and what did not,
//! redirects, limits, and whom TLS trusts.

#![allow(clippy::unwrap_used, clippy::panic)]

use axum::Router;
use axum::body::Body;
use axum::response::{Html, Redirect};
use axum::routing::{any, get};
use bytes::Bytes;
use http::{HeaderMap, Method};
use pbx::{Error, Exchange, ExchangeError, HttpExchange, Request, Response, Settings, SignIn, Trust};
use rcgen::{CertifiedKey, KeyPair};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

fn settings(url: String, trust: Trust) -> Settings {
    Settings { url, sign_in: SignIn::ApiKey, trust }
}

fn request(method: Method, path: &str, body: &'static str) -> Request {
    let (path_and_query, body) = (path.to_owned(), Bytes::from_static(body.as_bytes()));
    Request { method, path_and_query, headers: HeaderMap::new(), body }
}

async fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

async fn plain(
    method: Method,
    path: &str,
    body: &'static str,
    router: Router,
) -> Result<Response, ExchangeError> {
    let (listener, address) = listener().await;
    tokio::spawn(async move { axum::serve(listener, router).await });
    let exchange = HttpExchange::new(&settings(format!("http://{address}"), Trust::SystemRoots)).unwrap();
    exchange.exchange(request(method, path, body)).await
}

#[tokio::test]
async fn an_answer_comes_as_it_is() {
    let router = Router::new().route("/pbxcore/echo", any(|body: String| async move { Html(body) }));
    let answer = plain(Method::PATCH, "/pbxcore/echo?search=id%3A1", "<b>Anna</b>", router).await.unwrap();
    assert_eq!((answer.status.as_u16(), &answer.body[..]), (200, &b"<b>Anna</b>"[..]));
    assert_eq!(answer.headers["content-type"], "text/html; charset=utf-8");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let followed = Arc::new(AtomicUsize::new(0));
    let count = followed.clone();
    let router = Router::new().route("/a", any(|| async { Redirect::permanent("/b") })).route(
        "/b",
        any(move || async move {
            count.fetch_add(1, Ordering::SeqCst);
        }),
    );
    for method in [Method::GET, Method::POST] {
        let answer = plain(method, "/a", "{}", router.clone()).await.unwrap();
        assert_eq!((answer.status.as_u16(), &answer.headers["location"]), (308, &"/b".parse().unwrap()));
    }
    assert_eq!(followed.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    let endless = || async {
        Body::from_stream(futures_util::stream::repeat_with(|| {
            Ok::<_, std::io::Error>(Bytes::from_static(&[b' '; 1 << 20]))
        }))
    };
    let router = Router::new().route("/a", get(endless));
    assert_eq!(plain(Method::GET, "/a", "", router).await.unwrap_err(), ExchangeError::TooLarge);
}

#[tokio::test]
async fn nobody_there_means_not_sent() {
    let (listener, address) = listener().await;
    drop(listener);
    let exchange = HttpExchange::new(&settings(format!("http://{address}"), Trust::SystemRoots)).unwrap();
    let error = exchange.exchange(request(Method::POST, "/a", "{}")).await.unwrap_err();
    assert!(matches!(&error, ExchangeError::NotSent(why) if why.contains("refused")), "{error}");
}

#[tokio::test]
async fn a_connection_cut_after_the_request_leaves_the_outcome_unknown() {
    for answer in ["", "HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"result\":true"] {
        let (listener, address) = listener().await;
        tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut heard = vec![0; 4096];
            let _ = socket.read(&mut heard).await;
            socket.write_all(answer.as_bytes()).await.unwrap();
        });
        let exchange = HttpExchange::new(&settings(format!("http://{address}"), Trust::SystemRoots)).unwrap();
        let error = exchange.exchange(request(Method::POST, "/a", "{}")).await.unwrap_err();
        assert!(matches!(error, ExchangeError::OutcomeUnknown(_)), "{error:?}");
    }
}

/// A PBX with a certificate, and maybe somebody else's key.
async fn secure(shown: &CertifiedKey<KeyPair>, key: &KeyPair) -> String {
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
    let signing = provider.key_provider.load_private_key(key).unwrap();
    // Built by hand, because rustls would notice a key that does not belong.
    let certified = tokio_rustls::rustls::sign::CertifiedKey::new(vec![shown.cert.der().clone()], signing);
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(tokio_rustls::rustls::sign::SingleCertAndKey::from(certified)));
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let (listener, address) = listener().await;
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let mut socket = acceptor.accept(socket).await?;
                let _ = socket.read(&mut [0; 4096]).await?;
                socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await?;
                socket.shutdown().await
            });
        }
    });
    format!("https://{}", address.replace("127.0.0.1", "localhost"))
}

fn certificate(name: &str) -> CertifiedKey<KeyPair> {
    rcgen::generate_simple_self_signed([name.to_owned()]).unwrap()
}

async fn ask(url: &str, trust: Trust) -> Result<Response, ExchangeError> {
    let exchange = HttpExchange::new(&settings(url.to_owned(), trust)).unwrap();
    exchange.exchange(request(Method::GET, "/a", "")).await
}

#[tokio::test]
async fn a_pinned_certificate_is_trusted_whatever_it_says() {
    let own = certificate("somewhere-else.example");
    let url = secure(&own, &own.signing_key).await;
    let shown = pbx::certificate_fingerprint(&settings(url.clone(), Trust::SystemRoots)).await.unwrap();
    assert_eq!(shown.len(), 95);
    let answer = ask(&url, Trust::Pinned { sha256: shown.clone() }).await.unwrap();
    assert_eq!(&answer.body[..], b"ok");

    let other = ask(&url, Trust::Pinned { sha256: "ab".repeat(32) }).await.unwrap_err();
    assert!(matches!(&other, ExchangeError::Untrusted(why) if why.contains(&shown)), "{other:?}");
}

#[tokio::test]
async fn the_pinned_certificate_without_its_key_is_refused() {
    let (own, thief) = (certificate("localhost"), certificate("localhost"));
    let url = secure(&own, &thief.signing_key).await;
    let pin = pbx::certificate_fingerprint(&settings(url.clone(), Trust::SystemRoots)).await.unwrap();
    assert!(ask(&url, Trust::Pinned { sha256: pin }).await.is_err());
}

#[tokio::test]
async fn authorities() {
    let own = certificate("localhost");
    let url = secure(&own, &own.signing_key).await;
    assert!(ask(&url, Trust::Authority { pem: own.cert.pem() }).await.is_ok());
    let other = Trust::Authority { pem: certificate("localhost").cert.pem() };
    assert!(matches!(ask(&url, other).await, Err(ExchangeError::Untrusted(_))));
    assert!(matches!(ask(&url, Trust::SystemRoots).await, Err(ExchangeError::Untrusted(_))));
}

#[tokio::test]
async fn a_fingerprint_needs_tls() {
    let (listener, address) = listener().await;
    drop(listener);
    let nobody =
        pbx::certificate_fingerprint(&settings(format!("https://{address}"), Trust::SystemRoots)).await;
    assert!(matches!(nobody, Err(Error::Unreachable { .. })));
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let garbage = "-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n";
    for (url, trust) in [
        ("https://pbx", Trust::Authority { pem: garbage.into() }),
        ("https://pbx", Trust::Pinned { sha256: "ab".into() }),
        ("gopher://pbx", Trust::SystemRoots),
    ] {
        assert!(matches!(HttpExchange::new(&settings(url.into(), trust)), Err(Error::Settings(_))));
    }
}
