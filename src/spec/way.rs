//! How targets are reached: whom to trust, and what to show of ourselves.

use std::io;
use std::path::Path;

use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::build::SpecBuilder;
use super::keys::Id;
use super::mistake::{Wrong, wrong};
use crate::plan::{Identity, Tls, Trust};

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
    Tls { trust, identity }
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

#[cfg(test)]
mod tests {
    use super::*;
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
}
