//! The flags of `tollgate run`: from the words of a command line to a [`Spec`], or to everything that is wrong with them.
//!
//! The command is built from the table of keys, so a flag exists when its key does. Words pass through three hands:
//! first hey's and Go's spellings become ours (`-host x`, `--z=10s`), then the argument parser says which flags are
//! unknown, one at a time, until none is, and then the values are read together. Nobody has to run the command twice to
//! learn of a second mistake.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::File;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io::{self, Read as _};
use std::path::Path;

use clap::builder::ValueParser;
use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint};

use super::words::{self, Read};
use crate::spec::{Group, Id, KEYS, Key, Kind, MAX_BODY, Mistake, Mistakes, Spec, SpecBuilder};

/// What the user reads first.
const ABOUT: &str = "Makes load against URL, measures it and says whether the objective holds";

/// Uses to copy, below the flags.
const EXAMPLES: &str = "\
Examples:
  tollgate run -z 10s -q 10 -c 2 http://127.0.0.1:8080/
  tollgate run -z 1m --rate 200/s --slo 'success>=99%, p99<500ms' http://podinfo.test/
  tollgate run --stage 30s:100/s,1m:100/s..500/s http://podinfo.test/
  tollgate run -m POST -H 'Content-Type: application/json' -d '{\"a\":1}' http://podinfo.test/echo
  tollgate run -H 'user-id: {{range:1..5}}' --split-by value,address http://podinfo.test/
  tollgate run --call grpc.health.v1.Health/Check --data '{\"service\":\"\"}' grpc://127.0.0.1:9898
  tollgate run --weights 9,1 http://podinfo.test/ http://podinfo.test/version

URL is http://HOST[:PORT][/PATH] or https://HOST[:PORT][/PATH]; grpc:// and grpcs:// are the same for gRPC.";

/// Flags of hey that ask for what happens anyway: nothing is compressed on our demand, no redirect is followed.
const ANYWAY: [&str; 2] = ["disable-compression", "disable-redirects"];

/// Flags that people coming from elsewhere try, and what to do instead.
const ELSEWHERE: [(&str, &str); 2] =
    [("--cpus", "--workers sets the number of threads"), ("--location", "did you mean --redirects?")];

/// hey's flags that we know under another name.
const RENAMED: [(&str, &str); 1] = [("h2", "http2")];

/// Names of hey's flags that are ours neither by name nor by meaning, so that a single dash still is read as theirs.
const HEYS: [&str; 1] = ["cpus"];

/// How alike an unknown flag must be to a known one to be suggested, in [0, 1].
const ALIKE: f64 = 0.85;

/// How a file that a flag names is read.
type ReadFile<'a> = &'a dyn Fn(&Path) -> io::Result<Vec<u8>>;

/// What a command line comes to.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Invocation {
    /// Load to run.
    Run(Box<Spec>),
    /// A text to show on standard output: help or version, asked for.
    Show(String),
}

/// A command line that is refused, with all its mistakes; nothing has been sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// What is wrong, in the order found; at least one.
    pub(super) mistakes: Mistakes,
}

/// One line a mistake, and where to read on.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\nsee tollgate run --help", self.mistakes)
    }
}

impl std::error::Error for Refusal {}

impl From<Mistakes> for Refusal {
    fn from(mistakes: Mistakes) -> Self {
        Self { mistakes }
    }
}

/// The `run` command: its flags in groups, with what they mean, take and default to.
#[must_use]
pub(super) fn run_command() -> Command {
    let command = Command::new("run")
        .about(ABOUT)
        .version(env!("CARGO_PKG_VERSION"))
        .bin_name("tollgate run")
        .display_name("tollgate")
        .override_usage("tollgate run [OPTIONS] URL...")
        .no_binary_name(true)
        .max_term_width(110)
        .disable_help_flag(true)
        .disable_version_flag(true)
        .after_help(EXAMPLES)
        .args(KEYS.iter().filter(|key| key.is_for_run()).map(argument));
    let shown = |name: &'static str, short, action, help| {
        Arg::new(name).long(name).short(short).action(action).help(help).help_heading(Group::Output.heading())
    };
    command.arg(shown("help", 'h', ArgAction::Help, "This text; --help says more about each value")).arg(shown(
        "version",
        'V',
        ArgAction::Version,
        "The version",
    ))
}

/// A key as an argument of the command. Values are read later, all together.
fn argument(key: &Key) -> Arg {
    let arg = Arg::new(key.long.unwrap_or(key.value)).help_heading(key.group.heading());
    let Some(long) = key.long else {
        return arg.value_name(key.value).num_args(0..).value_parser(ValueParser::os_string()).hide(true);
    };
    let arg = match key.short {
        Some(short) => arg.short(short).long(long),
        None => arg.long(long),
    };
    let arg = match key.kind {
        Kind::Switch => return arg.action(ArgAction::SetTrue).overrides_with(long).help(key.help),
        Kind::Once | Kind::Repeat => arg.action(ArgAction::Append),
    };
    let help = match key.default {
        none if none.starts_with("none") => key.help.to_owned(),
        default => format!("{} [default: {default}]", key.help),
    };
    let mut long_help = format!("{} [default: {}]\nTakes {}.", key.help, key.default, key.allowed);
    if !key.zero.is_empty() {
        let zero = if is_text(key.id) { "An empty text" } else { "0" };
        long_help = format!("{long_help} {zero} means {}.", key.zero);
    }
    let hint = if key.value == "FILE" { ValueHint::FilePath } else { ValueHint::Unknown };
    arg.value_name(key.value).value_hint(hint).value_parser(ValueParser::os_string()).help(help).long_help(long_help)
}

/// Whether a value may be any text, one that begins with a dash included.
fn is_text(id: Id) -> bool {
    matches!(
        id,
        Id::Headers
            | Id::Body
            | Id::BodyFile
            | Id::Data
            | Id::DataFile
            | Id::ContentType
            | Id::Accept
            | Id::UserAgent
            | Id::BasicAuth
            | Id::Slo
    )
}

/// Reads the words after `tollgate run`. The body file is read here; nothing else is touched.
///
/// # Errors
/// Every mistake in the words, all at once.
pub(super) fn parse_run(args: impl Iterator<Item = OsString>) -> Result<Invocation, Refusal> {
    parse_with(args, &read_body, fresh_seed())
}

/// Another number each time, small enough for every reader of JSON to keep it exactly.
pub(super) fn fresh_seed() -> u64 {
    RandomState::new().build_hasher().finish() >> 11
}

/// At most one byte more than a body may have, so that an endless file ends.
pub(super) fn read_body(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_BODY as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn parse_with(args: impl Iterator<Item = OsString>, read: ReadFile<'_>, seed: u64) -> Result<Invocation, Refusal> {
    let mut mistakes = Vec::new();
    let words = our_spelling(args, &mut mistakes);
    match words::read(run_command, words) {
        Read::Show(text) => Ok(Invocation::Show(text)),
        Read::Matches(matches, refused) => {
            let unknown = refused.iter().any(|refused| refused.unknown);
            mistakes.extend(refused.iter().map(|refused| refused_flag(&refused.word)));
            Ok(Invocation::Run(Box::new(spec(&matches, mistakes, unknown, (read, seed))?)))
        }
        Read::Unreadable(said, refused) => {
            mistakes.extend(refused.iter().map(|refused| refused_flag(&refused.word)));
            mistakes.push(unreadable(said));
            Err(Mistakes::unless(mistakes, ()).expect_err("a mistake has just been added").into())
        }
    }
}

/// The parser's own words, for what should not happen.
fn unreadable(said: String) -> Mistake {
    let allowed = "flags and URLs".to_owned();
    Mistake { key: "arguments".to_owned(), given: None, allowed, advice: Some(said), picture: None }
}

/// A flag that there is not, or a switch with a value.
fn refused_flag(word: &str) -> Mistake {
    let (name, value) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value.to_owned())));
    if let Some(key) = known(name) {
        let advice = Some("it is a switch: give it, or leave it out".to_owned());
        return Mistake { key: key.to_string(), given: value, allowed: "no value".to_owned(), advice, picture: None };
    }
    // Without its value: that could be a secret.
    let shown: String = name.chars().filter(|c| !c.is_control()).take(40).collect();
    let allowed = "a flag that exists".to_owned();
    Mistake { key: "flag".to_owned(), given: Some(shown), allowed, advice: suggestion(name), picture: None }
}

/// What an unknown flag may have meant.
fn suggestion(name: &str) -> Option<String> {
    if let Some((_, advice)) = ELSEWHERE.iter().find(|(elsewhere, _)| name == *elsewhere) {
        return Some((*advice).to_owned());
    }
    let bare = name.trim_start_matches('-');
    let likeness = |long: &str| strsim::jaro_winkler(bare, long);
    let longs = KEYS.iter().filter_map(|key| key.long).chain(["help", "version"]);
    let nearest = longs.max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
    let by_metadata = KEYS.iter().find(|key| key.metadata == Some(bare)).and_then(|key| key.long);
    let meant = by_metadata.or(Some(nearest).filter(|nearest| bare.len() > 1 && likeness(nearest) >= ALIKE))?;
    Some(format!("did you mean --{meant}?"))
}

/// The key of a flag as written, dashes included.
fn known(name: &str) -> Option<&'static Key> {
    match (name.strip_prefix("--"), name.strip_prefix('-')) {
        (Some(long), _) => KEYS.iter().find(|key| key.long == Some(long)),
        (None, Some(short)) => {
            let mut letters = short.chars();
            let letter = letters.next().filter(|_| letters.next().is_none())?;
            KEYS.iter().find(|key| key.short == Some(letter))
        }
        (None, None) => None,
    }
}

/// The words in our spelling: every value joined to its flag (`--connections=2`), hey's flags under our names. A flag
/// without its value is noted as a mistake and left out.
fn our_spelling(args: impl Iterator<Item = OsString>, mistakes: &mut Vec<Mistake>) -> Vec<OsString> {
    let mut args = args.peekable();
    let mut words = Vec::new();
    while let Some(word) = args.next() {
        let text = word.to_string_lossy().into_owned();
        if text == "--" {
            words.push(word);
            words.extend(args);
            break;
        }
        let name = two_dashes(&text);
        if ANYWAY.iter().any(|anyway| name.strip_prefix("--") == Some(anyway)) {
            continue;
        }
        match known(&name) {
            Some(key) if key.kind != Kind::Switch => match args.next_if(|next| is_value(key, next)) {
                Some(value) => words.push(joined(key, &value)),
                None => mistakes.push(Mistake::missing(key.id)),
            },
            _ if name == text => words.push(word),
            _ => words.push(name.into()),
        }
    }
    words
}

/// Go's and hey's flags have as many dashes as one likes; ours have one before a letter and two before a name.
fn two_dashes(word: &str) -> String {
    let bare = word.trim_start_matches('-');
    let dashes = word.len() - bare.len();
    let name = bare.split('=').next().unwrap_or(bare);
    if let Some((_, ours)) = RENAMED.iter().find(|(heys, _)| dashes > 0 && name == *heys) {
        return format!("--{ours}{}", &bare[name.len()..]);
    }
    let is_name = HEYS.contains(&name) || ANYWAY.contains(&name) || KEYS.iter().any(|key| key.long == Some(name));
    let is_letter = name.len() == 1 && KEYS.iter().any(|key| key.short.is_some_and(|short| name.starts_with(short)));
    match dashes {
        1 if is_name => format!("--{bare}"),
        2 if is_letter => format!("-{bare}"),
        _ => word.to_owned(),
    }
}

/// Whether the word after a flag is its value and not the next flag: texts may begin with a dash, and so may numbers.
fn is_value(key: &Key, next: &OsStr) -> bool {
    let next = next.to_string_lossy();
    let number = |rest: &str| rest.starts_with(|c: char| c == '.' || c.is_ascii_digit());
    is_text(key.id) || next.strip_prefix('-').is_none_or(|rest| rest.is_empty() || number(rest))
}

fn joined(key: &Key, value: &OsStr) -> OsString {
    let mut word = OsString::from(format!("--{}=", key.long.unwrap_or_default()));
    word.push(value);
    word
}

/// Hands what was found to the builder.
fn spec(
    matches: &ArgMatches,
    mistakes: Vec<Mistake>,
    unknown: bool,
    (read, seed): (ReadFile<'_>, u64),
) -> Result<Spec, Refusal> {
    let mut builder = SpecBuilder::new();
    builder.default_seed(seed);
    let lacking_values = mistakes.len();
    for mistake in mistakes {
        builder.mistake(mistake);
    }
    for key in KEYS.iter().filter(|key| key.is_for_run()) {
        let name = key.long.unwrap_or(key.value);
        if key.kind == Kind::Switch {
            if matches.get_flag(name) {
                builder.give(key.id, "");
            }
            continue;
        }
        let values: Vec<&OsString> = matches.get_many(name).unwrap_or_default().collect();
        let values =
            if key.id == Id::Url { the_urls(&values, unknown || lacking_values > 0, &mut builder) } else { values };
        for value in values {
            match value.to_str() {
                Some(text) if key.id == Id::Report && no_file(Path::new(text)).is_some() => {
                    builder.mistake(Mistake::value(key.id, text, no_file(Path::new(text))));
                }
                Some(text) => builder.give(key.id, text),
                None => {
                    builder.mistake(Mistake::value(key.id, &value.to_string_lossy(), Some("it is not UTF-8".into())))
                }
            }
        }
    }
    Ok(builder.build(read)?)
}

/// Why no file of that name can be written, if that can be known without making one: another flag may be wrong too.
fn no_file(path: &Path) -> Option<String> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty())?;
    match path.is_dir() {
        true => Some("that is a folder".to_owned()),
        false => (!folder.is_dir()).then(|| format!("there is no folder '{}'", folder.display())),
    }
}

/// The words that are URLs. One word alone is meant to be one, whatever it looks like. Where flags were refused, the
/// words around may have been their values, and nothing is said about them.
fn the_urls<'a>(words: &[&'a OsString], refused: bool, builder: &mut SpecBuilder) -> Vec<&'a OsString> {
    let is_like_a_url = |word: &&&OsString| word.to_string_lossy().contains("://");
    let (like_urls, strays): (Vec<&OsString>, Vec<&OsString>) = words.iter().partition(is_like_a_url);
    if !refused && words.len() > 1 {
        let said = if like_urls.is_empty() { &strays[1..] } else { &strays[..] };
        for stray in said {
            let advice = "put a value that contains blanks in quotes".to_owned();
            let allowed = "URLs and nothing else beside the flags".to_owned();
            builder.mistake(Mistake { allowed, ..Mistake::value(Id::Url, &stray.to_string_lossy(), Some(advice)) });
        }
    }
    match (like_urls.is_empty(), refused) {
        (false, _) => like_urls,
        (true, false) => words.first().copied().into_iter().collect(),
        (true, true) => words.last().copied().into_iter().collect(),
    }
}

#[cfg(test)]
mod tests;
