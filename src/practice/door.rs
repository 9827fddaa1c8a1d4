//! Letting connections in: each gets its seat, and the protocol that its first bytes speak.

use std::io;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use rustls::HandshakeKind;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::answer::Pages;
use super::behaviour::Protocols;
use super::desk::Desk;
use super::request::Route;
use super::stream::Stream;
use super::tls::Identity;
use super::{http1, http2};

/// How long a connection beyond the most allowed may take to show that it only asks for the truth.
const ASKING_GRACE: Duration = Duration::from_millis(20);

/// How long a client may take to read why it is turned away.
const CLOSE_GRACE: Duration = Duration::from_secs(1);

/// How every HTTP/2 connection begins (RFC 9113 §3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What every connection shares.
#[derive(Debug)]
pub(super) struct Server {
    /// Behaviour and books.
    pub(super) desk: Desk,
    /// Fixed bodies.
    pub(super) pages: Pages,
    /// What TLS needs; `None` without encryption.
    pub(super) tls: Option<Identity>,
    /// Checks of gRPC's health service that might have found a service not serving.
    pub(super) checks: AtomicU64,
    /// Questions about the truth being answered now.
    pub(super) asking: AtomicUsize,
}

impl Server {
    /// What a check of gRPC's health service finds: whether this service serves, `None` where there is none of that name.
    pub(super) fn serves(&self, service: &str) -> Option<bool> {
        self.desk.behaviour.health.serves(service, &self.checks)
    }

    /// What `/__truth` answers, or `/__reset`, which it does.
    pub(super) async fn about(&self, route: Route) -> io::Result<String> {
        let Route::Truth { values } = route else {
            self.desk.reset();
            self.checks.store(0, Ordering::Relaxed);
            return Ok(r#"{"reset":true}"#.to_owned());
        };
        let truth = self.desk.truth();
        // Sorting two million values would hold up every other connection.
        let json = tokio::task::spawn_blocking(move || truth.to_json(values).to_string());
        json.await.map_err(io::Error::other)
    }
}

/// Serves one connection to its end.
pub(super) async fn serve(server: &Server, socket: TcpStream) {
    // Without it an answer of two writes waits for the client's delayed acknowledgement.
    let _ = socket.set_nodelay(true);
    let seat = server.desk.seat();
    let stream = match &server.tls {
        None => Some(Stream::plain(socket)),
        Some(identity) => handshake(server, &identity.acceptor, socket).await,
    };
    let Some(mut stream) = stream else { return };
    let seat = match seat {
        Some(seat) => seat,
        None if only_asks(&mut stream).await => server.desk.seat_for_asking(),
        None => return server.desk.refuse(),
    };
    if speaks_http2(&mut stream, server.desk.behaviour.protocols).await {
        http2::serve(server, seat, stream).await;
    } else {
        http1::serve(server, seat, stream).await;
    }
}

/// Does the TLS handshake, and counts it.
async fn handshake(server: &Server, acceptor: &TlsAcceptor, socket: TcpStream) -> Option<Stream> {
    match acceptor.accept(socket).into_fallible().await {
        Ok(stream) => {
            let resumed = stream.get_ref().1.handshake_kind() == Some(HandshakeKind::Resumed);
            server.desk.handshake(Some(resumed));
            Some(Stream::tls(stream))
        }
        Err((_, socket)) => {
            server.desk.handshake(None);
            // The alert that says why is not to be lost to a reset.
            let _ = Stream::plain(socket).close(CLOSE_GRACE).await;
            None
        }
    }
}

/// Whether a connection's first bytes ask about the server itself.
async fn only_asks(stream: &mut Stream) -> bool {
    const QUESTIONS: [&[u8]; 2] = [b"GET /__", b"POST /__"];
    let first = timeout(ASKING_GRACE, stream.first(|bytes| bytes.len() >= 8)).await;
    matches!(first, Ok(Ok(bytes)) if QUESTIONS.iter().any(|question| bytes.starts_with(question)))
}

/// Whether a connection is to be served as HTTP/2. Where one protocol alone is spoken, bytes of the other are as
/// wrong as any.
async fn speaks_http2(stream: &mut Stream, protocols: Protocols) -> bool {
    match protocols {
        Protocols::Http1 => false,
        Protocols::Http2 => true,
        Protocols::Both if stream.chosen().is_some() => stream.chosen() == Some(b"h2"),
        Protocols::Both => {
            let decided = |bytes: &[u8]| bytes.len() >= PREFACE.len() || !PREFACE.starts_with(bytes);
            matches!(stream.first(decided).await, Ok(bytes) if bytes.starts_with(PREFACE))
        }
    }
}

/// Counts a question about the truth while it is being answered, so that a stop can wait for it.
pub(super) struct Asking<'a>(&'a AtomicUsize);

impl<'a> Asking<'a> {
    pub(super) fn new(counter: &'a AtomicUsize) -> Self {
        counter.fetch_add(1, Ordering::SeqCst);
        Self(counter)
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
