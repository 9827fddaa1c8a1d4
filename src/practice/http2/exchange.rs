//! One request on an HTTP/2 connection: read it, wait as chosen, answer it.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use http::{HeaderMap, Response, StatusCode};
use tokio::select;

use super::reply::{Answer, grpc_status};
use super::{Ending, Shared};
use crate::practice::answer::error_page;
use crate::practice::desk::{Said, Ticket};
use crate::practice::door::{Asking, Server};
use crate::practice::fault::Fault;
use crate::practice::grpc;
use crate::practice::request::Route;

/// The client has left, or what it sent is not HTTP/2: the request's ticket says which account that is.
#[derive(Debug)]
pub(super) struct Gone;

impl From<h2::Error> for Gone {
    fn from(_: h2::Error) -> Self {
        Self
    }
}

/// What a request asks for.
#[derive(Debug)]
pub(super) enum Asked {
    /// An HTTP request.
    Page {
        route: Route,
        /// `HEAD`.
        head_only: bool,
    },
    /// A gRPC call of the method at this path.
    Call(String),
}

/// A request and all that is needed to answer it.
pub(super) struct Exchange<'a> {
    pub(super) server: &'a Server,
    pub(super) shared: &'a Shared,
    pub(super) ticket: Ticket<'a>,
    pub(super) asked: Asked,
    pub(super) body: RecvStream,
    pub(super) reply: SendResponse<Bytes>,
}

impl Drop for Exchange<'_> {
    fn drop(&mut self) {
        if self.shared.broken.load(Ordering::SeqCst) {
            self.ticket.spoil_along();
        }
    }
}

impl<'a> Exchange<'a> {
    /// Sees the request to its end; where the connection is to end with it, how, and the request.
    pub(super) async fn run(mut self) -> Option<(Ending, Exchange<'a>)> {
        let ending = self.answer().await.unwrap_or(None)?;
        Some((ending, self))
    }

    async fn answer(&mut self) -> Result<Option<Ending>, Gone> {
        let behaviour = &self.server.desk.behaviour;
        if behaviour.shape.early_answer && !self.body.is_end_stream() && matches!(self.asked, Asked::Page { .. }) {
            self.send(self.error(413)).await?;
            return Ok(None);
        }
        let sound = self.ticket.fault.is_none() && !self.ticket.error;
        if let Asked::Call(path) = &self.asked
            && sound
            && grpc::converses(path)
        {
            let path = path.clone();
            return self.converse(&path).await.map(|()| None);
        }
        let asked = self.read_body().await?;
        if self.ticket.fault != Some(Fault::Hang) {
            self.wait().await?;
        }
        let answer = self.composed(&asked);
        if let Some(fault) = self.ticket.fault {
            self.ticket.count(fault.name());
            return self.spoil(fault, answer).await;
        }
        if behaviour.shape.interim {
            self.interim()?;
        }
        self.send(answer).await.map(|()| None)
    }

    /// Answers each message of a call as it comes.
    async fn converse(&mut self, path: &str) -> Result<(), Gone> {
        self.wait().await?;
        let mut stream = self.reply.send_response(Answer::messages(Vec::new()).head, false)?;
        let (mut heard, mut status) = (Vec::new(), 0);
        'talk: while let Some(piece) = self.body.data().await {
            let piece = piece?;
            self.body.flow_control().release_capacity(piece.len())?;
            heard.extend_from_slice(&piece);
            while let Some(message) = grpc::take_message(&mut heard) {
                match grpc::call(path, &message, &|service| self.server.serves(service)) {
                    Ok(frames) => self.send_part(&mut stream, frames.into()).await?,
                    Err(why) => {
                        status = why;
                        break 'talk;
                    }
                }
            }
            if heard.len() > grpc::MOST_MESSAGE_BYTES + grpc::PREFIX_BYTES {
                status = grpc::RESOURCE_EXHAUSTED;
                break;
            }
        }
        if status == 0 && !heard.is_empty() {
            status = grpc::INTERNAL;
        }
        self.send_rest(&mut stream, Bytes::new(), Some(grpc_status(status)), Said::Grpc(status)).await
    }

    /// Reads the request's body: a call's is kept, as far as it may be, another's is dropped.
    async fn read_body(&mut self) -> Result<Vec<u8>, Gone> {
        let most = match self.asked {
            Asked::Call(_) => grpc::MOST_MESSAGE_BYTES + grpc::PREFIX_BYTES + 1,
            Asked::Page { .. } => 0,
        };
        let mut kept = Vec::new();
        while let Some(piece) = self.body.data().await {
            let piece = piece?;
            self.body.flow_control().release_capacity(piece.len())?;
            let room = most - kept.len();
            kept.extend_from_slice(&piece[..piece.len().min(room)]);
        }
        Ok(kept)
    }

    /// Waits until the answer is due and no freeze holds it.
    async fn wait(&mut self) -> Result<(), Gone> {
        self.sleep(self.ticket.due).await?;
        if self.server.desk.behaviour.stall.is_none() {
            return Ok(());
        }
        while let Some((turn, end)) = self.ticket.freeze(Instant::now()) {
            self.sleep(end).await?;
            self.ticket.released(turn, Instant::now());
        }
        Ok(())
    }

    /// Waits until `due`, unless the client leaves before.
    async fn sleep(&mut self, due: Instant) -> Result<(), Gone> {
        let shared = self.shared;
        let alarm = pin!(shared.alarm(due));
        select! {
            () = alarm => Ok(()),
            () = self.client_leaves() => Err(Gone),
        }
    }

    /// Waits for the client to reset the stream or to leave.
    pub(super) async fn client_leaves(&mut self) {
        let _ = poll_fn(|cx| self.reply.poll_reset(cx)).await;
    }

    /// The sound answer, or the chosen error.
    fn composed(&self, asked: &[u8]) -> Answer {
        let behaviour = &self.server.desk.behaviour;
        if self.ticket.error {
            self.ticket.count("error");
            let page = || self.error(behaviour.errors.status);
            return match self.asked {
                Asked::Call(_) => Answer::call_error(behaviour.grpc, page),
                Asked::Page { .. } => page(),
            };
        }
        match &self.asked {
            Asked::Call(_) if asked.len() > grpc::MOST_MESSAGE_BYTES + grpc::PREFIX_BYTES => {
                Answer::trailers_only(grpc::RESOURCE_EXHAUSTED)
            }
            Asked::Call(path) => match grpc::call(path, asked, &|service| self.server.serves(service)) {
                Ok(frames) => Answer::messages(frames),
                Err(status) => Answer::trailers_only(status),
            },
            Asked::Page { route, .. } => {
                let mut body = Vec::new();
                let status = self.server.pages.write(*route, &mut body);
                self.page(status, body)
            }
        }
    }

    fn error(&self, status: u16) -> Answer {
        let mut body = Vec::new();
        error_page(status, &mut body);
        self.page(status, body)
    }

    fn page(&self, status: u16, body: Vec<u8>) -> Answer {
        let mut answer = Answer::page(status, body, self.server.desk.behaviour.shape.chunked);
        if matches!(self.asked, Asked::Page { head_only: true, .. }) {
            answer.without_body();
        }
        answer
    }

    /// Sends what comes before an answer with `--continue`.
    fn interim(&mut self) -> Result<(), Gone> {
        let mut head = Response::new(());
        *head.status_mut() = StatusCode::CONTINUE;
        self.reply.send_informational(head)?;
        let mut head = Response::new(());
        *head.status_mut() = StatusCode::EARLY_HINTS;
        head.headers_mut().insert(http::header::LINK, http::HeaderValue::from_static("</style.css>; rel=preload"));
        self.reply.send_informational(head)?;
        Ok(())
    }

    /// Sends a whole answer, and writes the request off with its last byte.
    pub(super) async fn send(&mut self, answer: Answer) -> Result<(), Gone> {
        if answer.is_head_only() {
            let reply = &mut self.reply;
            let end = || reply.send_response(answer.head, true).map(|_| true);
            self.ticket.close_after(answer.said, end)?;
            return Ok(());
        }
        let mut stream = self.reply.send_response(answer.head, false)?;
        self.send_rest(&mut stream, answer.body, answer.trailers, answer.said).await
    }

    /// Sends the rest of an answer, and writes the request off with its last byte.
    pub(super) async fn send_rest(
        &mut self,
        stream: &mut SendStream<Bytes>,
        mut body: Bytes,
        trailers: Option<HeaderMap>,
        said: Said,
    ) -> Result<(), Gone> {
        loop {
            let room = room(stream, body.len()).await?;
            let piece = body.split_to(room.min(body.len()));
            if !body.is_empty() {
                stream.send_data(piece, false)?;
                continue;
            }
            let end = || {
                match trailers {
                    None => stream.send_data(piece, true)?,
                    Some(trailers) => {
                        if !piece.is_empty() {
                            stream.send_data(piece, false)?;
                        }
                        stream.send_trailers(trailers)?;
                    }
                }
                Ok::<bool, h2::Error>(true)
            };
            self.ticket.close_after(said, end)?;
            return Ok(());
        }
    }

    /// Sends a part of an answer that is not its end.
    pub(super) async fn send_part(&mut self, stream: &mut SendStream<Bytes>, mut part: Bytes) -> Result<(), Gone> {
        while !part.is_empty() {
            let room = room(stream, part.len()).await?;
            stream.send_data(part.split_to(room.min(part.len())), false)?;
        }
        Ok(())
    }

    /// Sleeps while a part of an answer has been sent, unless the client leaves.
    pub(super) async fn pause(&mut self, stream: &mut SendStream<Bytes>, due: Instant) -> Result<(), Gone> {
        let alarm = pin!(self.shared.alarm(due));
        select! {
            () = alarm => Ok(()),
            _ = poll_fn(|cx| stream.poll_reset(cx)) => Err(Gone),
        }
    }

    /// Waits until what was sent has left for the client: a reset would take back what has not.
    pub(super) async fn sent(&mut self) {
        loop {
            tokio::task::yield_now().await;
            if self.shared.tap.is_drained() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Resets the stream.
    pub(super) fn reset(&mut self, code: u32) {
        self.reply.send_reset(Reason::from(code));
    }
}

/// Waits until the peer takes some of `bytes`; how many, 0 only where none are wanted.
async fn room(stream: &mut SendStream<Bytes>, bytes: usize) -> Result<usize, Gone> {
    stream.reserve_capacity(bytes);
    while bytes > 0 && stream.capacity() == 0 {
        poll_fn(|cx| stream.poll_capacity(cx)).await.ok_or(Gone)??;
    }
    Ok(stream.capacity())
}

/// Answers `/__truth` and `/__reset`.
pub(super) async fn about_the_server<'a>(
    server: &Server,
    route: Route,
    mut reply: SendResponse<Bytes>,
) -> Option<(Ending, Exchange<'a>)> {
    let _asking = Asking::new(&server.asking);
    let text = server.about(route).await.ok()?;
    let answer = Answer::page(200, text.into_bytes(), false);
    let mut stream = reply.send_response(answer.head, false).ok()?;
    let mut body = answer.body;
    while !body.is_empty() {
        let room = room(&mut stream, body.len()).await.ok()?;
        let piece = body.split_to(room.min(body.len()));
        stream.send_data(piece, body.is_empty()).ok()?;
    }
    None
}
