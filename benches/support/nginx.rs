//! One nginx with one worker on a core of its own, the target of everything that measures tollgate's own cost.

use std::path::Path;
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
    _folder: tempfile::TempDir,
}

impl Nginx {
    /// Starts it on `core`, on a free port, from `benches/peers/nginx.conf`.
    pub(crate) fn start(core: usize) -> Result<Self> {
        let program = find("nginx").context("nginx is needed (Debian: apt-get install nginx-light)")?;
        let (port, http2, tls) = (free_port()?, free_port()?, free_port()?);
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
        let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers/nginx.conf");
        let text = std::fs::read_to_string(template)?
            .replace("H2PORT", &http2.to_string())
            .replace("TLSPORT", &tls.to_string())
            .replace("PORT", &port.to_string());
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
        Ok(Self { port, http2, tls, _running: running, _folder: folder })
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
