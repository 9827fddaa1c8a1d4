//! Where a hook asks, as far as its URL says.

use url::Url;

use crate::flagger::Hook;

/// What is behind a hook's URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Path {
    /// `/`: the loadtester's tasks.
    Task,
    Rollout,
    PreRollout,
    Confirm,
    Rollback,
    GateCheck,
    GateOpen,
    GateClose,
    GateApprove,
    GateHalt,
    RollbackCheck,
    RollbackOpen,
    RollbackClose,
    Event,
    PostRollout,
    /// Somebody else, or a path that there is not.
    Other,
}

/// The paths by their names.
pub(super) const PATHS: &[(&str, Path)] = &[
    ("/", Path::Task),
    ("/rollout", Path::Rollout),
    ("/pre-rollout", Path::PreRollout),
    ("/confirm", Path::Confirm),
    ("/rollback", Path::Rollback),
    ("/gate/check", Path::GateCheck),
    ("/gate/open", Path::GateOpen),
    ("/gate/close", Path::GateClose),
    ("/gate/approve", Path::GateApprove),
    ("/gate/halt", Path::GateHalt),
    ("/rollback/check", Path::RollbackCheck),
    ("/rollback/open", Path::RollbackOpen),
    ("/rollback/close", Path::RollbackClose),
    ("/event", Path::Event),
    ("/post-rollout", Path::PostRollout),
];

/// The path of a hook's URL, doubled slashes undone; `None` where it is no URL that can be asked.
pub(super) fn written(hook: &Hook) -> Option<String> {
    let url = Url::parse(&hook.url).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    let mut path = url.path().to_owned();
    while path.contains("//") {
        path = path.replace("//", "/");
    }
    Some(path)
}

/// Whether the host is called like a loadtester or like tollgate.
pub(super) fn is_tester(hook: &Hook) -> bool {
    let host = Url::parse(&hook.url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
    host.contains("tester") || host.contains("tollgate")
}

impl Path {
    /// Where the hook asks. `/` of a host that is called neither loadtester nor tollgate is somebody else's, unless the
    /// metadata are a task's.
    pub(super) fn of(hook: &Hook) -> Self {
        let Some(written) = written(hook) else { return Self::Other };
        let found = PATHS.iter().find(|(name, _)| *name == written).map_or(Self::Other, |(_, path)| *path);
        let task = || ["cmd", "type", "url", "slo"].iter().any(|key| hook.metadata.contains_key(*key));
        if found == Self::Task && !is_tester(hook) && !task() { Self::Other } else { found }
    }

    /// Its name.
    pub(super) fn name(self) -> &'static str {
        PATHS.iter().find(|(_, path)| *path == self).map_or("", |(name, _)| name)
    }

    /// Whether what is asked there is a verdict on load.
    pub(super) const fn judges(self) -> bool {
        matches!(self, Self::Rollout | Self::PreRollout | Self::Confirm)
    }
}
