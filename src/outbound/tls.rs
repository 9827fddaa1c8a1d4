//! TLS as a client.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};

use super::Trust;
use crate::pem::{PemError, certificates, key, roots};

/// What every handshake has in common.
///
/// # Errors
/// A file that cannot be read, or is not what it should be.
pub(super) fn configuration(trust: &Trust) -> Result<Arc<ClientConfig>, PemError> {
    let roots = match &trust.cacert {
        None => RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() },
        Some(file) => roots(file)?,
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring has suites for TLS 1.2 and 1.3")
        .with_root_certificates(roots);
    let config = match &trust.identity {
        None => builder.with_no_client_auth(),
        Some((chain, secret)) => {
            let config = builder.with_client_auth_cert(certificates(chain)?, key(secret)?);
            config.map_err(|e| PemError::at(secret, e))?
        }
    };
    Ok(Arc::new(config))
}
