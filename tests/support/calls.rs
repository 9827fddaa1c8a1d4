//! A gRPC server of a few lines, for answers that no well-behaved one gives.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use h2::server::SendResponse;
use http::{HeaderMap, Request, Response};

/// What a call is answered.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    /// The body, prefixes of messages included.
    pub(crate) body: Vec<u8>,
    /// Header fields besides the content type.
    pub(crate) fields: Vec<(&'static str, &'static str)>,
    /// The status in the trailers; `None` sends no trailers.
    pub(crate) status: Option<&'static str>,
    /// Whether the body comes again and again, without end.
    pub(crate) endless: bool,
}

impl Said {
    /// One message and OK.
    pub(crate) fn message(message: &[u8]) -> Self {
        Self { body: framed(message), fields: Vec::new(), status: Some("0"), endless: false }
    }
}

/// A message behind its prefix.
pub(crate) fn framed(message: &[u8]) -> Vec<u8> {
    [&[0], &(message.len() as u32).to_be_bytes()[..], message].concat()
}

/// A server for as long as the test's process runs.
pub(crate) struct Calls {
    pub(crate) addr: SocketAddr,
}

impl Calls {
    /// Starts one; `answer` gets the path and the request's body.
    pub(crate) fn start(answer: impl Fn(&str, &[u8]) -> Said + Send + Sync + 'static) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        listener.set_nonblocking(true).unwrap();
        let answer = Arc::new(answer);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(serve(listener, answer));
        });
        Self { addr }
    }

    /// The address with a path, which begins with a slash.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }
}

async fn serve<A: Fn(&str, &[u8]) -> Said + Send + Sync + 'static>(listener: std::net::TcpListener, answer: Arc<A>) {
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(connection(stream, Arc::clone(&answer)));
    }
}

async fn connection<A>(stream: tokio::net::TcpStream, answer: Arc<A>)
where
    A: Fn(&str, &[u8]) -> Said + Send + Sync + 'static,
{
    let Ok(mut connection) = h2::server::handshake(stream).await else { return };
    while let Some(Ok((request, reply))) = connection.accept().await {
        tokio::spawn(one(Arc::clone(&answer), request, reply));
    }
}

async fn one<A: Fn(&str, &[u8]) -> Said>(
    answer: Arc<A>,
    request: Request<h2::RecvStream>,
    mut reply: SendResponse<Bytes>,
) -> Option<()> {
    let (head, mut body) = request.into_parts();
    let mut asked = Vec::new();
    while let Some(piece) = body.data().await {
        let piece = piece.ok()?;
        body.flow_control().release_capacity(piece.len()).ok()?;
        asked.extend_from_slice(&piece);
    }
    let said = answer(head.uri.path(), &asked);
    let mut response = Response::builder().header("content-type", "application/grpc");
    for (name, value) in said.fields {
        response = response.header(name, value);
    }
    let mut stream = reply.send_response(response.body(()).unwrap(), false).ok()?;
    let body = Bytes::from(said.body);
    if said.endless {
        return again_and_again(stream, body).await;
    }
    stream.send_data(body, said.status.is_none()).ok()?;
    if let Some(status) = said.status {
        let trailers = HeaderMap::from_iter([("grpc-status".parse().unwrap(), status.parse().unwrap())]);
        stream.send_trailers(trailers).ok()?;
    }
    Some(())
}

/// Sends a body without end, as the client makes room for it.
async fn again_and_again(mut stream: h2::SendStream<Bytes>, body: Bytes) -> Option<()> {
    loop {
        stream.reserve_capacity(body.len());
        while stream.capacity() < body.len() {
            std::future::poll_fn(|cx| stream.poll_capacity(cx)).await?.ok()?;
        }
        stream.send_data(body.clone(), false).ok()?;
    }
}
