//! Runs on the real engine, against canaries that behave as told.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ::tollgate::canary::{Canary, Checksum, Phase};
use ::tollgate::load::Engine;
use ::tollgate::practice::Practice;
use ::tollgate::spec::{self, Hook, Objective};
use ::tollgate::state::Memory;
use ::tollgate::task::{Answer, Board, Call, Event, Kind, Live, Observer, Role, Settings};
use tokio::runtime::Handle;

use super::practice::practice;
use super::together;

#[derive(Debug)]
struct Quiet;

impl Observer for Quiet {
    fn saw(&self, _: &Event) {}
}

/// A hook of podinfo's, as Flagger sends it, for the canary service that `server` stands for.
fn hook(server: &Practice, role: Role, more: &[(&str, &str)]) -> Call {
    let port = server.addr().port();
    let (url, resolve) =
        (format!("http://podinfo-canary.test:{port}/"), format!("podinfo-canary.test:{port}:127.0.0.1"));
    let usual =
        [("url", url.as_str()), ("resolve", &resolve), ("rate", "100/s"), ("duration", "20s"), ("warmup", "200ms")];
    let mut metadata = BTreeMap::new();
    for (key, value) in usual.iter().chain(more) {
        metadata.insert((*key).to_owned(), (*value).to_owned());
    }
    let rules = Hook { objective: Some(Arc::new(Objective::usual())), strict: true, ..Hook::default() };
    Call {
        canary: Canary::new("podinfo", "test"),
        phase: Phase::Progressing,
        checksum: Checksum::new("85d557f47b"),
        role,
        order: spec::order(&metadata, &rules).unwrap(),
        signal: None,
    }
}

/// Runs `play` with a board on the real engine.
fn on_board<T>(play: impl AsyncFnOnce(&Board<Live>) -> T) -> T {
    let engine = Arc::new(Engine::start(1).unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        let loads = Live::new(engine, Handle::current());
        let board = Board::load(loads, Settings::default(), Arc::new(Quiet), Arc::new(Memory)).unwrap();
        let result = play(&board).await;
        board.end();
        result
    })
}

async fn ask(board: &Board<Live>, call: &Call) -> Answer {
    let delivery = board.call(call.clone()).await;
    let answer = delivery.answer().clone();
    delivery.arrived();
    answer
}

#[test]
fn a_good_canary_goes_on_for_now_and_then_passes() {
    let _load = together();
    let server = practice("");
    let (first, second) = on_board(async |board| {
        let rollout = hook(&server, Role::Rollout, &[("wait", "700ms")]);
        (ask(board, &rollout).await, ask(board, &hook(&server, Role::Rollout, &[("wait", "10s")])).await)
    });
    assert_eq!(first.kind, Kind::Measuring, "{}", first.text);
    assert_eq!(second.kind, Kind::Pass, "{}", second.text);
    assert!(second.verdict.unwrap().findings.iter().all(|finding| finding.n >= 100));
}

#[test]
fn a_canary_that_only_errs_or_resets_fails_in_its_first_call() {
    let _load = together();
    for behaviour in ["errors 100%", "reset 100%"] {
        let server = practice(behaviour);
        let more = [("wait", "20s"), ("ready-wait", "500ms")];
        let answer = on_board(async |board| ask(board, &hook(&server, Role::Rollout, &more)).await);
        assert_eq!((answer.kind, answer.seconds), (Kind::Fail, 1), "{behaviour}: {}", answer.text);
    }
}

#[test]
fn a_canary_that_hangs_fails_although_it_never_says_anything() {
    let _load = together();
    // One request in ten hangs: the others answer, so that it is reached.
    let server = practice("hang 10%");
    let answer = on_board(async |board| {
        let slo = ("slo", "p95<50ms");
        ask(board, &hook(&server, Role::Rollout, &[slo, ("wait", "700ms")])).await;
        ask(board, &hook(&server, Role::Rollout, &[slo, ("wait", "15s")])).await
    });
    assert_eq!(answer.kind, Kind::Fail, "{}", answer.text);
}

#[test]
fn a_pre_rollout_hook_judges_its_whole_load_and_a_confirmation_agrees() {
    let _load = together();
    let server = practice("");
    let (pre, confirm) = on_board(async |board| {
        let pre = ask(board, &hook(&server, Role::PreRollout, &[("duration", "2s")])).await;
        let mut confirm = hook(&server, Role::Confirm, &[]);
        (confirm.order.plan, confirm.order.objective) = (None, None);
        (pre, ask(board, &confirm).await)
    });
    assert_eq!(pre.kind, Kind::Pass, "{}", pre.text);
    assert_eq!(pre.verdict.unwrap().findings[0].n, 200, "the warm-up is left out, and nothing else");
    assert_eq!(confirm.kind, Kind::Pass, "{}", confirm.text);
}

#[test]
fn a_canary_that_fails_one_request_in_ten_is_given_up_and_a_good_one_is_not() {
    let _load = together();
    for (behaviour, kind) in [("errors 10%", Kind::RollBack), ("", Kind::Stay)] {
        let server = practice(behaviour);
        let answer = on_board(async |board| {
            ask(board, &hook(&server, Role::Rollout, &[("wait", "0s")])).await;
            let mut rollback = hook(&server, Role::Rollback, &[]);
            (rollback.order.plan, rollback.order.objective) = (None, None);
            loop {
                let answer = ask(board, &rollback).await;
                if answer.kind != Kind::NotYet {
                    return answer;
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        });
        assert_eq!(answer.kind, kind, "{behaviour}: {}", answer.text);
        assert!(answer.seconds >= 10, "{behaviour}: {}", answer.seconds);
    }
}

#[test]
fn a_release_is_compared_with_the_one_in_service_while_both_are_loaded() {
    let _load = together();
    for (behaviour, kind, said) in [
        ("latency 3ms", Kind::Pass, "PASS podinfo.test: "),
        ("latency 3ms, stall 700ms/2s", Kind::Fail, "FAIL podinfo.test: p90<=primary+max(10%,50ms) was "),
        ("latency 3ms, errors 10%", Kind::Fail, "FAIL podinfo.test: errors<=primary+2pp was "),
        // Nothing of what hangs is finished yet: it is slower than the bound all the same.
        ("latency 3ms, hang 20%", Kind::Fail, "FAIL podinfo.test: p90<=primary+max(10%,50ms) was "),
    ] {
        let (canary, primary) = (practice(behaviour), practice("latency 3ms"));
        let beside = format!("http://{}/", primary.addr());
        let more = [("slo", "p90<=primary+max(10%,50ms), errors<=primary+2pp"), ("primary", &beside), ("wait", "0s")];
        let answer = on_board(async |board| {
            ask(board, &hook(&canary, Role::Rollout, &more)).await;
            tokio::time::sleep(Duration::from_millis(4_500)).await;
            ask(board, &hook(&canary, Role::Rollout, &more)).await
        });
        assert_eq!(answer.kind, kind, "{behaviour}: {}", answer.text);
        assert!(answer.text.starts_with(said), "{behaviour}: {}", answer.text);
        let [own, other] = [canary.truth().received, primary.truth().received];
        // One request asks whether the canary is there.
        assert!(other > 300 && own <= other + 40, "{behaviour}: {own} and {other}");
        // What hangs may take all lanes.
        assert!(behaviour.contains("hang") || own.abs_diff(other) <= 40, "{behaviour}: {own} and {other}");
    }
}

#[test]
fn a_target_that_refuses_everything_is_not_reached() {
    let _load = together();
    let server = practice("");
    let call = hook(&server, Role::Rollout, &[("ready-wait", "500ms"), ("wait", "1500ms")]);
    drop(server);
    let (first, second) = on_board(async |board| (ask(board, &call).await, ask(board, &call).await));
    assert_eq!(first.kind, Kind::NotYet, "{}", first.text);
    assert!(first.text.starts_with("RETRY podinfo.test: not reached: "), "{}", first.text);
    assert_eq!(second.kind, Kind::Fail, "{}", second.text);
    assert!(second.text.starts_with("FAIL podinfo.test: nothing was reached: "), "{}", second.text);
}
