//! HTTP/2 frames written by hand, for what a well-behaved library would not send, and where they begin and end among
//! those of the library (RFC 9113 §4, §6). Pure.

/// Bytes of a frame's own header.
const HEADER_BYTES: usize = 9;

/// Most payload a peer must take in one frame.
const MOST_PAYLOAD: usize = 16 << 10;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const PADDED: u8 = 8;

/// Appends a frame.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8], out: &mut Vec<u8>) {
    let length = u32::try_from(payload.len()).expect("a payload fits its frame").to_be_bytes();
    out.extend_from_slice(&length[1..]);
    out.extend_from_slice(&[kind, flags]);
    out.extend_from_slice(&stream.to_be_bytes());
    out.extend_from_slice(payload);
}

/// Appends a field as HPACK's literal without indexing, so that neither side's table changes (RFC 7541 §6.2.2).
fn field(name: &str, value: &str, out: &mut Vec<u8>) {
    out.push(0);
    for text in [name, value] {
        length(text.len(), out);
        out.extend_from_slice(text.as_bytes());
    }
}

/// Appends an integer with a prefix of seven bits (RFC 7541 §5.1).
fn length(mut n: usize, out: &mut Vec<u8>) {
    if n < 127 {
        return out.push(n as u8);
    }
    out.push(127);
    n -= 127;
    while n >= 128 {
        out.push((n % 128) as u8 | 128);
        n /= 128;
    }
    out.push(n as u8);
}

fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        field(name, value, &mut block);
    }
    block
}

/// A whole answer: its fields in one frame, its body in as many as it takes, the last of which ends the stream.
/// Returns where its head ends.
pub(super) fn answer(stream: u32, fields: &[(&str, &str)], body: &[u8], out: &mut Vec<u8>) -> usize {
    let end = if body.is_empty() { END_STREAM } else { 0 };
    frame(HEADERS, END_HEADERS | end, stream, &block(fields), out);
    let head_bytes = out.len();
    let pieces = body.chunks(MOST_PAYLOAD);
    let last = pieces.len().saturating_sub(1);
    for (at, piece) in pieces.enumerate() {
        frame(DATA, if at == last { END_STREAM } else { 0 }, stream, piece, out);
    }
    head_bytes
}

/// A `DATA` frame that claims more padding than it has bytes: a connection error (RFC 9113 §6.1).
pub(super) fn overpadded(stream: u32, out: &mut Vec<u8>) {
    frame(DATA, PADDED, stream, &[255, 0], out);
}

/// The stream that `bytes` begin by resetting, and the length of that frame.
pub(super) fn reset(bytes: &[u8]) -> Option<(u32, usize)> {
    match bytes {
        [0, 0, 4, RST_STREAM, 0, a, b, c, d, ..] => Some((u32::from_be_bytes([*a, *b, *c, *d]), HEADER_BYTES + 4)),
        _ => None,
    }
}

/// `GOAWAY` that names the last stream that is processed.
pub(super) fn goaway(last: u32) -> Vec<u8> {
    let mut out = Vec::new();
    frame(GOAWAY, 0, 0, &[last.to_be_bytes(), 0_u32.to_be_bytes()].concat(), &mut out);
    out
}

/// Something sent again and again until the client has had enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flood {
    /// `SETTINGS` that change nothing, each of which wants to be acknowledged.
    Settings,
    /// Fields of this stream's answer, whose end never comes.
    Headers(u32),
}

impl Flood {
    /// What comes once before it.
    pub(super) fn begin(self, out: &mut Vec<u8>) {
        if let Self::Headers(stream) = self {
            frame(HEADERS, 0, stream, &block(&[(":status", "200")]), out);
        }
    }

    /// Appends one wave of it, some 16 KiB.
    pub(super) fn wave(self, out: &mut Vec<u8>) {
        let end = out.len() + MOST_PAYLOAD;
        while out.len() < end {
            match self {
                Self::Settings => frame(SETTINGS, 0, 0, &[], out),
                Self::Headers(stream) => {
                    frame(CONTINUATION, 0, stream, &block(&[("x-endless", "and so on")]), out);
                }
            }
        }
    }
}

/// Follows frames as they are written, in pieces of any size.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Follower {
    header: [u8; HEADER_BYTES],
    /// Bytes of the header seen.
    seen: usize,
    /// Bytes of the payload that are still to come.
    left: usize,
    /// The last four bytes of the payload: the code of `RST_STREAM`.
    tail: u32,
    /// `RST_STREAM` frames that refused a stream.
    refused: u64,
}

impl Follower {
    /// Notes that these bytes were written.
    pub(super) fn pass(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if self.left > 0 {
                self.left -= 1;
                self.tail = self.tail << 8 | u32::from(*byte);
            } else {
                self.header[self.seen] = *byte;
                self.seen += 1;
                if self.seen < HEADER_BYTES {
                    continue;
                }
                let [a, b, c, ..] = self.header;
                self.left = u32::from_be_bytes([0, a, b, c]) as usize;
            }
            if self.left == 0 {
                self.seen = 0;
                let refuses = self.header[3] == RST_STREAM && self.tail == crate::practice::fault::REFUSED_STREAM;
                self.refused += u64::from(refuses);
            }
        }
    }

    /// Whether no frame is half written.
    pub(super) const fn is_between(&self) -> bool {
        self.seen == 0 && self.left == 0
    }

    /// Bytes that are certainly still this frame's, at least 1.
    pub(super) const fn left(&self) -> usize {
        if self.left > 0 { self.left } else { HEADER_BYTES - self.seen }
    }

    /// Streams refused since this was last asked.
    pub(super) const fn take_refused(&mut self) -> u64 {
        let n = self.refused;
        self.refused = 0;
        n
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_have_the_bytes_of_the_standard() {
        assert_eq!(goaway(5), [0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0]);
        let mut out = Vec::new();
        let head_bytes = answer(3, &[("a", "bc")], b"hi", &mut out);
        let head = [0, 0, 6, 1, 4, 0, 0, 0, 3, 0, 1, b'a', 2, b'b', b'c'];
        assert_eq!((head_bytes, &out[..head_bytes]), (head.len(), &head[..]));
        assert_eq!(out[head_bytes..], [0, 0, 2, 0, 1, 0, 0, 0, 3, b'h', b'i']);
        let mut out = Vec::new();
        answer(1, &[], b"", &mut out);
        assert_eq!(out, [0, 0, 0, 1, 5, 0, 0, 0, 1], "without a body the head ends the stream");
        let mut out = Vec::new();
        overpadded(1, &mut out);
        assert_eq!(out, [0, 0, 2, 0, 8, 0, 0, 0, 1, 255, 0]);
        assert_eq!(reset(&out), None);
        let mut out = Vec::new();
        frame(RST_STREAM, 0, 7, &[0, 0, 0, 8], &mut out);
        assert_eq!(reset(&out), Some((7, 13)));
    }

    #[test]
    fn lengths_are_hpack_integers() {
        for (n, expected) in [
            (0, &[0][..]),
            (126, &[126]),
            (127, &[127, 0]),
            (128, &[127, 1]),
            (254, &[127, 127]),
            (255, &[127, 128, 1]),
            (1337, &[127, 186, 9]),
        ] {
            let mut out = Vec::new();
            length(n, &mut out);
            assert_eq!(out, expected, "{n}");
        }
    }

    #[test]
    fn long_bodies_are_split_and_only_the_last_piece_ends_the_stream() {
        let mut out = Vec::new();
        let head_bytes = answer(1, &[], &vec![7; MOST_PAYLOAD + 1], &mut out);
        assert_eq!(out.len(), head_bytes + HEADER_BYTES + MOST_PAYLOAD + HEADER_BYTES + 1);
        assert_eq!(out[head_bytes..head_bytes + 5], [0, 0x40, 0, DATA, 0]);
        let last = out.len() - HEADER_BYTES - 1;
        assert_eq!(out[last..last + 5], [0, 0, 1, DATA, END_STREAM]);
    }

    #[test]
    fn the_follower_finds_the_gaps_between_frames_whatever_pieces_they_come_in() {
        let mut bytes = Vec::new();
        let mut gaps = vec![0];
        let refusal = 7_u32.to_be_bytes();
        for (kind, payload) in
            [(SETTINGS, &[][..]), (RST_STREAM, &refusal), (DATA, &[0, 0, 0, 7]), (RST_STREAM, &[0, 0, 0, 8])]
        {
            frame(kind, 0, 1, payload, &mut bytes);
            gaps.push(bytes.len());
        }
        for size in 1..=bytes.len() {
            let mut follower = Follower::default();
            let mut at = 0;
            for piece in bytes.chunks(size) {
                assert_eq!(follower.is_between(), gaps.contains(&at), "{size} {at}");
                follower.pass(piece);
                at += piece.len();
            }
            assert!(follower.is_between());
            assert_eq!((follower.take_refused(), follower.take_refused()), (1, 0), "{size}");
        }
    }
}
