//! Scenarios: what happened to the requests, and what the verdict must be.

use std::time::Duration;

use proptest::prelude::*;

use super::super::*;
use super::samples::{answered, decision, distribution, failed, request, tainted, times, verdict, verdict_on};
use crate::stats::{Code, Fault, Ns, Outcome, Reading, Sample, Series, Stopped, Summary};

mod ours;
mod words;

#[test]
fn a_healthy_run_passes_and_says_on_what_evidence() {
    let verdict = verdict("success>=99%, p99<500ms", &times(1200, answered(200, 10.0)));
    assert_eq!(verdict.decision, Decision::Pass);
    assert_eq!(
        verdict.reason,
        "success>=99% ok 100% (95% 99.68%..100%, n=1200); p99<500ms ok 10.0ms (95% 10.0ms..10.0ms, n=1200)"
    );
    let finding = &verdict.findings[1];
    assert_eq!(
        (finding.clause.as_str(), finding.metric.as_str(), finding.comparison),
        ("p99<500ms", "latency.p99", "<")
    );
    assert_eq!((finding.value, finding.bound), (Some(Value::Time(1e7)), Value::Time(5e8)));
    assert_eq!((finding.n, finding.least_n, finding.thin), (1200, 100, false));
    assert_eq!(verdict.findings[0].value, Some(Value::Ratio(1.0)));
}

#[test]
fn two_percent_of_errors_fail_with_the_numbers() {
    let samples = [times(196, answered(200, 10.0)), times(4, answered(500, 1.0))].concat();
    let verdict = verdict("success>=99%, p99<500ms", &samples);
    assert_eq!(verdict.decision, Decision::Fail);
    assert_eq!(verdict.reason, "success>=99% was 98.0% (95% 95%..99.22%, n=200, thin); p99<500ms ok 10.0ms");
    assert_eq!(verdict.findings[0].note, None);
}

#[test]
fn a_slow_tail_fails_by_its_quantile() {
    let samples = [times(1180, answered(200, 10.0)), times(20, answered(200, 812.0))].concat();
    let verdict = verdict("p99<500ms", &samples);
    assert_eq!(verdict.decision, Decision::Fail);
    assert_eq!(verdict.reason, "p99<500ms was 812ms (95% 812ms..812ms, n=1200)");
}

#[test]
fn the_bound_itself_belongs_to_the_lax_comparison_only() {
    let samples = times(100, answered(200, 500.0));
    assert_eq!(decision("p99<=500ms", &samples), Decision::Pass);
    let strict = verdict("p99<500ms", &samples);
    assert_eq!(strict.decision, Decision::Fail);
    let above = times(100, answered(200, 500.000_001));
    let verdict = verdict("p99<=500ms", &above);
    assert_eq!(verdict.decision, Decision::Fail);
    assert!(verdict.reason.starts_with("p99<=500ms was 500.000001ms ("), "{}", verdict.reason);
}

#[test]
fn too_few_requests_pass_nothing_and_fail_only_what_is_beyond_doubt() {
    for (good, slow, expected) in [
        (60, 0, Decision::Insufficient),
        (58, 2, Decision::Insufficient),
        (55, 4, Decision::Insufficient),
        (55, 5, Decision::Fail),
        (0, 4, Decision::Insufficient),
        (0, 5, Decision::Fail),
        (99, 0, Decision::Insufficient),
        (100, 0, Decision::Pass),
    ] {
        let samples = [times(good, answered(200, 10.0)), times(slow, answered(200, 900.0))].concat();
        assert_eq!(decision("p99<500ms", &samples), expected, "{good} good, {slow} slow");
    }
    let few = verdict("p99<500ms", &times(60, answered(200, 10.0)));
    assert_eq!(few.reason, "p99<500ms: needs 100 requests, has 60 (0 slow so far)");
    assert_eq!(decision("p99<500ms min=60", &times(60, answered(200, 10.0))), Decision::Pass);
    assert_eq!(decision("max<500ms", &times(1, answered(200, 10.0))), Decision::Pass);
}

#[test]
fn what_too_little_evidence_comes_to_may_be_chosen() {
    let few = times(60, answered(200, 10.0));
    let passed = verdict("p99<500ms else=pass", &few);
    assert_eq!(passed.decision, Decision::Pass);
    assert!(passed.reason.ends_with("needs 100 requests, has 60 (0 slow so far): else=pass"), "{}", passed.reason);
    assert_eq!(decision("p99<500ms else=fail", &few), Decision::Fail);
    assert_eq!(decision("p99<500ms else=retry", &few), Decision::Insufficient);
    for (text, expected) in [
        ("p99<500ms", Decision::Insufficient),
        ("success>=1%", Decision::Insufficient),
        ("5xx==0", Decision::Insufficient),
        ("count<=5req", Decision::Insufficient),
        ("rps<=5/s", Decision::Insufficient),
        ("achieved>=1%", Decision::Insufficient),
        ("avg<1s", Decision::Insufficient),
        ("p99<500ms warn", Decision::Insufficient),
        ("p99<500ms else=pass", Decision::Pass),
    ] {
        assert_eq!(verdict_on(text, &[], |s| s.reached = true).decision, expected, "{text} without requests");
    }
}

#[test]
fn at_a_confidence_the_middle_is_neither_pass_nor_fail() {
    for (bad, expected) in [
        (0, Decision::Pass),
        (6, Decision::Pass),
        (7, Decision::Inconclusive),
        (18, Decision::Inconclusive),
        (19, Decision::Fail),
    ] {
        let samples = [times(1200 - bad, answered(200, 1.0)), times(bad, answered(503, 1.0))].concat();
        assert_eq!(decision("success>=99% @95", &samples), expected, "{bad} of 1200");
    }
    let samples = [times(1188, answered(200, 1.0)), times(12, answered(503, 1.0))].concat();
    let undecided = verdict("success>=99% @95", &samples);
    assert_eq!(undecided.reason, "success>=99% undecided at 99.00% (95% 98.3%..99.43%, n=1200, thin)");
    assert_eq!(decision("success>=99% @95 else=fail", &samples), Decision::Fail);
    assert_eq!(decision("success>=99% @95 else=pass", &samples), Decision::Pass);
}

#[test]
fn the_gravest_clause_decides_and_warnings_do_not() {
    let samples = [times(60, answered(200, 10.0)), times(40, answered(200, 900.0))].concat();
    assert_eq!(decision("p99.9<1s, p50<500ms", &samples), Decision::Insufficient);
    assert_eq!(decision("p99.9<1s, p50<500ms, p95<500ms", &samples), Decision::Fail);
    let warned = verdict("p50<500ms, p95<500ms warn", &samples);
    assert_eq!(warned.decision, Decision::Pass);
    assert_eq!((warned.findings[1].decision, warned.findings[1].advisory), (Decision::Fail, true));
    assert!(warned.reason.contains("; warn: p95<500ms was 900ms ("), "{}", warned.reason);
    assert_eq!(decision("p95<500ms warn", &samples), Decision::Pass);
}

#[test]
fn a_hung_target_fails_both_its_latency_and_its_success() {
    let samples = times(200, failed(Fault::Timeout));
    let verdict = verdict("success>=99%, p99<500ms", &samples);
    assert_eq!(verdict.decision, Decision::Fail);
    assert_eq!(verdict.findings[0].decision, Decision::Fail);
    assert_eq!(verdict.findings[1].decision, Decision::Fail);
    assert_eq!(verdict.findings[1].value, Some(Value::Beyond));
    assert!(verdict.reason.contains("p99<500ms was a timeout (95% among the timeouts, n=200)"), "{}", verdict.reason);
}

#[test]
fn a_fast_failure_cannot_improve_a_percentile() {
    let slow = [times(98, answered(200, 10.0)), times(2, answered(200, 900.0))].concat();
    assert_eq!(decision("p99<500ms", &slow), Decision::Fail);
    let hidden = [slow, times(900, answered(500, 1.0))].concat();
    assert_eq!(decision("p99<500ms", &hidden), Decision::Fail);
}

#[test]
fn a_target_that_was_never_reached_is_unreachable_and_one_that_was_fails() {
    let refused = times(200, failed(Fault::Refused));
    let never = verdict_on("success>=99%, p99<500ms", &refused, |s| {
        s.first_error = Some("127.0.0.1:9: connection refused".to_owned());
    });
    assert_eq!(never.decision, Decision::Unreachable);
    assert_eq!(never.reason, "no connection to the target was made (200 refused): 127.0.0.1:9: connection refused");
    assert!(never.findings.iter().all(|f| f.decision == Decision::Unreachable));
    assert_eq!(verdict_on("p99<1s warn", &refused, |_| {}).decision, Decision::Unreachable);
    let gone = [times(20, answered(200, 1.0)), refused.clone()].concat();
    assert_eq!(decision("success>=99%", &gone), Decision::Fail);
    assert_eq!(verdict_on("success>=99%", &refused, |s| s.reached = true).decision, Decision::Fail);
    let early = verdict_on("success>=99%", &[], |s| s.stopped = Some(Stopped::Unreachable));
    assert_eq!(early.decision, Decision::Unreachable);
}

#[test]
fn counts_rates_sizes_and_moments_are_judged_too() {
    let samples = [
        times(190, answered(200, 10.0)),
        times(3, answered(503, 1.0)),
        times(4, answered(429, 1.0)),
        times(2, answered(301, 30.0)),
        times(1, request(Outcome::http(200).with(Fault::Expect), 10.0, 10.0)),
    ]
    .concat();
    for (text, expected, value) in [
        ("5xx<=3req", Decision::Pass, "3"),
        ("5xx<3req", Decision::Fail, "3"),
        ("5xx==0", Decision::Fail, "3"),
        ("5xx!=3req warn, count>=1req", Decision::Pass, "3"),
        ("503==3req", Decision::Pass, "3"),
        ("429<3%", Decision::Pass, "2%"),
        ("429<=2%", Decision::Pass, "2%"),
        ("429<2%", Decision::Fail, "2%"),
        ("3xx<=1%", Decision::Pass, "1%"),
        ("2xx>=95.5%", Decision::Pass, "95.5%"),
        ("2xx>95.5%", Decision::Fail, "95.5%"),
        ("success>=192req", Decision::Pass, "192"),
        ("success>192req", Decision::Fail, "192"),
        ("errors<=8req", Decision::Pass, "8"),
        ("checks>=99%", Decision::Pass, "99.5%"),
        ("checks>=99.9% min=1", Decision::Fail, "99.5%"),
        ("timeouts==0, refused==0, resets==0", Decision::Pass, "0"),
        ("rps>=20/s", Decision::Pass, "20/s"),
        ("rps>20/s", Decision::Fail, "20/s"),
        ("rps>=1201/m", Decision::Fail, "20/s"),
        ("count==200req", Decision::Pass, "200"),
        ("count>=201req", Decision::Fail, "200"),
        ("achieved>=98%", Decision::Pass, "100%"),
        ("min<=10ms", Decision::Pass, "10.0ms"),
        ("min<10ms", Decision::Fail, "10.0ms"),
        ("max<=30ms", Decision::Pass, "30.0ms"),
        ("max<30ms", Decision::Fail, "30.0ms"),
        ("med<=10ms", Decision::Pass, "10.0ms"),
        ("avg<=10.21ms", Decision::Pass, "10.2ms"),
        ("avg<=10.2ms", Decision::Fail, "10.2ms"),
        ("stddev<2.1ms", Decision::Pass, "2.04ms"),
        ("stddev<2ms", Decision::Fail, "2.04ms"),
        ("size.max<=1KB", Decision::Pass, "1000 B"),
        ("size.max<1KB", Decision::Fail, "1000 B"),
        ("size.min>=1KB", Decision::Pass, "1000 B"),
        ("size.min>1KB", Decision::Fail, "1000 B"),
        ("size.p50>=1KB", Decision::Pass, "1000 B"),
        ("size.p50>1KB", Decision::Fail, "1000 B"),
        ("size.max>=1KB", Decision::Pass, "1000 B"),
        ("size.max>1KB", Decision::Fail, "1000 B"),
        ("size.avg>=1KB", Decision::Pass, "1000 B"),
        ("size.min<=1KB", Decision::Pass, "1000 B"),
    ] {
        let verdict = verdict(text, &samples);
        assert_eq!(verdict.decision, expected, "{text}: {}", verdict.reason);
        assert_eq!(verdict.findings[0].value.unwrap().to_string(), value, "{text}");
    }
}

#[test]
fn a_timeout_makes_every_mean_greater_than_any_bound() {
    let samples = [times(199, answered(200, 10.0)), times(1, failed(Fault::Timeout))].concat();
    for text in ["avg<1m", "stddev<1m", "max<1m"] {
        let verdict = verdict(text, &samples);
        assert_eq!((verdict.decision, verdict.findings[0].value), (Decision::Fail, Some(Value::Beyond)), "{text}");
    }
    assert_eq!(decision("p99<1s, min<1s", &samples), Decision::Pass);
}

#[test]
fn after_leaves_the_beginning_out_and_shows_what_is_left() {
    let later = |sample: Sample| {
        let six = Ns::from_secs(6);
        Sample {
            due: six,
            origin: six,
            sent: sample.sent + six,
            first: sample.first + six,
            done: sample.done + six,
            ..sample
        }
    };
    let samples = [times(50, answered(200, 900.0)), times(150, later(answered(200, 10.0)))].concat();
    let text = "p99<500ms after=5s";
    let shown = distribution(Series::Latency, &samples[50..]);
    let verdict = verdict_on(text, &samples, |s| _ = s.apart.insert(0, shown));
    assert_eq!(verdict.decision, Decision::Pass);
    assert_eq!((verdict.findings[0].value, verdict.findings[0].n), (Some(Value::Time(1e7)), 150));
    assert_eq!(decision("p99<500ms", &samples), Decision::Fail);
}

#[test]
fn overdue_requests_of_a_live_window_count_as_slow_and_failed() {
    let samples = times(100, answered(200, 10.0));
    let pending = |s: &mut Summary| {
        for reading in &mut s.readings {
            if let Reading::Tally(tally) = reading {
                tally.pending = 20;
            }
        }
    };
    for text in ["p99<500ms", "success>=99%", "errors<1%"] {
        let verdict = verdict_on(text, &samples, pending);
        assert_eq!((verdict.decision, verdict.findings[0].n), (Decision::Fail, 120), "{text}");
    }
    assert_eq!(verdict_on("5xx==0", &samples, pending).decision, Decision::Pass);
}

#[test]
fn what_cannot_be_judged_is_an_error_and_missing_readings_are_no_evidence() {
    let samples = times(200, answered(200, 10.0));
    let verdict = verdict("p99<500ms, avg<=primary+10%", &samples);
    assert_eq!(verdict.decision, Decision::Error);
    assert!(verdict.reason.starts_with("avg<=primary+10%: comparison is for shares"), "{}", verdict.reason);
    assert_eq!(verdict_on("p99<500ms", &samples, |s| s.readings.clear()).decision, Decision::Insufficient);
}

#[test]
fn a_long_reason_is_cut_and_stays_on_one_line() {
    let text = ["p99<500ms"; 12].join(",");
    let reason = verdict(&text, &times(200, answered(200, 900.0))).reason;
    assert!(reason.chars().count() <= 240 && reason.matches("was 900ms").count() >= 4, "{reason}");
    let long = verdict_on("p99<1s", &times(9, failed(Fault::Refused)), |s| s.first_error = Some("é\n".repeat(300)));
    assert_eq!(long.reason.chars().count(), 240);
    assert!(!long.reason.contains('\n') && long.reason.ends_with('…'));
}

/// A request of some kind.
fn any_sample() -> impl Strategy<Value = Sample> {
    let outcome = prop_oneof![
        8 => Just(Outcome::http(200)),
        1 => Just(Outcome::http(404)),
        1 => Just(Outcome::http(503)),
        1 => Just(Outcome::fault(Fault::Timeout)),
        1 => Just(Outcome::fault(Fault::Reset)),
        1 => Just(Outcome::fault(Fault::Local)),
    ];
    (outcome, 1_u32..1000, prop::bool::weighted(0.02))
        .prop_map(|(outcome, ms, taint)| Sample { tainted: taint, ..request(outcome, f64::from(ms), 1.0) })
}

const LINES: [&str; 9] = [
    "success>=95%, p90<500ms",
    "success>=90% @90, p50<500ms @95 warn",
    "errors<10% min=3, 5xx<=2req, 5xx==0 warn",
    "p99<900ms else=pass, max<2s",
    "avg<600ms, stddev<500ms, min<500ms, med<700ms",
    "success>=99% else=fail, timeouts<5%",
    "achieved>=90%, rps>=1/s, count>=3req",
    "service.p95<500ms, size.max<=1KiB, size.p50>=10B",
    "4xx<20% @80, 2xx>=50%, checks>=99%",
];

proptest! {
    #[test]
    fn more_failures_never_turn_a_fail_into_a_pass(
        line in prop::sample::select(&LINES[..6]),
        samples in prop::collection::vec(any_sample(), 0..160),
        more in 1_usize..60,
        how in prop_oneof![Just(Outcome::http(503)), Just(Outcome::fault(Fault::Timeout))],
    ) {
        let before = decision(line, &samples);
        let after = decision(line, &[samples, times(more, request(how, 1000.0, 1000.0))].concat());
        prop_assert!(before != Decision::Fail || after != Decision::Pass, "{} became {}", before, after);
    }

    #[test]
    fn every_verdict_is_well_formed(
        line in prop::sample::select(&LINES[..]),
        samples in prop::collection::vec(any_sample(), 0..200),
        late in 0_u64..30,
        reached in any::<bool>(),
    ) {
        let verdict = verdict_on(line, &samples, |s| {
            s.generator.late = late;
            s.reached = reached;
            s.generator.rate = Some(200.0);
            s.generator.max_lanes = 2;
        });
        prop_assert!(!verdict.reason.is_empty() && verdict.reason.chars().count() <= 240, "{}", verdict.reason);
        prop_assert_eq!(verdict.findings.len(), parse(line).unwrap().clauses.len());
        let gravest = verdict.findings.iter().filter(|f| !f.advisory).map(|f| f.decision).max();
        prop_assert_eq!(Some(verdict.decision), gravest);
        for finding in &verdict.findings {
            if let (Some(value), Some((low, high))) = (finding.value, finding.interval) {
                prop_assert!(low.as_f64() <= value.as_f64() && value.as_f64() <= high.as_f64(), "{:?}", finding);
            }
            let absent = finding.value.is_none() && !line.contains("else=pass");
            prop_assert!(!absent || finding.decision != Decision::Pass, "{:?}", finding);
        }
    }
}

#[test]
fn a_run_in_which_our_own_code_broke_is_an_error_however_good_the_numbers() {
    let line = parse("success>=50%").expect("it is a line");
    let summary = Summary { error: Some("a worker of tollgate's own failed".into()), ..Summary::default() };
    let verdict = judge(&line, &Evidence::of(&summary));
    assert_eq!((verdict.decision, verdict.reason.as_str()), (Decision::Error, "a worker of tollgate's own failed"));
}
