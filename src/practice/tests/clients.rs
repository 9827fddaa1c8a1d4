//! Clients of every kind: old ones, ones that speak no HTTP, ones that leave.

use super::*;

#[test]
fn each_path_answers_as_it_should() {
    let practice = start(&[]);
    let mut client = Client::new(&practice);
    for (path, status) in [
        ("/", 200),
        ("/healthz", 200),
        ("/readyz", 200),
        ("/status/503", 503),
        ("/status/302", 302),
        ("/status/99", 400),
        ("/delay/0", 200),
        ("/delay/x", 400),
        ("/token", 405),
        ("/nowhere", 404),
    ] {
        let answer = client.get(path);
        assert_eq!(answer.status, status, "{path}");
        serde_json::from_slice::<Value>(&answer.body).expect("a JSON body");
    }
    client.send(
        "GET /status/204 HTTP/1.1\r\n\r\nPOST /token HTTP/1.1\r\nContent-Length: 4\r\n\r\ntestHEAD / HTTP/1.1\r\n\r\n",
    );
    assert!(client.head().starts_with("HTTP/1.1 204 No Content\r\n"), "three requests in one write, three answers");
    let token: Value = serde_json::from_slice(&client.answer().body).unwrap();
    assert!(token["token"].as_str().is_some_and(|token| token.starts_with("practice-")));
    assert!(!client.head().contains("Content-Length: 0"));
    client.get("/delay/0.03");
    assert!(practice.truth().service.micros().last().is_some_and(|micros| *micros >= 30_000));
}

#[test]
fn request_bodies_are_read_and_dropped() {
    let practice = start(&[]);
    let mut client = Client::new(&practice);
    let megabyte = vec![b'b'; 1 << 20];
    client.send("POST / HTTP/1.1\r\nContent-Length: 1048576\r\n\r\n");
    client.send(&megabyte);
    assert_eq!(client.answer().status, 200);
    client.send("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n");
    assert_eq!(client.answer().status, 200);
    client.send("POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    assert_eq!(client.head(), "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("abc");
    assert_eq!(client.answer().status, 200);
    client.send("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n");
    assert!(client.rest().starts_with(b"HTTP/1.1 400 "));
    assert_eq!(practice.truth().statuses, BTreeMap::from([(200, 3), (400, 1)]));
}

#[test]
fn http_1_0_clients_are_answered_and_kept_only_if_they_ask() {
    let practice = start(&[("chunked", ""), ("continue", "")]);
    let mut client = Client::new(&practice);
    client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    assert!(client.answer().head.contains("\r\nConnection: keep-alive\r\n"), "and neither chunks nor 1xx");
    client.send("GET / HTTP/1.0\r\n\r\n");
    let text = String::from_utf8(client.rest()).unwrap();
    assert!(text.starts_with("HTTP/1.1 200 OK\r\n") && text.contains("\r\nConnection: close\r\n"), "{text:?}");
}

#[test]
fn bytes_that_are_no_request_are_refused_and_harm_nobody_else() {
    let practice = start(&[]);
    let endless = format!("GET / HTTP/1.1\r\n{}", "X: y\r\n".repeat(20_000));
    let wide = format!("GET /{} HTTP/1.1\r\n", "a".repeat(70_000));
    let rows = [("\0\0\0\r\n\r\n", "400"), ("hello\r\n\r\n", "400"), (&endless, "431"), (&wide, "431")];
    for (n, (request, status)) in (1..).zip(rows) {
        let mut client = Client::new(&practice);
        // The server stops reading when it has seen enough: its answer may then be lost to a reset.
        let _ = client.0.write_all(request.as_bytes());
        let mut text = Vec::new();
        let ended = client.0.read_to_end(&mut text);
        assert!(ended.is_err() || text.starts_with(format!("HTTP/1.1 {status} ").as_bytes()), "{text:?}");
        truth_when(&practice, |truth| truth.unreadable == n);
    }
    let mut slow = Client::new(&practice);
    for byte in GET.bytes() {
        slow.send([byte]);
    }
    assert_eq!(slow.answer().status, 200);
    assert_eq!(practice.truth().received, 1);
}

#[test]
fn a_client_that_leaves_before_its_answer_is_counted_as_gone() {
    let practice = start(&[("latency", "10m")]);
    let mut client = Client::new(&practice);
    client.send(GET);
    truth_when(&practice, |truth| truth.pending == 1);
    drop(client);
    let truth = truth_when(&practice, |truth| truth.pending == 0);
    assert_eq!((truth.received, truth.abandoned, truth.errors()), (1, 1, 0));
}
