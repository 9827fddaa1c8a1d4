//! grpc_health_probe's command line: one question to gRPC's health service.

use std::io;
use std::path::Path;
use std::time::Duration;

use prost::Message as _;

use super::address::server_name;
use super::goflag::{self, Flag, FlagError, Takes, Value, plain};
use super::line::LineError;
use super::{GoDuration, Id, SpecBuilder};
use crate::plan::{Host, Plan};
use crate::proto::{CHECK, CheckRequest};

/// All flags that it knows.
const FLAGS: [Flag; 15] = [
    Flag { name: "addr", takes: Takes::Text },
    Flag { name: "service", takes: Takes::Text },
    Flag { name: "user-agent", takes: Takes::Text },
    Flag { name: "connect-timeout", takes: Takes::Duration },
    Flag { name: "rpc-timeout", takes: Takes::Duration },
    Flag { name: "rpc-header", takes: Takes::Text },
    Flag { name: "tls", takes: Takes::Switch },
    Flag { name: "tls-no-verify", takes: Takes::Switch },
    Flag { name: "tls-ca-cert", takes: Takes::Text },
    Flag { name: "tls-client-cert", takes: Takes::Text },
    Flag { name: "tls-client-key", takes: Takes::Text },
    Flag { name: "tls-server-name", takes: Takes::Text },
    Flag { name: "v", takes: Takes::Switch },
    Flag { name: "version", takes: Takes::Switch },
    Flag { name: "gzip", takes: Takes::Switch },
];

/// What is printed with every message about flags.
pub const USAGE: &str = "\
Usage of grpc_health_probe:
  -addr HOST:PORT            whom to ask
  -service NAME              which service; default is the server as a whole
  -connect-timeout DURATION  longest wait for a connection; default is 1s
  -rpc-timeout DURATION      longest wait for the answer; default is 1s
  -rpc-header 'NAME: VALUE'  a header; may be repeated
  -user-agent NAME
  -tls, -tls-no-verify, -tls-ca-cert FILE, -tls-client-cert FILE, -tls-client-key FILE, -tls-server-name NAME
  -gzip                      send the question compressed, and take the answer so
  -v                         say more
Exit codes: 0 serving · 1 arguments · 2 no connection · 3 no answer · 4 not serving
";

/// One question.
#[derive(Clone, Debug, PartialEq)]
pub struct Probe {
    /// The call; its time limit is that of the answer.
    pub plan: Plan,
    /// Longest wait for a connection.
    pub connect: Duration,
    /// The service asked about; empty for the server as a whole.
    pub service: String,
    /// The address as it was given.
    pub addr: String,
}

/// Why nothing is asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A flag that cannot be read, or `-help`.
    #[error(transparent)]
    Flag(#[from] FlagError),
    /// `-version`.
    #[error("version requested")]
    Version,
    /// What is wrong; may be several lines.
    #[error("{0}")]
    Check(String),
}

/// The words of a line in a hook, for which no file is read.
pub(super) fn for_line(words: &[String]) -> Result<Probe, LineError> {
    let none = |_: &Path| Err(io::Error::other("no file is read for a line"));
    read(words, &none).map_err(|refusal| LineError::Probe(refusal.to_string().replace('\n', "; ")))
}

/// Reads the words after `grpc_health_probe`. `read` returns the content of a certificate's file.
///
/// # Errors
/// The first flag that cannot be read, in Go's words; else all that is wrong.
pub fn read(words: &[String], read: &dyn Fn(&Path) -> io::Result<Vec<u8>>) -> Result<Probe, Refusal> {
    let (given, rest) = goflag::parse(&FLAGS, words)?;
    if let Some(word) = rest.first() {
        let word: String = plain(word).chars().take(60).collect();
        return Err(Refusal::Check(format!("got '{word}', expected flags and nothing else; -addr says whom to ask")));
    }
    let mut asked = Asked::default();
    given.into_iter().for_each(|(name, value)| asked.set(name, value));
    asked.probe(read)
}

/// The flags as given, the rest at their defaults.
struct Asked {
    addr: String,
    service: String,
    headers: Vec<String>,
    connect: GoDuration,
    answer: GoDuration,
    agent: String,
    tls: bool,
    trusting: bool,
    files: Vec<(Id, String)>,
    server: String,
    version: bool,
    gzip: bool,
}

impl Default for Asked {
    fn default() -> Self {
        let (text, second) = (String::new, GoDuration::from_nanos(1_000_000_000));
        Self {
            addr: text(),
            service: text(),
            headers: Vec::new(),
            connect: second,
            answer: second,
            agent: "grpc_health_probe".to_owned(),
            tls: false,
            trusting: false,
            files: Vec::new(),
            server: text(),
            version: false,
            gzip: false,
        }
    }
}

impl Asked {
    fn set(&mut self, name: &str, value: Value) {
        match (name, value) {
            ("connect-timeout", Value::Duration(time)) => self.connect = time,
            (_, Value::Duration(time)) => self.answer = time,
            ("tls", Value::Switch(on)) => self.tls = on,
            ("tls-no-verify", Value::Switch(on)) => self.trusting = on,
            ("version", Value::Switch(on)) => self.version = on,
            ("gzip", Value::Switch(on)) => self.gzip = on,
            ("addr", Value::Text(text)) => self.addr = text,
            ("service", Value::Text(text)) => self.service = text,
            ("user-agent", Value::Text(text)) => self.agent = text,
            ("rpc-header", Value::Text(text)) => self.headers.push(text),
            ("tls-server-name", Value::Text(text)) => self.server = text,
            ("tls-ca-cert", Value::Text(text)) => self.files.push((Id::Cacert, text)),
            ("tls-client-cert", Value::Text(text)) => self.files.push((Id::Cert, text)),
            ("tls-client-key", Value::Text(text)) => self.files.push((Id::CertKey, text)),
            // -v, and what the table has no such kind of.
            _ => {}
        }
    }

    fn probe(self, read: &dyn Fn(&Path) -> io::Result<Vec<u8>>) -> Result<Probe, Refusal> {
        let of_tls = self.trusting || !self.files.is_empty() || !self.server.is_empty();
        let too_short = |time: GoDuration| time.as_nanos() <= 0;
        let wrong = match () {
            () if self.version => return Err(Refusal::Version),
            () if self.addr.is_empty() => Some("-addr not specified: expected HOST:PORT"),
            () if too_short(self.connect) => Some("-connect-timeout must be greater than zero"),
            () if too_short(self.answer) => Some("-rpc-timeout must be greater than zero"),
            () if of_tls && !self.tls => Some("-tls-… without -tls: give -tls too"),
            () if self.addr.contains('/') => Some("-addr: expected HOST:PORT, without a scheme and a path"),
            () => None,
        };
        if let Some(wrong) = wrong {
            return Err(Refusal::Check(wrong.to_owned()));
        }
        let mut wishes = SpecBuilder::new();
        wishes.verbatim();
        wishes.give(Id::Url, format!("{}://{}{CHECK}", if self.tls { "https" } else { "http" }, self.addr));
        wishes.give(Id::Protocol, "grpc");
        wishes.give(Id::Timeout, self.answer.to_string());
        wishes.give(Id::UserAgent, self.agent);
        if self.trusting {
            wishes.give(Id::Insecure, "");
        }
        if self.gzip {
            wishes.give(Id::Gzip, "");
        }
        self.headers.into_iter().for_each(|header| wishes.give(Id::Headers, header));
        self.files.into_iter().for_each(|(id, file)| wishes.give(id, file));
        let mut plan = wishes.build(read).map_err(|mistakes| Refusal::Check(mistakes.to_string()))?.plan;
        plan.tls.server = named(&self.server)?;
        plan.targets[0].request.body = CheckRequest { service: self.service.clone() }.encode_to_vec().into();
        let connect = self.connect.to_std().unwrap_or_default();
        Ok(Probe { plan, connect, service: self.service, addr: self.addr })
    }
}

fn named(server: &str) -> Result<Option<Host>, Refusal> {
    if server.is_empty() {
        return Ok(None);
    }
    let wrong = || Refusal::Check("-tls-server-name: expected a host name".to_owned());
    server_name(server).map(Some).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Trust;

    fn probe(line: &str) -> Result<Probe, String> {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        read(&words, &|_| Err(io::Error::other("no file"))).map_err(|refusal| refusal.to_string())
    }

    #[test]
    fn a_probe_is_a_health_check_with_two_time_limits() {
        let probe = probe("-connect-timeout=1500ms -addr=podinfo-canary:9999").unwrap();
        let target = &probe.plan.targets[0];
        assert_eq!(target.url, "http://podinfo-canary:9999/grpc.health.v1.Health/Check");
        assert_eq!((&*target.request.body, target.request.header("user-agent")), (&[][..], Some("grpc_health_probe")));
        assert_eq!((probe.connect, probe.plan.timeout), (Duration::from_millis(1_500), Some(Duration::from_secs(1))));
    }

    #[test]
    fn a_probe_may_name_a_service_headers_and_tls() {
        let line = "--addr 10.0.0.7:443 -service a.B -rpc-timeout 3s -rpc-header x-a:1 -tls -tls-no-verify \
                    -tls-server-name podinfo.test -gzip -v";
        let probe = probe(line).unwrap();
        let target = &probe.plan.targets[0];
        assert!(target.origin.secure && probe.plan.tls.trust == Trust::Anyone && target.call.gzip);
        assert_eq!(probe.plan.tls.server, Some(Host::Name("podinfo.test".to_owned())));
        assert_eq!((&*target.request.body, target.request.header("x-a")), (&b"\x0a\x03a.B"[..], Some("1")));
        assert_eq!((probe.plan.timeout, probe.service.as_str()), (Some(Duration::from_secs(3)), "a.B"));
    }

    #[test]
    fn what_cannot_be_asked_is_refused() {
        for (line, said) in [
            ("-connect-timeout=1s", "-addr not specified: expected HOST:PORT"),
            ("-addr=a:1 -x", "flag provided but not defined: -x"),
            ("-addr=a:1 b", "got 'b', expected flags and nothing else; -addr says whom to ask"),
            ("-addr=http://a:1", "-addr: expected HOST:PORT, without a scheme and a path"),
            ("-addr=a:1 -connect-timeout=0", "-connect-timeout must be greater than zero"),
            ("-addr=a:1 -rpc-timeout=-1s", "-rpc-timeout must be greater than zero"),
            ("-addr=a:1 -tls-no-verify", "-tls-… without -tls: give -tls too"),
            ("-addr=a:1 -alts", "flag provided but not defined: -alts"),
            ("-addr=a:1 -spiffe", "flag provided but not defined: -spiffe"),
            ("-version", "version requested"),
        ] {
            assert_eq!(probe(line).unwrap_err(), said, "{line}");
        }
        let file = probe("-addr=a:1 -tls -tls-ca-cert ca.pem").unwrap_err();
        assert!(file.contains("--cacert") && file.contains("no file"), "{file}");
    }
}
