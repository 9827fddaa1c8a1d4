//! curl's command line, as the same plan that flags and metadata become: one request, what of its answer is written, and
//! whether to try again.
//!
//! Flags that only change what curl says of its work mean nothing here. Flags that read or write files, or speak other
//! protocols, are refused by name.

mod flags;
mod written;

use std::time::Duration;

use flags::{Act, FLAGS, Switch, Value};
pub use written::Written;
use written::pieces;

use super::SpecBuilder;
use super::keys::Id;
use super::line::{LineError, shown};
use crate::plan::{Plan, Wire};

/// curl itself follows fifty; `redirects` allows no more than this.
const MOST_REDIRECTS: u32 = 20;

/// One request by curl.
#[derive(Clone, Debug, PartialEq)]
pub struct Curl {
    /// The request, as a plan with one target. Its time limit is `-m`; `None` for none.
    pub plan: Plan,
    /// How long opening the connection may take; `None` for as long as all of it.
    pub connect: Option<Duration>,
    /// Whether the head of the answer is written before its body (`-i`, `-I`).
    pub writes_head: bool,
    /// Whether the body is written; not with `-o /dev/null`.
    pub writes_body: bool,
    /// What is written after it (`-w`), in order.
    pub writes_after: Vec<Written>,
    /// How often it is tried again.
    pub retry: Retry,
}

/// When a request is tried again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retry {
    /// How often at most; 0 for never.
    pub times: u32,
    /// How long to wait before each; `None` for 1 s, then twice as long each time, up to ten minutes.
    pub delay: Option<Duration>,
    /// Whether a connection that nobody accepts counts as passing trouble.
    pub refused: bool,
    /// Whether everything does.
    pub all: bool,
}

impl Curl {
    /// Whether the status is written out by `-w`.
    #[must_use]
    pub fn writes_status(&self) -> bool {
        self.writes_after.contains(&Written::Status)
    }
}

/// Reads the words after curl.
///
/// # Errors
/// What is wrong with the first of them that is.
pub fn read(words: &[String]) -> Result<Curl, LineError> {
    let mut asked = Asked::default();
    asked.words(words).and_then(|()| asked.curl()).map_err(LineError::Curl)
}

/// What the words asked for.
#[derive(Debug, Default)]
struct Asked {
    wishes: SpecBuilder,
    urls: Vec<String>,
    method: Option<String>,
    data: Vec<String>,
    json: bool,
    content_type: bool,
    accept: bool,
    switches: Vec<Switch>,
    hidden: bool,
    after: Vec<Written>,
    limit: Option<Duration>,
    connect: Option<Duration>,
    redirects: Option<u32>,
    retry: Retry,
}

impl Asked {
    fn words(&mut self, words: &[String]) -> Result<(), String> {
        let mut words = words.iter();
        while let Some(word) = words.next() {
            if let Some(long) = word.strip_prefix("--").filter(|long| !long.is_empty()) {
                let act = FLAGS.iter().find(|(_, name, _)| *name == long).map(|(_, _, act)| *act);
                self.flag(act, word, || words.next().cloned())?;
            } else if let Some(letters) = word.strip_prefix('-').filter(|letters| !letters.is_empty() && word != "--") {
                for (at, letter) in letters.char_indices() {
                    let rest = &letters[at + letter.len_utf8()..];
                    let act = FLAGS.iter().find(|(short, _, _)| *short == Some(letter)).map(|(_, _, act)| *act);
                    let value = || if rest.is_empty() { words.next().cloned() } else { Some(rest.to_owned()) };
                    if self.flag(act, &format!("-{letter}"), value)? {
                        break;
                    }
                }
            } else if word != "--" {
                self.urls.push(word.clone());
            }
        }
        Ok(())
    }

    /// Takes one flag; says whether it had a value.
    fn flag(&mut self, act: Option<Act>, word: &str, value: impl FnOnce() -> Option<String>) -> Result<bool, String> {
        let given = match act {
            None => return Err(format!("the flag {} is not supported", shown(word))),
            Some(Act::Nothing) => return Ok(false),
            Some(Act::Switch(switch)) => {
                self.switches.push(switch);
                return Ok(false);
            }
            Some(Act::Give(_) | Act::Value(_)) => value().ok_or_else(|| format!("{} needs a value", shown(word)))?,
        };
        match act {
            Some(Act::Give(id)) => self.wishes.give(id, given),
            Some(Act::Value(value)) => self.value(value, &given).map_err(|why| format!("{}: {why}", shown(word)))?,
            _ => {}
        }
        Ok(true)
    }

    fn value(&mut self, value: Value, given: &str) -> Result<(), String> {
        match value {
            Value::Url => self.urls.push(given.to_owned()),
            Value::Method => self.method = Some(given.to_owned()),
            Value::Header => self.header(given)?,
            Value::Data => self.data.push(no_file(given)?.to_owned()),
            Value::DataRaw => self.data.push(given.to_owned()),
            Value::DataUrlencode => self.data.push(encoded(given)?),
            Value::Json => {
                self.data.push(no_file(given)?.to_owned());
                self.json = true;
            }
            Value::Output => match given {
                "/dev/null" => self.hidden = true,
                "-" => self.hidden = false,
                _ => return Err("no file is written; /dev/null can be given".to_owned()),
            },
            Value::WriteOut => self.after = pieces(no_file(given)?)?,
            Value::MaxTime => self.limit = time(given)?,
            Value::ConnectTimeout => self.connect = time(given)?,
            Value::MaxRedirs => self.redirects = Some(number(given)?),
            Value::Retry => self.retry.times = number(given)?,
            Value::RetryDelay => self.retry.delay = time(given)?,
            Value::Referer => self.wishes.give(Id::Headers, format!("Referer: {given}")),
            Value::Cookie if given.contains('=') => self.wishes.give(Id::Headers, format!("Cookie: {given}")),
            Value::Cookie => return Err("no file is read; cookies have the form NAME=VALUE".to_owned()),
        }
        Ok(())
    }

    /// A header; one without a value takes away what would be sent by itself.
    fn header(&mut self, given: &str) -> Result<(), String> {
        let (name, value) = no_file(given)?.split_once(':').unwrap_or((given, "?"));
        self.content_type |= name.eq_ignore_ascii_case("content-type");
        self.accept |= name.eq_ignore_ascii_case("accept");
        let ours = [("accept", Id::Accept), ("user-agent", Id::UserAgent), ("content-type", Id::ContentType)];
        match (value.trim(), ours.iter().find(|(ours, _)| name.eq_ignore_ascii_case(ours))) {
            ("", Some((_, id))) => self.wishes.give(*id, ""),
            ("", None) => {}
            // One request goes over one connection here.
            (value, _) if name.eq_ignore_ascii_case("connection") && value.eq_ignore_ascii_case("close") => {}
            _ => self.wishes.give(Id::Headers, given),
        }
        Ok(())
    }

    fn has(&self, switch: Switch) -> bool {
        self.switches.contains(&switch)
    }

    fn curl(mut self) -> Result<Curl, String> {
        let data = (!self.data.is_empty()).then(|| self.data.join(if self.json { "" } else { "&" }));
        let in_query = data.as_deref().filter(|_| self.has(Switch::Get));
        let url = self.url(in_query)?;
        let body = data.filter(|_| !self.has(Switch::Get));
        if body.is_some() && self.has(Switch::Head) {
            return Err("-I and -d ask for two methods".to_owned());
        }
        let usual = match (&body, self.has(Switch::Head)) {
            (Some(_), _) => "POST",
            (None, true) => "HEAD",
            (None, false) => "GET",
        };
        let mut wishes = std::mem::take(&mut self.wishes);
        // curl has no drawn values: what looks like one is text.
        wishes.verbatim();
        wishes.give(Id::Url, url);
        wishes.give(Id::Method, self.method.as_deref().unwrap_or(usual));
        if self.json && !self.accept {
            wishes.give(Id::Accept, "application/json");
        }
        if body.is_some() && !self.content_type {
            let form = "application/x-www-form-urlencoded";
            wishes.give(Id::ContentType, if self.json { "application/json" } else { form });
        }
        if let Some(body) = body {
            wishes.give(Id::Body, body);
        }
        let redirects = if self.has(Switch::Location) { self.redirects.unwrap_or(MOST_REDIRECTS) } else { 0 };
        wishes.give(Id::Redirects, redirects.min(MOST_REDIRECTS).to_string());
        if self.has(Switch::Insecure) {
            wishes.give(Id::Insecure, "");
        }
        let none = |_: &std::path::Path| Err(std::io::Error::other("no file is read"));
        let spec = wishes.build(&none).map_err(|mistakes| {
            mistakes.as_slice().iter().map(ToString::to_string).collect::<Vec<_>>().join("; ").replace('\n', "; ")
        })?;
        let plan = Plan {
            timeout: self.limit,
            wire: if self.has(Switch::Http2) { Wire::Http2 } else { Wire::Http1 },
            keep_alive: false,
            ..spec.plan
        };
        let retry = Retry { refused: self.has(Switch::RetryRefused), all: self.has(Switch::RetryAll), ..self.retry };
        let writes_head = self.has(Switch::Head) || self.has(Switch::Include);
        let (connect, writes_body, writes_after) = (self.connect, !self.hidden, self.after);
        Ok(Curl { plan, connect, writes_head, writes_body, writes_after, retry })
    }

    /// The one URL, with what belongs into its query.
    fn url(&self, query: Option<&str>) -> Result<String, String> {
        let [url] = &self.urls[..] else {
            return Err(match self.urls.len() {
                0 => "the URL is missing".to_owned(),
                _ => format!("'{}' is a second URL; give one, and join requests with &&", shown(&self.urls[1])),
            });
        };
        let after_host = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
        let after_host = after_host.find('/').map_or("", |at| &after_host[at..]);
        if !self.has(Switch::Globoff) && (url.contains(['{', '}']) || after_host.contains(['[', ']'])) {
            return Err("brackets and braces in a URL stand for several; -g takes them as they are".to_owned());
        }
        let mut url = if url.contains("://") { url.clone() } else { format!("http://{url}") };
        if let Some(query) = query {
            let fragment = url.find('#').unwrap_or(url.len());
            url.truncate(fragment);
            url.push(if url.contains('?') { '&' } else { '?' });
            url.push_str(query);
        }
        Ok(url)
    }
}

fn no_file(given: &str) -> Result<&str, String> {
    if given.starts_with('@') { Err("no file is read: give the text itself".to_owned()) } else { Ok(given) }
}

fn number(given: &str) -> Result<u32, String> {
    given.parse().map_err(|_| format!("got '{}', expected a whole number", shown(given)))
}

/// Seconds, perhaps with decimals; zero is no limit.
fn time(given: &str) -> Result<Option<Duration>, String> {
    let seconds = given.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let seconds = seconds.ok_or_else(|| format!("got '{}', expected seconds", shown(given)))?;
    Ok(Some(seconds).filter(|seconds| !seconds.is_zero()))
}

/// `NAME=TEXT`, `=TEXT` or `TEXT`, with the text percent-encoded.
fn encoded(given: &str) -> Result<String, String> {
    let encode = |text: &str| percent_encoding::utf8_percent_encode(text, UNRESERVED).to_string();
    match given.split_once('=') {
        Some(("", text)) => Ok(encode(text)),
        Some((name, text)) => Ok(format!("{name}={}", encode(text))),
        None if given.contains('@') => Err("no file is read: give the text as =TEXT".to_owned()),
        None => Ok(encode(given)),
    }
}

/// Everything but letters, digits and `-._~` (RFC 3986 §2.3).
const UNRESERVED: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

#[cfg(test)]
mod tests {
    use super::*;

    fn curl(line: &str) -> Result<Curl, String> {
        read(&shell_words::split(line).unwrap()).map_err(|error| error.to_string())
    }

    /// Method, URL, `Host`, headers and body.
    fn request(line: &str) -> String {
        let curl = curl(line).unwrap_or_else(|e| panic!("{line}: {e}"));
        let target = &curl.plan.targets[0];
        let agent = concat!("tollgate/", env!("CARGO_PKG_VERSION"));
        let usual = [("User-Agent", agent), ("Accept", "*/*")];
        let own = |(name, value): &&(String, String)| !usual.contains(&(name.as_str(), value.as_str()));
        let headers = target.request.headers.iter().filter(own).map(|(name, value)| format!(" {name}: {value};"));
        let (method, host) = (&target.request.method, &target.request.authority);
        let body = String::from_utf8_lossy(&target.request.body);
        format!("{method} {} @{host};{} {body}", target.url, headers.collect::<String>())
    }

    #[test]
    fn flags_make_the_request_that_curl_sends() {
        let form = "Content-Type: application/x-www-form-urlencoded;";
        let json = "Content-Type: application/json;";
        for (line, expected, why) in [
            ("-s http://a.test/", "GET http://a.test/ @a.test; ".to_owned(), "the usual form"),
            ("a.test:9898/x", "GET http://a.test:9898/x @a.test:9898; ".into(), "http where nothing is said"),
            ("-sd 'test' http://a/token", format!("POST http://a/token @a; {form} test"), "a body makes a POST"),
            ("-da --data b=c http://a/", format!("POST http://a/ @a; {form} a&b=c"), "bodies are joined"),
            ("--data-raw @a http://a/", format!("POST http://a/ @a; {form} @a"), "raw has no files"),
            ("--data-urlencode 'q=a b&c' http://a/", format!("POST http://a/ @a; {form} q=a%20b%26c"), "encoded"),
            (
                "--json '{\"a\":1}' http://a/",
                { format!("POST http://a/ @a; Accept: application/json; {json} {{\"a\":1}}") },
                "JSON both ways",
            ),
            ("-G -d q=1 'http://a/?x=2#f'", "GET http://a/?x=2&q=1 @a; ".into(), "data in the query"),
            ("-XDELETE http://a/", "DELETE http://a/ @a; ".into(), "a method of its own"),
            ("-X PUT -d x http://a/", format!("PUT http://a/ @a; {form} x"), "and a body"),
            (
                "-d x -H 'content-type: text/plain' http://a/",
                { "POST http://a/ @a; content-type: text/plain; x".into() },
                "a type of its own",
            ),
            ("-d x -H 'Content-Type:' http://a/", "POST http://a/ @a; x".into(), "no type at all"),
            ("-I http://a/", "HEAD http://a/ @a; ".into(), "the head only"),
            (
                "-sH 'x-user: insider' -H 'Host: b.test' http://a",
                { "GET http://a/ @b.test; x-user: insider; ".into() },
                "headers, and Host among them",
            ),
            ("-u me:pw http://a/", "GET http://a/ @a; Authorization: Basic bWU6cHc=; ".into(), "a login"),
            ("-A probe http://a/", "GET http://a/ @a; User-Agent: probe; ".into(), "a name"),
            ("-b a=b -e http://c/ http://a/", "GET http://a/ @a; Cookie: a=b; Referer: http://c/; ".into(), "both"),
            ("-H 'Connection: close' http://a/", "GET http://a/ @a; ".into(), "what happens anyway"),
            ("-g 'http://a/{x}'", "GET http://a/%7Bx%7D @a; ".into(), "braces as they are"),
            ("--url http://a/ --http2 --compressed -sSfvN -#", "GET http://a/ @a; ".into(), "of no meaning here"),
            ("-- http://a/{{uuid}} -g", "GET http://a/%7B%7Buuid%7D%7D @a; ".into(), "nothing is drawn"),
        ] {
            assert_eq!(request(line), expected, "curl {line}: {why}");
        }
    }

    #[test]
    fn flags_say_how_long_how_far_and_what_is_written() {
        let read = |line: &str| curl(line).unwrap_or_else(|e| panic!("{line}: {e}"));
        let plain = read("http://a/");
        assert_eq!((plain.plan.timeout, plain.connect, plain.plan.redirects), (None, None, 0));
        assert_eq!((plain.writes_head, plain.writes_body, plain.retry), (false, true, Retry::default()));
        assert_eq!(plain.plan.wire, Wire::Http1);

        let limits = read("-m2.5 --connect-timeout 1 -L --max-redirs 3 --http2-prior-knowledge http://a/");
        let time = |seconds| Some(Duration::from_secs_f64(seconds));
        assert_eq!((limits.plan.timeout, limits.connect, limits.plan.redirects), (time(2.5), time(1.0), 3));
        assert_eq!(limits.plan.wire, Wire::Http2);
        assert_eq!((read("-L http://a/").plan.redirects, read("--max-redirs 3 http://a/").plan.redirects), (20, 0));

        let retry = read("--retry 3 --retry-delay 2 --retry-connrefused --retry-all-errors http://a/").retry;
        assert_eq!(retry, Retry { times: 3, delay: time(2.0), refused: true, all: true });

        let written = read(r"-sio /dev/null -w '%{http_code} 100%%\n' http://a/");
        assert_eq!((written.writes_head, written.writes_body), (true, false));
        assert_eq!(written.writes_after, [Written::Status, Written::Text(" 100%\n".to_owned())]);
        assert!(written.writes_status() && !plain.writes_status());

        let trusting = read("-k https://a/").plan;
        assert_eq!(trusting.tls.trust, crate::plan::Trust::Anyone);
        let pinned = read("--resolve a:80:127.0.0.1 http://a/").plan;
        assert_eq!(pinned.targets[0].origin.pinned, ["127.0.0.1:80".parse().unwrap()]);
    }

    #[test]
    fn what_is_not_known_is_refused_by_name() {
        for (line, part) in [
            ("-s", "the URL is missing"),
            ("http://a/ http://b/", "'http://b/' is a second URL"),
            ("-F a=b http://a/", "the flag -F is not supported"),
            ("-sT file http://a/", "the flag -T is not supported"),
            ("--cacert ca.pem https://a/", "the flag --cacert is not supported"),
            ("-o page.html http://a/", "-o: no file is written; /dev/null can be given"),
            ("-d @body.json http://a/", "-d: no file is read"),
            ("-b jar.txt http://a/", "-b: no file is read"),
            ("-w '%{time_connect}' http://a/", "-w: %{time_connect} is not known"),
            ("-m soon http://a/", "-m: got 'soon', expected seconds"),
            ("-m -1 http://a/", "-m: got '-1', expected seconds"),
            ("--retry many http://a/", "--retry: got 'many', expected a whole number"),
            ("http://a/ -H", "-H needs a value"),
            ("-H 'no colon' http://a/", "a colon must stand"),
            ("'http://a/[1-3]'", "brackets and braces"),
            ("ftp://a/", "only http:// and https:// are supported"),
            ("-I -d x http://a/", "two methods"),
        ] {
            let said = curl(line).unwrap_err();
            assert!(said.contains(part) && said.starts_with("curl: "), "curl {line}: {said}");
        }
    }
}
