//! What must hold under a fault, and whether it did.

use std::fmt;

/// One thing that must hold.
pub(crate) struct Claim {
    /// In words.
    pub(crate) what: &'static str,
    /// Whether it did.
    pub(crate) held: bool,
    /// What was seen.
    pub(crate) seen: String,
}

/// All that must hold under one fault.
#[derive(Default)]
pub(crate) struct Claims(Vec<Claim>);

impl Claims {
    /// One more.
    pub(crate) fn and(mut self, what: &'static str, held: bool, seen: impl Into<String>) -> Self {
        self.0.push(Claim { what, held, seen: seen.into() });
        self
    }

    /// One after the other.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Claim> {
        self.0.iter()
    }
}

/// The fault cannot be injected on this machine, and why.
#[derive(Debug)]
pub(crate) struct NotHere(pub(crate) String);

impl fmt::Display for NotHere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotHere {}
