//! The running server, byte by byte over plain sockets, and its account held against what was sent.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use super::{Behaviour, Connections, Practice, Truth};

const GET: &str = "GET / HTTP/1.1\r\nHost: practice\r\n\r\n";

/// Longest wait for something that is certain to happen.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

pub(super) fn start(settings: &[(&str, &str)]) -> Practice {
    Practice::start(Behaviour::parse(settings.iter().copied()).expect("the settings are right")).expect("it starts")
}

/// A client that does nothing of its own accord.
struct Client(TcpStream);

/// An answer with a length.
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Client {
    fn new(practice: &Practice) -> Self {
        let stream = TcpStream::connect(practice.addr()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self(stream)
    }

    fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).unwrap();
    }

    /// Everything until the server closes.
    fn rest(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.0.read_to_end(&mut bytes).unwrap();
        bytes
    }

    /// Exactly this many bytes.
    fn exactly(&mut self, n: usize) -> Vec<u8> {
        let mut bytes = vec![0; n];
        self.0.read_exact(&mut bytes).unwrap();
        bytes
    }

    /// A head, up to its empty line.
    fn head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.extend(self.exactly(1));
        }
        String::from_utf8(head).unwrap()
    }

    fn answer(&mut self) -> Answer {
        let head = self.head();
        let status = head[9..12].parse().unwrap();
        let length =
            head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).map_or(0, |n| n.parse().unwrap());
        let body = self.exactly(length);
        Answer { status, head, body }
    }

    fn get(&mut self, path: &str) -> Answer {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: practice\r\n\r\n"));
        self.answer()
    }
}

/// What `GET /__truth` says.
fn asked(practice: &Practice) -> Value {
    serde_json::from_slice(&Client::new(practice).get("/__truth").body).unwrap()
}

/// The truth as soon as it is as wanted.
pub(super) fn truth_when(practice: &Practice, wanted: impl Fn(&Truth) -> bool) -> Truth {
    let give_up = Instant::now() + PATIENCE;
    loop {
        let truth = practice.truth();
        if wanted(&truth) {
            return truth;
        }
        assert!(Instant::now() < give_up, "never came true: {truth:?}");
        std::thread::yield_now();
    }
}

/// The usual answer of a server, whole.
fn usual(practice: &Practice) -> Vec<u8> {
    let mut client = Client::new(practice);
    let answer = client.get("/");
    [answer.head.as_bytes(), &answer.body].concat()
}

#[test]
fn two_percent_errors_are_exactly_twenty_of_a_thousand_and_the_truth_says_so() {
    let practice = start(&[("errors", "2%"), ("error-status", "503")]);
    let before = SystemTime::now();
    let mut client = Client::new(&practice);
    let statuses: Vec<u16> = (0..1000).map(|_| client.get("/").status).collect();
    let errors: Vec<usize> = (1..=1000).filter(|n| statuses[n - 1] == 503).collect();
    assert_eq!(errors, (1..=20).map(|i| i * 50).collect::<Vec<_>>());

    let truth = practice.truth();
    assert_eq!((truth.received, truth.answered, truth.succeeded, truth.errors()), (1000, 1000, 980, 20));
    assert_eq!((truth.spoiled, truth.abandoned, truth.pending, truth.unreadable), (0, 0, 0, 0));
    assert_eq!(truth.statuses, BTreeMap::from([(200, 980), (503, 20)]));
    assert_eq!(truth.faults, BTreeMap::from([("error", 20)]));
    assert_eq!((truth.service.n(), truth.failed_service.n()), (980, 20));
    assert_eq!(truth.seconds.iter().map(|second| second.requests).sum::<u64>(), 1000);
    assert_eq!(truth.seconds.iter().map(|second| second.errors).sum::<u64>(), 20);
    let used = Connections { accepted: 1, used: 1, open: 1, peak: 1, ..Connections::default() };
    assert_eq!(truth.connections, used);
    let unix_ns = u128::from(truth.first_request_unix_ns.unwrap());
    let wall = |at: SystemTime| at.duration_since(UNIX_EPOCH).unwrap().as_nanos();
    assert!((wall(before)..wall(SystemTime::now())).contains(&unix_ns));

    let json = asked(&practice);
    assert_eq!(json["requests"]["received"], 1000, "asking is not counted");
    assert_eq!(json["requests"]["errors"], 20);
    assert_eq!(json["statuses"]["503"], 20);
    assert_eq!(json["service_ms"]["n"], 980);
    assert_eq!(json["connections"]["accepted"], 1);
}

#[test]
fn many_connections_at_once_share_one_pattern_and_none_is_lost() {
    let practice = start(&[("errors", "1%"), ("reset", "1%")]);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let mut client = Client::new(&practice);
                for _ in 0..250 {
                    client.send(GET);
                    // A reset shows before anything is read.
                    match client.0.peek(&mut [0]) {
                        Ok(_) => drop(client.answer()),
                        Err(_) => client = Client::new(&practice),
                    }
                }
            });
        }
    });
    // A connection made after a lane's last request is never used.
    let truth = truth_when(&practice, |truth| truth.connections.open == 0 && truth.connections.accepted == 8 + 19);
    assert_eq!((truth.received, truth.answered, truth.spoiled), (2000, 1981, 19));
    assert_eq!(truth.faults, BTreeMap::from([("error", 20), ("reset", 19)]));
}

#[test]
fn whoever_has_read_an_answer_finds_it_in_the_truth() {
    let practice = start(&[]);
    let mut client = Client::new(&practice);
    for n in 1..=500 {
        client.get("/");
        assert_eq!(practice.truth().answered, n);
    }
}

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

#[test]
fn sound_but_unusual_answers_have_the_bytes_they_should() {
    let head = "Content-Type: application/json\r\n";
    let plain = format!("HTTP/1.1 200 OK\r\n{head}Content-Length: 4\r\n");
    for (key, expected) in [
        ("connection-close", format!("{plain}Connection: close\r\n\r\nxxxx")),
        ("http10", format!("HTTP/1.0 200 OK\r\n{head}Connection: close\r\n\r\nxxxx")),
        (
            "chunked",
            format!(
                "HTTP/1.1 200 OK\r\n{head}Transfer-Encoding: chunked\r\nTrailer: X-Practice-End\r\n\r\n\
                 2\r\nxx\r\n2\r\nxx\r\n0\r\nX-Practice-End: yes\r\n\r\n"
            ),
        ),
        (
            "continue",
            format!(
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n\
                 {plain}\r\nxxxx"
            ),
        ),
    ] {
        let practice = start(&[("body-size", "4"), (key, "")]);
        let mut client = Client::new(&practice);
        client.send(GET);
        let text = String::from_utf8(client.exactly(expected.len())).unwrap();
        assert_eq!(text, expected, "--{key}");
        let truth = practice.truth();
        assert_eq!((truth.answered, truth.succeeded, truth.spoiled), (1, 1, 0), "--{key}");
        let closes = expected.contains("Connection: close");
        if !closes {
            client.0.shutdown(Shutdown::Write).unwrap();
        }
        assert_eq!(client.rest(), b"", "--{key}");
    }
}

#[test]
fn an_early_answer_comes_before_the_body_and_ends_the_connection() {
    let practice = start(&[("early-answer", "")]);
    let mut client = Client::new(&practice);
    assert_eq!(client.get("/").status, 200, "a request without a body is answered as ever");
    client.send("POST / HTTP/1.1\r\nHost: practice\r\nContent-Length: 1000000\r\n\r\n");
    let text = String::from_utf8(client.rest()).unwrap();
    assert!(text.starts_with("HTTP/1.1 413 Content Too Large\r\n"), "{text:?}");
    assert!(text.contains("\r\nConnection: close\r\n") && text.ends_with("{\"status\":413}"), "{text:?}");
    assert_eq!(practice.truth().statuses, BTreeMap::from([(200, 1), (413, 1)]));
}

#[test]
fn a_connection_ends_without_notice_after_its_last_request() {
    let practice = start(&[("keep-alive-max", "2")]);
    let mut client = Client::new(&practice);
    for _ in 0..2 {
        assert!(!client.get("/").head.contains("Connection"));
    }
    assert_eq!(client.rest(), b"");
    assert_eq!(practice.truth().answered, 2);
}

#[test]
fn connections_beyond_the_most_allowed_are_closed_but_the_truth_can_still_be_asked() {
    let practice = start(&[("max-connections", "1")]);
    let mut client = Client::new(&practice);
    assert_eq!(client.get("/").status, 200);
    assert_eq!(Client::new(&practice).rest(), b"");
    assert_eq!(asked(&practice)["connections"]["refused"], 1);
    assert_eq!(client.get("/").status, 200);
    drop(client);
    truth_when(&practice, |truth| truth.connections.open == 0);
    assert_eq!(Client::new(&practice).get("/").status, 200);
}

#[test]
fn one_connection_of_two_is_bad() {
    let practice = start(&[("bad-connections", "1/2:errors")]);
    let mut clients = [(); 4].map(|()| Client::new(&practice));
    let mut statuses = || clients.each_mut().map(|client| client.get("/").status);
    assert_eq!(statuses(), [200, 500, 200, 500]);
    assert_eq!(statuses(), [200, 500, 200, 500]);

    let practice = start(&[("bad-connections", "1/2:latency=30ms")]);
    let [mut good, mut bad] = [(); 2].map(|()| Client::new(&practice));
    good.get("/");
    bad.get("/");
    assert!(practice.truth().service.micros()[1] >= 30_000);
}

#[test]
fn an_answer_due_in_a_freeze_waits_for_its_end_and_the_window_is_told() {
    let practice = start(&[("stall", "150ms/10m"), ("stall-phase", "0s")]);
    let mut clients = [(); 3].map(|()| Client::new(&practice));
    for client in &mut clients {
        client.send(GET);
    }
    for client in &mut clients {
        assert_eq!(client.answer().status, 200);
    }
    let truth = practice.truth();
    let [stall] = truth.stalls[..] else { panic!("{:?}", truth.stalls) };
    assert_eq!((stall.begin_ns, stall.held), (0, 3));
    assert!(stall.end_ns >= 150_000_000);
    assert!(truth.service.sorted()[2] >= 150_000);
    let json = asked(&practice);
    let first = json["first_request_unix_ns"].as_u64().unwrap();
    assert_eq!(json["stalls"][0]["begin_unix_ns"].as_u64(), Some(first));
    assert_eq!(json["stalls"][0]["end_unix_ns"].as_u64(), Some(first + stall.end_ns));
    clients[0].get("/");
    assert_eq!(practice.truth().stalls[0].held, 3, "after the freeze nothing is held");
}

#[test]
fn latency_and_slow_start_are_never_shorter_than_chosen() {
    let practice = start(&[("latency", "5ms"), ("slow-start", "10m:20ms")]);
    Client::new(&practice).get("/");
    let micros = practice.truth().service.micros()[0];
    assert!(micros >= 24_999, "{micros}");
}

#[test]
fn questions_about_the_server_are_neither_counted_nor_harmed() {
    let practice = start(&[("reset", "100%"), ("latency", "10m"), ("max-connections", "1"), ("chunked", "")]);
    let truth = asked(&practice);
    assert_eq!((&truth["requests"]["received"], &truth["connections"]["accepted"]), (&0.into(), &0.into()));
    assert_eq!(truth["first_request_unix_ns"], Value::Null);
    let mut client = Client::new(&practice);
    client.send("POST /__reset HTTP/1.1\r\nHost: practice\r\nContent-Length: 3\r\n\r\nabc");
    assert_eq!(client.answer().body, br#"{"reset":true}"#);
    assert_eq!(client.get("/__truth?values").status, 200, "the connection is kept");
}

#[test]
fn a_reset_of_the_truth_starts_numbers_and_patterns_anew() {
    let practice = start(&[("errors", "1/3")]);
    let mut client = Client::new(&practice);
    let mut statuses = |n| (0..n).map(|_| client.get("/").status).collect::<Vec<_>>();
    assert_eq!(statuses(4), [200, 200, 500, 200]);
    practice.reset();
    assert_eq!(statuses(3), [200, 200, 500]);
    let truth = practice.truth();
    assert_eq!((truth.received, truth.errors(), truth.connections.used), (3, 1, 1));
    let values: Value = serde_json::from_slice(&Client::new(&practice).get("/__truth?values=1").body).unwrap();
    assert_eq!(values["service_us"].as_array().map(Vec::len), Some(2));
    assert_eq!(values["failed_service_us"].as_array().map(Vec::len), Some(1));
}

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

#[test]
fn stopping_returns_what_was_seen_and_frees_the_port() {
    let practice = start(&[("latency", "10m")]);
    let addr = practice.addr();
    assert!(Practice::start(Behaviour { port: addr.port(), ..Behaviour::default() }).is_err(), "the port is taken");
    let mut client = Client::new(&practice);
    client.send(GET);
    truth_when(&practice, |truth| truth.pending == 1);
    let truth = practice.stop();
    assert_eq!((truth.received, truth.pending, truth.abandoned), (1, 1, 0));
    assert_eq!(client.0.read(&mut [0]).map_err(|error| error.kind()).unwrap_or(0), 0);
    let again = Practice::start(Behaviour { port: addr.port(), ..Behaviour::default() }).unwrap();
    assert_eq!(again.addr(), addr);
}

#[tokio::test]
async fn it_runs_beside_another_runtime() {
    let practice = start(&[]);
    let mut stream = tokio::net::TcpStream::connect(practice.addr()).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut stream, GET.as_bytes()).await.unwrap();
    tokio::io::AsyncReadExt::read_u8(&mut stream).await.unwrap();
    assert_eq!(practice.truth().answered, 1);
}
