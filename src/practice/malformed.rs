//! Answers that contradict the protocol, byte by byte. Pure.

use super::answer::{Form, Framing, append, compose, head, status_line};
use super::fault::Malformed;

/// What follows a whole answer unasked.
pub(super) const EXCESS: &[u8] = b"and more than was announced";

/// Appends such an answer to `out`.
pub(super) fn compose_malformed(kind: Malformed, form: &Form, body: &[u8], out: &mut Vec<u8>) {
    let plain = Form { framing: Framing::Length, ..*form };
    let chunked = Form { framing: Framing::Chunked, ..*form };
    match kind {
        Malformed::BothLengths => {
            // Both framings end at the same byte: only a client that looks at the headers notices.
            let coded = format!("{:x}\r\n{}\r\n0\r\n\r\n", body.len(), String::from_utf8_lossy(body));
            head(&plain, coded.len() as u64, out);
            append(out, format_args!("Transfer-Encoding: chunked\r\n\r\n{coded}"));
        }
        Malformed::TwoLengths => {
            head(&plain, body.len() as u64, out);
            append(out, format_args!("Content-Length: {}\r\n\r\n", body.len() + 1));
            out.extend_from_slice(body);
        }
        Malformed::Excess => {
            compose(&plain, body, out);
            out.extend_from_slice(EXCESS);
        }
        Malformed::BadLength => {
            status_line(&plain, out);
            append(out, format_args!("Content-Length: {}x\r\n\r\n", body.len()));
            out.extend_from_slice(body);
        }
        Malformed::BadChunk => {
            head(&chunked, 0, out);
            out.extend_from_slice(b"\r\nzz\r\n");
            out.extend_from_slice(body);
            out.extend_from_slice(b"\r\n0\r\n\r\n");
        }
        Malformed::BadHeader => {
            status_line(&plain, out);
            append(out, format_args!("this line has no colon\r\nContent-Length: {}\r\n\r\n", body.len()));
            out.extend_from_slice(body);
        }
        Malformed::BadStatus => {
            append(out, format_args!("HTTP/1.1 {}0 Odd\r\nContent-Length: {}\r\n\r\n", form.status, body.len()));
            out.extend_from_slice(body);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_malformed_in_its_own_way() {
        let form =
            Form { status: 200, framing: Framing::Length, close: false, say_keep_alive: false, head_only: false };
        for (kind, fragment) in [
            (Malformed::BothLengths, "Content-Length: 12\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"),
            (Malformed::TwoLengths, "Content-Length: 2\r\nContent-Length: 3\r\n\r\nhi"),
            (Malformed::Excess, "Content-Length: 2\r\n\r\nhiand more than was announced"),
            (Malformed::BadLength, "HTTP/1.1 200 OK\r\nContent-Length: 2x\r\n\r\nhi"),
            (Malformed::BadChunk, "\r\n\r\nzz\r\nhi\r\n0\r\n\r\n"),
            (Malformed::BadHeader, "HTTP/1.1 200 OK\r\nthis line has no colon\r\nContent-Length: 2\r\n\r\nhi"),
            (Malformed::BadStatus, "HTTP/1.1 2000 Odd\r\nContent-Length: 2\r\n\r\nhi"),
        ] {
            let mut out = Vec::new();
            compose_malformed(kind, &form, b"hi", &mut out);
            let text = String::from_utf8(out).unwrap();
            assert!(text.ends_with(fragment), "{kind:?}: {text:?}");
            let mut headers = [httparse::EMPTY_HEADER; 8];
            let readable = httparse::Response::new(&mut headers).parse(text.as_bytes()).is_ok();
            let head_is_wrong = matches!(kind, Malformed::BadHeader | Malformed::BadStatus);
            assert_eq!(readable, !head_is_wrong, "{kind:?}");
        }
    }
}
