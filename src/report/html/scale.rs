//! From values to places along an axis, and where its ticks stand: at round numbers, few of them.

use maud::{Markup, html};

/// Steps within a decade.
const ROUND: [f64; 3] = [1.0, 2.0, 5.0];

/// An axis: values from `low` to `high` lie between the places `from` and `to`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
    log: bool,
}

impl Scale {
    /// Equal steps for equal differences, between `low` and `high`, which must differ.
    pub(super) fn linear(low: f64, high: f64, from: f64, to: f64) -> Self {
        Self { low, high, from, to, log: false }
    }

    /// Equal steps for equal ratios: wide enough for `values` (above zero) and ending at round numbers; `None` without
    /// values.
    pub(super) fn log(values: impl Iterator<Item = u64>, from: f64, to: f64) -> Option<Self> {
        let (least, most) = values.map(|value| value.max(1)).fold((u64::MAX, 0), |(a, b), v| (a.min(v), b.max(v)));
        let low = rounds(least as f64).take_while(|round| *round <= least as f64).last()?;
        let high = rounds(most as f64).find(|round| *round >= most as f64)?;
        (most > 0).then_some(Self { low, high: if high > low { high } else { low * 2.0 }, from, to, log: true })
    }

    /// The place of a value; values beyond an end are placed at it.
    pub(super) fn at(&self, value: f64) -> f64 {
        let along = |value: f64| if self.log { value.max(f64::MIN_POSITIVE).log10() } else { value };
        let share = (along(value) - along(self.low)) / (along(self.high) - along(self.low));
        share.clamp(0.0, 1.0).mul_add(self.to - self.from, self.from)
    }

    /// Round values within the axis, at most about `most` of them.
    pub(super) fn ticks(&self, most: usize) -> Vec<f64> {
        if !self.log {
            return self.linear_ticks(most);
        }
        let within = |value: &f64| (self.low..=self.high).contains(value);
        let all: Vec<f64> = rounds(self.low).take_while(|round| *round <= self.high).filter(within).collect();
        if all.len() <= most {
            return all;
        }
        let decades = all.into_iter().filter(|value| (value.log10() - value.log10().round()).abs() < 1e-9);
        decades.collect()
    }

    fn linear_ticks(&self, most: usize) -> Vec<f64> {
        let span = self.high - self.low;
        let step = rounds(1.0).find(|step| span / step <= most as f64).unwrap_or(span);
        let first = (self.low / step).ceil() as i64;
        (first..).map(|i| i as f64 * step).take_while(|value| *value <= self.high + step * 1e-9).collect()
    }
}

/// 1, 2, 5, 10, 20, … from at or below `from` on, up to where nothing measured lies.
fn rounds(from: f64) -> impl Iterator<Item = f64> {
    let first = from.max(1.0).log10().floor() as i32;
    (first..=20).flat_map(|power| ROUND.map(|m| m * 10f64.powi(power)))
}

/// A picture with a grid, before anything is drawn into it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    /// Whole picture.
    pub(super) width: f64,
    pub(super) height: f64,
    /// What is left of the plot, for the labels of the y axis.
    pub(super) left: f64,
    /// What is below it, for those of the x axis.
    pub(super) below: f64,
}

impl Frame {
    /// What is right of the plot, so that the last label has room.
    const RIGHT: f64 = 16.0;
    /// What is above it.
    const ABOVE: f64 = 10.0;

    pub(super) const fn x(&self) -> (f64, f64) {
        (self.left, self.width - Self::RIGHT)
    }

    /// From the bottom up.
    pub(super) const fn y(&self) -> (f64, f64) {
        (self.height - self.below, Self::ABOVE)
    }

    /// The picture: grid and labels at `x` and `y`, then `content`.
    pub(super) fn picture(&self, title: &str, x: &[(f64, String)], y: &[(f64, String)], content: &Markup) -> Markup {
        let ((left, right), (bottom, top)) = (self.x(), self.y());
        let line = |x1: f64, y1: f64, x2: f64, y2: f64, class: &str| {
            html! { line class=(class) x1=(px(x1)) y1=(px(y1)) x2=(px(x2)) y2=(px(y2)) {} }
        };
        html! {
            svg viewBox=(format!("0 0 {} {}", self.width, self.height)) role="img" {
                title { (title) }
                @for (at, label) in x {
                    (line(*at, bottom, *at, top, "grid"))
                    text class="middle" x=(px(*at)) y=(px(bottom + 17.0)) { (label) }
                }
                @for (at, label) in y {
                    (line(left, *at, right, *at, "grid"))
                    text class="end" x=(px(left - 8.0)) y=(px(at + 4.0)) { (label) }
                }
                (line(left, bottom, right, bottom, "axis"))
                (content)
            }
        }
    }
}

/// A place, to a tenth of a pixel.
pub(super) fn px(place: f64) -> String {
    let text = format!("{place:.1}");
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}

/// A line through the points there are; where one is missing it is interrupted, and one alone is a dot.
pub(super) fn path(points: impl Iterator<Item = Option<(f64, f64)>>) -> String {
    let mut path = String::new();
    let mut pen_down = false;
    for point in points {
        match point {
            Some((x, y)) if pen_down => path.push_str(&format!("L{} {}", px(x), px(y))),
            Some((x, y)) => path.push_str(&format!("M{} {}h0", px(x), px(y))),
            None => {}
        }
        pen_down = point.is_some();
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_ratios_take_equal_room_and_the_ends_are_round() {
        let scale = Scale::log([1_300_000u64, 940_000_000].into_iter(), 200.0, 0.0).unwrap();
        assert_eq!((scale.low, scale.high), (1e6, 1e9));
        assert_eq!((scale.at(1e6), scale.at(1e9), scale.at(0.0), scale.at(9e9)), (200.0, 0.0, 200.0, 0.0));
        assert!((scale.at(1e7) - 400.0 / 3.0).abs() < 1e-9 && (scale.at(1e8) - 200.0 / 3.0).abs() < 1e-9);
        assert_eq!(scale.ticks(6), [1e6, 1e7, 1e8, 1e9]);
        let narrow = Scale::log([2_300_000u64, 4_100_000].into_iter(), 0.0, 1.0).unwrap();
        assert_eq!(narrow.ticks(6), [2e6, 5e6]);
        let one = Scale::log([2u64].into_iter(), 0.0, 1.0).unwrap();
        assert_eq!((one.low, one.high), (2.0, 4.0));
        assert!(Scale::log(std::iter::empty(), 0.0, 1.0).is_none());
        assert!(Scale::log([0, u64::MAX].into_iter(), 0.0, 1.0).is_some());
    }

    #[test]
    fn ticks_of_equal_steps_are_round_and_few() {
        for (low, high, expected) in [
            (0.0, 10.0, vec![0.0, 2.0, 4.0, 6.0, 8.0, 10.0]),
            (-5.0, 60.0, vec![0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0]),
            (0.0, 1.0, vec![0.0, 1.0]),
            (0.0, 3_600.0, vec![0.0, 500.0, 1_000.0, 1_500.0, 2_000.0, 2_500.0, 3_000.0, 3_500.0]),
        ] {
            assert_eq!(Scale::linear(low, high, 0.0, 100.0).ticks(8), expected, "{low}..{high}");
        }
    }

    #[test]
    fn a_missing_point_interrupts_the_line() {
        let points = [Some((0.0, 1.0)), Some((1.5, 2.0)), None, Some((3.0, 1.25))];
        assert_eq!(path(points.into_iter()), "M0 1h0L1.5 2M3 1.2h0");
    }
}
