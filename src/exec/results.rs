//! How commands ended, counted for metrics.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::canary::Canary;

/// Canaries that are remembered; the one whose last command is longest ago makes room.
const MOST: usize = 1_024;

/// How often commands of one canary ended so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Result {
    /// Whose.
    pub canary: Canary,
    /// The loadtester's name of their type.
    pub kind: String,
    /// `succeeded`, `failed`, or `full` where there was no room for it.
    pub result: &'static str,
    /// How often.
    pub times: u64,
}

/// The commands of one canary.
#[derive(Debug, Default)]
struct Own {
    /// Which of all commands was its last.
    newest: u64,
    /// By type and result.
    times: BTreeMap<(String, &'static str), u64>,
}

/// All commands that ended.
#[derive(Debug, Default)]
pub(super) struct Results(Mutex<(u64, BTreeMap<Canary, Own>)>);

impl Results {
    /// A command ended, or did not begin.
    pub(super) fn add(&self, canary: &Canary, kind: &str, result: &'static str) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (number, canaries) = &mut *all;
        *number += 1;
        if canaries.len() >= MOST && !canaries.contains_key(canary) {
            let oldest = canaries.iter().min_by_key(|(_, own)| own.newest).map(|(canary, _)| canary.clone());
            oldest.and_then(|oldest| canaries.remove(&oldest));
        }
        let own = canaries.entry(canary.clone()).or_default();
        own.newest = *number;
        *own.times.entry((kind.to_owned(), result)).or_default() += 1;
    }

    /// How often what came of them.
    pub(super) fn list(&self) -> Vec<Result> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let each = all.1.iter().flat_map(|(canary, own)| {
            own.times.iter().map(|((kind, result), times)| Result {
                canary: canary.clone(),
                kind: kind.clone(),
                result,
                times: *times,
            })
        });
        each.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_canary_whose_last_command_is_longest_ago_is_forgotten_first() {
        let results = Results::default();
        let canary = |number: usize| Canary::new(format!("c{number}"), "test");
        (0..MOST).for_each(|number| results.add(&canary(number), "bash", "succeeded"));
        results.add(&canary(0), "bash", "failed");
        results.add(&canary(0), "bash", "failed");
        results.add(&canary(MOST), "cmd", "succeeded");
        let list = results.list();
        let of = |number: usize| -> Vec<_> {
            let own = list.iter().filter(|result| result.canary == canary(number));
            own.map(|result| (result.kind.as_str(), result.result, result.times)).collect()
        };
        assert_eq!(of(0), [("bash", "failed", 2), ("bash", "succeeded", 1)]);
        assert_eq!(of(1), [], "it made room");
        assert_eq!(of(MOST), [("cmd", "succeeded", 1)]);
        assert_eq!(list.len(), MOST + 1);
    }
}
