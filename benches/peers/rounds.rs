//! Costs by round and tool, and the ratios made of them.

use std::collections::BTreeMap;

use super::numbers::quantile;

/// What one tool did in one round.
#[derive(Clone, Copy)]
pub(crate) struct Cost {
    /// Requests answered.
    pub(crate) requests: f64,
    /// Seconds from its start to its end.
    pub(crate) wall: f64,
    /// Seconds of user and system time.
    pub(crate) cpu: f64,
}

/// All rounds.
#[derive(Default)]
pub(crate) struct Rounds(BTreeMap<(&'static str, u64), Cost>);

impl Rounds {
    /// Adds what a tool did.
    pub(crate) fn add(&mut self, round: u64, tool: &'static str, cost: Cost) {
        self.0.insert((tool, round), cost);
    }

    fn of(&self, tool: &str) -> Vec<(u64, Cost)> {
        self.0.iter().filter(|((name, _), _)| *name == tool).map(|((_, round), cost)| (*round, *cost)).collect()
    }

    /// Requests per second, by round.
    pub(crate) fn per_second(&self, tool: &str) -> Vec<f64> {
        self.of(tool).iter().map(|(_, cost)| cost.requests / cost.wall).collect()
    }

    /// Microseconds of CPU for a request, by round.
    pub(crate) fn cpu_micros(&self, tool: &str) -> Vec<f64> {
        self.of(tool).iter().map(|(_, cost)| cost.cpu / cost.requests * 1e6).collect()
    }

    /// CPU per request of `ours` ÷ that of `peer`, for the rounds that have both.
    pub(crate) fn ratios(&self, ours: &str, peer: &str) -> Vec<f64> {
        let peer: BTreeMap<_, _> = self.of(peer).into_iter().collect();
        let pairs = self.of(ours).into_iter().filter_map(|(round, mine)| Some((mine, *peer.get(&round)?)));
        pairs.map(|(mine, theirs)| (mine.cpu / mine.requests) / (theirs.cpu / theirs.requests)).collect()
    }
}

/// A limit on the ratio to a peer.
pub(crate) struct Goal {
    /// The peer.
    pub(crate) peer: &'static str,
    /// Most that the median may be.
    pub(crate) median: f64,
    /// Most that the upper quartile may be, where that is limited.
    pub(crate) upper_quartile: Option<f64>,
}

impl Goal {
    /// Whether it is kept; `None` where it was not measured.
    pub(crate) fn holds(&self, ratios: &[f64]) -> Option<bool> {
        let (median, upper) = (quantile(ratios, 0.5), quantile(ratios, 0.75));
        let holds = median <= self.median && self.upper_quartile.is_none_or(|limit| upper <= limit);
        (!ratios.is_empty()).then_some(holds)
    }

    /// One line: what was asked, what came out, whether it holds.
    pub(crate) fn outcome(&self, ratios: &[f64]) -> String {
        let asked = format!("CPU per request ≤ {:.1} × {}", self.median, self.peer);
        if ratios.is_empty() {
            return format!("{asked}: not measured");
        }
        let (median, upper) = (quantile(ratios, 0.5), quantile(ratios, 0.75));
        let holds = self.holds(ratios) == Some(true);
        let limit = self.upper_quartile.map_or_else(String::new, |limit| format!(" (≤ {limit:.1})"));
        let answer = if holds { "holds" } else { "DOES NOT HOLD" };
        format!("{asked}: median {median:.2}, upper quartile {upper:.2}{limit}: {answer}")
    }
}
