//! How much worse than a reference is still allowed: `+10%`, `*1.2`, `+max(10%,20ms)`, `+0.5pp`.

use super::clause::{Margin, Offset};
use super::unit::{Quantity, Unit};

/// factor · x + offset, in base units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Affine {
    pub(super) factor: f64,
    pub(super) offset: f64,
}

impl Affine {
    /// Neither more nor less.
    const NONE: Self = Self { factor: 1.0, offset: 0.0 };

    /// At most or at least the reference itself, more or less by `quantity`.
    fn by(quantity: Quantity, sign: f64) -> Self {
        let amount = sign * quantity.in_base_units().as_f64();
        match quantity.unit {
            Some(Unit::Percent) => Self { factor: (1.0 + amount).max(0.0), ..Self::NONE },
            _ => Self { offset: amount, ..Self::NONE },
        }
    }

    fn of(self, reference: f64) -> f64 {
        (self.factor * reference + self.offset).max(0.0)
    }
}

/// One allowance, or the looser of two. What it makes of a reference grows with the reference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Allowance {
    pub(super) either: [Affine; 2],
    /// Whether the clause sets an upper limit: the looser allowance is then the greater one.
    pub(super) upper: bool,
}

impl Allowance {
    pub(super) fn new(offset: Option<Offset>, upper: bool) -> Self {
        let of = |margin: Margin, sign: f64| match margin {
            Margin::One(quantity) => [Affine::by(quantity, sign); 2],
            Margin::Max(one, other) => [Affine::by(one, sign), Affine::by(other, sign)],
        };
        let either = match offset {
            None => [Affine::NONE; 2],
            Some(Offset::Plus(margin)) => of(margin, 1.0),
            Some(Offset::Minus(margin)) => of(margin, -1.0),
            Some(Offset::Times(factor)) => [Affine { factor: factor.as_f64(), ..Affine::NONE }; 2],
        };
        Self { either, upper }
    }

    /// The bound that a reference of this value makes.
    pub(super) fn bound(self, reference: f64) -> f64 {
        let [one, other] = self.either.map(|affine| affine.of(reference));
        if self.upper { one.max(other) } else { one.min(other) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Bound, parse};
    use super::*;

    fn allowance(text: &str) -> Allowance {
        let clause = parse(text).unwrap().clauses.remove(0);
        let Bound::Relative { offset, .. } = clause.bound else { panic!("{text} has a reference") };
        Allowance::new(offset, clause.comparison.is_upper())
    }

    #[test]
    fn of_two_allowances_the_looser_counts() {
        for (text, reference, bound) in [
            ("p95<=primary", 100e6, 100e6),
            ("p95<=primary+10%", 100e6, 110e6),
            ("p95<=primary*1.2", 100e6, 120e6),
            ("p95<=primary+max(10%,20ms)", 100e6, 120e6),
            ("p95<=primary+max(10%,20ms)", 400e6, 440e6),
            ("p95<=primary+max(20ms,10%)", 2e6, 22e6),
            ("p95<=primary-10%", 100e6, 90e6),
            ("p95<=primary-max(10%,20ms)", 100e6, 90e6),
            ("p95<=primary-120%", 100e6, 0.0),
            ("p95<=primary-200ms", 100e6, 0.0),
            ("size.p50>=primary-max(10%,20B)", 100.0, 80.0),
            ("size.p50>=primary-max(10%,20B)", 1000.0, 900.0),
            ("errors<=primary+0.5pp", 0.01, 0.015),
            ("success>=primary-0.5pp", 0.99, 0.985),
            ("success>=primary*0.9", 1.0, 0.9),
        ] {
            let got = allowance(text).bound(reference);
            assert!((got - bound).abs() <= 1e-9 * bound.max(1.0), "{text} of {reference}: {got}");
        }
    }
}
