//! What load to produce: target, schedule, lanes and limits; valid by construction. Pure.

mod rate;
mod schedule;
mod target;
mod way;

use std::time::Duration;

pub use rate::{Rate, RateError};
pub use schedule::{Arrivals, Dues, LaneDues, Schedule, Stage, Stop};
pub use target::{Host, Origin, Request, Target};
pub use way::{Identity, Proxy, Tls, Trust, Via, Wire};

/// One load, ready to run.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Where it goes and what it asks; at least one.
    pub targets: Vec<Target>,
    /// The protocol that carries it.
    pub wire: Wire,
    /// Whom to trust where a target is reached over TLS.
    pub tls: Tls,
    /// What connections go through.
    pub via: Via,
    /// When requests are due and when the load ends.
    pub schedule: Schedule,
    /// Lanes to start with (hey's `-c`), at least 1.
    pub lanes: u32,
    /// Most lanes when the target holds requests past the next due time; at least `lanes`. In a closed loop, `lanes`.
    pub max_lanes: u32,
    /// Lanes that share one connection where the protocol can carry several requests at once; at least 1.
    pub streams: u32,
    /// Most connections that lanes share; `None` for as many as the lanes need. At least 1.
    pub links: Option<u32>,
    /// Longest wait for one whole answer, from the send; `None` waits for ever.
    pub timeout: Option<Duration>,
    /// Whether a connection carries more than one request.
    pub keep_alive: bool,
    /// Age at which a connection is replaced between two requests; `None` keeps it.
    pub connection_age: Option<Duration>,
    /// Redirects to follow before an answer counts; 0 takes a redirect as an answer like any other.
    pub redirects: u32,
}
