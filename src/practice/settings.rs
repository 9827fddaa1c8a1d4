//! Every setting once: its flag, its meaning and how its value is read. Pure.
//!
//! The command's flags, the messages about wrong values and the tests of the documentation all come from this table.

use std::fmt;

use super::behaviour::{BadConnections, BadKind, Behaviour, Cycle, SlowStart};
use super::fault::{Fault, Malformed};
use super::latency::Latency;
use super::value::{Share, duration, share, size, whole_number};

/// Largest body of `/` held in memory; larger ones are streamed by `huge-body`.
const MOST_BODY_BYTES: u64 = 1 << 20;

/// One thing that can be chosen.
#[derive(Clone, Copy)]
pub struct Setting {
    /// Its name, which is also the flag's.
    pub key: &'static str,
    /// Placeholder of its value; empty for a switch that takes none.
    pub value: &'static str,
    /// What the bare flag stands for, where the value may be left out.
    pub bare: Option<&'static str>,
    /// What it does, with unit and default.
    pub help: &'static str,
    /// Which values are allowed, for messages.
    pub allowed: &'static str,
    /// Applies a value; `None` when it is not allowed.
    pub(super) set: fn(&mut Behaviour, &str) -> Option<()>,
}

impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Setting").field(&self.key).finish()
    }
}

const SHARE: &str = "a share of requests such as 2%, 0.02 or 1/50, from 0 to 100%";
const CYCLE: &str = "LENGTH/PERIOD such as 1s/5s, the length above 0 and below the period";
const COUNT: &str = "a whole number of at least 1";
const NONE_ALLOWED: &str = "it takes no value";

macro_rules! setting {
    ($key:literal, $value:literal, $bare:expr, $help:literal, $allowed:expr, $set:expr $(,)?) => {
        Setting { key: $key, value: $value, bare: $bare, help: $help, allowed: $allowed, set: $set }
    };
}

/// Every setting, in the order help shows them.
pub const SETTINGS: &[Setting] = &[
    setting!(
        "listen",
        "ADDR",
        None,
        "IP address to listen on (127.0.0.1)",
        "an IP address such as 127.0.0.1, 0.0.0.0 or ::1",
        |b, v| {
            b.listen = v.parse().ok()?;
            Some(())
        }
    ),
    setting!("port", "PORT", None, "Port to listen on; 0 takes a free one (9898)", "a port from 0 to 65535", |b, v| {
        b.port = u16::try_from(whole_number(v)?).ok()?;
        Some(())
    }),
    setting!(
        "seed",
        "N",
        None,
        "Seed of every random draw: the n-th request draws the same again (1)",
        "a whole number",
        |b, v| {
            b.seed = whole_number(v)?;
            Some(())
        }
    ),
    setting!(
        "latency",
        "TIME",
        None,
        "How long an answer takes: 20ms, uniform:5ms..50ms, bimodal:5ms,200ms,10%, lognormal:20ms,0.6 (median, sigma) \
         or pareto:5ms,1.5 (least, exponent); the last two end at 10s (0)",
        Latency::FORMS,
        |b, v| {
            b.latency = Latency::parse(v)?;
            Some(())
        }
    ),
    setting!(
        "slow-start",
        "LASTS:EXTRA",
        None,
        "Latency added after the first request, falling linearly to nothing: 2s:500ms",
        "LASTS:EXTRA such as 2s:500ms",
        |b, v| {
            let (lasts, extra) = v.split_once(':')?;
            b.slow_start = Some(SlowStart { lasts: duration(lasts)?, extra: duration(extra)? });
            Some(())
        }
    ),
    setting!(
        "stall",
        "LENGTH/PERIOD",
        None,
        "Freeze: 1s/5s answers nothing for 1 s in every 5 s; answers due in a freeze wait for its end",
        CYCLE,
        |b, v| {
            b.stall = Some(cycle(v)?);
            Some(())
        }
    ),
    setting!(
        "stall-phase",
        "TIME",
        None,
        "When the first freeze begins, after the first request (the period less the freeze: 4s for 1s/5s)",
        "a duration such as 500ms",
        |b, v| {
            b.stall_phase = Some(duration(v)?);
            Some(())
        }
    ),
    setting!(
        "errors",
        "SHARE",
        None,
        "Share of requests answered with the error status: 2% is exactly every 50th (0)",
        SHARE,
        |b, v| {
            b.errors.share = share(v)?;
            Some(())
        }
    ),
    setting!("error-status", "CODE", None, "The error status (500)", "a status from 400 to 599", |b, v| {
        b.errors.status = u16::try_from(whole_number(v)?).ok().filter(|code| (400..600).contains(code))?;
        Some(())
    }),
    setting!(
        "errors-random",
        "",
        None,
        "Draw the errors at random by the seed, not every n-th",
        NONE_ALLOWED,
        |b, _| {
            b.errors.random = true;
            Some(())
        }
    ),
    setting!(
        "burst",
        "LENGTH/PERIOD",
        None,
        "Errors only in the last LENGTH of each PERIOD since the first request: 10s/60s",
        CYCLE,
        |b, v| {
            b.errors.burst = Some(cycle(v)?);
            Some(())
        }
    ),
    setting!("reset", "SHARE", Some("100%"), "Reset the connection (RST) instead of answering", SHARE, |b, v| {
        fault(b, Fault::Reset, share(v)?)
    }),
    setting!("close", "SHARE", Some("100%"), "Close the connection (FIN) before any byte", SHARE, |b, v| {
        fault(b, Fault::Close, share(v)?)
    }),
    setting!(
        "truncate",
        "SHARE",
        Some("100%"),
        "Announce the whole body by Content-Length, send half, close",
        SHARE,
        |b, v| fault(b, Fault::Truncate, share(v)?),
    ),
    setting!(
        "truncate-chunked",
        "SHARE",
        Some("100%"),
        "Send a chunked body and close without its last chunk",
        SHARE,
        |b, v| fault(b, Fault::TruncateChunked, share(v)?),
    ),
    setting!("garbage", "SHARE", Some("100%"), "Send bytes that are not HTTP and close", SHARE, |b, v| {
        fault(b, Fault::Garbage, share(v)?)
    }),
    setting!("hang", "SHARE", Some("100%"), "Never answer; the connection stays open", SHARE, |b, v| {
        fault(b, Fault::Hang, share(v)?)
    }),
    setting!("hang-all", "", None, "Never answer anything: the same as --hang 100%", NONE_ALLOWED, |b, _| {
        fault(b, Fault::Hang, Share::ALL)
    }),
    setting!(
        "slow-body",
        "RATE[:SHARE]",
        None,
        "Send the body at RATE bytes a second: 1B/s, 10KiB/s:5% (of all requests)",
        "RATE or RATE:SHARE such as 10B/s or 1KiB/s:5%, the rate above 0",
        |b, v| {
            let (rate, share) = with_share(v)?;
            let per_second = size(rate.strip_suffix("/s")?).filter(|bytes| *bytes > 0)?;
            fault(b, Fault::SlowBody(per_second), share)
        }
    ),
    setting!(
        "endless-headers",
        "SHARE",
        Some("100%"),
        "Send header lines until the client closes the connection",
        SHARE,
        |b, v| fault(b, Fault::EndlessHeaders, share(v)?),
    ),
    setting!(
        "huge-body",
        "SIZE[:SHARE]",
        None,
        "Answer with a body of SIZE zeros: 10GiB, 1GiB:1% (of all requests)",
        "SIZE or SIZE:SHARE such as 10GiB or 64MiB:1%",
        |b, v| {
            let (bytes, share) = with_share(v)?;
            fault(b, Fault::HugeBody(size(bytes)?), share)
        }
    ),
    setting!(
        "close-after",
        "BYTES[:SHARE]",
        None,
        "Close after BYTES of the answer, head included: 20, 100:5% (of all requests)",
        "BYTES or BYTES:SHARE such as 20 or 1KiB:5%",
        |b, v| {
            let (bytes, share) = with_share(v)?;
            fault(b, Fault::CloseAfter(size(bytes)?), share)
        }
    ),
    setting!(
        "malformed",
        "KIND[:SHARE]",
        None,
        "Contradict the protocol: both-lengths, two-lengths, excess, bad-length, bad-chunk, bad-header, bad-status; \
         the connection stays open (of all requests)",
        "KIND or KIND:SHARE with both-lengths, two-lengths, excess, bad-length, bad-chunk, bad-header or bad-status",
        |b, v| {
            let (kind, share) = with_share(v)?;
            fault(b, Fault::Malformed(Malformed::parse(kind)?), share)
        }
    ),
    setting!(
        "body-size",
        "SIZE",
        None,
        "Size of the body of / (a few words of JSON)",
        "a size from 0 to 1MiB such as 1KiB; huge-body streams larger ones",
        |b, v| {
            let bytes = size(v).filter(|bytes| *bytes <= MOST_BODY_BYTES)?;
            b.shape.body_bytes = Some(u32::try_from(bytes).ok()?);
            Some(())
        }
    ),
    setting!("chunked", "", None, "Chunk every body, with a trailer at its end", NONE_ALLOWED, |b, _| {
        b.shape.chunked = true;
        Some(())
    }),
    setting!("http10", "", None, "Answer as HTTP/1.0, without a length, until the close", NONE_ALLOWED, |b, _| {
        b.shape.http10 = true;
        Some(())
    }),
    setting!("continue", "", None, "Send 100 and 103 before every answer", NONE_ALLOWED, |b, _| {
        b.shape.interim = true;
        Some(())
    }),
    setting!(
        "early-answer",
        "",
        None,
        "Answer 413 before reading a request's body, then close",
        NONE_ALLOWED,
        |b, _| {
            b.shape.early_answer = true;
            Some(())
        }
    ),
    setting!("connection-close", "", None, "Say Connection: close in every answer, and do", NONE_ALLOWED, |b, _| {
        b.shape.connection_close = true;
        Some(())
    }),
    setting!(
        "keep-alive-max",
        "N",
        None,
        "Close a connection, without notice, after N requests (never)",
        COUNT,
        |b, v| {
            b.keep_alive_max = Some(at_least_one(v)?);
            Some(())
        }
    ),
    setting!(
        "max-connections",
        "N",
        None,
        "Close connections beyond N as soon as they are opened (no limit)",
        COUNT,
        |b, v| {
            b.max_connections = Some(at_least_one(v)?);
            Some(())
        }
    ),
    setting!(
        "bad-connections",
        "SHARE[:KIND]",
        None,
        "Make a share of connections worse: 1/10:latency=500ms slows every 10th, 1/10:errors fails it (latency=500ms)",
        "SHARE, SHARE:latency=TIME or SHARE:errors such as 1/10:latency=500ms",
        |b, v| {
            b.bad_connections = Some(bad_connections(v)?);
            Some(())
        }
    ),
];

/// `1s/5s`, the length above zero and below the period.
fn cycle(text: &str) -> Option<Cycle> {
    let (on, period) = text.split_once('/')?;
    let (on, period) = (duration(on)?, duration(period)?);
    (!on.is_zero() && on < period).then_some(Cycle { on, period })
}

fn at_least_one(text: &str) -> Option<u64> {
    whole_number(text).filter(|n| *n > 0)
}

/// Adds a fault; a share of none adds nothing.
fn fault(behaviour: &mut Behaviour, fault: Fault, share: Share) -> Option<()> {
    if !share.is_none() {
        behaviour.faults.push((fault, share));
    }
    Some(())
}

/// Splits `VALUE:SHARE`; without a share all requests are meant.
fn with_share(text: &str) -> Option<(&str, Share)> {
    match text.rsplit_once(':') {
        Some((value, part)) => Some((value.trim(), share(part)?)),
        None => Some((text.trim(), Share::ALL)),
    }
}

fn bad_connections(text: &str) -> Option<BadConnections> {
    let (part, kind) = text.split_once(':').unwrap_or((text, "latency=500ms"));
    let kind = match kind.trim().split_once('=') {
        None if kind.trim() == "errors" => BadKind::Errors,
        Some(("latency", time)) => BadKind::Latency(duration(time)?),
        _ => return None,
    };
    Some(BadConnections { share: share(part)?, kind })
}
