//! Processes that nobody waits for, where this one is the first of its container: it inherits those that programs leave
//! behind, and each that has ended keeps its number until somebody asks how.

use std::collections::HashSet;
use std::fs;
use std::time::Duration;

use rustix::process::{Pid, WaitOptions, waitpid};

/// Time between two looks. Whoever waits for a process hears of its end at once; so one that has ended and is still there
/// after this long is nobody's.
const LOOK: Duration = Duration::from_secs(5);

/// Whether this process inherits others.
#[must_use]
pub fn inherits() -> bool {
    std::process::id() == 1
}

/// Asks for the ends of inherited processes, again and again.
pub async fn bury() {
    let mut seen = HashSet::new();
    loop {
        tokio::time::sleep(LOOK).await;
        let ended = ended();
        let (old, new): (HashSet<i32>, HashSet<i32>) = ended.into_iter().partition(|pid| seen.contains(pid));
        for pid in old.into_iter().filter_map(Pid::from_raw) {
            // It may have been buried meanwhile.
            let _ = waitpid(Some(pid), WaitOptions::NOHANG);
        }
        seen = new;
    }
}

/// Children of this process that have ended.
fn ended() -> HashSet<i32> {
    let own = std::process::id();
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    numbers
        .filter(|pid| fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| is_ended(&stat, own)))
        .collect()
}

/// Whether a process is a child of `parent` and has ended: `PID (NAME) STATE PARENT …`, where a name may hold anything.
fn is_ended(stat: &str, parent: u32) -> bool {
    let mut rest = stat.rsplit_once(") ").map_or("", |(_, rest)| rest).split(' ');
    rest.next() == Some("Z") && rest.next().and_then(|text| text.parse().ok()) == Some(parent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ended_child_is_known_by_its_state_and_parent() {
        for (stat, ended, why) in [
            ("7 (sleep) Z 1 7 7 0", true, "ended"),
            ("7 (a) Z 9) Z 1 7", true, "a name of its own choice"),
            ("7 (sleep) S 1 7", false, "it sleeps"),
            ("7 (sleep) Z 12 7", false, "another's child"),
            ("", false, "nothing"),
        ] {
            assert_eq!(is_ended(stat, 1), ended, "{why}");
        }
    }
}
