//! A target whose messages are JSON, as soon as their types are known: what is the same in every request is encoded once.

use std::sync::Arc;

use super::{Catalog, Misfit};
use crate::plan::{Messages, Target};

/// Requests whose drawn values are tried before any is sent, at least and at most, and bytes of them.
const LEAST_TRIED: u64 = 8;
const MOST_TRIED: u64 = 1_000;
const BYTES_TRIED: u64 = 4 << 20;

/// Why a target cannot be called.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// There is no such method.
    #[error("{0}")]
    Method(String),
    /// Its message does not fit.
    #[error("{0}")]
    Message(#[from] Misfit),
}

/// Makes the target's messages of its JSON, by the types of a catalog. Values that are drawn are tried; each request then
/// has its own.
///
/// # Errors
/// There is no such method, or a message does not fit it.
pub fn settle(target: &mut Target, catalog: &Catalog) -> Result<(), Unfit> {
    let method = catalog.method(&target.request.path).map_err(Unfit::Method)?;
    target.call.answers_many = method.answers_many();
    match target.drawn.as_ref().filter(|drawn| drawn.body.is_some()) {
        None => {
            let frames = method.frames(&target.request.body)?;
            if target.call.is_read {
                target.call.messages = Messages::Json(Arc::from(catalog.encoded()));
            } else {
                target.request.body = frames.into();
                target.call.messages = Messages::Framed;
            }
        }
        Some(drawn) => {
            let each = target.request.body.len().max(1) as u64;
            for index in 0..(BYTES_TRIED / each).clamp(LEAST_TRIED, MOST_TRIED) {
                method.frames(&drawn.request(&target.request, index, index).body)?;
            }
            target.call.messages = Messages::Json(Arc::from(catalog.encoded()));
        }
    }
    Ok(())
}
