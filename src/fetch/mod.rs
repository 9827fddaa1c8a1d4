//! One request and all of its answer, over the wire that load takes too: for the commands in hooks and for smoke tests.
//!
//! Load drops bodies as they stream by, because nobody could look at so many. Here somebody looks at each one.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;

use crate::plan::{Hosts, Plan, Wire};
use crate::stats::{Code, Fault, Ns, Outcome};
use crate::wire::{
    BadLocation, Clock, Coarse, Dialer, Fields, Grpc, Head, Hop, Http1, Http2, Observe, Protocol, Redirected, Shot,
    Transport,
};

/// Bytes of a body at most that are kept; the rest is read and dropped.
pub const MOST_BODY: usize = 1 << 20;

/// Characters of a body that are shown of an answer which is not as it must be.
const SHOWN: usize = 80;

/// What is asked, once: the first target of a plan.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The request, where it goes and how; its schedule is of no meaning.
    pub plan: &'a Plan,
    /// Longest wait for a connection; `None` for no other limit than the plan's.
    pub connect: Option<Duration>,
    /// Whether names and redirects may not lead to where clouds hand out credentials, because a stranger wrote them.
    pub fenced: bool,
    /// Names that no name server is asked for.
    pub hosts: &'a Arc<Hosts>,
}

/// The head of one answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerHead {
    /// The protocol as a status line has it.
    pub version: &'static str,
    /// The status.
    pub status: u16,
    /// Names and values in the order received.
    pub fields: Vec<(String, Vec<u8>)>,
}

impl AnswerHead {
    fn of(version: &'static str, head: Head<'_>) -> Self {
        let fields = match head.fields {
            Fields::Http1(fields) => fields.iter().map(|field| (field.name.to_owned(), field.value.to_vec())).collect(),
            Fields::Http2(fields) => {
                fields.iter().map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect()
            }
        };
        Self { version, status: head.status, fields }
    }

    /// Appends it as HTTP/1 writes it.
    fn write(&self, text: &mut String) {
        let reason = StatusCode::from_u16(self.status).ok().and_then(|status| status.canonical_reason());
        // A string takes everything.
        let _ = write!(text, "{} {} {}\r\n", self.version, self.status, reason.unwrap_or_default());
        for (name, value) in &self.fields {
            let _ = write!(text, "{name}: {}\r\n", String::from_utf8_lossy(value));
        }
        text.push_str("\r\n");
    }
}

/// What came of a request.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// How it ended.
    pub outcome: Outcome,
    /// What the system said where no connection was made.
    pub words: Option<String>,
    /// What the server said of a gRPC call that failed.
    pub said: Option<String>,
    /// The heads of all answers on the way; the last one is the answer's own.
    pub heads: Vec<AnswerHead>,
    /// The body, as much of it as is kept; of a gRPC call whose answer is read, its messages as JSON.
    pub body: Vec<u8>,
    /// All bytes of the body.
    pub bytes: u64,
    /// How long all of it took, connections and redirects included.
    pub took: Duration,
}

impl Fetched {
    /// The status, if there was one.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        match self.outcome.code {
            Code::Http(status) => Some(status),
            Code::None | Code::Grpc(_) => None,
        }
    }

    /// Why there is no whole answer, in words; `None` where there is one.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        let fault = self.outcome.fault?;
        Some(match fault {
            Fault::Expect => "more redirects than are followed".to_owned(),
            _ => self.words.clone().unwrap_or_else(|| fault.in_words().to_owned()),
        })
    }

    /// The first line of the body, behind a colon; nothing where it is empty.
    #[must_use]
    pub fn beginning(&self) -> String {
        let text = String::from_utf8_lossy(&self.body);
        let line: String = text.trim_start().lines().next().unwrap_or_default().chars().take(SHOWN).collect();
        if line.is_empty() { line } else { format!(": {line}") }
    }

    /// The heads of all answers on the way, as HTTP/1 writes them.
    #[must_use]
    pub fn head_text(&self) -> String {
        let mut text = String::new();
        self.heads.iter().for_each(|head| head.write(&mut text));
        text
    }
}

/// Keeps an answer.
#[derive(Debug)]
struct Keep {
    version: &'static str,
    redirected: Redirected,
    heads: Vec<AnswerHead>,
    body: Vec<u8>,
}

impl Observe for Keep {
    fn head(&mut self, head: Head<'_>) {
        self.redirected.head(head);
        self.heads.push(AnswerHead::of(self.version, head));
    }

    fn chunk(&mut self, piece: &[u8]) {
        let room = MOST_BODY - self.body.len();
        self.body.extend_from_slice(&piece[..piece.len().min(room)]);
    }

    fn verdict(&mut self) -> bool {
        true
    }
}

/// Makes the request and follows where it leads. What it waits for never leaves its thread.
pub async fn fetch(asked: Asked<'_>) -> Fetched {
    match asked.plan.wire {
        Wire::Http1 => over(Http1::new(false).through(&asked.plan.via), "HTTP/1.1", asked).await,
        Wire::Http2 => over(Http2, "HTTP/2", asked).await,
        Wire::Grpc => {
            let protocol = Grpc::of(asked.plan);
            let fetched = over(protocol.clone(), "HTTP/2", asked).await;
            called(fetched, &protocol, &asked.plan.targets[0].request.path)
        }
    }
}

/// A call's answer, with its messages as JSON where their types are known.
fn called(mut fetched: Fetched, protocol: &Grpc, path: &str) -> Fetched {
    if let Code::Grpc(status) = fetched.outcome.code {
        fetched.said = protocol.said().of(status).map(str::to_owned);
    }
    let is_whole = fetched.outcome == Outcome { code: Code::Grpc(0), fault: None } && fetched.bytes <= MOST_BODY as u64;
    match is_whole.then(|| protocol.answer(path, &fetched.body)).flatten() {
        Some(Ok(json)) => fetched.body = json.into_bytes(),
        Some(Err(why)) => {
            fetched.outcome = fetched.outcome.with(Fault::Malformed);
            fetched.words = Some(why);
        }
        None => {}
    }
    fetched
}

async fn over<P: Protocol>(protocol: P, version: &'static str, ask: Asked<'_>) -> Fetched {
    let plan = ask.plan;
    let target = &plan.targets[0];
    let clock = Coarse::new();
    let by = plan.timeout.map_or(Ns::MAX, Ns::from);
    let mut keep = Keep { version, redirected: Redirected::default(), heads: Vec::new(), body: Vec::new() };
    let transport = match Transport::new(plan.wire, &plan.tls, &plan.via) {
        Ok(transport) if ask.fenced => transport.fenced(plan.addresses()).knowing(Arc::clone(ask.hosts)),
        Ok(transport) => transport.knowing(Arc::clone(ask.hosts)),
        Err(error) => return fetched(Outcome::fault(Fault::Local), Some(error.to_string()), keep, 0, clock.now()),
    };
    let known = [target.origin.clone()];
    let drawn = target.drawn.as_ref().map(|drawn| drawn.request(&target.request, plan.seed, 0));
    let mut asked = Hop { origin: target.origin.clone(), request: drawn.unwrap_or_else(|| target.request.clone()) };
    let mut left = plan.redirects;
    loop {
        keep.redirected = Redirected::default();
        keep.body.clear();
        let dialer = Dialer::new(asked.origin.clone(), transport.clone(), 0);
        let connected_by = ask.connect.map_or(by, |limit| by.min(clock.now() + Ns::from(limit)));
        let mut conn = match protocol.dial(&dialer, connected_by, &clock).await.result {
            Ok(conn) => conn,
            Err(fault) => return fetched(Outcome::fault(fault), dialer.first_error(), keep, 0, clock.now()),
        };
        let request = protocol.prepare(&asked.origin, &asked.request);
        let shot = Shot { index: 0, request: &request };
        let reply = protocol.exchange(&mut conn, shot, by, &clock, &mut keep).await;
        let mut outcome = reply.outcome;
        let next =
            if outcome.fault.is_none() && plan.redirects > 0 { keep.redirected.hop(&asked, &known) } else { None };
        match next {
            Some(Ok(hop)) if left > 0 => {
                left -= 1;
                asked = hop;
                continue;
            }
            Some(Ok(_)) => outcome = outcome.with(Fault::Expect),
            Some(Err(BadLocation)) => outcome = outcome.with(Fault::Malformed),
            None => {}
        }
        let words = dialer.first_error();
        return fetched(outcome, words, keep, reply.bytes, clock.now());
    }
}

fn fetched(outcome: Outcome, words: Option<String>, keep: Keep, bytes: u64, at: Ns) -> Fetched {
    Fetched { outcome, words, said: None, heads: keep.heads, body: keep.body, bytes, took: Duration::from(at) }
}
