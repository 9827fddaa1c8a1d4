//! What a server says of its own services (gRPC server reflection): asked before a load, one question a call.

use std::collections::BTreeSet;

use prost::Message as _;
use prost_reflect::prost_types::FileDescriptorProto;

use super::{Conn, Grpc};
use crate::plan::Request;
use crate::proto::{Answer, Catalog, Question, REFLECTION, ReflectionRequest, ReflectionResponse, first_message};
use crate::stats::{Code, Fault, Ns, grpc_name};
use crate::wire::{Clock, Dialer, Head, Observe, Protocol as _, Shot};

/// Most files that a server may describe, and most bytes of one answer and of all.
const MOST_FILES: usize = 1_000;
const MOST_BYTES: usize = 8 << 20;
const MOST_BYTES_IN_ALL: usize = 16 << 20;
/// Most services that a message lists.
const MOST_LISTED: usize = 20;

const NOT_FOUND: i32 = 5;
const UNIMPLEMENTED: u8 = 12;
const UNAVAILABLE: u8 = 14;

/// Why nothing is known of a server's services.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreflected {
    /// It cannot be reached, or not now.
    #[error("{0}")]
    Unreached(String),
    /// It does not say, or does not have what is asked for.
    #[error("{0}")]
    Refused(String),
}

/// Asks a server for the service at `path` (`/PACKAGE.SERVICE/METHOD`) and all that its messages need. `like` is the request
/// of the load: the questions have its authority and its headers.
///
/// # Errors
/// Why nothing is known of it.
pub async fn reflect<C: Clock>(dialer: &Dialer, like: &Request, by: Ns, clock: &C) -> Result<Catalog, Unreflected> {
    let service = like.path.trim_start_matches('/').split('/').next().unwrap_or_default().to_owned();
    let protocol = Grpc::default();
    let mut asking = Asking { dialer, like, by, clock, protocol, conn: None, version: 0, left: MOST_BYTES_IN_ALL };
    let mut files = match asking.files(Question::Symbol(service.clone())).await? {
        Some(files) => files,
        None => return Err(Unreflected::Refused(asking.without(&service).await?)),
    };
    let mut names: BTreeSet<String> = files.iter().map(|file| file.name().to_owned()).collect();
    let mut next = 0;
    while let Some(file) = files.get(next) {
        let missing: Vec<String> = file.dependency.iter().filter(|name| !names.contains(*name)).cloned().collect();
        next += 1;
        for name in missing {
            if names.contains(&name) {
                continue;
            }
            let more = asking.files(Question::File(name.clone())).await?.unwrap_or_default();
            files.extend(more.into_iter().filter(|file| names.insert(file.name().to_owned())));
            if !names.insert(name) && files.len() <= MOST_FILES {
                continue;
            }
            let why = "the server does not describe all files that its services need, or too many".to_owned();
            return Err(Unreflected::Refused(why));
        }
    }
    Catalog::of_descriptors(files).map_err(|error| {
        Unreflected::Refused(format!("the server's description of {service} does not fit together: {error}"))
    })
}

/// Keeps an answer.
#[derive(Debug, Default)]
struct Keep(Vec<u8>);

impl Observe for Keep {
    fn head(&mut self, _: Head<'_>) {}

    fn chunk(&mut self, piece: &[u8]) {
        let room = MOST_BYTES - self.0.len();
        self.0.extend_from_slice(&piece[..piece.len().min(room)]);
    }

    fn verdict(&mut self) -> bool {
        true
    }
}

struct Asking<'a, C> {
    dialer: &'a Dialer,
    like: &'a Request,
    by: Ns,
    clock: &'a C,
    protocol: Grpc,
    conn: Option<Conn>,
    /// Which version of the protocol the server may have.
    version: usize,
    /// Bytes of answers that may still come.
    left: usize,
}

impl<C: Clock> Asking<'_, C> {
    /// The files that a question leads to; `None` where there is no such thing.
    async fn files(&mut self, question: Question) -> Result<Option<Vec<FileDescriptorProto>>, Unreflected> {
        match self.ask(question).await? {
            Some(Answer::Files(described)) => {
                let files = described.files.iter().map(|file| FileDescriptorProto::decode(&file[..]));
                let unreadable =
                    |_| Unreflected::Refused("the server's description of itself cannot be read".to_owned());
                files.collect::<Result<Vec<_>, _>>().map(Some).map_err(unreadable)
            }
            Some(Answer::Error(error)) if error.code != NOT_FOUND => {
                let said: String = error.message.chars().filter(|c| !c.is_control()).take(120).collect();
                let status = grpc_name(u8::try_from(error.code).unwrap_or(u8::MAX));
                Err(Unreflected::Refused(format!("asked about itself, the server answered {status}: {said}")))
            }
            _ => Ok(None),
        }
    }

    /// What there is in the place of a service that there is not.
    async fn without(&mut self, service: &str) -> Result<String, Unreflected> {
        let mut names: Vec<String> = match self.ask(Question::Services(String::new())).await? {
            Some(Answer::Services(listed)) => listed.services.into_iter().map(|service| service.name).collect(),
            _ => Vec::new(),
        };
        names.retain(|name| !REFLECTION.iter().any(|path| path.contains(&format!("/{name}/"))));
        names.truncate(MOST_LISTED);
        let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        Ok(format!("the server has no service {service}; it has {names}"))
    }

    async fn ask(&mut self, question: Question) -> Result<Option<Answer>, Unreflected> {
        loop {
            let message = ReflectionRequest { host: String::new(), question: Some(question.clone()) }.encode_to_vec();
            let path = REFLECTION[self.version].to_owned();
            let request = Request { path, body: message.into(), ..self.like.clone() };
            let prepared = self.protocol.prepare(self.dialer.origin(), &request);
            let mut conn = match self.conn.take().filter(|conn| !self.protocol.is_over(conn)) {
                Some(conn) => conn,
                None => self.dialled().await?,
            };
            let mut kept = Keep::default();
            let shot = Shot { index: 0, request: &prepared };
            let reply = self.protocol.exchange(&mut conn, shot, self.by, self.clock, &mut kept).await;
            self.conn = Some(conn);
            self.left = self.left.checked_sub(kept.0.len()).ok_or_else(|| {
                Unreflected::Refused("the server's description of itself is larger than 16 MiB".to_owned())
            })?;
            match (reply.outcome.code, reply.outcome.fault) {
                (Code::Grpc(0), None) => return understood(&kept.0),
                (Code::Grpc(UNIMPLEMENTED), None) if self.version + 1 < REFLECTION.len() => self.version += 1,
                (Code::Grpc(UNIMPLEMENTED), None) => {
                    let why = "the server does not say which services it has (no reflection)";
                    return Err(Unreflected::Refused(why.to_owned()));
                }
                (Code::Grpc(UNAVAILABLE), None) => {
                    return Err(Unreflected::Unreached("the server is unavailable".to_owned()));
                }
                (Code::Grpc(status), None) => {
                    let status = grpc_name(status);
                    return Err(Unreflected::Refused(format!("asked about itself, the server answered {status}")));
                }
                (_, fault) => return Err(self.unreached(fault)),
            }
        }
    }

    async fn dialled(&self) -> Result<Conn, Unreflected> {
        let dialled = self.protocol.dial(self.dialer, self.by, self.clock).await;
        dialled.result.map_err(|fault| self.unreached(Some(fault)))
    }

    fn unreached(&self, fault: Option<Fault>) -> Unreflected {
        let words = fault.map_or("the answer is not gRPC", Fault::in_words);
        Unreflected::Unreached(self.dialer.first_error().unwrap_or_else(|| words.to_owned()))
    }
}

/// The answer in the body of a call that succeeded.
fn understood(body: &[u8]) -> Result<Option<Answer>, Unreflected> {
    let response = first_message(body, MOST_BYTES).and_then(|message| ReflectionResponse::decode(&message[..]).ok());
    let unreadable = || Unreflected::Refused("the server's description of itself cannot be read".to_owned());
    response.map(|response| response.answer).ok_or_else(unreadable)
}
