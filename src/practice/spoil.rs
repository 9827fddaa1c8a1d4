//! Doing to an answer what was chosen for it. Each fault writes the request off before the client can notice it.

use std::io;
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt as _;

use super::answer::{Form, Framing, append, compose, head};
use super::desk::Ticket;
use super::fault::Fault;
use super::http1::Connection;
use super::malformed::compose_malformed;

/// What `--garbage` says instead of HTTP.
const GARBAGE: &[u8] = b"\x00\x01\xfe\xff this is not HTTP \r\n\r\n";

/// Zeros sent at a time by `--huge-body`.
static ZEROS: [u8; 64 << 10] = [0; 64 << 10];

/// Shortest time between two pieces of a slow body; faster rates send larger pieces.
const PIECE: Duration = Duration::from_millis(50);

/// Bytes of endless headers between two pauses, and how long a pause is: 16 MB/s is quick enough to hit any limit.
const HEADERS_AT_ONCE: usize = 16 << 10;
const HEADERS_PAUSE: Duration = Duration::from_millis(1);

impl<'a> Connection<'a> {
    /// Answers with a fault; whether the connection is kept.
    pub(super) async fn spoil(&mut self, fault: Fault, form: &Form, ticket: &mut Ticket<'a>) -> io::Result<bool> {
        match fault {
            Fault::Reset => {
                ticket.spoil(None);
                self.stream.set_zero_linger()?;
                Ok(false)
            }
            Fault::Close => self.send_and_close(0, 0, form, ticket).await,
            Fault::Truncate => {
                let form = Form { framing: Framing::Length, ..*form };
                let head_bytes = compose(&form, &self.body, &mut self.out);
                let body_bytes = self.out.len() - head_bytes;
                self.cut(head_bytes, (body_bytes > 0).then_some(body_bytes / 2), &form, ticket).await
            }
            Fault::TruncateChunked => {
                let form = Form { framing: Framing::Chunked, ..*form };
                let head_bytes = compose(&form, &self.body, &mut self.out);
                let last_chunk = self.out.windows(3).rposition(|three| three == b"0\r\n");
                let kept = last_chunk.and_then(|at| at.checked_sub(head_bytes));
                self.cut(head_bytes, kept, &form, ticket).await
            }
            Fault::Garbage => {
                self.out.extend_from_slice(GARBAGE);
                self.send_and_close(GARBAGE.len(), usize::MAX, form, ticket).await
            }
            Fault::Hang => {
                ticket.spoil(None);
                self.outlast_client().await?;
                Ok(false)
            }
            Fault::SlowBody(rate) => self.dribble(rate, form, ticket).await,
            Fault::EndlessHeaders => self.endless_headers(form, ticket).await,
            Fault::HugeBody(bytes) => self.huge_body(bytes, form, ticket).await,
            Fault::CloseAfter(bytes) => {
                let head_bytes = compose(form, &self.body, &mut self.out);
                let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
                if bytes >= self.out.len() {
                    self.write_whole(0, form.status, ticket).await?;
                    self.stream.shutdown().await?;
                    return Ok(false);
                }
                self.send_and_close(bytes, head_bytes, form, ticket).await
            }
            Fault::Malformed(kind) => {
                compose_malformed(kind, form, &self.body, &mut self.out);
                ticket.spoil(kind.status_is_readable().then_some(form.status));
                self.stream.write_all(&self.out).await?;
                Ok(true)
            }
        }
    }

    /// Sends the head and `kept` bytes of the body; without a body to cut, all of the head but its empty line.
    async fn cut(
        &mut self,
        head_bytes: usize,
        kept: Option<usize>,
        form: &Form,
        ticket: &mut Ticket<'a>,
    ) -> io::Result<bool> {
        let bytes = kept.map_or(head_bytes - 2, |kept| head_bytes + kept);
        self.send_and_close(bytes, head_bytes, form, ticket).await
    }

    /// Sends the first `bytes` of what is composed, then FIN. The client can read the status if they reach
    /// `head_bytes`.
    async fn send_and_close(
        &mut self,
        bytes: usize,
        head_bytes: usize,
        form: &Form,
        ticket: &mut Ticket<'a>,
    ) -> io::Result<bool> {
        ticket.spoil((bytes > 0 && bytes >= head_bytes).then_some(form.status));
        self.stream.write_all(&self.out[..bytes]).await?;
        self.stream.shutdown().await?;
        Ok(false)
    }

    /// Sends the head at once and the body at `rate` bytes a second.
    async fn dribble(&mut self, rate: u64, form: &Form, ticket: &mut Ticket<'a>) -> io::Result<bool> {
        let mut at = compose(form, &self.body, &mut self.out);
        if at == self.out.len() {
            self.write_whole(0, form.status, ticket).await?;
            return Ok(true);
        }
        self.stream.write_all(&self.out[..at]).await?;
        let start = Instant::now();
        let piece = (rate as f64 * PIECE.as_secs_f64()).floor().max(1.0) as u64;
        let mut sent = 0;
        while at < self.out.len() {
            sent += piece;
            self.sleep(start + Duration::from_secs_f64(sent as f64 / rate as f64)).await?;
            let end = at.saturating_add(usize::try_from(piece).unwrap_or(usize::MAX));
            if end >= self.out.len() {
                break;
            }
            self.stream.write_all(&self.out[at..end]).await?;
            at = end;
        }
        self.write_whole(at, form.status, ticket).await?;
        Ok(true)
    }

    /// Sends header lines until the client closes the connection.
    async fn endless_headers(&mut self, form: &Form, ticket: &mut Ticket<'a>) -> io::Result<bool> {
        ticket.spoil(None);
        head(form, self.body.len() as u64, &mut self.out);
        let mut line: u64 = 0;
        loop {
            while self.out.len() < HEADERS_AT_ONCE {
                line += 1;
                append(&mut self.out, format_args!("X-Endless-{line}: and so on\r\n"));
            }
            self.stream.write_all(&self.out).await?;
            self.out.clear();
            self.sleep(Instant::now() + HEADERS_PAUSE).await?;
        }
    }

    /// Streams zeros.
    async fn huge_body(&mut self, bytes: u64, form: &Form, ticket: &mut Ticket<'a>) -> io::Result<bool> {
        let framing = if form.framing == Framing::UntilClose { Framing::UntilClose } else { Framing::Length };
        let form = Form { framing, ..*form };
        head(&form, bytes, &mut self.out);
        self.out.extend_from_slice(b"\r\n");
        let mut left = if form.is_bodiless() { 0 } else { bytes };
        if left > 0 {
            self.stream.write_all(&self.out).await?;
            while left > ZEROS.len() as u64 {
                self.stream.write_all(&ZEROS).await?;
                left -= ZEROS.len() as u64;
            }
            self.out.clear();
            self.out.resize(left as usize, 0);
        }
        self.write_whole(0, form.status, ticket).await?;
        Ok(true)
    }
}
