//! The webhook service: what Flagger's loadtester answers, gates and their ends, and what must not bring it down.

mod alerts;
mod canaries;
mod commands;
mod conclusions;
mod contract;
mod corpus;
mod gates;
mod golang;
mod limits;
mod lives;
mod metrics;
mod openapi;
mod process;
mod recipes;
mod secured;
mod tasks;

use crate::service::Answer;

/// Status, and the body or what the problem in it says.
fn said(answer: &Answer) -> (u16, String) {
    let problem: Option<serde_json::Value> = serde_json::from_str(&answer.body).ok();
    let detail = problem.as_ref().and_then(|problem| problem["detail"].as_str());
    (answer.status, detail.unwrap_or(&answer.body).to_owned())
}
