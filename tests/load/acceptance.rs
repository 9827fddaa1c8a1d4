//! The first things a user tries, with both commands as processes of their own: the verdict must be the right one.

use rustix::process::Signal;

use super::agreement::{Claim, agrees};
use super::nobody::Nobody;
use super::practice::{account, practice, url};
use super::report::{Report, measure, measure_with};
use super::tollgate::{Running, by_shell, run, tollgate};
use super::{alone, together};

#[test]
fn a_healthy_canary_gets_exactly_two_hundred_requests_and_passes() {
    let _load = together();
    agrees(|| {
        let mut canary = Running::start(tollgate(["canary", "--port", "0"]));
        let line = canary.line();
        let target = format!("http://{}/", line.split("http://").nth(1).unwrap().split('/').next().unwrap());
        let slo = "success>=99%, p99<500ms";
        let report = measure_with("-z 10s -q 10 -c 2", &["--slo", slo], &target);
        let counts = ["scheduled", "finished", "succeeded"].map(|what| report.count(&format!("/requests/{what}")));
        assert_eq!(counts, [200; 3], "{report}");
        assert_eq!(account(&line)["requests"]["received"], 200);
        assert_eq!(report.ended.stderr, "", "nothing to remark");
        canary.signal(Signal::INT);
        let said = canary.finish().stdout;
        assert!(said.starts_with("received 200 requests on "), "{said}");
        let claims = vec![
            Claim::Text("decision", report.text("/verdict/decision").to_owned(), "pass"),
            Claim::Text("exit code", format!("{:?}", report.ended.code), "Some(0)"),
        ];
        (report, claims)
    });
}

#[test]
fn two_percent_of_errors_fail_with_the_numbers() {
    let _load = together();
    let server = practice("errors 2%");
    let slo = ["--slo", "success>=99%, p99<500ms"];
    let report = measure_with("-z 5s -q 100 -c 2", &slo, &url(&server, "/"));
    let truth = server.stop();
    assert_eq!((truth.received, truth.statuses[&500]), (1_000, 20));
    assert_eq!((report.count("/requests/succeeded"), report.map("/codes")["500"]), (980, 20), "{report}");
    assert_eq!((report.ended.code, report.text("/verdict/decision")), (Some(1), "fail"), "{report}");
    assert_eq!(report.number("/verdict/findings/0/value"), 0.98);
    let reason = report.text("/verdict/reason");
    assert!(reason.starts_with("success>=99% was 98.0% (95% ") && reason.contains("n=1000"), "{reason}");
}

#[test]
fn a_canary_that_takes_150_ms_passes_although_its_lanes_are_due_every_100() {
    let _load = alone();
    agrees(|| {
        let server = practice("latency 150ms");
        let report = measure_with("-z 6s -q 10 -c 2", &["--slo", "success>=99%, p99<500ms"], &url(&server, "/"));
        let truth = server.stop();
        assert_eq!((truth.received, report.count("/requests/succeeded")), (120, 120), "{report}");
        let claims = vec![
            Claim::Text("decision", report.text("/verdict/decision").to_owned(), "pass"),
            Claim::Time("p50", report.number("/latency_ms/p50"), 150.0),
            Claim::Time("p99", report.number("/latency_ms/p99"), 150.0),
            Claim::AtMost("queue", report.number("/queue_ms/max"), 20.0),
        ];
        (report, claims)
    });
}

#[test]
fn for_want_of_lanes_a_latency_clause_is_not_held_against_the_target() {
    let _load = alone();
    agrees(|| {
        let server = practice("latency 100ms");
        let report = measure("-z 2s -q 30 -c 2 --max-lanes 2 --slo p99<300ms", &url(&server, "/"));
        // 60/s at a little more than 100 ms each are a little more than six at once.
        let advised = report.text("/verdict/reason").starts_with("p99<300ms: needs ≥ 7 lanes (60/s at 10");
        let claims = vec![
            Claim::Text("decision", report.text("/verdict/decision").to_owned(), "insufficient"),
            Claim::Text("exit code", format!("{:?}", report.ended.code), "Some(3)"),
            Claim::Text("advised", advised.to_string(), "true"),
        ];
        (report, claims)
    });
}

#[test]
fn a_hung_canary_fails() {
    let _load = together();
    let server = practice("hang-all");
    let slo = ["--slo", "success>=99%, p99<500ms"];
    let report = measure_with("-z 4s -q 10 -c 2 -t 2", &slo, &url(&server, "/"));
    assert_eq!((report.ended.code, report.text("/verdict/decision")), (Some(1), "fail"), "{report}");
    assert_eq!((report.map("/faults")["timeout"], report.count("/requests/finished")), (80, 80), "{report}");
    assert_eq!(server.stop().received, 80, "further lanes took what was due");
    assert!(report.text("/verdict/reason").contains("p99<500ms was a timeout"), "{report}");
    assert!(report.number("/wall_seconds") < 8.0, "4 s of dues and 2 s for the last: {report}");
}

#[test]
fn nothing_there_is_a_failure_with_the_reason() {
    let _load = together();
    let nobody = Nobody::at_home();
    let url = format!("http://{nobody}/");
    let ended = run(["run", "-z", "10s", "-q", "10", "-c", "2", "--slo", "success>=99%, p99<500ms", &url]);
    let last = ended.stdout.lines().last().unwrap_or_default();
    assert_eq!(ended.code, Some(1), "{}", ended.stdout);
    assert!(last.starts_with("UNREACHABLE  ") && last.contains("Connection refused"), "{}", ended.stdout);
}

#[test]
fn too_little_evidence_is_said_before_the_first_request_and_ends_with_three() {
    let _load = together();
    let server = practice("");
    let words = ["run", "-n", "3", "--rate", "0.5/s", "-o", "json", "--slo", "success>=99%", &url(&server, "/")];
    let mut running = Running::start(by_shell("exec \"$0\" \"$@\" 2>&1", words));
    let note = running.line();
    assert_eq!(
        note,
        "note: success>=99% needs 100 requests; this load sends 3: use -z 3m20s, or min=3 to accept less\n"
    );
    assert_eq!(server.truth().received, 0, "the first request is due after two seconds");
    let report = Report::of(running.finish());
    assert_eq!((report.ended.code, report.text("/verdict/decision")), (Some(3), "insufficient"), "{report}");
    let reason = "success>=99%: needs 100 requests, has 3 (0 bad so far)";
    assert_eq!((report.text("/verdict/reason"), server.stop().received), (reason, 3));
}

#[test]
fn a_server_that_ends_its_connections_between_two_requests_loses_none() {
    let _load = alone();
    agrees(|| {
        // Each lane is due every 20 ms, and every fifth answer is followed by an end that nothing announced.
        let server = practice("keep-alive-max 5");
        let report = measure_with("-z 3s -q 50 -c 2", &["--slo", "success>=100%"], &url(&server, "/"));
        let truth = server.stop();
        assert_eq!(report.count("/requests/finished"), 300, "{report}");
        let claims = vec![
            Claim::Text("decision", report.text("/verdict/decision").to_owned(), "pass"),
            Claim::Text("faults", format!("{:?}", report.map("/faults")), "{}"),
            Claim::Text("resent", report.count("/requests/resent").to_string(), "0"),
            Claim::Text("received", truth.received.to_string(), "300"),
            Claim::AtMost("connections", truth.connections.used as f64, 80.0),
        ];
        (report, claims)
    });
}

#[test]
fn a_lone_failure_among_few_requests_is_certain_or_nothing() {
    let _load = together();
    let server = practice("errors 100%");
    let report = measure("-n 20 -c 1 --slo success>=99%", &url(&server, "/"));
    assert_eq!((report.ended.code, report.text("/verdict/decision")), (Some(1), "fail"), "20 of 20 failed: {report}");
    let server = practice("errors 5%");
    let report = measure("-n 20 -c 1 --slo success>=99%", &url(&server, "/"));
    assert_eq!((report.ended.code, report.text("/verdict/decision")), (Some(3), "insufficient"), "1 of 20: {report}");
}
