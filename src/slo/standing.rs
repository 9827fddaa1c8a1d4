//! How the clauses stand while a load is still running: for whoever watches. Verdicts are made at the end.

use crate::stats::{Meter, Reading, Summary, Test};

use super::clause::Line;
use super::compile::compile;
use super::evidence::Evidence;
use super::judge::judge;
use super::measured::{counts, reading};
use super::verdict::{Decision, Value};

/// One clause on what has been counted so far.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// The clause without its options, such as `p99<500ms`.
    pub clause: String,
    /// What it would come to if the load ended now; [`Decision::Insufficient`] also for what is known at the end only.
    pub decision: Decision,
    /// `warn`: shown, but without effect on the verdict.
    pub advisory: bool,
    /// The measured share or count; for a bound on a time, the share of requests at or below it. `None` where nothing
    /// is counted yet, or only the end will tell.
    pub value: Option<Value>,
    /// Requests in the clause's population so far.
    pub n: u64,
    /// Whether `value` is the share of requests at or below the bound.
    pub within: bool,
}

/// Every clause of `line` on the readings of its meters, in the order of [`Line::measures`].
#[must_use]
pub fn standings(line: &Line, readings: &[Reading]) -> Vec<Standing> {
    let summary = Summary { readings: readings.to_vec(), reached: true, ..Summary::default() };
    let findings = judge(line, &Evidence::of(&summary)).findings;
    let all = compile(line).into_iter().zip(findings).map(|(compiled, finding)| {
        let within = match (compiled.meter, reading(&compiled, &summary)) {
            (Some((_, Meter { test: test @ Test::AtMost(..), .. })), Some(Reading::Tally(tally))) => {
                Some(counts(tally, test))
            }
            _ => None,
        };
        let share = within.filter(|(n, _)| *n > 0).map(|(n, k)| Value::Ratio(k as f64 / n as f64));
        Standing {
            clause: compiled.clause.head(),
            decision: if compiled.meter.is_some() { finding.decision } else { Decision::Insufficient },
            advisory: finding.advisory,
            value: if within.is_some() { share } else { finding.value },
            n: finding.n,
            within: within.is_some(),
        }
    });
    all.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{StatusSet, Tally};

    fn tally(n: u64, k: u64) -> Reading {
        Reading::Tally(Tally { n, k, ..Tally::default() })
    }

    #[test]
    fn clauses_stand_where_the_counts_of_the_moment_put_them() {
        let line = super::super::parse("success>=99%, p99<500ms, p50<20ms warn, 5xx<=3req, rps>10/s").unwrap();
        // A clause on latency has a second meter, on service times.
        let (p99, p50) = (tally(995, 980), tally(995, 400));
        let readings = [tally(1_000, 995), p99, p99, p50, p50, tally(1_000, 4)];
        assert_eq!(line.measures(StatusSet::default(), None).meters.len(), readings.len());
        let shown: Vec<_> = standings(&line, &readings)
            .into_iter()
            .map(|s| (s.clause, s.decision, s.value, s.within, s.advisory))
            .collect();
        let row =
            |clause: &str, decision, value, within, advisory| (clause.to_owned(), decision, value, within, advisory);
        let ratio = |k: f64, n: f64| Some(Value::Ratio(k / n));
        assert_eq!(
            shown,
            [
                row("success>=99%", Decision::Pass, ratio(995.0, 1_000.0), false, false),
                row("p99<500ms", Decision::Fail, ratio(980.0, 995.0), true, false),
                row("p50<20ms", Decision::Fail, ratio(400.0, 995.0), true, true),
                row("5xx<=3req", Decision::Fail, Some(Value::Count(4)), false, false),
                row("rps>10/s", Decision::Insufficient, None, false, false),
            ]
        );
    }

    #[test]
    fn before_anything_is_counted_nothing_is_decided() {
        let line = super::super::parse("success>=99%, p99<500ms").unwrap();
        for readings in [vec![], vec![tally(0, 0); 3], vec![tally(20, 20); 3]] {
            for standing in standings(&line, &readings) {
                assert_eq!(standing.decision, Decision::Insufficient, "{standing:?} of {readings:?}");
                assert_eq!(standing.value.is_some(), readings.first() == Some(&tally(20, 20)), "{standing:?}");
            }
        }
    }
}
