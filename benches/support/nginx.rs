//! One nginx with one worker on a core of its own, the target of everything that measures tollgate's own cost.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use super::process::{Invocation, Running, await_port, find, free_port};

/// A running nginx; dropping it ends it.
pub(crate) struct Nginx {
    /// Where it answers.
    pub(crate) url: String,
    /// On which port of 127.0.0.1.
    pub(crate) port: u16,
    _running: Running,
    _folder: tempfile::TempDir,
}

impl Nginx {
    /// Starts it on `core`, on a free port, from `benches/peers/nginx.conf`.
    pub(crate) fn start(core: usize) -> Result<Self> {
        let program = find("nginx").context("nginx is needed (Debian: apt-get install nginx-light)")?;
        let port = free_port()?;
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
        let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers/nginx.conf");
        let text = std::fs::read_to_string(template)?.replace("PORT", &port.to_string());
        let file = folder.path().join("nginx.conf");
        std::fs::write(&file, text)?;
        let invocation = Invocation::new(program, "-p").arg(folder.path()).arg("-c").arg(&file).on_core(core);
        let running = Running::start(&invocation)?;
        await_port(port, Duration::from_secs(5)).context("nginx did not start")?;
        Ok(Self { url: format!("http://127.0.0.1:{port}/"), port, _running: running, _folder: folder })
    }
}
