//! What gRPC's health service says: that all is well, or what was chosen. Pure.

use std::sync::atomic::{AtomicU64, Ordering};

use super::grpc;
use super::value::Share;

/// What the health service says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Share of its answers that say NOT_SERVING.
    pub not_serving: Share,
    /// The one service that these are about, known then whether or not it is here; `None` for whatever is asked about.
    pub service: Option<String>,
}

impl Default for Health {
    fn default() -> Self {
        Self { not_serving: Share::NONE, service: None }
    }
}

impl Health {
    /// What a check finds: whether this service serves, `None` where there is none of that name. `checks` counts those that
    /// may find it not serving.
    pub(super) fn serves(&self, service: &str, checks: &AtomicU64) -> Option<bool> {
        let named = self.service.as_deref() == Some(service);
        if !named && !grpc::has(service) {
            return None;
        }
        let is_meant = named || self.service.is_none();
        if !is_meant || self.not_serving.is_none() {
            return Some(true);
        }
        let before = checks.fetch_add(1, Ordering::Relaxed);
        Some(self.not_serving.of(before + 1) == self.not_serving.of(before))
    }
}
