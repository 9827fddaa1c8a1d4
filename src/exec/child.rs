//! A program as the leader of a process group of its own, which ends with it.
//!
//! Ending only the program would leave what it has started; and waiting for its output to end would wait for those.

use std::collections::VecDeque;
use std::io;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe::Receiver;
use tokio::process::{Child, Command};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout};

/// Time between asking a group to end and ending it.
const GRACE: Duration = Duration::from_secs(2);
/// How often it is looked whether a group has ended.
const LOOK: Duration = Duration::from_millis(10);
/// How long output may still come once the group has ended: somebody who left the group may hold it.
const LAST_OUTPUT: Duration = Duration::from_millis(500);
/// Bytes kept of the beginning of the output.
const MOST_HEAD: usize = 64 << 10;
/// Bytes kept of its end.
const MOST_TAIL: usize = 4 << 10;

/// How a program ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ended {
    /// What it wrote, to both of its outputs, in order.
    pub(super) output: String,
    /// Why it did not succeed, in the loadtester's words; `None` where it did.
    pub(super) problem: Option<String>,
}

/// Runs a program to its end. It and its group end when `limit` is over, and when this is dropped.
pub(super) async fn run(program: &'static str, arguments: Vec<String>, limit: Duration) -> Ended {
    let (caller, gone) = oneshot::channel::<()>();
    // A task of its own, so that a group can be asked to end before it is made to.
    let ended = tokio::spawn(attend(program, arguments, limit, gone)).await;
    drop(caller);
    let failed = |problem: String| Ended { output: String::new(), problem: Some(problem) };
    match ended {
        Ok(Ok(ended)) => ended,
        Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => {
            failed(format!("exec: \"{program}\": executable file not found in $PATH"))
        }
        Ok(Err(error)) => failed(format!("exec: \"{program}\": {error}")),
        Err(error) => failed(format!("tollgate itself: {error}")),
    }
}

async fn attend(
    program: &str,
    arguments: Vec<String>,
    limit: Duration,
    gone: oneshot::Receiver<()>,
) -> io::Result<Ended> {
    let (reader, writer) = io::pipe()?;
    let reader = Receiver::from_owned_fd(reader.into())?;
    let mut child = {
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer).process_group(0);
        command.spawn()?
    };
    let group = Group::of(&child)?;
    let kept = Arc::new(Mutex::new(Kept::default()));
    let reading = tokio::spawn(keep(reader, Arc::clone(&kept)));
    let problem = tokio::select! {
        status = child.wait() => problem(status?),
        () = sleep(limit) => Some(format!("stopped after {limit:?}")),
        _ = gone => Some("stopped".to_owned()),
    };
    group.end(&mut child).await;
    let reader = reading.abort_handle();
    if timeout(LAST_OUTPUT, reading).await.is_err() {
        reader.abort();
    }
    let output = kept.lock().unwrap_or_else(PoisonError::into_inner).text();
    Ok(Ended { output, problem })
}

/// What Go says of an exit.
fn problem(status: ExitStatus) -> Option<String> {
    use std::os::unix::process::ExitStatusExt as _;

    match (status.code(), status.signal()) {
        (Some(0), _) => None,
        (Some(code), _) => Some(format!("exit status {code}")),
        (None, Some(signal)) => Some(match signal {
            9 => "signal: killed".to_owned(),
            15 => "signal: terminated".to_owned(),
            other => format!("signal: {other}"),
        }),
        (None, None) => Some(status.to_string()),
    }
}

/// A process group. Whatever is left of it when this is dropped is ended at once.
struct Group(Pid);

impl Group {
    fn of(child: &Child) -> io::Result<Self> {
        let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        id.map(Self).ok_or_else(|| io::Error::other("the program has no process id"))
    }

    /// Ends what is left of it, and waits for the program.
    async fn end(self, child: &mut Child) {
        // Nobody left is as good as somebody told.
        let _ = kill_process_group(self.0, Signal::TERM);
        let by = Instant::now() + GRACE;
        let _ = timeout(GRACE, child.wait()).await;
        while Instant::now() < by && test_kill_process_group(self.0).is_ok() {
            sleep(LOOK).await;
        }
        let _ = kill_process_group(self.0, Signal::KILL);
        let _ = child.wait().await;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = kill_process_group(self.0, Signal::KILL);
    }
}

/// What is kept of an output.
#[derive(Debug, Default)]
struct Kept {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    left_out: u64,
}

impl Kept {
    fn add(&mut self, piece: &[u8]) {
        let (head, rest) = piece.split_at(piece.len().min(MOST_HEAD - self.head.len()));
        self.head.extend_from_slice(head);
        self.tail.extend(rest);
        let over = self.tail.len().saturating_sub(MOST_TAIL);
        self.tail.drain(..over);
        self.left_out += over as u64;
    }

    fn text(&self) -> String {
        let mut text = String::from_utf8_lossy(&self.head).into_owned();
        if self.left_out > 0 {
            text.push_str(&format!("\n… {} bytes left out …\n", self.left_out));
        }
        let tail: Vec<u8> = self.tail.iter().copied().collect();
        text.push_str(&String::from_utf8_lossy(&tail));
        text
    }
}

async fn keep(mut reader: Receiver, kept: Arc<Mutex<Kept>>) {
    let mut buffer = vec![0; 16 << 10];
    while let Ok(read) = reader.read(&mut buffer).await
        && read > 0
    {
        kept.lock().unwrap_or_else(PoisonError::into_inner).add(&buffer[..read]);
    }
}
