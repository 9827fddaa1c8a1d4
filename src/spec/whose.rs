//! Whose answers a load sees.
//!
//! Most hooks in the wild send their load to the service that users reach, where the old release answers too: with a tenth
//! of the traffic, a canary that fails 5 % shows 0.5 %, and before the first step of weight it is not asked at all. Flagger
//! names the services: `NAME-canary` is the canary alone, `NAME` is whoever users get.

use crate::plan::Plan;

/// Whose answers the requests of a plan get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The canary's and nobody else's.
    Canary,
    /// Those of the service that users reach, by its name.
    Apex,
    /// An ingress, an address: nobody can tell from here.
    Unknown,
}

impl Whose {
    /// Whose answers of `plan` are judged, where `name` is the canary's: the canary's where answers show whose they are, else by the host that its
    /// requests name. The least certain target counts.
    #[must_use]
    pub fn of(plan: &Plan, name: &str) -> Self {
        if plan.identify.is_some() {
            return Self::Canary;
        }
        let each = plan.targets.iter().map(|target| Self::of_host(&target.request.authority, name));
        each.fold(Self::Canary, Self::and)
    }

    /// The less certain of both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Apex, _) | (_, Self::Apex) => Self::Apex,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::Canary, Self::Canary) => Self::Canary,
        }
    }

    /// Whose answers a server gives, by its `host` or `host:port`.
    #[must_use]
    pub fn of_host(authority: &str, name: &str) -> Self {
        let first = authority.split(['.', ':']).next().unwrap_or_default().to_ascii_lowercase();
        if first == name.to_ascii_lowercase() {
            Self::Apex
        } else if first.ends_with("-canary") || first.contains("-canary-") {
            Self::Canary
        } else {
            Self::Unknown
        }
    }

    /// What a verdict on it must say.
    #[must_use]
    pub const fn remark(self) -> Option<&'static str> {
        match self {
            Self::Canary => None,
            Self::Apex => Some("apex: share of canary unknown"),
            Self::Unknown => Some("share of canary unknown"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_label_of_the_host_says_whose_answers_come() {
        for (authority, expected, why) in [
            ("podinfo-canary.test:9898", Whose::Canary, "Flagger's service of the canary"),
            ("podinfo-canary", Whose::Canary, "in the same namespace"),
            ("PODINFO-CANARY.test", Whose::Canary, "names have no case"),
            ("web-canary-v2.test", Whose::Canary, "a service of one's own"),
            ("podinfo.test:9898", Whose::Apex, "what users reach"),
            ("podinfo", Whose::Apex, "what users reach, in the same namespace"),
            ("Podinfo.test.svc.cluster.local", Whose::Apex, "its long name"),
            ("podinfo-primary.test", Whose::Unknown, "the old release"),
            ("app.example.com", Whose::Unknown, "an ingress"),
            ("canary.example.com", Whose::Unknown, "a name that only sounds like it"),
            ("app.podinfo-canary.example.com", Whose::Unknown, "not the first label"),
            ("10.0.0.1:8080", Whose::Unknown, "an address"),
            ("[::1]:80", Whose::Unknown, "an address"),
        ] {
            assert_eq!(Whose::of_host(authority, "podinfo"), expected, "{authority}: {why}");
        }
        assert_eq!(Whose::of_host("shop-canary.test", "shop-canary"), Whose::Apex, "a release that is called so");
    }
}
