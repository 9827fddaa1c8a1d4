//! The listener with TLS, and with callers who must show a certificate.

use std::path::{Path, PathBuf};
use std::time::Duration;

use http::Method;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use crate::service::{Service, Wanted};
use tollgate::outbound::{Answer, Client, OutboundError, Trust};
use tollgate::server::{Tls, TlsFiles};

/// An authority and certificates of its making, as files.
struct Issued {
    folder: tempfile::TempDir,
    authority: CertifiedIssuer<'static, KeyPair>,
}

impl Issued {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let issued = Self { folder: tempfile::tempdir().unwrap(), authority };
        std::fs::write(issued.file("ca"), issued.authority.pem()).unwrap();
        issued
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Certificate and key for a name.
    fn issue(&self, name: &str) -> (PathBuf, PathBuf) {
        let key = KeyPair::generate().unwrap();
        let certificate =
            CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &self.authority).unwrap();
        let (cert, secret) = (self.file(&format!("{name}.crt")), self.file(&format!("{name}.key")));
        std::fs::write(&cert, certificate.pem()).unwrap();
        std::fs::write(&secret, key.serialize_pem()).unwrap();
        (cert, secret)
    }
}

fn service(files: TlsFiles) -> Service {
    Service::start(Wanted { tls: Some(files), ..Wanted::default() })
}

fn ask(service: &Service, trust: &Trust) -> Result<Answer, OutboundError> {
    let address = format!("https://127.0.0.1:{}", service.addr.port());
    let client = Client::new(&address, trust, None, Duration::from_secs(60)).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(client.ask(Method::POST, "/gate/check", r#"{"name":"podinfo","namespace":"test"}"#))
}

fn trusting(authority: &Issued) -> Trust {
    Trust { cacert: Some(authority.file("ca")), identity: None }
}

#[test]
fn hooks_can_be_asked_over_tls() {
    let ours = Issued::new();
    let (cert, key) = ours.issue("127.0.0.1");
    let service = service(TlsFiles { cert, key, client_ca: None });
    let answer = ask(&service, &trusting(&ours)).unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (403, "Forbidden"));
    let error = ask(&service, &Trust::default()).unwrap_err().to_string();
    assert!(error.contains("cannot be reached") && error.contains("UnknownIssuer"), "{error}");
}

#[test]
fn a_caller_without_a_certificate_of_the_right_authority_is_refused() {
    let (ours, theirs) = (Issued::new(), Issued::new());
    let (cert, key) = ours.issue("127.0.0.1");
    let service = service(TlsFiles { cert, key, client_ca: Some(ours.file("ca")) });
    let answer = ask(&service, &Trust { identity: Some(ours.issue("flagger")), ..trusting(&ours) }).unwrap();
    assert_eq!(answer.status, 403);
    for (identity, why) in [(None, "none"), (Some(theirs.issue("flagger")), "of another authority")] {
        let answer = ask(&service, &Trust { identity, ..trusting(&ours) });
        assert!(matches!(answer, Err(OutboundError::Unreachable(..))), "{why}: {answer:?}");
    }
}

#[test]
fn certificates_that_are_exchanged_count_at_once_and_bad_ones_do_not() {
    let (ours, theirs) = (Issued::new(), Issued::new());
    let (cert, key) = ours.issue("127.0.0.1");
    let service = service(TlsFiles { cert: cert.clone(), key: key.clone(), client_ca: None });
    assert_eq!(ask(&service, &trusting(&ours)).unwrap().status, 403);
    let (new_cert, new_key) = theirs.issue("127.0.0.1");
    std::fs::rename(new_cert, &cert).unwrap();
    let half = ask(&service, &trusting(&ours)).unwrap();
    assert_eq!(half.status, 403, "a certificate without its key is of no use yet");
    std::fs::rename(new_key, &key).unwrap();
    assert_eq!(ask(&service, &trusting(&theirs)).unwrap().status, 403);
    assert!(ask(&service, &trusting(&ours)).is_err(), "the old one is gone");
    std::fs::remove_file(&cert).unwrap();
    assert_eq!(ask(&service, &trusting(&theirs)).unwrap().status, 403, "what was good stays");
}

#[test]
fn files_that_are_of_no_use_are_named() {
    let ours = Issued::new();
    let (cert, key) = ours.issue("127.0.0.1");
    let (_, other_key) = ours.issue("other");
    let empty = ours.file("empty");
    std::fs::write(&empty, "").unwrap();
    let missing = ours.file("missing");
    let problem = |cert: &Path, key: &Path, client_ca: Option<&Path>| {
        let files = TlsFiles { cert: cert.into(), key: key.into(), client_ca: client_ca.map(Into::into) };
        Tls::new(files).expect_err("refused").to_string()
    };
    for (said, file, why) in [
        (problem(&missing, &key, None), &missing, "no such file"),
        (problem(&empty, &key, None), &empty, "no certificate in it"),
        (problem(&cert, &cert, None), &cert, "no key in it"),
        (problem(&cert, &other_key, None), &other_key, "another's key"),
        (problem(&cert, &key, Some(&empty)), &empty, "no authority in it"),
    ] {
        assert!(said.starts_with(&format!("{}: ", file.display())), "{why}: {said}");
    }
}
