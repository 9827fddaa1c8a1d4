//! Reads an HTTP/1 answer from bytes, wherever the network cut them. No I/O: what it decides can be tested and fuzzed.

use super::chunked::Chunked;
use crate::wire::{Fields, Head, Observe};

/// A longer head than this is refused.
pub const MOST_HEAD_BYTES: usize = 64 * 1024;
/// More header fields than this are refused.
pub const MOST_HEADERS: usize = 256;
/// More interim (1xx) answers than this before the real one are refused.
const MOST_INTERIM: u32 = 16;

/// The answer broke the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// Where the reader stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Head,
    /// Bytes of the body still to come.
    Fixed(u64),
    Chunked(Chunked),
    /// The body ends when the connection does.
    ToEnd,
    Done,
}

/// What the end of the connection meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The body was delimited by the end of the connection: the answer is complete.
    Complete,
    /// Not a byte of this answer had come.
    BeforeFirstByte,
    /// It came within the head.
    InHead,
    /// It came within the body.
    InBody,
}

/// The reader of one answer.
#[derive(Clone, Debug)]
pub struct Decoder {
    state: State,
    to_head_request: bool,
    interim: u32,
    started: bool,
    status: Option<u16>,
    keep_alive: bool,
    body_bytes: u64,
}

/// What the head says about the body and the connection.
struct Framing {
    length: Option<u64>,
    chunked: bool,
    keep_alive: bool,
}

impl Decoder {
    /// A reader for the answer to a request; answers to HEAD have no body.
    #[must_use]
    pub fn new(to_head_request: bool) -> Self {
        Self {
            state: State::Head,
            to_head_request,
            interim: 0,
            started: false,
            status: None,
            keep_alive: false,
            body_bytes: 0,
        }
    }

    /// The final status, once its head has been read.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.status
    }

    /// Bytes of the body so far, framing not counted.
    #[must_use]
    pub fn body_bytes(&self) -> u64 {
        self.body_bytes
    }

    /// Whether the answer is complete.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Whether the server lets the connection carry another request.
    #[must_use]
    pub fn keep_alive(&self) -> bool {
        self.keep_alive
    }

    /// Reads from `bytes` and says how many were used. Fewer than all means: more are needed together with the rest
    /// (within a head or a chunk size), or the answer is complete and what remains is not part of it.
    ///
    /// # Errors
    /// [`Malformed`] where the bytes are no HTTP/1 answer, contradict themselves or pass a limit.
    pub fn advance(&mut self, bytes: &[u8], observe: &mut impl Observe) -> Result<usize, Malformed> {
        self.started |= !bytes.is_empty();
        let mut used = 0;
        loop {
            let rest = &bytes[used..];
            let step = match self.state {
                State::Done => return Ok(used),
                State::Head => self.head(rest, observe)?,
                State::Fixed(left) => {
                    let take = rest.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                    self.body(&rest[..take], observe);
                    let left = left - take as u64;
                    self.state = if left == 0 { State::Done } else { State::Fixed(left) };
                    take
                }
                State::ToEnd => {
                    self.body(rest, observe);
                    rest.len()
                }
                State::Chunked(mut chunked) => {
                    let step = chunked.advance(rest)?;
                    self.body(&rest[step.data], observe);
                    self.state = if chunked.is_done() { State::Done } else { State::Chunked(chunked) };
                    step.used
                }
            };
            used += step;
            if step == 0 || used == bytes.len() {
                return Ok(used);
            }
        }
    }

    /// The connection ended here.
    pub fn end(&mut self) -> Ended {
        match self.state {
            State::Done => Ended::Complete,
            State::ToEnd => {
                self.state = State::Done;
                self.keep_alive = false;
                Ended::Complete
            }
            State::Head if !self.started => Ended::BeforeFirstByte,
            State::Head => Ended::InHead,
            State::Fixed(_) | State::Chunked(_) => Ended::InBody,
        }
    }

    fn body(&mut self, piece: &[u8], observe: &mut impl Observe) {
        if !piece.is_empty() {
            self.body_bytes += piece.len() as u64;
            observe.chunk(piece);
        }
    }

    fn head(&mut self, bytes: &[u8], observe: &mut impl Observe) -> Result<usize, Malformed> {
        const FEW: usize = 24;
        let mut few = [httparse::EMPTY_HEADER; FEW];
        let mut response = httparse::Response::new(&mut few);
        match response.parse(bytes) {
            Err(httparse::Error::TooManyHeaders) => {
                let mut many = [httparse::EMPTY_HEADER; MOST_HEADERS];
                let mut response = httparse::Response::new(&mut many);
                let parsed = response.parse(bytes);
                self.parsed(parsed, &response, bytes.len(), observe)
            }
            parsed => self.parsed(parsed, &response, bytes.len(), observe),
        }
    }

    fn parsed(
        &mut self,
        parsed: httparse::Result<usize>,
        response: &httparse::Response<'_, '_>,
        held: usize,
        observe: &mut impl Observe,
    ) -> Result<usize, Malformed> {
        let used = match parsed {
            Ok(httparse::Status::Complete(used)) if used <= MOST_HEAD_BYTES => used,
            Ok(httparse::Status::Partial) if held < MOST_HEAD_BYTES => return Ok(0),
            _ => return Err(Malformed),
        };
        let status = response.code.filter(|code| (100..=999).contains(code)).ok_or(Malformed)?;
        if (100..200).contains(&status) && status != 101 {
            self.interim += 1;
            return if self.interim > MOST_INTERIM { Err(Malformed) } else { Ok(used) };
        }
        let framing = framing(response)?;
        self.status = Some(status);
        self.keep_alive = framing.keep_alive && status != 101;
        observe.head(Head { status, fields: Fields::Http1(response.headers) });
        let bodiless = self.to_head_request || matches!(status, 101 | 204 | 304);
        self.state = match framing {
            _ if bodiless => State::Done,
            Framing { chunked: true, .. } => State::Chunked(Chunked::default()),
            Framing { length: Some(0), .. } => State::Done,
            Framing { length: Some(length), .. } => State::Fixed(length),
            Framing { length: None, .. } => State::ToEnd,
        };
        Ok(used)
    }
}

/// RFC 9112 §6: a message with both lengths, or with lengths that differ, is not trusted.
fn framing(response: &httparse::Response<'_, '_>) -> Result<Framing, Malformed> {
    let mut framing = Framing { length: None, chunked: false, keep_alive: response.version == Some(1) };
    for header in response.headers.iter() {
        if header.name.eq_ignore_ascii_case("content-length") {
            for part in header.value.split(|b| *b == b',') {
                let length = decimal(part.trim_ascii()).ok_or(Malformed)?;
                if framing.length.is_some_and(|known| known != length) {
                    return Err(Malformed);
                }
                framing.length = Some(length);
            }
        } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
            let last = header.value.rsplit(|b| *b == b',').next().unwrap_or_default().trim_ascii();
            if framing.chunked || !last.eq_ignore_ascii_case(b"chunked") {
                return Err(Malformed);
            }
            framing.chunked = true;
        } else if header.name.eq_ignore_ascii_case("connection") {
            for token in header.value.split(|b| *b == b',').map(<[u8]>::trim_ascii) {
                if token.eq_ignore_ascii_case(b"close") {
                    framing.keep_alive = false;
                } else if token.eq_ignore_ascii_case(b"keep-alive") && response.version == Some(0) {
                    framing.keep_alive = true;
                }
            }
        }
    }
    if framing.chunked && (framing.length.is_some() || response.version == Some(0)) {
        return Err(Malformed);
    }
    Ok(framing)
}

/// Digits only: no sign, no space, no overflow.
fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;
