//! The webhook service: what Flagger's loadtester answers, gates and their ends, and what must not bring it down.

mod alerts;
mod canaries;
mod commands;
mod conclusions;
mod contract;
mod corpus;
mod first;
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

use std::net::SocketAddr;

use crate::service::{Answer, ask};

/// Status, and the body or what the problem in it says.
fn said(answer: &Answer) -> (u16, String) {
    let problem: Option<serde_json::Value> = serde_json::from_str(&answer.body).ok();
    let detail = problem.as_ref().and_then(|problem| problem["detail"].as_str());
    (answer.status, detail.unwrap_or(&answer.body).to_owned())
}

/// One request with the headers that Flagger sends.
fn post(service: SocketAddr, path: &str, body: &str) -> Answer {
    let headers =
        [("User-Agent", "Go-http-client/1.1"), ("Content-Type", "application/json"), ("Accept-Encoding", "gzip")];
    ask(service, "POST", path, &headers, body.as_bytes())
}
