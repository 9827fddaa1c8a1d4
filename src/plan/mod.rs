//! What load to produce: target, schedule, lanes and limits; valid by construction. Pure.

mod rate;
mod schedule;
mod target;

use std::time::Duration;

pub use rate::{Rate, RateError};
pub use schedule::{Arrivals, Dues, Schedule, Stage, Stop};
pub use target::{Host, Origin, Request, Target};

/// One load, ready to run.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Where it goes and what it asks.
    pub target: Target,
    /// When requests are due and when the load ends.
    pub schedule: Schedule,
    /// Lanes to start with (hey's `-c`), at least 1.
    pub lanes: u32,
    /// Most lanes when the target holds requests past the next due time; at least `lanes`. In a closed loop, `lanes`.
    pub max_lanes: u32,
    /// Longest wait for one whole answer, from the send; `None` waits for ever.
    pub timeout: Option<Duration>,
    /// Whether a connection carries more than one request.
    pub keep_alive: bool,
    /// Age at which a connection is replaced between two requests; `None` keeps it.
    pub connection_age: Option<Duration>,
}
