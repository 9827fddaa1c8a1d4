//! How a target is reached: the protocol, whom to trust, and what stands between.

use std::path::PathBuf;

use super::Host;

/// The protocol that carries requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wire {
    /// HTTP/1.1.
    #[default]
    Http1,
    /// HTTP/2: over TLS by ALPN, in the clear by prior knowledge.
    Http2,
    /// gRPC, one message each way, over HTTP/2.
    Grpc,
}

impl Wire {
    /// The name used in flags, reports and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Http1 => "http1",
            Self::Http2 => "http2",
            Self::Grpc => "grpc",
        }
    }

    /// The protocol as people write it.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Http1 => "HTTP/1.1",
            Self::Http2 => "HTTP/2",
            Self::Grpc => "gRPC",
        }
    }
}

/// What TLS asks of a server, and what it shows of us.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// Whose certificates are believed.
    pub trust: Trust,
    /// Our own certificate, for servers that ask for one.
    pub identity: Option<Identity>,
    /// Who the server is asked to be, whatever the URL says; `None` for the host of the URL.
    pub server: Option<Host>,
}

/// Whose certificates are believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Trust {
    /// Those signed by one of the public authorities compiled in.
    #[default]
    Public,
    /// Those signed by one of these authorities, and no other; certificates in DER, at least one.
    Only(Vec<Vec<u8>>),
    /// All: nothing is verified.
    Anyone,
}

/// A certificate of our own with its private key.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    /// The certificate and those that vouch for it, in DER, the own one first; at least one.
    pub chain: Vec<Vec<u8>>,
    /// The private key, in DER (PKCS #8, PKCS #1 or SEC 1).
    pub key: Vec<u8>,
}

/// Without the key.
impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("chain", &self.chain.len()).finish_non_exhaustive()
    }
}

/// What connections go through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Via {
    /// Straight to the target.
    #[default]
    Direct,
    /// An HTTP proxy: plain HTTP/1.1 is handed to it whole, everything else goes through a tunnel (CONNECT).
    Proxy(Proxy),
    /// A unix socket: whatever the URL's host is, connections go to this path.
    Unix(PathBuf),
}

/// An HTTP proxy.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    /// Whether the proxy itself is spoken to over TLS.
    pub secure: bool,
    /// Name or address.
    pub host: Host,
    /// TCP port.
    pub port: u16,
    /// Value of the `Proxy-Authorization` header, if the proxy wants one.
    pub authorization: Option<String>,
}

/// Without the password.
impl std::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scheme = if self.secure { "https" } else { "http" };
        write!(f, "Proxy({scheme}://{}:{})", self.host, self.port)
    }
}
