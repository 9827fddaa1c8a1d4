use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::ToPrimitive;
use proptest::prelude::*;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn rate(text: &str) -> Rate {
    text.parse().unwrap()
}

fn steady(text: &str, count: Option<u64>, duration: Option<Duration>, warmup: Duration) -> Schedule {
    Schedule { arrivals: Arrivals::Steady(rate(text)), stop: Stop { count, duration }, warmup }
}

fn staged(stages: &[(u64, &str, &str)]) -> Schedule {
    let stages = stages
        .iter()
        .map(|(seconds, from, to)| Stage { duration: SECOND * *seconds as u32, from: rate(from), to: rate(to) })
        .collect();
    Schedule { arrivals: Arrivals::Stages(stages), stop: Stop { count: None, duration: None }, warmup: Duration::ZERO }
}

/// Every due of a schedule that ends.
fn all(schedule: &Schedule) -> Vec<Duration> {
    (0..).map_while(|i| schedule.due(i)).collect()
}

/// Arrivals by `t` nanoseconds, in rational arithmetic, written from the definition and not from the code above.
fn integral(stages: &[Stage], t: u64) -> BigRational {
    let big = |n: u64| BigRational::from_integer(BigInt::from(n));
    let (mut sum, mut left) = (big(0), t);
    for stage in stages {
        let length = stage.duration.as_nanos() as u64;
        let here = length.min(left);
        left -= here;
        let (a, b) = (big(stage.from.micro_per_second), big(stage.to.micro_per_second));
        let rate_here = &a + (&b - &a) * big(here) / big(length.max(1));
        sum += (a + rate_here) * big(here) / big(2_000_000_000_000_000);
    }
    sum
}

#[test]
fn ten_a_second_on_two_lanes_for_ten_seconds_are_exactly_200() {
    let schedule = steady("20/s", None, Some(10 * SECOND), Duration::ZERO);
    let dues = all(&schedule);
    assert_eq!(dues.len(), 200);
    assert_eq!(dues[0], Duration::from_millis(50), "one interval after the start");
    assert_eq!(dues[199], 10 * SECOND, "the last one exactly at the end");
    assert_eq!((schedule.total(), schedule.end()), (Some(200), Some(10 * SECOND)));
    assert_eq!(schedule.due(200), None);
}

#[test]
fn a_count_and_a_duration_end_whichever_comes_first() {
    for (count, seconds, total, end_ms, why) in [
        (Some(5), None, 5, 500, "the count alone: ends with its last due"),
        (Some(5), Some(10), 5, 500, "the count is reached first"),
        (Some(500), Some(10), 100, 10_000, "the time is up first"),
        (Some(100), Some(10), 100, 10_000, "both at once"),
        (Some(0), Some(10), 0, 0, "nothing to send"),
        (None, Some(0), 0, 0, "no time to send it in"),
    ] {
        let schedule = steady("10/s", count, seconds.map(Duration::from_secs), Duration::ZERO);
        assert_eq!(schedule.total(), Some(total), "{why}");
        assert_eq!(all(&schedule).len() as u64, total, "{why}");
        assert_eq!(schedule.end(), Some(Duration::from_millis(end_ms)), "{why}");
    }
}

#[test]
fn without_an_end_the_dues_go_on() {
    let schedule = steady("10/s", None, None, Duration::ZERO);
    assert_eq!((schedule.total(), schedule.end()), (None, None));
    assert_eq!(schedule.due(9_999_999), Some(1_000_000 * SECOND));
}

#[test]
fn a_warm_up_comes_first_and_does_not_change_the_judged_count() {
    // 2.5/s for 1 s of warm-up: two requests, then the judged part starts afresh at 1 s.
    let schedule = steady("2.5/s", Some(3), None, SECOND);
    let dues: Vec<u128> = all(&schedule).iter().map(Duration::as_millis).collect();
    assert_eq!(dues, [400, 800, 1400, 1800, 2200]);
    let judged: Vec<bool> = all(&schedule).iter().map(|due| schedule.is_judged(*due)).collect();
    assert_eq!(judged, [false, false, true, true, true]);
    assert_eq!((schedule.warmup_total(), schedule.total()), (2, Some(3)));
    assert_eq!(schedule.end(), Some(Duration::from_millis(2200)));
}

#[test]
fn a_request_due_exactly_when_the_warm_up_ends_belongs_to_it() {
    let schedule = steady("10/s", None, Some(SECOND), SECOND);
    assert_eq!(schedule.due(9), Some(SECOND));
    assert!(!schedule.is_judged(SECOND));
    assert!(schedule.is_judged(SECOND + Duration::from_nanos(1)));
    assert_eq!(all(&schedule).len(), 20);
}

#[test]
fn a_closed_loop_has_no_dues_but_may_have_an_end() {
    let closed = |count, duration| Schedule {
        arrivals: Arrivals::Closed,
        stop: Stop { count, duration },
        warmup: Duration::from_secs(2),
    };
    let counted = closed(Some(200), None);
    assert_eq!((counted.due(0), counted.total(), counted.end()), (None, Some(200), None));
    assert_eq!(counted.dues(0, 1).next(), None);
    assert_eq!((counted.peak_rate(), counted.mean_rate(), counted.warmup_total()), (None, None, 0));
    let timed = closed(None, Some(3 * SECOND));
    assert_eq!((timed.total(), timed.end()), (None, Some(5 * SECOND)));
    let cold = Schedule { warmup: Duration::ZERO, ..timed };
    assert!(cold.is_judged(Duration::ZERO), "without a warm-up even the first instant is judged");
}

#[test]
fn steady_stages_follow_one_another() {
    let schedule = staged(&[(2, "10/s", "10/s"), (3, "100/s", "100/s")]);
    let dues = all(&schedule);
    assert_eq!((dues.len(), schedule.total()), (320, Some(320)));
    assert_eq!((dues[19], dues[20]), (2 * SECOND, Duration::from_millis(2010)));
    assert_eq!(dues[319], 5 * SECOND);
    assert_eq!(schedule.peak_rate(), Some(rate("100/s")));
    assert_eq!(schedule.mean_rate(), Some(rate("64/s")));
}

#[test]
fn a_ramp_has_the_area_under_it() {
    let up = staged(&[(10, "1/s", "99/s")]);
    assert_eq!((up.total(), up.mean_rate(), up.peak_rate()), (Some(500), Some(rate("50/s")), Some(rate("99/s"))));
    let down = staged(&[(10, "99/s", "1/s")]);
    assert_eq!(down.total(), Some(500));
    // The root of t + 4.9 t² = 1, (√20.6 − 1) / 9.8 s, and its mirror image.
    assert_eq!(up.due(0), Some(Duration::from_nanos(361_094_111)));
    assert_eq!(down.due(499), Some(10 * SECOND));
    assert_eq!(down.due(498), Some(Duration::from_nanos(10_000_000_000 - 361_094_110)));
}

#[test]
fn a_stop_cuts_stages_short() {
    let mut schedule = staged(&[(10, "0.000001/s", "20/s"), (10, "20/s", "20/s")]);
    assert_eq!(schedule.total(), Some(300));
    schedule.stop.duration = Some(5 * SECOND);
    assert_eq!((schedule.total(), schedule.end()), (Some(25), Some(5 * SECOND)));
    schedule.stop = Stop { count: Some(150), duration: None };
    assert_eq!(schedule.total(), Some(150));
    assert_eq!(schedule.end(), schedule.due(149));
    schedule.stop = Stop { count: Some(999), duration: None };
    assert_eq!((schedule.total(), schedule.end()), (Some(300), Some(20 * SECOND)));
}

#[test]
fn stages_warm_up_at_the_first_rate() {
    let mut schedule = staged(&[(1, "10/s", "30/s")]);
    schedule.warmup = 2 * SECOND;
    assert_eq!((schedule.warmup_total(), schedule.total()), (20, Some(20)));
    assert_eq!(schedule.due(19), Some(2 * SECOND));
    assert_eq!(schedule.due(39), Some(3 * SECOND));
    assert_eq!(schedule.due(40), None);
}

#[test]
fn extremes_neither_overflow_nor_panic() {
    let ages = Duration::MAX;
    let fastest = Rate { micro_per_second: u64::MAX };
    let slowest = Rate { micro_per_second: 1 };
    let ramp = |from, to| Schedule {
        arrivals: Arrivals::Stages(vec![Stage { duration: ages, from, to }, Stage { duration: ages, from: to, to }]),
        stop: Stop { count: None, duration: None },
        warmup: ages,
    };
    for schedule in [ramp(slowest, fastest), ramp(fastest, slowest), ramp(fastest, fastest), ramp(slowest, slowest)] {
        for i in [0, 1, 1 << 32, u64::MAX - 1, u64::MAX] {
            let _ = schedule.due(i);
            let _ = schedule.dues(i, u64::MAX).take(3).count();
        }
        let _ = (schedule.total(), schedule.end(), schedule.mean_rate(), schedule.peak_rate());
    }
    let none =
        Schedule { arrivals: Arrivals::Stages(Vec::new()), stop: Stop { count: None, duration: None }, warmup: ages };
    assert_eq!((none.due(0), none.total(), none.mean_rate(), none.peak_rate()), (None, Some(0), None, None));
}

/// A stage of up to two seconds, with rates from one in a thousand seconds to 2 000 a second.
fn any_stage() -> impl Strategy<Value = Stage> {
    let any_rate = || prop_oneof![1_000_u64..2_000_000_000, (1_u64..2_000).prop_map(|n| n * 1_000_000)];
    (1_u64..2_000_000_000, any_rate(), any_rate(), any::<bool>()).prop_map(|(length, from, to, steady)| Stage {
        duration: Duration::from_nanos(length),
        from: Rate { micro_per_second: from },
        to: Rate { micro_per_second: if steady { from } else { to } },
    })
}

fn any_schedule() -> impl Strategy<Value = Schedule> {
    let arrivals = prop_oneof![
        (1_000_u64..2_000_000_000).prop_map(|micro| Arrivals::Steady(Rate { micro_per_second: micro })),
        prop::collection::vec(any_stage(), 1..4).prop_map(Arrivals::Stages),
    ];
    let stop = (prop::option::of(0_u64..3_000), 0_u64..4_000_000_000);
    (arrivals, stop, prop_oneof![Just(0_u64), 0_u64..1_000_000_000]).prop_map(|(arrivals, (count, length), warmup)| {
        Schedule {
            arrivals,
            stop: Stop { count, duration: Some(Duration::from_nanos(length)) },
            warmup: Duration::from_nanos(warmup),
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn as_many_are_due_in_a_time_as_the_rate_times_the_time_rounded_down(
        micro in 1_u64..Rate::MAX.micro_per_second,
        length in 0_u64..1_000_000_000_000_000,
    ) {
        let schedule = Schedule {
            arrivals: Arrivals::Steady(Rate { micro_per_second: micro }),
            stop: Stop { count: None, duration: Some(Duration::from_nanos(length)) },
            warmup: Duration::ZERO,
        };
        let expected = (BigInt::from(micro) * BigInt::from(length) / BigInt::from(10_u64.pow(15))).to_u64().unwrap();
        prop_assert_eq!(schedule.total(), Some(expected));
        if let Some(last) = expected.checked_sub(1) {
            prop_assert!(schedule.due(last).unwrap() <= Duration::from_nanos(length));
        }
        prop_assert_eq!(schedule.due(expected), None);
    }

    #[test]
    fn dues_never_decrease_and_are_as_many_as_promised(schedule in any_schedule()) {
        let dues = all(&schedule);
        prop_assert!(dues.windows(2).all(|pair| pair[0] <= pair[1]));
        let judged = dues.iter().filter(|due| schedule.is_judged(**due)).count() as u64;
        prop_assert_eq!(Some(judged), schedule.total());
        prop_assert_eq!(dues.len() as u64 - judged, schedule.warmup_total());
        let end = schedule.end().unwrap();
        prop_assert!(dues.iter().all(|due| *due <= end));
    }

    #[test]
    fn the_workers_dues_together_are_the_whole(schedule in any_schedule(), workers in 1_u64..7) {
        let whole: Vec<(u64, Duration)> = (0..).zip(all(&schedule)).collect();
        let mut shared = Vec::new();
        for worker in 0..workers {
            let own: Vec<_> = schedule.dues(worker, workers).collect();
            prop_assert!(own.iter().all(|(i, _)| i % workers == worker));
            prop_assert!(own.windows(2).all(|pair| pair[0] < pair[1]));
            shared.extend(own);
        }
        shared.sort_unstable();
        prop_assert_eq!(shared, whole);
    }

    #[test]
    fn stages_count_the_area_under_them(stages in prop::collection::vec(any_stage(), 1..5)) {
        let whole: Duration = stages.iter().map(|stage| stage.duration).sum();
        let area = integral(&stages, whole.as_nanos() as u64);
        let stop = Stop { count: None, duration: None };
        let schedule = Schedule { arrivals: Arrivals::Stages(stages), stop, warmup: Duration::ZERO };
        prop_assert_eq!(schedule.total(), area.floor().to_u64());
        prop_assert_eq!(schedule.end(), Some(whole));
    }

    #[test]
    fn each_due_is_the_first_nanosecond_that_reaches_it(
        stages in prop::collection::vec(any_stage(), 1..4),
        pick in any::<prop::sample::Index>(),
    ) {
        let stop = Stop { count: None, duration: None };
        let schedule = Schedule { arrivals: Arrivals::Stages(stages.clone()), stop, warmup: Duration::ZERO };
        let total = schedule.total().unwrap();
        prop_assume!(total > 0);
        let i = pick.index(total as usize) as u64;
        let due = schedule.due(i).unwrap().as_nanos() as u64;
        let reached = |t| integral(&stages, t) >= BigRational::from_integer(BigInt::from(i + 1));
        prop_assert!(reached(due) && !reached(due - 1), "request {} at {} ns", i, due);
    }

    #[test]
    fn a_slow_guess_changes_nothing(top in 1_u64..u64::MAX, guess in any::<u64>(), pick in any::<prop::sample::Index>()) {
        let least = 1 + pick.index((top - 1).max(1) as usize) as u64;
        let least = least.min(top);
        prop_assert_eq!(first_true(guess, top, |t| t >= least), least);
    }
}

fn paced(text: &str, lane: u64, lanes: u64) -> LaneDues {
    let stop = Stop { count: None, duration: None };
    let schedule = Schedule { arrivals: Arrivals::Paced(rate(text)), stop, warmup: Duration::ZERO };
    schedule.lane_dues(lane, lanes).expect("its lanes have times of their own")
}

#[test]
fn lanes_of_a_paced_loop_take_turns_through_the_dues_of_its_rate() {
    let schedule = steady("20/s", Some(9), None, Duration::ZERO);
    let mut lanes = [paced("20/s", 0, 3), paced("20/s", 1, 3), paced("20/s", 2, 3)];
    let mut now = Duration::ZERO;
    for due in all(&schedule).into_iter().enumerate() {
        let (i, due) = due;
        assert_eq!(lanes[i % 3].after(now), due, "{i}");
        now = due;
    }
    assert_eq!(schedule.lane_dues(0, 3), None, "an open loop's lanes have none");
}

#[test]
fn a_lane_that_was_held_makes_up_one_request_and_no_more() {
    let ms = Duration::from_millis;
    let mut lane = paced("10/s", 0, 1);
    assert_eq!(lane.after(ms(0)), ms(100));
    assert_eq!(lane.after(ms(150)), ms(200), "free in time");
    assert_eq!(lane.after(ms(200)), ms(300), "free as its last one fell due");
    assert_eq!(lane.after(ms(555)), ms(500), "400 is lost, 500 is still good, and at once");
    assert_eq!(lane.after(ms(560)), ms(600), "then the times go on as they were");
    assert_eq!(lane.after(ms(600)), ms(700));
    assert_eq!(lane.after(ms(700)), ms(800));
    assert_eq!(lane.after(ms(800)), ms(900), "on the very time: that one is used");
}

#[test]
fn a_paced_loop_is_closed_and_has_the_rate_that_it_can_reach() {
    let stop = Stop { count: None, duration: Some(SECOND) };
    let schedule = Schedule { arrivals: Arrivals::Paced(rate("20/s")), stop, warmup: Duration::ZERO };
    assert!(schedule.is_closed() && !steady("20/s", None, None, Duration::ZERO).is_closed());
    assert_eq!((schedule.peak_rate(), schedule.mean_rate()), (Some(rate("20/s")), Some(rate("20/s"))));
    assert_eq!((schedule.total(), schedule.due(0), schedule.end()), (None, None, Some(SECOND)));
    assert_eq!(schedule.dues(0, 1).next(), None);
}
