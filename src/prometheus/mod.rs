//! Numbers from a Prometheus, for the clauses that ask for them.
//!
//! One query comes to one number, or to the reason why there is none. No answer is ever a zero: a query that finds nothing,
//! a ratio without traffic and a server that cannot be reached are no evidence, and say so.
//!
//! * `reply`: what a Prometheus says. `answers`: who asks at the same time, or just after, asks once.

mod answers;
mod reply;

use std::fmt::Debug;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::time::Duration;

use http::Method;
use url::form_urlencoded::Serializer;

pub use answers::Answers;

use crate::outbound::{Client, OutboundError, Trust};
use crate::slo::{Answer, Query};

/// How long a question may take at the transport; whoever asks has a limit of their own.
const LONGEST: Duration = Duration::from_secs(30);

/// Somebody who answers queries.
pub trait Source: Debug + Send + Sync {
    /// Answers one, as of now.
    fn ask<'a>(&'a self, query: &'a Query) -> Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;
}

/// A Prometheus, or what speaks its HTTP interface.
#[derive(Debug)]
pub struct Prometheus(Client);

impl Prometheus {
    /// The one at `http://HOST[:PORT][/PATH]` or `https://…`. `cacert` has the authorities that are believed, those that are
    /// compiled in without it; `token_file` the token that is shown, read for each question.
    ///
    /// # Errors
    /// The address is none, or the authorities cannot be read.
    pub fn new(url: &str, cacert: Option<PathBuf>, token_file: Option<PathBuf>) -> Result<Self, OutboundError> {
        let trust = Trust { cacert, identity: None };
        Ok(Self(Client::new(url, &trust, None, LONGEST)?.with_token_file(token_file)))
    }
}

impl Source for Prometheus {
    fn ask<'a>(&'a self, query: &'a Query) -> Pin<Box<dyn Future<Output = Answer> + Send + 'a>> {
        let asked = Serializer::new(String::new()).append_pair("query", &query.0).finish();
        Box::pin(async move {
            match self.0.ask(Method::GET, &format!("/api/v1/query?{asked}"), "").await {
                Ok(said) => reply::number(said.status, &said.body),
                Err(error) => Err(format!("Prometheus at {error}")),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    /// Answers one question with 1, or with 401 where the token is not this one.
    async fn one(listener: &TcpListener, token: &str) {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
        let body = r#"{"status":"success","data":{"resultType":"scalar","result":[0,"1"]}}"#;
        let (status, body) = match head.contains(&format!("\r\nauthorization: bearer {token}\r\n")) {
            true => ("200 OK", body),
            false => ("401 Unauthorized", ""),
        };
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        stream.write_all(answer.as_bytes()).await.unwrap();
    }

    #[tokio::test]
    async fn the_token_is_read_anew_for_each_question() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        let prometheus = Prometheus::new(&url, None, Some(file.clone())).unwrap();
        let query = Query("up".to_owned());
        for (written, expected, holds) in
            [("first\n", "first", true), ("second", "second", true), ("third", "second", false)]
        {
            std::fs::write(&file, written).unwrap();
            let (answer, ()) = tokio::join!(prometheus.ask(&query), one(&listener, expected));
            assert_eq!(answer.is_ok(), holds, "{written}: {answer:?}");
        }
        std::fs::write(&file, " ").unwrap();
        let said = prometheus.ask(&query).await.unwrap_err();
        assert!(said.contains("was not asked, for want of its token: ") && said.ends_with("it is empty"), "{said}");
    }
}
