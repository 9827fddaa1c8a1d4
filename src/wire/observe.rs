//! Who looks at an answer while it streams by. Bodies are never collected unless an observer does so.

/// The head of an answer.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    /// Status, 100–999.
    pub status: u16,
    /// Its header fields.
    pub fields: Fields<'a>,
}

/// Header fields as the protocol has them.
#[derive(Clone, Copy, Debug)]
pub enum Fields<'a> {
    /// HTTP/1, in the order received.
    Http1(&'a [httparse::Header<'a>]),
    /// HTTP/2 and gRPC.
    Http2(&'a http::HeaderMap),
}

impl<'a> Fields<'a> {
    /// The value of the first field of that name, upper and lower case alike; `None` when there is none.
    #[must_use]
    pub fn get(self, name: &str) -> Option<&'a [u8]> {
        match self {
            Self::Http1(fields) => fields.iter().find(|f| f.name.eq_ignore_ascii_case(name)).map(|f| f.value),
            Self::Http2(fields) => fields.get(name).map(http::HeaderValue::as_bytes),
        }
    }
}

/// Sees an answer as it arrives and says whether it met what was expected.
pub trait Observe {
    /// The final head; interim answers (1xx) are not shown.
    fn head(&mut self, head: Head<'_>);
    /// A piece of the body, chunk framing removed.
    fn chunk(&mut self, piece: &[u8]);
    /// Whether every expectation held. Asked once, after a complete answer.
    fn verdict(&mut self) -> bool;
}

/// Looks at nothing and expects nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Discard;

impl Observe for Discard {
    fn head(&mut self, _: Head<'_>) {}

    fn chunk(&mut self, _: &[u8]) {}

    fn verdict(&mut self) -> bool {
        true
    }
}
