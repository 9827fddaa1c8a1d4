//! What was observed: samples, the counters an objective needs, and what they amount to. Pure.

mod blocks;
mod counted;
mod join;
mod log;
mod meter;
mod newest;
pub mod number;
mod outcome;
mod packed;
mod reach;
mod reading;
mod recorder;
mod rows;
mod said;
mod sample;
mod slices;
mod sparse;
mod split;
mod summary;
mod timeline;
mod values;
mod window;

pub use counted::{Counted, Outcomes, Steps};
pub use log::{Log, Phase, Row, Spread};
pub use meter::{Answers, Classes, Look, Measures, Membership, Meter, Only, Series, Set, Test, Trip, membership};
pub use outcome::{Code, Fault, LAST_GRPC, Outcome, StatusSet, grpc_name, grpc_status};
pub use reach::{Reach, Unanswered};
pub use reading::{Moments, Reading, Tally};
pub use recorder::{Detail, Recorder};
pub use said::{Said, plain};
pub use sample::{DialTimes, Ns, Sample};
pub use slices::Slices;
pub use sparse::Sparse;
pub use split::{Group, Groups, Key, Outlier, Part, Split};
pub use summary::{Distribution, Failing, Generator, Second, Stopped, Summary};
pub use window::Window;
