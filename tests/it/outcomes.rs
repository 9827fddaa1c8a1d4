//! What becomes of a request: every fault of the practice canary against the outcome that tollgate gives it.

use std::collections::BTreeMap;

use super::practice::{practice, url};
use super::report::{Report, measure, measure_with};

/// `200 20, none 3` as counts.
fn counts(text: &str) -> BTreeMap<&str, u64> {
    let pairs = text.split(", ").filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once(' ').unwrap()).map(|(name, n)| (name, n.parse().unwrap())).collect()
}

fn came_to(report: &Report, codes: &str, faults: &str, why: &str) {
    assert_eq!((report.map("/codes"), report.map("/faults")), (counts(codes), counts(faults)), "{why}\n{report}");
}

#[test]
fn every_fault_has_its_outcome_and_fails() {
    for (fault, codes, faults) in [
        ("reset", "none 20", "reset 20"),
        ("close", "none 20", "reset 20"),
        ("truncate", "200 20", "truncated 20"),
        ("truncate-chunked", "200 20", "truncated 20"),
        ("garbage", "none 20", "malformed 20"),
        ("endless-headers", "none 20", "malformed 20"),
        ("close-after 0", "none 20", "reset 20"),
        ("close-after 9", "none 20", "reset 20"),
        ("malformed both-lengths", "none 20", "malformed 20"),
        ("malformed two-lengths", "none 20", "malformed 20"),
        ("malformed excess", "200 20", "malformed 20"),
        ("malformed bad-length", "none 20", "malformed 20"),
        ("malformed bad-chunk", "200 20", "malformed 20"),
        ("malformed bad-header", "none 20", "malformed 20"),
        ("malformed bad-status", "none 20", "malformed 20"),
        ("errors 100%", "500 20", ""),
        ("errors 100%, error-status 404", "404 20", ""),
    ] {
        let server = practice(&bare_means_all(fault));
        let report = measure("-n 20 -c 2 --slo success>=99%", &url(&server, "/"));
        came_to(&report, codes, faults, fault);
        assert_eq!((report.count("/requests/finished"), report.count("/requests/succeeded")), (20, 0), "{fault}");
        assert_eq!((report.ended.code, report.text("/verdict/decision")), (Some(1), "fail"), "{fault}\n{report}");
        let truth = server.stop();
        assert_eq!((truth.received, truth.succeeded, truth.errors()), (20, 0, 20), "{fault}: {truth:?}");
    }
}

/// A fault without a share befalls every request, as on the command line.
fn bare_means_all(fault: &str) -> String {
    if fault.contains(' ') { fault.to_owned() } else { format!("{fault} 100%") }
}

#[test]
fn what_takes_too_long_is_a_timeout_whatever_was_heard_before() {
    for (fault, codes, why) in [
        ("hang 100%", "none 6", "nothing was heard"),
        ("slow-body 1B/s", "200 6", "the status was"),
        ("latency 30s", "none 6", "an answer that comes later comes too late"),
    ] {
        let server = practice(fault);
        let report = measure("-n 6 -c 3 -t 300ms --slo success>=99%,p50<10s", &url(&server, "/"));
        came_to(&report, codes, "timeout 6", why);
        assert_eq!((report.ended.code, report.text("/verdict/decision")), (Some(1), "fail"), "{report}");
        assert_eq!(report.json().pointer("/latency_ms/p50"), Some(&serde_json::Value::Null), "slower than any value");
        assert_eq!(server.stop().received, 6, "{why}");
    }
}

#[test]
fn a_share_of_faults_is_counted_to_the_request() {
    for (fault, codes, faults) in [
        ("reset 1/10", "200 180, none 20", "reset 20"),
        ("truncate 5%", "200 200", "truncated 10"),
        ("garbage 2.5%", "200 195, none 5", "malformed 5"),
        ("errors 2%, error-status 503", "200 196, 503 4", ""),
        // The 200th request is an error, so the fourth of each fault would befall the two after it.
        ("errors 2%, reset 2%, truncate 2%", "200 193, 500 4, none 3", "reset 3, truncated 3"),
    ] {
        let server = practice(fault);
        let report = measure("-n 200 -c 4", &url(&server, "/"));
        came_to(&report, codes, faults, fault);
        let truth = server.stop();
        assert_eq!(report.count("/requests/succeeded"), truth.succeeded, "{fault}: {truth:?}");
        assert_eq!((truth.received, truth.answered + truth.spoiled), (200, 200), "{fault}: {truth:?}");
        let statuses = truth.statuses.iter().map(|(code, n)| (code.to_string(), *n));
        let told = report.map("/codes").into_iter().filter(|(code, _)| *code != "none");
        assert!(statuses.eq(told.map(|(code, n)| (code.to_owned(), n))), "{fault}: {truth:?}\n{report}");
    }
}

#[test]
fn sound_answers_of_every_form_succeed() {
    for (form, arguments, path, codes, body) in [
        ("body-size 100", "", "/", "200 20", 2_000),
        ("body-size 100, chunked", "", "/", "200 20", 2_000),
        ("body-size 100, http10", "", "/", "200 20", 2_000),
        ("body-size 100, continue", "", "/", "200 20", 2_000),
        ("body-size 100, connection-close", "", "/", "200 20", 2_000),
        ("body-size 100, chunked, continue", "-m HEAD", "/", "200 20", 0),
        ("body-size 100", "-m HEAD", "/", "200 20", 0),
        ("body-size 0", "", "/", "200 20", 0),
        ("body-size 1MiB", "", "/", "200 20", 20 << 20),
        ("body-size 1MiB, chunked", "", "/", "200 20", 20 << 20),
        ("huge-body 3MiB", "", "/", "200 20", 60 << 20),
        ("slow-body 2kB/s, body-size 100", "", "/", "200 20", 2_000),
        ("", "", "/status/204", "204 20", 0),
        ("", "", "/status/304", "304 20", 0),
        ("chunked", "", "/status/204", "204 20", 0),
        ("", "", "/status/301", "301 20", 20 * 14),
        ("body-size 100", "-m POST -d some", "/", "200 20", 2_000),
        ("body-size 100", "--disable-keepalive", "/", "200 20", 2_000),
    ] {
        let server = practice(form);
        let report = measure(&format!("-n 20 -c 2 {arguments}"), &url(&server, path));
        let why = format!("{form} {arguments} {path}");
        came_to(&report, codes, "", &why);
        assert_eq!((report.ended.code, report.count("/requests/succeeded")), (Some(0), 20), "{why}\n{report}");
        assert_eq!(report.count("/requests/body_bytes"), body, "{why}\n{report}");
        let truth = server.stop();
        assert_eq!((truth.received, truth.succeeded), (20, 20), "{why}: {truth:?}");
    }
}

#[test]
fn an_answer_before_the_upload_is_whole_is_that_answer() {
    let server = practice("early-answer");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("body");
    std::fs::write(&file, vec![b'x'; 8 << 20]).unwrap();
    let body = ["-m", "POST", "-D", file.to_str().unwrap()];
    let report = measure_with("-n 20 -c 2 --slo success>=99%", &body, &url(&server, "/"));
    came_to(&report, "413 20", "", "413, and not a reset");
    assert_eq!(report.ended.code, Some(1));
    assert_eq!(server.stop().statuses, BTreeMap::from([(413, 20)]));
}

#[test]
fn a_large_upload_that_is_read_succeeds() {
    let server = practice("");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("body");
    std::fs::write(&file, vec![b'x'; 3 << 20]).unwrap();
    let body = ["-m", "PUT", "-D", file.to_str().unwrap()];
    let report = measure_with("-n 6 -c 2", &body, &url(&server, "/"));
    came_to(&report, "200 6", "", "a body far beyond the socket's buffer");
    assert_eq!(server.stop().succeeded, 6);
}

#[test]
fn one_bad_connection_of_two_fails_half_of_the_requests() {
    let server = practice("bad-connections 1/2:errors");
    let report = measure("-z 1s -q 50 -c 2 --slo success>=99%", &url(&server, "/"));
    let truth = server.stop();
    assert_eq!((report.count("/requests/finished"), truth.received), (100, 100), "{report}");
    assert_eq!(report.map("/codes").get("500"), truth.statuses.get(&500), "{report}");
    assert_eq!(report.count("/requests/succeeded"), truth.succeeded);
    assert!((25..=75).contains(&truth.succeeded), "both connections see traffic: {truth:?}");
    assert_eq!(report.text("/verdict/decision"), "fail");
}
