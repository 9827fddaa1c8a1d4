//! The bytes of a request, as a server receives them.

use super::raw::{Raw, request};
use super::report::{measure, measure_with};
use std::io::Write as _;

const AGENT: &str = concat!("tollgate/", env!("CARGO_PKG_VERSION"));

/// The one request that these arguments make; `HOST` stands for the server's address.
fn sent(arguments: &[&str], path: &str) -> String {
    let (server, requests) = Raw::recording();
    let report = measure_with("-n 1 -c 1", arguments, &server.url(path));
    assert_eq!(report.count("/requests/succeeded"), 1, "{report}");
    requests.only().replace(&server.addr.to_string(), "HOST")
}

#[test]
fn a_request_is_these_bytes_in_this_order() {
    let usual = format!("User-Agent: {AGENT}\r\nAccept: */*\r\n");
    for (arguments, path, expected, why) in [
        (&[][..], "/", format!("GET / HTTP/1.1\r\nHost: HOST\r\n{usual}\r\n"), "nothing but the URL"),
        (&[], "/a/b?c=d&e=%20f#g", format!("GET /a/b?c=d&e=%20f HTTP/1.1\r\nHost: HOST\r\n{usual}\r\n"), "no fragment"),
        (&["-m", "delete"], "/", format!("DELETE / HTTP/1.1\r\nHost: HOST\r\n{usual}\r\n"), "a method in capitals"),
        (
            &["-H", "X-A: 1", "-H", "x-a:2", "-H", "X-B:  spaced  ", "-H", "X-A: 3"],
            "/",
            format!("GET / HTTP/1.1\r\nHost: HOST\r\n{usual}X-A: 1\r\nx-a: 2\r\nX-B: spaced\r\nX-A: 3\r\n\r\n"),
            "all headers, those of one name too, in their order",
        ),
        (
            &["-U", "me", "-A", "text/plain", "-T", "text/css"],
            "/",
            "GET / HTTP/1.1\r\nHost: HOST\r\nUser-Agent: me\r\nAccept: text/plain\r\nContent-Type: text/css\r\n\r\n"
                .into(),
            "own flags for usual headers",
        ),
        (
            &["-H", "User-Agent: me", "-H", "accept: text/plain"],
            "/",
            "GET / HTTP/1.1\r\nHost: HOST\r\nUser-Agent: me\r\naccept: text/plain\r\n\r\n".into(),
            "-H takes the place of the default",
        ),
        (&["-U", "", "-A", ""], "/", "GET / HTTP/1.1\r\nHost: HOST\r\n\r\n".into(), "empty is not sent"),
        (
            &["--host", "podinfo.test:9"],
            "/",
            format!("GET / HTTP/1.1\r\nHost: podinfo.test:9\r\n{usual}\r\n"),
            "a host",
        ),
        (
            &["-H", "host: podinfo.test"],
            "/",
            format!("GET / HTTP/1.1\r\nHost: podinfo.test\r\n{usual}\r\n"),
            "as a header",
        ),
        (
            &["-a", "ann:s3:cret"],
            "/",
            format!("GET / HTTP/1.1\r\nHost: HOST\r\n{usual}Authorization: Basic YW5uOnMzOmNyZXQ=\r\n\r\n"),
            "basic authentication really goes out",
        ),
        (
            &["--disable-keepalive"],
            "/",
            format!("GET / HTTP/1.1\r\nHost: HOST\r\n{usual}Connection: close\r\n\r\n"),
            "the server is told that the connection ends",
        ),
        (
            &["-disable-keepalive", "-host", "a.test", "-c=1", "-disable-compression"],
            "/",
            format!("GET / HTTP/1.1\r\nHost: a.test\r\n{usual}Connection: close\r\n\r\n"),
            "hey's spelling",
        ),
    ] {
        assert_eq!(sent(arguments, path), expected, "{why}");
    }
}

#[test]
fn a_body_makes_no_post_and_has_its_length_in_bytes() {
    let usual = format!("User-Agent: {AGENT}\r\nAccept: */*\r\n");
    for (arguments, path, expected, why) in [
        (
            &["-d", "a=1&b=ü"][..],
            "/",
            format!(
                "GET / HTTP/1.1\r\nHost: HOST\r\n{usual}Content-Type: text/html\r\nContent-Length: 8\r\n\r\na=1&b=ü"
            ),
            "a body makes no POST; its length is in bytes",
        ),
        (
            &["-m", "POST", "-T", "application/json", "-d", "{\"a\": \"b\\n\"}"],
            "/",
            format!(
                "POST / HTTP/1.1\r\nHost: HOST\r\n{usual}Content-Type: application/json\r\nContent-Length: 12\r\n\r\n{{\"a\": \"b\\n\"}}"
            ),
            "a body is sent as it is written",
        ),
        (
            &["-m", "put"],
            "/",
            format!("PUT / HTTP/1.1\r\nHost: HOST\r\n{usual}Content-Length: 0\r\n\r\n"),
            "an empty PUT",
        ),
    ] {
        assert_eq!(sent(arguments, path), expected, "{why}");
    }
}

#[test]
fn a_body_from_a_file_is_sent_byte_by_byte() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a body");
    let body = "line\r\n\r\n\tand \u{feff}more\n";
    std::fs::write(&file, body).unwrap();
    let bytes = sent(&["-m", "POST", "-D", file.to_str().unwrap()], "/");
    let (head, sent) = bytes.split_once("\r\n\r\n").unwrap();
    assert_eq!(sent, body);
    assert!(head.ends_with(&format!("Content-Type: text/html\r\nContent-Length: {}", body.len())), "{head}");
}

#[test]
fn an_at_sign_is_text_and_no_file() {
    assert!(sent(&["-m", "POST", "-d", "@/etc/hostname"], "/").ends_with("\r\n\r\n@/etc/hostname"));
}

#[test]
fn user_and_password_of_the_url_are_sent_and_never_shown() {
    let (server, requests) = Raw::recording();
    let report = measure("-n 1 -c 1", &format!("http://ann:p%40ss@{}/x", server.addr));
    assert!(requests.only().contains("\r\nAuthorization: Basic YW5uOnBAc3M=\r\n"), "{}", requests.only());
    assert_eq!(report.text("/plan/url"), server.url("/x"));
    let shown = format!("{}{}", report.ended.stdout, report.ended.stderr);
    assert!(!shown.contains("ann") && !shown.contains("p@ss") && !shown.contains("p%40ss"), "{shown}");
}

#[test]
fn a_pinned_name_is_not_looked_up_and_stays_in_the_host_header() {
    let (server, requests) = Raw::recording();
    let port = server.addr.port();
    let pin = format!("podinfo.invalid:{port}:127.0.0.1");
    let report = measure_with("-n 3 -c 1", &["--resolve", &pin], &format!("http://podinfo.invalid:{port}/"));
    assert_eq!(report.count("/requests/succeeded"), 3, "{report}");
    assert_eq!(report.json()["dns_ms"], serde_json::Value::Null, "no name was looked up");
    let host = format!("\r\nHost: podinfo.invalid:{port}\r\n");
    assert!(requests.all().iter().all(|(_, bytes)| String::from_utf8_lossy(bytes).contains(&host)));
}

#[test]
fn of_two_addresses_the_one_that_answers_is_used() {
    let (server, requests) = Raw::recording();
    let port = server.addr.port();
    // Nothing listens on 127.0.0.2 at that port: the server is bound to 127.0.0.1 alone.
    let pin = format!("podinfo.invalid:{port}:127.0.0.2,127.0.0.1");
    let url = format!("http://podinfo.invalid:{port}/");
    let report = measure_with("-n 20 -c 2 --disable-keepalive --slo success>=100%", &["--resolve", &pin], &url);
    assert_eq!((report.count("/requests/succeeded"), requests.all().len()), (20, 20), "{report}");
    assert!(report.map("/faults").is_empty(), "{report}");
}

#[test]
fn the_same_request_goes_out_every_time() {
    let (server, requests) = Raw::recording();
    measure_with("-n 100 -c 5", &["-m", "POST", "-d", "body", "-H", "X-A: 1"], &server.url("/"));
    let all = requests.all();
    assert_eq!(all.len(), 100);
    assert!(all.iter().all(|(_, bytes)| *bytes == all[0].1));
}

#[test]
fn a_request_waits_for_no_second_packet() {
    // Head and body in one piece: a server that answers what its first read gave it never waits for the rest.
    let server = Raw::start(|_, mut stream| {
        let mut buffer = [0; 4096];
        while std::io::Read::read(&mut stream, &mut buffer).is_ok_and(|n| buffer[..n].ends_with(b"\r\n\r\nbody")) {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
        }
        assert!(request(&mut stream).is_none());
    });
    let report = measure("-n 50 -c 1 -m POST -d body", &server.url("/"));
    assert_eq!((report.count("/requests/succeeded"), report.count("/generator/connections")), (50, 1), "{report}");
}
