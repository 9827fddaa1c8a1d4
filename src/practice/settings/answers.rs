//! Settings of the answers themselves: when they come, what they say, what they look like. Pure.

use super::{CYCLE, NONE_ALLOWED, SHARE, Setting, cycle, setting};
use crate::practice::behaviour::{GrpcForm, SlowStart};
use crate::practice::latency::Latency;
use crate::practice::value::{duration, share, size, whole_number};

/// Largest body of `/` held in memory; larger ones are streamed by `huge-body`.
const MOST_BODY_BYTES: u64 = 1 << 20;

pub(super) const ANSWERS: &[Setting] = &[
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
    setting!("grpc-status", "CODE", None, "The grpc-status of gRPC errors (14)", "a number from 1 to 16", |b, v| {
        b.grpc.status = u8::try_from(whole_number(v)?).ok().filter(|code| (1..=16).contains(code))?;
        Some(())
    }),
    setting!(
        "not-serving",
        "SHARE",
        Some("100%"),
        "Let gRPC's health service say NOT_SERVING to this share of checks (0)",
        SHARE,
        |b, v| {
            b.health.not_serving = share(v)?;
            Some(())
        }
    ),
    setting!(
        "not-serving-service",
        "NAME",
        None,
        "The one service that this is about (whatever is asked about)",
        "a service's name such as app.Shop",
        |b, v| {
            b.health.service = Some(v.to_owned()).filter(|name| !name.is_empty());
            b.health.service.as_ref().map(|_| ())
        }
    ),
    setting!(
        "grpc-errors",
        "FORM",
        None,
        "How gRPC errors are said: trailers-only, trailers (after headers), http (the error status) (trailers-only)",
        "trailers-only, trailers or http",
        |b, v| {
            b.grpc.form = match v {
                "trailers-only" => GrpcForm::TrailersOnly,
                "trailers" => GrpcForm::Trailers,
                "http" => GrpcForm::Http,
                _ => return None,
            };
            Some(())
        }
    ),
];
