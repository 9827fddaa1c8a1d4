//! Runs: the load that belongs to the analysis of one revision, and the answers that Flagger gets from it.
//!
//! A **run** is one analysis of one revision of one canary. A **track** is one plan within it, loaded once or several times
//! in a row, its *stints*. Equal plans share one track, whichever hooks ask. A call judges a stretch of a track's seconds of
//! load; reading them changes nothing.
//!
//! * `call`: what is asked. `answer`: what is said, and in which words. `load`: what is wanted of a load.
//! * `track`: stints, seconds and which of them a call judges. `run`: what a run knows.
//!   `budget`: how much may run at once; `targets`: where it may go. `ruling`: a verdict that a person gives.
//! * `desk`: the rules: when a run begins and ends, what a call starts, what it may be answered. Time comes in as an
//!   argument; nothing here waits.
//! * `board`: the desk behind one lock, and whoever waits at it. `keep`: what outlives the process. `judged`, `rollback`: how a call comes to its verdict.
//! * `live`: loads of the engine; `ready`: whether their target answers yet. `status`: what is shown to people.

mod answer;
mod board;
mod budget;
mod call;
mod desk;
mod judged;
mod keep;
mod live;
mod load;
mod ready;
mod rollback;
mod ruling;
mod run;
mod status;
mod targets;
mod track;

#[cfg(test)]
mod tests;

pub use answer::{Answer, Kind};
pub use board::{Board, Delivery, Observer, Settings};
pub use budget::Budgets;
pub use call::{Call, Role, Signal};
pub use desk::Event;
pub use live::{Live, LiveLoad};
pub use load::{End, Load, Loads, Stage, Standing, Start};
pub use ruling::Override;
pub use status::{CanaryStatus, LoadStatus, Record, RunStatus, Sums};
pub use targets::Targets;
