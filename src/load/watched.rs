//! A load that is judged while it runs: its newest ten minutes can be asked for at any time, requests that are still
//! unanswered included, and further measures can be counted from any moment on.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::link::Due;
use super::share::{Ground, Sink};
use crate::stats::{Code, Fault, Key, Log, Measures, Ns, Reach, Recorder, Said, Sample, Unanswered, Window};
use crate::wire::{Clock, Protocol};

/// What is asked of a worker about its part of a load.
#[derive(Debug)]
pub(super) enum Ask {
    /// Count these measures too.
    Count(Arc<Measures>),
    /// What these seconds of the judged part amount to by these measures.
    Look(Arc<Measures>, Range<u64>, oneshot::Sender<Glimpse>),
}

/// What one worker shows of its part of a load.
#[derive(Debug, Default)]
pub(super) struct Glimpse {
    pub(super) reach: Reach,
    /// Of the whole load so far.
    pub(super) codes: BTreeMap<Code, u64>,
    pub(super) faults: BTreeMap<Fault, u64>,
    pub(super) connections: u64,
    pub(super) failed_dials: u64,
    pub(super) first_error: Option<String>,
    pub(super) said: Said,
}

/// Counts a load, and remembers which of its requests are unanswered.
#[derive(Debug)]
pub(super) struct Watched {
    recorder: Recorder,
    first: Arc<Measures>,
    /// Measures that came later.
    further: Vec<(Arc<Measures>, Window)>,
    judged_from: Ns,
    unanswered: Waiting,
}

/// Requests that are due and not answered, in the order they fell due.
#[derive(Debug, Default)]
struct Waiting {
    /// The number of the first row, counted on this worker from 0.
    front: u64,
    /// When each was due, and from when its latency counts; `None` once it is answered.
    rows: VecDeque<Option<(Ns, Ns)>>,
}

impl Waiting {
    fn fell_due(&mut self, number: u64, due: &Due) {
        if self.rows.is_empty() {
            self.front = number;
        }
        // Lanes of a closed loop may reach here in another order than they took their numbers.
        let Some(row) = number.checked_sub(self.front) else { return };
        while self.rows.len() as u64 <= row {
            self.rows.push_back(None);
        }
        self.rows[row as usize] = Some((due.due, due.origin));
    }

    fn answered(&mut self, number: u64) {
        let row = number.checked_sub(self.front).and_then(|row| self.rows.get_mut(row as usize));
        if let Some(row) = row {
            *row = None;
        }
        while self.rows.front().is_some_and(Option::is_none) {
            self.rows.pop_front();
            self.front += 1;
        }
    }
}

impl Watched {
    pub(super) fn new(recorder: Recorder, measures: Arc<Measures>, judged_from: Ns) -> Self {
        Self { recorder, first: measures, further: Vec::new(), judged_from, unanswered: Waiting::default() }
    }

    fn window(&self, measures: &Arc<Measures>) -> Option<&Window> {
        if Arc::ptr_eq(measures, &self.first) {
            return self.recorder.window();
        }
        self.further.iter().find(|(known, _)| Arc::ptr_eq(known, measures)).map(|(_, window)| window)
    }

    /// Requests of the judged part that are unanswered now.
    fn unanswered(&self, now: Ns) -> Vec<Unanswered> {
        let judged = |due: Ns| self.judged_from == Ns::ZERO || due > self.judged_from;
        let waiting = self.unanswered.rows.iter().flatten().filter(|(due, _)| judged(*due));
        waiting.map(|(due, origin)| Unanswered { due: due.since(self.judged_from), age: now.since(*origin) }).collect()
    }
}

impl Sink for Watched {
    fn record(&mut self, sample: &Sample) {
        self.recorder.record(sample);
        if self.further.is_empty() || sample.elsewhere || self.judged_from > Ns::ZERO && sample.due <= self.judged_from
        {
            return;
        }
        for (measures, window) in &mut self.further {
            window.record(sample, measures.success.accepts(sample.outcome));
        }
    }

    fn split(&mut self, sample: &Sample, keys: &[Key]) {
        self.recorder.split(sample, keys);
    }

    fn due(&mut self, due: Ns, lag: Option<Ns>) {
        self.recorder.due(due, lag);
        if self.further.is_empty() || self.judged_from > Ns::ZERO && due <= self.judged_from {
            return;
        }
        for (measures, window) in &mut self.further {
            window.due(due, lag.is_some_and(|lag| lag > measures.tolerance()));
        }
    }

    fn dialled(&mut self, made: bool) {
        self.recorder.dialled(made);
    }

    fn fell_due(&mut self, number: u64, due: &Due) {
        self.unanswered.fell_due(number, due);
    }

    fn answered(&mut self, number: u64) {
        self.unanswered.answered(number);
    }

    fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    fn take(&mut self) -> (Recorder, Option<Log>) {
        (self.recorder.clone(), None)
    }

    fn watched(&mut self) -> Option<&mut Watched> {
        Some(self)
    }
}

/// Answers what is asked about a worker's part of a load, while it runs and after, for as long as anybody may ask.
pub(super) async fn answer<P: Protocol, C: Clock, S: Sink>(
    ground: Rc<Ground<P, C, S>>,
    mut asked: mpsc::UnboundedReceiver<Ask>,
) {
    while let Some(ask) = asked.recv().await {
        match ask {
            Ask::Count(measures) => {
                ground.tighten(measures.tolerance());
                count(&ground.sink, measures);
            }
            Ask::Look(measures, seconds, reply) => {
                // Where only one release's answers count, nobody can tell whether an unanswered request is one of them.
                let now = ground.who.is_none().then(|| ground.clock.now());
                let glimpse = glimpse(&ground.sink, &measures, seconds, (now, ground.plan.timeout.map(Ns::from)));
                let (first_error, said) = (ground.ways.first_error(), ground.protocol.said());
                // Whoever asked may have gone.
                let _ = reply.send(Glimpse { first_error, said, ..glimpse });
            }
        }
    }
}

fn count<S: Sink>(sink: &RefCell<S>, measures: Arc<Measures>) {
    if let Some(watched) = sink.borrow_mut().watched()
        && watched.window(&measures).is_none()
    {
        let window = Window::new(&measures, watched.judged_from);
        watched.further.push((measures, window));
    }
}

fn glimpse<S: Sink>(
    sink: &RefCell<S>,
    measures: &Arc<Measures>,
    seconds: Range<u64>,
    (now, timeout): (Option<Ns>, Option<Ns>),
) -> Glimpse {
    let mut sink = sink.borrow_mut();
    let Some(watched) = sink.watched() else { return Glimpse::default() };
    let mut reach = watched.window(measures).map(|window| window.reach(seconds.start, seconds.end)).unwrap_or_default();
    if let Some(now) = now {
        reach.wait_for(measures, timeout, &watched.unanswered(now));
    }
    let so_far = watched.recorder.summary();
    Glimpse {
        reach,
        codes: so_far.codes,
        faults: so_far.faults,
        connections: so_far.generator.connections,
        failed_dials: so_far.generator.failed_dials,
        first_error: None,
        said: Said::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(at: u64) -> Due {
        Due { index: at, due: Ns(at), origin: Ns(at) }
    }

    #[test]
    fn what_is_answered_in_any_order_is_no_longer_waited_for() {
        let mut waiting = Waiting::default();
        (0..6).for_each(|number| waiting.fell_due(number, &due(number)));
        [1, 0, 4].iter().for_each(|number| waiting.answered(*number));
        let left = |waiting: &Waiting| waiting.rows.iter().flatten().map(|(due, _)| due.0).collect::<Vec<_>>();
        assert_eq!((left(&waiting), waiting.rows.len()), (vec![2, 3, 5], 4), "the oldest ones are forgotten");
        [2, 3, 5].iter().for_each(|number| waiting.answered(*number));
        assert_eq!((left(&waiting), waiting.rows.len()), (vec![], 0));
        waiting.answered(5);
        waiting.fell_due(9, &due(9));
        assert_eq!((left(&waiting), waiting.front), (vec![9], 9));
    }
}
