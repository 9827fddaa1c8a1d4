//! The running server behind TLS, as clients that verify see it.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::time::Duration;

use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::TlsConnector;

use crate::practice::tests::{PATIENCE, start, truth_when};
use crate::practice::{BadTls, Behaviour, Practice};

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: practice\r\nConnection: close\r\n\r\n";

/// A client that trusts `ca_pem`, with a certificate of its own or without, and offers `alpn`.
fn config(ca_pem: &str, client_pem: Option<&str>, alpn: &[&str]) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca_pem.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let builder = builder.with_root_certificates(roots);
    let mut config = match client_pem {
        None => builder.with_no_client_auth(),
        Some(pem) => {
            let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
            let key = PrivateKeyDer::from_pem_slice(pem.as_bytes()).unwrap();
            builder.with_client_auth_cert(vec![certificate], key).unwrap()
        }
    };
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    Arc::new(config)
}

/// A client that trusts the server's own authority.
fn trusting(practice: &Practice) -> Arc<ClientConfig> {
    config(practice.ca_pem().unwrap(), None, &[])
}

/// A connection to the server under a name; the handshake comes with the first bytes.
fn connect(practice: &Practice, config: Arc<ClientConfig>, name: &str) -> StreamOwned<ClientConnection, TcpStream> {
    let stream = TcpStream::connect(practice.addr()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    StreamOwned::new(ClientConnection::new(config, name).unwrap(), stream)
}

/// Sends a request and reads all there is: the text, or what went wrong.
fn get(mut stream: StreamOwned<ClientConnection, TcpStream>) -> Result<String, std::io::Error> {
    let mut text = Vec::new();
    stream.write_all(GET)?;
    let ended = stream.read_to_end(&mut text);
    let text = String::from_utf8(text).unwrap();
    // What came before the end counts, however it ends.
    if text.is_empty() { ended.map(|_| text) } else { Ok(text) }
}

#[test]
fn a_good_certificate_is_good_under_every_name_of_the_server() {
    let practice = start(&[("tls", "")]);
    for name in ["localhost", "127.0.0.1", "::1"] {
        let text = get(connect(&practice, trusting(&practice), name)).unwrap();
        assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{name}: {text:?}");
    }
    let truth = practice.truth();
    assert_eq!((truth.answered, truth.connections.tls, truth.connections.tls_failed), (3, 3, 0));
}

#[test]
fn each_bad_certificate_is_refused_for_its_own_reason() {
    for (kind, reason) in [
        ("expired", "expired"),
        ("not-yet-valid", "not valid yet"),
        ("wrong-name", "not valid for name"),
        ("self-signed", "UnknownIssuer"),
        ("foreign", "UnknownIssuer"),
    ] {
        let practice = start(&[("tls", ""), ("tls-bad", kind)]);
        let error = get(connect(&practice, trusting(&practice), "localhost")).unwrap_err();
        assert!(error.to_string().contains(reason), "{kind}: {error}");
        let truth = truth_when(&practice, |truth| truth.connections.tls_failed == 1);
        assert_eq!((truth.received, truth.connections.accepted, truth.connections.tls), (0, 1, 0), "{kind}");
        assert!(BadTls::ALL.iter().any(|(name, _)| *name == kind));
    }
}

#[test]
fn faults_of_the_connection_work_below_tls() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 10\r\n";
    for (key, value, expected) in [
        ("reset", "100%", Err(ErrorKind::ConnectionReset)),
        ("close", "100%", Ok(String::new())),
        ("truncate", "100%", Ok(format!("{head}Connection: close\r\n\r\nxxxxx"))),
        ("close-after", "20", Ok(head[..20].to_owned())),
    ] {
        let practice = start(&[("tls", ""), ("body-size", "10"), (key, value)]);
        let got = get(connect(&practice, trusting(&practice), "localhost")).map_err(|error| error.kind());
        assert_eq!(got, expected, "--{key}");
        let truth = practice.truth();
        assert_eq!((truth.received, truth.spoiled, truth.faults[key]), (1, 1, 1), "--{key}");
    }
}

#[test]
fn a_client_without_the_certificate_that_is_wanted_is_told_so() {
    let practice = start(&[("tls", ""), ("tls-client", "")]);
    let error = get(connect(&practice, trusting(&practice), "localhost")).unwrap_err();
    assert!(error.to_string().contains("CertificateRequired"), "{error}");
    truth_when(&practice, |truth| truth.connections.tls_failed == 1);
    let known = config(practice.ca_pem().unwrap(), practice.client_pem(), &[]);
    assert!(get(connect(&practice, known, "localhost")).unwrap().starts_with("HTTP/1.1 200"));
    let strange = start(&[("tls", ""), ("tls-client", "")]);
    let unknown = config(practice.ca_pem().unwrap(), strange.client_pem(), &[]);
    assert!(get(connect(&practice, unknown, "localhost")).is_err(), "another authority's certificate");
    let truth = truth_when(&practice, |truth| truth.connections.tls_failed == 2);
    assert_eq!((truth.received, truth.connections.tls), (1, 1));
}

#[test]
fn a_session_that_is_resumed_is_counted() {
    let practice = start(&[("tls", "")]);
    let config = trusting(&practice);
    for _ in 0..3 {
        get(connect(&practice, Arc::clone(&config), "localhost")).unwrap();
    }
    let connections = practice.truth().connections;
    assert_eq!((connections.tls, connections.tls_resumed), (3, 2));
}

#[test]
fn alpn_offers_the_protocols_that_are_spoken() {
    for (protocol, offered, chosen) in [
        ("both", &["h2", "http/1.1"][..], Some("h2")),
        ("both", &["http/1.1"], Some("http/1.1")),
        ("both", &[], None),
        ("http1", &["h2", "http/1.1"], Some("http/1.1")),
        ("http2", &["h2", "http/1.1"], Some("h2")),
    ] {
        let practice = start(&[("tls", ""), ("protocol", protocol)]);
        let mut stream = connect(&practice, config(practice.ca_pem().unwrap(), None, offered), "localhost");
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock).unwrap();
        }
        assert_eq!(stream.conn.alpn_protocol(), chosen.map(str::as_bytes), "{protocol} {offered:?}");
    }
    let practice = start(&[("tls", ""), ("protocol", "http1")]);
    let error = get(connect(&practice, config(practice.ca_pem().unwrap(), None, &["h2"]), "localhost")).unwrap_err();
    assert!(error.to_string().contains("NoApplicationProtocol"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn http2_runs_over_tls_by_alpn_and_by_prior_knowledge() {
    for alpn in [&["h2"][..], &[]] {
        let practice = start(&[("tls", ""), ("errors", "1/2"), ("reset", "1/3")]);
        let connector = TlsConnector::from(config(practice.ca_pem().unwrap(), None, alpn));
        let stream = tokio::net::TcpStream::connect(practice.addr()).await.unwrap();
        let stream = connector.connect(ServerName::try_from("localhost").unwrap(), stream).await.unwrap();
        let (mut sender, connection) = h2::client::handshake(stream).await.unwrap();
        let connection = tokio::spawn(connection);
        let mut ask = || {
            let request = http::Request::get("https://localhost/status/202").body(()).unwrap();
            sender.send_request(request, true).unwrap().0
        };
        assert_eq!(ask().await.unwrap().status(), 202, "{alpn:?}");
        assert_eq!(ask().await.unwrap().status(), 500, "{alpn:?}");
        assert!(ask().await.unwrap_err().is_io(), "{alpn:?}");
        let error = tokio::time::timeout(PATIENCE, connection).await.unwrap().unwrap().unwrap_err();
        assert_eq!(error.get_io().map(std::io::Error::kind), Some(ErrorKind::ConnectionReset), "{alpn:?}");
        let truth = practice.truth();
        assert_eq!((truth.received, truth.answered, truth.spoiled, truth.along), (3, 2, 1, 0));
        assert_eq!((truth.connections.http2, truth.connections.tls), (1, 1));
    }
}

#[test]
fn a_client_that_leaves_behind_tls_is_counted_as_gone() {
    let practice = start(&[("tls", ""), ("latency", "10m")]);
    let mut stream = connect(&practice, trusting(&practice), "localhost");
    stream.write_all(GET).unwrap();
    truth_when(&practice, |truth| truth.pending == 1);
    stream.conn.send_close_notify();
    stream.conn.complete_io(&mut stream.sock).unwrap();
    drop(stream);
    let truth = truth_when(&practice, |truth| truth.pending == 0);
    assert_eq!((truth.received, truth.abandoned), (1, 1));
}

#[test]
fn connections_beyond_the_most_allowed_are_closed_after_the_handshake_unless_they_ask() {
    let practice = start(&[("tls", ""), ("max-connections", "1"), ("latency", "10m")]);
    let mut first = connect(&practice, trusting(&practice), "localhost");
    first.write_all(GET).unwrap();
    truth_when(&practice, |truth| truth.pending == 1);
    assert!(get(connect(&practice, trusting(&practice), "localhost")).is_err());
    truth_when(&practice, |truth| truth.connections.refused == 1);
    let mut asking = connect(&practice, trusting(&practice), "localhost");
    asking.write_all(b"GET /__truth HTTP/1.1\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    asking.read_to_string(&mut text).unwrap();
    assert!(text.contains(r#""refused":1"#), "{text}");
}

#[test]
fn certificates_come_from_files_and_go_to_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (ca, client) = (path("ca.pem"), path("client.pem"));
    let practice = start(&[("tls", ""), ("tls-ca-out", &ca), ("tls-client", ""), ("tls-client-out", &client)]);
    assert_eq!(std::fs::read_to_string(&ca).unwrap(), practice.ca_pem().unwrap());
    assert_eq!(std::fs::read_to_string(&client).unwrap(), practice.client_pem().unwrap());
    assert_eq!(std::fs::metadata(&client).unwrap().permissions().mode() & 0o777, 0o600);

    let made = rcgen::generate_simple_self_signed(["own.test".to_owned()]).unwrap();
    let (cert, key) = (path("cert.pem"), path("key.pem"));
    std::fs::write(&cert, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let practice = start(&[("tls", ""), ("tls-cert", &cert), ("tls-key", &key)]);
    let text = get(connect(&practice, config(&made.cert.pem(), None, &[]), "own.test")).unwrap();
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");

    let nowhere = path("nowhere.pem");
    for (settings, problem) in [
        ([("tls-cert", &nowhere), ("tls-key", &key)], format!("--tls-cert {nowhere}: No such file")),
        ([("tls-cert", &cert), ("tls-key", &nowhere)], format!("--tls-key {nowhere}: No such file")),
        ([("tls-cert", &key), ("tls-key", &key)], format!("--tls-cert {key}: no certificate in PEM")),
        ([("tls-cert", &cert), ("tls-key", &cert)], format!("--tls-key {cert}: ")),
        ([("tls-cert", &ca), ("tls-key", &key)], "--tls-cert, --tls-key: ".to_owned()),
    ] {
        let settings = settings.map(|(key, value)| (key, value.as_str()));
        let behaviour = Behaviour::parse([("tls", "")].into_iter().chain(settings)).unwrap();
        let error = Practice::start(behaviour).unwrap_err().to_string();
        assert!(error.starts_with(&problem), "{error}");
    }
    let outside = Behaviour::parse([("tls", ""), ("tls-ca-out", "/nowhere/ca.pem")]).unwrap();
    assert!(Practice::start(outside).unwrap_err().to_string().starts_with("--tls-ca-out /nowhere/ca.pem: "));
}

#[test]
fn every_form_of_an_answer_arrives_whole_behind_tls() {
    for (settings, bytes) in [(("huge-body", "3MiB"), 3 << 20), (("body-size", "1MiB"), 1 << 20)] {
        let practice = start(&[("tls", ""), settings]);
        let text = get(connect(&practice, trusting(&practice), "localhost")).unwrap();
        assert_eq!(text.split_once("\r\n\r\n").map(|(_, body)| body.len()), Some(bytes));
        let truth = practice.truth();
        assert_eq!((truth.answered, truth.statuses), (1, BTreeMap::from([(200, 1)])));
    }
    let practice = start(&[("tls", ""), ("body-size", "5"), ("slow-body", "50B/s")]);
    assert!(get(connect(&practice, trusting(&practice), "localhost")).unwrap().ends_with("xxxxx"));
    assert!(practice.truth().service.micros()[0] >= Duration::from_millis(99).as_micros() as u32);
}
