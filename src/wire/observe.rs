//! Who looks at an answer while it streams by. Bodies are never collected unless an observer does so.

/// The head of an answer.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a, 'b> {
    /// Status, 100–999.
    pub status: u16,
    /// Header fields in the order received.
    pub headers: &'a [httparse::Header<'b>],
}

/// Sees an answer as it arrives and says whether it met what was expected.
pub trait Observe {
    /// The final head; interim answers (1xx) are not shown.
    fn head(&mut self, head: Head<'_, '_>);
    /// A piece of the body, chunk framing removed.
    fn chunk(&mut self, piece: &[u8]);
    /// Whether every expectation held. Asked once, after a complete answer.
    fn verdict(&mut self) -> bool;
}

/// Looks at nothing and expects nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Discard;

impl Observe for Discard {
    fn head(&mut self, _: Head<'_, '_>) {}

    fn chunk(&mut self, _: &[u8]) {}

    fn verdict(&mut self) -> bool {
        true
    }
}
