//! hey's flags: names, defaults, what each one asks for, and hey's own checks of them.

use super::Refusal;
use crate::spec::goflag::{self, Flag, Takes, Value, plain};
use crate::spec::{GoDuration, Id, SpecBuilder};

/// A worker cannot keep a higher rate than this, so that is as good as none; hey stands still.
const MOST_PER_WORKER: f64 = 1e6;
/// Nor can all of them together.
const MOST_TOGETHER: f64 = 1e7;
/// What is left of a rate that is finer than a millionth per second.
const LEAST: &str = "0.000001";
/// Redirects that Go's client follows.
const REDIRECTS: &str = "10";
/// Most lanes that one HTTP/2 connection may be asked to carry.
const MOST_STREAMS: i64 = 1_000;
/// Most threads.
const MOST_THREADS: i64 = 1_024;

/// All flags that hey knows.
const FLAGS: [Flag; 22] = [
    Flag { name: "n", takes: Takes::Int },
    Flag { name: "c", takes: Takes::Int },
    Flag { name: "q", takes: Takes::Float },
    Flag { name: "z", takes: Takes::Duration },
    Flag { name: "o", takes: Takes::Text },
    Flag { name: "m", takes: Takes::Text },
    Flag { name: "H", takes: Takes::Text },
    Flag { name: "h", takes: Takes::Text },
    Flag { name: "t", takes: Takes::Int },
    Flag { name: "A", takes: Takes::Text },
    Flag { name: "T", takes: Takes::Text },
    Flag { name: "U", takes: Takes::Text },
    Flag { name: "d", takes: Takes::Text },
    Flag { name: "D", takes: Takes::Text },
    Flag { name: "a", takes: Takes::Text },
    Flag { name: "x", takes: Takes::Text },
    Flag { name: "h2", takes: Takes::Switch },
    Flag { name: "host", takes: Takes::Text },
    Flag { name: "disable-compression", takes: Takes::Switch },
    Flag { name: "disable-keepalive", takes: Takes::Switch },
    Flag { name: "disable-redirects", takes: Takes::Switch },
    Flag { name: "cpus", takes: Takes::Int },
];

/// What is printed with every message, and for `-help`.
pub const USAGE: &str = "\
Usage: hey [options...] <url>

Options:
  -n  Requests, over all workers; not fewer than -c. Default is 200.
  -c  Workers, each with one request in flight. Default is 50.
  -q  Most requests per second of each worker. Default is no limit.
  -z  How long to send, such as 10s or 3m; -n has no effect then.
  -o  Form of the output: csv prints a line for each request. Default is a summary.

  -m  HTTP method. Default is GET.
  -H  A header, 'Name: value'; may be repeated, and the last of a name counts.
  -t  Longest wait for an answer, in seconds; 0 waits for ever. Default is 20.
  -A  Accept header.
  -d  Body of each request.
  -D  File with the body of each request.
  -T  Content-Type header. Default is text/html.
  -U  User-Agent header, followed by hey's own name.
  -a  User and password for basic authentication, user:password.
  -x  HTTP proxy, host:port or a URL.
  -h2 HTTP/2, for https URLs.

  -host                 Host header.
  -disable-compression  Do not ask for gzip.
  -disable-keepalive    A new connection for every request.
  -disable-redirects    Take a redirect as the answer.
  -cpus                 Threads that send. Default is one for each CPU.

This is tollgate in the place of hey: docs/migrating.md says what differs.
";

/// The flags as given, the rest at hey's defaults.
#[derive(Clone, Debug)]
pub(super) struct Given {
    n: i64,
    c: i64,
    q: f64,
    z: GoDuration,
    pub(super) output: String,
    method: String,
    pub(super) headers: Vec<String>,
    old_headers: String,
    t: i64,
    pub(super) accept: String,
    pub(super) content_type: String,
    pub(super) user_agent: String,
    body: String,
    pub(super) body_file: String,
    pub(super) auth: String,
    proxy: String,
    http2: bool,
    pub(super) host: String,
    pub(super) disable_compression: bool,
    disable_keepalive: bool,
    disable_redirects: bool,
    cpus: i64,
    url: String,
}

impl Given {
    fn defaults() -> Self {
        let text = String::new;
        Self {
            n: 200,
            c: 50,
            q: 0.0,
            z: GoDuration::default(),
            output: text(),
            method: text(),
            headers: Vec::new(),
            old_headers: text(),
            t: 20,
            accept: text(),
            content_type: "text/html".to_owned(),
            user_agent: text(),
            body: text(),
            body_file: text(),
            auth: text(),
            proxy: text(),
            http2: false,
            host: text(),
            disable_compression: false,
            disable_keepalive: false,
            disable_redirects: false,
            cpus: 0,
            url: text(),
        }
    }

    /// Reads the words after `hey`: flags, the URL, and flags again, which hey would drop without a word.
    pub(super) fn read(words: &[String]) -> Result<Self, Refusal> {
        let mut given = Self::defaults();
        let mut rest = given.take(words)?;
        let Some((url, after)) = rest.split_first() else { return Err(Refusal::Check(String::new())) };
        given.url.clone_from(url);
        rest = given.take(after)?;
        match rest.first() {
            None => Ok(given),
            Some(stray) => {
                let stray: String = plain(stray).chars().take(60).collect();
                let advice = "put a value that contains blanks in quotes, and a value right after its flag";
                Err(Refusal::Check(format!("got '{stray}' beside the URL, expected one URL; {advice}")))
            }
        }
    }

    fn take<'w>(&mut self, words: &'w [String]) -> Result<&'w [String], Refusal> {
        let (given, rest) = goflag::parse(&FLAGS, words).map_err(Refusal::Flag)?;
        given.into_iter().for_each(|(name, value)| self.set(name, value));
        Ok(rest)
    }

    fn set(&mut self, name: &str, value: Value) {
        match (name, value) {
            ("n", Value::Int(n)) => self.n = n,
            ("c", Value::Int(c)) => self.c = c,
            ("t", Value::Int(t)) => self.t = t,
            ("cpus", Value::Int(cpus)) => self.cpus = cpus,
            (_, Value::Int(_)) => {}
            (_, Value::Float(q)) => self.q = q,
            (_, Value::Duration(z)) => self.z = z,
            ("h2", Value::Switch(on)) => self.http2 = on,
            ("disable-compression", Value::Switch(on)) => self.disable_compression = on,
            ("disable-keepalive", Value::Switch(on)) => self.disable_keepalive = on,
            (_, Value::Switch(on)) => self.disable_redirects = on,
            ("H", Value::Text(header)) => self.headers.push(header),
            (name, Value::Text(text)) => {
                let field = match name {
                    "o" => &mut self.output,
                    "m" => &mut self.method,
                    "h" => &mut self.old_headers,
                    "A" => &mut self.accept,
                    "T" => &mut self.content_type,
                    "U" => &mut self.user_agent,
                    "d" => &mut self.body,
                    "D" => &mut self.body_file,
                    "a" => &mut self.auth,
                    "x" => &mut self.proxy,
                    _ => &mut self.host,
                };
                *field = text;
            }
        }
    }

    /// hey's own checks, in its order and its words.
    pub(super) fn check(&self) -> Result<(), Refusal> {
        let refuse = |said: &str| Err(Refusal::Check(said.to_owned()));
        match self.is_timed() {
            true if self.c < 1 => return refuse("-c cannot be smaller than 1."),
            false if self.n < 1 || self.c < 1 => return refuse("-n and -c cannot be smaller than 1."),
            false if self.n < self.c => return refuse("-n cannot be less than -c."),
            _ => {}
        }
        if !self.old_headers.is_empty() {
            return refuse("Flag '-h' is deprecated, please use '-H' instead.");
        }
        match self.output.as_str() {
            "" | "csv" => Ok(()),
            other => {
                let other: String = plain(other).chars().take(60).collect();
                refuse(&format!("-o: got '{other}', expected csv; templates of Go are not known"))
            }
        }
    }

    fn is_timed(&self) -> bool {
        self.z > GoDuration::default()
    }

    /// Whether the method is one whose answer has no body, so that nothing is compressed.
    pub(super) fn is_head(&self) -> bool {
        self.method.eq_ignore_ascii_case("HEAD")
    }

    /// Asks for all but the headers.
    pub(super) fn wish(&self, wishes: &mut SpecBuilder) {
        self.wish_for_pace(wishes);
        let secure = self.url.get(..8).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://"));
        let proxy = if self.proxy.contains("://") { self.proxy.clone() } else { format!("http://{}", self.proxy) };
        wishes.give(Id::Url, self.url.as_str());
        wishes.give(Id::Timeout, self.t.max(0).to_string());
        wishes.give(Id::Insecure, "");
        if self.body_file.is_empty() {
            wishes.give(Id::Body, self.body.as_str());
        } else {
            wishes.give(Id::BodyFile, self.body_file.as_str());
        }
        if secure && self.http2 {
            wishes.give(Id::Http2, "");
            wishes.give(Id::Streams, self.c.min(MOST_STREAMS).to_string());
        }
        for (wanted, id, value) in [
            (!self.method.is_empty(), Id::Method, self.method.as_str()),
            (!self.proxy.is_empty(), Id::Proxy, proxy.as_str()),
            (!self.host.is_empty(), Id::Host, self.host.as_str()),
            (!self.auth.is_empty(), Id::BasicAuth, self.auth.as_str()),
            (self.disable_keepalive, Id::DisableKeepalive, ""),
            (!self.disable_redirects, Id::Redirects, REDIRECTS),
            (self.cpus > 0, Id::Workers, self.cpus.min(MOST_THREADS).to_string().as_str()),
        ] {
            if wanted {
                wishes.give(id, value);
            }
        }
    }

    fn wish_for_pace(&self, wishes: &mut SpecBuilder) {
        wishes.give(Id::Connections, self.c.to_string());
        if self.is_timed() {
            wishes.give(Id::Duration, self.z.to_string());
        } else {
            wishes.give(Id::Requests, self.n.to_string());
        }
        // Not a number is no rate either.
        if self.q > 0.0 && self.q <= MOST_PER_WORKER && self.q * self.c as f64 <= MOST_TOGETHER {
            let rate = format!("{:.6}", self.q);
            let nothing = rate.bytes().all(|b| b"0.".contains(&b));
            wishes.give(Id::RatePerConnection, if nothing { LEAST.to_owned() } else { rate });
        }
    }
}
