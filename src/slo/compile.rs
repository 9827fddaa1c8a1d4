//! From clauses to counters: what to count for each, and what the counts then mean.
//!
//! `p95<=300ms` holds exactly when at least ⌈0.95·n⌉ of n samples are at most 300 ms, and `success>=99%` when at least
//! ⌈0.99·n⌉ requests succeeded. Both say "at most a share of n is bad", so one rule and one test serve them all.

use crate::stats::{Fault, Measures, Meter, Ns, Series, Set, StatusSet, Test, Trip};

use super::clause::{Aggregate, Bound, Clause, Comparison, Line, Metric, Share};
use super::decimal::Fraction;
use super::exact::{Binomial, first};
use super::unit::Unit;
use super::verdict::Decision;

/// Fewer bad samples than this never fail a clause that has less than its minimum.
const EARLY_BAD: u64 = 5;
/// How unlikely they must be under the bound to do so.
const EARLY_ALPHA: f64 = 0.001;

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
    /// It is not judged yet.
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
    pub(super) fail: f64,
}

impl AtMostBad {
    /// Whether `bad` of `n` is within the share, as measured.
    pub(super) fn holds(&self, n: u64, bad: u64) -> bool {
        let (bad, allowed) = (u128::from(bad) * self.allowed.den, u128::from(n) * self.allowed.num);
        if self.strict { bad < allowed } else { bad <= allowed }
    }

    /// What `bad` of `n` amounts to, where `population` decides whether there is enough: it is `n`, unless some
    /// samples were left out to see whether they matter.
    pub(super) fn decide(&self, n: u64, bad: u64, population: u64) -> Decision {
        if n == 0 || population < self.least_n {
            return if self.fails_early(n, bad) { Decision::Fail } else { Decision::Insufficient };
        }
        let Some(risks) = self.risks else {
            return if self.holds(n, bad) { Decision::Pass } else { Decision::Fail };
        };
        let at_the_bound = Binomial::new(n, self.allowed);
        if at_the_bound.rarely_at_most(bad, risks.pass) {
            Decision::Pass
        } else if at_the_bound.rarely_at_least(bad, risks.fail) {
            Decision::Fail
        } else {
            Decision::Inconclusive
        }
    }

    /// Whether `bad` of `n` fails although `n` is below the minimum: one bad sample where none is allowed can never
    /// be made good, and five or more that the bound would yield once in a thousand times leave no doubt.
    fn fails_early(&self, n: u64, bad: u64) -> bool {
        if self.allowed.num == 0 {
            return bad > 0;
        }
        bad >= EARLY_BAD && bad <= n && Binomial::new(n, self.allowed).rarely_at_least(bad, EARLY_ALPHA)
    }

    /// With this many bad samples or more, every ending of a run whose population is at most `total` is a fail.
    ///
    /// Proof. Let the run end with n ≤ `total` and b' ≥ b bad. (1) n < `least_n`: it fails if `fails_early`. For fixed
    /// b' that chance, P\[Bin(n, p) ≥ b'\], grows with n and falls with b', so b' bad of n fail early if b bad of
    /// m = min(`total`, `least_n` − 1) do; and if b > m there is no such ending. (2) n ≥ `least_n`, measured share: it fails if b' > p·n (b' ≥ p·n if
    /// strict), which follows from b > p·`total` (b ≥ p·`total`). (3) n ≥ `least_n`, `@c`: it passes if
    /// P\[Bin(n, p) ≤ b'\] ≤ α and else fails if P\[Bin(n, p) ≥ b'\] < β ≤ α; the latter grows with n and falls with
    /// b', so it follows from P\[Bin(`total`, p) ≥ b\] < β; and then P\[Bin(n, p) ≤ b'\] > 1 − β ≥ ½ > α. The least b
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
                first(0, total + 1, |b| at_the_bound.rarely_at_least(b, risks.fail))
            }
        };
        early.max(late)
    }
}

/// A clause with its rule and the meters it needs.
#[derive(Debug)]
pub(super) struct Compiled<'a> {
    pub(super) clause: &'a Clause,
    pub(super) rule: Rule,
    /// Index and test of its meter, if it needs one.
    pub(super) meter: Option<(usize, Test)>,
    /// Index of the same meter on service times, for clauses on latency.
    pub(super) companion: Option<usize>,
}

/// Rules and meters of every clause, in a fixed order: a clause's own meter, then its companion, clause by clause.
pub(super) fn compile(line: &Line) -> Vec<Compiled<'_>> {
    let enforced = line.clauses.iter().filter(|clause| !clause.options.warn).count().max(1);
    let mut next = 0;
    let mut take = || {
        next += 1;
        next - 1
    };
    line.clauses
        .iter()
        .map(|clause| {
            let (rule, test) = rule(clause, enforced);
            let meter = test.map(|test| (take(), test));
            let companion = test.and_then(on_service).map(|_| take());
            Compiled { clause, rule, meter, companion }
        })
        .collect()
}

/// The same test on service times, where `test` is on latencies.
pub(super) const fn on_service(test: Test) -> Option<Test> {
    match test {
        Test::AtMost(Series::Latency, limit) => Some(Test::AtMost(Series::Service, limit)),
        Test::Moments(Series::Latency) => Some(Test::Moments(Series::Service)),
        _ => None,
    }
}

fn rule(clause: &Clause, enforced: usize) -> (Rule, Option<Test>) {
    let Some(bound) = clause.absolute().filter(|_| clause.unsupported().is_none()) else {
        return (Rule::Unsupported, None);
    };
    match &clause.metric {
        Metric::Series(series, aggregate) => on_series(clause, *series, *aggregate, bound, enforced),
        Metric::Share(share) => on_share(clause, *share, bound, enforced),
        Metric::Rps | Metric::Count => (Rule::Overall, None),
        Metric::Prom(_) => (Rule::Unsupported, None),
    }
}

fn on_series(
    clause: &Clause,
    series: Series,
    aggregate: Aggregate,
    bound: Fraction,
    enforced: usize,
) -> (Rule, Option<Test>) {
    let upper = clause.comparison.is_upper();
    // Values are whole numbers: below the bound means at most the next whole number under it.
    let limit = match clause.comparison {
        Comparison::Lt | Comparison::Ge => bound.ceil().saturating_sub(1),
        _ => bound.floor(),
    };
    let test = Test::AtMost(series, u64::try_from(limit).unwrap_or(u64::MAX));
    let rule = match (aggregate, upper) {
        (Aggregate::Avg | Aggregate::Stddev, _) => return (Rule::Moments, Some(Test::Moments(series))),
        (Aggregate::Min, true) => Rule::Count { side: Side::Holds, comparison: Comparison::Ge, bound: 1 },
        (Aggregate::Min, false) => Rule::Share(at_most_bad(clause, Side::Holds, Fraction::ZERO, false, enforced)),
        (Aggregate::Max, false) => Rule::Count { side: Side::Misses, comparison: Comparison::Ge, bound: 1 },
        (quantile, upper) => {
            let share = quantile.quantile().unwrap_or(Fraction::ZERO);
            Rule::Share(if upper {
                at_most_bad(clause, Side::Misses, share.complement(), false, enforced)
            } else {
                // The quantile is above the limit when fewer than ⌈q·n⌉, that is, less than q·n, are at most that.
                at_most_bad(clause, Side::Holds, share, true, enforced)
            })
        }
    };
    (rule, Some(test))
}

fn on_share(clause: &Clause, share: Share, bound: Fraction, enforced: usize) -> (Rule, Option<Test>) {
    let Some(set) = set_of(share) else { return (Rule::Overall, None) };
    let test = Some(Test::Share(set));
    let percent = matches!(&clause.bound, Bound::Absolute(quantity) if quantity.unit == Some(Unit::Percent));
    if !percent || clause.comparison.is_exact() {
        let bound = u64::try_from(bound.floor()).unwrap_or(u64::MAX);
        return (Rule::Count { side: Side::Holds, comparison: clause.comparison, bound }, test);
    }
    let strict = matches!(clause.comparison, Comparison::Lt | Comparison::Gt);
    let rule = if clause.comparison.is_upper() {
        at_most_bad(clause, Side::Holds, bound, strict, enforced)
    } else {
        at_most_bad(clause, Side::Misses, bound.complement(), strict, enforced)
    };
    (Rule::Share(rule), test)
}

/// The requests that a share counts; `None` for the share that is about ourselves.
const fn set_of(share: Share) -> Option<Set> {
    Some(match share {
        Share::Success => Set::Success,
        Share::Errors => Set::Errors,
        Share::Timeouts => Set::Fault(Fault::Timeout),
        Share::Refused => Set::Fault(Fault::Refused),
        Share::Resets => Set::Fault(Fault::Reset),
        Share::Checks => Set::Checks,
        Share::Class(class) => Set::Class(class),
        Share::Status(status) => Set::Status(status),
        Share::Achieved => return None,
    })
}

fn at_most_bad(clause: &Clause, bad: Side, allowed: Fraction, strict: bool, enforced: usize) -> AtMostBad {
    let risks = clause.options.confidence.map(|confidence| {
        let alpha = confidence.over(100).complement().as_f64();
        Risks { pass: alpha, fail: alpha / enforced as f64 }
    });
    let own = match risks {
        None => allowed.reciprocal_ceil(),
        Some(risks) => least_shown(allowed, risks.pass),
    };
    AtMostBad { bad, allowed, strict, risks, least_n: clause.options.min.unwrap_or(own) }
}

/// Least n at which no bad sample at all shows the share: (1 − p)ⁿ ≤ α.
fn least_shown(allowed: Fraction, alpha: f64) -> u64 {
    if allowed.num == 0 {
        return 1;
    }
    let most = (alpha.ln() / (-allowed.as_f64()).ln_1p()).ceil();
    let most = if most.is_finite() && most < 1e15 { most as u64 + 2 } else { u64::MAX - 1 };
    first(1, most, |n| Binomial::new(n, allowed).rarely_at_most(0, alpha))
}

impl Compiled<'_> {
    /// Least population that may pass.
    pub(super) fn least_n(&self) -> u64 {
        let own = match &self.rule {
            Rule::Share(rule) => return rule.least_n,
            Rule::Moments if matches!(self.clause.metric, Metric::Series(_, Aggregate::Stddev)) => 2,
            _ => 1,
        };
        self.clause.options.min.unwrap_or(own)
    }

    /// When the load may stop, because the clause fails whatever follows; `total` is the run's number of requests,
    /// where it is known beforehand.
    fn trip(&self, total: Option<u64>) -> Option<Trip> {
        let (meter, _) = self.meter.filter(|_| self.clause.options.abort)?;
        let (bad, most_bad) = match self.rule {
            Rule::Share(rule) => {
                let total = if rule.allowed.num == 0 { u64::MAX } else { total? };
                (rule.bad, rule.least_certain(total).checked_sub(1)?)
            }
            Rule::Count { side, comparison, bound } => {
                let most = match comparison {
                    Comparison::Le | Comparison::Eq => bound,
                    Comparison::Lt => bound.checked_sub(1)?,
                    _ => return None,
                };
                (side, most)
            }
            _ => return None,
        };
        Some(Trip { meter, bad_holds: bad == Side::Holds, most_bad })
    }
}

impl Line {
    /// What a run has to count for this objective, and when it may stop early.
    ///
    /// `success` says which outcomes are successes. `total` is the number of requests that will be due in the judged
    /// part, where it is known beforehand; without it a clause on a share cannot be certain before the end and has no
    /// trip. A trip never fires on a run that could still end otherwise than failed.
    #[must_use]
    pub fn measures(&self, success: StatusSet, total: Option<u64>) -> Measures {
        let compiled = compile(self);
        let mut measures = Measures { success, ..Measures::default() };
        for clause in &compiled {
            let Some((_, test)) = clause.meter else { continue };
            let after = clause.clause.options.after.unwrap_or(Ns::ZERO);
            measures.meters.push(Meter { test, after });
            if let Some(test) = on_service(test).filter(|_| clause.companion.is_some()) {
                measures.meters.push(Meter { test, after });
            }
            measures.trips.extend(clause.trip(total));
        }
        measures.tightest = compiled.iter().filter_map(time_bound).min();
        measures
    }
}

/// The clause's bound, if it is a time.
fn time_bound(compiled: &Compiled<'_>) -> Option<Ns> {
    let bound = compiled.clause.absolute().filter(|_| compiled.meter.is_some() && compiled.clause.metric.is_time())?;
    Some(Ns(u64::try_from(bound.floor()).unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::decimal::Decimal;
    use super::super::exact::brute;
    use super::super::parse;
    use super::*;

    fn share_rule(text: &str) -> AtMostBad {
        let line = parse(text).unwrap();
        match compile(&line)[0].rule {
            Rule::Share(rule) => rule,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn each_clause_gets_the_meter_that_decides_it() {
        let ms = 1_000_000;
        for (text, test) in [
            ("p95<=300ms", Test::AtMost(Series::Latency, 300 * ms)),
            ("p95<300ms", Test::AtMost(Series::Latency, 300 * ms - 1)),
            ("p95<1.5ns", Test::AtMost(Series::Latency, 1)),
            ("p95<=1.5ns", Test::AtMost(Series::Latency, 1)),
            ("service.max<1s", Test::AtMost(Series::Service, 1000 * ms - 1)),
            ("size.p50>=1KiB", Test::AtMost(Series::Size, 1023)),
            ("size.p50>1KiB", Test::AtMost(Series::Size, 1024)),
            ("size.min>=1B", Test::AtMost(Series::Size, 0)),
            ("avg<1s", Test::Moments(Series::Latency)),
            ("success>=99%", Test::Share(Set::Success)),
            ("errors<=3req", Test::Share(Set::Errors)),
            ("timeouts<1%", Test::Share(Set::Fault(Fault::Timeout))),
            ("refused<1%", Test::Share(Set::Fault(Fault::Refused))),
            ("resets==0", Test::Share(Set::Fault(Fault::Reset))),
            ("5xx==0", Test::Share(Set::Class(5))),
            ("429<1%", Test::Share(Set::Status(429))),
            ("checks>=99%", Test::Share(Set::Checks)),
        ] {
            let meters = parse(text).unwrap().measures(StatusSet::ok(), None).meters;
            assert_eq!(meters[0], Meter { test, after: Ns::ZERO }, "{text}");
        }
        for text in ["rps>=1/s", "count>=1req", "achieved>=98%", "p95<=primary", "errors<1% over=10s"] {
            assert!(parse(text).unwrap().measures(StatusSet::ok(), None).meters.is_empty(), "{text}");
        }
    }

    #[test]
    fn latency_clauses_are_counted_on_service_times_too() {
        let line = parse("success>=99%, p99<=500ms after=5s, service.p99<=40ms, avg<=1s, rps>=1/s").unwrap();
        let measures = line.measures(StatusSet::non_5xx(), Some(600));
        let after = Ns::from_secs(5);
        assert_eq!(
            measures.meters,
            [
                Meter { test: Test::Share(Set::Success), after: Ns::ZERO },
                Meter { test: Test::AtMost(Series::Latency, 500_000_000), after },
                Meter { test: Test::AtMost(Series::Service, 500_000_000), after },
                Meter { test: Test::AtMost(Series::Service, 40_000_000), after: Ns::ZERO },
                Meter { test: Test::Moments(Series::Latency), after: Ns::ZERO },
                Meter { test: Test::Moments(Series::Service), after: Ns::ZERO },
            ]
        );
        assert_eq!(measures.tightest, Some(Ns::from_millis(40)));
        assert_eq!(measures.success, StatusSet::non_5xx());
        assert!(measures.trips.is_empty(), "nothing says abort");
        assert_eq!(parse("success>=99%").unwrap().measures(StatusSet::ok(), None).tightest, None);
    }

    #[test]
    fn the_least_evidence_for_a_point_clause_is_that_one_bad_sample_would_not_breach() {
        for (text, n) in [
            ("success>=99%", 100),
            ("p99<1s", 100),
            ("p50<1s", 2),
            ("p95<1s", 20),
            ("p99.9<1s", 1000),
            ("success>=99.9%", 1000),
            ("errors<3%", 34),
            ("max<1s", 1),
            ("errors<=0%", 1),
            ("p99<1s min=7", 7),
        ] {
            assert_eq!(share_rule(text).least_n, n, "{text}");
        }
    }

    #[test]
    fn the_least_evidence_at_a_confidence_is_the_table_of_the_exact_test() {
        for (text, n) in [
            ("p50<1s @95", 5),
            ("p75<1s @95", 11),
            ("p90<1s @95", 29),
            ("p95<1s @95", 59),
            ("p99<1s @95", 299),
            ("p99.9<1s @95", 2995),
            ("success>=99% @95", 299),
            ("success>=99.9% @95", 2995),
        ] {
            let rule = share_rule(text);
            assert_eq!(rule.least_n, n, "{text}");
            assert_eq!(rule.decide(n, 0, n), Decision::Pass, "{text}");
            assert_eq!(rule.decide(n - 1, 0, n), Decision::Inconclusive, "{text}");
        }
    }

    /// Chances of pass, inconclusive and fail when each request is bad with chance `truth`.
    fn outcomes(rule: &AtMostBad, n: u64, truth: &str) -> [f64; 3] {
        let truth = Binomial::new(n, Decimal::parse(truth).unwrap().over(100));
        let mut chances = [0.0; 3];
        for bad in 0..=n {
            let chance = truth.at_most(bad) - if bad > 0 { truth.at_most(bad - 1) } else { 0.0 };
            if chance < 1e-9 {
                continue;
            }
            chances[match rule.decide(n, bad, n) {
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
    fn the_risk_of_a_wrong_fail_is_shared_among_the_clauses_that_count() {
        let line = parse("success>=99% @95, p95<1s @95, p50<1s warn").unwrap();
        let Rule::Share(rule) = compile(&line)[0].rule else { panic!("a share") };
        let risks = rule.risks.unwrap();
        assert!((risks.pass - 0.05).abs() < 1e-15 && (risks.fail - 0.025).abs() < 1e-15);
    }

    #[test]
    fn an_abort_clause_trips_where_the_whole_run_can_no_longer_pass() {
        let trips = |text: &str, total| parse(text).unwrap().measures(StatusSet::ok(), total).trips;
        for (text, total, meter, bad_holds, most_bad) in [
            ("success>=99% abort", Some(1200), 0, false, 12),
            ("success>99% abort", Some(1200), 0, false, 11),
            ("p95<1s, errors<1% abort", Some(1000), 2, true, 9),
            ("p99<500ms abort", Some(1200), 0, false, 12),
            // 13 of 1200 is not yet shown to be above 1 %; 20 would be.
            ("success>=99% @95 abort", Some(1200), 0, false, 18),
            // Too short to pass: six failures leave no doubt before.
            ("success>=99% abort", Some(60), 0, false, 4),
            ("success>=99% abort", Some(100), 0, false, 5),
            ("5xx==0 abort", None, 0, true, 0),
            ("5xx<=3req abort", None, 0, true, 3),
            ("5xx<3req abort", Some(5), 0, true, 2),
            ("max<1s abort", None, 0, false, 0),
            ("errors<=0% abort min=100", None, 0, true, 0),
        ] {
            assert_eq!(trips(text, total), [Trip { meter, bad_holds, most_bad }], "{text} {total:?}");
        }
        for text in ["success>=99% abort", "success>=100req abort", "p95<1s"] {
            assert!(trips(text, None).is_empty(), "{text}");
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

    fn any_rule() -> impl Strategy<Value = AtMostBad> {
        (0_u64..=40, any::<bool>(), proptest::option::of(51_u64..=99), 1_usize..4, proptest::option::of(1_u64..30))
            .prop_map(|(tenths, strict, confidence, enforced, min)| {
                let allowed = Decimal::whole(tenths).over(40);
                let strict = strict && tenths > 0;
                let risks = confidence.filter(|_| tenths > 0 && tenths < 40).map(|c| {
                    let alpha = Decimal::whole(c).over(100).complement().as_f64();
                    Risks { pass: alpha, fail: alpha / enforced as f64 }
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
                    prop_assert_eq!(rule.decide(n, bad, n), Decision::Fail, "{:?}: {} of {}", rule, bad, n);
                }
            }
        }

        #[test]
        fn a_trip_fires_as_soon_as_that_is_so(rule in any_rule(), total in 1_u64..48) {
            let certain = rule.least_certain(total);
            prop_assume!(certain > 1);
            let bad = certain - 1;
            let fails_for_ever = (bad..=total).all(|n| rule.decide(n, bad, n) == Decision::Fail);
            prop_assert!(!fails_for_ever || bad > total, "{:?}: {} of {} is certain already", rule, bad, total);
        }

        #[test]
        fn more_failures_never_turn_fail_into_pass(rule in any_rule(), n in 1_u64..200, bad in 0_u64..200, more in 1_u64..20) {
            let bad = bad.min(n);
            let (before, worse) = (rule.decide(n, bad, n), rule.decide(n, (bad + more).min(n), n));
            prop_assert!(worse >= before || worse != Decision::Pass);
            prop_assert!(before == Decision::Pass || worse != Decision::Pass);
            let added = rule.decide(n + more, bad + more, n + more);
            prop_assert!(before != Decision::Fail || added == Decision::Fail, "{:?}: {} of {}", rule, bad, n);
        }

        #[test]
        fn decisions_equal_rational_arithmetic(rule in any_rule(), n in 1_u64..60, bad in 0_u64..60) {
            let bad = bad.min(n);
            let points = brute::Points::new(n, rule.allowed);
            let (low, high) = (points.at_most(bad), points.at_least(bad));
            let risk = |risk: f64| {
                // The intended decimal, not its nearest binary fraction.
                let (num, den) = ((risk * 600.0).round() as u128, 600);
                brute::ratio(Fraction { num, den })
            };
            let share = brute::ratio(Fraction { num: u128::from(bad), den: u128::from(n) });
            let allowed = brute::ratio(rule.allowed);
            let expected = if n < rule.least_n {
                let early = if rule.allowed.num == 0 { bad > 0 } else { bad >= 5 && high < brute::ratio(Fraction { num: 1, den: 1000 }) };
                if early { Decision::Fail } else { Decision::Insufficient }
            } else if let Some(risks) = rule.risks {
                if low <= risk(risks.pass) { Decision::Pass } else if high < risk(risks.fail) { Decision::Fail } else { Decision::Inconclusive }
            } else if share < allowed || share == allowed && !rule.strict { Decision::Pass } else { Decision::Fail };
            prop_assert_eq!(rule.decide(n, bad, n), expected, "{:?}: {} of {}", rule, bad, n);
        }
    }
}
