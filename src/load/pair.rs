//! A canary and the release in service, loaded beside each other.

use super::Load;
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
