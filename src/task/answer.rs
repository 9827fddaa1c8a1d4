//! What is said: how it is meant, and one short line of text.

use crate::canary::Canary;
use crate::slo::{Decision, Verdict};

/// Characters of an answer's text at most: it becomes the text of a Kubernetes event.
const LINE: usize = 240;

/// How an answer is meant. The service makes a status of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The release may go on.
    Pass,
    /// It may not.
    Fail,
    /// Ask again: there is too little evidence, or the load is not over.
    NotYet,
    /// Go on for now: the load has begun.
    Measuring,
    /// A load that is not judged was begun, or runs already.
    Accepted,
    /// Our own process coloured the numbers.
    Saturated,
    /// There is no room for this load.
    Full,
    /// The engine failed.
    Broken,
    /// The hook asks for something that makes no sense.
    BadInput,
    /// Of a rollback hook: give the release up.
    RollBack,
    /// Of a rollback hook: nothing speaks for giving it up.
    Stay,
}

impl Kind {
    /// The name in logs and the API.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::NotYet => "not-yet",
            Self::Measuring => "measuring",
            Self::Accepted => "accepted",
            Self::Saturated => "saturated",
            Self::Full => "full",
            Self::Broken => "broken",
            Self::BadInput => "bad-input",
            Self::RollBack => "roll-back",
            Self::Stay => "stay",
        }
    }

    /// The first word of its text.
    const fn word(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::Fail => "FAIL",
            Self::NotYet => "RETRY",
            Self::Measuring => "MEASURING",
            Self::Accepted => "ACCEPTED",
            Self::Saturated => "SATURATED",
            Self::Full => "FULL",
            Self::Broken => "ERROR",
            Self::BadInput => "REFUSED",
            Self::RollBack => "ROLLBACK",
            Self::Stay => "STAY",
        }
    }

    /// What `decision` means to a hook that waits for a pass.
    pub(super) const fn of(decision: Decision) -> Self {
        match decision {
            Decision::Pass => Self::Pass,
            Decision::Inconclusive | Decision::Insufficient => Self::NotYet,
            Decision::Saturated => Self::Saturated,
            Decision::Fail | Decision::Unreachable => Self::Fail,
            Decision::Error => Self::Broken,
        }
    }
}

/// What a call is told.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// How it is meant.
    pub kind: Kind,
    /// One line, at most 240 characters; empty for [`Kind::Accepted`].
    pub text: String,
    /// How it would have been meant if the verdict counted; the same as `kind` where it does.
    pub measured: Kind,
    /// What was found, where anything was judged.
    pub verdict: Option<Verdict>,
    /// Seconds of load that were judged.
    pub seconds: u64,
}

/// What judging came to, before run and canary have their say.
#[derive(Clone, Debug)]
pub(super) struct Finding {
    pub(super) kind: Kind,
    pub(super) said: String,
    pub(super) verdict: Option<Verdict>,
    pub(super) seconds: u64,
    /// Whether it may be the one "go on for now" of a run: the load goes on and was answered.
    pub(super) goes_on: bool,
}

impl Finding {
    pub(super) fn new(kind: Kind, said: impl Into<String>) -> Self {
        Self { kind, said: said.into(), verdict: None, seconds: 0, goes_on: false }
    }

    /// What a verdict on `seconds` of load means to a hook that waits for a pass.
    pub(super) fn of(verdict: Verdict, seconds: u64) -> Self {
        let (kind, said) = (Kind::of(verdict.decision), verdict.reason.clone());
        Self { kind, said, verdict: Some(verdict), seconds, goes_on: false }
    }

    /// The answer to a call about `canary`, with what must be said besides.
    pub(super) fn answer(self, canary: &Canary, remarks: &[String]) -> Answer {
        let text = line(self.kind.word(), canary, &self.said, remarks);
        Answer { kind: self.kind, text, measured: self.kind, verdict: self.verdict, seconds: self.seconds }
    }

    /// The answer in shadow mode: what would have been said, and `kind`, which stops nothing.
    pub(super) fn shadow(self, kind: Kind, canary: &Canary, remarks: &[String]) -> Answer {
        let said = format!("would {}: {}", self.kind.name(), self.said);
        let text = line("SHADOW", canary, &said, remarks);
        Answer { kind, text, measured: self.kind, verdict: self.verdict, seconds: self.seconds }
    }
}

/// `FAIL podinfo.test: …; remark`, the middle shortened where it is too long.
fn line(word: &str, canary: &Canary, said: &str, remarks: &[String]) -> String {
    let tail: String = remarks.iter().map(|remark| format!("; {}", plain(remark, LINE / 3))).collect();
    let head = plain(&format!("{word} {canary}: "), LINE / 3);
    let room = LINE.saturating_sub(head.chars().count() + tail.chars().count());
    plain(&format!("{head}{}{tail}", plain(said, room)), LINE)
}

/// `text` without control characters, at most `most` characters.
fn plain(text: &str, most: usize) -> String {
    let shown: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if shown.chars().count() <= most {
        return shown;
    }
    shown.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_decision_has_one_meaning_to_a_hook_and_only_a_pass_passes() {
        for (decision, kind) in [
            (Decision::Pass, Kind::Pass),
            (Decision::Inconclusive, Kind::NotYet),
            (Decision::Insufficient, Kind::NotYet),
            (Decision::Saturated, Kind::Saturated),
            (Decision::Fail, Kind::Fail),
            (Decision::Unreachable, Kind::Fail),
            (Decision::Error, Kind::Broken),
        ] {
            assert_eq!(Kind::of(decision), kind, "{decision}");
        }
    }

    #[test]
    fn a_text_is_one_line_of_240_characters_that_keeps_its_remarks() {
        let podinfo = Canary::new("podinfo", "test");
        let answer = |said: &str, remarks: &[&str]| {
            let remarks: Vec<String> = remarks.iter().map(|remark| (*remark).to_owned()).collect();
            Finding::new(Kind::Fail, said).answer(&podinfo, &remarks).text
        };
        assert_eq!(answer("p99<500ms was 812ms", &[]), "FAIL podinfo.test: p99<500ms was 812ms");
        let remarked = answer(&"é\n".repeat(200), &["apex: share of canary unknown"]);
        assert_eq!(remarked.chars().count(), 240);
        assert!(
            remarked.starts_with("FAIL podinfo.test: é é") && remarked.ends_with("…; apex: share of canary unknown")
        );
        let long = Finding::new(Kind::Pass, "x").answer(&Canary::new("n".repeat(300), "ns"), &["r".repeat(300)]);
        assert!(long.text.chars().count() <= 240, "{}", long.text);
    }

    #[test]
    fn a_shadow_says_what_it_would_have_said_and_means_something_else() {
        let podinfo = Canary::new("podinfo", "test");
        let answer = Finding::new(Kind::Fail, "p99<500ms was 812ms").shadow(Kind::Measuring, &podinfo, &[]);
        assert_eq!((answer.kind, answer.measured), (Kind::Measuring, Kind::Fail));
        assert_eq!(answer.text, "SHADOW podinfo.test: would fail: p99<500ms was 812ms");
    }
}
