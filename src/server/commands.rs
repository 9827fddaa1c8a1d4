//! Hooks that run a command: requests by curl and grep, and programs where they are allowed.

use axum::response::{IntoResponse as _, Response};

use super::App;
use super::payload::Payload;
use super::reply::{Reply, Status, output};
use super::tasks::refused;
use crate::exec::Ran;

/// Does what the hook asks for. A caller who leaves ends what it waits for.
pub(super) async fn command(app: &App, payload: &Payload) -> Response {
    let task = match app.commands.read(&payload.metadata) {
        Ok(task) => task,
        Err(why) => return refused(payload, &why),
    };
    if let Some(why) = task.plans().find_map(|plan| app.targets.admit(plan).err()) {
        tracing::warn!(canary = %payload.canary, why, "target refused");
        return Reply::new(Status::Forbidden, &why).into_response();
    }
    match app.commands.run(&payload.canary, task).await {
        Ran::Accepted => Reply::empty(Status::Accepted).into_response(),
        Ran::Done(text) => output(text),
        Ran::Failed(why) => Reply::new(Status::Failed, &why).into_response(),
        Ran::Full(why) => Reply::new(Status::Trouble, &why).into_response(),
    }
}
