//! How one request ended: a code, a fault, and which codes count as success.

use std::fmt;

/// What the server said, if it said anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// No status arrived.
    #[default]
    None,
    /// An HTTP status, 100–999.
    Http(u16),
    /// A gRPC status, 0 (OK) to 16.
    Grpc(u8),
}

/// The last status that gRPC has.
pub const LAST_GRPC: u8 = 16;

/// The name of a gRPC status (its documentation, "Status codes and their use in gRPC"); codes that gRPC does not know
/// are its UNKNOWN.
#[must_use]
pub const fn grpc_name(status: u8) -> &'static str {
    match status {
        0 => "OK",
        1 => "CANCELLED",
        3 => "INVALID_ARGUMENT",
        4 => "DEADLINE_EXCEEDED",
        5 => "NOT_FOUND",
        6 => "ALREADY_EXISTS",
        7 => "PERMISSION_DENIED",
        8 => "RESOURCE_EXHAUSTED",
        9 => "FAILED_PRECONDITION",
        10 => "ABORTED",
        11 => "OUT_OF_RANGE",
        12 => "UNIMPLEMENTED",
        13 => "INTERNAL",
        14 => "UNAVAILABLE",
        15 => "DATA_LOSS",
        16 => "UNAUTHENTICATED",
        _ => "UNKNOWN",
    }
}

/// The gRPC status that is written so: by its name, in upper or lower case, or by its number; `None` for no status.
#[must_use]
pub fn grpc_status(text: &str) -> Option<u8> {
    let named = (0..=LAST_GRPC).find(|status| grpc_name(*status).eq_ignore_ascii_case(text));
    named.or_else(|| text.parse().ok().filter(|status| *status <= LAST_GRPC))
}

/// What went wrong on the way, if anything did.
///
/// A fault does not hide the code: a 500 whose body was cut short is `Http(500)` *and* `Truncated`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// No complete answer within the time limit.
    Timeout,
    /// The connection was refused or no address could be reached.
    Refused,
    /// The connection ended or broke before the answer was complete in its head.
    Reset,
    /// The host name did not resolve.
    Dns,
    /// The TLS handshake failed.
    Tls,
    /// The answer broke the protocol.
    Malformed,
    /// The body ended early.
    Truncated,
    /// The answer arrived whole, but an expectation did not hold.
    Expect,
    /// A proxy on the way failed.
    Proxy,
    /// Our own fault: no ports or descriptors left, or a panic. Never counted against the target.
    Local,
}

impl Fault {
    /// Every fault, in the order reports list them.
    pub const ALL: [Self; 10] = [
        Self::Timeout,
        Self::Refused,
        Self::Reset,
        Self::Dns,
        Self::Tls,
        Self::Malformed,
        Self::Truncated,
        Self::Expect,
        Self::Proxy,
        Self::Local,
    ];

    /// The name used in reports, JSON and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Refused => "refused",
            Self::Reset => "reset",
            Self::Dns => "dns",
            Self::Tls => "tls",
            Self::Malformed => "malformed",
            Self::Truncated => "truncated",
            Self::Expect => "expect",
            Self::Proxy => "proxy",
            Self::Local => "local",
        }
    }

    /// What happened, for people.
    #[must_use]
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Timeout => "no complete answer before the end",
            Self::Refused => "nothing accepted the connection",
            Self::Reset => "the connection broke before an answer",
            Self::Dns => "the host name did not resolve",
            Self::Tls => "the TLS handshake failed",
            Self::Malformed => "the answer broke the protocol",
            Self::Truncated => "the body ended early",
            Self::Expect => "an expectation did not hold",
            Self::Proxy => "a proxy on the way failed",
            Self::Local => "our own fault: no ports or descriptors",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Code and fault together. Decided once per request, by the wire that carried it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Outcome {
    /// What the server said.
    pub code: Code,
    /// What went wrong, if anything.
    pub fault: Option<Fault>,
}

impl Outcome {
    /// An answer that arrived whole.
    #[must_use]
    pub const fn http(status: u16) -> Self {
        Self { code: Code::Http(status), fault: None }
    }

    /// A request that got no status at all.
    #[must_use]
    pub const fn fault(fault: Fault) -> Self {
        Self { code: Code::None, fault: Some(fault) }
    }

    /// The same code with a fault beside it; an earlier fault is kept.
    #[must_use]
    pub fn with(mut self, fault: Fault) -> Self {
        self.fault = self.fault.or(Some(fault));
        self
    }
}

/// Which HTTP statuses count as success; gRPC success is always OK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusSet([u64; 16]);

impl StatusSet {
    /// No status at all.
    pub const EMPTY: Self = Self([0; 16]);

    /// The default: 200–399.
    #[must_use]
    pub fn ok() -> Self {
        Self::EMPTY.with_range(200, 399)
    }

    /// Flagger's own meaning of success: anything but 500–599.
    #[must_use]
    pub fn non_5xx() -> Self {
        Self::EMPTY.with_range(100, 499)
    }

    /// The set with `first..=last` added; statuses above 999 are ignored.
    #[must_use]
    pub fn with_range(mut self, first: u16, last: u16) -> Self {
        for status in first..=last.min(999) {
            self.0[usize::from(status / 64)] |= 1 << (status % 64);
        }
        self
    }

    /// The statuses of either set.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self(std::array::from_fn(|word| self.0[word] | other.0[word]))
    }

    /// Whether `status` is in the set.
    #[must_use]
    pub fn contains(&self, status: u16) -> bool {
        self.0.get(usize::from(status / 64)).is_some_and(|word| word >> (status % 64) & 1 == 1)
    }

    /// Whether this outcome is a success: an allowed code, and no fault.
    #[must_use]
    pub fn accepts(&self, outcome: Outcome) -> bool {
        outcome.fault.is_none()
            && match outcome.code {
                Code::Http(status) => self.contains(status),
                Code::Grpc(status) => status == 0,
                Code::None => false,
            }
    }
}

impl Default for StatusSet {
    fn default() -> Self {
        Self::ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_never_a_success_whatever_the_status_said() {
        let ok = StatusSet::ok();
        assert!(ok.accepts(Outcome::http(200)) && ok.accepts(Outcome::http(399)));
        assert!(!ok.accepts(Outcome::http(400)) && !ok.accepts(Outcome::http(199)));
        assert!(!ok.accepts(Outcome::http(200).with(Fault::Truncated)));
        assert!(!ok.accepts(Outcome::fault(Fault::Reset)));
        assert!(!ok.accepts(Outcome { code: Code::Grpc(14), fault: None }));
        assert!(ok.accepts(Outcome { code: Code::Grpc(0), fault: None }));
    }

    #[test]
    fn flaggers_meaning_counts_a_404_as_success() {
        assert!(StatusSet::non_5xx().contains(404));
        assert!(!StatusSet::non_5xx().contains(500));
        assert!(!StatusSet::ok().contains(65_535));
    }
}
