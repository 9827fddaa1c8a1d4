//! Scenarios beside another measurement: primary, last run, baseline, Prometheus.

use std::collections::BTreeMap;

use super::super::*;
use super::samples::{answered, failed, summary, tainted, times};
use crate::stats::{Fault, Ns, Reading, Sample, Series, Summary};

/// Judges `text` on a canary beside a primary.
fn beside(text: &str, canary: &[Sample], primary: &[Sample]) -> Verdict {
    beside_changed(text, (canary, |_| {}), (primary, |_| {}))
}

fn beside_changed(
    text: &str,
    (canary, change): (&[Sample], impl FnOnce(&mut Summary)),
    (primary, change_primary): (&[Sample], impl FnOnce(&mut Summary)),
) -> Verdict {
    let line = parse(text).unwrap();
    let (mut canary, mut primary) = (summary(&line, canary), summary(&line, primary));
    change(&mut canary);
    change_primary(&mut primary);
    judge(&line, &Evidence { primary: Some(&primary), ..Evidence::of(&canary) })
}

/// Answers from 90 % to 110 % of `ms`.
fn around(n: u32, ms: f64) -> Vec<Sample> {
    (0..n).map(|i| answered(200, ms * (0.9 + 0.2 * f64::from(i) / f64::from(n)))).collect()
}

#[test]
fn a_canary_like_its_primary_passes_and_a_slower_one_fails_with_both_numbers() {
    let text = "p95<=primary+max(10%,20ms), errors<=primary+0.5pp";
    let primary = around(1200, 100.0);
    let alike = beside(text, &around(1200, 101.0), &primary);
    assert_eq!(alike.decision, Decision::Pass);
    assert_eq!(
        alike.reason,
        "p95<=primary+max(10%,20ms) ok 110ms (95% 110ms..110ms, n=1200, against 109ms); \
         errors<=primary+0.5pp ok 0% (95% 0%..0.32%, n=1200, against 0%)"
    );
    let slower = beside(text, &around(1200, 150.0), &primary);
    assert_eq!(slower.decision, Decision::Fail);
    assert!(slower.reason.starts_with("p95<=primary+max(10%,20ms) was 164ms (95% 163ms..164ms"), "{}", slower.reason);
    let finding = &slower.findings[0];
    let near = |value: Value, ms: f64| (value.as_f64() / 1e6 - ms).abs() < 0.3;
    assert!(near(finding.reference.unwrap(), 109.0) && near(finding.bound, 129.0), "{finding:?}");
    assert_eq!(slower.advice, ["a request takes longer than one of the primary with a chance of 100%"]);
    assert_eq!(alike.advice, ["a request takes longer than one of the primary with a chance of 55%"]);
    let failing = [around(1170, 100.0), times(30, answered(503, 1.0))].concat();
    assert_eq!(beside(text, &failing, &primary).findings[1].decision, Decision::Fail);
}

#[test]
fn a_stalled_canary_beside_a_healthy_primary_fails() {
    let primary = around(600, 10.0);
    let text = "p95<=primary+max(10%,20ms)";
    // Every eighth second is held; those due meanwhile wait up to a second.
    let held: Vec<Sample> = (0..75).map(|i| answered(200, 10.0 + 13.0 * f64::from(i))).collect();
    let stalled = [around(525, 10.0), held].concat();
    assert_eq!(beside(text, &stalled, &primary).decision, Decision::Fail);
    let hung = [around(300, 10.0), times(300, failed(Fault::Timeout))].concat();
    let verdict = beside(text, &hung, &primary);
    assert_eq!((verdict.decision, verdict.findings[0].value), (Decision::Fail, Some(Value::Beyond)));
    assert_eq!(beside(text, &times(600, failed(Fault::Timeout)), &primary).decision, Decision::Fail);
    // The other way round there is no measure: a stalled primary excuses nobody.
    let excused = beside(text, &stalled, &hung);
    assert_eq!(excused.decision, Decision::Insufficient);
    assert_eq!(excused.findings[0].note.as_deref(), Some("p95 of primary is among its timeouts"));
}

#[test]
fn requests_of_a_running_load_that_hang_are_slower_than_what_is_allowed() {
    let text = "p95<=primary+max(10%,20ms)";
    let primary = around(600, 10.0);
    let waiting = |n: usize, ms: u64| move |canary: &mut Summary| canary.pending = vec![Ns::from_millis(ms); n];
    for (finished, hanging, ms, decision, why) in [
        (540, 60, 5_000, Decision::Fail, "a tenth hangs: it is not left out for being unfinished"),
        (540, 60, 25, Decision::Pass, "they have waited no longer than is allowed"),
        (590, 10, 5_000, Decision::Pass, "too few to reach the quantile"),
        (0, 60, 5_000, Decision::Fail, "all of them hang: that is no silence"),
        (0, 10, 5_000, Decision::Insufficient, "but ten are too few"),
    ] {
        let verdict = beside_changed(text, (&around(finished, 10.0), waiting(hanging, ms)), (&primary, |_| {}));
        assert_eq!(verdict.decision, decision, "{why}: {}", verdict.reason);
    }
    let told = beside_changed(text, (&around(540, 10.0), waiting(60, 5_000)), (&primary, |_| {}));
    assert!(told.reason.contains("; 60 requests unanswered for longer than that"), "{}", told.reason);
}

#[test]
fn a_running_load_that_is_short_of_lanes_fails_no_latency_that_service_times_keep() {
    let text = "p95<=primary+10%";
    let meters = |service_ms: f64, lanes: u32| {
        move |summary: &mut Summary| {
            let mut moments = crate::stats::Moments::default();
            (0..600).for_each(|_| moments.add((service_ms * 1e6) as u64));
            summary.readings[1] = Reading::Moments(moments);
            summary.distributions.remove(&Series::Service);
            (summary.generator.rate, summary.generator.max_lanes) = (Some(20.0), lanes);
        }
    };
    let (slow, primary) = (around(600, 900.0), around(600, 300.0));
    for (service_ms, lanes, decision, why) in [
        (300.0, 5, Decision::Insufficient, "20/s at 300 ms need six lanes: the queue is of our own making"),
        (300.0, 6, Decision::Fail, "there are enough"),
        (900.0, 5, Decision::Fail, "its service is slower too"),
    ] {
        let canary = (slow.as_slice(), meters(service_ms, lanes));
        let verdict = beside_changed(text, canary, (&primary, meters(300.0, lanes)));
        assert_eq!(verdict.decision, decision, "{why}: {}", verdict.reason);
    }
}

#[test]
fn a_side_without_enough_is_never_a_pass() {
    let (few, enough) = (around(15, 10.0), around(600, 10.0));
    for (canary, primary, note) in [
        (&few, &enough, "needs 20 requests, has 15"),
        (&enough, &few, "needs 20 requests of primary, has 15"),
        (&few, &few, "needs 20 requests on each side, has 15 and 15 of primary"),
    ] {
        let verdict = beside("p95<=primary+10%", canary, primary);
        assert_eq!(verdict.decision, Decision::Insufficient);
        assert_eq!(verdict.findings[0].note.as_deref(), Some(note));
    }
    let failing = [around(290, 10.0), times(310, answered(500, 1.0))].concat();
    for text in ["p95<=primary+10%", "errors<=primary+0.5pp", "success>=primary"] {
        let verdict = beside(text, &enough, &failing);
        assert_eq!(verdict.decision, Decision::Insufficient, "{text}");
        assert_eq!(verdict.findings[0].note.as_deref(), Some("primary itself succeeded on 48.3% only"), "{text}");
        let alone = judge(&parse(text).unwrap(), &Evidence::of(&summary(&parse(text).unwrap(), &enough)));
        assert_eq!(alone.decision, Decision::Insufficient, "{text}");
        assert_eq!(alone.findings[0].note.as_deref(), Some("no primary was loaded beside it"), "{text}");
    }
    assert_eq!(beside("p95<=primary+10% else=pass", &few, &enough).decision, Decision::Pass);
    assert_eq!(beside("p95<=primary+10% min=10", &few, &few).decision, Decision::Pass);
}

#[test]
fn at_a_confidence_what_is_not_shown_is_inconclusive() {
    let primary = around(1200, 100.0);
    for (ms, expected) in [(100.0, Decision::Pass), (110.0, Decision::Inconclusive), (130.0, Decision::Fail)] {
        assert_eq!(beside("p95<=primary+10% @95", &around(1200, ms), &primary).decision, expected, "{ms}");
    }
    let some = [around(1188, 100.0), times(12, answered(503, 1.0))].concat();
    assert_eq!(beside("errors<=primary+0.5pp @95", &some, &primary).decision, Decision::Fail);
    let fewer = [around(1195, 100.0), times(5, answered(503, 1.0))].concat();
    assert_eq!(beside("errors<=primary+0.5pp @95", &fewer, &primary).decision, Decision::Inconclusive);
    assert_eq!(beside("errors<=primary+0.5pp @95", &primary, &primary).decision, Decision::Pass);
}

#[test]
fn while_either_side_is_ours_no_time_fails_and_answered_failures_still_do() {
    let late = |s: &mut Summary| s.generator.late = s.generator.scheduled / 2;
    let (slow, quick) = (around(600, 900.0), around(600, 10.0));
    let text = "p95<=primary+10%";
    assert_eq!(beside_changed(text, (&slow, late), (&quick, |_| {})).decision, Decision::Saturated);
    assert_eq!(beside_changed(text, (&slow, |_| {}), (&quick, late)).decision, Decision::Saturated);
    let stood_still: Vec<Sample> =
        quick.iter().enumerate().map(|(i, s)| if i % 10 == 0 { tainted(*s) } else { *s }).collect();
    assert_eq!(beside(text, &stood_still, &quick).decision, Decision::Saturated);
    assert_eq!(beside(text, &slow, &stood_still).decision, Decision::Saturated);
    let failing = [around(500, 10.0), times(100, answered(500, 1.0))].concat();
    let hanging = [around(500, 10.0), times(100, failed(Fault::Timeout))].concat();
    let text = "errors<=primary+1pp";
    assert_eq!(beside_changed(text, (&failing, late), (&quick, |_| {})).decision, Decision::Fail);
    assert_eq!(beside_changed(text, (&hanging, late), (&quick, |_| {})).decision, Decision::Saturated);
    assert_eq!(beside_changed(text, (&quick, late), (&quick, |_| {})).decision, Decision::Saturated);
}

#[test]
fn a_queue_of_our_own_making_is_no_slower_canary() {
    let queued = times(200, super::samples::request(crate::stats::Outcome::http(200), 4000.0, 150.0));
    let served = times(200, answered(200, 150.0));
    let narrow = |s: &mut Summary| (s.generator.rate, s.generator.max_lanes) = (Some(100.0), 8);
    let verdict = beside_changed("p95<=primary+10%", (&queued, narrow), (&served, |_| {}));
    assert_eq!(verdict.decision, Decision::Insufficient);
    assert_eq!(verdict.findings[0].note.as_deref(), Some("needs ≥ 15 lanes (100/s at 150ms each, 8 allowed)"));
    assert_eq!(beside("p95<=primary+10%", &queued, &served).decision, Decision::Fail);
}

#[test]
fn the_primary_itself_may_be_asked_for() {
    let (canary, primary) = (around(600, 10.0), around(600, 200.0));
    let verdict = beside("p95{target=primary}<100ms, p95{target=canary}<100ms", &canary, &primary);
    assert_eq!(verdict.findings[0].decision, Decision::Fail);
    assert_eq!(verdict.findings[1].decision, Decision::Pass);
    let line = parse("p95{target=primary}<100ms").unwrap();
    let alone = judge(&line, &Evidence::of(&summary(&line, &canary)));
    assert_eq!(alone.reason, "p95{target=primary}<100ms: no primary was loaded beside it");
}

/// Judges `text` on samples beside a saved run.
fn since(text: &str, samples: &[Sample], saved: Option<(Reference, Summary)>) -> Verdict {
    let line = parse(text).unwrap();
    let references: BTreeMap<Reference, Summary> = saved.into_iter().collect();
    judge(&line, &Evidence { references: &references, ..Evidence::of(&summary(&line, samples)) })
}

/// A saved run knows nothing of the clauses of today.
fn saved(samples: &[Sample]) -> Summary {
    Summary { readings: Vec::new(), ..summary(&parse("count>=1req").unwrap(), samples) }
}

#[test]
fn saved_runs_are_compared_as_a_whole() {
    let mixed = [
        around(950, 100.0),
        times(10, answered(404, 1.0)),
        times(20, answered(503, 1.0)),
        times(10, failed(Fault::Reset)),
        times(10, failed(Fault::Local)),
    ]
    .concat();
    let before = saved(&mixed);
    let shares = [
        ("errors<=last*2", 40.0 / 990.0),
        ("success>=last-1pp", 950.0 / 990.0),
        ("5xx<=last*2", 20.0 / 990.0),
        ("404<=last*2", 10.0 / 990.0),
        ("resets<=last*2", 10.0 / 990.0),
        ("checks>=last-1pp", 1.0),
    ];
    for (text, share) in shares {
        let verdict = since(text, &mixed, Some((Reference::Last, before.clone())));
        assert_eq!(verdict.decision, Decision::Pass, "{text}: {}", verdict.reason);
        assert_eq!(verdict.findings[0].reference, Some(Value::Ratio(share)), "{text}");
    }
    let baseline = || Some((Reference::Baseline("v41".to_owned()), before.clone()));
    let text = "p50<=baseline(v41)+5%";
    assert_eq!(since(text, &around(950, 102.0), baseline()).decision, Decision::Pass);
    let slower = since(text, &around(950, 120.0), baseline());
    assert_eq!(slower.decision, Decision::Fail);
    assert_eq!(slower.advice, ["a request takes longer than one of baseline(v41) with a chance of 100%"]);
    let none = since(text, &around(950, 120.0), None);
    assert_eq!(none.reason, "p50<=baseline(v41)+5%: there is no report of baseline(v41)");
    assert_eq!(none.decision, Decision::Insufficient);
    let late =
        Summary { generator: crate::stats::Generator { scheduled: 1000, late: 400, ..Default::default() }, ..before };
    let spoiled = since("p50<=last", &around(950, 100.0), Some((Reference::Last, late)));
    assert_eq!(spoiled.reason, "p50<=last: last was measured while tollgate itself was late");
}

#[test]
fn answers_of_prometheus_are_judged_in_the_unit_of_the_bound() {
    let line = |text: &str| parse(text).unwrap();
    let judged = |text: &str, answer: Option<Result<f64, &str>>| {
        let line = line(text);
        let query = (*line.queries().first().unwrap()).clone();
        let outside: BTreeMap<Query, Answer> =
            answer.map(|answer| (query, answer.map_err(str::to_owned))).into_iter().collect();
        judge(&line, &Evidence { outside: &outside, ..Evidence::of(&summary(&line, &around(10, 1.0))) })
    };
    for (text, answer, decision, reason) in [
        ("prom('up')>=2req", Some(Ok(2.0)), Decision::Pass, "prom('up')>=2req ok 2 (from outside)"),
        ("prom('up')==2req", Some(Ok(2.5)), Decision::Fail, "prom('up')==2req was 2.5 (from outside)"),
        ("prom('lag')<300ms", Some(Ok(0.25)), Decision::Pass, "prom('lag')<300ms ok 250ms (from outside)"),
        ("prom('lag')<300ms", Some(Ok(0.3)), Decision::Fail, "prom('lag')<300ms was 300ms (from outside)"),
        ("prom('e')<5/s", Some(Ok(4.9)), Decision::Pass, "prom('e')<5/s ok 4.9/s (from outside)"),
        ("prom('e')<1%", Some(Ok(0.02)), Decision::Fail, "prom('e')<1% was 2% (from outside)"),
        ("prom('m')<=1KiB", Some(Ok(1024.0)), Decision::Pass, "prom('m')<=1KiB ok 1.00 KiB (from outside)"),
        (
            "prom('e')>=99%",
            Some(Ok(99.5)),
            Decision::Insufficient,
            "prom('e')>=99%: the answer 99.5 is no share from 0 to 1: leave 100 * out of the query",
        ),
        ("prom('e')<1%", Some(Ok(f64::NAN)), Decision::Insufficient, "prom('e')<1%: Prometheus gave no number"),
        (
            "prom('e')<1%",
            Some(Err("the query finds no series")),
            Decision::Insufficient,
            "prom('e')<1%: the query finds no series",
        ),
        ("prom('e')<1% else=fail", Some(Err("x")), Decision::Fail, "prom('e')<1%: x: else=fail"),
        ("prom('e')<1%", None, Decision::Insufficient, "prom('e')<1%: Prometheus gave no number"),
    ] {
        let verdict = judged(text, answer);
        assert_eq!((verdict.decision, verdict.reason.as_str()), (decision, reason), "{text} {answer:?}");
    }
    let line = line("prom('up')>=1req");
    let outside = [(Query("up".to_owned()), Ok(1.0))].into();
    let unloaded = Summary { finished: 0, reached: true, ..Summary::default() };
    let verdict = judge(&line, &Evidence { outside: &outside, ..Evidence::of(&unloaded) });
    assert_eq!(verdict.decision, Decision::Insufficient, "a number from elsewhere passes no load that there was not");
}

#[test]
fn a_status_selects_its_answers_whether_they_count_as_success_or_not() {
    let verdict = |text: &str, samples: &[Sample]| {
        let line = parse(text).unwrap();
        judge(&line, &Evidence::of(&summary(&line, samples)))
    };
    let samples = [
        times(150, answered(200, 10.0)),
        times(50, answered(404, 300.0)),
        times(40, super::samples::request(crate::stats::Outcome::http(404).with(Fault::Timeout), 900.0, 900.0)),
        times(30, super::samples::request(crate::stats::Outcome::http(404).with(Fault::Truncated), 1.0, 1.0)),
        times(10, failed(Fault::Timeout)),
    ]
    .concat();
    for (text, decision, n, value) in [
        ("max{status=200}<=10ms", Decision::Pass, 150, Value::Time(1e7)),
        ("p50{status=404}<=300ms", Decision::Pass, 90, Value::Time(3e8)),
        ("p50{status=4xx}<300ms", Decision::Fail, 90, Value::Time(3e8)),
        ("p90{status=404}<1s", Decision::Fail, 90, Value::Beyond),
        ("checks{status=2xx}>=100%", Decision::Pass, 150, Value::Ratio(1.0)),
    ] {
        let verdict = verdict(text, &samples);
        let finding = &verdict.findings[0];
        assert_eq!((verdict.decision, finding.n, finding.value), (decision, n, Some(value)), "{text}");
    }
    assert_eq!(verdict("p50{status=503}<1s", &samples).decision, Decision::Insufficient);
}

#[test]
fn failures_in_bursts_widen_the_interval_and_are_named() {
    let at = |second: u64, sample: Sample| Sample {
        done: crate::stats::Ns(second * 1_000_000_000 + sample.done.0),
        ..sample
    };
    let run = |bad: fn(u64, u64) -> bool| -> Vec<Sample> {
        let all = (0..60).flat_map(|second| (0..20).map(move |i| (second, i)));
        all.map(|(second, i)| at(second, answered(if bad(second, i) { 503 } else { 200 }, 1.0))).collect()
    };
    let judged = |text: &str, samples: &[Sample]| {
        let line = parse(text).unwrap();
        judge(&line, &Evidence::of(&summary(&line, samples)))
    };
    // 30 of 1200 each: one in every other second, or two seconds of fifteen.
    let (even, burst) = (run(|second, i| second % 2 == 0 && i == 3), run(|second, i| second / 2 == 11 && i < 15));
    let text = "success>=99% @95";
    assert_eq!(judged(text, &even).decision, Decision::Fail);
    assert_eq!(judged(text, &even).findings[0].widened, 1.0);
    let bursty = judged(text, &burst);
    assert_eq!(bursty.decision, Decision::Inconclusive);
    assert_eq!(bursty.findings[0].note.as_deref(), Some("errors come in bursts, interval ×3.9 wider"));
    assert_eq!(
        bursty.reason,
        "success>=99% undecided at 97.50% (95% 93.4%..100%, n=1200, thin); errors come in bursts, interval ×3.9 wider"
    );
    let point = judged("success>=99%", &burst);
    assert_eq!((point.decision, point.findings[0].note.as_deref()), (Decision::Fail, None), "only tests know bursts");
    // 12 of 1200 hold as measured; all of them in one window of ten seconds do not.
    let window = run(|second, i| second / 10 == 3 && second < 36 && i < 2);
    assert_eq!(judged("success>=99%", &window).decision, Decision::Pass);
    let over = judged("success>=99% over=10s", &window);
    assert_eq!(over.decision, Decision::Fail);
    assert!(over.reason.ends_with("; from second 30 to 40, 12 of 200 were bad"), "{}", over.reason);
    assert_eq!(judged("success>=97% over=10s", &run(|second, i| second % 5 == 0 && i < 2)).decision, Decision::Pass);
    let failing = judged("success>=99% over=10s", &burst);
    assert_eq!((failing.decision, failing.findings[0].note.as_deref()), (Decision::Fail, None), "the whole run fails");
}
