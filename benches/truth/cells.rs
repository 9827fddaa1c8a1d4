//! The battery: targets that misbehave in known ways, and the loads they are put under. Data only.

/// What is known of a target beforehand, besides what it says of itself afterwards.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Law {
    /// Each request fares as the target says, whenever it comes: the target's own record is the users' truth.
    Served,
    /// It freezes for the first `on` of every `period`, from `phase` after the first request. Seconds.
    Stall {
        /// Length of a freeze.
        on: f64,
        /// From the beginning of one to the beginning of the next.
        period: f64,
        /// From the first request to the first freeze.
        phase: f64,
    },
    /// Latency falls linearly by `extra` within `lasts` after the first request. Seconds.
    SlowStart {
        /// How long it takes to fall.
        lasts: f64,
        /// What is added at first.
        extra: f64,
    },
}

/// A target and what is demanded of it.
pub(crate) struct Behaviour {
    /// Its name in tables.
    pub(crate) name: &'static str,
    /// Flags of the practice canary.
    pub(crate) flags: &'static str,
    /// What is known of it beforehand.
    pub(crate) law: Law,
    /// The bound on p99, in milliseconds. The other clause is always `success>=99%`.
    pub(crate) p99_below_ms: f64,
    /// Part of the quick battery under the fast load.
    pub(crate) quick: bool,
}

/// Milliseconds that an answer takes where the flags say `--latency 2ms`, as all those with a [`Law`] of time do.
pub(crate) const BASE_MS: f64 = 2.0;

/// The least share of successes, of every cell.
pub(crate) const SUCCESS: f64 = 0.99;

/// The targets. Freezes lie away from the ends of a run, where a tool that drops its last requests would lose them.
pub(crate) const BEHAVIOURS: [Behaviour; 19] = [
    served("constant", "--latency 20ms", 50.0).in_quick(),
    served("constant, too slow", "--latency 20ms", 15.0),
    served("bimodal", "--latency bimodal:5ms,200ms,10%", 150.0),
    served("lognormal", "--latency lognormal:20ms,0.6", 150.0),
    served("pareto", "--latency pareto:5ms,1.5", 50.0),
    Behaviour {
        name: "stall 1s/5s",
        flags: "--latency 2ms --stall 1s/5s --stall-phase 2s",
        law: Law::Stall { on: 1.0, period: 5.0, phase: 2.0 },
        p99_below_ms: 500.0,
        quick: true,
    },
    Behaviour {
        name: "slow start",
        flags: "--latency 2ms --slow-start 2s:500ms",
        law: Law::SlowStart { lasts: 2.0, extra: 0.5 },
        p99_below_ms: 300.0,
        quick: false,
    },
    served("errors 0.5%", "--latency 2ms --errors 0.5%", 100.0),
    // Exactly at the objective: which side of it a run falls on is a matter of its own draws, which the target counts.
    served("errors 1%", "--latency 2ms --errors 1%", 100.0),
    served("errors 1.5%", "--latency 2ms --errors 1.5%", 100.0),
    served("errors 2%", "--latency 2ms --errors 2%", 100.0).in_quick(),
    served("error bursts", "--latency 2ms --errors 50% --burst 500ms/5s", 100.0),
    served("resets 3%", "--latency 2ms --reset 3%", 100.0),
    served("truncated 3%", "--latency 2ms --truncate 3%", 100.0),
    served("slow bodies 5%", "--latency 2ms --body-size 200 --slow-body 1000B/s:5%", 100.0),
    served("two connections at most", "--latency 20ms --max-connections 2", 100.0),
    served("hang", "--hang 100%", 500.0),
    served("one bad connection of ten", "--latency 2ms --bad-connections 1/10:latency=500ms", 300.0),
    served("one bad pod of ten", "--latency 2ms --bad-connections 1/10:errors", 100.0),
];

const fn served(name: &'static str, flags: &'static str, p99_below_ms: f64) -> Behaviour {
    Behaviour { name, flags, law: Law::Served, p99_below_ms, quick: false }
}

impl Behaviour {
    const fn in_quick(mut self) -> Self {
        self.quick = true;
        self
    }

    /// The objective as `--slo` takes it.
    pub(crate) fn objective(&self) -> String {
        format!("success>={}%,p99<{}ms", SUCCESS * 100.0, self.p99_below_ms)
    }
}

/// How requests arrive.
pub(crate) struct Load {
    /// Its name in tables.
    pub(crate) name: &'static str,
    /// Requests per second; `None` for a closed loop.
    pub(crate) rate: Option<u32>,
    /// Connections to begin with; each tool gets the same number.
    pub(crate) lanes: u32,
    /// Its length, a whole number of stall periods.
    pub(crate) seconds: u32,
    /// How many such runs may go on at once, each with a target of its own, without one disturbing another.
    pub(crate) at_once: usize,
}

/// The loads.
pub(crate) const LOADS: [Load; 4] = [
    Load { name: "20/s", rate: Some(20), lanes: 2, seconds: 20, at_once: 16 },
    Load { name: "200/s", rate: Some(200), lanes: 10, seconds: 10, at_once: 8 },
    Load { name: "2000/s", rate: Some(2_000), lanes: 50, seconds: 10, at_once: 2 },
    Load { name: "closed, 10 lanes", rate: None, lanes: 10, seconds: 10, at_once: 2 },
];

/// Seconds after which a request is given up, by every tool.
pub(crate) const TIMEOUT_SECONDS: u32 = 2;

/// What carries the requests, always in the clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2 by prior knowledge.
    Http2,
    /// gRPC, one message each way.
    Grpc,
}

/// All of them, with their names on the command line and in tables.
pub(crate) const WIRES: [(Wire, &str); 3] = [(Wire::Http1, "http1"), (Wire::Http2, "http2"), (Wire::Grpc, "grpc")];

impl Wire {
    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        WIRES.iter().find(|(wire, _)| *wire == self).map_or("", |(_, name)| name)
    }

    /// What is asked of the practice canary over it.
    pub(crate) const fn path(self) -> &'static str {
        if matches!(self, Self::Grpc) { "tollgate.practice.Echo/Echo" } else { "" }
    }
}

/// One run to be made: which target, which load, over what.
#[derive(Clone, Copy)]
pub(crate) struct Cell {
    /// What carries it.
    pub(crate) wire: Wire,
    /// The target.
    pub(crate) behaviour: &'static Behaviour,
    /// The load.
    pub(crate) load: &'static Load,
}

/// The cells of one load over one wire; the quick battery has all targets at 200/s and a few at 2000/s.
pub(crate) fn cells(wire: Wire, load: &'static Load, quick: bool) -> Vec<Cell> {
    let wanted = |behaviour: &&Behaviour| match load.rate {
        _ if !quick => true,
        Some(200) => true,
        Some(2_000) => behaviour.quick,
        _ => false,
    };
    BEHAVIOURS.iter().filter(wanted).map(|behaviour| Cell { wire, behaviour, load }).collect()
}
