//! One gate: whether it is open, since when, by whom and why, what ends that, and what happened before.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::canary::{Checksum, Phase, Stage};

use super::life::{Sight, Turn, turn};

/// Events that a gate remembers; older ones are forgotten.
pub const HISTORY: usize = 20;

/// What somebody who opens a gate wants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Order {
    /// Who opens it.
    pub by: String,
    /// Why, in their words.
    pub why: Option<String>,
    /// For how long; `None` for as long as the rules say.
    pub ttl: Option<Duration>,
    /// Whether it lasts no longer than the analysis that uses it; `None` for what the rules say.
    pub once: Option<bool>,
}

/// An open gate's why and until.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// When it was opened.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
    /// Why, in their words.
    pub why: Option<String>,
    /// When it closes by itself; `None` for never.
    pub until: Option<Timestamp>,
    /// Whether it closes with the analysis that used it.
    pub once: bool,
    /// The first use by an analysis, if it closes with that; `None` before.
    pub used: Option<Use>,
}

/// When Flagger first found a gate open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Use {
    /// The canary's phase then.
    pub phase: Phase,
    /// The revision that the hook named.
    pub checksum: Checksum,
    /// The revision under the analysis it is bound to; `None` while that has not begun.
    pub run: Option<Checksum>,
}

impl Use {
    /// The use that this sight is; `None` if it is no question of Flagger's.
    pub(super) fn at(sight: &Sight) -> Option<Self> {
        let run = match sight.phase.stage() {
            Stage::Unknown => return None,
            Stage::Running => Some(sight.checksum.clone()),
            Stage::Settled | Stage::Waiting => None,
        };
        Some(Self { phase: sight.phase, checksum: sight.checksum.clone(), run })
    }
}

/// What happened to a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Act {
    /// Somebody opened it.
    Opened,
    /// Somebody closed it.
    Closed,
    /// Its time was up.
    Lapsed,
    /// The analysis it belonged to was over.
    Ended,
}

/// One entry of a gate's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// What.
    pub act: Act,
    /// Who; empty where nobody did anything.
    pub by: String,
    /// Why, in their words.
    pub why: Option<String>,
}

/// A gate that was opened at least once. A new one is closed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// Set while it is open, and after it lapsed until the next change.
    opening: Option<Opening>,
    /// The newest [`HISTORY`] events, oldest first.
    history: Vec<Event>,
}

impl Gate {
    /// The opening that holds at `now`; `None` while it is closed.
    #[must_use]
    pub fn opening(&self, now: Timestamp) -> Option<&Opening> {
        self.opening.as_ref().filter(|opening| opening.until.is_none_or(|until| now < until))
    }

    /// The history up to `now`, oldest first, a lapse included.
    #[must_use]
    pub fn history(&self, now: Timestamp) -> Vec<Event> {
        self.settled(now).history
    }

    /// When it last changed; the beginning of time for a new one.
    pub(super) fn touched(&self) -> Timestamp {
        self.history.last().map_or(Timestamp::MIN, |event| event.at)
    }

    /// Opened, or opened anew with other terms.
    pub(super) fn opened(&self, order: Order, now: Timestamp) -> Self {
        let until = order.ttl.and_then(|ttl| now.checked_add(ttl).ok());
        let opening = Opening {
            at: now,
            by: order.by.clone(),
            why: order.why.clone(),
            until,
            once: order.once.unwrap_or(false),
            used: None,
        };
        let mut gate = self.settled(now).noting(Event { at: now, act: Act::Opened, by: order.by, why: order.why });
        gate.opening = Some(opening);
        gate
    }

    /// Closed by somebody; `None` if it is closed already.
    pub(super) fn closed(&self, by: String, why: Option<String>, now: Timestamp) -> Option<Self> {
        self.opening(now)?;
        Some(Self { opening: None, ..self.noting(Event { at: now, act: Act::Closed, by, why }) })
    }

    /// Closed because the analysis it belongs to is over; `None` if it is closed, or belongs to none.
    pub(super) fn ended(&self, now: Timestamp) -> Option<Self> {
        self.opening(now).filter(|opening| opening.once)?;
        Some(Self { opening: None, ..self.noting(Event { at: now, act: Act::Ended, by: String::new(), why: None }) })
    }

    /// What a sight of its canary makes of it; `None` for no change.
    pub(super) fn seen(&self, sight: &Sight, now: Timestamp) -> Option<Self> {
        let used = self.opening(now)?.used.as_ref()?;
        match turn(used, sight) {
            Turn::Stays => None,
            Turn::Ends => self.ended(now),
            Turn::Begins(run) => self.marked(Use { run: Some(run), ..used.clone() }),
        }
    }

    /// What it is once Flagger has found it open; `None` if that changes nothing.
    pub(super) fn used(&self, sight: &Sight, now: Timestamp) -> Option<Self> {
        self.opening(now).filter(|opening| opening.once && opening.used.is_none())?;
        self.marked(Use::at(sight)?)
    }

    fn marked(&self, used: Use) -> Option<Self> {
        let opening = Opening { used: Some(used), ..self.opening.clone()? };
        Some(Self { opening: Some(opening), history: self.history.clone() })
    }

    /// The same, a lapse written down.
    fn settled(&self, now: Timestamp) -> Self {
        let lapsed = self.opening.as_ref().and_then(|opening| opening.until).filter(|until| *until <= now);
        match lapsed {
            Some(at) => {
                Self { opening: None, ..self.noting(Event { at, act: Act::Lapsed, by: String::new(), why: None }) }
            }
            None => self.clone(),
        }
    }

    /// The same with one more event, the oldest forgotten.
    fn noting(&self, event: Event) -> Self {
        let mut gate = self.clone();
        gate.history.push(event);
        let surplus = gate.history.len().saturating_sub(HISTORY);
        gate.history.drain(..surplus);
        gate
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::Source;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn order(ttl: Option<u64>, once: bool) -> Order {
        Order { by: "ann".into(), why: Some("tried".into()), ttl: ttl.map(Duration::from_secs), once: Some(once) }
    }

    fn sight(phase: Phase) -> Sight {
        Sight { phase, checksum: Checksum::new("v2"), source: Source::Hook }
    }

    fn acts(gate: &Gate, now: i64) -> Vec<(i64, Act)> {
        gate.history(at(now)).iter().map(|event| (event.at.as_second(), event.act)).collect()
    }

    #[test]
    fn a_gate_is_closed_until_opened_and_after_its_time() {
        let gate = Gate::default();
        assert_eq!(gate.opening(at(0)), None);
        let gate = gate.opened(order(Some(60), false), at(100));
        let opening = gate.opening(at(159)).unwrap();
        assert_eq!((opening.by.as_str(), opening.why.as_deref(), opening.until), ("ann", Some("tried"), Some(at(160))));
        assert_eq!(gate.opening(at(160)), None, "its time is up");
        assert_eq!(gate.closed("bob".into(), None, at(161)), None, "nothing is left to close");
        assert_eq!(acts(&gate, 159), [(100, Act::Opened)]);
        assert_eq!(acts(&gate, 170), [(100, Act::Opened), (160, Act::Lapsed)]);
        let again = gate.opened(order(None, false), at(200));
        assert_eq!(acts(&again, 200), [(100, Act::Opened), (160, Act::Lapsed), (200, Act::Opened)]);
        let closed = again.closed("bob".into(), None, at(201)).unwrap();
        assert_eq!((closed.opening(at(201)), closed.touched()), (None, at(201)));
    }

    #[test]
    fn opening_anew_replaces_the_terms() {
        let gate = Gate::default().opened(order(Some(60), true), at(0)).opened(order(Some(5), false), at(1));
        let opening = gate.opening(at(2)).unwrap();
        assert_eq!((opening.until, opening.once), (Some(at(6)), false));
    }

    #[test]
    fn a_gate_for_one_analysis_closes_with_the_one_that_used_it() {
        let gate = Gate::default().opened(order(None, true), at(0));
        assert_eq!(gate.seen(&sight(Phase::Succeeded), at(1)), None, "not used yet: it waits for its analysis");
        assert_eq!(gate.used(&sight(Phase::Unknown), at(1)), None, "a person who looks uses nothing up");
        let used = gate.used(&sight(Phase::Progressing), at(2)).unwrap();
        assert_eq!(used.used(&sight(Phase::Progressing), at(3)), None, "used once is enough");
        assert_eq!(used.seen(&sight(Phase::WaitingPromotion), at(4)), None, "still the same analysis");
        let ended = used.seen(&sight(Phase::Succeeded), at(5)).unwrap();
        assert_eq!(ended.opening(at(5)), None);
        assert_eq!(acts(&ended, 5), [(0, Act::Opened), (5, Act::Ended)]);
    }

    #[test]
    fn a_gate_used_for_the_approval_is_bound_when_the_analysis_begins() {
        let gate = Gate::default().opened(order(None, true), at(0));
        let approved = gate.used(&sight(Phase::Waiting), at(1)).unwrap();
        let bound = approved.seen(&sight(Phase::Progressing), at(2)).unwrap();
        assert_eq!(bound.opening(at(2)).unwrap().used.as_ref().unwrap().run, Some(Checksum::new("v2")));
        assert_eq!(bound.seen(&sight(Phase::Failed), at(3)).unwrap().opening(at(3)), None);
    }

    #[test]
    fn a_gate_without_end_is_never_used_up() {
        let gate = Gate::default().opened(order(None, false), at(0));
        assert_eq!(gate.used(&sight(Phase::Progressing), at(1)), None);
        assert_eq!(gate.ended(at(2)), None);
    }

    #[test]
    fn the_history_keeps_the_newest() {
        let gate = (0..30).fold(Gate::default(), |gate, second| gate.opened(order(None, false), at(second)));
        let seconds: Vec<i64> = acts(&gate, 30).into_iter().map(|(second, _)| second).collect();
        assert_eq!(seconds, (10..30).collect::<Vec<i64>>());
    }

    #[test]
    fn a_gate_reads_back_as_it_was_stored() {
        let gate = Gate::default().opened(order(Some(60), true), at(0));
        let gate = gate.used(&sight(Phase::Waiting), at(1)).unwrap();
        let text = serde_json::to_string(&gate).unwrap();
        assert_eq!(serde_json::from_str::<Gate>(&text).unwrap(), gate);
    }
}
