//! A canary and the release in service, loaded beside each other.

use super::{Load, Stopper, Watcher, Windows};
use crate::stats::Summary;

/// Two loads on one schedule.
#[derive(Debug)]
pub struct Pair {
    /// The release under test.
    pub canary: Load,
    /// The release in service.
    pub primary: Load,
}

impl Pair {
    /// Waits for the end of both loads and says what each amounts to, the canary first.
    pub async fn finish(self) -> (Summary, Summary) {
        let stopper = self.primary.stopper();
        let canary = async {
            let summary = self.canary.finish().await;
            if summary.stopped.is_some() {
                stopper.stop();
            }
            summary
        };
        tokio::join!(canary, self.primary.finish())
    }
}

/// What is under way: a load alone, or the two of a comparison.
#[derive(Debug)]
pub enum Running {
    /// The release under test and nothing beside it.
    Alone(Load),
    /// The release under test beside the one in service.
    Beside(Pair),
}

impl Running {
    /// What ends each of its loads, that of the release under test first.
    #[must_use]
    pub fn stoppers(&self) -> Vec<Stopper> {
        match self {
            Self::Alone(load) => vec![load.stopper()],
            Self::Beside(pair) => vec![pair.canary.stopper(), pair.primary.stopper()],
        }
    }

    /// Watches the release under test.
    #[must_use]
    pub fn watcher(&self) -> Watcher {
        match self {
            Self::Alone(load) => load.watcher(),
            Self::Beside(pair) => pair.canary.watcher(),
        }
    }

    /// The windows of each load, those of the release under test first; `None` where one keeps none.
    #[must_use]
    pub fn windows(&self) -> Option<Vec<Windows>> {
        match self {
            Self::Alone(load) => Some(vec![load.windows()?]),
            Self::Beside(pair) => Some(vec![pair.canary.windows()?, pair.primary.windows()?]),
        }
    }

    /// Waits for the end and says what the release under test amounts to, and the one in service where there is one.
    pub async fn finish(self) -> (Summary, Option<Summary>) {
        match self {
            Self::Alone(load) => (load.finish().await, None),
            Self::Beside(pair) => {
                // Boxed: a load alone has no room for two.
                let (canary, primary) = Box::pin(pair.finish()).await;
                (canary, Some(primary))
            }
        }
    }
}
