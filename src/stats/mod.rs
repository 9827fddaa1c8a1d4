//! What was observed: samples, the counters an objective needs, and what they amount to. Pure.

mod meter;
mod outcome;
mod sample;
mod summary;

pub use meter::{Measures, Membership, Meter, Moments, Reading, Series, Set, Tally, Test, Trip, membership};
pub use outcome::{Code, Fault, Outcome, StatusSet};
pub use sample::{DialTimes, Ns, Sample};
pub use summary::{Distribution, Generator, Second, Stopped, Summary};
