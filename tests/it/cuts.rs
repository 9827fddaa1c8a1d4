//! An answer that ends too early, at every one of its bytes, by FIN and by RST.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::Duration;

use super::raw::{Raw, request};
use super::report::measure;

/// How an answer's end is known.
struct Answer {
    head: &'static str,
    body: &'static str,
    /// Without a length the end of the connection is the end of the body, unless it is a reset.
    until_close: bool,
}

const ANSWERS: [Answer; 4] = [
    Answer { head: "HTTP/1.1 200 OK\r\nX-A: 1\r\nContent-Length: 11\r\n\r\n", body: "hello world", until_close: false },
    Answer {
        head: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        body: "5;name=value\r\nhello\r\n6\r\n world\r\n0\r\nX-Trailer: yes\r\n\r\n",
        until_close: false,
    },
    Answer { head: "HTTP/1.0 200 OK\r\n\r\n", body: "hello world", until_close: true },
    Answer {
        head: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n",
        body: "ok",
        until_close: false,
    },
];

/// The n-th connection gets the first n bytes of the answer and then its end.
fn cutting(answer: &Answer, reset: bool) -> Raw {
    let whole = format!("{}{}", answer.head, answer.body);
    Raw::start(move |number, mut stream| {
        if request(&mut stream).is_none() || number > whole.len() {
            return;
        }
        stream.write_all(&whole.as_bytes()[..number]).unwrap();
        if reset {
            socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
        }
    })
}

/// One request a connection, one connection after the other.
fn cut_everywhere(answer: &Answer, reset: bool) {
    let (head, body) = (answer.head.len() as u64, answer.body.len() as u64);
    // Cut before byte 0, 1, …, and last not at all; a whole answer is an answer, whatever comes after it.
    let cuts = head + body + 1;
    let (truncated, whole) = match answer.until_close {
        false => (body, 1),
        true if reset => (body + 1, 0),
        true => (0, body + 1),
    };
    let report = measure(&format!("-n {cuts} -c 1 --disable-keepalive"), &cutting(answer, reset).url("/"));
    let expected = BTreeMap::from([("none", head), ("200", body + 1)]);
    assert_eq!(report.map("/codes"), expected, "{:?} reset: {reset}\n{report}", answer.head);
    let faults = BTreeMap::from([("reset", head), ("truncated", truncated)]);
    let faults = faults.into_iter().filter(|(_, n)| *n > 0).collect::<BTreeMap<_, _>>();
    assert_eq!(report.map("/faults"), faults, "{:?} reset: {reset}\n{report}", answer.head);
    assert_eq!(report.count("/requests/succeeded"), whole, "{:?} reset: {reset}\n{report}", answer.head);
    assert_eq!((report.count("/requests/resent"), report.count("/generator/connections")), (0, cuts));
}

#[test]
fn an_answer_that_ends_at_any_byte_is_what_its_framing_says() {
    for answer in &ANSWERS {
        cut_everywhere(answer, false);
    }
}

#[test]
fn an_answer_that_is_reset_at_any_byte_is_never_complete() {
    for answer in &ANSWERS {
        cut_everywhere(answer, true);
    }
}
