//! How much, how fast, how long.

use super::PLAIN;
use crate::spec::keys::{Group, Id, Key, Kind};

/// A row under this heading.
const ROW: Key = Key { group: Group::Load, ..PLAIN };

/// In the order of [`Id`].
pub(super) const KEYS: &[Key] = &[
    Key {
        id: Id::Url,
        metadata: Some("url"),
        value: "URL",
        kind: Kind::Repeat,
        help: "Where the load goes; several URLs share the requests",
        allowed: "an address such as http://HOST[:PORT][/PATH] or https://…",
        ..ROW
    },
    Key {
        id: Id::Weights,
        long: Some("weights"),
        metadata: Some("weights"),
        value: "N,...",
        help: "Parts of the requests for several URLs, in their order: 9,1 sends one in ten to the second",
        allowed: "one whole number from 1 to 1000 for each URL, separated by commas",
        default: "the same for each",
        ..ROW
    },
    Key {
        id: Id::Primary,
        long: Some("primary"),
        metadata: Some("primary"),
        value: "URL",
        help: "The release in service: it gets the same requests at the same moments, over connections of its own, so that the objective can compare",
        allowed: "an address such as http://HOST[:PORT][/PATH] or https://…",
        default: "none: nothing is compared",
        ..PLAIN
    },
    Key {
        id: Id::Requests,
        short: Some('n'),
        long: Some("requests"),
        metadata: Some("requests"),
        value: "N",
        help: "How many requests to send; -z goes before it",
        allowed: "a whole number from 1 to 1000000000000",
        default: "200, unless -z or --stage ends the load",
        ..ROW
    },
    Key {
        id: Id::Connections,
        short: Some('c'),
        long: Some("connections"),
        metadata: Some("connections"),
        value: "N",
        help: "Lanes, each with one request in flight; under a rate, the lanes to start with",
        allowed: "a whole number from 1 to 65535",
        default: "50; with --rate or --stage one lane per 10 requests/s, at least 1 and at most 256",
        ..ROW
    },
    Key {
        id: Id::Duration,
        short: Some('z'),
        long: Some("duration"),
        metadata: Some("duration"),
        value: "DURATION",
        help: "How long to send, after the warm-up",
        allowed: "a duration such as 10s, 1m30s or 1.5h",
        default: "none: -n ends the load",
        zero: "the same as not given",
        ..ROW
    },
    Key {
        id: Id::Rate,
        long: Some("rate"),
        metadata: Some("rate"),
        value: "RATE",
        help: "Requests arrive at this rate over all lanes, whatever the answers do",
        allowed: "a rate above zero up to 10000000/s, such as 20/s, 1200/m or 0.5/s",
        default: "none: each lane sends when its answer is complete",
        ..ROW
    },
    Key {
        id: Id::RatePerConnection,
        short: Some('q'),
        long: Some("rate-per-connection"),
        metadata: Some("rate-per-connection"),
        value: "N",
        help: "Requests per second for each of the -c lanes: -q 10 -c 2 is --rate 20/s",
        allowed: "a number of requests per second, such as 10 or 0.5",
        default: "none",
        zero: "no rate",
        ..ROW
    },
    Key {
        id: Id::Stages,
        long: Some("stage"),
        metadata: Some("stages"),
        value: "STAGE,...",
        kind: Kind::Repeat,
        help: "Stretches of load one after another, each with its duration and a rate, or a rate that goes from one to another",
        allowed: "DURATION:RATE or DURATION:RATE..RATE, such as 30s:100/s or 1m:100/s..500/s",
        default: "none",
        zero: "a pause, as a rate",
        ..ROW
    },
    Key {
        id: Id::Warmup,
        long: Some("warmup"),
        metadata: Some("warmup"),
        value: "DURATION",
        help: "Load of the same kind before the judged part, at the first stage's first rate: shown, not judged",
        allowed: "a duration such as 2s or 500ms",
        default: "0s",
        zero: "no warm-up",
        ..ROW
    },
    Key {
        id: Id::MaxLanes,
        long: Some("max-lanes"),
        metadata: Some("max-lanes"),
        value: "N",
        help: "Most lanes under a rate, when the target holds requests beyond the next due time; further requests wait, and the wait counts",
        allowed: "a whole number from 1 to 65535, not below -c",
        default: "4 times the lanes, at least 64; without a rate, the lanes",
        ..ROW
    },
    Key {
        id: Id::Workers,
        long: Some("workers"),
        value: "N",
        help: "Threads that send",
        allowed: "a whole number from 0 to 1024",
        default: "0",
        zero: "one per core",
        ..ROW
    },
];
