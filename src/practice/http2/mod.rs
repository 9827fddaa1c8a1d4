//! One HTTP/2 connection: the library does frames and flow control, this decides what becomes of each request.
//!
//! Everything on a connection runs in one task, the requests before the library, so that what a request hands over is
//! written in the same turn, after the account has it.

mod exchange;
mod frames;
mod reply;
mod spoil;
mod tap;
#[cfg(test)]
mod tests;

use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use h2::server::{Builder, Connection, SendResponse};
use h2::{Reason, RecvStream};
use http::Request;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{sleep, timeout, timeout_at};

use super::alarm::Alarm;
use super::desk::Seat;
use super::door::Server;
use super::fault::Wire;
use super::grpc;
use super::request::{Route, route};
use super::stream::Stream;
use exchange::{Asked, Exchange, about_the_server};
use frames::Flood;
use tap::Tap;

/// How long a client may take to close a connection that is over, or to read what must reach it before its end.
const GRACE: Duration = Duration::from_secs(1);

/// Bytes of answers that the library holds for one stream at most.
const SEND_BUFFER: usize = 64 << 10;

/// How a request leaves its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// A reset.
    Reset,
    /// FIN, before it the frames that were inserted.
    Close,
    /// Without end, until the client has had enough.
    Flood(Flood),
}

/// What the requests of one connection share.
#[derive(Debug)]
struct Shared {
    tap: Tap,
    /// An answer on it contradicted the protocol: the client may end the connection for it.
    tainted: AtomicBool,
    /// The server broke the connection: what is open on it is spoiled along.
    broken: AtomicBool,
    /// Timers not in use.
    alarms: Mutex<Vec<Alarm>>,
}

impl Shared {
    /// Waits until `due`, on a timer that some request may have used before.
    async fn alarm(&self, due: Instant) {
        if due <= Instant::now() {
            return;
        }
        let spare = self.alarms.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut alarm = spare.unwrap_or_default();
        alarm.until(due).await;
        self.alarms.lock().unwrap_or_else(PoisonError::into_inner).push(alarm);
    }
}

/// One request's future; it results in an end of the connection, where that is to come, and in the request, because to
/// let go of it would be to reset its stream.
type Course<'a> = Pin<Box<dyn Future<Output = Option<(Ending, Exchange<'a>)>> + Send + 'a>>;

/// Serves one connection to its end.
pub(super) async fn serve(server: &Server, seat: Seat<'_>, stream: Stream) {
    let tap = Tap::new(stream);
    let shared = Shared {
        tap: tap.clone(),
        tainted: AtomicBool::new(false),
        broken: AtomicBool::new(false),
        alarms: Mutex::default(),
    };
    let settings = server.desk.behaviour.http2;
    let mut builder = Builder::new();
    builder
        .max_concurrent_streams(settings.max_streams)
        .initial_window_size(settings.window)
        .initial_connection_window_size(settings.window.max(1 << 20))
        .max_send_buffer_size(SEND_BUFFER)
        // Whoever opens more streams than allowed, or dribbles through a small window, does what was asked for.
        .max_local_error_reset_streams(None)
        .data_frame_budget(usize::MAX);
    match builder.handshake(tap).await {
        Ok(connection) => {
            let courses = FuturesUnordered::new();
            Link { server, seat, shared: &shared, connection, courses, served: 0, last: false, close_at: None }
                .run()
                .await;
        }
        Err(error) => {
            if error.is_library() || error.reason().is_some() {
                server.desk.unreadable();
            }
        }
    }
}

/// A connection's state.
struct Link<'a, 'd> {
    server: &'d Server,
    seat: Seat<'d>,
    shared: &'a Shared,
    connection: Connection<Tap, Bytes>,
    courses: FuturesUnordered<Course<'a>>,
    /// Requests so far.
    served: u64,
    /// `GOAWAY` has named the last request.
    last: bool,
    /// All requests up to the last are answered: when the connection is closed if the client does not.
    close_at: Option<Instant>,
}

/// What happens next on a connection.
enum Event<'a> {
    Arrived(Box<Request<RecvStream>>, SendResponse<Bytes>),
    Ended(Ending, Option<Box<Exchange<'a>>>),
    Served,
    Over,
}

impl<'a, 'd: 'a> Link<'a, 'd> {
    async fn run(mut self) {
        loop {
            let event = match self.close_at {
                // The client would close now; it may not.
                Some(at) => timeout_at(at.into(), self.next()).await.unwrap_or(Event::Ended(Ending::Close, None)),
                None => self.next().await,
            };
            match event {
                Event::Arrived(request, reply) => self.arrived(*request, reply),
                Event::Ended(ending, _kept) => {
                    // Trouble on the socket is the end that was wanted.
                    let _ = self.end(ending).await;
                    return;
                }
                Event::Served => self.close_at = Some(Instant::now() + GRACE),
                Event::Over => return self.over().await,
            }
        }
    }

    async fn next(&mut self) -> Event<'a> {
        let event = poll_fn(|cx| self.poll(cx)).await;
        let refused = self.shared.tap.take_refused();
        if refused > 0 {
            self.server.desk.streams_refused(refused);
        }
        event
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Event<'a>> {
        while let Poll::Ready(Some(ended)) = self.courses.poll_next_unpin(cx) {
            if let Some((ending, exchange)) = ended {
                return Poll::Ready(Event::Ended(ending, Some(Box::new(exchange))));
            }
            if self.last && self.courses.is_empty() && self.close_at.is_none() {
                return Poll::Ready(Event::Served);
            }
        }
        let accepted = self.connection.poll_accept(cx);
        self.shared.tap.poll_insert(cx);
        match accepted {
            Poll::Ready(Some(Ok((request, reply)))) => Poll::Ready(Event::Arrived(Box::new(request), reply)),
            Poll::Ready(Some(Err(error))) => {
                if error.is_library() {
                    self.server.desk.unreadable();
                }
                Poll::Ready(Event::Over)
            }
            Poll::Ready(None) => Poll::Ready(Event::Over),
            Poll::Pending => Poll::Pending,
        }
    }

    /// Lets a request in, or refuses it after the last one.
    fn arrived(&mut self, request: Request<RecvStream>, mut reply: SendResponse<Bytes>) {
        let arrived = Instant::now();
        let (head, body) = request.into_parts();
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        let route = route(head.method.as_str(), path);
        if route.is_about_the_server() {
            self.seat.ask();
            self.courses.push(Box::pin(about_the_server(self.server, route, reply)));
            return;
        }
        if self.last {
            return reply.send_reset(Reason::REFUSED_STREAM);
        }
        let behaviour = &self.server.desk.behaviour;
        let grpc = head.headers.get(http::header::CONTENT_TYPE).is_some_and(|value| grpc::is_grpc(value.as_bytes()));
        let wire = if grpc { Wire::Grpc } else { Wire::Http2 };
        let extra = if let Route::Delay(delay) = route { delay } else { Duration::ZERO };
        let ticket = self.server.desk.admit(&mut self.seat, wire, arrived, extra);
        self.served += 1;
        let most = if behaviour.shape.connection_close { Some(1) } else { behaviour.keep_alive_max };
        if behaviour.http2.goaway.is_some_and(|most| self.served >= most) {
            self.shared.tap.insert(&frames::goaway(reply.stream_id().as_u32()));
            self.last = true;
        } else if most == Some(self.served) {
            self.connection.graceful_shutdown();
        }
        let asked = if grpc {
            Asked::Call(head.uri.path().to_owned())
        } else {
            Asked::Page { route, head_only: head.method == http::Method::HEAD }
        };
        let exchange = Exchange { server: self.server, shared: self.shared, ticket, asked, body, reply };
        self.courses.push(Box::pin(exchange.run()));
    }

    /// Takes the connection from the library, once all that was handed over has gone, and ends it as chosen.
    async fn end(mut self, ending: Ending) -> io::Result<()> {
        self.shared.broken.store(true, Ordering::SeqCst);
        let drained = async {
            loop {
                // What arrives now finds nobody.
                let over = poll_fn(|cx| {
                    let over = self.connection.poll_closed(cx).is_ready();
                    self.shared.tap.poll_insert(cx);
                    Poll::Ready(over)
                });
                if over.await || self.shared.tap.is_drained() {
                    return;
                }
                sleep(Duration::from_millis(1)).await;
            }
        };
        let _ = timeout(GRACE, drained).await;
        let Some(mut stream) = self.shared.tap.detach() else { return Ok(()) };
        // Whoever waits on this connection waits in vain, and is written off before the client can notice.
        self.courses.clear();
        match ending {
            Ending::Reset => stream.reset_at_close(),
            Ending::Close => stream.close(GRACE).await,
            Ending::Flood(flood) => inundate(&mut stream, flood).await,
        }
    }

    /// The connection is over: either side has closed it. An answer on its way is not to be lost to a reset, which
    /// the system sends for bytes that nobody has read.
    async fn over(mut self) {
        self.shared.broken.store(self.shared.tainted.load(Ordering::SeqCst), Ordering::SeqCst);
        self.courses.clear();
        if let Some(mut stream) = self.shared.tap.detach() {
            let _ = stream.close(GRACE).await;
        }
    }
}

/// Sends a flood until the client closes the connection; what the client says to it is dropped.
async fn inundate(stream: &mut Stream, flood: Flood) -> io::Result<()> {
    /// Between two waves: 16 MB/s is quick enough to hit any limit.
    const PAUSE: Duration = Duration::from_millis(1);
    let mut out = Vec::new();
    flood.begin(&mut out);
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut bytes = [0; 4 << 10];
    let leave = async {
        while reader.read(&mut bytes).await? > 0 {}
        Ok(())
    };
    let send = async {
        loop {
            flood.wave(&mut out);
            writer.write_all(&out).await?;
            writer.flush().await?;
            out.clear();
            sleep(PAUSE).await;
        }
    };
    tokio::select! {
        left = leave => left,
        sent = send => sent,
    }
}
