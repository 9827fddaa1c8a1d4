//! Connections to one server that lanes of one worker share, where the protocol can carry several requests at once.
//!
//! A lane keeps its place on a connection from request to request. When its connection is over, it joins another one
//! with room, waits for one that is being opened, opens one itself, or, where there may be no more, waits for a place.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::rc::Rc;

use tokio::sync::Notify;

use super::share::{Ground, Sink};
use crate::stats::{DialTimes, Fault, Ns};
use crate::wire::{Clock, Dialer, Dialled, Protocol};

/// The shared connections to one server.
#[derive(Debug)]
pub(super) struct Hub<C> {
    links: RefCell<Vec<Rc<Shared<C>>>>,
    /// Connections being opened, each with the lanes that wait for it.
    opening: RefCell<Vec<Rc<Opening>>>,
    /// Lanes that wait for a place on any connection.
    waiting: Cell<usize>,
    /// Wakes the one of them that has waited longest.
    freed: Notify,
    /// How many lanes the server was last heard to let share a connection.
    told: Cell<u32>,
    /// How many were ever opened: spreads the ages at which they are replaced.
    opened: Cell<u32>,
}

/// One shared connection.
#[derive(Debug)]
struct Shared<C> {
    conn: C,
    address: Option<SocketAddr>,
    at: Ns,
    number: u32,
    lanes: Cell<u32>,
    /// How it was opened, until its first request takes that into its sample.
    dial: Cell<Option<(DialTimes, Ns)>>,
    retired: Cell<bool>,
}

/// One dial that several lanes wait for.
#[derive(Debug, Default)]
struct Opening {
    lanes: Cell<u32>,
    failed: Cell<Option<Fault>>,
    address: Cell<Option<SocketAddr>>,
    over: Notify,
}

/// A lane's place on a shared connection; given back when dropped.
#[derive(Debug)]
pub(super) struct Place<C> {
    shared: Rc<Shared<C>>,
    hub: Rc<Hub<C>>,
}

impl<C> Drop for Place<C> {
    fn drop(&mut self) {
        self.shared.lanes.set(self.shared.lanes.get() - 1);
        self.hub.freed.notify_one();
    }
}

impl<C> Place<C> {
    /// Nothing new is put on the connection.
    pub(super) fn retire(&self) {
        self.shared.retired.set(true);
    }

    /// No request went over the connection yet: how it was opened is for the first one that does.
    pub(super) fn untouched(&self, dial: Option<(DialTimes, Ns)>) {
        self.shared.dial.set(dial);
    }

    pub(super) fn is_retired(&self) -> bool {
        self.shared.retired.get()
    }
}

/// A connection that a lane may use.
#[derive(Debug)]
pub(super) struct Joined<C> {
    pub(super) conn: C,
    pub(super) address: Option<SocketAddr>,
    pub(super) at: Ns,
    /// Which of the server's connections it is, in the order they were opened.
    pub(super) number: u32,
    pub(super) dial: Option<(DialTimes, Ns)>,
    pub(super) place: Place<C>,
}

/// Why a lane has no connection, and whom it tried.
#[derive(Clone, Copy, Debug)]
pub(super) struct NotJoined {
    pub(super) fault: Fault,
    pub(super) address: Option<SocketAddr>,
}

impl<C> Default for Hub<C> {
    fn default() -> Self {
        Self {
            links: RefCell::default(),
            opening: RefCell::default(),
            waiting: Cell::new(0),
            freed: Notify::new(),
            told: Cell::new(u32::MAX),
            opened: Cell::new(0),
        }
    }
}

impl<C: 'static> Hub<C> {
    /// A place for one lane, before `by`.
    pub(super) async fn join<P: Protocol<Conn = C>, K: Clock, S: Sink>(
        self: &Rc<Self>,
        ground: &Ground<P, K, S>,
        dialer: &Dialer,
        by: Ns,
    ) -> Result<Joined<C>, NotJoined> {
        // Whoever comes while others wait stands behind them.
        if self.waiting.get() > 0 {
            self.wait_for_place(by, &ground.clock).await?;
        }
        loop {
            if let Some(joined) = self.place(ground) {
                return Ok(joined);
            }
            if let Some(opening) = self.with_room(self.room(ground)) {
                self.wait_for(&opening, by, &ground.clock).await?;
            } else if self.may_open(ground) {
                return self.open(ground, dialer, by).await;
            } else {
                self.wait_for_place(by, &ground.clock).await?;
            }
        }
    }

    /// Lets go of all connections; those that lanes are on live on until they leave.
    pub(super) fn close(&self) {
        self.links.borrow_mut().clear();
    }

    /// A place on a connection that has room; connections that are over are forgotten.
    fn place<P: Protocol<Conn = C>, K: Clock, S: Sink>(self: &Rc<Self>, ground: &Ground<P, K, S>) -> Option<Joined<C>> {
        let mut links = self.links.borrow_mut();
        if let Some(told) = links.iter().find_map(|link| ground.protocol.most_lanes(&link.conn)) {
            self.told.set(told);
        }
        links.retain(|link| !link.retired.get() && !ground.protocol.is_over(&link.conn));
        let room = self.room(ground);
        let roomy = links.iter().filter(|link| link.lanes.get() < room);
        // The fullest first: few connections, each with as many lanes as it may have.
        let mut roomy: Vec<_> = roomy.collect();
        roomy.sort_by_key(|link| std::cmp::Reverse(link.lanes.get()));
        roomy.into_iter().find_map(|link| Some(self.take(link, ground.protocol.share(&link.conn)?)))
    }

    /// Lanes that may share one connection. A new one gets no more than the server allowed on another before.
    fn room<P: Protocol, K, S>(&self, ground: &Ground<P, K, S>) -> u32 {
        ground.plan.streams.min(self.told.get()).max(1)
    }

    fn take(self: &Rc<Self>, link: &Rc<Shared<C>>, conn: C) -> Joined<C> {
        link.lanes.set(link.lanes.get() + 1);
        Joined {
            conn,
            address: link.address,
            at: link.at,
            number: link.number,
            dial: link.dial.take(),
            place: Place { shared: Rc::clone(link), hub: Rc::clone(self) },
        }
    }

    /// A connection being opened on which there will be room.
    fn with_room(&self, streams: u32) -> Option<Rc<Opening>> {
        self.opening.borrow().iter().find(|opening| opening.lanes.get() < streams).map(Rc::clone)
    }

    fn may_open<P: Protocol, K, S>(&self, ground: &Ground<P, K, S>) -> bool {
        let most = ground.plan.links.map_or(u64::MAX, |links| ground.part.of(u64::from(links)).max(1));
        ((self.links.borrow().len() + self.opening.borrow().len()) as u64) < most
    }

    async fn open<P: Protocol<Conn = C>, K: Clock, S: Sink>(
        self: &Rc<Self>,
        ground: &Ground<P, K, S>,
        dialer: &Dialer,
        by: Ns,
    ) -> Result<Joined<C>, NotJoined> {
        let opening = Rc::new(Opening::default());
        opening.lanes.set(1);
        self.opening.borrow_mut().push(Rc::clone(&opening));
        let ending = EndOpening { hub: self, opening: &opening };
        // Seldom needed and large: a lane has no room for it meanwhile.
        let Dialled { times, address, result } = Box::pin(ground.protocol.dial(dialer, by, &ground.clock)).await;
        let now = ground.clock.now();
        ground.dialled(result.is_ok());
        opening.address.set(address);
        let result = result.map_err(|fault| NotJoined { fault, address });
        if let Err(not) = &result {
            opening.failed.set(Some(not.fault));
        }
        let conn = result?;
        let number = self.opened.get();
        self.opened.set(number.wrapping_add(1));
        let link = Rc::new(Shared {
            conn,
            address,
            at: now,
            number,
            lanes: Cell::new(0),
            dial: Cell::new(Some((times, now))),
            retired: Cell::new(false),
        });
        let joined = ground.protocol.share(&link.conn).map(|conn| self.take(&link, conn));
        self.links.borrow_mut().push(link);
        drop(ending);
        joined.ok_or(NotJoined { fault: Fault::Reset, address })
    }

    /// Waits for a dial that another lane has begun; its failure is everyone's.
    async fn wait_for<K: Clock>(&self, opening: &Rc<Opening>, by: Ns, clock: &K) -> Result<(), NotJoined> {
        opening.lanes.set(opening.lanes.get() + 1);
        let in_time = until(by, clock, opening.over.notified()).await;
        let address = opening.address.get();
        match opening.failed.get() {
            _ if !in_time => Err(NotJoined { fault: Fault::Timeout, address }),
            // It was opened ahead of need, with less time than this lane has.
            Some(Fault::Timeout) | None => Ok(()),
            Some(fault) => Err(NotJoined { fault, address }),
        }
    }

    async fn wait_for_place<K: Clock>(&self, by: Ns, clock: &K) -> Result<(), NotJoined> {
        let waiting = Waiting::new(&self.waiting);
        let in_time = until(by, clock, self.freed.notified()).await;
        drop(waiting);
        if in_time { Ok(()) } else { Err(NotJoined { fault: Fault::Timeout, address: None }) }
    }
}

/// Whether the future was ready before `by`.
async fn until<K: Clock>(by: Ns, clock: &K, future: impl Future<Output = ()>) -> bool {
    tokio::time::timeout_at(clock.instant(by), future).await.is_ok()
}

/// Takes a dial off the list however it ends, and wakes those who wait for it.
struct EndOpening<'a, C> {
    hub: &'a Hub<C>,
    opening: &'a Rc<Opening>,
}

impl<C> Drop for EndOpening<'_, C> {
    fn drop(&mut self) {
        self.hub.opening.borrow_mut().retain(|opening| !Rc::ptr_eq(opening, self.opening));
        self.opening.over.notify_waiters();
        // Without the dial there is room to open another one.
        self.hub.freed.notify_one();
    }
}

/// Counts one waiting lane.
struct Waiting<'a>(&'a Cell<usize>);

impl<'a> Waiting<'a> {
    fn new(count: &'a Cell<usize>) -> Self {
        count.set(count.get() + 1);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}
