//! How long the control group held this process back: the usual cause of a saturated verdict in a cluster.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Counters of the CPU quota, since the group was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Throttled {
    /// Periods in which the group ran out of quota.
    pub(super) periods: u64,
    /// How long its tasks were held back, summed over CPUs.
    pub(super) time: Duration,
}

impl Throttled {
    /// Reads the counters of our own control group, version 2 or 1; `None` where the system has none.
    pub(super) fn now() -> Option<Self> {
        let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
        candidates(&groups).into_iter().find_map(|path| parse(&fs::read_to_string(path).ok()?))
    }

    /// What was added since `earlier`.
    pub(super) fn since(self, earlier: Self) -> Self {
        Self { periods: self.periods.saturating_sub(earlier.periods), time: self.time.saturating_sub(earlier.time) }
    }
}

/// Where the counters may be. In a container the group's own path is often not visible, but its root is the group.
fn candidates(groups: &str) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(group)) = (parts.next(), parts.next()) else { continue };
        let mounts: &[&str] = match controllers {
            "" => &["/sys/fs/cgroup", "/sys/fs/cgroup/unified"],
            _ if controllers.split(',').any(|c| c == "cpu") => &["/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup/cpu"],
            _ => continue,
        };
        for mount in mounts {
            paths.push(Path::new(mount).join(group.trim_start_matches('/')).join("cpu.stat"));
            paths.push(Path::new(mount).join("cpu.stat"));
        }
    }
    paths
}

fn parse(text: &str) -> Option<Throttled> {
    let mut found = None;
    for line in text.lines() {
        let Some((key, value)) = line.split_once(' ') else { continue };
        let Ok(value) = value.trim().parse::<u64>() else { continue };
        let throttled: &mut Throttled = match key {
            "nr_throttled" | "throttled_usec" | "throttled_time" => found.get_or_insert_default(),
            _ => continue,
        };
        match key {
            "nr_throttled" => throttled.periods = value,
            "throttled_usec" => throttled.time = Duration::from_micros(value),
            _ => throttled.time = Duration::from_nanos(value),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_of_the_counters_are_read() {
        let v2 = "usage_usec 5\nnr_periods 9\nnr_throttled 3\nthrottled_usec 1500\n";
        let v1 = "nr_periods 9\nnr_throttled 3\nthrottled_time 1500000\n";
        let expected = Some(Throttled { periods: 3, time: Duration::from_micros(1_500) });
        assert_eq!((parse(v2), parse(v1)), (expected, expected));
        assert_eq!(parse("usage_usec 5\n"), None, "a group without a quota controller says nothing");
    }

    #[test]
    fn the_groups_own_path_is_tried_before_its_root() {
        let paths = candidates("4:cpu,cpuacct:/a/b\n0::/c\n1:memory:/x\n");
        assert_eq!(paths[0], Path::new("/sys/fs/cgroup/cpu,cpuacct/a/b/cpu.stat"));
        assert!(paths.contains(&PathBuf::from("/sys/fs/cgroup/c/cpu.stat")));
        assert!(!paths.iter().any(|p| p.ends_with("x/cpu.stat")));
    }
}
