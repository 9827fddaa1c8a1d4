//! The URL: where the load goes, and the user and password that may hide in it.

use std::net::IpAddr;

use url::{ParseError, Position, Url};

use super::mistake::{Wrong, wrong};
use super::template::{Part, is_template, parts};
use super::value::port;
use crate::plan::{Host, Origin};

/// What a URL says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    /// The URL in canonical form, without user, password and fragment.
    pub(super) url: String,
    /// The server.
    pub(super) origin: Origin,
    /// Path and query.
    pub(super) path: String,
    /// User and password, percent-decoded.
    pub(super) credentials: Option<(String, String)>,
    /// Path and query piece by piece, where values are drawn in them.
    pub(super) parts: Option<Vec<Part>>,
}

/// Reads a URL in whose path and query values may be drawn.
pub(super) fn drawn(text: &str) -> Result<Address, Wrong> {
    if !is_template(text.as_bytes()) {
        return address(text);
    }
    let path = text.find("://").and_then(|at| Some(at + 3 + text[at + 3..].find(['/', '?', '#'])?));
    if path.is_none_or(|path| text.find("{{").is_some_and(|first| first < path)) {
        return Err(wrong("values can be drawn in the path and the query only"));
    }
    let parts = parts(text.as_bytes())?;
    // The URL is read with a word in the place of each value that nothing in it looks like.
    let lower = text.to_lowercase();
    let stem = (0..).map(|n| format!("drawn{n}n")).find(|stem| !lower.contains(stem)).unwrap_or_default();
    let (mut marked, mut blanks) = (String::new(), Vec::new());
    for part in parts {
        match part {
            Part::Text(plain) => marked.push_str(&String::from_utf8_lossy(&plain)),
            Part::Blank { at, what } => {
                marked.push_str(&format!("{stem}{}n", blanks.len()));
                blanks.push((at, what));
            }
        }
    }
    let mut address = address(&marked)?;
    let (mut parts, mut rest) = (Vec::new(), address.path.as_str());
    for (number, (at, what)) in blanks.iter().enumerate() {
        let mark = format!("{stem}{number}n");
        address.url = address.url.replace(&mark, &text[at.clone()]);
        // What is gone stood in the fragment, or before a "..".
        let Some((before, after)) = rest.split_once(&mark) else { continue };
        parts.extend((!before.is_empty()).then(|| Part::Text(before.into())));
        parts.push(Part::Blank { at: at.clone(), what: what.clone() });
        rest = after;
    }
    parts.extend((!rest.is_empty()).then(|| Part::Text(rest.into())));
    address.path = blanks.iter().enumerate().fold(address.path.clone(), |path, (number, (at, _))| {
        path.replace(&format!("{stem}{number}n"), &text[at.clone()])
    });
    address.parts = Some(parts);
    Ok(address)
}

/// Whether a URL says by its scheme that gRPC is to be spoken.
pub(super) fn is_grpc(url: &str) -> bool {
    url.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("grpc://"))
        || url.get(..8).is_some_and(|scheme| scheme.eq_ignore_ascii_case("grpcs://"))
}

/// Reads a URL; `http` and `https` are known, and `grpc` and `grpcs`, which are the same.
pub(super) fn address(text: &str) -> Result<Address, Wrong> {
    if is_grpc(text) {
        return address(&format!("http{}", &text["grpc".len()..]));
    }
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(wrong("blanks and control characters are not allowed; in a path, a blank is written %20"));
    }
    check_scheme(text)?;
    let mut url = Url::parse(text).map_err(problem)?;
    let host = match url.host() {
        Some(url::Host::Domain(name)) => named(name)?,
        Some(url::Host::Ipv4(ip)) => Host::Ip(IpAddr::V4(ip)),
        Some(url::Host::Ipv6(ip)) => Host::Ip(IpAddr::V6(ip)),
        None => return Err(wrong("the host is missing")),
    };
    let port = url.port_or_known_default().filter(|port| *port > 0);
    let port = port.ok_or_else(|| wrong("a port is a number from 1 to 65535"))?;
    let credentials = credentials(&url)?;
    url.set_fragment(None);
    if credentials.is_some() {
        let cleared = url.set_username("").and_then(|()| url.set_password(None));
        cleared.map_err(|()| wrong("the user and password cannot be read"))?;
    }
    let path = url[Position::BeforePath..].to_owned();
    let secure = url.scheme() == "https";
    let origin = Origin { secure, host, port, pinned: Vec::new() };
    Ok(Address { origin, path, credentials, url: url.into(), parts: None })
}

/// Reads a host that stands alone, as a server's name in TLS does.
pub(super) fn server_name(text: &str) -> Option<Host> {
    let alone = !text.contains(['/', '\\', '?', '#', '@']);
    address(&format!("https://{text}/")).ok().filter(|_| alone).map(|address| address.origin.host)
}

fn check_scheme(text: &str) -> Result<(), Wrong> {
    let Some((scheme, rest)) = text.split_once("://") else {
        let bare = text.trim_start_matches('/');
        return Err(match Url::parse(&format!("http://{bare}")) {
            Ok(url) if !bare.is_empty() && !bare.starts_with("http:") && url.has_host() => {
                wrong(format!("did you mean http://{}?", without_user(bare)))
            }
            _ => wrong("it must begin with http://"),
        });
    };
    match scheme.to_ascii_lowercase().as_str() {
        "http" | "https" if rest.is_empty() || rest.starts_with(['/', '\\', '?', '#']) => {
            Err(wrong("the host is missing"))
        }
        "http" | "https" => Ok(()),
        _ => Err(wrong("only http:// and https:// are supported")),
    }
}

/// What follows a user and password, which no message repeats.
fn without_user(bare: &str) -> &str {
    let end = bare.find(['/', '?', '#']).unwrap_or(bare.len());
    bare[..end].rfind('@').map_or(bare, |at| &bare[at + 1..])
}

fn problem(error: ParseError) -> Wrong {
    wrong(match error {
        ParseError::InvalidPort => "a port is a number from 1 to 65535".to_owned(),
        ParseError::EmptyHost => "the host is missing".to_owned(),
        ParseError::IdnaError | ParseError::InvalidDomainCharacter => "the host name is not valid".to_owned(),
        ParseError::InvalidIpv4Address => "the host looks like an IPv4 address and is none".to_owned(),
        ParseError::InvalidIpv6Address => "the host looks like an IPv6 address and is none".to_owned(),
        other => other.to_string(),
    })
}

/// A host name within the limits of DNS (RFC 1035 §2.3.4).
fn named(name: &str) -> Result<Host, Wrong> {
    let labels = name.strip_suffix('.').unwrap_or(name);
    if labels.split('.').any(str::is_empty) {
        return Err(wrong("a part of the host name is empty"));
    }
    if labels.len() > 253 || labels.split('.').any(|label| label.len() > 63) {
        return Err(wrong("the host name is too long: 253 characters, and 63 between two dots, are the most"));
    }
    Ok(Host::Name(name.to_owned()))
}

fn credentials(url: &Url) -> Result<Option<(String, String)>, Wrong> {
    if url.username().is_empty() && url.password().is_none() {
        return Ok(None);
    }
    let read = |text: &str| {
        decoded(text)
            .filter(|plain| !plain.chars().any(char::is_control))
            .ok_or_else(|| wrong("the user and password must be text without control characters"))
    };
    let user = read(url.username())?;
    if user.contains(':') {
        return Err(wrong("a user name cannot contain a colon"));
    }
    Ok(Some((user, read(url.password().unwrap_or(""))?)))
}

/// Percent-decoded UTF-8; a lone percent sign stays.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = (*first == b'%').then(|| after.first_chunk::<2>()).flatten();
        let value = escaped.and_then(|[high, low]| Some(hex(*high)? << 4 | hex(*low)?));
        bytes.push(value.unwrap_or(*first));
        rest = if value.is_some() { &after[2..] } else { after };
    }
    String::from_utf8(bytes).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// Addresses for one host and port: `--resolve podinfo.test:80:10.0.0.7,10.0.0.8`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pin {
    /// Host as in a URL, in lower case.
    pub(super) host: String,
    /// Port.
    pub(super) port: u16,
    /// Its addresses, at least one.
    pub(super) addresses: Vec<IpAddr>,
}

/// Reads `HOST:PORT:ADDRESS[,ADDRESS]`; IPv6 addresses may stand in brackets, and must where they are the host.
pub(super) fn pin(text: &str) -> Result<Pin, Wrong> {
    let shape = || wrong("the three parts are the URL's host, its port and the addresses");
    let host_end = match text.strip_prefix('[') {
        Some(_) => text.find(']').map(|at| at + 1),
        None => text.find(':'),
    };
    let (host, rest) = text.split_at(host_end.filter(|end| *end > 0).ok_or_else(shape)?);
    let (given, list) = rest.strip_prefix(':').and_then(|rest| rest.split_once(':')).ok_or_else(shape)?;
    let port = port(given)?;
    let read = |item: &str| {
        let bare = item.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(item);
        bare.parse().map_err(|_| wrong(format!("'{item}' is no IP address")))
    };
    let addresses = list.split(',').map(|item| read(item.trim())).collect::<Result<_, _>>()?;
    Ok(Pin { host: host.to_lowercase(), port, addresses })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advice<T: std::fmt::Debug>(result: Result<T, Wrong>) -> String {
        result.unwrap_err().advice.unwrap_or_default()
    }

    #[test]
    fn a_url_becomes_server_and_path() {
        for (text, authority, path, url, why) in [
            ("http://podinfo.test", "podinfo.test", "/", "http://podinfo.test/", "no path"),
            ("http://podinfo.test:9898/", "podinfo.test:9898", "/", "http://podinfo.test:9898/", "a port"),
            ("http://a:80/", "a", "/", "http://a/", "the usual port"),
            (
                "HTTP://PodInfo.Test/Echo?x=1&y=a%20b",
                "podinfo.test",
                "/Echo?x=1&y=a%20b",
                "http://podinfo.test/Echo?x=1&y=a%20b",
                "capitals",
            ),
            ("https://a:443/", "a", "/", "https://a/", "TLS on its usual port"),
            ("https://a:80/", "a:80", "/", "https://a:80/", "TLS on another port"),
            ("http://a?q", "a", "/?q", "http://a/?q", "a query without a path"),
            ("http://a/p#part", "a", "/p", "http://a/p", "a fragment is never sent"),
            ("http://127.0.0.1:8080/x", "127.0.0.1:8080", "/x", "http://127.0.0.1:8080/x", "IPv4"),
            ("http://[::1]:8080/", "[::1]:8080", "/", "http://[::1]:8080/", "IPv6"),
            ("http://bücher.example/", "xn--bcher-kva.example", "/", "http://xn--bcher-kva.example/", "not ASCII"),
            ("http://a/straße", "a", "/stra%C3%9Fe", "http://a/stra%C3%9Fe", "a path that is not ASCII"),
            ("http://a_b.test./", "a_b.test.", "/", "http://a_b.test./", "underscore and final dot"),
        ] {
            let address = address(text).unwrap();
            assert_eq!(address.origin.authority(), authority, "{why}");
            assert_eq!((address.path.as_str(), address.url.as_str()), (path, url), "{why}");
            assert_eq!(address.credentials, None, "{why}");
        }
    }

    #[test]
    fn user_and_password_leave_the_url() {
        for (text, user, password) in [
            ("http://ann:secret@a/x", "ann", "secret"),
            ("http://ann@a/x", "ann", ""),
            ("http://:secret@a/x", "", "secret"),
            ("http://a%40b:p%3Aq%zz@a/x", "a@b", "p:q%zz"),
        ] {
            let address = address(text).unwrap();
            assert_eq!(address.credentials, Some((user.into(), password.into())));
            assert_eq!(address.url, "http://a/x");
        }
    }

    #[test]
    fn a_wrong_url_says_what_to_write() {
        for (text, expected) in [
            ("podinfo.test/status/500", "did you mean http://podinfo.test/status/500?"),
            ("localhost:8080/", "did you mean http://localhost:8080/?"),
            ("127.0.0.1:80", "did you mean http://127.0.0.1:80?"),
            ("//podinfo.test", "did you mean http://podinfo.test?"),
            ("ann:secret@a/x", "did you mean http://a/x?"),
            ("", "it must begin with http://"),
            ("/", "it must begin with http://"),
            ("http:/a", "it must begin with http://"),
            ("ftp://a/", "only http:// and https:// are supported"),
            ("https://", "the host is missing"),
            ("http://", "the host is missing"),
            ("http:///path", "the host is missing"),
            ("http://:80/", "the host is missing"),
            ("http://a:0/", "a port is a number from 1 to 65535"),
            ("http://a:65536/", "a port is a number from 1 to 65535"),
            ("http://a:http/", "a port is a number from 1 to 65535"),
            ("http://a b/", "blanks and control characters are not allowed; in a path, a blank is written %20"),
            ("http://a/x y", "blanks and control characters are not allowed; in a path, a blank is written %20"),
            ("http://a/\r\nX: y", "blanks and control characters are not allowed; in a path, a blank is written %20"),
            ("http://1.2.3.400/", "the host looks like an IPv4 address and is none"),
            ("http://[::1/", "the host looks like an IPv6 address and is none"),
            ("http://a<b>/", "the host name is not valid"),
            ("http://a..b/", "a part of the host name is empty"),
            ("http://u%3Av:p@a/", "a user name cannot contain a colon"),
            ("http://u:p%0Aq@a/", "the user and password must be text without control characters"),
            ("http://u:%ff@a/", "the user and password must be text without control characters"),
        ] {
            assert_eq!(advice(address(text)), expected, "{text:?}");
        }
        assert!(advice(address(&format!("http://{}/", "x".repeat(64)))).contains("too long"));
    }

    #[test]
    fn values_are_drawn_in_the_path_and_the_query() {
        for (text, url, path, blanks, why) in [
            (
                "http://A:80/{{pick:x y,z}}/p?n={{counter}}&m=1#f",
                "http://a/{{pick:x y,z}}/p?n={{counter}}&m=1",
                "/{{pick:x y,z}}/p?n={{counter}}&m=1",
                2,
                "both",
            ),
            ("http://a?{{uuid}}", "http://a/?{{uuid}}", "/?{{uuid}}", 1, "no path"),
            ("http://a/drawn0n0n{{uuid}}", "http://a/drawn0n0n{{uuid}}", "/drawn0n0n{{uuid}}", 1, "our own mark"),
            ("http://a/{{uuid}}/../x", "http://a/x", "/x", 0, "gone with its folder"),
            ("http://a/x#{{uuid}}", "http://a/x", "/x", 0, "a fragment is never sent"),
        ] {
            let address = drawn(text).unwrap();
            assert_eq!((address.url.as_str(), address.path.as_str()), (url, path), "{why}");
            let parts = address.parts.unwrap();
            assert_eq!(parts.iter().filter(|part| matches!(part, Part::Blank { .. })).count(), blanks, "{why}");
        }
        for text in ["http://{{pick:a,b}}/", "http://{{uuid}}", "http://u:{{uuid}}@h/", "http://h:{{range:1..2}}/x"] {
            assert_eq!(advice(drawn(text)), "values can be drawn in the path and the query only", "{text}");
        }
        assert!(advice(drawn("http://a/{{range:2..1}}")).contains("column 10"));
        assert_eq!(drawn("http://a/%7B%7B").unwrap().parts, None);
    }

    #[test]
    fn a_pin_has_a_host_a_port_and_addresses() {
        for (text, host, port, addresses) in [
            ("podinfo.test:80:10.0.0.7", "podinfo.test", 80, vec!["10.0.0.7"]),
            ("Podinfo.Test:9898:10.0.0.7, 10.0.0.8", "podinfo.test", 9898, vec!["10.0.0.7", "10.0.0.8"]),
            ("a:80:::1", "a", 80, vec!["::1"]),
            ("a:80:[::1],[fe80::2]", "a", 80, vec!["::1", "fe80::2"]),
            ("[::1]:80:127.0.0.1", "[::1]", 80, vec!["127.0.0.1"]),
        ] {
            let addresses = addresses.iter().map(|ip| ip.parse().unwrap()).collect();
            assert_eq!(pin(text), Ok(Pin { host: host.into(), port, addresses }), "{text}");
        }
        for (text, part) in [
            ("", "three parts"),
            ("a", "three parts"),
            ("a:80", "three parts"),
            (":80:1.2.3.4", "three parts"),
            ("[::1:80:1.2.3.4", "three parts"),
            ("a:0:1.2.3.4", "a port is"),
            ("a:80:", "'' is no IP address"),
            ("a:80:b", "'b' is no IP address"),
            ("a:80:1.2.3.4,", "'' is no IP address"),
        ] {
            assert!(advice(pin(text)).contains(part), "{text:?}: {}", advice(pin(text)));
        }
    }
}
