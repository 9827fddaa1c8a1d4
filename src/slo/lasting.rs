//! Whether a fail is beyond chance and still going on: what it takes to give a release up for good.

use crate::stats::{Reading, Summary};

use super::clause::Line;
use super::compile::{Compiled, compile};
use super::evidence::Evidence;
use super::judge::judge;
use super::measured::counts;
use super::rule::{AtMostBad, Rule};
use super::verdict::Decision;

/// Whether a clause that counts fails on `seen`, is worse than its bound there beyond a chance of `alpha` by the exact test,
/// on its minimum of requests at least, and is still worse than its bound in `newest`, the end of the same load.
///
/// Only shares and quantiles with a bound of their own can be tested like that; means, counts, comparisons and answers of
/// Prometheus never are. Nothing lasts while our own process colours the numbers.
#[must_use]
pub fn lasting(line: &Line, seen: &Summary, newest: &Summary, alpha: f64) -> bool {
    let verdict = judge(line, &Evidence::of(seen));
    compile(line).iter().zip(&verdict.findings).any(|(compiled, finding)| {
        let Rule::Share(rule) = compiled.rule else { return false };
        let counted = !finding.advisory && finding.decision == Decision::Fail && finding.n >= finding.least_n;
        let (Some((n, bad)), Some((n_now, bad_now))) = (bad(compiled, &rule, seen), bad(compiled, &rule, newest))
        else {
            return false;
        };
        counted && rule.clearly_worse(n, bad, alpha) && n_now > 0 && !rule.holds(n_now, bad_now)
    })
}

/// Requests in a clause's population, and the bad ones of them.
fn bad(compiled: &Compiled<'_>, rule: &AtMostBad, summary: &Summary) -> Option<(u64, u64)> {
    let (index, meter) = compiled.meter?;
    let Reading::Tally(tally) = summary.readings.get(index)? else { return None };
    let (n, k) = counts(tally, meter.test);
    Some((n, rule.bad.of(n, k)))
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;
    use crate::stats::{StatusSet, Tally};

    fn summary(line: &Line, (n, bad): (u64, u64)) -> Summary {
        let measures = line.measures(StatusSet::default(), None);
        let tally = Reading::Tally(Tally { n, k: n - bad, ..Tally::default() });
        let readings = vec![tally; measures.meters.len()];
        Summary { readings, finished: n, succeeded: n - bad, reached: true, ..Summary::default() }
    }

    #[test]
    fn only_what_is_clearly_worse_and_still_worse_lasts() {
        for (text, seen, newest, alpha, expected, why) in [
            ("success>=99%", (1200, 60), (200, 10), 0.025, true, "5 %, and still so"),
            ("success>=99%", (1200, 60), (200, 0), 0.025, false, "it is over"),
            ("success>=99%", (1200, 60), (200, 2), 0.025, false, "at the bound by now"),
            ("success>=99%", (1200, 60), (0, 0), 0.025, false, "nothing newer"),
            ("success>=99%", (1200, 14), (200, 10), 0.025, false, "worse, but chance does that: P[Bin ≥ 14] = 31 %"),
            ("success>=99%", (1200, 21), (200, 10), 0.025, true, "P[Bin(1200, 1 %) ≥ 21] = 1.1 %"),
            ("success>=99%", (1200, 21), (200, 10), 0.005, false, "too likely for a late look"),
            ("success>=99%", (60, 30), (60, 30), 0.025, false, "beyond doubt, but below the minimum of 100"),
            ("p99<500ms", (1200, 60), (200, 10), 0.025, true, "a quantile is the same test"),
            ("success>=99% warn", (1200, 60), (200, 10), 0.025, false, "a clause without effect"),
            ("errors<=10req", (1200, 60), (200, 60), 0.025, false, "a count is no share"),
        ] {
            let line = parse(text).unwrap();
            let got = lasting(&line, &summary(&line, seen), &summary(&line, newest), alpha);
            assert_eq!(got, expected, "{text} {seen:?} {newest:?}: {why}");
        }
    }
}
