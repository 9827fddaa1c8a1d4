//! How latencies are spread: as a histogram, and by percentile on the axis that gives the tail its room.

use maud::{Markup, html};

use super::course::limits;
use super::scale::{Frame, Scale, path, px};
use crate::report::Report;
use crate::report::buckets::{Bucket, buckets};
use crate::report::text::latency::{AS_HEY, others};
use crate::stats::Distribution;
use crate::stats::number::{count, round_time};

/// Most rows of the histogram.
const ROWS: usize = 16;
/// Height of one.
const ROW: f64 = 20.0;
/// Points of a percentile line.
const POINTS: usize = 160;
/// No axis goes further than one request in a million.
const MOST_NINES: f64 = 6.0;
const PERCENTILES: Frame = Frame { width: 460.0, height: 320.0, left: 60.0, below: 40.0 };

/// The histogram, one bar a row.
pub(super) fn histogram(latency: &Distribution) -> Markup {
    let rows = buckets(latency, ROWS);
    let most = rows.iter().map(|row| row.count).max().unwrap_or(0).max(1);
    let (left, width) = (84.0, 460.0);
    let scale = Scale::linear(0.0, most as f64, left, width - 72.0);
    let label = |row: &Bucket| match row.up_to {
        Some(edge) => format!("≤ {}", round_time(edge)),
        None => "no answer".to_owned(),
    };
    html! {
        figure {
            figcaption { h3 { "Histogram" } span { "requests by latency" } }
            svg viewBox=(format!("0 0 {width} {}", rows.len() as f64 * ROW)) role="img" {
                title { "Histogram of latency" }
                @for (i, row) in rows.iter().enumerate() {
                    @let y = i as f64 * ROW;
                    // Any request at all leaves a mark.
                    @let to = if row.count > 0 { scale.at(row.count as f64).max(left + 1.5) } else { left };
                    @let class = if row.up_to.is_some() { "bar first" } else { "bar bad" };
                    text class="end" x=(px(left - 8.0)) y=(px(y + 14.0)) { (label(row)) }
                    rect class=(class) x=(px(left)) y=(px(y + 3.0)) width=(px(to - left)) height=(px(ROW - 6.0)) {}
                    text x=(px(to + 6.0)) y=(px(y + 14.0)) { (count(row.count)) }
                }
            }
        }
    }
}

/// Latency by percentile. The axis is that of HdrHistogram's plots: as far from 90 % to 99 % as from 99 % to 99.9 %.
pub(super) fn percentiles(report: &Report<'_>, latency: &Distribution) -> Markup {
    let (service, as_hey) = others(report.summary, latency);
    let lines = [("third", AS_HEY, as_hey), ("second", "service", service), ("first", "latency", Some(latency))];
    let lines: Vec<_> = lines.into_iter().filter_map(|(class, name, d)| Some((class, name, curve(d?)))).collect();
    let limits = limits(report);
    let values = lines.iter().flat_map(|(_, _, points)| points.iter().map(|(_, ns)| *ns));
    let (bottom, top) = PERCENTILES.y();
    let Some(scale) = Scale::log(values.chain(limits.iter().map(|limit| limit.ns as u64)), bottom, top) else {
        return html! {};
    };
    let (from, to) = PERCENTILES.x();
    let nines = Scale::linear(0.0, most_nines(latency), from, to);
    let y: Vec<_> = scale.ticks(9).iter().map(|ns| (scale.at(*ns), round_time(*ns as u64))).collect();
    let content = html! {
        @for limit in &limits {
            (limit.line(scale.at(limit.ns), from, to))
        }
        @for (class, _, points) in &lines {
            path class={ "line " (class) }
                d=(path(points.iter().map(|(x, ns)| Some((nines.at(*x), scale.at(*ns as f64)))))) {}
        }
        @for limit in limits.iter().filter(|limit| nines_of(limit.q) <= most_nines(latency)) {
            circle class="spot" cx=(px(nines.at(nines_of(limit.q)))) cy=(px(scale.at(limit.ns))) r="4" {}
        }
        text class="middle" x=(px(f64::midpoint(from, to))) y=(px(PERCENTILES.height - 5.0)) { "percentile of requests" }
    };
    html! {
        figure {
            figcaption {
                h3 { "Percentiles" }
                @for (class, name, _) in lines.iter().rev() { span class={ "key " (class) } { (name) } }
            }
            (PERCENTILES.picture("Latency by percentile", &ticks(latency, &nines), &y, &content))
        }
    }
}

/// How far along the axis a quantile lies: 0 for the least, 1 for 90 %, 2 for 99 %.
fn nines_of(q: f64) -> f64 {
    -(1.0 - q).log10()
}

/// Where the axis ends: at the slowest request.
fn most_nines(latency: &Distribution) -> f64 {
    (latency.n() as f64).log10().clamp(1.0, MOST_NINES)
}

fn ticks(latency: &Distribution, nines: &Scale) -> Vec<(f64, String)> {
    let all = [("0%", 0.0), ("50%", 0.5), ("90%", 0.9), ("99%", 0.99), ("99.9%", 0.999), ("99.99%", 0.9999)];
    let rare = [("99.999%", 0.999_99), ("99.9999%", 0.999_999)];
    let all = all.into_iter().chain(rare).map(|(name, q)| (name, nines_of(q)));
    let within = all.filter(|(_, x)| *x <= most_nines(latency) + 1e-9);
    within.map(|(name, x)| (nines.at(x), name.to_owned())).collect()
}

/// Points along the axis up to the slowest request, or to where the timeouts begin.
fn curve(distribution: &Distribution) -> Vec<(f64, u64)> {
    let end = most_nines(distribution);
    let points = (0..=POINTS).map(|i| end * i as f64 / POINTS as f64);
    points.filter_map(|x| Some((x, distribution.quantile(1.0 - 10f64.powf(-x))?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sampled::distribution;

    #[test]
    fn the_axis_gives_every_nine_the_same_room() {
        for (q, x) in [(0.0, 0.0), (0.9, 1.0), (0.99, 2.0), (0.999, 3.0)] {
            assert!((nines_of(q) - x).abs() < 1e-9, "{q}");
        }
    }

    #[test]
    fn a_curve_ends_at_the_slowest_request_or_where_timeouts_begin() {
        let whole = distribution((1..=1_000).map(|ms| ms * 1_000_000), 0);
        let points = curve(&whole);
        assert_eq!(points.len(), POINTS + 1);
        assert!((points[POINTS].0 - 3.0).abs() < 1e-9, "a thousand requests are three nines");
        let timeouts = distribution((1..=900).map(|ms| ms * 1_000_000), 100);
        assert!(curve(&timeouts).last().is_some_and(|(x, _)| (0.95..=1.0).contains(x)));
        assert!(points.is_sorted_by_key(|(_, ns)| *ns));
    }
}
