//! Protocols behind one trait: a request goes out, a reply with its times comes back.
//!
//! The seam is narrow on purpose. [`Protocol::exchange`] never returns an error: trouble is an [`Outcome`], so every
//! request that was due becomes exactly one sample. Futures are not `Send`: a connection never leaves its worker.

mod clock;
mod complaint;
mod dial;
mod encode;
mod grpc;
pub mod http1;
mod http2;
mod names;
mod observe;
mod proxy;
mod redirect;
#[cfg(any(test, feature = "scripted"))]
pub mod scripted;
mod stream;
mod tls;
mod transport;

pub use clock::{Clock, Coarse};
pub use dial::{Dialer, Dialled};
pub use grpc::{Grpc, Unreflected, reflect};
pub use http1::Http1;
pub use http2::Http2;
pub use observe::{Discard, Fields, Head, Observe};
pub use redirect::{BadLocation, Hop, Redirected};
pub use stream::Stream;
pub use transport::{Transport, TransportError};

use std::fmt::Debug;

use crate::plan::{Origin, Request};
use crate::stats::{Fault, Ns, Outcome, Said};

/// A connection idle for longer may have been closed by the server at the very moment the request went out.
const RESEND_AFTER: Ns = Ns::from_secs(1);

/// One request to make now.
#[derive(Clone, Copy, Debug)]
pub struct Shot<'a, R> {
    /// Which request of the load this is, from 0.
    pub index: u64,
    /// What it says, as the protocol prepared it.
    pub request: &'a R,
}

/// What to do with the connection after a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// It can carry the next request.
    Keep,
    /// Finish what is on it, put nothing new on it.
    Drain,
    /// It is of no more use.
    Close,
}

/// What came of one exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply {
    /// How it ended.
    pub outcome: Outcome,
    /// When the first byte of the request went out; `None` if none did.
    pub written: Option<Ns>,
    /// When the first byte of the answer arrived; `None` if none did.
    pub first: Option<Ns>,
    /// When it ended.
    pub done: Ns,
    /// Bytes of the response body.
    pub bytes: u64,
    /// What to do with the connection.
    pub after: After,
    /// The server surely did not act on it: it may be sent again on another connection.
    pub unprocessed: bool,
}

impl Reply {
    /// A connection that can carry nothing more: nothing was sent, so nothing happened.
    fn unsent(now: Ns, after: After) -> Self {
        let outcome = Outcome::fault(Fault::Reset);
        Self { outcome, written: None, first: None, done: now, bytes: 0, after, unprocessed: true }
    }
}

/// A way to talk to a server. The loop that uses it is the same for all.
#[expect(async_fn_in_trait, reason = "connections never leave their thread, so no caller wants Send futures")]
pub trait Protocol: Clone + 'static {
    /// Whether a connection can carry several requests at the same time.
    const SHARES: bool = false;

    /// One open connection, or a lane's handle on one.
    type Conn: Debug + 'static;

    /// A request as this protocol sends it: made once for a fixed request, and for each one where values are drawn.
    type Prepared: Debug + 'static;

    /// Puts a request to `origin` into the form in which it is sent.
    fn prepare(&self, origin: &Origin, request: &Request) -> Self::Prepared;

    /// Opens a connection through `dialer`, trying every address of its server, and gives up at `by`.
    async fn dial<C: Clock>(&self, dialer: &Dialer, by: Ns, clock: &C) -> Dialled<Self::Conn>;

    /// Another handle on the same connection, if it can carry one more request at the same time.
    fn share(&self, conn: &Self::Conn) -> Option<Self::Conn>;

    /// How many lanes the server lets share the connection; `None` while it has not said.
    fn most_lanes(&self, _conn: &Self::Conn) -> Option<u32> {
        None
    }

    /// Whether nothing new may be put on a shared connection: it ended, or the server wants it to end.
    fn is_over(&self, _conn: &Self::Conn) -> bool {
        false
    }

    /// What servers said so far of calls that failed; nothing where the protocol has no words for that.
    fn said(&self) -> Said {
        Said::default()
    }

    /// Sends one request and reads its whole answer. Ends itself at `by` and keeps what it has seen by then.
    async fn exchange<C: Clock>(
        &self,
        conn: &mut Self::Conn,
        shot: Shot<'_, Self::Prepared>,
        by: Ns,
        clock: &C,
        observe: &mut impl Observe,
    ) -> Reply;
}
