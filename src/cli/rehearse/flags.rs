//! The flags of `tollgate rehearse`, and what is made of them.

use std::ffi::OsString;
use std::net::{SocketAddr, ToSocketAddrs as _};

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::cli::words::{self, Refused};
use crate::plan::Rate;
use crate::practice::{Behaviour, SETTINGS};
use crate::rehearse::{Place, Places, Release};

/// What a practice canary is like where nothing else is said: as a service that does a little work.
const USUAL: [(&str, &str); 1] = [("latency", "lognormal:20ms,0.3")];
/// What `--bad` alone stands for.
const BAD: &str = "--errors 5%";
/// Users' requests a second.
const USERS: f64 = 20.0;
/// The fastest that makes sense.
const FASTEST: f64 = 1_000.0;

/// One flag: its name, what its value is called (empty for a switch), and what it does.
type Flag = (&'static str, &'static str, &'static str);

/// All flags, in the order help shows them.
pub(in crate::cli) const FLAGS: [Flag; 12] = [
    ("name", "NAME", "Rehearse the Canary of this name (the only one)"),
    ("speed", "FACTOR", "Run so many times as fast, such as 20x; what is shortened is said (1)"),
    ("good", "", "Release a practice canary that is as good as the old release (this)"),
    ("bad", "SETTINGS", "Release a practice canary that behaves like this, such as --bad='--errors 2%' (--errors 5%)"),
    ("canary", "URL", "Release what runs at this address, such as http://127.0.0.1:9898 (a practice canary)"),
    ("primary", "URL", "Take what runs at this address for the old release (a practice canary)"),
    ("tollgate", "URL", "Ask this service with all hooks (one that is started inside)"),
    (
        "resolve",
        "HOST=PLACE",
        "Where a host of the Canary is: ADDR:PORT, or apex, canary, primary, tollgate; repeatable",
    ),
    ("users", "RATE", "Requests of users, such as 50/s; 0 for none (20/s)"),
    ("path", "PATH", "The path that users ask for (/)"),
    ("max-ticks", "N", "End undecided after so many ticks (four times what a good release needs, and ten)"),
    ("output", "FORM", "text or json (text)"),
];

/// The command.
pub(in crate::cli) fn command() -> Command {
    let file = Arg::new("FILE").help("The file with the Canary, in YAML; - for standard input");
    Command::new("rehearse")
        .about("Plays Flagger's analysis of a Canary on this machine, with its real hooks, real load and real traffic")
        .bin_name("tollgate rehearse")
        .display_name("tollgate")
        .version(env!("CARGO_PKG_VERSION"))
        .max_term_width(110)
        .arg(file)
        .args(FLAGS.iter().map(arg))
        .arg(Arg::new("no-color").long("no-color").action(ArgAction::SetTrue).help("No colours"))
        .after_help(
            "Exit codes: 0 promoted · 1 rolled back · 2 usage, or a Canary that cannot be rehearsed · 3 neither, within \
             --max-ticks · 4 tollgate itself stood in the way · 130 interrupted",
        )
}

fn arg((name, value, help): &Flag) -> Arg {
    let arg = Arg::new(*name).long(*name).help(*help);
    match *name {
        "resolve" => arg.value_name(*value).action(ArgAction::Append),
        "bad" => arg.value_name(*value).num_args(0..=1).default_missing_value(BAD).allow_hyphen_values(true),
        _ if value.is_empty() => arg.action(ArgAction::SetTrue),
        _ => arg.value_name(*value).allow_hyphen_values(true),
    }
}

/// The words, flags and their values as one word each. What follows `--bad` begins with dashes and belongs to it.
pub(super) fn joined(args: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut words = Vec::new();
    let mut args = args.peekable();
    while let Some(mut word) = args.next() {
        if word == "--bad"
            && let Some(settings) = args.next_if(|next| begins_with_setting(&next.to_string_lossy()))
        {
            word.push("=");
            word.push(settings);
        }
        words.push(word);
    }
    words::joined(words.into_iter())
}

fn begins_with_setting(text: &str) -> bool {
    let first = text.trim_start_matches('-').split([' ', '=', ',']).next().unwrap_or_default();
    text.contains([' ', '=']) && SETTINGS.iter().any(|setting| setting.key == first)
}

/// What is wrong with a word that is no flag.
pub(super) fn no_such_flag(refused: &Refused) -> String {
    words::no_such_flag(refused, FLAGS.iter().map(|(name, _, _)| *name))
}

/// What was asked for.
#[derive(Debug)]
pub(in crate::cli) struct Asked {
    pub(in crate::cli) file: String,
    pub(in crate::cli) name: Option<String>,
    pub(in crate::cli) speed: f64,
    pub(in crate::cli) old: Subject,
    pub(in crate::cli) new: Subject,
    pub(in crate::cli) tollgate: Option<(SocketAddr, String)>,
    pub(in crate::cli) places: Places,
    pub(in crate::cli) users: f64,
    pub(in crate::cli) path: String,
    pub(in crate::cli) most_ticks: Option<u32>,
    pub(in crate::cli) json: bool,
    pub(in crate::cli) no_color: bool,
}

struct Reader<'a> {
    matches: &'a ArgMatches,
    mistakes: Vec<String>,
}

impl Reader<'_> {
    fn text(&self, name: &str) -> Option<&String> {
        self.matches.get_one::<String>(name)
    }

    fn value<T>(&mut self, name: &str, allowed: &str, read: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let given = self.text(name)?.clone();
        let value = read(&given);
        if value.is_none() {
            self.mistake(name, &given, allowed);
        }
        value
    }

    fn mistake(&mut self, name: &str, given: &str, allowed: &str) {
        let shown: String = given.chars().filter(|c| !c.is_control()).take(60).collect();
        self.mistakes.push(format!("--{name}: got '{shown}', expected {allowed}"));
    }

    /// Where somebody's release or service is.
    fn address(&mut self, name: &str) -> Option<(SocketAddr, String)> {
        let allowed = "an address such as http://127.0.0.1:8080 that can be reached";
        self.value(name, allowed, |text| {
            let url = url::Url::parse(text).ok().filter(|url| url.scheme() == "http" && url.path() == "/")?;
            let host = url.host_str()?.trim_matches(['[', ']']).to_owned();
            let found = (host, url.port_or_known_default()?).to_socket_addrs().ok()?.next()?;
            Some((found, text.trim_end_matches('/').to_owned()))
        })
    }

    /// A practice canary with these settings besides the usual ones.
    fn practice(&mut self, name: &str, settings: &str) -> Subject {
        Subject::practice(settings).unwrap_or_else(|mistakes| {
            self.mistakes.extend(mistakes.iter().map(|mistake| format!("--{name}: {mistake}")));
            Subject { release: Release::Practice(Box::default()), shown: String::new() }
        })
    }
}

/// A release, and what it is called.
#[derive(Clone, Debug)]
pub(in crate::cli) struct Subject {
    pub(in crate::cli) release: Release,
    pub(in crate::cli) shown: String,
}

impl Subject {
    /// A practice canary with these settings besides the usual ones.
    ///
    /// # Errors
    /// Every setting that there is not, or that cannot have its value.
    pub(in crate::cli) fn practice(settings: &str) -> Result<Self, Vec<String>> {
        let own = pairs(settings);
        let all = USUAL.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let all: Vec<(String, String)> =
            all.filter(|(key, _)| own.iter().all(|(other, _)| other != key)).chain(own.clone()).collect();
        let behaviour = Behaviour::parse(all.iter().map(|(key, value)| (key.as_str(), value.as_str())));
        let behaviour = behaviour.map_err(|mistakes| mistakes.iter().map(ToString::to_string).collect::<Vec<_>>())?;
        let flags: String = all.iter().map(|(key, value)| format!(" --{key} {value}")).collect();
        let shown = format!("tollgate canary{}", flags.trim_end());
        Ok(Self { release: Release::Practice(Box::new(behaviour)), shown })
    }
}

/// `--errors 2% --stall 1s/5s`, or `errors 2%, stall 1s/5s`.
fn pairs(settings: &str) -> Vec<(String, String)> {
    let parts: Vec<&str> = if settings.trim_start().starts_with("--") {
        settings.split("--").collect()
    } else {
        settings.split(", ").collect()
    };
    let parts = parts.into_iter().map(str::trim).filter(|part| !part.is_empty());
    parts
        .map(|part| part.split_once([' ', '=']).unwrap_or((part, "")))
        .map(|(k, v)| (k.into(), v.trim().into()))
        .collect()
}

/// Reads the flags.
///
/// # Errors
/// Every mistake, one line each.
pub(super) fn read(matches: &ArgMatches) -> Result<Asked, Vec<String>> {
    let mut reader = Reader { matches, mistakes: Vec::new() };
    let file = reader.text("FILE").cloned();
    if file.is_none() {
        reader.mistakes.push("FILE: got nothing, expected a file with a Canary, or - for standard input".to_owned());
    }
    let faster = |text: &str| text.trim_end_matches('x').parse().ok().filter(|speed| (1.0..=FASTEST).contains(speed));
    let speed = reader.value("speed", "a factor from 1 to 1000, such as 20x", faster).unwrap_or(1.0);
    let new = new_release(&mut reader);
    let old = match reader.address("primary") {
        Some((address, shown)) => Subject { release: Release::At(address), shown },
        None => reader.practice("primary", ""),
    };
    let tollgate = reader.address("tollgate");
    let places = places(&mut reader);
    let rate = |text: &str| {
        if text == "0" { Some(0.0) } else { text.parse::<Rate>().ok().map(|rate| rate.micro_per_second as f64 / 1e6) }
    };
    let users = reader.value("users", "a rate such as 50/s, or 0", rate).unwrap_or(USERS);
    let path = reader.value("path", "a path that begins with /", |text| text.starts_with('/').then(|| text.to_owned()));
    let most_ticks =
        reader.value("max-ticks", "a whole number above zero", |text| text.parse().ok().filter(|n| *n > 0));
    let json = reader.value("output", "text or json", |text| matches!(text, "text" | "json").then_some(text == "json"));
    if !reader.mistakes.is_empty() {
        return Err(reader.mistakes);
    }
    Ok(Asked {
        file: file.unwrap_or_default(),
        name: matches.get_one("name").cloned(),
        speed,
        old,
        new,
        tollgate,
        places,
        users,
        path: path.unwrap_or_else(|| "/".to_owned()),
        most_ticks,
        json: json.unwrap_or(false),
        no_color: matches.get_flag("no-color"),
    })
}

/// The release under analysis: one of three.
fn new_release(reader: &mut Reader<'_>) -> Subject {
    let given = [
        ("--good", reader.matches.get_flag("good")),
        ("--bad", reader.text("bad").is_some()),
        ("--canary", reader.text("canary").is_some()),
    ];
    let given: Vec<&str> = given.iter().filter(|(_, given)| *given).map(|(name, _)| *name).collect();
    if given.len() > 1 {
        reader.mistakes.push(format!("{}: got {}, expected one of them", given[0], given.join(" and ")));
    }
    if let Some((address, shown)) = reader.address("canary") {
        return Subject { release: Release::At(address), shown };
    }
    let settings = reader.text("bad").cloned().unwrap_or_default();
    reader.practice("bad", &settings)
}

fn places(reader: &mut Reader<'_>) -> Places {
    let given: Vec<String> = reader.matches.get_many("resolve").unwrap_or_default().cloned().collect();
    let mut places = Places::new();
    for text in given {
        let read = text.split_once('=').and_then(|(host, place)| Some((host.to_owned(), place.parse::<Place>().ok()?)));
        match read.filter(|(host, _)| !host.is_empty()) {
            Some((host, place)) => {
                places.insert(host, place);
            }
            None => {
                let allowed = "HOST=ADDR:PORT, or HOST=apex, canary, primary or tollgate";
                reader.mistake("resolve", &text, allowed);
            }
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_line(words: &[&str]) -> Result<Asked, Vec<String>> {
        let words = joined(words.iter().map(OsString::from));
        let matches = command().no_binary_name(true).try_get_matches_from(words).unwrap_or_else(|e| panic!("{e}"));
        read(&matches)
    }

    #[test]
    fn a_bad_release_is_described_as_a_practice_canary_is() {
        for words in [
            &["a.yaml", "--bad", "--errors 2% --stall 1s/5s"][..],
            &["a.yaml", "--bad=--errors 2% --stall 1s/5s"],
            &["--bad", "errors 2%, stall 1s/5s", "a.yaml"],
        ] {
            let Subject { release, shown } = read_line(words).unwrap().new;
            assert_eq!(shown, "tollgate canary --latency lognormal:20ms,0.3 --errors 2% --stall 1s/5s");
            let Release::Practice(behaviour) = release else { panic!("{release:?}") };
            assert!(behaviour.stall.is_some() && behaviour.errors.share.ratio() > 0.019, "{behaviour:?}");
        }
        let Subject { shown, .. } = read_line(&["a.yaml", "--bad"]).unwrap().new;
        assert_eq!(shown, "tollgate canary --latency lognormal:20ms,0.3 --errors 5%");
        let Subject { shown, .. } = read_line(&["a.yaml", "--bad", "latency 900ms"]).unwrap().new;
        assert_eq!(shown, "tollgate canary --latency 900ms");
    }

    #[test]
    fn every_mistake_is_told_with_what_is_allowed() {
        let wrong = read_line(&[
            "--speed=fast",
            "--good",
            "--bad=--errors much",
            "--canary=https://a/",
            "--resolve=a",
            "--users=many",
            "--path=x",
            "--max-ticks=0",
            "--output=xml",
        ]);
        let expected = [
            "FILE: got nothing, expected a file with a Canary, or - for standard input",
            "--speed: got 'fast', expected a factor from 1 to 1000, such as 20x",
            "--good: got --good and --bad and --canary, expected one of them",
            "--canary: got 'https://a/', expected an address such as http://127.0.0.1:8080 that can be reached",
            "--bad: --errors \"much\": a share of requests such as 2%, 0.02 or 1/50, from 0 to 100%",
            "--resolve: got 'a', expected HOST=ADDR:PORT, or HOST=apex, canary, primary or tollgate",
            "--users: got 'many', expected a rate such as 50/s, or 0",
            "--path: got 'x', expected a path that begins with /",
            "--max-ticks: got '0', expected a whole number above zero",
            "--output: got 'xml', expected text or json",
        ];
        assert_eq!(wrong.unwrap_err(), expected);
    }

    #[test]
    fn the_documentation_has_the_row_of_every_flag_and_no_other() {
        let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/rehearse.md")).unwrap();
        let rows = text.lines().filter_map(|line| line.strip_prefix("| `--")?.split('`').next());
        let value = |value: &str| if value.is_empty() { String::new() } else { format!(" {value}") };
        let expected: Vec<String> = FLAGS.iter().map(|(name, shown, _)| format!("{name}{}", value(shown))).collect();
        assert_eq!(rows.collect::<Vec<_>>(), expected);
    }
}
