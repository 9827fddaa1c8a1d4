//! One request and all of its answer, over the wire that load takes too.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;

use crate::plan::{Hosts, Wire};
use crate::spec::curl::Curl;
use crate::stats::{Code, Fault, Ns, Outcome};
use crate::wire::{
    BadLocation, Clock, Coarse, Dialer, Fields, Head, Hop, Http1, Http2, Observe, Protocol, Redirected, Shot, Transport,
};

/// Bytes of a body at most that are looked through; the rest is read and dropped.
pub(super) const MOST_BODY: usize = 1 << 20;

/// Characters of a failing answer that are shown.
const SHOWN: usize = 80;

/// What came of a request.
#[derive(Debug)]
pub(super) struct Fetched {
    /// How it ended.
    pub(super) outcome: Outcome,
    /// What the system said where no connection was made.
    pub(super) words: Option<String>,
    /// The heads of all answers on the way, as HTTP/1 writes them.
    pub(super) heads: String,
    /// The body, as much of it as is looked through.
    pub(super) body: Vec<u8>,
    /// All bytes of the body.
    pub(super) bytes: u64,
    /// How long all of it took.
    pub(super) took: Duration,
}

impl Fetched {
    /// Why there is no answer that can be used, if there is none.
    pub(super) fn trouble(&self) -> Option<String> {
        self.outcome.fault.map(|fault| match fault {
            Fault::Expect => "more redirects than are followed".to_owned(),
            _ => self.words.clone().unwrap_or_else(|| fault.in_words().to_owned()),
        })
    }

    /// The first line of the body, behind a colon; nothing where it is empty.
    pub(super) fn beginning(&self) -> String {
        let text = String::from_utf8_lossy(&self.body);
        let line: String = text.trim_start().lines().next().unwrap_or_default().chars().take(SHOWN).collect();
        if line.is_empty() { line } else { format!(": {line}") }
    }

    /// The status, if there was one.
    pub(super) const fn status(&self) -> Option<u16> {
        match self.outcome.code {
            Code::Http(status) => Some(status),
            Code::None | Code::Grpc(_) => None,
        }
    }
}

/// Keeps an answer.
#[derive(Debug)]
struct Keep {
    version: &'static str,
    redirected: Redirected,
    heads: String,
    body: Vec<u8>,
}

impl Observe for Keep {
    fn head(&mut self, head: Head<'_>) {
        self.redirected.head(head);
        let reason = StatusCode::from_u16(head.status).ok().and_then(|status| status.canonical_reason());
        let heads = &mut self.heads;
        // A string takes everything.
        let _ = write!(heads, "{} {} {}\r\n", self.version, head.status, reason.unwrap_or_default());
        let mut line = |name: &str, value: &[u8]| {
            let _ = write!(heads, "{name}: {}\r\n", String::from_utf8_lossy(value));
        };
        match head.fields {
            Fields::Http1(fields) => fields.iter().for_each(|field| line(field.name, field.value)),
            Fields::Http2(fields) => fields.iter().for_each(|(name, value)| line(name.as_str(), value.as_bytes())),
        }
        self.heads.push_str("\r\n");
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
pub(super) async fn fetch(curl: &Curl, hosts: &Arc<Hosts>) -> Fetched {
    match curl.plan.wire {
        Wire::Http1 => over(Http1::new(false).through(&curl.plan.via), "HTTP/1.1", curl, hosts).await,
        Wire::Http2 | Wire::Grpc => over(Http2, "HTTP/2", curl, hosts).await,
    }
}

async fn over<P: Protocol>(protocol: P, version: &'static str, curl: &Curl, hosts: &Arc<Hosts>) -> Fetched {
    let plan = &curl.plan;
    let target = &plan.targets[0];
    let clock = Coarse::new();
    let by = plan.timeout.map_or(Ns::MAX, Ns::from);
    let mut keep = Keep { version, redirected: Redirected::default(), heads: String::new(), body: Vec::new() };
    let transport = match Transport::new(plan.wire, &plan.tls, &plan.via) {
        // Neither a name nor a redirect leads to where clouds hand out credentials.
        Ok(transport) => transport.fenced(plan.addresses()).knowing(Arc::clone(hosts)),
        Err(error) => return fetched(Outcome::fault(Fault::Local), Some(error.to_string()), keep, 0, clock.now()),
    };
    let known = [target.origin.clone()];
    let mut asked = Hop { origin: target.origin.clone(), request: target.request.clone() };
    let mut left = plan.redirects;
    loop {
        keep.redirected = Redirected::default();
        keep.body.clear();
        let dialer = Dialer::new(asked.origin.clone(), transport.clone(), 0);
        let connected_by = curl.connect.map_or(by, |limit| by.min(clock.now() + Ns::from(limit)));
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
    Fetched { outcome, words, heads: keep.heads, body: keep.body, bytes, took: Duration::from(at) }
}
