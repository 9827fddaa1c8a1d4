//! Whose turn it is: requests dealt out among several targets by weight, and lanes likewise.

/// 2⁶⁴ over the golden ratio.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// The order in which targets take their turns.
///
/// Of as many requests in a row as the weights come to, each target has exactly its part, and they are spread as evenly
/// as can be (the smooth weighted round robin of nginx). Each round begins at another place, so that whoever sees every
/// second or every third request only sees every target in its part, too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turns {
    round: Vec<u16>,
}

impl Turns {
    /// The turns of targets with these weights, at least one. A weight of 0 counts as 1.
    #[must_use]
    pub fn new(weights: &[u32]) -> Self {
        let weights: Vec<u64> = weights.iter().map(|weight| u64::from(*weight).max(1)).collect();
        let common = weights.iter().copied().fold(0, common_divisor).max(1);
        let weights: Vec<i64> = weights.iter().map(|weight| (weight / common) as i64).collect();
        let sum: i64 = weights.iter().sum();
        let mut credits = vec![0; weights.len()];
        let turn = |_| {
            credits.iter_mut().zip(&weights).for_each(|(credit, weight)| *credit += weight);
            // The first of those with the most.
            let most = (0..credits.len()).rev().max_by_key(|target| credits[*target]).unwrap_or(0);
            credits[most] -= sum;
            most as u16
        };
        Self { round: (0..sum).map(turn).collect() }
    }

    /// Which target request `index` goes to.
    #[must_use]
    pub fn of(&self, index: u64) -> usize {
        let length = self.round.len() as u64;
        if length <= 1 {
            return 0;
        }
        let (round, place) = (index / length, index % length);
        // Multiples of the golden ratio come back to nothing, whatever step they are looked at with.
        let begin = (u128::from(round.wrapping_mul(GOLDEN)) * u128::from(length)) >> 64;
        usize::from(self.round[((place + begin as u64) % length) as usize])
    }
}

const fn common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { common_divisor(b, a % b) }
}

/// `whole` things dealt out by weight, each with at least one: more than `whole` where there are fewer things than
/// weights. The largest remainders get what is left over.
#[must_use]
pub fn dealt(whole: u32, weights: &[u32]) -> Vec<u32> {
    let each = weights.len() as u32;
    let sum = weights.iter().map(|weight| u64::from(*weight)).sum::<u64>().max(1);
    let spare = u64::from(whole.saturating_sub(each));
    // What is beyond the first of each goes by what is still missing to a part by weight.
    let wanted = |weight: &u32| (u64::from(whole) * u64::from(*weight)).saturating_sub(sum);
    let missing: Vec<u64> = weights.iter().map(wanted).collect();
    let all = missing.iter().sum::<u64>().max(1);
    let mut parts: Vec<u32> = missing.iter().map(|part| 1 + (spare * part / all) as u32).collect();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by_key(|at| std::cmp::Reverse(spare * missing[*at] % all));
    let left = whole.max(each).saturating_sub(parts.iter().sum());
    order.into_iter().cycle().take(left as usize).for_each(|at| parts[at] += 1);
    parts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn counts(turns: &Turns, targets: usize, indexes: impl Iterator<Item = u64>) -> Vec<u64> {
        let mut counts = vec![0; targets];
        indexes.for_each(|index| counts[turns.of(index)] += 1);
        counts
    }

    #[test]
    fn turns_are_spread_and_not_bunched() {
        let order = |weights: &[u32], n: u64| (0..n).map(|i| Turns::new(weights).of(i)).collect::<Vec<_>>();
        assert_eq!(order(&[7], 4), [0, 0, 0, 0]);
        assert_eq!(order(&[5, 1, 1], 7), [0, 0, 1, 0, 2, 0, 0], "nginx's own example");
        assert_eq!(order(&[2, 2], 8), [0, 1, 1, 0, 0, 1, 1, 0], "common factors do not count; rounds begin elsewhere");
    }

    #[test]
    fn lanes_are_dealt_by_weight_and_nobody_is_left_without() {
        for (whole, weights, parts, why) in [
            (10, vec![9, 1], vec![9, 1], "as they stand"),
            (50, vec![1, 1], vec![25, 25], "halves"),
            (7, vec![1, 1, 1], vec![3, 2, 2], "the remainder goes to one"),
            (4, vec![999, 1], vec![3, 1], "a small one has one all the same"),
            (2, vec![1, 1, 1], vec![1, 1, 1], "and so have all"),
            (64, vec![3], vec![64], "one alone has everything"),
        ] {
            assert_eq!(dealt(whole, &weights), parts, "{why}");
        }
    }

    #[test]
    fn whoever_sees_every_nth_request_sees_every_target_in_its_part() {
        for weights in [vec![9, 1], vec![1, 1], vec![3, 1], vec![5, 2, 1], vec![1; 8], vec![16, 16, 1]] {
            let (turns, sum) = (Turns::new(&weights), weights.iter().sum::<u32>());
            for workers in 1..=16 {
                for worker in 0..workers {
                    let n = 4_000;
                    let seen = counts(&turns, weights.len(), (worker..).step_by(workers as usize).take(n));
                    for (seen, weight) in seen.iter().zip(&weights) {
                        let wanted = n as f64 * f64::from(*weight) / f64::from(sum);
                        let off = (*seen as f64 / wanted - 1.0).abs();
                        assert!(off < 0.15, "{weights:?}: worker {worker} of {workers} saw {seen} and not {wanted}");
                    }
                }
            }
        }
    }

    proptest! {
        #[test]
        fn every_round_has_each_target_exactly_its_part(weights in prop::collection::vec(1u32..20, 1..6), round in 0u64..1_000) {
            let turns = Turns::new(&weights);
            let length = turns.round.len() as u64;
            let seen = counts(&turns, weights.len(), round * length..(round + 1) * length);
            let sum: u64 = weights.iter().map(|weight| u64::from(*weight)).sum();
            for (n, weight) in seen.iter().zip(&weights) {
                prop_assert_eq!(n * sum, u64::from(*weight) * length);
            }
        }

        #[test]
        fn all_lanes_are_dealt_and_everyone_has_one(whole in 1u32..70_000, weights in prop::collection::vec(1u32..=1_000, 1..40)) {
            let parts = dealt(whole, &weights);
            prop_assert_eq!(parts.iter().sum::<u32>(), whole.max(weights.len() as u32));
            prop_assert!(parts.iter().all(|part| *part >= 1));
        }
    }
}
