//! What people on call can do, and see.

use super::super::{Event, Kind, Role, Signal};
use super::*;

#[tokio::test(start_paused = true)]
async fn shadow_mode_measures_says_what_it_would_do_and_stops_nothing() {
    let shadow = Settings { shadow: true, ..Settings::default() };
    for (settings, enforce) in [(shadow, true), (Settings::default(), false)] {
        let scene = Scene::with(settings, |_, _| bad(20));
        let quiet = |role| Call { order: Order { enforce, ..call(role).order }, ..call(role) };
        let answer = scene.ask(&quiet(Role::Rollout)).await;
        assert_eq!((answer.kind, answer.measured), (Kind::Measuring, Kind::Fail));
        assert!(answer.text.starts_with("SHADOW podinfo.test: would fail: "), "{}", answer.text);
        for role in [Role::PreRollout, Role::Confirm] {
            let answer = scene.ask(&quiet(role)).await;
            assert_eq!(answer.kind, Kind::Measuring, "{role:?}: {}", answer.text);
        }
        let mut apex = quiet(Role::PreRollout);
        apex.order.plan = Some(plan("http://podinfo.test/", &[]));
        assert_eq!(scene.kind(&apex).await, Kind::Measuring, "not even for a hook that is wrong");
        at(&scene, 60.0).await;
        let rollback = scene.ask(&quiet(Role::Rollback)).await;
        assert_eq!((rollback.kind, rollback.measured), (Kind::Stay, Kind::RollBack), "{}", rollback.text);
        let alert = Call { signal: Some(Signal::Alert("fires".into())), ..quiet(Role::Rollback) };
        assert_eq!(scene.kind(&alert).await, Kind::Stay);
        let gate = Call { signal: Some(Signal::Gate("opened by ann".into())), ..quiet(Role::Rollback) };
        assert_eq!(scene.kind(&gate).await, Kind::RollBack, "a person has opened it");
    }
}

#[tokio::test(start_paused = true)]
async fn a_persons_word_counts_in_every_answer_until_it_ends() {
    let scene = Scene::new(|_, _| bad(20));
    let podinfo = Canary::new("podinfo", "test");
    let hour = Duration::from_secs(3600);
    let word = |pass| Some((pass, "ann".to_owned(), "the test is wrong".to_owned()));
    scene.board.rule(&podinfo, hour, word(true)).await.unwrap();
    for (role, kind) in [
        (Role::Rollout, Kind::Pass),
        (Role::PreRollout, Kind::Pass),
        (Role::Confirm, Kind::Pass),
        (Role::Rollback, Kind::Stay),
    ] {
        let answer = scene.ask(&call(role)).await;
        assert_eq!(answer.kind, kind, "{role:?}");
        assert!(answer.text.ends_with("; override pass by ann for 60m more: the test is wrong"), "{}", answer.text);
    }
    assert_eq!(scene.board.now(), Duration::ZERO, "nobody waits for what does not count");
    assert_eq!(scene.loads(), 1, "it is measured all the same");
    scene.board.rule(&podinfo, hour, word(false)).await.unwrap();
    assert_eq!(scene.kind(&call(Role::Rollout)).await, Kind::Fail);
    assert_eq!(scene.kind(&call(Role::Rollback)).await, Kind::RollBack);
    at(&scene, 3601.0).await;
    assert!(!scene.ask(&call(Role::Rollout)).await.text.contains("override"), "its time is up");
    scene.board.rule(&podinfo, hour, word(true)).await.unwrap();
    scene.board.rule(&podinfo, hour, None).await.unwrap();
    assert!(!scene.ask(&call(Role::Rollout)).await.text.contains("override"), "it was taken back");
    let ruled = scene.world.get().events.iter().filter(|event| matches!(event, Event::Ruled { .. })).count();
    assert_eq!(ruled, 4, "each is told to whoever keeps the log");
}

#[tokio::test(start_paused = true)]
async fn stopped_load_stays_stopped_until_the_run_is_over() {
    let scene = Scene::new(|_, _| bad(0));
    scene.ask(&call(Role::Rollout)).await;
    let other = Call { canary: Canary::new("other", "test"), ..call(Role::Rollout) };
    scene.ask(&other).await;
    assert_eq!(scene.board.stop(Some(&other.canary), "by ann: the database suffers").await, Ok(1));
    assert_eq!(scene.running(), 1);
    at(&scene, 100.0).await;
    let answer = scene.ask(&other).await;
    assert_eq!((answer.kind, scene.running()), (Kind::NotYet, 0));
    assert!(answer.text.contains("its load was stopped: by ann: the database suffers"), "{}", answer.text);
    let v3 = Call { checksum: Checksum::new("v3"), ..other };
    assert_eq!(scene.kind(&v3).await, Kind::Measuring, "the next analysis measures again");
    assert_eq!(scene.board.stop(None, "by ann").await, Ok(1), "all");
    assert_eq!(scene.running(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_apex_service_decides_nothing_before_the_first_step_of_weight() {
    let scene = Scene::new(|_, _| bad(0));
    let mut apex = call(Role::PreRollout);
    apex.order.plan = Some(plan("http://podinfo.test:9898/", &[(Id::Duration, "10s")]));
    let refused = scene.ask(&apex).await;
    assert_eq!((refused.kind, scene.loads()), (Kind::BadInput, 0));
    assert!(refused.text.contains("Use the -canary service, or set apex: allow"), "{}", refused.text);
    apex.order.apex = true;
    let allowed = scene.ask(&apex).await;
    assert_eq!(allowed.kind, Kind::Pass);
    assert!(allowed.text.ends_with("; apex: share of canary unknown"), "{}", allowed.text);
    let rollout = Call { role: Role::Rollout, ..apex };
    assert!(scene.ask(&rollout).await.text.ends_with("; apex: share of canary unknown"));
}

#[tokio::test(start_paused = true)]
async fn what_happened_can_be_read_and_reading_changes_nothing() {
    let scene = Scene::new(|_, second| bad(if second < 30 { 0 } else { 5 }));
    let call = call(Role::Rollout);
    for time in [0.0, 30.0, 60.0, 61.0] {
        at(&scene, time).await;
        scene.ask(&call).await;
    }
    let status = scene.board.status();
    assert_eq!(scene.board.status(), status);
    let [podinfo] = status.as_slice() else { panic!("{status:?}") };
    let kinds: Vec<(Kind, u32)> = podinfo.history.iter().map(|record| (record.kind, record.times)).collect();
    assert_eq!(kinds, [(Kind::Measuring, 1), (Kind::Pass, 1), (Kind::Fail, 1), (Kind::Fail, 1)]);
    let run = podinfo.run.as_ref().unwrap();
    assert!(run.last.as_deref().unwrap().starts_with("FAIL podinfo.test: success>=99%"), "{run:?}");
    let [load] = run.loads.as_slice() else { panic!("{run:?}") };
    assert_eq!(
        (load.targets[0].as_str(), load.rate, load.length),
        (CANARY_URL, Some(20.0), Some(Duration::from_secs(60)))
    );
    scene.board.saw(&podinfo.canary, Phase::Succeeded, true);
    let after = scene.board.status().remove(0);
    assert_eq!((after.run.is_none(), after.history.len()), (true, 4), "what was found stays");
    assert_eq!(after.before.unwrap().last, run.last);
    let answered = scene.world.get().events.iter().filter(|event| matches!(event, Event::Answered { .. })).count();
    assert_eq!(answered, 4, "each answer is told once");
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_service_lets_nobody_wait() {
    let scene = Scene::new(|_, _| bad(0));
    let call = call(Role::PreRollout);
    let (answer, ()) = tokio::join!(scene.ask(&call), async {
        tokio::time::sleep(Duration::from_secs(10)).await;
        scene.board.end();
    });
    assert_ne!(answer.kind, Kind::Pass, "{}", answer.text);
    assert_eq!((scene.board.now(), scene.running()), (Duration::from_secs(10), 0));
}
