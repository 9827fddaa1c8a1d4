//! Flagger's side of a release: what its Canary says, as Flagger itself takes it. Pure.
//!
//! * `canary`, `hook`: the object and its hooks, with Flagger's defaults put in and the place of every key kept.
//! * `read`: YAML as canaries, and every mistake in it; `fields`: one mapping of it; `known`: the keys there are.
//! * `template`: what a chart leaves to be filled in.

mod canary;
mod fields;
mod hook;
mod known;
mod mistake;
mod places;
mod read;
mod template;

pub use canary::{Analysis, Canary, Match, Metric, Pattern, Service, SessionAffinity, Strategy, Target};
pub use hook::{Hook, HookKind};
pub use mistake::{Mistake, MistakeKind};
pub use places::Places;
pub use read::{Reading, read};
