//! Letting connections in: each gets its seat, and the protocol that its first bytes speak.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

use super::answer::Pages;
use super::behaviour::Protocols;
use super::desk::Desk;
use super::request::Route;
use super::stream::Stream;
use super::{http1, http2};

/// How long a connection beyond the most allowed may take to show that it only asks for the truth.
const ASKING_GRACE: Duration = Duration::from_millis(20);

/// How every HTTP/2 connection begins (RFC 9113 §3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What every connection shares.
#[derive(Debug)]
pub(super) struct Server {
    /// Behaviour and books.
    pub(super) desk: Desk,
    /// Fixed bodies.
    pub(super) pages: Pages,
    /// Questions about the truth being answered now.
    pub(super) asking: AtomicUsize,
}

impl Server {
    /// What `/__truth` answers, or `/__reset`, which it does.
    pub(super) async fn about(&self, route: Route) -> io::Result<String> {
        let Route::Truth { values } = route else {
            self.desk.reset();
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
    let mut stream = Stream::plain(socket);
    let seat = match server.desk.seat() {
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
