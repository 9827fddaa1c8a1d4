//! Programs that are not ours, where they are installed.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A program of the machine, or one that `.ci/tools` made; `None`, said aloud, where it is missing.
pub(super) fn program(name: &str, package: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([made("bin")]);
    let found = folders.map(|folder| folder.join(name)).find(|path| path.is_file());
    if found.is_none() {
        eprintln!("skipped: {name} is not installed ({package})");
    }
    found
}

/// Where `.ci/tools` keeps what it has got.
pub(super) fn made(name: &str) -> PathBuf {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = || set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")));
    let folder = set("TOLLGATE_TEST_TOOLS").or_else(|| cache().map(|cache| cache.join("tollgate-tests")));
    folder.unwrap_or_default().join(name)
}

/// Runs a command to its end and returns what it printed, or what it complained of where it failed.
pub(super) fn attempt(command: &mut Command) -> Result<String, String> {
    let ended = command.stdin(std::process::Stdio::null()).output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if ended.status.success() { Ok(text(&ended.stdout)) } else { Err(text(&ended.stderr)) }
}

/// Runs a command that must succeed and returns what it printed.
pub(super) fn output(command: &mut Command) -> String {
    attempt(command).unwrap_or_else(|said| panic!("{command:?}: {said}"))
}

/// A script or folder of the repository.
pub(super) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}
