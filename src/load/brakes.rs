//! Everything that ends a load before its plan does, shared by its workers.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::sync::watch;

use crate::stats::{Fault, Ns, Reading, Recorder, Stopped, Trip};

/// With nothing ever reached, the load ends after this many failed requests…
const UNREACHED_REQUESTS: u64 = 20;
/// …and this long, whichever is later.
const UNREACHED_FOR: Ns = Ns::from_secs(2);

/// The brakes of one load.
#[derive(Debug)]
pub(super) struct Brakes {
    /// Whether a load that reaches nothing is given up.
    gives_up: bool,
    trips: Vec<Armed>,
    reached: AtomicBool,
    unreached: AtomicU64,
    stopped: watch::Sender<Option<Stopped>>,
    panicked: Mutex<Option<String>>,
}

/// A trip, and what all workers have counted towards it.
#[derive(Debug)]
struct Armed {
    trip: Trip,
    n: AtomicU64,
    bad: AtomicU64,
}

/// What one worker has already told the brakes about each trip: samples, and bad ones.
#[derive(Debug)]
pub(super) struct Reported(Vec<(u64, u64)>);

impl Brakes {
    pub(super) fn new(trips: &[Trip]) -> Self {
        Self {
            gives_up: true,
            trips: trips
                .iter()
                .map(|trip| Armed { trip: trip.clone(), n: AtomicU64::new(0), bad: AtomicU64::new(0) })
                .collect(),
            reached: AtomicBool::new(false),
            unreached: AtomicU64::new(0),
            stopped: watch::Sender::new(None),
            panicked: Mutex::new(None),
        }
    }

    /// The same for a load that goes on to its end whether it reaches anything or not.
    pub(super) fn patient(self) -> Self {
        Self { gives_up: false, ..self }
    }

    pub(super) fn reporter(&self) -> Reported {
        Reported(vec![(0, 0); self.trips.len()])
    }

    /// Ends the load; the first reason stays.
    pub(super) fn stop(&self, why: Stopped) {
        self.stopped.send_if_modified(|stopped| {
            let first = stopped.is_none();
            stopped.get_or_insert(why);
            first
        });
    }

    pub(super) fn stopped(&self) -> Option<Stopped> {
        *self.stopped.borrow()
    }

    /// Waits until the load is to end.
    pub(super) async fn wait(&self) {
        let mut stopped = self.stopped.subscribe();
        // The sender lives as long as we do, so waiting cannot fail.
        let _ = stopped.wait_for(Option::is_some).await;
    }

    /// A connection was made.
    pub(super) fn reached(&self) {
        if !self.reached.load(Ordering::Relaxed) {
            self.reached.store(true, Ordering::Relaxed);
        }
    }

    /// A request failed before there was a connection to send it on.
    pub(super) fn unreached(&self, fault: Fault, now: Ns) {
        if !self.gives_up || self.reached.load(Ordering::Relaxed) || fault == Fault::Local {
            return;
        }
        let failed = self.unreached.fetch_add(1, Ordering::Relaxed) + 1;
        if failed >= UNREACHED_REQUESTS && now >= UNREACHED_FOR {
            self.stop(Stopped::Unreachable);
        }
    }

    /// Adds what this worker has counted since it last told, and stops the load where that is one too many.
    pub(super) fn check(&self, recorder: &Recorder, reported: &mut Reported) {
        for (index, (armed, told)) in self.trips.iter().zip(&mut reported.0).enumerate() {
            let Some(Reading::Tally(tally)) = recorder.readings().get(armed.trip.meter) else { continue };
            let bad = if armed.trip.bad_holds { tally.k } else { tally.n - tally.k };
            // Whoever sees a bad sample must see the good ones that were counted before it: n first, and in order.
            if !armed.trip.looks.is_empty() {
                armed.n.fetch_add(tally.n - told.0, Ordering::AcqRel);
                told.0 = tally.n;
            }
            if bad > told.1 {
                let all = armed.bad.fetch_add(bad - told.1, Ordering::AcqRel) + bad - told.1;
                told.1 = bad;
                if armed.trip.fires(armed.n.load(Ordering::Acquire), all) {
                    self.stop(Stopped::Tripped(index));
                }
            }
        }
    }

    /// Remembers that a lane of ours panicked.
    pub(super) fn panicked(&self, message: String) {
        if let Ok(mut panicked) = self.panicked.lock() {
            panicked.get_or_insert(message);
        }
    }

    pub(super) fn panic(&self) -> Option<String> {
        self.panicked.lock().ok().and_then(|panicked| panicked.clone())
    }
}
