//! What is wrong with a Canary, before a cluster sees it. Pure: text in, findings out.
//!
//! A Canary can be taken by the cluster and still do something else than its author meant: a hook that always passes, a gate
//! that nothing opens, load that the old release answers, an objective that the load is too small for. Each such thing is a
//! [`Rule`] with a name of its own; `docs/lint.md` has them all.
//!
//! * `rule`: the table. `finding`: one thing found; `settings`: what is looked for. `look`: a text as a report.
//! * `place`: where a hook asks. `role`: which hook may ask where. `task`: the loadtester's commands; `load`: loads and
//!   objectives, `evidence`: whether there can be enough of it, `target`: whose answers they get.
//! * `schedule`: interval, weights, iterations, metrics; `ticks`: how often hooks are asked. `hook`: what holds for any hook;
//!   `whole`: what hooks are to each other; `version`: what older versions of Flagger do otherwise.
//! * `text`, `json`, `github`: a report as people and machines read it. `migrate`: what changes for hooks of the loadtester.
//!   `words`: texts and times as messages have them.

mod evidence;
mod finding;
mod github;
mod hook;
mod json;
mod load;
mod look;
mod migrate;
mod place;
mod role;
mod rule;
mod schedule;
mod settings;
mod target;
mod task;
mod text;
mod ticks;
mod version;
mod whole;
mod words;

pub use finding::{Finding, Report};
pub use github::github;
pub use json::{json, migration_json};
pub use look::look;
pub use migrate::{Change, Migration, migrate};
pub use rule::{RULES, Rule, Severity};
pub use settings::Settings;
pub use text::{Style, migration, summary, text};
pub use version::{NoVersion, Version};

#[cfg(test)]
mod tests;
