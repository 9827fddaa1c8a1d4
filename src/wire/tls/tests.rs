//! Handshakes on loopback, against rustls as a server and against bytes.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{HandshakeKind, RootCertStore, ServerConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::super::http1::{Conn, Http1};
use super::super::{After, Coarse, Dialer, Discard, Protocol, Reply, Shot, Transport};
use super::*;
use crate::plan::{Origin, Request, Trust, Via};
use crate::stats::{Ns, Outcome};

#[path = "../../../tests/support/certificates.rs"]
#[expect(dead_code, reason = "tests of the whole program use the rest")]
mod certificates;
use certificates::{Authority, Certificate, Wanted};

mod established;

const SOON: Ns = Ns::from_secs(20);
const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// A server that shows this certificate, wants those of these clients, and offers these protocols.
fn server_config(certificate: &Certificate, clients: Option<&Authority>, protocols: &[&[u8]]) -> ServerConfig {
    versions_config(certificate, clients, protocols, rustls::ALL_VERSIONS)
}

fn versions_config(
    certificate: &Certificate,
    clients: Option<&Authority>,
    protocols: &[&[u8]],
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> ServerConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_protocol_versions(versions).unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(authority.der().into()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
    };
    let chain = vec![CertificateDer::from(certificate.der.clone())];
    let key = PrivateKeyDer::try_from(certificate.key.clone()).unwrap();
    let mut config = builder.with_single_cert(chain, key).unwrap();
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    config
}

/// What a server saw of a handshake: the name asked for, whether it was resumed, and the error if it failed.
type Seen = Result<(Option<String>, HandshakeKind), io::Error>;

/// Starts a server that hands each secured connection to `each`.
async fn serve<F>(config: ServerConfig, each: fn(TlsStream<TcpStream>) -> F) -> (SocketAddr, UnboundedReceiver<Seen>)
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, seen) = unbounded_channel();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, sender) = (acceptor.clone(), sender.clone());
            tokio::spawn(async move {
                match acceptor.accept(stream).await {
                    Ok(stream) => {
                        let session = stream.get_ref().1;
                        let name = session.server_name().map(str::to_owned);
                        let _ = sender.send(Ok((name, session.handshake_kind().unwrap())));
                        each(stream).await;
                    }
                    Err(error) => drop(sender.send(Err(error))),
                }
            });
        }
    });
    (address, seen)
}

/// Reads one request that has no body; whether there was one.
async fn request(stream: &mut TlsStream<TcpStream>) -> bool {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return false;
        }
    }
    true
}

async fn answering(mut stream: TlsStream<TcpStream>) {
    while request(&mut stream).await && stream.write_all(OK).await.is_ok() {}
}

fn transport(wire: Wire, trust: Trust, identity: Option<&Certificate>) -> Transport {
    let identity = identity.map(|own| Identity { chain: vec![own.der.clone()], key: own.key.clone() });
    Transport::new(wire, &Tls { trust, identity, server: None }, &Via::Direct).unwrap()
}

/// A dialer to `host`, which is at `address`.
fn dialer(host: &str, address: SocketAddr, transport: &Transport) -> Dialer {
    let host = host.parse().map_or_else(|_| Host::Name(host.into()), Host::Ip);
    let origin = Origin { secure: true, host, port: address.port(), pinned: vec![address] };
    Dialer::new(origin, transport.clone(), 0)
}

/// Dials; the fault, and what was said of it without the address.
async fn dialled(dialer: &Dialer, by: Ns) -> Result<Stream, Failed> {
    let dialled = dialer.connect(by, &Coarse::new()).await;
    assert!(dialled.result.is_err() || dialled.times.tls > Ns::ZERO, "the handshake took time");
    let address = dialled.address.unwrap();
    dialled.result.map_err(|fault| {
        let said = dialer.first_error().unwrap();
        (fault, said.strip_prefix(&format!("{address}: ")).unwrap_or_else(|| panic!("no address: {said}")).to_owned())
    })
}

fn only(authority: &Authority) -> Trust {
    Trust::Only(vec![authority.der()])
}

/// A GET over HTTP/1.1.
async fn get(conn: &mut Conn) -> Reply {
    exchange(conn, "GET", &[]).await
}

async fn exchange(conn: &mut Conn, method: &str, body: &[u8]) -> Reply {
    let request = Request {
        method: method.into(),
        path: "/".into(),
        authority: "a.test".into(),
        headers: Vec::new(),
        body: body.into(),
    };
    let protocol = Http1::new(true);
    let origin = Origin { secure: true, host: Host::Name("a.test".into()), port: 443, pinned: Vec::new() };
    let request = protocol.prepare(&origin, &request);
    let clock = Coarse::new();
    protocol.exchange(conn, Shot { index: 0, request: &request }, SOON, &clock, &mut Discard).await
}

async fn connection(dialer: &Dialer) -> Conn {
    Http1::new(true).dial(dialer, SOON, &Coarse::new()).await.result.unwrap()
}

#[tokio::test]
async fn every_problem_with_a_certificate_is_told_and_insecure_believes_it() {
    let (known, foreign, namesake) = (Authority::new("ours"), Authority::new("theirs"), Authority::new("ours"));
    let names = || Wanted::names(&["a.test", "b.test"]);
    let many: Vec<String> = (0..9).map(|n| format!("n{n}.test")).collect();
    let many = Wanted::names(&many.iter().map(String::as_str).collect::<Vec<_>>());
    let unknown = "no known authority vouches for the server's certificate: it is signed by itself, or by an authority \
                   to be given with --cacert; --insecure believes every certificate";
    for (certificate, host, problem) in [
        (known.issue(&names()), "b.test", None),
        (known.issue(&names()), "B.test.", None),
        (known.issue(&Wanted::names(&["*.b.test"])), "any.b.test", None),
        (known.issue(&Wanted::names(&["127.0.0.1"])), "127.0.0.1", None),
        (
            known.issue(&names().expired()),
            "a.test",
            Some("the server's certificate expired on 2001-02-03 00:00:00 UTC"),
        ),
        (
            known.issue(&names().not_yet()),
            "a.test",
            Some("the server's certificate is not valid before 3000-01-01 00:00:00 UTC"),
        ),
        (foreign.issue(&names()), "a.test", Some(unknown)),
        (
            namesake.issue(&names()),
            "a.test",
            Some("the server's certificate was signed by another authority that has the name of one that is believed"),
        ),
        (names().self_signed(), "a.test", Some(unknown)),
        (known.issue(&names()), "c.test", Some("the server's certificate is for a.test, b.test, not for c.test")),
        (known.issue(&names()), "127.0.0.1", Some("the server's certificate is for a.test, b.test, not for 127.0.0.1")),
        (
            known.issue(&many),
            "c.test",
            Some(
                "the server's certificate is for n0.test, n1.test, n2.test, n3.test, n4.test and 4 more, not for c.test",
            ),
        ),
        (
            known.issue(&Wanted::names(&[])),
            "a.test",
            Some("the server's certificate is for no name at all, not for a.test"),
        ),
        (known.issue(&names().for_clients()), "a.test", Some("the server's certificate is not meant for servers")),
    ] {
        let (address, _) = serve(server_config(&certificate, None, &[]), answering).await;
        let verified = dialled(&dialer(host, address, &transport(Wire::Http1, only(&known), None)), SOON).await;
        match problem {
            None => assert!(verified.is_ok(), "{host}: {verified:?}"),
            Some(problem) => assert_eq!(verified.unwrap_err(), (Fault::Tls, problem.to_owned())),
        }
        let anyone = transport(Wire::Http1, Trust::Anyone, None);
        assert!(dialled(&dialer(host, address, &anyone), SOON).await.is_ok(), "{host}: {problem:?}");
    }
}

#[tokio::test]
async fn public_authorities_vouch_for_nothing_made_here() {
    let certificate = Authority::new("ours").issue(&Wanted::names(&["a.test"]));
    let (address, _) = serve(server_config(&certificate, None, &[]), answering).await;
    let public = transport(Wire::Http1, Trust::Public, None);
    let (fault, said) = dialled(&dialer("a.test", address, &public), SOON).await.unwrap_err();
    assert!(fault == Fault::Tls && said.contains("--cacert"), "{said}");
}

#[tokio::test]
async fn a_certificate_signed_by_itself_is_believed_where_it_was_named_and_only_for_its_names_and_dates() {
    let wanted = || Wanted::names(&["a.test"]);
    for (certificate, host, problem) in [
        (wanted().marked_as_authority().self_signed(), "a.test", None),
        (wanted().self_signed(), "a.test", None),
        (wanted().marked_as_authority().self_signed(), "b.test", Some("is for a.test, not for b.test")),
        (wanted().marked_as_authority().expired().self_signed(), "a.test", Some("expired on 2001-02-03")),
    ] {
        let (address, _) = serve(server_config(&certificate, None, &[]), answering).await;
        let trust = Trust::Only(vec![certificate.der.clone()]);
        let result = dialled(&dialer(host, address, &transport(Wire::Http1, trust, None)), SOON).await;
        match problem {
            None => assert!(result.is_ok(), "{host}: {result:?}"),
            Some(problem) => assert!(result.unwrap_err().1.contains(problem), "{problem}"),
        }
    }
    // Another one with the same names does not profit.
    let (named, other) = (wanted().marked_as_authority().self_signed(), wanted().marked_as_authority().self_signed());
    let (address, _) = serve(server_config(&other, None, &[]), answering).await;
    let trust = Trust::Only(vec![named.der]);
    assert!(dialled(&dialer("a.test", address, &transport(Wire::Http1, trust, None)), SOON).await.is_err());
}

#[tokio::test]
async fn a_server_is_told_its_name_without_port_or_dot_and_no_address() {
    let certificate = Wanted::names(&["a.test"]).self_signed();
    let (address, mut seen) = serve(server_config(&certificate, None, &[]), answering).await;
    let anyone = transport(Wire::Http1, Trust::Anyone, None);
    for (host, name) in [("a.test", Some("a.test")), ("a.test.", Some("a.test")), ("127.0.0.1", None), ("::1", None)] {
        dialled(&dialer(host, address, &anyone), SOON).await.unwrap();
        assert_eq!(seen.recv().await.unwrap().unwrap().0.as_deref(), name, "{host}");
    }
}

#[tokio::test]
async fn the_protocol_is_the_one_that_the_plan_wants() {
    let certificate = Wanted::names(&["a.test"]).self_signed();
    for (wire, offered, problem) in [
        (Wire::Http1, &[][..], None),
        (Wire::Http1, &[b"h2".as_slice(), b"http/1.1"], None),
        (Wire::Http1, &[b"h2"], Some("the server does not speak HTTP/1.1")),
        (Wire::Http2, &[b"h2"], None),
        (Wire::Grpc, &[b"http/1.1", b"h2"], None),
        (Wire::Http2, &[b"http/1.1"], Some(words::NO_HTTP2)),
        (Wire::Grpc, &[], Some(words::NO_HTTP2)),
    ] {
        let (address, _) = serve(server_config(&certificate, None, offered), answering).await;
        let result = dialled(&dialer("a.test", address, &transport(wire, Trust::Anyone, None)), SOON).await;
        match problem {
            None => assert!(result.is_ok(), "{wire:?} {offered:?}: {result:?}"),
            Some(problem) => assert_eq!(result.unwrap_err(), (Fault::Tls, problem.to_owned())),
        }
    }
}

#[tokio::test]
async fn a_server_that_wants_a_client_certificate_gets_it_or_is_said_to_want_it() {
    let (known, foreign) = (Authority::new("ours"), Authority::new("theirs"));
    let certificate = known.issue(&Wanted::names(&["a.test"]));
    let ours = || Wanted::names(&["client.test"]).for_clients();
    let (good, bad) = (known.issue(&ours()), foreign.issue(&ours()));
    let wants = "the server requires a client certificate: give one with --cert and --key";
    for (versions, own, problem) in [
        (&[&rustls::version::TLS13], Some(&good), None),
        (&[&rustls::version::TLS12], Some(&good), None),
        (&[&rustls::version::TLS13], None, Some(wants)),
        (&[&rustls::version::TLS12], None, Some(wants)),
        (&[&rustls::version::TLS13], Some(&bad), Some("the server refused the certificate of --cert (UnknownCA)")),
        (&[&rustls::version::TLS12], Some(&bad), Some("the server refused the certificate of --cert (UnknownCA)")),
    ] {
        let config = versions_config(&certificate, Some(&known), &[], versions);
        let (address, _) = serve(config, answering).await;
        let dialer = dialer("a.test", address, &transport(Wire::Http1, only(&known), own));
        let dialled = Http1::new(true).dial(&dialer, SOON, &Coarse::new()).await;
        // In TLS 1.3 our side of the handshake is done before the server looks at the certificate.
        let outcome = match dialled.result {
            Ok(mut conn) => get(&mut conn).await.outcome,
            Err(fault) => Outcome::fault(fault),
        };
        match problem {
            None => assert_eq!(outcome, Outcome::http(200)),
            Some(problem) => {
                assert_eq!(outcome, Outcome::fault(Fault::Tls), "{problem}");
                assert_eq!(dialer.first_error(), Some(format!("{address}: {problem}")));
            }
        }
    }
}

#[tokio::test]
async fn what_is_not_tls_is_named_and_what_breaks_off_is_no_fault_of_a_certificate() {
    const TLS_10_ONLY: &[u8] = b"\x15\x03\x01\x00\x02\x02\x46";
    const HTTP: &[u8] = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n";
    for (answer, by, expected) in [
        (HTTP, SOON, (Fault::Tls, "the server speaks no TLS on this port; is it http:// and not https://?")),
        (TLS_10_ONLY, SOON, (Fault::Tls, "the server speaks neither TLS 1.2 nor TLS 1.3")),
        (b"", SOON, (Fault::Reset, "the server closed the connection during the TLS handshake")),
        (b"\x16\x03", SOON, (Fault::Reset, "the server closed the connection during the TLS handshake")),
        (b"wait", Ns::from_millis(200), (Fault::Timeout, "the TLS handshake was not done in time")),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            // The greeting is read, or closing would be a reset.
            let _ = stream.read(&mut [0; 4096]).await;
            if answer == b"wait" {
                let _ = stream.read(&mut [0; 4096]).await;
            }
            let _ = stream.write_all(answer).await;
        });
        let result = dialled(&dialer("a.test", address, &transport(Wire::Http1, Trust::Public, None)), by).await;
        let (fault, said) = result.unwrap_err();
        assert_eq!((fault, said.as_str()), expected);
    }
}

#[tokio::test]
async fn a_reset_in_the_handshake_is_a_reset() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        // Closing with the greeting unread.
        stream.readable().await.unwrap();
    });
    let result = dialled(&dialer("a.test", address, &transport(Wire::Http1, Trust::Public, None)), SOON).await;
    let (fault, said) = result.unwrap_err();
    assert!(fault == Fault::Reset && said.starts_with("during the TLS handshake: "), "{fault} {said}");
}

#[test]
fn what_cannot_be_used_is_said_before_anything_is_sent() {
    let (one, other) = (Wanted::names(&["a.test"]).self_signed(), Wanted::names(&["a.test"]).self_signed());
    let tls = |trust: Trust, chain: &[u8], key: &[u8]| {
        let identity = Some(Identity { chain: vec![chain.to_vec()], key: key.to_vec() });
        Transport::new(Wire::Http1, &Tls { trust, identity, server: None }, &Via::Direct)
            .err()
            .map(|error| error.to_string())
    };
    assert_eq!(tls(Trust::Public, &one.der, &one.key), None);
    for (said, part) in [
        (tls(Trust::Public, &one.der, &other.key), "--key: it is not the key of the certificate"),
        (tls(Trust::Public, &one.der, b"no key"), "--key: it cannot be used: "),
        (tls(Trust::Public, b"no certificate", &one.key), "--cert: it cannot be used: "),
        (
            tls(Trust::Only(vec![one.der.clone(), b"x".to_vec()]), &one.der, &one.key),
            "--cacert: certificate 2 cannot be read: ",
        ),
    ] {
        assert!(said.as_ref().is_some_and(|said| said.starts_with(part)), "{said:?}");
    }
}
