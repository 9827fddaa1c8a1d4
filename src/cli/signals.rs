//! Signals are caught here and nowhere else.

use std::future::Future;

/// Waits for an interrupt or a request to terminate. Where the system gives no signals, waits for ever.
#[cfg(unix)]
pub(super) async fn asked_to_stop() {
    use tokio::signal::unix::{Signal, SignalKind, signal};

    async fn next(signals: std::io::Result<Signal>) {
        match signals {
            Ok(mut signals) => {
                signals.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    }

    tokio::select! {
        () = next(signal(SignalKind::interrupt())) => {}
        () = next(signal(SignalKind::terminate())) => {}
    }
}

/// Waits for an interrupt.
#[cfg(not(unix))]
pub(super) async fn asked_to_stop() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Runs `work` to its end. The first signal calls `stop` and lets it finish; a second one gives it up: `None`.
pub(super) async fn until_done<T>(work: impl Future<Output = T>, stop: impl FnOnce()) -> Option<T> {
    let mut work = std::pin::pin!(work);
    tokio::select! {
        done = &mut work => return Some(done),
        () = asked_to_stop() => stop(),
    }
    tokio::select! {
        done = work => Some(done),
        () = asked_to_stop() => None,
    }
}
