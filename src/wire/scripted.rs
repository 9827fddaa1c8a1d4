//! A wire without a network, for tests: what each dial and each exchange comes to is decided by the test, and time is
//! whatever the clock says. On a paused clock a minute of load takes milliseconds and comes out the same every time.

use std::cell::Cell;
use std::rc::Rc;

use super::{After, Clock, Dialer, Observe, Protocol, Reply, Shot};
use crate::plan::{Origin, Request};
use crate::stats::{DialTimes, Fault, Ns, Outcome};

/// What an exchange is asked.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// Which request of the load.
    pub index: u64,
    /// Which connection, counted from 0 in the order they were opened.
    pub connection: u32,
    /// Which request on this connection, from 0.
    pub nth: u64,
    /// When it went out.
    pub sent: Ns,
}

/// What an exchange comes to.
#[derive(Clone, Copy, Debug)]
pub enum Act {
    /// An answer after this long.
    Answer(Ns, Outcome),
    /// An answer after this long, and the server closes the connection.
    AnswerAndClose(Ns, Outcome),
    /// No answer, ever.
    Hang,
    /// The connection turns out to be dead before anything was sent.
    Stale,
    /// The connection ends before the first byte of an answer; sending again is safe.
    Dropped,
    /// The server refuses the request without having acted on it; the connection lives on.
    Refused,
    /// Our own code panics.
    Panic,
}

/// What a dial comes to, and when.
#[derive(Clone, Copy, Debug)]
pub struct Dialled {
    /// How long it takes.
    pub after: Ns,
    /// Why it fails, if it does.
    pub fault: Option<Fault>,
}

/// Decides what the dial with this number, counted from 0, comes to.
type DialScript = Rc<dyn Fn(u32) -> Dialled>;
/// Decides what an exchange comes to.
type ExchangeScript = Rc<dyn Fn(Asked) -> Act>;

/// A protocol that does what the test says.
#[derive(Clone)]
pub struct Scripted {
    dial: DialScript,
    exchange: ExchangeScript,
    dials: Rc<Cell<u32>>,
}

/// A connection of [`Scripted`].
#[derive(Debug)]
pub struct Conn {
    number: u32,
    carried: u64,
}

impl Scripted {
    /// Every dial succeeds at once; `exchange` decides the rest.
    pub fn new(exchange: impl Fn(Asked) -> Act + 'static) -> Self {
        Self::with_dials(|_| Dialled { after: Ns::ZERO, fault: None }, exchange)
    }

    /// `dial` decides what becomes of the dial with this number, counted from 0.
    pub fn with_dials(dial: impl Fn(u32) -> Dialled + 'static, exchange: impl Fn(Asked) -> Act + 'static) -> Self {
        Self { dial: Rc::new(dial), exchange: Rc::new(exchange), dials: Rc::default() }
    }

    /// Dials attempted so far.
    #[must_use]
    pub fn dials(&self) -> u32 {
        self.dials.get()
    }
}

impl Protocol for Scripted {
    type Conn = Conn;
    type Prepared = ();

    fn prepare(&self, _: &Origin, _: &Request) {}

    async fn dial<C: Clock>(&self, _: &Dialer, by: Ns, clock: &C) -> super::Dialled<Conn> {
        let number = self.dials.get();
        self.dials.set(number + 1);
        let Dialled { after, fault } = (self.dial)(number);
        let begin = clock.now();
        clock.until((begin + after).min(by)).await;
        let late = begin + after > by;
        let fault = if late { Some(Fault::Timeout) } else { fault };
        let times = DialTimes { connect: clock.now().since(begin), ..DialTimes::default() };
        let result = fault.map_or(Ok(Conn { number, carried: 0 }), Err);
        super::Dialled { times, address: None, result }
    }

    fn share(&self, _: &Conn) -> Option<Conn> {
        None
    }

    async fn exchange<C: Clock>(
        &self,
        conn: &mut Conn,
        shot: Shot<'_, ()>,
        by: Ns,
        clock: &C,
        _: &mut impl Observe,
    ) -> Reply {
        let sent = clock.now();
        let asked = Asked { index: shot.index, connection: conn.number, nth: conn.carried, sent };
        conn.carried += 1;
        let mut reply = Reply {
            outcome: Outcome::fault(Fault::Reset),
            written: Some(sent),
            first: None,
            done: sent,
            bytes: 0,
            after: After::Close,
            unprocessed: false,
        };
        let act = (self.exchange)(asked);
        match act {
            Act::Answer(after, outcome) | Act::AnswerAndClose(after, outcome) if sent + after <= by => {
                clock.until(sent + after).await;
                reply.outcome = outcome;
                reply.first = Some(clock.now());
            }
            Act::Answer(..) | Act::AnswerAndClose(..) | Act::Hang => {
                clock.until(by).await;
                reply.outcome = Outcome::fault(Fault::Timeout);
            }
            Act::Stale => {
                reply.written = None;
                reply.unprocessed = true;
            }
            Act::Dropped | Act::Refused => reply.unprocessed = true,
            Act::Panic => panic!("the test asked for a panic"),
        }
        let keeps = matches!(act, Act::Answer(..)) && reply.outcome.fault != Some(Fault::Timeout);
        reply.after = match act {
            Act::Refused => After::Drain,
            _ if keeps => After::Keep,
            _ => After::Close,
        };
        reply.done = clock.now();
        reply
    }
}

/// The same on connections that carry several requests at once.
#[derive(Clone)]
pub struct Shared {
    wire: Scripted,
    /// Most handles that one connection gives out.
    most: u32,
}

/// A handle on a connection of [`Shared`].
#[derive(Debug)]
pub struct Handle {
    line: Rc<Line>,
}

/// One connection and how many handles lanes have on it.
#[derive(Debug)]
struct Line {
    number: u32,
    carried: Cell<u64>,
    over: Cell<bool>,
}

impl Shared {
    /// `wire` decides what happens; a connection lets `most` lanes share it.
    #[must_use]
    pub fn new(wire: Scripted, most: u32) -> Self {
        Self { wire, most }
    }
}

impl Protocol for Shared {
    const SHARES: bool = true;

    type Conn = Handle;
    type Prepared = ();

    fn prepare(&self, _: &Origin, _: &Request) {}

    async fn dial<C: Clock>(&self, dialer: &Dialer, by: Ns, clock: &C) -> super::Dialled<Handle> {
        self.wire.dial(dialer, by, clock).await.map(|conn| Handle {
            line: Rc::new(Line { number: conn.number, carried: Cell::new(conn.carried), over: Cell::new(false) }),
        })
    }

    fn share(&self, handle: &Handle) -> Option<Handle> {
        // One handle is the one that is shared from.
        let lanes = Rc::strong_count(&handle.line) - 1;
        let room = lanes < self.most as usize && !handle.line.over.get();
        room.then(|| Handle { line: Rc::clone(&handle.line) })
    }

    fn is_over(&self, handle: &Handle) -> bool {
        handle.line.over.get()
    }

    async fn exchange<C: Clock>(
        &self,
        handle: &mut Handle,
        shot: Shot<'_, ()>,
        by: Ns,
        clock: &C,
        observe: &mut impl Observe,
    ) -> Reply {
        let line = &handle.line;
        let mut conn = Conn { number: line.number, carried: line.carried.replace(line.carried.get() + 1) };
        let reply = self.wire.exchange(&mut conn, shot, by, clock, observe).await;
        if reply.after == After::Close {
            line.over.set(true);
        }
        reply
    }
}
