//! Pythons that have what a test needs of PyPI.

use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The first Python that has these modules: the one that `.ci/run` makes, then the system's own, which Debian's package
/// belongs to.
pub(crate) fn python(modules: &str, from: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let own = [concat!(env!("CARGO_MANIFEST_DIR"), "/target/python/bin"), "/usr/bin"].map(PathBuf::from);
    let folders = own.into_iter().chain(std::env::split_paths(&path));
    let has_all = |python: &PathBuf| {
        let imports = Command::new(python).args(["-c", &format!("import {modules}")]).stderr(Stdio::null()).status();
        imports.is_ok_and(|status| status.success())
    };
    let found = folders.map(|folder| folder.join("python3")).find(has_all);
    if found.is_none() {
        eprintln!("skipped: Python has no {modules} ({from})");
    }
    found
}
