//! Hooks as Flagger calls them, and what it concludes from their answers.
//!
//! 200, 201 and 202 are a success. What Flagger's client tries again (429, 500 and above but for 501, no answer at all)
//! loses its text; any other answer's text is the error. Redirects are followed. Unlike Go's client, compression is not
//! asked for, and each connection is closed after its answer.

use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use httpdate::parse_http_date;

use crate::fetch::{Asked, Fetched, fetch};
use crate::flagger::{Hook, Payload};
use crate::plan::{Hosts, Plan};
use crate::spec::{Id, SpecBuilder};
use crate::stats::Fault;

/// The wait before the first further attempt; each one after it is twice as long.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The longest wait that is not asked for by the hook itself.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// Redirects that Go's client follows.
const REDIRECTS: &str = "10";
/// The greatest status that is a success.
const LAST_SUCCESS: u16 = 202;

/// Calls hooks.
#[derive(Clone, Debug)]
pub struct Caller {
    hosts: Arc<Hosts>,
    /// Waits between attempts are divided by this.
    speed: f64,
}

/// What came of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The last attempt's status; `None` without an answer.
    pub status: Option<u16>,
    /// The last attempt's text, which Flagger may not have read.
    pub body: String,
    /// Attempts made.
    pub attempts: u32,
    /// What Flagger shows of a failure; `None` for a success.
    pub error: Option<String>,
    /// How long all of it took.
    pub took: Duration,
}

impl Caller {
    /// One that knows these names, and waits between attempts as long as Flagger does, divided by `speed`.
    #[must_use]
    pub fn new(hosts: Hosts, speed: f64) -> Self {
        Self { hosts: Arc::new(hosts), speed: speed.max(1.0) }
    }

    /// Calls a hook, again where Flagger does. Must run where tasks need not be sent to other threads.
    pub async fn call(&self, hook: &Hook, payload: &Payload) -> Said {
        let mut said = Said { status: None, body: String::new(), attempts: 0, error: None, took: Duration::ZERO };
        let Some(timeout) = hook.timeout else {
            said.error = Some("time: invalid duration".to_owned());
            return said;
        };
        let shown = shown(&hook.url);
        let plan = match request(hook, payload, timeout) {
            Ok(plan) => plan,
            Err(why) => {
                said.attempts = 1;
                said.error = Some(format!("POST {shown} giving up after 1 attempt(s): Post \"{shown}\": {why}"));
                return said;
            }
        };
        loop {
            let asked = Asked { plan: &plan, connect: None, fenced: false, hosts: &self.hosts };
            let fetched = fetch(asked).await;
            said.attempts += 1;
            said.took += fetched.took;
            said.status = fetched.status();
            said.body = String::from_utf8_lossy(&fetched.body).into_owned();
            let conclusion = conclude(&fetched, &said.body, &hook.url);
            let Conclusion::Again(why) = conclusion else {
                said.error = conclusion.error(&shown);
                return said;
            };
            if said.attempts > hook.retries {
                let why = why.map_or_else(String::new, |why| format!(": Post \"{shown}\": {why}"));
                said.error = Some(format!("POST {shown} giving up after {} attempt(s){why}", said.attempts));
                return said;
            }
            let wait = wait(&fetched, said.attempts - 1).div_f64(self.speed);
            said.took += wait;
            tokio::time::sleep(wait).await;
        }
    }
}

/// The request that Go's client sends.
fn request(hook: &Hook, payload: &Payload, timeout: Duration) -> Result<Plan, String> {
    let scheme = hook.url.split_once("://").map_or("", |(scheme, _)| scheme);
    if !matches!(scheme, "http" | "https") {
        return Err(format!("unsupported protocol scheme \"{scheme}\""));
    }
    let mut wishes = SpecBuilder::new();
    // Double braces mean nothing here.
    wishes.verbatim();
    wishes.give(Id::Url, hook.url.as_str());
    wishes.give(Id::Method, "POST");
    wishes.give(Id::Body, payload.json());
    wishes.give(Id::Redirects, REDIRECTS);
    if hook.disable_tls {
        wishes.give(Id::Insecure, "");
    }
    let none = |_: &std::path::Path| Err(io::Error::other("a hook reads no file"));
    let mut plan = wishes.build(&none).map_err(|mistakes| mistakes.to_string().replace('\n', "; "))?.plan;
    plan.timeout = Some(timeout);
    for target in &mut plan.targets {
        let headers = [("User-Agent", "Go-http-client/1.1"), ("Content-Type", "application/json")];
        target.request.headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    }
    Ok(plan)
}

/// What one attempt means.
#[derive(Debug, PartialEq, Eq)]
enum Conclusion {
    Success,
    /// The answer's text is the error.
    Failure(String),
    /// No answer that another attempt could change; why.
    Never(String),
    /// Another attempt may do better; why, unless an answer said so.
    Again(Option<String>),
}

impl Conclusion {
    fn error(self, url: &str) -> Option<String> {
        match self {
            Self::Success => None,
            Self::Failure(text) => Some(text),
            Self::Never(why) => Some(format!("POST {url} giving up after 1 attempt(s): Post \"{url}\": {why}")),
            Self::Again(_) => None,
        }
    }
}

fn conclude(fetched: &Fetched, body: &str, url: &str) -> Conclusion {
    let cut = |why: &str| Conclusion::Failure(format!("error reading body: {why}"));
    match (fetched.outcome.fault, fetched.status()) {
        (None, Some(429) | Some(500) | Some(502..)) => Conclusion::Again(None),
        (None, Some(..=LAST_SUCCESS)) => Conclusion::Success,
        (None, Some(_)) => Conclusion::Failure(body.to_owned()),
        // The head had come: what follows is not tried again, whatever the status.
        (Some(Fault::Timeout), Some(_)) => {
            cut("context deadline exceeded (Client.Timeout or context cancellation while reading body)")
        }
        (Some(Fault::Truncated | Fault::Reset), Some(_)) => cut("unexpected EOF"),
        (Some(Fault::Timeout), None) => {
            again("context deadline exceeded (Client.Timeout exceeded while awaiting headers)")
        }
        (Some(Fault::Expect), _) => Conclusion::Never("stopped after 10 redirects".to_owned()),
        (Some(Fault::Tls), _) => Conclusion::Never(words(fetched, "tls: handshake failure")),
        (Some(Fault::Dns), _) => again(&format!("dial tcp: lookup {}: no such host", host(url))),
        (Some(Fault::Refused), _) => again(&refused(fetched)),
        (Some(Fault::Malformed), _) => again("net/http: HTTP/1.x transport connection broken: malformed HTTP response"),
        (None, None) | (Some(_), _) => again("EOF"),
    }
}

/// Which address refused, in Go's words.
fn refused(fetched: &Fetched) -> String {
    let address = fetched.words.as_ref().and_then(|words| words.split_once(": ")).map_or("", |(address, _)| address);
    format!("dial tcp {address}: connect: connection refused")
}

fn again(why: &str) -> Conclusion {
    Conclusion::Again(Some(why.to_owned()))
}

/// What the system said, or else the usual.
fn words(fetched: &Fetched, usual: &str) -> String {
    fetched.words.clone().unwrap_or_else(|| usual.to_owned())
}

/// The wait before attempt `attempt` + 2: what the answer asks for, or else twice as long each time.
fn wait(fetched: &Fetched, attempt: u32) -> Duration {
    let asked = matches!(fetched.status(), Some(429 | 503)).then(|| retry_after(&fetched.head_text())).flatten();
    asked.unwrap_or_else(|| FIRST_WAIT.saturating_mul(1 << attempt.min(5)).min(LONGEST_WAIT))
}

/// `Retry-After` of the last head, in seconds or as a date.
fn retry_after(heads: &str) -> Option<Duration> {
    let value = heads.lines().rev().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("retry-after").then(|| value.trim())
    })?;
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = parse_http_date(value).ok()?;
    Some(date.duration_since(SystemTime::now()).unwrap_or_default())
}

fn host(url: &str) -> String {
    url::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default()
}

/// The URL as Go shows it: without its password.
fn shown(text: &str) -> String {
    match url::Url::parse(text) {
        Ok(mut url) if url.password().is_some() => {
            // A URL with a password has a host, and so takes another one.
            let _ = url.set_password(Some("xxxxx"));
            url.to_string()
        }
        _ => text.to_owned(),
    }
}
