//! Connections, plain or over TLS. A stranger who begins a handshake and does
//! not finish it holds nobody else up.

use super::serve::Tls;
use crate::app::Usage;
use crate::limits;
use anyhow::{Context, Result, anyhow};
use axum::extract::connect_info::Connected;
use axum::extract::{ConnectInfo, Request};
use axum::serve::{IncomingStream, Listener};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;

/// Where a browser is.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

impl Connected<IncomingStream<'_, Doors>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Doors>) -> Self {
        Peer(stream.remote_addr().ip())
    }
}

/// Listens, and shakes hands.
#[allow(missing_debug_implementations, reason = "a TLS configuration has nothing to show")]
pub struct Doors {
    tcp: TcpListener,
    tls: Option<TlsAcceptor>,
    shaking: JoinSet<Option<(TlsStream<TcpStream>, SocketAddr)>>,
}

impl Doors {
    pub fn new(tcp: TcpListener, tls: Option<TlsAcceptor>) -> Self {
        Doors { tcp, tls, shaking: JoinSet::new() }
    }
}

impl Listener for Doors {
    type Io = Either<TcpStream, TlsStream<TcpStream>>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        loop {
            let Some(tls) = self.tls.clone() else {
                let (stream, peer) = Listener::accept(&mut self.tcp).await;
                return (Either::Left(stream), peer);
            };
            tokio::select! {
                Some(shaken) = self.shaking.join_next() => {
                    if let Ok(Some((stream, peer))) = shaken {
                        return (Either::Right(stream), peer);
                    }
                }
                (stream, peer) = Listener::accept(&mut self.tcp), if self.shaking.len() < limits::HANDSHAKES_MAX => {
                    self.shaking.spawn(async move {
                        let shaken = timeout(limits::HANDSHAKE_TIME_MAX, tls.accept(stream)).await;
                        Some((shaken.ok()?.ok()?, peer))
                    });
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

/// Our own certificate and its key, in PEM files.
pub fn acceptor(tls: &Tls) -> Result<TlsAcceptor> {
    let wrong = |option: &str, path: &std::path::Path, why: String| {
        anyhow!(Usage(format!("{option}: {}: {why}", path.display())))
    };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(&tls.certificate)
        .and_then(Iterator::collect)
        .map_err(|error| wrong("--tls-certificate", &tls.certificate, error.to_string()))?;
    let key = PrivateKeyDer::from_pem_file(&tls.key)
        .map_err(|error| wrong("--tls-key", &tls.key, error.to_string()))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .context("TLS cannot be set up")?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| wrong("--tls-certificate", &tls.certificate, error.to_string()))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Behind a proxy, the last address it added is where the browser is.
pub fn take_forwarded(request: &mut Request) {
    let forwarded = request.headers().get_all("x-forwarded-for").iter().next_back();
    let last = forwarded.and_then(|text| text.to_str().ok()).and_then(|text| text.rsplit(',').next());
    if let Some(ip) = last.and_then(|ip| ip.trim().parse::<IpAddr>().ok()) {
        request.extensions_mut().insert(ConnectInfo(Peer(ip)));
    }
}
