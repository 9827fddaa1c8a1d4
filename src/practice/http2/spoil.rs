//! Doing to an HTTP/2 answer what was chosen for it. Each fault writes the request off before the client can notice it.

use std::sync::atomic::Ordering;
use std::time::Instant;

use bytes::Bytes;

use super::Ending;
use super::exchange::{Exchange, Gone};
use super::frames::{self, Flood};
use super::reply::Answer;
use crate::practice::fault::{Fault, Malformed, REFUSED_STREAM};
use crate::practice::grpc;
use crate::practice::malformed::EXCESS;
use crate::practice::pieces::{Pace, ZEROS};

/// What `--garbage` says instead of HTTP/2: the head of an HTTP/1 answer is what such a client meets most often.
const GARBAGE: &[u8] = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n";

/// The code with which the library forgets a stream that it knows no answer of; it is not sent.
const NO_ERROR: u32 = 0;

/// The code of a stream that a fault of the body ends where there is no body.
const INTERNAL_ERROR: u32 = 2;

impl Exchange<'_> {
    /// Answers with a fault; what becomes of the connection.
    pub(super) async fn spoil(&mut self, fault: Fault, mut answer: Answer) -> Result<Option<Ending>, Gone> {
        match fault {
            Fault::Reset => Ok(self.broken(Ending::Reset)),
            Fault::Close => Ok(self.broken(Ending::Close)),
            Fault::Truncate => self.truncate(answer).await,
            Fault::TruncateChunked => self.cut(answer).await,
            Fault::Garbage => {
                self.shared.tap.insert(GARBAGE);
                Ok(self.broken(Ending::Close))
            }
            Fault::Hang => {
                self.ticket.spoil(None);
                self.client_leaves().await;
                Ok(None)
            }
            Fault::SlowBody(rate) => self.dribble(rate, answer).await,
            Fault::EndlessHeaders => {
                let flood = Flood::Headers(self.reply.stream_id().as_u32());
                Ok(self.broken(Ending::Flood(flood)))
            }
            Fault::SettingsFlood => Ok(self.broken(Ending::Flood(Flood::Settings))),
            Fault::HugeBody(bytes) => self.huge_body(bytes, answer).await,
            Fault::HugeHeaders(bytes) => self.huge_head(bytes, answer).await,
            Fault::CloseAfter(bytes) => self.close_after(bytes, answer).await,
            Fault::Malformed(kind) => {
                self.malformed(kind, answer);
                Ok(None)
            }
            Fault::RstStream(code) => {
                if code == REFUSED_STREAM {
                    self.ticket.refuse();
                } else {
                    self.ticket.spoil(None);
                }
                self.reset(code);
                Ok(None)
            }
            Fault::RstBody(code) => self.reset_midway(code, answer).await,
            Fault::MissingTrailers | Fault::NoGrpcStatus => {
                answer.mute(fault == Fault::NoGrpcStatus);
                self.send_spoiled(answer).await
            }
            Fault::NoMessage => self.send_spoiled(Answer::trailers_only(0)).await,
        }
    }

    /// Writes the request off, and ends the connection.
    fn broken(&mut self, ending: Ending) -> Option<Ending> {
        self.ticket.spoil(None);
        Some(ending)
    }

    /// Sends an answer that is whole as far as HTTP/2 is concerned, but not what it should be.
    async fn send_spoiled(&mut self, answer: Answer) -> Result<Option<Ending>, Gone> {
        self.ticket.spoil(Some(answer.status()));
        self.send(answer).await.map(|()| None)
    }

    /// Announces the whole body, or message, and ends after half of it.
    async fn truncate(&mut self, mut answer: Answer) -> Result<Option<Ending>, Gone> {
        if answer.body.is_empty() {
            return self.reset_midway(INTERNAL_ERROR, answer).await;
        }
        answer.announce_page(answer.body.len() as u64);
        answer.body = answer.half();
        self.send_spoiled(answer).await
    }

    /// Sends half of the body and ends the connection.
    async fn cut(&mut self, mut answer: Answer) -> Result<Option<Ending>, Gone> {
        answer.unannounce();
        let said = answer.status();
        let half = answer.half();
        let mut stream = self.reply.send_response(answer.head, false)?;
        self.ticket.spoil(Some(said));
        self.send_part(&mut stream, half).await?;
        Ok(Some(Ending::Close))
    }

    /// Sends half of the body and resets the stream.
    async fn reset_midway(&mut self, code: u32, answer: Answer) -> Result<Option<Ending>, Gone> {
        let (said, half) = (answer.status(), answer.half());
        let mut stream = self.reply.send_response(answer.head, false)?;
        self.ticket.spoil(Some(said));
        self.send_part(&mut stream, half).await?;
        self.sent().await;
        self.reset(code);
        Ok(None)
    }

    /// Sends the head at once and the body at `rate` bytes a second.
    async fn dribble(&mut self, rate: u64, answer: Answer) -> Result<Option<Ending>, Gone> {
        if answer.body.is_empty() {
            return self.send(answer).await.map(|()| None);
        }
        let mut body = answer.body;
        let mut stream = self.reply.send_response(answer.head, false)?;
        let mut pace = Pace::new(rate, Instant::now());
        loop {
            let (piece, due) = pace.next();
            self.pause(&mut stream, due).await?;
            if piece >= body.len() {
                break;
            }
            self.send_part(&mut stream, body.split_to(piece)).await?;
        }
        self.send_rest(&mut stream, body, answer.trailers, answer.said).await.map(|()| None)
    }

    /// Streams zeros.
    async fn huge_body(&mut self, bytes: u64, mut answer: Answer) -> Result<Option<Ending>, Gone> {
        if answer.is_head_only() {
            return self.send(answer).await.map(|()| None);
        }
        answer.announce_page(bytes);
        let is_call = answer.is_call();
        let mut stream = self.reply.send_response(answer.head, false)?;
        let mut left = bytes;
        if is_call {
            // Longer messages cannot be announced.
            left = left.min(u32::MAX.into());
            self.send_part(&mut stream, grpc::prefix(left as u32).to_vec().into()).await?;
        }
        while left > ZEROS.len() as u64 {
            self.send_part(&mut stream, Bytes::from_static(&ZEROS)).await?;
            left -= ZEROS.len() as u64;
        }
        let last = Bytes::from_static(&ZEROS[..left as usize]);
        self.send_rest(&mut stream, last, answer.trailers, answer.said).await.map(|()| None)
    }

    /// Sends the answer with a head of so many bytes more.
    async fn huge_head(&mut self, bytes: u64, mut answer: Answer) -> Result<Option<Ending>, Gone> {
        answer.pad(bytes);
        let mut stream = self.reply.send_response(answer.head, false)?;
        // The library takes a head of any size at once; the account waits until it has gone.
        self.sent().await;
        self.send_rest(&mut stream, answer.body, answer.trailers, answer.said).await.map(|()| None)
    }

    /// Ends the connection after so many bytes of the answer's frames, or after all of them. They are sent whatever the
    /// client's window.
    async fn close_after(&mut self, bytes: u64, answer: Answer) -> Result<Option<Ending>, Gone> {
        let (head_bytes, out) = self.framed(&answer, None, &answer.body);
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        if bytes >= out.len() {
            self.send(answer).await?;
        } else {
            self.ticket.spoil((bytes >= head_bytes).then_some(answer.status()));
            self.shared.tap.insert(&out[..bytes]);
        }
        Ok(Some(Ending::Close))
    }

    /// Contradicts the protocol. Only a frame that is wrong in itself breaks the connection.
    fn malformed(&mut self, kind: Malformed, mut answer: Answer) {
        let length = answer.body.len();
        answer.announce(length as u64);
        let mut body = answer.body.to_vec();
        let mut field = None;
        match kind {
            Malformed::BothLengths => field = Some(("transfer-encoding", "chunked".to_owned())),
            Malformed::TwoLengths => field = Some(("content-length", (length + 1).to_string())),
            Malformed::Excess => body.extend_from_slice(EXCESS),
            Malformed::BadLength => {
                answer.unannounce();
                field = Some(("content-length", format!("{length}x")));
            }
            Malformed::BadHeader => field = Some(("X-Upper-Case", "no".to_owned())),
            Malformed::BadStatus => field = Some((":status", format!("{}0", answer.head.status().as_u16()))),
            Malformed::BadChunk => {}
        }
        let (head_bytes, mut out) = self.framed(&answer, field.as_ref(), &body);
        if kind == Malformed::BadChunk {
            out.truncate(head_bytes);
            frames::overpadded(self.reply.stream_id().as_u32(), &mut out);
        }
        self.shared.tainted.store(true, Ordering::SeqCst);
        self.ticket.spoil(kind.status_is_readable().then_some(answer.status()));
        self.shared.tap.insert_answer(self.reply.stream_id().as_u32(), &out);
        self.reset(NO_ERROR);
    }

    /// The answer's frames by hand, with one field more, and where its head ends.
    fn framed(&self, answer: &Answer, field: Option<&(&str, String)>, body: &[u8]) -> (usize, Vec<u8>) {
        let status = answer.head.status().as_str().to_owned();
        let mut fields = vec![(":status", status.as_str())];
        let said = answer.head.headers().iter();
        fields.extend(said.map(|(name, value)| (name.as_str(), value.to_str().unwrap_or_default())));
        match field {
            Some((":status", status)) => fields[0].1 = status,
            Some((name, value)) => fields.push((name, value)),
            None => {}
        }
        let mut out = Vec::new();
        let head_bytes = frames::answer(self.reply.stream_id().as_u32(), &fields, body, &mut out);
        (head_bytes, out)
    }
}
