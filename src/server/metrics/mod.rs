//! What Prometheus reads. Labels have few values: a path that is not ours is `other`, and gates and canaries are only
//! those remembered.
//!
//! Nothing is counted here for a request of a load: workers add up what they have counted, and a scrape reads the sums.
//!
//! * `loads`: what loads saw. `verdicts`: what hooks that judge were answered, and by which values.

mod loads;
mod verdicts;

use std::fmt::Write as _;
use std::time::Duration;

use jiff::Timestamp;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use self::loads::Loads;
use self::verdicts::Verdicts;
use crate::canary::Canary;
use crate::exec::Result;
use crate::gate::{Gate, Key};
use crate::task::{Answer, Role, Sums};

/// Upper bounds of the hook latencies, in seconds. Gates answer within one write to the disk; hooks that judge wait for
/// evidence, or for a whole load.
const BUCKETS: [f64; 14] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Asked {
    path: &'static str,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    path: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Happened {
    r#type: EventType,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Which {
    kind: String,
    namespace: String,
    name: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Whose {
    namespace: String,
    name: String,
}

impl Whose {
    fn of(canary: &Canary) -> Self {
        Self { namespace: canary.namespace.clone(), name: canary.name.clone() }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Commanded {
    namespace: String,
    name: String,
    r#type: String,
    result: &'static str,
}

/// The type of a Flagger event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
pub(super) enum EventType {
    Normal,
    Warning,
    Other,
}

impl EventType {
    /// As Flagger writes it.
    pub(super) fn of(text: &str) -> Self {
        match text {
            "Normal" => Self::Normal,
            "Warning" => Self::Warning,
            _ => Self::Other,
        }
    }
}

type Latencies = Family<Answered, Histogram, fn() -> Histogram>;

/// Counters that handlers add to.
#[derive(Debug)]
pub(super) struct Metrics {
    requests: Family<Asked, Counter>,
    latencies: Latencies,
    events: Family<Happened, Counter>,
    verdicts: Verdicts,
    panics: Counter,
    started: Timestamp,
}

impl Metrics {
    pub(super) fn new() -> Self {
        Self {
            requests: Family::default(),
            latencies: Latencies::new_with_constructor(|| Histogram::new(BUCKETS)),
            events: Family::default(),
            verdicts: Verdicts::default(),
            panics: Counter::default(),
            started: Timestamp::now(),
        }
    }

    /// A request was answered. `path` is one of ours, or `other`.
    pub(super) fn answered(&self, path: &'static str, status: u16, took: Duration) {
        self.requests.get_or_create(&Asked { path, status }).inc();
        self.latencies.get_or_create(&Answered { path }).observe(took.as_secs_f64());
    }

    /// Flagger reported an event.
    pub(super) fn event(&self, kind: EventType) {
        self.events.get_or_create(&Happened { r#type: kind }).inc();
    }

    /// A hook that may start load was answered.
    pub(super) fn judged(&self, canary: &Canary, role: Role, answer: &Answer) {
        self.verdicts.told(canary, role, answer);
    }

    /// A handler panicked.
    pub(super) fn panicked(&self) {
        self.panics.inc();
    }

    /// The page, with gates, canaries and results of commands as they are now.
    pub(super) fn page(&self, gates: &[(Key, Gate)], canaries: Vec<Sums>, results: Vec<Result>) -> String {
        let now = Timestamp::now();
        let open = Family::<Which, Gauge>::default();
        for (key, gate) in gates {
            let (name, namespace) = (key.canary.name.clone(), key.canary.namespace.clone());
            let which = Which { kind: key.kind.to_string(), namespace, name };
            open.get_or_create(&which).set(i64::from(gate.opening(now).is_some()));
        }
        let running = Family::<Whose, Gauge>::default();
        for sums in &canaries {
            running.get_or_create(&Whose::of(&sums.canary)).set(i64::try_from(sums.running).unwrap_or(i64::MAX));
        }
        let commands = Family::<Commanded, Counter>::default();
        for Result { canary, kind, result, times } in results {
            let Whose { namespace, name } = Whose::of(&canary);
            commands.get_or_create(&Commanded { namespace, name, r#type: kind, result }).inc_by(times);
        }
        let verdicts = self.verdicts.of(canaries.iter().map(|sums| &sums.canary));
        let started = Gauge::<i64>::default();
        started.set(self.started.as_second());
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        let mut registry = Registry::with_prefix("tollgate");
        registry.register("hook_requests", "Requests answered, by path and status", self.requests.clone());
        registry.register("hook_duration_seconds", "From a request's head to its answer", self.latencies.clone());
        registry.register("flagger_events", "Events that Flagger reported, by type", self.events.clone());
        registry.register_collector(Box::new(verdicts));
        registry.register("loads", "Loads that run now", running);
        registry.register_collector(Box::new(Loads::new(canaries)));
        registry.register("commands", "Commands of hooks that ended, or found no room", commands);
        registry.register("panics", "Requests whose handler panicked", self.panics.clone());
        registry.register("gate_open", "1 for an open gate, 0 for one that was open", open);
        registry.register("start_time_seconds", "When the service started, since 1970", started);
        registry.register("build", "The version that runs", build);
        let mut page = String::new();
        if encode(&mut page, &registry).is_err() {
            // Writing to a text does not fail; a page that says so is better than none.
            let _ = writeln!(page, "# EOF");
        }
        page
    }
}
