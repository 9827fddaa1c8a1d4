//! HTTP proxies: the tunnel through one (CONNECT, RFC 9110 §9.3.6).

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::Discard;
use super::http1::decode::Decoder;
use super::stream::Stream;
use super::tls::Failed;
use crate::plan::{Origin, Proxy};
use crate::stats::Fault;

/// Asks a proxy for a tunnel to `origin`. What the proxy sends behind its answer is the tunnel's.
pub(super) async fn tunnel(mut stream: Stream, proxy: &Proxy, origin: &Origin) -> Result<Stream, Failed> {
    let broken = |error: std::io::Error| (Fault::Proxy, format!("CONNECT {origin} broke off: {error}"));
    stream.write_all(ask(proxy, origin).as_bytes()).await.map_err(broken)?;
    stream.flush().await.map_err(broken)?;
    let mut answer = Vec::with_capacity(1024);
    // There is no body to a tunnel's answer, as there is none to that of HEAD.
    let mut decoder = Decoder::new(true);
    loop {
        if stream.read_buf(&mut answer).await.map_err(broken)? == 0 {
            return Err((Fault::Proxy, format!("it closed the connection when asked for {origin}")));
        }
        let used = decoder
            .advance(&answer, &mut Discard)
            .map_err(|_| (Fault::Proxy, format!("its answer to CONNECT {origin} is no HTTP")))?;
        answer.drain(..used);
        if let Some(status) = decoder.status() {
            return match status {
                200..=299 => Ok(stream.after(answer)),
                _ => Err((Fault::Proxy, refusal(status, proxy, origin))),
            };
        }
    }
}

fn ask(proxy: &Proxy, origin: &Origin) -> String {
    let authorization = authorization(proxy).unwrap_or_default();
    format!("CONNECT {origin} HTTP/1.1\r\nHost: {origin}\r\n{authorization}\r\n")
}

/// The header line that says who we are to a proxy, if it wants to know.
pub(super) fn authorization(proxy: &Proxy) -> Option<String> {
    proxy.authorization.as_ref().map(|value| format!("Proxy-Authorization: {value}\r\n"))
}

/// What a proxy meant by another status than success.
fn refusal(status: u16, proxy: &Proxy, origin: &Origin) -> String {
    let meaning = match status {
        407 if proxy.authorization.is_some() => ": it does not accept the user and password of --proxy",
        407 => ": it wants a user and password, as in --proxy http://USER:PASSWORD@HOST:PORT",
        403 => ": it does not allow this server or port",
        500..=599 => ": it could not reach the server",
        _ => "",
    };
    format!("it answered CONNECT {origin} with {status}{meaning}")
}

/// As what a failure on the way to a proxy counts: it is the proxy that failed, unless time or our own process did.
pub(super) fn fault(fault: Fault) -> Fault {
    match fault {
        Fault::Timeout | Fault::Dns | Fault::Local => fault,
        _ => Fault::Proxy,
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::{TcpListener, TcpStream};

    use super::*;
    use crate::plan::Host;

    fn proxy(authorization: Option<&str>) -> Proxy {
        let authorization = authorization.map(str::to_owned);
        Proxy { secure: false, host: Host::Name("proxy.test".into()), port: 3128, authorization }
    }

    fn origin() -> Origin {
        Origin { secure: true, host: Host::Ip("::1".parse().unwrap()), port: 443, pinned: Vec::new() }
    }

    /// Asks a proxy that answers with these pieces, one by one, and keeps the connection; and what it was asked.
    async fn asked(proxy: &Proxy, pieces: Vec<Vec<u8>>) -> (Result<Stream, Failed>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let there = tokio::spawn(async move {
            let (mut there, _) = listener.accept().await.unwrap();
            there.set_nodelay(true).unwrap();
            let mut asked = Vec::new();
            while !asked.ends_with(b"\r\n\r\n") {
                there.read_buf(&mut asked).await.unwrap();
            }
            for piece in pieces {
                there.write_all(&piece).await.unwrap();
                tokio::task::yield_now().await;
            }
            (there, String::from_utf8(asked).unwrap())
        });
        let result = tunnel(Stream::Tcp(stream), proxy, &origin()).await;
        let (there, asked) = there.await.unwrap();
        // Kept until here, or its end could be seen first.
        drop(there);
        (result, asked)
    }

    #[tokio::test]
    async fn a_proxy_is_asked_for_host_and_port_and_told_who_we_are() {
        let (result, asked) = asked_with(None).await;
        assert!(result.is_ok());
        assert_eq!(asked, "CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\n\r\n");
        let (_, asked) = asked_with(Some("Basic dTpw")).await;
        assert_eq!(asked, "CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\nProxy-Authorization: Basic dTpw\r\n\r\n");
    }

    async fn asked_with(authorization: Option<&str>) -> (Result<Stream, Failed>, String) {
        asked(&proxy(authorization), vec![b"HTTP/1.1 200 OK\r\n\r\n".to_vec()]).await
    }

    #[tokio::test]
    async fn what_comes_behind_the_answer_is_the_tunnels() {
        const PIECES: [&[&[u8]]; 3] = [
            &[b"HTTP/1.1 200 OK\r\n\r\nhello"],
            &[b"HTTP/1.1 100 Wait\r\n\r\nHTTP/1.0 20", b"0 OK\r\nContent-Length: 9\r\n\r\nhel", b"lo"],
            &[b"HTTP/1.1 299 Fine\r\nX: y\r\n\r\n", b"hello"],
        ];
        for pieces in PIECES {
            let owned = pieces.iter().map(|piece| piece.to_vec()).collect();
            let (result, _) = asked(&proxy(None), owned).await;
            let mut stream = result.unwrap();
            let mut bytes = Vec::new();
            stream.read_to_end(&mut bytes).await.unwrap();
            assert_eq!(bytes, b"hello", "{pieces:?}");
        }
    }

    #[tokio::test]
    async fn bytes_that_came_too_early_are_seen_on_an_idle_connection() {
        let (result, _) = asked(&proxy(None), vec![b"HTTP/1.1 200 OK\r\n\r\nhello".to_vec()]).await;
        let mut stream = result.unwrap();
        assert!(stream.has_news() && stream.is_spoiled());
    }

    #[tokio::test]
    async fn any_status_but_success_is_a_refusal_with_its_meaning() {
        for (status, authorization, said) in [
            ("407", None, "with 407: it wants a user and password"),
            ("407", Some("Basic dTpw"), "with 407: it does not accept the user and password"),
            ("403", None, "with 403: it does not allow this server or port"),
            ("503", None, "with 503: it could not reach the server"),
            ("302", None, "with 302"),
            ("101", None, "with 101"),
        ] {
            let answer = format!("HTTP/1.1 {status} No\r\n\r\n").into_bytes();
            let (result, _) = asked(&proxy(authorization), vec![answer]).await;
            let (fault, words) = result.unwrap_err();
            assert_eq!(fault, Fault::Proxy);
            assert!(words.starts_with("it answered CONNECT [::1]:443 ") && words.contains(said), "{words}");
        }
    }
}
