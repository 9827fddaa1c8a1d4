//! The open loop: requests fall due whatever the answers do, and take an idle slot, a new one, or wait.
//!
//! `-c` is how many slots a load starts with. When the target holds all of them past the next due time, more are
//! opened up to `max-lanes`; beyond that requests queue, and their latency runs on from when they were due.
//!
//! Each target has slots and a queue of its own, dealt out by weight: one that hangs does not hold what is due elsewhere.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;

use tokio::task::JoinSet;

use super::lane::Lane;
use super::link::{Due, Fired, SharedGround, unsent};
use super::share::{Sink, watch};
use crate::plan::dealt;
use crate::stats::{Fault, Ns, Sample};
use crate::wire::{Clock, Protocol};

/// A slot opened on top of the first ones closes after this long without work.
const IDLE: Duration = Duration::from_secs(10);

/// A request that our own process starts later than this opens no slot: where we were late, much is due at once, and slots
/// for all of it would be connections that nobody's slowness calls for, and more work for who has too much already.
const OURS: Ns = Ns::from_millis(50);

/// Requests that may wait for a slot on one worker: 24 MiB of them. One more, and the oldest counts as unanswered.
const MOST_QUEUED: usize = 1 << 20;

/// One lane of the open loop, seen from outside.
#[derive(Debug, Default)]
struct Slot {
    mail: Option<Due>,
    waker: Option<Waker>,
    closed: bool,
}

/// What a due request does.
#[derive(Clone, Copy, Debug)]
enum Fate {
    /// An idle slot took it.
    Taken,
    /// A new slot must be opened, for this one: it has waited longest.
    Opens(Due),
    /// It waits for a slot.
    Queued,
    /// So many wait already that the oldest is given up for it.
    GaveUp(Due),
}

/// Slots in use at once, over all pools of one load on one worker.
#[derive(Debug, Default)]
struct Gauge {
    busy: Cell<usize>,
    peak: Cell<usize>,
}

impl Gauge {
    fn occupied(&self) {
        self.busy.set(self.busy.get() + 1);
        self.peak.set(self.peak.get().max(self.busy.get()));
    }

    fn freed(&self) {
        self.busy.set(self.busy.get() - 1);
    }
}

/// The slots of one target on one worker.
#[derive(Debug)]
struct Pool {
    target: usize,
    slots: Vec<Slot>,
    /// Slots of the first kind, the longest idle first: all connections see traffic.
    idle: VecDeque<usize>,
    /// Slots opened on top, the newest idle first: the others may close.
    idle_extra: Vec<usize>,
    queue: VecDeque<Due>,
    /// Requests that may wait here.
    most_queued: usize,
    base: usize,
    most: usize,
    alive: usize,
    gauge: Rc<Gauge>,
    over: bool,
}

impl Pool {
    fn new(target: usize, (base, most): (usize, usize), most_queued: usize, gauge: Rc<Gauge>) -> Self {
        Self {
            target,
            slots: Vec::new(),
            idle: VecDeque::new(),
            idle_extra: Vec::new(),
            queue: VecDeque::new(),
            most_queued,
            base,
            most: most.max(base).max(1),
            alive: 0,
            gauge,
            over: false,
        }
    }

    /// Makes a slot, reusing the number of one that closed.
    fn open(&mut self, mail: Option<Due>) -> usize {
        self.alive += 1;
        if mail.is_some() {
            self.gauge.occupied();
        }
        let slot = Slot { mail, waker: None, closed: false };
        match self.slots.iter().skip(self.base).position(|slot| slot.closed) {
            Some(at) => {
                self.slots[self.base + at] = slot;
                self.base + at
            }
            None => {
                self.slots.push(slot);
                self.slots.len() - 1
            }
        }
    }

    fn dispatch(&mut self, due: Due) -> Fate {
        if let Some(number) = self.idle.pop_front().or_else(|| self.idle_extra.pop()) {
            self.gauge.occupied();
            let slot = &mut self.slots[number];
            slot.mail = Some(due);
            if let Some(waker) = slot.waker.take() {
                waker.wake();
            }
            return Fate::Taken;
        }
        self.queue.push_back(due);
        let waits = is_ours(&due) && self.alive >= self.base;
        if self.alive < self.most && !waits {
            return self.queue.pop_front().map_or(Fate::Queued, Fate::Opens);
        }
        if self.queue.len() <= self.most_queued {
            return Fate::Queued;
        }
        self.queue.pop_front().map_or(Fate::Queued, Fate::GaveUp)
    }

    /// Whether one more slot should stand ready: only once the first ones have not been enough.
    fn wants_spare(&self) -> bool {
        self.alive > self.base && self.idle.is_empty() && self.idle_extra.is_empty() && self.alive < self.most
    }

    /// The slot's work is done: it takes what waits longest, or becomes idle.
    fn release(&mut self, number: usize) {
        match self.queue.pop_front() {
            Some(due) => self.slots[number].mail = Some(due),
            None => {
                self.gauge.freed();
                self.rest(number);
            }
        }
    }

    fn rest(&mut self, number: usize) {
        if number < self.base { self.idle.push_back(number) } else { self.idle_extra.push(number) }
    }

    /// Nothing more falls due: slots without work may go.
    fn finish(&mut self) {
        self.over = true;
        self.slots.iter_mut().filter_map(|slot| slot.waker.take()).for_each(Waker::wake);
    }

    /// Closes an extra slot that has been idle for long; not if work has just come.
    fn close(&mut self, number: usize) -> bool {
        let Some(at) = self.idle_extra.iter().position(|idle| *idle == number) else { return false };
        self.idle_extra.remove(at);
        self.slots[number].closed = true;
        self.alive -= 1;
        true
    }
}

/// Whether our own process was late for it.
fn is_ours(due: &Due) -> bool {
    due.origin.since(due.due) > OURS
}

/// Pools, one for each target, and the lanes that run in their slots.
struct Floor {
    pools: Vec<Rc<RefCell<Pool>>>,
    lanes: RefCell<JoinSet<()>>,
}

/// Runs the open loop and says how many lanes were in use at once.
pub(super) async fn open<P: Protocol, C: Clock, S: Sink>(ground: SharedGround<P, C, S>) -> u32 {
    let gauge = Rc::new(Gauge::default());
    let weights = ground.plan.weights();
    let [lanes, most] = [ground.plan.lanes, ground.plan.max_lanes].map(|lanes| dealt(lanes, &weights));
    let part = |lanes: u32| ground.part.of(u64::from(lanes)) as usize;
    let pool = |(target, (lanes, most)): (usize, (u32, u32))| {
        // Every worker can ask every target.
        let base = if weights.len() > 1 { part(lanes).max(1) } else { part(lanes) };
        let pool = Pool::new(target, (base, part(most)), MOST_QUEUED / weights.len(), Rc::clone(&gauge));
        Rc::new(RefCell::new(pool))
    };
    let pools = lanes.into_iter().zip(most).enumerate().map(pool).collect();
    let floor = Floor { pools, lanes: RefCell::default() };
    for pool in &floor.pools {
        let base = pool.borrow().base;
        (0..base).for_each(|_| spawn(&ground, &floor, pool, None));
    }
    tokio::select! {
        () = ground.brakes.wait() => {}
        () = pace(&ground, &floor) => {
            floor.pools.iter().for_each(|pool| pool.borrow_mut().finish());
            let mut lanes = floor.lanes.take();
            watch(&ground.brakes, &mut lanes).await;
        }
    }
    gauge.peak.get() as u32
}

/// Hands each request out when it is due.
async fn pace<P: Protocol, C: Clock, S: Sink>(ground: &SharedGround<P, C, S>, floor: &Floor) {
    let part = ground.part;
    for (index, due) in ground.plan.schedule.dues(u64::from(part.worker), u64::from(part.workers)) {
        let due = Ns::from(due);
        let mut now = ground.clock.now();
        if now < due {
            ground.clock.until(due + ground.turn.after(index)).await;
            now = ground.clock.now();
        }
        let lag = now.since(due);
        let due = Due { index, due, origin: now.max(due) };
        ground.fell_due(&due, Some(lag));
        let target = ground.turns.of(index);
        let pool = &floor.pools[target];
        let fate = pool.borrow_mut().dispatch(due);
        match fate {
            Fate::Taken | Fate::Queued => {}
            Fate::Opens(first) => spawn(ground, floor, pool, Some(first)),
            Fate::GaveUp(oldest) => {
                let sample = unsent(oldest, Fault::Timeout, now, now, false);
                ground.record(target, oldest.index, Fired { sample, address: None, counts: false });
            }
        }
        if matches!(fate, Fate::Taken | Fate::Opens(_)) && !is_ours(&due) && pool.borrow().wants_spare() {
            spawn(ground, floor, pool, None);
        }
        // After we were late there is much to hand out at once; answers still want reading in between.
        tokio::task::consume_budget().await;
    }
}

fn spawn<P: Protocol, C: Clock, S: Sink>(
    ground: &SharedGround<P, C, S>,
    floor: &Floor,
    pool: &Rc<RefCell<Pool>>,
    mail: Option<Due>,
) {
    let number = pool.borrow_mut().open(mail);
    if mail.is_none() {
        pool.borrow_mut().rest(number);
    }
    let mut lanes = floor.lanes.borrow_mut();
    // Slots that closed are taken off the set as others are put on it.
    while let Some(joined) = lanes.try_join_next() {
        if let Err(error) = joined
            && error.is_panic()
        {
            ground.brakes.panicked(error.to_string());
        }
    }
    lanes.spawn_local(slot(Rc::clone(ground), Rc::clone(pool), number));
}

async fn slot<P: Protocol, C: Clock, S: Sink>(ground: SharedGround<P, C, S>, pool: Rc<RefCell<Pool>>, number: usize) {
    let mut lane = Lane::new(number as u32 * ground.part.workers + ground.part.worker);
    let (target, is_extra) = (pool.borrow().target, number >= pool.borrow().base);
    if pool.borrow().slots[number].mail.is_none() {
        lane.prepare(&ground, target).await;
    }
    loop {
        let next = if is_extra {
            match tokio::time::timeout(IDLE, next(&pool, number)).await {
                Ok(next) => next,
                Err(_) if pool.borrow_mut().close(number) => return,
                Err(_) => continue,
            }
        } else {
            next(&pool, number).await
        };
        let Some(due) = next else { return };
        let now = ground.clock.now();
        if now >= ground.hard_end {
            let sample = unsent(due, Fault::Timeout, now, now, false);
            ground.record(target, due.index, Fired { sample, address: None, counts: false });
        } else {
            let Fired { sample, address, counts } = lane.fire(&ground, target, due).await;
            let sample = Sample { extra_lane: is_extra, ..sample };
            ground.record(target, due.index, Fired { sample, address, counts });
            let waiting = !pool.borrow().queue.is_empty();
            if !waiting && !pool.borrow().over {
                lane.renew(&ground).await;
            }
        }
        pool.borrow_mut().release(number);
    }
}

/// Waits for the slot's next request; `None` when there will be none.
async fn next(pool: &Rc<RefCell<Pool>>, number: usize) -> Option<Due> {
    poll_fn(|cx| {
        let mut pool = pool.borrow_mut();
        let over = pool.over;
        let slot = &mut pool.slots[number];
        match slot.mail.take() {
            Some(due) => Poll::Ready(Some(due)),
            None if over => Poll::Ready(None),
            None => {
                slot.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(index: u64) -> Due {
        Due { index, due: Ns(index), origin: Ns(index) }
    }

    fn pool_of(base: usize, most: usize) -> Pool {
        Pool::new(0, (base, most), MOST_QUEUED, Rc::default())
    }

    #[test]
    fn first_slots_take_turns_then_more_open_then_requests_queue_in_order() {
        let mut pool = pool_of(2, 3);
        for _ in 0..2 {
            let number = pool.open(None);
            pool.rest(number);
        }
        assert!(matches!(pool.dispatch(due(0)), Fate::Taken));
        assert_eq!(pool.slots[0].mail.map(|d| d.index), Some(0));
        assert!(matches!(pool.dispatch(due(1)), Fate::Taken));
        assert_eq!(pool.slots[1].mail.map(|d| d.index), Some(1));
        assert!(matches!(pool.dispatch(due(2)), Fate::Opens(first) if first.index == 2));
        assert_eq!(pool.open(Some(due(2))), 2);
        assert!(matches!(pool.dispatch(due(3)), Fate::Queued));
        assert!(matches!(pool.dispatch(due(4)), Fate::Queued));
        assert_eq!(pool.gauge.peak.get(), 3);
        pool.release(1);
        assert_eq!(pool.slots[1].mail.map(|d| d.index), Some(3), "the longest waiting goes first");
        pool.release(0);
        pool.release(2);
        assert!(matches!(pool.dispatch(due(5)), Fate::Taken));
        assert_eq!(pool.slots[2].mail.map(|d| d.index), Some(5), "the extra slot is the only idle one");
    }

    #[test]
    fn an_extra_slot_closes_when_idle_and_its_number_is_used_again() {
        let mut pool = pool_of(1, 3);
        let number = pool.open(None);
        pool.rest(number);
        assert!(matches!(pool.dispatch(due(0)), Fate::Taken));
        assert!(!pool.wants_spare(), "nothing has overflowed yet");
        assert!(matches!(pool.dispatch(due(1)), Fate::Opens(_)));
        let extra = pool.open(Some(due(1)));
        assert!(pool.wants_spare());
        assert!(!pool.close(extra), "a busy slot does not close");
        pool.slots[extra].mail = None;
        pool.release(extra);
        assert!(pool.close(extra));
        assert_eq!((pool.alive, pool.open(Some(due(2)))), (2 - 1, extra));
    }

    #[test]
    fn what_we_start_late_waits_for_a_slot_and_goes_first_when_one_is_opened() {
        let late = |index: u64, by: Ns| Due { index, due: Ns(index), origin: Ns(index) + by };
        let mut pool = pool_of(1, 4);
        let number = pool.open(None);
        pool.rest(number);
        assert!(matches!(pool.dispatch(late(0, OURS + Ns(1))), Fate::Taken), "an idle slot is for everybody");
        assert!(matches!(pool.dispatch(late(1, OURS + Ns(1))), Fate::Queued));
        assert!(matches!(pool.dispatch(late(2, OURS + Ns(1))), Fate::Queued));
        assert!(matches!(pool.dispatch(late(3, OURS)), Fate::Opens(first) if first.index == 1));
        assert_eq!(pool.queue.iter().map(|due| due.index).collect::<Vec<_>>(), [2, 3]);
    }
}
