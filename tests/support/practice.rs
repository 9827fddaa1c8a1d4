//! The practice canary inside the test's own process.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use tollgate::practice::{Behaviour, Practice};

/// Starts one that behaves as the flags of `tollgate canary` say: `errors 2%, chunked`.
pub(crate) fn practice(settings: &str) -> Practice {
    let settings = settings.split(", ").filter(|setting| !setting.is_empty());
    let settings = settings.map(|setting| setting.split_once(' ').unwrap_or((setting, "")));
    Practice::start(Behaviour::parse(settings).unwrap()).unwrap()
}

/// Its address with a path, which begins with a slash.
pub(crate) fn url(practice: &Practice, path: &str) -> String {
    let scheme = if practice.ca_pem().is_some() { "https" } else { "http" };
    format!("{scheme}://{}{path}", practice.addr())
}

/// The account of a practice canary in another process, asked for over HTTP; `line` ends in its URL or contains it.
pub(crate) fn account(line: &str) -> serde_json::Value {
    let address = line.split("http://").nth(1).and_then(|rest| rest.split('/').next()).expect("a URL");
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"GET /__truth HTTP/1.1\r\nHost: canary\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    serde_json::from_str(answer.split_once("\r\n\r\n").expect("a head").1).unwrap()
}
