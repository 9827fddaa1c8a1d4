//! How targets are reached: whom to trust, what to show of ourselves, and what stands between.

use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::address::address;
use super::build::SpecBuilder;
use super::keys::Id;
use super::mistake::{WRONG, Wrong, wrong};
use crate::plan::{Identity, Proxy, Tls, Trust, Via};

/// Longest path of a unix socket, in bytes: what fits the system's address with a zero at its end (unix(7)).
const MOST_PATH: usize = 107;

/// Flags that say something about TLS and nothing else.
const OF_TLS: [Id; 4] = [Id::Insecure, Id::Cacert, Id::Cert, Id::CertKey];

/// Reads a file's content.
pub(super) type Files<'a> = &'a dyn Fn(&Path) -> io::Result<Vec<u8>>;

/// Reads whom to trust and what to show. `secure` is whether anything may be reached over TLS at all.
pub(super) fn tls(wishes: &mut SpecBuilder, notes: &mut Vec<String>, read: Files<'_>, secure: bool) -> Tls {
    let insecure = wishes.is_given(Id::Insecure);
    let authorities = wishes.read(Id::Cacert, |name| certificates(&content(name, read)?));
    if insecure && wishes.is_given(Id::Cacert) {
        wishes.clash(Id::Cacert, "no authorities beside --insecure", "--insecure believes every certificate");
    }
    let identity = identity(wishes, read);
    let trust = match authorities {
        Some(authorities) => Trust::Only(authorities),
        None if insecure => Trust::Anyone,
        None => Trust::Public,
    };
    if !secure {
        let given = OF_TLS.into_iter().filter(|id| wishes.is_given(*id));
        notes.extend(given.map(|id| format!("{} has no effect: no URL begins with https://", id.key())));
    }
    Tls { trust, identity, server: None }
}

/// Our own certificate and its key, from two files or from one.
fn identity(wishes: &mut SpecBuilder, read: Files<'_>) -> Option<Identity> {
    let alone = !wishes.is_given(Id::CertKey);
    let cert = wishes.read(Id::Cert, |name| {
        let pem = content(name, read)?;
        let chain = certificates(&pem)?;
        let key = if alone {
            let missing = || wrong("there is no key in it, so --key must say where it is");
            Some(private_key(&pem)?.ok_or_else(missing)?)
        } else {
            None
        };
        Ok((chain, key))
    });
    let key = wishes.read(Id::CertKey, |name| {
        private_key(&content(name, read)?)?.ok_or_else(|| wrong("there is no private key in it"))
    });
    if !alone && !wishes.is_given(Id::Cert) {
        wishes.clash(Id::CertKey, "a certificate beside the key", "give it with --cert");
    }
    let (chain, with_it) = cert?;
    Some(Identity { chain, key: with_it.or(key)? })
}

fn content(name: &str, read: Files<'_>) -> Result<Vec<u8>, Wrong> {
    read(Path::new(name)).map_err(|error| wrong(error.to_string()))
}

/// All certificates of a PEM file, in DER; at least one.
fn certificates(pem: &[u8]) -> Result<Vec<Vec<u8>>, Wrong> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let found = found.map_err(|error| wrong(format!("it cannot be read: {error}")))?;
    // A sequence of at least 256 bytes, as every certificate in DER begins.
    if found.is_empty() && pem.starts_with(&[0x30, 0x82]) {
        return Err(wrong("it is DER; openssl x509 -inform der -in FILE -out FILE.pem makes PEM of it"));
    }
    if found.is_empty() {
        return Err(wrong("there is no certificate in it"));
    }
    Ok(found.iter().map(|certificate| certificate.to_vec()).collect())
}

/// The private key of a PEM file, in DER; `None` where there is none.
fn private_key(pem: &[u8]) -> Result<Option<Vec<u8>>, Wrong> {
    let encrypted = pem.windows(9).any(|word| word == b"ENCRYPTED");
    if encrypted {
        return Err(wrong("the key is encrypted; openssl pkey -in FILE -out FILE.open writes it in the clear"));
    }
    let found: Result<Vec<_>, _> = PrivateKeyDer::pem_slice_iter(pem).collect();
    let found = found.map_err(|error| wrong(format!("the key cannot be read: {error}")))?;
    match found.as_slice() {
        [] => Ok(None),
        [key] => Ok(Some(key.secret_der().to_vec())),
        _ => Err(wrong("there are several private keys in it")),
    }
}

/// Reads what connections go through.
pub(super) fn via(wishes: &mut SpecBuilder) -> Via {
    let proxy = wishes.read(Id::Proxy, proxy);
    let socket = wishes.read(Id::UnixSocket, socket);
    if wishes.is_given(Id::Proxy) && wishes.is_given(Id::UnixSocket) {
        wishes.clash(Id::UnixSocket, "no socket beside --proxy", "connections go through one of them");
    }
    if wishes.is_given(Id::Resolve) && wishes.is_given(Id::Proxy) {
        wishes.clash(Id::Resolve, "no addresses beside --proxy", "the proxy looks up the URL's host");
    }
    if wishes.is_given(Id::Resolve) && wishes.is_given(Id::UnixSocket) {
        wishes.clash(Id::Resolve, "no addresses beside --unix-socket", "all connections go to the socket");
    }
    match (proxy, socket) {
        (Some(proxy), _) => Via::Proxy(proxy),
        (None, Some(socket)) => Via::Unix(socket),
        (None, None) => Via::Direct,
    }
}

/// A proxy's URL; user and password become the header that it asks for.
fn proxy(text: &str) -> Result<Proxy, Wrong> {
    let address = address(text)?;
    if address.path != "/" {
        return Err(wrong("a proxy's address has no path"));
    }
    let authorization = address
        .credentials
        .map(|(user, password)| format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}"))));
    let origin = address.origin;
    Ok(Proxy { secure: origin.secure, host: origin.host, port: origin.port, authorization })
}

fn socket(text: &str) -> Result<PathBuf, Wrong> {
    match text.len() {
        0 => Err(WRONG),
        length if length > MOST_PATH => Err(wrong(format!("it has {length} bytes; go nearer to it with cd"))),
        _ if text.contains('\0') => Err(wrong("a zero byte ends a path")),
        _ => Ok(PathBuf::from(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Host;
    use crate::spec::{Mistakes, Spec};

    /// Files with a certificate, its key, and what is neither.
    struct Disk {
        cert: String,
        key: String,
        der: Vec<u8>,
    }

    impl Disk {
        fn new() -> Self {
            let made = rcgen::generate_simple_self_signed(vec!["a.test".to_owned()]).unwrap();
            Self { cert: made.cert.pem(), key: made.signing_key.serialize_pem(), der: made.cert.der().to_vec() }
        }

        fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
            let Self { cert, key, der } = self;
            match path.to_str().unwrap() {
                "cert" => Ok(cert.clone().into()),
                "key" => Ok(key.clone().into()),
                "both" => Ok(format!("a comment\n{key}{cert}").into()),
                "two" => Ok(format!("{cert}{cert}").into()),
                "keys" => Ok(format!("{key}{key}").into()),
                "der" => Ok(der.clone()),
                "locked" => Ok(key.replace("PRIVATE", "ENCRYPTED PRIVATE").into()),
                "cut" => Ok(cert.replace("-----END", "----END").into()),
                "empty" => Ok(Vec::new()),
                _ => Err(io::Error::new(io::ErrorKind::NotFound, "no such file")),
            }
        }

        fn build(&self, url: &str, wishes: &[(Id, &str)]) -> Result<Spec, Mistakes> {
            let mut builder = SpecBuilder::new();
            for (id, value) in [(Id::Url, url)].iter().chain(wishes) {
                builder.give(*id, *value);
            }
            builder.build(&|path| self.read(path))
        }

        fn tls(&self, wishes: &[(Id, &str)]) -> Tls {
            let spec = self.build("https://a.test/", wishes).unwrap();
            assert_eq!(spec.notes, Vec::<String>::new());
            spec.plan.tls
        }
    }

    #[test]
    fn whom_to_trust_is_the_public_the_named_or_anyone() {
        let disk = Disk::new();
        assert_eq!(disk.tls(&[]), Tls::default());
        assert_eq!(disk.tls(&[(Id::Insecure, "")]).trust, Trust::Anyone);
        assert_eq!(disk.tls(&[(Id::Cacert, "cert")]).trust, Trust::Only(vec![disk.der.clone()]));
        assert_eq!(disk.tls(&[(Id::Cacert, "two")]).trust, Trust::Only(vec![disk.der.clone(), disk.der.clone()]));
    }

    #[test]
    fn a_certificate_of_our_own_comes_with_its_key_from_two_files_or_one() {
        let disk = Disk::new();
        let apart = disk.tls(&[(Id::Cert, "two"), (Id::CertKey, "key")]).identity.unwrap();
        assert_eq!(apart.chain, [disk.der.clone(), disk.der.clone()]);
        let together = disk.tls(&[(Id::Cert, "both")]).identity.unwrap();
        assert_eq!((together.chain, &together.key), (vec![disk.der.clone()], &apart.key));
        assert_eq!(disk.tls(&[(Id::Cert, "both"), (Id::CertKey, "key")]).identity.unwrap().key, apart.key);
    }

    #[test]
    fn what_cannot_be_used_is_said_with_its_key() {
        let disk = Disk::new();
        for (wishes, expected) in [
            (
                vec![(Id::Cacert, "absent")],
                "--cacert: got 'absent', expected a PEM file with at least one certificate; no such file",
            ),
            (
                vec![(Id::Cacert, "empty")],
                "--cacert: got 'empty', expected a PEM file with at least one certificate; there is no certificate in it",
            ),
            (
                vec![(Id::Cacert, "key")],
                "--cacert: got 'key', expected a PEM file with at least one certificate; there is no certificate in it",
            ),
            (
                vec![(Id::Cacert, "der")],
                "--cacert: got 'der', expected a PEM file with at least one certificate; it is DER; openssl x509 -inform der -in FILE -out FILE.pem makes PEM of it",
            ),
            (
                vec![(Id::Cacert, "cert"), (Id::Insecure, "")],
                "--cacert: got 'cert', expected no authorities beside --insecure; --insecure believes every certificate",
            ),
            (
                vec![(Id::Cert, "cert")],
                "--cert: got 'cert', expected a PEM file with at least one certificate, the own one first; there is no key in it, so --key must say where it is",
            ),
            (
                vec![(Id::CertKey, "key")],
                "--key: got 'key', expected a certificate beside the key; give it with --cert",
            ),
            (
                vec![(Id::Cert, "cert"), (Id::CertKey, "cert")],
                "--key: got 'cert', expected a PEM file with one private key that is not encrypted; there is no private key in it",
            ),
            (
                vec![(Id::Cert, "cert"), (Id::CertKey, "keys")],
                "--key: got 'keys', expected a PEM file with one private key that is not encrypted; there are several private keys in it",
            ),
            (
                vec![(Id::Cert, "cert"), (Id::CertKey, "locked")],
                "--key: got 'locked', expected a PEM file with one private key that is not encrypted; the key is encrypted; openssl pkey -in FILE -out FILE.open writes it in the clear",
            ),
        ] {
            let mistakes = disk.build("https://a.test/", &wishes).unwrap_err();
            assert_eq!(mistakes.to_string(), expected);
        }
        let cut = disk.build("https://a.test/", &[(Id::Cacert, "cut")]).unwrap_err().to_string();
        assert!(cut.contains("; it cannot be read: "), "{cut}");
    }

    #[test]
    fn what_is_said_of_tls_where_there_is_none_is_noted() {
        let disk = Disk::new();
        let wishes = [(Id::Insecure, ""), (Id::Cert, "both")];
        let notes = disk.build("http://a.test/", &wishes).unwrap().notes;
        assert_eq!(
            notes,
            [
                "-k/--insecure has no effect: no URL begins with https://",
                "--cert has no effect: no URL begins with https://"
            ]
        );
        let redirected = [&wishes[..], &[(Id::Redirects, "1")]].concat();
        assert!(disk.build("http://a.test/", &redirected).unwrap().notes.is_empty(), "it may be led to https");
    }

    fn via(wishes: &[(Id, &str)]) -> Via {
        Disk::new().build("http://a.test/", wishes).unwrap().plan.via
    }

    #[test]
    fn connections_go_straight_through_a_proxy_or_to_a_socket() {
        let proxy = |secure, host: Host, port, authorization: Option<&str>| {
            Via::Proxy(Proxy { secure, host, port, authorization: authorization.map(str::to_owned) })
        };
        let name = || Host::Name("p.test".into());
        assert_eq!(via(&[]), Via::Direct);
        for (text, expected) in [
            ("http://p.test:3128", proxy(false, name(), 3128, None)),
            ("https://p.test:3128/", proxy(true, name(), 3128, None)),
            ("http://p.test", proxy(false, name(), 80, None)),
            ("http://[::1]:8080", proxy(false, Host::Ip("::1".parse().unwrap()), 8080, None)),
            ("http://ann:s%3acret@p.test:3128", proxy(false, name(), 3128, Some("Basic YW5uOnM6Y3JldA=="))),
        ] {
            assert_eq!(via(&[(Id::Proxy, text)]), expected, "{text}");
        }
        assert_eq!(via(&[(Id::UnixSocket, "/run/app.sock")]), Via::Unix("/run/app.sock".into()));
    }

    #[test]
    fn what_connections_cannot_go_through_is_said() {
        let long = "x".repeat(108);
        let proxy = "-x/--proxy: got '***', expected an address such as http://[USER:PASSWORD@]HOST:PORT; ";
        let socket = "--unix-socket: got ";
        for (wishes, start, end) in [
            (vec![(Id::Proxy, "ann:secret@p.test:3128")], proxy, "did you mean http://p.test:3128?"),
            (vec![(Id::Proxy, "socks5://p.test:1080")], proxy, "only http:// and https:// are supported"),
            (vec![(Id::Proxy, "http://p.test:3128/way")], proxy, "a proxy's address has no path"),
            (vec![(Id::Proxy, "http://p.test:3128/?q")], proxy, "a proxy's address has no path"),
            (vec![(Id::UnixSocket, "")], socket, "expected the path of a socket, of at most 107 bytes"),
            (vec![(Id::UnixSocket, &long)], socket, "it has 108 bytes; go nearer to it with cd"),
            (
                vec![(Id::Proxy, "http://p.test:1"), (Id::UnixSocket, "s")],
                socket,
                "expected no socket beside --proxy; connections go through one of them",
            ),
            (
                vec![(Id::Proxy, "http://p.test:1"), (Id::Resolve, "a.test:80:1.2.3.4")],
                "--resolve: got ",
                "expected no addresses beside --proxy; the proxy looks up the URL's host",
            ),
            (
                vec![(Id::UnixSocket, "s"), (Id::Resolve, "a.test:80:1.2.3.4")],
                "--resolve: got ",
                "expected no addresses beside --unix-socket; all connections go to the socket",
            ),
        ] {
            let said = Disk::new().build("http://a.test/", &wishes).unwrap_err().to_string();
            assert!(said.starts_with(start) && said.ends_with(end) && said.lines().count() == 1, "{said}");
        }
    }
}
