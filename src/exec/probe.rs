//! One question to gRPC's health service, as grpc_health_probe asks it.

use std::sync::Arc;

use prost::Message as _;

use crate::plan::Hosts;
use crate::proto::{CheckResponse, Serving, first_message};
use crate::spec::probe::Probe;
use crate::stats::{Code, Fault, Ns};
use crate::wire::{Clock as _, Coarse, Dialer, Grpc, Head, Observe, Protocol as _, Shot, Transport};

/// Bytes of an answer at most that are kept.
const MOST_ANSWER: usize = 4 << 10;

/// Why a service is not known to serve.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// There is no connection.
    #[error("failed to connect service {0}: {1}")]
    Unconnected(String, String),
    /// The question has no answer.
    #[error("{0}")]
    Unanswered(String),
    /// It does not serve.
    #[error("service unhealthy (responded with \"{0}\")")]
    Unhealthy(&'static str),
}

/// Keeps the beginning of a body.
#[derive(Debug, Default)]
struct Keep(Vec<u8>);

impl Observe for Keep {
    fn head(&mut self, _: Head<'_>) {}

    fn chunk(&mut self, piece: &[u8]) {
        let room = MOST_ANSWER - self.0.len();
        self.0.extend_from_slice(&piece[..piece.len().min(room)]);
    }

    fn verdict(&mut self) -> bool {
        true
    }
}

/// Asks; no name server is asked for `hosts`. What it waits for never leaves its thread. What is written on success is the probe's own word.
///
/// # Errors
/// Why the service is not known to serve.
pub async fn probe(probe: &Probe, hosts: &Arc<Hosts>) -> Result<String, Problem> {
    let plan = &probe.plan;
    let target = &plan.targets[0];
    let clock = Coarse::new();
    let unconnected = |why: String| Problem::Unconnected(format!("\"{}\"", probe.addr), why);
    // A name does not lead to where clouds hand out credentials.
    let transport = Transport::new(plan.wire, &plan.tls, &plan.via).map_err(|error| unconnected(error.to_string()))?;
    let dialer = Dialer::new(target.origin.clone(), transport.fenced(plan.addresses()).knowing(Arc::clone(hosts)), 0);
    let protocol = Grpc::of(plan);
    let by = clock.now() + Ns::from(probe.connect);
    let mut conn = protocol.dial(&dialer, by, &clock).await.result.map_err(|fault| {
        unconnected(match fault {
            Fault::Timeout => format!("timeout: no connection within {:?}", probe.connect),
            _ => dialer.first_error().unwrap_or_else(|| fault.in_words().to_owned()),
        })
    })?;
    let request = protocol.prepare(&target.origin, &target.request);
    let mut kept = Keep::default();
    let by = plan.timeout.map_or(Ns::MAX, |timeout| clock.now() + Ns::from(timeout));
    let shot = Shot { index: 0, request: &request };
    let reply = protocol.exchange(&mut conn, shot, by, &clock, &mut kept).await;
    match (reply.outcome.code, reply.outcome.fault) {
        (_, Some(Fault::Timeout)) => {
            let limit = plan.timeout.unwrap_or_default();
            Err(Problem::Unanswered(format!("timeout: health rpc did not complete within {limit:?}")))
        }
        (_, Some(fault)) => {
            let why = dialer.first_error().unwrap_or_else(|| fault.in_words().to_owned());
            Err(Problem::Unanswered(format!("error: health rpc failed: {why}")))
        }
        (Code::Grpc(0), None) => serving(&kept.0),
        (Code::Grpc(12), None) => Err(Problem::Unanswered(
            "error: this server does not implement the grpc health protocol (grpc.health.v1.Health)".to_owned(),
        )),
        (Code::Grpc(status), None) => {
            let said = protocol.said().in_short(status);
            Err(Problem::Unanswered(format!("error: health rpc failed: it answered {said}")))
        }
        // The wire gives a success in gRPC and nothing else without a fault.
        (Code::Http(_) | Code::None, None) => Err(Problem::Unanswered("error: health rpc failed".to_owned())),
    }
}

/// What the answer's message says; the body is one whole message.
fn serving(body: &[u8]) -> Result<String, Problem> {
    let unreadable = || Problem::Unanswered("error: health rpc failed: its answer cannot be read".to_owned());
    let answer = first_message(body, MOST_ANSWER).and_then(|message| CheckResponse::decode(&message[..]).ok());
    let answer = answer.ok_or_else(unreadable)?;
    match answer.status() {
        Serving::Serving => Ok(format!("status: {}\n", Serving::Serving.name())),
        other => Err(Problem::Unhealthy(other.name())),
    }
}
