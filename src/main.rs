//! The `tollgate` program.

use std::process::ExitCode;

/// musl's allocator is slow under threads, and the static image is built for musl; one allocator everywhere keeps the
/// numbers comparable.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    tollgate::cli::main(std::env::args_os())
}
