//! Any bytes as an HTTP/1 answer: no panic, no byte used twice, and the same reading wherever the network cuts them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tollgate::wire::Discard;
use tollgate::wire::http1::decode::{Decoder, MOST_HEAD_BYTES};

/// Feeds `bytes` in two pieces and says what came of them.
fn read(bytes: &[u8], cut: usize, to_head_request: bool) -> (Option<u16>, u64, bool, bool) {
    let mut decoder = Decoder::new(to_head_request);
    let mut used = 0;
    for end in [cut, bytes.len()] {
        match decoder.advance(&bytes[used.min(end)..end], &mut Discard) {
            Ok(step) => used += step,
            Err(_) => return (None, 0, false, true),
        }
        assert!(used <= bytes.len());
    }
    decoder.end();
    (decoder.status(), decoder.body_bytes(), decoder.is_done(), false)
}

fuzz_target!(|input: (usize, bool, Vec<u8>)| {
    let (cut, to_head_request, bytes) = input;
    if bytes.len() > 2 * MOST_HEAD_BYTES {
        return;
    }
    let cut = cut % (bytes.len() + 1);
    let whole = read(&bytes, bytes.len(), to_head_request);
    assert_eq!(read(&bytes, cut, to_head_request), whole);
});
