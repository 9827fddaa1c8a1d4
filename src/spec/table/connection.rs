//! How requests travel, and whom to trust.

use super::PLAIN;
use crate::spec::keys::{Group, Id, Key, Kind};

/// A row under this heading.
const ROW: Key = Key { group: Group::Connection, ..PLAIN };

/// In the order of [`Id`].
pub(super) const KEYS: &[Key] = &[
    Key {
        id: Id::Protocol,
        long: Some("protocol"),
        metadata: Some("protocol"),
        value: "NAME",
        help: "What carries the requests; HTTP/2 without TLS is spoken from the first byte (prior knowledge)",
        allowed: "http1, http2 or grpc",
        default: "http1",
        ..ROW
    },
    Key {
        id: Id::Http2,
        long: Some("http2"),
        metadata: Some("http2"),
        kind: Kind::Switch,
        help: "The same as --protocol http2",
        default: "HTTP/1.1",
        ..ROW
    },
    Key {
        id: Id::Streams,
        long: Some("streams"),
        metadata: Some("streams"),
        value: "N",
        help: "Lanes that share one HTTP/2 connection",
        allowed: "a whole number from 1 to 1000",
        default: "10; fewer where the server allows fewer",
        ..ROW
    },
    Key {
        id: Id::Links,
        long: Some("links"),
        metadata: Some("links"),
        value: "N",
        help: "Most HTTP/2 connections to one server; lanes beyond what they carry wait, and the wait counts",
        allowed: "a whole number from 1 to 65535",
        default: "as many as the lanes need",
        ..ROW
    },
    Key {
        id: Id::Resolve,
        long: Some("resolve"),
        metadata: Some("resolve"),
        value: "HOST:PORT:ADDRESS,...",
        kind: Kind::Repeat,
        help: "Addresses for the URL's host and port; no name is looked up then",
        allowed: "HOST:PORT:ADDRESS[,ADDRESS] such as podinfo.test:80:10.0.0.7,10.0.0.8",
        default: "the name is looked up",
        ..ROW
    },
    Key {
        id: Id::Proxy,
        short: Some('x'),
        long: Some("proxy"),
        metadata: Some("proxy"),
        value: "URL",
        help: "HTTP proxy to go through; https, HTTP/2 and gRPC go through a tunnel",
        allowed: "an address such as http://[USER:PASSWORD@]HOST:PORT",
        default: "none; the environment is not asked",
        secret: true,
        ..ROW
    },
    Key {
        id: Id::UnixSocket,
        long: Some("unix-socket"),
        value: "FILE",
        help: "Unix socket to connect to; the URL still says what is asked for",
        allowed: "the path of a socket, of at most 107 bytes",
        default: "none",
        ..ROW
    },
    Key {
        id: Id::DisableKeepalive,
        long: Some("disable-keepalive"),
        metadata: Some("disable-keepalive"),
        kind: Kind::Switch,
        help: "A new connection for every request",
        default: "connections are used again",
        ..ROW
    },
    Key {
        id: Id::ConnectionAge,
        long: Some("connection-age"),
        metadata: Some("connection-age"),
        value: "DURATION",
        help: "Age at which a connection is replaced between two requests, so that new pods are met",
        allowed: "a duration such as 5s",
        default: "0s",
        zero: "never",
        ..ROW
    },
    Key {
        id: Id::Insecure,
        short: Some('k'),
        long: Some("insecure"),
        metadata: Some("insecure"),
        kind: Kind::Switch,
        help: "Believe every certificate, as hey does",
        default: "certificates are verified",
        ..ROW
    },
    Key {
        id: Id::Cacert,
        long: Some("cacert"),
        value: "FILE",
        help: "Certificates of the authorities to believe, and no others",
        allowed: "a PEM file with at least one certificate",
        default: "the public authorities, compiled in",
        ..ROW
    },
    Key {
        id: Id::Cert,
        long: Some("cert"),
        value: "FILE",
        help: "Our own certificate, with those that vouch for it, for servers that ask for one",
        allowed: "a PEM file with at least one certificate, the own one first",
        default: "none",
        ..ROW
    },
    Key {
        id: Id::CertKey,
        long: Some("key"),
        value: "FILE",
        help: "Private key of --cert",
        allowed: "a PEM file with one private key that is not encrypted",
        default: "the key in the file of --cert",
        ..ROW
    },
];
