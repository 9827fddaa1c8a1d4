//! Whom queries are put to, and how it is asked.

use std::io;
use std::path::{Path, PathBuf};

use super::build::SpecBuilder;
use super::keys::Id;
use super::mistake::{WRONG, Wrong, wrong};

/// A Prometheus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outside {
    /// Its address.
    pub url: String,
    /// The authorities that are believed; `None` for the public ones.
    pub cacert: Option<PathBuf>,
    /// The file with the token that it is shown; `None` shows none.
    pub token_file: Option<PathBuf>,
}

/// Reads where it is and how it is asked. Files that cannot be read are found before anything is sent.
pub(super) fn outside(wishes: &mut SpecBuilder, read: &dyn Fn(&Path) -> io::Result<Vec<u8>>) -> Option<Outside> {
    let mut file = |id| {
        if wishes.is_given(id) && !wishes.is_given(Id::Prometheus) {
            wishes.clash(id, "--prometheus beside it", "it says whom to ask");
        }
        let readable =
            |text: &str| read(Path::new(text)).map(|_| PathBuf::from(text)).map_err(|e| wrong(e.to_string()));
        wishes.read(id, readable)
    };
    let (cacert, token_file) = (file(Id::PrometheusCacert), file(Id::PrometheusTokenFile));
    wishes.read(Id::Prometheus, web_address).map(|url| Outside { url, cacert, token_file })
}

/// An address of a service that is asked over HTTP.
fn web_address(text: &str) -> Result<String, Wrong> {
    let url = url::Url::parse(text).map_err(|_| WRONG)?;
    let known = matches!(url.scheme(), "http" | "https") && url.has_host();
    if known { Ok(text.to_owned()) } else { Err(WRONG) }
}
