//! `wget`, as much of it as the probes of old charts need: does this address answer?
//!
//! `wget --quiet --tries=1 --timeout=4 --spider http://localhost:8080/healthz` is how Flagger's charts ask whether the
//! loadtester lives. An image without a shell answers by this name itself.

use std::ffi::OsString;
use std::time::Duration;

use anyhow::Context as _;
use http::Method;
use url::Url;

use super::{Exit, complain, warn};
use crate::outbound::{Client, Trust};

/// What is asked.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    address: String,
    timeout: Duration,
    quiet: bool,
}

/// Runs the command.
pub(super) fn main(args: impl Iterator<Item = OsString>) -> Exit {
    let words: Vec<String> = args.map(|word| word.to_string_lossy().into_owned()).collect();
    let asked = match read(&words) {
        Ok(asked) => asked,
        Err(mistake) => return complain(&format!("wget: {mistake}\n")),
    };
    match probe(&asked) {
        Ok(status) if status < 400 => Exit::Pass,
        answer => {
            if !asked.quiet {
                let said =
                    answer.map_or_else(|e| format!("{e:#}"), |status| format!("{} answered {status}", asked.address));
                warn(&format!("wget: {said}\n"));
            }
            Exit::Fail
        }
    }
}

/// Reads the flags that probes use. What wget would print or store is not asked for.
fn read(words: &[String]) -> Result<Asked, String> {
    let mut asked = Asked { address: String::new(), timeout: Duration::from_secs(900), quiet: false };
    let mut spider = false;
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let (name, attached) = word.split_once('=').map_or((word.as_str(), None), |(name, value)| (name, Some(value)));
        let mut value = || attached.or_else(|| words.next().map(String::as_str)).unwrap_or_default();
        match name {
            "-q" | "--quiet" => asked.quiet = true,
            "--spider" => spider = true,
            "-t" | "--tries" => drop(value()),
            "-T" | "--timeout" => {
                let seconds = value().parse().ok().filter(|seconds| (0.001..1e6).contains(seconds));
                asked.timeout = Duration::from_secs_f64(seconds.ok_or("--timeout: expected seconds, such as 4")?);
            }
            flag if flag.starts_with('-') => return Err(format!("{flag} is not supported: this wget only probes")),
            address if asked.address.is_empty() => asked.address = address.to_owned(),
            _ => return Err("more than one address".to_owned()),
        }
    }
    match (spider, asked.address.is_empty()) {
        (false, _) => Err("only --spider is supported: this wget only probes".to_owned()),
        (true, true) => Err("no address".to_owned()),
        (true, false) if !asked.address.contains("://") => {
            Ok(Asked { address: format!("http://{}", asked.address), ..asked })
        }
        (true, false) => Ok(asked),
    }
}

/// The status of the answer.
fn probe(asked: &Asked) -> anyhow::Result<u16> {
    let url = Url::parse(&asked.address).with_context(|| format!("{} is no address", asked.address))?;
    let client = Client::new(&url[..url::Position::BeforePath], &Trust::default(), None, asked.timeout)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime
        .block_on(client.ask(Method::HEAD, &url[url::Position::BeforePath..url::Position::AfterQuery], ""))?
        .status)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_line(line: &str) -> Result<Asked, String> {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        read(&words)
    }

    #[test]
    fn the_charts_probe_is_understood() {
        let asked = |seconds, quiet| Asked {
            address: "http://localhost:8080/healthz".to_owned(),
            timeout: Duration::from_secs(seconds),
            quiet,
        };
        for (line, expected) in [
            ("--quiet --tries=1 --timeout=4 --spider http://localhost:8080/healthz", asked(4, true)),
            ("-q -t 1 -T 4 --spider localhost:8080/healthz", asked(4, true)),
            ("http://localhost:8080/healthz --spider", asked(900, false)),
        ] {
            assert_eq!(read_line(line), Ok(expected), "{line}");
        }
    }

    #[test]
    fn what_it_cannot_do_is_said() {
        for (line, expected) in [
            ("http://localhost/", "only --spider is supported: this wget only probes"),
            ("--spider", "no address"),
            ("--spider --post-data=x http://a/", "--post-data is not supported: this wget only probes"),
            ("--spider http://a/ http://b/", "more than one address"),
            ("--spider --timeout=soon http://a/", "--timeout: expected seconds, such as 4"),
        ] {
            assert_eq!(read_line(line), Err(expected.to_owned()), "{line}");
        }
    }
}
