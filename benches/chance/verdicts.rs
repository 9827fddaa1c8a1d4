//! Single verdicts on shares of failures that are drawn, beside the check that other tools make: the bound put to the number.

use std::collections::BTreeMap;
use std::fmt;

use tollgate::slo::{self, Decision, Evidence, Line};
use tollgate::stats::{Reading, Set, Slices, StatusSet, Summary, Tally, Test};

use super::draw::{Binomial, Dice};

/// How failures come.
pub(crate) struct Truth {
    /// In words.
    pub(crate) name: &'static str,
    /// The share of requests that fail in the long run.
    share: f64,
    /// In how many of a hundred seconds all failures come; 100 for independent ones.
    bad_seconds: f64,
}

impl Truth {
    fn keeps(&self) -> bool {
        self.share <= 0.01
    }

    /// Whether failures of one second go together.
    pub(crate) fn is_in_bursts(&self) -> bool {
        self.bad_seconds < 100.0
    }

    /// What is right to say of a release like that.
    pub(crate) fn right(&self) -> &'static str {
        if self.keeps() { "pass" } else { "fail" }
    }
}

const fn steady(name: &'static str, share: f64) -> Truth {
    Truth { name, share, bad_seconds: 100.0 }
}

/// At the bound, and on both sides of it.
pub(crate) const TRUTHS: [Truth; 8] = [
    steady("0.5 %", 0.005),
    steady("1 %", 0.01),
    steady("1.5 %", 0.015),
    steady("2 %", 0.02),
    steady("5 %", 0.05),
    Truth { name: "0.5 % in bursts", share: 0.005, bad_seconds: 2.0 },
    Truth { name: "1 % in bursts", share: 0.01, bad_seconds: 4.0 },
    Truth { name: "2 % in bursts", share: 0.02, bad_seconds: 8.0 },
];

/// What is judged at once.
pub(crate) struct Load {
    /// In words.
    pub(crate) name: &'static str,
    rate: u32,
    seconds: u32,
}

/// Flagger's shortest interval, and the usual one at two rates.
pub(crate) const LOADS: [Load; 3] = [
    Load { name: "20/s for 10 s", rate: 20, seconds: 10 },
    Load { name: "20/s for 60 s", rate: 20, seconds: 60 },
    Load { name: "200/s for 60 s", rate: 200, seconds: 60 },
];

/// A way to judge.
pub(crate) struct Way {
    /// In words.
    pub(crate) name: &'static str,
    /// The objective; `None` for the bound put to the number.
    line: Option<&'static str>,
    /// The share of wrong verdicts that is promised; `None` for no promise.
    pub(crate) at_most: Option<f64>,
}

/// A threshold of hey's, oha's or k6's numbers, and ours without and with a confidence.
pub(crate) const LINES: [Way; 3] = [
    Way { name: "threshold (hey, oha, k6)", line: None, at_most: None },
    Way { name: "success>=99%", line: Some("success>=99%"), at_most: None },
    Way { name: "success>=99% @95%", line: Some("success>=99% @95%"), at_most: Some(0.05) },
];

/// Shares of verdicts.
#[derive(Default)]
pub(crate) struct Shares {
    pass: f64,
    fail: f64,
    open: f64,
}

impl Shares {
    /// The share of verdicts that are wrong; what is left open is not.
    pub(crate) fn wrong(&self, truth: &Truth) -> f64 {
        if truth.keeps() { self.fail } else { self.pass }
    }
}

impl fmt::Display for Shares {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [pass, fail, open] = [self.pass, self.fail, self.open].map(|share| share * 100.0);
        write!(f, "{pass:.1} / {fail:.1} / {open:.1}")
    }
}

/// What so many draws are judged.
pub(crate) fn count(way: &Way, truth: &Truth, load: &Load, seeds: u64) -> Shares {
    let chance = truth.share / (truth.bad_seconds / 100.0);
    let failures = Binomial::new(load.rate, chance);
    let line = way.line.map(|line| slo::parse(line).expect("the objectives here are sound"));
    let mut known = BTreeMap::new();
    let mut shares = Shares::default();
    let each = 1.0 / seeds as f64;
    for seed in 0..seeds {
        let mut dice = Dice::new(seed);
        let seconds = (0..load.seconds).map(|_| {
            let is_bad = !truth.is_in_bursts() || dice.uniform() * 100.0 < truth.bad_seconds;
            if is_bad { failures.draw(&mut dice) } else { 0 }
        });
        let failed: Vec<u64> = seconds.collect();
        // What is judged of a draw depends on how many fail in each second, in whatever order.
        let mut sorted = failed.clone();
        sorted.sort_unstable();
        let decision = *known.entry(sorted).or_insert_with(|| judged(line.as_ref(), u64::from(load.rate), &failed));
        match decision {
            Decision::Pass => shares.pass += each,
            Decision::Fail => shares.fail += each,
            _ => shares.open += each,
        }
    }
    shares
}

/// The verdict on so many failures second by second.
fn judged(line: Option<&Line>, rate: u64, failed: &[u64]) -> Decision {
    let (n, bad) = (rate * failed.len() as u64, failed.iter().sum::<u64>());
    let Some(line) = line else {
        return if bad * 100 <= n { Decision::Pass } else { Decision::Fail };
    };
    let measures = line.measures(StatusSet::default(), None);
    let mut summary = Summary { finished: n, succeeded: n - bad, reached: true, ..Summary::default() };
    summary.generator.scheduled = n;
    for (index, meter) in measures.meters.iter().enumerate() {
        debug_assert!(matches!(meter.test, Test::Share(Set::Success)), "the objectives here are of successes");
        summary.readings.push(Reading::Tally(Tally { n, k: n - bad, ..Tally::default() }));
        if meter.by_second {
            let rows = failed.iter().map(|failed| (rate, rate - failed)).collect();
            summary.by_second.insert(index, Slices::by_second(rows));
        }
    }
    slo::judge(line, &Evidence::of(&summary)).decision
}
