//! Requests in flight while our own process stood still: how many of them a clause on times bears.

use crate::stats::{Reading, Summary};

use super::compare::{Compared, Comparing};
use super::compile::Compiled;
use super::decimal::Fraction;
use super::measured::{bursts, counts, reading};
use super::rule::{AtMostBad, Rule};
use super::run::below;

/// Above this share of requests in flight while we stood still, times are ours, whatever the quantile.
const MOST_TAINTED: Fraction = Fraction { num: 5, den: 100 };

/// Whether too many of a time clause's requests were in flight while we stood still, or leaving those out would
/// decide it otherwise; then in words.
pub(super) fn tainted(compiled: &Compiled<'_>, summary: &Summary) -> Option<String> {
    let (n, tainted, changes) = match (reading(compiled, summary)?, compiled.rule, compiled.meter?) {
        (Reading::Tally(tally), Rule::Share(rule), (_, meter)) => {
            let (n, k) = counts(tally, meter.test);
            let left = (tally.tainted_n.min(n), tally.tainted_k.min(k));
            (n, left.0, coloured(&rule, (n, k), left, bursts(compiled, summary)))
        }
        (Reading::Moments(moments), Rule::Compare(Comparing { what: Compared::Quantile(_, q), .. }), _) => {
            let n = moments.n + moments.beyond;
            (n, moments.tainted, q.den > q.num && below(n.saturating_sub(moments.tainted), n, q))
        }
        (Reading::Tally(tally), ..) => (tally.n, tally.tainted_n, false),
        (Reading::Moments(moments), ..) => (moments.n + moments.beyond, moments.tainted, false),
    };
    let most = |share: Fraction| u128::from(tainted) * share.den > u128::from(n) * share.num;
    (tainted > 0 && (changes || most(MOST_TAINTED)))
        .then(|| format!("{tainted} of {n} requests were in flight while our own process stood still"))
}

/// Whether the tainted samples outnumber those that may be bad, or decide the clause.
fn coloured(rule: &AtMostBad, (n, k): (u64, u64), (tainted_n, tainted_k): (u64, u64), dispersion: f64) -> bool {
    let many = rule.allowed.num > 0 && below(n - tainted_n, n, rule.allowed.complement());
    let (clean_n, clean_k) = (n - tainted_n, k - tainted_k);
    many || rule.decide(clean_n, rule.bad.of(clean_n, clean_k), n, dispersion)
        != rule.decide(n, rule.bad.of(n, k), n, dispersion)
}
