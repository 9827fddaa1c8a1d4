//! The gates' paths. What they answer is what Flagger's loadtester answers, to the byte; an opening that ends by itself
//! says when, which the loadtester's never does.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use jiff::{Timestamp, Unit};

use super::App;
use super::hook::{Hook, Trusted};
use super::payload::Payload;
use super::reply::{Reply, Status};
use crate::gate::{Key, Kind, Opening, Order, Refused, Sight, Source};
use crate::spec::GoDuration;

/// Characters of a name or a reason that are kept.
const KEPT: usize = 200;

/// A gate that is always open.
pub(super) async fn approve() -> Reply {
    Reply::new(Status::Done, "OK")
}

/// A gate that is always closed.
pub(super) async fn halt() -> Reply {
    forbidden()
}

pub(super) async fn check_confirm(State(app): State<Arc<App>>, hook: Hook) -> Reply {
    check(&app, Kind::Confirm, hook.payload).await
}

pub(super) async fn check_rollback(State(app): State<Arc<App>>, hook: Hook) -> Reply {
    check(&app, Kind::Rollback, hook.payload).await
}

pub(super) async fn open_confirm(State(app): State<Arc<App>>, _: Trusted, hook: Hook) -> Reply {
    open(&app, Kind::Confirm, hook).await
}

pub(super) async fn open_rollback(State(app): State<Arc<App>>, _: Trusted, hook: Hook) -> Reply {
    open(&app, Kind::Rollback, hook).await
}

/// Closing is safe, and hooks do it: it needs no token.
pub(super) async fn close_confirm(State(app): State<Arc<App>>, hook: Hook) -> Reply {
    close(&app, Kind::Confirm, hook).await
}

pub(super) async fn close_rollback(State(app): State<Arc<App>>, hook: Hook) -> Reply {
    close(&app, Kind::Rollback, hook).await
}

fn forbidden() -> Reply {
    Reply::new(Status::Forbidden, "Forbidden")
}

async fn check(app: &App, kind: Kind, payload: Payload) -> Reply {
    let sight = sight(&payload, Source::Hook);
    let key = Key::new(kind, payload.canary);
    let mut answer = app.gates.check(&key, &sight, Timestamp::now()).await;
    if kind == Kind::Rollback && answer == Ok(false) {
        // An alert against the analysis opens its gate.
        answer = Ok(app.alerts.firing(&key.canary, &sight.checksum).is_some());
    }
    tracing::info!(gate = %kind, canary = %key.canary, checksum = %sight.checksum, phase = ?sight.phase,
        approved = ?answer.as_ref().ok(), "gate check");
    match answer {
        Ok(true) => Reply::new(Status::Done, "Approved"),
        Ok(false) => forbidden(),
        Err(error) => refused(&error),
    }
}

async fn open(app: &App, kind: Kind, hook: Hook) -> Reply {
    let order = match order(&hook) {
        Ok(order) => order,
        Err(mistakes) => return Reply::new(Status::BadInput, &mistakes.join("; ")),
    };
    let (by, why) = (order.by.clone(), order.why.clone());
    let key = noted(app, kind, hook.payload).await;
    match app.gates.open(&key, order, Timestamp::now()).await {
        Ok(opening) => {
            tracing::info!(gate = %kind, canary = %key.canary, by, why, until = ?opening.until, "gate opened");
            until(&opening).map_or(Reply::empty(Status::Accepted), |until| Reply::new(Status::Accepted, &until))
        }
        Err(error) => refused(&error),
    }
}

async fn close(app: &App, kind: Kind, hook: Hook) -> Reply {
    let (by, why) = who_and_why(&hook);
    let key = noted(app, kind, hook.payload).await;
    match app.gates.close(&key, by.clone(), why.clone(), Timestamp::now()).await {
        Ok(()) => {
            tracing::info!(gate = %kind, canary = %key.canary, by, why, "gate closed");
            Reply::empty(Status::Accepted)
        }
        Err(error) => refused(&error),
    }
}

/// The gate that is meant. A hook that opens or closes one also says where its canary's analysis is.
async fn noted(app: &App, kind: Kind, payload: Payload) -> Key {
    app.gates.saw(&payload.canary, &sight(&payload, Source::Hook), Timestamp::now()).await;
    Key::new(kind, payload.canary)
}

fn refused(error: &Refused) -> Reply {
    tracing::error!(%error, "gate not changed");
    let status = match error {
        Refused::NotStored(_) => Status::NotStored,
        Refused::Full => Status::Trouble,
    };
    Reply::new(status, &error.to_string())
}

/// What the hook says of its canary's analysis.
pub(super) fn sight(payload: &Payload, source: Source) -> Sight {
    Sight { phase: payload.phase, checksum: payload.checksum.clone(), source }
}

/// `open until 2026-11-29T07:30:00Z`; `None` for a gate that does not close by itself.
fn until(opening: &Opening) -> Option<String> {
    let until = opening.until?;
    Some(format!("open until {}", until.round(Unit::Second).unwrap_or(until)))
}

/// The terms that the metadata ask for, or every mistake in them.
fn order(hook: &Hook) -> Result<Order, Vec<String>> {
    let metadata = &hook.payload.metadata;
    let mut mistakes = Vec::new();
    let ttl = metadata.get("ttl").and_then(|text| {
        let ttl = text.parse().ok().and_then(GoDuration::to_std).filter(|ttl| *ttl >= Duration::from_secs(1));
        if ttl.is_none() {
            mistakes.push(format!("ttl: got '{}', expected a duration of at least 1s, such as 30m or 2h", short(text)));
        }
        ttl
    });
    let once = metadata.get("once").and_then(|text| match text.as_str() {
        "true" => Some(true),
        "false" => Some(false),
        other => {
            mistakes.push(format!("once: got '{}', expected \"true\" or \"false\"", short(other)));
            None
        }
    });
    let (by, why) = who_and_why(hook);
    if mistakes.is_empty() { Ok(Order { by, why, ttl, once }) } else { Err(mistakes) }
}

/// Who the caller says they are, with where they are; and what they say why.
fn who_and_why(hook: &Hook) -> (String, Option<String>) {
    let said = |key: &str| hook.payload.metadata.get(key).map(|text| short(text)).filter(|text| !text.is_empty());
    let address = hook.peer.0.ip().to_canonical();
    (said("by").map_or_else(|| address.to_string(), |by| format!("{by} ({address})")), said("why"))
}

fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(KEPT).collect()
}
