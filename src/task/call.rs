//! What is asked: by which hook, for which canary, about which load and objective.

use crate::canary::{Canary, Checksum, Phase};
use crate::spec::Order;

/// Which hook asks, by its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// `/rollout`: load in the background, a verdict on the newest part of it.
    Rollout,
    /// `/pre-rollout`: a verdict on one whole load.
    PreRollout,
    /// `/confirm`: a verdict before a promotion or an increase of traffic; its refusal costs no failed check.
    Confirm,
    /// `/rollback`: whether to give the release up. Its success is the bad news.
    Rollback,
    /// `/`: the loadtester's endpoint; judged only where an objective is given.
    Plain,
}

impl Role {
    /// Its path.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Rollout => "/rollout",
            Self::PreRollout => "/pre-rollout",
            Self::Confirm => "/confirm",
            Self::Rollback => "/rollback",
            Self::Plain => "/",
        }
    }
}

/// What makes a rollback right whatever was measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Somebody opened the rollback gate: who and why, in words.
    Gate(String),
    /// An alert of this run is firing: which, in words.
    Alert(String),
}

/// One call of a hook.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Who is released.
    pub canary: Canary,
    /// The canary's phase.
    pub phase: Phase,
    /// The revision under analysis.
    pub checksum: Checksum,
    /// Which hook.
    pub role: Role,
    /// Load, objective and what else the hook's metadata asks for.
    pub order: Order,
    /// For a rollback hook, what speaks for it besides measurements.
    pub signal: Option<Signal>,
}
