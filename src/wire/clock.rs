//! Time as an argument: the engine brings a precise clock, tests bring one that stands still.

use crate::stats::Ns;

/// The run's clock.
#[allow(async_fn_in_trait, reason = "timers never leave their thread, so no caller wants Send futures")]
pub trait Clock: Clone + 'static {
    /// Now, since the run's start.
    fn now(&self) -> Ns;

    /// Waits until `at`, or returns at once when it has passed.
    async fn until(&self, at: Ns);

    /// The same point in time for tokio's timers, which are coarse (1 ms) and cheap: for time limits, not for dues.
    fn instant(&self, at: Ns) -> tokio::time::Instant;
}
