//! What a hook asks for: a load, an objective, and how to be answered.

use std::sync::Arc;
use std::time::Duration;

use super::build::Objective;
use super::status::StatusSet;
use crate::plan::Plan;

/// What the metadata of one hook come to.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    /// The load; `None` where the hook names no target.
    pub plan: Option<Arc<Plan>>,
    /// The same load on the release in service, which the objective compares with; `None` where it does not.
    pub primary: Option<Arc<Plan>>,
    /// What must hold; `None` judges nothing.
    pub objective: Option<Arc<Objective>>,
    /// Statuses that count as success.
    pub success: StatusSet,
    /// How much of the newest load to judge; `None` since the call before.
    pub window: Option<Duration>,
    /// How long the answer may take; `None` for what suits the hook.
    pub wait: Option<Duration>,
    /// How long to probe for a first answer before the load begins; zero begins at once.
    pub ready_wait: Duration,
    /// Whether load that the service of all users answers may decide before the first step of weight.
    pub apex: bool,
    /// Whether the verdict counts; otherwise it is only told.
    pub enforce: bool,
    /// What was asked for and has no effect, one sentence each.
    pub notes: Vec<String>,
}

impl Default for Order {
    /// No load, no objective, and a verdict that counts.
    fn default() -> Self {
        Self {
            plan: None,
            primary: None,
            objective: None,
            success: StatusSet::default(),
            window: None,
            wait: None,
            ready_wait: Duration::ZERO,
            apex: false,
            enforce: true,
            notes: Vec::new(),
        }
    }
}
