//! The course of a rehearsal: ticks in Flagger's rhythm until the analysis is over, told as they go.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use super::caller::Said;
use super::world::Machine;
use crate::canary::{Checksum, Phase};
use crate::flagger::{Canary, Measured, Metric, Route, Source, State, Status, Step, World, tick};

/// How a rehearsal ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The release was promoted.
    Promoted,
    /// It was rolled back.
    RolledBack,
    /// It was neither, in as many ticks as were allowed.
    Undecided,
    /// It was told to end.
    Interrupted,
}

impl Outcome {
    /// As JSON has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Promoted => "promoted",
            Self::RolledBack => "rolled-back",
            Self::Undecided => "undecided",
            Self::Interrupted => "interrupted",
        }
    }
}

/// One thing that happened in a tick.
#[derive(Clone, Debug, PartialEq)]
pub struct Note {
    /// What.
    pub step: Step,
    /// What the hook said, where it was one.
    pub said: Option<Said>,
    /// When, since the start.
    pub at: Duration,
}

/// A tick that is over.
#[derive(Clone, Debug, PartialEq)]
pub struct Ticked {
    /// Its number, from 1.
    pub number: u32,
    /// When it began, since the start.
    pub at: Duration,
    /// How long it took.
    pub took: Duration,
    /// What happened in it, in order.
    pub notes: Vec<Note>,
    /// The object's status after it.
    pub status: Status,
    /// Where traffic goes after it.
    pub route: Route,
}

/// What whoever watches is told, as it happens.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// A tick begins: its number, and when.
    Began(u32, Duration),
    /// Something happened in it.
    Did(Note),
    /// It is over: the status and the route after it, how long until the next one, and when that was said.
    Ended(Status, Route, Duration, Duration),
    /// There is no further one.
    Over(Outcome),
}

/// The checksums of the release in service and of the one under analysis, as hooks are told them.
fn revisions() -> (Checksum, Checksum) {
    (Checksum::new("6d5c7b84f"), Checksum::new("85d557f47b"))
}

/// Ticks until it is over, `most` times at most. `wait` is heard as soon as it is to end.
pub(super) fn follow(canary: &Canary, machine: &mut Machine, most: u32, wait: &Receiver<()>) -> Outcome {
    let (old, new) = revisions();
    let mut state = State::initialized(old, new);
    let mut beats = Beats { period: canary.analysis.interval, last: 0 };
    for number in 1..=most {
        let begin = machine.router.elapsed();
        machine.tell(Told::Began(number, begin));
        let done = tick(canary, &mut state, machine);
        if machine.is_stopped() {
            return Outcome::Interrupted;
        }
        let now = machine.router.elapsed();
        let next = beats.next(now);
        machine.tell(Told::Ended(done.status, done.route, next.saturating_sub(now), now));
        match state.status.phase {
            Phase::Succeeded => return Outcome::Promoted,
            Phase::Failed => return Outcome::RolledBack,
            _ => {}
        }
        if number < most && wait.recv_timeout(next.saturating_sub(now)) != Err(RecvTimeoutError::Timeout) {
            return Outcome::Interrupted;
        }
    }
    Outcome::Undecided
}

/// The ticks of Go's ticker: those that are missed are not made up, but for one.
#[derive(Debug)]
struct Beats {
    period: Duration,
    last: u64,
}

impl Beats {
    /// When the next tick is due: at once, where one was due meanwhile.
    fn next(&mut self, now: Duration) -> Duration {
        let period = self.period.as_nanos().max(1);
        let passed = (now.as_nanos() / period) as u64;
        if passed > self.last {
            self.last = passed;
            return now;
        }
        self.last += 1;
        self.period.saturating_mul(u32::try_from(self.last).unwrap_or(u32::MAX))
    }
}

/// In how many ticks a release of which nothing is wrong is promoted; `None` if it never is.
#[must_use]
pub fn shortest(canary: &Canary) -> Option<u32> {
    const MOST: u32 = 1_000;
    struct Willing;
    impl World for Willing {
        fn call(&mut self, call: &crate::flagger::Call<'_>) -> Result<(), String> {
            // Success is what everybody waits for, but for those who ask whether to give up.
            let gives_up = call.hook.kind == crate::flagger::HookKind::Rollback;
            if gives_up { Err(String::new()) } else { Ok(()) }
        }
        fn measure(&mut self, _: &Metric, _: Source) -> Measured {
            Measured::Unasked
        }
        fn millis(&mut self) -> u64 {
            0
        }
    }
    let (old, new) = revisions();
    let mut state = State::initialized(old, new);
    (1..=MOST).find(|_| {
        tick(canary, &mut state, &mut Willing);
        state.is_over()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tick_that_takes_too_long_is_followed_at_once_and_only_once() {
        let seconds = Duration::from_secs;
        let mut beats = Beats { period: seconds(10), last: 0 };
        for (now, next, why) in [
            (1, 10, "the first after one period"),
            (12, 20, "in time"),
            (53, 53, "three are missed, one is made up"),
            (54, 60, "and then the rhythm goes on"),
            (60, 70, "on the beat"),
        ] {
            assert_eq!(beats.next(seconds(now)), seconds(next), "{why}");
        }
    }
}
