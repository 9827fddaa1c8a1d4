//! Messages of gRPC services. Pure.
//!
//! * `health`: the standard health service, which is built in.

mod health;

pub use health::{CHECK, CheckRequest, CheckResponse, Serving};
