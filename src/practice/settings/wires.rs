//! Settings of the listener, its connections and the protocols on them. Pure.

use std::path::PathBuf;

use super::{COUNT, NONE_ALLOWED, Setting, at_least_one, setting};
use crate::practice::behaviour::{BadConnections, BadKind, BadTls, Protocols};
use crate::practice::value::{duration, share, size, whole_number};

/// Largest flow-control window of HTTP/2 (RFC 9113 §6.9.1).
const MOST_WINDOW_BYTES: u64 = (1 << 31) - 1;

const FILE: &str = "a file name";

pub(super) const WIRES: &[Setting] = &[
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
        "protocol",
        "NAME",
        None,
        "Speak http1 or http2 only (both: by ALPN or a connection's first bytes)",
        "http1, http2 or both",
        |b, v| {
            b.protocols = match v {
                "both" => Protocols::Both,
                "http1" => Protocols::Http1,
                "http2" => Protocols::Http2,
                _ => return None,
            };
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
    setting!("tls", "", None, "Encrypt, with a certificate made at the start", NONE_ALLOWED, |b, _| {
        b.tls.on = true;
        Some(())
    }),
    setting!("tls-cert", "FILE", None, "Certificates to use instead, in PEM (made at the start)", FILE, |b, v| {
        b.tls.files.get_or_insert_default().0 = file(v)?;
        Some(())
    }),
    setting!("tls-key", "FILE", None, "The key of --tls-cert, in PEM", FILE, |b, v| {
        b.tls.files.get_or_insert_default().1 = file(v)?;
        Some(())
    }),
    setting!(
        "tls-ca-out",
        "FILE",
        None,
        "Write the authority that signs the certificate to FILE, in PEM, for --cacert",
        FILE,
        |b, v| {
            b.tls.ca_out = Some(file(v)?);
            Some(())
        }
    ),
    setting!(
        "tls-bad",
        "KIND",
        None,
        "Make a bad certificate: expired, not-yet-valid, wrong-name, self-signed or foreign (another authority's)",
        "expired, not-yet-valid, wrong-name, self-signed or foreign",
        |b, v| {
            b.tls.bad = Some(BadTls::ALL.iter().find(|(name, _)| *name == v)?.1);
            Some(())
        }
    ),
    setting!(
        "tls-client",
        "",
        None,
        "Take only clients with a certificate of the authority's",
        NONE_ALLOWED,
        |b, _| {
            b.tls.needs_client = true;
            Some(())
        }
    ),
    setting!("tls-client-out", "FILE", None, "Write such a certificate and its key to FILE, in PEM", FILE, |b, v| {
        b.tls.client_out = Some(file(v)?);
        Some(())
    }),
    setting!(
        "max-streams",
        "N",
        None,
        "HTTP/2: streams a client may have open at once; further ones are refused (100)",
        "a whole number from 1 to 1000000",
        |b, v| {
            b.http2.max_streams = u32::try_from(at_least_one(v)?).ok().filter(|n| *n <= 1_000_000)?;
            Some(())
        }
    ),
    setting!(
        "window",
        "SIZE",
        None,
        "HTTP/2: bytes of a request's body that may come before they are read; 0 lets none come (1MiB)",
        "a size from 0 to 2147483647 such as 8 or 64KiB",
        |b, v| {
            b.http2.window = u32::try_from(size(v).filter(|bytes| *bytes <= MOST_WINDOW_BYTES)?).ok()?;
            Some(())
        }
    ),
    setting!(
        "goaway",
        "N",
        None,
        "HTTP/2: after N requests on a connection, GOAWAY that names the last; later ones are refused (never)",
        COUNT,
        |b, v| {
            b.http2.goaway = Some(at_least_one(v)?);
            Some(())
        }
    ),
];

/// A path; what lies there shows when it is opened.
fn file(text: &str) -> Option<PathBuf> {
    (!text.is_empty()).then(|| PathBuf::from(text))
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
