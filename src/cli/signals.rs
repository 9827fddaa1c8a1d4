//! Signals are caught here and nowhere else.

use std::future::Future;
use std::io;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// A second signal this soon is the first one again: `timeout` sends it to the process and to its group.
const SAME: Duration = Duration::from_millis(500);

/// The signals that ask a command to end.
#[derive(Debug)]
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Catches them from now on. Must be called within a runtime.
    ///
    /// # Errors
    /// When the system does not let them be caught.
    pub(super) fn catch() -> io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for the next one.
    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    /// Runs `work` to its end. The first signal calls `stop` and lets it finish; a second one gives it up: `None`.
    pub(super) async fn until_done<T>(&mut self, work: impl Future<Output = T>, stop: impl FnOnce()) -> Option<T> {
        let mut work = std::pin::pin!(work);
        tokio::select! {
            done = &mut work => return Some(done),
            () = self.next() => stop(),
        }
        let again = async {
            tokio::time::sleep(SAME).await;
            // What came meanwhile is taken off before the next one is waited for.
            let _ = tokio::time::timeout(Duration::ZERO, self.next()).await;
            self.next().await;
        };
        tokio::select! {
            done = work => Some(done),
            () = again => None,
        }
    }
}
