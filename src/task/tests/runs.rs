//! When a run begins and ends, and what of it is remembered.

use std::time::Duration;

use super::super::{Event, Kind, Role};
use super::*;
use crate::state::{Change, Done, File, Row, StoreError, Table};

fn events(scene: &Scene) -> Vec<String> {
    let events = std::mem::take(&mut scene.world.get().events);
    let shown = events.iter().filter_map(|event| match event {
        Event::RunBegan { checksum, .. } => Some(format!("began {checksum}")),
        Event::RunEnded { checksum, .. } => Some(format!("ended {checksum}")),
        _ => None,
    });
    shown.collect()
}

#[tokio::test(start_paused = true)]
async fn only_hooks_that_start_load_begin_a_run_and_only_while_an_analysis_progresses() {
    for (role, with_target, phase, kind, begins) in [
        (Role::Rollout, true, Phase::Progressing, Kind::Measuring, true),
        (Role::Plain, true, Phase::Progressing, Kind::Measuring, true),
        (Role::Confirm, true, Phase::Progressing, Kind::NotYet, true),
        (Role::Confirm, false, Phase::Progressing, Kind::NotYet, false),
        (Role::Rollback, true, Phase::Progressing, Kind::NotYet, false),
        (Role::Rollback, false, Phase::WaitingPromotion, Kind::NotYet, false),
        (Role::Rollback, false, Phase::Succeeded, Kind::Stay, false),
        (Role::Rollout, false, Phase::Progressing, Kind::BadInput, false),
        (Role::Rollout, true, Phase::Initialized, Kind::BadInput, false),
        (Role::Rollout, true, Phase::Waiting, Kind::BadInput, false),
        (Role::Rollout, true, Phase::Unknown, Kind::BadInput, false),
        (Role::PreRollout, true, Phase::Succeeded, Kind::BadInput, false),
        (Role::Confirm, true, Phase::Failed, Kind::BadInput, false),
        (Role::Confirm, true, Phase::Waiting, Kind::BadInput, false),
    ] {
        let scene = Scene::new(|_, _| bad(0));
        let call = Call { phase, ..if with_target { call(role) } else { bare(role) } };
        let answer = scene.ask(&call).await;
        assert_eq!(answer.kind, kind, "{role:?} {phase:?}: {}", answer.text);
        assert_eq!(scene.loads(), usize::from(begins), "{role:?} {phase:?}");
        assert_eq!(events(&scene).len(), usize::from(begins), "{role:?} {phase:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn phases_before_and_after_an_analysis_end_its_run_and_its_load() {
    for (phase, post_rollout, ends) in [
        (Phase::Initialized, false, true),
        (Phase::Waiting, false, true),
        (Phase::Succeeded, false, true),
        (Phase::Failed, false, true),
        (Phase::Progressing, true, true),
        (Phase::Progressing, false, false),
        (Phase::WaitingPromotion, false, false),
        (Phase::Promoting, false, false),
        (Phase::Unknown, false, false),
    ] {
        let scene = Scene::new(|_, _| bad(0));
        scene.ask(&call(Role::Rollout)).await;
        assert_eq!((events(&scene).len(), scene.running()), (1, 1));
        scene.board.saw(&Canary::new("podinfo", "prod"), Phase::Failed, true);
        scene.board.saw(&Canary::new("podinfo", "test"), phase, post_rollout);
        assert_eq!(events(&scene), if ends { vec!["ended v2"] } else { vec![] }, "{phase:?}");
        assert_eq!(scene.running(), usize::from(!ends), "{phase:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn another_revision_is_another_run_and_its_load_starts_anew() {
    let scene = Scene::new(|load, _| bad(if load == 0 { 20 } else { 0 }));
    assert_eq!(scene.kind(&call(Role::Rollout)).await, Kind::Fail);
    let v3 = Call { checksum: Checksum::new("v3"), ..call(Role::Rollout) };
    assert_eq!(scene.kind(&v3).await, Kind::Measuring, "it has its own go-on-for-now");
    assert_eq!(events(&scene), ["began v2", "ended v2", "began v3"]);
    assert_eq!((scene.loads(), scene.running()), (2, 1));
    at(&scene, 20.0).await;
    assert_eq!(scene.kind(&v3).await, Kind::Pass, "nothing of v2's failures is in it");
}

#[tokio::test(start_paused = true)]
async fn the_same_revision_tried_again_begins_without_evidence() {
    let scene = Scene::new(|load, _| bad(if load == 0 { 20 } else { 0 }));
    assert_eq!(scene.kind(&call(Role::Rollout)).await, Kind::Fail);
    scene.board.saw(&Canary::new("podinfo", "test"), Phase::Failed, true);
    at(&scene, 100.0).await;
    assert_eq!(scene.kind(&bare(Role::Confirm)).await, Kind::NotYet, "nothing is left of the first try");
    assert_eq!(scene.kind(&call(Role::Rollout)).await, Kind::Measuring);
    at(&scene, 120.0).await;
    assert_eq!(scene.kind(&call(Role::Rollout)).await, Kind::Pass);
}

#[tokio::test(start_paused = true)]
async fn a_confirmation_in_another_phase_is_refused_and_switches_no_run() {
    let scene = Scene::new(|_, _| bad(0));
    scene.ask(&call(Role::Rollout)).await;
    // confirm-rollout for the next revision still names the one before.
    let confirm = Call { phase: Phase::WaitingPromotion, checksum: Checksum::new("v1"), ..call(Role::Confirm) };
    let answer = scene.ask(&confirm).await;
    assert_eq!(answer.kind, Kind::BadInput);
    assert_eq!(
        answer.text,
        "REFUSED podinfo.test: /confirm judges an analysis in progress: its phase is Progressing, not WaitingPromotion"
    );
    assert_eq!((events(&scene), scene.running()), (vec!["began v2".to_owned()], 1));
}

#[tokio::test(start_paused = true)]
async fn hooks_that_start_nothing_never_switch_a_run() {
    let scene = Scene::new(|_, _| bad(0));
    scene.ask(&call(Role::Rollout)).await;
    for role in [Role::Rollback, Role::Confirm] {
        let other = Call { checksum: Checksum::new("v3"), ..bare(role) };
        assert_eq!(scene.kind(&other).await, Kind::NotYet, "{role:?}");
    }
    assert_eq!((events(&scene), scene.running()), (vec!["began v2".to_owned()], 1));
}

#[tokio::test(start_paused = true)]
async fn a_day_of_silence_ends_a_run() {
    let scene = Scene::new(|_, _| bad(0));
    let long = Order { plan: Some(plan(CANARY_URL, &[(Id::Duration, "48h")])), ..call(Role::Rollout).order };
    let long = Call { order: long, ..call(Role::Rollout) };
    scene.ask(&long).await;
    let podinfo = Canary::new("podinfo", "test");
    tokio::time::sleep(Duration::from_secs(23 * 3600)).await;
    scene.board.saw(&podinfo, Phase::Progressing, false);
    tokio::time::sleep(Duration::from_secs(23 * 3600)).await;
    scene.board.expire();
    assert_eq!((events(&scene), scene.running()), (vec!["began v2".to_owned()], 1), "a hook spoke of it meanwhile");
    tokio::time::sleep(Duration::from_secs(3600)).await;
    scene.board.expire();
    assert_eq!((events(&scene), scene.running()), (vec!["ended v2".to_owned()], 0));
}

#[tokio::test(start_paused = true)]
async fn a_run_known_from_before_a_restart_is_told_to_ask_again_and_not_to_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state");
    let store = || Arc::new(File::open(&file).unwrap());
    let world = Scene::new(|_, _| bad(0)).world;
    let podinfo = Canary::new("podinfo", "test");
    let before = Scene::on(world.clone(), Settings::default(), store());
    before.board.rule(&podinfo, Duration::from_secs(3600), Some((true, "ann".into(), "why".into()))).await.unwrap();
    before.board.rule(&podinfo, Duration::ZERO, None).await.unwrap();
    let other = Canary::new("other", "test");
    before.board.rule(&other, Duration::from_secs(3600), Some((false, "ann".into(), "no".into()))).await.unwrap();
    before.ask(&call(Role::Rollout)).await;
    before.ask(&Call { canary: Canary::new("over", "test"), ..call(Role::Rollout) }).await;
    before.board.saw(&Canary::new("over", "test"), Phase::Failed, false);
    drop(before);
    let after = Scene::on(world, Settings::default(), store());
    let status = after.board.status();
    let known: Vec<(&str, bool)> = status.iter().map(|c| (c.canary.name.as_str(), c.run.is_some())).collect();
    assert_eq!(known, [("other", false), ("podinfo", true)], "runs that are over are forgotten");
    assert_eq!(after.kind(&call(Role::Rollout)).await, Kind::NotYet, "its load starts again");
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!(after.kind(&call(Role::Rollout)).await, Kind::Pass);
    let v3 = Call { checksum: Checksum::new("v3"), ..call(Role::Rollout) };
    assert_eq!(after.kind(&v3).await, Kind::Measuring, "another revision is another run");
    assert_eq!(after.kind(&Call { canary: other, ..v3 }).await, Kind::Fail, "a person's word counts on");
}

/// A disk that is full.
#[derive(Debug)]
struct Full;

impl Store for Full {
    fn read(&self, _: Table) -> Result<Vec<Row>, StoreError> {
        Ok(Vec::new())
    }

    fn write(&self, _: Vec<Change>, done: Done) {
        done(Err(StoreError::Io("no space left on device".into())));
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_cannot_be_remembered_lets_nobody_go_on_without_evidence() {
    let scene = Scene::on(Scene::new(|_, _| bad(0)).world, Settings::default(), Arc::new(Full));
    let first = scene.ask(&call(Role::Rollout)).await;
    assert_eq!(first.text, "ERROR podinfo.test: the state cannot be stored: no space left on device");
    assert_eq!(first.kind, Kind::Broken);
    at(&scene, 20.0).await;
    assert_eq!(scene.kind(&call(Role::Rollout)).await, Kind::Pass, "a verdict needs no memory");
    let podinfo = Canary::new("podinfo", "test");
    let ruled = scene.board.rule(&podinfo, Duration::from_secs(60), Some((false, "ann".into(), "no".into()))).await;
    assert!(ruled.is_err());
    assert_eq!(scene.kind(&call(Role::Rollout)).await, Kind::Pass, "and a decision that is not stored is none");
}
