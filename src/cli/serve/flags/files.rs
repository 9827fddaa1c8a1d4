//! Flags that name files: certificates, keys and tokens.

use std::path::PathBuf;

use super::{Flag, Reader};
use crate::outbound::OutboundError;
use crate::prometheus::Prometheus;
use crate::server::{TlsFiles, token};

/// A token that cannot be read would open gates to everybody, or to nobody.
pub(super) fn token_file<F: Fn(&Flag) -> Option<(String, String)>>(
    reader: &mut Reader<F>,
    name: &str,
) -> Option<PathBuf> {
    let (place, given) = reader.text(name)?;
    let path = PathBuf::from(&given);
    if let Err(why) = token(&path) {
        reader.mistake(&place, &given, &format!("a file with a token; {why}"));
    }
    Some(path)
}

pub(super) fn tls<F: Fn(&Flag) -> Option<(String, String)>>(reader: &mut Reader<F>) -> Option<TlsFiles> {
    let (cert, key) = (reader.file("tls-cert"), reader.file("tls-key"));
    let client_ca = reader.file("tls-client-ca");
    match (cert, key) {
        (Some(cert), Some(key)) => return Some(TlsFiles { cert, key, client_ca }),
        (Some(_), None) => reader.mistakes.push("--tls-key: got nothing, expected the key of --tls-cert".to_owned()),
        (None, Some(_)) => reader.mistakes.push("--tls-cert: got nothing, expected --tls-key's certificate".to_owned()),
        (None, None) if client_ca.is_some() => {
            let beside = "--tls-client-ca: got an authority, expected --tls-cert and --tls-key beside it";
            reader.mistakes.push(beside.to_owned());
        }
        (None, None) => {}
    }
    None
}

/// Whom queries are put to.
pub(super) fn prometheus<F: Fn(&Flag) -> Option<(String, String)>>(reader: &mut Reader<F>) -> Option<Prometheus> {
    let cacert = reader.text("prometheus-cacert");
    let token_file = token_file(reader, "prometheus-token-file");
    let Some((place, given)) = reader.text("prometheus") else {
        for name in ["prometheus-cacert", "prometheus-token-file"] {
            if let Some((place, given)) = reader.text(name) {
                reader.mistake(&place, &given, "--prometheus beside it, which says whom to ask");
            }
        }
        return None;
    };
    match Prometheus::new(&given, cacert.as_ref().map(|(_, file)| file.into()), token_file) {
        Ok(prometheus) => Some(prometheus),
        Err(OutboundError::Certificate(error)) => {
            let (place, given) = cacert.unwrap_or((place, given));
            reader.mistake(&place, &given, &format!("a file with certificates; {error}"));
            None
        }
        Err(_) => {
            reader.mistake(&place, &given, "an address such as http://HOST:PORT");
            None
        }
    }
}
