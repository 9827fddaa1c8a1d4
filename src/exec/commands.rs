//! The commands that run, and what their callers are answered.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::check::Checks;
use super::program::Allowed;
use super::results::{self, Results};
use super::task::{Task, Work};
use super::{apart, child};
use crate::canary::Canary;
use crate::plan::Hosts;

/// The loadtester's limit for a task.
const LIMIT: Duration = Duration::from_secs(3600);
/// Commands at once.
const MOST: usize = 64;
/// Characters of a command that an answer repeats.
const SHOWN_LINE: usize = 120;
/// Bytes of the end of an output that an answer to a failure repeats.
const SHOWN_OUTPUT: usize = 500;

/// What may run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Programs that may be run.
    pub allowed: Allowed,
    /// How long one command may take.
    pub limit: Duration,
    /// How many may run at once.
    pub most: usize,
    /// Names that requests ask no name server for.
    pub hosts: Arc<Hosts>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { allowed: Allowed::default(), limit: LIMIT, most: MOST, hosts: Arc::default() }
    }
}

/// What came of a command, for its caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ran {
    /// It runs, or ran already; nobody waits for it.
    Accepted,
    /// It succeeded. Its output where that was asked for, else nothing.
    Done(String),
    /// It failed: which command, what it wrote last, and why.
    Failed(String),
    /// As many run as may.
    Full(String),
}

/// Commands in the background that run now: a canary has each of its lines once.
type Running = Arc<Mutex<HashSet<(Canary, String)>>>;

/// Runs commands.
#[derive(Debug)]
pub struct Commands {
    settings: Settings,
    room: Arc<Semaphore>,
    running: Running,
    results: Arc<Results>,
}

impl Commands {
    /// Nothing runs yet.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let room = Arc::new(Semaphore::new(settings.most));
        Self { settings, room, running: Running::default(), results: Arc::default() }
    }

    /// Reads what a hook's metadata ask for, by `type` and `cmd`.
    ///
    /// # Errors
    /// What to change, in one line.
    pub fn read(&self, metadata: &BTreeMap<String, String>) -> Result<Task, String> {
        Task::read(metadata, &self.settings.allowed)
    }

    /// Does it. Type `cmd` goes on in the background; the others are waited for, and end when this is dropped.
    pub async fn run(&self, canary: &Canary, task: Task) -> Ran {
        let mark = match task.waited_for {
            true => None,
            false => match Mark::set(&self.running, canary, &task.line) {
                Some(mark) => Some(mark),
                None => {
                    tracing::info!(%canary, cmd = task.line, "command skipped: it is already running");
                    return Ran::Accepted;
                }
            },
        };
        let Ok(room) = Arc::clone(&self.room).try_acquire_owned() else {
            let most = self.settings.most;
            self.results.add(canary, &task.kind, "full");
            return Ran::Full(format!("tollgate is full: {most} of {most} commands run"));
        };
        let limits = (self.settings.limit, Arc::clone(&self.settings.hosts));
        let (canary, results) = (canary.clone(), Arc::clone(&self.results));
        let done = async move {
            let kind = task.kind.clone();
            let ran = done(&canary, task, limits, room).await;
            results.add(&canary, &kind, if matches!(ran, Ran::Done(_)) { "succeeded" } else { "failed" });
            ran
        };
        match mark {
            None => done.await,
            Some(mark) => {
                tokio::spawn(async move {
                    let _mark = mark;
                    done.await
                });
                Ran::Accepted
            }
        }
    }

    /// How often what came of them, by canary and type.
    #[must_use]
    pub fn results(&self) -> Vec<results::Result> {
        self.results.list()
    }
}

/// Does the task to its end.
async fn done(canary: &Canary, task: Task, (limit, hosts): (Duration, Arc<Hosts>), _room: OwnedSemaphorePermit) -> Ran {
    let Task { kind, line, work, .. } = task;
    tracing::info!(%canary, kind, cmd = line, "command started");
    let shown = work.is_a_line().then_some(line.as_str());
    let apart = |done: Result<String, String>| match done {
        Ok(output) => (output, None),
        Err(why) => (String::new(), Some(why)),
    };
    let (output, problem) = match work {
        Work::Checks(checks) => apart(apart::run(Checks(checks, hosts), limit).await),
        Work::Concord(process) => apart(apart::run(*process, limit).await),
        Work::Ngrinder(test) => apart(apart::run(*test, limit).await),
        Work::Child(program, arguments) => {
            let ended = child::run(program, arguments, limit).await;
            (ended.output, ended.problem)
        }
    };
    match problem {
        None => {
            let logged = if task.waited_for || task.logs_output { output.as_str() } else { "" };
            tracing::info!(%canary, kind, cmd = line, output = logged, "command finished");
            Ran::Done(if task.returns_output { output } else { String::new() })
        }
        Some(why) => {
            tracing::warn!(%canary, kind, cmd = line, output, why, "command failed");
            Ran::Failed(shown.map_or(why.clone(), |line| failure(line, &output, &why)))
        }
    }
}

/// `command LINE failed: OUTPUT: WHY`, without the output where there is none.
fn failure(line: &str, output: &str, why: &str) -> String {
    let (first, more) = line.trim().split_once('\n').unwrap_or((line.trim(), ""));
    let line = match first.char_indices().nth(SHOWN_LINE) {
        Some((end, _)) => format!("{}…", &first[..end]),
        None if more.is_empty() => first.to_owned(),
        None => format!("{first}…"),
    };
    let output = output.trim_end();
    let from = (output.len().saturating_sub(SHOWN_OUTPUT)..=output.len()).find(|at| output.is_char_boundary(*at));
    match output.get(from.unwrap_or_default()..).unwrap_or_default() {
        "" => format!("command {line} failed: {why}"),
        end if end.len() < output.len() => format!("command {line} failed: …{end}: {why}"),
        end => format!("command {line} failed: {end}: {why}"),
    }
}

/// That a canary's line runs, until this is dropped.
#[derive(Debug)]
struct Mark {
    running: Running,
    key: (Canary, String),
}

impl Mark {
    /// Marks it as running, unless it is already.
    fn set(running: &Running, canary: &Canary, line: &str) -> Option<Self> {
        let key = (canary.clone(), line.to_owned());
        let fresh = running.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone());
        fresh.then(|| Self { running: Arc::clone(running), key })
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_told_with_the_end_of_what_was_written_and_the_reason() {
        let long = "x".repeat(200);
        for (line, output, expected) in [
            ("false", "", "command false failed: why".to_owned()),
            (" a b\n", "one\ntwo\n\n", "command a b failed: one\ntwo: why".to_owned()),
            ("a\nb", "", "command a… failed: why".to_owned()),
            (&long, "", format!("command {}… failed: why", &long[..120])),
            ("a", &"é".repeat(300), format!("command a failed: …{}: why", "é".repeat(250))),
        ] {
            assert_eq!(failure(line, output, "why"), expected);
        }
    }
}
