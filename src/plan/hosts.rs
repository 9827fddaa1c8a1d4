//! Names that are known without asking anybody.

use std::collections::BTreeMap;
use std::net::SocketAddr;

/// Where named hosts are, whatever name servers say; the port is part of the answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hosts(BTreeMap<String, SocketAddr>);

impl Hosts {
    /// Knows one more; a name that is known already moves.
    pub fn put(&mut self, name: &str, address: SocketAddr) {
        self.0.insert(plain(name), address);
    }

    /// Where it is, if it is known.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<SocketAddr> {
        self.0.get(&plain(name)).copied()
    }

    /// Whether none is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, SocketAddr)> {
        self.0.iter().map(|(name, address)| (name.as_str(), *address))
    }
}

/// Names have no case, and a dot at their end says only that they are whole.
fn plain(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

/// Reads `HOST=ADDRESS:PORT`, several of them separated by commas.
impl std::str::FromStr for Hosts {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut hosts = Self::default();
        for part in text.split(',') {
            let (name, address) = part.trim().split_once('=').ok_or(())?;
            if name.is_empty() || name.contains([':', '/', ' ']) {
                return Err(());
            }
            hosts.put(name, address.parse().map_err(|_| ())?);
        }
        Ok(hosts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_case_and_with_a_dot_at_their_end() {
        let hosts: Hosts = "Podinfo.test=127.0.0.1:9898, b=[::1]:80".parse().unwrap();
        assert_eq!(hosts.find("podinfo.TEST."), Some(([127, 0, 0, 1], 9898).into()));
        assert_eq!((hosts.find("podinfo"), hosts.iter().count()), (None, 2));
    }

    #[test]
    fn what_is_no_name_with_an_address_is_refused() {
        for text in [
            "",
            "podinfo",
            "=127.0.0.1:80",
            "a=127.0.0.1",
            "a=localhost:80",
            "http://a=127.0.0.1:80",
            "a:80=127.0.0.1:80",
        ] {
            assert_eq!(text.parse::<Hosts>(), Err(()), "{text}");
        }
    }
}
