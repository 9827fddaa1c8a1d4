//! Tests that make load and measure it. One at a time: two loads on one machine measure each other.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Held by a test for as long as its load runs. A failed test does not take the others with it.
fn alone() -> MutexGuard<'static, ()> {
    static LOAD: Mutex<()> = Mutex::new(());
    LOAD.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn a_failed_load_lets_the_next_one_run() {
    let failed = std::thread::spawn(|| {
        let _load = alone();
        std::panic::resume_unwind(Box::new("a test that fails while it holds the load"));
    });
    assert!(failed.join().is_err());
    let _load = alone();
}
