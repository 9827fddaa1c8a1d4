//! What each request says: URL, method, headers, authority, credentials and body together.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::address::{Address, address, pin};
use super::build::SpecBuilder;
use super::header::{credentials, header, host, method, value_of};
use super::keys::Id;
use super::mistake::{Mistake, wrong};
use crate::plan::{Request, Target, Wire};

/// Largest body, in bytes: it is held in memory once and sent again and again.
pub const MAX_BODY: usize = 64 << 20;

/// hey's content type for a body.
const CONTENT_TYPE: &str = "text/html";
/// The content type of gRPC.
const GRPC: &str = "application/grpc";
/// What a gRPC call asks when the URL names no method: the standard health service, about the whole server.
const HEALTH_CHECK: &str = "/grpc.health.v1.Health/Check";

/// Headers as they are sent.
type Headers = Vec<(String, String)>;

/// Reads all that concerns the request; `None` without a usable URL, which is then a mistake.
pub(super) fn target(
    wishes: &mut SpecBuilder,
    wire: Wire,
    read: &dyn Fn(&Path) -> io::Result<Vec<u8>>,
) -> Option<Target> {
    if !wishes.is_given(Id::Url) {
        wishes.mistake(Mistake::missing(Id::Url));
    }
    let address = wishes.read_all(Id::Url, address).into_iter().next();
    let usual_method = if wire == Wire::Grpc { "POST" } else { "GET" };
    let method = wishes.read(Id::Method, method).unwrap_or_else(|| usual_method.to_owned());
    let body = body(wishes, read);
    let mut given = wishes.read_all(Id::Headers, header);
    let authority = authority(wishes, &mut given);
    let in_url = address.as_ref().and_then(|address| address.credentials.clone());
    let headers = headers(wishes, given, &Usual::of(wire, !body.is_empty()), in_url);
    let mut address = pinned(wishes, address)?;
    if wire == Wire::Grpc {
        grpc(wishes, &method, &headers, &mut address);
    }
    let authority = authority.unwrap_or_else(|| address.origin.authority());
    let request = Request { method, path: address.path, authority, headers, body: Arc::from(body) };
    Some(Target { url: address.url, origin: address.origin, request, weight: 1 })
}

/// The body, from the text or the file; empty for none.
fn body(wishes: &mut SpecBuilder, read: &dyn Fn(&Path) -> io::Result<Vec<u8>>) -> Vec<u8> {
    let too_long = || wrong("it is too long");
    let text = wishes.read(Id::Body, |text| match text.len() {
        0..=MAX_BODY => Ok(text.as_bytes().to_vec()),
        _ => Err(too_long()),
    });
    let file = wishes.read(Id::BodyFile, |name| match read(Path::new(name)) {
        Ok(bytes) if bytes.len() <= MAX_BODY => Ok(bytes),
        Ok(_) => Err(too_long()),
        Err(error) => Err(wrong(error.to_string())),
    });
    if wishes.is_given(Id::Body) && wishes.is_given(Id::BodyFile) {
        wishes.clash(Id::BodyFile, "no file beside --body", "a request has one body");
    }
    file.or(text).unwrap_or_default()
}

/// The value of the `Host` header, if one is asked for; takes it out of the headers.
fn authority(wishes: &mut SpecBuilder, headers: &mut Headers) -> Option<String> {
    let flag = wishes.read(Id::Host, host);
    let mut asked = Vec::new();
    headers.retain(|(name, value)| {
        let is_host = name.eq_ignore_ascii_case("host");
        if is_host {
            asked.push(value.clone());
        }
        !is_host
    });
    for value in &asked {
        if let Err(wrong) = host(value) {
            wishes.mistake(Mistake::value(Id::Host, value, wrong.advice));
        }
    }
    asked.extend(flag);
    if asked.windows(2).any(|pair| pair[0] != pair[1]) {
        wishes.clash(Id::Host, "one Host", "a request has one Host header, from --host or from -H");
    }
    asked.pop()
}

/// Headers that are sent when nobody says otherwise.
struct Usual {
    accept: Option<&'static str>,
    content_type: Option<&'static str>,
}

impl Usual {
    fn of(wire: Wire, has_body: bool) -> Self {
        match wire {
            Wire::Grpc => Self { accept: None, content_type: Some(GRPC) },
            Wire::Http1 | Wire::Http2 => Self { accept: Some("*/*"), content_type: has_body.then_some(CONTENT_TYPE) },
        }
    }
}

/// What a gRPC call needs besides: a method of a service, asked by POST in gRPC's own content type.
fn grpc(wishes: &mut SpecBuilder, method: &str, headers: &Headers, address: &mut Address) {
    if method != "POST" {
        wishes.clash(Id::Method, "POST, or nothing, beside --protocol grpc", "every gRPC call is a POST");
    }
    let kind = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    if !kind.is_some_and(|(_, kind)| kind.starts_with(GRPC)) {
        wishes.clash(Id::ContentType, format!("{GRPC} or {GRPC}+NAME beside --protocol grpc"), "leave it out");
    }
    if address.path == "/" {
        address.path = HEALTH_CHECK.to_owned();
        address.url.truncate(address.url.trim_end_matches('/').len());
        address.url.push_str(HEALTH_CHECK);
    }
    let mut parts = address.path.split('/').skip(1);
    let named = parts.by_ref().take(2).filter(|part| !part.is_empty()).count() == 2;
    if !named || parts.next().is_some() || address.path.contains('?') {
        let shape = "a URL that ends with /PACKAGE.SERVICE/METHOD";
        wishes.clash(Id::Url, shape, format!("such as {HEALTH_CHECK}, which is asked where the path is empty"));
    }
}

/// All headers in the order they are sent: ours first, then the user's own.
fn headers(wishes: &mut SpecBuilder, given: Headers, usual: &Usual, in_url: Option<(String, String)>) -> Headers {
    let agent = concat!("tollgate/", env!("CARGO_PKG_VERSION"));
    let ours = [
        (Id::UserAgent, "User-Agent", Some(agent)),
        (Id::Accept, "Accept", usual.accept),
        (Id::ContentType, "Content-Type", usual.content_type),
    ];
    let mut headers = Headers::new();
    for (id, name, default) in ours {
        let flag = wishes.read(id, value_of);
        let in_headers = has(&given, name);
        if in_headers && wishes.is_given(id) {
            wishes.clash(id, format!("no {name} beside -H"), "give the header once");
        }
        let value = flag.or_else(|| default.filter(|_| !in_headers).map(str::to_owned));
        headers.extend(value.filter(|value| !value.is_empty()).map(|value| (name.to_owned(), value)));
    }
    headers.extend(authorization(wishes, has(&given, "Authorization"), in_url));
    headers.extend(given);
    headers
}

fn has(headers: &Headers, name: &str) -> bool {
    headers.iter().any(|(given, _)| given.eq_ignore_ascii_case(name))
}

/// Basic authentication (RFC 7617) from the flag or the URL.
fn authorization(
    wishes: &mut SpecBuilder,
    in_headers: bool,
    in_url: Option<(String, String)>,
) -> Option<(String, String)> {
    let flag = wishes.read(Id::BasicAuth, credentials);
    let sources = [wishes.is_given(Id::BasicAuth), in_url.is_some(), in_headers];
    if sources.iter().filter(|source| **source).count() > 1 {
        let id = if sources[0] { Id::BasicAuth } else { Id::Url };
        wishes.clash(id, "one way to log in", "give the user and password once: with -a, in the URL, or with -H");
    }
    let (user, password) = flag.or(in_url)?;
    Some(("Authorization".to_owned(), format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")))))
}

/// The address with what `--resolve` says about it.
fn pinned(wishes: &mut SpecBuilder, address: Option<Address>) -> Option<Address> {
    let origin = address.as_ref().map(|address| address.origin.clone());
    let matching = |text: &str| {
        let pin = pin(text)?;
        match &origin {
            Some(origin) if pin.host != origin.host.to_string() || pin.port != origin.port => {
                Err(wrong(format!("the URL goes to {origin}, so this would have no effect")))
            }
            _ => Ok(pin),
        }
    };
    let pins = wishes.read_all(Id::Resolve, matching);
    let mut address = address?;
    for pin in pins {
        address.origin.pinned.extend(pin.addresses.into_iter().map(|ip| SocketAddr::new(ip, pin.port)));
    }
    Some(address)
}
