//! A quantile or a share against the same one measured elsewhere: worse beyond the allowance and beyond chance.
//!
//! Quantiles: order statistics bound both sides without any assumption on their distributions, and the ratio of the
//! canary to what the allowance makes of the reference gets its interval from both by MOVER (Zou and Donner, Statistics
//! in Medicine 27: 1693–1702, 2008; on logarithms). What the allowance makes of a reference grows with it, so it takes the
//! reference's interval along, whatever its form. Shares: see `score`.
//!
//! A histogram knows a value as well as its bucket is wide. What speaks for a decision is taken from the bucket's edge
//! that speaks against it, so that no decision rests on the width of a bucket.

use crate::stats::{Distribution, Series, Set};

use super::allowance::Allowance;
use super::decimal::Fraction;
use super::exact::Binomial;
use super::score::{Sampled, exceeded_with, score};
use super::verdict::Decision;

/// Ratios closer to one than this are one: the dust of floating point.
const DUST: f64 = 1e-9;
/// Values below this, in nanoseconds or bytes, have no logarithm worth comparing.
const LEAST_VALUE: f64 = 1.0;

/// What is compared, and how sure it must be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Comparing {
    pub(super) what: Compared,
    pub(super) allowance: Allowance,
    /// The chance of a wrong fail.
    pub(super) fail: f64,
    /// `@c`: the chance of a wrong pass. Without it whatever is not clearly worse passes.
    pub(super) pass: Option<f64>,
    /// Least population of either side that may decide.
    pub(super) least_n: u64,
}

/// The quantity.
#[derive(Clone, Copy, Debug)]
pub(super) enum Compared {
    /// The quantile of a series at this share.
    Quantile(Series, Fraction),
    /// A share of the requests.
    Share(Set),
}

impl Comparing {
    /// What the quantile `q` of `own` amounts to beside that of `other`. Both have samples.
    pub(super) fn quantiles(&self, own: &Distribution, other: &Distribution, q: Fraction) -> Decision {
        let ratio = |alpha: f64| ln_ratio(Estimate::new(own, q, alpha), Estimate::new(other, q, alpha), self.allowance);
        let upper = self.allowance.upper;
        let worse = |(low, high): (f64, f64)| if upper { low > DUST } else { high < -DUST };
        let fine = |(low, high): (f64, f64)| if upper { high <= DUST } else { low >= -DUST };
        self.decision(worse(ratio(self.fail)), |alpha| fine(ratio(alpha)))
    }

    /// What the share of `own` amounts to beside that of `other`.
    pub(super) fn shares(&self, own: Sampled, other: Sampled) -> Decision {
        let side = if self.allowance.upper { 1.0 } else { -1.0 };
        let scores = self.allowance.either.map(|margin| side * score(own, other, margin));
        let worse = exceeded_with(self.fail);
        // The looser of two margins counts: worse than both, or fine by one.
        self.decision(scores.iter().all(|score| *score > worse), |alpha| {
            let fine = -exceeded_with(alpha);
            scores.iter().any(|score| *score <= fine)
        })
    }

    fn decision(&self, worse: bool, fine: impl Fn(f64) -> bool) -> Decision {
        match (worse, self.pass) {
            (true, _) => Decision::Fail,
            (false, Some(alpha)) if !fine(alpha) => Decision::Inconclusive,
            (false, _) => Decision::Pass,
        }
    }
}

/// A quantile and its interval, each value between two edges; infinite among the timeouts or where the sample is too
/// small to bound it.
#[derive(Clone, Copy, Debug)]
struct Estimate {
    /// Lower edge of the lower bound.
    least: f64,
    middle: (f64, f64),
    /// Upper edge of the upper bound.
    most: f64,
}

impl Estimate {
    fn new(of: &Distribution, q: Fraction, alpha: f64) -> Self {
        let n = of.n();
        let (low, high) = Binomial::new(n, q).order_ranks(alpha);
        let edges = |rank: u64| match of.bracket(rank) {
            _ if rank == 0 => (0.0, 0.0),
            Some((low, high)) => (low as f64, high as f64),
            None => (f64::INFINITY, f64::INFINITY),
        };
        Self { least: edges(low).0, middle: edges(q.ceil_of(n).max(1)), most: edges(high).1 }
    }
}

/// Interval of the logarithm of canary ÷ bound.
fn ln_ratio(own: Estimate, other: Estimate, allowance: Allowance) -> (f64, f64) {
    let bound = |reference: f64| allowance.bound(reference).max(LEAST_VALUE);
    let [least, most] = [own.least, own.most].map(|value| value.max(LEAST_VALUE));
    let [low, high] = [own.middle.0, own.middle.1].map(|value| value.max(LEAST_VALUE));
    let (bound_low, bound_high) = (bound(other.middle.0), bound(other.middle.1));
    let (bound_least, bound_most) = (bound(other.least), bound(other.most));
    let lower = match (bound_most.is_finite(), low.is_finite()) {
        (false, _) => f64::NEG_INFINITY,
        // The canary's quantile is a timeout: its lower bound against the reference's upper one.
        (true, false) => (least / bound_most).ln(),
        (true, true) => (low / bound_high).ln() - (low / least).ln().hypot((bound_most / bound_high).ln()),
    };
    let upper = match (most.is_finite(), bound_low.is_finite()) {
        (false, _) => f64::INFINITY,
        (true, false) => (most / bound_least).ln(),
        (true, true) => (high / bound_low).ln() + (most / high).ln().hypot((bound_low / bound_least).ln()),
    };
    (lower, upper)
}

/// The chance that a request measured in `own` is slower than one measured in `other`, ties counting half (Mann and
/// Whitney's statistic over n·m): ½ where neither is slower. Values closer than a bucket of 1 % tie. `None` without
/// requests on either side.
pub(super) fn shift(own: &Distribution, other: &Distribution) -> Option<f64> {
    let coarse = hdrhistogram::Histogram::<u64>::new(2).expect("two digits are within the library's 0 to 5");
    let mut buckets = std::collections::BTreeMap::<u64, (f64, f64)>::new();
    for step in own.histogram.iter_recorded() {
        let bucket = coarse.highest_equivalent(step.value_iterated_to());
        buckets.entry(bucket).or_default().0 += step.count_since_last_iteration() as f64;
    }
    for step in other.histogram.iter_recorded() {
        let bucket = coarse.highest_equivalent(step.value_iterated_to());
        buckets.entry(bucket).or_default().1 += step.count_since_last_iteration() as f64;
    }
    let beyond = buckets.entry(u64::MAX).or_default();
    *beyond = (beyond.0 + own.beyond as f64, beyond.1 + other.beyond as f64);
    let (mut faster, mut slower) = (0.0, 0.0);
    for (mine, theirs) in buckets.values() {
        slower += mine * (faster + theirs / 2.0);
        faster += theirs;
    }
    let pairs = own.n() as f64 * other.n() as f64;
    (pairs > 0.0).then(|| slower / pairs)
}

#[cfg(test)]
mod tests {
    use hdrhistogram::Histogram;

    use super::super::compile::compile;
    use super::super::parse;
    use super::super::rule::Rule;
    use super::*;
    use crate::stats::Moments;

    fn distribution(values: impl IntoIterator<Item = u64>, beyond: u64) -> Distribution {
        let (mut histogram, mut moments) = (Histogram::new(3).unwrap(), Moments::default());
        for value in values {
            histogram.record(value).unwrap();
            moments.add(value);
        }
        Distribution { histogram, beyond, moments }
    }

    fn comparing(text: &str) -> Comparing {
        let line = parse(text).unwrap();
        match compile(&line)[0].rule {
            Rule::Compare(comparing) => comparing,
            other => panic!("{text}: {other:?}"),
        }
    }

    fn quantiles(text: &str, own: &Distribution, other: &Distribution) -> Decision {
        let comparing = comparing(text);
        let Compared::Quantile(_, q) = comparing.what else { panic!("{text} is on a quantile") };
        comparing.quantiles(own, other, q)
    }

    /// 1000 values around a centre, from 0.8 to 1.2 of it.
    fn spread(centre: f64) -> Distribution {
        distribution((0..1000).map(|i| (centre * (0.8 + 0.0004 * f64::from(i))) as u64), 0)
    }

    #[test]
    fn a_quantile_fails_only_where_it_is_clearly_worse_than_allowed() {
        let ms = 1e6;
        for (text, own, other, expected) in [
            ("p50<=primary", 100.0, 100.0, Decision::Pass),
            ("p50<=primary", 101.0, 100.0, Decision::Pass),
            ("p50<=primary", 110.0, 100.0, Decision::Fail),
            ("p50<=primary+10%", 110.0, 100.0, Decision::Pass),
            ("p50<=primary+10%", 120.0, 100.0, Decision::Fail),
            ("p50<=primary+10% @95", 100.0, 100.0, Decision::Pass),
            ("p50<=primary+10% @95", 110.0, 100.0, Decision::Inconclusive),
            ("p50<=primary+10% @95", 120.0, 100.0, Decision::Fail),
            ("p50<=primary+max(10%,20ms)", 18.0, 2.0, Decision::Pass),
            ("p50<=primary+max(10%,20ms)", 28.0, 2.0, Decision::Fail),
            ("p50<=primary-10%", 100.0, 100.0, Decision::Fail),
            ("p50<=primary-10%", 80.0, 100.0, Decision::Pass),
            ("size.p50>=primary", 100.0, 110.0, Decision::Fail),
            ("size.p50>=primary-20%", 100.0, 110.0, Decision::Pass),
            ("size.p50>=primary-20% @95", 100.0, 110.0, Decision::Pass),
            ("size.p50>=primary-10% @95", 100.0, 110.0, Decision::Inconclusive),
        ] {
            assert_eq!(quantiles(text, &spread(own * ms), &spread(other * ms)), expected, "{text}: {own} {other}");
        }
    }

    #[test]
    fn a_canary_among_its_timeouts_is_worse_and_a_primary_among_them_no_measure() {
        let healthy = spread(10e6);
        let stalled = distribution((0..600).map(|i| 10_000_000 + i), 400);
        let hung = distribution([], 1000);
        for (own, other, decision) in [
            (&stalled, &healthy, Decision::Fail),
            (&hung, &healthy, Decision::Fail),
            (&healthy, &hung, Decision::Pass),
            (&hung, &hung, Decision::Pass),
        ] {
            assert_eq!(quantiles("p95<=primary+max(10%,20ms)", own, other), decision);
        }
        assert_eq!(quantiles("p95<=primary+10% @95", &hung, &hung), Decision::Inconclusive);
        assert_eq!(quantiles("p95<=primary+10% @95", &healthy, &stalled), Decision::Pass);
    }

    #[test]
    fn the_interval_of_the_ratio_is_the_formula_on_the_order_statistics() {
        // Of 1000 values p95 is rank 950, one-sided 95 % ranks 938 and 961: 0.8 + 0.0004·(rank − 1) of the centre.
        let at = |rank: f64| 0.8 + 0.0004 * (rank - 1.0);
        let q = Fraction { num: 95, den: 100 };
        assert_eq!(Binomial::new(1000, q).order_ranks(0.05), (938, 962));
        let (own, other) = (spread(120e6), spread(100e6));
        let (low, high) = ln_ratio(
            Estimate::new(&own, q, 0.05),
            Estimate::new(&other, q, 0.05),
            comparing("p95<=primary*1.1").allowance,
        );
        let (down, up) = ((at(950.0) / at(938.0)).ln(), (at(962.0) / at(950.0)).ln());
        let middle = (120.0_f64 / 110.0).ln();
        assert!((low - (middle - down.hypot(up))).abs() < 3e-3, "{low}");
        assert!((high - (middle + up.hypot(down))).abs() < 3e-3, "{high}");
        assert!(low < middle - down.hypot(up) && high > middle + up.hypot(down), "buckets widen it");
    }

    #[test]
    fn shares_fail_only_where_they_are_clearly_worse_than_allowed() {
        for (text, own, other, expected) in [
            ("errors<=primary", 0.0, 0.0, Decision::Pass),
            ("errors<=primary", 2.0, 0.0, Decision::Pass),
            ("errors<=primary", 4.0, 0.0, Decision::Fail),
            ("errors<=primary+0.5pp", 8.0, 0.0, Decision::Pass),
            ("errors<=primary+0.5pp", 16.0, 0.0, Decision::Fail),
            ("errors<=primary+0.5pp @95", 0.0, 0.0, Decision::Pass),
            ("errors<=primary+0.5pp @95", 4.0, 0.0, Decision::Inconclusive),
            ("errors<=primary*1.5", 40.0, 20.0, Decision::Pass),
            ("errors<=primary*1.5", 60.0, 20.0, Decision::Fail),
            ("success>=primary-0.5pp", 984.0, 1000.0, Decision::Fail),
            ("success>=primary-0.5pp", 992.0, 1000.0, Decision::Pass),
            ("success>=primary-0.5pp @95", 1000.0, 1000.0, Decision::Pass),
            ("errors<=primary+max(0.5pp,2pp)", 16.0, 0.0, Decision::Pass),
        ] {
            let side = |k| Sampled { n: 1000.0, k };
            assert_eq!(comparing(text).shares(side(own), side(other)), expected, "{text}: {own} against {other}");
        }
    }

    #[test]
    fn the_shift_is_the_chance_of_being_slower() {
        let of = |values: &[u64], beyond| distribution(values.iter().copied(), beyond);
        assert_eq!(shift(&of(&[100, 200], 0), &of(&[100, 200], 0)), Some(0.5));
        assert_eq!(shift(&of(&[300, 400], 0), &of(&[100, 200], 0)), Some(1.0));
        assert_eq!(shift(&of(&[100], 0), &of(&[200, 50], 2)), Some(0.25));
        assert_eq!(shift(&of(&[], 1), &of(&[100], 1)), Some(0.75));
        assert_eq!(shift(&of(&[], 0), &of(&[100], 0)), None);
    }
}
