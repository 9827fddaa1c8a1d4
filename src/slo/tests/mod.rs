//! The language, and scenarios of what it must decide.

mod compare;
mod judge;
mod parse;
pub(super) mod samples;
mod simulation;
