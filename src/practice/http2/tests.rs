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

mod answers;
mod grpc;
mod limits;

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
