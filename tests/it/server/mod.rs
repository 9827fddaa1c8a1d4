//! The webhook service: what Flagger's loadtester answers, gates and their ends, and what must not bring it down.

mod contract;
mod corpus;
mod gates;
mod golang;
mod limits;
mod metrics;
mod process;
mod secured;
