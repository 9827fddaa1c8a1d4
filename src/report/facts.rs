//! The part of a plan that a report repeats, so that a saved report explains itself.

use std::time::Duration;

/// What decides when the next request goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loop {
    /// The schedule does, whatever the answers do.
    Open,
    /// The previous answer does.
    Closed,
}

impl Loop {
    /// The name used in reports and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}

/// What was asked of the load generator, and how the program will end.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    /// The first URL, without credentials.
    pub url: String,
    /// All URLs, without credentials, each with its weight; at least one.
    pub urls: Vec<(String, u32)>,
    /// The URL of the release in service, loaded on the same schedule; `None` where nothing is compared with it.
    pub primary: Option<String>,
    /// The HTTP method.
    pub method: String,
    /// The protocol's name in flags and JSON.
    pub protocol: &'static str,
    /// The protocol as people write it.
    pub protocol_title: &'static str,
    /// Open or closed loop.
    pub arrivals: Loop,
    /// Lanes to start with, at least 1.
    pub lanes: u32,
    /// Most lanes allowed when the target holds requests; equal to `lanes` in a closed loop.
    pub max_lanes: u32,
    /// Arrivals per second wanted, on average over the judged part; `None` in a closed loop.
    pub rate: Option<f64>,
    /// How many stages the rate goes through; 0 or 1 for a steady rate or none.
    pub stages: usize,
    /// Planned length of the judged part; `None` where only a count ends it.
    pub duration: Option<Duration>,
    /// Planned requests of the judged part; `None` where only time ends it.
    pub requests: Option<u64>,
    /// Load before the judged part; zero for none.
    pub warmup: Duration,
    /// Longest wait for one whole answer; `None` waits for ever.
    pub timeout: Option<Duration>,
    /// Redirects followed within one request; 0 takes a redirect as an answer.
    pub redirects: u32,
    /// What drawn values follow from; `None` where none are drawn.
    pub seed: Option<u64>,
    /// The objective as written; `None` without one.
    pub slo: Option<String>,
    /// When the run started, RFC 3339.
    pub started: String,
    /// tollgate's version.
    pub version: String,
    /// The exit code the program will end with.
    pub exit_code: u8,
}

impl Facts {
    /// Where the load goes, in a few words: the URL, or the first and how many more.
    #[must_use]
    pub fn target(&self) -> String {
        match self.urls.len() {
            0 | 1 => self.url.clone(),
            n => format!("{} and {} more", self.url, n - 1),
        }
    }
}
