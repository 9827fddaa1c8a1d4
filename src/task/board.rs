//! The desk behind one lock, shared by all handlers, and whoever waits at it.
//!
//! The lock is never held while anybody waits: a call is taken in (its run begun, its load started or joined, in one step),
//! then looks at loads and waits without the lock, and is concluded in one step again. A caller who leaves takes nothing
//! along: loads go on, and what they come to answers the next call.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::answer::{Answer, Finding, Kind};
use super::budget::Budgets;
use super::call::Call;
use super::desk::{Desk, Event, Goal, Visit};
use super::keep::{Keeper, Stored, stored};
use super::load::{Load, Loads};
use super::ruling::Override;
use super::status::{CanaryStatus, Sums};
use crate::canary::{Canary, Checksum, Phase};
use crate::prometheus::Answers;
use crate::slo::{Answer as Number, Line, Query};
use crate::state::{Store, StoreError};

/// How long a rollout hook waits where nothing else is said: less than the shortest timeout that hooks in the wild have.
const WAIT: Duration = Duration::from_secs(4);

/// What a board is to know of its surroundings.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How much may run at once.
    pub budgets: Budgets,
    /// Judge and report, and stop nothing.
    pub shadow: bool,
    /// How long a rollout hook waits where its metadata say nothing.
    pub wait: Duration,
    /// Who answers the queries of clauses; `None` for nobody, and such clauses have no evidence.
    pub outside: Option<Answers>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { budgets: Budgets::default(), shadow: false, wait: WAIT, outside: None }
    }
}

/// Told what happens, after it happened and without the lock. It must not block.
pub trait Observer: fmt::Debug + Send + Sync {
    /// One thing happened.
    fn saw(&self, event: &Event);
}

/// All runs of one service. A clone is the same board.
#[derive(Debug)]
pub struct Board<F: Loads>(Arc<Shared<F>>);

#[derive(Debug)]
struct Shared<F: Loads> {
    desk: Mutex<Desk<F>>,
    keeper: Keeper,
    /// Held while a person's decision is stored, so that the last one stays.
    ruling: tokio::sync::Mutex<()>,
    observer: Arc<dyn Observer>,
    outside: Option<Answers>,
    zero: Instant,
    /// Whether nobody may wait any more.
    ending: watch::Sender<bool>,
}

impl<F: Loads> Clone for Board<F> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<F: Loads> Board<F> {
    /// A board that knows the runs and decisions that `store` has. Their loads start again when they are asked for.
    ///
    /// # Errors
    /// The store cannot be read, or holds what is none of ours.
    pub fn load(
        loads: F,
        settings: Settings,
        observer: Arc<dyn Observer>,
        store: Arc<dyn Store>,
    ) -> Result<Self, StoreError> {
        let keeper = Keeper::new(store);
        let mut desk = Desk::new(loads, settings.budgets, settings.shadow, settings.wait);
        keeper.runs()?.into_iter().for_each(|memory| desk.restore(memory, Duration::ZERO));
        for (canary, ruling) in keeper.rulings()? {
            desk.rule(&canary, Some(ruling), Duration::ZERO);
        }
        // What was decided before was told before.
        drop(desk.events());
        let (desk, ruling, outside) = (Mutex::new(desk), tokio::sync::Mutex::new(()), settings.outside);
        let (ending, _) = watch::channel(false);
        Ok(Self(Arc::new(Shared { desk, keeper, ruling, observer, outside, zero: Instant::now(), ending })))
    }

    /// Answers a call. Drop the delivery when the answer did not arrive, and say so when it did.
    pub async fn call(&self, call: Call) -> Delivery<F> {
        let (arrived, begun) = self.step(|desk, now| desk.arrive(call.clone(), now));
        let (visit, mut answer) = match arrived {
            Err(answer) => (None, answer),
            Ok(visit) => {
                let finding = self.find(&visit).await;
                let answer = self.change(|desk, now| desk.conclude(&visit, finding, now));
                (Some(visit), answer)
            }
        };
        if let Err(error) = stored(begun).await
            && answer.kind == Kind::Measuring
        {
            // A restart would let it go on once more.
            answer = Finding::new(Kind::Broken, error.to_string()).answer(&call.canary, &[]);
        }
        Delivery { board: self.clone(), call, visit, answer, arrived: false }
    }

    async fn find(&self, visit: &Visit) -> Finding {
        let found = match &visit.goal {
            Goal::First(aim) => self.first(visit, aim).await,
            Goal::Newest(aim) => self.newest(visit, aim).await,
            Goal::Whole(aim) => self.whole(visit, aim).await,
            Goal::Every(aims) => self.every(visit, aims).await,
            Goal::Rollback(aims) => self.rollback(visit, aims).await,
        };
        // Without a run there is nothing to say, and concluding says so.
        found.unwrap_or_else(|| Finding::new(Kind::NotYet, ""))
    }

    /// A hook of whatever kind said in which phase the canary is. `post_rollout` is the hook that ends an analysis.
    pub fn saw(&self, canary: &Canary, phase: Phase, post_rollout: bool) {
        self.change(|desk, now| desk.saw(canary, phase, post_rollout, now));
    }

    /// Ends what nobody has spoken of for a day; to be called now and then.
    pub fn expire(&self) {
        self.change(Desk::expire);
    }

    /// Sets what a person has decided over a canary, for as long as `lasts`: whether it passes, who says so and why.
    /// `None` takes it back.
    ///
    /// # Errors
    /// It could not be stored, and is as it was.
    pub async fn rule(
        &self,
        canary: &Canary,
        lasts: Duration,
        ruling: Option<(bool, String, String)>,
    ) -> Result<(), StoreError> {
        let _turn = self.0.ruling.lock().await;
        let until = self.now() + lasts;
        let ruling = ruling.map(|(pass, by, why)| Override { pass, until, by, why });
        stored(Some(self.0.keeper.rule(canary, ruling.as_ref(), lasts))).await?;
        self.change(|desk, now| desk.rule(canary, ruling, now));
        Ok(())
    }

    /// Ends the load of a canary, or of all (`None`), for the rest of their runs. How many loads that were.
    ///
    /// # Errors
    /// It could not be stored: the load is stopped, until a restart.
    pub async fn stop(&self, canary: Option<&Canary>, why: &str) -> Result<usize, StoreError> {
        let (loads, told) = self.step(|desk, _| desk.stop(canary, why));
        stored(told).await.map(|()| loads)
    }

    /// Changes the budgets; where more is running than they allow, whole loads end, the newest first.
    pub fn set_budgets(&self, budgets: Budgets) {
        self.change(|desk, _| desk.set_budgets(budgets));
    }

    /// All canaries, as they stand.
    #[must_use]
    pub fn status(&self) -> Vec<CanaryStatus> {
        self.lock().status()
    }

    /// What metrics say of all canaries.
    #[must_use]
    pub fn sums(&self) -> Vec<Sums> {
        self.lock().sums()
    }

    /// The revision that is analysed, and how long that has been so; `None` between analyses.
    #[must_use]
    pub fn run(&self, canary: &Canary) -> Option<(Checksum, Duration)> {
        let now = self.now();
        let mut desk = self.lock();
        desk.run_mut(canary).map(|run| (run.checksum.clone(), now.saturating_sub(run.began)))
    }

    /// How long the board has been there: the clock of all its times.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.0.zero.elapsed()
    }

    /// Lets nobody wait any more and ends all load.
    pub fn end(&self) {
        self.0.ending.send_replace(true);
        for running in self.lock().running() {
            running.load.stop();
        }
    }

    /// What the queries of a line come to now, asked for no longer than `patience`.
    pub(super) async fn outside(&self, line: &Line, patience: Duration) -> BTreeMap<Query, Number> {
        let queries = line.queries();
        match &self.0.outside {
            Some(answers) if !queries.is_empty() => answers.to(&queries, patience).await,
            _ => BTreeMap::new(),
        }
    }

    /// Waits for `pause`, not beyond `deadline`; whether there is still time.
    pub(super) async fn wait(&self, pause: Duration, deadline: Option<Duration>) -> bool {
        let mut ending = self.0.ending.subscribe();
        let until = self.now() + pause;
        let until = deadline.map_or(until, |deadline| until.min(deadline));
        if deadline.is_some_and(|deadline| deadline <= self.now()) || *ending.borrow() {
            return false;
        }
        tokio::select! {
            () = tokio::time::sleep_until(self.0.zero + until) => true,
            _ = ending.wait_for(|ending| *ending) => false,
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Desk<F>> {
        self.0.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, step: impl FnOnce(&mut Desk<F>, Duration) -> T) -> T {
        self.step(step).0
    }

    /// One step at the desk; what happened is told when the lock is free again. With it comes what to wait for before
    /// anybody is answered.
    fn step<T>(&self, step: impl FnOnce(&mut Desk<F>, Duration) -> T) -> (T, Option<Stored>) {
        let now = self.now();
        let (result, events, begun) = {
            let mut desk = self.lock();
            let result = step(&mut desk, now);
            let events = desk.events();
            // Handed over under the lock: the store gets changes in the order in which they were made.
            let begun = self.0.keeper.keep(&events, |canary| desk.memory(canary));
            (result, events, begun)
        };
        events.iter().for_each(|event| self.0.observer.saw(event));
        (result, begun)
    }
}

/// An answer on its way. Dropped before [`Delivery::arrived`], it is kept for the same request.
#[derive(Debug)]
pub struct Delivery<F: Loads> {
    board: Board<F>,
    call: Call,
    visit: Option<Visit>,
    answer: Answer,
    arrived: bool,
}

impl<F: Loads> Delivery<F> {
    /// What to say.
    #[must_use]
    pub fn answer(&self) -> &Answer {
        &self.answer
    }

    /// It was written to a connection that is still open.
    pub fn arrived(mut self) {
        self.arrived = true;
    }
}

impl<F: Loads> Drop for Delivery<F> {
    fn drop(&mut self) {
        if !self.arrived {
            let Self { board, call, visit, answer, .. } = self;
            board.change(|desk, now| desk.undelivered(visit.as_ref(), call, answer, now));
        }
    }
}
