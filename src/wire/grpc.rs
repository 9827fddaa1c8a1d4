//! gRPC, one message each way: HTTP/2 and a rule for how an answer ends.
//!
//! The rule is the point. A gRPC answer is a success only when its trailers say so, and an answer without them is a
//! failure whatever its HTTP status was: that is how a server that died half-way looks.

use std::fmt::Write as _;
use std::time::Duration;

use bytes::{BufMut as _, Bytes, BytesMut};
use http::{HeaderValue, header};

use super::http2::{self, Conn, Ending, Prepared, Rule};
use super::{Clock, Dialer, Dialled, Fields, Head, Observe, Protocol, Reply, Shot};
use crate::plan::{Origin, Request};
use crate::stats::{Code, Fault, Ns, Outcome};

/// Bytes before each message: whether it is compressed, and its length.
const PREFIX: usize = 5;
/// The media type, and the start of those for one encoding of messages.
const CONTENT_TYPE: &str = "application/grpc";
/// The status of a call that took longer than its time limit.
const DEADLINE_EXCEEDED: u8 = 4;
/// Most digits of a `grpc-timeout`.
const MOST_TIMEOUT: u128 = 99_999_999;

/// gRPC, unary.
#[derive(Clone, Debug, Default)]
pub struct Grpc {
    /// The time limit of each call, as the server is told it.
    timeout: Option<HeaderValue>,
}

impl Grpc {
    /// `timeout` is what servers are told of a call's time limit; `None` tells them nothing.
    #[must_use]
    pub fn new(timeout: Option<Duration>) -> Self {
        Self { timeout: timeout.and_then(|timeout| HeaderValue::from_str(&grpc_timeout(timeout)).ok()) }
    }
}

/// A time limit as `grpc-timeout` has it: at most eight digits and a unit, rounded up.
fn grpc_timeout(timeout: Duration) -> String {
    let nanos = timeout.as_nanos();
    let units = [(1, 'n'), (1_000, 'u'), (1_000_000, 'm'), (1_000_000_000, 'S'), (60_000_000_000, 'M')];
    let fitting = units.iter().map(|(size, unit)| (nanos.div_ceil(*size), *unit)).find(|(n, _)| *n <= MOST_TIMEOUT);
    let (number, unit) = fitting.unwrap_or((MOST_TIMEOUT, 'M'));
    let mut text = number.to_string();
    let _ = write!(text, "{unit}");
    text
}

impl Protocol for Grpc {
    const SHARES: bool = true;

    type Conn = Conn;
    type Prepared = Prepared;

    /// The body is the message, encoded by whoever made it.
    fn prepare(&self, origin: &Origin, request: &Request) -> Prepared {
        let mut headers = http2::headers(request);
        headers.remove(header::CONTENT_LENGTH);
        let is_grpc =
            headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(CONTENT_TYPE.as_bytes()));
        if !is_grpc {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
        }
        headers.insert(header::TE, HeaderValue::from_static("trailers"));
        if let Some(timeout) = &self.timeout {
            headers.insert("grpc-timeout", timeout.clone());
        }
        let mut head = http2::message(origin, request, headers);
        *head.method_mut() = http::Method::POST;
        Prepared { head, body: framed(&request.body), idempotent: false }
    }

    async fn dial<C: Clock>(&self, dialer: &Dialer, by: Ns, clock: &C) -> Dialled<Conn> {
        http2::open(dialer, by, clock).await
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
        http2::run(conn, shot.request, Unary::default(), by, clock, observe).await
    }
}

/// A message with its prefix, not compressed.
fn framed(message: &[u8]) -> Bytes {
    let mut framed = BytesMut::with_capacity(PREFIX + message.len());
    framed.put_u8(0);
    framed.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    framed.put_slice(message);
    framed.freeze()
}

/// What one unary answer amounts to.
#[derive(Debug, Default)]
struct Unary {
    http: u16,
    is_grpc: bool,
    encoded: bool,
    /// `grpc-status` in the head: an answer without messages, in one frame.
    in_head: Option<u8>,
    messages: Messages,
}

impl Rule for Unary {
    const READS_TRAILERS: bool = true;

    fn head(&mut self, head: Head<'_>) {
        self.http = head.status;
        let starts = |kind: &[u8]| kind.starts_with(CONTENT_TYPE.as_bytes());
        self.is_grpc = head.fields.get("content-type").is_some_and(starts);
        self.encoded = head.fields.get("grpc-encoding").is_some_and(|encoding| encoding != b"identity");
        self.in_head = status(head.fields);
    }

    fn chunk(&mut self, piece: &[u8]) {
        self.messages.read(piece);
    }

    /// A server that keeps the time limit which it was told may say so a moment before our own timer does. That is the
    /// same timeout, and not an answer whose time counts for nothing.
    fn end(self, ending: Ending<'_>, late: bool) -> Outcome {
        let (whole, trailers) = match ending {
            Ending::Whole(trailers) => (true, trailers),
            Ending::Cut => (false, None),
        };
        let status = trailers.and_then(|trailers| status(Fields::Http2(trailers))).or(self.in_head);
        let Some(status) = status else {
            let code = if self.http == 0 { Code::None } else { Code::Http(self.http) };
            return Outcome { code, fault: whole.then_some(Fault::Malformed) };
        };
        let outcome = Outcome { code: Code::Grpc(status), fault: None };
        let sound = self.is_grpc && self.http == 200;
        match self.messages.state() {
            _ if !whole => outcome,
            _ if late && status == DEADLINE_EXCEEDED => outcome.with(Fault::Timeout),
            _ if !sound || self.messages.compressed && !self.encoded => outcome.with(Fault::Malformed),
            Found::Partial => outcome.with(Fault::Truncated),
            Found::Whole(n) if status == 0 && n != 1 => outcome.with(Fault::Malformed),
            Found::Whole(_) => outcome,
            Found::Broken => outcome.with(Fault::Malformed),
        }
    }
}

/// `grpc-status`; codes that gRPC does not know, and texts, are UNKNOWN (2), as clients read them.
fn status(fields: Fields<'_>) -> Option<u8> {
    const UNKNOWN: u8 = 2;
    let text = fields.get("grpc-status")?;
    let number = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
    Some(number.filter(|status| *status <= 16).unwrap_or(UNKNOWN))
}

/// Counts messages in a body as it streams by; none is kept.
#[derive(Debug, Default)]
struct Messages {
    whole: u64,
    /// Bytes of the current message's prefix read so far, at most [`PREFIX`].
    prefix: usize,
    /// Bytes of the current message still to come, once its prefix is complete.
    left: u32,
    compressed: bool,
    broken: bool,
}

/// What a body has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    /// So many messages, the last one complete.
    Whole(u64),
    /// The last one is cut short.
    Partial,
    /// Not messages at all.
    Broken,
}

impl Messages {
    fn read(&mut self, mut piece: &[u8]) {
        while let Some((first, rest)) = piece.split_first() {
            if self.prefix < PREFIX {
                match self.prefix {
                    0 if *first > 1 => self.broken = true,
                    0 => self.compressed |= *first == 1,
                    _ => self.left = self.left << 8 | u32::from(*first),
                }
                self.prefix += 1;
                piece = rest;
            } else {
                let taken = piece.len().min(self.left as usize);
                self.left -= taken as u32;
                piece = &piece[taken..];
            }
            if self.prefix == PREFIX && self.left == 0 {
                self.whole += 1;
                self.prefix = 0;
            }
        }
    }

    fn state(&self) -> Found {
        match (self.broken, self.prefix) {
            (true, _) => Found::Broken,
            (false, 0) => Found::Whole(self.whole),
            (false, _) => Found::Partial,
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;

    fn map(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    fn ended(http: u16, head: &[(&'static str, &'static str)], body: &[&[u8]], ending: Ending<'_>) -> Outcome {
        let mut unary = Unary::default();
        unary.head(Head { status: http, fields: Fields::Http2(&map(head)) });
        body.iter().for_each(|piece| unary.chunk(piece));
        unary.end(ending, false)
    }

    #[test]
    fn a_time_limit_that_the_server_noticed_first_is_a_timeout_and_any_other_is_an_answer() {
        let fields = map(&[("content-type", "application/grpc"), ("grpc-status", "4")]);
        let other = map(&[("content-type", "application/grpc"), ("grpc-status", "14")]);
        for (fields, late, fault, why) in [
            (&fields, true, Some(Fault::Timeout), "our time limit"),
            (&fields, false, None, "one of the server's own, within ours"),
            (&other, true, None, "late, and about something else"),
        ] {
            let mut unary = Unary::default();
            unary.head(Head { status: 200, fields: Fields::Http2(fields) });
            assert_eq!(unary.end(Ending::Whole(None), late).fault, fault, "{why}");
        }
    }

    #[test]
    fn only_trailers_that_say_ok_after_one_message_make_a_success() {
        const GRPC: (&str, &str) = ("content-type", "application/grpc+proto");
        const ONE: &[&[u8]] = &[&[0, 0, 0, 0, 2, 8], &[1]];
        let ok = map(&[("grpc-status", "0")]);
        let failed = map(&[("grpc-status", "14"), ("grpc-message", "no")]);
        let nothing = map(&[]);
        let grpc = |status, fault| Outcome { code: Code::Grpc(status), fault };
        let http = |status, fault| Outcome { code: Code::Http(status), fault };
        let malformed = Some(Fault::Malformed);
        for (status, head, body, ending, outcome, why) in [
            (200, &[GRPC][..], ONE, Ending::Whole(Some(&ok)), grpc(0, None), "a success"),
            (200, &[GRPC], &[], Ending::Whole(Some(&failed)), grpc(14, None), "a status of the service"),
            (200, &[GRPC], ONE, Ending::Whole(Some(&failed)), grpc(14, None), "also after a message"),
            (200, &[GRPC, ("grpc-status", "12")], &[], Ending::Whole(None), grpc(12, None), "trailers only"),
            (200, &[GRPC], ONE, Ending::Whole(None), http(200, malformed), "no trailers"),
            (200, &[GRPC], ONE, Ending::Whole(Some(&nothing)), http(200, malformed), "trailers without a status"),
            (200, &[GRPC], ONE, Ending::Cut, http(200, None), "cut off: the caller says how"),
            (200, &[GRPC], &[], Ending::Whole(Some(&ok)), grpc(0, malformed), "OK without a message"),
            (200, &[GRPC], &[&[0, 0, 0, 0, 0], &[0; 5]], Ending::Whole(Some(&ok)), grpc(0, malformed), "two messages"),
            (200, &[GRPC], &[&[0, 0, 0]], Ending::Whole(Some(&ok)), grpc(0, Some(Fault::Truncated)), "half a prefix"),
            (200, &[GRPC], &[&[0, 0, 0, 0, 9, 1]], Ending::Whole(Some(&ok)), grpc(0, Some(Fault::Truncated)), "half"),
            (200, &[GRPC], &[b"<html>"], Ending::Whole(Some(&ok)), grpc(0, malformed), "no message at all"),
            (200, &[GRPC], &[&[1, 0, 0, 0, 0]], Ending::Whole(Some(&ok)), grpc(0, malformed), "compressed unasked"),
            (503, &[("content-type", "text/html")], &[], Ending::Whole(None), http(503, malformed), "a proxy's answer"),
            (404, &[], &[b"no"], Ending::Whole(None), http(404, malformed), "never a success, whatever 404 counts as"),
            (200, &[("content-type", "text/html")], ONE, Ending::Whole(Some(&ok)), grpc(0, malformed), "not gRPC"),
            (200, &[GRPC, ("grpc-status", "99")], &[], Ending::Whole(None), grpc(2, None), "a status nobody knows"),
            (200, &[GRPC, ("grpc-status", "x")], &[], Ending::Whole(None), grpc(2, None), "no number"),
        ] {
            assert_eq!(ended(status, head, body, ending), outcome, "{why}");
        }
    }

    #[test]
    fn messages_are_counted_wherever_they_are_cut() {
        let body: Vec<u8> = [framed(b""), framed(b"abc"), framed(&[7; 300])].concat();
        for size in 1..body.len() {
            let mut messages = Messages::default();
            body.chunks(size).for_each(|piece| messages.read(piece));
            assert_eq!(messages.state(), Found::Whole(3), "pieces of {size}");
        }
    }

    #[test]
    fn a_time_limit_is_told_in_the_finest_unit_that_fits() {
        for (timeout, text) in [
            (Duration::from_secs(20), "20000000u"),
            (Duration::from_millis(1_500), "1500000u"),
            (Duration::from_nanos(5), "5n"),
            (Duration::from_secs(100), "100000m"),
            (Duration::from_secs(1_000_000), "1000000S"),
            (Duration::MAX, "99999999M"),
        ] {
            assert_eq!(grpc_timeout(timeout), text);
        }
    }

    #[test]
    fn a_call_is_a_post_that_says_it_is_grpc() {
        let origin = Origin { secure: false, host: crate::plan::Host::Name("a.test".into()), port: 80, pinned: vec![] };
        let request = Request {
            method: "GET".into(),
            path: "/grpc.health.v1.Health/Check".into(),
            authority: "a.test".into(),
            headers: vec![("Content-Type".into(), "text/html".into()), ("x-user".into(), "1".into())],
            body: (*b"\x0a\x01a").into(),
        };
        let prepared = Grpc::new(Some(Duration::from_secs(1))).prepare(&origin, &request);
        assert_eq!(prepared.head.method(), "POST");
        let expected = map(&[
            ("content-type", "application/grpc"),
            ("x-user", "1"),
            ("te", "trailers"),
            ("grpc-timeout", "1000000u"),
        ]);
        assert_eq!(prepared.head.headers(), &expected);
        assert_eq!(&prepared.body[..], b"\0\0\0\0\x03\x0a\x01a");
        let mut json = request.clone();
        json.headers[0].1 = "application/grpc+json".into();
        assert_eq!(Grpc::default().prepare(&origin, &json).head.headers()["content-type"], "application/grpc+json");
    }
}
