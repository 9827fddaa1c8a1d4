//! A lane: one logical client. It keeps a connection to each server it asks, and follows redirects within one request.

use std::rc::Rc;

use super::link::{Due, Fired, Link};
use super::share::{Ground, Sink};
use super::way::Way;
use super::who::Seen;
use crate::stats::{Fault, Ns, Sample};
use crate::wire::{BadLocation, Clock, Discard, Hop, Protocol, Redirected};

/// Connections a lane keeps to servers that redirects have led it to.
const MOST_ELSEWHERE: usize = 8;

/// One logical client with one request in flight.
#[derive(Debug)]
pub(super) struct Lane<P: Protocol> {
    number: u32,
    /// The connection used last comes first.
    links: Vec<Link<P>>,
}

impl<P: Protocol> Lane<P> {
    /// The lane with this number, without any connection yet.
    pub(super) fn new(number: u32) -> Self {
        Self { number, links: Vec::new() }
    }

    /// Opens the connection to a target before it is needed.
    pub(super) async fn prepare<C: Clock, S: Sink>(&mut self, ground: &Ground<P, C, S>, target: usize) {
        self.link(ground, &ground.routes[target].way).prepare(ground).await;
    }

    /// Replaces connections that have become too old.
    pub(super) async fn renew<C: Clock, S: Sink>(&mut self, ground: &Ground<P, C, S>) {
        for link in &mut self.links {
            link.renew(ground).await;
        }
    }

    /// Sends one request to a target, follows where it leads, and waits for what comes of it.
    pub(super) async fn fire<C: Clock, S: Sink>(&mut self, ground: &Ground<P, C, S>, target: usize, due: Due) -> Fired {
        let when = (due, ground.limit(ground.clock.now()));
        let route = &ground.routes[target];
        let made;
        let request = match &route.request {
            Some(request) => request,
            None => {
                made = ground.protocol.prepare(&ground.plan.targets[target].origin, &ground.request(target, due.index));
                &made
            }
        };
        let link = self.link(ground, &route.way);
        if ground.redirects == 0 && ground.who.is_none() {
            return link.fire(ground, request, when, &mut Discard).await;
        }
        let mut seen = Seen::new(ground.who.as_ref());
        let first = link.fire(ground, request, when, &mut seen).await;
        let first = Fired { counts: seen.counts, ..first };
        if ground.redirects == 0 || seen.redirected.is_none() {
            return first;
        }
        let seen = seen.redirected;
        let origin = ground.plan.targets[target].origin.clone();
        let asked = Hop { origin, request: ground.request(target, due.index) };
        // Large, and of no use to most lanes.
        Box::pin(self.follow(ground, (first, seen, asked), when)).await
    }

    /// Goes where the answer to `asked` leads, and on from there. What comes of the whole began with the first request
    /// and ends with the last answer.
    async fn follow<C: Clock, S: Sink>(
        &mut self,
        ground: &Ground<P, C, S>,
        (mut fired, mut seen, mut asked): (Fired, Redirected, Hop),
        when: (Due, Ns),
    ) -> Fired {
        let mut left = ground.redirects;
        while fired.sample.outcome.fault.is_none() {
            let Some(next) = seen.hop(&asked, &ground.origins) else { break };
            match next {
                Err(BadLocation) => fired.sample.outcome.fault = Some(Fault::Malformed),
                Ok(_) if left == 0 => fired.sample.outcome.fault = Some(Fault::Expect),
                Ok(hop) => {
                    left -= 1;
                    let request = ground.protocol.prepare(&hop.origin, &hop.request);
                    let way = ground.ways.to(&hop.origin);
                    let mut looked = Seen::new(ground.who.as_ref());
                    let last = self.link(ground, &way).fire(ground, &request, when, &mut looked).await;
                    let sample = joined(fired.sample, last.sample);
                    fired = Fired { sample, address: last.address, counts: looked.counts };
                    seen = looked.redirected;
                    asked = hop;
                }
            }
        }
        fired
    }

    /// The lane's link on a way, which is now the one used last.
    fn link<C: Clock, S: Sink>(&mut self, ground: &Ground<P, C, S>, way: &Rc<Way<P>>) -> &mut Link<P> {
        match self.links.iter().position(|link| Rc::ptr_eq(&link.way, way)) {
            Some(at) => self.links[..=at].rotate_right(1),
            None => {
                self.links.truncate(ground.routes.len() + MOST_ELSEWHERE - 1);
                // Most lanes only ever have one.
                self.links.reserve_exact(1);
                self.links.insert(0, Link::new(Rc::clone(way), self.number));
            }
        }
        &mut self.links[0]
    }
}

/// One request in two steps.
fn joined(first: Sample, last: Sample) -> Sample {
    let Sample { first: answered, done, outcome, bytes, .. } = last;
    Sample { first: answered, done, outcome, bytes, resent: first.resent || last.resent, ..first }
}

/// Full-jitter back-off of a closed-loop lane after failed dials (AWS Architecture Blog, 2015): without it a refused
/// port is asked a hundred thousand times a second.
#[derive(Debug)]
pub(super) struct Backoff {
    failures: u32,
    random: u64,
}

impl Backoff {
    pub(super) fn new(seed: u64) -> Self {
        Self { failures: 0, random: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1 }
    }

    /// Waits if this request's connection could not be opened.
    pub(super) async fn after<C: Clock>(&mut self, sample: &Sample, clock: &C) {
        let undialled = sample.dial.is_none() && sample.sent == sample.done;
        if !undialled {
            self.failures = 0;
            return;
        }
        let ceiling = Ns::from_millis(10 << self.failures.min(7)).min(Ns::from_secs(1));
        self.failures += 1;
        // xorshift64: spread, not secrecy, is wanted.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        clock.until(clock.now() + Ns(self.random % ceiling.0.max(1))).await;
    }
}
