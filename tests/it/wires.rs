//! The same cases over every wire, in one table: what the practice canary does, and what tollgate makes of it. Three
//! protocols, each in the clear and over TLS: six wires.
//!
//! Every lane has a connection of its own here, so that a fault that breaks a connection befalls one request.

use std::collections::BTreeMap;

use tollgate::practice::Practice;

use super::memory::MOST_KIB;
use super::practice::{practice, url};
use super::report::{Report, measure, measure_with};
use super::secure::Files;

/// A protocol: how it is asked for, and what it asks.
struct Wire {
    name: &'static str,
    flags: &'static str,
    path: &'static str,
}

const WIRES: [Wire; 3] = [
    Wire { name: "HTTP/1.1", flags: "", path: "/" },
    Wire { name: "HTTP/2", flags: "--http2 --streams 1", path: "/" },
    Wire { name: "gRPC", flags: "--protocol grpc --streams 1", path: "/tollgate.practice.Echo/Echo" },
];

/// A practice canary behind one wire, in the clear or over TLS, and how it is loaded.
struct Case {
    server: Practice,
    /// What it is, for a failed assertion.
    name: String,
    /// The flags of the protocol and of the trust in the server.
    flags: String,
    url: String,
    _files: Files,
}

impl Case {
    fn start(wire: &Wire, settings: &str, secure: bool) -> Self {
        let server = practice(&format!("{settings}{}", if secure { ", tls" } else { "" }));
        let files = Files::new();
        let trust = server.ca_pem().map(|pem| format!("--cacert {}", files.write("ca.pem", &[pem]).display()));
        let name = format!(
            "{} over {}{}",
            if settings.is_empty() { "sound" } else { settings },
            wire.name,
            if secure { " and TLS" } else { "" }
        );
        let flags = format!("{} {}", wire.flags, trust.unwrap_or_default());
        let url = url(&server, wire.path);
        Self { server, name, flags, url, _files: files }
    }
}

/// Codes and faults of twenty requests: `200 20`, or `none 20, reset 20`, codes before faults.
fn counts(report: &Report) -> BTreeMap<String, u64> {
    let (codes, faults) = (report.map("/codes"), report.map("/faults"));
    codes.into_iter().chain(faults).map(|(name, n)| (name.to_owned(), n)).collect()
}

fn written(text: &str) -> BTreeMap<String, u64> {
    let pairs = text.split(", ").map(|pair| pair.split_once(' ').unwrap());
    pairs.map(|(name, n)| (name.to_owned(), n.parse().unwrap())).collect()
}

/// Runs the case over each wire that has an expectation; empty ones are not asked.
fn case(settings: &str, load: &str, expected: [&str; 3], why: &str) {
    for (wire, expected) in WIRES.iter().zip(expected).filter(|(_, expected)| !expected.is_empty()) {
        for secure in [false, true] {
            let Case { server, name, flags, url, _files } = Case::start(wire, settings, secure);
            let report = measure_with(&format!("{load} {flags}"), &["-d", "a message"], &url);
            assert_eq!(counts(&report), written(expected), "{name}: {why}\n{report}");
            let truth = server.stop();
            let succeeded = report.count("/requests/succeeded");
            assert_eq!(succeeded, truth.succeeded, "{name}: the server saw as many succeed: {truth:?}");
            let sent = report.count("/requests/finished") + report.count("/requests/resent");
            assert_eq!(truth.received, sent, "{name}: and received as many as were sent: {truth:?}\n{report}");
            let handshakes = if secure { truth.connections.accepted } else { 0 };
            assert_eq!(truth.connections.tls, handshakes, "{name}: {truth:?}");
        }
    }
}

#[test]
fn every_fault_has_its_outcome_over_every_wire() {
    const LOAD: &str = "-n 20 -c 2";
    for (settings, expected, why) in [
        ("", ["200 20", "200 20", "grpc-0 20"], "a success"),
        ("errors 100%", ["500 20", "500 20", "grpc-14 20"], "its own failure"),
        ("errors 100%, error-status 404, grpc-status 5", ["404 20", "404 20", "grpc-5 20"], "another one"),
        ("reset 100%", ["none 20, reset 20"; 3], "the connection breaks"),
        ("close 100%", ["none 20, reset 20"; 3], "the connection ends"),
        (
            "truncate 100%",
            ["200 20, truncated 20", "200 20, truncated 20", "grpc-0 20, truncated 20"],
            "whatever the status said",
        ),
        ("truncate-chunked 100%", ["200 20, truncated 20"; 3], "no length, no end"),
        ("garbage 100%", ["none 20, malformed 20"; 3], "not the protocol"),
        ("endless-headers 100%", ["none 20, malformed 20"; 3], "a head without end is bounded"),
        ("malformed bad-header", ["none 20, malformed 20"; 3], "a header that cannot be"),
        ("malformed bad-length", ["none 20, malformed 20"; 3], "a length that is none"),
        ("malformed both-lengths", ["none 20, malformed 20"; 3], "two ways to say where it ends"),
        ("close-after 0", ["none 20, reset 20"; 3], "an end before any byte"),
        ("rst-stream internal-error", ["", "none 20, reset 20", "none 20, reset 20"], "the stream breaks"),
        ("rst-body internal-error", ["", "200 20, truncated 20", "200 20, truncated 20"], "the stream breaks half-way"),
        ("missing-trailers 100%", ["", "", "200 20, malformed 20"], "nobody said that it went well"),
        ("no-grpc-status 100%", ["", "", "200 20, malformed 20"], "trailers that say nothing"),
        ("no-message 100%", ["", "", "grpc-0 20, malformed 20"], "OK, and nothing to show for it"),
        ("errors 100%, grpc-errors trailers", ["", "", "grpc-14 20"], "a status after the head"),
        ("errors 100%, grpc-errors http, error-status 503", ["", "", "503 20, malformed 20"], "a proxy's answer"),
    ] {
        case(settings, LOAD, expected, why);
    }
}

#[test]
fn what_takes_too_long_is_a_timeout_over_every_wire() {
    for (settings, expected, why) in [
        ("hang 100%", ["none 6, timeout 6"; 3], "nothing was heard"),
        ("latency 30s", ["none 6, timeout 6"; 3], "an answer that comes later comes too late"),
        ("slow-body 1B/s", ["200 6, timeout 6"; 3], "the head was heard"),
    ] {
        case(settings, "-n 6 -c 3 -t 300ms", expected, why);
    }
}

#[test]
fn sound_answers_of_every_form_succeed_over_every_wire() {
    for settings in [
        "body-size 1MiB",
        "body-size 1MiB, chunked",
        "continue",
        "connection-close",
        "goaway 3",
        "max-streams 1",
        "window 8B",
        "slow-body 500B/s",
        "bad-connections 1/2:latency=5ms",
    ] {
        case(settings, "-n 20 -c 2", ["200 20", "200 20", "grpc-0 20"], "nothing is wrong with it");
    }
    // Over HTTP/1.1 the close may cross the next request; `connections.rs` has that.
    case("keep-alive-max 3", "-n 20 -c 2", ["", "200 20", "grpc-0 20"], "the end is announced");
}

#[test]
fn a_head_beyond_the_limit_is_refused_over_every_wire() {
    for (wire, secure) in WIRES.iter().flat_map(|wire| [(wire, false), (wire, true)]) {
        let Case { server, name, flags, url, _files } = Case::start(wire, "huge-headers 1MiB", secure);
        let report = measure(&format!("-n 20 -c 2 {flags}"), &url);
        assert_eq!(server.stop().received, 20, "{name}");
        assert_eq!(counts(&report), written("none 20, malformed 20"), "{name}: {report}");
        let peak = report.ended.peak_kib;
        assert!(peak < MOST_KIB, "{name}: {peak} KiB resident");
    }
}

#[test]
fn a_refused_stream_is_sent_once_more_and_only_once() {
    let always = "rst-stream refused-stream";
    case(always, "-n 20 -c 2", ["", "none 20, reset 20", "none 20, reset 20"], "refused twice is a failure");
    let sometimes = "rst-stream refused-stream:1/7";
    case(sometimes, "-n 20 -c 2", ["", "200 20", "grpc-0 20"], "refused once is none");
}

#[test]
fn lanes_that_share_a_connection_stay_within_what_the_server_allows() {
    for (settings, lanes, least, most) in [
        ("", "-c 20 --streams 10", 2, 2),
        ("max-streams 4", "-c 20 --streams 10", 5, 20),
        ("goaway 50", "-c 10", 2, 12),
    ] {
        let server = practice(settings);
        let report = measure(&format!("--http2 -n 400 --workers 1 {lanes}"), &url(&server, "/"));
        assert_eq!(counts(&report), written("200 400"), "{settings}\n{report}");
        let connections = report.count("/generator/connections");
        assert!((least..=most).contains(&connections), "{settings}: {connections} connections\n{report}");
        let truth = server.stop();
        assert_eq!(truth.succeeded, 400, "{settings}: {truth:?}");
        assert_eq!(truth.connections.used, connections, "{settings}: none was opened in vain: {truth:?}");
    }
}

#[test]
fn what_breaks_a_shared_connection_breaks_all_that_is_on_it_and_nothing_else() {
    let server = practice("reset 1/50");
    let report = measure("--http2 -n 1000 -c 10 --streams 10 --workers 1", &url(&server, "/"));
    let truth = server.stop();
    let failed = report.count("/requests/finished") - report.count("/requests/succeeded");
    assert_eq!(
        report.map("/faults").into_iter().map(|(fault, n)| (fault.to_owned(), n)).collect::<Vec<_>>(),
        [("reset".to_owned(), failed)],
        "{report}"
    );
    assert!(
        failed >= truth.faults["reset"],
        "the one that is reset, and those that were under way: {truth:?}\n{report}"
    );
    assert!(failed <= 10 * truth.faults["reset"], "ten lanes, so ten at the most: {truth:?}\n{report}");
}

#[test]
fn a_flood_of_settings_costs_time_and_no_memory() {
    let server = practice("settings-flood 100%");
    let report = measure("--http2 -n 4 -c 2 --streams 1 -t 500ms", &url(&server, "/"));
    assert_eq!(report.count("/requests/succeeded"), 0, "{report}");
    assert_eq!(report.map("/codes"), BTreeMap::from([("none", 4)]), "{report}");
    assert!(report.ended.peak_kib < MOST_KIB, "{} KiB resident", report.ended.peak_kib);
}
