//! Where a histogram for people draws its lines: at round numbers, as fine as a dozen rows allow.

use crate::stats::Distribution;

/// Mantissas of the edges in one decade, in hundredths, finest first (the preferred numbers of E24, E12, E6 and
/// 1-2-5, rounded the way people round).
const SERIES: [&[u64]; 6] = [
    &[
        100, 110, 120, 130, 150, 160, 180, 200, 220, 240, 270, 300, 330, 360, 390, 430, 470, 510, 560, 620, 680, 750,
        820, 910,
    ],
    &[100, 120, 150, 180, 220, 270, 330, 400, 500, 600, 700, 800],
    &[100, 150, 200, 300, 500, 700],
    &[100, 200, 500],
    &[100, 300],
    &[100],
];

/// A span of at most this factor is cut into equal steps; a wider one geometrically.
const LINEAR_UP_TO: u64 = 3;

/// One row of a histogram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bucket {
    /// Greatest value in it, inclusive; `None` for requests that got no answer.
    pub(super) up_to: Option<u64>,
    /// Requests in it.
    pub(super) count: u64,
}

/// The distribution in at most `most` rows, which add up to its population. Empty for an empty one.
pub(super) fn buckets(distribution: &Distribution, most: usize) -> Vec<Bucket> {
    let most = most.saturating_sub(usize::from(distribution.beyond > 0)).max(1);
    let mut rows: Vec<Bucket> = Vec::new();
    if !distribution.histogram.is_empty() {
        let histogram = &distribution.histogram;
        let (least, greatest) = (distribution.moments.min, histogram.lowest_equivalent(histogram.max()));
        let grain = histogram.equivalent_range(greatest);
        rows = edges(least, greatest, grain, most)
            .into_iter()
            .map(|edge| Bucket { up_to: Some(edge), count: 0 })
            .collect();
        let mut row = 0;
        for step in histogram.iter_recorded() {
            let value = histogram.lowest_equivalent(step.value_iterated_to());
            while row + 1 < rows.len() && rows[row].up_to.is_some_and(|edge| value > edge) {
                row += 1;
            }
            rows[row].count += step.count_since_last_iteration();
        }
    }
    if distribution.beyond > 0 {
        rows.push(Bucket { up_to: None, count: distribution.beyond });
    }
    rows
}

/// Ascending upper edges: the first at or above `least`, the last at or above `greatest`, never more than `most`
/// (but at least one). `grain` is the width below which the histogram cannot tell values apart.
fn edges(least: u64, greatest: u64, grain: u64, most: usize) -> Vec<u64> {
    let least = least.clamp(1, greatest.max(1));
    let greatest = greatest.max(least);
    if greatest <= least.saturating_mul(LINEAR_UP_TO) {
        return equal_steps(least, greatest, grain, most);
    }
    let within = |edges: &Vec<u64>| edges.len() <= most;
    let decades = (1..).map(|skip| geometric(least, greatest, &[100], skip));
    SERIES
        .iter()
        .map(|series| geometric(least, greatest, series, 1))
        .chain(decades.take(20))
        .find(within)
        .unwrap_or_else(|| vec![greatest])
}

/// Multiples of the least round step that needs no more than `most` of them.
fn equal_steps(least: u64, greatest: u64, grain: u64, most: usize) -> Vec<u64> {
    let steps = (0..19).flat_map(|power| [1, 2, 5].map(|m| m * 10u64.pow(power)));
    for step in steps.filter(|step| *step >= grain.saturating_mul(4)) {
        let (first, last) = (least.div_ceil(step), greatest.div_ceil(step));
        if last - first < most as u64 {
            return (first..=last).map(|multiple| multiple.saturating_mul(step)).collect();
        }
    }
    vec![greatest]
}

/// Mantissas times powers of ten, every `skip`-th decade only.
fn geometric(least: u64, greatest: u64, series: &[u64], skip: usize) -> Vec<u64> {
    let mut edges = Vec::new();
    for power in (0..=20).step_by(skip) {
        for mantissa in series {
            let edge = u128::from(*mantissa) * 10u128.pow(power) / 100;
            let edge = u64::try_from(edge).unwrap_or(u64::MAX);
            if edge >= least && edges.last().is_none_or(|last| *last < greatest && edge > *last) {
                edges.push(edge);
            }
        }
    }
    if edges.last().is_none_or(|last| *last < greatest) {
        edges.push(greatest);
    }
    edges
}

#[cfg(test)]
mod tests {
    use hdrhistogram::Histogram;
    use proptest::prelude::*;

    use super::*;
    use crate::stats::Moments;
    use crate::stats::number::round_time;

    fn distribution(values: &[u64], beyond: u64) -> Distribution {
        let mut histogram = Histogram::<u64>::new(3).unwrap();
        let mut moments = Moments { beyond, ..Moments::default() };
        for value in values {
            histogram.record(*value).unwrap();
            moments.add(*value);
        }
        Distribution { histogram, beyond, moments }
    }

    const MS: u64 = 1_000_000;

    fn shown(least: u64, greatest: u64, most: usize) -> String {
        edges(least, greatest, 1, most).iter().map(|edge| round_time(*edge)).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_narrow_span_is_cut_into_equal_round_steps() {
        assert_eq!(shown(950_000, 1_120_000, 10), "960µs 980µs 1ms 1.02ms 1.04ms 1.06ms 1.08ms 1.1ms 1.12ms");
        assert_eq!(
            shown(100 * MS, 205 * MS, 12),
            "100ms 110ms 120ms 130ms 140ms 150ms 160ms 170ms 180ms 190ms 200ms 210ms"
        );
        assert_eq!(shown(100 * MS, 205 * MS, 3), "100ms 200ms 300ms");
    }

    #[test]
    fn a_wide_span_is_cut_geometrically_and_as_fine_as_the_rows_allow() {
        assert_eq!(shown(MS, 10 * MS, 12), "1ms 1.5ms 2ms 3ms 5ms 7ms 10ms");
        assert_eq!(shown(12 * MS / 10, 8 * MS, 12), "1.2ms 1.5ms 1.8ms 2.2ms 2.7ms 3.3ms 4ms 5ms 6ms 7ms 8ms");
        assert_eq!(shown(12 * MS / 10, 998 * MS, 12), "2ms 5ms 10ms 20ms 50ms 100ms 200ms 500ms 1s");
        assert_eq!(shown(1, 100_000 * MS, 12), "1ns 10ns 100ns 1µs 10µs 100µs 1ms 10ms 100ms 1s 10s 100s");
        assert_eq!(shown(1, 100_000 * MS, 4), "1ns 10µs 100ms 16m40s");
    }

    #[test]
    fn steps_are_no_finer_than_the_histogram_can_tell_apart() {
        let rows = buckets(&distribution(&[2_000_000, 2_001_500, 2_004_000], 0), 12);
        assert_eq!(rows, [Bucket { up_to: Some(2_000_000), count: 1 }, Bucket { up_to: Some(2_005_000), count: 2 }]);
    }

    #[test]
    fn one_value_is_one_row_and_nothing_is_none() {
        assert_eq!(buckets(&distribution(&[], 0), 12), []);
        assert_eq!(buckets(&distribution(&[], 4), 12), [Bucket { up_to: None, count: 4 }]);
        assert_eq!(buckets(&distribution(&[2 * MS; 3], 0), 12), [Bucket { up_to: Some(2 * MS), count: 3 }]);
        assert_eq!(buckets(&distribution(&[0], 0), 12).iter().map(|b| b.count).sum::<u64>(), 1);
    }

    proptest! {
        #[test]
        fn rows_add_up_to_the_population_rise_and_never_exceed_a_dozen(
            values in prop::collection::vec(prop_oneof![0u64..20, 900_000u64..1_100_000, 0u64..40_000_000_000, 0..=u64::MAX / 2], 0..200),
            beyond in 0u64..5,
        ) {
            let distribution = distribution(&values, beyond);
            let rows = buckets(&distribution, 12);
            prop_assert!(rows.len() <= 12);
            prop_assert_eq!(rows.iter().map(|row| row.count).sum::<u64>(), distribution.n());
            let edges: Vec<u64> = rows.iter().filter_map(|row| row.up_to).collect();
            prop_assert!(edges.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", edges);
            // Each finite row counts what lies between the edge before it and its own, to the histogram's grain.
            let mut before = 0;
            for row in rows.iter().filter(|row| row.up_to.is_some()) {
                let up_to = row.up_to.unwrap();
                let low = before - before / 500;
                let high = up_to.saturating_add(up_to / 500);
                let possible = values.iter().filter(|v| **v >= low && **v <= high).count() as u64;
                prop_assert!(row.count <= possible, "{:?} of {:?}", row, values);
                before = up_to;
            }
        }
    }
}
