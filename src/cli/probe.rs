//! tollgate under the name of `grpc_health_probe`: one question to gRPC's health service, with that program's exit codes.

use std::ffi::OsString;

use tokio::runtime::{Builder, LocalOptions};

use super::flags::read_body;
use super::hey::utf8;
use super::{Exit, say, warn};
use crate::exec::{self, Problem};
use crate::spec::goflag::FlagError;
use crate::spec::probe::{self, Refusal};

/// Runs the program.
pub(super) fn main(args: impl Iterator<Item = OsString>) -> Exit {
    let read = utf8(args).map_err(Refusal::Check).and_then(|words| probe::read(&words, &read_body));
    let probe = match read {
        Ok(probe) => probe,
        Err(Refusal::Version) => return say(concat!("tollgate ", env!("CARGO_PKG_VERSION"), "\n")),
        Err(refusal) => {
            let usage = if let Refusal::Flag(_) = refusal { probe::USAGE } else { "" };
            let said = if refusal == Refusal::Flag(FlagError::Help) { String::new() } else { format!("{refusal}\n") };
            warn(&format!("{said}{usage}"));
            return Exit::Refused;
        }
    };
    let runtime = match Builder::new_current_thread().enable_all().build_local(LocalOptions::default()) {
        Ok(runtime) => runtime,
        Err(error) => {
            warn(&format!("tollgate: {error}\n"));
            return Exit::Refused;
        }
    };
    match runtime.block_on(exec::probe(&probe, &std::sync::Arc::default())) {
        Ok(text) => say(&text),
        Err(problem) => {
            warn(&format!("{problem}\n"));
            match problem {
                Problem::Unconnected(..) => Exit::Unconnected,
                Problem::Unanswered(_) => Exit::Unanswered,
                Problem::Unhealthy(_) => Exit::Unhealthy,
            }
        }
    }
}
