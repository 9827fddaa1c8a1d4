//! Clauses on numbers of a Prometheus: asked when a call is judged, within its wait, and never taken for a zero.

use std::future::Future;
use std::pin::Pin;

use super::super::{Kind, Role};
use super::*;
use crate::prometheus::{Answers, Source};
use crate::slo::{Answer as Number, Query};

/// Answers what it is told to, after a while.
#[derive(Debug)]
struct Said(Mutex<(Number, u32)>, Duration);

impl Source for Said {
    fn ask<'a>(&'a self, _: &'a Query) -> Pin<Box<dyn Future<Output = Number> + Send + 'a>> {
        Box::pin(async {
            tokio::time::sleep(self.1).await;
            let mut said = self.0.lock().unwrap();
            said.1 += 1;
            said.0.clone()
        })
    }
}

/// A good release, beside a Prometheus that says so after so long.
fn scene(number: Number, after: Duration) -> (Scene, Arc<Said>) {
    let said = Arc::new(Said(Mutex::new((number, 0)), after));
    let outside = Some(Answers::of(Arc::<Said>::clone(&said)));
    (Scene::with(Settings { outside, ..Settings::default() }, |_, _| bad(0)), said)
}

fn asking(role: Role) -> Call {
    let objective = objective("success>=99%, prom('errors / all')<1%");
    Call { order: Order { objective: Some(objective), ..call(role).order }, ..call(role) }
}

const AT_ONCE: Duration = Duration::from_millis(1);

#[tokio::test(start_paused = true)]
async fn a_number_from_outside_decides_like_one_of_our_own() {
    for (number, kind, said, why) in [
        (Ok(0.001), Kind::Pass, "PASS podinfo.test: ", "below the bound"),
        (Ok(0.02), Kind::Fail, "FAIL podinfo.test: prom('errors / all')<1% was 2%", "above it"),
        (
            Err("the query finds no series".to_owned()),
            Kind::NotYet,
            "RETRY podinfo.test: prom('errors / all')<1%: the query finds no series",
            "no zero",
        ),
    ] {
        let (scene, _) = scene(number, AT_ONCE);
        scene.ask(&asking(Role::Rollout)).await;
        at(&scene, 15.0).await;
        let answer = scene.ask(&asking(Role::Rollout)).await;
        assert_eq!(answer.kind, kind, "{why}: {}", answer.text);
        assert!(answer.text.starts_with(said), "{why}: {}", answer.text);
    }
}

#[tokio::test(start_paused = true)]
async fn a_prometheus_that_hangs_holds_no_hook_beyond_its_wait_and_is_no_evidence() {
    for (role, wait, most) in [
        (Role::Rollout, None, 4.0),
        (Role::Rollout, Some(Duration::from_secs(8)), 8.0),
        (Role::Rollout, Some(Duration::ZERO), 1.0),
        (Role::Confirm, None, 1.0),
        (Role::Rollback, None, 1.0),
    ] {
        let (scene, _) = scene(Ok(0.0), Duration::from_secs(3600));
        scene.ask(&asking(Role::Rollout)).await;
        at(&scene, 20.0).await;
        let mut call = asking(role);
        call.order.wait = wait;
        let before = scene.board.now();
        let answer = scene.ask(&call).await;
        let took = (scene.board.now() - before).as_secs_f64();
        assert!(took <= most + 1e-6, "{role:?} {wait:?} took {took}");
        assert_eq!(answer.kind, Kind::NotYet, "{role:?}: {}", answer.text);
        assert!(role == Role::Rollback || answer.text.contains("Prometheus gave no answer within"), "{}", answer.text);
    }
}

#[tokio::test(start_paused = true)]
async fn a_broken_release_fails_at_once_whatever_a_prometheus_says() {
    let said = Arc::new(Said(Mutex::new((Ok(0.0), 0)), Duration::from_secs(3600)));
    let outside = Some(Answers::of(Arc::<Said>::clone(&said)));
    let scene = Scene::with(Settings { outside, ..Settings::default() }, |_, _| bad(20));
    let answer = scene.ask(&asking(Role::Rollout)).await;
    assert_eq!(answer.kind, Kind::Fail, "{}", answer.text);
    assert!(scene.board.now().as_secs_f64() < 0.7, "{:?}", scene.board.now());
}

#[tokio::test(start_paused = true)]
async fn a_number_from_outside_alone_gives_no_release_up() {
    let (scene, _) = scene(Ok(0.5), AT_ONCE);
    scene.ask(&asking(Role::Rollout)).await;
    at(&scene, 30.0).await;
    assert_eq!(scene.kind(&asking(Role::Rollout)).await, Kind::Fail);
    let answer = scene.ask(&bare(Role::Rollback)).await;
    assert_eq!(answer.kind, Kind::Stay, "{}", answer.text);
}

#[tokio::test(start_paused = true)]
async fn hooks_that_ask_the_same_share_an_answer() {
    let (scene, said) = scene(Ok(0.0), AT_ONCE);
    scene.ask(&asking(Role::Rollout)).await;
    at(&scene, 30.0).await;
    let before = said.0.lock().unwrap().1;
    let (one, other) = (asking(Role::Rollout), asking(Role::Confirm));
    let both = tokio::join!(scene.kind(&one), scene.kind(&other));
    assert_eq!(both, (Kind::Pass, Kind::Pass));
    assert_eq!(said.0.lock().unwrap().1, before + 1);
}

#[tokio::test(start_paused = true)]
async fn without_anybody_to_ask_there_is_no_number() {
    let scene = Scene::new(|_, _| bad(0));
    scene.ask(&asking(Role::Rollout)).await;
    at(&scene, 15.0).await;
    let answer = scene.ask(&asking(Role::Rollout)).await;
    assert_eq!(answer.kind, Kind::NotYet, "{}", answer.text);
    assert!(answer.text.contains("Prometheus gave no number"), "{}", answer.text);
}
