//! Control groups with a limit, of either version of the kernel's interface.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

/// What a group holds back, by the names of both versions.
pub(crate) enum Limit {
    /// Percent of one CPU.
    Cpu(u64),
    /// Bytes of memory.
    Memory(u64),
}

/// A group; dropping it removes it.
pub(crate) struct Group(PathBuf);

/// A period of a CPU quota, in microseconds; the kernel's default.
const PERIOD: u64 = 100_000;

impl Group {
    /// Makes one.
    ///
    /// # Errors
    /// Why that is not permitted here.
    pub(crate) fn with(limit: &Limit) -> Result<Self> {
        let (first, second) = match limit {
            Limit::Cpu(percent) => {
                let quota = percent * PERIOD / 100;
                (("cpu", "cpu.cfs_quota_us", quota.to_string()), ("cpu.max", format!("{quota} {PERIOD}")))
            }
            Limit::Memory(bytes) => {
                (("memory", "memory.limit_in_bytes", bytes.to_string()), ("memory.max", bytes.to_string()))
            }
        };
        let root = Path::new("/sys/fs/cgroup");
        let places = [(root.join(first.0), first.1, first.2), (root.to_owned(), second.0, second.1)];
        let mut refused = Vec::new();
        for (parent, file, value) in places {
            let path = parent.join(format!("tollgate-bench-{}", std::process::id()));
            let made = std::fs::create_dir(&path).map(|()| Self(path.clone()));
            match made.and_then(|group| std::fs::write(path.join(file), value).map(|()| group)) {
                Ok(group) => return Ok(group),
                Err(error) => refused.push(format!("{}: {error}", path.display())),
            }
        }
        bail!("no control group can be made: {}", refused.join("; "))
    }

    /// Words before a program that put it into the group from its first instruction.
    pub(crate) fn words(&self) -> [OsString; 3] {
        let line = format!("echo $$ > {}/cgroup.procs || exit 77; exec \"$0\" \"$@\"", self.0.display());
        ["sh".into(), "-c".into(), line.into()]
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Its last process has been waited for.
        let _ = std::fs::remove_dir(&self.0);
    }
}
