//! Connections: how many are made, when they are replaced, and what happens to a request on one that has died.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::sync::Mutex;
use std::time::Duration;

use super::practice::{practice, url};
use super::raw::{Raw, request};
use super::report::measure;

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

#[test]
fn a_lane_keeps_its_connection() {
    let server = practice("");
    let report = measure("-n 500 -c 5", &url(&server, "/"));
    let connections = server.stop().connections;
    assert_eq!((connections.accepted, connections.peak), (5, 5), "{report}");
    assert_eq!((report.count("/generator/connections"), report.count("/connect_ms/n")), (5, 5), "{report}");
}

#[test]
fn without_keep_alive_every_request_has_its_own() {
    let server = practice("");
    let report = measure("-n 40 -c 5 --disable-keepalive", &url(&server, "/"));
    let connections = server.stop().connections;
    assert_eq!((connections.accepted, connections.used), (40, 40));
    assert_eq!((report.count("/generator/connections"), report.count("/connect_ms/n")), (40, 40), "{report}");
}

#[test]
fn a_server_that_says_close_gets_a_new_connection_for_every_request() {
    let server = practice("connection-close");
    let report = measure("-n 40 -c 5", &url(&server, "/"));
    assert_eq!((report.count("/requests/succeeded"), report.count("/generator/connections")), (40, 40), "{report}");
    assert_eq!(server.stop().connections.used, 40);
}

#[test]
fn a_connection_that_idles_between_two_requests_is_kept_over_every_wire() {
    // More than the second after which a connection is looked at before it is used again.
    let calls = ["", "--http2", "--protocol grpc", "--protocol grpc --call tollgate.practice.Echo/Chat --data []"];
    std::thread::scope(|scope| {
        for protocol in calls {
            scope.spawn(move || {
                let server = practice("");
                let report = measure(&format!("-n 3 --rate 50/m -c 1 {protocol}"), &url(&server, "/"));
                let truth = server.stop();
                // Whose types the server is asked for, that is asked over a connection of its own.
                let asked = u64::from(protocol.contains("--call"));
                assert_eq!(truth.connections.accepted, 1 + asked, "{protocol}: {report}");
                assert_eq!(report.count("/generator/connections"), 1, "{protocol}: {report}");
                assert_eq!((report.count("/requests/succeeded"), report.count("/requests/resent")), (3, 0), "{report}");
            });
        }
    });
}

#[test]
fn an_idle_connection_that_the_server_closed_is_replaced_without_a_trace() {
    let server = practice("keep-alive-max 1");
    let report = measure("-n 6 --rate 3/s -c 1 --slo success>=100%", &url(&server, "/"));
    let truth = server.stop();
    assert_eq!((truth.received, truth.succeeded, truth.connections.used), (6, 6, 6), "{truth:?}");
    assert_eq!((report.count("/requests/succeeded"), report.count("/requests/resent")), (6, 0), "{report}");
    assert_eq!((report.map("/codes"), report.map("/faults")), (BTreeMap::from([("200", 6)]), BTreeMap::new()));
}

/// Answers the first request of every connection; the end comes only with the second, which gets nothing.
fn closing_on_the_second() -> Raw {
    Raw::start(|_, mut stream| {
        if request(&mut stream).is_some() && stream.write_all(OK).is_ok() {
            let _ = request(&mut stream);
        }
    })
}

#[test]
fn a_request_that_crossed_the_end_of_an_idle_connection_is_sent_once_more() {
    let server = closing_on_the_second();
    let report = measure("-n 3 --rate 0.7/s -c 1", &server.url("/"));
    assert_eq!((report.count("/requests/succeeded"), report.count("/requests/resent")), (3, 2), "{report}");
    assert_eq!(report.map("/codes"), BTreeMap::from([("200", 3)]), "one outcome each");
    let text = super::tollgate::run(["run", "-n", "3", "--rate", "0.7/s", "-c", "1", &server.url("/")]).stdout;
    assert!(text.contains("2 requests resent"), "{text}");
}

#[test]
fn a_request_that_may_not_be_repeated_or_was_sent_at_once_is_not_sent_again() {
    for (arguments, why) in [
        ("-n 3 --rate 0.7/s -c 1 -m POST", "POST is not idempotent"),
        ("-n 3 --rate 5/s -c 1", "the connection was not idle for long: the server ended a live one"),
    ] {
        let report = measure(arguments, &closing_on_the_second().url("/"));
        assert_eq!((report.count("/requests/succeeded"), report.count("/requests/resent")), (2, 0), "{why}: {report}");
        assert_eq!(report.map("/faults"), BTreeMap::from([("reset", 1)]), "{why}");
    }
}

#[test]
fn an_old_connection_is_replaced_between_two_requests() {
    let server = practice("");
    let report = measure("-z 3s -q 20 -c 2 --connection-age 500ms", &url(&server, "/"));
    let truth = server.stop();
    assert_eq!((report.count("/requests/succeeded"), truth.succeeded), (120, 120), "{report}");
    // 3 s of two lanes whose connections live 375 to 625 ms, and each ends with a request: 50 ms apart.
    assert!((8..=18).contains(&truth.connections.used), "{:?}", truth.connections);
    assert_eq!(report.count("/generator/connections"), truth.connections.accepted, "{report}");
    // The server may see the new one before it has seen the old one go.
    assert!(truth.connections.peak <= 4, "{:?}", truth.connections);
}

#[test]
fn connections_beyond_the_most_allowed_fail_and_the_others_do_not() {
    let server = practice("max-connections 2, latency 5ms");
    let report = measure("-n 60 -c 4", &url(&server, "/"));
    let truth = server.stop();
    let succeeded = report.count("/requests/succeeded");
    assert_eq!(succeeded, truth.succeeded, "{report}");
    assert_eq!(report.map("/faults").get("reset").copied(), Some(60 - succeeded), "{report}");
    // A worker that has done its share gives its places up to the other's lanes.
    assert_eq!((truth.connections.peak, truth.connections.refused), (2, 60 - succeeded), "{truth:?}");
}

#[test]
fn a_server_that_greets_first_does_not_speak_http() {
    let server = Raw::start(|_, mut stream| {
        let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.2p1\r\n");
        let _ = request(&mut stream);
    });
    // Connections opened ahead find the greeting before they are used: it must neither loop nor pass.
    for arguments in ["-n 10 -c 2", "-n 6 -c 2 --rate 4/s"] {
        let report = measure(&format!("{arguments} --slo success>=99%"), &server.url("/"));
        let n = report.count("/requests/finished");
        assert_eq!(report.map("/faults"), BTreeMap::from([("malformed", n)]), "{report}");
        assert_eq!((report.ended.code, report.text("/verdict/decision")), (Some(1), "fail"), "{report}");
    }
}

#[test]
fn every_lane_is_used_and_workers_share_the_load_exactly() {
    for (arguments, requests, lanes) in
        [("-n 101 -c 7 --workers 3", 101, 7), ("-n 10 -c 3", 10, 3), ("-n 2 -c 9", 2, 2)]
    {
        let seen = std::sync::Arc::new(Mutex::new(BTreeSet::new()));
        let connections = std::sync::Arc::clone(&seen);
        let server = Raw::start(move |number, mut stream| {
            while request(&mut stream).is_some() {
                connections.lock().unwrap().insert(number);
                std::thread::park_timeout(Duration::from_millis(5));
                if stream.write_all(OK).is_err() {
                    return;
                }
            }
        });
        let report = measure(arguments, &server.url("/"));
        assert_eq!(report.count("/requests/succeeded"), requests, "{arguments}: {report}");
        assert_eq!(seen.lock().unwrap().len(), lanes, "{arguments}");
    }
}
