//! A clause beside the same metric measured elsewhere: who it is compared with, whether both sides are worth comparing,
//! and what comes of it.

use crate::stats::{Distribution, Fault, Reading, Series, Set, Summary};

use super::bursts::dispersion;
use super::clause::Reference;
use super::compare::{Compared, Comparing};
use super::compile::Compiled;
use super::decimal::Fraction;
use super::judge::{Judge, Judged};
use super::measured::{Measured, counts, reading, shown};
use super::run::{Failures, Run, otherwise, requests};
use super::score::Sampled;
use super::taint::tainted;
use super::verdict::{Decision, Value};

/// The side that a clause is compared with.
struct Other<'a> {
    run: Run<'a>,
    /// Whether it was counted by the same meters, now; otherwise it is a saved run, known as a whole.
    metered: bool,
}

/// What a comparison comes to.
pub(super) fn beside(
    judge: &Judge<'_>,
    compiled: &Compiled<'_>,
    comparing: &Comparing,
    run: &Run<'_>,
    measured: &Measured,
) -> Judged {
    let clause = compiled.clause;
    let insufficient = |why: String| Judged::from(otherwise(clause, Decision::Insufficient, Some(why)));
    let Some(base) = clause.reference() else { return insufficient("nothing to compare with".to_owned()) };
    let other = match base {
        Reference::Primary => judge.evidence.primary.map(|summary| Other { run: Run::of(summary), metered: true }),
        saved => judge.evidence.references.get(saved).map(|summary| Other { run: Run::of(summary), metered: false }),
    };
    let Some(other) = other else {
        return insufficient(match base {
            Reference::Primary => "no primary was loaded beside it".to_owned(),
            saved => format!("there is no report of {saved}"),
        });
    };
    if let Some(why) = unfit(base, &other.run) {
        return insufficient(why);
    }
    let sides = Sides { compiled, comparing, run, base, other };
    match comparing.what {
        Compared::Quantile(series, q) => sides.quantiles(series, q, measured),
        Compared::Share(set) => sides.shares(set, measured),
    }
}

/// Why a reference is no measure, if so.
fn unfit(base: &Reference, other: &Run<'_>) -> Option<String> {
    let Summary { finished, succeeded, .. } = other.summary;
    if 2 * succeeded < *finished {
        let share = Value::Ratio(*succeeded as f64 / *finished as f64).among(*finished);
        return Some(format!("{base} itself succeeded on {share} only"));
    }
    (*base != Reference::Primary && other.saturated)
        .then(|| format!("{base} was measured while tollgate itself was late"))
}

/// Both sides of a comparison.
struct Sides<'a> {
    compiled: &'a Compiled<'a>,
    comparing: &'a Comparing,
    run: &'a Run<'a>,
    base: &'a Reference,
    other: Other<'a>,
}

impl Sides<'_> {
    fn quantiles(&self, series: Series, q: Fraction, measured: &Measured) -> Judged {
        let clause = self.compiled.clause;
        let distribution = if self.other.metered {
            shown(self.compiled, series, self.other.run.summary)
        } else {
            self.other.run.summary.distributions.get(&series)
        };
        let saturated = self.run.saturated || self.other.metered && self.other.run.saturated;
        let coloured = tainted(self.compiled, self.run.summary)
            .or_else(|| tainted(self.compiled, self.other.run.summary).filter(|_| self.other.metered));
        let middle = distribution.and_then(|of| of.at_rank(q.ceil_of(of.n()).max(1)));
        let unit = |value: f64| if series.is_bytes() { Value::Bytes(value) } else { Value::Time(value) };
        let reference = middle.map(|middle| unit(middle as f64));
        let allowed = middle.map(|middle| self.comparing.allowance.bound(middle as f64));
        let bound = allowed.map(unit);
        let hanging = self.hanging(series, allowed);
        let own = shown(self.compiled, series, self.run.summary).cloned();
        let own = own.or_else(|| distribution.filter(|_| hanging > 0).map(Distribution::emptied));
        let own = own.map(|own| Distribution { beyond: own.beyond + hanging, ..own });
        let settled = if clause.metric.is_time() && (saturated || coloured.is_some()) {
            (Decision::Saturated, coloured)
        } else if self.run.saturated {
            (Decision::Saturated, None)
        } else if let Some(missing) = self.missing(measured.n + hanging, distribution.map_or(0, Distribution::n)) {
            otherwise(clause, Decision::Insufficient, Some(missing))
        } else {
            match (&own, distribution, middle) {
                (Some(own), Some(distribution), Some(_)) => {
                    let settled =
                        self.settled(self.comparing.quantiles(own, distribution, q), || self.short_of_lanes(q));
                    match settled {
                        (Decision::Fail, None) if hanging > 0 => {
                            (Decision::Fail, Some(format!("{} unanswered for longer than that", requests(hanging))))
                        }
                        settled => settled,
                    }
                }
                (Some(_), Some(_), None) => {
                    let why = format!("{} of {} is among its timeouts", clause.metric, self.base);
                    otherwise(clause, Decision::Insufficient, Some(why))
                }
                _ => otherwise(clause, Decision::Insufficient, Some("nothing was measured".to_owned())),
            }
        };
        Judged { bound: bound.or(Some(Value::Beyond)), reference, ..settled.into() }
    }

    fn shares(&self, set: Set, measured: &Measured) -> Judged {
        let clause = self.compiled.clause;
        let test = crate::stats::Test::Share(set);
        let tally = |summary: &Summary| match reading(self.compiled, summary) {
            Some(Reading::Tally(tally)) => counts(tally, test),
            _ => (0, 0),
        };
        let (other_n, other_k) =
            if self.other.metered { tally(self.other.run.summary) } else { of_whole(self.other.run.summary, set) };
        let failures = if self.run.saturated { Failures::Answered } else { Failures::All };
        let (n, k) = self.run.counts(tally(self.run.summary), test, failures);
        let share = (other_n > 0).then(|| other_k as f64 / other_n as f64);
        let settled = if let Some(missing) = self.missing(measured.n, other_n) {
            if self.run.saturated {
                (Decision::Saturated, None)
            } else {
                otherwise(clause, Decision::Insufficient, Some(missing))
            }
        } else {
            let decision = self
                .comparing
                .shares(self.sampled(self.run.summary, n, k), self.sampled(self.other.run.summary, other_n, other_k));
            match decision {
                Decision::Fail => (decision, self.run.note_on_failures(clause)),
                _ if self.run.saturated => (Decision::Saturated, None),
                decision => self.settled(decision, || None),
            }
        };
        let bound = share.map_or(Value::Beyond, |share| Value::Ratio(self.comparing.allowance.bound(share).min(1.0)));
        Judged { bound: Some(bound), reference: share.map(Value::Ratio), ..settled.into() }
    }

    /// Requests of a running load that are unanswered and have waited longer than the bound: they are slower than it,
    /// whatever comes of them.
    fn hanging(&self, series: Series, allowed: Option<f64>) -> u64 {
        let partial = self.compiled.meter.is_some_and(|(_, meter)| meter.is_partial());
        let Some(allowed) = allowed.filter(|_| series == Series::Latency && !partial) else { return 0 };
        self.run.summary.pending.iter().filter(|age| age.0 as f64 > allowed).count() as u64
    }

    /// A side's counts, at a confidence shrunk to what bursts leave of them.
    fn sampled(&self, summary: &Summary, n: u64, k: u64) -> Sampled {
        let slices = self.compiled.meter.and_then(|(meter, _)| summary.by_second.get(&meter));
        let worth = if self.comparing.pass.is_some() { dispersion(slices) } else { 1.0 };
        Sampled { n: n as f64 / worth, k: k as f64 / worth }
    }

    fn settled(&self, decision: Decision, excuse: impl Fn() -> Option<String>) -> (Decision, Option<String>) {
        match decision {
            Decision::Fail => match excuse() {
                short @ Some(_) => (Decision::Insufficient, short),
                None => (Decision::Fail, None),
            },
            Decision::Inconclusive => otherwise(self.compiled.clause, decision, None),
            other => (other, None),
        }
    }

    /// Which side has too few requests, in words.
    fn missing(&self, n: u64, other_n: u64) -> Option<String> {
        let least = self.comparing.least_n.max(1);
        let base = self.base;
        match (n < least, other_n < least) {
            (false, false) => None,
            (true, false) => Some(format!("needs {}, has {n}", requests(least))),
            (false, true) => Some(format!("needs {} of {base}, has {other_n}", requests(least))),
            (true, true) => Some(format!("needs {} on each side, has {n} and {other_n} of {base}", requests(least))),
        }
    }

    /// How many lanes are missing, if it is for want of lanes that a latency is worse: service times are not.
    fn short_of_lanes(&self, q: Fraction) -> Option<String> {
        let (index, _) = self.compiled.companion?;
        let of = |summary: &'_ Summary| match summary.apart.get(&index) {
            Some(apart) => Some(apart.clone()),
            None => summary.distributions.get(&Series::Service).cloned(),
        };
        let (Some(own), Some(other)) = (of(self.run.summary), of(self.other.run.summary)) else {
            return self.short_by_means(index);
        };
        let holds = own.n() > 0 && other.n() > 0 && self.comparing.quantiles(&own, &other, q) != Decision::Fail;
        let all = self.run.summary.distributions.get(&Series::Service)?;
        all.moments.mean().filter(|_| holds && own.beyond == 0).and_then(|mean| self.run.lanes_for(mean))
    }

    /// The same by means, where no values of service times are kept: of a load that is looked at while it runs.
    fn short_by_means(&self, companion: usize) -> Option<String> {
        let of = |summary: &Summary| match summary.readings.get(companion) {
            Some(Reading::Moments(moments)) if moments.beyond == 0 => moments.mean(),
            _ => None,
        };
        let (own, other) = (of(self.run.summary)?, of(self.other.run.summary)?);
        let holds = own <= self.comparing.allowance.bound(other);
        self.run.lanes_for(own).filter(|_| holds && self.run.summary.pending.is_empty())
    }
}

/// Population and those in the set, of a run that is known as a whole.
fn of_whole(summary: &Summary, set: Set) -> (u64, u64) {
    let fault = |fault: Fault| summary.faults.get(&fault).copied().unwrap_or(0);
    let n = summary.finished.saturating_sub(fault(Fault::Local));
    let k = match set {
        Set::Success => summary.succeeded,
        Set::Errors => n.saturating_sub(summary.succeeded),
        Set::Fault(wanted) => fault(wanted),
        Set::Checks => n.saturating_sub(fault(Fault::Expect)),
        Set::Answered(answers) => {
            summary.codes.iter().filter(|(code, _)| answers.contains(**code)).map(|(_, count)| count).sum()
        }
    };
    (n, k.min(n))
}
