//! TLS for the listener, and the certificates of callers.

use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::ServerConfig;
use rustls::server::WebPkiClientVerifier;
use tokio_rustls::TlsAcceptor;

use crate::pem::{PemError, certificates, key, roots};

/// PEM files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// Our certificate and what leads from it to a root.
    pub cert: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// Roots of callers' certificates. With it a caller without one is refused; `None` lets everybody in.
    pub client_ca: Option<PathBuf>,
}

/// What makes connections TLS. The files are looked at for each connection: those that were exchanged count at once.
#[derive(Debug)]
pub struct Tls {
    files: TlsFiles,
    current: Mutex<Current>,
}

/// What is in use, and the files as they were looked at last.
struct Current {
    acceptor: TlsAcceptor,
    looks: Looks,
}

impl std::fmt::Debug for Current {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Current").field("looks", &self.looks).finish_non_exhaustive()
    }
}

/// What tells files from those that were there before: device, number, length, and when they were written. `None` for one
/// that is not there.
type Looks = Vec<Option<(u64, u64, u64, i64, i64)>>;

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// A file cannot be read, holds no PEM of the kind it should, or certificate and key do not fit.
    pub fn new(files: TlsFiles) -> Result<Self, PemError> {
        let looks = files.looks();
        let current = Mutex::new(Current { acceptor: acceptor(&files)?, looks });
        Ok(Self { files, current })
    }

    /// What the next connection is made with. Files that are of no use are told of once, and those before them count.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let looks = self.files.looks();
        if looks != current.looks {
            current.looks = looks;
            match acceptor(&self.files) {
                Ok(acceptor) => {
                    current.acceptor = acceptor;
                    tracing::info!(cert = %self.files.cert.display(), "certificates were exchanged");
                }
                Err(error) => {
                    tracing::error!(%error, "certificates that were exchanged are of no use: the old ones stay")
                }
            }
        }
        current.acceptor.clone()
    }
}

impl TlsFiles {
    fn looks(&self) -> Looks {
        let look = |path: &PathBuf| {
            let file = std::fs::metadata(path).ok()?;
            Some((file.dev(), file.ino(), file.len(), file.mtime(), file.mtime_nsec()))
        };
        [Some(&self.cert), Some(&self.key), self.client_ca.as_ref()].into_iter().flatten().map(look).collect()
    }
}

fn acceptor(files: &TlsFiles) -> Result<TlsAcceptor, PemError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("ring has suites for TLS 1.2 and 1.3");
    let builder = match &files.client_ca {
        None => builder.with_no_client_auth(),
        Some(file) => {
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots(file)?), provider).build();
            builder.with_client_cert_verifier(verifier.map_err(|e| PemError::at(file, e))?)
        }
    };
    let config = builder.with_single_cert(certificates(&files.cert)?, key(&files.key)?);
    let mut config = config.map_err(|e| PemError::at(&files.key, e))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
