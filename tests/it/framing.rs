//! Answers as other servers write them: the same answer to every request, read through the whole program.

use std::collections::BTreeMap;
use std::io::Write as _;

use super::raw::{Raw, request};
use super::report::measure;

/// Ten requests on one lane; codes, faults, successes and how many connections that took.
fn told(arguments: &str, url: &str) -> (String, String, u64, u64) {
    let report = measure(&format!("-n 10 -c 1 {arguments}"), url);
    let text = |counts: BTreeMap<&str, u64>| {
        let pairs: Vec<String> = counts.iter().map(|(name, n)| format!("{name} {n}")).collect();
        pairs.join(", ")
    };
    let (succeeded, connections) = (report.count("/requests/succeeded"), report.count("/generator/connections"));
    (text(report.map("/codes")), text(report.map("/faults")), succeeded, connections)
}

#[test]
fn an_answer_that_contradicts_itself_is_malformed_and_ends_its_connection() {
    let endless_interim =
        "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(20) + "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    let long_line = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(70_000));
    let many_lines = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(300));
    for (answer, codes, why) in [
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "none 10",
            "both framings",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
            "none 10",
            "the other way",
        ),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc", "none 10", "lengths that differ"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2, 3\r\n\r\nabc", "none 10", "lengths that differ in one field"),
        ("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "none 10", "a negative length"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", "none 10", "a length past 64 bits"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabc", "200 10", "a byte too many"),
        ("HTTP/1.1 204 No Content\r\n\r\nabc", "204 10", "a body where there is none"),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
            "200 10",
            "a chunk past 64 bits",
        ),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n", "200 10", "a chunk too long"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "none 10", "a coding without an end"),
        ("HTTP/0.9 200 OK\r\n\r\n", "none 10", "a version that has no status line"),
        ("HTTP/2 200\r\n\r\n", "none 10", "another protocol's version"),
        ("\r\n\r\n\r\n\r\nnothing\r\n\r\n", "none 10", "blank lines and then no answer"),
        ("", "none 10", "nothing but the end"),
        (&endless_interim, "none 10", "interim answers without end"),
        (&long_line, "none 10", "a head of 70 kB"),
        (&many_lines, "none 10", "three hundred header fields"),
    ] {
        let (bytes, fault) = (answer.to_owned(), if answer.is_empty() { "reset 10" } else { "malformed 10" });
        let server = Raw::start(move |_, mut stream| {
            while !bytes.is_empty() && request(&mut stream).is_some() && stream.write_all(bytes.as_bytes()).is_ok() {}
        });
        let expected = (codes.to_owned(), fault.to_owned(), 0, 10);
        assert_eq!(told("", &server.url("/")), expected, "{why}");
    }
}

#[test]
fn unusual_but_sound_answers_are_answers_and_keep_their_connection() {
    let many_lines = format!("HTTP/1.1 200 OK\r\n{}Content-Length: 0\r\n\r\n", "X: y\r\n".repeat(200));
    for (answer, arguments, codes, why) in [
        ("HTTP/1.1 200 OK\r\ncontent-LENGTH:   2  \r\n\r\nok", "", "200 10", "any case and any blanks"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok", "", "200 10", "lengths that agree"),
        ("HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", "", "200 10", "no reason phrase"),
        ("HTTP/1.1 299 Odd\r\nContent-Length: 0\r\n\r\n", "", "299 10", "a status that nobody registered"),
        ("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", "", "204 10", "204 has no body"),
        ("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "", "304 10", "304 has no body"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "-m HEAD", "200 10", "the answer to HEAD has no body"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "-m head", "200 10", "nor chunks"),
        (
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
            "",
            "200 10",
            "interim answers come before the answer",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=\"b\"\r\nok\r\n00\r\nX-A: 1\r\nX-B: 2\r\n\r\n",
            "",
            "200 10",
            "extensions and trailers",
        ),
        (
            "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok",
            "",
            "200 10",
            "HTTP/1.0 may keep it",
        ),
        (&many_lines, "", "200 10", "two hundred header fields"),
    ] {
        let server = Raw::answering(answer.to_owned());
        let expected = (codes.to_owned(), String::new(), 10, 1);
        assert_eq!(told(arguments, &server.url("/")), expected, "{why}");
    }
}

#[test]
fn a_connection_that_the_server_will_close_is_not_used_again() {
    for (answer, why) in [
        ("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", "it says so"),
        ("HTTP/1.1 200 OK\r\nConnection: Upgrade, Close\r\nContent-Length: 2\r\n\r\nok", "it says so in a list"),
        ("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.0 does not keep it"),
        ("HTTP/1.1 101 Switching Protocols\r\n\r\n", "it speaks another protocol now"),
    ] {
        let server = Raw::answering(answer);
        let (codes, faults, _, connections) = told("--success 101,200", &server.url("/"));
        assert_eq!((faults.as_str(), connections), ("", 10), "{why}: {codes}");
    }
}

#[test]
fn an_answer_in_pieces_of_one_byte_is_one_answer() {
    let answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    let server = Raw::start(move |_, mut stream| {
        while request(&mut stream).is_some() {
            for byte in answer.as_bytes() {
                if stream.write_all(&[*byte]).is_err() {
                    return;
                }
                std::thread::yield_now();
            }
        }
    });
    assert_eq!(told("", &server.url("/")), ("200 10".to_owned(), String::new(), 10, 1));
}

#[test]
fn bytes_that_nobody_asked_for_are_not_taken_for_the_next_answer() {
    // The rest of each answer arrives after tollgate has read it: the next request on that connection must not see it.
    let server = Raw::start(|_, mut stream| {
        while request(&mut stream).is_some() {
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
            if stream.write_all(answer).is_err() {
                return;
            }
            std::thread::park_timeout(std::time::Duration::from_millis(50));
            let _ = stream.write_all(b"HTTP/1.1 500 Stray\r\nContent-Length: 0\r\n\r\n");
        }
    });
    let report = measure("-n 5 --rate 2/s -c 1", &server.url("/"));
    assert_eq!(
        (report.map("/codes"), report.count("/requests/succeeded")),
        (BTreeMap::from([("200", 5)]), 5),
        "{report}"
    );
    assert!(report.map("/faults").is_empty(), "{report}");
}
