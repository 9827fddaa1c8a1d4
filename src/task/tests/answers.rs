//! What each path may answer.

use super::super::{Budgets, Kind, Role};
use super::*;

fn short() -> Call {
    let order = Order { plan: Some(plan(CANARY_URL, &[(Id::Duration, "10s")])), ..call(Role::PreRollout).order };
    Call { order, ..call(Role::PreRollout) }
}

#[tokio::test(start_paused = true)]
async fn the_first_rollout_call_waits_and_lets_go_on_once() {
    let scene = Scene::new(|_, _| bad(0));
    let first = scene.ask(&call(Role::Rollout)).await;
    assert_eq!(first.kind, Kind::Measuring, "{}", first.text);
    assert_eq!(scene.board.now(), Duration::from_secs(4), "it has waited for something to be wrong");
    let second = scene.ask(&call(Role::Rollout)).await;
    assert_eq!(
        (second.kind, scene.board.now()),
        (Kind::Pass, Duration::from_secs_f64(5.0)),
        "as soon as 100 are there"
    );
}

#[tokio::test(start_paused = true)]
async fn too_little_evidence_goes_on_once_and_is_asked_again_from_then_on() {
    let thin = Second { good: 1, ..Second::default() };
    let scene = Scene::new(move |_, _| thin);
    assert_eq!(scene.kind(&call(Role::Rollout)).await, Kind::Measuring);
    let again = scene.ask(&call(Role::Rollout)).await;
    assert_eq!((again.kind, scene.board.now()), (Kind::NotYet, Duration::from_secs(8)), "it has waited again");
    assert!(again.text.starts_with("RETRY podinfo.test: "), "{}", again.text);
    let mut other = call(Role::Rollout);
    other.order.plan = Some(plan("http://podinfo-canary.test:9898/other", &[]));
    assert_eq!(scene.kind(&other).await, Kind::NotYet, "another load of the same run has no second one");
}

#[tokio::test(start_paused = true)]
async fn a_broken_canary_fails_within_the_first_call() {
    for (failing, kind, before, why) in [
        (20, Kind::Fail, 0.7, "all fail: ten answers are enough"),
        (18, Kind::Fail, 1.1, "nine of ten fail"),
        (10, Kind::Fail, 1.5, "half of them: 13 failures are too many for the whole minute"),
        (0, Kind::Measuring, 4.1, "none"),
    ] {
        let scene = Scene::new(move |_, _| bad(failing));
        let answer = scene.ask(&call(Role::Rollout)).await;
        assert_eq!(answer.kind, kind, "{why}: {}", answer.text);
        assert!(scene.board.now().as_secs_f64() < before, "{why}: {:?}", scene.board.now());
    }
}

#[tokio::test(start_paused = true)]
async fn the_warm_up_is_not_judged() {
    let scene = Scene::new(|_, _| bad(20));
    let mut warm = call(Role::Rollout);
    warm.order.plan = Some(plan(CANARY_URL, &[(Id::Warmup, "5s")]));
    assert_eq!(scene.kind(&warm).await, Kind::Measuring, "what failed so far does not count");
    assert_eq!(scene.kind(&warm).await, Kind::Fail);
}

#[tokio::test(start_paused = true)]
async fn a_target_that_nothing_reaches_is_not_yet_and_then_unreachable() {
    let scene = Scene::new(|_, _| bad(0));
    scene.reached_after(None);
    let first = scene.ask(&call(Role::Rollout)).await;
    assert_eq!(first.text, "RETRY podinfo.test: not reached yet: nothing has answered so far");
    at(&scene, 10.0).await;
    assert_eq!(scene.kind(&call(Role::Rollout)).await, Kind::NotYet);
    at(&scene, 20.0).await;
    let last = scene.ask(&call(Role::Rollout)).await;
    assert_eq!(last.text, "FAIL podinfo.test: nothing was reached: connection refused");
    assert_eq!((last.kind, scene.loads()), (Kind::Fail, 2), "and it is tried again");
    scene.reached_after(Some(Duration::ZERO));
    at(&scene, 40.0).await;
    assert_eq!(scene.kind(&call(Role::Rollout)).await, Kind::Pass, "what was told once is not told again");
}

#[tokio::test(start_paused = true)]
async fn a_target_that_is_slow_to_come_up_costs_nothing_but_the_wait() {
    let scene = Scene::new(|_, _| bad(0));
    scene.reached_after(Some(Duration::from_secs(3)));
    assert_eq!(scene.kind(&call(Role::Rollout)).await, Kind::Measuring);
}

#[tokio::test(start_paused = true)]
async fn a_pre_rollout_hook_waits_for_the_end_and_its_pass_holds() {
    let scene = Scene::new(|_, _| bad(0));
    let pass = scene.ask(&short()).await;
    assert_eq!((pass.kind, pass.seconds), (Kind::Pass, 10), "{}", pass.text);
    assert!(scene.board.now() >= Duration::from_secs(10));
    at(&scene, 40.0).await;
    assert_eq!(scene.kind(&short()).await, Kind::Pass);
    assert_eq!((scene.loads(), scene.board.now()), (1, Duration::from_secs(40)), "nothing is measured again");
}

#[tokio::test(start_paused = true)]
async fn a_pre_rollout_hook_may_say_how_long_it_waits() {
    let scene = Scene::new(|_, _| bad(0));
    let mut bounded = short();
    bounded.order.plan = call(Role::PreRollout).order.plan;
    bounded.order.wait = Some(Duration::from_secs(42));
    let answer = scene.ask(&bounded).await;
    assert_eq!(answer.text, "RETRY podinfo.test: 42 of 60 s of the load are done");
    assert_eq!((answer.kind, scene.running()), (Kind::NotYet, 1), "it goes on");
    assert_eq!((scene.kind(&bounded).await, scene.loads()), (Kind::Pass, 1));
}

#[tokio::test(start_paused = true)]
async fn a_pre_rollout_load_runs_on_when_its_caller_leaves_and_answers_the_next_one() {
    let scene = Scene::new(|_, second| bad(u64::from(second == 9) * 20));
    let gone = tokio::time::timeout(Duration::from_secs(5), scene.ask(&short())).await;
    assert!(gone.is_err(), "the caller's own time limit");
    at(&scene, 60.0).await;
    let answer = scene.ask(&short()).await;
    assert_eq!((answer.kind, answer.seconds, scene.loads()), (Kind::Fail, 10, 1), "{}", answer.text);
    assert_eq!(scene.board.now(), Duration::from_secs(60), "at once");
}

#[tokio::test(start_paused = true)]
async fn a_pre_rollout_fail_is_told_once_and_then_measured_again() {
    let scene = Scene::new(|load, _| bad(if load == 0 { 1 } else { 0 }));
    assert_eq!(scene.kind(&short()).await, Kind::Fail);
    at(&scene, 60.0).await;
    let second = scene.ask(&short()).await;
    assert_eq!((second.kind, second.seconds, scene.loads()), (Kind::Pass, 10, 2), "{}", second.text);
}

#[tokio::test(start_paused = true)]
async fn a_pre_rollout_load_that_is_lost_fails_at_once_and_the_next_call_begins_anew() {
    let scene = Scene::new(|load, _| bad(if load == 0 { 10 } else { 0 }));
    let mut long = short();
    long.order.plan = call(Role::PreRollout).order.plan;
    assert_eq!(scene.kind(&long).await, Kind::Fail);
    assert!(scene.board.now() < Duration::from_secs(2), "13 of 1200 may not fail: {:?}", scene.board.now());
    assert_eq!(scene.running(), 1, "only abort ends the load as well");
    assert_eq!((scene.kind(&long).await, scene.loads(), scene.running()), (Kind::Pass, 2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_confirmation_with_a_target_starts_it_and_waits_for_nothing() {
    let scene = Scene::new(|_, second| bad(if second < 30 { 0 } else { 5 }));
    let confirm = call(Role::Confirm);
    assert_eq!((scene.kind(&confirm).await, scene.loads()), (Kind::NotYet, 1));
    assert_eq!(scene.board.now(), Duration::ZERO);
    at(&scene, 30.0).await;
    assert_eq!(scene.kind(&confirm).await, Kind::Pass);
    at(&scene, 60.0).await;
    assert_eq!(scene.kind(&confirm).await, Kind::Fail);
}

#[tokio::test(start_paused = true)]
async fn a_bare_confirmation_needs_every_load_of_the_run_to_pass() {
    let scene = Scene::new(|load, second| bad(if load == 1 && second >= 30 { 5 } else { 0 }));
    let confirm = bare(Role::Confirm);
    let none = scene.ask(&confirm).await;
    assert_eq!(none.text, "RETRY podinfo.test: no load in this run: add cmd, or a /pre-rollout hook");
    assert_eq!((scene.kind(&short()).await, scene.kind(&confirm).await), (Kind::Pass, Kind::Pass));
    let mut second = call(Role::Rollout);
    second.order.plan = Some(plan("http://podinfo-canary.test:9898/other", &[]));
    assert_eq!(scene.kind(&second).await, Kind::Measuring);
    assert_eq!(scene.kind(&confirm).await, Kind::NotYet, "the second load shows too little yet");
    at(&scene, 30.0).await;
    assert_eq!(scene.kind(&confirm).await, Kind::Pass);
    at(&scene, 60.0).await;
    assert_eq!(scene.kind(&second).await, Kind::Fail);
    let fail = scene.ask(&confirm).await;
    assert_eq!(fail.kind, Kind::Fail, "one is enough, although the other passed: {}", fail.text);
    assert_eq!(scene.loads(), 2, "it starts nothing");
}

#[tokio::test(start_paused = true)]
async fn a_load_that_nobody_judges_is_accepted_and_told_nothing() {
    let scene = Scene::new(|_, _| bad(20));
    let mut plain = call(Role::Plain);
    plain.order.objective = None;
    plain.phase = Phase::Unknown;
    for _ in 0..2 {
        let answer = scene.ask(&plain).await;
        assert_eq!((answer.kind, answer.text.as_str()), (Kind::Accepted, ""));
    }
    assert_eq!(scene.loads(), 1, "an equal one is running");
    at(&scene, 61.0).await;
    assert_eq!((scene.kind(&plain).await, scene.loads()), (Kind::Accepted, 2));
    assert!(scene.board.status()[0].run.is_none(), "it belongs to no run");
    scene.board.saw(&plain.canary, Phase::Succeeded, true);
    assert_eq!(scene.running(), 0, "post-rollout ends it");
}

#[tokio::test(start_paused = true)]
async fn what_our_own_process_spoils_is_no_pass_and_a_failed_engine_no_verdict() {
    let scene = Scene::new(|_, _| bad(0));
    scene.ask(&call(Role::Rollout)).await;
    at(&scene, 30.0).await;
    scene.world.get().saturated = true;
    let spoiled = scene.ask(&call(Role::Rollout)).await;
    assert_eq!(spoiled.kind, Kind::Saturated, "{}", spoiled.text);
    scene.world.get().broken = true;
    let broken = scene.ask(&call(Role::Rollout)).await;
    assert_eq!(broken.text, "ERROR podinfo.test: a worker panicked");
    assert_eq!(broken.kind, Kind::Broken);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_did_not_arrive_is_given_again_to_the_same_request() {
    let scene = Scene::new(|load, _| bad(u64::from(load == 0)));
    let lost = scene.send(&short()).await;
    assert_eq!(lost.answer().kind, Kind::Fail);
    let told = lost.answer().clone();
    drop(lost);
    at(&scene, 60.0).await;
    let mut other = short();
    other.order.window = Some(Duration::from_secs(5));
    other.order.wait = Some(Duration::ZERO);
    assert_eq!(scene.kind(&other).await, Kind::NotYet, "another request has its own answer");
    assert_eq!(scene.ask(&short()).await, told);
    assert_eq!(scene.loads(), 2, "nothing was measured for it, only for the other");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_did_not_arrive_is_kept_for_a_minute_and_a_pre_rollout_fail_until_it_does() {
    let scene = Scene::new(|load, _| Second { good: u64::from(load == 0), ..Second::default() });
    drop(scene.send(&call(Role::Rollout)).await);
    at(&scene, 63.9).await;
    assert_eq!(scene.kind(&call(Role::Rollout)).await, Kind::Measuring, "the same one, not a second one");
    drop(scene.send(&call(Role::Rollout)).await);
    at(&scene, 150.0).await;
    assert_eq!(scene.kind(&call(Role::Rollout)).await, Kind::NotYet);

    let scene = Scene::new(|load, _| bad(u64::from(load == 0)));
    drop(scene.send(&short()).await);
    at(&scene, 600.0).await;
    assert_eq!((scene.kind(&short()).await, scene.loads()), (Kind::Fail, 1), "it was not delivered yet");
    assert_eq!((scene.kind(&short()).await, scene.loads()), (Kind::Pass, 2), "now it was");
}

#[tokio::test(start_paused = true)]
async fn a_load_that_there_is_no_room_for_is_refused_whole_and_says_so() {
    let one = Settings { budgets: Budgets { tasks: 1, ..Budgets::default() }, ..Settings::default() };
    let scene = Scene::with(one, |_, _| bad(0));
    scene.ask(&call(Role::Rollout)).await;
    let other = Call { canary: Canary::new("other", "test"), ..call(Role::Rollout) };
    let full = scene.ask(&other).await;
    assert_eq!((full.kind, full.text.as_str()), (Kind::Full, "FULL other.test: tollgate is full: 1 of 1 tasks"));
    assert_eq!(scene.kind(&call(Role::Rollout)).await, Kind::Pass, "who is in stays in");
    at(&scene, 61.0).await;
    assert_eq!(scene.kind(&other).await, Kind::Measuring, "its go-on-for-now was not used up");
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_there_was_no_room_for_is_not_what_a_bare_confirmation_is_about() {
    let one = Settings { budgets: Budgets { tasks: 1, ..Budgets::default() }, ..Settings::default() };
    let scene = Scene::with(one, |load, _| bad(20 * (load as u64 % 2)));
    let second = |role| {
        let order = Order { plan: Some(plan("http://podinfo-canary.test/other", &[])), ..call(role).order };
        Call { order, ..call(role) }
    };
    scene.ask(&call(Role::Rollout)).await;
    assert_eq!(scene.kind(&second(Role::Rollout)).await, Kind::Full, "its own hook is told");
    at(&scene, 30.0).await;
    assert_eq!(scene.kind(&bare(Role::Confirm)).await, Kind::Pass, "by the plan that was measured");
    at(&scene, 61.0).await;
    assert_eq!(scene.kind(&second(Role::Rollout)).await, Kind::Fail, "there is room for it now, and it is bad");
    at(&scene, 80.0).await;
    assert_eq!(scene.kind(&bare(Role::Confirm)).await, Kind::Fail, "it has evidence now, and counts");

    let none = Settings { budgets: Budgets { tasks: 0, ..Budgets::default() }, ..Settings::default() };
    let scene = Scene::with(none, |_, _| bad(0));
    assert_eq!(scene.kind(&call(Role::Rollout)).await, Kind::Full);
    let confirmed = scene.ask(&bare(Role::Confirm)).await;
    assert_eq!(confirmed.kind, Kind::NotYet, "nothing was measured");
    assert!(confirmed.text.contains("no load in this run"), "{}", confirmed.text);
}

#[tokio::test(start_paused = true)]
async fn load_is_shed_in_whole_plans_the_newest_first() {
    let scene = Scene::new(|_, _| bad(0));
    for (second, name) in [(0.0, "old"), (1.0, "middle"), (2.0, "new")] {
        at(&scene, second).await;
        let mut plain = call(Role::Plain);
        plain.canary = Canary::new(name, "test");
        plain.order.objective = None;
        scene.ask(&plain).await;
    }
    scene.board.set_budgets(Budgets { tasks: 1, ..Budgets::default() });
    let status = scene.board.status();
    let runs = |name: &str| {
        let canary = status.iter().find(|canary| canary.canary.name == name).unwrap();
        !canary.loose[0].standing.is_over()
    };
    assert_eq!([runs("old"), runs("middle"), runs("new")], [true, false, false]);
}

#[tokio::test(start_paused = true)]
async fn canaries_without_number_take_no_more_room_than_there_is() {
    let none = Settings { budgets: Budgets { tasks: 0, ..Budgets::default() }, ..Settings::default() };
    let scene = Scene::with(none, |_, _| bad(0));
    let named = |number: usize| Call { canary: Canary::new(format!("c{number}"), "test"), ..call(Role::Rollout) };
    for number in 0..4_096 {
        assert_eq!(scene.kind(&named(number)).await, Kind::Full, "no task, but a run");
    }
    let full = scene.ask(&named(4_096)).await;
    assert_eq!(full.text, "FULL c4096.test: tollgate is full: 4096 of 4096 canaries");
    scene.board.saw(&named(7).canary, Phase::Succeeded, false);
    let room = scene.ask(&named(4_096)).await;
    assert_eq!(room.text, "FULL c4096.test: tollgate is full: 0 of 0 tasks", "one without a run made room");
    assert_eq!(scene.board.status().len(), 4_096);
}
