//! Draws that are the same in every run.

/// Steele, Lea and Flood's SplitMix64: enough for draws that nobody attacks.
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    /// Draws of one seed; neighbouring seeds have nothing in common.
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0xD134_2543_DE82_EF95))
    }

    /// Uniform in [0, 1).
    pub(crate) fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        (mixed >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// How many of `n` requests are bad, each with the same chance: the distribution, for many draws.
#[derive(Clone, Debug)]
pub(crate) struct Binomial {
    /// P[X ≤ i].
    below: Vec<f64>,
}

impl Binomial {
    /// Of `n` requests, each bad with the chance `p`, which must leave P[X = 0] above zero.
    pub(crate) fn new(n: u32, p: f64) -> Self {
        let mut term = (1.0 - p).powi(n as i32);
        let mut sum = term;
        let mut below = vec![sum];
        for k in 1..=n {
            term *= f64::from(n - k + 1) / f64::from(k) * p / (1.0 - p);
            sum += term;
            below.push(sum);
        }
        Self { below }
    }

    /// One draw.
    pub(crate) fn draw(&self, dice: &mut Dice) -> u64 {
        let at = dice.uniform();
        self.below.iter().take_while(|below| **below <= at).count().min(self.below.len() - 1) as u64
    }
}
