//! A lane's connection: opened, used, replaced when it is old or dead; and one request fired over it.

use std::net::SocketAddr;
use std::rc::Rc;

use super::hub::{Joined, Place};
use super::share::{Ground, Sink};
use super::way::Way;
use crate::stats::{DialTimes, Fault, Ns, Outcome, Sample};
use crate::wire::{After, Clock, Dialled, Observe, Protocol, Reply, Shot};

/// Opening a connection ahead of time is given up after this long; the request itself then tries with its own limit.
const AHEAD: Ns = Ns::from_secs(1);

/// Connections that may turn out to be of no use before a request is sent. A server that ends each one at once would
/// otherwise be dialled for ever.
const MOST_UNUSABLE: u32 = 8;

/// One request that has fallen due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) index: u64,
    pub(super) due: Ns,
    /// From when its latency counts: `due`, or when our own process noticed it.
    pub(super) origin: Ns,
}

/// What came of one request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fired {
    pub(super) sample: Sample,
    /// Who answered it, or could not be reached; `None` where there is no address.
    pub(super) address: Option<SocketAddr>,
    /// Whether it was answered by whom the load is to judge, where that is asked.
    pub(super) counts: bool,
}

/// A connection slot of one lane, to one server.
#[derive(Debug)]
pub(super) struct Link<P: Protocol> {
    pub(super) way: Rc<Way<P>>,
    open: Option<Open<P::Conn>>,
    /// Whom the newest dial reached, or tried last.
    tried: Option<SocketAddr>,
    /// Which lane it is.
    number: u32,
}

#[derive(Debug)]
struct Open<C> {
    conn: C,
    /// Whom it reaches.
    address: Option<SocketAddr>,
    at: Ns,
    /// How old it may get.
    age: Option<Ns>,
    /// How it was opened, until its first request takes that into its sample.
    dial: Option<(DialTimes, Ns)>,
    /// The lane's place on it, where lanes share it.
    place: Option<Place<C>>,
}

impl<C> Open<C> {
    /// Whether the place on it is given back after each request: where there may be only so many connections, nobody
    /// keeps one without a request.
    fn is_lent<P: Protocol, K, S>(&self, ground: &Ground<P, K, S>) -> bool {
        self.place.is_some() && ground.plan.links.is_some()
    }

    /// Whether it is to be replaced because of its age.
    fn is_old(&self, now: Ns) -> bool {
        self.age.is_some_and(|age| now.since(self.at) >= age) || self.place.as_ref().is_some_and(Place::is_retired)
    }
}

impl<P: Protocol> Link<P> {
    /// The link of lane `number` to a server.
    pub(super) fn new(way: Rc<Way<P>>, number: u32) -> Self {
        Self { way, open: None, tried: None, number }
    }

    /// Opens the connection before it is needed. Failing is no outcome: the next request will try itself.
    pub(super) async fn prepare<C: Clock, S: Sink>(&mut self, ground: &Ground<P, C, S>) {
        if self.open.is_none() && ground.plan.keep_alive {
            let now = ground.clock.now();
            let by = ground.limit(now).min(now + AHEAD);
            let _ = self.dial(ground, by).await;
            if let Some(open) = self.open.take_if(|open| open.is_lent(ground)) {
                open.place.iter().for_each(|place| place.untouched(open.dial));
            }
        }
    }

    /// Replaces a connection that has become too old, outside any latency: that is our wish. One that the server
    /// closed is left alone: who comes next pays for that, as a user would.
    pub(super) async fn renew<C: Clock, S: Sink>(&mut self, ground: &Ground<P, C, S>) {
        let now = ground.clock.now();
        if let Some(old) = self.open.take_if(|open| open.is_old(now)) {
            old.place.iter().for_each(Place::retire);
            drop(old);
            self.prepare(ground).await;
        }
    }

    /// Sends one request and waits until `by` for what comes of it.
    pub(super) async fn fire<C: Clock, S: Sink>(
        &mut self,
        ground: &Ground<P, C, S>,
        request: &P::Prepared,
        (due, by): (Due, Ns),
        observe: &mut impl Observe,
    ) -> Fired {
        let mut resent = false;
        let mut first_sent = None;
        let mut unusable = 0;
        loop {
            let mut open = match self.open.take() {
                Some(open) => open,
                None => match self.dial(ground, by).await {
                    Ok(()) => continue,
                    Err(fault) => {
                        let sample = failed(ground, due, fault, first_sent, resent);
                        return Fired { sample, address: self.tried, counts: false };
                    }
                },
            };
            let shot = Shot { index: due.index, request };
            let reply = ground.protocol.exchange(&mut open.conn, shot, by, &ground.clock, observe).await;
            if reply.unprocessed && reply.written.is_none() && unusable < MOST_UNUSABLE {
                unusable += 1;
                continue;
            }
            first_sent = first_sent.or(reply.written);
            if reply.unprocessed && reply.written.is_some() && !resent {
                resent = true;
                continue;
            }
            let (dial, address) = (open.dial.take(), open.address);
            if reply.after == After::Keep && ground.plan.keep_alive && !open.is_lent(ground) {
                self.open = Some(open);
            }
            return Fired { sample: sample(due, reply, first_sent, dial, resent), address, counts: false };
        }
    }

    async fn dial<C: Clock, S: Sink>(&mut self, ground: &Ground<P, C, S>, by: Ns) -> Result<(), Fault> {
        let way = &self.way;
        let age = |number| ground.plan.connection_age.map(|age| spread(Ns::from(age), number));
        if let Some(hub) = &way.hub {
            let joined = hub.join(ground, &way.dialer, by).await;
            self.tried = joined.as_ref().map_or_else(|not| not.address, |joined| joined.address);
            let Joined { conn, address, at, number, dial, place } = joined.map_err(|not| not.fault)?;
            self.open = Some(Open { conn, address, at, age: age(number), dial, place: Some(place) });
            return Ok(());
        }
        // Seldom needed and large: a lane has no room for it meanwhile.
        let Dialled { times, address, result } = Box::pin(ground.protocol.dial(&way.dialer, by, &ground.clock)).await;
        let at = ground.clock.now();
        ground.dialled(result.is_ok());
        self.tried = address;
        let conn = result?;
        let dial = Some((times, at));
        self.open = Some(Open { conn, address, at, age: age(self.number), dial, place: None });
        Ok(())
    }
}

/// An age of which connection `number` gets its own: not all are replaced at once.
fn spread(age: Ns, number: u32) -> Ns {
    // Multiples of the golden ratio spread evenly however many there are: 0.75 to 1.25 of the age asked for.
    let part = 0.75 + 0.5 * (f64::from(number) * 0.618_033_988_75).fract();
    Ns((age.0 as f64 * part) as u64)
}

/// A request whose connection could not be opened: finished, with that fault.
fn failed<P: Protocol, C: Clock, S: Sink>(
    ground: &Ground<P, C, S>,
    due: Due,
    fault: Fault,
    sent: Option<Ns>,
    resent: bool,
) -> Sample {
    let done = ground.clock.now();
    ground.brakes.unreached(fault, done);
    unsent(due, fault, sent.unwrap_or(done), done, resent)
}

/// A request that never went out.
pub(super) fn unsent(due: Due, fault: Fault, sent: Ns, done: Ns, resent: bool) -> Sample {
    Sample { origin: due.origin, sent, resent, ..Sample::of(due.due, done, Outcome::fault(fault)) }
}

fn sample(due: Due, reply: Reply, sent: Option<Ns>, dial: Option<(DialTimes, Ns)>, resent: bool) -> Sample {
    let dial = dial.map(|(times, at)| {
        let began = at.since(times.total());
        DialTimes { waited: at.since(began.max(due.origin)), ..times }
    });
    Sample {
        origin: due.origin,
        sent: sent.unwrap_or(reply.done),
        first: reply.first.unwrap_or(reply.done),
        dial,
        bytes: reply.bytes,
        resent,
        ..Sample::of(due.due, reply.done, reply.outcome)
    }
}

/// Links are made where lanes are, and lanes stand on shared ground.
pub(super) type SharedGround<P, C, S> = Rc<Ground<P, C, S>>;
