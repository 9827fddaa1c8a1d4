//! Doing to an answer what was chosen for it. Each fault writes the request off before the client can notice it.

use std::io;
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt as _;

use super::answer::{Form, Framing, append, compose, head};
use super::desk::{Said, Ticket};
use super::fault::Fault;
use super::http1::Connection;
use super::malformed::compose_malformed;
use super::pieces::{PADDING_BYTES, Pace, ZEROS};

/// What `--garbage` says instead of HTTP.
const GARBAGE: &[u8] = b"\x00\x01\xfe\xff this is not HTTP \r\n\r\n";

/// Bytes of endless headers between two pauses, and how long a pause is: 16 MB/s is quick enough to hit any limit.
const HEADERS_AT_ONCE: usize = 16 << 10;
const HEADERS_PAUSE: Duration = Duration::from_millis(1);

impl<'a> Connection<'a> {
    /// Answers with a fault; whether the connection is kept.
    pub(super) async fn spoil(&mut self, fault: Fault, form: &Form, ticket: &mut Ticket<'a>) -> io::Result<bool> {
        match fault {
            Fault::Reset => {
                ticket.spoil(None);
                self.stream.reset_at_close()?;
                Ok(false)
            }
            Fault::Truncate => {
                let form = Form { framing: Framing::Length, ..*form };
                let head_bytes = compose(&form, &self.body, &mut self.out);
                let body_bytes = self.out.len() - head_bytes;
                self.cut(head_bytes, (body_bytes > 0).then_some(body_bytes / 2), &form, ticket).await
            }
            Fault::TruncateChunked => self.truncate_chunked(form, ticket).await,
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
            Fault::HugeHeaders(bytes) => {
                compose_padded(bytes, form, &self.body, &mut self.out);
                self.write_whole(0, form.status, ticket).await?;
                Ok(true)
            }
            // The others are dealt to HTTP/2 requests only.
            Fault::Close
            | Fault::RstStream(_)
            | Fault::RstBody(_)
            | Fault::SettingsFlood
            | Fault::MissingTrailers
            | Fault::NoGrpcStatus
            | Fault::NoMessage => self.send_and_close(0, 0, form, ticket).await,
            Fault::Malformed(kind) => {
                compose_malformed(kind, form, &self.body, &mut self.out);
                ticket.spoil(kind.status_is_readable().then_some(Said::Http(form.status)));
                self.stream.put(&self.out).await?;
                Ok(true)
            }
        }
    }

    /// Sends a chunked body without its last chunk.
    async fn truncate_chunked(&mut self, form: &Form, ticket: &mut Ticket<'a>) -> io::Result<bool> {
        let form = Form { framing: Framing::Chunked, ..*form };
        let head_bytes = compose(&form, &self.body, &mut self.out);
        let last_chunk = self.out.windows(3).rposition(|three| three == b"0\r\n");
        let kept = last_chunk.and_then(|at| at.checked_sub(head_bytes));
        self.cut(head_bytes, kept, &form, ticket).await
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
        ticket.spoil((bytes > 0 && bytes >= head_bytes).then_some(Said::Http(form.status)));
        self.stream.put(&self.out[..bytes]).await?;
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
        self.stream.put(&self.out[..at]).await?;
        let mut pace = Pace::new(rate, Instant::now());
        loop {
            let (piece, due) = pace.next();
            self.sleep(due).await?;
            let end = at.saturating_add(piece);
            if end >= self.out.len() {
                break;
            }
            self.stream.put(&self.out[at..end]).await?;
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
            self.stream.put(&self.out).await?;
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
            self.stream.put(&self.out).await?;
            while left > ZEROS.len() as u64 {
                self.stream.put(&ZEROS).await?;
                left -= ZEROS.len() as u64;
            }
            self.out.clear();
            self.out.resize(left as usize, 0);
        }
        self.write_whole(0, form.status, ticket).await?;
        Ok(true)
    }
}

/// Appends a whole answer whose head is so many bytes longer.
fn compose_padded(bytes: u64, form: &Form, body: &[u8], out: &mut Vec<u8>) {
    let head_bytes = compose(form, body, out);
    let rest = out.split_off(head_bytes - 2);
    pad(bytes, out);
    out.extend_from_slice(&rest);
}

/// Appends header lines of so many bytes together; fewer than make a line are left out.
fn pad(bytes: u64, out: &mut Vec<u8>) {
    const AROUND: usize = "X-Huge: \r\n".len();
    let mut left = usize::try_from(bytes).unwrap_or(usize::MAX);
    while left > AROUND {
        let line = left.min(PADDING_BYTES);
        out.extend_from_slice(b"X-Huge: ");
        out.resize(out.len() + line - AROUND, b'x');
        out.extend_from_slice(b"\r\n");
        left -= line;
    }
}
