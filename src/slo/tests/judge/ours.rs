//! What is our own doing and not the target's: lateness, standing still, queues, a lack of ports.

use super::*;

#[test]
fn while_we_are_late_no_time_fails_nothing_passes_and_answered_failures_still_do() {
    let late = |s: &mut Summary| {
        s.generator.late = s.generator.scheduled * 29 / 100;
        s.generator.rate = Some(500.0);
        s.generator.throttled = Some(Duration::from_secs(18));
    };
    let slow = times(200, answered(200, 900.0));
    let saturated = verdict_on("p99<500ms", &slow, late);
    assert_eq!(saturated.decision, Decision::Saturated);
    assert_eq!(
        saturated.reason,
        "sent 71% of 500/s on schedule (CPU throttled 18.0s): the times are our own, not the target's"
    );
    for (text, samples, expected) in [
        ("success>=99%, p99<500ms", times(200, answered(200, 1.0)), Decision::Saturated),
        ("success>=99%", [times(150, answered(200, 1.0)), times(50, answered(500, 1.0))].concat(), Decision::Fail),
        ("errors<1%", [times(150, answered(200, 1.0)), times(50, failed(Fault::Reset))].concat(), Decision::Fail),
        ("5xx==0", [times(150, answered(200, 1.0)), times(1, answered(500, 1.0))].concat(), Decision::Fail),
        (
            "success>=99%",
            [times(150, answered(200, 1.0)), times(50, failed(Fault::Timeout))].concat(),
            Decision::Saturated,
        ),
        (
            "errors==0",
            [times(150, answered(200, 1.0)), times(50, failed(Fault::Timeout))].concat(),
            Decision::Saturated,
        ),
        (
            "timeouts==0",
            [times(150, answered(200, 1.0)), times(50, failed(Fault::Timeout))].concat(),
            Decision::Saturated,
        ),
        ("rps>=900/s", slow.clone(), Decision::Saturated),
        ("success>=900req", slow.clone(), Decision::Saturated),
        ("achieved>=99%", slow.clone(), Decision::Saturated),
        ("size.max<=10B", slow.clone(), Decision::Fail),
        ("p99<500ms else=pass", times(9, answered(200, 1.0)), Decision::Saturated),
    ] {
        assert_eq!(verdict_on(text, &samples, late).decision, expected, "{text}");
    }
}

#[test]
fn five_percent_of_lateness_is_the_limit() {
    let samples = times(200, answered(200, 1.0));
    assert_eq!(verdict_on("p99<500ms", &samples, |s| s.generator.late = 10).decision, Decision::Pass);
    assert_eq!(verdict_on("p99<500ms", &samples, |s| s.generator.late = 11).decision, Decision::Saturated);
    let asked = verdict_on("achieved>=98%", &samples, |s| s.generator.late = 10);
    assert_eq!(asked.decision, Decision::Saturated, "being late is never the target's failure");
    assert_eq!(verdict_on("achieved>=95%", &samples, |s| s.generator.late = 10).decision, Decision::Pass);
}

#[test]
fn our_own_lack_of_ports_is_no_failure_of_the_target() {
    let few = [times(396, answered(200, 1.0)), times(4, failed(Fault::Local))].concat();
    assert_eq!(decision("success>=100%, errors==0", &few), Decision::Pass);
    let many = [times(100, answered(200, 1.0)), times(100, failed(Fault::Local))].concat();
    let verdict = verdict("success>=99%", &many);
    assert_eq!(verdict.decision, Decision::Saturated);
    assert_eq!(
        verdict.reason,
        "sent 50% of 200 requests on schedule (100 failed here): the times are our own, not the target's"
    );
    assert_eq!(
        verdict_on("success>=99%", &times(50, failed(Fault::Local)), |s| s.reached = false).decision,
        Decision::Saturated
    );
}

#[test]
fn requests_in_flight_while_we_stood_still_neither_pass_nor_fail_a_time() {
    let clean = |n| times(n, answered(200, 10.0));
    let slow = |n| times(n, tainted(answered(200, 900.0)));
    let quick = |n| times(n, tainted(answered(200, 10.0)));
    for (text, samples, expected) in [
        // 2 of 1000 are fewer than the 1 % that may be slow anyhow.
        ("p99<500ms", [clean(998), quick(2)].concat(), Decision::Pass),
        ("p99<500ms", [clean(980), quick(20)].concat(), Decision::Saturated),
        ("p50<500ms", [clean(951), quick(49)].concat(), Decision::Pass),
        ("p50<500ms", [clean(949), quick(51)].concat(), Decision::Saturated),
        // 15 slow of 1000 fail p99, and without the tainted ones they pass.
        ("p99<500ms", [clean(985), times(6, answered(200, 900.0)), slow(9)].concat(), Decision::Saturated),
        ("p99<500ms", [clean(975), times(16, answered(200, 900.0)), slow(9)].concat(), Decision::Fail),
        ("max<500ms", [clean(999), slow(1)].concat(), Decision::Saturated),
        ("max<500ms", [clean(999), quick(1)].concat(), Decision::Pass),
        ("avg<500ms", [clean(949), quick(51)].concat(), Decision::Saturated),
        ("min<500ms", [clean(949), quick(51)].concat(), Decision::Saturated),
        ("success>=99%, size.max<=1KiB", [clean(500), quick(500)].concat(), Decision::Pass),
    ] {
        assert_eq!(decision(text, &samples), expected, "{text}: {}", samples.iter().filter(|s| s.tainted).count());
    }
    let reason = verdict("p99<500ms", &[clean(980), quick(20)].concat()).reason;
    assert_eq!(reason, "p99<500ms: 20 of 1000 requests were in flight while our own process stood still");
    let held = |s: &mut Summary| s.generator.throttled = Some(Duration::from_millis(105));
    let reason = verdict_on("p99<500ms", &[clean(980), quick(20)].concat(), held).reason;
    assert!(reason.ends_with("our own process stood still; CPU throttled 105ms"), "{reason}");
}

#[test]
fn a_queue_of_our_own_making_is_a_lack_of_lanes_and_no_failure() {
    // 100/s of 150 ms each keep 15 lanes busy.
    let queued = times(200, request(Outcome::http(200), 4000.0, 150.0));
    let lanes = |most| move |s: &mut Summary| (s.generator.rate, s.generator.max_lanes) = (Some(100.0), most);
    for text in ["p99<500ms", "p99<500ms @95 min=9", "max<500ms", "avg<500ms", "med<500ms else=pass"] {
        let verdict = verdict_on(text, &queued, lanes(8));
        assert_eq!(verdict.decision, Decision::Insufficient, "{text}");
        assert_eq!(verdict.findings[0].note.as_deref(), Some("needs ≥ 15 lanes (100/s at 150ms each, 8 allowed)"));
    }
    assert_eq!(verdict_on("p99<500ms", &queued, lanes(15)).decision, Decision::Fail);
    assert_eq!(verdict_on("p99<500ms", &queued, |_| {}).decision, Decision::Fail, "a closed loop has no rate");
    assert_eq!(verdict_on("p99<100ms", &queued, lanes(8)).decision, Decision::Fail, "slow in service too");
    let hung = [queued, times(10, failed(Fault::Timeout))].concat();
    assert_eq!(verdict_on("p99<500ms", &hung, lanes(8)).decision, Decision::Fail, "some never answered");
}
