//! Where requests are registered, told what will happen to them, and written off.
//!
//! One lock is taken when a request arrives and one when its last byte is written; the latter is held *over* that
//! write, so that nobody who has read an answer can find it missing in the truth.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::behaviour::{BadKind, Behaviour, Turn};
use super::fault::{Dealer, Fault, Wire};
use super::truth::{Connections, MOST_SECONDS, MOST_STALLS, Second, StallWindow, Times, Truth};

/// The server's books, open to every connection and to whoever asks for the truth.
#[derive(Debug)]
pub(super) struct Desk {
    /// How to behave.
    pub(super) behaviour: Behaviour,
    ledger: Mutex<Ledger>,
}

#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Grows with every reset, so that requests from before it are not counted after it.
    epoch: u64,
    first: Option<(Instant, u64)>,
    dealer: Dealer,
    received: u64,
    answered: u64,
    succeeded: u64,
    spoiled: u64,
    refused: u64,
    along: u64,
    abandoned: u64,
    unreadable: u64,
    /// By status − 100.
    statuses: Vec<u64>,
    grpc_statuses: BTreeMap<u8, u64>,
    refused_streams: u64,
    faults: BTreeMap<&'static str, u64>,
    connections: Connections,
    /// Connections that count against the most allowed.
    live: u64,
    seconds: Vec<Second>,
    service: Times,
    failed_service: Times,
    stalls: BTreeMap<u64, StallWindow>,
}

/// What an answer says in a place where its client can read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// An HTTP status.
    Http(u16),
    /// HTTP status 200 and this `grpc-status`.
    Grpc(u8),
}

impl Said {
    const fn is_success(self) -> bool {
        match self {
            Self::Http(status) => status >= 200 && status < 400,
            Self::Grpc(status) => status == 0,
        }
    }
}

/// One request's entry. Dropped without being written off, it counts as abandoned.
#[derive(Debug)]
pub(super) struct Ticket<'a> {
    desk: &'a Desk,
    epoch: u64,
    /// When the first request arrived.
    first: Instant,
    arrived: Instant,
    second: usize,
    /// When its answer is due, stalls left out.
    pub(super) due: Instant,
    /// It is to have the error status.
    pub(super) error: bool,
    /// Its answer is to suffer this.
    pub(super) fault: Option<Fault>,
    open: bool,
}

/// One connection's entry.
#[derive(Debug)]
pub(super) struct Seat<'a> {
    desk: &'a Desk,
    epoch: u64,
    /// It has carried a request that counts.
    used: bool,
    /// It counts as accepted, and against the most allowed.
    counted: bool,
    bad: Option<BadKind>,
}

impl Desk {
    pub(super) fn new(behaviour: Behaviour) -> Self {
        Self { behaviour, ledger: Mutex::default() }
    }

    /// The books; a panic elsewhere leaves them as they are.
    fn open(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers a connection; `None` when it is beyond the most allowed.
    pub(super) fn seat(&self) -> Option<Seat<'_>> {
        let mut ledger = self.open();
        if self.behaviour.max_connections.is_some_and(|most| ledger.live >= most) {
            return None;
        }
        ledger.live += 1;
        ledger.connections.accepted += 1;
        Some(Seat { desk: self, epoch: ledger.epoch, used: false, counted: true, bad: None })
    }

    /// A seat for a connection that only asks for the truth.
    pub(super) fn seat_for_asking(&self) -> Seat<'_> {
        Seat { desk: self, epoch: self.open().epoch, used: false, counted: false, bad: None }
    }

    /// Counts a connection that was closed for being beyond the most allowed.
    pub(super) fn refuse(&self) {
        self.open().connections.refused += 1;
    }

    /// Counts a TLS handshake; `resumed` where it came to its end.
    pub(super) fn handshake(&self, resumed: Option<bool>) {
        let connections = &mut self.open().connections;
        match resumed {
            Some(resumed) => {
                connections.tls += 1;
                connections.tls_resumed += u64::from(resumed);
            }
            None => connections.tls_failed += 1,
        }
    }

    /// Counts bytes that were no request.
    pub(super) fn unreadable(&self) {
        self.open().unreadable += 1;
    }

    /// Counts streams that were refused before anything was done for them.
    pub(super) fn streams_refused(&self, n: u64) {
        self.open().refused_streams += n;
    }

    /// Registers a request whose head was complete at `arrived`, and decides what happens to it. `extra` is added to
    /// its latency.
    pub(super) fn admit(&self, seat: &mut Seat<'_>, wire: Wire, arrived: Instant, extra: Duration) -> Ticket<'_> {
        let behaviour = &self.behaviour;
        let mut ledger = self.open();
        let (first, _) = *ledger.first.get_or_insert_with(|| (arrived, unix_ns_of(arrived)));
        ledger.settle(seat, wire);
        ledger.received += 1;
        let n = ledger.received;
        let since_first = arrived.saturating_duration_since(first);
        let second = (since_first.as_secs() as usize).min(MOST_SECONDS - 1);
        if ledger.seconds.len() <= second {
            ledger.seconds.resize(second + 1, Second::default());
        }
        ledger.seconds[second].requests += 1;
        let decision = ledger.dealer.deal(behaviour, wire, n, since_first, seat.bad);
        let epoch = ledger.epoch;
        drop(ledger);
        let mut delay = behaviour.delay(n, since_first) + extra;
        if let Some(BadKind::Latency(more)) = seat.bad {
            delay += more;
        }
        Ticket {
            desk: self,
            epoch,
            first,
            arrived,
            second,
            due: arrived + delay,
            error: decision.error,
            fault: decision.fault,
            open: true,
        }
    }

    /// Forgets everything, as if the server had just started; connections stay open.
    pub(super) fn reset(&self) {
        let mut ledger = self.open();
        *ledger = Ledger { epoch: ledger.epoch + 1, live: ledger.live, ..Ledger::default() };
    }

    /// Everything known now.
    pub(super) fn truth(&self) -> Truth {
        let ledger = self.open();
        let statuses = ledger.statuses.iter().enumerate().filter(|(_, n)| **n > 0);
        Truth {
            first_request: ledger.first.map(|(at, _)| at),
            first_request_unix_ns: ledger.first.map(|(_, unix_ns)| unix_ns),
            elapsed_ns: ledger.first.map_or(0, |(at, _)| nanos(at.elapsed())),
            received: ledger.received,
            answered: ledger.answered,
            succeeded: ledger.succeeded,
            spoiled: ledger.spoiled,
            abandoned: ledger.abandoned,
            refused: ledger.refused,
            along: ledger.along,
            pending: ledger.received - ledger.answered - ledger.spoiled - ledger.refused - ledger.abandoned,
            unreadable: ledger.unreadable,
            statuses: statuses.map(|(index, n)| (index as u16 + 100, *n)).collect(),
            grpc_statuses: ledger.grpc_statuses.clone(),
            refused_streams: ledger.refused_streams,
            faults: ledger.faults.clone(),
            connections: ledger.connections,
            seconds: ledger.seconds.clone(),
            service: ledger.service.clone(),
            failed_service: ledger.failed_service.clone(),
            stalls: ledger.stalls.values().copied().collect(),
        }
    }
}

impl Ledger {
    /// Makes a connection one that carries requests; the first time it gets its number.
    fn settle(&mut self, seat: &mut Seat<'_>, wire: Wire) {
        if seat.used && seat.epoch == self.epoch {
            return;
        }
        if !seat.counted {
            self.live += 1;
        }
        if !seat.counted || seat.epoch != self.epoch {
            self.connections.accepted += 1;
        }
        let connections = &mut self.connections;
        connections.used += 1;
        connections.http2 += u64::from(wire != Wire::Http1);
        connections.open += 1;
        connections.peak = connections.peak.max(connections.open);
        seat.bad = seat.desk.behaviour.bad(connections.used);
        (seat.used, seat.counted, seat.epoch) = (true, true, self.epoch);
    }

    fn said(&mut self, said: Said) {
        let status = match said {
            Said::Http(status) => status,
            Said::Grpc(status) => {
                *self.grpc_statuses.entry(status).or_default() += 1;
                200
            }
        };
        let index = usize::from(status.saturating_sub(100));
        if self.statuses.len() <= index {
            self.statuses.resize(index + 1, 0);
        }
        self.statuses[index] += 1;
    }

    fn error_in(&mut self, second: usize) {
        if let Some(second) = self.seconds.get_mut(second) {
            second.errors += 1;
        }
    }
}

impl Seat<'_> {
    /// The connection asks for the truth: unless it has carried requests, it no longer counts.
    pub(super) fn ask(&mut self) {
        if self.used || !self.counted {
            return;
        }
        let mut ledger = self.desk.open();
        ledger.live -= 1;
        if self.epoch == ledger.epoch {
            ledger.connections.accepted -= 1;
        }
        self.counted = false;
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let mut ledger = self.desk.open();
        if self.counted {
            ledger.live -= 1;
        }
        if self.used && self.epoch == ledger.epoch {
            ledger.connections.open -= 1;
        }
    }
}

impl Ticket<'_> {
    /// The freeze that this moment falls in, and when it ends.
    pub(super) fn freeze(&self, now: Instant) -> Option<(Turn, Instant)> {
        let turn = self.desk.behaviour.freeze(now.saturating_duration_since(self.first))?;
        Some((turn, self.first + turn.end))
    }

    /// Notes that the answer was held by a freeze and let go now.
    pub(super) fn released(&self, turn: Turn, now: Instant) {
        let mut ledger = self.desk.open();
        if ledger.epoch != self.epoch || ledger.stalls.len() >= MOST_STALLS && !ledger.stalls.contains_key(&turn.index)
        {
            return;
        }
        let end_ns = nanos(now.saturating_duration_since(self.first));
        let window = ledger.stalls.entry(turn.index);
        window.or_insert(StallWindow { begin_ns: nanos(turn.begin), end_ns, held: 0 }).held += 1;
    }

    /// Counts a fault as done, by the name of its flag.
    pub(super) fn count(&self, fault: &'static str) {
        let mut ledger = self.desk.open();
        if ledger.epoch == self.epoch {
            *ledger.faults.entry(fault).or_default() += 1;
        }
    }

    /// Runs `write`, the last write of a whole answer, and writes the request off if it says that everything is
    /// written. Until then nobody can read the truth.
    pub(super) fn close_after<E>(&mut self, said: Said, write: impl FnOnce() -> Result<bool, E>) -> Result<bool, E> {
        let mut ledger = self.desk.open();
        let whole = write()?;
        if whole && self.open {
            self.open = false;
            let service = nanos(self.arrived.elapsed());
            if ledger.epoch == self.epoch {
                ledger.answered += 1;
                ledger.said(said);
                if said.is_success() {
                    ledger.succeeded += 1;
                    ledger.service.add(service);
                } else {
                    ledger.failed_service.add(service);
                    ledger.error_in(self.second);
                }
            }
        }
        Ok(whole)
    }

    /// Writes the request off as spoiled, before the client can notice; what it said if it can be read.
    pub(super) fn spoil(&mut self, said: Option<Said>) {
        self.write_off(said, false);
    }

    /// Writes the request off as spoiled by what was done to another one on its connection, unless it has its account.
    pub(super) fn spoil_along(&mut self) {
        self.write_off(None, true);
    }

    fn write_off(&mut self, said: Option<Said>, along: bool) {
        let mut ledger = self.desk.open();
        if self.open && ledger.epoch == self.epoch {
            ledger.spoiled += 1;
            ledger.along += u64::from(along);
            ledger.error_in(self.second);
            if let Some(said) = said {
                ledger.said(said);
            }
        }
        self.open = false;
    }

    /// Writes the request off as refused: its client is told that nothing was done and that it may send it again.
    pub(super) fn refuse(&mut self) {
        let mut ledger = self.desk.open();
        if self.open && ledger.epoch == self.epoch {
            ledger.refused += 1;
        }
        self.open = false;
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        if self.open {
            let mut ledger = self.desk.open();
            if ledger.epoch == self.epoch {
                ledger.abandoned += 1;
            }
        }
    }
}

/// The wall-clock time of a recent moment, in nanoseconds since 1970.
fn unix_ns_of(at: Instant) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    nanos(now.saturating_sub(at.elapsed()))
}

/// A duration in nanoseconds; anything beyond 584 years as those.
fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(ticket: &mut Ticket<'_>, status: u16) {
        assert_eq!(ticket.close_after::<()>(Said::Http(status), || Ok(true)), Ok(true));
    }

    #[test]
    fn every_request_ends_in_exactly_one_account() {
        let desk = Desk::new(Behaviour::default());
        let mut seat = desk.seat().unwrap();
        let now = Instant::now();
        let mut admit = || desk.admit(&mut seat, Wire::Http1, now, Duration::ZERO);
        answer(&mut admit(), 200);
        answer(&mut admit(), 503);
        admit().spoil(Some(Said::Http(200)));
        drop(admit());
        admit().refuse();
        let mut along = admit();
        along.spoil_along();
        along.spoil_along();
        let pending = admit();
        let truth = desk.truth();
        assert_eq!((truth.received, truth.answered, truth.succeeded), (7, 2, 1));
        assert_eq!((truth.spoiled, truth.along, truth.refused), (2, 1, 1));
        assert_eq!((truth.abandoned, truth.pending, truth.errors()), (1, 1, 3));
        assert_eq!(truth.statuses, BTreeMap::from([(200, 2), (503, 1)]));
        assert_eq!(truth.seconds, [Second { requests: 7, errors: 3 }]);
        assert_eq!((truth.service.n(), truth.failed_service.n()), (1, 1));
        drop(pending);
        assert_eq!(desk.truth().abandoned, 2);
    }

    #[test]
    fn a_write_that_is_not_whole_leaves_the_request_open() {
        let desk = Desk::new(Behaviour::default());
        let mut seat = desk.seat().unwrap();
        let mut ticket = desk.admit(&mut seat, Wire::Http1, Instant::now(), Duration::ZERO);
        assert_eq!(ticket.close_after::<()>(Said::Http(200), || Ok(false)), Ok(false));
        assert_eq!(ticket.close_after(Said::Http(200), || Err("gone")), Err("gone"));
        assert_eq!((desk.truth().answered, desk.truth().pending), (0, 1));
    }

    #[test]
    fn a_reset_forgets_everything_and_requests_from_before_it() {
        let desk = Desk::new(Behaviour::default());
        let mut seat = desk.seat().unwrap();
        let mut before = desk.admit(&mut seat, Wire::Http1, Instant::now(), Duration::ZERO);
        desk.reset();
        answer(&mut before, 200);
        let truth = desk.truth();
        assert_eq!((truth.received, truth.answered, truth.connections.accepted, truth.seconds.len()), (0, 0, 0, 0));
        assert_eq!(truth.first_request_unix_ns, None);
        let _after = desk.admit(&mut seat, Wire::Http1, Instant::now(), Duration::ZERO);
        let connections = desk.truth().connections;
        assert_eq!((connections.accepted, connections.used, connections.open, connections.peak), (1, 1, 1, 1));
        drop(seat);
        assert_eq!(desk.truth().connections.open, 0);
    }

    #[test]
    fn connections_that_only_ask_are_left_out_until_they_carry_a_request() {
        let behaviour = Behaviour { max_connections: Some(1), ..Behaviour::default() };
        let desk = Desk::new(behaviour);
        let mut asking = desk.seat().unwrap();
        asking.ask();
        assert_eq!(desk.truth().connections, Connections::default());
        let mut other = desk.seat().expect("the one that asks takes no place");
        assert!(desk.seat().is_none());
        drop(desk.admit(&mut other, Wire::Http1, Instant::now(), Duration::ZERO));
        drop(desk.admit(&mut asking, Wire::Http1, Instant::now(), Duration::ZERO));
        let expected = Connections { accepted: 2, used: 2, open: 2, peak: 2, ..Connections::default() };
        assert_eq!(desk.truth().connections, expected);
    }

    #[test]
    fn held_answers_are_counted_in_the_window_that_held_them() {
        let desk = Desk::new(Behaviour::parse([("stall", "1s/5s")]).unwrap());
        let mut seat = desk.seat().unwrap();
        let first = Instant::now();
        let ticket = desk.admit(&mut seat, Wire::Http1, first, Duration::ZERO);
        let (turn, end) = ticket.freeze(first + Duration::from_millis(9_200)).expect("frozen at 9.2 s");
        assert_eq!(end, first + Duration::from_secs(10));
        ticket.released(turn, end + Duration::from_micros(300));
        ticket.released(turn, end + Duration::from_micros(900));
        let expected = StallWindow { begin_ns: 9_000_000_000, end_ns: 10_000_300_000, held: 2 };
        assert_eq!(desk.truth().stalls, [expected]);
    }
}
