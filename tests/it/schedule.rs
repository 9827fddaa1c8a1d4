//! How many requests a load is: counts, time, rates, stages, warm-up, and what of it is judged.

use super::practice::{practice, url};
use super::report::{Report, measure};

/// Scheduled, finished and succeeded requests are all `n`, and so many reached the target.
fn is_exactly(report: &Report, n: u64, received: u64, why: &str) {
    let of = |what: &str| report.count(&format!("/requests/{what}"));
    assert_eq!((of("scheduled"), of("finished"), of("succeeded")), (n, n, n), "{why}: {report}");
    assert_eq!(n + of("warmup_finished"), received, "{why}: {report}");
}

#[test]
fn a_plan_is_carried_out_to_the_request() {
    for (arguments, n, why) in [
        ("-n 200 -c 50", 200, "a count"),
        ("-n 10 -c 3", 10, "a count that the lanes do not divide"),
        ("-n 1 -c 1", 1, "one"),
        ("-z 1s -q 10 -c 2", 20, "a rate of each lane"),
        ("-z 1s --rate 33/s -c 2", 33, "a rate of all lanes"),
        ("-z 1500ms --rate 1200/m", 30, "a rate by the minute"),
        ("-n 15 --rate 20/s", 15, "a count at a rate"),
        ("-n 7 -q 10 -c 3 -z 1s", 30, "time goes before count"),
        ("--stage 500ms:20/s,1s:10/s", 20, "two stages"),
        ("--stage 1s:0/s..40/s", 20, "a ramp sends its area"),
        ("--stage 500ms:40/s --stage 500ms:0/s --stage 500ms:40..80/s", 50, "a pause between two"),
        ("-z 1s --rate 3000/s -c 20", 3_000, "spread over workers"),
    ] {
        let server = practice("");
        let report = measure(arguments, &url(&server, "/"));
        is_exactly(&report, n, server.stop().received, why);
    }
}

#[test]
fn the_warm_up_is_sent_and_shown_but_not_judged() {
    // The canary is slow for a second after its first request; the errors are all in the warm-up as well.
    let server = practice("slow-start 1s:400ms");
    let report = measure("-z 2s --rate 50/s -c 2 --warmup 1500ms --slo success>=99%,p99<250ms", &url(&server, "/"));
    let truth = server.stop();
    is_exactly(&report, 100, truth.received, "75 of the warm-up, 100 judged");
    assert_eq!(report.count("/requests/warmup_finished"), 75, "{report}");
    assert_eq!((report.count("/latency_ms/n"), report.count("/service_ms/n")), (100, 100), "{report}");
    assert!(report.number("/latency_ms/max") < 390.0, "the slow start is not in it: {report}");
    let seconds = report.json()["seconds"].as_array().unwrap();
    let finished: u64 = seconds.iter().map(|second| second["finished"].as_u64().unwrap()).sum();
    assert!((100..=175).contains(&finished), "{report}");
}

#[test]
fn a_closed_loop_runs_for_its_time_and_warms_up_too() {
    let server = practice("latency 10ms");
    let report = measure("-z 1s -c 2 --warmup 500ms", &url(&server, "/"));
    let truth = server.stop();
    let finished = report.count("/requests/finished");
    is_exactly(&report, finished, truth.received, "what was due was sent");
    assert!((20..=200).contains(&finished), "two lanes at 10 ms and more each: {report}");
}

#[test]
fn nothing_goes_out_early_and_the_last_request_at_the_very_end() {
    let server = practice("");
    let report = measure("-z 2s -q 10 -c 1", &url(&server, "/"));
    let truth = server.stop();
    is_exactly(&report, 20, truth.received, "due every 100 ms");
    // The first is due at 0.1 s and the last at 2.0 s: 1.9 s apart, whoever counts.
    let by_second: Vec<u64> = truth.seconds.iter().map(|second| second.requests).collect();
    assert_eq!(by_second.len(), 2, "{by_second:?}");
    assert!(by_second[0].abs_diff(10) <= 1 && by_second.iter().sum::<u64>() == 20, "{by_second:?}");
    assert!(report.number("/wall_seconds") >= 2.0, "{report}");
}

#[test]
fn requests_beyond_the_lanes_go_out_on_further_lanes_up_to_the_most_allowed() {
    let server = practice("latency 500ms");
    let report = measure("-z 1s -q 20 -c 2", &url(&server, "/"));
    is_exactly(&report, 40, server.stop().received, "twenty in flight at once");
    assert!((19..=40).contains(&report.count("/generator/peak_lanes")), "{report}");
    assert!(report.number("/latency_ms/p50") < 600.0, "nobody waited for a lane: {report}");

    let server = practice("latency 500ms");
    let report = measure("-z 1s -q 10 -c 2 --max-lanes 2", &url(&server, "/"));
    let truth = server.stop();
    is_exactly(&report, 20, truth.received, "two at a time, to the last");
    assert_eq!((report.count("/generator/peak_lanes"), truth.connections.peak), (2, 2), "{report}");
    // Ten turns of half a second: the last request is due at 1 s and answered at 5.05 s at the earliest.
    assert!(report.number("/latency_ms/max") >= 4_000.0, "the wait for a lane counts: {report}");
    assert!(report.number("/service_ms/p50") < 600.0, "{report}");
    assert!(report.number("/queue_ms/max") >= 3_400.0, "{report}");
}
