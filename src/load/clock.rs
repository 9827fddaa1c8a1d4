//! The precise clock: one timerfd for all timers of a worker.
//!
//! tokio's timers have a grain of 1 ms, which at 20 000 requests a second over 1 000 loads made them 1 ms late in the
//! middle and 2 ms in the tail. A timerfd is exact. Where several loads share a worker and have more than 5 000 dues a
//! second, waking for each costs more than the requests, so dues are rounded up to a grain of 500 µs; what that adds is
//! our own lateness and never part of a latency. A load alone on its worker is exact up to 12 000 a second.

use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::future::poll_fn;
use std::io;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::task::{Poll, Waker};

use rustix::time::{
    ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, clock_gettime, timerfd_create,
    timerfd_settime,
};
use tokio::io::unix::AsyncFd;
use tokio::time::Instant;

use crate::stats::Ns;
use crate::wire::Clock;

/// Dues a second on one worker, over all its loads, up to which each is waited for exactly.
const EXACT_BELOW: u64 = 5_000;
/// The same for a load that has its worker to itself: there is nobody to share a wake-up with.
const EXACT_ALONE_BELOW: u64 = 12_000;
/// The grain above that.
const GRAIN: Ns = Ns(500_000);

/// A clock with exact timers for one worker thread.
#[derive(Clone)]
pub struct Fine {
    timers: Rc<Timers>,
    /// The run's start on the monotonic clock.
    zero: Ns,
}

struct Timers {
    timer: AsyncFd<OwnedFd>,
    waiting: RefCell<BinaryHeap<Reverse<Waiting>>>,
    /// When the timer will fire next, on the monotonic clock; `Ns::MAX` when it is not set.
    armed: Cell<Ns>,
    grain: Cell<Ns>,
    /// tokio's clock and ours at the same moment.
    anchor: (Instant, Ns),
}

struct Waiting {
    at: Ns,
    waker: Waker,
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl Eq for Waiting {}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.at.cmp(&other.at)
    }
}

/// The system's monotonic clock.
pub(super) fn monotonic() -> Ns {
    let now = clock_gettime(ClockId::Monotonic);
    Ns(now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64)
}

impl Fine {
    /// A clock for the current thread's runtime, counting from the monotonic clock's own zero.
    ///
    /// # Errors
    /// When the system has no descriptor left for the timer.
    pub fn new() -> io::Result<Self> {
        let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
        #[expect(
            deprecated,
            reason = "its successor is unsafe for types whose descriptor may change; OwnedFd's cannot"
        )]
        let timer = AsyncFd::new(timer)?;
        let timers = Rc::new(Timers {
            timer,
            waiting: RefCell::default(),
            armed: Cell::new(Ns::MAX),
            grain: Cell::new(Ns::ZERO),
            anchor: (Instant::now(), monotonic()),
        });
        tokio::task::spawn_local(drive(Rc::clone(&timers)));
        Ok(Self { timers, zero: Ns::ZERO })
    }

    /// The same clock counting from `zero`.
    #[must_use]
    pub fn starting_at(&self, zero: Ns) -> Self {
        Self { timers: Rc::clone(&self.timers), zero }
    }

    /// Tells how many loads with how many dues a second this worker has, which sets the grain.
    pub fn set_dues_per_second(&self, loads: usize, dues: u64) {
        let exact = if loads > 1 { EXACT_BELOW } else { EXACT_ALONE_BELOW };
        self.timers.grain.set(if dues > exact { GRAIN } else { Ns::ZERO });
    }
}

impl Clock for Fine {
    fn now(&self) -> Ns {
        monotonic().since(self.zero)
    }

    async fn until(&self, at: Ns) {
        let at = at + self.zero;
        let grain = self.timers.grain.get().0;
        let at = if grain > 0 { Ns(at.0.div_ceil(grain) * grain) } else { at };
        let mut registered = false;
        poll_fn(|cx| {
            if monotonic() >= at {
                return Poll::Ready(());
            }
            // A spurious wake leaves the entry in place; only the first poll makes one.
            if !registered {
                registered = true;
                self.timers.waiting.borrow_mut().push(Reverse(Waiting { at, waker: cx.waker().clone() }));
                self.timers.arm(at);
            }
            Poll::Pending
        })
        .await;
    }

    fn instant(&self, at: Ns) -> Instant {
        let (instant, monotonic) = self.timers.anchor;
        // Far enough for every limit, and within what tokio's wheel can hold.
        const FARTHEST: Ns = Ns::from_secs(365 * 24 * 3600);
        let ahead = (at + self.zero).since(monotonic).min(FARTHEST);
        instant + std::time::Duration::from(ahead)
    }
}

impl Timers {
    fn arm(&self, at: Ns) {
        if at >= self.armed.get() {
            return;
        }
        self.armed.set(at);
        let second = 1_000_000_000;
        let value = Timespec { tv_sec: (at.0 / second) as i64, tv_nsec: (at.0 % second) as _ };
        let once = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value: value };
        // The only errors are a bad descriptor or a bad time, and neither can be.
        let _ = timerfd_settime(self.timer.get_ref(), TimerfdTimerFlags::ABSTIME, &once);
    }

    fn fire(&self) {
        self.armed.set(Ns::MAX);
        let now = monotonic();
        let mut waiting = self.waiting.borrow_mut();
        while waiting.peek().is_some_and(|Reverse(first)| first.at <= now) {
            if let Some(Reverse(due)) = waiting.pop() {
                due.waker.wake();
            }
        }
        if let Some(Reverse(first)) = waiting.peek() {
            self.arm(first.at);
        }
    }
}

/// Wakes whoever is due, for as long as the runtime lives.
async fn drive(timers: Rc<Timers>) {
    while let Ok(mut ready) = timers.timer.readable().await {
        // Setting the timer anew clears its count, so it need not be read.
        ready.clear_ready();
        timers.fire();
    }
}
