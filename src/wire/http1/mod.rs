//! HTTP/1.1: one request at a time, written and read at once.

mod chunked;
pub mod decode;
mod exchange;

use std::pin::Pin;

use tokio::time::Sleep;

use super::{Clock, Dialer, Dialled, Observe, Protocol, Reply, Shot, Stream, encode};
use crate::plan::{Origin, Proxy, Request, Via};
use crate::stats::Ns;

/// Read buffers begin this small, so that a thousand idle connections cost little.
const LEAST_BUFFER: usize = 1024;

/// HTTP/1.1 as one plan wants it.
#[derive(Clone, Debug)]
pub struct Http1 {
    keep_alive: bool,
    /// Whether a request may be sent again however short its connection was idle.
    resends_early: bool,
    /// The proxy that reads requests to servers in the clear.
    proxy: Option<Proxy>,
}

/// A request as the bytes that go out.
#[derive(Debug)]
pub struct Prepared {
    bytes: Vec<u8>,
    to_head_request: bool,
    idempotent: bool,
    /// Whether a proxy reads it, and answers itself where it does not like it.
    by_proxy: bool,
    /// Whether it may be sent again however short its connection was idle.
    resent_early: bool,
}

impl Http1 {
    /// `keep_alive` false asks servers to close after each answer.
    #[must_use]
    pub fn new(keep_alive: bool) -> Self {
        Self { keep_alive, resends_early: false, proxy: None }
    }

    /// The same where a used connection that ends before the answer is always taken for one that the server had closed,
    /// as Go's client takes it: an idempotent request is sent again then. A server that fails so is not noticed.
    #[must_use]
    pub fn resending_early(self, resends_early: bool) -> Self {
        Self { resends_early, ..self }
    }

    /// The same over what connections go through.
    #[must_use]
    pub fn through(self, via: &Via) -> Self {
        let proxy = match via {
            Via::Proxy(proxy) => Some(proxy.clone()),
            Via::Direct | Via::Unix(_) => None,
        };
        Self { proxy, ..self }
    }
}

/// One open connection.
#[derive(Debug)]
pub struct Conn {
    stream: Stream,
    /// Bytes read; `filled` of them are valid.
    buffer: Vec<u8>,
    filled: usize,
    /// Requests this connection has carried.
    carried: u64,
    /// When it was opened, or its last answer was complete.
    idle_since: Ns,
    /// Kept from request to request: moving a timer costs more than letting it fire early once in a while.
    alarm: Pin<Box<Sleep>>,
}

impl Conn {
    /// Wraps a connected stream.
    fn new<C: Clock>(stream: Stream, by: Ns, clock: &C) -> Self {
        Self {
            stream,
            buffer: vec![0; LEAST_BUFFER],
            filled: 0,
            carried: 0,
            idle_since: clock.now(),
            alarm: Box::pin(tokio::time::sleep_until(clock.instant(by))),
        }
    }

    /// Whether something came that nobody has looked at yet.
    #[cfg(test)]
    pub(super) fn has_news(&self) -> bool {
        self.stream.has_news()
    }
}

impl Protocol for Http1 {
    type Conn = Conn;
    type Prepared = Prepared;

    fn prepare(&self, origin: &Origin, request: &Request) -> Prepared {
        // Over TLS it goes through a tunnel, and no proxy sees it.
        let reader = self.proxy.as_ref().filter(|_| !origin.secure).map(|proxy| (proxy, origin));
        Prepared {
            by_proxy: reader.is_some(),
            // A server that fails behind a proxy is a 502; silence there is the proxy that closed a connection it had
            // kept.
            resent_early: self.resends_early || reader.is_some(),
            bytes: encode::http1(request, self.keep_alive, reader),
            to_head_request: request.method == "HEAD",
            idempotent: request.is_idempotent(),
        }
    }

    async fn dial<C: Clock>(&self, dialer: &Dialer, by: Ns, clock: &C) -> Dialled<Conn> {
        dialer.connect(by, clock).await.map(|stream| Conn::new(stream, by, clock))
    }

    fn share(&self, _: &Conn) -> Option<Conn> {
        None
    }

    async fn exchange<C: Clock>(
        &self,
        conn: &mut Conn,
        shot: Shot<'_, Prepared>,
        by: Ns,
        clock: &C,
        observe: &mut impl Observe,
    ) -> Reply {
        exchange::run(conn, shot.request, by, clock, observe).await
    }
}
