//! The score test of Miettinen and Nurminen (Statistics in Medicine 4: 213–226, 1985): whether one share is above
//! another by more than a margin.
//!
//! The margin is part of the hypothesis, p₁ = R·p₂ + δ, and the variance is that of the likeliest shares under it. So it
//! is right where few or no requests fail, where an interval around the measured shares is not.

use super::allowance::Affine;

/// Halvings that leave nothing of a double's 52 bits.
const HALVINGS: u32 = 100;

/// `bad` of `n`, perhaps shrunk to what it is worth; `n` is above zero.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sampled {
    pub(super) n: f64,
    pub(super) k: f64,
}

/// How many standard errors `own` lies above what the hypothesis makes of `other`; infinite where there is no spread.
pub(super) fn score(own: Sampled, other: Sampled, margin: Affine) -> f64 {
    let above = own.k / own.n - margin.factor * (other.k / other.n) - margin.offset;
    let (p1, p2) = likeliest(own, other, margin);
    let both = own.n + other.n;
    let spread = p1 * (1.0 - p1) / own.n + margin.factor.powi(2) * p2 * (1.0 - p2) / other.n;
    let variance = spread.max(0.0) * both / (both - 1.0).max(1.0);
    match (above == 0.0, variance > 0.0) {
        (true, _) => 0.0,
        (false, true) => above / variance.sqrt(),
        (false, false) => above.signum() * f64::INFINITY,
    }
}

/// The likeliest pair of shares with p₁ = R·p₂ + δ. The logarithm of the likelihood is concave in p₂: its slope is zero
/// once.
fn likeliest(own: Sampled, other: Sampled, margin: Affine) -> (f64, f64) {
    let (r, d) = (margin.factor, margin.offset);
    let (mut low, mut high) = ((-d / r).max(0.0), ((1.0 - d) / r).min(1.0));
    let part = |count: f64, share: f64| if count > 0.0 { count / share } else { 0.0 };
    for _ in 0..HALVINGS {
        let p2 = f64::midpoint(low, high);
        let p1 = r * p2 + d;
        let slope = r * (part(own.k, p1) - part(own.n - own.k, 1.0 - p1)) + part(other.k, p2)
            - part(other.n - other.k, 1.0 - p2);
        if slope > 0.0 { low = p2 } else { high = p2 }
    }
    let p2 = f64::midpoint(low, high);
    ((r * p2 + d).clamp(0.0, 1.0), p2)
}

/// The standard normal quantile that is exceeded with chance `alpha`, 0 < `alpha` ≤ ½.
pub(super) fn exceeded_with(alpha: f64) -> f64 {
    let (mut low, mut high) = (0.0, 40.0);
    for _ in 0..HALVINGS {
        let z: f64 = f64::midpoint(low, high);
        if libm::erfc(z / std::f64::consts::SQRT_2) / 2.0 > alpha { low = z } else { high = z }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The interval of the difference that the test makes: the margins that are just not rejected.
    fn interval((x1, n1): (f64, f64), (x2, n2): (f64, f64), ratio: bool) -> (f64, f64) {
        let z = exceeded_with(0.025);
        let (own, other) = (Sampled { n: n1, k: x1 }, Sampled { n: n2, k: x2 });
        let margin = |value: f64| {
            if ratio { Affine { factor: value, offset: 0.0 } } else { Affine { factor: 1.0, offset: value } }
        };
        let (least, most) = if ratio { (1e-6, 1e6) } else { (-1.0, 1.0) };
        let solve = |wanted: f64| {
            let (mut low, mut high): (f64, f64) = (least, most);
            for _ in 0..200 {
                let middle: f64 = if ratio { (low * high).sqrt() } else { f64::midpoint(low, high) };
                if score(own, other, margin(middle)) > wanted { low = middle } else { high = middle }
            }
            low
        };
        (solve(z), solve(-z))
    }

    #[test]
    fn intervals_of_differences_equal_published_ones() {
        // Newcombe, Statistics in Medicine 17: 873-890 (1998), table II, method 4 (Miettinen and Nurminen).
        for ((x1, n1), (x2, n2), low, high) in [
            ((56.0, 70.0), (48.0, 80.0), 0.0528, 0.3382),
            ((9.0, 10.0), (3.0, 10.0), 0.1700, 0.8406),
            ((10.0, 10.0), (0.0, 20.0), 0.7156, 1.0000),
            ((10.0, 10.0), (0.0, 10.0), 0.6636, 1.0000),
        ] {
            let (l, h) = interval((x1, n1), (x2, n2), false);
            assert!((l - low).abs() < 2e-3 && (h - high).abs() < 2e-3, "{x1}/{n1} - {x2}/{n2}: {l} {h}");
        }
    }

    #[test]
    fn the_likeliest_shares_are_those_of_the_closed_forms() {
        // The ratio's closed form: a root of a p² + b p + c with a = NR, b = −(R n₁ + x₁ + n₂ + R x₂), c = x₁ + x₂.
        for (x1, n1, x2, n2, r) in
            [(12.0, 400.0, 7.0, 300.0, 1.2), (0.0, 50.0, 3.0, 80.0, 1.0), (30.0, 100.0, 10.0, 100.0, 2.0)]
        {
            let (a, b, c): (f64, f64, f64) = ((n1 + n2) * r, -(r * n1 + x1 + n2 + r * x2), x1 + x2);
            let p2 = (-b - (b * b - 4.0 * a * c).sqrt()) / (2.0 * a);
            let (own, other) = (Sampled { n: n1, k: x1 }, Sampled { n: n2, k: x2 });
            let (q1, q2) = likeliest(own, other, Affine { factor: r, offset: 0.0 });
            assert!((q2 - p2).abs() < 1e-12 && (q1 - r * p2).abs() < 1e-12, "{x1}/{n1} {x2}/{n2}: {q2} {p2}");
        }
        // The difference's, a root of a cubic (appendix of the paper).
        for (x1, n1, x2, n2, d) in [(12.0, 400.0, 7.0, 300.0, 0.005), (5.0, 90.0, 9.0, 120.0, -0.02)] {
            let (p1, p2, t): (f64, f64, f64) = (x1 / n1, x2 / n2, n2 / n1);
            let (a, b) = (1.0 + t, -(1.0 + t + p1 + t * p2 + d * (t + 2.0)));
            let (c, e) = (d * d + d * (2.0 * p1 + t + 1.0) + p1 + t * p2, -p1 * d * (1.0 + d));
            let v = b.powi(3) / (3.0 * a).powi(3) - b * c / (6.0 * a * a) + e / (2.0 * a);
            let u = v.signum() * (b * b / (3.0 * a).powi(2) - c / (3.0 * a)).sqrt();
            let w = (std::f64::consts::PI + (v / u.powi(3)).acos()) / 3.0;
            let root = 2.0 * u * w.cos() - b / (3.0 * a);
            let (q1, _) =
                likeliest(Sampled { n: n1, k: x1 }, Sampled { n: n2, k: x2 }, Affine { factor: 1.0, offset: d });
            assert!((q1 - root).abs() < 1e-12, "{q1} {root}");
        }
    }

    #[test]
    fn a_ratio_of_equal_shares_is_one_and_its_interval_holds_it() {
        let (low, high) = interval((20.0, 1000.0), (20.0, 1000.0), true);
        assert!((low * high - 1.0).abs() < 1e-6 && low < 0.6 && low > 0.5, "{low}..{high}");
    }

    #[test]
    fn normal_quantiles_are_those_of_the_tables() {
        for (alpha, z) in [(0.05, 1.644_853_627), (0.025, 1.959_963_985), (0.001, 3.090_232_306), (0.5, 0.0)] {
            assert!((exceeded_with(alpha) - z).abs() < 1e-9, "{alpha}");
        }
    }

    #[test]
    fn nothing_against_nothing_is_no_difference() {
        let none = Sampled { n: 100.0, k: 0.0 };
        let all = Sampled { n: 100.0, k: 100.0 };
        let same = Affine { factor: 1.0, offset: 0.0 };
        assert_eq!(score(none, none, same), 0.0);
        assert_eq!(score(all, all, same), 0.0);
        assert!(score(all, none, same) > 10.0 && score(none, all, same) < -10.0);
        assert!(score(none, none, Affine { factor: 1.0, offset: 0.05 }) < -2.0);
    }
}
