//! What is wanted of a load, whoever makes it: the engine in the service, a script in tests.

use std::future::Future;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use crate::load::Ledger;
use crate::plan::Plan;
use crate::stats::{Measures, Summary};

/// A load to start.
#[derive(Clone, Debug)]
pub struct Start {
    /// What to send.
    pub plan: Arc<Plan>,
    /// What to count, and when to stop early.
    pub measures: Arc<Measures>,
    /// How long to probe for a first answer before the load begins; zero begins at once.
    pub ready_wait: Duration,
    /// Where what it counts is added up with other loads of the same canary.
    pub ledger: Arc<Ledger>,
    /// The same load on the release in service, on the same schedule, and where that is added up; `None` for a load alone.
    pub primary: Option<(Arc<Plan>, Arc<Ledger>)>,
}

/// How a load ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// Its plan is done, or it was stopped.
    Done,
    /// Nothing was ever reached; in words.
    Unreachable(String),
    /// The engine itself failed; in words.
    Broken(String),
}

/// What a load is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Probing; nothing has answered yet.
    Reaching,
    /// Sending, not judged yet.
    Warming,
    /// Sending and judged.
    Running,
    /// Over: all answers are in or given up.
    Over(End),
}

/// How far a load has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What it is doing.
    pub stage: Stage,
    /// Length of its judged part so far.
    pub judged: Duration,
}

impl Standing {
    /// Whether it is over.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Over(_))
    }
}

/// One load. A clone is a handle to the same load.
pub trait Load: Clone + std::fmt::Debug + Send + Sync + 'static {
    /// How far it has come; does not wait.
    fn standing(&self) -> Standing;

    /// Counts these measures too, from now on. Measures are told apart by their place in memory.
    fn count(&self, measures: &Arc<Measures>);

    /// What the seconds of its judged part, numbered from 0, amount to by these measures. Requests that are due longer ago
    /// than a bound and still unanswered are in the readings as pending. Reading changes nothing. It works as long as the
    /// handle lives, for the newest ten minutes.
    fn look(&self, measures: &Arc<Measures>, seconds: Range<u64>) -> impl Future<Output = Summary> + Send;

    /// What the same seconds of the load beside it, on the release in service, amount to; `None` where there is none.
    fn look_beside(
        &self,
        measures: &Arc<Measures>,
        seconds: Range<u64>,
    ) -> impl Future<Output = Option<Summary>> + Send;

    /// Ends it now, and the load beside it. Doing so twice does nothing.
    fn stop(&self);
}

/// Makes loads.
pub trait Loads: std::fmt::Debug + Send + Sync + 'static {
    /// What it makes.
    type Load: Load;

    /// Begins a load; does not wait for it.
    ///
    /// # Errors
    /// Why it cannot be made at all, in one line. Nothing was sent then.
    fn start(&self, start: Start) -> Result<Self::Load, String>;
}
