//! What the system lets this process hold open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// How many descriptors this process may have open, after raising its own limit as far as it may; `None` for no limit.
#[must_use]
pub fn descriptors() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    if setrlimit(Resource::Nofile, raised).is_ok() { limit.maximum } else { limit.current }
}

/// Descriptors that loads leave to whoever asks the service: its listener takes 1024 connections, and a store, name servers
/// and notifications want some, too.
const KEPT: u64 = 1_100;

/// The number that the descriptors of a service's loads stay below; `None` where there is no limit. Of a small limit three
/// quarters are theirs.
pub(super) fn for_loads() -> Option<u64> {
    descriptors().map(below)
}

fn below(limit: u64) -> u64 {
    limit - KEPT.min(limit / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loads_leave_room_for_the_listener() {
        assert_eq!([below(64), below(1_024), below(20_000), below(0)], [48, 768, 18_900, 0]);
    }
}
