//! HTTP/2 on the `h2` crate: several requests on one connection at the same time.
//!
//! `h2` is used directly, not through a client on top of it: that would hide the peer's stream limit, its GOAWAY and
//! which requests it surely did not act on.

mod exchange;
mod message;
mod trunk;

use std::pin::Pin;
use std::rc::Rc;

use bytes::Bytes;
use h2::client::SendRequest;
use tokio::time::Sleep;

use super::{Clock, Dialer, Dialled, Head, Observe, Protocol, Reply, Shot};
use crate::plan::{Origin, Request};
use crate::stats::{Code, Ns, Outcome};

pub(super) use exchange::{Ending, Rule, run};
pub(super) use message::{headers, message};
pub(super) use trunk::{Trunk, open};

/// HTTP/2, one request a stream.
#[derive(Clone, Copy, Debug, Default)]
pub struct Http2;

/// A request as it is handed to `h2`.
#[derive(Debug)]
pub struct Prepared {
    pub(super) head: http::Request<()>,
    pub(super) body: Bytes,
    pub(super) idempotent: bool,
}

/// One lane's handle on a connection.
pub struct Conn {
    pub(super) trunk: Rc<Trunk>,
    pub(super) send: SendRequest<Bytes>,
    /// Kept from request to request: moving a timer costs more than letting it fire early once in a while.
    pub(super) alarm: Pin<Box<Sleep>>,
}

impl std::fmt::Debug for Conn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Conn").field("trunk", &self.trunk).finish_non_exhaustive()
    }
}

impl Conn {
    /// One more handle, if the peer lets the connection carry one more request than it has handles.
    pub(super) fn share(&self) -> Option<Self> {
        let lanes = self.trunk.lanes();
        (lanes < self.send.current_max_send_streams() && !self.trunk.is_over()).then(|| Self {
            trunk: Rc::clone(&self.trunk),
            send: self.send.clone(),
            alarm: Box::pin(tokio::time::sleep_until(self.alarm.deadline())),
        })
    }

    /// How many streams the server allows, once it has said so.
    pub(super) fn most_lanes(&self) -> Option<u32> {
        let most = self.send.current_max_send_streams();
        (most != trunk::STREAMS_UNTOLD).then(|| u32::try_from(most).unwrap_or(u32::MAX))
    }
}

impl Protocol for Http2 {
    const SHARES: bool = true;

    type Conn = Conn;
    type Prepared = Prepared;

    fn prepare(&self, origin: &Origin, request: &Request) -> Prepared {
        Prepared {
            head: message(origin, request, headers(request)),
            body: Bytes::from_owner(request.body.clone()),
            idempotent: request.is_idempotent(),
        }
    }

    async fn dial<C: Clock>(&self, dialer: &Dialer, by: Ns, clock: &C) -> Dialled<Conn> {
        open(dialer, by, clock).await
    }

    fn share(&self, conn: &Conn) -> Option<Conn> {
        conn.share()
    }

    fn most_lanes(&self, conn: &Conn) -> Option<u32> {
        conn.most_lanes()
    }

    fn is_over(&self, conn: &Conn) -> bool {
        conn.trunk.is_over()
    }

    async fn exchange<C: Clock>(
        &self,
        conn: &mut Conn,
        shot: Shot<'_, Prepared>,
        by: Ns,
        clock: &C,
        observe: &mut impl Observe,
    ) -> Reply {
        run(conn, shot.request, Status::default(), by, clock, observe).await
    }
}

/// HTTP's own rule: the status says how it went, and trailers say nothing.
#[derive(Debug, Default)]
struct Status(Code);

impl Rule for Status {
    const READS_TRAILERS: bool = false;

    fn head(&mut self, head: Head<'_>) {
        self.0 = Code::Http(head.status);
    }

    fn chunk(&mut self, _: &[u8]) {}

    fn end(self, _: Ending<'_>, _: bool) -> Outcome {
        Outcome { code: self.0, fault: None }
    }
}
