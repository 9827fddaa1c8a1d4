//! Time as an argument: the engine brings a precise clock, tests bring one that stands still.

use tokio::time::Instant;

use crate::stats::Ns;

/// The run's clock.
#[expect(async_fn_in_trait, reason = "timers never leave their thread, so no caller wants Send futures")]
pub trait Clock: Clone + 'static {
    /// Now, since the run's start.
    fn now(&self) -> Ns;

    /// Waits until `at`, or returns at once when it has passed.
    async fn until(&self, at: Ns);

    /// The same point in time for tokio's timers, which are coarse (1 ms) and cheap: for time limits, not for dues.
    fn instant(&self, at: Ns) -> Instant;
}

/// tokio's own clock and timers: coarse, portable, and in tests it can stand still.
#[derive(Clone, Debug)]
pub struct Coarse {
    zero: Instant,
}

impl Coarse {
    /// A clock that starts now.
    #[must_use]
    pub fn new() -> Self {
        Self { zero: Instant::now() }
    }
}

impl Default for Coarse {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for Coarse {
    fn now(&self) -> Ns {
        Ns::from(self.zero.elapsed())
    }

    async fn until(&self, at: Ns) {
        tokio::time::sleep_until(self.instant(at)).await;
    }

    fn instant(&self, at: Ns) -> Instant {
        const FARTHEST: Ns = Ns::from_secs(365 * 24 * 3600);
        self.zero + std::time::Duration::from(at.min(FARTHEST))
    }
}
