//! Child processes that never outlive the benchmark, and what each of them cost.
//!
//! A child is pinned with `taskset` and asks the kernel, through `setpriv --pdeathsig`, to be killed when the thread
//! that started it ends: so it is gone after a panic, after Ctrl-C, and even after `kill -9` of the benchmark.

use std::ffi::OsString;
use std::io::Read;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

/// Ticks of `/proc/PID/stat` in a second: fixed by the kernel's interface to programs, whatever its own timer does.
const TICKS_PER_SECOND: u32 = 100;

/// A program with its arguments, and the core it must stay on.
pub(crate) struct Invocation {
    /// Name in `PATH`, or a path.
    pub(crate) program: PathBuf,
    /// Its arguments.
    pub(crate) arguments: Vec<OsString>,
    /// The core it is pinned to; `None` leaves it to the scheduler.
    pub(crate) core: Option<usize>,
    /// Words that go before the program: what runs it in surroundings of its own.
    under: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
}

impl Invocation {
    /// The program with arguments separated by blanks.
    pub(crate) fn new(program: impl Into<PathBuf>, arguments: &str) -> Self {
        let arguments = arguments.split_whitespace().map(Into::into).collect();
        Self { program: program.into(), arguments, core: None, under: Vec::new(), environment: Vec::new() }
    }

    /// One more argument, which may contain blanks.
    pub(crate) fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Pins it.
    pub(crate) fn on_core(mut self, core: usize) -> Self {
        self.core = Some(core);
        self
    }

    /// Runs it by another program that becomes it, such as `prlimit --nofile=64`.
    pub(crate) fn under<T: Into<OsString>>(mut self, words: impl IntoIterator<Item = T>) -> Self {
        self.under.extend(words.into_iter().map(Into::into));
        self
    }

    /// Sets a variable of its environment.
    pub(crate) fn variable(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    fn command(&self) -> Command {
        let mut command = match self.core {
            Some(core) => {
                let mut command = Command::new("taskset");
                command.args(["-c", &core.to_string(), "setpriv"]);
                command
            }
            None => Command::new("setpriv"),
        };
        command.args(["--pdeathsig", "KILL"]).args(&self.under).arg(&self.program).args(&self.arguments);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

/// A running child; dropping it kills it.
pub(crate) struct Running {
    child: Child,
    /// A caller's other threads may look at the process meanwhile.
    output: Mutex<Receiver<(Stream, String)>>,
    started: Instant,
}

#[derive(Clone, Copy, PartialEq)]
enum Stream {
    Out,
    Err,
}

/// How a child ended.
pub(crate) struct Ended {
    /// Exit code; `None` after a signal.
    pub(crate) code: Option<i32>,
    /// What it wrote.
    pub(crate) stdout: String,
    /// What it complained about.
    pub(crate) stderr: String,
    /// From its start to its end.
    pub(crate) wall: Duration,
    /// User and system time of all its threads, in steps of 10 ms.
    pub(crate) cpu: Duration,
}

impl Running {
    /// Starts it.
    pub(crate) fn start(invocation: &Invocation) -> Result<Self> {
        let started = Instant::now();
        let mut child = invocation.command().spawn().context("taskset and setpriv (Debian: util-linux) are needed")?;
        let (sender, output) = channel();
        let stdout = child.stdout.take().context("stdout was asked for")?;
        let stderr = child.stderr.take().context("stderr was asked for")?;
        let both: [(Stream, Box<dyn Read + Send>); 2] =
            [(Stream::Out, Box::new(stdout)), (Stream::Err, Box::new(stderr))];
        for (stream, mut pipe) in both {
            let sender = sender.clone();
            std::thread::spawn(move || {
                let mut bytes = Vec::new();
                // A pipe that breaks has ended; what came before counts.
                let _ = pipe.read_to_end(&mut bytes);
                let _ = sender.send((stream, String::from_utf8_lossy(&bytes).into_owned()));
            });
        }
        Ok(Self { child, output: Mutex::new(output), started })
    }

    /// Starts it without an ear for what it says: one of thousands costs no thread and no pipe then.
    pub(crate) fn unheard(invocation: &Invocation) -> Result<Self> {
        let started = Instant::now();
        let mut command = invocation.command();
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().context("setpriv is needed")?;
        Ok(Self { child, output: Mutex::new(channel().1), started })
    }

    /// The process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        Ok(kill_process(Pid::from_child(&self.child), signal)?)
    }

    /// Whether it is still running.
    pub(crate) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits for its end, at most `limit` from now.
    pub(crate) fn finish(mut self, limit: Duration) -> Result<Ended> {
        let until = Instant::now() + limit;
        let (mut stdout, mut stderr) = (String::new(), String::new());
        for _ in 0..2 {
            let left = until.saturating_duration_since(Instant::now());
            match self.output.get_mut().unwrap_or_else(PoisonError::into_inner).recv_timeout(left) {
                Ok((Stream::Out, text)) => stdout = text,
                Ok((Stream::Err, text)) => stderr = text,
                Err(RecvTimeoutError::Timeout) => bail!("not done after {limit:?}"),
                // Nobody listened.
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        let pid = Pid::from_child(&self.child);
        // The child is kept as a zombie, so that its times can still be read.
        let ended = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        while waitid(WaitId::Pid(pid), ended)?.is_none() {
            if Instant::now() > until {
                bail!("not done after {limit:?}");
            }
            std::thread::park_timeout(Duration::from_millis(5));
        }
        let wall = self.started.elapsed();
        let cpu = cpu(self.child.id())?;
        let code = self.child.wait()?.code();
        Ok(Ended { code, stdout, stderr, wall, cpu })
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
pub(crate) fn run(invocation: &Invocation, limit: Duration) -> Result<Ended> {
    let name = invocation.program.display();
    Running::start(invocation).and_then(|running| running.finish(limit)).with_context(|| format!("{name}"))
}

/// User and system time that a process and all its threads have used.
pub(crate) fn cpu(pid: u32) -> Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name stands in parentheses and may contain blanks.
    let fields = stat.rsplit_once(')').map(|(_, rest)| rest.split_whitespace()).context("no name in /proc/PID/stat")?;
    let ticks: Vec<u32> = fields.skip(11).take(2).map(str::parse).collect::<Result<_, _>>()?;
    Ok(Duration::from_secs(1) * ticks.iter().sum::<u32>() / TICKS_PER_SECOND)
}

/// Where a program is: in `PATH`, or where Cargo installs.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let cargo = std::env::var_os("HOME").map(|home| Path::new(&home).join(".cargo/bin"));
    let folders = std::env::split_paths(&path).chain(cargo).chain([PathBuf::from("/usr/sbin")]);
    folders.map(|folder| folder.join(program)).find(|path| path.is_file())
}

/// Waits until something listens on a loopback port.
pub(crate) fn await_port(port: u16, limit: Duration) -> Result<()> {
    await_address(SocketAddr::from(([127, 0, 0, 1], port)), limit)
}

/// Waits until something listens there.
pub(crate) fn await_address(address: SocketAddr, limit: Duration) -> Result<()> {
    let until = Instant::now() + limit;
    while TcpStream::connect_timeout(&address, limit).is_err() {
        if Instant::now() > until {
            bail!("nothing listens on {address} after {limit:?}");
        }
        std::thread::park_timeout(Duration::from_millis(5));
    }
    Ok(())
}

/// A loopback port that is free now.
pub(crate) fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
