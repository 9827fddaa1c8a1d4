//! One HTTP/2 connection, opened and kept going, whoever sends over it.

use std::cell::Cell;
use std::rc::Rc;

use bytes::Bytes;
use h2::client::{Builder, Connection};

use super::Conn;
use crate::stats::{Fault, Ns};
use crate::wire::dial::within;
use crate::wire::{Clock, Dialer, Dialled, Stream};

/// Handles on a connection besides those of lanes: the task that keeps it going, and the one that is shared from.
const OWN_HANDLES: usize = 2;

/// How much of one body may be under way, in bytes.
const STREAM_WINDOW: u32 = 2 << 20;
/// How much of all bodies on one connection may be under way, in bytes.
const CONNECTION_WINDOW: u32 = 16 << 20;
/// Largest head that is read, in bytes; the same as for HTTP/1.
const MOST_HEAD_BYTES: u32 = 64 << 10;
/// Streams begun before the server has said how many it allows (RFC 9113 §6.5.2 recommends at least 100).
pub(super) const STREAMS_UNTOLD: usize = 100;

/// What all lanes on one connection know of it.
#[derive(Debug)]
pub(in crate::wire) struct Trunk {
    dialer: Dialer,
    over: Cell<bool>,
    /// The server has answered something, so it speaks HTTP/2.
    speaks: Cell<bool>,
    /// When the newest part of any answer arrived, or the connection was opened.
    heard: Cell<Ns>,
    /// Requests under way.
    active: Cell<usize>,
}

impl Trunk {
    /// Whether nothing new may be put on it: it ended, or the server wants it to end.
    pub(in crate::wire) fn is_over(&self) -> bool {
        self.over.get()
    }

    /// Puts nothing new on it.
    pub(super) fn retire(&self) {
        self.over.set(true);
    }

    pub(super) fn heard(&self) -> Ns {
        self.heard.get()
    }

    /// Something of an answer arrived.
    pub(super) fn hear(&self, now: Ns) {
        self.speaks.set(true);
        self.heard.set(now);
    }

    pub(super) fn active(&self) -> usize {
        self.active.get()
    }

    /// Lanes that have a handle on it, where it is shared.
    pub(super) fn lanes(self: &Rc<Self>) -> usize {
        Rc::strong_count(self).saturating_sub(OWN_HANDLES + self.active())
    }

    /// One more request is under way until the guard is dropped.
    pub(super) fn begin(self: &Rc<Self>) -> Active {
        self.active.set(self.active.get() + 1);
        Active(Rc::clone(self))
    }

    /// Keeps what went wrong in words.
    pub(super) fn note(&self, error: &h2::Error) {
        let advice = if self.speaks.get() || error.is_remote() { "" } else { "; does the server speak HTTP/2?" };
        self.dialer.note(|| format!("{}: {error}{advice}", self.dialer.origin()));
    }
}

/// Counts one request on a connection.
#[derive(Debug)]
pub(super) struct Active(Rc<Trunk>);

impl Drop for Active {
    fn drop(&mut self) {
        self.0.active.set(self.0.active.get() - 1);
    }
}

/// Opens a connection. The server need not have said anything yet: a client may send at once (RFC 9113 §3.4).
pub(in crate::wire) async fn open<C: Clock>(dialer: &Dialer, by: Ns, clock: &C) -> Dialled<Conn> {
    let Dialled { times, address, result } = dialer.connect(by, clock).await;
    let result = match result {
        Ok(stream) => greet(dialer, stream, by, clock).await,
        Err(fault) => Err(fault),
    };
    Dialled { times, address, result }
}

async fn greet<C: Clock>(dialer: &Dialer, stream: Stream, by: Ns, clock: &C) -> Result<Conn, Fault> {
    let mut builder = Builder::new();
    builder
        .enable_push(false)
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_header_list_size(MOST_HEAD_BYTES)
        .initial_max_send_streams(STREAMS_UNTOLD);
    let (send, connection) = match within(by, clock, builder.handshake::<_, Bytes>(stream)).await {
        Some(Ok(pair)) => pair,
        Some(Err(error)) => {
            dialer.note(|| format!("{}: {error}", dialer.origin()));
            return Err(Fault::Reset);
        }
        None => return Err(Fault::Timeout),
    };
    let trunk = Rc::new(Trunk {
        dialer: dialer.clone(),
        over: Cell::new(false),
        speaks: Cell::new(false),
        heard: Cell::new(clock.now()),
        active: Cell::new(0),
    });
    tokio::task::spawn_local(keep_going(connection, Rc::clone(&trunk)));
    Ok(Conn { trunk, send, alarm: Box::pin(tokio::time::sleep_until(clock.instant(by))) })
}

/// Reads and writes for all requests on the connection, until it ends.
async fn keep_going(connection: Connection<Stream, Bytes>, trunk: Rc<Trunk>) {
    let ended = connection.await;
    trunk.retire();
    if let Err(error) = ended {
        trunk.note(&error);
    }
}
