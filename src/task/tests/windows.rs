//! Which seconds a call judges.

use super::super::{Kind, Role};
use super::*;

fn windowed(window: u64) -> Call {
    let order = Order { window: Some(Duration::from_secs(window)), ..call(Role::Rollout).order };
    Call { order, ..call(Role::Rollout) }
}

fn lasting(duration: &'static str) -> Call {
    let order = Order { plan: Some(plan(CANARY_URL, &[(Id::Duration, duration)])), ..call(Role::Rollout).order };
    Call { order, ..call(Role::Rollout) }
}

#[tokio::test(start_paused = true)]
async fn much_good_load_of_old_does_not_hide_what_is_bad_now() {
    // Ten minutes are good; then one request in ten fails. Over everything so far that is 1 % at 11:06.
    let scene = Scene::new(|_, second| bad(if second < 600 { 0 } else { 2 }));
    let call = lasting("30m");
    scene.ask(&call).await;
    for minute in 1..=10 {
        at(&scene, f64::from(minute) * 60.0).await;
        assert_eq!(scene.kind(&call).await, Kind::Pass, "minute {minute}");
    }
    at(&scene, 615.0).await;
    let answer = scene.ask(&call).await;
    assert_eq!((answer.kind, answer.seconds), (Kind::Fail, 15), "{}", answer.text);
}

#[tokio::test(start_paused = true)]
async fn what_was_bad_before_the_last_call_is_not_held_against_the_canary_again() {
    let scene = Scene::new(|_, second| bad(if second < 30 { 5 } else { 0 }));
    let call = lasting("30m");
    assert_eq!(scene.kind(&call).await, Kind::Fail);
    at(&scene, 30.0).await;
    assert_eq!(scene.kind(&call).await, Kind::Fail);
    at(&scene, 60.0).await;
    let answer = scene.ask(&call).await;
    assert_eq!((answer.kind, answer.seconds), (Kind::Pass, 30), "{}", answer.text);
}

#[tokio::test(start_paused = true)]
async fn retries_and_a_stray_curl_see_the_same_window_and_consume_nothing() {
    let scene = Scene::new(|_, second| bad(if second == 20 { 20 } else { 0 }));
    let call = lasting("30m");
    scene.ask(&call).await;
    at(&scene, 30.0).await;
    for (time, why) in [(30.0, "the hook"), (30.5, "a retry"), (32.0, "a curl"), (37.5, "another one")] {
        at(&scene, time).await;
        let answer = scene.ask(&call).await;
        assert_eq!(answer.kind, Kind::Fail, "{why}: {}", answer.text);
        assert_eq!(answer.seconds, time.ceil() as u64, "{why}");
    }
    at(&scene, 40.0).await;
    let next = scene.ask(&call).await;
    assert_eq!((next.kind, next.seconds), (Kind::Pass, 10), "the next tick sees what came since 0:30: {}", next.text);
}

#[tokio::test(start_paused = true)]
async fn seconds_without_load_do_not_count() {
    // interval 2m with -z 1m: the call at 2:00 judges the minute that ran.
    let scene = Scene::new(|load, _| bad(usize::from(load == 1) as u64 * 3));
    let call = call(Role::Rollout);
    scene.ask(&call).await;
    at(&scene, 120.0).await;
    let second = scene.ask(&call).await;
    assert_eq!((second.kind, second.seconds, scene.loads()), (Kind::Pass, 60, 2), "{}", second.text);
    at(&scene, 240.0).await;
    let third = scene.ask(&call).await;
    assert_eq!((third.kind, third.seconds, scene.loads()), (Kind::Fail, 60, 3), "{}", third.text);
    assert_eq!(third.verdict.unwrap().findings[0].n, 1200);
}

#[tokio::test(start_paused = true)]
async fn nothing_starts_again_by_itself() {
    let scene = Scene::new(|_, _| bad(0));
    scene.ask(&call(Role::Rollout)).await;
    at(&scene, 3600.0).await;
    scene.board.expire();
    assert_eq!((scene.loads(), scene.running()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_window_with_too_little_reaches_back_for_its_minimum_and_no_further() {
    // One request a second: the ten seconds between two calls hold a tenth of what success>=99% needs.
    let slow = |bad: bool| Second { good: u64::from(!bad), bad: u64::from(bad), ..Second::default() };
    let scene = Scene::new(move |_, second| slow(second < 5));
    let call = lasting("30m");
    scene.ask(&call).await;
    for tick in 1..=10 {
        at(&scene, f64::from(tick) * 10.0).await;
        scene.ask(&call).await;
    }
    at(&scene, 110.0).await;
    let answer = scene.ask(&call).await;
    assert_eq!((answer.kind, answer.seconds), (Kind::Pass, 100), "{}", answer.text);
}

#[tokio::test(start_paused = true)]
async fn a_window_reaches_back_across_loads_of_the_run_where_one_is_too_small() {
    let scene = Scene::new(|_, _| bad(0));
    let call = lasting("3s");
    assert_eq!(scene.kind(&call).await, Kind::Measuring);
    at(&scene, 20.0).await;
    let answer = scene.ask(&call).await;
    assert_eq!((answer.kind, scene.loads()), (Kind::Pass, 2), "{}", answer.text);
    assert_eq!(answer.verdict.unwrap().findings[0].n, 100, "three seconds of the first load, two of the second");
    assert_eq!(scene.board.now(), Duration::from_secs(22), "it has waited for them");
}

#[tokio::test(start_paused = true)]
async fn a_window_of_a_fixed_length_is_not_extended() {
    let scene = Scene::new(|_, second| bad(if second < 50 { 20 } else { 0 }));
    let wide = lasting("30m");
    scene.ask(&wide).await;
    at(&scene, 60.0).await;
    let order = Order { plan: wide.order.plan.clone(), ..windowed(10).order };
    let ten = Call { order, ..windowed(10) };
    let answer = scene.ask(&ten).await;
    assert_eq!((answer.kind, answer.seconds), (Kind::Pass, 10), "{}", answer.text);
    let order = Order { plan: wide.order.plan.clone(), wait: Some(Duration::ZERO), ..windowed(3).order };
    let three = Call { order, ..windowed(3) };
    let answer = scene.ask(&three).await;
    assert_eq!((answer.kind, answer.seconds), (Kind::NotYet, 3), "60 of 100 requests: {}", answer.text);
    assert_eq!(scene.loads(), 1, "all of them share one load");
}

#[tokio::test(start_paused = true)]
async fn ten_minutes_of_load_are_the_most_that_is_judged() {
    let scene = Scene::new(|_, second| bad(if second < 100 { 20 } else { 0 }));
    let call = lasting("30m");
    scene.ask(&call).await;
    at(&scene, 900.0).await;
    let answer = scene.ask(&call).await;
    assert_eq!((answer.kind, answer.seconds), (Kind::Pass, 600), "{}", answer.text);
}

#[tokio::test(start_paused = true)]
async fn equal_plans_share_one_load_whichever_hooks_ask() {
    let scene = Scene::new(|_, _| bad(0));
    scene.ask(&call(Role::Rollout)).await;
    let mut other = call(Role::Rollout);
    other.order.objective = Some(objective("p99<1s"));
    other.order.window = Some(Duration::from_secs(20));
    other.order.wait = Some(Duration::from_secs(1));
    scene.ask(&other).await;
    scene.ask(&call(Role::Confirm)).await;
    scene.ask(&call(Role::Rollback)).await;
    assert_eq!(scene.loads(), 1, "objective, window, wait and path are not part of the plan");
    let mut elsewhere = call(Role::Rollout);
    elsewhere.order.plan = Some(plan("http://podinfo-canary.test:9898/other", &[]));
    scene.ask(&elsewhere).await;
    let mut faster = call(Role::Rollout);
    faster.order.plan = Some(plan(CANARY_URL, &[(Id::Rate, "21/s")]));
    scene.ask(&faster).await;
    assert_eq!(scene.loads(), 3, "target, request and schedule are");
    at(&scene, 75.0).await;
    scene.ask(&call(Role::PreRollout)).await;
    assert_eq!(scene.loads(), 4, "it is over, so the next call starts it again");
}

#[tokio::test(start_paused = true)]
async fn calls_at_the_same_moment_start_one_load() {
    let scene = Scene::new(|_, _| bad(0));
    let (call, other) = (call(Role::Rollout), call(Role::PreRollout));
    let answers = tokio::join!(scene.ask(&call), scene.ask(&call), scene.ask(&other));
    assert_eq!(scene.loads(), 1);
    let free = [&answers.0, &answers.1].into_iter().filter(|answer| answer.kind == Kind::Measuring).count();
    assert_eq!(free, 1, "and one of them goes on for now: {answers:?}");
}

#[tokio::test(start_paused = true)]
async fn requests_that_hang_are_a_fail_and_not_a_silence() {
    let hung = Second { pending: 20, ..Second::default() };
    let scene = Scene::new(move |_, second| if second < 3 { bad(0) } else { hung });
    let call = lasting("30m");
    scene.ask(&call).await;
    at(&scene, 13.0).await;
    let answer = scene.ask(&call).await;
    assert_eq!(answer.kind, Kind::Fail, "60 answered, 200 hang: {}", answer.text);
}
