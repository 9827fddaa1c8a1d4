//! Hooks that make load and judge it: from a hook's body to a call at the board of runs, and from its answer to a reply.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;

use super::App;
use super::commands::command;
use super::gates::sight;
use super::hook::Hook;
use super::payload::Payload;
use super::receipt::Receipt;
use super::reply::{Reply, Status};
use crate::canary::Phase;
use crate::exec::Task;
use crate::gate::{Key, Kind as GateKind, Source};
use crate::spec::{self, Objective, Order};
use crate::task::{Answer, Call, Kind, Role, Signal};

pub(super) async fn rollout(State(app): State<Arc<App>>, hook: Hook) -> Response {
    judged(&app, Role::Rollout, hook.payload).await
}

pub(super) async fn pre_rollout(State(app): State<Arc<App>>, hook: Hook) -> Response {
    judged(&app, Role::PreRollout, hook.payload).await
}

pub(super) async fn confirm(State(app): State<Arc<App>>, hook: Hook) -> Response {
    judged(&app, Role::Confirm, hook.payload).await
}

pub(super) async fn rollback(State(app): State<Arc<App>>, hook: Hook) -> Response {
    judged(&app, Role::Rollback, hook.payload).await
}

/// The loadtester's endpoint: a load that nobody judges, unless the hook or the service names an objective; or a command.
pub(super) async fn plain(State(app): State<Arc<App>>, hook: Hook) -> Response {
    let metadata = &hook.payload.metadata;
    let unfit = match metadata.get("cmd") {
        _ if metadata.is_empty() => Some("metadata not found in payload"),
        None if metadata.get("type").is_none_or(|kind| kind == "cmd") && !metadata.contains_key("url") => {
            Some("cmd not found in metadata")
        }
        _ => None,
    };
    if let Some(why) = unfit {
        return refused(&hook.payload, why);
    }
    // An objective judges load, and is refused beside anything else.
    if Task::is_load(metadata) || metadata.contains_key("slo") && metadata.get("type").is_none_or(|kind| kind == "cmd")
    {
        return judged(&app, Role::Plain, hook.payload).await;
    }
    command(&app, &hook.payload).await
}

async fn judged(app: &Arc<App>, role: Role, payload: Payload) -> Response {
    let order = match order(app, role, &payload) {
        Ok(order) => order,
        Err(mistakes) => return refused(&payload, &mistakes.to_string()),
    };
    if let Some(why) = order.plan.iter().chain(&order.primary).find_map(|plan| app.targets.admit(plan).err()) {
        tracing::warn!(canary = %payload.canary, why, "target refused");
        return Reply::new(Status::Forbidden, &why).into_response();
    }
    let signal = if role == Role::Rollback { signal(app, &payload).await } else { None };
    let Payload { canary, phase, checksum, .. } = payload;
    let call = Call { canary, phase, checksum, role, order, signal };
    let runs = app.runs.clone();
    let delivery = if role == Role::PreRollout {
        // Its evidence is a whole load: a caller who leaves is answered when it asks again.
        runs.call(call).await
    } else {
        // A caller who leaves before the answer gets it when it asks again: it is concluded without it.
        match tokio::spawn(async move { runs.call(call).await }).await {
            Ok(delivery) => delivery,
            Err(broken) => std::panic::resume_unwind(broken.into_panic()),
        }
    };
    let mut response = reply(role, delivery.answer()).into_response();
    response.extensions_mut().insert(Receipt::new(move || delivery.arrived()));
    response
}

/// What the metadata ask for. A hook that names no objective is judged by the service's own, or by the usual one; a
/// rollback hook by what the run was judged by.
fn order(app: &App, role: Role, payload: &Payload) -> Result<Order, spec::Mistakes> {
    let default = app.hook.objective.clone();
    let objective = match role {
        Role::Rollback => None,
        // Load outside an analysis is the loadtester's: there is no revision to judge.
        Role::Plain => default.filter(|_| payload.phase == Phase::Progressing),
        _ => Some(default.unwrap_or_else(|| Arc::new(Objective::usual()))),
    };
    let hook = spec::Hook { objective, strict: role != Role::Plain, ..app.hook.clone() };
    let mut order = spec::order(&payload.metadata, &hook)?;
    // Where nothing is judged, nothing is warmed up for: the line is all that is sent, as by the loadtester.
    let unjudged = role == Role::Plain && order.objective.is_none() && !payload.metadata.contains_key("warmup");
    if let Some(plan) = order.plan.as_mut().filter(|_| unjudged) {
        Arc::make_mut(plan).schedule.warmup = Duration::ZERO;
    }
    Ok(order)
}

/// What speaks for a rollback besides measurements: the gate, or an alert.
async fn signal(app: &App, payload: &Payload) -> Option<Signal> {
    let key = Key::new(GateKind::Rollback, payload.canary.clone());
    let now = Timestamp::now();
    // A rollback gate that is open answers even where its use cannot be stored.
    if let Ok(true) = app.gates.check(&key, &sight(payload, Source::Hook), now).await {
        let gate = app.gates.gate(&key).unwrap_or_default();
        let (by, why) = gate.opening(now).map_or(("", None), |opening| (opening.by.as_str(), opening.why.as_deref()));
        let why = why.map_or_else(String::new, |why| format!(": {why}"));
        return Some(Signal::Gate(format!("the rollback gate was opened by {by}{why}")));
    }
    app.alerts.firing(&payload.canary, &payload.checksum).map(Signal::Alert)
}

/// An answer as callers get it. To a rollback hook success means to give the release up: nothing but that is one.
fn reply(role: Role, answer: &Answer) -> Reply {
    let status = match (role, answer.kind) {
        (Role::Rollback, Kind::RollBack) => Status::Done,
        (Role::Rollback, Kind::Pass | Kind::Measuring | Kind::Accepted) => Status::Failed,
        (_, Kind::Pass) => Status::Done,
        (_, Kind::Measuring | Kind::Accepted) => Status::Accepted,
        (_, Kind::Fail | Kind::Stay | Kind::RollBack) => Status::Failed,
        (_, Kind::NotYet) => Status::NotYet,
        (_, Kind::Saturated | Kind::Full | Kind::Broken) => Status::Trouble,
        (_, Kind::BadInput) => Status::BadInput,
    };
    if answer.text.is_empty() { Reply::empty(status) } else { Reply::new(status, &answer.text) }
}

/// A hook that makes no sense: nothing was started.
pub(super) fn refused(payload: &Payload, why: &str) -> Response {
    tracing::info!(canary = %payload.canary, checksum = %payload.checksum, why, "hook refused");
    Reply::new(Status::BadInput, why).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_wish_to_give_up_is_a_success_to_a_rollback_hook_and_only_a_pass_to_the_others() {
        let all = [
            (Kind::Pass, Status::Done, Status::Failed),
            (Kind::Measuring, Status::Accepted, Status::Failed),
            (Kind::Accepted, Status::Accepted, Status::Failed),
            (Kind::Fail, Status::Failed, Status::Failed),
            (Kind::NotYet, Status::NotYet, Status::NotYet),
            (Kind::Saturated, Status::Trouble, Status::Trouble),
            (Kind::Full, Status::Trouble, Status::Trouble),
            (Kind::Broken, Status::Trouble, Status::Trouble),
            (Kind::BadInput, Status::BadInput, Status::BadInput),
            (Kind::Stay, Status::Failed, Status::Failed),
            (Kind::RollBack, Status::Failed, Status::Done),
        ];
        for (kind, others, rollback) in all {
            let answer = Answer { kind, text: "x".to_owned(), measured: kind, verdict: None, seconds: 0 };
            for role in [Role::Rollout, Role::PreRollout, Role::Confirm, Role::Plain] {
                assert_eq!(reply(role, &answer), Reply::new(others, "x"), "{role:?} {kind:?}");
            }
            assert_eq!(reply(Role::Rollback, &answer), Reply::new(rollback, "x"), "{kind:?}");
        }
    }
}
