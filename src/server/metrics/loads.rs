//! What the loads of each canary saw: sums since its first load, over those that run and those that are over.

use std::collections::BTreeMap;
use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric as _, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;

use super::Whose;
use crate::stats::{Code, Counted, Outcomes, Steps, grpc_name};
use crate::task::Sums;

/// Nanoseconds of a second.
const SECOND: f64 = 1e9;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Side {
    namespace: String,
    name: String,
    version: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ended {
    namespace: String,
    name: String,
    version: &'static str,
    outcome: &'static str,
    status: &'static str,
    fault: &'static str,
}

/// How requests ended, in labels: whether that is a success, the status, the fault.
type Ending = (&'static str, &'static str, &'static str);

/// Endings that are shown before the first one: what is divided by them, and what is waited for.
const FIRST: [Ending; 2] = [("success", "2xx", "none"), ("failure", "5xx", "none")];

/// All of them.
#[derive(Debug)]
pub(super) struct Loads(Vec<(Side, Counted)>);

impl Loads {
    pub(super) fn new(canaries: Vec<Sums>) -> Self {
        let sides = canaries.into_iter().flat_map(|Sums { canary, counted, primary, .. }| {
            let Whose { namespace, name } = Whose::of(&canary);
            let side = move |version| Side { namespace: namespace.clone(), name: name.clone(), version };
            let sides = [("canary", counted), ("primary", primary)];
            sides.into_iter().filter_map(move |(version, counted)| Some((side(version), counted?)))
        });
        Self(sides.collect())
    }

    fn requests(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let help = "Requests of loads that are judged, by how they ended";
        let mut family = encoder.encode_descriptor("load_requests", help, None, MetricType::Counter)?;
        for (side, counted) in &self.0 {
            for ((outcome, status, fault), n) in endings(&counted.outcomes) {
                let Side { namespace, name, version } = side.clone();
                let ended = Ended { namespace, name, version, outcome, status, fault };
                ConstCounter::new(n).encode(family.encode_family(&ended)?)?;
            }
        }
        Ok(())
    }

    fn steps(
        &self,
        encoder: &mut DescriptorEncoder<'_>,
        (name, help): (&str, &str),
        steps: impl Fn(&Counted) -> &Steps,
    ) -> fmt::Result {
        let mut family = encoder.encode_descriptor(name, help, None, MetricType::Histogram)?;
        for (side, counted) in &self.0 {
            let steps = steps(counted);
            let end = |end: Option<u64>| end.map_or(f64::INFINITY, |end| end as f64 / SECOND);
            let rows: Vec<(f64, u64)> = steps.rows().map(|(bound, n)| (end(bound), n)).collect();
            let mut one = family.encode_family(side)?;
            one.encode_histogram::<NoLabelSet>(steps.sum() as f64 / SECOND, steps.n(), &rows, None)?;
        }
        Ok(())
    }
}

impl Collector for Loads {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.requests(&mut encoder)?;
        let latency = ("load_latency_seconds", "From when a request was due to its last byte: successes and timeouts");
        self.steps(&mut encoder, latency, |counted| &counted.latency)?;
        let lag = ("load_lag_seconds", "How late tollgate itself noticed that a request was due");
        self.steps(&mut encoder, lag, |counted| &counted.lag)
    }
}

/// The requests by labels of few values.
fn endings(outcomes: &Outcomes) -> BTreeMap<Ending, u64> {
    let mut all: BTreeMap<Ending, u64> = FIRST.into_iter().map(|ending| (ending, 0)).collect();
    for (outcome, success, n) in outcomes.iter() {
        let fault = outcome.fault.map_or("none", |fault| fault.name());
        let ending = (if success { "success" } else { "failure" }, status(outcome.code), fault);
        *all.entry(ending).or_default() += n;
    }
    all
}

const fn status(code: Code) -> &'static str {
    match code {
        Code::None => "none",
        Code::Http(100..=199) => "1xx",
        Code::Http(200..=299) => "2xx",
        Code::Http(300..=399) => "3xx",
        Code::Http(400..=499) => "4xx",
        Code::Http(500..=599) => "5xx",
        Code::Http(_) => "other",
        Code::Grpc(status) => grpc_name(status),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{Fault, Outcome};

    #[test]
    fn any_status_and_fault_is_one_of_a_few_labels_and_none_is_lost() {
        let mut outcomes = Outcomes::default();
        for status in 100..=999 {
            outcomes.add(Outcome::http(status), status < 400, 1);
            outcomes.add(Outcome::http(status).with(Fault::Truncated), false, 1);
        }
        outcomes.add(Outcome::fault(Fault::Timeout), false, 7);
        outcomes.add(Outcome { code: Code::Grpc(14), fault: None }, false, 3);
        let endings = endings(&outcomes);
        assert_eq!(endings.values().sum::<u64>(), 1_810);
        for (ending, n) in [
            (("success", "2xx", "none"), 100),
            (("failure", "2xx", "truncated"), 100),
            (("failure", "5xx", "none"), 100),
            (("failure", "other", "none"), 400),
            (("failure", "none", "timeout"), 7),
            (("failure", "UNAVAILABLE", "none"), 3),
        ] {
            assert_eq!(endings.get(&ending), Some(&n), "{ending:?}");
        }
        assert_eq!(endings.len(), 14);
    }
}
