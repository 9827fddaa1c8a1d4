//! The ways that one load takes on one worker: to each server once, to each target with its request ready.

use std::cell::RefCell;
use std::rc::Rc;

use super::hub::Hub;
use crate::plan::{Origin, Plan, Target};
use crate::wire::{Dialer, Protocol, Transport};

/// Most servers remembered: a target whose redirects lead to ever new ones would otherwise fill the memory.
const MOST_WAYS: usize = 256;

/// The way to one server.
#[derive(Debug)]
pub(super) struct Way<P: Protocol> {
    pub(super) dialer: Dialer,
    /// The connections that lanes share; `None` where each lane has its own.
    pub(super) hub: Option<Rc<Hub<P::Conn>>>,
}

/// A target, with the way to its server and its request as the protocol sends it.
#[derive(Debug)]
pub(super) struct Route<P: Protocol> {
    pub(super) way: Rc<Way<P>>,
    /// `None` where values are drawn: then each request is made when it goes out.
    pub(super) request: Option<P::Prepared>,
}

/// All ways known so far.
#[derive(Debug)]
pub(super) struct Ways<P: Protocol> {
    transport: Transport,
    /// Which address each way begins with, so that workers spread.
    first: usize,
    /// Whether lanes share connections.
    shares: bool,
    known: RefCell<Vec<Rc<Way<P>>>>,
}

impl<P: Protocol> Ways<P> {
    pub(super) fn new(transport: Transport, first: usize, plan: &Plan) -> Self {
        Self { transport, first, shares: P::SHARES && plan.keep_alive, known: RefCell::default() }
    }

    /// The way to a server; the same one for the same server.
    pub(super) fn to(&self, origin: &Origin) -> Rc<Way<P>> {
        let mut known = self.known.borrow_mut();
        if let Some(way) = known.iter().find(|way| way.dialer.origin() == origin) {
            return Rc::clone(way);
        }
        let dialer = Dialer::new(origin.clone(), self.transport.clone(), self.first);
        let way = Rc::new(Way { dialer, hub: self.shares.then(Rc::default) });
        if known.len() < MOST_WAYS {
            known.push(Rc::clone(&way));
        }
        way
    }

    /// Lets go of connections that no lane uses.
    pub(super) fn close(&self) {
        self.known.borrow().iter().filter_map(|way| way.hub.as_ref()).for_each(|hub| hub.close());
    }

    /// A target's route.
    pub(super) fn route(&self, target: &Target, protocol: &P) -> Route<P> {
        let request = target.drawn.is_none().then(|| protocol.prepare(&target.origin, &target.request));
        Route { way: self.to(&target.origin), request }
    }

    /// The first failure to connect, in words.
    pub(super) fn first_error(&self) -> Option<String> {
        self.known.borrow().iter().find_map(|way| way.dialer.first_error())
    }
}
