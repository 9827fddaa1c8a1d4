//! What Flagger makes of every way in which a hook can answer or not.

use std::io::Write as _;
use std::net::TcpListener;
use std::sync::mpsc;
use std::time::Duration;

use tollgate::canary::{Canary, Checksum, Phase};
use tollgate::flagger::{Hook, Payload};
use tollgate::plan::Hosts;

use crate::flagger::{hook, said};
use crate::nobody::Nobody;
use crate::raw::{Raw, request};

fn payload() -> Payload {
    let metadata = [("slo".to_owned(), "p99<1s".to_owned())].into();
    Payload {
        canary: Canary::new("podinfo", "test"),
        phase: Phase::Progressing,
        checksum: Checksum::new("85d5"),
        metadata,
    }
}

fn error(hook: &Hook) -> Option<String> {
    said(hook, &payload(), &Hosts::default()).error
}

#[test]
fn a_hook_is_posted_as_flagger_posts_it() {
    let (raw, requests) = Raw::recording();
    assert_eq!(error(&hook(&raw.url("/a?b=c"))), None);
    let body = r#"{"name":"podinfo","namespace":"test","phase":"Progressing","checksum":"85d5","metadata":{"slo":"p99\u003c1s"}}"#;
    let head = format!(
        "POST /a?b=c HTTP/1.1\r\nHost: {}\r\nUser-Agent: Go-http-client/1.1\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        raw.addr,
        body.len()
    );
    assert_eq!(requests.only(), format!("{head}{body}"));
}

#[test]
fn what_does_not_answer_is_told_in_gos_words() {
    let closing = Raw::start(|_, mut stream| drop(request(&mut stream)));
    let silent = Raw::start(|_, mut stream| {
        request(&mut stream);
        let (_sender, never) = mpsc::channel::<()>();
        let _ = never.recv_timeout(Duration::from_secs(5));
    });
    let stalling = Raw::start(|_, mut stream| {
        request(&mut stream);
        stream.write_all(b"HTTP/1.1 412 So\r\nContent-Length: 9\r\n\r\nhalf").unwrap();
        let (_sender, never) = mpsc::channel::<()>();
        let _ = never.recv_timeout(Duration::from_secs(5));
    });
    let nobody = Nobody::at_home();
    let short = |url: String| Hook { timeout: Some(Duration::from_millis(200)), ..hook(&url) };
    let gave_up = |url: &str, why: &str| format!("POST {url} giving up after 1 attempt(s): Post \"{url}\": {why}");
    let (closed, mute, half) = (closing.url("/"), silent.url("/"), stalling.url("/"));
    let refused = format!("http://{nobody}/");
    for (hook, expected, why) in [
        (hook(&closed), gave_up(&closed, "EOF"), "it hangs up"),
        (
            short(mute.clone()),
            gave_up(&mute, "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"),
            "it says nothing in time",
        ),
        (
            short(half),
            "error reading body: context deadline exceeded (Client.Timeout or context cancellation while reading body)"
                .to_owned(),
            "it stops in the middle",
        ),
        (
            hook(&refused),
            gave_up(&refused, &format!("dial tcp {nobody}: connect: connection refused")),
            "nobody is there",
        ),
        (
            hook("flagger-loadtester.test/"),
            gave_up("flagger-loadtester.test/", "unsupported protocol scheme \"\""),
            "no scheme",
        ),
        (Hook { timeout: None, ..hook("http://a/") }, "time: invalid duration".to_owned(), "a timeout that is none"),
    ] {
        assert_eq!(error(&hook), Some(expected), "{why}");
    }
}

#[test]
fn a_call_is_made_again_only_where_flagger_makes_it_again() {
    for (status, attempts, why) in [
        ("503 So", 3, "the server's trouble"),
        ("429 So", 3, "too many"),
        ("501 So", 1, "it never will"),
        ("412 So", 1, "a verdict"),
        ("200 OK", 1, "a success"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let answer = move |_: &str| format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: 3\r\n\r\nwhy");
        let (raw, requests) = Raw::recording_on(listener, answer);
        let hook = Hook { retries: 2, ..hook(&raw.url("/")) };
        let told = said(&hook, &payload(), &Hosts::default());
        assert_eq!((requests.all().len(), told.attempts), (attempts, attempts as u32), "{why}");
        assert_eq!((told.status, told.body.as_str()), (status[..3].parse().ok(), "why"), "{why}");
    }
}

#[test]
fn an_answer_that_asks_for_patience_gets_it() {
    let answers = |retry: &'static str| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let answer = move |_: &str| {
            format!("HTTP/1.1 503 So\r\nRetry-After: {retry}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        };
        let (raw, _requests) = Raw::recording_on(listener, answer);
        said(&Hook { retries: 1, ..hook(&raw.url("/")) }, &payload(), &Hosts::default()).took
    };
    // At the speed of tests 100 s are 200 ms.
    assert!(answers("100") >= Duration::from_millis(200), "seconds");
    assert!(answers("Wed, 21 Oct 2015 07:28:00 GMT") < Duration::from_millis(200), "a date that is over");
}

#[test]
fn names_are_where_they_are_said_to_be_and_redirects_are_followed() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (raw, requests) = Raw::recording_on(listener, |request| {
        let moved = request.starts_with("POST /old ");
        let head = if moved { "307 So\r\nLocation: /new" } else { "200 OK" };
        format!("HTTP/1.1 {head}\r\nContent-Length: 0\r\n\r\n")
    });
    let mut hosts = Hosts::default();
    hosts.put("flagger-loadtester.test", raw.addr);
    let told = said(&hook("http://flagger-loadtester.test/old"), &payload(), &hosts);
    assert_eq!((told.error, told.status), (None, Some(200)));
    let asked: Vec<String> =
        requests.all().iter().map(|(_, bytes)| String::from_utf8_lossy(bytes).into_owned()).collect();
    assert!(asked[1].starts_with("POST /new HTTP/1.1\r\nHost: flagger-loadtester.test\r\n"), "{asked:?}");
    assert!(asked[1].ends_with("}"), "with its body: {asked:?}");
}
