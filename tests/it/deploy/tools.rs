//! Programs that are not ours, where they are installed.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A program of the machine; `None`, said aloud, where it is missing.
pub(super) fn program(name: &str, package: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|path| path.is_file());
    if found.is_none() {
        eprintln!("skipped: {name} is not installed ({package})");
    }
    found
}

/// Runs a command to its end and returns what it printed; it must succeed.
pub(super) fn output(command: &mut Command) -> String {
    let ended = command.stdin(std::process::Stdio::null()).output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{command:?}: {}\n{said}", ended.status);
    String::from_utf8(ended.stdout).unwrap_or_else(|e| panic!("{command:?}: {e}"))
}

/// A script or folder of the repository.
pub(super) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}
