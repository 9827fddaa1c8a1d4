//! Judging one release behind an address that two of them answer.

use std::io::Write as _;

use super::raw::{Raw, request};
use super::report::measure;

/// Every fourth answer is the new release's, and every second one of those an error; the old one answers the rest, or
/// says nothing of whose it is.
fn shared() -> Raw {
    Raw::start(|_, mut stream| {
        let mut answered = 0;
        while request(&mut stream).is_some() {
            answered += 1;
            let (status, version) = match answered % 8 {
                0 => ("503 no", "X-Version: v2\r\n"),
                4 => ("200 OK", "X-Version: v2\r\n"),
                2 => ("500 no", ""),
                _ => ("200 OK", "X-Version: v1\r\n"),
            };
            let answer = format!("HTTP/1.1 {status}\r\n{version}Content-Length: 0\r\n\r\n");
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    })
}

#[test]
fn only_the_answers_of_the_release_under_test_are_judged() {
    let server = shared();
    let all = measure("-n 800 -c 1 --slo success>=70%", &server.url("/"));
    assert_eq!((all.ended.code, all.count("/requests/succeeded")), (Some(0), 600), "taken together it passes: {all}");
    let server = shared();
    let own = measure("-n 800 -c 1 --slo success>=70% --identify x-version=^v2", &server.url("/"));
    assert_eq!((own.ended.code, own.text("/verdict/decision")), (Some(1), "fail"), "{own}");
    assert_eq!((own.count("/requests/finished"), own.count("/requests/succeeded")), (200, 100), "{own}");
    assert_eq!((own.count("/requests/elsewhere"), own.count("/requests/elsewhere_failed")), (600, 100), "{own}");
    assert_eq!(own.map("/codes").into_iter().collect::<Vec<_>>(), [("200", 100), ("503", 100)], "{own}");
}

#[test]
fn a_release_that_never_answers_passes_nothing() {
    let server = shared();
    let none = measure("-n 200 -c 1 --slo success>=70% --identify X-Version=v3", &server.url("/"));
    assert_eq!((none.ended.code, none.text("/verdict/decision")), (Some(3), "insufficient"), "{none}");
    assert_eq!((none.count("/requests/finished"), none.count("/requests/elsewhere")), (0, 200), "{none}");
}
