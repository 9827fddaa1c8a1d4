//! Binomial tails for numbers of trials that are not whole: evidence that comes in bursts is worth fewer requests than
//! were counted.
//!
//! P\[Bin(n, p) ≥ k\] = I_p(k, n − k + 1), the regularised incomplete beta function, which is defined between whole
//! numbers too. Its continued fraction (Abramowitz and Stegun 26.5.8) stands behind a factor that is a binomial point
//! probability and is computed as one.

use super::exact::point;

/// Steps after which the continued fraction is taken as it is; it converges in about √n of them.
const MOST_STEPS: u32 = 1_000_000;
/// Stands for zero in Lentz' scheme, where a denominator must not vanish.
const TINY: f64 = 1e-300;

/// `n` trials, n > 0, with chance `p` of a success and `q` of its opposite.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fractional {
    pub(super) n: f64,
    pub(super) p: f64,
    pub(super) q: f64,
}

impl Fractional {
    /// P\[X ≤ k\].
    pub(super) fn at_most(self, k: f64) -> f64 {
        if k >= self.n { 1.0 } else { incomplete_beta(self.n - k, k + 1.0, self.q, self.p) }
    }

    /// P\[X ≥ k\].
    pub(super) fn at_least(self, k: f64) -> f64 {
        if k <= 0.0 {
            1.0
        } else if k > self.n {
            0.0
        } else {
            incomplete_beta(k, self.n - k + 1.0, self.p, self.q)
        }
    }
}

/// I_x(a, b) for a, b > 0, with y = 1 − x.
fn incomplete_beta(a: f64, b: f64, x: f64, y: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if y <= 0.0 {
        return 1.0;
    }
    // On the other side of the mean the fraction converges slowly, and the opposite one does not.
    if x > (a + 1.0) / (a + b + 2.0) { 1.0 - fraction(b, a, y, x) } else { fraction(a, b, x, y) }
}

/// I_x(a, b) for x below the mean.
fn fraction(a: f64, b: f64, x: f64, y: f64) -> f64 {
    // x^a y^b Γ(a+b) / (Γ(a+1) Γ(b)) = b/(a+b) · Γ(a+b+1) / (Γ(a+1) Γ(b+1)) · x^a y^b.
    let factor = point(a, b, x, y) * b / (a + b);
    let away_from_zero = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut value = d;
    for step in 1..MOST_STEPS {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let before = value;
        for numerator in [even, odd] {
            d = 1.0 / away_from_zero(1.0 + numerator * d);
            c = away_from_zero(1.0 + numerator / c);
            value *= c * d;
        }
        if (value - before).abs() <= value.abs() * f64::EPSILON {
            break;
        }
    }
    (factor * value).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::super::decimal::Decimal;
    use super::super::exact::{Binomial, brute};
    use super::*;

    #[test]
    fn at_whole_numbers_the_tails_are_those_of_rational_arithmetic() {
        for p in ["0.1", "1", "5", "37.5", "50", "95", "99.9"] {
            let share = Decimal::parse(p).unwrap().over(100);
            for n in [1_u64, 2, 7, 16, 40, 90] {
                let points = brute::Points::new(n, share);
                let trials = Fractional { n: n as f64, p: share.as_f64(), q: share.complement().as_f64() };
                for k in 0..=n {
                    let (low, high) = (brute::float(&points.at_most(k)), brute::float(&points.at_least(k)));
                    assert!((trials.at_most(k as f64) - low).abs() < 1e-12 * low.max(1e-3), "P[Bin({n},{p}%)<={k}]");
                    assert!((trials.at_least(k as f64) - high).abs() < 1e-12 * high.max(1e-3), "P[Bin({n},{p}%)>={k}]");
                }
            }
        }
    }

    #[test]
    fn a_million_trials_are_summed_as_well_as_term_by_term() {
        let share = Decimal::parse("0.1").unwrap().over(100);
        let (exact, trials) =
            (Binomial::new(1_000_000, share), Fractional { n: 1e6, p: share.as_f64(), q: share.complement().as_f64() });
        for k in [900_u64, 950, 1000, 1001, 1050, 1200] {
            assert!((trials.at_most(k as f64) / exact.at_most(k) - 1.0).abs() < 1e-9, "{k}");
            assert!((trials.at_least(k as f64) / exact.at_least(k) - 1.0).abs() < 1e-9, "{k}");
        }
    }

    #[test]
    fn between_whole_numbers_the_tails_agree_with_quadrature() {
        // I_x(a, b) is the share of ∫ t^(a−1) (1−t)^(b−1) dt below x: Simpson's rule over ten thousand pieces.
        let simpson = |a: f64, b: f64, from: f64, to: f64| {
            let pieces = 10_000;
            let step = (to - from) / f64::from(pieces);
            let value = |i: i32| {
                let t = from + step * f64::from(i);
                t.powf(a - 1.0) * (1.0 - t).powf(b - 1.0)
            };
            let inner: f64 = (1..pieces).map(|i| value(i) * if i % 2 == 1 { 4.0 } else { 2.0 }).sum();
            (value(0) + inner + value(pieces)) * step / 3.0
        };
        for (a, b, x) in [(4.3, 7.9, 0.2), (4.3, 7.9, 0.6), (12.5, 90.25, 0.1), (3.5, 60.0, 0.12), (88.8, 5.5, 0.93)] {
            let expected = simpson(a, b, 0.0, x) / simpson(a, b, 0.0, 1.0);
            assert!((incomplete_beta(a, b, x, 1.0 - x) - expected).abs() < 1e-9, "I_{x}({a}, {b}) = {expected}");
        }
    }
}
