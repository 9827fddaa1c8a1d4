//! What the user asked, as a plan and an objective. Pure.
mod duration;
pub use duration::{DurationError, GoDuration};
