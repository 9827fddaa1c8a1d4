//! How long an answer takes: the distributions to choose from, drawn reproducibly. Pure.
//!
//! Each draw is a function of the seed and the request's number only, so the n-th request of two servers with the
//! same seed waits equally long, whichever connection it came on.

use std::f64::consts::TAU;
use std::time::Duration;

use super::value::{Share, duration, positive, share};

/// Where the heavy tails ([`Latency::LogNormal`], [`Latency::Pareto`]) are cut off: no answer is delayed longer.
pub const TAIL_CAP: Duration = Duration::from_secs(10);

/// Increment of splitmix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// What a random draw is for; each purpose has its own numbers.
#[derive(Clone, Copy, Debug)]
pub(super) enum Draw {
    /// First number for the latency.
    Latency,
    /// Second number for the latency.
    Second,
    /// Whether this request gets a random error.
    Error,
}

/// A number in (0, 1), the same for the same seed, purpose and request.
pub(super) fn uniform(seed: u64, draw: Draw, n: u64) -> f64 {
    let index = n.wrapping_mul(3).wrapping_add(draw as u64).wrapping_add(1);
    let bits = mix(seed.wrapping_add(index.wrapping_mul(GAMMA))) >> 11;
    (bits as f64 + 0.5) / (1_u64 << 53) as f64
}

/// The output function of splitmix64.
const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A distribution of service time, before stalls and whatever else is added.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Latency {
    /// Always the same; zero answers at once.
    Constant(Duration),
    /// Every value between the two equally likely.
    Uniform(Duration, Duration),
    /// The first, or for the share the second.
    Bimodal(Duration, Duration, Share),
    /// Log-normal by its median and the standard deviation of its logarithm, cut off at [`TAIL_CAP`].
    LogNormal(Duration, f64),
    /// Pareto by its least value and its exponent (the smaller, the heavier the tail), cut off at [`TAIL_CAP`].
    Pareto(Duration, f64),
}

impl Default for Latency {
    fn default() -> Self {
        Self::Constant(Duration::ZERO)
    }
}

impl Latency {
    /// The forms [`Latency::parse`] takes, for messages.
    pub(super) const FORMS: &str = "20ms, uniform:5ms..50ms, bimodal:5ms,200ms,10%, lognormal:20ms,0.6 (median, sigma) or \
         pareto:5ms,1.5 (least, exponent)";

    /// One of the forms in the user's words; `None` when it is none of them.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let Some((kind, rest)) = text.split_once(':') else {
            return duration(text).map(Self::Constant);
        };
        let parts: Vec<&str> = rest.split(',').collect();
        match (kind.trim(), parts.as_slice()) {
            ("constant", [value]) => duration(value).map(Self::Constant),
            ("uniform", [range]) => {
                let (low, high) = range.split_once("..")?;
                let (low, high) = (duration(low)?, duration(high)?);
                (low <= high).then_some(Self::Uniform(low, high))
            }
            ("bimodal", [fast, slow, slow_share]) => {
                Some(Self::Bimodal(duration(fast)?, duration(slow)?, share(slow_share)?))
            }
            ("lognormal", [median, sigma]) => Some(Self::LogNormal(duration(median)?, positive(sigma)?)),
            ("pareto", [least, exponent]) => Some(Self::Pareto(duration(least)?, positive(exponent)?)),
            _ => None,
        }
    }

    /// How long request `n` is to take.
    #[must_use]
    pub fn of(self, seed: u64, n: u64) -> Duration {
        let draw = || uniform(seed, Draw::Latency, n);
        match self {
            Self::Constant(value) => value,
            Self::Uniform(low, high) => low + (high - low).mul_f64(draw()),
            Self::Bimodal(fast, slow, share) => {
                if draw() < share.ratio() {
                    slow
                } else {
                    fast
                }
            }
            Self::LogNormal(median, sigma) => {
                let normal = (-2.0 * draw().ln()).sqrt() * (TAU * uniform(seed, Draw::Second, n)).cos();
                capped(median, (sigma * normal).exp())
            }
            Self::Pareto(least, exponent) => capped(least, draw().powf(-1.0 / exponent)),
        }
    }
}

/// `base` × `factor`, at most [`TAIL_CAP`].
fn capped(base: Duration, factor: f64) -> Duration {
    let seconds = base.as_secs_f64() * factor;
    Duration::try_from_secs_f64(seconds).map_or(TAIL_CAP, |value| value.min(TAIL_CAP))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn sorted(latency: Latency, n: u64) -> Vec<f64> {
        let mut values: Vec<f64> = (1..=n).map(|i| latency.of(7, i).as_secs_f64() * 1e3).collect();
        values.sort_by(f64::total_cmp);
        values
    }

    #[test]
    fn each_form_is_read_and_nothing_else() {
        let rows = [
            ("20ms", Some(Latency::Constant(20 * MS))),
            ("0", Some(Latency::Constant(Duration::ZERO))),
            ("constant:3ms", Some(Latency::Constant(3 * MS))),
            ("uniform:5ms..50ms", Some(Latency::Uniform(5 * MS, 50 * MS))),
            ("bimodal:5ms,200ms,10%", Share::new(10, 100).map(|s| Latency::Bimodal(5 * MS, 200 * MS, s))),
            ("lognormal:20ms,0.6", Some(Latency::LogNormal(20 * MS, 0.6))),
            ("pareto:5ms,1.5", Some(Latency::Pareto(5 * MS, 1.5))),
            ("20", None),
            ("uniform:50ms..5ms", None),
            ("uniform:5ms", None),
            ("bimodal:5ms,200ms", None),
            ("bimodal:5ms,200ms,110%", None),
            ("lognormal:20ms,0", None),
            ("lognormal:20ms,-1", None),
            ("pareto:5ms", None),
            ("pareto:5ms,NaN", None),
            ("gauss:5ms,1ms", None),
            ("", None),
            (":", None),
        ];
        for (text, expected) in rows {
            let parsed = Latency::parse(text);
            // A share is compared by what it means: 10 % may be held as 10/100 or 1/10.
            assert_eq!(format!("{parsed:?}"), format!("{expected:?}"), "{text:?}");
        }
    }

    #[test]
    fn the_same_seed_and_request_always_wait_equally_long() {
        for latency in [Latency::Uniform(MS, 9 * MS), Latency::LogNormal(MS, 1.0), Latency::Pareto(MS, 1.5)] {
            assert_eq!(latency.of(1, 42), latency.of(1, 42));
            assert_ne!(latency.of(1, 42), latency.of(2, 42));
            assert_ne!(latency.of(1, 42), latency.of(1, 43));
        }
    }

    #[test]
    fn each_distribution_has_the_quantiles_of_its_formula() {
        let n = 100_000;
        let at = |values: &[f64], q: f64| values[(q * n as f64) as usize];

        let uniform = sorted(Latency::Uniform(5 * MS, 55 * MS), n);
        assert!((at(&uniform, 0.5) - 30.0).abs() < 0.5 && (at(&uniform, 0.9) - 50.0).abs() < 0.5);

        let slow = Latency::Bimodal(5 * MS, 200 * MS, Share::new(1, 10).unwrap());
        let slow = sorted(slow, n).iter().filter(|ms| **ms > 100.0).count();
        assert!((9_700..10_300).contains(&slow), "{slow}");

        let lognormal = sorted(Latency::LogNormal(20 * MS, 0.6), n);
        assert!((at(&lognormal, 0.5) - 20.0).abs() < 0.4);
        // Quantile 0.9 of a log-normal: median × exp(1.28155 σ).
        assert!((at(&lognormal, 0.9) - 43.15).abs() < 1.0);

        let pareto = sorted(Latency::Pareto(5 * MS, 1.5), n);
        assert!(pareto[0] >= 5.0);
        // Quantile q of a Pareto: least × (1 − q)^(−1/exponent).
        assert!((at(&pareto, 0.5) - 7.94).abs() < 0.15);
        assert!((at(&pareto, 0.99) - 107.7).abs() < 8.0);
        assert!(sorted(Latency::Pareto(5 * MS, 0.1), 1_000)[999] <= 10_000.0);
    }
}
