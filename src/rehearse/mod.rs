//! A rehearsal: Flagger's controller against what runs on this machine, so that a Canary can be tried without a cluster.
//!
//! The ticks are those of `flagger`; here is all that they ask. Hooks are called as Flagger calls them, at a service of our
//! own or at a running one. Two releases stand behind a router that splits real requests by the current weight; users keep
//! coming, and what Prometheus would know is taken from what went through.
//!
//! * `hosts`: the cluster's names on this machine. `speed`: what is shortened. `caller`: hooks. `split`: which release gets a
//!   request; `router`, `ended`: the splitting itself; `ledger`: what went through. `users`, `example`: who comes.
//! * `world`, `course`, `stage`: the ticks' world, their rhythm, and everything started and ended together.
//! * `record`, `show`: what came of it, for people and as JSON.

mod caller;
mod course;
mod ended;
mod example;
mod hosts;
mod ledger;
mod record;
mod router;
mod show;
mod speed;
mod split;
mod stage;
mod users;
mod world;

pub use caller::{Caller, Said};
pub use course::{Note, Outcome, Ticked, Told, shortest};
pub use hosts::{Place, Places, unknown};
pub use ledger::{Account, Tally};
pub use record::{Record, Setting};
pub use router::{Door, Router};
pub use show::{ending, heading, live, ticked, timeline, unfinished};
pub use speed::{Paced, paced};
pub use split::Side;
pub use stage::{Release, Stage, Wanted};
