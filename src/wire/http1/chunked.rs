//! The chunked transfer coding (RFC 9112 §7.1): sizes, extensions, data, trailers.

use std::ops::Range;

use super::decode::Malformed;

/// A longer line of chunk size and extensions than this is refused.
const MOST_SIZE_LINE: usize = 4 * 1024;
/// Longer trailers than this are refused.
const MOST_TRAILERS: u32 = 64 * 1024;

/// Where the reader stands within a chunked body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// In the hexadecimal size.
    Size,
    /// Behind the size, before the line's end; extensions are skipped.
    Extension,
    /// The line feed that ends a size line.
    SizeLineFeed,
    Data(u64),
    DataReturn,
    DataLineFeed,
    /// At the beginning of a trailer line.
    TrailerStart,
    Trailer,
    TrailerLineFeed,
    LastLineFeed,
    Done,
}

/// The reader of one chunked body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chunked {
    state: State,
    size: u64,
    digits: u8,
    line: u16,
    trailers: u32,
}

impl Default for Chunked {
    fn default() -> Self {
        Self { state: State::Size, size: 0, digits: 0, line: 0, trailers: 0 }
    }
}

/// One step: how far it read, and which part of that was data.
pub(super) struct Step {
    pub(super) used: usize,
    pub(super) data: Range<usize>,
}

impl Chunked {
    pub(super) fn is_done(self) -> bool {
        self.state == State::Done
    }

    /// Reads up to and including the next piece of data, or to the end of `bytes`.
    pub(super) fn advance(&mut self, bytes: &[u8]) -> Result<Step, Malformed> {
        let mut at = 0;
        while at < bytes.len() && self.state != State::Done {
            if let State::Data(left) = self.state {
                let take = (bytes.len() - at).min(usize::try_from(left).unwrap_or(usize::MAX));
                let left = left - take as u64;
                self.state = if left == 0 { State::DataReturn } else { State::Data(left) };
                return Ok(Step { used: at + take, data: at..at + take });
            }
            self.byte(bytes[at])?;
            at += 1;
        }
        Ok(Step { used: at, data: at..at })
    }

    fn byte(&mut self, byte: u8) -> Result<(), Malformed> {
        self.state = match (self.state, byte) {
            (State::Size, b'\r') if self.digits > 0 => State::SizeLineFeed,
            (State::Size, b';' | b' ' | b'\t') if self.digits > 0 => self.extension()?,
            (State::Size, digit) => self.digit(digit)?,
            (State::Extension, b'\r') => State::SizeLineFeed,
            (State::Extension, b'\n') => return Err(Malformed),
            (State::Extension, _) => self.extension()?,
            (State::SizeLineFeed, b'\n') if self.size == 0 => State::TrailerStart,
            (State::SizeLineFeed, b'\n') => State::Data(self.size),
            (State::DataReturn, b'\r') => State::DataLineFeed,
            (State::DataLineFeed, b'\n') => {
                *self = Self { trailers: self.trailers, ..Self::default() };
                State::Size
            }
            (State::TrailerStart, b'\r') => State::LastLineFeed,
            (State::Trailer, b'\r') => State::TrailerLineFeed,
            (State::TrailerStart | State::Trailer, b'\n') => return Err(Malformed),
            (State::TrailerStart | State::Trailer, _) => self.trailer()?,
            (State::TrailerLineFeed, b'\n') => State::TrailerStart,
            (State::LastLineFeed, b'\n') => State::Done,
            _ => return Err(Malformed),
        };
        Ok(())
    }

    fn digit(&mut self, byte: u8) -> Result<State, Malformed> {
        let digit = char::from(byte).to_digit(16).ok_or(Malformed)?;
        self.digits += 1;
        if self.digits > 16 {
            return Err(Malformed);
        }
        self.size = self.size << 4 | u64::from(digit);
        Ok(State::Size)
    }

    fn extension(&mut self) -> Result<State, Malformed> {
        self.line += 1;
        if usize::from(self.line) > MOST_SIZE_LINE { Err(Malformed) } else { Ok(State::Extension) }
    }

    fn trailer(&mut self) -> Result<State, Malformed> {
        self.trailers += 1;
        if self.trailers > MOST_TRAILERS { Err(Malformed) } else { Ok(State::Trailer) }
    }
}
