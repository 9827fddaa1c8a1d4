//! Everything a user can ask for, in one table: flags, their help, the texts of their mistakes, webhook metadata and the
//! user documentation all come from here, so none of them can say something else than the others.

use super::keys::{Group, Id, Key, Kind};

/// A row with the usual answers, from which the others differ.
const PLAIN: Key = Key {
    id: Id::Url,
    short: None,
    long: None,
    metadata: None,
    value: "",
    kind: Kind::Once,
    group: Group::Load,
    help: "",
    allowed: "",
    default: "",
    zero: "",
    secret: false,
};

/// Every key, in the order of [`Id`] and of the help.
pub static KEYS: [Key; 29] = [
    Key {
        id: Id::Url,
        metadata: Some("url"),
        value: "URL",
        help: "Where the load goes",
        allowed: "an address such as http://HOST[:PORT][/PATH]",
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
        ..PLAIN
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
        ..PLAIN
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
        ..PLAIN
    },
    Key {
        id: Id::Rate,
        long: Some("rate"),
        metadata: Some("rate"),
        value: "RATE",
        help: "Requests arrive at this rate over all lanes, whatever the answers do",
        allowed: "a rate above zero up to 10000000/s, such as 20/s, 1200/m or 0.5/s",
        default: "none: each lane sends when its answer is complete",
        ..PLAIN
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
        ..PLAIN
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
        ..PLAIN
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
        ..PLAIN
    },
    Key {
        id: Id::MaxLanes,
        long: Some("max-lanes"),
        metadata: Some("max-lanes"),
        value: "N",
        help: "Most lanes under a rate, when the target holds requests beyond the next due time; further requests wait, and the wait counts",
        allowed: "a whole number from 1 to 65535, not below -c",
        default: "4 times the lanes, at least 64; without a rate, the lanes",
        ..PLAIN
    },
    Key {
        id: Id::Workers,
        long: Some("workers"),
        value: "N",
        help: "Threads that send",
        allowed: "a whole number from 0 to 1024",
        default: "0",
        zero: "one per core",
        ..PLAIN
    },
    Key {
        id: Id::Method,
        short: Some('m'),
        long: Some("method"),
        metadata: Some("method"),
        value: "METHOD",
        group: Group::Request,
        help: "HTTP method, sent in upper case",
        allowed: "an HTTP method such as GET, POST or PUT",
        default: "GET, also with a body",
        ..PLAIN
    },
    Key {
        id: Id::Headers,
        short: Some('H'),
        long: Some("header"),
        metadata: Some("headers"),
        value: "HEADER",
        kind: Kind::Repeat,
        group: Group::Request,
        help: "A header; given again it is added, also under the same name",
        allowed: "'Name: value'",
        default: "none",
        ..PLAIN
    },
    Key {
        id: Id::Host,
        long: Some("host"),
        metadata: Some("host"),
        value: "HOST",
        group: Group::Request,
        help: "Value of the Host header",
        allowed: "a host name or address, with or without a port",
        default: "the URL's",
        ..PLAIN
    },
    Key {
        id: Id::Body,
        short: Some('d'),
        long: Some("body"),
        metadata: Some("body"),
        value: "TEXT",
        group: Group::Request,
        help: "Body of each request",
        allowed: "a text of at most 64 MiB",
        default: "none",
        zero: "no body",
        ..PLAIN
    },
    Key {
        id: Id::BodyFile,
        short: Some('D'),
        long: Some("body-file"),
        value: "FILE",
        group: Group::Request,
        help: "File with the body of each request, sent as it is",
        allowed: "a file that can be read, of at most 64 MiB",
        default: "none",
        ..PLAIN
    },
    Key {
        id: Id::ContentType,
        short: Some('T'),
        long: Some("content-type"),
        metadata: Some("content-type"),
        value: "TYPE",
        group: Group::Request,
        help: "Value of the Content-Type header",
        allowed: "a header value without control characters",
        default: "text/html with a body, otherwise not sent",
        zero: "not sent",
        ..PLAIN
    },
    Key {
        id: Id::Accept,
        short: Some('A'),
        long: Some("accept"),
        metadata: Some("accept"),
        value: "TYPES",
        group: Group::Request,
        help: "Value of the Accept header",
        allowed: "a header value without control characters",
        default: "*/*",
        zero: "not sent",
        ..PLAIN
    },
    Key {
        id: Id::UserAgent,
        short: Some('U'),
        long: Some("user-agent"),
        metadata: Some("user-agent"),
        value: "NAME",
        group: Group::Request,
        help: "Value of the User-Agent header",
        allowed: "a header value without control characters",
        default: "tollgate/VERSION",
        zero: "not sent",
        ..PLAIN
    },
    Key {
        id: Id::BasicAuth,
        short: Some('a'),
        long: Some("basic-auth"),
        metadata: Some("basic-auth"),
        value: "USER:PASSWORD",
        group: Group::Request,
        help: "Basic authentication, sent with every request",
        allowed: "USER:PASSWORD without control characters",
        default: "the URL's user and password, if it has any",
        secret: true,
        ..PLAIN
    },
    Key {
        id: Id::Timeout,
        short: Some('t'),
        long: Some("timeout"),
        metadata: Some("timeout"),
        value: "SECONDS|DURATION",
        group: Group::Request,
        help: "Longest wait for one whole answer, from the moment its request is sent",
        allowed: "whole seconds such as 20, or a duration such as 1500ms",
        default: "20",
        zero: "no limit",
        ..PLAIN
    },
    Key {
        id: Id::Resolve,
        long: Some("resolve"),
        metadata: Some("resolve"),
        value: "HOST:PORT:ADDRESS,...",
        kind: Kind::Repeat,
        group: Group::Request,
        help: "Addresses for the URL's host and port; no name is looked up then",
        allowed: "HOST:PORT:ADDRESS[,ADDRESS] such as podinfo.test:80:10.0.0.7,10.0.0.8",
        default: "the name is looked up",
        ..PLAIN
    },
    Key {
        id: Id::DisableKeepalive,
        long: Some("disable-keepalive"),
        metadata: Some("disable-keepalive"),
        kind: Kind::Switch,
        group: Group::Request,
        help: "A new connection for every request",
        default: "connections are used again",
        ..PLAIN
    },
    Key {
        id: Id::ConnectionAge,
        long: Some("connection-age"),
        metadata: Some("connection-age"),
        value: "DURATION",
        group: Group::Request,
        help: "Age at which a connection is replaced between two requests, so that new pods are met",
        allowed: "a duration such as 5s",
        default: "0s",
        zero: "never",
        ..PLAIN
    },
    Key {
        id: Id::Slo,
        long: Some("slo"),
        metadata: Some("slo"),
        value: "LINE",
        group: Group::Objective,
        help: "What must hold, in quotes because of < and >",
        allowed: "an objective such as 'success>=99%, p99<500ms'",
        default: "none: nothing is judged, and one success is enough",
        ..PLAIN
    },
    Key {
        id: Id::Success,
        long: Some("success"),
        metadata: Some("success"),
        value: "STATUSES",
        group: Group::Objective,
        help: "Statuses that count as success",
        allowed: "statuses such as 2xx, 200-399, 200,204 or non-5xx",
        default: "200-399",
        ..PLAIN
    },
    Key {
        id: Id::Output,
        short: Some('o'),
        long: Some("output"),
        value: "FORMAT",
        group: Group::Output,
        help: "Form of the report on standard output",
        allowed: "text or json",
        default: "text",
        ..PLAIN
    },
    Key {
        id: Id::Report,
        long: Some("report"),
        value: "FILE",
        group: Group::Output,
        help: "File to write the JSON report to as well",
        allowed: "the name of a file",
        default: "none",
        ..PLAIN
    },
    Key {
        id: Id::Quiet,
        long: Some("quiet"),
        kind: Kind::Switch,
        group: Group::Output,
        help: "No progress while the load runs",
        default: "progress on a terminal",
        ..PLAIN
    },
    Key {
        id: Id::NoColor,
        long: Some("no-color"),
        kind: Kind::Switch,
        group: Group::Output,
        help: "No colours",
        default: "colours on a terminal",
        ..PLAIN
    },
];
