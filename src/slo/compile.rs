//! From clauses to counters: what to count for each, and what the counts then mean.

use crate::stats::{Fault, Measures, Meter, Ns, Only, Series, Set, StatusSet, Test, Trip};

use super::allowance::Allowance;
use super::clause::{Aggregate, Bound, Clause, Comparison, Line, Margin, Metric, Offset, Share};
use super::compare::{Compared, Comparing};
use super::decimal::Fraction;
use super::needs::Party;
use super::rule::{AtMostBad, Risks, Rule, Side, least_shown};
use super::unit::Unit;

/// The chance of a wrong fail where a clause that may fail by chance names no confidence of its own.
const OWN_ALPHA: f64 = 0.05;
/// Least population of either side of a comparison of shares that has no margin to derive it from.
const LEAST_COMPARED: u64 = 100;
/// Stands for the bound of a comparison on times: our own lateness matters from a tenth of it, 10 ms…
const UNNAMED_TIME: Ns = Ns::from_millis(100);
/// …or from half of what the comparison allows, where it names a time and that is less.
const ALLOWANCES: u64 = 5;

/// A clause with its rule and the meters it needs.
#[derive(Debug)]
pub(super) struct Compiled<'a> {
    pub(super) clause: &'a Clause,
    pub(super) rule: Rule,
    /// Index of its meter, if it needs one.
    pub(super) meter: Option<(usize, Meter)>,
    /// The same meter on service times, for clauses on latency.
    pub(super) companion: Option<(usize, Meter)>,
    /// How many clauses may fail the line.
    pub(super) enforced: usize,
}

/// Rules and meters of every clause, in a fixed order: a clause's own meter, then its companion, clause by clause.
pub(super) fn compile(line: &Line) -> Vec<Compiled<'_>> {
    let enforced = line.clauses.iter().filter(|clause| !clause.options.warn).count().max(1);
    let mut next = 0;
    let mut take = |meter: Meter| {
        next += 1;
        (next - 1, meter)
    };
    line.clauses
        .iter()
        .map(|clause| {
            let (rule, test) = rule(clause, enforced);
            let meter = test.map(|test| take(meter(clause, test)));
            let companion = meter.and_then(|(_, meter)| on_service(meter)).map(&mut take);
            Compiled { clause, rule, meter, companion, enforced }
        })
        .collect()
}

fn meter(clause: &Clause, test: Test) -> Meter {
    let tested = clause.options.confidence.is_some() || clause.options.over.is_some();
    Meter {
        test,
        after: clause.options.after.unwrap_or(Ns::ZERO),
        only: Only { answers: clause.answers(), classes: clause.classes() },
        by_second: tested && !matches!(test, Test::Moments(_)),
    }
}

/// The same meter on service times, where `meter` is on latencies.
fn on_service(meter: Meter) -> Option<Meter> {
    let test = match meter.test {
        Test::AtMost(Series::Latency, limit) => Test::AtMost(Series::Service, limit),
        Test::Moments(Series::Latency) => Test::Moments(Series::Service),
        _ => return None,
    };
    Some(Meter { test, by_second: false, ..meter })
}

fn rule(clause: &Clause, enforced: usize) -> (Rule, Option<Test>) {
    if clause.unsupported().is_some() {
        return (Rule::Unsupported, None);
    }
    let Some(bound) = clause.absolute() else { return on_reference(clause, enforced) };
    match &clause.metric {
        Metric::Series(series, aggregate) => on_series(clause, *series, *aggregate, bound, enforced),
        Metric::Share(share) => on_share(clause, *share, bound, enforced),
        Metric::Rps | Metric::Count => (Rule::Overall, None),
        Metric::Prom(_) => (Rule::Outside, None),
    }
}

/// Against the same metric measured elsewhere.
fn on_reference(clause: &Clause, enforced: usize) -> (Rule, Option<Test>) {
    let Bound::Relative { offset, .. } = &clause.bound else { return (Rule::Unsupported, None) };
    let confidence = clause.options.confidence.map(|confidence| confidence.over(100).complement().as_f64());
    let (what, own_least, test) = match &clause.metric {
        Metric::Series(series, aggregate) => {
            let Some(q) = aggregate.quantile() else { return (Rule::Unsupported, None) };
            let bad = q.complement();
            let least = confidence.map_or_else(|| bad.reciprocal_ceil(), |alpha| least_shown(bad, alpha));
            (Compared::Quantile(*series, q), least, Test::Moments(*series))
        }
        Metric::Share(share) => {
            let Some(set) = set_of(*share) else { return (Rule::Unsupported, None) };
            (Compared::Share(set), least_compared(*offset), Test::Share(set))
        }
        _ => return (Rule::Unsupported, None),
    };
    let comparing = Comparing {
        what,
        allowance: Allowance::new(*offset, clause.comparison.is_upper()),
        fail: confidence.map_or(OWN_ALPHA, |alpha| alpha / enforced as f64),
        pass: confidence,
        least_n: clause.options.min.unwrap_or(own_least),
    };
    (Rule::Compare(comparing), Some(test))
}

/// So many requests that a single bad one is within the margin.
fn least_compared(offset: Option<Offset>) -> u64 {
    let of = |margin: Margin| match margin {
        Margin::One(one) => one.in_base_units().reciprocal_ceil(),
        Margin::Max(one, other) => one.in_base_units().reciprocal_ceil().min(other.in_base_units().reciprocal_ceil()),
    };
    match offset {
        Some(Offset::Plus(margin) | Offset::Minus(margin)) => of(margin).max(2),
        None | Some(Offset::Times(_)) => LEAST_COMPARED,
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
        Share::Answered(answers) => Set::Answered(answers),
        Share::Achieved => return None,
    })
}

fn at_most_bad(clause: &Clause, bad: Side, allowed: Fraction, strict: bool, enforced: usize) -> AtMostBad {
    let risks = clause.options.confidence.map(|confidence| {
        let alpha = confidence.over(100).complement().as_f64();
        Risks { pass: alpha, fail: alpha / enforced as f64, looks: clause.options.abort }
    });
    let own = match risks {
        None => allowed.reciprocal_ceil(),
        Some(risks) => least_shown(allowed, risks.pass),
    };
    AtMostBad { bad, allowed, strict, risks, least_n: clause.options.min.unwrap_or(own) }
}

impl Compiled<'_> {
    /// Least population that may pass.
    pub(super) fn least_n(&self) -> u64 {
        let own = match &self.rule {
            Rule::Share(rule) => return rule.least_n,
            Rule::Compare(comparing) => return comparing.least_n,
            Rule::Moments if matches!(self.clause.metric, Metric::Series(_, Aggregate::Stddev)) => 2,
            Rule::Outside => return 0,
            _ => 1,
        };
        self.clause.options.min.unwrap_or(own)
    }

    /// The chance of a wrong fail that a test on the windows of `over=` may spend.
    pub(super) fn alpha(&self) -> f64 {
        let confidence = self.clause.options.confidence;
        confidence.map_or(OWN_ALPHA, |confidence| confidence.over(100).complement().as_f64()) / self.enforced as f64
    }

    /// When the load may stop: because the clause cannot pass whatever follows (`total` is the run's number of requests,
    /// where it is known beforehand), or, at a confidence, because the evidence is strong enough.
    fn trip(&self, total: Option<u64>) -> Option<Trip> {
        let (meter, _) = self.meter.filter(|_| self.clause.options.abort && self.clause.party() == Party::Canary)?;
        let (bad, most_bad, looks) = match self.rule {
            Rule::Share(rule) => {
                let total = if rule.allowed.num == 0 { Some(u64::MAX) } else { total };
                let certain = total.and_then(|total| rule.least_certain(total).checked_sub(1));
                let looks = rule.looks();
                if certain.is_none() && looks.is_empty() {
                    return None;
                }
                (rule.bad, certain.unwrap_or(u64::MAX), looks)
            }
            Rule::Count { side, comparison, bound } => {
                let most = match comparison {
                    Comparison::Le | Comparison::Eq => bound,
                    Comparison::Lt => bound.checked_sub(1)?,
                    _ => return None,
                };
                (side, most, Vec::new())
            }
            _ => return None,
        };
        Some(Trip { meter, bad_holds: bad == Side::Holds, most_bad, looks })
    }
}

impl Line {
    /// What a run has to count for this objective, and when it may stop early.
    ///
    /// `success` says which outcomes are successes. `total` is the number of requests that will be due in the judged
    /// part, where it is known beforehand; without it a clause on a share cannot be certain before the end. A trip never
    /// fires on a run that could still pass, except by the chance that a clause with `@` and `abort` allows.
    #[must_use]
    pub fn measures(&self, success: StatusSet, total: Option<u64>) -> Measures {
        let compiled = compile(self);
        let mut measures = Measures { success, ..Measures::default() };
        for clause in &compiled {
            measures.meters.extend(clause.meter.iter().chain(&clause.companion).map(|(_, meter)| *meter));
            measures.trips.extend(clause.trip(total));
        }
        measures.tightest = compiled.iter().filter_map(time_bound).min();
        measures
    }
}

/// The clause's bound, if it is a time; of a comparison, what stands for it.
fn time_bound(compiled: &Compiled<'_>) -> Option<Ns> {
    let clause = compiled.clause;
    compiled.meter.filter(|_| clause.metric.is_time())?;
    let exact = |bound: Fraction| Ns(u64::try_from(bound.floor()).unwrap_or(u64::MAX));
    let offset = match &clause.bound {
        Bound::Absolute(quantity) => return Some(exact(quantity.in_base_units())),
        Bound::Relative { offset, .. } => *offset,
    };
    let quantities = match offset {
        Some(Offset::Plus(margin) | Offset::Minus(margin)) => match margin {
            Margin::One(one) => vec![one],
            Margin::Max(one, other) => vec![one, other],
        },
        None | Some(Offset::Times(_)) => Vec::new(),
    };
    let named = quantities.iter().filter(|quantity| quantity.unit != Some(Unit::Percent));
    let allowed =
        named.map(|quantity| exact(quantity.in_base_units())).min().map(|least| least.0.saturating_mul(ALLOWANCES));
    Some(allowed.map_or(UNNAMED_TIME, Ns).min(UNNAMED_TIME))
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::super::tests::samples::share_rule;
    use super::super::verdict::Decision;
    use super::*;
    use crate::stats::Answers;

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
            ("5xx==0", Test::Share(Set::Answered(Answers::Class(5)))),
            ("429<1%", Test::Share(Set::Answered(Answers::Http(429)))),
            ("grpc.unavailable<1%", Test::Share(Set::Answered(Answers::Grpc(14)))),
            ("checks>=99%", Test::Share(Set::Checks)),
            ("p95<=primary+10%", Test::Moments(Series::Latency)),
            ("errors<=last+1pp", Test::Share(Set::Errors)),
        ] {
            let meters = parse(text).unwrap().measures(StatusSet::ok(), None).meters;
            assert_eq!(meters[0], Meter::of(test), "{text}");
        }
        for text in ["rps>=1/s", "count>=1req", "achieved>=98%", "avg<=primary", "prom('up')>=1req"] {
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
                Meter::of(Test::Share(Set::Success)),
                Meter { after, ..Meter::of(Test::AtMost(Series::Latency, 500_000_000)) },
                Meter { after, ..Meter::of(Test::AtMost(Series::Service, 500_000_000)) },
                Meter::of(Test::AtMost(Series::Service, 40_000_000)),
                Meter::of(Test::Moments(Series::Latency)),
                Meter::of(Test::Moments(Series::Service)),
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
            assert_eq!(rule.decide(n, 0, n, 1.0), Decision::Pass, "{text}");
            assert_eq!(rule.decide(n - 1, 0, n, 1.0), Decision::Inconclusive, "{text}");
        }
    }

    #[test]
    fn selectors_and_tests_at_a_confidence_reach_the_meter() {
        let of = |text: &str| parse(text).unwrap().measures(StatusSet::ok(), None).meters[0];
        let (plain, test) = (of("p95<1s"), Test::AtMost(Series::Latency, 999_999_999));
        assert_eq!(plain, Meter::of(test));
        assert_eq!(of("p95<1s @95"), Meter { by_second: true, ..plain });
        assert_eq!(of("p95<1s over=10s"), Meter { by_second: true, ..plain });
        assert_eq!(of("p95{target=canary}<1s"), plain);
        assert_eq!(of("p95{status=2xx}<1s").only.answers, Some(Answers::Class(2)));
        assert_eq!(of("p95{status=404}<1s").only.answers, Some(Answers::Http(404)));
        assert_eq!(of("p95{ status = grpc.not_found }<1s").only.answers, Some(Answers::Grpc(5)));
        assert_eq!(of("p95<=primary+10% @95"), Meter::of(Test::Moments(Series::Latency)));
        assert!(of("errors<=primary+1pp @95").by_second);
    }

    #[test]
    fn both_sides_of_a_comparison_need_their_number_of_requests() {
        for (text, n) in [
            ("p95<=primary+10%", 20),
            ("p99<=primary", 100),
            ("p99<=last @95", 299),
            ("errors<=primary+0.5pp", 200),
            ("errors<=primary+max(0.5pp,2pp)", 50),
            ("errors<=primary", 100),
            ("errors<=baseline(v41)*1.2", 100),
            ("success>=primary-1pp min=30", 30),
        ] {
            assert_eq!(compile(&parse(text).unwrap())[0].least_n(), n, "{text}");
        }
    }

    #[test]
    fn how_late_we_may_be_follows_from_what_a_comparison_allows() {
        for (text, tightest) in [
            ("p95<=primary+10%", Some(UNNAMED_TIME)),
            ("p95<=primary+max(10%,20ms), p99<1s", Some(Ns::from_millis(100))),
            ("p95<=primary+4ms, p99<1s", Some(Ns::from_millis(20))),
            ("p95<=primary*2, p99<30ms", Some(Ns::from_millis(30))),
            ("errors<=primary+1pp", None),
        ] {
            assert_eq!(parse(text).unwrap().measures(StatusSet::ok(), None).tightest, tightest, "{text}");
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
            // 13 of 1200 is not yet shown to be above 1 %; with a seventh of the risk left after the looks, 22 would be.
            ("success>=99% @95 abort", Some(1200), 0, false, 21),
            ("success>=99% @95 abort", None, 0, false, u64::MAX),
            // Too short to pass: six failures leave no doubt before.
            ("success>=99% abort", Some(60), 0, false, 4),
            ("success>=99% abort", Some(100), 0, false, 5),
            ("5xx==0 abort", None, 0, true, 0),
            ("5xx<=3req abort", None, 0, true, 3),
            ("5xx<3req abort", Some(5), 0, true, 2),
            ("max<1s abort", None, 0, false, 0),
            ("errors<=0% abort min=100", None, 0, true, 0),
        ] {
            let trip = &trips(text, total)[0];
            assert_eq!((trip.meter, trip.bad_holds, trip.most_bad), (meter, bad_holds, most_bad), "{text} {total:?}");
            assert_eq!(trip.looks.is_empty(), !text.contains('@'), "{text}");
        }
        for text in ["success>=99% abort", "success>=100req abort", "p95<1s"] {
            assert!(trips(text, None).is_empty(), "{text}");
        }
    }
}
