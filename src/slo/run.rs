//! What one run says about a clause: the rules that keep a good release from being refused and a bad one from going
//! through.

use std::cmp::Ordering;

use crate::stats::{Code, Failing, Fault, Moments, Reading, Series, Set, Stopped, Summary, Test};

use super::clause::{Aggregate, Clause, Comparison, Metric, Otherwise, Share};
use super::compile::Compiled;
use super::decimal::Fraction;
use super::measured::{bursts, counts, reading};
use super::over;
use super::rule::Rule;
use super::taint::tainted;
use super::verdict::{Decision, Value};

/// Below this share of requests sent on schedule the run tells about us, not about the target.
const LEAST_ACHIEVED: Fraction = Fraction { num: 95, den: 100 };

/// A run's summary, and what it says about all clauses at once.
pub(super) struct Run<'a> {
    pub(super) summary: &'a Summary,
    /// Nothing was ever reached.
    pub(super) unreachable: bool,
    /// Too much of the load was late or lost by our own fault.
    pub(super) saturated: bool,
    /// Requests that no complete answer came for.
    pub(super) unanswered: u64,
}

/// Which failures count.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Failures {
    All,
    /// Only those that the target owned up to: while we are saturated, a timeout may be ours.
    Answered,
}

impl<'a> Run<'a> {
    pub(super) fn of(summary: &'a Summary) -> Self {
        let own = &summary.generator;
        let on_schedule = own.scheduled.saturating_sub(own.late + own.local);
        let answers: u64 = summary.codes.iter().filter(|(code, _)| **code != Code::None).map(|(_, n)| n).sum();
        let local = summary.faults.get(&Fault::Local).copied().unwrap_or(0);
        let never = !summary.reached && answers == 0 && summary.succeeded == 0;
        Self {
            summary,
            unreachable: never && (summary.finished > 2 * local || summary.stopped == Some(Stopped::Unreachable)),
            saturated: below(on_schedule, own.scheduled, LEAST_ACHIEVED),
            unanswered: summary.faults.get(&Fault::Timeout).copied().unwrap_or(0),
        }
    }

    /// The clause's decision, and why where the numbers do not say it.
    pub(super) fn settle(&self, compiled: &Compiled<'_>, n: u64) -> (Decision, Option<String>) {
        let clause = compiled.clause;
        let reading = reading(compiled, self.summary);
        let decision = self.evaluate(compiled, reading, Failures::All);
        if clause.metric.is_time() {
            let tainted = tainted(compiled, self.summary);
            if self.saturated || tainted.is_some() {
                return (Decision::Saturated, tainted);
            }
        } else if self.saturated {
            let failed = self.fails_whoever_is_late(compiled, reading);
            return if failed { (Decision::Fail, self.note_on_failures(clause)) } else { (Decision::Saturated, None) };
        }
        let (decision, window) = match self.worst_window(compiled) {
            Some(window) if matches!(decision, Decision::Pass | Decision::Inconclusive) => {
                (Decision::Fail, Some(window))
            }
            _ => (decision, None),
        };
        match decision {
            // Being late is our own doing: it can spoil a run, but says nothing against the target.
            Decision::Fail if clause.metric == Metric::Share(Share::Achieved) => (Decision::Saturated, None),
            Decision::Fail => match self.short_of_lanes(compiled) {
                short @ Some(_) => (Decision::Insufficient, short),
                None => (Decision::Fail, window.or_else(|| self.note_on_failures(clause))),
            },
            Decision::Insufficient => otherwise(clause, decision, Some(self.missing(compiled, n))),
            Decision::Inconclusive => otherwise(clause, decision, None),
            other => (other, None),
        }
    }

    /// The window of `over=` that is clearly worse than the bound, in words.
    fn worst_window(&self, compiled: &Compiled<'_>) -> Option<String> {
        let (Some(over), Rule::Share(rule), Some((meter, _))) =
            (compiled.clause.options.over, compiled.rule, compiled.meter)
        else {
            return None;
        };
        over::worst(&rule, self.summary.by_second.get(&meter)?, over, compiled.alpha())
    }

    fn evaluate(&self, compiled: &Compiled<'_>, reading: Option<&Reading>, failures: Failures) -> Decision {
        let least_n = compiled.least_n();
        match (compiled.rule, reading, compiled.meter) {
            (Rule::Share(rule), Some(Reading::Tally(tally)), Some((_, meter))) => {
                let (n, k) = self.counts(counts(tally, meter.test), meter.test, failures);
                rule.decide(n, rule.bad.of(n, k), n, bursts(compiled, self.summary))
            }
            (Rule::Count { side, comparison, bound }, Some(Reading::Tally(tally)), Some((_, meter))) => {
                let (n, k) = self.counts(counts(tally, meter.test), meter.test, failures);
                let count = side.of(n, k);
                let holds = comparison.accepts(count.cmp(&bound));
                // A count only grows: what is above an upper limit stays above it.
                let certain = matches!(comparison, Comparison::Lt | Comparison::Le | Comparison::Eq) && count > bound
                    || comparison == Comparison::Lt && count == bound;
                enough(holds, n > 0 && (n >= least_n || !holds && certain))
            }
            (Rule::Moments, Some(Reading::Moments(moments)), _) => {
                let n = moments.n + moments.beyond;
                enough(moments_hold(compiled.clause, moments), n > 0 && n >= least_n)
            }
            (Rule::Overall, ..) => self.evaluate_overall(compiled.clause, least_n),
            _ => Decision::Insufficient,
        }
    }

    fn evaluate_overall(&self, clause: &Clause, least_n: u64) -> Decision {
        let bound = clause.absolute().unwrap_or(Fraction::ZERO);
        let own = &self.summary.generator;
        let (order, n) = match clause.metric {
            Metric::Share(_) => {
                let kept = u128::from(own.scheduled.saturating_sub(own.late + own.local));
                ((kept * bound.den).cmp(&(u128::from(own.scheduled) * bound.num)), own.scheduled)
            }
            Metric::Count => {
                (u128::from(self.summary.finished).cmp(&bound.num.div_ceil(bound.den)), self.summary.finished)
            }
            _ => {
                let order = self.summary.throughput().partial_cmp(&bound.as_f64());
                (order.unwrap_or(Ordering::Less), self.summary.finished)
            }
        };
        enough(clause.comparison.accepts(order), n > 0 && n >= least_n)
    }

    /// Population and those that hold; where only answered failures count, the unanswered are given the benefit of
    /// the doubt.
    pub(super) fn counts(&self, (n, k): (u64, u64), test: Test, failures: Failures) -> (u64, u64) {
        match (failures, test) {
            (Failures::Answered, Test::Share(Set::Success)) => (n, (k + self.unanswered).min(n)),
            (Failures::Answered, Test::Share(Set::Errors)) => (n, k.saturating_sub(self.unanswered)),
            (Failures::Answered, Test::Share(Set::Fault(Fault::Timeout))) => (n, 0),
            _ => (n, k),
        }
    }

    /// Whether a clause on answers fails although we are saturated: for what the target itself answered.
    fn fails_whoever_is_late(&self, compiled: &Compiled<'_>, reading: Option<&Reading>) -> bool {
        let lower_count = matches!(compiled.rule, Rule::Count { comparison, .. } if comparison.is_lower());
        !matches!(compiled.rule, Rule::Overall)
            && !lower_count
            && self.evaluate(compiled, reading, Failures::Answered) == Decision::Fail
    }

    /// How many lanes the load would need, if it is for want of lanes that a latency clause fails: the same bound
    /// holds from the send, and by Little's law rate × mean service time requests are in flight, more than may be.
    fn short_of_lanes(&self, compiled: &Compiled<'_>) -> Option<String> {
        let (index, companion) = compiled.companion?;
        let mean = match (self.summary.readings.get(index)?, compiled.rule) {
            (Reading::Tally(tally), Rule::Share(rule)) => {
                let (n, k) = counts(tally, companion.test);
                let holds = tally.k > 0 && rule.holds(n, rule.bad.of(n, k));
                holds.then(|| tally.sum as f64 / tally.k as f64)
            }
            (Reading::Moments(moments), Rule::Moments) if moments_hold(compiled.clause, moments) => moments.mean(),
            _ => None,
        }?;
        // All requests keep lanes, not only those that the clause is about.
        let all = |summary: &Summary| summary.distributions.get(&Series::Service).and_then(|of| of.moments.mean());
        let mean = if compiled.clause.is_partial() { all(self.summary)? } else { mean };
        self.lanes_for(mean)
    }

    /// How many lanes requests of this mean service time need, if they are more than the load may use.
    pub(super) fn lanes_for(&self, mean: f64) -> Option<String> {
        let own = &self.summary.generator;
        let rate = own.rate?;
        let wanted = rate * mean / 1e9;
        let (each, rate, most) = (Value::Time(mean), Value::PerSecond(rate), own.max_lanes);
        (wanted > f64::from(most))
            .then(|| format!("needs ≥ {:.0} lanes ({rate} at {each} each, {most} allowed)", wanted.ceil()))
    }

    fn missing(&self, compiled: &Compiled<'_>, n: u64) -> String {
        let least_n = compiled.least_n();
        let bad = match (compiled.rule, reading(compiled, self.summary), compiled.meter) {
            (Rule::Share(rule), Some(Reading::Tally(tally)), Some((_, meter))) if n > 0 => {
                let (n, k) = counts(tally, meter.test);
                let bad = rule.bad.of(n, k);
                let metric = &compiled.clause.metric;
                let what = if metric.is_time() { "slow" } else { "bad" };
                format!(" ({bad} {what} so far)")
            }
            _ => String::new(),
        };
        format!("needs {}, has {n}{bad}", requests(least_n))
    }

    /// What the failures have to say for themselves, where the clause is about them.
    pub(super) fn note_on_failures(&self, clause: &Clause) -> Option<String> {
        if !matches!(clause.metric, Metric::Share(Share::Success | Share::Errors)) || clause.is_partial() {
            return None;
        }
        note_on_calls(self.summary).or_else(|| self.note_on_refusals())
    }

    /// `all 1200 answered 404; if that is right, set success: non-5xx`, where every failure was such an answer.
    fn note_on_refusals(&self) -> Option<String> {
        let summary = self.summary;
        let (mut refused, mut statuses) = (0, Vec::new());
        for (code, n) in &summary.codes {
            match code {
                Code::Http(400..=499) => {
                    refused += n;
                    statuses.push(code);
                }
                Code::Http(200..=399) => {}
                _ => return None,
            }
        }
        if refused == 0 || !summary.faults.is_empty() || summary.finished - summary.succeeded != refused {
            return None;
        }
        let which = match statuses.as_slice() {
            [Code::Http(status)] => status.to_string(),
            _ => "4xx".to_owned(),
        };
        let who =
            if refused == summary.finished { format!("all {refused}") } else { format!("all {refused} failures") };
        Some(format!("{who} answered {which}; if that is right, set success: non-5xx"))
    }
}

/// `most often UNAVAILABLE: no healthy upstream`, where that is what most of the failures were: a status of gRPC, and what the
/// server said with it.
fn note_on_calls(summary: &Summary) -> Option<String> {
    match summary.commonest_failure()? {
        (_, Failing::Answer(Code::Grpc(status))) => Some(format!("most often {}", summary.said.in_short(status))),
        _ => None,
    }
}

/// Whether `part` ÷ `whole` is below `share`; never without any.
pub(super) fn below(part: u64, whole: u64, share: Fraction) -> bool {
    u128::from(part) * share.den < u128::from(whole) * share.num
}

pub(super) const fn enough(holds: bool, evidence: bool) -> Decision {
    match (evidence, holds) {
        (false, _) => Decision::Insufficient,
        (true, true) => Decision::Pass,
        (true, false) => Decision::Fail,
    }
}

/// `1 request`, `100 requests`.
pub(super) fn requests(n: u64) -> String {
    format!("{n} request{}", if n == 1 { "" } else { "s" })
}

/// What too little evidence comes to by the clause's own wish.
pub(super) fn otherwise(clause: &Clause, decision: Decision, note: Option<String>) -> (Decision, Option<String>) {
    let (wished, word) = match clause.options.otherwise {
        None | Some(Otherwise::Retry) => return (decision, note),
        Some(Otherwise::Pass) => (Decision::Pass, "else=pass"),
        Some(Otherwise::Fail) => (Decision::Fail, "else=fail"),
    };
    let why = note.unwrap_or_else(|| "the evidence straddles the bound".to_owned());
    (wished, Some(format!("{why}: {word}")))
}

/// Whether mean or standard deviation keeps the bound. A request without an answer is slower than any bound, and so
/// is a mean over it.
fn moments_hold(clause: &Clause, moments: &Moments) -> bool {
    let bound = clause.absolute().unwrap_or(Fraction::ZERO);
    if moments.beyond > 0 {
        return clause.comparison.is_lower();
    }
    let order = if matches!(clause.metric, Metric::Series(_, Aggregate::Avg)) {
        match (moments.sum.checked_mul(bound.den), bound.num.checked_mul(u128::from(moments.n))) {
            (Some(sum), Some(most)) => Some(sum.cmp(&most)),
            _ => moments.mean().and_then(|mean| mean.partial_cmp(&bound.as_f64())),
        }
    } else {
        moments.stddev().and_then(|spread| spread.partial_cmp(&bound.as_f64()))
    };
    order.is_some_and(|order| clause.comparison.accepts(order))
}
