//! Where the load goes and what each request says.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::{Call, Drawn};

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
    /// Whether it is spoken to over TLS (`https`).
    pub secure: bool,
    /// Name or address.
    pub host: Host,
    /// TCP port.
    pub port: u16,
    /// Addresses given by the user (`--resolve`): when not empty, no name is looked up.
    pub pinned: Vec<SocketAddr>,
}

impl Origin {
    /// What a `Host` header says for this server: the port only where it is not the scheme's own, 80 or 443.
    #[must_use]
    pub fn authority(&self) -> String {
        let usual = if self.secure { 443 } else { 80 };
        if self.port == usual { self.host.to_string() } else { self.to_string() }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// One HTTP request.
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

impl Request {
    /// Value of the first header of that name, upper and lower case alike; `None` when there is none.
    ///
    /// `Host` is [`Self::authority`] and not among the headers.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Whether sending it twice does what sending it once does, by its method (RFC 9110 §9.2.2): only such a request
    /// may be sent again when its connection ended before any answer.
    #[must_use]
    pub fn is_idempotent(&self) -> bool {
        matches!(self.method.as_str(), "GET" | "HEAD" | "OPTIONS" | "TRACE" | "PUT" | "DELETE")
    }
}

/// How an answer shows whose it is: a header, and a regular expression that finds something in its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identify {
    /// The header's name.
    pub header: String,
    /// The expression, which can be compiled.
    pub pattern: String,
}

/// Server and request together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The URL as the user would write it, without credentials: for reports.
    pub url: String,
    /// Where connections go.
    pub origin: Origin,
    /// What each request says; where values are drawn, with what was written in their place.
    pub request: Request,
    /// What of it is drawn anew for each request; `None` sends `request` every time.
    pub drawn: Option<Drawn>,
    /// How the messages of a gRPC call are made and read.
    pub call: Call,
    /// Its part of the requests, against the weights of the other targets; at least 1.
    pub weight: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_authority_leaves_out_the_usual_port_and_brackets_addresses() {
        for (secure, host, port, authority) in [
            (false, Host::Name("podinfo.test".into()), 80, "podinfo.test"),
            (true, Host::Name("podinfo.test".into()), 443, "podinfo.test"),
            (true, Host::Name("podinfo.test".into()), 80, "podinfo.test:80"),
            (false, Host::Name("podinfo.test".into()), 9898, "podinfo.test:9898"),
            (false, Host::Ip([127, 0, 0, 1].into()), 8080, "127.0.0.1:8080"),
            (false, Host::Ip(std::net::Ipv6Addr::LOCALHOST.into()), 80, "[::1]"),
            (false, Host::Ip(std::net::Ipv6Addr::LOCALHOST.into()), 8080, "[::1]:8080"),
        ] {
            let origin = Origin { secure, host, port, pinned: Vec::new() };
            assert_eq!(origin.authority(), authority);
        }
    }

    #[test]
    fn headers_are_found_in_any_case_and_methods_are_not() {
        let mut request = Request {
            method: "PUT".into(),
            path: "/".into(),
            authority: "a".into(),
            headers: vec![("Accept".into(), "*/*".into()), ("accept".into(), "text/html".into())],
            body: Arc::from([]),
        };
        assert_eq!((request.header("ACCEPT"), request.header("Host")), (Some("*/*"), None));
        assert!(request.is_idempotent());
        for method in ["POST", "PATCH", "put", "PURGE"] {
            request.method = method.into();
            assert!(!request.is_idempotent(), "{method}");
        }
    }
}
