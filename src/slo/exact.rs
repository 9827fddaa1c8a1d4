//! The binomial distribution, exactly enough to decide on: no normal approximation stands between counts and verdict.
//!
//! Point probabilities follow C. Loader, "Fast and Accurate Computation of Binomial Probabilities" (2000): a saddle
//! point expansion whose relative error stays near 10⁻¹⁴ for any n. Tails are sums of such terms, all of one sign.

use super::decimal::Fraction;

/// Probabilities closer than this, relatively, count as equal: the tails are not known better.
const TOLERANCE: f64 = 1e-11;

/// The number of successes in `n` independent trials.
#[derive(Clone, Copy, Debug)]
pub(super) struct Binomial {
    n: u64,
    /// Chance of a success, and of its opposite, each from the exact ratio.
    p: f64,
    q: f64,
}

impl Binomial {
    /// `n` trials with a chance of `p`, at most 1.
    pub(super) fn new(n: u64, p: Fraction) -> Self {
        Self { n, p: p.as_f64(), q: p.complement().as_f64() }
    }

    /// P\[X ≤ k\].
    pub(super) fn at_most(self, k: u64) -> f64 {
        if k >= self.n || self.p == 0.0 {
            1.0
        } else if self.q == 0.0 {
            0.0
        } else if (k as f64) < self.n as f64 * self.p {
            self.lower_tail(k)
        } else {
            1.0 - self.upper_tail(k + 1)
        }
    }

    /// P\[X ≥ k\].
    pub(super) fn at_least(self, k: u64) -> f64 {
        if k == 0 {
            1.0
        } else if k > self.n || self.p == 0.0 {
            0.0
        } else if self.q == 0.0 {
            1.0
        } else if k as f64 > self.n as f64 * self.p {
            self.upper_tail(k)
        } else {
            1.0 - self.lower_tail(k - 1)
        }
    }

    /// Whether P\[X ≤ k\] ≤ `alpha`: so few successes would be this rare.
    pub(super) fn rarely_at_most(self, k: u64, alpha: f64) -> bool {
        rare(self.at_most(k), alpha)
    }

    /// Whether P\[X ≥ k\] < `alpha`: so many successes would be rarer than this.
    pub(super) fn rarely_at_least(self, k: u64, alpha: f64) -> bool {
        rarer(self.at_least(k), alpha)
    }

    /// The ranks (r, s) between which the sample's order statistics hold the quantile `p`, each side wrong with a chance
    /// of `alpha` at most: r greatest with P\[X ≥ r\] ≥ 1 − `alpha`, s least with P\[X ≤ s−1\] ≥ 1 − `alpha`. r = 0 and
    /// s = n + 1 mean that the sample is too small to bound that side.
    pub(super) fn order_ranks(self, alpha: f64) -> (u64, u64) {
        let r = first(0, self.n + 1, |r| self.at_least(r) < 1.0 - alpha).saturating_sub(1);
        let s = first(1, self.n + 1, |s| self.at_most(s - 1) >= 1.0 - alpha);
        (r, s)
    }

    /// Σ P\[X = i\] for i ≤ k, where k lies below the mean: terms fall towards 0.
    fn lower_tail(self, k: u64) -> f64 {
        let mut term = self.point(k);
        let mut sum = term;
        for i in (1..=k).rev() {
            term *= i as f64 * self.q / ((self.n - i + 1) as f64 * self.p);
            sum += term;
            if term <= sum * f64::EPSILON / 16.0 {
                break;
            }
        }
        sum.min(1.0)
    }

    /// Σ P\[X = i\] for i ≥ k, where k lies above the mean: terms fall towards n.
    fn upper_tail(self, k: u64) -> f64 {
        let mut term = self.point(k);
        let mut sum = term;
        for i in k..self.n {
            term *= (self.n - i) as f64 * self.p / ((i + 1) as f64 * self.q);
            sum += term;
            if term <= sum * f64::EPSILON / 16.0 {
                break;
            }
        }
        sum.min(1.0)
    }

    /// P\[X = k\], for 0 < p < 1.
    fn point(self, k: u64) -> f64 {
        let n = self.n as f64;
        if k == 0 {
            return (n * (-self.p).ln_1p()).exp();
        }
        if k == self.n {
            return (n * (-self.q).ln_1p()).exp();
        }
        point(k as f64, (self.n - k) as f64, self.p, self.q)
    }
}

/// Γ(x+y+1) / (Γ(x+1) Γ(y+1)) · pˣ qʸ for x, y > 0 and p + q = 1: the chance of x successes in x + y trials, where these
/// are whole numbers.
pub(super) fn point(x: f64, y: f64, p: f64, q: f64) -> f64 {
    let n = x + y;
    let exponent = stirling_error(n) - stirling_error(x) - stirling_error(y) - deviance(x, n * p) - deviance(y, n * q);
    (n / (std::f64::consts::TAU * x * y)).sqrt() * exponent.exp()
}

/// Whether `probability` is at most `alpha`.
pub(super) fn rare(probability: f64, alpha: f64) -> bool {
    probability <= alpha * (1.0 + TOLERANCE)
}

/// Whether `probability` is below `alpha`.
pub(super) fn rarer(probability: f64, alpha: f64) -> bool {
    probability < alpha * (1.0 - TOLERANCE)
}

/// The least number in `low..=high` from which on `wanted` holds; `high` if it never does before.
pub(super) fn first(low: u64, high: u64, wanted: impl Fn(u64) -> bool) -> u64 {
    let (mut low, mut high) = (low, high);
    while low < high {
        let middle = low + (high - low) / 2;
        if wanted(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

/// ln Γ(x+1) − ln(√(2πx) (x/e)ˣ) for x > 0.
fn stirling_error(x: f64) -> f64 {
    let leading = |x: f64| 0.5 * (std::f64::consts::TAU * x).ln() + x * x.ln() - x;
    if x < 16.0 {
        // Γ(x+1) = Γ(x+m+1) / ((x+1) … (x+m)), with x + m where the series is good.
        let shift = 16.0 - x.floor();
        let product: f64 = (1..=shift as u32).map(|i| x + f64::from(i)).product();
        return stirling_error(x + shift) + leading(x + shift) - product.ln() - leading(x);
    }
    let xx = x * x;
    (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - (1.0 / 1680.0 - 1.0 / 1188.0 / xx) / xx) / xx) / xx) / x
}

/// x ln(x/m) + m − x, without cancellation where x is near m.
fn deviance(x: f64, m: f64) -> f64 {
    if (x - m).abs() >= 0.1 * (x + m) {
        return x * (x / m).ln() + m - x;
    }
    let v = (x - m) / (x + m);
    let mut sum = (x - m) * v;
    let mut power = 2.0 * x * v;
    for j in 1..1000 {
        power *= v * v;
        let next = sum + power / f64::from(2 * j + 1);
        if next == sum {
            break;
        }
        sum = next;
    }
    sum
}

/// Two-sided 95 % score interval of a share (Wilson 1927), for display; `n` is at least 1.
pub(super) fn wilson(k: u64, n: u64) -> (f64, f64) {
    const Z: f64 = 1.959_963_984_540_054;
    let (k, n) = (k as f64, n as f64);
    let share = k / n;
    let middle = (share + Z * Z / (2.0 * n)) / (1.0 + Z * Z / n);
    let half = Z / (1.0 + Z * Z / n) * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    let low = if k == 0.0 { 0.0 } else { (middle - half).max(0.0) };
    let high = if k == n { 1.0 } else { (middle + half).min(1.0) };
    (low, high)
}

#[cfg(test)]
pub(super) mod brute {
    //! The same in rational arithmetic: slow, and right by construction.

    use num_bigint::BigInt;
    use num_rational::BigRational;
    use num_traits::{One, ToPrimitive, Zero};

    use super::Fraction;

    pub(in super::super) fn ratio(fraction: Fraction) -> BigRational {
        BigRational::new(BigInt::from(fraction.num), BigInt::from(fraction.den))
    }

    /// P[X = 0], …, P[X = n], each times the common denominator.
    pub(in super::super) struct Points {
        weights: Vec<BigInt>,
        denominator: BigInt,
    }

    impl Points {
        pub(in super::super) fn new(n: u64, p: Fraction) -> Self {
            let (good, bad) = (BigInt::from(p.num), BigInt::from(p.den - p.num));
            let mut weights = vec![BigInt::one()];
            for _ in 0..n {
                let mut next = vec![BigInt::zero(); weights.len() + 1];
                for (i, weight) in weights.iter().enumerate() {
                    next[i] += weight * &bad;
                    next[i + 1] += weight * &good;
                }
                weights = next;
            }
            let denominator = weights.iter().sum();
            Self { weights, denominator }
        }

        pub(in super::super) fn at_most(&self, k: u64) -> BigRational {
            BigRational::new_raw(self.weights.iter().take(k as usize + 1).sum(), self.denominator.clone())
        }

        pub(in super::super) fn at_least(&self, k: u64) -> BigRational {
            BigRational::new_raw(self.weights.iter().skip(k as usize).sum(), self.denominator.clone())
        }
    }

    pub(in super::super) fn float(ratio: &BigRational) -> f64 {
        ratio.to_f64().unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::super::decimal::Decimal;
    use super::*;

    fn percent(text: &str) -> Fraction {
        Decimal::parse(text).unwrap().over(100)
    }

    #[test]
    fn tails_equal_rational_arithmetic_over_a_grid() {
        for p in ["0.1", "1", "5", "37.5", "50", "95", "99", "99.9"] {
            for n in [1, 2, 3, 7, 16, 17, 40, 90] {
                let points = brute::Points::new(n, percent(p));
                let binomial = Binomial::new(n, percent(p));
                for k in 0..=n {
                    let (low, high) = (points.at_most(k), points.at_least(k));
                    let (low, high) = (brute::float(&low), brute::float(&high));
                    assert!((binomial.at_most(k) / low - 1.0).abs() < 1e-12, "P[Bin({n},{p}%)<={k}]");
                    assert!((binomial.at_least(k) / high - 1.0).abs() < 1e-12, "P[Bin({n},{p}%)>={k}]");
                }
            }
        }
    }

    #[test]
    fn chances_of_nought_and_one_are_certain() {
        let never = Binomial::new(10, Fraction::ZERO);
        assert_eq!((never.at_most(0), never.at_least(1), never.at_least(0)), (1.0, 0.0, 1.0));
        let always = Binomial::new(10, percent("100"));
        assert_eq!((always.at_most(9), always.at_most(10), always.at_least(10)), (0.0, 1.0, 1.0));
    }

    #[test]
    fn tails_of_ten_million_trials_add_up_to_one_and_are_symmetric() {
        let n = 10_000_000;
        let fair = Binomial::new(n, percent("50"));
        let (below, above) = (fair.at_most(n / 2 - 1), fair.at_least(n / 2 + 1));
        assert!((below / above - 1.0).abs() < 1e-9);
        // The middle term is √(2/(πn)) to first order.
        let middle = (2.0 / (std::f64::consts::PI * n as f64)).sqrt();
        assert!(((1.0 - below - above) / middle - 1.0).abs() < 1e-5);
        let rare = Binomial::new(n, percent("0.1"));
        assert!((rare.at_most(10_050) + rare.at_least(10_051) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn order_statistics_bound_a_quantile_where_the_sample_is_large_enough() {
        for (n, quantile, r, s) in [
            (60, "50", 24, 37),
            (60, "95", 54, 60),
            (60, "99", 58, 61),
            (300, "50", 136, 165),
            (300, "95", 279, 292),
            (300, "99", 294, 300),
            (1200, "50", 572, 629),
            (1200, "95", 1127, 1153),
            (1200, "99", 1182, 1194),
            (1200, "99.9", 1197, 1201),
            (6000, "99.9", 5990, 5999),
        ] {
            assert_eq!(Binomial::new(n, percent(quantile)).order_ranks(0.05), (r, s), "n = {n}, p{quantile}");
        }
        assert_eq!(Binomial::new(1, percent("50")).order_ranks(0.025), (0, 2));
        assert_eq!(Binomial::new(1200, percent("99")).order_ranks(0.025), (1181, 1195));
        assert_eq!(Binomial::new(100, percent("50")).order_ranks(0.025), (40, 61));
    }

    #[test]
    fn the_score_interval_matches_published_values() {
        // Newcombe 1998, Statistics in Medicine 17: 857-872, table I, method 3.
        for (k, n, low, high) in
            [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)]
        {
            let (l, h) = wilson(k, n);
            assert!((l - low).abs() < 5e-5 && (h - high).abs() < 5e-5, "{k}/{n}: {l} {h}");
        }
        assert_eq!(wilson(7, 7).1, 1.0);
    }
}
