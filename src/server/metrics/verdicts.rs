//! What hooks that may start load were answered: how often what, and the values that the newest answer was made on.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Mutex, PoisonError};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use super::Whose;
use crate::canary::Canary;
use crate::slo::{Finding, Value};
use crate::task::{Answer, Role};

/// Clauses of one hook that are shown, and characters of each: the line is the caller's.
const MOST: usize = 32;
const SHOWN: usize = 120;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Judged {
    namespace: String,
    name: String,
    hook: &'static str,
    verdict: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Clause {
    namespace: String,
    name: String,
    hook: &'static str,
    clause: String,
}

/// A clause's newest value and bound, in base units; `None` where there is none.
type Numbers = (Option<f64>, Option<f64>);

/// What one canary's hooks were told.
#[derive(Clone, Debug, Default)]
struct Told {
    /// How often, by the hook's path and the answer.
    answers: BTreeMap<(&'static str, &'static str), u64>,
    /// By the hook's path and the clause.
    clauses: BTreeMap<(&'static str, String), Numbers>,
}

/// What hooks were told, by canary.
#[derive(Debug, Default)]
pub(super) struct Verdicts(Mutex<BTreeMap<Canary, Told>>);

impl Verdicts {
    /// A hook was answered.
    pub(super) fn told(&self, canary: &Canary, role: Role, answer: &Answer) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let told = all.entry(canary.clone()).or_default();
        *told.answers.entry((role.path(), answer.kind.name())).or_default() += 1;
        if let Some(verdict) = &answer.verdict {
            told.clauses.retain(|(hook, _), _| *hook != role.path());
            for finding in verdict.findings.iter().take(MOST) {
                let clause = finding.clause.chars().take(SHOWN).collect();
                told.clauses.insert((role.path(), clause), numbers(finding));
            }
        }
    }

    /// As it stands, of those canaries that are still known; the others are forgotten.
    pub(super) fn of<'a>(&self, known: impl Iterator<Item = &'a Canary>) -> Shown {
        let known: BTreeSet<&Canary> = known.collect();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|canary, _| known.contains(canary));
        Shown(all.clone())
    }
}

/// Value and bound of a clause.
fn numbers(finding: &Finding) -> Numbers {
    let bound = Some(finding.bound).filter(|bound| *bound != Value::Beyond);
    (finding.value.map(base), bound.map(base))
}

/// In seconds, bytes, shares from 0 to 1, requests, requests a second; infinite among timeouts.
fn base(value: Value) -> f64 {
    match value {
        Value::Time(nanoseconds) => nanoseconds / 1e9,
        other => other.as_f64(),
    }
}

/// The verdicts as they stand.
#[derive(Debug)]
pub(super) struct Shown(BTreeMap<Canary, Told>);

impl Shown {
    fn answers(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let help = "Answers of hooks that may start load";
        let mut family = encoder.encode_descriptor("verdicts", help, None, MetricType::Counter)?;
        for (canary, told) in &self.0 {
            for ((hook, verdict), times) in &told.answers {
                let Whose { namespace, name } = Whose::of(canary);
                let labels = Judged { namespace, name, hook, verdict };
                ConstCounter::new(*times).encode(family.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }

    fn clauses(
        &self,
        encoder: &mut DescriptorEncoder<'_>,
        (name, help): (&str, &str),
        number: impl Fn(&Numbers) -> Option<f64>,
    ) -> fmt::Result {
        let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (canary, told) in &self.0 {
            for ((hook, clause), numbers) in &told.clauses {
                let Some(number) = number(numbers) else { continue };
                let Whose { namespace, name } = Whose::of(canary);
                let labels = Clause { namespace, name, hook, clause: clause.clone() };
                ConstGauge::new(number).encode(family.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}

impl Collector for Shown {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.answers(&mut encoder)?;
        self.clauses(&mut encoder, ("clause_value", "A clause as the newest verdict measured it"), |numbers| {
            numbers.0
        })?;
        self.clauses(&mut encoder, ("clause_bound", "The bound of a clause in the newest verdict"), |numbers| numbers.1)
    }
}
