//! The built program as a child process: run to its end within a limit, never outliving its test.

use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// No run of the suite takes longer; one that does is broken.
const LIMIT: Duration = Duration::from_secs(90);

/// How often a running child's memory is looked at.
const LOOK: Duration = Duration::from_millis(5);

/// How a child ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Exit code; `None` after a signal that it did not catch.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// The most memory it was seen to have resident.
    pub(crate) peak_kib: u64,
}

/// A running child; dropping it kills it.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
}

/// The built program with these arguments, its environment free of what would change its output.
pub(crate) fn tollgate<S: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
    command.args(arguments);
    quiet(command)
}

/// A shell line that is given the built program as `"$0"` and the arguments as `"$@"`.
pub(crate) fn by_shell<S: AsRef<std::ffi::OsStr>>(line: &str, arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", line, env!("CARGO_BIN_EXE_tollgate")]).args(arguments);
    quiet(command)
}

fn quiet(mut command: Command) -> Command {
    command.env_remove("NO_COLOR").env_remove("TERM").stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Everything a pipe says, once it has ended.
fn drain(mut pipe: impl std::io::Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // A pipe that breaks has ended; what came before counts.
        let _ = pipe.read_to_end(&mut bytes);
        let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    receiver
}

impl Running {
    /// Starts it.
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap_or_else(|e| panic!("{command:?}: {e}"));
        let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        Self { child, stdout: drain(stdout), stderr: drain(stderr) }
    }

    /// Waits for its end.
    pub(crate) fn finish(mut self) -> Ended {
        let until = Instant::now() + LIMIT;
        let mut peak_kib = 0;
        let stdout = loop {
            match self.stdout.recv_timeout(LOOK) {
                Ok(stdout) => break stdout,
                Err(RecvTimeoutError::Timeout) => peak_kib = peak_kib.max(self.peak_kib()),
                Err(RecvTimeoutError::Disconnected) => panic!("the reader of standard output is gone"),
            }
            assert!(Instant::now() < until, "not done after {LIMIT:?}");
        };
        let stderr = self.stderr.recv_timeout(LIMIT).expect("standard error ends with standard output");
        let code = self.child.wait().unwrap().code();
        Ended { code, stdout, stderr, peak_kib }
    }

    /// The high-water mark of its resident memory; 0 once it has ended.
    fn peak_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Fails only where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs it to its end.
pub(crate) fn run<S: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = S>) -> Ended {
    Running::start(tollgate(arguments)).finish()
}
