//! What a handler is given: a caller's address, a hook whose canary is ours, a token that fits.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::BoxError;
use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Request};
use http::header;
use http::request::Parts;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use subtle::ConstantTimeEq as _;

use super::App;
use super::payload::{MOST_BYTES, Payload};
use super::reply::{Reply, Status};
use crate::pem::token;

/// Bytes that a hook stays below: the largest in the wild have some thousand.
const USUAL_BYTES: usize = 64 << 10;

/// Larger bodies that are read at once. A thousand callers may send a MiB each, and the service has little memory.
pub(super) const MOST_LARGE: usize = 8;

/// Who is at the other end of the connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) SocketAddr);

/// A hook of a canary that this service may speak about.
#[derive(Debug)]
pub(super) struct Hook {
    pub(super) payload: Payload,
    pub(super) peer: Peer,
}

impl FromRequest<Arc<App>> for Hook {
    type Rejection = Reply;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Reply> {
        let (mut parts, body) = request.into_parts();
        let peer = Peer::from_request_parts(&mut parts, app).await?;
        let body = bytes(app, body).await?;
        let payload = Payload::read(&body).map_err(|e| Reply::new(Status::BadInput, &e.to_string()))?;
        if !app.is_ours(&payload.canary) {
            return Err(Reply::new(Status::Forbidden, "Forbidden"));
        }
        // Every hook says where its canary's analysis is: before and after one, its run is over.
        app.runs.saw(&payload.canary, payload.phase, false);
        Ok(Self { payload, peer })
    }
}

impl FromRequestParts<Arc<App>> for Peer {
    type Rejection = Reply;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Reply> {
        let peer = parts.extensions.get::<Self>().copied();
        peer.ok_or_else(|| Reply::new(Status::Trouble, "the caller's address is not known"))
    }
}

/// All of a body, within its limits of size and time.
pub(super) async fn bytes(app: &App, body: Body) -> Result<Vec<u8>, Reply> {
    let limited = Limited::new(body, MOST_BYTES);
    match tokio::time::timeout(app.patience, read(app, limited)).await {
        Err(_) => Err(Reply::new(Status::TooSlow, &format!("the body did not come within {:?}", app.patience))),
        Ok(Ok(body)) => Ok(body),
        Ok(Err(error)) if error.downcast_ref::<LengthLimitError>().is_some() => {
            Err(Reply::new(Status::TooLarge, &format!("the body is larger than {MOST_BYTES} bytes")))
        }
        Ok(Err(error)) => Err(Reply::new(Status::BadInput, &format!("the body cannot be read: {error}"))),
    }
}

/// Reads a body to its end. What grows beyond a hook's usual size takes a place of few, and waits for one.
async fn read(app: &App, mut body: Limited<Body>) -> Result<Vec<u8>, BoxError> {
    let (mut all, mut place) = (Vec::new(), None);
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        if place.is_none() && all.len() + data.len() > USUAL_BYTES {
            place = Some(app.large.acquire().await?);
        }
        all.extend_from_slice(&data);
    }
    Ok(all)
}

/// A caller who has shown the token, where one is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trusted;

impl FromRequestParts<Arc<App>> for Trusted {
    type Rejection = Reply;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Reply> {
        let Some(path) = &app.token_file else { return Ok(Self) };
        // Read anew each time, so that a token that was exchanged counts at once.
        let token = token(path).map_err(|why| {
            tracing::error!(file = %path.display(), %why, "the token cannot be read");
            Reply::new(Status::Trouble, "the token file cannot be read")
        })?;
        let given = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let given = given.and_then(|value| value.split_once(' '));
        let given = given.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
        if given.is_some_and(|given| given.as_bytes().ct_eq(token.as_bytes()).into()) {
            return Ok(Self);
        }
        let why = "this needs the header Authorization: Bearer TOKEN, with the token of --token-file";
        Err(Reply::new(Status::NoToken, why))
    }
}
