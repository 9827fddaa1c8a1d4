//! Signals: the first ends the load and keeps the report, the second ends the program.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use tollgate::practice::Practice;

use super::practice::{account, practice, url};
use super::report::{Report, measure};
use super::tollgate::{Ended, Running, tollgate};

/// Waits until the canary has received so many requests.
pub(crate) fn received(server: &Practice, n: u64) {
    let until = Instant::now() + Duration::from_secs(30);
    while server.truth().received < n {
        assert!(Instant::now() < until, "{:?}", server.truth());
        std::thread::park_timeout(Duration::from_millis(2));
    }
}

/// Starts a long load, lets it come to 30 requests, sends the signals and waits for its end.
fn interrupted(server: &Practice, arguments: &str, signals: &[Signal]) -> Ended {
    let (target, words) = (url(server, "/"), arguments.split_whitespace());
    let running = Running::start(tollgate(["run", &target].into_iter().chain(words)));
    received(server, 30);
    signals.iter().for_each(|signal| running.signal(*signal));
    let ended = running.finish();
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(130), ""), "{ended:#?}");
    ended
}

#[test]
fn a_signal_ends_the_load_with_the_report_of_what_ran() {
    for signal in [Signal::INT, Signal::TERM] {
        for load in ["-z 1h -q 50 -c 2", "-n 1000000000 -c 2", "--stage 1h:100/s"] {
            let server = practice("latency 2ms, errors 10%");
            let ended = interrupted(&server, &format!("{load} -o json --slo success>=1%"), &[signal]);
            let report = Report::of(ended);
            let truth = server.stop();
            assert_eq!((report.text("/stopped"), report.text("/slo")), ("interrupted", "success>=1%"), "{report}");
            assert_eq!(report.json()["verdict"], serde_json::Value::Null, "it holds, but half a run is no run");
            let finished = report.count("/requests/finished");
            assert!((20..=truth.received).contains(&finished), "{finished} of {truth:?}");
            // What was in flight is given up and not counted: no failure of the target's.
            assert!(truth.received - finished <= u64::from(2 * 64_u32), "{finished} of {truth:?}");
            assert!(report.map("/faults").is_empty(), "{report}");
        }
    }
}

#[test]
fn an_interrupted_text_report_ends_without_a_verdict() {
    let server = practice("");
    let ended = interrupted(&server, "-z 1h -q 50 -c 2 --slo success>=1%", &[Signal::INT]);
    let lines: Vec<&str> = ended.stdout.lines().collect();
    assert_eq!(lines.last(), Some(&"no verdict: the run was interrupted"), "{}", ended.stdout);
    assert!(lines.iter().any(|line| line.contains("Interrupted after ") && line.contains(" of 1h planned")));
}

#[test]
fn a_hung_target_does_not_hold_up_the_end() {
    let server = practice("hang-all");
    let started = Instant::now();
    let ended = interrupted(&server, "-z 1h --rate 100/s -t 0 -o json", &[Signal::INT]);
    let report = Report::of(ended);
    assert_eq!((report.count("/requests/finished"), report.text("/stopped")), (0, "interrupted"), "{report}");
    assert!(report.count("/requests/scheduled") >= 30, "{report}");
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
}

#[test]
fn a_signal_that_comes_several_times_at_once_is_one_and_keeps_the_report() {
    // timeout(1) signals the process and then its group.
    for signals in [[Signal::INT; 2], [Signal::INT, Signal::TERM]] {
        let server = practice("hang-all");
        let report = Report::of(interrupted(&server, "-z 1h --rate 100/s -t 0 -o json", &signals));
        assert_eq!(report.text("/stopped"), "interrupted", "{report}");
    }
}

#[test]
fn a_report_file_is_written_for_what_ran() {
    let server = practice("");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.json");
    let arguments = format!("-z 1h -q 50 -c 2 --report {}", file.display());
    interrupted(&server, &arguments, &[Signal::INT]);
    let json: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(json["stopped"], "interrupted");
}

#[test]
fn the_canary_ends_with_its_account() {
    for (load, expected) in
        [(0, "no requests on 0 connections\n"), (40, "received 40 requests on 4 connections (at most 4")]
    {
        let mut canary = Running::start(tollgate(["canary", "--port", "0", "--errors", "10%"]));
        let line = canary.line();
        if load > 0 {
            let target = format!("http://{}/", line.split("http://").nth(1).unwrap().split('/').next().unwrap());
            let report = measure(&format!("-n {load} -c 4"), &target);
            assert_eq!(report.count("/requests/succeeded"), 36, "{report}");
            assert_eq!(account(&line)["requests"]["errors"], 4);
        }
        canary.signal(Signal::INT);
        let ended = canary.finish();
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{ended:#?}");
        assert!(ended.stdout.starts_with(expected), "{}", ended.stdout);
        assert_eq!(
            ended.stdout.contains("\n  statuses: 200 36, 500 4\n  faults: error 4\n"),
            load > 0,
            "{}",
            ended.stdout
        );
    }
}

#[test]
fn the_demo_ends_when_it_is_told_to() {
    let mut demo = Running::start(tollgate(["demo"]));
    while !demo.line().contains(" 10 %  ") {}
    demo.signal(Signal::INT);
    let ended = demo.finish();
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(130), ""), "{ended:#?}");
    assert!(ended.stdout.contains("   INTERRUPTED after ") && !ended.stdout.contains("\n2. "), "{}", ended.stdout);
}
