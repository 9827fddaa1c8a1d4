//! A server of HTTP/1.1 over TLS, with an account of its handshakes.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{HandshakeKind, RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;

use super::certificates::{Authority, Certificate};

/// What a server has seen.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) full: AtomicU64,
    pub(crate) resumed: AtomicU64,
    pub(crate) failed: AtomicU64,
    pub(crate) requests: AtomicU64,
}

/// A running server; dropping it ends it.
pub(crate) struct Secure {
    pub(crate) addr: SocketAddr,
    seen: Arc<Seen>,
    _runtime: Runtime,
}

/// The TLS side of a server that shows this certificate and wants one of these clients. It speaks whatever protocol a
/// client offers first.
pub(crate) fn acceptor(certificate: &Certificate, clients: Option<&Authority>) -> TlsAcceptor {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
    let builder = match clients {
        None => builder.unwrap().with_no_client_auth(),
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(authority.der().into()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
            builder.unwrap().with_client_cert_verifier(verifier)
        }
    };
    let chain = vec![CertificateDer::from(certificate.der.clone())];
    let key = PrivateKeyDer::try_from(certificate.key.clone()).unwrap();
    let mut config = builder.with_single_cert(chain, key).unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    TlsAcceptor::from(Arc::new(config))
}

impl Secure {
    /// Starts one that answers every request with an empty 200.
    pub(crate) fn start(certificate: &Certificate, clients: Option<&Authority>) -> Self {
        Self::answering(certificate, clients, |_| "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_owned())
    }

    /// Starts one; `answer` gets a request's head.
    pub(crate) fn answering(
        certificate: &Certificate,
        clients: Option<&Authority>,
        answer: impl Fn(&str) -> String + Send + Sync + 'static,
    ) -> Self {
        let answer: Arc<dyn Fn(&str) -> String + Send + Sync> = Arc::new(answer);
        let acceptor = acceptor(certificate, clients);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let addr = listener.local_addr().unwrap();
        let seen = Arc::new(Seen::default());
        let counts = Arc::clone(&seen);
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, acceptor.clone(), Arc::clone(&counts), Arc::clone(&answer)));
            }
        });
        Self { addr, seen, _runtime: runtime }
    }

    /// Its account so far.
    pub(crate) fn seen(&self) -> &Seen {
        &self.seen
    }
}

/// Serves one connection.
async fn serve(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    counts: Arc<Seen>,
    answer: Arc<dyn Fn(&str) -> String + Send + Sync>,
) {
    let Ok(mut stream) = acceptor.accept(stream).await else {
        counts.failed.fetch_add(1, Ordering::Relaxed);
        return;
    };
    let resumed = stream.get_ref().1.handshake_kind() == Some(HandshakeKind::Resumed);
    let kind = if resumed { &counts.resumed } else { &counts.full };
    kind.fetch_add(1, Ordering::Relaxed);
    while let Some(head) = head(&mut stream).await {
        counts.requests.fetch_add(1, Ordering::Relaxed);
        if stream.write_all(answer(&head).as_bytes()).await.is_err() {
            return;
        }
    }
}

/// Reads one head, its empty line included; `None` when the connection ends instead. A byte at a time, so that nothing
/// behind it is lost.
pub(crate) async fn head(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        bytes.push(stream.read_u8().await.ok()?);
    }
    String::from_utf8(bytes).ok()
}

/// Files in PEM, in a folder.
pub(crate) struct Files {
    folder: PathBuf,
    /// Vanishes with them, where it is theirs.
    _own: Option<tempfile::TempDir>,
}

impl Files {
    /// Some in a folder of their own.
    pub(crate) fn new() -> Self {
        let own = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        Self { folder: own.path().to_owned(), _own: Some(own) }
    }

    /// Some in a folder that somebody else removes.
    pub(crate) fn in_folder(folder: &tempfile::TempDir) -> Self {
        Self { folder: folder.path().to_owned(), _own: None }
    }

    /// Writes texts in PEM to a file of that name.
    pub(crate) fn write(&self, name: &str, parts: &[&str]) -> PathBuf {
        let path = self.folder.join(name);
        std::fs::write(&path, parts.concat()).unwrap();
        path
    }

    /// A certificate and its key in one file.
    pub(crate) fn both(&self, name: &str, certificate: &Certificate) -> PathBuf {
        self.write(name, &[&certificate.pem, &certificate.key_pem])
    }
}
