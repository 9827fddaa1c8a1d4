//! Where and when a table was made: figures without their machine say nothing.

use std::fs::read_to_string;
use std::process::{Command, Stdio};

/// One line: date, processor, cores, kernel.
pub(crate) fn describe() -> String {
    let cpuinfo = read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown processor");
    let kernel = read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let busy = read_to_string("/proc/loadavg").unwrap_or_default();
    format!(
        "{}, {}, {cores} cores, Linux {}, load average before {}",
        jiff::Timestamp::now().strftime("%Y-%m-%d"),
        model.trim_start_matches([' ', '\t', ':']).trim(),
        kernel.trim(),
        busy.split(' ').next().unwrap_or("unknown"),
    )
}

/// The first line that a program prints about its version.
pub(crate) fn version(program: &std::path::Path, flag: &str) -> String {
    let output = Command::new(program).arg(flag).stdin(Stdio::null()).output();
    let text = output.map(|o| [o.stdout, o.stderr].concat()).unwrap_or_default();
    String::from_utf8_lossy(&text).lines().next().unwrap_or("unknown version").trim().to_owned()
}
