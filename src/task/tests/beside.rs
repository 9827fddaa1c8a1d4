//! The release in service, loaded beside the canary and compared with it.

use super::super::{Budgets, Kind, Role};
use super::*;

const PRIMARY_URL: &str = "http://podinfo-primary.test:9898/";

/// The usual hook, beside the release in service.
fn compared(role: Role) -> Call {
    let order = Order {
        primary: Some(plan(PRIMARY_URL, &[])),
        objective: Some(objective("errors<=primary+0.5pp")),
        ..call(role).order
    };
    Call { order, ..call(role) }
}

#[tokio::test(start_paused = true)]
async fn a_canary_is_held_to_what_the_release_in_service_does_in_the_same_seconds() {
    for (own, beside, kind, said) in [
        (bad(0), bad(0), Kind::Pass, "PASS podinfo.test: errors<=primary+0.5pp ok 0%"),
        (bad(2), bad(2), Kind::Pass, "PASS podinfo.test: "),
        (bad(4), bad(1), Kind::Fail, "FAIL podinfo.test: errors<=primary+0.5pp was 20.0%"),
        (
            bad(0),
            bad(15),
            Kind::NotYet,
            "RETRY podinfo.test: errors<=primary+0.5pp: primary itself succeeded on 25.0% only",
        ),
        (
            bad(0),
            Second::default(),
            Kind::NotYet,
            "RETRY podinfo.test: errors<=primary+0.5pp: needs 200 requests of primary",
        ),
    ] {
        let scene = Scene::new(move |_, _| own);
        scene.world.get().primary = beside;
        scene.ask(&compared(Role::Rollout)).await;
        at(&scene, 30.0).await;
        let answer = scene.ask(&compared(Role::Rollout)).await;
        assert_eq!(answer.kind, kind, "{own:?} beside {beside:?}: {}", answer.text);
        assert!(answer.text.starts_with(said), "{own:?} beside {beside:?}: {}", answer.text);
        let bare = scene.kind(&bare(Role::Confirm)).await;
        assert_eq!(bare, kind, "a bare confirmation is of the same evidence");
    }
}

#[tokio::test(start_paused = true)]
async fn equal_comparisons_share_both_loads_and_a_load_alone_is_another_one() {
    let scene = Scene::new(|_, _| bad(0));
    scene.ask(&compared(Role::Rollout)).await;
    scene.ask(&compared(Role::Confirm)).await;
    assert_eq!(scene.loads(), 1);
    scene.ask(&call(Role::Rollout)).await;
    assert_eq!(scene.loads(), 2);
    let primaries: Vec<Option<String>> = {
        let url = |start: &Start| start.primary.as_ref().map(|(plan, _)| plan.targets[0].url.clone());
        scene.world.get().starts.iter().map(url).collect()
    };
    assert_eq!(primaries, [Some(PRIMARY_URL.to_owned()), None]);
    let sums = scene.board.sums();
    assert!(sums[0].counted.is_some() && sums[0].primary.is_some(), "both sides are added up");
    let mut elsewhere = compared(Role::Rollout);
    elsewhere.order.primary = Some(plan("http://podinfo.test:9898/", &[]));
    scene.ask(&elsewhere).await;
    assert_eq!(scene.loads(), 3, "another release in service is another comparison");
}

#[tokio::test(start_paused = true)]
async fn both_sides_of_a_comparison_count_against_the_budgets() {
    for (tasks, kind) in [(1, Kind::Full), (2, Kind::Measuring)] {
        let settings = Settings { budgets: Budgets { tasks, ..Budgets::default() }, ..Settings::default() };
        let scene = Scene::with(settings, |_, _| bad(0));
        let answer = scene.ask(&compared(Role::Rollout)).await;
        assert_eq!(answer.kind, kind, "{tasks}: {}", answer.text);
        assert_eq!(scene.loads(), usize::from(kind == Kind::Measuring), "whole comparisons, or none");
    }
    let scene = Scene::new(|_, _| bad(0));
    scene.ask(&compared(Role::Rollout)).await;
    scene.board.set_budgets(Budgets { tasks: 1, ..Budgets::default() });
    assert_eq!(scene.running(), 0, "a comparison without one of its sides is none");
}

#[tokio::test(start_paused = true)]
async fn a_comparison_alone_gives_no_release_up() {
    let scene = Scene::new(|_, _| bad(6));
    scene.ask(&compared(Role::Rollout)).await;
    at(&scene, 30.0).await;
    assert_eq!(scene.kind(&compared(Role::Rollout)).await, Kind::Fail);
    let answer = scene.ask(&bare(Role::Rollback)).await;
    assert_eq!(answer.kind, Kind::Stay, "{}", answer.text);
}
