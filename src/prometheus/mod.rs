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
    /// The one at `http://HOST[:PORT][/PATH]` or `https://…`.
    ///
    /// # Errors
    /// The address is none.
    pub fn new(url: &str) -> Result<Self, OutboundError> {
        Client::new(url, &Trust::default(), None, LONGEST).map(Self)
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
