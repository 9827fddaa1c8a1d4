//! gRPC: HTTP/2, messages behind prefixes, and a rule for how an answer ends.
//!
//! The rule is the point. A gRPC answer is a success only when its trailers say so, and an answer without them is a
//! failure whatever its HTTP status was: that is how a server that died half-way looks.
//!
//! All messages of a request are handed over at once and go out as the server makes room for them; what it answers
//! meanwhile is read meanwhile. So a stream in either direction, or in both, is no other exchange than a unary call.

mod answer;
mod reflect;

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::rc::Rc;
use std::time::Duration;

use http::{HeaderValue, header};

use super::http2::{self, Conn};
use super::{After, Clock, Dialer, Dialled, Observe, Protocol, Reply, Shot};
use crate::plan::{Call, Messages, Origin, Plan, Request};
use crate::proto::{Catalog, Method, framed, gzipped};
use crate::stats::{Fault, Ns, Outcome, Said};
use answer::Answer;

pub use reflect::{Unreflected, reflect};

/// The media type, and the start of those for one encoding of messages.
const CONTENT_TYPE: &str = "application/grpc";
/// Most digits of a `grpc-timeout`.
const MOST_TIMEOUT: u128 = 99_999_999;

/// gRPC.
#[derive(Clone, Debug, Default)]
pub struct Grpc {
    /// The time limit of each call, as the server is told it.
    timeout: Option<HeaderValue>,
    /// What is known of the methods called, by their paths.
    ways: Rc<HashMap<String, Way>>,
    /// What servers said of calls that failed.
    said: Rc<RefCell<Said>>,
}

/// How the messages of one method are made and read.
#[derive(Clone, Debug)]
struct Way {
    call: Call,
    /// The method, where its messages are made of JSON each time.
    method: Option<Method>,
}

impl Way {
    fn of(call: &Call, path: &str) -> Self {
        let known = match &call.messages {
            Messages::Json(set) => Catalog::of_set(set).and_then(|catalog| catalog.method(path)).ok(),
            Messages::Encoded | Messages::Framed | Messages::Asked => None,
        };
        Self { call: call.clone(), method: known }
    }
}

/// A request as it is sent.
#[derive(Debug)]
pub struct Prepared {
    http2: http2::Prepared,
    /// How its answer is read.
    answers_many: bool,
    most_bytes: Option<u32>,
    /// Its body could not be made: a drawn value that does not fit its type.
    misfit: bool,
}

impl Grpc {
    /// Unary calls whose bodies are one message. `timeout` is what servers are told of a call's time limit; `None` tells
    /// them nothing.
    #[must_use]
    pub fn new(timeout: Option<Duration>) -> Self {
        let timeout = timeout.and_then(|timeout| HeaderValue::from_str(&grpc_timeout(timeout)).ok());
        Self { timeout, ..Self::default() }
    }

    /// The calls of a plan.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        let way = |target: &crate::plan::Target| {
            let path = &target.request.path;
            (path.clone(), Way::of(&target.call, path))
        };
        Self { ways: Rc::new(plan.targets.iter().map(way).collect()), ..Self::new(plan.timeout) }
    }

    /// An answer of the method at `path` as JSON, by the types that the plan has kept; `None` where it has none.
    ///
    /// # Errors
    /// Why it is no answer of that method.
    #[must_use]
    pub fn answer(&self, path: &str, body: &[u8]) -> Option<Result<String, String>> {
        let way = self.ways.get(path).filter(|way| way.call.is_read)?;
        way.method.as_ref().map(|method| method.answer(body))
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
        let usual = Way { call: Call::default(), method: None };
        let way = self.ways.get(&request.path).unwrap_or(&usual);
        let frames = match &way.call.messages {
            Messages::Encoded => Some(framed(&request.body)),
            Messages::Framed => Some(request.body.to_vec()),
            Messages::Json(_) | Messages::Asked => {
                way.method.as_ref().and_then(|method| method.frames(&request.body).ok())
            }
        };
        let misfit = frames.is_none();
        let mut body = frames.unwrap_or_default();
        if way.call.gzip {
            body = gzipped(&body);
            let gzip = HeaderValue::from_static("gzip");
            headers.insert("grpc-encoding", gzip.clone());
            headers.insert("grpc-accept-encoding", gzip);
        }
        let mut head = http2::message(origin, request, headers);
        *head.method_mut() = http::Method::POST;
        let http2 = http2::Prepared { head, body: body.into(), idempotent: false };
        Prepared { http2, answers_many: way.call.answers_many, most_bytes: way.call.most_bytes, misfit }
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

    fn said(&self) -> Said {
        self.said.borrow().clone()
    }

    async fn exchange<C: Clock>(
        &self,
        conn: &mut Conn,
        shot: Shot<'_, Prepared>,
        by: Ns,
        clock: &C,
        observe: &mut impl Observe,
    ) -> Reply {
        let Prepared { http2, answers_many, most_bytes, misfit } = shot.request;
        if *misfit {
            let outcome = Outcome::fault(Fault::Local);
            return Reply { outcome, unprocessed: false, ..Reply::unsent(clock.now(), After::Keep) };
        }
        let answer = Answer::new(*answers_many, *most_bytes, &self.said);
        http2::run(conn, http2, answer, by, clock, observe).await
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;
    use crate::plan::{Host, Target};

    fn origin() -> Origin {
        Origin { secure: false, host: Host::Name("a.test".into()), port: 80, pinned: vec![] }
    }

    fn request(body: &[u8]) -> Request {
        Request {
            method: "GET".into(),
            path: "/grpc.health.v1.Health/Check".into(),
            authority: "a.test".into(),
            headers: vec![("Content-Type".into(), "text/html".into()), ("x-user".into(), "1".into())],
            body: body.into(),
        }
    }

    fn map(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
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
        let prepared = Grpc::new(Some(Duration::from_secs(1))).prepare(&origin(), &request(b"\x0a\x01a")).http2;
        assert_eq!(prepared.head.method(), "POST");
        let expected = map(&[
            ("content-type", "application/grpc"),
            ("x-user", "1"),
            ("te", "trailers"),
            ("grpc-timeout", "1000000u"),
        ]);
        assert_eq!(prepared.head.headers(), &expected);
        assert_eq!(&prepared.body[..], b"\0\0\0\0\x03\x0a\x01a");
        let mut json = request(b"");
        json.headers[0].1 = "application/grpc+json".into();
        let head = Grpc::default().prepare(&origin(), &json).http2.head;
        assert_eq!(head.headers()["content-type"], "application/grpc+json");
    }

    #[test]
    fn the_body_is_made_as_the_plan_says() {
        let set = Catalog::health().encoded();
        for (messages, body, expected, why) in [
            (Messages::Encoded, &b"\x0a\x01a"[..], Some(&b"\0\0\0\0\x03\x0a\x01a"[..]), "one message"),
            (Messages::Framed, b"\0\0\0\0\0", Some(b"\0\0\0\0\0"), "messages as they are"),
            (Messages::Json(set.clone().into()), b"{\"service\":\"a\"}", Some(b"\0\0\0\0\x03\x0a\x01a"), "JSON"),
            (Messages::Json(set.clone().into()), b"{\"service\":1}", None, "JSON that does not fit"),
            (Messages::Asked, b"{}", None, "nobody was asked"),
        ] {
            let call = Call { messages, ..Call::default() };
            let ways = HashMap::from([(
                "/grpc.health.v1.Health/Check".to_owned(),
                Way::of(&call, "/grpc.health.v1.Health/Check"),
            )]);
            let prepared = Grpc { ways: Rc::new(ways), ..Grpc::default() }.prepare(&origin(), &request(body));
            assert_eq!(
                (prepared.misfit, &prepared.http2.body[..]),
                (expected.is_none(), expected.unwrap_or_default()),
                "{why}"
            );
        }
    }

    #[test]
    fn messages_are_packed_where_that_is_asked_for_and_the_server_is_told() {
        let target = Target {
            url: String::new(),
            origin: origin(),
            request: request(&[7; 1_000]),
            drawn: None,
            weight: 1,
            call: Call { gzip: true, ..Call::default() },
        };
        let way = Way::of(&target.call, &target.request.path);
        let ways = Rc::new(HashMap::from([(target.request.path.clone(), way)]));
        let grpc = Grpc { ways, ..Grpc::default() };
        let prepared = grpc.prepare(&target.origin, &target.request).http2;
        assert_eq!(prepared.head.headers()["grpc-encoding"], "gzip");
        assert_eq!(prepared.head.headers()["grpc-accept-encoding"], "gzip");
        assert!(prepared.body[0] == 1 && prepared.body.len() < 100, "{:?}", prepared.body);
    }
}
