//! One request and its answer on one stream of an HTTP/2 connection.

use std::future::{Future as _, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use h2::RecvStream;
use h2::client::ResponseFuture;
use http::HeaderMap;

use super::trunk::{Active, Trunk};
use super::{Conn, Prepared};
use crate::stats::{Fault, Ns, Outcome};
use crate::wire::{After, Clock, Fields, Head, Observe, RESEND_AFTER, Reply};

/// How an answer ended, for the rule that says what it means.
#[derive(Clone, Copy, Debug)]
pub(in crate::wire) enum Ending<'a> {
    /// The server ended it, with these trailers.
    Whole(Option<&'a HeaderMap>),
    /// It was cut off, broken or too late.
    Cut,
}

/// What an answer means.
pub(in crate::wire) trait Rule {
    /// Whether the trailers matter.
    const READS_TRAILERS: bool;
    /// The final head.
    fn head(&mut self, head: Head<'_>);
    /// A piece of the body.
    fn chunk(&mut self, piece: &[u8]);
    /// Code, and the fault that the answer itself shows; what cut it off is added by the caller. `late` is whether the
    /// time limit had passed when it ended.
    fn end(self, ending: Ending<'_>, late: bool) -> Outcome;
}

/// How far the exchange has come.
enum Stage {
    /// The connection may have to make room for the stream.
    Room,
    /// Sent; waiting for the head.
    Head(ResponseFuture),
    /// Reading the body.
    Body(RecvStream),
    /// Reading what comes after the body.
    Trailers(RecvStream),
}

/// Why the reading stopped.
enum Stop {
    /// The answer is complete, with these trailers.
    Complete(Option<HeaderMap>),
    /// It was cut off, broken or too late.
    Fault(Fault),
    /// The server surely did not act on the request.
    Unprocessed,
}

/// The state of one exchange between two polls.
struct Exchange<'a, C, O, R> {
    outgoing: &'a Prepared,
    by: Ns,
    clock: &'a C,
    observe: &'a mut O,
    rule: R,
    stage: Stage,
    /// The time in this poll, once it was asked for: nothing in a poll waits.
    now: Option<Ns>,
    /// When it was sent, and whether the connection had been idle for long.
    sent: Option<Ns>,
    after_idling: bool,
    first: Option<Ns>,
    bytes: u64,
    /// `Content-Length` of the answer.
    announced: Option<u64>,
    _active: Active,
}

/// Sends the request and reads its answer.
pub(in crate::wire) async fn run<C: Clock, O: Observe, R: Rule>(
    conn: &mut Conn,
    outgoing: &Prepared,
    rule: R,
    by: Ns,
    clock: &C,
    observe: &mut O,
) -> Reply {
    let now = clock.now();
    if conn.trunk.is_over() || conn.trunk.active() >= conn.send.current_max_send_streams() {
        return Reply::unsent(now, After::Drain);
    }
    let mut exchange = Exchange {
        outgoing,
        by,
        clock,
        observe,
        rule,
        stage: Stage::Room,
        now: Some(now),
        sent: None,
        after_idling: conn.trunk.active() == 0 && now.since(conn.trunk.heard()) > RESEND_AFTER,
        first: None,
        bytes: 0,
        announced: None,
        _active: conn.trunk.begin(),
    };
    let (stop, done) = poll_fn(|cx| exchange.poll(conn, cx)).await;
    exchange.reply(&conn.trunk, stop, done)
}

impl<C: Clock, O: Observe, R: Rule> Exchange<'_, C, O, R> {
    fn poll(&mut self, conn: &mut Conn, cx: &mut Context<'_>) -> Poll<(Stop, Ns)> {
        let advanced = self.advance(conn, cx);
        let end = match advanced {
            Poll::Ready(Ok(trailers)) => Poll::Ready((Stop::Complete(trailers), self.now())),
            Poll::Ready(Err(error)) => Poll::Ready((self.broken(&conn.trunk, &error), self.now())),
            Poll::Pending => self.alarm(conn, cx),
        };
        self.now = None;
        end
    }

    fn now(&mut self) -> Ns {
        *self.now.get_or_insert_with(|| self.clock.now())
    }

    /// Goes as far as it can without waiting.
    fn advance(&mut self, conn: &mut Conn, cx: &mut Context<'_>) -> Poll<Result<Option<HeaderMap>, h2::Error>> {
        loop {
            match &mut self.stage {
                Stage::Room => {
                    ready!(conn.send.poll_ready(cx))?;
                    self.stage = Stage::Head(self.send(conn)?);
                }
                Stage::Head(response) => {
                    let (head, body) = ready!(Pin::new(response).poll(cx))?.into_parts();
                    self.read_head(&conn.trunk, head.status, &head.headers);
                    if body.is_end_stream() {
                        return Poll::Ready(Ok(None));
                    }
                    self.stage = Stage::Body(body);
                }
                Stage::Body(body) => match ready!(body.poll_data(cx)) {
                    Some(piece) => {
                        let piece = piece?;
                        // Room for what follows; a stream that is gone meanwhile shows itself at the next read.
                        let _ = body.flow_control().release_capacity(piece.len());
                        let ended = body.is_end_stream();
                        self.read_chunk(&conn.trunk, &piece);
                        if ended {
                            return Poll::Ready(Ok(None));
                        }
                    }
                    None if R::READS_TRAILERS => {
                        let Stage::Body(body) = std::mem::replace(&mut self.stage, Stage::Room) else { continue };
                        self.stage = Stage::Trailers(body);
                    }
                    None => return Poll::Ready(Ok(None)),
                },
                Stage::Trailers(body) => return body.poll_trailers(cx),
            }
        }
    }

    fn send(&mut self, conn: &mut Conn) -> Result<ResponseFuture, h2::Error> {
        let sent = self.now();
        let body = &self.outgoing.body;
        let (response, mut stream) = conn.send.send_request(self.outgoing.head.clone(), body.is_empty())?;
        self.sent = Some(sent);
        if !body.is_empty() {
            // Kept by reference until the peer's window lets it out. A stream that is gone shows itself in the answer.
            let _ = stream.send_data(body.clone(), true);
        }
        Ok(response)
    }

    fn read_head(&mut self, trunk: &Trunk, status: http::StatusCode, fields: &HeaderMap) {
        let now = self.now();
        trunk.hear(now);
        self.first = Some(now);
        let length = fields.get(http::header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
        self.announced = length.and_then(|length| length.parse().ok());
        let head = Head { status: status.as_u16(), fields: Fields::Http2(fields) };
        self.rule.head(head);
        self.observe.head(head);
    }

    fn read_chunk(&mut self, trunk: &Trunk, piece: &[u8]) {
        trunk.hear(self.now());
        self.bytes += piece.len() as u64;
        self.rule.chunk(piece);
        self.observe.chunk(piece);
    }

    /// The time limit, looked at only when there is nothing else to do.
    fn alarm(&self, conn: &mut Conn, cx: &mut Context<'_>) -> Poll<(Stop, Ns)> {
        if self.by == Ns::MAX {
            return Poll::Pending;
        }
        let limit = self.clock.instant(self.by);
        if conn.alarm.deadline() > limit {
            conn.alarm.as_mut().reset(limit);
        }
        while conn.alarm.as_mut().poll(cx).is_ready() {
            let now = self.clock.now();
            if now >= self.by {
                return Poll::Ready((Stop::Fault(Fault::Timeout), now));
            }
            conn.alarm.as_mut().reset(limit);
        }
        Poll::Pending
    }

    /// What an error of the stream or of its connection means for this request.
    fn broken(&self, trunk: &Trunk, error: &h2::Error) -> Stop {
        let before_head = self.first.is_none();
        let ends_connection = error.is_go_away() || error.is_io();
        if ends_connection {
            trunk.retire();
        }
        trunk.note(error);
        let refused = error.is_reset() && error.reason() == Some(h2::Reason::REFUSED_STREAM);
        // A GOAWAY reaches only streams above the last one that the server looked at (RFC 9113 §6.8).
        let unseen = error.is_remote() && (error.is_go_away() || refused);
        let idled_out = error.is_io() && self.after_idling && self.outgoing.idempotent;
        // h2 keeps only the kind of a stream's error, and no socket has one of this kind: it is TLS that broke.
        let of_tls = error.get_io().is_some_and(|error| error.kind() == std::io::ErrorKind::InvalidData);
        let cut_short = self.announced.is_some_and(|announced| self.bytes < announced);
        match before_head {
            true if unseen || idled_out || self.sent.is_none() => Stop::Unprocessed,
            true if of_tls => Stop::Fault(Fault::Tls),
            true if error.is_library() => Stop::Fault(Fault::Malformed),
            true => Stop::Fault(Fault::Reset),
            false if error.is_library() && !cut_short => Stop::Fault(Fault::Malformed),
            false => Stop::Fault(Fault::Truncated),
        }
    }

    fn reply(self, trunk: &Rc<Trunk>, stop: Stop, done: Ns) -> Reply {
        let late = done >= self.by;
        let (outcome, unprocessed) = match stop {
            Stop::Complete(trailers) => {
                let outcome = self.rule.end(Ending::Whole(trailers.as_ref()), late);
                let held = self.observe.verdict();
                (if held { outcome } else { outcome.with(Fault::Expect) }, false)
            }
            // What was read so far may show a fault of its own, but what cut it off comes first.
            Stop::Fault(fault) => (Outcome { fault: Some(fault), ..self.rule.end(Ending::Cut, late) }, false),
            Stop::Unprocessed => (Outcome::fault(Fault::Reset), true),
        };
        // A connection on which nothing at all was heard since the send is dead, not slow.
        let silent = outcome.fault == Some(Fault::Timeout) && self.sent.is_some_and(|sent| trunk.heard() < sent);
        if silent {
            trunk.retire();
        }
        Reply {
            outcome,
            written: self.sent,
            first: self.first,
            done,
            bytes: self.bytes,
            after: if trunk.is_over() || unprocessed { After::Drain } else { After::Keep },
            unprocessed,
        }
    }
}
