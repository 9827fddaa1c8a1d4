//! What is compared: five ways to reach the same nginx, each with the number of connections it is reached over.

use super::rounds::Goal;

/// One comparison.
pub(crate) struct Scene {
    /// Its name on the command line and in tables.
    pub(crate) name: &'static str,
    /// Which way.
    pub(crate) way: Way,
    /// What every tool is asked for.
    pub(crate) asked: Asked,
    /// What is to be reached, with the number by which it is known.
    pub(crate) goals: &'static [(&'static str, Goal)],
    /// What the last column of the table and the goals count.
    pub(crate) unit: &'static str,
}

/// How nginx is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// HTTP/1.1 in the clear.
    Http1,
    /// HTTP/2 in the clear, by prior knowledge.
    Http2,
    /// gRPC in the clear: the standard health check, an empty message there and two bytes back.
    Grpc,
    /// HTTP/1.1 over TLS, connections kept.
    Tls,
    /// A new TLS connection for every request, without resumption: the server closes after each answer.
    Handshakes,
}

/// The load.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    /// Connections.
    pub(crate) connections: u64,
    /// Requests under way on each at once.
    pub(crate) streams: u64,
    /// How long.
    pub(crate) seconds: u64,
}

impl Asked {
    /// Requests under way at once.
    pub(crate) const fn lanes(self) -> u64 {
        self.connections * self.streams
    }
}

const fn goal(peer: &'static str, median: f64, upper_quartile: Option<f64>) -> Goal {
    Goal { peer, median, upper_quartile }
}

const fn asked(connections: u64, streams: u64) -> Asked {
    Asked { connections, streams, seconds: 4 }
}

/// All comparisons.
pub(crate) const SCENES: [Scene; 5] = [
    Scene {
        name: "http1",
        way: Way::Http1,
        asked: asked(50, 1),
        goals: &[("P1", goal("wrk", 1.0, Some(1.1))), ("P1", goal("oha", 0.7, None)), ("P1", goal("hey", 0.3, None))],
        unit: "request",
    },
    Scene {
        name: "http2",
        way: Way::Http2,
        asked: asked(10, 10),
        goals: &[("P3", goal("h2load", 1.1, None)), ("P3", goal("oha", 0.9, None))],
        unit: "request",
    },
    Scene {
        name: "grpc",
        way: Way::Grpc,
        asked: asked(10, 10),
        goals: &[("P10", goal("h2load", 1.0, None)), ("P10", goal("ghz", 0.4, None))],
        unit: "call",
    },
    Scene { name: "tls", way: Way::Tls, asked: asked(50, 1), goals: &[], unit: "request" },
    Scene { name: "handshakes", way: Way::Handshakes, asked: asked(20, 1), goals: &[], unit: "handshake" },
];
