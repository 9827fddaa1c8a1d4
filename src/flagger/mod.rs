//! Flagger's side of a release: what its Canary says, as Flagger itself takes it, and what its controller does with it, tick
//! by tick. Pure.
//!
//! * `canary`, `hook`, `metric`: the object, its hooks and its metrics, with Flagger's defaults put in and the place of every
//!   key kept.
//! * `read`: YAML as canaries, and every mistake in it; `fields`: one mapping of it; `known`: the keys there are.
//! * `template`: what a chart leaves to be filled in.
//! * `tick`: one tick of the controller. `world`: what it asks of everything else. `payload`: what hooks are sent.

mod canary;
mod fields;
mod hook;
mod known;
mod metric;
mod mistake;
mod payload;
mod places;
mod read;
mod template;
mod tick;
mod world;

pub use canary::{Analysis, Canary, Match, Pattern, Service, SessionAffinity, Strategy, Target};
pub use hook::{Hook, HookKind};
pub use metric::{Limits, Metric, Source};
pub use mistake::{Mistake, MistakeKind};
pub use payload::{Metadata, Payload, as_go};
pub use places::Places;
pub use read::{Reading, read};
pub use tick::{State, Status, Tick, tick};
pub use world::{Call, Measured, NotReady, Route, Step, World};
