//! Following redirects: which request comes next (RFC 9110 §15.4), by the rules that browsers and curl share.

use std::net::IpAddr;

use url::{Position, Url};

use super::{Head, Observe};
use crate::plan::{Host, Origin, Request};

/// A longer `Location` is not followed.
const MOST_LOCATION_BYTES: usize = 8 * 1024;

/// Headers that belong to one site and are not carried to another.
const PRIVATE: [&str; 3] = ["Authorization", "Cookie", "Proxy-Authorization"];

/// Notes where an answer sends its client, and looks at nothing else.
#[derive(Debug, Default)]
pub struct Redirected {
    status: u16,
    location: Option<Result<Vec<u8>, BadLocation>>,
}

/// A redirect that leads nowhere: its `Location` is no URL, is too long, or is not one that HTTP can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadLocation;

/// The request that a redirect asks for, and whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    /// The server.
    pub origin: Origin,
    /// What to ask it.
    pub request: Request,
}

impl Observe for Redirected {
    fn head(&mut self, head: Head<'_>) {
        self.status = head.status;
        self.location = match head.status {
            301 | 302 | 303 | 307 | 308 => head.fields.get("location").map(|location| {
                if location.len() > MOST_LOCATION_BYTES { Err(BadLocation) } else { Ok(location.to_vec()) }
            }),
            _ => None,
        };
    }

    fn chunk(&mut self, _: &[u8]) {}

    fn verdict(&mut self) -> bool {
        true
    }
}

impl Redirected {
    /// Whether the answer leads nowhere: it is no redirect, or one without `Location`.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.location.is_none()
    }

    /// Where the answer to `asked` leads; `None` when it is no redirect, or one without `Location`: then it is an answer
    /// like any other.
    ///
    /// `known` are the servers of the load: whoever is redirected to one of them goes where `--resolve` says.
    ///
    /// # Errors
    /// The redirect cannot be followed.
    pub fn hop(&self, asked: &Hop, known: &[Origin]) -> Option<Result<Hop, BadLocation>> {
        let location = self.location.as_ref()?;
        Some(location.as_ref().map_err(|bad| *bad).and_then(|location| next(asked, self.status, location, known)))
    }
}

fn next(asked: &Hop, status: u16, location: &[u8], known: &[Origin]) -> Result<Hop, BadLocation> {
    let location = std::str::from_utf8(location).map_err(|_| BadLocation)?;
    let scheme = if asked.origin.secure { "https" } else { "http" };
    // The site as the server was told it, which is not where the connection goes when `Host` was given.
    let site = |authority: &str| Url::parse(&format!("{scheme}://{authority}{}", asked.request.path));
    let told = site(&asked.request.authority).or_else(|_| site(&asked.origin.authority())).map_err(|_| BadLocation)?;
    let to = told.join(location).map_err(|_| BadLocation)?;
    if !matches!(to.scheme(), "http" | "https") {
        return Err(BadLocation);
    }
    let stays = to.origin() == told.origin();
    let origin = if stays { asked.origin.clone() } else { server(&to, known)? };
    let authority = if stays { asked.request.authority.clone() } else { origin.authority() };
    let path = to[Position::BeforePath..Position::AfterQuery].to_owned();
    let request = Request { path, authority, ..carried(&asked.request, status, stays) };
    Ok(Hop { origin, request })
}

/// The request without what the redirect takes from it.
fn carried(request: &Request, status: u16, stays: bool) -> Request {
    let mut request = request.clone();
    let becomes_get = match status {
        301 | 302 => request.method == "POST",
        303 => request.method != "HEAD",
        _ => false,
    };
    if becomes_get && request.method != "GET" {
        request.method = "GET".to_owned();
        request.body = [].into();
        request.headers.retain(|(name, _)| !name.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("content-")));
    }
    if !stays {
        request.headers.retain(|(name, _)| !PRIVATE.iter().any(|private| name.eq_ignore_ascii_case(private)));
    }
    request
}

/// The server of a URL, with the addresses given for it.
fn server(url: &Url, known: &[Origin]) -> Result<Origin, BadLocation> {
    let host = match url.host().ok_or(BadLocation)? {
        url::Host::Domain(name) => Host::Name(name.to_owned()),
        url::Host::Ipv4(ip) => Host::Ip(IpAddr::V4(ip)),
        url::Host::Ipv6(ip) => Host::Ip(IpAddr::V6(ip)),
    };
    let port = url.port_or_known_default().filter(|port| *port > 0).ok_or(BadLocation)?;
    let origin = Origin { secure: url.scheme() == "https", host, port, pinned: Vec::new() };
    let same = |known: &&Origin| (known.secure, &known.host, known.port) == (origin.secure, &origin.host, origin.port);
    Ok(known.iter().find(same).cloned().unwrap_or(origin))
}

#[cfg(test)]
mod tests {
    use super::super::Fields;
    use super::*;

    fn asked(method: &str, authority: &str) -> Hop {
        let header = |name: &str| (name.to_owned(), "x".to_owned());
        Hop {
            origin: Origin { secure: false, host: Host::Name("a.test".into()), port: 8080, pinned: Vec::new() },
            request: Request {
                method: method.into(),
                path: "/dir/page?q=1".into(),
                authority: authority.into(),
                headers: ["Accept", "Authorization", "cookie", "Content-Type"].map(header).to_vec(),
                body: (*b"body").into(),
            },
        }
    }

    fn hop(asked: &Hop, status: u16, location: &[u8], known: &[Origin]) -> Option<Result<Hop, BadLocation>> {
        let mut redirected = Redirected::default();
        let fields = [httparse::Header { name: "location", value: location }];
        redirected.head(Head { status, fields: Fields::Http1(&fields) });
        redirected.hop(asked, known)
    }

    fn followed(asked: &Hop, status: u16, location: &str) -> Hop {
        hop(asked, status, location.as_bytes(), &[]).expect("a redirect").expect("one that can be followed")
    }

    #[test]
    fn a_location_is_read_against_what_was_asked() {
        for (location, authority, path, why) in [
            ("/other", "a.test:8080", "/other", "a path"),
            ("next?x=a b", "a.test:8080", "/dir/next?x=a%20b", "relative to the folder, and encoded"),
            ("?q=2", "a.test:8080", "/dir/page?q=2", "a query alone"),
            ("../up#part", "a.test:8080", "/up", "a fragment is never sent"),
            ("http://a.test:8080/x", "a.test:8080", "/x", "the same server in full"),
            ("//b.test/y", "b.test", "/y", "another host by the same scheme"),
            ("https://a.test/z", "a.test", "/z", "TLS is another server"),
            ("http://u:p@b.test:81", "b.test:81", "/", "nobody's password"),
            ("http://[::1]:7/", "[::1]:7", "/", "an address"),
        ] {
            let hop = followed(&asked("GET", "a.test:8080"), 302, location);
            assert_eq!((hop.request.authority.as_str(), hop.request.path.as_str()), (authority, path), "{why}");
            assert_eq!(hop.origin.authority(), authority, "{why}");
        }
    }

    #[test]
    fn a_host_that_was_given_is_kept_on_its_own_site_and_the_connection_with_it() {
        let asked = asked("GET", "shop.example");
        for location in ["/cart", "http://shop.example/cart"] {
            let hop = followed(&asked, 302, location);
            assert_eq!((hop.origin.clone(), hop.request.authority.as_str()), (asked.origin.clone(), "shop.example"));
        }
        let away = followed(&asked, 302, "http://pay.example/");
        assert_eq!((away.origin.authority().as_str(), away.request.authority.as_str()), ("pay.example", "pay.example"));
    }

    #[test]
    fn methods_and_bodies_change_as_in_browsers() {
        for (status, method, becomes, with_body) in [
            (301, "POST", "GET", false),
            (302, "POST", "GET", false),
            (302, "PUT", "PUT", true),
            (303, "PUT", "GET", false),
            (303, "HEAD", "HEAD", true),
            (307, "POST", "POST", true),
            (308, "POST", "POST", true),
        ] {
            let next = followed(&asked(method, "a.test:8080"), status, "/").request;
            assert_eq!((next.method.as_str(), !next.body.is_empty()), (becomes, with_body), "{status} {method}");
            assert_eq!(next.header("content-type").is_some(), with_body, "{status} {method}");
        }
    }

    #[test]
    fn what_is_secret_stays_with_its_site() {
        let names = |location| {
            let next = followed(&asked("GET", "a.test:8080"), 307, location).request;
            next.headers.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
        };
        assert_eq!(names("/same"), ["Accept", "Authorization", "cookie", "Content-Type"]);
        assert_eq!(names("http://a.test:8081/"), ["Accept", "Content-Type"], "another port is another site");
    }

    #[test]
    fn a_server_of_the_load_is_reached_where_the_load_reaches_it() {
        let pinned = vec![([127, 0, 0, 9], 81).into()];
        let known = Origin { secure: false, host: Host::Name("b.test".into()), port: 81, pinned };
        let next = hop(&asked("GET", "a.test:8080"), 302, b"http://b.test:81/", std::slice::from_ref(&known));
        assert_eq!(next.expect("a redirect").expect("a good one").origin, known);
    }

    #[test]
    fn what_cannot_be_followed_is_bad_and_what_is_no_redirect_is_an_answer() {
        let asked = asked("GET", "a.test:8080");
        let long = [b'/'; MOST_LOCATION_BYTES + 1];
        let bad: [&[u8]; 6] = [b"ftp://b/", b"javascript:1", b"http://", b"http://b:99999/", b"\xff\xfe", &long];
        for location in bad {
            assert_eq!(hop(&asked, 302, location, &[]), Some(Err(BadLocation)), "{}", location.escape_ascii());
        }
        for status in [200, 300, 304, 305, 404] {
            assert_eq!(hop(&asked, status, b"/x", &[]), None, "{status}");
        }
        let mut silent = Redirected::default();
        silent.head(Head { status: 302, fields: Fields::Http1(&[]) });
        assert_eq!(silent.hop(&asked, &[]), None, "nowhere to go");
    }
}
