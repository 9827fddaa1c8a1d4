//! To which analysis a gate belongs, as far as Flagger's hooks tell.
//!
//! A gate that is to last for one analysis is bound to it when Flagger first finds it open. Flagger never says that an
//! analysis is over, unless the canary has a post-rollout hook; but every hook carries the phase and the revision, and
//! from these it follows. In doubt a confirm gate is taken to be over: a release then waits for somebody to open it again.
//!
//! Hooks before an analysis carry the revision of the one before. So a gate that was used for the approval of the
//! rollout is bound to its analysis only when that has begun.

use crate::canary::{Checksum, Phase, Stage};

use super::switch::Use;

/// Where a sight of a canary comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A question that Flagger asks before it goes on.
    Hook,
    /// A report of what happened. Its phase may be older than the event.
    Event,
    /// The hook at the end of an analysis.
    PostRollout,
}

/// What a hook says of its canary's analysis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sight {
    /// The canary's phase.
    pub phase: Phase,
    /// The revision; before an analysis begins, the one before.
    pub checksum: Checksum,
    /// What kind of hook it was.
    pub source: Source,
}

/// What a sight means for a gate that was used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Nothing new.
    Stays,
    /// The analysis it was used for has begun, with this revision.
    Begins(Checksum),
    /// The analysis it was used for is over.
    Ends,
}

/// What `sight` means for a gate used as `used` says.
pub(super) fn turn(used: &Use, sight: &Sight) -> Turn {
    let another = sight.checksum != used.checksum;
    match (&used.run, sight.phase.stage()) {
        _ if sight.source == Source::PostRollout => Turn::Ends,
        (_, Stage::Unknown) => Turn::Stays,
        (Some(run), Stage::Running) if *run == sight.checksum => Turn::Stays,
        (Some(_), _) => Turn::Ends,
        (None, Stage::Running) => Turn::Begins(sight.checksum.clone()),
        (None, _) if sight.source == Source::Event => Turn::Stays,
        (None, Stage::Waiting) if another => Turn::Ends,
        (None, Stage::Settled) if another || sight.phase != used.phase => Turn::Ends,
        (None, _) => Turn::Stays,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Source::{Event, Hook, PostRollout};

    fn sight(phase: &str, checksum: &str, source: Source) -> Sight {
        Sight { phase: Phase::of(phase), checksum: Checksum::new(checksum), source }
    }

    fn used(phase: &str, checksum: &str) -> Use {
        Use::at(&sight(phase, checksum, Hook)).unwrap()
    }

    #[test]
    fn a_gate_used_in_an_analysis_lasts_as_long_as_that() {
        for (phase, checksum, source, expected, why) in [
            ("Progressing", "v2", Hook, Turn::Stays, "the same analysis: an answer may have been lost"),
            ("WaitingPromotion", "v2", Hook, Turn::Stays, "blue/green asks twice"),
            ("Finalising", "v2", Event, Turn::Stays, "being promoted"),
            ("Progressing", "v3", Hook, Turn::Ends, "restarted with another revision"),
            ("Succeeded", "v2", Hook, Turn::Ends, "promoted"),
            ("Failed", "v2", Event, Turn::Ends, "rolled back, seen in an event"),
            ("Waiting", "v2", Hook, Turn::Ends, "the next revision waits"),
            ("Succeeded", "v2", PostRollout, Turn::Ends, "told so"),
            ("", "", Hook, Turn::Stays, "a person looked"),
            ("", "", PostRollout, Turn::Ends, "a person said so"),
        ] {
            let turn = turn(&used("Progressing", "v2"), &sight(phase, checksum, source));
            assert_eq!(turn, expected, "{phase} {checksum}: {why}");
        }
    }

    #[test]
    fn a_gate_used_before_an_analysis_lasts_until_the_end_of_that() {
        let v2 = || Turn::Begins(Checksum::new("v2"));
        for (before, phase, checksum, source, expected, why) in [
            (("Succeeded", "v1"), "Waiting", "v1", Hook, Turn::Stays, "another gate still holds the rollout"),
            (("Waiting", "v1"), "Waiting", "v1", Hook, Turn::Stays, "asked again: an answer may have been lost"),
            (("Succeeded", "v1"), "Succeeded", "v1", Hook, Turn::Stays, "asked again in the same tick"),
            (("Waiting", "v1"), "Progressing", "v2", Hook, v2(), "it begins"),
            (("Waiting", "v1"), "Progressing", "v2", Event, v2(), "it begins, seen in an event"),
            (("Waiting", "v1"), "Succeeded", "v1", Event, Turn::Stays, "an event with an old phase"),
            (("Waiting", "v1"), "Succeeded", "v2", Hook, Turn::Ends, "an analysis passed unseen"),
            (("Waiting", "v2"), "Succeeded", "v2", Hook, Turn::Ends, "the same, its revision known before (v2 failed)"),
            (("Waiting", "v1"), "Waiting", "v2", Hook, Turn::Ends, "the same, and the next one waits already"),
            (("Initialized", "v1"), "Failed", "v1", Hook, Turn::Ends, "the first one failed unseen"),
            (("Waiting", "v1"), "Failed", "v2", PostRollout, Turn::Ends, "told so"),
            (("Waiting", "v1"), "", "", Hook, Turn::Stays, "a person looked"),
        ] {
            let turn = turn(&used(before.0, before.1), &sight(phase, checksum, source));
            assert_eq!(turn, expected, "{before:?}, then {phase} {checksum}: {why}");
        }
    }
}
