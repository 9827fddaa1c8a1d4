//! What every dial of one plan needs, made once before the load starts: what connections go through, and TLS.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsRawFd;
use std::sync::Arc;

use rustls::ClientConfig;

use super::tls;
use crate::plan::{Host, Hosts, Tls, Via, Wire, is_near};

/// How a plan's connections are made. Cheap to clone; the workers share it.
#[derive(Clone, Debug)]
pub struct Transport {
    inner: Arc<Inner>,
    /// Addresses that are allowed although clouds hand out credentials there; `None` allows all.
    fence: Option<Arc<[IpAddr]>>,
    /// Names that no name server is asked for.
    hosts: Arc<Hosts>,
    /// The number that descriptors stay below; `None` for no limit.
    descriptors: Option<u64>,
}

#[derive(Debug)]
struct Inner {
    wire: Wire,
    via: Via,
    server: Option<Host>,
    tls: ClientConfig,
    proxy_tls: ClientConfig,
}

/// Why a plan's connections cannot be made at all: a mistake to be told before anything is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransportError {
    /// The flag that is to blame, dashes included.
    pub flag: &'static str,
    /// What is wrong with it, and what to do.
    pub problem: String,
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.flag, self.problem)
    }
}

impl std::error::Error for TransportError {}

impl Transport {
    /// Prepares a plan's certificates, key and proxy.
    ///
    /// # Errors
    /// What is said of them cannot work: an authority that is no certificate, a key that is not the
    /// certificate's.
    pub fn new(wire: Wire, tls: &Tls, via: &Via) -> Result<Self, TransportError> {
        let to_proxy = Tls { trust: tls.trust.clone(), identity: None, server: None };
        let inner = Inner {
            wire,
            via: via.clone(),
            server: tls.server.clone(),
            tls: tls::configuration(wire, tls)?,
            proxy_tls: tls::configuration(Wire::Http1, &to_proxy)?,
        };
        Ok(Self { inner: Arc::new(inner), fence: None, hosts: Arc::default(), descriptors: None })
    }

    /// The same without connections to where clouds hand out credentials ([`is_near`]), `allowed` addresses excepted.
    #[must_use]
    pub fn fenced(self, allowed: Vec<IpAddr>) -> Self {
        Self { fence: Some(allowed.into()), ..self }
    }

    /// The same without connections whose descriptor has this number or a greater one; `None` for no limit.
    #[must_use]
    pub fn below(self, descriptors: Option<u64>) -> Self {
        Self { descriptors, ..self }
    }

    /// The same, which asks no name server for these names.
    #[must_use]
    pub fn knowing(self, hosts: Arc<Hosts>) -> Self {
        Self { hosts, ..self }
    }

    /// Where this host is, if that is known without asking.
    pub(super) fn find(&self, host: &Host) -> Option<SocketAddr> {
        match host {
            Host::Name(name) => self.hosts.find(name),
            Host::Ip(_) => None,
        }
    }

    /// Whether no connection may go there.
    pub(super) fn bars(&self, address: IpAddr) -> bool {
        self.fence.as_ref().is_some_and(|allowed| is_near(address) && !allowed.contains(&address))
    }

    /// Whether a connection took a descriptor that is kept for others. The system gives the lowest number that is free.
    pub(super) fn leaves_none(&self, stream: &impl AsRawFd) -> bool {
        self.descriptors.is_some_and(|most| u64::try_from(stream.as_raw_fd()).is_ok_and(|number| number >= most))
    }

    /// What connections go through.
    #[must_use]
    pub fn via(&self) -> &Via {
        &self.inner.via
    }

    /// The protocol that connections are made for.
    #[must_use]
    pub fn wire(&self) -> Wire {
        self.inner.wire
    }

    /// Who targets are asked to be in their handshakes, whatever their URLs say.
    pub(super) fn server(&self) -> Option<&Host> {
        self.inner.server.as_ref()
    }

    /// What all handshakes with targets have in common.
    pub(super) fn tls(&self) -> &ClientConfig {
        &self.inner.tls
    }

    /// What handshakes with a proxy have in common: the same trust, and nothing shown of us.
    pub(super) fn proxy_tls(&self) -> &ClientConfig {
        &self.inner.proxy_tls
    }
}
