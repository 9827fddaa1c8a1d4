//! Faults of answers: each has its sense, byte by byte.

use super::*;

#[test]
fn answers_that_end_with_the_connection_have_exactly_the_bytes_chosen() {
    let whole = String::from_utf8(usual(&start(&[("body-size", "10")]))).unwrap();
    assert_eq!(whole, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\nxxxxxxxxxx");
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
    let once = || BTreeMap::from([(200, 1)]);
    let rows = [
        ("close", "100%", String::new(), BTreeMap::new()),
        ("truncate", "100%", format!("{head}Content-Length: 10\r\n\r\nxxxxx"), once()),
        (
            "truncate-chunked",
            "100%",
            format!("{head}Transfer-Encoding: chunked\r\nTrailer: X-Practice-End\r\n\r\n5\r\nxxxxx\r\n5\r\nxxxxx\r\n"),
            once(),
        ),
        ("close-after", "0", String::new(), BTreeMap::new()),
        ("close-after", "1", "H".to_owned(), BTreeMap::new()),
        ("close-after", "20", whole[..20].to_owned(), BTreeMap::new()),
        ("close-after", "80", whole[..80].to_owned(), once()),
    ];
    for (key, value, expected, statuses) in rows {
        let practice = start(&[("body-size", "10"), (key, value)]);
        let mut client = Client::new(&practice);
        client.send(GET);
        assert_eq!(String::from_utf8(client.rest()).unwrap(), expected, "--{key} {value}");
        let truth = practice.truth();
        assert_eq!((truth.received, truth.spoiled, truth.errors()), (1, 1, 1), "--{key} {value}");
        assert_eq!(truth.statuses, statuses, "--{key} {value}");
        assert_eq!(truth.faults, BTreeMap::from([(key, 1)]));
    }
}

#[test]
fn a_close_at_any_byte_sends_exactly_the_bytes_before_it() {
    let whole = usual(&start(&[("body-size", "3")]));
    for bytes in 0..=whole.len() {
        let practice = start(&[("body-size", "3"), ("close-after", &bytes.to_string())]);
        let mut client = Client::new(&practice);
        client.send(GET);
        assert_eq!(client.rest(), whole[..bytes]);
        let truth = practice.truth();
        assert_eq!((truth.answered == 1, truth.spoiled == 0), (bytes == whole.len(), bytes == whole.len()));
    }
}

#[test]
fn a_reset_is_a_reset() {
    let practice = start(&[("reset", "100%")]);
    let mut client = Client::new(&practice);
    client.send(GET);
    let error = client.0.read(&mut [0]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(practice.truth().faults, BTreeMap::from([("reset", 1)]));
}

#[test]
fn garbage_is_not_http() {
    let practice = start(&[("garbage", "100%")]);
    let mut client = Client::new(&practice);
    client.send(GET);
    let bytes = client.rest();
    assert_eq!(bytes, b"\x00\x01\xfe\xff this is not HTTP \r\n\r\n");
    assert!(httparse::Response::new(&mut [httparse::EMPTY_HEADER; 4]).parse(&bytes).is_err());
    assert_eq!(practice.truth().statuses, BTreeMap::new());
}

#[test]
fn a_hung_request_gets_no_byte_while_the_client_stays() {
    for settings in [("hang", "100%"), ("hang-all", "")] {
        let practice = start(&[settings]);
        let mut client = Client::new(&practice);
        client.send(GET);
        assert_eq!(truth_when(&practice, |truth| truth.spoiled == 1).connections.open, 1);
        client.send("more that nobody answers");
        client.0.set_nonblocking(true).unwrap();
        assert_eq!(client.0.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
        client.0.set_nonblocking(false).unwrap();
        client.0.shutdown(Shutdown::Write).unwrap();
        assert_eq!(client.rest(), b"");
    }
}

#[test]
fn a_slow_body_comes_whole_and_never_faster_than_its_rate() {
    let practice = start(&[("body-size", "8"), ("slow-body", "100B/s")]);
    let answer = Client::new(&practice).get("/");
    assert_eq!((answer.status, answer.body), (200, b"xxxxxxxx".to_vec()));
    let truth = practice.truth();
    assert_eq!((truth.answered, truth.faults), (1, BTreeMap::from([("slow-body", 1)])));
    assert!(truth.service.micros()[0] >= 80_000, "{:?}", truth.service.micros());
}

#[test]
fn a_slow_body_below_one_piece_is_dribbled_byte_by_byte() {
    let practice = start(&[("body-size", "2"), ("slow-body", "20B/s")]);
    let mut client = Client::new(&practice);
    client.send(GET);
    client.head();
    let mut piece = [0; 8];
    assert_eq!(client.0.read(&mut piece).unwrap(), 1);
    assert_eq!(client.0.read(&mut piece).unwrap(), 1);
}

#[test]
fn endless_headers_do_not_end() {
    let practice = start(&[("endless-headers", "100%")]);
    let mut client = Client::new(&practice);
    client.send(GET);
    let bytes = String::from_utf8(client.exactly(300_000)).unwrap();
    assert!(bytes.starts_with("HTTP/1.1 200 OK\r\n") && !bytes.contains("\r\n\r\n"));
    assert!(bytes.contains("\r\nX-Endless-1: and so on\r\nX-Endless-2: "));
    drop(client);
    truth_when(&practice, |truth| truth.connections.open == 0);
}

#[test]
fn a_huge_body_is_streamed_and_a_client_that_has_enough_is_counted_as_gone() {
    let practice = start(&[("huge-body", "300KiB")]);
    let answer = Client::new(&practice).get("/");
    assert_eq!((answer.body.len(), answer.body.iter().all(|byte| *byte == 0)), (300 << 10, true));
    assert_eq!(practice.truth().answered, 1);

    let practice = start(&[("huge-body", "10GiB")]);
    let mut client = Client::new(&practice);
    client.send(GET);
    assert!(client.head().contains("\r\nContent-Length: 10737418240\r\n"));
    client.exactly(1 << 20);
    drop(client);
    let truth = truth_when(&practice, |truth| truth.pending == 0);
    assert_eq!((truth.abandoned, truth.answered), (1, 0));
}

#[test]
fn a_padded_head_is_sound_and_longer_by_what_was_chosen() {
    let plain = usual(&start(&[]));
    for bytes in [11, 4096, 5000, 100 << 10] {
        let practice = start(&[("huge-headers", &bytes.to_string())]);
        let padded = usual(&practice);
        assert_eq!(padded.len(), plain.len() + bytes, "{bytes}");
        assert_eq!(practice.truth().succeeded, 1);
    }
}

#[test]
fn a_malformed_answer_leaves_the_connection_to_the_client() {
    for (kind, length, fragment, statuses) in [
        ("both-lengths", None, "Transfer-Encoding: chunked\r\n\r\n3\r\nxxx\r\n0\r\n\r\n", 0),
        ("two-lengths", None, "Content-Length: 3\r\nContent-Length: 4\r\n\r\nxxx", 0),
        ("excess", None, "xxxand more than was announced", 1),
        ("bad-length", None, "Content-Length: 3x\r\n\r\nxxx", 0),
        ("bad-chunk", None, "\r\n\r\nzz\r\nxxx\r\n0\r\n\r\n", 1),
        ("bad-header", None, "this line has no colon\r\n", 0),
        ("bad-status", Some("HTTP/1.1 2000 Odd\r\n"), "xxx", 0),
    ] {
        let practice = start(&[("body-size", "3"), ("malformed", kind)]);
        let mut client = Client::new(&practice);
        client.send(GET);
        truth_when(&practice, |truth| truth.spoiled == 1);
        client.send(GET);
        truth_when(&practice, |truth| truth.spoiled == 2);
        client.0.shutdown(Shutdown::Write).unwrap();
        let text = String::from_utf8(client.rest()).unwrap();
        assert!(text.starts_with(length.unwrap_or("HTTP/1.1 200 OK\r\n")), "{kind}: {text:?}");
        assert_eq!(text.matches(fragment).count(), 2, "{kind}: {text:?}");
        let truth = practice.truth();
        assert_eq!(truth.statuses.values().sum::<u64>(), 2 * statuses, "{kind}");
        assert_eq!((truth.errors(), truth.connections.used), (2, 1));
    }
}
