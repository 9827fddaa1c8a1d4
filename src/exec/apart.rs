//! Requests on a thread of their own: what they wait for never leaves it.

use std::time::Duration;

use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::oneshot;

/// Something that requests are made for, to its end or until it is told to stop.
pub(super) trait Errand: Send + 'static {
    /// Does it. Who needs time to put things in order looks at `ending` itself.
    fn go(self, ending: Ending) -> impl Future<Output = Result<String, String>>;
}

/// What ends an errand before its time.
#[derive(Debug)]
pub(super) struct Ending {
    limit: Duration,
    gone: oneshot::Receiver<()>,
}

impl Ending {
    /// Comes when the time is over or nobody waits any more, and says which.
    pub(super) async fn comes(self) -> String {
        tokio::select! {
            () = tokio::time::sleep(self.limit) => format!("stopped after {:?}", self.limit),
            _ = self.gone => "stopped".to_owned(),
        }
    }

    /// What `work` comes to, if it does before this.
    ///
    /// # Errors
    /// Those of the work, or what ended it.
    pub(super) async fn or(self, work: impl Future<Output = Result<String, String>>) -> Result<String, String> {
        tokio::select! {
            done = work => done,
            why = self.comes() => Err(why),
        }
    }
}

/// Does the errand on a thread of its own; it is told to stop after `limit`, and when this is dropped.
///
/// # Errors
/// What failed, in one line.
pub(super) async fn run(errand: impl Errand, limit: Duration) -> Result<String, String> {
    let (caller, gone) = oneshot::channel::<()>();
    let task = tokio::task::spawn_blocking(move || {
        let runtime = Builder::new_current_thread().enable_all().build_local(LocalOptions::default());
        let runtime = runtime.map_err(|error| format!("tollgate itself: {error}"))?;
        runtime.block_on(errand.go(Ending { limit, gone }))
    });
    let done = task.await;
    drop(caller);
    done.unwrap_or_else(|_| Err("tollgate itself broke on it; its log says where".to_owned()))
}
