use super::*;
use crate::wire::Discard;
use proptest::prelude::*;

/// Reads `bytes` in pieces ending at each of `cuts`, as a connection would deliver them.
fn read(bytes: &[u8], cuts: &[usize], to_head_request: bool) -> Result<(Decoder, usize), Malformed> {
    let mut decoder = Decoder::new(to_head_request);
    let mut used = 0;
    let mut ends: Vec<usize> = cuts.iter().map(|c| c % (bytes.len() + 1)).collect();
    ends.push(bytes.len());
    ends.sort_unstable();
    for end in ends {
        used += decoder.advance(&bytes[used.min(end)..end], &mut Discard)?;
    }
    Ok((decoder, used))
}

#[test]
fn whole_answers_are_understood() {
    // (answer, to HEAD, body bytes, keep-alive, bytes left over, why)
    let cases: &[(&str, bool, u64, bool, usize, &str)] = &[
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", false, 2, true, 0, "a length"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nhi", false, 2, true, 0, "a repeated equal length"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", false, 0, true, 0, "an empty body"),
        ("HTTP/1.1 204 No Content\r\n\r\n", false, 0, true, 0, "204 has no body"),
        ("HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n", false, 0, true, 0, "304 has no body"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", true, 0, true, 0, "HEAD has no body"),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: CHUNKED\r\n\r\n2\r\nhi\r\n0\r\n\r\n", false, 2, true, 0, "chunked"),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n1;a=b\r\nh\r\n0\r\nX-T: 1\r\nY: 2\r\n\r\n",
            false,
            1,
            true,
            0,
            "extensions and trailers",
        ),
        ("HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 0\r\n\r\n", false, 0, false, 0, "close"),
        ("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", false, 1, false, 0, "HTTP/1.0 closes"),
        (
            "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 1\r\n\r\nx",
            false,
            1,
            true,
            0,
            "HTTP/1.0 may keep",
        ),
        (
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
            false,
            1,
            true,
            0,
            "interim answers are passed over",
        ),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP/1.1", false, 1, true, 8, "what follows is not ours"),
        ("HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n", false, 0, false, 0, "101 ends HTTP on this connection"),
    ];
    for (answer, head, body, keep, left, why) in cases {
        let (decoder, used) = read(answer.as_bytes(), &[], *head).unwrap_or_else(|_| panic!("{why}: malformed"));
        assert!(decoder.is_done(), "{why}");
        assert_eq!((decoder.body_bytes(), decoder.keep_alive(), answer.len() - used), (*body, *keep, *left), "{why}");
    }
}

#[test]
fn answers_that_cannot_be_trusted_are_malformed() {
    let many = |n: usize| format!("HTTP/1.1 200 OK\r\n{}Content-Length: 0\r\n\r\n", "A: b\r\n".repeat(n));
    let endless = format!("HTTP/1.1 200 OK\r\nA: {}", "x".repeat(MOST_HEAD_BYTES));
    let interim = "HTTP/1.1 100 Continue\r\n\r\n".repeat(17);
    let cases: &[(&str, &str)] = &[
        ("SSH-2.0-OpenSSH_9.2\r\n", "another protocol"),
        ("HTTP/2.0 200 OK\r\n\r\n", "another version"),
        ("HTTP/1.1 99 Low\r\n\r\n", "no such status"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx", "lengths that differ"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\nxx", "lengths that differ in one field"),
        ("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "a negative length"),
        ("HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\n", "a signed length"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", "a length past 64 bits"),
        ("HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n", "an empty length"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n", "both framings"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "a coding that does not end in chunked"),
        ("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "chunked in HTTP/1.0"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n", "a size that is no number"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n", "an empty size"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n11111111111111111\r\n", "a size past 64 bits"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", "data longer than its size"),
        (&many(MOST_HEADERS), "one field too many"),
        (&endless, "an endless header"),
        (&interim, "endless interim answers"),
    ];
    for (answer, why) in cases {
        assert_eq!(read(answer.as_bytes(), &[], false).map(|_| ()), Err(Malformed), "{why}");
    }
    assert!(read(many(MOST_HEADERS - 1).as_bytes(), &[], false).is_ok_and(|(d, _)| d.is_done()));
}

#[test]
fn the_end_of_the_connection_means_what_the_framing_says() {
    let cases: &[(&str, Ended)] = &[
        ("", Ended::BeforeFirstByte),
        ("HTTP/1.1 20", Ended::InHead),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", Ended::InBody),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", Ended::InBody),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n", Ended::InBody),
        ("HTTP/1.1 200 OK\r\n\r\nall there is", Ended::Complete),
    ];
    for (answer, expected) in cases {
        let (mut decoder, _) = read(answer.as_bytes(), &[], false).expect("it is a beginning of an answer");
        assert_eq!(decoder.end(), *expected, "{answer:?}");
    }
}

#[test]
fn a_ten_gibibyte_length_is_only_a_number() {
    let mut decoder = Decoder::new(false);
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 10737418240\r\n\r\n";
    assert_eq!(decoder.advance(head, &mut Discard), Ok(head.len()));
    let piece = vec![0; 1 << 20];
    for _ in 0..10_240 {
        assert!(!decoder.is_done());
        assert_eq!(decoder.advance(&piece, &mut Discard), Ok(piece.len()));
    }
    assert!(decoder.is_done());
    assert_eq!(decoder.body_bytes(), 10 << 30);
}

proptest! {
    #[test]
    fn where_the_network_cuts_the_bytes_makes_no_difference(chunks in prop::collection::vec(1usize..40, 0..5), interim in 0usize..3, cuts in prop::collection::vec(any::<usize>(), 0..12)) {
        let mut answer = "HTTP/1.1 100 Continue\r\n\r\n".repeat(interim);
        answer.push_str("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        for size in &chunks {
            answer.push_str(&format!("{size:x};x\r\n{}\r\n", "y".repeat(*size)));
        }
        answer.push_str("0\r\nT: 1\r\n\r\nrest");
        let (decoder, used) = read(answer.as_bytes(), &cuts, false).expect("it is well formed");
        prop_assert!(decoder.is_done());
        prop_assert_eq!(decoder.body_bytes(), chunks.iter().sum::<usize>() as u64);
        prop_assert!(used <= answer.len() - 4 && used >= answer.len() - 4);
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..600), cuts in prop::collection::vec(any::<usize>(), 0..4)) {
        let mut answer = b"HTTP/1.1 200 OK\r\n".to_vec();
        answer.extend(bytes);
        if let Ok((mut decoder, used)) = read(&answer, &cuts, false) {
            prop_assert!(used <= answer.len());
            decoder.end();
        }
    }
}
