//! The built program as a child process: run to its end within a limit, never outliving its test.

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

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
    /// The most memory of its own that it was seen to have resident; 0 where it ended before anyone looked.
    pub(crate) peak_kib: u64,
}

/// A running child; dropping it kills it.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    stdout: Lines,
    stderr: Lines,
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

/// Any program's child, without input, its environment free of what would change its output.
pub(crate) fn quiet(mut command: Command) -> Command {
    command.env_remove("NO_COLOR").env_remove("TERM").stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// What a pipe says, line by line, without waiting for it.
#[derive(Debug)]
struct Lines(Receiver<String>);

impl Lines {
    fn of(pipe: impl Read + Send + 'static) -> Self {
        let (sender, receiver) = channel();
        std::thread::spawn(move || {
            let mut pipe = BufReader::new(pipe);
            let mut line = Vec::new();
            // A pipe that breaks has ended; what came before counts.
            while pipe.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
                let _ = sender.send(String::from_utf8_lossy(&line).into_owned());
                line.clear();
            }
        });
        Self(receiver)
    }

    /// All that is still to come, to its end; `look` is called before each line and while there is nothing.
    fn rest(&self, mut look: impl FnMut()) -> String {
        let until = Instant::now() + LIMIT;
        let mut text = String::new();
        loop {
            look();
            match self.0.recv_timeout(LOOK) {
                Ok(line) => text.push_str(&line),
                Err(RecvTimeoutError::Disconnected) => return text,
                Err(RecvTimeoutError::Timeout) => {}
            }
            assert!(Instant::now() < until, "not done after {LIMIT:?}: {text}");
        }
    }
}

impl Running {
    /// Starts it.
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap_or_else(|e| panic!("{command:?}: {e}"));
        let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        Self { child, stdout: Lines::of(stdout), stderr: Lines::of(stderr) }
    }

    /// Waits for its next line on standard output.
    pub(crate) fn line(&mut self) -> String {
        self.stdout.0.recv_timeout(LIMIT).unwrap_or_else(|e| panic!("no line: {e}"))
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        // Fails only where it has ended already.
        let _ = kill_process(self.pid(), signal);
    }

    /// Its process.
    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Waits for its end; lines that were taken before are not among its output.
    pub(crate) fn finish(mut self) -> Ended {
        let mut peak_kib = 0;
        let stdout = self.stdout.rest(|| peak_kib = peak_kib.max(self.peak_kib()));
        let stderr = self.stderr.rest(|| {});
        let code = self.child.wait().unwrap().code();
        Ended { code, stdout, stderr, peak_kib }
    }

    /// The high-water mark of its resident memory less what of the program's file is mapped, which is most of a debug
    /// build's and grows with the program; 0 once it has ended.
    fn peak_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let kib = |key: &str| -> Option<u64> {
            status.lines().find_map(|line| line.strip_prefix(key))?.split_whitespace().next()?.parse().ok()
        };
        kib("VmHWM:").zip(kib("RssFile:")).map_or(0, |(peak, file)| peak.saturating_sub(file))
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
