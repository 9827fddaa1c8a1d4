//! When request *i* is due, and when the load ends. Arithmetic only: offsets from the start, no clock.

use std::time::Duration;

/// A rate in exact millionths of a request per second, so that `-q 10 -c 2` for 10 s is 200 requests and not 199.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rate {
    /// Requests per second × 10⁶. Never zero.
    pub micro_per_second: u64,
}

/// A stretch of an open-loop schedule: the rate goes linearly from `from` to `to` over `duration`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stage {
    /// How long it lasts; more than zero.
    pub duration: Duration,
    /// Rate at its beginning.
    pub from: Rate,
    /// Rate at its end; equal to `from` for a steady stage.
    pub to: Rate,
}

/// How requests arrive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arrivals {
    /// Each lane sends its next request as soon as its previous answer is complete.
    Closed,
    /// One steady arrival process, whatever the answers do.
    Steady(Rate),
    /// One arrival process whose rate changes; at least one stage.
    Stages(Vec<Stage>),
}

/// When the load ends. Whichever comes first, where both are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stop {
    /// After this many requests of the judged part.
    pub count: Option<u64>,
    /// After this long, the warm-up not included: nothing is due later.
    pub duration: Option<Duration>,
}

/// Arrivals, their end, and what comes before they count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// How requests arrive.
    pub arrivals: Arrivals,
    /// When the judged part ends.
    pub stop: Stop,
    /// Load of the same kind before the judged part: measured and shown, not judged. Zero for none.
    pub warmup: Duration,
}
