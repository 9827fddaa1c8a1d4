//! How often a release that passes asks its hooks, by Flagger's rules.

use std::time::Duration;

use crate::flagger::{Canary, Strategy};

/// Weights one after the other, each with what its step adds. Ends where the release is stuck.
pub(super) fn weights(canary: &Canary) -> Vec<u32> {
    let analysis = &canary.analysis;
    let next = |weight: &u32| {
        let step = analysis.next_step(*weight);
        (*weight < analysis.max_weight && step > 0).then(|| (weight + step).min(100))
    };
    std::iter::successors(Some(0), next).skip(1).collect()
}

/// Whether the weights end before the greatest: then nothing is ever promoted.
pub(super) fn is_stuck(canary: &Canary) -> bool {
    weights(canary).last().copied().unwrap_or_default() < canary.analysis.max_weight
}

/// How often rollout hooks are asked before the promotion, at least. Pre-rollout hooks are asked in the first tick, in place
/// of rollout hooks; the last tick asks them once more before it promotes. Blue/green has a tick more, in which all traffic
/// is moved.
pub(super) fn rollouts(canary: &Canary) -> u32 {
    match canary.strategy() {
        Strategy::Weighted => weights(canary).len() as u32 + u32::from(canary.analysis.mirror),
        Strategy::AbTest => canary.iterations(),
        Strategy::BlueGreen => canary.iterations() + 1,
    }
}

/// How long a release that fails every check stays: a tick for each failed check, and one in which it is given up.
pub(super) fn until_rollback(canary: &Canary) -> Duration {
    canary.analysis.interval.saturating_mul(canary.analysis.threshold.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flagger::read;

    #[test]
    fn rollout_hooks_are_asked_as_often_as_flagger_asks_them() {
        for (analysis, provider, expected, why) in [
            ("stepWeight: 20, maxWeight: 40", "", 2, "at 20 and at 40"),
            ("stepWeight: 30, maxWeight: 50", "", 2, "at 30 and at 60"),
            ("stepWeights: [1, 10, 80]", "", 3, "once at each"),
            ("stepWeight: 100", "", 1, "once before the promotion"),
            ("stepWeight: 50, maxWeight: 50, mirror: true", "", 2, "once while traffic is mirrored"),
            ("iterations: 2, match: [{headers: {a: {exact: b}}}]", "", 2, "an A/B test"),
            ("iterations: 2", "", 3, "blue/green"),
            ("iterations: 1", "kubernetes", 2, "blue/green without a mesh"),
            ("stepWeight: 10", "kubernetes", 11, "ten iterations that nobody asked for"),
            ("stepWeights: [0, 10]", "", 0, "stuck"),
        ] {
            let text = format!(
                "apiVersion: flagger.app/v1beta1\nkind: Canary\nmetadata: {{name: a}}\nspec: {{provider: \"{provider}\", \
                 targetRef: {{kind: Deployment, name: a}}, service: {{port: 80}}, analysis: {{interval: 1m, threshold: 2, \
                 {analysis}}}}}\n"
            );
            let canary = read(&text).canaries.remove(0);
            assert_eq!(rollouts(&canary), expected, "{analysis}: {why}");
            assert_eq!(until_rollback(&canary), Duration::from_secs(180));
        }
    }
}
