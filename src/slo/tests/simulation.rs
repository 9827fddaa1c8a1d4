//! How often each kind of clause passes and fails, by simulation: runs of which the truth is known, judged as any run is.
//! The seed is fixed; the bands are four standard errors of the simulation itself around what theory says.

use std::time::Duration;

use hdrhistogram::Histogram;

use super::super::*;
use crate::stats::{Distribution, Generator, Moments, Reading, Series, Slices, Summary, Tally};

/// A generator of random numbers that gives the same run every time (splitmix64).
struct Dice(u64);

impl Dice {
    /// Evenly in (0, 1).
    fn roll(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64 + f64::EPSILON / 4.0
    }

    /// Standard normal (Box and Muller).
    fn normal(&mut self) -> f64 {
        let (radius, angle) = ((-2.0 * self.roll().ln()).sqrt(), std::f64::consts::TAU * self.roll());
        radius * angle.cos()
    }
}

/// Shares of pass, inconclusive and fail over `runs` verdicts.
fn shares(runs: u32, mut verdict: impl FnMut() -> Decision) -> [f64; 3] {
    let mut counts = [0_u32; 3];
    for _ in 0..runs {
        counts[match verdict() {
            Decision::Pass => 0,
            Decision::Inconclusive => 1,
            Decision::Fail => 2,
            other => panic!("{other} has no place here"),
        }] += 1;
    }
    counts.map(|count| f64::from(count) / f64::from(runs))
}

/// Whether a share found in `runs` runs is one that is expected, known to two decimals.
fn fits(found: f64, expected: f64, runs: u32) -> bool {
    let spread = expected.clamp(0.005, 0.995);
    (found - expected).abs() <= 0.006 + 4.0 * (spread * (1.0 - spread) / f64::from(runs)).sqrt()
}

fn run(n: u64) -> Summary {
    Summary {
        wall: Duration::from_secs(60),
        finished: n,
        succeeded: n,
        reached: true,
        generator: Generator { scheduled: n, max_lanes: 64, ..Generator::default() },
        ..Summary::default()
    }
}

/// Requests of which each fails with chance `truth`.
fn failing(n: u64, truth: f64, dice: &mut Dice) -> Summary {
    let bad = (0..n).filter(|_| dice.roll() < truth).count() as u64;
    let readings = vec![Reading::Tally(Tally { n, k: n - bad, ..Tally::default() })];
    Summary { readings, succeeded: n - bad, ..run(n) }
}

#[test]
fn shares_pass_and_fail_as_often_as_the_table_says() {
    const RUNS: u32 = 400;
    let (point, at_95) = (parse("success>=99% min=1").unwrap(), parse("success>=99% @95 min=1").unwrap());
    let mut dice = Dice(1);
    for (n, truth, passes, three) in [
        (60, 0.001, 0.94, [0.0, 1.0, 0.0]),
        (300, 0.001, 1.0, [0.74, 0.26, 0.0]),
        (1200, 0.005, 0.99, [0.61, 0.39, 0.0]),
        (1200, 0.01, 0.58, [0.05, 0.92, 0.04]),
        (1200, 0.02, 0.01, [0.0, 0.13, 0.87]),
        (6000, 0.015, 0.0, [0.0, 0.04, 0.96]),
    ] {
        let measured = shares(RUNS, || judge(&point, &Evidence::of(&failing(n, truth, &mut dice))).decision);
        assert!(fits(measured[0], passes, RUNS), "n={n}, {truth}: {measured:?}");
        let tested = shares(RUNS, || judge(&at_95, &Evidence::of(&failing(n, truth, &mut dice))).decision);
        for (found, expected) in tested.iter().zip(three) {
            assert!(fits(*found, expected, RUNS), "n={n}, {truth}: {tested:?}");
        }
    }
}

/// Latencies around 10 ms, lognormal with σ = 0.6, each changed by `change`.
fn latencies(n: u64, dice: &mut Dice, change: impl Fn(f64, &mut Dice) -> f64) -> Summary {
    let (mut histogram, mut moments) = (Histogram::new(3).unwrap(), Moments::default());
    for _ in 0..n {
        let value = 10e6 * (0.6 * dice.normal()).exp();
        let value = change(value, dice).round() as u64;
        histogram.record(value).unwrap();
        moments.add(value);
    }
    let readings = vec![Reading::Moments(moments), Reading::Moments(moments)];
    let distribution = Distribution { histogram, beyond: 0, moments };
    let distributions = [(Series::Latency, distribution.clone()), (Series::Service, distribution)].into();
    Summary { readings, distributions, ..run(n) }
}

#[test]
fn quantiles_beside_the_primary_fail_as_often_as_the_table_says() {
    let line = parse("p99<=primary*1.1").unwrap();
    let mut dice = Dice(2);
    let slower = |factor: f64| move |value: f64, _: &mut Dice| value * factor;
    let tail = |value: f64, dice: &mut Dice| if dice.roll() < 0.05 { value + 200e6 } else { value };
    let mut found = |n: u64, runs: u32, change: &dyn Fn(f64, &mut Dice) -> f64| {
        let mut naive = 0_u32;
        let tested = shares(runs, || {
            let (canary, primary) = (latencies(n, &mut dice, change), latencies(n, &mut dice, slower(1.0)));
            let p99 = |summary: &Summary| summary.distributions[&Series::Latency].quantile(0.99).unwrap() as f64;
            naive += u32::from(p99(&canary) > 1.1 * p99(&primary));
            judge(&line, &Evidence { primary: Some(&primary), ..Evidence::of(&canary) }).decision
        });
        (f64::from(naive) / f64::from(runs), tested[2])
    };
    for (n, runs, change, point, most, least) in [
        (600, 120, &slower(1.0) as &dyn Fn(f64, &mut Dice) -> f64, 0.22, 0.01, 0.0),
        (1200, 120, &slower(1.0), 0.16, 0.01, 0.0),
        (1200, 240, &slower(1.1), 0.51, 0.03, 0.0),
        (1200, 60, &slower(1.5), 0.99, 1.0, 0.9),
        (600, 40, &tail, 1.0, 1.0, 1.0),
    ] {
        let (naive, fails) = found(n, runs, change);
        assert!(fits(naive, point, runs), "n={n}: the point comparison fails {naive}, not {point}");
        let error = |share: f64| 4.0 * (share * (1.0 - share) / f64::from(runs)).sqrt();
        assert!(fails <= most + error(most) && fails >= least - error(least), "n={n}: {fails}");
    }
}

#[test]
fn shares_beside_the_primary_fail_no_more_often_than_wanted_at_the_margin() {
    const RUNS: u32 = 400;
    let (line, at_95) = (parse("errors<=primary+1pp").unwrap(), parse("errors<=primary+1pp @95").unwrap());
    let mut dice = Dice(3);
    for (own, other, most_fails, least_fails) in
        [(0.01, 0.01, 0.005, 0.0), (0.011, 0.001, 0.06, 0.0), (0.03, 0.02, 0.06, 0.0), (0.06, 0.02, 1.0, 0.95)]
    {
        let mut judged = |line: &Line| {
            shares(RUNS, || {
                let side = |truth, dice: &mut Dice| {
                    let mut summary = failing(1200, truth, dice);
                    if let Reading::Tally(tally) = &mut summary.readings[0] {
                        tally.k = tally.n - tally.k;
                    }
                    summary
                };
                let (canary, primary) = (side(own, &mut dice), side(other, &mut dice));
                judge(line, &Evidence { primary: Some(&primary), ..Evidence::of(&canary) }).decision
            })
        };
        let [_, _, fails] = judged(&line);
        let error = 4.0 * (0.05_f64 * 0.95 / f64::from(RUNS)).sqrt();
        assert!(fails <= most_fails + error && fails >= least_fails - error, "{own} against {other}: {fails}");
        let [passes, _, fails] = judged(&at_95);
        let at_the_margin = own - other > 0.0099;
        assert!(!at_the_margin || passes <= 0.06 + error, "{own} against {other}: {passes} pass");
        assert!(fails <= most_fails + error, "{own} against {other}: {fails}");
    }
}

#[test]
fn bursts_that_fool_the_plain_test_do_not_fool_the_corrected_one() {
    const RUNS: u32 = 300;
    let line = parse("success>=99% @95").unwrap();
    let mut dice = Dice(4);
    // One second in twenty fails a fifth of its requests: 1 % over all, just at the bound.
    let mut run = |bursts: bool| {
        let rows: Vec<(u64, u64)> = (0..120)
            .map(|_| {
                let truth = if !bursts {
                    0.01
                } else if dice.roll() < 0.05 {
                    0.2
                } else {
                    0.0
                };
                (20, 20 - (0..20).filter(|_| dice.roll() < truth).count() as u64)
            })
            .collect();
        let (n, k) = rows.iter().fold((0, 0), |all, row| (all.0 + row.0, all.1 + row.1));
        let readings = vec![Reading::Tally(Tally { n, k, ..Tally::default() })];
        let by_second = [(0, Slices::by_second(rows))].into();
        Summary { readings, by_second, succeeded: k, ..super::simulation::run(n) }
    };
    let mut wrong = |bursts: bool, corrected: bool| {
        let [pass, _, fail] = shares(RUNS, || {
            let mut summary = run(bursts);
            if !corrected {
                summary.by_second.clear();
            }
            judge(&line, &Evidence::of(&summary)).decision
        });
        pass + fail
    };
    let (fooled, corrected, independent) = (wrong(true, false), wrong(true, true), wrong(false, true));
    assert!(fooled > 0.25, "{fooled} of the runs get a verdict from chance alone");
    assert!(corrected < fooled / 2.0, "{corrected} after the correction, {fooled} before");
    assert!(independent <= 0.1 + 4.0 * (0.09 / f64::from(RUNS)).sqrt(), "{independent}");
}
