//! Our own process standing still: a heartbeat every 5 ms, and what its lateness tells.
//!
//! A throttled or starved process sends late and, worse, *reads* late: a service of 3 ms was measured at 42 ms under a
//! CPU quota although hardly a send was late. So each worker watches itself, and a request in flight while the worker
//! stood still is marked.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use tokio::task::AbortHandle;

use crate::stats::{Ns, Sparse};
use crate::wire::Clock;

/// The heartbeat's period.
const PERIOD: Ns = Ns::from_millis(5);
/// Standing still for less is not remembered.
const LEAST_GAP: Ns = Ns::from_millis(1);
/// Gaps remembered: with one at every beat, more than a second of them.
const MOST_GAPS: usize = 256;

/// A stretch in which the worker did nothing.
#[derive(Clone, Copy, Debug)]
struct Gap {
    begin: Ns,
    end: Ns,
}

/// The heartbeat of one worker.
#[derive(Debug)]
pub(super) struct Pulse {
    next: Cell<Ns>,
    gaps: RefCell<VecDeque<Gap>>,
    lag: RefCell<Sparse>,
    /// Guards that want it to beat.
    users: Cell<usize>,
    beating: RefCell<Option<AbortHandle>>,
}

/// Keeps the heart beating while a load runs.
#[derive(Debug)]
pub(super) struct Beating(Rc<Pulse>);

impl Pulse {
    pub(super) fn new() -> Rc<Self> {
        Rc::new(Self {
            next: Cell::new(Ns::MAX),
            gaps: RefCell::default(),
            lag: RefCell::default(),
            users: Cell::new(0),
            beating: RefCell::default(),
        })
    }

    /// Beats until the last of its guards is dropped. `clock` counts from the monotonic clock's zero.
    pub(super) fn beat<C: Clock>(self: &Rc<Self>, clock: &C) -> Beating {
        self.users.set(self.users.get() + 1);
        if self.users.get() == 1 {
            self.next.set(clock.now() + PERIOD);
            let task = tokio::task::spawn_local(run(Rc::clone(self), clock.clone()));
            self.beating.replace(Some(task.abort_handle()));
        }
        Beating(Rc::clone(self))
    }

    /// All lateness so far.
    pub(super) fn lag(&self) -> Sparse {
        self.lag.borrow().clone()
    }

    /// Whether the worker stood still for longer than `tolerance` at any time between `sent` and `now`.
    pub(super) fn stood_still(&self, sent: Ns, now: Ns, tolerance: Ns) -> bool {
        let tolerance = tolerance.max(LEAST_GAP);
        // Answers are often read before the late heartbeat is: the gap may still be unnoticed.
        if now.since(self.next.get()) > tolerance {
            return true;
        }
        let gaps = self.gaps.borrow();
        gaps.iter().rev().take_while(|gap| gap.end > sent).any(|gap| gap.end.since(gap.begin) > tolerance)
    }

    fn beaten(&self, due: Ns, now: Ns) {
        let late = now.since(due);
        self.lag.borrow_mut().record(late.0);
        if late > LEAST_GAP {
            let mut gaps = self.gaps.borrow_mut();
            if gaps.len() == MOST_GAPS {
                gaps.pop_front();
            }
            gaps.push_back(Gap { begin: due, end: now });
        }
        self.next.set(now + PERIOD);
    }
}

impl Drop for Beating {
    fn drop(&mut self) {
        self.0.users.set(self.0.users.get() - 1);
        if self.0.users.get() == 0 {
            self.0.next.set(Ns::MAX);
            if let Some(task) = self.0.beating.take() {
                task.abort();
            }
        }
    }
}

async fn run<C: Clock>(pulse: Rc<Pulse>, clock: C) {
    loop {
        let due = pulse.next.get();
        clock.until(due).await;
        pulse.beaten(due, clock.now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_tainted_only_by_a_gap_it_was_in_flight_through() {
        let pulse = Pulse::new();
        pulse.next.set(Ns::from_millis(5));
        pulse.beaten(Ns::from_millis(5), Ns::from_millis(45));
        let tolerance = Ns::from_millis(10);
        let ms = Ns::from_millis;
        assert!(pulse.stood_still(ms(2), ms(46), tolerance), "sent before, read after");
        assert!(pulse.stood_still(ms(44), ms(46), tolerance), "sent within");
        assert!(!pulse.stood_still(ms(45), ms(46), tolerance), "sent after");
        assert!(!pulse.stood_still(ms(2), ms(46), ms(40)), "a gap no longer than tolerated");
    }

    #[test]
    fn a_gap_counts_before_the_late_heartbeat_has_noticed_it() {
        let pulse = Pulse::new();
        pulse.next.set(Ns::from_millis(5));
        assert!(pulse.stood_still(Ns::ZERO, Ns::from_millis(16), Ns::from_millis(10)));
        assert!(!pulse.stood_still(Ns::ZERO, Ns::from_millis(15), Ns::from_millis(10)));
    }
}
