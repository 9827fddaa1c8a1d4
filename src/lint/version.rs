//! What Flagger of an older version does otherwise; looked for only where a version is given.

use std::fmt;
use std::str::FromStr;

use super::finding::Desk;
use super::place::Path;
use super::rule::Rule;
use crate::flagger::{Hook, HookKind};

/// A version of Flagger: its first two numbers. The third changes nothing that matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    major: u32,
    minor: u32,
}

/// A text that is no version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a version of Flagger, such as 1.38")]
pub struct NoVersion;

impl FromStr for Version {
    type Err = NoVersion;

    fn from_str(text: &str) -> Result<Self, NoVersion> {
        let mut parts = text.strip_prefix('v').unwrap_or(text).split('.').map(str::parse::<u32>);
        let (Some(Ok(major)), Some(Ok(minor))) = (parts.next(), parts.next()) else { return Err(NoVersion) };
        if parts.any(|part| part.is_err()) { Err(NoVersion) } else { Ok(Self { major, minor }) }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// A difference: the first version that is as today, where it matters, and what older ones do.
struct Difference {
    since: Version,
    concerns: fn(&Hook) -> bool,
    key: &'static str,
    older: &'static str,
}

const fn since(major: u32, minor: u32) -> Version {
    Version { major, minor }
}

const DIFFERENCES: &[Difference] = &[
    Difference {
        since: since(0, 22),
        concerns: |hook| hook.kind == HookKind::Event,
        key: "type",
        older: "knows no hooks of type event",
    },
    Difference {
        since: since(0, 23),
        concerns: |hook| hook.kind == HookKind::Rollback,
        key: "type",
        older: "knows no hooks of type rollback",
    },
    Difference {
        since: since(1, 7),
        concerns: |hook| hook.kind == HookKind::ConfirmTrafficIncrease,
        key: "type",
        older: "knows no hooks of type confirm-traffic-increase",
    },
    Difference {
        since: since(1, 31),
        concerns: |hook| hook.kind == HookKind::ConfirmRollout,
        key: "type",
        older: "asks confirm-rollout hooks in every step of the analysis",
    },
    Difference {
        since: since(1, 33),
        concerns: |hook| hook.kind == HookKind::ConfirmTrafficIncrease,
        key: "type",
        older: "asks confirm-traffic-increase hooks while the promotion waits, too",
    },
    Difference {
        since: since(1, 34),
        concerns: |hook| Path::of(hook).judges(),
        key: "url",
        older: "does not say which revision is analysed: a new one looks like the old one going on",
    },
    Difference { since: since(1, 35), concerns: |hook| hook.retries > 0, key: "retries", older: "has no retries" },
    Difference {
        since: since(1, 39),
        concerns: |hook| hook.disable_tls,
        key: "disableTLS",
        older: "checks certificates",
    },
    Difference {
        since: since(1, 42),
        concerns: |hook| hook.kind == HookKind::Event && hook.places.has("timeout"),
        key: "timeout",
        older: "takes 10s for hooks of type event, whatever timeout says",
    },
];

/// Looks at what an older Flagger makes of the hooks.
pub(super) fn look(desk: &mut Desk<'_>) {
    let Some(version) = desk.settings.flagger else { return };
    for hook in &desk.canary.analysis.webhooks {
        for difference in
            DIFFERENCES.iter().filter(|difference| version < difference.since && (difference.concerns)(hook))
        {
            let said = format!("Flagger {version} {}", difference.older);
            let at = hook.places.key(difference.key);
            desk.on(hook, Rule::FlaggerVersion, at, said, format!("use Flagger {} or newer", difference.since));
        }
        if version < since(1, 44) && hook.kind == HookKind::PostRollout && desk.canary.skip_analysis {
            let said = format!("Flagger {version} asks no post-rollout hooks where the analysis is skipped");
            desk.on(hook, Rule::FlaggerVersion, hook.places.key("type"), said, "use Flagger 1.44 or newer");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_with_two_or_three_numbers() {
        for (text, expected) in [
            ("1.38", Some("1.38")),
            ("v1.44.0", Some("1.44")),
            ("0.22", Some("0.22")),
            ("1", None),
            ("1.x", None),
            ("1.2.x", None),
            ("", None),
        ] {
            assert_eq!(text.parse::<Version>().ok().map(|version| version.to_string()).as_deref(), expected, "{text}");
        }
    }
}
