//! The running server, byte by byte over plain sockets, and its account held against what was sent.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use super::{Behaviour, Connections, Practice, Truth};

mod clients;
mod faults;

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
