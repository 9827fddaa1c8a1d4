//! TLS for the listener, and the certificates of callers.

use std::path::PathBuf;
use std::sync::Arc;

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

/// What makes connections TLS.
///
/// # Errors
/// A file cannot be read, holds no PEM of the kind it should, or certificate and key do not fit.
pub fn acceptor(files: &TlsFiles) -> Result<TlsAcceptor, PemError> {
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
