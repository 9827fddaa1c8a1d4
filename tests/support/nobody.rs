//! An address where nobody listens, and nobody else's listener comes to stand for as long as a test holds it.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};

use socket2::{Domain, Socket, Type};

/// A port that is taken and not listened on: who connects is refused.
pub(crate) struct Nobody {
    pub(crate) addr: SocketAddr,
    _taken: Socket,
}

impl Nobody {
    pub(crate) fn at_home() -> Self {
        let taken = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        taken.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
        let addr = taken.local_addr().unwrap().as_socket().unwrap();
        Self { addr, _taken: taken }
    }
}

/// Host and port, as in a URL.
impl fmt::Display for Nobody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.addr.fmt(f)
    }
}
