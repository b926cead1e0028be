//! The lease while it is ours, and a network that sends only under it: a
//! process that was held up for longer than its lease finds out at the socket,
//! even if nobody took over. What it stores is fenced by the store.

use crate::app::{App, Net};
use crate::limits;
use anyhow::{Error, anyhow};
use directory::{Dial, Service, Stream};
use effects::{BoxFuture, Clock};
use pbx::{Exchange, ExchangeError, Request, Response};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

const OVER: &str = "the lease of this run is over, so nothing is sent any more";

/// Who holds the lease, and until when as far as that is known here.
#[derive(Debug)]
pub struct Hold {
    holder: String,
    until_ms: AtomicI64,
    clock: Arc<dyn Clock>,
}

impl Hold {
    pub fn new(holder: String, until_ms: i64, clock: Arc<dyn Clock>) -> Self {
        Hold { holder, until_ms: AtomicI64::new(until_ms), clock }
    }

    pub fn holder(&self) -> &str {
        &self.holder
    }

    pub fn prolong(&self, until_ms: i64) {
        self.until_ms.store(until_ms, Ordering::Relaxed);
    }

    /// Whether a request that is sent now is over before the lease is.
    pub fn lasts(&self) -> bool {
        self.clock.now_ms() + limits::LEASE_MARGIN_MS <= self.until_ms.load(Ordering::Relaxed)
    }
}

/// The same process, which sends nothing once its lease is over.
pub fn fenced(app: &App, hold: &Arc<Hold>) -> App {
    App { net: Arc::new(Fenced { behind: app.net.clone(), hold: hold.clone() }), ..app.clone() }
}

/// What became of a run whose lease ended while its process was held up, and
/// that nobody is known to have taken over.
pub fn ran_out(server: &str) -> Error {
    anyhow!(
        "the lease of server `{server}` ran out while this process was held up; this run stopped between two \
         writes and the next one goes on from there"
    )
}

/// What lies behind the fence, and what it is open for.
#[derive(Debug)]
struct Fenced<T> {
    behind: T,
    hold: Arc<Hold>,
}

impl Net for Fenced<Arc<dyn Net>> {
    fn dial(&self) -> Arc<dyn Dial> {
        Arc::new(Fenced { behind: self.behind.dial(), hold: self.hold.clone() })
    }

    fn exchange(&self, settings: &pbx::Settings) -> Result<Arc<dyn Exchange>, pbx::Error> {
        let behind = self.behind.exchange(settings)?;
        Ok(Arc::new(Fenced { behind, hold: self.hold.clone() }))
    }
}

impl Exchange for Fenced<Arc<dyn Exchange>> {
    fn exchange(&self, request: Request) -> BoxFuture<'_, Result<Response, ExchangeError>> {
        match self.hold.lasts() {
            true => self.behind.exchange(request),
            false => Box::pin(async { Err(ExchangeError::NotSent(OVER.to_owned())) }),
        }
    }
}

impl Dial for Fenced<Arc<dyn Dial>> {
    fn dial<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<Box<dyn Stream>>> {
        Box::pin(async move {
            let behind = self.behind.dial(host, port).await?;
            Ok(Box::new(Fenced { behind, hold: self.hold.clone() }) as Box<dyn Stream>)
        })
    }

    fn services<'a>(&'a self, name: &'a str) -> BoxFuture<'a, io::Result<Vec<Service>>> {
        self.behind.services(name)
    }
}

impl AsyncRead for Fenced<Box<dyn Stream>> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.behind).poll_read(context, buffer)
    }
}

impl AsyncWrite for Fenced<Box<dyn Stream>> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.hold.lasts() {
            true => Pin::new(&mut self.behind).poll_write(context, bytes),
            false => Poll::Ready(Err(io::Error::other(OVER))),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.behind).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.behind).poll_shutdown(context)
    }
}
