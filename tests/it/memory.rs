//! Answers without end: the memory that reading them takes stays small.

use std::collections::BTreeMap;
use std::io::Write as _;

use super::practice::{practice, url};
use super::raw::{Raw, request};
use super::report::{Report, measure};

/// What a run may have resident of its own at most where an answer tries to fill its memory: twice what a sound one has.
pub(crate) const MOST_KIB: u64 = 60 << 10;

fn was_small(report: &Report) {
    let peak = report.ended.peak_kib;
    assert!((1..MOST_KIB).contains(&peak), "{peak} KiB resident\n{report}");
}

#[test]
fn endless_headers_end_at_the_limit() {
    let server = practice("endless-headers 100%");
    let report = measure("-n 200 -c 20", &url(&server, "/"));
    assert_eq!(report.map("/faults"), BTreeMap::from([("malformed", 200)]), "{report}");
    was_small(&report);
}

#[test]
fn a_body_of_ten_gibibytes_is_read_and_dropped_until_time_is_up() {
    let server = practice("huge-body 10GiB");
    let report = measure("-n 4 -c 4 -t 2", &url(&server, "/"));
    assert_eq!(report.map("/faults"), BTreeMap::from([("timeout", 4)]), "{report}");
    assert_eq!(report.map("/codes"), BTreeMap::from([("200", 4)]), "{report}");
    assert!(report.count("/requests/body_bytes") > 16 << 20, "much was read: {report}");
    was_small(&report);
}

#[test]
fn what_never_ends_a_line_a_chunk_or_its_trailers_takes_no_memory() {
    for (start, piece, code, fault, why) in [
        ("", "x", "none", "malformed", "no status line"),
        ("HTTP/1.1 200 ", "x", "none", "malformed", "a reason phrase"),
        ("HTTP/1.1 200 OK\r\nX: ", "y", "none", "malformed", "one header's value"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;", "e", "200", "malformed", "a chunk extension"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nT: ", "t", "200", "malformed", "a trailer"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n", "200", "timeout", "chunks"),
        ("HTTP/1.1 200 OK\r\n\r\n", "x", "200", "timeout", "a body until the end"),
        ("", "HTTP/1.1 103 Early Hints\r\n\r\n", "none", "malformed", "interim answers"),
    ] {
        let piece = piece.repeat(16_384);
        let server = Raw::start(move |_, mut stream| {
            if request(&mut stream).is_some() && stream.write_all(start.as_bytes()).is_ok() {
                while stream.write_all(piece.as_bytes()).is_ok() {}
            }
        });
        // Enough of them that the run can be looked at while it lasts.
        let requests = if fault == "timeout" { 2 } else { 200 };
        let report = measure(&format!("-n {requests} -c 2 -t 1"), &server.url("/"));
        assert_eq!(report.map("/faults"), BTreeMap::from([(fault, requests)]), "{why}: {report}");
        assert_eq!(report.map("/codes"), BTreeMap::from([(code, requests)]), "{why}: {report}");
        was_small(&report);
    }
}
