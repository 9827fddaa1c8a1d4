//! What really happened, as the server itself saw it: exact counts and exact service times. Pure data.
//!
//! Whatever a load generator reports about a practice canary can be held against this.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use serde_json::{Map, Value, json};

/// Service times kept exactly; further ones are only counted.
pub const MOST_VALUES: u64 = 2_000_000;

/// Seconds that are counted one by one (a day); later ones are counted in the last.
pub const MOST_SECONDS: usize = 86_400;

/// Stall windows kept; later ones are not.
pub const MOST_STALLS: usize = 10_000;

/// Values in one shared block: a snapshot copies at most one block and shares the rest.
const BLOCK: usize = 16_384;

/// The quantiles of the JSON, with the names that reports use.
const QUANTILES: [(&str, f64); 9] = [
    ("p10", 0.1),
    ("p25", 0.25),
    ("p50", 0.5),
    ("p75", 0.75),
    ("p90", 0.9),
    ("p95", 0.95),
    ("p99", 0.99),
    ("p99_9", 0.999),
    ("p99_99", 0.9999),
];

/// Exact service times in microseconds, in the order the answers ended.
#[derive(Clone, Debug, Default)]
pub struct Times {
    blocks: Vec<Arc<Vec<u32>>>,
    newest: Vec<u32>,
    n: u64,
}

impl Times {
    /// Adds one; beyond [`MOST_VALUES`] it is only counted. Beyond 71 minutes it is held as 71 minutes.
    pub(super) fn add(&mut self, nanoseconds: u64) {
        self.n += 1;
        if self.n > MOST_VALUES {
            return;
        }
        self.newest.push(u32::try_from((nanoseconds + 500) / 1_000).unwrap_or(u32::MAX));
        if self.newest.len() == BLOCK {
            let full = std::mem::replace(&mut self.newest, Vec::with_capacity(BLOCK));
            self.blocks.push(Arc::new(full));
        }
    }

    /// How many there were, kept or not.
    #[must_use]
    pub const fn n(&self) -> u64 {
        self.n
    }

    /// How many were only counted.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.n.saturating_sub(MOST_VALUES)
    }

    /// Every kept value in microseconds, in the order the answers ended.
    #[must_use]
    pub fn micros(&self) -> Vec<u32> {
        self.blocks.iter().flat_map(|block| block.iter()).chain(&self.newest).copied().collect()
    }

    /// Every kept value in microseconds, least first.
    #[must_use]
    pub fn sorted(&self) -> Vec<u32> {
        let mut values = self.micros();
        values.sort_unstable();
        values
    }

    /// The kept values at quantiles in (0, 1] by nearest rank ⌈q·n⌉, in microseconds; `None` without any.
    #[must_use]
    pub fn quantiles<const N: usize>(&self, quantiles: [f64; N]) -> Option<[u32; N]> {
        let sorted = self.sorted();
        (!sorted.is_empty()).then(|| quantiles.map(|q| nearest_rank(&sorted, q).unwrap_or_default()))
    }

    /// Quantiles in milliseconds.
    fn json(&self) -> Value {
        let sorted = self.sorted();
        let ms = |micros: Option<u32>| micros.map(|micros| f64::from(micros) / 1e3);
        let mut object = Map::new();
        object.insert("n".into(), self.n.into());
        object.insert("dropped".into(), self.dropped().into());
        object.insert("min".into(), json!(ms(sorted.first().copied())));
        let sum: u64 = sorted.iter().copied().map(u64::from).sum();
        let mean = (!sorted.is_empty()).then(|| sum as f64 / sorted.len() as f64 / 1e3);
        object.insert("mean".into(), json!(mean));
        for (name, q) in QUANTILES {
            object.insert(name.into(), json!(ms(nearest_rank(&sorted, q))));
        }
        object.insert("max".into(), json!(ms(sorted.last().copied())));
        Value::Object(object)
    }
}

/// The value at rank ⌈q·n⌉ of sorted values.
fn nearest_rank(sorted: &[u32], q: f64) -> Option<u32> {
    let rank = (q * sorted.len() as f64 - 1e-9).ceil().max(1.0) as usize;
    sorted.get(rank.min(sorted.len()).checked_sub(1)?).copied()
}

/// Requests of one second since the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Second {
    /// Requests whose head was complete in it.
    pub requests: u64,
    /// Of those, requests answered with a status outside 200–399 or spoiled by a fault, whenever that was.
    pub errors: u64,
}

/// A freeze that held at least one answer. Times are nanoseconds since the first request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StallWindow {
    /// From when nothing was answered.
    pub begin_ns: u64,
    /// When the first answer held was let go.
    pub end_ns: u64,
    /// Answers held.
    pub held: u64,
}

/// TCP connections; those opened only to ask for the truth are left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Connections {
    /// Accepted, used or not.
    pub accepted: u64,
    /// Of those, carried at least one request.
    pub used: u64,
    /// Of the used ones, open now.
    pub open: u64,
    /// Most used ones open at once.
    pub peak: u64,
    /// Closed at once, being beyond the most allowed.
    pub refused: u64,
    /// Of the used ones, spoke HTTP/2.
    pub http2: u64,
    /// TLS handshakes that came to their end.
    pub tls: u64,
    /// Of those, resumed an earlier session.
    pub tls_resumed: u64,
    /// TLS handshakes that failed.
    pub tls_failed: u64,
}

impl Connections {
    fn json(&self) -> Value {
        json!({
            "accepted": self.accepted,
            "used": self.used,
            "open": self.open,
            "peak": self.peak,
            "refused": self.refused,
            "http2": self.http2,
            "tls": self.tls,
            "tls_resumed": self.tls_resumed,
            "tls_failed": self.tls_failed,
        })
    }
}

/// A snapshot of everything the server knows about the requests since its start or the last reset.
///
/// `received` = `answered` + `spoiled` + `refused` + `abandoned` + `pending` in every snapshot.
#[derive(Clone, Debug, Default)]
pub struct Truth {
    /// When the first request's head was complete, on this process's clock; `None` before it.
    pub first_request: Option<Instant>,
    /// The same as wall-clock nanoseconds since 1970.
    pub first_request_unix_ns: Option<u64>,
    /// Nanoseconds from the first request to this snapshot.
    pub elapsed_ns: u64,
    /// Requests whose head was complete.
    pub received: u64,
    /// Of those, answered whole.
    pub answered: u64,
    /// Of the answered, with a status from 200 to 399.
    pub succeeded: u64,
    /// Requests whose answer was spoiled by a fault: cut short, malformed, or never given.
    pub spoiled: u64,
    /// Of the spoiled, those that did nothing to deserve it: their connection was broken for another request's fault.
    pub along: u64,
    /// HTTP/2 requests that were refused unprocessed by a fault: no failure to a client that sends them again.
    pub refused: u64,
    /// Requests whose client left before the answer was whole.
    pub abandoned: u64,
    /// Requests being answered now.
    pub pending: u64,
    /// Bytes that were no request, each refused with a 4xx or 5xx that is counted nowhere else.
    pub unreadable: u64,
    /// Status lines that a client could read, whatever became of the rest.
    pub statuses: BTreeMap<u16, u64>,
    /// The same of each `grpc-status`.
    pub grpc_statuses: BTreeMap<u8, u64>,
    /// HTTP/2 streams refused before they counted as requests: beyond the most allowed, or after `GOAWAY`.
    pub refused_streams: u64,
    /// Faults done, by the name of their flag; `error` for chosen error statuses.
    pub faults: BTreeMap<&'static str, u64>,
    /// TCP connections.
    pub connections: Connections,
    /// Second by second since the first request, by when a request arrived.
    pub seconds: Vec<Second>,
    /// Complete request head to last byte written, of successful answers.
    pub service: Times,
    /// The same of answers with a status outside 200–399.
    pub failed_service: Times,
    /// Freezes that held an answer, in order.
    pub stalls: Vec<StallWindow>,
}

impl Truth {
    /// Requests that a client must call failed: answered with a status outside 200–399, or spoiled.
    #[must_use]
    pub const fn errors(&self) -> u64 {
        self.answered - self.succeeded + self.spoiled
    }

    /// The JSON of `/__truth`; with `values`, every kept service time too.
    #[must_use]
    pub fn to_json(&self, values: bool) -> Value {
        let wall = |ns: u64| self.first_request_unix_ns.map(|first| first + ns);
        let stalls: Vec<Value> = self
            .stalls
            .iter()
            .map(|stall| {
                json!({
                    "begin_ns": stall.begin_ns,
                    "end_ns": stall.end_ns,
                    "begin_unix_ns": wall(stall.begin_ns),
                    "end_unix_ns": wall(stall.end_ns),
                    "held": stall.held,
                })
            })
            .collect();
        let seconds = self.seconds.iter().enumerate();
        let seconds: Vec<Value> = seconds
            .map(|(at, second)| json!({"at": at, "requests": second.requests, "errors": second.errors}))
            .collect();
        let statuses: Map<String, Value> = self.statuses.iter().map(|(code, n)| (code.to_string(), json!(n))).collect();
        let grpc: Map<String, Value> =
            self.grpc_statuses.iter().map(|(code, n)| (code.to_string(), json!(n))).collect();
        let mut truth = json!({
            "schema": 1,
            "first_request_unix_ns": self.first_request_unix_ns,
            "elapsed_ns": self.elapsed_ns,
            "requests": {
                "received": self.received,
                "answered": self.answered,
                "succeeded": self.succeeded,
                "errors": self.errors(),
                "spoiled": self.spoiled,
                "along": self.along,
                "refused": self.refused,
                "abandoned": self.abandoned,
                "pending": self.pending,
                "unreadable": self.unreadable,
            },
            "statuses": statuses,
            "grpc_statuses": grpc,
            "faults": self.faults,
            "connections": self.connections.json(),
            "streams": {"refused": self.refused_streams},
            "service_ms": self.service.json(),
            "failed_service_ms": self.failed_service.json(),
            "stalls": stalls,
            "seconds": seconds,
        });
        if values {
            truth["service_us"] = json!(self.service.micros());
            truth["failed_service_us"] = json!(self.failed_service.micros());
        }
        truth
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_exact_by_nearest_rank() {
        let mut times = Times::default();
        for ms in (1..=100).rev() {
            times.add(ms * 1_000_000);
        }
        for (q, micros) in [(0.001, 1_000), (0.1, 10_000), (0.5, 50_000), (0.99, 99_000), (1.0, 100_000)] {
            assert_eq!(times.quantiles([q]), Some([micros]), "q {q}");
        }
        assert_eq!(Times::default().quantiles([0.5]), None);
        let json = times.json();
        assert_eq!(
            (json["n"].as_u64(), json["p90"].as_f64(), json["mean"].as_f64()),
            (Some(100), Some(90.0), Some(50.5))
        );
    }

    #[test]
    fn values_keep_their_order_over_block_borders_and_a_snapshot_shares_them() {
        let mut times = Times::default();
        let n = 2 * BLOCK as u32 + 7;
        for micros in 0..n {
            times.add(u64::from(micros) * 1_000);
        }
        let snapshot = times.clone();
        times.add(1);
        assert_eq!(snapshot.micros(), (0..n).collect::<Vec<_>>());
        assert_eq!((snapshot.n(), times.n()), (u64::from(n), u64::from(n) + 1));
        assert!(Arc::ptr_eq(&snapshot.blocks[1], &times.blocks[1]));
    }

    #[test]
    fn beyond_the_cap_values_are_counted_and_said_to_be_dropped() {
        let mut times = Times::default();
        for _ in 0..MOST_VALUES + 5 {
            times.add(u64::MAX - 500);
        }
        assert_eq!((times.n(), times.dropped()), (MOST_VALUES + 5, 5));
        assert_eq!(times.micros().len() as u64, MOST_VALUES);
        assert_eq!(times.quantiles([1.0]), Some([u32::MAX]));
        assert_eq!(times.json()["dropped"], 5);
    }

    #[test]
    fn the_json_gives_stalls_on_both_clocks() {
        let stall = StallWindow { begin_ns: 4_000, end_ns: 5_001, held: 7 };
        let truth = Truth { first_request_unix_ns: Some(1_000_000), stalls: vec![stall], ..Truth::default() };
        let expected = json!([{
            "begin_ns": 4_000, "end_ns": 5_001, "begin_unix_ns": 1_004_000, "end_unix_ns": 1_005_001, "held": 7,
        }]);
        assert_eq!(truth.to_json(false)["stalls"], expected);
        assert_eq!(truth.to_json(false)["service_ms"]["p50"], Value::Null);
        assert_eq!(truth.to_json(false).get("service_us"), None);
        assert_eq!(truth.to_json(true)["service_us"], json!([]));
    }
}
