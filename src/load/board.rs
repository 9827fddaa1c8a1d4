//! Progress of a running load, for whoever watches: written a few times a second, never per request.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::stats::{Ns, Reading, Recorder, Second};

/// How often workers write while someone waits.
const WATCHED: Duration = Duration::from_millis(100);
/// How often otherwise.
const UNWATCHED: Duration = Duration::from_secs(1);

/// How far a load has come.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// Requests finished, warm-up included.
    pub finished: u64,
    /// Of the judged ones, successes.
    pub succeeded: u64,
    /// What the meters hold.
    pub readings: Vec<Reading>,
    /// The newest complete second, added up over workers; its quantiles are the slowest worker's.
    pub second: Option<Second>,
}

/// Where workers write their progress.
#[derive(Debug)]
pub(super) struct Board {
    parts: Mutex<Vec<Progress>>,
    watched: AtomicBool,
}

impl Board {
    pub(super) fn new(workers: usize) -> Self {
        Self { parts: Mutex::new(vec![Progress::default(); workers]), watched: AtomicBool::new(false) }
    }

    pub(super) fn period(&self) -> Duration {
        if self.watched.load(Ordering::Relaxed) { WATCHED } else { UNWATCHED }
    }

    pub(super) fn put(&self, worker: usize, recorder: &Recorder, now: Ns) {
        let (finished, succeeded) = recorder.progress();
        let second = recorder.newest_second(now);
        let Ok(mut parts) = self.parts.lock() else { return };
        let Some(part) = parts.get_mut(worker) else { return };
        part.finished = finished;
        part.succeeded = succeeded;
        part.readings.clear();
        part.readings.extend_from_slice(recorder.readings());
        part.second = second;
    }

    /// All workers' progress added up. Asking makes them write more often from then on.
    pub(super) fn read(&self) -> Progress {
        self.watched.store(true, Ordering::Relaxed);
        let Ok(parts) = self.parts.lock() else { return Progress::default() };
        let mut all = Progress::default();
        for part in parts.iter() {
            all.finished += part.finished;
            all.succeeded += part.succeeded;
            if all.readings.is_empty() {
                all.readings.clone_from(&part.readings);
            } else {
                all.readings.iter_mut().zip(&part.readings).for_each(|(mine, theirs)| mine.merge(theirs));
            }
            if let Some(second) = &part.second {
                let sum = all.second.get_or_insert_default();
                sum.at = second.at;
                sum.finished += second.finished;
                sum.succeeded += second.succeeded;
                sum.p50 = sum.p50.max(second.p50);
                sum.p99 = sum.p99.max(second.p99);
                sum.max = sum.max.max(second.max);
            }
        }
        all
    }
}
