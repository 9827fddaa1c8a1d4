//! Certificates and keys from PEM files, with the file's name in every complaint; and tokens from files.

use std::fmt::Display;
use std::path::Path;

use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Why a file is of no use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {why}")]
pub struct PemError {
    file: String,
    why: String,
}

impl PemError {
    /// This is wrong with that file.
    pub fn at(file: &Path, why: impl Display) -> Self {
        Self { file: file.display().to_string(), why: why.to_string() }
    }
}

/// The certificates in a file; at least one.
///
/// # Errors
/// The file cannot be read, or holds none.
pub fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, PemError> {
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let certificates = read.map_err(|e| PemError::at(file, e))?;
    if certificates.is_empty() { Err(PemError::at(file, "no certificate in it")) } else { Ok(certificates) }
}

/// The certificates in a file, as roots of trust.
///
/// # Errors
/// The file cannot be read, or holds none that can be one.
pub fn roots(file: &Path) -> Result<RootCertStore, PemError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(file)? {
        roots.add(certificate).map_err(|e| PemError::at(file, e))?;
    }
    Ok(roots)
}

/// The private key in a file.
///
/// # Errors
/// The file cannot be read, or holds none.
pub fn key(file: &Path) -> Result<PrivateKeyDer<'static>, PemError> {
    PrivateKeyDer::from_pem_file(file).map_err(|e| PemError::at(file, e))
}

/// The token in a file, without the space around it.
///
/// # Errors
/// The file cannot be read, or holds none.
pub fn token(path: &Path) -> Result<String, String> {
    let text = std::fs::read_to_string(path).map_err(|e| e.to_string())?;
    let token = text.trim();
    if token.is_empty() { Err("it is empty".to_owned()) } else { Ok(token.to_owned()) }
}
