//! The load generators: how each is asked for the same load, and where its output says how many requests it made.

use serde_json::Value;

use super::scenes::{Asked, Way};

/// One load generator.
pub(crate) struct Tool {
    /// The program, which is also its name in tables.
    pub(crate) name: &'static str,
    /// The Debian package or the crate it comes from.
    pub(crate) from: &'static str,
    /// What asks it for its version; `None` where nothing does.
    pub(crate) version: Option<&'static str>,
    /// Arguments for a load, without the URL that follows; `None` where it cannot make it.
    pub(crate) arguments: fn(Way, Asked) -> Option<String>,
    /// Whether it is given the host and port alone, rather than the URL.
    pub(crate) host_alone: bool,
    /// Requests answered, from what it printed.
    pub(crate) requests: fn(&str) -> Option<u64>,
}

/// The name under which the program of this repository appears.
pub(crate) const OURS: &str = "tollgate";

/// One thread each, a closed loop. tollgate comes first and records everything that a verdict needs. None verifies
/// certificates: most cannot.
pub(crate) const TOOLS: [Tool; 7] = [
    Tool {
        name: OURS,
        from: "this repository",
        version: Some("--version"),
        arguments: tollgate_arguments,
        host_alone: false,
        requests: |out| number_at(out, "/requests/finished"),
    },
    Tool {
        name: "wrk",
        from: "Debian: wrk",
        version: Some("-v"),
        arguments: |way, asked| {
            let able = !matches!(way, Way::Http2 | Way::Grpc);
            able.then(|| format!("-t 1 -c {} -d {}s", asked.connections, asked.seconds))
        },
        host_alone: false,
        requests: |out| word_before(out, "requests in"),
    },
    Tool {
        name: "h2load",
        from: "Debian: nghttp2-client",
        version: Some("--version"),
        arguments: |way, asked| {
            let flags = match way {
                Way::Http1 | Way::Tls => "--h1".to_owned(),
                Way::Http2 => format!("-m {}", asked.streams),
                Way::Grpc => {
                    format!("-m {} -d {REQUEST} -H content-type:application/grpc -H te:trailers", asked.streams)
                }
                // A connection that the server closes is an error to it.
                Way::Handshakes => return None,
            };
            Some(format!("{flags} -t 1 -c {} -D {}", asked.connections, asked.seconds))
        },
        host_alone: false,
        requests: |out| word_before(out, "done,"),
    },
    Tool {
        name: "ab",
        from: "Debian: apache2-utils",
        version: Some("-V"),
        // ab's time limit implies 50 000 requests unless more are asked for after it.
        arguments: |way, asked| {
            let flags = if way == Way::Handshakes { "" } else { "-k " };
            let able = !matches!(way, Way::Http2 | Way::Grpc);
            able.then(|| format!("{flags}-q -c {} -t {} -n 100000000", asked.connections, asked.seconds))
        },
        host_alone: false,
        requests: |out| word_after(out, "Complete requests:"),
    },
    Tool {
        name: "oha",
        from: "cargo install oha",
        version: Some("--version"),
        arguments: |way, asked| {
            let flags = match way {
                Way::Http1 => String::new(),
                Way::Http2 => format!(" --http2 -p {}", asked.streams),
                Way::Grpc => return None,
                Way::Tls | Way::Handshakes => " --insecure".to_owned(),
            };
            let load = format!("-c {} -z {}s", asked.connections, asked.seconds);
            Some(format!("--no-tui --output-format json {load}{flags}"))
        },
        host_alone: false,
        requests: |out| sum_of(out, "/statusCodeDistribution"),
    },
    Tool {
        name: "hey",
        from: "Debian: hey",
        version: None,
        arguments: |way, asked| {
            // hey speaks HTTP/2 over TLS only, on one connection for all its workers.
            let able = !matches!(way, Way::Http2 | Way::Grpc);
            able.then(|| format!("-cpus 1 -c {} -z {}s", asked.connections, asked.seconds))
        },
        host_alone: false,
        requests: status_lines,
    },
    Tool {
        name: "ghz",
        from: "go install github.com/bojand/ghz/cmd/ghz@v0.120.0",
        version: Some("--version"),
        arguments: |way, asked| {
            let call = format!("--insecure --proto {PROTO} --call grpc.health.v1.Health/Check");
            let load = format!("-c {} -z {}s --connections {}", asked.lanes(), asked.seconds, asked.connections);
            (way == Way::Grpc).then(|| format!("{call} {load} --cpus 1 --duration-stop wait -O json"))
        },
        host_alone: true,
        requests: |out| number_at(out, "/statusCodeDistribution/OK"),
    },
];

/// The message that h2load sends, behind its prefix.
const REQUEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peers/health.request");
/// Where ghz reads what it calls.
const PROTO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peers/health.proto");

fn tollgate_arguments(way: Way, asked: Asked) -> Option<String> {
    let flags = match way {
        Way::Http1 => String::new(),
        Way::Http2 => format!(" --http2 --streams {}", asked.streams),
        Way::Grpc => format!(" --protocol grpc --streams {}", asked.streams),
        Way::Tls | Way::Handshakes => " --insecure".to_owned(),
    };
    let load = format!("-c {} -z {}s --workers 1{flags}", asked.lanes(), asked.seconds);
    Some(format!("run {load} --slo success>=99%,p99<500ms --output json"))
}

fn number_at(out: &str, path: &str) -> Option<u64> {
    serde_json::from_str::<Value>(out).ok()?.pointer(path)?.as_u64()
}

fn sum_of(out: &str, path: &str) -> Option<u64> {
    let value: Value = serde_json::from_str(out).ok()?;
    value.pointer(path)?.as_object()?.values().map(Value::as_u64).sum()
}

fn word_before(out: &str, mark: &str) -> Option<u64> {
    out.split_once(mark)?.0.split_whitespace().next_back()?.parse().ok()
}

fn word_after(out: &str, mark: &str) -> Option<u64> {
    out.split_once(mark)?.1.split_whitespace().next()?.parse().ok()
}

/// hey's `[200] 64825 responses`, one line a status.
fn status_lines(out: &str) -> Option<u64> {
    let lines = out.split_once("Status code distribution:")?.1.lines().map(str::trim);
    let counts = lines.filter(|line| line.starts_with('[') && line.ends_with("responses"));
    counts.map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).sum()
}
