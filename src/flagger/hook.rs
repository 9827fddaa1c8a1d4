//! A hook: a service that Flagger asks during a release.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::places::Places;

/// When a hook is asked, and what its answer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HookKind {
    /// Before a change is noticed as a release: no success, no analysis.
    ConfirmRollout,
    /// Before the first weight or iteration.
    PreRollout,
    /// In every other tick of the analysis.
    Rollout,
    /// Before each step of weight.
    ConfirmTrafficIncrease,
    /// Before the promotion.
    ConfirmPromotion,
    /// When the release is over.
    PostRollout,
    /// In every tick of the analysis; its success gives the release up.
    Rollback,
    /// With every event.
    Event,
}

impl HookKind {
    /// All of them, in the order in which a release meets them.
    pub const ALL: [Self; 8] = [
        Self::ConfirmRollout,
        Self::PreRollout,
        Self::Rollout,
        Self::ConfirmTrafficIncrease,
        Self::ConfirmPromotion,
        Self::PostRollout,
        Self::Rollback,
        Self::Event,
    ];

    /// The name in `type`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ConfirmRollout => "confirm-rollout",
            Self::PreRollout => "pre-rollout",
            Self::Rollout => "rollout",
            Self::ConfirmTrafficIncrease => "confirm-traffic-increase",
            Self::ConfirmPromotion => "confirm-promotion",
            Self::PostRollout => "post-rollout",
            Self::Rollback => "rollback",
            Self::Event => "event",
        }
    }
}

impl fmt::Display for HookKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Reads `type`. The empty text is `rollout`, as in Flagger.
impl FromStr for HookKind {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let text = if text.is_empty() { "rollout" } else { text };
        Self::ALL.into_iter().find(|kind| kind.name() == text).ok_or(())
    }
}

/// One entry of `analysis.webhooks`.
#[derive(Clone, Debug, PartialEq)]
pub struct Hook {
    /// Its name, for events and messages only.
    pub name: String,
    /// When it is asked.
    pub kind: HookKind,
    /// Where it is asked.
    pub url: String,
    /// How long one attempt may take, with Flagger's default of 10 s put in. `None` where Flagger cannot read what is
    /// written: then every call fails before it is sent.
    pub timeout: Option<Duration>,
    /// How often a call is made again after an answer of 429 or 5xx, or none; zero makes it once.
    pub retries: u32,
    /// Whether the alert of a confirm hook is kept back.
    pub mute_alert: bool,
    /// Whether certificates are not checked.
    pub disable_tls: bool,
    /// What it is sent; empty is left out of the payload.
    pub metadata: BTreeMap<String, String>,
    /// Where the hook and its keys stand.
    pub places: Places,
    /// Where the metadata's keys stand.
    pub metadata_places: Places,
}

/// What Flagger takes for a timeout that is not given.
const TIMEOUT: Duration = Duration::from_secs(10);

impl Hook {
    /// The timeout that Flagger makes of a text: ten seconds for one of fewer than two characters, except that a hook of
    /// type event has them for an empty one only.
    pub(super) fn timeout(kind: HookKind, text: &str) -> Option<Duration> {
        let absent = if kind == HookKind::Event { text.is_empty() } else { text.len() < 2 };
        if absent {
            return Some(TIMEOUT);
        }
        text.parse::<crate::spec::GoDuration>().ok()?.to_std()
    }

    /// The longest that a call may hold a tick up: all attempts at their timeout, and the pauses of 1 s, 2 s, 4 s … up to
    /// 30 s between them. `None` where Flagger cannot read the timeout.
    #[must_use]
    pub fn longest(&self) -> Option<Duration> {
        let timeout = self.timeout?;
        let pauses = (0..self.retries.min(1000)).map(|retry| Duration::from_secs(1 << retry.min(5)));
        let pauses: Duration = pauses.map(|pause| pause.min(Duration::from_secs(30))).sum();
        Some(timeout.saturating_mul(self.retries.saturating_add(1)).saturating_add(pauses))
    }
}
