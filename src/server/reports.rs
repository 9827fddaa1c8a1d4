//! Hooks that report: what happened to a canary, and that its analysis is over. They are never refused for what they say.

use std::sync::Arc;

use axum::extract::State;
use jiff::Timestamp;

use super::App;
use super::gates::sight;
use super::hook::Hook;
use super::metrics::EventType;
use super::reply::{Reply, Status};
use crate::gate::Source;

/// Flagger's event: logged, counted, and a sign of the canary's phase.
pub(super) async fn event(State(app): State<Arc<App>>, hook: Hook) -> Reply {
    let payload = &hook.payload;
    let said = |key: &str| payload.metadata.get(key).map_or("", String::as_str);
    let kind = EventType::of(said("eventType"));
    app.metrics.event(kind);
    let message = said("eventMessage");
    if kind == EventType::Warning {
        tracing::warn!(canary = %payload.canary, checksum = %payload.checksum, phase = ?payload.phase, message, "event");
    } else {
        tracing::info!(canary = %payload.canary, checksum = %payload.checksum, phase = ?payload.phase, message, "event");
    }
    app.gates.saw(&payload.canary, &sight(payload, Source::Event), Timestamp::now()).await;
    Reply::new(Status::Done, "OK")
}

/// The end of an analysis: what belongs to it ends.
pub(super) async fn post_rollout(State(app): State<Arc<App>>, hook: Hook) -> Reply {
    let payload = &hook.payload;
    app.runs.saw(&payload.canary, payload.phase, true);
    let ended = app.gates.saw(&payload.canary, &sight(payload, Source::PostRollout), Timestamp::now()).await;
    tracing::info!(canary = %payload.canary, checksum = %payload.checksum, phase = ?payload.phase,
        rollback_gate_closed = ended, "analysis over");
    Reply::new(Status::Done, if ended { "OK: rollback gate closed" } else { "OK" })
}
