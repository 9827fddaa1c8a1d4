//! Composing answers: every byte of a sound one, in one buffer, so that it goes out in one write. Pure.

use std::io::Write as _;

use super::behaviour::Shape;
use super::request::{Request, Route};

/// How an answer's body is delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// `Content-Length`.
    Length,
    /// Chunked, with a trailer after the last chunk.
    Chunked,
    /// HTTP/1.0 until the close.
    UntilClose,
}

/// What an answer says, apart from its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Form {
    /// Its status.
    pub(super) status: u16,
    /// How its body is delimited.
    pub(super) framing: Framing,
    /// The connection is closed after it.
    pub(super) close: bool,
    /// An HTTP/1.0 client asked to keep the connection and must be told that it is.
    pub(super) say_keep_alive: bool,
    /// The answer to `HEAD`.
    pub(super) head_only: bool,
}

impl Form {
    /// The form of a sound answer to `request`.
    pub(super) fn new(status: u16, request: &Request, shape: &Shape) -> Self {
        let framing = match (shape.http10, shape.chunked && !request.http10) {
            (true, _) => Framing::UntilClose,
            (false, true) => Framing::Chunked,
            (false, false) => Framing::Length,
        };
        Self {
            status,
            framing,
            close: shape.connection_close || shape.http10 || !request.keep_alive,
            say_keep_alive: request.http10 && request.keep_alive,
            head_only: request.head_only,
        }
    }

    /// Whether the answer has no body whatever its headers say (RFC 9110 §6.4.1).
    pub(super) const fn is_bodiless(&self) -> bool {
        self.head_only || self.status == 204 || self.status == 304
    }
}

/// The bodies that do not change while the server runs.
#[derive(Clone, Debug)]
pub(super) struct Pages {
    home: Vec<u8>,
    token: Vec<u8>,
}

impl Pages {
    /// `body_bytes`: size of `/` where it was chosen.
    pub(super) fn new(hostname: &str, seed: u64, body_bytes: Option<u32>) -> Self {
        let home = match body_bytes {
            Some(bytes) => vec![b'x'; bytes as usize],
            None => serde_json::json!({
                "hostname": hostname,
                "version": env!("CARGO_PKG_VERSION"),
                "message": "practice canary at your service",
            })
            .to_string()
            .into_bytes(),
        };
        let token = serde_json::json!({"token": format!("practice-{seed:016x}"), "expires_in_seconds": 60});
        Self { home, token: token.to_string().into_bytes() }
    }

    /// Status and body that a route answers with; the body is appended to `body`.
    pub(super) fn write(&self, route: Route, body: &mut Vec<u8>) -> u16 {
        match route {
            Route::Home => {
                body.extend_from_slice(&self.home);
                200
            }
            Route::Token => {
                body.extend_from_slice(&self.token);
                200
            }
            Route::Health => {
                body.extend_from_slice(br#"{"status":"OK"}"#);
                200
            }
            Route::Version => {
                append(body, format_args!("{{\"version\":\"{}\"}}", env!("CARGO_PKG_VERSION")));
                200
            }
            Route::Delay(delay) => {
                append(body, format_args!("{{\"delay_seconds\":{}}}", delay.as_secs_f64()));
                200
            }
            Route::Status(status) => error_page(status, body),
            Route::BadNumber => error_page(400, body),
            Route::WrongMethod => error_page(405, body),
            Route::Truth { .. } | Route::Reset | Route::Unknown => error_page(404, body),
        }
    }
}

/// The body that says nothing but a status.
pub(super) fn error_page(status: u16, body: &mut Vec<u8>) -> u16 {
    append(body, format_args!("{{\"status\":{status}}}"));
    status
}

/// Appends formatted text.
pub(super) fn append(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("a Vec takes every byte");
}

/// Appends a whole answer to `out`; the length of its head.
pub(super) fn compose(form: &Form, body: &[u8], out: &mut Vec<u8>) -> usize {
    let start = out.len();
    head(form, body.len() as u64, out);
    out.extend_from_slice(b"\r\n");
    let head_length = out.len() - start;
    if form.is_bodiless() {
        return head_length;
    }
    if form.framing == Framing::Chunked {
        let (first, second) = body.split_at(body.len() / 2);
        for part in [first, second].into_iter().filter(|part| !part.is_empty()) {
            append(out, format_args!("{:x}\r\n", part.len()));
            out.extend_from_slice(part);
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b"0\r\nX-Practice-End: yes\r\n\r\n");
    } else {
        out.extend_from_slice(body);
    }
    head_length
}

/// Appends status line and headers, without the empty line after them.
pub(super) fn head(form: &Form, body_bytes: u64, out: &mut Vec<u8>) {
    status_line(form, out);
    out.extend_from_slice(b"Content-Type: application/json\r\n");
    match form.framing {
        _ if form.status == 204 => {}
        Framing::Length => {
            out.extend_from_slice(b"Content-Length: ");
            decimal(body_bytes, out);
            out.extend_from_slice(b"\r\n");
        }
        Framing::Chunked => {
            out.extend_from_slice(b"Transfer-Encoding: chunked\r\nTrailer: X-Practice-End\r\n");
        }
        Framing::UntilClose => {}
    }
    if form.close {
        out.extend_from_slice(b"Connection: close\r\n");
    } else if form.say_keep_alive {
        out.extend_from_slice(b"Connection: keep-alive\r\n");
    }
}

/// Appends the status line.
pub(super) fn status_line(form: &Form, out: &mut Vec<u8>) {
    let version: &[u8] = if form.framing == Framing::UntilClose { b"HTTP/1.0 " } else { b"HTTP/1.1 " };
    out.extend_from_slice(version);
    decimal(u64::from(form.status), out);
    out.push(b' ');
    out.extend_from_slice(reason(form.status).as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// Appends a number in decimal; formatting machinery would cost more than the rest of the head.
fn decimal(mut number: u64, out: &mut Vec<u8>) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// The usual words for a status; a client may not rely on them.
const fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        304 => "Not Modified",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        413 => "Content Too Large",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Chosen",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Form =
        Form { status: 200, framing: Framing::Length, close: false, say_keep_alive: false, head_only: false };

    fn text(form: Form, body: &str) -> (String, usize) {
        let mut out = Vec::new();
        let head_length = compose(&form, body.as_bytes(), &mut out);
        (String::from_utf8(out).unwrap(), head_length)
    }

    #[test]
    fn every_form_is_sound_to_the_byte() {
        let json = "Content-Type: application/json\r\n";
        let rows = [
            (PLAIN, format!("HTTP/1.1 200 OK\r\n{json}Content-Length: 5\r\n\r\nhello")),
            (Form { head_only: true, ..PLAIN }, format!("HTTP/1.1 200 OK\r\n{json}Content-Length: 5\r\n\r\n")),
            (
                Form { close: true, status: 503, ..PLAIN },
                format!(
                    "HTTP/1.1 503 Service Unavailable\r\n{json}Content-Length: 5\r\nConnection: close\r\n\r\nhello"
                ),
            ),
            (
                Form { say_keep_alive: true, ..PLAIN },
                format!("HTTP/1.1 200 OK\r\n{json}Content-Length: 5\r\nConnection: keep-alive\r\n\r\nhello"),
            ),
            (Form { status: 204, ..PLAIN }, format!("HTTP/1.1 204 No Content\r\n{json}\r\n")),
            (
                Form { framing: Framing::Chunked, ..PLAIN },
                format!(
                    "HTTP/1.1 200 OK\r\n{json}Transfer-Encoding: chunked\r\nTrailer: X-Practice-End\r\n\r\n\
                     2\r\nhe\r\n3\r\nllo\r\n0\r\nX-Practice-End: yes\r\n\r\n"
                ),
            ),
            (
                Form { framing: Framing::UntilClose, close: true, ..PLAIN },
                format!("HTTP/1.0 200 OK\r\n{json}Connection: close\r\n\r\nhello"),
            ),
        ];
        for (form, expected) in rows {
            let (answer, head_length) = text(form, "hello");
            assert_eq!(answer, expected);
            assert_eq!(head_length, expected.find("\r\n\r\n").unwrap() + 4);
        }
    }

    #[test]
    fn the_pages_are_json_and_the_size_of_home_can_be_chosen() {
        let pages = Pages::new("host \"7\"", 1, None);
        for route in [Route::Home, Route::Token, Route::Health, Route::Version, Route::Status(503), Route::Unknown] {
            let mut body = Vec::new();
            pages.write(route, &mut body);
            serde_json::from_slice::<serde_json::Value>(&body).expect("json");
        }
        let mut body = Vec::new();
        assert_eq!(Pages::new("h", 1, Some(3)).write(Route::Home, &mut body), 200);
        assert_eq!(body, b"xxx");
    }

    #[test]
    fn numbers_are_written_in_decimal() {
        for number in [0, 7, 10, 12_345, u64::MAX] {
            let mut out = Vec::new();
            decimal(number, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), number.to_string());
        }
    }
}
