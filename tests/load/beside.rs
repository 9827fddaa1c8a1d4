//! Two releases on one schedule.

use super::nobody::Nobody;
use super::practice::{practice, url};
use super::report::{Report, measure};
use super::together;

/// Attempts before a machine that others keep busy is given up on.
const ATTEMPTS: usize = 3;

/// Measures until tollgate itself was not held up, and hands the report to the checks; says so where it always was.
fn undisturbed(measured: impl Fn() -> Report, check: impl FnOnce(&Report)) {
    for attempt in 1..=ATTEMPTS {
        let report = measured();
        if report.text("/verdict/decision") != "saturated" {
            return check(&report);
        }
        eprintln!("attempt {attempt} of {ATTEMPTS}: disturbed by others on this machine");
    }
}

const LINE: &str = "p95<=primary+max(10%,50ms),errors<=primary+2pp";

#[test]
fn a_canary_that_stalls_fails_beside_a_primary_that_does_not_feel_it() {
    let _load = together();
    let measured = || {
        let (canary, primary) = (practice("latency 3ms, stall 700ms/2s"), practice("latency 3ms"));
        let arguments = format!("-z 6s --rate 100/s -c 2 --slo {LINE} --primary {}", url(&primary, "/"));
        let report = measure(&arguments, &url(&canary, "/"));
        let counts = ["/requests/finished", "/primary/requests/finished"].map(|path| report.count(path));
        assert_eq!(counts, [600, 600], "{report}");
        for (truth, whose) in [(canary.stop(), "canary"), (primary.stop(), "primary")] {
            assert_eq!((truth.received, truth.succeeded), (600, 600), "{whose}: {truth:?}");
        }
        report
    };
    undisturbed(measured, |report| {
        assert_eq!((report.ended.code, report.text("/verdict/decision")), (Some(1), "fail"), "{report}");
        assert_eq!(report.text("/verdict/findings/0/decision"), "fail", "the quantile is what fails: {report}");
        // Lanes or connections in common would have given the primary the canary's stall, 700 ms of every 2 s.
        let (own, other) = (report.number("/latency_ms/p90"), report.number("/primary/latency_ms/p90"));
        assert!(own > 200.0 && other < own / 4.0, "{own} ms beside {other} ms: {report}");
    });
}

#[test]
fn two_alike_pass_and_one_that_errs_more_fails() {
    let _load = together();
    for (behaviour, code, decision) in [("latency 3ms", 0, "pass"), ("latency 3ms, errors 10%", 1, "fail")] {
        let measured = || {
            let (canary, primary) = (practice(behaviour), practice("latency 3ms, errors 1%"));
            let arguments = format!("-z 4s --rate 200/s --slo {LINE} --primary {}", url(&primary, "/"));
            let report = measure(&arguments, &url(&canary, "/"));
            assert_eq!(report.count("/primary/requests/succeeded"), primary.stop().succeeded, "{behaviour}: {report}");
            report
        };
        undisturbed(measured, |report| {
            let told = (report.ended.code, report.text("/verdict/decision"));
            assert_eq!(told, (Some(code), decision), "{behaviour}: {report}");
        });
    }
}

#[test]
fn a_primary_that_is_not_there_passes_nothing() {
    let _load = together();
    let canary = practice("");
    let closed = Nobody::at_home();
    let arguments = format!("-z 3s --rate 100/s --slo {LINE} --primary http://{closed}/");
    undisturbed(
        || measure(&arguments, &url(&canary, "/")),
        |report| {
            let told = (report.ended.code, report.text("/verdict/decision"));
            assert_eq!(told, (Some(3), "insufficient"), "{report}");
            assert!(report.text("/primary/first_error").contains("refused"), "{report}");
            assert_eq!(report.count("/requests/succeeded"), 300, "the canary's load went on: {report}");
        },
    );
}
