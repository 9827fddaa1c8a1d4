//! When counts are too bad: the rules behind every clause on a share, a quantile or a count.
//!
//! `p95<=300ms` holds exactly when at least ⌈0.95·n⌉ of n samples are at most 300 ms, and `success>=99%` when at least
//! ⌈0.99·n⌉ requests succeeded. Both say "at most a share of n is bad", so one rule and one test serve them all.

use crate::stats::Look;

use super::beta::Fractional;
use super::clause::Comparison;
use super::compare::Comparing;
use super::decimal::Fraction;
use super::exact::{Binomial, first, rare, rarer};
use super::verdict::Decision;

/// Fewer bad samples than this never fail a clause that has less than its minimum.
const EARLY_BAD: u64 = 5;
/// How unlikely they must be under the bound to do so.
const EARLY_ALPHA: f64 = 0.001;
/// The first look that may stop a load takes in this many samples, each further one twice as many.
const FIRST_LOOK: u64 = 64;
/// Looks up to 2⁴⁰ samples.
const MOST_LOOKS: u32 = 35;

/// Which samples of a tally a rule looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// Those that hold (`k`).
    Holds,
    /// Those that do not (`n − k`).
    Misses,
}

impl Side {
    pub(super) const fn of(self, n: u64, k: u64) -> u64 {
        match self {
            Self::Holds => k,
            Self::Misses => n.saturating_sub(k),
        }
    }
}

/// How a clause's numbers become a decision.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rule {
    /// At most a share of the population may be bad.
    Share(AtMostBad),
    /// The number of samples on one side is compared with the bound.
    Count { side: Side, comparison: Comparison, bound: u64 },
    /// Mean or standard deviation of a series is compared with the bound.
    Moments,
    /// A number of the summary is compared with the bound.
    Overall,
    /// A quantile or a share is compared with the same one measured elsewhere.
    Compare(Comparing),
    /// An answer from elsewhere is compared with the bound.
    Outside,
    /// It cannot be judged.
    Unsupported,
}

/// At most a share `allowed` of n samples may be bad, on enough evidence.
#[derive(Clone, Copy, Debug)]
pub(super) struct AtMostBad {
    /// Which samples are bad.
    pub(super) bad: Side,
    /// The share, 0 to 1.
    pub(super) allowed: Fraction,
    /// Whether exactly that share is too much.
    pub(super) strict: bool,
    /// `@c`: the chance of a wrong pass and of a wrong fail; `None` lets the measured share decide.
    pub(super) risks: Option<Risks>,
    /// Least population that may pass.
    pub(super) least_n: u64,
}

/// Chances of deciding wrongly that the user accepts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Risks {
    pub(super) pass: f64,
    /// Of a wrong fail, over all the looks together.
    pub(super) fail: f64,
    /// Whether the load may stop at a look before the end, which spends a part of `fail`.
    pub(super) looks: bool,
}

impl Risks {
    /// What is left of `fail` for the verdict on `n` samples, after the looks before. Look j spends 1/((j+1)(j+2)) of it,
    /// so that looks 0 to j leave 1/(j+2).
    fn fail_at(self, n: u64) -> f64 {
        if !self.looks {
            return self.fail;
        }
        let before = looks().take_while(|look| *look < n).count();
        self.fail / (before as f64 + 2.0)
    }
}

/// Numbers of samples up to which one look at the evidence reaches: 64, 128, 256, …
fn looks() -> impl Iterator<Item = u64> {
    (0..MOST_LOOKS).map(|j| FIRST_LOOK << j)
}

impl AtMostBad {
    /// Whether `bad` of `n` is within the share, as measured.
    pub(super) fn holds(&self, n: u64, bad: u64) -> bool {
        let (bad, allowed) = (u128::from(bad) * self.allowed.den, u128::from(n) * self.allowed.num);
        if self.strict { bad < allowed } else { bad <= allowed }
    }

    /// What `bad` of `n` amounts to, where `population` decides whether there is enough: it is `n`, unless some
    /// samples were left out to see whether they matter. At a confidence, `dispersion` samples (1 or more) are worth one.
    pub(super) fn decide(&self, n: u64, bad: u64, population: u64, dispersion: f64) -> Decision {
        if n == 0 || population < self.least_n {
            return if self.fails_early(n, bad) { Decision::Fail } else { Decision::Insufficient };
        }
        let Some(risks) = self.risks else {
            return if self.holds(n, bad) { Decision::Pass } else { Decision::Fail };
        };
        let (so_few, so_many) = self.tails(n, bad, dispersion);
        if rare(so_few, risks.pass) {
            Decision::Pass
        } else if rarer(so_many, risks.fail_at(n)) {
            Decision::Fail
        } else {
            Decision::Inconclusive
        }
    }

    /// How likely at most and at least `bad` of `n` are when the truth is just at the bound.
    fn tails(&self, n: u64, bad: u64, dispersion: f64) -> (f64, f64) {
        if dispersion <= 1.0 {
            let at_the_bound = Binomial::new(n, self.allowed);
            return (at_the_bound.at_most(bad), at_the_bound.at_least(bad));
        }
        let (p, q) = (self.allowed.as_f64(), self.allowed.complement().as_f64());
        let at_the_bound = Fractional { n: n as f64 / dispersion, p, q };
        let bad = bad as f64 / dispersion;
        (at_the_bound.at_most(bad), at_the_bound.at_least(bad))
    }

    /// Whether `bad` of `n` is worse than the bound beyond a chance of `alpha`.
    pub(super) fn clearly_worse(&self, n: u64, bad: u64, alpha: f64) -> bool {
        Binomial::new(n, self.allowed).rarely_at_least(bad, alpha)
    }

    /// Where the evidence is strong enough to stop: at look j, when so many bad samples among all that it takes in would
    /// be rarer at the bound than its part of the risk. The number of bad samples only grows, so that asking all the
    /// while up to the look is no more than asking once, at its end.
    pub(super) fn looks(&self) -> Vec<Look> {
        let Some(risks) = self.risks.filter(|risks| risks.looks) else { return Vec::new() };
        let look = |(j, n): (usize, u64)| {
            let alpha = risks.fail / ((j + 1) * (j + 2)) as f64;
            let at_the_bound = Binomial::new(n, self.allowed);
            let enough = first(1, n + 1, |bad| at_the_bound.rarely_at_least(bad, alpha));
            Look { n, most_bad: enough - 1 }
        };
        looks().enumerate().map(look).collect()
    }

    /// Whether `bad` of `n` fails although `n` is below the minimum: one bad sample where none is allowed can never
    /// be made good, and five or more that the bound would yield once in a thousand times leave no doubt.
    fn fails_early(&self, n: u64, bad: u64) -> bool {
        if self.allowed.num == 0 {
            return bad > 0;
        }
        bad >= EARLY_BAD && bad <= n && Binomial::new(n, self.allowed).rarely_at_least(bad, EARLY_ALPHA)
    }

    /// With this many bad samples or more, every ending of a run whose population is at most `total` is a fail, if it is
    /// not inconclusive because the failures come in bursts. None is a pass.
    ///
    /// Proof. Let the run end with n ≤ `total` and b' ≥ b bad. (1) n < `least_n`: it fails if `fails_early`. For fixed
    /// b' that chance, P\[Bin(n, p) ≥ b'\], grows with n and falls with b', so b' bad of n fail early if b bad of
    /// m = min(`total`, `least_n` − 1) do; and if b > m there is no such ending. (2) n ≥ `least_n`, measured share: it fails if b' > p·n (b' ≥ p·n if
    /// strict), which follows from b > p·`total` (b ≥ p·`total`). (3) n ≥ `least_n`, `@c`: it passes if
    /// P\[Bin(n, p) ≤ b'\] ≤ α and else fails if P\[Bin(n, p) ≥ b'\] < β ≤ α; the latter grows with n and falls with
    /// b', and β falls with n, so it follows from P\[Bin(`total`, p) ≥ b\] < β at `total`; and then P\[Bin(n, p) ≤ b'\] > 1 − β ≥ ½ > α. The least b
    /// that satisfies what applies is returned: in (2) and (3) one sample less has an ending with n = `total` that is
    /// no fail. ∎
    ///
    /// The population may well end below `total`: failures that are no timeouts are not in a latency's population,
    /// and `after=` leaves requests out.
    pub(super) fn least_certain(&self, total: u64) -> u64 {
        if self.allowed.num == 0 {
            return 1;
        }
        let short = total.min(self.least_n.saturating_sub(1));
        let early = first(EARLY_BAD.min(short + 1), short + 1, |b| self.fails_early(short, b));
        if total < self.least_n {
            return early;
        }
        let late = match self.risks {
            None if self.strict => self.allowed.ceil_of(total),
            None => self.allowed.floor_of(total).saturating_add(1),
            Some(risks) => {
                let at_the_bound = Binomial::new(total, self.allowed);
                first(0, total + 1, |b| at_the_bound.rarely_at_least(b, risks.fail_at(total)))
            }
        };
        early.max(late)
    }
}

/// Least n at which no bad sample at all shows the share: (1 − p)ⁿ ≤ α.
pub(super) fn least_shown(allowed: Fraction, alpha: f64) -> u64 {
    if allowed.num == 0 {
        return 1;
    }
    let most = (alpha.ln() / (-allowed.as_f64()).ln_1p()).ceil();
    let most = if most.is_finite() && most < 1e15 { most as u64 + 2 } else { u64::MAX - 1 };
    first(1, most, |n| Binomial::new(n, allowed).rarely_at_most(0, alpha))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::decimal::Decimal;
    use super::super::exact::brute;
    use super::super::tests::samples::share_rule;
    use super::*;
    use crate::stats::Trip;

    /// Chances of pass, inconclusive and fail when each request is bad with chance `truth`.
    fn outcomes(rule: &AtMostBad, n: u64, truth: &str) -> [f64; 3] {
        let truth = Binomial::new(n, Decimal::parse(truth).unwrap().over(100));
        let mut chances = [0.0; 3];
        for bad in 0..=n {
            let chance = truth.at_most(bad) - if bad > 0 { truth.at_most(bad - 1) } else { 0.0 };
            if chance < 1e-9 {
                continue;
            }
            chances[match rule.decide(n, bad, n, 1.0) {
                Decision::Pass => 0,
                Decision::Fail => 2,
                _ => 1,
            }] += chance;
        }
        chances
    }

    #[test]
    fn both_modes_decide_as_often_as_computed() {
        let (point, at_95) = (share_rule("success>=99% min=1"), share_rule("success>=99% @95 min=1"));
        for (n, truth, passes, three) in [
            (60, "0.1", 0.94, [0.0, 1.0, 0.0]),
            (300, "0.1", 1.0, [0.74, 0.26, 0.0]),
            (1200, "0.5", 0.99, [0.61, 0.39, 0.0]),
            (1200, "1", 0.58, [0.05, 0.92, 0.04]),
            (1200, "2", 0.01, [0.0, 0.13, 0.87]),
            (6000, "1.5", 0.0, [0.0, 0.04, 0.96]),
        ] {
            let (measured, shown) = (outcomes(&point, n, truth), outcomes(&at_95, n, truth));
            assert!((measured[0] - passes).abs() < 0.006, "n={n}, {truth}%: {measured:?}");
            for (got, expected) in shown.iter().zip(three) {
                assert!((got - expected).abs() < 0.006, "n={n}, {truth}%: {shown:?}");
            }
        }
    }

    #[test]
    fn a_run_of_1200_stops_as_early_as_computed() {
        // Mean number of requests until the 13th failure, or the end.
        let rule = share_rule("success>=99%");
        assert_eq!(rule.least_certain(1200), 13);
        for (truth, mean) in [("2", 649.6), ("5", 260.0), ("10", 130.0), ("50", 26.0)] {
            let p = Decimal::parse(truth).unwrap().over(100);
            let expected: f64 = (0..1200).map(|n| Binomial::new(n, p).at_most(12)).sum();
            assert!((expected - mean).abs() < 0.1, "{truth}%: {expected}");
        }
    }

    #[test]
    fn bursts_shrink_the_evidence_and_never_strengthen_it() {
        let rule = share_rule("success>=99% @95");
        // 30 of 1200 fail: 2.5 %. Spread evenly that is a fail; in bursts of eight it is four of 150.
        assert_eq!(rule.decide(1200, 30, 1200, 1.0), Decision::Fail);
        assert_eq!(rule.decide(1200, 30, 1200, 8.0), Decision::Inconclusive);
        assert_eq!(rule.decide(1200, 5, 1200, 1.0), Decision::Pass);
        assert_eq!(rule.decide(1200, 5, 1200, 1.5), Decision::Inconclusive);
        for (n, bad) in [(1200, 30), (1200, 5), (600, 2), (3000, 60)] {
            let ((few, many), (few_whole, many_whole)) = (rule.tails(n, bad, 1.0 + 1e-12), rule.tails(n, bad, 1.0));
            assert!((few / few_whole - 1.0).abs() < 1e-9 && (many / many_whole - 1.0).abs() < 1e-9, "{bad} of {n}");
            let mut last = Decision::Fail;
            for dispersion in [1.0, 1.5, 2.0, 5.0, 20.0, 200.0] {
                let decision = rule.decide(n, bad, n, dispersion);
                assert!(decision == rule.decide(n, bad, n, 1.0) || decision == Decision::Inconclusive);
                assert!(decision <= last || last != Decision::Inconclusive, "{bad} of {n} at {dispersion}");
                last = decision;
            }
        }
    }

    #[test]
    fn looks_spend_the_risk_once_and_leave_some_for_the_verdict() {
        let rule = share_rule("success>=99% @95 abort");
        let looks = rule.looks();
        // 64: half of 5 %, P[Bin(64, 1 %) ≥ 3] = 2.6 % and ≥ 4 = 0.4 %.
        let shown: Vec<(u64, u64)> = looks.iter().take(5).map(|look| (look.n, look.most_bad)).collect();
        assert_eq!(shown, [(64, 3), (128, 5), (256, 8), (512, 12), (1024, 21)]);
        // Chance that a target just at the bound is stopped, walked request by request, plus that of a fail at the end.
        let total = 1200_usize;
        let trip = Trip { meter: 0, bad_holds: false, most_bad: u64::MAX, looks };
        let mut chances = vec![0.0; 64];
        chances[0] = 1.0;
        let mut stopped = 0.0;
        for n in 1..=total {
            for bad in (1..chances.len()).rev() {
                chances[bad] = 0.99 * chances[bad] + 0.01 * chances[bad - 1];
            }
            chances[0] *= 0.99;
            for (bad, chance) in chances.iter_mut().enumerate().filter(|(bad, _)| trip.fires(n as u64, *bad as u64)) {
                assert_eq!(rule.decide(n as u64, bad as u64, u64::MAX, 1.0), Decision::Fail, "{bad} of {n}");
                stopped += std::mem::take(chance);
            }
        }
        let fails = |bad: usize| rule.decide(total as u64, bad as u64, total as u64, 1.0) == Decision::Fail;
        let failed: f64 = chances.iter().enumerate().filter(|(bad, _)| fails(*bad)).map(|(_, chance)| chance).sum();
        assert!(stopped > 0.005 && stopped + failed < 0.05, "{stopped} + {failed}");
        // One request in ten fails: stopped by evidence long before it is certain.
        let early: f64 = (0..64).map(|n| Binomial::new(n, Decimal::whole(10).over(100)).at_most(3)).sum();
        assert!(early < 40.0, "{early}");
    }

    fn any_rule() -> impl Strategy<Value = AtMostBad> {
        (
            0_u64..=40,
            any::<bool>(),
            proptest::option::of(51_u64..=99),
            1_usize..4,
            proptest::option::of(1_u64..30),
            any::<bool>(),
        )
            .prop_map(|(tenths, strict, confidence, enforced, min, looks)| {
                let allowed = Decimal::whole(tenths).over(40);
                let strict = strict && tenths > 0;
                let risks = confidence.filter(|_| tenths > 0 && tenths < 40).map(|c| {
                    let alpha = Decimal::whole(c).over(100).complement().as_f64();
                    Risks { pass: alpha, fail: alpha / enforced as f64, looks }
                });
                let own = risks.map_or(allowed.reciprocal_ceil(), |r| least_shown(allowed, r.pass));
                AtMostBad { bad: Side::Misses, allowed, strict, risks, least_n: min.unwrap_or(own) }
            })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn a_trip_fires_only_where_every_ending_fails(rule in any_rule(), total in 1_u64..48) {
            let certain = rule.least_certain(total);
            // Whatever was seen so far, what follows can only lead to one of these: n of `total`, no fewer bad.
            for n in certain..=total {
                for bad in certain..=n {
                    prop_assert_eq!(rule.decide(n, bad, n, 1.0), Decision::Fail, "{:?}: {} of {}", rule, bad, n);
                }
            }
        }

        #[test]
        fn a_trip_fires_as_soon_as_that_is_so(rule in any_rule(), total in 1_u64..48) {
            let certain = rule.least_certain(total);
            prop_assume!(certain > 1);
            let bad = certain - 1;
            let fails_for_ever = (bad..=total).all(|n| rule.decide(n, bad, n, 1.0) == Decision::Fail);
            prop_assert!(!fails_for_ever || bad > total, "{:?}: {} of {} is certain already", rule, bad, total);
        }

        #[test]
        fn more_failures_never_turn_fail_into_pass(rule in any_rule(), n in 1_u64..200, bad in 0_u64..200, more in 1_u64..20) {
            let bad = bad.min(n);
            let (before, worse) = (rule.decide(n, bad, n, 1.0), rule.decide(n, (bad + more).min(n), n, 1.0));
            prop_assert!(worse >= before || worse != Decision::Pass);
            prop_assert!(before == Decision::Pass || worse != Decision::Pass);
            let added = rule.decide(n + more, bad + more, n + more, 1.0);
            prop_assert!(before != Decision::Fail || added == Decision::Fail, "{:?}: {} of {}", rule, bad, n);
        }

        #[test]
        fn decisions_equal_rational_arithmetic(rule in any_rule(), n in 1_u64..60, bad in 0_u64..60) {
            let bad = bad.min(n);
            let points = brute::Points::new(n, rule.allowed);
            let (low, high) = (points.at_most(bad), points.at_least(bad));
            let risk = |risk: f64| {
                // The intended decimal, not its nearest binary fraction.
                let (num, den) = ((risk * 1200.0).round() as u128, 1200);
                brute::ratio(Fraction { num, den })
            };
            let share = brute::ratio(Fraction { num: u128::from(bad), den: u128::from(n) });
            let allowed = brute::ratio(rule.allowed);
            let expected = if n < rule.least_n {
                let early = if rule.allowed.num == 0 { bad > 0 } else { bad >= 5 && high < brute::ratio(Fraction { num: 1, den: 1000 }) };
                if early { Decision::Fail } else { Decision::Insufficient }
            } else if let Some(risks) = rule.risks {
                if low <= risk(risks.pass) { Decision::Pass } else if high < risk(risks.fail_at(n)) { Decision::Fail } else { Decision::Inconclusive }
            } else if share < allowed || share == allowed && !rule.strict { Decision::Pass } else { Decision::Fail };
            prop_assert_eq!(rule.decide(n, bad, n, 1.0), expected, "{:?}: {} of {}", rule, bad, n);
        }
    }
}
