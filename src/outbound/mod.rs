//! Single questions to HTTP services, for everything but load: one connection, one request, one answer, within limits.
//!
//! The load's own client measures and never fails; this one does neither. It is for people's commands, and for those who are told of verdicts.

mod tls;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, Method, Request, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::Url;

use crate::pem::{PemError, token};

/// Bytes of an answer's body at most.
const MOST_BYTES: usize = 16 << 20;

/// Whom to believe and what to show of ourselves, as PEM files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trust {
    /// Roots that are believed; `None` for those that are compiled in.
    pub cacert: Option<PathBuf>,
    /// Our certificate and its key; `None` for none.
    pub identity: Option<(PathBuf, PathBuf)>,
}

/// Somebody who can be asked.
#[derive(Debug)]
pub struct Client {
    base: Url,
    tls: Option<Arc<ClientConfig>>,
    token: Option<String>,
    /// Where the token stands, read for each question: who keeps it may replace it at any time.
    token_file: Option<PathBuf>,
    timeout: Duration,
}

/// What they said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body, as text.
    pub body: String,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    /// Not an address that can be asked.
    #[error("got '{0}', expected an address such as http://HOST:PORT")]
    Address(String),
    /// A certificate or key that cannot be used.
    #[error(transparent)]
    Certificate(#[from] PemError),
    /// No token to show.
    #[error("{0} was not asked, for want of its token: {1}")]
    Token(String, PemError),
    /// Nobody there, or they hung up.
    #[error("{0} cannot be reached: {1}")]
    Unreachable(String, String),
    /// Too slow.
    #[error("{0} gave no answer within {1:?}")]
    Timeout(String, Duration),
}

impl Client {
    /// Somebody at `http://HOST[:PORT]` or `https://…`; a path is the place below which paths are asked for.
    ///
    /// # Errors
    /// The address is none, or a certificate cannot be used.
    pub fn new(address: &str, trust: &Trust, token: Option<String>, timeout: Duration) -> Result<Self, OutboundError> {
        let odd = || OutboundError::Address(address.chars().filter(|c| !c.is_control()).take(60).collect());
        let base = Url::parse(address).map_err(|_| odd())?;
        let tls = match base.scheme() {
            "http" => None,
            "https" => Some(tls::configuration(trust)?),
            _ => return Err(odd()),
        };
        base.host_str().ok_or_else(odd)?;
        Ok(Self { base, tls, token, token_file: None, timeout })
    }

    /// The same, who shows the token that stands in a file at the time; `None` shows what it showed before.
    #[must_use]
    pub fn with_token_file(self, token_file: Option<PathBuf>) -> Self {
        Self { token_file, ..self }
    }

    /// Asks once. Redirects are not followed.
    ///
    /// # Errors
    /// There is no whole answer in time.
    pub async fn ask(&self, method: Method, path: &str, body: &str) -> Result<Answer, OutboundError> {
        let asked = tokio::time::timeout(self.timeout, self.exchange(method, path, body)).await;
        asked.unwrap_or_else(|_| Err(OutboundError::Timeout(self.host(), self.timeout)))
    }

    /// `host:port`.
    fn host(&self) -> String {
        format!(
            "{}:{}",
            self.base.host_str().unwrap_or_default(),
            self.base.port_or_known_default().unwrap_or_default()
        )
    }

    async fn exchange(&self, method: Method, path: &str, body: &str) -> Result<Answer, OutboundError> {
        let token = self.token()?;
        let host = self.base.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let port = self.base.port_or_known_default().unwrap_or_default();
        let stream = TcpStream::connect((host, port)).await.map_err(|e| self.unreachable(&e))?;
        let request = self.request(method, path, body, token.as_deref()).map_err(|e| self.unreachable(&e))?;
        match &self.tls {
            None => self.send(stream, request).await,
            Some(tls) => {
                let name = ServerName::try_from(host.to_owned()).map_err(|e| self.unreachable(&e))?;
                let tls = TlsConnector::from(Arc::clone(tls));
                self.send(tls.connect(name, stream).await.map_err(|e| self.unreachable(&e))?, request).await
            }
        }
    }

    fn unreachable(&self, why: &dyn std::fmt::Display) -> OutboundError {
        OutboundError::Unreachable(self.host(), why.to_string())
    }

    fn token(&self) -> Result<Option<String>, OutboundError> {
        let Some(file) = &self.token_file else { return Ok(self.token.clone()) };
        token(file).map(Some).map_err(|why| OutboundError::Token(self.host(), PemError::at(file, why)))
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        body: &str,
        token: Option<&str>,
    ) -> Result<Request<Full<Bytes>>, http::Error> {
        let query = self.base.query().filter(|_| path.is_empty()).map_or_else(String::new, |query| format!("?{query}"));
        let target = format!("{}{path}{query}", self.base.path().trim_end_matches('/'));
        let mut request =
            Request::builder().method(method).uri(if target.starts_with('/') { target } else { format!("/{target}") });
        let host = match self.base.port() {
            Some(port) => format!("{}:{port}", self.base.host_str().unwrap_or_default()),
            None => self.base.host_str().unwrap_or_default().to_owned(),
        };
        request = request.header(header::HOST, host).header(header::CONNECTION, "close");
        request = request.header(header::USER_AGENT, concat!("tollgate/", env!("CARGO_PKG_VERSION")));
        if !body.is_empty() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        if let Some(token) = token {
            let mut value = HeaderValue::try_from(format!("Bearer {token}"))?;
            value.set_sensitive(true);
            request = request.header(header::AUTHORIZATION, value);
        }
        request.body(Full::from(body.to_owned()))
    }

    async fn send<S>(&self, stream: S, request: Request<Full<Bytes>>) -> Result<Answer, OutboundError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let handshake = http1::handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = handshake.map_err(|e| self.unreachable(&e))?;
        let exchange = async {
            let response = sender.send_request(request).await.map_err(|e| self.unreachable(&e))?;
            let status = response.status().as_u16();
            let body = Limited::new(response.into_body(), MOST_BYTES).collect().await;
            let body = body.map_err(|e| self.unreachable(&e))?.to_bytes();
            Ok(Answer { status, body: String::from_utf8_lossy(&body).into_owned() })
        };
        // The connection moves only while it is polled; what ends it ends the exchange too.
        let mut exchange = std::pin::pin!(exchange);
        tokio::select! {
            answer = &mut exchange => return answer,
            _ = connection => {}
        }
        exchange.await
    }
}
