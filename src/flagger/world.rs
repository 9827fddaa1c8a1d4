//! What a tick wants of everything outside itself: a cluster, a rehearsal on this machine, a script in tests.

use serde::Serialize;

use super::hook::{Hook, HookKind};
use super::metric::{Metric, Source};
use super::payload::Payload;
use crate::canary::Phase;

/// A hook to be called.
#[derive(Clone, Debug, PartialEq)]
pub struct Call<'a> {
    /// Which.
    pub hook: &'a Hook,
    /// With what.
    pub payload: Payload,
}

/// Why a workload cannot be gone on with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotReady {
    /// In words, as the event shows them.
    pub text: String,
    /// Whether it may still become ready: it is within its deadline.
    pub retriable: bool,
}

/// What a metric amounts to.
#[derive(Clone, Debug, PartialEq)]
pub enum Measured {
    /// Its value: percent for a success rate, whole milliseconds for a duration.
    Value(f64),
    /// Nobody sent anything that it could be taken from.
    NoValues,
    /// It could not be asked for; in words.
    Failed(String),
    /// It is not asked for here, and decides nothing.
    Unasked,
}

/// Where traffic goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Route {
    /// To the primary, of 100.
    pub primary: i64,
    /// To the canary, of 100; of the requests that match, where there are conditions.
    pub canary: i64,
    /// The canary gets copies, whose answers nobody sees.
    pub mirrored: bool,
}

/// One thing that happened in a tick.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// A hook was called.
    Hook {
        /// Its name in the object.
        name: String,
        /// Its type.
        #[serde(rename = "type", serialize_with = "type_name")]
        kind: HookKind,
        /// The phase it was told.
        #[serde(serialize_with = "text")]
        phase: Phase,
        /// What Flagger took for its error; `None` for a success.
        error: Option<String>,
    },
    /// A metric was looked at.
    Metric {
        /// Its name.
        name: String,
        /// Its value: percent, milliseconds, or what its query means. `None` without one.
        value: Option<f64>,
        /// Whether it lets the analysis go on.
        passed: bool,
        /// Whether it was asked for at all.
        asked: bool,
    },
    /// An event, as Kubernetes gets it.
    Event {
        /// A warning, and no matter of course.
        warning: bool,
        /// The text.
        message: String,
    },
    /// Traffic goes elsewhere.
    Route(Route),
    /// The primary is made what the canary is.
    Promote,
    /// The canary gets its pods.
    ScaleUp,
    /// The canary loses its pods.
    ScaleDown,
}

fn type_name<S: serde::Serializer>(kind: &HookKind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(kind.name())
}

fn text<S: serde::Serializer>(phase: &Phase, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(phase)
}

/// Everything outside a tick.
pub trait World {
    /// Calls a hook.
    ///
    /// # Errors
    /// What Flagger shows for the failure.
    fn call(&mut self, call: &Call<'_>) -> Result<(), String>;

    /// Takes a metric from one of its sources.
    fn measure(&mut self, metric: &Metric, source: Source) -> Measured;

    /// Milliseconds since 1970, for the events that hooks get.
    fn millis(&mut self) -> u64;

    /// Whether the primary can serve.
    ///
    /// # Errors
    /// Why not.
    fn primary(&mut self) -> Result<(), NotReady> {
        Ok(())
    }

    /// Whether the canary can serve.
    ///
    /// # Errors
    /// Why not.
    fn canary(&mut self) -> Result<(), NotReady> {
        Ok(())
    }

    /// Hears of each step when it is done.
    fn happened(&mut self, step: &Step) {
        let _ = step;
    }
}
