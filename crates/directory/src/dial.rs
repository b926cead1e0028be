//! How a connection comes about: the one place that opens sockets, behind a
//! trait, so that tests and simulations can hand in a pipe.

use crate::dns::{self, Service};
use effects::BoxFuture;
use std::fmt;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
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

    /// Who offers a service, by its SRV name. That nobody does is an error of
    /// the kind [`ErrorKind::NotFound`]; without a DNS nobody does.
    fn services<'a>(&'a self, _name: &'a str) -> BoxFuture<'a, io::Result<Vec<Service>>> {
        Box::pin(async { Err(io::Error::from(ErrorKind::NotFound)) })
    }
}

/// Real sockets.
#[derive(Clone, Copy, Debug, Default)]
pub struct TcpDial;

/// The same, with a name server of its own for services: a machine beside the
/// domain often asks others than the domain's.
#[derive(Clone, Copy, Debug)]
pub struct DialByDns(pub SocketAddr);

impl Dial for TcpDial {
    fn dial<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<Box<dyn Stream>>> {
        Box::pin(async move {
            match host.strip_prefix(LDAPI) {
                Some(path) => Ok(Box::new(UnixStream::connect(path).await?) as Box<dyn Stream>),
                None => Ok(Box::new(tcp(host, port).await?) as Box<dyn Stream>),
            }
        })
    }

    fn services<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Vec<Service>>> {
        Box::pin(dns::services(None, name))
    }
}

impl Dial for DialByDns {
    fn dial<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<Box<dyn Stream>>> {
        TcpDial.dial(host, port)
    }

    fn services<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Vec<Service>>> {
        Box::pin(dns::services(Some(self.0), name))
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
