//! Rehearsals: hooks as Flagger calls them, traffic that is really split, and how they end.

mod calls;
mod ends;
mod files;
