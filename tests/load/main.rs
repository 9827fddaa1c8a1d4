//! Tests that make load. Those that measure it run one at a time, because two loads on one machine measure each other;
//! those that count what came of it run beside each other.

// `cfg(test)` is always on here; the lints look for it to know that helpers, too, are tests.
#[cfg(test)]
mod acceptance;
#[cfg(test)]
mod agreement;
#[cfg(test)]
mod analyses;
#[cfg(test)]
mod beside;
#[cfg(test)]
mod dashboards;
#[cfg(test)]
mod demo;
#[cfg(test)]
#[path = "../support/flagger.rs"]
mod flagger;
#[cfg(test)]
mod hooked;
#[cfg(test)]
mod hooks;
#[cfg(test)]
mod measurement;
#[cfg(test)]
mod monitored;
#[cfg(test)]
#[path = "../support/monitoring.rs"]
mod monitoring;
#[cfg(test)]
#[path = "../support/nobody.rs"]
mod nobody;
#[cfg(test)]
#[path = "../support/openapi.rs"]
mod openapi;
#[cfg(test)]
#[path = "../support/original.rs"]
mod original;
#[cfg(test)]
#[path = "../support/practice.rs"]
mod practice;
#[cfg(test)]
mod quota;
#[cfg(test)]
#[path = "../support/report.rs"]
mod report;
#[cfg(test)]
mod runs;
#[cfg(test)]
#[path = "../support/service.rs"]
mod service;
#[cfg(test)]
#[path = "../support/tollgate.rs"]
mod tollgate;
#[cfg(test)]
mod windows;

use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Who makes load now: several that count and decide, or one that measures. A failed test does not take the others with it.
static LOADS: RwLock<()> = RwLock::new(());

/// Held by a test that measures times, or that is about what the machine has to spare, for as long as its load runs.
fn alone() -> RwLockWriteGuard<'static, ()> {
    LOADS.write().unwrap_or_else(PoisonError::into_inner)
}

/// Held by a test of small loads that counts, or whose times are far from their bounds, for as long as its load runs.
fn together() -> RwLockReadGuard<'static, ()> {
    LOADS.read().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn a_failed_load_lets_the_next_one_run() {
    let failed = std::thread::spawn(|| {
        let _load = alone();
        std::panic::resume_unwind(Box::new("a test that fails while it holds the load"));
    });
    assert!(failed.join().is_err());
    drop(together());
    let _load = alone();
}
