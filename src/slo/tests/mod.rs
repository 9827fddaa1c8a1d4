//! The language, and scenarios of what it must decide.

mod compare;
mod judge;
mod parse;
mod samples;
mod simulation;
