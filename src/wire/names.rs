//! Addresses of a name: looked up for every connection, kept when nobody answers any more.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;

use hickory_resolver::TokioResolver;

use crate::plan::Host;

/// What is known of one server's addresses. The resolver remembers an answer for as long as its sender allows.
#[derive(Default)]
pub(super) struct Names {
    resolver: RefCell<Option<Rc<TokioResolver>>>,
    /// The newest answer: still good when a later look-up fails.
    known: RefCell<Vec<SocketAddr>>,
}

impl Names {
    /// All addresses of a host with its port: those of today, or the last that were known.
    ///
    /// # Errors
    /// In words, when there is none.
    pub(super) async fn addresses(&self, host: &Host, port: u16) -> Result<Vec<SocketAddr>, String> {
        let name = match host {
            Host::Ip(ip) => return Ok(vec![SocketAddr::new(*ip, port)]),
            Host::Name(name) => name,
        };
        let answer = match self.resolver() {
            Ok(resolver) => resolver.lookup_ip(name.as_str()).await.map_err(|error| {
                let nothing = error.is_nx_domain() || error.is_no_records_found();
                if nothing { format!("{name}: no such name") } else { format!("{name}: {error}") }
            }),
            Err(message) => Err(message),
        };
        let found: Vec<_> = match &answer {
            Ok(ips) => ips.iter().map(|ip| SocketAddr::new(ip, port)).collect(),
            Err(_) => Vec::new(),
        };
        if !found.is_empty() {
            self.known.replace(found.clone());
            return Ok(found);
        }
        let known = self.known.borrow().clone();
        if known.is_empty() {
            return Err(answer.err().unwrap_or_else(|| format!("{name}: the name has no address")));
        }
        Ok(known)
    }

    /// As if these had been looked up.
    #[cfg(test)]
    pub(super) fn know(&self, addresses: Vec<SocketAddr>) {
        self.known.replace(addresses);
    }

    fn resolver(&self) -> Result<Rc<TokioResolver>, String> {
        if let Some(resolver) = &*self.resolver.borrow() {
            return Ok(Rc::clone(resolver));
        }
        let resolver = TokioResolver::builder_tokio()
            .and_then(hickory_resolver::ResolverBuilder::build)
            .map_err(|error| format!("no usable resolver configuration: {error}"))?;
        let resolver = Rc::new(resolver);
        self.resolver.replace(Some(Rc::clone(&resolver)));
        Ok(resolver)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
    use hickory_resolver::net::runtime::TokioRuntimeProvider;
    use tokio::net::UdpSocket;

    use super::*;

    /// What a name server answers: addresses in 127.0.0.0/8 by their last byte, and for how many seconds they hold.
    type Answer = Arc<Mutex<(Vec<u8>, u32)>>;

    /// The answer to a query in wire format (RFC 1035 §4): the question is repeated, each address points at its name.
    fn answered(query: &[u8], (addresses, seconds): &(Vec<u8>, u32)) -> Vec<u8> {
        let name = query[12..].iter().position(|byte| *byte == 0).unwrap() + 13;
        let question = &query[12..name + 4];
        // Only IPv4 (type A) is known.
        let addresses: &[u8] = if question[question.len() - 3] == 1 { addresses } else { &[] };
        let mut answer = [&query[..2], &[0x81, 0x80, 0, 1, 0, addresses.len() as u8, 0, 0, 0, 0], question].concat();
        for last in addresses {
            answer.extend([0xc0, 12, 0, 1, 0, 1]);
            answer.extend(seconds.to_be_bytes());
            answer.extend([0, 4, 127, 0, 0, *last]);
        }
        answer
    }

    /// Names that are looked up at a server of our own, which answers what `answer` says at the time.
    async fn names(answer: Answer) -> Names {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let port = socket.local_addr().unwrap().port();
        tokio::spawn(async move {
            let mut query = [0; 512];
            while let Ok((length, from)) = socket.recv_from(&mut query).await {
                let answer = answered(&query[..length], &answer.lock().unwrap());
                let _ = socket.send_to(&answer, from).await;
            }
        });
        let mut connection = ConnectionConfig::udp();
        connection.port = port;
        let server = NameServerConfig::new([127, 0, 0, 1].into(), true, vec![connection]);
        let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
        let builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        let names = Names::default();
        names.resolver.replace(Some(Rc::new(builder.build().unwrap())));
        names
    }

    async fn found(names: &Names) -> Vec<u8> {
        let addresses = names.addresses(&Host::Name("changing.test".into()), 80).await.unwrap();
        let mut last: Vec<u8> = addresses
            .iter()
            .map(|address| match address.ip() {
                std::net::IpAddr::V4(ip) => ip.octets()[3],
                std::net::IpAddr::V6(ip) => panic!("{ip}"),
            })
            .collect();
        last.sort_unstable();
        last
    }

    #[tokio::test]
    async fn a_name_that_moves_is_followed_once_its_answer_has_run_out_and_not_before() {
        let answer = Answer::new(Mutex::new((vec![1, 2], 0)));
        let names = names(Arc::clone(&answer)).await;
        assert_eq!(found(&names).await, [1, 2]);
        *answer.lock().unwrap() = (vec![3], 3600);
        assert_eq!(found(&names).await, [3], "the first answer held for no time");
        *answer.lock().unwrap() = (vec![4], 0);
        assert_eq!(found(&names).await, [3], "the second answer holds for an hour");
    }

    #[tokio::test]
    async fn a_name_that_is_gone_keeps_its_last_addresses() {
        let answer = Answer::new(Mutex::new((vec![1], 0)));
        let names = names(Arc::clone(&answer)).await;
        assert_eq!(found(&names).await, [1]);
        *answer.lock().unwrap() = (Vec::new(), 0);
        assert_eq!(found(&names).await, [1]);
    }
}
