//! Messages as gRPC carries them: each behind a prefix that says whether it is compressed, and how long it is.

use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

/// Bytes before each message.
pub const PREFIX: usize = 5;

/// Largest message that is unpacked whole.
const MOST_UNPACKED: usize = 64 << 20;

/// A message behind its prefix, not compressed.
#[must_use]
pub fn framed(message: &[u8]) -> Vec<u8> {
    frame(0, message)
}

fn frame(flag: u8, message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    [&[flag][..], &length.to_be_bytes(), message].concat()
}

/// The same messages, each compressed with gzip.
#[must_use]
pub fn gzipped(frames: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    for message in messages(frames) {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        // Nothing is written but to memory.
        let bytes = encoder.write_all(message).and_then(|()| encoder.finish()).unwrap_or_default();
        packed.extend(frame(1, &bytes));
    }
    packed
}

/// The first message of a body, unpacked where it is packed; at most `most` bytes of it. `None` where it is cut short or
/// cannot be unpacked.
#[must_use]
pub fn first_message(frames: &[u8], most: usize) -> Option<Vec<u8>> {
    unpack(frames.first() != Some(&0), messages(frames).next()?, most)
}

/// The messages of a body that is whole, unpacked where they are packed; `None` in the place of one that cannot be, or is
/// larger than 64 MiB.
pub(super) fn unpacked(frames: &[u8]) -> impl Iterator<Item = Option<Vec<u8>>> {
    let mut at = 0;
    messages(frames).map(move |message| {
        let packed = frames[at] != 0;
        at += PREFIX + message.len();
        unpack(packed, message, MOST_UNPACKED + 1).filter(|message| message.len() <= MOST_UNPACKED)
    })
}

fn unpack(packed: bool, message: &[u8], most: usize) -> Option<Vec<u8>> {
    let mut unpacked = Vec::new();
    let read = match packed {
        false => message.take(most as u64).read_to_end(&mut unpacked),
        true => GzDecoder::new(message).take(most as u64).read_to_end(&mut unpacked),
    };
    read.ok().map(|_| unpacked)
}

/// The messages of a body that is whole, without their prefixes; what is cut short is left out.
pub fn messages(mut frames: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (prefix, rest) = frames.split_first_chunk::<PREFIX>()?;
        let length = u32::from_be_bytes([prefix[1], prefix[2], prefix[3], prefix[4]]) as usize;
        let (message, rest) = rest.split_at_checked(length)?;
        frames = rest;
        Some(message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_framed_taken_apart_and_packed() {
        let body = [framed(b"one"), framed(b""), framed(&[7; 300])].concat();
        let expected: [&[u8]; 3] = [b"one", b"", &[7; 300]];
        assert_eq!(messages(&body).collect::<Vec<_>>(), expected);
        assert_eq!(messages(&body[..body.len() - 1]).count(), 2, "the last is cut short");
        assert_eq!(messages(&body[..4]).count(), 0, "half a prefix");
        let packed = gzipped(&body);
        assert!(packed.len() < body.len() && packed[0] == 1);
        for (message, expected) in messages(&packed).zip(expected) {
            assert_eq!(first_message(&frame(1, message), 1_000).as_deref(), Some(expected));
        }
        assert_eq!(first_message(&framed(&[7; 300]), 100), Some(vec![7; 100]), "no more than is wanted");
        assert_eq!(first_message(&frame(1, b"no gzip"), 100), None);
        assert_eq!(first_message(&body[..4], 100), None);
    }
}
