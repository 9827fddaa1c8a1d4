//! The program under test: built as it is shipped, and its report read.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// Names a binary to use in place of a fresh build: to try a benchmark, not to publish its figures.
const PROGRAM: &str = "TOLLGATE_BENCH_PROGRAM";

/// Builds the shipped binary and says where it is. Cargo's own messages go to standard error.
pub(crate) fn build() -> Result<PathBuf> {
    if let Some(program) = std::env::var_os(PROGRAM) {
        println!("{PROGRAM} is set: {} is used as it is", program.display());
        return Ok(program.into());
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(root).args(["build", "--profile", "dist", "--bin", "tollgate"]).stdin(Stdio::null());
    if !command.status().context("cargo")?.success() {
        bail!("cargo build --profile dist failed");
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    Ok(target.join("dist/tollgate"))
}

/// What `tollgate run --output json` printed.
pub(crate) struct Report(Value);

impl Report {
    /// Reads it.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let start: String = text.chars().take(80).collect();
        serde_json::from_str(text).map(Self).with_context(|| format!("no report in {start:?}"))
    }

    /// The number at a path such as `/latency_ms/p99`; `None` where the report has none.
    pub(crate) fn number(&self, path: &str) -> Option<f64> {
        self.0.pointer(path).and_then(Value::as_f64)
    }

    /// The text at a path such as `/verdict/decision`.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.0.pointer(path).and_then(Value::as_str)
    }

    /// What is at a path, as it is written.
    pub(crate) fn json(&self, path: &str) -> String {
        self.0.pointer(path).map(Value::to_string).unwrap_or_default()
    }
}
