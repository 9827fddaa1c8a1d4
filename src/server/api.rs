//! For programs and people beside Flagger: gates with their history, the log level, and what all paths are.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::App;
use super::hook::{self, Trusted};
use super::reply::{Reply, Status, document, written};
use crate::canary::Canary;
use crate::gate::{Gate, Key, Kind};
use crate::telemetry::Level;

/// What each path takes and answers; tests hold every answer they get against it.
const OPENAPI: &str = include_str!("../../docs/openapi.json");

/// All gates that are remembered.
pub(super) async fn gates(State(app): State<Arc<App>>) -> Response {
    let now = Timestamp::now();
    let gates = app.gates.list();
    let gates: Vec<Value> = gates.iter().map(|(key, gate)| shown(key, gate, now, false)).collect();
    document(&json!({ "gates": gates }))
}

/// Both gates of a canary, closed ones too, with what happened to them.
pub(super) async fn gates_of(State(app): State<Arc<App>>, Path((namespace, name)): Path<(String, String)>) -> Response {
    let now = Timestamp::now();
    let gates = [Kind::Confirm, Kind::Rollback].map(|kind| {
        let key = Key::new(kind, Canary::new(name.as_str(), namespace.as_str()));
        let gate = app.gates.gate(&key).unwrap_or_default();
        shown(&key, &gate, now, true)
    });
    document(&json!({ "gates": gates }))
}

/// One gate as JSON. What does not apply is `null`.
fn shown(key: &Key, gate: &Gate, now: Timestamp, with_history: bool) -> Value {
    let opening = gate.opening(now);
    let mut value = json!({
        "kind": key.kind,
        "name": key.canary.name,
        "namespace": key.canary.namespace,
        "open": opening.is_some(),
        "since": opening.map(|opening| opening.at),
        "by": opening.map(|opening| &opening.by),
        "why": opening.and_then(|opening| opening.why.as_ref()),
        "until": opening.and_then(|opening| opening.until),
        "once": opening.map(|opening| opening.once),
        "used": opening.map(|opening| opening.used.is_some()),
    });
    if with_history {
        let history = gate.history(now);
        let events = history.iter().map(|e| json!({"at": e.at, "what": e.act, "by": e.by, "why": e.why}));
        value["history"] = events.collect();
    }
    value
}

/// What all of this is, for programs.
pub(super) async fn openapi() -> Response {
    written(OPENAPI)
}

pub(super) async fn log_level(State(app): State<Arc<App>>) -> Reply {
    Reply::new(Status::Done, &app.logs.level().to_string())
}

pub(super) async fn set_log_level(State(app): State<Arc<App>>, _: Trusted, body: Body) -> Response {
    let body = match hook::bytes(&app, body).await {
        Ok(body) => body,
        Err(reply) => return reply.into_response(),
    };
    let text = String::from_utf8_lossy(&body);
    let reply = match text.trim().parse::<Level>() {
        Ok(level) => {
            app.logs.set(level);
            tracing::info!(%level, "log level changed");
            Reply::new(Status::Done, &level.to_string())
        }
        Err(error) => Reply::new(Status::BadInput, &error.to_string()),
    };
    reply.into_response()
}
