//! Certificates for a practice canary, good and bad, made at its start or read from files.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, date_time_ymd,
};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

#[cfg(test)]
mod tests;

use super::behaviour::{BadTls, Behaviour, Protocols, Tls};

/// The name in a certificate that has the wrong one.
const WRONG_NAME: &str = "wrong-name.invalid";

/// An authority that signs certificates, and its name.
type Authority = CertifiedIssuer<'static, KeyPair>;

/// What TLS needs while the server runs, and what its clients may be given.
pub(super) struct Identity {
    /// Does the handshakes.
    pub(super) acceptor: TlsAcceptor,
    /// The authority that signed the server's certificate, unless that is bad, or brought by the user.
    pub(super) ca_pem: String,
    /// A client's certificate and key, signed by the same authority.
    pub(super) client_pem: String,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("ca_pem", &self.ca_pem).finish_non_exhaustive()
    }
}

impl Identity {
    /// Makes or reads certificates as chosen, and writes the files that were asked for; `hostname` is one of the
    /// server's names.
    ///
    /// # Errors
    /// A file cannot be read or written, or holds no usable certificate or key; the message names its flag.
    pub(super) fn prepare(behaviour: &Behaviour, hostname: &str) -> io::Result<Self> {
        let tls = &behaviour.tls;
        let authority = authority("tollgate practice canary CA").map_err(io::Error::other)?;
        let client_pem = client(&authority).map_err(io::Error::other)?;
        let (chain, key) = match &tls.files {
            Some((chain, key)) => (chain_of(chain)?, key_of(key)?),
            None => {
                let names = ["localhost", hostname, "127.0.0.1", "::1"].map(str::to_owned);
                let names = names.into_iter().chain([behaviour.listen.to_string()]).collect();
                server(tls.bad, names, &authority).map_err(io::Error::other)?
            }
        };
        let config = config(tls, behaviour.protocols, &authority, chain, key)?;
        let identity = Self { acceptor: TlsAcceptor::from(Arc::new(config)), ca_pem: authority.pem(), client_pem };
        if let Some(path) = &tls.ca_out {
            fs::write(path, &identity.ca_pem).map_err(|error| about("tls-ca-out", path, error))?;
        }
        if let Some(path) = &tls.client_out {
            write_private(path, &identity.client_pem).map_err(|error| about("tls-client-out", path, error))?;
        }
        Ok(identity)
    }
}

/// An authority of this name.
fn authority(name: &str) -> Result<Authority, rcgen::Error> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate()?)
}

/// A server's certificate for these names, good for centuries unless it is to be bad.
fn server(
    bad: Option<BadTls>,
    names: Vec<String>,
    authority: &Authority,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), rcgen::Error> {
    let names = if bad == Some(BadTls::WrongName) { vec![WRONG_NAME.to_owned()] } else { names };
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.push(DnType::CommonName, "tollgate practice canary");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    match bad {
        Some(BadTls::Expired) => {
            (params.not_before, params.not_after) = (date_time_ymd(2000, 1, 1), date_time_ymd(2001, 2, 3));
        }
        Some(BadTls::NotYetValid) => params.not_before = date_time_ymd(3000, 1, 1),
        _ => {}
    }
    let key = KeyPair::generate()?;
    let certificate = match bad {
        Some(BadTls::SelfSigned) => params.self_signed(&key)?,
        Some(BadTls::Foreign) => {
            let foreign = self::authority("a CA that nobody knows")?;
            params.signed_by(&key, &foreign)?
        }
        _ => params.signed_by(&key, authority)?,
    };
    Ok((vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into())))
}

/// A client's certificate and key in PEM.
fn client(authority: &Authority) -> Result<String, rcgen::Error> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "client of a tollgate practice canary");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, authority)?;
    Ok(format!("{}{}", certificate.pem(), key.serialize_pem()))
}

fn config(
    tls: &Tls,
    protocols: Protocols,
    authority: &Authority,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> io::Result<ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
    let builder = builder.with_safe_default_protocol_versions().map_err(io::Error::other)?;
    let builder = if tls.needs_client {
        let mut roots = RootCertStore::empty();
        roots.add(authority.der().clone()).map_err(io::Error::other)?;
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
        builder.with_client_cert_verifier(verifier.map_err(io::Error::other)?)
    } else {
        builder.with_no_client_auth()
    };
    let config = builder.with_single_cert(chain, key);
    let mut config = config.map_err(|error| io::Error::other(format!("--tls-cert, --tls-key: {error}")))?;
    let offered: &[&[u8]] = match protocols {
        Protocols::Both => &[b"h2", b"http/1.1"],
        Protocols::Http1 => &[b"http/1.1"],
        Protocols::Http2 => &[b"h2"],
    };
    config.alpn_protocols = offered.iter().map(|name| name.to_vec()).collect();
    Ok(config)
}

/// Certificates of a file in PEM, at least one.
fn chain_of(path: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    let text = fs::read(path).map_err(|error| about("tls-cert", path, error))?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match chain {
        Ok(chain) if chain.is_empty() => Err(about("tls-cert", path, "no certificate in PEM")),
        Ok(chain) => Ok(chain),
        Err(error) => Err(about("tls-cert", path, error)),
    }
}

/// The private key of a file in PEM.
fn key_of(path: &Path) -> io::Result<PrivateKeyDer<'static>> {
    let text = fs::read(path).map_err(|error| about("tls-key", path, error))?;
    PrivateKeyDer::from_pem_slice(&text).map_err(|error| about("tls-key", path, error))
}

/// Writes a file that only its owner may read.
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600).open(path)?.write_all(text.as_bytes())
}

fn about(flag: &str, path: &Path, problem: impl std::fmt::Display) -> io::Error {
    io::Error::other(format!("--{flag} {}: {problem}", path.display()))
}
