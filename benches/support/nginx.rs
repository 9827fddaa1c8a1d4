//! One nginx with one worker on a core of its own, the target of everything that measures tollgate's own cost.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};

use super::process::{Invocation, Running, await_port, find, free_port};

/// A running nginx; dropping it ends it.
pub(crate) struct Nginx {
    /// On which port of 127.0.0.1 it speaks HTTP/1.1 in the clear.
    pub(crate) port: u16,
    /// On which it speaks HTTP/2 in the clear.
    http2: u16,
    /// On which it speaks TLS.
    tls: u16,
    _running: Running,
    folder: tempfile::TempDir,
}

impl Nginx {
    /// Starts it on `core`, on a free port, from `benches/peers/nginx.conf`.
    pub(crate) fn start(core: usize) -> Result<Self> {
        Self::with(core, "access_log off;")
    }

    /// The same, with an account of what was asked for.
    pub(crate) fn counting(core: usize) -> Result<Self> {
        Self::with(core, "log_format path '$uri'; access_log paths.log path buffer=64k flush=200ms;")
    }

    /// How often each path was asked for since the account was last forgotten. Ask when nothing has come for 200 ms.
    pub(crate) fn counts(&self) -> Result<BTreeMap<String, u64>> {
        let mut counts = BTreeMap::new();
        for line in BufReader::new(File::open(self.log())?).lines() {
            *counts.entry(line?).or_default() += 1;
        }
        Ok(counts)
    }

    /// Begins a new account.
    pub(crate) fn forget(&self) -> Result<()> {
        // nginx appends, so that it goes on at the beginning of an emptied file.
        Ok(File::options().write(true).open(self.log())?.set_len(0)?)
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("paths.log")
    }

    fn with(core: usize, account: &str) -> Result<Self> {
        let program = find("nginx").context("nginx is needed (Debian: apt-get install nginx-light)")?;
        let (port, http2, tls) = (free_port()?, free_port()?, free_port()?);
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
        let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers/nginx.conf");
        let text = std::fs::read_to_string(template)?
            .replace("H2PORT", &http2.to_string())
            .replace("TLSPORT", &tls.to_string())
            .replace("PORT", &port.to_string())
            .replace("access_log off;", account);
        // The answer of the health check, behind its prefix: SERVING.
        std::fs::create_dir_all(folder.path().join("grpc/grpc.health.v1.Health"))?;
        std::fs::write(folder.path().join("grpc/grpc.health.v1.Health/Check"), [0, 0, 0, 0, 2, 8, 1])?;
        // A P-256 key: nothing is asked of it but to be signed with.
        let own = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
        std::fs::write(folder.path().join("cert.pem"), own.cert.pem())?;
        std::fs::write(folder.path().join("key.pem"), own.signing_key.serialize_pem())?;
        let file = folder.path().join("nginx.conf");
        std::fs::write(&file, text)?;
        let invocation = Invocation::new(program, "-p").arg(folder.path()).arg("-c").arg(&file).on_core(core);
        let running = Running::start(&invocation)?;
        await_port(port, Duration::from_secs(5)).context("nginx did not start")?;
        Ok(Self { port, http2, tls, _running: running, folder })
    }

    /// Where it answers HTTP/1.1 in the clear.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// Where it answers HTTP/2 in the clear.
    pub(crate) fn url_of_http2(&self) -> String {
        format!("http://127.0.0.1:{}/", self.http2)
    }

    /// Where it answers HTTP/1.1 over TLS; at `close` it closes the connection after each answer.
    pub(crate) fn url_of_tls(&self, path: &str) -> String {
        format!("https://127.0.0.1:{}/{path}", self.tls)
    }
}
