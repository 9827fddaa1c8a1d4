//! A tollgate that the kernel holds back must say that it was, and blame nobody else.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::practice::{practice, url};
use super::report::Report;
use super::together;
use super::tollgate::{Ended, Running, by_shell};

/// A control group with a CPU quota; dropping it removes it.
struct Group(PathBuf);

/// A period of the quota, in microseconds; the kernel's default.
const PERIOD: u64 = 100_000;

impl Group {
    /// Makes one that may use so many percent of one CPU; why not, where that is not permitted.
    fn with_percent(percent: u64) -> Result<Self, String> {
        let quota = percent * PERIOD / 100;
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let name = format!("tollgate-test-{}-{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let mut refused = Vec::new();
        for (parent, file, value) in [
            ("/sys/fs/cgroup/cpu", "cpu.cfs_quota_us", quota.to_string()),
            ("/sys/fs/cgroup/cpu,cpuacct", "cpu.cfs_quota_us", quota.to_string()),
            ("/sys/fs/cgroup", "cpu.max", format!("{quota} {PERIOD}")),
        ] {
            let path = Path::new(parent).join(&name);
            let made = std::fs::create_dir(&path).map(|()| Self(path.clone()));
            match made.and_then(|group| std::fs::write(path.join(file), value).map(|()| group)) {
                Ok(group) => return Ok(group),
                Err(error) => refused.push(format!("{}: {error}", path.display())),
            }
        }
        Err(refused.join("; "))
    }

    /// Runs `tollgate run -o json` inside, from its first instruction; `None` where it may not enter.
    fn run(&self, arguments: &str, url: &str) -> Option<Ended> {
        let line = "echo $$ > \"$GROUP/cgroup.procs\" || exit 77; exec \"$0\" run -o json \"$@\"";
        let mut command = by_shell(line, arguments.split_whitespace().chain([url]));
        command.env("GROUP", &self.0);
        let ended = Running::start(command).finish();
        (ended.code != Some(77)).then_some(ended)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Its last process has been waited for.
        let _ = std::fs::remove_dir(&self.0);
    }
}

/// A load within a quota of 2 % of one CPU, against a canary outside of it.
fn throttled(behaviour: &str, arguments: &str) -> Option<Report> {
    let group = match Group::with_percent(2) {
        Ok(group) => group,
        Err(why) => {
            eprintln!("skipped: no control group with a CPU quota can be made here: {why}");
            return None;
        }
    };
    let server = practice(behaviour);
    let Some(ended) = group.run(arguments, &url(&server, "/")) else {
        eprintln!("skipped: a process may not be put into {}", group.0.display());
        return None;
    };
    let report = Report::of(ended);
    assert!(report.number("/generator/throttled_seconds") > 0.5, "{report}");
    Some(report)
}

#[test]
fn a_throttled_tollgate_says_saturated_and_names_the_cause() {
    let _load = together();
    for arguments in [
        "-z 4s -q 50 -c 2 --slo success>=99%,p99<50ms",
        "-z 2s --rate 500/s -c 10 --slo success>=99%,p99<500ms",
        // In a closed loop nothing is due: the heartbeat alone shows it.
        "-n 3000 -c 16 --slo p99<20ms",
    ] {
        let Some(report) = throttled("latency 3ms", arguments) else { return };
        let finished = report.count("/requests/finished");
        assert_eq!(
            (report.ended.code, report.text("/verdict/decision")),
            (Some(4), "saturated"),
            "{arguments}: {report}"
        );
        assert!(report.text("/verdict/reason").contains("CPU throttled "), "{arguments}: {report}");
        assert_eq!(report.count("/requests/succeeded"), finished, "every answer was sound: {report}");
        assert!(report.count("/generator/late") + report.count("/generator/tainted") > finished / 50, "{report}");
    }
}

#[test]
fn errors_that_the_target_answered_fail_even_then() {
    let _load = together();
    let arguments = "-z 4s -q 50 -c 2 --slo success>=99%,p99<50ms";
    let Some(report) = throttled("errors 20%", arguments) else { return };
    assert_eq!((report.ended.code, report.text("/verdict/decision")), (Some(1), "fail"), "{report}");
    let findings = report.json().pointer("/verdict/findings").unwrap();
    assert_eq!((findings[0]["decision"].as_str(), findings[1]["decision"].as_str()), (Some("fail"), Some("saturated")));
}
