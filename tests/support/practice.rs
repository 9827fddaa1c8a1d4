//! The practice canary inside the test's own process.

use tollgate::practice::{Behaviour, Practice};

/// Starts one that behaves as the flags of `tollgate canary` say: `errors 2%, chunked`.
pub(crate) fn practice(settings: &str) -> Practice {
    let settings = settings.split(", ").filter(|setting| !setting.is_empty());
    let settings = settings.map(|setting| setting.split_once(' ').unwrap_or((setting, "")));
    Practice::start(Behaviour::parse(settings).unwrap()).unwrap()
}

/// Its address with a path, which begins with a slash.
pub(crate) fn url(practice: &Practice, path: &str) -> String {
    format!("http://{}{path}", practice.addr())
}
