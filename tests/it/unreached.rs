//! Targets that are not there, or are something else.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::TcpListener;

use super::nobody::Nobody;
use super::raw::{Raw, request};
use super::report::measure;
use super::tollgate::run;

#[test]
fn a_refused_port_is_unreachable_and_the_load_gives_up() {
    let nobody = Nobody::at_home();
    let url = format!("http://{nobody}/");
    let report = measure("-z 60s -q 20 -c 2 --slo success>=99%,p99<500ms", &url);
    let n = report.count("/requests/finished");
    assert_eq!((report.ended.code, report.text("/verdict/decision")), (Some(1), "unreachable"), "{report}");
    assert_eq!(report.map("/faults"), BTreeMap::from([("refused", n)]), "{report}");
    assert_eq!((report.text("/stopped"), report.count("/generator/connections")), ("unreachable", 0));
    assert!(n >= 20 && report.number("/wall_seconds") < 20.0, "given up long before the minute: {report}");
    assert!(report.text("/verdict/reason").contains("Connection refused"), "{report}");
    assert!(report.text("/first_error").contains("Connection refused"), "{report}");
}

#[test]
fn text_and_exit_code_say_unreachable_with_and_without_an_objective() {
    let nobody = Nobody::at_home();
    let url = format!("http://{nobody}/");
    let judged = run(["run", "-n", "50", "-c", "5", "--slo", "success>=99%", &url]);
    let last = judged.stdout.lines().last().unwrap_or_default();
    assert!(last.starts_with("UNREACHABLE  no connection to the target was made"), "{}", judged.stdout);
    assert!(last.ends_with("Connection refused (os error 111)"), "{last}");
    let bare = run(["run", "-n", "5", "-c", "1", &url]);
    assert_eq!((judged.code, bare.code), (Some(1), Some(1)), "{}", bare.stdout);
}

#[test]
fn an_unknown_host_is_unreachable() {
    let report = measure("-n 40 -c 2 -t 3 --slo success>=99%", "http://nonexistent.invalid/");
    assert_eq!((report.ended.code, report.text("/verdict/decision")), (Some(1), "unreachable"), "{report}");
    // Where there is no resolver to ask, the answer never comes.
    let faults = report.map("/faults");
    assert!(faults.keys().all(|fault| ["dns", "timeout"].contains(fault)) && !faults.is_empty(), "{report}");
    assert!(report.text("/first_error").contains("nonexistent.invalid"), "{report}");
}

#[test]
fn another_protocol_is_malformed_and_fails() {
    const GARBAGE: &[u8] = b"\x00\xffno such protocol\x00";
    const TLS_ALERT: &[u8] = b"\x15\x03\x01\x00\x02\x02\x46";
    const SMTP: &[u8] = b"500 5.5.1 Command unrecognized\r\n\r\n";
    const HTTP2: &[u8] = b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x80";
    for (answer, why) in [(GARBAGE, "garbage"), (TLS_ALERT, "TLS"), (SMTP, "SMTP"), (HTTP2, "HTTP/2 frames")] {
        let server = Raw::start(move |_, mut stream| {
            if request(&mut stream).is_some() {
                let _ = stream.write_all(answer);
                let _ = request(&mut stream);
            }
        });
        let report = measure("-n 20 -c 2 --slo success>=99%", &server.url("/"));
        assert_eq!(report.map("/faults"), BTreeMap::from([("malformed", 20)]), "{why}: {report}");
        assert_eq!((report.ended.code, report.text("/verdict/decision")), (Some(1), "fail"), "{why}: {report}");
    }
}

#[test]
fn a_port_that_accepts_and_says_nothing_is_a_timeout_and_no_silence() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let report = measure("-n 10 -c 5 -t 300ms --slo success>=99%,p99<5s", &url);
    assert_eq!(report.map("/faults"), BTreeMap::from([("timeout", 10)]), "{report}");
    assert_eq!((report.ended.code, report.text("/verdict/decision")), (Some(1), "fail"), "{report}");
}

#[test]
fn a_target_that_answered_once_and_is_gone_is_a_failure() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let once = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        drop(listener);
        request(&mut stream).unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
    });
    let report = measure("-n 30 -c 1 --slo success>=99%", &url);
    once.join().unwrap();
    assert_eq!((report.ended.code, report.text("/verdict/decision")), (Some(1), "fail"), "{report}");
    let faults = report.map("/faults");
    assert_eq!(faults.values().sum::<u64>(), 29, "{report}");
    assert!(faults.get("refused").copied().unwrap_or(0) >= 28, "{report}");
}
