//! What is wrong with a certificate or a handshake, in words that say what to do.

use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError, Error, InvalidMessage, PeerIncompatible};

/// The server let us in but speaks something else.
pub(super) const NO_HTTP2: &str = "the server does not speak HTTP/2: it did not choose it in the TLS handshake";

/// Names of a certificate that a message repeats; some have hundreds.
const MOST_NAMES: usize = 5;

/// Why a handshake failed. `shown` is whether we have a certificate to show, `h2` whether we offered only HTTP/2.
pub(super) fn handshake(error: &Error, shown: bool, h2: bool) -> String {
    match error {
        Error::InvalidCertificate(problem) => certificate(problem),
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            "the server speaks no TLS on this port; is it http:// and not https://?".to_owned()
        }
        Error::PeerIncompatible(
            PeerIncompatible::ServerDoesNotSupportTls12Or13 | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
        )
        | Error::AlertReceived(AlertDescription::ProtocolVersion) => NO_VERSION.to_owned(),
        Error::AlertReceived(AlertDescription::NoApplicationProtocol) if h2 => NO_HTTP2.to_owned(),
        Error::AlertReceived(AlertDescription::NoApplicationProtocol) => {
            "the server does not speak HTTP/1.1".to_owned()
        }
        Error::AlertReceived(alert) => refused(*alert, shown),
        Error::NoCertificatesPresented => "the server has no certificate".to_owned(),
        other => format!("the TLS handshake failed: {other}"),
    }
}

const NO_VERSION: &str = "the server speaks neither TLS 1.2 nor TLS 1.3";

/// What went wrong after the handshake.
pub(super) fn later(error: &Error, shown: bool) -> String {
    match error {
        Error::AlertReceived(alert) => refused(*alert, shown),
        other => format!("TLS failed: {other}"),
    }
}

/// What a server meant by ending it.
fn refused(alert: AlertDescription, shown: bool) -> String {
    use AlertDescription as A;
    match alert {
        A::CertificateRequired => WANTS_CERTIFICATE.to_owned(),
        A::NoCertificate
        | A::BadCertificate
        | A::UnsupportedCertificate
        | A::CertificateRevoked
        | A::CertificateExpired
        | A::CertificateUnknown
        | A::UnknownCA
        | A::AccessDenied => match shown {
            true => format!("the server refused the certificate of --cert ({alert:?})"),
            false => WANTS_CERTIFICATE.to_owned(),
        },
        A::DecryptError if shown => format!("the server refused the certificate of --cert ({alert:?})"),
        A::HandshakeFailure => match shown {
            true => "the server shares no cipher with us, or refused the certificate of --cert".to_owned(),
            false => "the server shares no cipher with us, or wants a client certificate (--cert, --key)".to_owned(),
        },
        A::UnrecognisedName => "the server does not know the URL's host".to_owned(),
        other => format!("the server ended TLS with the alert {other:?}"),
    }
}

const WANTS_CERTIFICATE: &str = "the server requires a client certificate: give one with --cert and --key";

/// What is wrong with a server's certificate.
fn certificate(problem: &CertificateError) -> String {
    use CertificateError as E;
    match problem {
        E::ExpiredContext { not_after, .. } => format!("the server's certificate expired on {}", date(*not_after)),
        E::NotValidYetContext { not_before, .. } => {
            format!("the server's certificate is not valid before {}", date(*not_before))
        }
        E::UnknownIssuer => {
            "no known authority vouches for the server's certificate: it is signed by itself, or by an \
                             authority to be given with --cacert; --insecure believes every certificate"
                .to_owned()
        }
        E::NotValidForNameContext { expected, presented } => {
            format!("the server's certificate is for {}, not for {}", names(presented), expected.to_str())
        }
        E::BadSignature => {
            "the server's certificate was signed by another authority that has the name of one that is believed"
                .to_owned()
        }
        E::InvalidPurpose | E::InvalidPurposeContext { .. } => {
            "the server's certificate is not meant for servers".to_owned()
        }
        E::BadEncoding => "the server's certificate cannot be read".to_owned(),
        E::Other(other) => format!("the server's certificate cannot be accepted: {other}"),
        other => format!("the server's certificate cannot be accepted: {other}"),
    }
}

/// A moment in UTC, to the second.
fn date(time: UnixTime) -> String {
    let second = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    let moment = jiff::Timestamp::from_second(second).unwrap_or(jiff::Timestamp::MAX);
    moment.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// The names of a certificate, from the form `DnsName("a.test")`.
fn names(presented: &[String]) -> String {
    let bare = |name: &String| {
        let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or(name);
        let inner = inner.trim_matches('"');
        inner.chars().filter(|c| !c.is_control()).take(100).collect::<String>()
    };
    let shown: Vec<String> = presented.iter().take(MOST_NAMES).map(bare).collect();
    match presented.len().saturating_sub(MOST_NAMES) {
        _ if shown.is_empty() => "no name at all".to_owned(),
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
