//! A request in HTTP/2's form, made once.

use http::uri::{Authority, PathAndQuery};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::plan::{Origin, Request};

/// Headers that speak of one HTTP/1 connection and have no place in HTTP/2 (RFC 9113 §8.2.2).
const OF_ONE_CONNECTION: [&str; 5] = ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"];

/// What may not stand in a path as it is.
const NOT_IN_A_PATH: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'#').add(b'\\').add(b'^');

/// The request's headers, with the length of its body, and without those that HTTP/2 does not carry.
///
/// `Content-Length` is sent with a body, and as 0 for methods that usually carry one, as in HTTP/1.
pub(in crate::wire) fn headers(request: &Request) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(request.headers.len() + 1);
    for (name, value) in &request.headers {
        let pair = HeaderName::from_bytes(name.as_bytes()).ok().zip(HeaderValue::from_bytes(value.as_bytes()).ok());
        let carried = |name: &HeaderName| !OF_ONE_CONNECTION.contains(&name.as_str());
        if let Some((name, value)) = pair.filter(|(name, value)| carried(name) && (name != "te" || value == "trailers"))
        {
            headers.append(name, value);
        }
    }
    let usually_has_body = matches!(request.method.as_str(), "POST" | "PUT" | "PATCH");
    if !request.body.is_empty() || usually_has_body {
        headers.insert(http::header::CONTENT_LENGTH, HeaderValue::from(request.body.len()));
    }
    headers
}

/// Method, scheme, authority and path as pseudo-headers, and the headers given.
pub(in crate::wire) fn message(origin: &Origin, request: &Request, headers: HeaderMap) -> http::Request<()> {
    let authority = |text: &str| text.parse::<Authority>().ok();
    let mut uri = http::uri::Parts::default();
    uri.scheme = Some(if origin.secure { http::uri::Scheme::HTTPS } else { http::uri::Scheme::HTTP });
    uri.authority = authority(&request.authority).or_else(|| authority(&origin.authority()));
    uri.path_and_query = Some(path(&request.path));
    let mut head = http::Request::new(());
    *head.uri_mut() = Uri::from_parts(uri).unwrap_or_default();
    *head.method_mut() = Method::from_bytes(request.method.as_bytes()).unwrap_or_default();
    *head.headers_mut() = headers;
    head
}

/// The path; what the library would refuse is percent-encoded.
fn path(text: &str) -> PathAndQuery {
    let given = text.parse::<PathAndQuery>();
    given
        .or_else(|_| utf8_percent_encode(text, NOT_IN_A_PATH).to_string().parse())
        .unwrap_or_else(|_| PathAndQuery::from_static("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Host;

    fn origin(secure: bool) -> Origin {
        Origin { secure, host: Host::Name("a.test".into()), port: 8443, pinned: Vec::new() }
    }

    fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Request {
        Request {
            method: method.into(),
            path: path.into(),
            authority: "a.test:8443".into(),
            headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            body: body.into(),
        }
    }

    #[test]
    fn the_pseudo_headers_are_those_of_the_url() {
        for (secure, path, uri) in [
            (false, "/a?b=c", "http://a.test:8443/a?b=c"),
            (true, "/", "https://a.test:8443/"),
            (true, "/x?q={1}|2", "https://a.test:8443/x?q={1}|2"),
            (true, "/x?q=a\"b", "https://a.test:8443/x?q=a%22b"),
        ] {
            let request = request("PATCH", path, &[], b"");
            let head = message(&origin(secure), &request, headers(&request));
            assert_eq!((head.uri().to_string().as_str(), head.method().as_str()), (uri, "PATCH"));
        }
    }

    #[test]
    fn headers_keep_their_order_and_repetitions_and_those_of_one_connection_stay_behind() {
        let given = [
            ("X-A", "1"),
            ("x-a", "2"),
            ("Keep-Alive", "5"),
            ("TE", "gzip"),
            ("Upgrade", "h2c"),
            ("Proxy-Connection", "x"),
            ("B", "ü"),
        ];
        let sent = headers(&request("POST", "/", &given, b""));
        let names: Vec<_> = sent.keys().map(HeaderName::as_str).collect();
        assert_eq!(names, ["x-a", "b", "content-length"]);
        assert_eq!(sent.get_all("x-a").iter().map(HeaderValue::as_bytes).collect::<Vec<_>>(), [b"1", b"2"]);
        assert_eq!(sent["content-length"], "0");
        assert_eq!(headers(&request("GET", "/", &[("TE", "trailers")], b"abc"))["content-length"], "3");
        assert_eq!(headers(&request("GET", "/", &[("TE", "trailers")], b""))["te"], "trailers");
    }
}
