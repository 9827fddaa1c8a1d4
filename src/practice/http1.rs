//! One HTTP/1 connection on a raw socket: read a request, wait as chosen, answer in one write.

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWrite as _, AsyncWriteExt as _};
use tokio::select;

use super::alarm::Alarm;
use super::answer::{Form, Framing, compose, error_page};
use super::desk::{Said, Seat, Ticket};
use super::door::{Asking, Server};
use super::fault::{Fault, Wire};
use super::request::{BodyLength, MOST_HEAD_BYTES, Parsed, Request, Route, Skip, parse};
use super::stream::Stream;

/// First size of a connection's read buffer; it grows only for long heads.
const BUFFER: usize = 4 << 10;

/// What comes before a sound answer with `--continue`.
const INTERIM: &[u8] =
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n";

/// Serves one connection to its end.
pub(super) async fn serve(server: &Server, seat: Seat<'_>, stream: Stream) {
    let mut connection = Connection {
        stream,
        server,
        seat,
        buffer: vec![0; BUFFER],
        start: 0,
        end: 0,
        read_at: Instant::now(),
        body: Vec::new(),
        out: Vec::new(),
        alarm: Alarm::default(),
        served: 0,
    };
    // Trouble on the socket ends the connection; the books are kept by `Ticket` and `Seat`.
    let _ = connection.run().await;
}

/// One connection's state; its buffers are kept from request to request.
pub(super) struct Connection<'a> {
    pub(super) stream: Stream,
    server: &'a Server,
    seat: Seat<'a>,
    buffer: Vec<u8>,
    /// What is read but not yet used lies at `start..end`.
    start: usize,
    end: usize,
    /// When the newest bytes were read.
    read_at: Instant,
    /// The body of the answer being made.
    pub(super) body: Vec<u8>,
    /// The answer being made.
    pub(super) out: Vec<u8>,
    alarm: Alarm,
    served: u64,
}

impl<'a> Connection<'a> {
    async fn run(&mut self) -> io::Result<()> {
        while let Some(request) = self.next_request().await? {
            let keep = if request.route.is_about_the_server() {
                self.about_the_server(&request).await?
            } else {
                self.answer(&request).await?
            };
            if !keep {
                return Ok(());
            }
        }
        Ok(())
    }

    /// The next request; `None` when there is none any more.
    async fn next_request(&mut self) -> io::Result<Option<Request>> {
        let mut fresh = self.start;
        loop {
            // A head ends with a line: without a new line end there is nothing new to parse.
            let unread = &self.buffer[self.start..self.end];
            if self.buffer[fresh..self.end].contains(&b'\n') || unread.len() > MOST_HEAD_BYTES {
                match parse(unread) {
                    Parsed::Whole(request, length) => {
                        self.start += length;
                        return Ok(Some(request));
                    }
                    Parsed::Bad(status) => return self.refuse(status).await.map(|()| None),
                    Parsed::Partial => {}
                }
            }
            let waiting = self.end - self.start;
            if !self.fill().await? {
                return Ok(None);
            }
            fresh = self.start + waiting;
        }
    }

    /// Reads more; `false` at the end of the stream.
    async fn fill(&mut self) -> io::Result<bool> {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        } else if self.end == self.buffer.len() {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
            if self.end * 2 > self.buffer.len() {
                // Bounded: a head longer than the most allowed is refused before the buffer is twice that.
                self.buffer.resize(self.buffer.len() * 2, 0);
            }
        }
        let n = self.stream.read(&mut self.buffer[self.end..]).await?;
        self.end += n;
        self.read_at = Instant::now();
        Ok(n > 0)
    }

    /// Refuses bytes that are no request, and closes.
    async fn refuse(&mut self, status: u16) -> io::Result<()> {
        self.server.desk.unreadable();
        self.body.clear();
        self.out.clear();
        error_page(status, &mut self.body);
        let form = Form { status, framing: Framing::Length, close: true, say_keep_alive: false, head_only: false };
        compose(&form, &self.body, &mut self.out);
        self.stream.put(&self.out).await?;
        self.stream.shutdown().await
    }

    /// Answers `/__truth` and `/__reset`; whether the connection is kept.
    async fn about_the_server(&mut self, request: &Request) -> io::Result<bool> {
        let _asking = Asking::new(&self.server.asking);
        self.seat.ask();
        if !self.skip_body(request.body).await? {
            return Ok(false);
        }
        let text = self.server.about(request.route).await?;
        let form = Form::new(200, request, &super::behaviour::Shape::default());
        self.out.clear();
        compose(&form, text.as_bytes(), &mut self.out);
        self.stream.put(&self.out).await?;
        self.out = Vec::new();
        self.finish(form.close).await
    }

    /// Answers one request as chosen; whether the connection is kept.
    async fn answer(&mut self, request: &Request) -> io::Result<bool> {
        let server = self.server;
        let behaviour = &server.desk.behaviour;
        let extra = if let Route::Delay(delay) = request.route { delay } else { Duration::ZERO };
        let mut ticket = server.desk.admit(&mut self.seat, Wire::Http1, self.read_at, extra);
        self.served += 1;
        if behaviour.shape.early_answer && request.body != BodyLength::Bytes(0) {
            return self.answer_plainly(request, 413, &mut ticket).await;
        }
        if request.expects_continue && !request.http10 {
            self.stream.put(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        }
        if !self.skip_body(request.body).await? {
            return self.answer_plainly(request, 400, &mut ticket).await;
        }
        if ticket.fault != Some(Fault::Hang) {
            self.wait(&ticket).await?;
        }
        self.body.clear();
        self.out.clear();
        let status = if ticket.error {
            ticket.count("error");
            error_page(behaviour.errors.status, &mut self.body)
        } else {
            server.pages.write(request.route, &mut self.body)
        };
        let form = Form::new(status, request, &behaviour.shape);
        let keep = if let Some(fault) = ticket.fault {
            ticket.count(fault.name());
            self.spoil(fault, &form, &mut ticket).await?
        } else {
            if behaviour.shape.interim && !request.http10 {
                self.out.extend_from_slice(INTERIM);
            }
            compose(&form, &self.body, &mut self.out);
            self.write_whole(0, form.status, &mut ticket).await?;
            true
        };
        let over = behaviour.keep_alive_max.is_some_and(|most| self.served >= most);
        if keep { self.finish(form.close || over).await } else { Ok(false) }
    }

    /// Answers with a status at once and closes, whatever else was chosen.
    async fn answer_plainly(&mut self, request: &Request, status: u16, ticket: &mut Ticket<'a>) -> io::Result<bool> {
        self.body.clear();
        self.out.clear();
        error_page(status, &mut self.body);
        let form = Form { close: true, ..Form::new(status, request, &super::behaviour::Shape::default()) };
        compose(&form, &self.body, &mut self.out);
        self.write_whole(0, status, ticket).await?;
        self.finish(true).await
    }

    /// Closes the sending side where the connection is not kept.
    async fn finish(&mut self, close: bool) -> io::Result<bool> {
        if close {
            self.stream.shutdown().await?;
        }
        Ok(!close)
    }

    /// Reads a request's body and drops it; `false` when it contradicts the protocol.
    async fn skip_body(&mut self, length: BodyLength) -> io::Result<bool> {
        let mut skip = Skip::new(length);
        while !skip.is_done() {
            if self.start == self.end && !self.fill().await? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            match skip.feed(&self.buffer[self.start..self.end]) {
                Ok(used) => self.start += used,
                Err(_) => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Waits until the answer is due and no freeze holds it.
    async fn wait(&mut self, ticket: &Ticket<'a>) -> io::Result<()> {
        self.sleep(ticket.due).await?;
        if self.server.desk.behaviour.stall.is_none() {
            return Ok(());
        }
        while let Some((turn, end)) = ticket.freeze(Instant::now()) {
            self.sleep(end).await?;
            ticket.released(turn, Instant::now());
        }
        Ok(())
    }

    /// Waits until `due` unless the client leaves before.
    pub(super) async fn sleep(&mut self, due: Instant) -> io::Result<()> {
        if due <= Instant::now() {
            return Ok(());
        }
        let Self { alarm, stream, .. } = self;
        let ring = pin!(alarm.until(due));
        select! {
            () = ring => Ok(()),
            error = stream.client_leaves() => Err(error),
        }
    }

    /// Writes what is left of the answer and writes the request off with its last byte.
    pub(super) async fn write_whole(&mut self, from: usize, status: u16, ticket: &mut Ticket<'a>) -> io::Result<()> {
        let mut at = from;
        let (stream, out) = (&mut self.stream, &self.out);
        poll_fn(|cx| {
            loop {
                let mut blocked = false;
                let write = || match Pin::new(&mut *stream).poll_write(cx, &out[at..]) {
                    Poll::Ready(Ok(n)) => {
                        at += n;
                        Ok(at == out.len())
                    }
                    Poll::Ready(Err(error)) => Err(error),
                    Poll::Pending => {
                        blocked = true;
                        Ok(false)
                    }
                };
                match ticket.close_after(Said::Http(status), write) {
                    Ok(false) if blocked => return Poll::Pending,
                    Ok(false) => {}
                    whole => return Poll::Ready(whole),
                }
            }
        })
        .await?;
        self.stream.flush().await
    }

    /// Reads and drops whatever comes until the client closes the connection.
    pub(super) async fn outlast_client(&mut self) -> io::Result<()> {
        loop {
            self.start = self.end;
            if !self.fill().await? {
                return Ok(());
            }
        }
    }
}
