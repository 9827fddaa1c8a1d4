//! Reading requests: the head, and how its body is skipped. Pure.

use std::mem::MaybeUninit;
use std::time::Duration;

use super::value::positive;

/// Longest request head.
pub(super) const MOST_HEAD_BYTES: usize = 64 << 10;

/// Most headers in a request.
const MOST_HEADERS: usize = 256;

/// Longest wait `/delay/SECONDS` grants.
const MOST_DELAY_SECONDS: f64 = 600.0;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// `/`: a few words of JSON, or the chosen number of bytes.
    Home,
    /// `/status/CODE`: that status.
    Status(u16),
    /// `/delay/SECONDS`: the answer that much later.
    Delay(Duration),
    /// `POST /token`.
    Token,
    /// `/healthz`, `/readyz`.
    Health,
    /// `/version`.
    Version,
    /// `GET /__truth`, with every service time or without.
    Truth {
        /// `?values`.
        values: bool,
    },
    /// `POST /__reset`.
    Reset,
    /// A path that exists, asked with the wrong method.
    WrongMethod,
    /// A path whose number is out of range.
    BadNumber,
    /// Anything else.
    Unknown,
}

impl Route {
    /// Whether it asks the server about itself: never counted, never faulted.
    pub(super) const fn is_about_the_server(self) -> bool {
        matches!(self, Self::Truth { .. } | Self::Reset)
    }
}

/// How a request's body is delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyLength {
    /// This many bytes; 0 for none.
    Bytes(u64),
    /// Chunked.
    Chunked,
}

/// What the server needs to know about a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Request {
    /// What is asked for.
    pub(super) route: Route,
    /// `HEAD`: no body in the answer.
    pub(super) head_only: bool,
    /// The client speaks HTTP/1.0.
    pub(super) http10: bool,
    /// The client would keep the connection.
    pub(super) keep_alive: bool,
    /// The client waits for `100 Continue`.
    pub(super) expects_continue: bool,
    /// How its body is delimited.
    pub(super) body: BodyLength,
}

/// What the bytes so far amount to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parsed {
    /// Not the whole head yet.
    Partial,
    /// A request whose head is this long.
    Whole(Request, usize),
    /// Not a request; the status that says so.
    Bad(u16),
}

/// Reads a request head.
pub(super) fn parse(bytes: &[u8]) -> Parsed {
    let mut headers = [const { MaybeUninit::uninit() }; MOST_HEADERS];
    let mut head = httparse::Request::new(&mut []);
    let length = match head.parse_with_uninit_headers(bytes, &mut headers) {
        Ok(httparse::Status::Complete(length)) if length <= MOST_HEAD_BYTES => length,
        Ok(httparse::Status::Complete(_)) | Err(httparse::Error::TooManyHeaders) => return Parsed::Bad(431),
        Ok(httparse::Status::Partial) if bytes.len() > MOST_HEAD_BYTES => return Parsed::Bad(431),
        Ok(httparse::Status::Partial) => return Parsed::Partial,
        Err(_) => return Parsed::Bad(400),
    };
    let method = head.method.unwrap_or_default();
    let http10 = head.version == Some(0);
    let mut request = Request {
        route: route(method, head.path.unwrap_or_default()),
        head_only: method == "HEAD",
        http10,
        keep_alive: !http10,
        expects_continue: false,
        body: BodyLength::Bytes(0),
    };
    match read_headers(head.headers, &mut request) {
        Ok(()) => Parsed::Whole(request, length),
        Err(status) => Parsed::Bad(status),
    }
}

/// Takes from the headers what matters; the status to refuse with when they contradict the protocol.
fn read_headers(headers: &[httparse::Header<'_>], request: &mut Request) -> Result<(), u16> {
    let mut length: Option<u64> = None;
    let mut chunked = false;
    for header in headers {
        let value = header.value.trim_ascii();
        if header.name.eq_ignore_ascii_case("content-length") {
            let bytes = std::str::from_utf8(value).ok().and_then(super::value::whole_number).ok_or(400_u16)?;
            if length.is_some_and(|other| other != bytes) {
                return Err(400);
            }
            length = Some(bytes);
        } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
            if !value.eq_ignore_ascii_case(b"chunked") {
                return Err(501);
            }
            chunked = true;
        } else if header.name.eq_ignore_ascii_case("connection") {
            for token in value.split(|b| *b == b',').map(<[u8]>::trim_ascii) {
                if token.eq_ignore_ascii_case(b"close") {
                    request.keep_alive = false;
                } else if token.eq_ignore_ascii_case(b"keep-alive") && request.http10 {
                    request.keep_alive = true;
                }
            }
        } else if header.name.eq_ignore_ascii_case("expect") {
            request.expects_continue = value.eq_ignore_ascii_case(b"100-continue");
        }
    }
    request.body = match (chunked, length) {
        (true, Some(_)) => return Err(400),
        (true, None) => BodyLength::Chunked,
        (false, length) => BodyLength::Bytes(length.unwrap_or(0)),
    };
    Ok(())
}

/// What a method and a request target ask for.
pub(super) fn route(method: &str, target: &str) -> Route {
    let (path, query) = without_authority(target).split_once('?').unwrap_or((without_authority(target), ""));
    let posted = method == "POST";
    match path {
        "/" => Route::Home,
        "/healthz" | "/readyz" => Route::Health,
        "/version" => Route::Version,
        "/token" if posted => Route::Token,
        "/__reset" if posted => Route::Reset,
        "/__truth" if method == "GET" => Route::Truth { values: query == "values" || query == "values=1" },
        "/token" | "/__reset" | "/__truth" => Route::WrongMethod,
        _ => numbered(path),
    }
}

/// The path and query of a request target; clients of a proxy write the whole URL (RFC 9112 §3.2.2).
fn without_authority(target: &str) -> &str {
    match target.strip_prefix("http://") {
        Some(rest) => rest.find('/').map_or("/", |slash| &rest[slash..]),
        None => target,
    }
}

/// The paths that carry a number.
fn numbered(path: &str) -> Route {
    if let Some(code) = path.strip_prefix("/status/") {
        let code = code.parse().ok().filter(|code| (200..600).contains(code));
        return code.map_or(Route::BadNumber, Route::Status);
    }
    if let Some(seconds) = path.strip_prefix("/delay/") {
        let delay = if seconds == "0" { Some(0.0) } else { positive(seconds) };
        let delay = delay.filter(|seconds| *seconds <= MOST_DELAY_SECONDS);
        return delay.map_or(Route::BadNumber, |seconds| Route::Delay(Duration::from_secs_f64(seconds)));
    }
    Route::Unknown
}

/// Finds the end of a request body while its bytes are dropped; holds no bytes itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Skip {
    state: State,
    /// Size of the chunk being announced.
    size: u64,
    /// Bytes of chunk lines and trailers so far, which are bounded.
    overhead: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// In plain bytes, or a chunk's; this many are left.
    Bytes { left: u64, chunked: bool },
    /// In a chunk's size line; whether a digit was seen and whether its digits are over.
    Size { digits: bool, over: bool },
    /// After a chunk's bytes: its line end.
    ChunkEnd,
    /// In the trailers; whether the line so far is empty.
    Trailer { empty: bool },
    /// Past the end.
    Done,
}

/// A body that contradicts the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BadBody;

impl Skip {
    /// From the start of a body.
    pub(super) const fn new(length: BodyLength) -> Self {
        let state = match length {
            BodyLength::Bytes(0) => State::Done,
            BodyLength::Bytes(left) => State::Bytes { left, chunked: false },
            BodyLength::Chunked => State::Size { digits: false, over: false },
        };
        Self { state, size: 0, overhead: 0 }
    }

    /// Whether the whole body has passed.
    pub(super) fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Takes bytes up to the body's end; how many belonged to it.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Result<usize, BadBody> {
        let mut at = 0;
        while at < bytes.len() && self.state != State::Done {
            if let State::Bytes { left, chunked } = self.state {
                let taken = left.min((bytes.len() - at) as u64);
                at += taken as usize;
                self.state = match left - taken {
                    0 if chunked => State::ChunkEnd,
                    0 => State::Done,
                    left => State::Bytes { left, chunked },
                };
            } else {
                self.line_byte(bytes[at])?;
                at += 1;
            }
        }
        Ok(at)
    }

    /// One byte of a chunk's line, its end, or a trailer. A bare line feed ends a line as well.
    fn line_byte(&mut self, byte: u8) -> Result<(), BadBody> {
        self.overhead += 1;
        if self.overhead > MOST_HEAD_BYTES {
            return Err(BadBody);
        }
        self.state = match (self.state, byte) {
            (State::Size { digits: true, .. }, b'\n') => {
                let size = std::mem::take(&mut self.size);
                match size {
                    0 => State::Trailer { empty: true },
                    left => {
                        self.overhead = 0;
                        State::Bytes { left, chunked: true }
                    }
                }
            }
            (State::Size { digits: true, .. }, b';' | b'\r' | b' ' | b'\t') => State::Size { digits: true, over: true },
            (State::Size { digits: true, over: true }, b'\x20'..) => self.state,
            (State::Size { over: false, .. }, byte) => {
                let digit = char::from(byte).to_digit(16).ok_or(BadBody)?;
                let size = self.size.checked_mul(16).and_then(|size| size.checked_add(u64::from(digit)));
                self.size = size.ok_or(BadBody)?;
                State::Size { digits: true, over: false }
            }
            (State::ChunkEnd, b'\n') => State::Size { digits: false, over: false },
            (State::ChunkEnd, b'\r') => State::ChunkEnd,
            (State::Trailer { empty: true }, b'\n') => State::Done,
            (State::Trailer { .. }, b'\n') => State::Trailer { empty: true },
            (State::Trailer { .. }, b'\r') => self.state,
            (State::Trailer { .. }, _) => State::Trailer { empty: false },
            _ => return Err(BadBody),
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn whole(text: &str) -> Request {
        match parse(text.as_bytes()) {
            Parsed::Whole(request, length) => {
                assert_eq!(length, text.len());
                request
            }
            other => panic!("{other:?} for {text:?}"),
        }
    }

    #[test]
    fn each_path_is_what_it_says() {
        for (method, target, expected) in [
            ("GET", "/", Route::Home),
            ("GET", "/?x=1", Route::Home),
            ("GET", "http://host:80/healthz?x", Route::Health),
            ("GET", "http://host", Route::Home),
            ("GET", "/healthz", Route::Health),
            ("GET", "/readyz", Route::Health),
            ("GET", "/version", Route::Version),
            ("GET", "/status/503", Route::Status(503)),
            ("GET", "/status/100", Route::BadNumber),
            ("GET", "/status/999", Route::BadNumber),
            ("GET", "/status/x", Route::BadNumber),
            ("GET", "/delay/2", Route::Delay(Duration::from_secs(2))),
            ("GET", "/delay/0.25", Route::Delay(Duration::from_millis(250))),
            ("GET", "/delay/0", Route::Delay(Duration::ZERO)),
            ("GET", "/delay/601", Route::BadNumber),
            ("GET", "/delay/-1", Route::BadNumber),
            ("POST", "/token", Route::Token),
            ("GET", "/token", Route::WrongMethod),
            ("GET", "/__truth", Route::Truth { values: false }),
            ("GET", "/__truth?values", Route::Truth { values: true }),
            ("POST", "/__truth", Route::WrongMethod),
            ("POST", "/__reset", Route::Reset),
            ("GET", "/__reset", Route::WrongMethod),
            ("GET", "/nowhere", Route::Unknown),
        ] {
            assert_eq!(route(method, target), expected, "{method} {target}");
        }
    }

    #[test]
    fn version_and_connection_header_say_whether_the_connection_is_kept() {
        for (text, keep) in [
            ("GET / HTTP/1.1\r\n\r\n", true),
            ("GET / HTTP/1.1\r\nConnection: close\r\n\r\n", false),
            ("GET / HTTP/1.1\r\nconnection: x, CLOSE\r\n\r\n", false),
            ("GET / HTTP/1.0\r\n\r\n", false),
            ("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true),
        ] {
            assert_eq!(whole(text).keep_alive, keep, "{text:?}");
        }
    }

    #[test]
    fn contradictory_requests_are_refused_with_the_right_status() {
        for (text, status) in [
            ("GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
            ("GET / HTTP/3.0\r\n\r\n", 400),
            ("\0\0\0\0", 400),
        ] {
            assert_eq!(parse(text.as_bytes()), Parsed::Bad(status), "{text:?}");
        }
        let long = format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(MOST_HEAD_BYTES));
        assert_eq!(parse(long.as_bytes()), Parsed::Bad(431));
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(MOST_HEADERS + 1));
        assert_eq!(parse(many.as_bytes()), Parsed::Bad(431));
        assert_eq!(parse(b"GET / HTT"), Parsed::Partial);
    }

    #[test]
    fn a_body_ends_where_its_framing_says_however_it_is_cut() {
        for (length, body, used) in [
            (BodyLength::Bytes(5), "helloNEXT", 5),
            (BodyLength::Bytes(0), "NEXT", 0),
            (BodyLength::Chunked, "5\r\nhello\r\n0\r\n\r\nNEXT", 15),
            (BodyLength::Chunked, "5;ext=1\r\nhello\r\nA\r\n0123456789\r\n0\r\nX: y\r\n\r\nNEXT", 42),
            (BodyLength::Chunked, "0\n\nNEXT", 3),
        ] {
            for step in 1..=body.len() {
                let mut skip = Skip::new(length);
                let mut taken = 0;
                for part in body.as_bytes().chunks(step) {
                    taken += skip.feed(part).expect("a sound body");
                }
                assert!(skip.is_done());
                assert_eq!(taken, used, "{body:?} by {step}");
            }
        }
    }

    #[test]
    fn a_chunked_body_that_contradicts_itself_is_refused() {
        for body in ["\r\n", "x\r\n", "-1\r\n", "5\r\nhelloX", "fffffffffffffffff\r\n", ";\r\n"] {
            assert_eq!(Skip::new(BodyLength::Chunked).feed(body.as_bytes()), Err(BadBody), "{body:?}");
        }
        let endless = "0\r\n".to_owned() + &"X: y\r\n".repeat(MOST_HEAD_BYTES);
        assert_eq!(Skip::new(BodyLength::Chunked).feed(endless.as_bytes()), Err(BadBody));
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            parse(&bytes);
            let mut skip = Skip::new(BodyLength::Chunked);
            if let Ok(used) = skip.feed(&bytes) {
                prop_assert!(used <= bytes.len());
            }
        }
    }
}
