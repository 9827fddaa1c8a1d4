//! Who is released: a canary as Flagger names it, the phase it is in, and the revision under analysis. Pure.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A canary's name and namespace. Both are whatever the caller says, empty included; two canaries are the same only if
/// both parts are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Canary {
    /// The name of Flagger's Canary object.
    pub name: String,
    /// The namespace it lives in.
    pub namespace: String,
}

impl Canary {
    /// A canary of that name in that namespace.
    #[must_use]
    pub fn new(name: impl Into<String>, namespace: impl Into<String>) -> Self {
        Self { name: name.into(), namespace: namespace.into() }
    }
}

/// `name.namespace`, for people. It is no key: `a.b` in `c` and `a` in `b.c` look alike.
impl fmt::Display for Canary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.name, self.namespace)
    }
}

/// Why a text names no canary.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("got '{0}', expected NAME.NAMESPACE, such as podinfo.test")]
pub struct NoCanary(String);

/// Reads `NAME.NAMESPACE`. A namespace has no dot in Kubernetes, so the last one parts the two.
impl FromStr for Canary {
    type Err = NoCanary;

    fn from_str(text: &str) -> Result<Self, NoCanary> {
        let parts = text.rsplit_once('.').filter(|(name, namespace)| !name.is_empty() && !namespace.is_empty());
        let (name, namespace) = parts.ok_or_else(|| NoCanary(text.chars().filter(|c| !c.is_control()).collect()))?;
        Ok(Self::new(name, namespace))
    }
}

/// The phase of a canary, as Flagger writes it into every hook.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Phase {
    /// None of Flagger's: most likely a person asked.
    #[default]
    Unknown,
    /// Being set up for the first time.
    Initializing,
    /// Set up, never analysed.
    Initialized,
    /// A new revision waits for approval.
    Waiting,
    /// Under analysis.
    Progressing,
    /// Analysed, waiting for approval of the promotion.
    WaitingPromotion,
    /// Being promoted.
    Promoting,
    /// Promoted, the canary being scaled down.
    Finalising,
    /// The last analysis ended with a promotion.
    Succeeded,
    /// The last analysis ended with a rollback.
    Failed,
    /// Being deleted.
    Terminating,
}

/// What a phase says of the analysis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Nothing.
    Unknown,
    /// None is going on, and nothing waits: the state before a revision is noticed.
    Settled,
    /// A revision was noticed and waits for approval.
    Waiting,
    /// An analysis goes on.
    Running,
}

impl Phase {
    /// Those that Flagger writes.
    const ALL: [Self; 10] = [
        Self::Initializing,
        Self::Initialized,
        Self::Waiting,
        Self::Progressing,
        Self::WaitingPromotion,
        Self::Promoting,
        Self::Finalising,
        Self::Succeeded,
        Self::Failed,
        Self::Terminating,
    ];

    /// The phase that Flagger writes like this; [`Phase::Unknown`] for any other text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self::ALL.into_iter().find(|phase| phase.name() == text).unwrap_or_default()
    }

    /// As Flagger writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "",
            Self::Initializing => "Initializing",
            Self::Initialized => "Initialized",
            Self::Waiting => "Waiting",
            Self::Progressing => "Progressing",
            Self::WaitingPromotion => "WaitingPromotion",
            Self::Promoting => "Promoting",
            Self::Finalising => "Finalising",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Terminating => "Terminating",
        }
    }

    /// What it says of the analysis.
    #[must_use]
    pub const fn stage(self) -> Stage {
        match self {
            Self::Unknown => Stage::Unknown,
            Self::Waiting => Stage::Waiting,
            Self::Progressing | Self::WaitingPromotion | Self::Promoting | Self::Finalising => Stage::Running,
            Self::Initializing | Self::Initialized | Self::Succeeded | Self::Failed | Self::Terminating => {
                Stage::Settled
            }
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Flagger's name for a revision. Opaque; compared, never computed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Checksum(String);

impl Checksum {
    /// The revision that a hook names; empty when it names none.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canary_is_read_from_name_and_namespace() {
        for (text, expected, why) in [
            ("podinfo.test", Some(("podinfo", "test")), "the usual"),
            ("a.b.c", Some(("a.b", "c")), "names may have dots, namespaces may not"),
            ("podinfo", None, "no namespace"),
            (".test", None, "no name"),
            ("podinfo.", None, "an empty namespace"),
            ("", None, "nothing"),
        ] {
            let expected = expected.map(|(name, namespace)| Canary::new(name, namespace));
            assert_eq!(text.parse::<Canary>().ok(), expected, "{text}: {why}");
        }
        assert_eq!(Canary::new("podinfo", "test").to_string(), "podinfo.test");
    }

    #[test]
    fn a_phase_says_whether_an_analysis_goes_on() {
        for (text, stage) in [
            ("Initialized", Stage::Settled),
            ("Waiting", Stage::Waiting),
            ("Progressing", Stage::Running),
            ("WaitingPromotion", Stage::Running),
            ("Promoting", Stage::Running),
            ("Finalising", Stage::Running),
            ("Succeeded", Stage::Settled),
            ("Failed", Stage::Settled),
            ("progressing", Stage::Unknown),
            ("", Stage::Unknown),
        ] {
            assert_eq!(Phase::of(text).stage(), stage, "{text}");
        }
    }
}
