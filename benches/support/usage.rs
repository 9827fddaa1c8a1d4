//! Memory and CPU of a process over time, from `/proc`.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::process::cpu;

/// What a process used while it was watched.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    /// Greatest resident set, in bytes.
    pub(crate) peak_resident: u64,
    /// Cores kept busy, on average: CPU time ÷ wall time.
    pub(crate) cores: f64,
}

/// Watches a process until asked for the result.
pub(crate) struct Watch {
    stop: Sender<()>,
    thread: JoinHandle<Usage>,
}

impl Watch {
    /// Looks at process `pid` (`std::process::id()` for this one) every 100 ms.
    pub(crate) fn start(pid: u32) -> Self {
        let (stop, stopped) = channel();
        let thread = std::thread::spawn(move || {
            let began = Instant::now();
            let before = cpu(pid).unwrap_or_default();
            let mut usage = Usage::default();
            loop {
                let over = stopped.recv_timeout(Duration::from_millis(100)) != Err(RecvTimeoutError::Timeout);
                // A process that has just ended has no figures left; the last ones stand.
                if let (Some(resident), Ok(now)) = (resident(pid), cpu(pid)) {
                    usage.peak_resident = usage.peak_resident.max(resident);
                    usage.cores = now.saturating_sub(before).as_secs_f64() / began.elapsed().as_secs_f64();
                }
                if over {
                    return usage;
                }
            }
        });
        Self { stop, thread }
    }

    /// Ends the watch.
    pub(crate) fn finish(self) -> Usage {
        drop(self.stop);
        self.thread.join().unwrap_or_default()
    }
}

/// Resident memory of a process in bytes; `None` once it has ended.
pub(crate) fn resident(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}

/// Resident memory of a process in bytes, with what it shares with others divided among them; `None` once it has ended.
pub(crate) fn proportional(pid: u32) -> Option<u64> {
    let rollup = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}

/// Memory that the system could still give, in bytes; 0 where it does not say.
pub(crate) fn available() -> u64 {
    let meminfo = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) * 1024
}

/// Bytes as MiB.
pub(crate) fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
