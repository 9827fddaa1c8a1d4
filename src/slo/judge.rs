//! From counts to a verdict: the rules that keep a good release from being refused and a bad one from going through.

use std::cmp::Ordering;

use crate::stats::{Code, Fault, Moments, Reading, Set, Stopped, Summary, Test};

use super::clause::{Aggregate, Clause, Comparison, Line, Metric, Otherwise, Share};
use super::compile::{AtMostBad, Compiled, Rule, compile};
use super::decimal::Fraction;
use super::measured::{Measured, bound, counts, measured, reading};
use super::reason::reason;
use super::verdict::{Decision, Finding, Value, Verdict};

/// Below this share of requests sent on schedule the run tells about us, not about the target.
const LEAST_ACHIEVED: Fraction = Fraction { num: 95, den: 100 };
/// Above this share of requests in flight while we stood still, times are ours, whatever the quantile.
const MOST_TAINTED: Fraction = Fraction { num: 5, den: 100 };

/// Judges a run, or a window of one, by what was counted for `line`.
///
/// `summary.readings` must be in the order of [`Line::measures`]' meters; a clause without its reading has no
/// evidence. A line with anything [`Line::unsupported`] comes to [`Decision::Error`].
#[must_use]
pub fn judge(line: &Line, summary: &Summary) -> Verdict {
    let compiled = compile(line);
    let run = Run::of(summary);
    let findings: Vec<Finding> = compiled.iter().map(|clause| run.finding(clause)).collect();
    if let Some(error) = &summary.error {
        return Verdict { decision: Decision::Error, reason: error.chars().take(240).collect(), findings };
    }
    let decision = run.overall(&findings);
    let heads: Vec<String> = line.clauses.iter().map(Clause::head).collect();
    let reason = reason(decision, &heads, &findings, summary, run.saturated);
    Verdict { decision, reason, findings }
}

/// A run's summary, and what it says about all clauses at once.
struct Run<'a> {
    summary: &'a Summary,
    /// Nothing was ever reached.
    unreachable: bool,
    /// Too much of the load was late or lost by our own fault.
    saturated: bool,
    /// Requests that no complete answer came for.
    unanswered: u64,
}

/// Which failures count.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Failures {
    All,
    /// Only those that the target owned up to: while we are saturated, a timeout may be ours.
    Answered,
}

impl<'a> Run<'a> {
    fn of(summary: &'a Summary) -> Self {
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

    fn overall(&self, findings: &[Finding]) -> Decision {
        let enforced = findings.iter().filter(|finding| !finding.advisory).map(|finding| finding.decision).max();
        enforced.unwrap_or(if self.unreachable {
            Decision::Unreachable
        } else if self.summary.finished == 0 {
            Decision::Insufficient
        } else {
            Decision::Pass
        })
    }

    fn finding(&self, compiled: &Compiled<'_>) -> Finding {
        let clause = compiled.clause;
        let Measured { value, interval, n } = measured(compiled, self.summary);
        let (decision, note) = match self.unreachable {
            true if !matches!(compiled.rule, Rule::Unsupported) => (Decision::Unreachable, None),
            _ => self.settle(compiled, n),
        };
        let bound = bound(clause);
        let within = |(low, high): (Value, Value)| low.as_f64() <= bound.as_f64() && bound.as_f64() <= high.as_f64();
        Finding {
            clause: clause.to_string(),
            metric: clause.metric.name(),
            decision,
            advisory: clause.options.warn,
            value,
            comparison: clause.comparison.symbol(),
            bound,
            interval,
            n,
            least_n: compiled.least_n(),
            thin: interval.is_some_and(within),
            note,
        }
    }

    /// The clause's decision, and why where the numbers do not say it.
    fn settle(&self, compiled: &Compiled<'_>, n: u64) -> (Decision, Option<String>) {
        let clause = compiled.clause;
        if matches!(compiled.rule, Rule::Unsupported) {
            return (Decision::Error, clause.unsupported());
        }
        let reading = reading(compiled, self.summary);
        let decision = self.evaluate(compiled, reading, Failures::All);
        if clause.metric.is_time() {
            let tainted = tainted(compiled, reading);
            if self.saturated || tainted.is_some() {
                return (Decision::Saturated, tainted);
            }
        } else if self.saturated {
            let failed = self.fails_whoever_is_late(compiled, reading);
            return if failed { (Decision::Fail, self.note_on_failures(clause)) } else { (Decision::Saturated, None) };
        }
        match decision {
            // Being late is our own doing: it can spoil a run, but says nothing against the target.
            Decision::Fail if clause.metric == Metric::Share(Share::Achieved) => (Decision::Saturated, None),
            Decision::Fail => match self.short_of_lanes(compiled) {
                short @ Some(_) => (Decision::Insufficient, short),
                None => (Decision::Fail, self.note_on_failures(clause)),
            },
            Decision::Insufficient => otherwise(clause, decision, Some(self.missing(compiled, n))),
            Decision::Inconclusive => otherwise(clause, decision, None),
            other => (other, None),
        }
    }

    fn evaluate(&self, compiled: &Compiled<'_>, reading: Option<&Reading>, failures: Failures) -> Decision {
        let least_n = compiled.least_n();
        match (compiled.rule, reading, compiled.meter) {
            (Rule::Share(rule), Some(Reading::Tally(tally)), Some((_, test))) => {
                let (n, k) = self.counts(counts(tally, test), test, failures);
                rule.decide(n, rule.bad.of(n, k), n)
            }
            (Rule::Count { side, comparison, bound }, Some(Reading::Tally(tally)), Some((_, test))) => {
                let (n, k) = self.counts(counts(tally, test), test, failures);
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
    fn counts(&self, (n, k): (u64, u64), test: Test, failures: Failures) -> (u64, u64) {
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
        let own = &self.summary.generator;
        let rate = own.rate?;
        let mean = match (self.summary.readings.get(compiled.companion?)?, compiled.rule, compiled.meter?) {
            (Reading::Tally(tally), Rule::Share(rule), (_, test)) => {
                let (n, k) = counts(tally, test);
                let holds = tally.k > 0 && rule.holds(n, rule.bad.of(n, k));
                holds.then(|| tally.sum as f64 / tally.k as f64)
            }
            (Reading::Moments(moments), Rule::Moments, _) if moments_hold(compiled.clause, moments) => moments.mean(),
            _ => None,
        }?;
        let wanted = rate * mean / 1e9;
        let (each, rate, most) = (Value::Time(mean), Value::PerSecond(rate), own.max_lanes);
        (wanted > f64::from(most))
            .then(|| format!("needs ≥ {:.0} lanes ({rate} at {each} each, {most} allowed)", wanted.ceil()))
    }

    fn missing(&self, compiled: &Compiled<'_>, n: u64) -> String {
        let least_n = compiled.least_n();
        let requests = if least_n == 1 { "request" } else { "requests" };
        let bad = match (compiled.rule, reading(compiled, self.summary), compiled.meter) {
            (Rule::Share(rule), Some(Reading::Tally(tally)), Some((_, test))) if n > 0 => {
                let (n, k) = counts(tally, test);
                let bad = rule.bad.of(n, k);
                let metric = &compiled.clause.metric;
                let what = if metric.is_time() { "slow" } else { "bad" };
                format!(" ({bad} {what} so far)")
            }
            _ => String::new(),
        };
        format!("needs {least_n} {requests}, has {n}{bad}")
    }

    /// `all 1200 answered 404; if that is right, set success: non-5xx`, where every failure was such an answer.
    fn note_on_failures(&self, clause: &Clause) -> Option<String> {
        if !matches!(clause.metric, Metric::Share(Share::Success | Share::Errors)) {
            return None;
        }
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

/// Whether `part` ÷ `whole` is below `share`; never without any.
fn below(part: u64, whole: u64, share: Fraction) -> bool {
    u128::from(part) * share.den < u128::from(whole) * share.num
}

const fn enough(holds: bool, evidence: bool) -> Decision {
    match (evidence, holds) {
        (false, _) => Decision::Insufficient,
        (true, true) => Decision::Pass,
        (true, false) => Decision::Fail,
    }
}

/// What too little evidence comes to by the clause's own wish.
fn otherwise(clause: &Clause, decision: Decision, note: Option<String>) -> (Decision, Option<String>) {
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

/// Whether too many of a time clause's requests were in flight while we stood still, or leaving those out would
/// decide it otherwise; then in words.
fn tainted(compiled: &Compiled<'_>, reading: Option<&Reading>) -> Option<String> {
    let (n, tainted, changes) = match (reading?, compiled.rule, compiled.meter?) {
        (Reading::Tally(tally), Rule::Share(rule), (_, test)) => {
            let (n, k) = counts(tally, test);
            let left = (tally.tainted_n.min(n), tally.tainted_k.min(k));
            (n, left.0, coloured(&rule, (n, k), left))
        }
        (Reading::Tally(tally), ..) => (tally.n, tally.tainted_n, false),
        (Reading::Moments(moments), ..) => (moments.n + moments.beyond, moments.tainted, false),
    };
    let most = |share: Fraction| u128::from(tainted) * share.den > u128::from(n) * share.num;
    (tainted > 0 && (changes || most(MOST_TAINTED)))
        .then(|| format!("{tainted} of {n} requests were in flight while our own process stood still"))
}

/// Whether the tainted samples outnumber those that may be bad, or decide the clause.
fn coloured(rule: &AtMostBad, (n, k): (u64, u64), (tainted_n, tainted_k): (u64, u64)) -> bool {
    let many = rule.allowed.num > 0 && below(n - tainted_n, n, rule.allowed.complement());
    let (clean_n, clean_k) = (n - tainted_n, k - tainted_k);
    many || rule.decide(clean_n, rule.bad.of(clean_n, clean_k), n) != rule.decide(n, rule.bad.of(n, k), n)
}
