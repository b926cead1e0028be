//! How a connection comes about: the one place that opens sockets, behind a
//! trait, so that tests and simulations can hand in a pipe.

use effects::BoxFuture;
use std::fmt;
use std::io::{self, ErrorKind};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

/// One of a host's addresses may be dead: the next one is tried after this.
const ADDRESS_TIMEOUT: Duration = Duration::from_secs(4);

/// Hosts of this form are a path to a Unix socket.
pub const LDAPI: &str = "ldapi://";

pub trait Stream: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Stream for T {}

pub trait Dial: Send + Sync + fmt::Debug {
    /// Opens a byte stream. A host whose name is unknown is an error of the
    /// kind [`ErrorKind::NotFound`].
    fn dial<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<Box<dyn Stream>>>;
}

/// Real sockets.
#[derive(Clone, Copy, Debug, Default)]
pub struct TcpDial;

impl Dial for TcpDial {
    fn dial<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<Box<dyn Stream>>> {
        Box::pin(async move {
            match host.strip_prefix(LDAPI) {
                Some(path) => Ok(Box::new(UnixStream::connect(path).await?) as Box<dyn Stream>),
                None => Ok(Box::new(tcp(host, port).await?) as Box<dyn Stream>),
            }
        })
    }
}

async fn tcp(host: &str, port: u16) -> io::Result<TcpStream> {
    let unknown = |error: io::Error| io::Error::new(ErrorKind::NotFound, error);
    let addresses = tokio::net::lookup_host((host, port)).await.map_err(unknown)?;
    let mut failure = io::Error::new(ErrorKind::NotFound, "the name has no address");
    for address in addresses {
        match timeout(ADDRESS_TIMEOUT, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Ok(Err(error)) => failure = error,
            Err(_) => failure = io::Error::new(ErrorKind::TimedOut, "no answer"),
        }
    }
    Err(failure)
}
