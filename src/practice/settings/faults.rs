//! Settings of what may be wrong with an answer. Pure.

use super::{CODE, NONE_ALLOWED, SHARE, Setting, setting};
use crate::practice::behaviour::Behaviour;
use crate::practice::fault::{Fault, Malformed, RESET_CODES};
use crate::practice::value::{Share, share, size, whole_number};

/// Most bytes of headers that an answer may be padded with.
const MOST_HEADER_BYTES: u64 = 16 << 20;

pub(super) const FAULTS: &[Setting] = &[
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
        "huge-headers",
        "SIZE[:SHARE]",
        None,
        "Answer soundly, with headers of SIZE more: 64KiB, 1MiB:1% (of all requests)",
        "SIZE or SIZE:SHARE up to 16MiB, such as 64KiB or 1MiB:1%",
        |b, v| {
            let (bytes, share) = with_share(v)?;
            fault(b, Fault::HugeHeaders(size(bytes).filter(|bytes| *bytes <= MOST_HEADER_BYTES)?), share)
        }
    ),
    setting!(
        "rst-stream",
        "CODE[:SHARE]",
        Some("internal-error"),
        "HTTP/2: reset the stream instead of answering: cancel, refused-stream:2%, 11 (internal-error)",
        CODE,
        |b, v| {
            let (code, share) = with_share(v)?;
            fault(b, Fault::RstStream(reset_code(code)?), share)
        }
    ),
    setting!(
        "rst-body",
        "CODE[:SHARE]",
        Some("internal-error"),
        "HTTP/2: reset the stream after half of the body (internal-error)",
        CODE,
        |b, v| {
            let (code, share) = with_share(v)?;
            fault(b, Fault::RstBody(reset_code(code)?), share)
        }
    ),
    setting!(
        "settings-flood",
        "SHARE",
        Some("100%"),
        "HTTP/2: send SETTINGS until the client closes the connection",
        SHARE,
        |b, v| fault(b, Fault::SettingsFlood, share(v)?),
    ),
    setting!(
        "missing-trailers",
        "SHARE",
        Some("100%"),
        "gRPC: send the message and end without trailers",
        SHARE,
        |b, v| fault(b, Fault::MissingTrailers, share(v)?),
    ),
    setting!("no-grpc-status", "SHARE", Some("100%"), "gRPC: send trailers without grpc-status", SHARE, |b, v| {
        fault(b, Fault::NoGrpcStatus, share(v)?)
    }),
    setting!("no-message", "SHARE", Some("100%"), "gRPC: say grpc-status 0 but send no message", SHARE, |b, v| {
        fault(b, Fault::NoMessage, share(v)?)
    }),
];

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

/// A code of `RST_STREAM` by name or number.
fn reset_code(text: &str) -> Option<u32> {
    let named = RESET_CODES.iter().find(|(name, _)| *name == text).map(|(_, code)| *code);
    named.or_else(|| u32::try_from(whole_number(text)?).ok())
}
