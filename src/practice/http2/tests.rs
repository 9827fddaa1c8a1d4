//! The running server as HTTP/2 and gRPC clients see it, and its account held against what they were told.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use bytes::{Bytes, BytesMut};
use h2::Reason;
use h2::client::{ResponseFuture, SendRequest};
use http::{HeaderMap, Request};
use serde_json::Value;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::frames;
use crate::practice::tests::{PATIENCE, start, truth_when};
use crate::practice::{Malformed, Practice, Truth};
use crate::proto::framed;

/// The echo method's path.
const ECHO: &str = "/tollgate.practice.Echo/Echo";

/// How every connection begins.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// A client of one connection.
struct Client {
    sender: SendRequest<Bytes>,
    connection: JoinHandle<Result<(), h2::Error>>,
}

/// As much of an answer as came.
#[derive(Debug, Default)]
struct Answer {
    status: Option<u16>,
    headers: HeaderMap,
    body: Vec<u8>,
    trailers: Option<HeaderMap>,
    error: Option<h2::Error>,
}

impl Answer {
    /// A field of the head, or else of the trailers.
    fn field(&self, name: &str) -> Option<&str> {
        let trailers = self.trailers.iter().filter_map(|trailers| trailers.get(name)).next();
        self.headers.get(name).or(trailers).map(|value| value.to_str().unwrap())
    }

    /// What went wrong, in a word.
    fn trouble(&self) -> String {
        match &self.error {
            None => "nothing".to_owned(),
            Some(error) if error.is_reset() => {
                format!("{:?}{}", error.reason().unwrap(), if error.is_remote() { "" } else { " seen" })
            }
            Some(error) if error.is_go_away() => format!("goaway {:?}", error.reason().unwrap()),
            Some(_) => "connection".to_owned(),
        }
    }
}

impl Client {
    async fn new(practice: &Practice) -> Self {
        let stream = tokio::net::TcpStream::connect(practice.addr()).await.unwrap();
        let (sender, connection) = h2::client::handshake(stream).await.unwrap();
        Self { sender, connection: tokio::spawn(connection) }
    }

    /// Sends a request without waiting for its answer.
    fn send(&mut self, method: &str, path: &str, content_type: &str, body: Option<&[u8]>) -> ResponseFuture {
        let request = Request::builder().method(method).uri(format!("http://practice{path}"));
        let request = request.header("content-type", content_type).body(()).unwrap();
        let (response, mut stream) = self.sender.send_request(request, body.is_none()).unwrap();
        if let Some(body) = body {
            stream.send_data(Bytes::copy_from_slice(body), true).unwrap();
        }
        response
    }

    async fn ask(&mut self, method: &str, path: &str, content_type: &str, body: Option<&[u8]>) -> Answer {
        match self.sender.clone().ready().await {
            Ok(sender) => self.sender = sender,
            Err(error) => return Answer { error: Some(error), ..Answer::default() },
        }
        answer(self.send(method, path, content_type, body)).await
    }

    async fn get(&mut self, path: &str) -> Answer {
        self.ask("GET", path, "text/plain", None).await
    }

    async fn call(&mut self, path: &str, message: &[u8]) -> Answer {
        self.ask("POST", path, "application/grpc", Some(&framed(message))).await
    }
}

/// Reads an answer as far as it comes.
async fn answer(response: ResponseFuture) -> Answer {
    let mut answer = Answer::default();
    let read = async {
        let (head, mut body) = response.await?.into_parts();
        answer.status = Some(head.status.as_u16());
        answer.headers = head.headers;
        while let Some(piece) = body.data().await {
            let piece = piece?;
            body.flow_control().release_capacity(piece.len())?;
            answer.body.extend_from_slice(&piece);
        }
        answer.trailers = body.trailers().await?;
        Ok::<(), h2::Error>(())
    };
    let error = timeout(PATIENCE, read).await.expect("an answer or an error").err();
    Answer { error, ..answer }
}

/// The truth as soon as it is as wanted, without holding up the client's connection.
async fn seen(practice: &Practice, wanted: impl Fn(&Truth) -> bool) -> Truth {
    tokio::task::block_in_place(|| truth_when(practice, wanted))
}

/// A client that sends what it is told and no more.
struct Raw(TcpStream);

impl Raw {
    fn new(practice: &Practice) -> Self {
        let mut stream = TcpStream::connect(practice.addr()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(PREFACE).unwrap();
        Self(stream)
    }

    /// Sends `GET /` on a stream.
    fn get(&mut self, stream: u32) {
        let mut out = Vec::new();
        let fields = [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "practice")];
        frames::answer(stream, &fields, b"", &mut out);
        self.0.write_all(&out).unwrap();
    }

    /// The next frame: its kind, flags, stream and payload; `None` at the end.
    fn frame(&mut self) -> Option<(u8, u8, u32, Vec<u8>)> {
        let mut header = [0; 9];
        self.0.read_exact(&mut header).ok()?;
        let [a, b, c, kind, flags, stream @ ..] = header;
        let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
        self.0.read_exact(&mut payload).ok()?;
        Some((kind, flags, u32::from_be_bytes(stream), payload))
    }

    /// The next frame of a kind.
    fn frame_of(&mut self, kind: u8) -> (u8, u32, Vec<u8>) {
        loop {
            let (other, flags, stream, payload) = self.frame().expect("such a frame");
            if other == kind {
                return (flags, stream, payload);
            }
        }
    }
}

/// What the books say of all requests: received, answered, succeeded, spoiled, along, refused, abandoned.
fn accounts(truth: &Truth) -> [u64; 7] {
    [truth.received, truth.answered, truth.succeeded, truth.spoiled, truth.along, truth.refused, truth.abandoned]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn two_percent_errors_are_exactly_twenty_of_a_thousand_here_too() {
    let practice = start(&[("errors", "2%"), ("error-status", "503")]);
    let mut client = Client::new(&practice).await;
    for n in 1..=1000_u64 {
        let answer = client.get("/").await;
        let expected = if n % 50 == 0 { 503 } else { 200 };
        assert_eq!((answer.status, answer.trouble()), (Some(expected), "nothing".to_owned()), "request {n}");
        assert_eq!(practice.truth().answered, n, "whoever has read an answer finds it in the truth");
    }
    let truth = practice.truth();
    assert_eq!(accounts(&truth), [1000, 1000, 980, 0, 0, 0, 0]);
    assert_eq!(truth.statuses, BTreeMap::from([(200, 980), (503, 20)]));
    assert_eq!((truth.service.n(), truth.failed_service.n()), (980, 20));
    let connections = truth.connections;
    assert_eq!((connections.used, connections.open, connections.peak, connections.http2), (1, 1, 1, 1));

    let json: Value = serde_json::from_slice(&client.get("/__truth").await.body).unwrap();
    assert_eq!(json["requests"]["received"], 1000, "asking is not counted");
    assert_eq!((&json["connections"]["http2"], &json["streams"]["refused"]), (&1.into(), &0.into()));
    let reset = client.ask("POST", "/__reset", "text/plain", Some(b"abc")).await;
    assert_eq!(reset.body, br#"{"reset":true}"#);
    assert_eq!(practice.truth().received, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_streams_at_once_share_one_pattern_and_none_is_lost() {
    let practice = start(&[("errors", "1%"), ("rst-stream", "cancel:1%"), ("latency", "uniform:0ms..3ms")]);
    let mut lanes = Vec::new();
    for _ in 0..4 {
        let client = Client::new(&practice).await;
        for _ in 0..25 {
            let mut client = Client { sender: client.sender.clone(), connection: tokio::spawn(async { Ok(()) }) };
            lanes.push(tokio::spawn(async move {
                let mut seen = BTreeMap::new();
                for _ in 0..20 {
                    let answer = client.get("/").await;
                    *seen.entry((answer.status, answer.trouble())).or_insert(0) += 1;
                }
                seen
            }));
        }
    }
    let mut all = BTreeMap::new();
    for lane in lanes {
        for (kind, n) in lane.await.unwrap() {
            *all.entry(kind).or_insert(0) += n;
        }
    }
    let nothing = || "nothing".to_owned();
    // Each error pushes the reset that falls together with it to the next request; the last of them never comes.
    let expected = [((None, "CANCEL".to_owned()), 19), ((Some(200), nothing()), 1961), ((Some(500), nothing()), 20)];
    assert_eq!(all, BTreeMap::from(expected));
    let truth = practice.truth();
    assert_eq!(accounts(&truth), [2000, 1981, 1961, 19, 0, 0, 0]);
    assert_eq!((truth.connections.used, truth.connections.http2), (4, 4));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_fault_has_its_sense_over_http2_and_its_account() {
    let half = "xxxxx";
    type Row<'a> = (&'a str, &'a str, Option<u16>, &'a str, &'a str, &'a [u16]);
    let rows: &[Row<'_>] = &[
        ("reset", "100%", None, "", "connection", &[]),
        ("close", "100%", None, "", "connection", &[]),
        ("truncate", "100%", Some(200), "", "PROTOCOL_ERROR seen", &[200]),
        ("truncate-chunked", "100%", Some(200), half, "connection", &[200]),
        ("garbage", "100%", None, "", "goaway FRAME_SIZE_ERROR", &[]),
        ("close-after", "0", None, "", "connection", &[]),
        ("close-after", "20", None, "", "connection", &[]),
        ("rst-stream", "internal-error", None, "", "INTERNAL_ERROR", &[]),
        ("rst-stream", "11", None, "", "ENHANCE_YOUR_CALM", &[]),
        ("rst-body", "cancel", Some(200), half, "CANCEL", &[200]),
        ("endless-headers", "100%", None, "", "goaway ENHANCE_YOUR_CALM", &[]),
        ("malformed", "both-lengths", None, "", "PROTOCOL_ERROR seen", &[]),
        ("malformed", "excess", Some(200), "", "PROTOCOL_ERROR seen", &[200]),
        ("malformed", "bad-length", None, "", "PROTOCOL_ERROR seen", &[]),
        ("malformed", "bad-chunk", Some(200), "", "goaway PROTOCOL_ERROR", &[200]),
        ("malformed", "bad-header", None, "", "goaway PROTOCOL_ERROR", &[]),
        ("malformed", "bad-status", None, "", "goaway PROTOCOL_ERROR", &[]),
    ];
    for (key, value, status, body, trouble, statuses) in rows {
        let practice = start(&[("body-size", "10"), (key, value)]);
        let mut client = Client::new(&practice).await;
        let answer = client.get("/").await;
        let got = (answer.status, std::str::from_utf8(&answer.body).unwrap(), answer.trouble());
        assert_eq!(got, (*status, *body, (*trouble).to_owned()), "--{key} {value}");
        let truth = practice.truth();
        assert_eq!((accounts(&truth), truth.errors()), ([1, 0, 0, 1, 0, 0, 0], 1), "--{key} {value}");
        assert_eq!(truth.statuses, statuses.iter().map(|status| (*status, 1)).collect(), "--{key} {value}");
        assert_eq!(truth.faults, BTreeMap::from([(*key, 1)]));
    }
    for (kind, _) in Malformed::ALL {
        assert!(kind == "two-lengths" || rows.iter().any(|row| row.1 == kind), "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn only_faults_of_the_connection_end_it() {
    for (key, value, ends) in [
        ("reset", "1/2", true),
        ("close", "1/2", true),
        ("garbage", "1/2", true),
        ("truncate-chunked", "1/2", true),
        ("close-after", "1000:1/2", true),
        ("malformed", "bad-chunk:1/2", true),
        // This client takes it for an error of the connection.
        ("malformed", "bad-status:1/2", true),
        ("truncate", "1/2", false),
        ("rst-stream", "cancel:1/2", false),
        ("rst-body", "cancel:1/2", false),
        ("hang", "1/2", false),
        ("malformed", "two-lengths:1/2", false),
    ] {
        let practice = start(&[(key, value)]);
        let mut client = Client::new(&practice).await;
        let waiting = client.send("GET", "/delay/600", "text/plain", None);
        seen(&practice, |truth| truth.pending == 1).await;
        let spoiling = client.send("GET", "/", "text/plain", None);
        if ends {
            assert_ne!(answer(waiting).await.trouble(), "nothing", "--{key}");
            let truth = seen(&practice, |truth| truth.pending == 0).await;
            let whole = u64::from(key == "close-after");
            assert_eq!(accounts(&truth), [2, whole, whole, 2 - whole, 1, 0, 0], "--{key}: the other goes along");
            assert_eq!((truth.connections.used, truth.faults[key]), (1, 1));
        } else {
            seen(&practice, |truth| truth.spoiled == 1).await;
            assert_eq!(client.get("/").await.status, Some(200), "--{key} {value}: the connection stays");
            drop(waiting);
            let truth = seen(&practice, |truth| truth.pending == 0).await;
            assert_eq!(accounts(&truth), [3, 1, 1, 1, 0, 0, 1], "--{key}: only the one whose client left is abandoned");
        }
        drop(spoiling);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_refused_stream_is_no_failure_to_a_client_that_asks_again() {
    let practice = start(&[("rst-stream", "refused-stream:1/2")]);
    let mut client = Client::new(&practice).await;
    assert_eq!(client.get("/").await.status, Some(200));
    assert_eq!(client.get("/").await.trouble(), "REFUSED_STREAM");
    assert_eq!(client.get("/").await.status, Some(200));
    let truth = seen(&practice, |truth| truth.refused_streams == 1).await;
    assert_eq!((accounts(&truth), truth.errors()), ([3, 2, 2, 0, 0, 1, 0], 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn streams_beyond_the_most_allowed_are_refused_and_counted() {
    let practice = start(&[("max-streams", "1"), ("hang-all", "")]);
    tokio::task::block_in_place(|| {
        let mut raw = Raw::new(&practice);
        let (_, _, settings) = raw.frame_of(4);
        assert!(settings.windows(6).any(|entry| entry == [0, 3, 0, 0, 0, 1]), "{settings:?}");
        // The limit holds once it is acknowledged.
        raw.0.write_all(&[0, 0, 0, 4, 1, 0, 0, 0, 0]).unwrap();
        raw.get(1);
        raw.get(3);
        let (_, stream, code) = raw.frame_of(3);
        assert_eq!((stream, &code[..]), (3, &[0, 0, 0, 7][..]));
        let truth = truth_when(&practice, |truth| truth.refused_streams == 1 && truth.received > 0);
        assert_eq!(truth.received, 1);
    });
    let mut client = Client::new(&practice).await;
    client.get("/__truth").await;
    assert_eq!(client.sender.current_max_send_streams(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn goaway_names_the_last_request_and_refuses_what_comes_after_it() {
    let practice = start(&[("goaway", "2"), ("latency", "20ms")]);
    tokio::task::block_in_place(|| {
        let mut raw = Raw::new(&practice);
        for stream in [1, 3, 5, 7] {
            raw.get(stream);
        }
        let (_, stream, payload) = raw.frame_of(7);
        assert_eq!((stream, &payload[..]), (0, &[0, 0, 0, 3, 0, 0, 0, 0][..]));
        let mut refused = [raw.frame_of(3), raw.frame_of(3)];
        refused.sort_unstable();
        assert_eq!(refused.map(|(_, stream, code)| (stream, code)), [5, 7].map(|at| (at, vec![0, 0, 0, 7])));
        assert_eq!([raw.frame_of(1).1, raw.frame_of(1).1], [1, 3]);
        while raw.frame().is_some() {}
    });
    let truth = seen(&practice, |truth| truth.connections.open == 0).await;
    assert_eq!((accounts(&truth), truth.refused_streams), ([2, 2, 2, 0, 0, 0, 0], 2));

    let mut client = Client::new(&practice).await;
    client.get("/").await;
    client.get("/").await;
    timeout(PATIENCE, client.connection).await.unwrap().unwrap().expect("the connection ends without an error");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_connection_that_has_served_enough_ends_with_notice_and_without_loss() {
    for (settings, served) in
        [([("keep-alive-max", "3"), ("seed", "1")], 3), ([("connection-close", ""), ("latency", "1ms")], 1)]
    {
        let practice = start(&settings);
        let mut client = Client::new(&practice).await;
        let answers: Vec<_> = (0..served).map(|_| client.send("GET", "/", "text/plain", None)).collect();
        for response in answers {
            assert_eq!(answer(response).await.status, Some(200));
        }
        timeout(PATIENCE, client.connection).await.unwrap().unwrap().expect("the connection ends without an error");
        let truth = seen(&practice, |truth| truth.connections.open == 0).await;
        assert_eq!(accounts(&truth), [served, served, served, 0, 0, 0, 0]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_small_window_lets_bodies_dribble_and_none_at_all_holds_them() {
    let practice = start(&[("window", "8")]);
    let mut client = Client::new(&practice).await;
    client.get("/__truth").await;
    let request = || Request::post("http://practice/").body(()).unwrap();
    let (response, mut stream) = client.sender.send_request(request(), false).unwrap();
    stream.reserve_capacity(100);
    let mut left = 100;
    while left > 0 {
        let room = std::future::poll_fn(|cx| stream.poll_capacity(cx)).await.unwrap().unwrap();
        assert!((1..=8).contains(&room), "{room}");
        left -= room;
        stream.send_data(Bytes::from(vec![b'b'; room]), left == 0).unwrap();
        stream.reserve_capacity(left);
    }
    assert_eq!(answer(response).await.status, Some(200));

    let practice = start(&[("window", "0")]);
    let mut client = Client::new(&practice).await;
    client.get("/__truth").await;
    let (response, mut stream) = client.sender.send_request(request(), false).unwrap();
    stream.reserve_capacity(1);
    seen(&practice, |truth| truth.pending == 1).await;
    assert_eq!((client.get("/").await.status, stream.capacity()), (Some(200), 0), "other requests go on");
    stream.send_reset(Reason::CANCEL);
    let truth = seen(&practice, |truth| truth.pending == 0).await;
    assert_eq!(accounts(&truth), [2, 1, 1, 0, 0, 0, 1]);
    drop(response);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn sound_but_unusual_answers_look_as_they_should() {
    let practice = start(&[("body-size", "4")]);
    let mut client = Client::new(&practice).await;
    let answer = client.get("/").await;
    assert_eq!((answer.field("content-length"), answer.field("content-type")), (Some("4"), Some("application/json")));
    let head = client.ask("HEAD", "/", "text/plain", None).await;
    assert_eq!((head.status, head.field("content-length"), &head.body[..]), (Some(200), Some("4"), &b""[..]));
    for (path, status) in [("/status/204", 204), ("/status/503", 503), ("/nowhere", 404), ("/token", 405)] {
        let answer = client.get(path).await;
        assert_eq!((answer.status, answer.trouble()), (Some(status), "nothing".to_owned()), "{path}");
    }
    assert_eq!(client.ask("POST", "/token", "text/plain", Some(b"{}")).await.status, Some(200));

    let practice = start(&[("body-size", "4"), ("chunked", "")]);
    let answer = Client::new(&practice).await.get("/").await;
    assert_eq!((answer.field("content-length"), answer.field("x-practice-end")), (None, Some("yes")));
    assert_eq!(answer.body, b"xxxx");

    let practice = start(&[("early-answer", "")]);
    let mut client = Client::new(&practice).await;
    let request = Request::post("http://practice/").body(()).unwrap();
    let (response, _open) = client.sender.send_request(request, false).unwrap();
    assert_eq!(super::tests::answer(response).await.status, Some(413), "before the body has come");
    assert_eq!(client.get("/").await.status, Some(200), "the connection is kept");

    let practice = start(&[("continue", "")]);
    tokio::task::block_in_place(|| {
        let mut raw = Raw::new(&practice);
        raw.get(1);
        let heads = [raw.frame_of(1), raw.frame_of(1), raw.frame_of(1)];
        assert_eq!(heads.map(|(flags, stream, _)| (flags & 1, stream)), [(0, 1); 3], "100, 103 and 200");
        assert_eq!(raw.frame_of(0).0 & 1, 1);
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn long_slow_and_padded_answers_come_whole() {
    let practice = start(&[("body-size", "5"), ("slow-body", "100B/s")]);
    let answer = Client::new(&practice).await.get("/").await;
    assert_eq!((answer.body.len(), answer.trouble()), (5, "nothing".to_owned()));
    assert!(practice.truth().service.micros()[0] >= 49_000);

    let practice = start(&[("huge-body", "300KiB")]);
    let answer = Client::new(&practice).await.get("/").await;
    assert_eq!((answer.body.len(), answer.field("content-length")), (300 << 10, Some("307200")));
    assert_eq!(practice.truth().answered, 1);

    let practice = start(&[("huge-body", "10GiB")]);
    let mut client = Client::new(&practice).await;
    let mut body = client.send("GET", "/", "text/plain", None).await.unwrap().into_body();
    body.data().await.unwrap().unwrap();
    drop(body);
    let truth = seen(&practice, |truth| truth.pending == 0).await;
    assert_eq!(accounts(&truth), [1, 0, 0, 0, 0, 0, 1]);

    let practice = start(&[("huge-headers", "20KiB")]);
    let answer = Client::new(&practice).await.get("/").await;
    let padding: usize = answer.headers.get_all("x-huge").iter().map(|value| value.len() + 38).sum();
    assert_eq!((padding, answer.trouble()), (20 << 10, "nothing".to_owned()));
    assert_eq!(practice.truth().succeeded, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn floods_last_until_the_client_has_had_enough() {
    for (key, kind) in [("settings-flood", 4), ("endless-headers", 9)] {
        let practice = start(&[(key, "100%")]);
        tokio::task::block_in_place(|| {
            let mut raw = Raw::new(&practice);
            raw.get(1);
            for _ in 0..10_000 {
                let (_, stream, _) = raw.frame_of(kind);
                assert_eq!(stream, u32::from(kind == 9));
            }
            drop(raw);
        });
        let truth = seen(&practice, |truth| truth.connections.open == 0).await;
        assert_eq!(accounts(&truth), [1, 0, 0, 1, 0, 0, 0], "--{key}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn grpc_calls_are_answered_with_messages_and_statuses() {
    let practice = start(&[]);
    let mut client = Client::new(&practice).await;
    let large = vec![7; (4 << 20) + 1];
    for (path, message, status, body) in [
        (ECHO, &b"any bytes"[..], "0", framed(b"any bytes")),
        ("/grpc.health.v1.Health/Check", b"", "0", framed(&[8, 1])),
        ("/grpc.health.v1.Health/Check", b"\x0a\x03abc", "5", vec![]),
        ("/tollgate.practice.Echo/Other", b"", "12", vec![]),
        (ECHO, &large[..], "8", vec![]),
    ] {
        let answer = client.call(path, message).await;
        assert_eq!((answer.status, answer.field("content-type")), (Some(200), Some("application/grpc")));
        assert_eq!((answer.field("grpc-status"), answer.trouble()), (Some(status), "nothing".to_owned()), "{path}");
        assert_eq!((&answer.body, answer.trailers.is_some()), (&body, status == "0"), "{path}");
    }
    let truth = practice.truth();
    assert_eq!(accounts(&truth), [5, 5, 2, 0, 0, 0, 0]);
    assert_eq!(truth.grpc_statuses, BTreeMap::from([(0, 2), (5, 1), (8, 1), (12, 1)]));
    assert_eq!(truth.statuses, BTreeMap::from([(200, 5)]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn grpc_errors_take_the_chosen_form() {
    for (form, http, grpc, headers_only) in
        [("trailers-only", 200, Some("13"), true), ("trailers", 200, Some("13"), false), ("http", 503, None, false)]
    {
        let settings = [("errors", "1/2"), ("error-status", "503"), ("grpc-status", "13"), ("grpc-errors", form)];
        let practice = start(&settings);
        let mut client = Client::new(&practice).await;
        assert_eq!(client.call(ECHO, b"x").await.field("grpc-status"), Some("0"));
        let answer = client.call(ECHO, b"x").await;
        assert_eq!((answer.status, answer.field("grpc-status")), (Some(http), grpc), "{form}");
        assert_eq!(answer.headers.contains_key("grpc-status"), headers_only, "{form}");
        let truth = practice.truth();
        assert_eq!((accounts(&truth), truth.errors()), ([2, 2, 1, 0, 0, 0, 0], 1), "{form}");
        let mut statuses = BTreeMap::from([(0, 1)]);
        statuses.extend(grpc.map(|_| (13, 1)));
        assert_eq!(truth.grpc_statuses, statuses, "{form}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn faults_of_grpc_answers_are_spoiled_calls() {
    let whole = framed(b"0123456789");
    let statuses = |said: Option<u8>| said.map(|status| (status, 1)).into_iter().collect::<BTreeMap<u8, u64>>();
    for (key, value, body, grpc, trailers, trouble, said) in [
        ("missing-trailers", "100%", &whole[..], None, false, "nothing", None),
        ("no-grpc-status", "100%", &whole, None, true, "nothing", None),
        ("no-message", "100%", b"", Some("0"), false, "nothing", None),
        ("truncate", "100%", &whole[..7], Some("0"), true, "nothing", None),
        ("rst-body", "internal-error", &whole[..7], None, false, "INTERNAL_ERROR", None),
        ("truncate-chunked", "100%", &whole[..7], None, false, "connection", None),
    ] {
        let practice = start(&[(key, value)]);
        let answer = Client::new(&practice).await.call(ECHO, b"0123456789").await;
        assert_eq!((&answer.body[..], answer.trouble()), (body, trouble.to_owned()), "--{key}");
        assert_eq!((answer.field("grpc-status"), answer.trailers.is_some()), (grpc, trailers), "--{key}");
        let truth = practice.truth();
        assert_eq!((accounts(&truth), truth.errors()), ([1, 0, 0, 1, 0, 0, 0], 1), "--{key}");
        assert_eq!((truth.statuses, truth.grpc_statuses), (BTreeMap::from([(200, 1)]), statuses(said)), "--{key}");
    }
    let practice = start(&[("huge-body", "100KiB")]);
    let answer = Client::new(&practice).await.call(ECHO, b"").await;
    let mut expected = BytesMut::from(&[0, 0, 1, 0x90, 0][..]);
    expected.resize(5 + (100 << 10), 0);
    assert_eq!((&answer.body[..], answer.field("grpc-status")), (&expected[..], Some("0")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn latency_and_freezes_hold_streams_side_by_side() {
    let practice = start(&[("stall", "150ms/10m"), ("stall-phase", "0s"), ("latency", "10ms")]);
    let mut client = Client::new(&practice).await;
    let waiting: Vec<_> = (0..3).map(|_| client.send("GET", "/", "text/plain", None)).collect();
    for response in waiting {
        assert_eq!(answer(response).await.status, Some(200));
    }
    let truth = practice.truth();
    assert_eq!((truth.stalls.len(), truth.stalls[0].held), (1, 3));
    assert!(truth.service.sorted()[2] >= 150_000);
    client.get("/").await;
    assert!(practice.truth().service.micros()[3] >= 10_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn one_protocol_alone_takes_the_other_for_noise() {
    tokio::task::block_in_place(|| {
        for (protocol, sent, begins) in [
            ("http1", PREFACE, &b"HTTP/1.1 400 Bad Request\r\n"[..]),
            ("http2", b"GET / HTTP/1.1\r\nHost: practice\r\n\r\n", b"\0\0"),
        ] {
            let practice = start(&[("protocol", protocol)]);
            let mut stream = TcpStream::connect(practice.addr()).unwrap();
            stream.write_all(sent).unwrap();
            let mut bytes = Vec::new();
            let _ = stream.read_to_end(&mut bytes);
            assert!(bytes.starts_with(begins), "{protocol}: {bytes:?}");
            assert_eq!(truth_when(&practice, |truth| truth.unreadable == 1).received, 0);
        }
    });
}
