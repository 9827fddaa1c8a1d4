//! What each request says, and how long it may take.

use super::PLAIN;
use crate::spec::keys::{Group, Id, Key, Kind};

/// A row under this heading.
const ROW: Key = Key { group: Group::Request, ..PLAIN };

/// In the order of [`Id`].
pub(super) const KEYS: &[Key] = &[
    Key {
        id: Id::Method,
        short: Some('m'),
        long: Some("method"),
        metadata: Some("method"),
        value: "METHOD",
        help: "HTTP method, sent in upper case",
        allowed: "an HTTP method such as GET, POST or PUT",
        default: "GET, also with a body",
        ..ROW
    },
    Key {
        id: Id::Headers,
        short: Some('H'),
        long: Some("header"),
        metadata: Some("headers"),
        value: "HEADER",
        kind: Kind::Repeat,
        help: "A header; given again it is added, also under the same name",
        allowed: "'Name: value'",
        default: "none",
        ..ROW
    },
    Key {
        id: Id::Host,
        long: Some("host"),
        metadata: Some("host"),
        value: "HOST",
        help: "Value of the Host header",
        allowed: "a host name or address, with or without a port",
        default: "the URL's",
        ..ROW
    },
    Key {
        id: Id::Body,
        short: Some('d'),
        long: Some("body"),
        metadata: Some("body"),
        value: "TEXT",
        help: "Body of each request",
        allowed: "a text of at most 64 MiB",
        default: "none",
        zero: "no body",
        ..ROW
    },
    Key {
        id: Id::BodyFile,
        short: Some('D'),
        long: Some("body-file"),
        value: "FILE",
        help: "File with the body of each request; {{…}} in it is filled in, all else is sent as it is",
        allowed: "a file that can be read, of at most 64 MiB",
        default: "none",
        ..ROW
    },
    Key {
        id: Id::ContentType,
        short: Some('T'),
        long: Some("content-type"),
        metadata: Some("content-type"),
        value: "TYPE",
        help: "Value of the Content-Type header",
        allowed: "a header value without control characters",
        default: "text/html with a body, otherwise not sent",
        zero: "not sent",
        ..ROW
    },
    Key {
        id: Id::Accept,
        short: Some('A'),
        long: Some("accept"),
        metadata: Some("accept"),
        value: "TYPES",
        help: "Value of the Accept header",
        allowed: "a header value without control characters",
        default: "*/*",
        zero: "not sent",
        ..ROW
    },
    Key {
        id: Id::UserAgent,
        short: Some('U'),
        long: Some("user-agent"),
        metadata: Some("user-agent"),
        value: "NAME",
        help: "Value of the User-Agent header",
        allowed: "a header value without control characters",
        default: "tollgate/VERSION",
        zero: "not sent",
        ..ROW
    },
    Key {
        id: Id::BasicAuth,
        short: Some('a'),
        long: Some("basic-auth"),
        metadata: Some("basic-auth"),
        value: "USER:PASSWORD",
        help: "Basic authentication, sent with every request",
        allowed: "USER:PASSWORD without control characters",
        default: "the URL's user and password, if it has any",
        secret: true,
        ..ROW
    },
    Key {
        id: Id::Seed,
        long: Some("seed"),
        metadata: Some("seed"),
        value: "N",
        help: "Seed of the values drawn for {{…}}: the same seed gives request i the same values",
        allowed: "a whole number from 0 to 18446744073709551615",
        default: "another one each time, shown in the report",
        zero: "a seed like any other",
        ..ROW
    },
    Key {
        id: Id::Redirects,
        long: Some("redirects"),
        metadata: Some("redirects"),
        value: "N",
        help: "Redirects to follow within one request; its latency ends with the last answer",
        allowed: "a whole number from 0 to 20",
        default: "0",
        zero: "a redirect is an answer like any other",
        ..ROW
    },
    Key {
        id: Id::Timeout,
        short: Some('t'),
        long: Some("timeout"),
        metadata: Some("timeout"),
        value: "SECONDS|DURATION",
        help: "Longest wait for one whole answer, from the moment its request is sent",
        allowed: "whole seconds such as 20, or a duration such as 1500ms",
        default: "20",
        zero: "no limit",
        ..ROW
    },
];
