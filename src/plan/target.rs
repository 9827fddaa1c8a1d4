//! Where the load goes and what each request says.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// The host part of a URL.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// A name to resolve.
    Name(String),
    /// An address literal.
    Ip(IpAddr),
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Ip(IpAddr::V6(ip)) => write!(f, "[{ip}]"),
            Self::Ip(ip) => write!(f, "{ip}"),
        }
    }
}

/// One server: where connections go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Name or address.
    pub host: Host,
    /// TCP port.
    pub port: u16,
    /// Addresses given by the user (`--resolve`): when not empty, no name is looked up.
    pub pinned: Vec<SocketAddr>,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// One fixed HTTP request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Method, a token such as `GET`.
    pub method: String,
    /// Path and query, percent-encoded, starting with `/`.
    pub path: String,
    /// Value of the `Host` header.
    pub authority: String,
    /// Further headers, in the order they are sent. Names and values are checked: no control characters.
    pub headers: Vec<(String, String)>,
    /// Body; empty means none.
    pub body: Arc<[u8]>,
}

/// Server and request together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The URL as the user would write it, without credentials: for reports.
    pub url: String,
    /// Where connections go.
    pub origin: Origin,
    /// What each request says.
    pub request: Request,
}
