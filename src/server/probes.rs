//! What Kubernetes and Prometheus ask.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::App;
use super::reply::{Reply, Status, exposition};

/// Alive. The loadtester's answer.
pub(super) async fn healthz() -> Reply {
    Reply::new(Status::Done, "OK")
}

/// Ready for hooks; not while it is about to end.
pub(super) async fn readyz(State(app): State<Arc<App>>) -> Reply {
    if app.is_ready() { Reply::new(Status::Done, "OK") } else { Reply::new(Status::NotReady, "about to end") }
}

pub(super) async fn metrics(State(app): State<Arc<App>>) -> Response {
    exposition(app.metrics.page(&app.gates.list(), app.runs.sums(), app.commands.results()))
}
