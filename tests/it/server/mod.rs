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
mod process;
mod secured;
mod tasks;
