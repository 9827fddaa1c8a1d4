//! What all loads of somebody have counted, added up while they run, for metrics.
//!
//! Workers add what is new about once a second, and once more at a load's end; nothing is done for a request.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};

use super::share::{Ground, Sink};
use crate::stats::{Counted, Recorder};
use crate::wire::Protocol;

/// Sums over loads. They never go back.
#[derive(Debug, Default)]
pub struct Ledger(Mutex<Counted>);

impl Ledger {
    /// The sums as they are; what the newest second brought may still be missing.
    #[must_use]
    pub fn read(&self) -> Counted {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// One worker's part of one load, on its way to a ledger.
#[derive(Debug)]
pub(super) struct Entry {
    ledger: Arc<Ledger>,
    told: RefCell<Counted>,
}

impl Entry {
    pub(super) fn new(ledger: Arc<Ledger>) -> Self {
        Self { ledger, told: RefCell::default() }
    }

    /// Adds what the recorder has counted since the last time.
    fn add(&self, recorder: &Recorder) {
        let Some(now) = recorder.counted() else { return };
        let mut told = self.told.borrow_mut();
        self.ledger.0.lock().unwrap_or_else(PoisonError::into_inner).add_since(&now, &told);
        *told = now;
    }
}

/// The same for a worker's ground, where there is a ledger at all.
pub(super) fn add<P: Protocol, C, S: Sink>(entry: Option<&Entry>, ground: &Rc<Ground<P, C, S>>) {
    if let Some(entry) = entry {
        entry.add(ground.sink.borrow().recorder());
    }
}
