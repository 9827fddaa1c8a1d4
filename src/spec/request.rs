//! What each request says: URL, method, headers, authority, credentials and body together.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::address::{Address, address, drawn, pin};
use super::build::SpecBuilder;
use super::call::{called, calls};
use super::drawn::{Headers, Shared, Written};
use super::header::{credentials, header, host, method, value_of};
use super::keys::Id;
use super::mistake::{Mistake, Wrong, wrong};
use super::value::whole;
use crate::plan::{Call, Request, Target, Wire};
use crate::proto::CHECK;

/// Largest body, in bytes: it is held in memory once and sent again and again.
pub const MAX_BODY: usize = 64 << 20;

/// Most URLs of one load.
const MOST_URLS: usize = 100;

/// hey's content type for a body.
const CONTENT_TYPE: &str = "text/html";
/// The content type of gRPC.
const GRPC: &str = "application/grpc";

/// Whom the requests go to.
pub(super) struct Targets {
    /// A target for each URL.
    pub(super) canary: Vec<Target>,
    /// The release in service, which gets the same requests.
    pub(super) primary: Option<Target>,
}

/// Reads all that concerns the requests. Without a usable URL there is a mistake.
pub(super) fn targets(wishes: &mut SpecBuilder, wire: Wire, read: &dyn Fn(&Path) -> io::Result<Vec<u8>>) -> Targets {
    if !wishes.is_given(Id::Url) {
        wishes.mistake(Mistake::missing(Id::Url));
    }
    let urls = wishes.count(Id::Url);
    if urls > MOST_URLS {
        wishes.clash(Id::Url, format!("at most {MOST_URLS} URLs"), format!("these are {urls}"));
    }
    let url = if wishes.is_verbatim() { address } else { drawn };
    let mut addresses = wishes.read_all(Id::Url, url);
    let canaries = addresses.len();
    addresses.extend(wishes.read(Id::Primary, url));
    if urls > 1 && wishes.is_given(Id::Primary) {
        wishes.clash(Id::Primary, "one URL beside --primary", "compare one URL with one");
    }
    let weights = wishes.read(Id::Weights, |text| weights(text, urls)).unwrap_or_else(|| vec![1; urls]);
    let usual_method = if wire == Wire::Grpc { "POST" } else { "GET" };
    let method = wishes.read(Id::Method, method).unwrap_or_else(|| usual_method.to_owned());
    let body = body(wishes, read);
    let mut given = wishes.read_all(Id::Headers, header);
    let authority = authority(wishes, &mut given);
    let mut headers = ours(wishes, &given, &Usual::of(wire, !body.is_empty()));
    let in_urls = addresses.iter().any(|address| address.credentials.is_some());
    let login = login(wishes, has(&given, "Authorization"), in_urls);
    let place = headers.len();
    headers.extend(given);
    pin_all(wishes, &mut addresses);
    if wire == Wire::Grpc {
        grpc(wishes, &method, &headers);
        let called = called(wishes);
        addresses.iter_mut().for_each(|address| grpc_method(wishes, address, called.as_deref()));
    }
    let shared = Shared::new(wishes, place, headers, body);
    let target = |(address, weight): (Address, u32)| {
        let request = Request {
            method: method.clone(),
            path: address.path.clone(),
            authority: authority.clone().unwrap_or_else(|| address.origin.authority()),
            headers: Vec::new(),
            body: Arc::from([]),
        };
        let login = login.clone().or(address.credentials.clone()).map(basic);
        let (request, drawn) = shared.request(wishes, request, login, &address);
        Target { url: address.url, origin: address.origin, request, drawn, weight, call: Call::default() }
    };
    let primary = addresses.split_off(canaries).into_iter().map(|address| (address, 1));
    let (canary, primary) = (addresses.into_iter().zip(weights), primary);
    let mut all: Vec<Target> = canary.chain(primary).map(target).collect();
    if wire == Wire::Grpc {
        calls(wishes, read, &mut all);
    }
    let primary = if all.len() > canaries { all.pop() } else { None };
    Targets { canary: all, primary }
}

/// One weight for each of so many URLs.
fn weights(text: &str, urls: usize) -> Result<Vec<u32>, Wrong> {
    let weight = |item: &str| whole(item.trim(), 1..=1_000).map(|weight| weight as u32);
    let weights = text.split(',').map(weight).collect::<Result<Vec<_>, _>>()?;
    if weights.len() == urls || urls == 0 {
        return Ok(weights);
    }
    Err(wrong(if urls == 1 { "there is one URL".to_owned() } else { format!("there are {urls} URLs") }))
}

/// The body, from the text or the file; empty for none.
fn body(wishes: &mut SpecBuilder, read: &dyn Fn(&Path) -> io::Result<Vec<u8>>) -> Written {
    let (text, file) = text_and_file(wishes, (Id::Body, Id::BodyFile), read);
    if wishes.is_given(Id::Body) && wishes.is_given(Id::BodyFile) {
        wishes.clash(Id::BodyFile, "no file beside --body", "a request has one body");
    }
    if let Some((id, json)) = message(wishes, read) {
        if wishes.is_given(Id::Body) || wishes.is_given(Id::BodyFile) {
            wishes.clash(id, "no other body", "a message is given as JSON, or as it is sent");
        }
        let shown = wishes.text(id).unwrap_or_default().to_owned();
        return Written::new(wishes, id, &shown, json);
    }
    let id = if file.is_some() { Id::BodyFile } else { Id::Body };
    let shown = wishes.text(id).unwrap_or_default().to_owned();
    Written::new(wishes, id, &shown, file.or(text).unwrap_or_default())
}

/// What two keys give, one as text and one as a file's content.
fn text_and_file(
    wishes: &mut SpecBuilder,
    (text, file): (Id, Id),
    read: &dyn Fn(&Path) -> io::Result<Vec<u8>>,
) -> (Option<Vec<u8>>, Option<Vec<u8>>) {
    let too_long = || wrong("it is too long");
    let text = wishes.read(text, |text| match text.len() {
        0..=MAX_BODY => Ok(text.as_bytes().to_vec()),
        _ => Err(too_long()),
    });
    let file = wishes.read(file, |name| match read(Path::new(name)) {
        Ok(bytes) if bytes.len() <= MAX_BODY => Ok(bytes),
        Ok(_) => Err(too_long()),
        Err(error) => Err(wrong(error.to_string())),
    });
    (text, file)
}

/// The message of a gRPC call as JSON, and where it was given.
fn message(wishes: &mut SpecBuilder, read: &dyn Fn(&Path) -> io::Result<Vec<u8>>) -> Option<(Id, Vec<u8>)> {
    let (text, file) = text_and_file(wishes, (Id::Data, Id::DataFile), read);
    if wishes.is_given(Id::Data) && wishes.is_given(Id::DataFile) {
        wishes.clash(Id::DataFile, "no file beside --data", "a call has one body");
    }
    text.map(|text| (Id::Data, text)).or(file.map(|file| (Id::DataFile, file)))
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

/// What a gRPC call needs besides: to be a POST in gRPC's own content type.
fn grpc(wishes: &mut SpecBuilder, method: &str, headers: &Headers) {
    if method != "POST" {
        wishes.clash(Id::Method, "POST, or nothing, beside --protocol grpc", "every gRPC call is a POST");
    }
    let kind = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    if !kind.is_some_and(|(_, kind)| kind.starts_with(GRPC)) {
        wishes.clash(Id::ContentType, format!("{GRPC} or {GRPC}+NAME beside --protocol grpc"), "leave it out");
    }
}

/// And a method of a service; where the URL names none, the standard health service is asked about the whole server.
fn grpc_method(wishes: &mut SpecBuilder, address: &mut Address, called: Option<&str>) {
    if address.path == "/" {
        called.unwrap_or(CHECK).clone_into(&mut address.path);
        address.url.truncate(address.url.trim_end_matches('/').len());
        address.url.push_str(&address.path);
    } else if called.is_some() {
        wishes.clash(Id::Call, "a URL without a path beside it", "name the method once");
    }
    let mut parts = address.path.split('/').skip(1);
    let named = parts.by_ref().take(2).filter(|part| !part.is_empty()).count() == 2;
    if !named || parts.next().is_some() || address.path.contains('?') {
        let shape = "a URL that ends with /PACKAGE.SERVICE/METHOD";
        let advice = format!("such as {CHECK}, which is asked where the path is empty");
        wishes.mistake(Mistake::clash(Id::Url, &address.url, shape, advice));
    }
}

/// The headers that go out unless the user says otherwise.
fn ours(wishes: &mut SpecBuilder, given: &Headers, usual: &Usual) -> Headers {
    let agent = concat!("tollgate/", env!("CARGO_PKG_VERSION"));
    let ours = [
        (Id::UserAgent, "User-Agent", Some(agent)),
        (Id::Accept, "Accept", usual.accept),
        (Id::ContentType, "Content-Type", usual.content_type),
    ];
    let mut headers = Headers::new();
    for (id, name, default) in ours {
        let flag = wishes.read(id, value_of);
        let in_headers = has(given, name);
        if in_headers && wishes.is_given(id) {
            wishes.clash(id, format!("no {name} beside -H"), "give the header once");
        }
        let value = flag.or_else(|| default.filter(|_| !in_headers).map(str::to_owned));
        headers.extend(value.filter(|value| !value.is_empty()).map(|value| (name.to_owned(), value)));
    }
    headers
}

fn has(headers: &Headers, name: &str) -> bool {
    headers.iter().any(|(given, _)| given.eq_ignore_ascii_case(name))
}

/// User and password from the flag; those of a URL are its own.
fn login(wishes: &mut SpecBuilder, in_headers: bool, in_urls: bool) -> Option<(String, String)> {
    let flag = wishes.read(Id::BasicAuth, credentials);
    let sources = [wishes.is_given(Id::BasicAuth), in_urls, in_headers];
    if sources.iter().filter(|source| **source).count() > 1 {
        let id = if sources[0] { Id::BasicAuth } else { Id::Url };
        wishes.clash(id, "one way to log in", "give the user and password once: with -a, in the URL, or with -H");
    }
    flag
}

/// Basic authentication (RFC 7617).
fn basic((user, password): (String, String)) -> (String, String) {
    ("Authorization".to_owned(), format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}"))))
}

/// Gives the addresses what `--resolve` says about them.
fn pin_all(wishes: &mut SpecBuilder, addresses: &mut [Address]) {
    let origins: Vec<String> = addresses.iter().map(|address| address.origin.to_string()).collect();
    let matching = |text: &str| {
        let pin = pin(text)?;
        let to = format!("{}:{}", pin.host, pin.port);
        match &origins[..] {
            [only] if *only != to => Err(wrong(format!("the URL goes to {only}, so this would have no effect"))),
            [_, _, ..] if !origins.contains(&to) => {
                Err(wrong(format!("no URL goes to {to}, so this would have no effect")))
            }
            _ => Ok((to, pin)),
        }
    };
    for (to, pin) in wishes.read_all(Id::Resolve, matching) {
        for (address, _) in addresses.iter_mut().zip(&origins).filter(|(_, origin)| **origin == to) {
            address.origin.pinned.extend(pin.addresses.iter().map(|ip| SocketAddr::new(*ip, pin.port)));
        }
    }
}
