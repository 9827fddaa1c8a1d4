//! A fixed request as the bytes that go out, made once.

use std::fmt::Write as _;

use super::proxy;
use crate::plan::{Origin, Proxy, Request};

/// Head and body of an HTTP/1.1 request. A proxy that reads it gets the whole URL (absolute-form, RFC 9112 §3.2.2) and is
/// told who we are.
///
/// `Content-Length` is sent with a body, and as 0 for methods that usually carry one; `Connection: close` when the
/// connection is not to be kept. The caller has checked names and values: nothing here can break the framing.
pub(super) fn http1(request: &Request, keep_alive: bool, reader: Option<(&Proxy, &Origin)>) -> Vec<u8> {
    let mut head = String::with_capacity(256);
    let server = reader.map(|(_, origin)| format!("http://{}", origin.authority())).unwrap_or_default();
    let Request { method, path, authority, .. } = request;
    let _ = write!(head, "{method} {server}{path} HTTP/1.1\r\nHost: {authority}\r\n");
    head.extend(reader.and_then(|(proxy, _)| proxy::authorization(proxy)));
    for (name, value) in &request.headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    let usually_has_body = matches!(request.method.as_str(), "POST" | "PUT" | "PATCH");
    if !request.body.is_empty() || usually_has_body {
        let _ = write!(head, "Content-Length: {}\r\n", request.body.len());
    }
    if !keep_alive {
        head.push_str("Connection: close\r\n");
    }
    head.push_str("\r\n");
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(&request.body);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, body: &[u8]) -> Request {
        Request {
            method: method.into(),
            path: "/a?b=c".into(),
            authority: "example.test:8080".into(),
            headers: vec![("Accept".into(), "*/*".into()), ("X-A".into(), "1".into()), ("X-A".into(), "2".into())],
            body: body.into(),
        }
    }

    #[test]
    fn a_proxy_gets_the_whole_url_and_who_we_are() {
        use crate::plan::Host;
        let proxy = Proxy {
            secure: false,
            host: Host::Name("proxy.test".into()),
            port: 3128,
            authorization: Some("Basic dTpw".into()),
        };
        let origin = Origin { secure: false, host: Host::Name("a.test".into()), port: 8080, pinned: Vec::new() };
        let bytes = http1(&request("GET", b""), true, Some((&proxy, &origin)));
        let head = String::from_utf8(bytes).expect("it is text");
        assert!(
            head.starts_with(
                "GET http://a.test:8080/a?b=c HTTP/1.1\r\nHost: example.test:8080\r\nProxy-Authorization: Basic dTpw\r\n"
            ),
            "{head}"
        );
        let open = Proxy { authorization: None, ..proxy };
        let head = String::from_utf8(http1(&request("GET", b""), true, Some((&open, &origin)))).expect("it is text");
        assert!(!head.contains("Proxy-Authorization"), "{head}");
    }

    #[test]
    fn the_bytes_are_what_a_server_expects() {
        assert_eq!(
            String::from_utf8(http1(&request("GET", b""), true, None)).expect("it is text"),
            "GET /a?b=c HTTP/1.1\r\nHost: example.test:8080\r\nAccept: */*\r\nX-A: 1\r\nX-A: 2\r\n\r\n"
        );
        assert_eq!(
            String::from_utf8(http1(&request("POST", b"hi"), false, None)).expect("it is text"),
            "POST /a?b=c HTTP/1.1\r\nHost: example.test:8080\r\nAccept: */*\r\nX-A: 1\r\nX-A: 2\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi"
        );
        assert!(String::from_utf8_lossy(&http1(&request("PUT", b""), true, None)).contains("Content-Length: 0\r\n"));
    }
}
