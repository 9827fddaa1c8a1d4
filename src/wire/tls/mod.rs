//! TLS as a client: whom to believe, what to show of ourselves, and the handshake.

mod sessions;
mod trust;
mod words;

#[cfg(test)]
mod tests;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};

use rustls::client::Resumption;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, InconsistentKeys};
use tokio_rustls::TlsConnector;

use sessions::Sessions;

use super::complaint::Complaint;
use super::stream::{Secured, Stream};
use super::transport::TransportError;
use crate::plan::{Host, Identity, Tls, Wire};
use crate::stats::Fault;

/// Name of HTTP/2 in the handshake (RFC 9113 §3.2).
const H2: &[u8] = b"h2";

/// Ciphers and curves, once for all loads: a service has a thousand.
static PROVIDER: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| Arc::new(rustls::crypto::ring::default_provider()));

/// What every handshake of a plan has in common: trust, identity and the protocol offered.
///
/// # Errors
/// An authority that is no certificate, a certificate or key that cannot be used, or that do not belong together.
pub(super) fn configuration(wire: Wire, tls: &Tls) -> Result<ClientConfig, TransportError> {
    let provider = Arc::clone(&PROVIDER);
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("ring has suites for TLS 1.2 and 1.3");
    let verifier = trust::verifier(&tls.trust, provider)?;
    let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
    let mut config = match &tls.identity {
        Some(identity) => {
            let (chain, key) = own(identity)?;
            builder.with_client_auth_cert(chain, key).map_err(|error| unusable(&error))?
        }
        None => builder.with_no_client_auth(),
    };
    // Each client has a store of its own; the one that comes with it has room for hundreds of tickets from the start.
    config.resumption = Resumption::disabled();
    config.alpn_protocols = match wire {
        Wire::Http1 => vec![b"http/1.1".to_vec()],
        Wire::Http2 | Wire::Grpc => vec![H2.to_vec()],
    };
    Ok(config)
}

/// The certificate chain and key that we show.
fn own(identity: &Identity) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), TransportError> {
    let chain = identity.chain.iter().cloned().map(CertificateDer::from).collect();
    let key = PrivateKeyDer::try_from(identity.key.clone())
        .map_err(|problem| TransportError { flag: "--key", problem: format!("it cannot be used: {problem}") })?;
    Ok((chain, key))
}

/// Why our certificate or its key cannot be used.
fn unusable(error: &rustls::Error) -> TransportError {
    match error {
        rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => TransportError {
            flag: "--key",
            problem: "it is not the key of the certificate; --cert begins with the certificate that the key belongs to"
                .into(),
        },
        rustls::Error::InvalidCertificate(problem) => {
            TransportError { flag: "--cert", problem: format!("it cannot be used: {problem}") }
        }
        other => TransportError { flag: "--key", problem: format!("it cannot be used: {other}") },
    }
}

/// Secures connections to one server.
#[derive(Clone, Debug)]
pub(super) struct Client {
    config: Arc<ClientConfig>,
    host: Host,
    wants_h2: bool,
}

/// A handshake that failed: as what it counts, and why.
pub(super) type Failed = (Fault, String);

impl Client {
    /// A client for `host`, with sessions of its own: what one worker learns of a server, its later connections resume.
    pub(super) fn new(config: &ClientConfig, host: Host) -> Self {
        let mut config = config.clone();
        config.resumption = Resumption::store(Arc::new(Sessions::default()));
        let wants_h2 = config.alpn_protocols == [H2];
        Self { config: Arc::new(config), host, wants_h2 }
    }

    /// Makes a connection secure. `address` is whom it reaches; what goes wrong on it later is noted in `complaint`.
    pub(super) async fn secure(
        &self,
        stream: Stream,
        address: Option<SocketAddr>,
        complaint: &Complaint,
    ) -> Result<Stream, Failed> {
        let name = self.name()?;
        let secured = TlsConnector::from(Arc::clone(&self.config)).connect(name, stream).await;
        let tls = secured.map_err(|error| self.failed(&error))?;
        if self.wants_h2 && tls.get_ref().1.alpn_protocol() != Some(H2) {
            return Err((Fault::Tls, words::NO_HTTP2.to_owned()));
        }
        let words = Later {
            address,
            host: self.host.clone(),
            shows_certificate: self.shows_certificate(),
            complaint: complaint.clone(),
        };
        Ok(Stream::Tls(Box::new(Secured::new(tls, words))))
    }

    /// Whom it secures connections to.
    pub(super) fn host(&self) -> &Host {
        &self.host
    }

    /// Who the server must be: the host of the URL unless the plan names another, whatever the `Host` header says.
    fn name(&self) -> Result<ServerName<'static>, Failed> {
        match &self.host {
            Host::Ip(ip) => Ok(ServerName::IpAddress((*ip).into())),
            Host::Name(name) => ServerName::try_from(name.clone())
                .map_err(|_| (Fault::Tls, format!("no certificate can be for the name {name}"))),
        }
    }

    fn failed(&self, error: &io::Error) -> Failed {
        match of_tls(error) {
            Some(problem) => (Fault::Tls, words::handshake(problem, self.shows_certificate(), self.wants_h2)),
            None if error.kind() == io::ErrorKind::UnexpectedEof => {
                (Fault::Reset, "the server closed the connection during the TLS handshake".to_owned())
            }
            None => (super::dial::fault_once_connected(error), format!("during the TLS handshake: {error}")),
        }
    }

    fn shows_certificate(&self) -> bool {
        self.config.client_auth_cert_resolver.has_certs()
    }
}

/// What is needed to put trouble after the handshake into words: in TLS 1.3 a server refuses our certificate only then.
#[derive(Debug)]
pub(super) struct Later {
    address: Option<SocketAddr>,
    host: Host,
    shows_certificate: bool,
    complaint: Complaint,
}

impl Later {
    /// Notes an error of an established connection, where it is one of TLS.
    pub(super) fn note(&self, error: &io::Error) {
        if let Some(problem) = of_tls(error) {
            self.complaint.note(|| at(self.address, &self.host, &words::later(problem, self.shows_certificate)));
        }
    }
}

/// The error of TLS inside an error of a stream.
fn of_tls(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

/// Whether a stream failed because of TLS, not because the connection under it did.
pub(super) fn is_of_tls(error: &io::Error) -> bool {
    of_tls(error).is_some()
}

/// A problem with where it arose: the address, or the host where none is known.
pub(super) fn at(address: Option<SocketAddr>, host: &Host, problem: &str) -> String {
    match address {
        Some(address) => format!("{address}: {problem}"),
        None => format!("{host}: {problem}"),
    }
}
