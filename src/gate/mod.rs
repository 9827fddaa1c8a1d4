//! Gates: switches that people and programs set and that Flagger asks about.
//!
//! A confirm gate lets a release go on, a rollback gate makes Flagger give it up. All are closed until somebody opens
//! them; asking about one never makes one. What was answered to whoever opened or closed one is stored before.
//!
//! * `key`: which gate. `switch`: one gate, who set it, and what ends it. `life`: what hooks say of the analysis it
//!   belongs to. All three are arithmetic. `board`: all gates, shared and stored.

mod board;
mod key;
mod life;
mod switch;

pub use board::{Board, MOST_GATES, Refused, Rules};
pub use key::{Key, Kind};
pub use life::{Sight, Source};
pub use switch::{Act, Event, Gate, HISTORY, Opening, Order, Use};
