//! Measured times against what the target really did.

use super::agreement::{Claim, agrees};
use super::alone;
use super::practice::{practice, url};
use super::report::{measure, measure_with};

#[test]
fn a_stall_is_felt_by_everyone_who_arrives_in_it() {
    let _load = alone();
    agrees(|| {
        // Two of the four periods: a fifth of all requests wait, evenly from nothing up to a second.
        let server = practice("stall 1s/5s");
        let slo = ["--slo", "success>=99%, p99<500ms"];
        let report = measure_with("-z 10s -q 100 -c 2", &slo, &url(&server, "/"));
        let truth = server.stop();
        assert_eq!((truth.received, report.count("/requests/succeeded")), (2_000, 2_000), "{report}");
        let stalls: Vec<f64> = truth.stalls.iter().map(|s| (s.end_ns - s.begin_ns) as f64 / 1e6).collect();
        assert_eq!(stalls.len(), 2, "{stalls:?}");
        let longest = stalls.into_iter().fold(0.0, f64::max);
        let claims = vec![
            Claim::Text("decision", report.text("/verdict/decision").to_owned(), "fail"),
            Claim::Text("exit code", format!("{:?}", report.ended.code), "Some(1)"),
            Claim::Time("latency p90", report.number("/latency_ms/p90"), 500.0),
            Claim::Time("latency p95", report.number("/latency_ms/p95"), 750.0),
            Claim::Time("latency p99", report.number("/latency_ms/p99"), 950.0),
            Claim::Time("latency max", report.number("/latency_ms/max"), longest),
            Claim::AtMost("latency p50", report.number("/latency_ms/p50"), 20.0),
            // What a tool that waits for its lanes would have said.
            Claim::AtMost("service p99 of the lanes asked for", report.number("/first_lanes_service_ms/p99"), 20.0),
        ];
        (report, claims)
    });
}

/// Reported service times against the canary's own, quantile by quantile.
fn times_agree(behaviour: &str, arguments: &str) {
    agrees(|| {
        let server = practice(behaviour);
        let report = measure(arguments, &url(&server, "/"));
        let truth = server.stop();
        assert_eq!(report.count("/requests/succeeded"), truth.succeeded, "{behaviour}: {report}");
        let names = ["p50", "p90", "p95"];
        let truth = truth.service.quantiles([0.5, 0.9, 0.95]).unwrap().map(|micros| f64::from(micros) / 1e3);
        let measured = |series: &str, name: &str| report.number(&format!("/{series}/{name}"));
        let service =
            names.into_iter().zip(truth).map(|(name, truth)| Claim::Time(name, measured("service_ms", name), truth));
        let latency =
            names.into_iter().zip(truth).map(|(name, truth)| Claim::Time(name, measured("latency_ms", name), truth));
        let claims = service.chain(latency).collect();
        (report, claims)
    });
}

#[test]
fn times_of_an_open_loop_are_those_of_the_target() {
    let _load = alone();
    times_agree("latency bimodal:5ms,200ms,10%", "-z 3s --rate 100/s -c 4");
    times_agree("latency pareto:5ms,1.5", "-z 3s --rate 100/s -c 4");
}

#[test]
fn times_of_a_closed_loop_are_those_of_the_target() {
    let _load = alone();
    times_agree("latency lognormal:20ms,0.6", "-n 600 -c 6");
    times_agree("latency uniform:5ms..50ms", "-z 2s -c 4");
}

#[test]
fn one_bad_connection_of_ten_slows_a_tenth_of_the_requests() {
    let _load = alone();
    agrees(|| {
        let server = practice("bad-connections 1/10:latency=300ms");
        let report = measure_with("-n 1000 -c 10", &["--slo", "p50<100ms"], &url(&server, "/"));
        let truth = server.stop();
        let slow = truth.service.sorted().iter().filter(|micros| **micros >= 300_000).count() as f64;
        let claims = vec![
            Claim::AtMost("p50", report.number("/latency_ms/p50"), 20.0),
            Claim::Time("max", report.number("/latency_ms/max"), 300.0),
            // A closed loop hardly asks the slow one: that is what it is for, and why it is no open loop.
            Claim::AtMost("slow requests", slow, 20.0),
        ];
        assert_eq!(report.count("/requests/succeeded"), 1_000, "{report}");
        (report, claims)
    });
}

#[test]
fn own_lateness_is_small_at_a_low_rate() {
    let _load = alone();
    agrees(|| {
        let server = practice("latency 5ms");
        let report = measure("-z 3s -q 10 -c 2", &url(&server, "/"));
        let claims = vec![
            Claim::AtMost("lag p50", report.number("/generator/lag_ms/p50"), 5.0),
            Claim::AtMost("shortfall, in thousandths", 1e3 - 1e3 * report.number("/generator/achieved_ratio"), 0.0),
        ];
        (report, claims)
    });
}
