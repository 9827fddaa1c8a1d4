//! One request and its answer on one connection.
//!
//! The request is written while the answer is read: a server may answer before it has the whole body, and a complete
//! answer counts more than an error in writing what it no longer wanted.

use std::future::{Future as _, poll_fn};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead as _, AsyncWrite as _, ReadBuf};

use super::decode::{Decoder, Ended};
use super::{Conn, Prepared};
use crate::stats::{Fault, Ns, Outcome};
use crate::wire::{After, Clock, Observe, RESEND_AFTER, Reply, tls};

/// Read buffers grow up to this, so that large bodies do not cost a system call every two kibibytes.
const MOST_BUFFER: usize = 64 * 1024;
/// A connection idle for longer is always looked at before it is used.
const LOOK_AFTER: Ns = Ns::from_millis(100);

/// Why the reading stopped.
#[derive(Clone, Copy, Debug)]
enum Stop {
    /// The answer is complete.
    Complete,
    /// It was cut off, broken or too late.
    Fault(Fault),
    /// The connection ended before the first byte of the answer.
    Silent,
}

/// The state of one exchange between two polls.
struct Exchange<'a, C, O> {
    outgoing: &'a Prepared,
    by: Ns,
    clock: &'a C,
    observe: &'a mut O,
    decoder: Decoder,
    unwritten: usize,
    /// Whether the request has left every buffer of ours: TLS may hold back what it took.
    flushed: bool,
    write_failed: bool,
    first: Option<Ns>,
}

/// Sends the request and reads its answer.
pub(super) async fn run<C: Clock, O: Observe>(
    conn: &mut Conn,
    outgoing: &Prepared,
    by: Ns,
    clock: &C,
    observe: &mut O,
) -> Reply {
    let sent = clock.now();
    let idle = sent.since(conn.idle_since);
    if is_stale(conn, idle) {
        return Reply::unsent(sent, After::Close);
    }
    let may_resend = conn.carried > 0 && (idle > RESEND_AFTER || outgoing.resent_early) && outgoing.idempotent;
    let mut exchange = Exchange {
        unwritten: outgoing.bytes.len(),
        decoder: Decoder::new(outgoing.to_head_request),
        outgoing,
        by,
        clock,
        observe,
        flushed: false,
        write_failed: false,
        first: None,
    };
    conn.carried += 1;
    let (stop, done) = poll_fn(|cx| exchange.poll(conn, cx)).await;
    conn.idle_since = done;
    exchange.reply(conn, stop, sent, done, may_resend)
}

/// One look without waiting: an end or unasked bytes on an idle connection make it useless.
///
/// A connection used a moment ago is looked at only where the runtime has already been told that something came: that
/// costs no system call. A new one is not, or a server that greets first would be dialled for ever.
fn is_stale(conn: &mut Conn, idle: Ns) -> bool {
    let told = |conn: &Conn| conn.carried > 0 && conn.stream.has_news();
    conn.filled > 0 || (idle > LOOK_AFTER || told(conn)) && conn.stream.is_spoiled()
}

impl<C: Clock, O: Observe> Exchange<'_, C, O> {
    fn poll(&mut self, conn: &mut Conn, cx: &mut Context<'_>) -> Poll<(Stop, Ns)> {
        self.write(conn, cx);
        loop {
            match poll_read(conn, cx) {
                Poll::Pending => return self.alarm(conn, cx),
                Poll::Ready(Ok(0)) => return Poll::Ready((self.ended(), self.clock.now())),
                Poll::Ready(Err(error)) => return Poll::Ready((self.broken(&error), self.clock.now())),
                Poll::Ready(Ok(_)) => {
                    if let Some(stop) = self.read(conn) {
                        return Poll::Ready(stop);
                    }
                    // Endless answers must not starve the other lanes of this worker, nor outlive their time limit.
                    if self.clock.now() >= self.by {
                        return Poll::Ready((Stop::Fault(Fault::Timeout), self.clock.now()));
                    }
                }
            }
        }
    }

    fn write(&mut self, conn: &mut Conn, cx: &mut Context<'_>) {
        while self.unwritten > 0 && !self.write_failed {
            let from = self.outgoing.bytes.len() - self.unwritten;
            match Pin::new(&mut conn.stream).poll_write(cx, &self.outgoing.bytes[from..]) {
                Poll::Ready(Ok(n)) if n > 0 => self.unwritten -= n,
                Poll::Ready(_) => self.write_failed = true,
                Poll::Pending => return,
            }
        }
        if !self.flushed && !self.write_failed {
            match Pin::new(&mut conn.stream).poll_flush(cx) {
                Poll::Ready(Ok(())) => self.flushed = true,
                Poll::Ready(Err(_)) => self.write_failed = true,
                Poll::Pending => {}
            }
        }
    }

    fn read(&mut self, conn: &mut Conn) -> Option<(Stop, Ns)> {
        let now = self.clock.now();
        self.first.get_or_insert(now);
        let filled = conn.filled;
        match self.decoder.advance(&conn.buffer[..filled], self.observe) {
            Err(_) => return Some((Stop::Fault(Fault::Malformed), now)),
            Ok(used) => {
                conn.buffer.copy_within(used..filled, 0);
                conn.filled = filled - used;
            }
        }
        if self.decoder.is_done() {
            let excess = conn.filled > 0;
            return Some((if excess { Stop::Fault(Fault::Malformed) } else { Stop::Complete }, now));
        }
        let full = filled == conn.buffer.len();
        if full && conn.buffer.len() < MOST_BUFFER {
            conn.buffer.resize(conn.buffer.len() * 2, 0);
        }
        None
    }

    /// The time limit, looked at only when there is nothing else to do.
    fn alarm(&self, conn: &mut Conn, cx: &mut Context<'_>) -> Poll<(Stop, Ns)> {
        if self.by == Ns::MAX {
            return Poll::Pending;
        }
        while conn.alarm.as_mut().poll(cx).is_ready() {
            let now = self.clock.now();
            if now >= self.by {
                return Poll::Ready((Stop::Fault(Fault::Timeout), now));
            }
            conn.alarm.as_mut().reset(self.clock.instant(self.by));
        }
        if conn.alarm.deadline() > self.clock.instant(self.by) {
            conn.alarm.as_mut().reset(self.clock.instant(self.by));
            return self.alarm(conn, cx);
        }
        Poll::Pending
    }

    fn ended(&mut self) -> Stop {
        match self.decoder.end() {
            Ended::Complete => Stop::Complete,
            Ended::BeforeFirstByte => Stop::Silent,
            Ended::InHead => Stop::Fault(Fault::Reset),
            Ended::InBody => Stop::Fault(Fault::Truncated),
        }
    }

    fn broken(&mut self, error: &io::Error) -> Stop {
        match error.kind() {
            io::ErrorKind::OutOfMemory => Stop::Fault(Fault::Local),
            _ if self.decoder.status().is_some() => Stop::Fault(Fault::Truncated),
            _ if tls::is_of_tls(error) => Stop::Fault(Fault::Tls),
            _ if self.first.is_some() => Stop::Fault(Fault::Reset),
            _ => Stop::Silent,
        }
    }

    fn reply(self, conn: &Conn, stop: Stop, sent: Ns, done: Ns, may_resend: bool) -> Reply {
        let fault = match stop {
            // Only a proxy asks for this (RFC 9110 §15.5.8): the server never saw the request.
            Stop::Complete if self.outgoing.by_proxy && self.decoder.status() == Some(407) => Some(Fault::Proxy),
            Stop::Complete => (!self.observe.verdict()).then_some(Fault::Expect),
            Stop::Fault(fault) => Some(fault),
            Stop::Silent => Some(Fault::Reset),
        };
        let mut outcome = self.decoder.status().map(Outcome::http).unwrap_or_default();
        if let Some(fault) = fault {
            outcome = outcome.with(fault);
        }
        let whole = matches!(stop, Stop::Complete) && self.flushed && conn.filled == 0;
        Reply {
            outcome,
            written: Some(sent),
            first: self.first,
            done,
            bytes: self.decoder.body_bytes(),
            after: if whole && self.decoder.keep_alive() { After::Keep } else { After::Close },
            unprocessed: matches!(stop, Stop::Silent) && may_resend,
        }
    }
}

/// Reads once into the free part of the buffer.
fn poll_read(conn: &mut Conn, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
    let mut free = ReadBuf::new(&mut conn.buffer[conn.filled..]);
    match Pin::new(&mut conn.stream).poll_read(cx, &mut free) {
        Poll::Ready(Ok(())) => {
            let read = free.filled().len();
            conn.filled += read;
            Poll::Ready(Ok(read))
        }
        Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
        Poll::Pending => Poll::Pending,
    }
}
