//! Two releases on one schedule.

use super::alone;
use super::practice::{practice, url};
use super::report::measure;

const LINE: &str = "p95<=primary+max(10%,50ms),errors<=primary+2pp";

#[test]
fn a_canary_that_stalls_fails_beside_a_primary_that_does_not_feel_it() {
    let _load = alone();
    let (canary, primary) = (practice("latency 3ms, stall 700ms/2s"), practice("latency 3ms"));
    let arguments = format!("-z 6s --rate 100/s -c 2 --slo {LINE} --primary {}", url(&primary, "/"));
    let report = measure(&arguments, &url(&canary, "/"));
    assert_eq!((report.ended.code, report.text("/verdict/decision")), (Some(1), "fail"), "{report}");
    let finding = report.text("/verdict/findings/0/decision");
    assert_eq!(finding, "fail", "the quantile is what fails: {report}");
    assert_eq!(
        (report.count("/requests/finished"), report.count("/primary/requests/finished")),
        (600, 600),
        "{report}"
    );
    // Lanes or connections in common would have given the primary the canary's stall, 700 ms of every 2 s.
    let (own, other) = (report.number("/latency_ms/p90"), report.number("/primary/latency_ms/p90"));
    assert!(own > 200.0 && other < own / 4.0, "{own} ms beside {other} ms: {report}");
    for (truth, whose) in [(canary.stop(), "canary"), (primary.stop(), "primary")] {
        assert_eq!((truth.received, truth.succeeded), (600, 600), "{whose}: {truth:?}");
    }
}

#[test]
fn two_alike_pass_and_one_that_errs_more_fails() {
    let _load = alone();
    for (behaviour, code, decision) in [("latency 3ms", 0, "pass"), ("latency 3ms, errors 10%", 1, "fail")] {
        let (canary, primary) = (practice(behaviour), practice("latency 3ms, errors 1%"));
        let arguments = format!("-z 4s --rate 200/s --slo {LINE} --primary {}", url(&primary, "/"));
        let report = measure(&arguments, &url(&canary, "/"));
        assert_eq!(
            (report.ended.code, report.text("/verdict/decision")),
            (Some(code), decision),
            "{behaviour}: {report}"
        );
        assert_eq!(report.count("/primary/requests/succeeded"), primary.stop().succeeded, "{behaviour}: {report}");
    }
}

#[test]
fn a_primary_that_is_not_there_passes_nothing() {
    let _load = alone();
    let canary = practice("");
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let arguments = format!("-z 3s --rate 100/s --slo {LINE} --primary http://{closed}/");
    let report = measure(&arguments, &url(&canary, "/"));
    assert_eq!((report.ended.code, report.text("/verdict/decision")), (Some(3), "insufficient"), "{report}");
    assert!(report.text("/primary/first_error").contains("refused"), "{report}");
    assert_eq!(report.count("/requests/succeeded"), 300, "the canary's load went on: {report}");
}
