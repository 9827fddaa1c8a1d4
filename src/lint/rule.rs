//! The rules: a name, how bad it is, and what it finds.

use std::fmt;
use std::str::FromStr;

use crate::flagger::MistakeKind;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Most likely not meant.
    Warning,
    /// It does not work, or a release is judged wrongly.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

macro_rules! rules {
    ($($name:ident, $id:literal, $severity:ident, $title:literal;)*) => {
        /// One thing that is looked for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule {
            $(#[doc = $title] $name,)*
        }

        /// All rules, in the order of the documents.
        pub const RULES: &[Rule] = &[$(Rule::$name,)*];

        impl Rule {
            /// Its name, for flags and reports.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self { $(Self::$name => $id,)* }
            }

            /// How bad it is where nothing else is asked for.
            #[must_use]
            pub const fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity,)* }
            }

            /// What it finds, in one line.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }
        }
    };
}

rules! {
    Yaml, "yaml", Error, "The file is no YAML";
    Template, "template", Error, "A chart's template whose values are not filled in";
    NoCanary, "no-canary", Error, "There is no Canary in it";
    UnknownKey, "unknown-key", Warning, "A key that Flagger does not know: the cluster drops it";
    MisplacedKey, "misplaced-key", Error, "A key of the metadata that stands beside them: the cluster drops it";
    DuplicateKey, "duplicate-key", Warning, "A key that stands twice: the last one counts";
    WrongType, "wrong-type", Error, "A value of another type than the cluster takes";
    MetadataText, "metadata-text", Error, "A metadata value that is no text: numbers and true need quotes";
    MissingKey, "missing-key", Error, "A key that the cluster wants is not there";
    HookType, "hook-type", Error, "A type of hook that there is not";
    WrongValue, "wrong-value", Error, "A value that the cluster does not take";
    OldVersion, "old-version", Error, "A version of the Canary that is no longer served";

    Interval, "interval", Warning, "An interval below 10s, which becomes 10s, or one that cannot be read, which becomes 60s";
    NoStrategy, "no-strategy", Error, "Neither stepWeight nor stepWeights nor iterations";
    StuckWeights, "stuck-weights", Error, "Weights that never go on: a list that begins with 0 or does not rise";
    BothSteps, "both-steps", Warning, "stepWeight beside stepWeights: the step is that of the one, the end that of the other";
    OverMaxWeight, "over-max-weight", Warning, "The last step goes beyond maxWeight";
    SlowRollback, "slow-rollback", Warning, "A release that fails every check stays for more than half an hour";
    NothingJudges, "nothing-judges", Error, "No check can fail: the threshold is never reached";
    KubernetesIterations, "kubernetes-iterations", Warning, "The provider kubernetes without iterations: Flagger takes 10 and warns at every tick";
    MatchIgnored, "match-ignored", Warning, "Conditions of an A/B test that nothing looks at";
    UnknownMetric, "unknown-metric", Error, "A metric that is not built in and has no template: every check fails";
    NeverAsked, "never-asked", Warning, "A hook that this analysis never asks";
    SingleIteration, "single-iteration", Warning, "One iteration and a gate before the promotion: pre-rollout hooks run again and again";

    Timeout, "timeout", Error, "A timeout that Flagger cannot read: every call fails";
    TimeoutIgnored, "timeout-ignored", Warning, "A timeout of one character: Flagger takes 10s";
    HookUrl, "hook-url", Error, "A hook's URL that Flagger cannot ask";
    UnknownPath, "unknown-path", Error, "A path that tollgate does not have";
    PasswordInUrl, "password-in-url", Warning, "A password in a hook's URL: who can read the Canary can read it";
    TickTooLong, "tick-too-long", Warning, "Hooks that together may take longer than the interval";
    SameName, "same-name", Warning, "Hooks of one name: events do not say which of them failed";
    NoEffect, "no-effect", Warning, "Something that has no effect where it stands";

    WrongRole, "wrong-role", Error, "A hook of a type that the path is not for";
    RollsBack, "rolls-back", Error, "A rollback hook that gives every release up";
    AlwaysPasses, "always-passes", Warning, "A check that passes whatever the release does";
    GateNeverOpens, "gate-never-opens", Error, "A gate that nothing can open";
    GateHalt, "gate-halt", Warning, "/gate/halt: nothing goes on until the Canary is changed";
    OpensAtOnce, "opens-at-once", Warning, "A confirm hook on a path that opens or closes gates: its 202 approves";

    TaskType, "task-type", Error, "A type in the metadata that there is not";
    TaskKey, "task-key", Error, "A key that a task of this type needs is not there";
    NeedsProgram, "needs-program", Error, "A command that needs a program which the service may not run";
    Command, "command", Error, "A command that cannot be done";
    NoCommand, "no-command", Error, "A task without a command";
    Helm2, "helm-2", Warning, "An argument that only Helm 2 had";
    SplitAtBlanks, "split-at-blanks", Note, "Quotes in a line that the loadtester splits at every blank";
    SwitchValue, "switch-value", Warning, "A switch that is neither true nor false: it counts as false";

    Slo, "slo", Error, "An objective that cannot be read";
    MetadataKey, "metadata-key", Error, "A key or value of the metadata that tollgate refuses";
    NearKey, "near-key", Warning, "A key of the metadata that is nearly one that there is";
    UnjudgedLoad, "unjudged-load", Note, "Load that nobody judges";
    ApexGate, "apex-gate", Error, "A pre-rollout check of the service that users reach, where only the old release answers";
    ApexTarget, "apex-target", Warning, "Load on the service that users reach, where the old release answers too";
    PrimaryTarget, "primary-target", Warning, "Load on the old release";
    OtherService, "other-service", Warning, "Load on the canary service of another release";
    OtherPort, "other-port", Warning, "A port that the service does not have";
    OtherNamespace, "other-namespace", Warning, "A service of this name in another namespace";
    ShareUnknown, "share-unknown", Note, "Load on an ingress or address: nobody can tell whose answers come";
    WaitOverTimeout, "wait-over-timeout", Error, "A hook whose answer may come after Flagger has left";
    PreRolloutTimeout, "pre-rollout-timeout", Error, "A pre-rollout hook whose timeout is over before its load is";
    EvidenceNever, "evidence-never", Error, "A load that is too small for its objective: no release passes";
    EvidenceLate, "evidence-late", Warning, "A load that is too small at first: its first calls are failed checks";
    LoadEndsEarly, "load-ends-early", Note, "A load shorter than the interval: nothing is measured in between";
    Shadow, "shadow", Note, "A verdict that is told and does not count";

    FewRollouts, "few-rollouts", Error, "Fewer than two calls of /rollout before the promotion: the first one never judges";
    NoConfirm, "no-confirm", Warning, "/rollout without a /confirm before the promotion";
    RollbackBlind, "rollback-blind", Warning, "/rollback without load that the canary alone answers: only gates and alerts give up";
    FlaggerVersion, "flagger-version", Warning, "Something that the Flagger of --flagger does not know or does otherwise";
    NoPostRollout, "no-post-rollout", Note, "No post-rollout hook: tollgate must guess when an analysis is over";
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// A name that is none of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no such rule")]
pub struct NoRule;

impl FromStr for Rule {
    type Err = NoRule;

    fn from_str(text: &str) -> Result<Self, NoRule> {
        RULES.iter().copied().find(|rule| rule.id() == text).ok_or(NoRule)
    }
}

/// The rule that a mistake of the reader breaks.
impl From<MistakeKind> for Rule {
    fn from(kind: MistakeKind) -> Self {
        match kind {
            MistakeKind::Yaml => Self::Yaml,
            MistakeKind::Template => Self::Template,
            MistakeKind::NoCanary => Self::NoCanary,
            MistakeKind::UnknownKey => Self::UnknownKey,
            MistakeKind::Misplaced => Self::MisplacedKey,
            MistakeKind::Twice => Self::DuplicateKey,
            MistakeKind::WrongType => Self::WrongType,
            MistakeKind::Metadata => Self::MetadataText,
            MistakeKind::Missing => Self::MissingKey,
            MistakeKind::HookType => Self::HookType,
            MistakeKind::Value => Self::WrongValue,
            MistakeKind::Version => Self::OldVersion,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_a_name_of_its_own() {
        let mut names: Vec<&str> = RULES.iter().map(|rule| rule.id()).collect();
        assert!(
            names.iter().all(|name| name.chars().all(|c| c == '-' || c.is_ascii_lowercase() || c.is_ascii_digit()))
        );
        assert!(RULES.iter().all(|rule| rule.id().parse() == Ok(*rule)));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), RULES.len());
    }
}
