//! Commands of hooks: requests without a shell, held against the real curl and grep, and programs that end with all they have
//! started.

mod children;
mod patterns;
mod requests;
mod services;

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

use tollgate::canary::Canary;
use tollgate::exec::{Commands, Ran, Settings};

/// A service's runtime.
fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Commands with every program allowed.
fn commands(limit: Duration, most: usize) -> Commands {
    Commands::new(Settings { allowed: "bash,cmd,helm,kubectl".parse().unwrap(), limit, most, ..Settings::default() })
}

fn metadata(kind: &str, line: &str) -> BTreeMap<String, String> {
    [("type", kind), ("cmd", line), ("returnCmdOutput", "true")]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
}

/// Runs one line of a hook of `podinfo.test`.
async fn run(commands: &Commands, kind: &str, line: &str) -> Ran {
    let task = commands.read(&metadata(kind, line)).unwrap_or_else(|why| panic!("{line}: {why}"));
    commands.run(&Canary::new("podinfo", "test"), task).await
}

/// Whether a program is installed.
fn has(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}
