//! One finished request: when it was due, when it went out, when it was answered, and how it ended.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

use super::Outcome;

/// Nanoseconds on the run's clock: a point in time since the run's start, or a span between two such points.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ns(pub u64);

impl Ns {
    /// Zero.
    pub const ZERO: Self = Self(0);
    /// Later than any time a run can reach.
    pub const MAX: Self = Self(u64::MAX);

    /// A whole number of milliseconds.
    #[must_use]
    pub const fn from_millis(ms: u64) -> Self {
        Self(ms * 1_000_000)
    }

    /// A whole number of seconds.
    #[must_use]
    pub const fn from_secs(s: u64) -> Self {
        Self(s * 1_000_000_000)
    }

    /// The span from `earlier` to here; zero if `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Self {
        Self(self.0.saturating_sub(earlier.0))
    }

    /// Seconds, for display and JSON.
    #[must_use]
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }
}

impl Add for Ns {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Ns {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self.since(other)
    }
}

impl From<Duration> for Ns {
    fn from(d: Duration) -> Self {
        Self(u64::try_from(d.as_nanos()).unwrap_or(u64::MAX))
    }
}

impl From<Ns> for Duration {
    fn from(ns: Ns) -> Self {
        Self::from_nanos(ns.0)
    }
}

impl fmt::Display for Ns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", Duration::from(*self))
    }
}

/// How long each phase of opening a connection took; zero where the phase did not happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DialTimes {
    /// Name resolution.
    pub dns: Ns,
    /// TCP (or unix socket) connect, over all addresses tried.
    pub connect: Ns,
    /// TLS handshake.
    pub tls: Ns,
    /// How much of it the request itself waited for; zero when the connection was opened ahead of time.
    pub waited: Ns,
}

impl DialTimes {
    /// The whole time the dial took, waited for or not.
    #[must_use]
    pub fn total(self) -> Ns {
        self.dns + self.connect + self.tls
    }
}

/// One finished request. Small and `Copy`: no URL, header or error text travels with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Which kind of request this was: the number of its URL among those of the plan; 0 where there is only one.
    pub class: u16,
    /// When the schedule wanted it sent.
    pub due: Ns,
    /// From when its latency counts: `due`, moved later only by our own lateness.
    pub origin: Ns,
    /// When its first byte went to the kernel, after any dial. Equal to `done` if it was never sent.
    pub sent: Ns,
    /// When the first byte of the answer arrived; equal to `done` if none did.
    pub first: Ns,
    /// When the last byte of the body arrived, or the request was given up.
    pub done: Ns,
    /// How its connection was opened, if this is the first request on it.
    pub dial: Option<DialTimes>,
    /// How it ended.
    pub outcome: Outcome,
    /// Bytes of the response body.
    pub bytes: u64,
    /// It was sent a second time because a reused connection died before answering.
    pub resent: bool,
    /// Our own process stood still while it was in flight: its times are not only the target's.
    pub tainted: bool,
    /// It went over a lane opened on top of the ones asked for, because the target held those.
    pub extra_lane: bool,
    /// It was not answered by whom the load is to judge, or nobody can tell: counted apart, not judged.
    pub elsewhere: bool,
}

impl Sample {
    /// A request of the first URL that went out when it was due, at `at`, over a connection that was open, and was
    /// over at `done`; what else there was to it is added by the caller.
    #[must_use]
    pub const fn of(at: Ns, done: Ns, outcome: Outcome) -> Self {
        Self {
            class: 0,
            due: at,
            origin: at,
            sent: at,
            first: done,
            done,
            dial: None,
            outcome,
            bytes: 0,
            resent: false,
            tainted: false,
            extra_lane: false,
            elsewhere: false,
        }
    }

    /// Intended start to last byte: what a user waiting for this request would have felt.
    #[must_use]
    pub fn latency(&self) -> Ns {
        self.done.since(self.origin)
    }

    /// First byte out to last byte in: what the target took once asked (hey's "response time").
    #[must_use]
    pub fn service(&self) -> Ns {
        self.done.since(self.sent)
    }

    /// Time spent waiting for a free lane or connection slot, the dial left out.
    #[must_use]
    pub fn queue(&self) -> Ns {
        self.sent.since(self.origin).since(self.dial.unwrap_or_default().waited)
    }

    /// First byte out to first byte in.
    #[must_use]
    pub fn ttfb(&self) -> Ns {
        self.first.since(self.sent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latency_runs_from_the_intended_start_and_service_from_the_send() {
        let sample = Sample {
            origin: Ns(100),
            sent: Ns(160),
            first: Ns(200),
            dial: Some(DialTimes { dns: Ns(5), connect: Ns(15), tls: Ns(0), waited: Ns(20) }),
            ..Sample::of(Ns(90), Ns(250), Outcome::http(200))
        };
        assert_eq!(sample.latency(), Ns(150));
        assert_eq!(sample.service(), Ns(90));
        assert_eq!(sample.queue(), Ns(40));
        assert_eq!(sample.ttfb(), Ns(40));
        assert_eq!(Ns(1).since(Ns(2)), Ns::ZERO);
    }
}
