//! The door: a TCP listener, or any stream somebody hands in.

use super::session::Session;
use super::{Directory, Error};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::{CancellationToken, DropGuard};

/// More connections than these wait to be taken.
const CONNECTIONS_MAX: usize = 256;

/// A directory that listens. Dropping it closes the listener and every
/// connection.
#[derive(Debug)]
pub struct Running {
    pub addr: SocketAddr,
    _stop: DropGuard,
}

/// Serves the directory at `addr`; port 0 takes a free one.
pub async fn serve(directory: Directory, addr: SocketAddr) -> Result<Running, Error> {
    let failed = |source| Error::Listen { addr, source };
    let listener = TcpListener::bind(addr).await.map_err(failed)?;
    let addr = listener.local_addr().map_err(failed)?;
    let stop = CancellationToken::new();
    tokio::spawn(accept(directory, listener, stop.clone()));
    Ok(Running { addr, _stop: stop.drop_guard() })
}

async fn accept(directory: Directory, listener: TcpListener, stop: CancellationToken) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let next = async || {
        let place = places.clone().acquire_owned().await.ok()?;
        Some((place, listener.accept().await))
    };
    while let Some(Some((place, accepted))) = stop.run_until_cancelled(next()).await {
        match accepted {
            Ok((stream, _)) => {
                let (directory, stop) = (directory.clone(), stop.clone());
                tokio::spawn(async move {
                    let _place = place;
                    stop.run_until_cancelled(serve_tcp(directory, stream)).await
                });
            }
            Err(error) => {
                tracing::warn!(%error, "the sandbox directory could not take a connection");
                directory.0.clock.sleep(std::time::Duration::from_millis(100)).await;
            }
        }
    }
}

async fn serve_tcp(directory: Directory, stream: TcpStream) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "answers may be sent late");
    }
    directory.attach(stream).await;
}

impl Directory {
    /// Serves one connection until either side ends it.
    pub async fn attach(&self, stream: impl AsyncRead + AsyncWrite + Send + Unpin) {
        if let Err(error) = Session::new(self.clone(), stream).run().await {
            tracing::debug!(%error, "a connection to the sandbox directory broke");
        }
    }
}
