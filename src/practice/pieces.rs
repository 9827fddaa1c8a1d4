//! Heads and bodies that come in pieces: slowly, or far too many. Pure.

use std::time::{Duration, Instant};

/// Zeros sent at a time by `--huge-body`.
pub(super) static ZEROS: [u8; 64 << 10] = [0; 64 << 10];

/// Shortest time between two pieces of a slow body; faster rates send larger pieces.
const PIECE: Duration = Duration::from_millis(50);

/// Bytes of one header that pads a head.
pub(super) const PADDING_BYTES: usize = 4 << 10;

/// When which piece of a slow body is due.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    rate: u64,
    start: Instant,
    piece: u64,
    sent: u64,
}

impl Pace {
    /// `rate` bytes a second, at least 1, from `start` on.
    pub(super) fn new(rate: u64, start: Instant) -> Self {
        let piece = (rate as f64 * PIECE.as_secs_f64()).floor().max(1.0) as u64;
        Self { rate, start, piece, sent: 0 }
    }

    /// Bytes of the next piece, and when it is due.
    pub(super) fn next(&mut self) -> (usize, Instant) {
        self.sent += self.piece;
        let due = self.start + Duration::from_secs_f64(self.sent as f64 / self.rate as f64);
        (usize::try_from(self.piece).unwrap_or(usize::MAX), due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_body_keeps_its_rate_in_pieces_of_a_byte_or_of_fifty_milliseconds() {
        let start = Instant::now();
        for (rate, piece, millis) in [(1, 1, 1_000), (10, 1, 100), (20, 1, 50), (1_000, 50, 50), (10_240, 512, 50)] {
            let mut pace = Pace::new(rate, start);
            for n in 1..=3 {
                assert_eq!(pace.next(), (piece, start + Duration::from_millis(n * millis)), "{rate} B/s, piece {n}");
            }
        }
    }
}
