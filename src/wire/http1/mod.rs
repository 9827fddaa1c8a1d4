//! HTTP/1.1 on a plain connection: one request at a time, written and read at once.

mod chunked;
pub mod decode;
mod exchange;

use std::pin::Pin;
use std::rc::Rc;

use tokio::net::TcpStream;
use tokio::time::Sleep;

use super::{Clock, Dialer, Observe, Protocol, Reply, Shot, encode};
use crate::plan::{Request, Target};
use crate::stats::{DialTimes, Fault, Ns};

/// Read buffers begin this small, so that a thousand idle connections cost little.
const LEAST_BUFFER: usize = 2 * 1024;

/// HTTP/1.1 for one target. Cloning shares what was prepared.
#[derive(Clone, Debug)]
pub struct Http1 {
    dialer: Dialer,
    prepared: Rc<Prepared>,
}

/// The fixed request as bytes, made once.
#[derive(Debug)]
struct Prepared {
    request: Request,
    bytes: Vec<u8>,
    to_head_request: bool,
    idempotent: bool,
}

impl Http1 {
    /// Prepares the target's request; `keep_alive` false asks the server to close after each answer.
    #[must_use]
    pub fn new(target: &Target, dialer: Dialer, keep_alive: bool) -> Self {
        let request = target.request.clone();
        let prepared = Prepared {
            bytes: encode::http1(&request, keep_alive),
            to_head_request: request.method == "HEAD",
            idempotent: encode::is_idempotent(&request.method),
            request,
        };
        Self { dialer, prepared: Rc::new(prepared) }
    }
}

/// One open connection.
#[derive(Debug)]
pub struct Conn {
    stream: TcpStream,
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
    fn new<C: Clock>(stream: TcpStream, by: Ns, clock: &C) -> Self {
        Self {
            stream,
            buffer: vec![0; LEAST_BUFFER],
            filled: 0,
            carried: 0,
            idle_since: clock.now(),
            alarm: Box::pin(tokio::time::sleep_until(clock.instant(by))),
        }
    }
}

impl Protocol for Http1 {
    type Conn = Conn;

    async fn dial<C: Clock>(&self, by: Ns, clock: &C) -> (DialTimes, Result<Conn, Fault>) {
        let (times, stream) = self.dialer.connect(by, clock).await;
        (times, stream.map(|stream| Conn::new(stream, by, clock)))
    }

    fn share(&self, _: &Conn) -> Option<Conn> {
        None
    }

    async fn exchange<C: Clock>(
        &self,
        conn: &mut Conn,
        shot: Shot<'_>,
        by: Ns,
        clock: &C,
        observe: &mut impl Observe,
    ) -> Reply {
        let prepared = &*self.prepared;
        debug_assert_eq!(shot.request, &prepared.request, "the request was encoded when the load was planned");
        let request = exchange::Outgoing {
            bytes: &prepared.bytes,
            to_head_request: prepared.to_head_request,
            idempotent: prepared.idempotent,
        };
        exchange::run(conn, request, by, clock, observe).await
    }
}
