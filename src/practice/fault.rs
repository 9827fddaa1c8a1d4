//! What can be done to an answer, and which request it is done to. Pure.
//!
//! A share is a fixed pattern: after n requests exactly ⌊n·share⌋ have had it, so that a test can demand "20 of
//! 1000" and two runs meet the same trouble at the same request.

use std::time::Duration;

use super::behaviour::{BadKind, Behaviour};
use super::latency::{Draw, uniform};
use super::value::Share;

/// What a request came by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wire {
    /// HTTP/1.0 or HTTP/1.1.
    Http1,
    /// HTTP/2.
    Http2,
    /// A gRPC call over HTTP/2.
    Grpc,
}

/// Something wrong with one answer, said of HTTP/1 where both versions have it; `docs/canary.md` has what each means over
/// HTTP/2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The connection is reset (RST) instead of an answer.
    Reset,
    /// The connection is closed (FIN) before any byte.
    Close,
    /// `Content-Length` announces the whole body, half of it comes, then FIN.
    Truncate,
    /// A chunked body that ends (FIN) without its last chunk.
    TruncateChunked,
    /// Bytes that are not HTTP, then FIN.
    Garbage,
    /// No answer at all; the connection stays open until the client closes it.
    Hang,
    /// The body comes at this many bytes a second.
    SlowBody(u64),
    /// Header lines without end.
    EndlessHeaders,
    /// A body of this many zeros, whatever was asked.
    HugeBody(u64),
    /// FIN after this many bytes of the answer, head included; a shorter answer is sent whole before.
    CloseAfter(u64),
    /// An answer that contradicts the protocol; the connection stays open.
    Malformed(Malformed),
    /// A sound answer with headers of this many bytes together.
    HugeHeaders(u64),
    /// HTTP/2: `RST_STREAM` with this code instead of an answer.
    RstStream(u32),
    /// HTTP/2: `RST_STREAM` with this code after half of the body.
    RstBody(u32),
    /// HTTP/2: `SETTINGS` without end.
    SettingsFlood,
    /// gRPC: a message and no trailers after it.
    MissingTrailers,
    /// gRPC: trailers without `grpc-status`.
    NoGrpcStatus,
    /// gRPC: `grpc-status` 0, but no message.
    NoMessage,
}

impl Fault {
    /// The name of its flag and of its counter in the truth.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reset => "reset",
            Self::Close => "close",
            Self::Truncate => "truncate",
            Self::TruncateChunked => "truncate-chunked",
            Self::Garbage => "garbage",
            Self::Hang => "hang",
            Self::SlowBody(_) => "slow-body",
            Self::EndlessHeaders => "endless-headers",
            Self::HugeBody(_) => "huge-body",
            Self::CloseAfter(_) => "close-after",
            Self::Malformed(_) => "malformed",
            Self::HugeHeaders(_) => "huge-headers",
            Self::RstStream(_) => "rst-stream",
            Self::RstBody(_) => "rst-body",
            Self::SettingsFlood => "settings-flood",
            Self::MissingTrailers => "missing-trailers",
            Self::NoGrpcStatus => "no-grpc-status",
            Self::NoMessage => "no-message",
        }
    }

    /// Whether it can be done to a request that came by `wire`.
    pub(super) const fn befalls(self, wire: Wire) -> bool {
        match self {
            Self::RstStream(_) | Self::RstBody(_) | Self::SettingsFlood => !matches!(wire, Wire::Http1),
            Self::MissingTrailers | Self::NoGrpcStatus | Self::NoMessage => matches!(wire, Wire::Grpc),
            _ => true,
        }
    }
}

/// The codes of `RST_STREAM` with the names they have in the settings (RFC 9113 §7); `REFUSED_STREAM` says that the
/// request was not processed and may be sent again.
pub const RESET_CODES: [(&str, u32); 14] = [
    ("no-error", 0),
    ("protocol-error", 1),
    ("internal-error", 2),
    ("flow-control-error", 3),
    ("settings-timeout", 4),
    ("stream-closed", 5),
    ("frame-size-error", 6),
    ("refused-stream", REFUSED_STREAM),
    ("cancel", 8),
    ("compression-error", 9),
    ("connect-error", 10),
    ("enhance-your-calm", 11),
    ("inadequate-security", 12),
    ("http-1-1-required", 13),
];

/// The code with which a stream is refused before anything was done for it.
pub(super) const REFUSED_STREAM: u32 = 7;

/// How an answer contradicts the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// Both `Content-Length` and `Transfer-Encoding: chunked` (RFC 9112 §6.3).
    BothLengths,
    /// Two `Content-Length` headers that differ.
    TwoLengths,
    /// More bytes than `Content-Length` announces, in the same write.
    Excess,
    /// A `Content-Length` that is no number.
    BadLength,
    /// A chunk whose size is not hexadecimal.
    BadChunk,
    /// A header line without a colon.
    BadHeader,
    /// A status of four digits.
    BadStatus,
}

impl Malformed {
    /// Every kind with the name it has in `--malformed`.
    pub const ALL: [(&str, Self); 7] = [
        ("both-lengths", Self::BothLengths),
        ("two-lengths", Self::TwoLengths),
        ("excess", Self::Excess),
        ("bad-length", Self::BadLength),
        ("bad-chunk", Self::BadChunk),
        ("bad-header", Self::BadHeader),
        ("bad-status", Self::BadStatus),
    ];

    /// The kind of that name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().find(|(name, _)| *name == text.trim()).map(|(_, kind)| *kind)
    }

    /// Whether a strict client can read the status before it meets the contradiction.
    #[must_use]
    pub const fn status_is_readable(self) -> bool {
        matches!(self, Self::Excess | Self::BadChunk)
    }
}

/// One share's place in its pattern.
#[derive(Clone, Copy, Debug, Default)]
struct Pattern {
    seen: u64,
    given: u64,
}

impl Pattern {
    /// Counts one more; whether it is owed its turn.
    fn see(&mut self, share: Share) -> bool {
        self.seen += 1;
        share.of(self.seen) > self.given
    }
}

/// What is to happen to one request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Decision {
    /// It gets the error status.
    pub(super) error: bool,
    /// Its answer suffers this.
    pub(super) fault: Option<Fault>,
}

/// Deals errors and faults out to requests in the order they arrive.
#[derive(Clone, Debug, Default)]
pub(super) struct Dealer {
    errors: Pattern,
    faults: Vec<Pattern>,
}

impl Dealer {
    /// Decides about request `n` (from 1), which came by `wire` and arrived `since_first` after the first one.
    ///
    /// A fault's share is of the requests that it can befall.
    /// A request has at most one fault; of two that are owed at once the later flag's waits for the next request. An
    /// error and a fault share a request only when all shares together exceed 100 %.
    pub(super) fn deal(
        &mut self,
        behaviour: &Behaviour,
        wire: Wire,
        n: u64,
        since_first: Duration,
        bad: Option<BadKind>,
    ) -> Decision {
        let error = bad == Some(BadKind::Errors) || self.error(behaviour, n, since_first);
        if behaviour.faults.is_empty() {
            return Decision { error, fault: None };
        }
        self.faults.resize(behaviour.faults.len(), Pattern::default());
        let mut room = !error || behaviour.shares_overlap();
        let mut fault = None;
        for (pattern, (kind, share)) in self.faults.iter_mut().zip(&behaviour.faults) {
            if kind.befalls(wire) && pattern.see(*share) && room {
                pattern.given += 1;
                fault = Some(*kind);
                room = false;
            }
        }
        Decision { error, fault }
    }

    fn error(&mut self, behaviour: &Behaviour, n: u64, since_first: Duration) -> bool {
        let errors = &behaviour.errors;
        if errors.share.is_none() || errors.burst.is_some_and(|burst| burst.turn(since_first, burst.rest()).is_none()) {
            return false;
        }
        if errors.random {
            return uniform(behaviour.seed, Draw::Error, n) < errors.share.ratio();
        }
        let owed = self.errors.see(errors.share);
        self.errors.given += u64::from(owed);
        owed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn behaviour(settings: &[(&str, &str)]) -> Behaviour {
        Behaviour::parse(settings.iter().copied()).expect("the settings are right")
    }

    fn deal(settings: &[(&str, &str)], n: u64) -> Vec<Decision> {
        let behaviour = behaviour(settings);
        let mut dealer = Dealer::default();
        (1..=n).map(|i| dealer.deal(&behaviour, Wire::Http1, i, Duration::from_millis(i * 10), None)).collect()
    }

    fn numbers(decisions: &[Decision], wanted: impl Fn(&Decision) -> bool) -> Vec<usize> {
        decisions.iter().enumerate().filter(|(_, d)| wanted(d)).map(|(i, _)| i + 1).collect()
    }

    #[test]
    fn two_percent_is_every_fiftieth_request_and_exactly_twenty_of_a_thousand() {
        let decisions = deal(&[("errors", "2%")], 1000);
        let errors = numbers(&decisions, |d| d.error);
        assert_eq!(errors, (1..=20).map(|i| i * 50).collect::<Vec<_>>());
    }

    #[test]
    fn after_any_number_of_requests_the_floor_of_the_share_has_erred() {
        for share in ["0.5%", "1/3", "7%", "99.9%", "100%"] {
            let decisions = deal(&[("errors", share)], 777);
            let share = super::super::value::share(share).unwrap();
            for n in 0..=777 {
                let erred = decisions[..n].iter().filter(|d| d.error).count() as u64;
                assert_eq!(erred, share.of(n as u64), "{share:?} after {n}");
            }
        }
    }

    #[test]
    fn faults_that_fall_together_move_to_the_next_request() {
        let decisions = deal(&[("errors", "2%"), ("reset", "1%"), ("close", "1%")], 1002);
        assert_eq!(numbers(&decisions, |d| d.error).len(), 20);
        let resets = numbers(&decisions, |d| d.fault == Some(Fault::Reset));
        assert_eq!(resets, (1..=10).map(|i| i * 100 + 1).collect::<Vec<_>>());
        let closes = numbers(&decisions, |d| d.fault == Some(Fault::Close));
        assert_eq!(closes, (1..=10).map(|i| i * 100 + 2).collect::<Vec<_>>());
        assert!(decisions.iter().all(|d| !(d.error && d.fault.is_some())));
    }

    #[test]
    fn a_fault_of_one_protocol_befalls_its_share_of_that_protocols_requests_only() {
        let behaviour = behaviour(&[("rst-stream", "cancel:1/3"), ("missing-trailers", "1/2")]);
        let mut dealer = Dealer::default();
        let wires = [Wire::Http1, Wire::Http2, Wire::Grpc, Wire::Http1];
        let fault = |(n, wire)| dealer.deal(&behaviour, wire, n, Duration::ZERO, None).fault;
        let faults: Vec<Option<Fault>> = (1..=16).zip(wires.into_iter().cycle()).map(fault).collect();
        let mut expected = [None; 16];
        (expected[5], expected[10]) = (Some(Fault::RstStream(8)), Some(Fault::RstStream(8)));
        (expected[6], expected[14]) = (Some(Fault::MissingTrailers), Some(Fault::MissingTrailers));
        assert_eq!(faults, expected);
    }

    #[test]
    fn shares_beyond_the_whole_let_errors_suffer_faults_as_well() {
        let decisions = deal(&[("errors", "10%"), ("slow-body", "10B/s")], 100);
        assert_eq!(decisions.iter().filter(|d| d.error && d.fault.is_some()).count(), 10);
        assert_eq!(decisions.iter().filter(|d| d.fault.is_some()).count(), 100);
    }

    #[test]
    fn random_errors_come_in_the_share_but_not_in_the_pattern_and_again_with_the_same_seed() {
        let settings = [("errors", "2%"), ("errors-random", ""), ("seed", "3")];
        let errors = numbers(&deal(&settings, 50_000), |d| d.error);
        assert!((900..1100).contains(&errors.len()), "{}", errors.len());
        assert!(errors.iter().any(|n| n % 50 != 0));
        assert_eq!(errors, numbers(&deal(&settings, 50_000), |d| d.error));
    }

    #[test]
    fn a_burst_errs_only_in_the_last_part_of_each_period() {
        // A request every 10 ms; the last second of every five is a burst in which half of them err.
        let errors = numbers(&deal(&[("errors", "50%"), ("burst", "1s/5s")], 1_499), |d| d.error);
        assert_eq!(errors.len(), 150);
        assert!(errors.iter().all(|n| (n * 10) % 5_000 >= 4_000), "{errors:?}");
    }
}
