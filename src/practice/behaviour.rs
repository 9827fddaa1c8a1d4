//! How the practice canary behaves: plain data, all of it combinable. Pure.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

use super::fault::Fault;
use super::health::Health;
use super::latency::Latency;
use super::value::Share;

/// Everything that can be chosen. The default answers every request at once and well, on a free port of the loopback
/// address.
#[derive(Clone, Debug, PartialEq)]
pub struct Behaviour {
    /// Address to listen on.
    pub listen: IpAddr,
    /// Port to listen on; 0 takes a free one.
    pub port: u16,
    /// Seed of every random draw; the same seed gives the n-th request the same draw.
    pub seed: u64,
    /// How long an answer takes.
    pub latency: Latency,
    /// Added latency after the first request, falling to nothing.
    pub slow_start: Option<SlowStart>,
    /// The server freezes for the first part of each turn: answers due in it wait for its end.
    pub stall: Option<Cycle>,
    /// When the first freeze begins, after the first request; `None`: the period less the freeze.
    pub stall_phase: Option<Duration>,
    /// Answers with an error status.
    pub errors: Errors,
    /// Faults with the share of requests they befall, in order of precedence; together at most all requests.
    pub faults: Vec<(Fault, Share)>,
    /// Sound but unusual forms of every answer.
    pub shape: Shape,
    /// The server closes a connection, without notice, after this many requests; `None` never.
    pub keep_alive_max: Option<u64>,
    /// Connections on which everything is worse.
    pub bad_connections: Option<BadConnections>,
    /// Connections beyond this many are closed at once; `None` takes what the system gives.
    pub max_connections: Option<u64>,
    /// Protocols that are spoken.
    pub protocols: Protocols,
    /// What only HTTP/2 has.
    pub http2: Http2,
    /// What an error is to a gRPC call.
    pub grpc: GrpcErrors,
    /// What gRPC's health service says.
    pub health: Health,
    /// Encryption.
    pub tls: Tls,
}

/// Encryption, and the certificates for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// Connections are encrypted.
    pub on: bool,
    /// Files with the server's certificates and its key, in PEM; `None` makes them at the start.
    pub files: Option<(PathBuf, PathBuf)>,
    /// What is wrong with the certificate that is made.
    pub bad: Option<BadTls>,
    /// Clients must show a certificate that the authority made at the start has signed.
    pub needs_client: bool,
    /// Where the authority's certificate is written, in PEM.
    pub ca_out: Option<PathBuf>,
    /// Where a client's certificate and key are written, in PEM.
    pub client_out: Option<PathBuf>,
}

/// What is wrong with a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadTls {
    /// It ended in 2001.
    Expired,
    /// It begins in the year 3000.
    NotYetValid,
    /// It is for another name.
    WrongName,
    /// Signed by nobody but itself.
    SelfSigned,
    /// Signed by an authority other than the one that clients are given.
    Foreign,
}

impl BadTls {
    /// Every kind with the name it has in `--tls-bad`.
    pub const ALL: [(&str, Self); 5] = [
        ("expired", Self::Expired),
        ("not-yet-valid", Self::NotYetValid),
        ("wrong-name", Self::WrongName),
        ("self-signed", Self::SelfSigned),
        ("foreign", Self::Foreign),
    ];
}

/// Protocols that are spoken, told apart by ALPN or by a connection's first bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocols {
    /// HTTP/1 and HTTP/2.
    #[default]
    Both,
    /// HTTP/1 alone.
    Http1,
    /// HTTP/2 alone.
    Http2,
}

/// What only HTTP/2 has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Http2 {
    /// Streams a client may have open at once, as the server's `SETTINGS` say; further ones are refused.
    pub max_streams: u32,
    /// Bytes of a request's body that a client may send before they are read; 0 lets none come.
    pub window: u32,
    /// After this many requests on a connection `GOAWAY` names the last of them, and later ones are refused; `None`
    /// never.
    pub goaway: Option<u64>,
}

/// What an error is to a gRPC call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GrpcErrors {
    /// The `grpc-status`, 1 to 16.
    pub status: u8,
    /// How it is said.
    pub form: GrpcForm,
}

/// How a gRPC error is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GrpcForm {
    /// One block of headers that ends the answer.
    #[default]
    TrailersOnly,
    /// Headers, then trailers.
    Trailers,
    /// No gRPC at all: an HTTP answer with the error status, as from a proxy.
    Http,
}

impl Default for Http2 {
    fn default() -> Self {
        Self { max_streams: 100, window: 1 << 20, goaway: None }
    }
}

impl Default for GrpcErrors {
    fn default() -> Self {
        Self { status: 14, form: GrpcForm::default() }
    }
}

/// Answers with an error status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Errors {
    /// Share of requests that get it; with a burst, of the requests within it.
    pub share: Share,
    /// The status, 400 to 599.
    pub status: u16,
    /// Drawn at random instead of every 1/share-th.
    pub random: bool,
    /// Errors come only in this last part of each period; `None`: always.
    pub burst: Option<Cycle>,
}

/// A part of every period, counted from the first request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cycle {
    /// Length of the part; more than zero and at most `period`.
    pub on: Duration,
    /// Length of the period.
    pub period: Duration,
}

/// One turn of a [`Cycle`], as offsets from the first request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Turn {
    /// 0 for the first.
    pub(super) index: u64,
    /// When it begins.
    pub(super) begin: Duration,
    /// When it ends, itself no longer within.
    pub(super) end: Duration,
}

impl Cycle {
    /// What is left of the period: the phase at which the part is the last of it.
    pub(super) const fn rest(self) -> Duration {
        self.period.saturating_sub(self.on)
    }

    /// The turn that `at` falls in, when the first begins at `phase`; `None` between turns.
    pub(super) fn turn(self, at: Duration, phase: Duration) -> Option<Turn> {
        let since = at.checked_sub(phase)?.as_nanos();
        let period = self.period.as_nanos().max(1);
        let index = u64::try_from(since / period).ok()?;
        let begin = phase + Duration::from_nanos(u64::try_from(u128::from(index) * period).ok()?);
        let end = begin + self.on;
        (at < end).then_some(Turn { index, begin, end })
    }
}

/// Latency that is added after the first request and falls linearly to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlowStart {
    /// How long it takes to fall.
    pub lasts: Duration,
    /// How much is added at the very beginning.
    pub extra: Duration,
}

impl SlowStart {
    /// What is added to a request that arrives `at` after the first.
    pub(super) fn extra_at(self, at: Duration) -> Duration {
        if at >= self.lasts {
            return Duration::ZERO;
        }
        self.extra.mul_f64(1.0 - at.as_secs_f64() / self.lasts.as_secs_f64())
    }
}

/// Sound but unusual forms of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    /// Size of the body of `/`, at most 1 MiB; `None` for the usual few words of JSON.
    pub body_bytes: Option<u32>,
    /// Every body is chunked and ends with a trailer.
    pub chunked: bool,
    /// Every answer says `Connection: close`, and the connection is closed after it.
    pub connection_close: bool,
    /// Every answer is HTTP/1.0, without a length, and ends with the connection.
    pub http10: bool,
    /// 100 and 103 come before every answer.
    pub interim: bool,
    /// A request with a body gets 413 before its body is read, and the connection is closed.
    pub early_answer: bool,
}

/// Connections on which everything is worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadConnections {
    /// Share of connections, counted in the order of their first request: of 1/10 the tenth, twentieth, …
    pub share: Share,
    /// What is wrong with them.
    pub kind: BadKind,
}

/// What is wrong with a bad connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadKind {
    /// Every answer on it takes this much longer.
    Latency(Duration),
    /// Every answer on it is an error.
    Errors,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            listen: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 0,
            seed: 1,
            latency: Latency::default(),
            slow_start: None,
            stall: None,
            stall_phase: None,
            errors: Errors { share: Share::NONE, status: 500, random: false, burst: None },
            faults: Vec::new(),
            shape: Shape::default(),
            keep_alive_max: None,
            bad_connections: None,
            max_connections: None,
            protocols: Protocols::default(),
            http2: Http2::default(),
            grpc: GrpcErrors::default(),
            health: Health::default(),
            tls: Tls::default(),
        }
    }
}

impl Behaviour {
    /// The freeze that a moment falls in, as offsets from the first request.
    pub(super) fn freeze(&self, since_first: Duration) -> Option<Turn> {
        let stall = self.stall?;
        stall.turn(since_first, self.stall_phase.unwrap_or(stall.rest()))
    }

    /// How long request `n` waits before its answer is due, stalls and bad connections left out.
    pub(super) fn delay(&self, n: u64, since_first: Duration) -> Duration {
        let slow_start = self.slow_start.map_or(Duration::ZERO, |start| start.extra_at(since_first));
        self.latency.of(self.seed, n) + slow_start
    }

    /// What connection number `number` (from 1) suffers.
    pub(super) fn bad(&self, number: u64) -> Option<BadKind> {
        let bad = self.bad_connections?;
        (bad.share.of(number) > bad.share.of(number - 1)).then_some(bad.kind)
    }

    /// Whether errors and faults together exceed all requests, so that some request must have both.
    pub(super) fn shares_overlap(&self) -> bool {
        self.errors.share.ratio() + self.fault_ratio() > 1.0 + 1e-9
    }

    /// The sum of the faults' shares.
    pub(super) fn fault_ratio(&self) -> f64 {
        self.faults.iter().map(|(_, share)| share.ratio()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn the_first_freeze_begins_a_period_less_the_freeze_after_the_first_request() {
        let behaviour = Behaviour::parse([("stall", "1s/5s")]).unwrap();
        for (at, turn) in [
            (0, None),
            (3_999, None),
            (4_000, Some((0, 4_000, 5_000))),
            (4_999, Some((0, 4_000, 5_000))),
            (5_000, None),
            (8_999, None),
            (9_000, Some((1, 9_000, 10_000))),
            (19_500, Some((3, 19_000, 20_000))),
        ] {
            let expected = turn.map(|(index, begin, end)| Turn { index, begin: ms(begin), end: ms(end) });
            assert_eq!(behaviour.freeze(ms(at)), expected, "at {at} ms");
        }
        let shifted = Behaviour::parse([("stall", "1s/5s"), ("stall-phase", "500ms")]).unwrap();
        assert_eq!(shifted.freeze(ms(499)), None);
        assert_eq!(shifted.freeze(ms(600)).map(|turn| (turn.begin, turn.end)), Some((ms(500), ms(1_500))));
        assert_eq!(shifted.freeze(ms(5_600)).map(|turn| turn.index), Some(1));
    }

    #[test]
    fn a_twenty_second_load_meets_the_quantiles_that_the_stall_promises() {
        let behaviour = Behaviour::parse([("stall", "1s/5s")]).unwrap();
        let mut waits: Vec<u128> = (0..4_000)
            .map(|i| ms(5 * i))
            .map(|due| behaviour.freeze(due).map_or(0, |turn| (turn.end - due).as_millis()))
            .collect();
        waits.sort_unstable();
        assert_eq!(waits[3_599], 500, "p90");
        assert_eq!(waits[3_959], 950, "p99");
    }

    #[test]
    fn slow_start_falls_linearly_to_nothing() {
        let start = SlowStart { lasts: ms(2_000), extra: ms(500) };
        for (at, extra) in [(0, 500), (500, 375), (1_000, 250), (2_000, 0), (9_000, 0)] {
            assert_eq!(start.extra_at(ms(at)), ms(extra), "at {at} ms");
        }
    }

    #[test]
    fn one_connection_of_ten_is_the_tenth() {
        let behaviour = Behaviour::parse([("bad-connections", "1/10:errors")]).unwrap();
        let bad: Vec<u64> = (1..=40).filter(|n| behaviour.bad(*n).is_some()).collect();
        assert_eq!(bad, [10, 20, 30, 40]);
    }
}
