//! The commands in hooks: requests by curl, grep and gRPC's health probe made here, and real programs where they are allowed by name.
//!
//! Flagger's loadtester gives every `cmd` to a shell. Most are a request whose answer is looked through, which needs none:
//! those are read by `spec::line` and made over the same wire as load. The rest runs as a child only where
//! `--enable-exec` names its kind: as the leader of a process group that ends with it, with a limit on its time and on what
//! is kept of its output.
//!
//! * `program`: what may be run. `task`: what a hook asks for.
//! * `probe`: one question to a health service. `apart`: the thread that requests are made on.
//! * `check`: requests and greps, one after the other. `service`: one that is asked in JSON. `concord`, `ngrinder`: two of
//!   them. `child`: a program and its group.
//! * `orphans`: what programs leave behind in a container. `commands`: who waits, what runs already, how much at once, and what is answered. `results`: how they ended, counted.

mod apart;
mod check;
mod child;
mod commands;
mod concord;
mod ngrinder;
mod orphans;
mod probe;
mod program;
mod results;
mod service;
mod task;

pub use commands::{Commands, Ran, Settings};
pub use orphans::{bury, inherits};
pub use probe::{Problem, probe};
pub use program::{Allowed, NoProgram, Program};
pub use results::Result;
pub use task::Task;
