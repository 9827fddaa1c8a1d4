//! Callers who send too much, too slowly, or nonsense: each is told, and nobody else notices.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::service::{Service, Wanted, ask};
use tollgate::server::{MOST_BYTES, Settings};

#[test]
fn a_body_may_have_a_mebibyte_and_no_more() {
    let service = Service::start(Wanted::default());
    let body = |length: usize| {
        let start = r#"{"name":"podinfo","namespace":"test","x":""#;
        format!("{start}{}\"}}", "x".repeat(length - start.len() - 2))
    };
    assert_eq!(service.post("/gate/open", &body(MOST_BYTES)).status, 202);
    for length in [MOST_BYTES + 1, 50 << 20] {
        let answer = service.post("/rollback/open", &body(length));
        assert_eq!(answer.short(), (413, "the body is larger than 1048576 bytes"), "{length}");
    }
    assert_eq!(service.post("/rollback/check", &body(60)).status, 403, "nothing was opened");
}

#[test]
fn names_and_metadata_have_limits() {
    let service = Service::start(Wanted::default());
    let keys: Vec<String> = (0..100_000).map(|n| format!("\"k{n}\":\"\"")).collect();
    let many = format!("{{\"metadata\":{{{}}}}}", &keys[..40_000].join(","));
    let answer = service.post("/gate/open", &many);
    assert!(answer.status == 400 && answer.body.contains("more than 256 metadata keys"), "{answer:?}");
    let long = format!(r#"{{"name":"{}","namespace":"test"}}"#, "x".repeat(300));
    assert_eq!(service.post("/gate/open", &long).short(), (400, "name: got 300 bytes, expected at most 253"));
    assert_eq!(service.get("/api/v1/gates").body, r#"{"gates":[]}"#);
}

#[test]
fn large_bodies_take_turns_and_hooks_of_usual_size_wait_for_none() {
    let service = Service::start(Wanted::default());
    let body = format!(r#"{{"name":"podinfo","namespace":"test","x":"{}"}}"#, "x".repeat(200_000));
    let head =
        format!("POST /gate/open HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
    let (begin, rest) = body.split_at(150_000);
    let mut others: Vec<TcpStream> = (0..8).map(|_| connected(&service, format!("{head}{begin}").as_bytes())).collect();
    // What they have sent has been read when all their places are taken; a hook in between is answered all the same.
    for _ in 0..20 {
        assert_eq!(service.post("/gate/check", r#"{"name":"podinfo","namespace":"test"}"#).status, 403);
    }
    let ninth = connected(&service, format!("{head}{body}").as_bytes());
    assert_eq!(service.post("/gate/check", r#"{"name":"podinfo","namespace":"test"}"#).status, 403, "it waits");
    others[0].write_all(rest.as_bytes()).unwrap();
    let mut said = [0; 12];
    (&ninth).read_exact(&mut said).unwrap();
    assert_eq!(&said, b"HTTP/1.1 202");
    assert_eq!(service.post("/gate/check", r#"{"name":"podinfo","namespace":"test"}"#).status, 200);
}

fn impatient() -> Service {
    let settings = Settings { patience: Duration::from_millis(300), ..Settings::default() };
    Service::start(Wanted { settings, ..Wanted::default() })
}

fn connected(service: &Service, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(service.addr).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream.write_all(bytes).unwrap();
    stream
}

#[test]
fn a_caller_who_sends_slowly_is_let_go_and_holds_nobody_up() {
    let service = impatient();
    let mut slow: Vec<TcpStream> =
        (0..200).map(|_| connected(&service, b"POST /gate/check HTTP/1.1\r\nHost: a\r\n")).collect();
    slow.extend((0..20).map(|_| connected(&service, b"")));
    let body = connected(&service, b"POST /gate/check HTTP/1.1\r\nHost: a\r\nContent-Length: 40\r\n\r\n{\"name\"");
    assert_eq!(service.get("/healthz").short(), (200, "OK"), "others are served meanwhile");
    for mut stream in slow {
        let mut said = String::new();
        stream.read_to_string(&mut said).expect("the connection is closed");
        assert_eq!(said, "");
    }
    let mut said = [0; 12];
    (&body).read_exact(&mut said).unwrap();
    assert_eq!(&said, b"HTTP/1.1 408");
}

#[test]
fn heads_that_are_too_large_or_no_http_are_refused() {
    let service = Service::start(Wanted::default());
    let status = |bytes: &[u8]| {
        let mut said = String::new();
        // The rest of what was sent may be unread when it hangs up.
        let _ = connected(&service, bytes).read_to_string(&mut said);
        said.split(' ').nth(1).map(str::to_owned)
    };
    let large = |bytes| format!("GET /healthz HTTP/1.1\r\nConnection: close\r\nX: {}\r\n\r\n", "x".repeat(bytes));
    assert_eq!(status(large(60_000).as_bytes()).as_deref(), Some("200"));
    assert_eq!(status(large(70_000).as_bytes()).as_deref(), Some("431"));
    let many = format!("GET /healthz HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(5_000));
    assert_eq!(status(many.as_bytes()).as_deref(), Some("431"));
    assert_eq!(status(b"\x16\x03\x01\x02\x00\x01\x00 no HTTP\r\n\r\n").as_deref(), Some("400"));
    assert_eq!(service.get("/healthz").short(), (200, "OK"));
}

#[test]
fn two_hundred_hooks_at_once_are_all_answered_and_counted() {
    let service = Service::start(Wanted::default());
    service.post("/gate/open", r#"{"name":"podinfo","namespace":"test"}"#);
    let callers: Vec<_> = (0..8)
        .map(|caller| {
            let addr = service.addr;
            std::thread::spawn(move || {
                (0..25).all(|n| {
                    let open = caller % 2 == 0;
                    let name = if open { "podinfo".to_owned() } else { format!("c{n}") };
                    let body = format!(r#"{{"name":"{name}","namespace":"test","phase":"Progressing"}}"#);
                    ask(addr, "POST", "/gate/check", &[], body.as_bytes()).status == if open { 200 } else { 403 }
                })
            })
        })
        .collect();
    assert!(callers.into_iter().all(|caller| caller.join().unwrap()));
    let page = service.get("/metrics").body;
    for (status, count) in [(200, 100), (403, 100)] {
        let line = format!("tollgate_hook_requests_total{{path=\"/gate/check\",status=\"{status}\"}} {count}\n");
        assert!(page.contains(&line), "{page}");
    }
}
