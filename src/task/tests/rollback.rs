//! When a rollback hook says yes: only where everything speaks for it.

use super::super::{Kind, Role, Signal};
use super::*;

/// A run whose load does what `script` says, asked by a rollout hook at 0:00.
async fn running(script: impl Fn(usize, u64) -> Second + Send + 'static) -> Scene {
    let scene = Scene::new(script);
    let mut call = call(Role::Rollout);
    call.order.plan = Some(plan(CANARY_URL, &[(Id::Duration, "30m")]));
    scene.ask(&call).await;
    scene
}

#[tokio::test(start_paused = true)]
async fn a_clear_and_lasting_fail_of_this_run_is_a_rollback() {
    let scene = running(|_, _| bad(2)).await;
    at(&scene, 30.0).await;
    let answer = scene.ask(&bare(Role::Rollback)).await;
    assert_eq!(answer.kind, Kind::RollBack, "{}", answer.text);
    assert!(answer.text.starts_with("ROLLBACK podinfo.test: success>=99%"), "{}", answer.text);
}

#[tokio::test(start_paused = true)]
async fn every_condition_of_a_rollback_counts() {
    let few = Second { good: 1, bad: 1, ..Second::default() };
    for (seen, time, kind, why) in [
        (bad(2), 30.0, Kind::RollBack, "everything speaks for it"),
        (bad(0), 30.0, Kind::Stay, "it is good"),
        (bad(20), 9.0, Kind::NotYet, "less than ten seconds were judged"),
        (few, 30.0, Kind::Stay, "beyond doubt, but below the minimum of 100"),
        (Second::default(), 30.0, Kind::NotYet, "nothing was answered"),
    ] {
        let scene = running(move |_, _| seen).await;
        at(&scene, time).await;
        let answer = scene.ask(&bare(Role::Rollback)).await;
        assert_eq!(answer.kind, kind, "{why}: {}", answer.text);
    }
}

#[tokio::test(start_paused = true)]
async fn a_fail_that_chance_explains_or_that_is_over_is_no_rollback() {
    // 1.5 % of 600 requests: worse than the bound, and chance does that in one of seven good canaries.
    let scene = running(|_, second| bad(u64::from(second % 3 == 0) - u64::from(second % 30 == 0))).await;
    at(&scene, 30.0).await;
    let thin = scene.ask(&bare(Role::Rollback)).await;
    assert_eq!(thin.kind, Kind::Stay, "{}", thin.text);
    let scene = running(|_, second| bad(if second < 15 { 10 } else { 0 })).await;
    at(&scene, 30.0).await;
    let over = scene.ask(&bare(Role::Rollback)).await;
    assert_eq!(over.kind, Kind::Stay, "{}", over.text);
    assert!(over.text.contains("not clearly and lastingly so"), "{}", over.text);
}

#[tokio::test(start_paused = true)]
async fn load_that_the_old_release_may_answer_never_gives_the_canary_up() {
    for (url, why) in
        [("http://podinfo.test:9898/", "the service that users reach"), ("http://app.example.com/", "an ingress")]
    {
        let scene = Scene::new(|_, _| bad(20));
        let mut apex = call(Role::Rollout);
        apex.order.plan = Some(plan(url, &[]));
        assert_eq!(scene.kind(&apex).await, Kind::Fail);
        at(&scene, 30.0).await;
        let answer = scene.ask(&bare(Role::Rollback)).await;
        assert_eq!(answer.kind, Kind::Stay, "{why}: {}", answer.text);
        assert!(answer.text.contains("use the -canary service"), "{}", answer.text);
        let alert = Call { signal: Some(Signal::Alert("CanaryHighErrorRate fires".into())), ..bare(Role::Rollback) };
        assert_eq!(scene.kind(&alert).await, Kind::RollBack, "an alert is another source");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_of_another_revision_gives_this_one_up() {
    let scene = running(|_, _| bad(20)).await;
    at(&scene, 30.0).await;
    let v3 = Call { checksum: Checksum::new("v3"), ..bare(Role::Rollback) };
    assert_eq!(scene.kind(&v3).await, Kind::NotYet);
    let alert = Call { signal: Some(Signal::Alert("CanaryHighErrorRate fires".into())), ..v3 };
    assert_eq!(scene.kind(&alert).await, Kind::NotYet, "nor an alert of the run before");
}

#[tokio::test(start_paused = true)]
async fn asking_without_new_evidence_uses_nothing_up_and_changes_no_answer() {
    let scene = running(|_, _| bad(0)).await;
    at(&scene, 30.0).await;
    let first = scene.ask(&bare(Role::Rollback)).await;
    for tick in 1..50 {
        at(&scene, 30.0 + f64::from(tick) * 0.1).await;
        assert_eq!(scene.ask(&bare(Role::Rollback)).await, first);
    }
    at(&scene, 45.0).await;
    let next = scene.ask(&bare(Role::Rollback)).await;
    assert_eq!(next.seconds, 15, "the next tick sees what is new: {}", next.text);
}

#[tokio::test(start_paused = true)]
async fn late_looks_need_stronger_evidence_than_early_ones() {
    // Ten seconds with 8 failures of 200: P[Bin(200, 1 %) ≥ 8] = 0.11 %. With two clauses, the second look takes
    // 0.05 / (2 · 2 · 3) = 0.42 % and the tenth 0.05 / (2 · 10 · 11) = 0.023 %.
    for (quiet, kind) in [(1, Kind::RollBack), (9, Kind::Stay)] {
        let last = 10 + quiet * 10;
        let scene = running(move |_, second| bad(u64::from(second >= last && second % 5 != 0))).await;
        for look in 1..=quiet {
            at(&scene, 10.0 + look as f64 * 10.0).await;
            assert_eq!(scene.kind(&bare(Role::Rollback)).await, Kind::Stay, "look {look}");
        }
        at(&scene, last as f64 + 10.0).await;
        let answer = scene.ask(&bare(Role::Rollback)).await;
        assert_eq!((answer.kind, answer.seconds), (kind, 10), "after {quiet}: {}", answer.text);
    }
}

#[tokio::test(start_paused = true)]
async fn an_open_gate_is_a_rollback_whatever_was_measured() {
    let scene = Scene::new(|_, _| bad(0));
    let gate = Signal::Gate("rollback gate opened by ann: ticket 12".into());
    let open = Call { signal: Some(gate), ..bare(Role::Rollback) };
    let answer = scene.ask(&open).await;
    assert_eq!(answer.text, "ROLLBACK podinfo.test: rollback gate opened by ann: ticket 12");
    assert_eq!((answer.kind, scene.loads()), (Kind::RollBack, 0));
}
