//! Flagger itself: its Go module, built once into a program that is asked and answers in lines of JSON (`tests/flagger`).

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

/// The running program; it ends when dropped.
pub(crate) struct Original {
    child: Child,
    asked: Option<ChildStdin>,
    told: BufReader<ChildStdout>,
}

impl Original {
    /// Starts it in one of its modes; `None`, said aloud, where Go or Flagger's module is not to be had.
    pub(crate) fn start(mode: &str) -> Option<Self> {
        static BUILT: OnceLock<Option<PathBuf>> = OnceLock::new();
        let program = BUILT.get_or_init(build).as_ref()?;
        let mut command = Command::new(program);
        let mut child = command.arg(mode).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (asked, told) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        Some(Self { child, asked, told })
    }

    /// One question and its answer.
    pub(crate) fn ask(&mut self, question: &Value) -> Value {
        let asked = self.asked.as_mut().unwrap();
        writeln!(asked, "{question}").unwrap();
        asked.flush().unwrap();
        let mut line = String::new();
        self.told.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line:?} to {question}"))
    }
}

impl Drop for Original {
    fn drop(&mut self) {
        drop(self.asked.take());
        // Told nothing more it ends by itself, unless it hangs.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Builds it; a first build compiles all of Flagger and takes minutes, later ones are in Go's cache.
fn build() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/flagger");
    let go = |arguments: &[&str]| {
        let mut command = Command::new("go");
        command.args(arguments).current_dir(&folder).env("GOTOOLCHAIN", "local").env("GOFLAGS", "-buildvcs=false");
        command.output()
    };
    let Ok(modules) = go(&["mod", "download"]) else {
        eprintln!("skipped: Go is not installed (Debian: golang-go)");
        return None;
    };
    if !modules.status.success() {
        let why = String::from_utf8_lossy(&modules.stderr);
        eprintln!("skipped: Flagger's Go module is not to be had: {}", why.lines().last().unwrap_or_default());
        return None;
    }
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("flagger");
    let built = go(&["build", "-ldflags=-s -w", "-o", &program.display().to_string(), "."]).unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    Some(program)
}
