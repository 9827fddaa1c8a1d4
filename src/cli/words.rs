//! Reading a command line whose mistakes are to be told all at once.
//!
//! The argument parser stops at the first flag it does not know. So the word it stumbled over is noted, taken away, and
//! the rest is read again, until nothing is left to stumble over.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgMatches, Command};

/// What the words come to.
pub(super) enum Read {
    /// The flags that there are, with their values, and the words that are none.
    Matches(ArgMatches, Vec<Refused>),
    /// Help or version, asked for.
    Show(String),
    /// The parser's own words, for what should not happen; and the words refused before.
    Unreadable(String, Vec<Refused>),
}

/// A word that was refused.
pub(super) struct Refused {
    /// As it was given.
    pub(super) word: String,
    /// There is no such flag; otherwise it has a value that it cannot have, or lacks one.
    pub(super) unknown: bool,
}

/// Reads `words`. A flag with a value must be one word (`--errors=2%`), or its value would be read on its own.
pub(super) fn read(command: impl Fn() -> Command, mut words: Vec<OsString>) -> Read {
    let mut refused = Vec::new();
    // Each round but the last takes one word away.
    loop {
        let error = match command().try_get_matches_from(&words) {
            Ok(matches) => return Read::Matches(matches, refused),
            Err(error) => error,
        };
        if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
            return Read::Show(error.to_string());
        }
        let Some(at) = culprit(&error, &words) else {
            let text = error.to_string();
            let first = text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
            return Read::Unreadable(first, refused);
        };
        let word = words.remove(at).to_string_lossy().into_owned();
        refused.push(Refused { word, unknown: error.kind() == ErrorKind::UnknownArgument });
    }
}

/// Which word the parser stumbled over, if it names one that is there.
fn culprit(error: &clap::Error, words: &[OsString]) -> Option<usize> {
    let Some(ContextValue::String(named)) = error.get(ContextKind::InvalidArg) else { return None };
    let named = named.split([' ', '=']).next().unwrap_or(named);
    let flags = words.iter().take_while(|word| *word != "--").map(|word| word.to_string_lossy());
    flags.enumerate().find(|(_, word)| is_named(word, named)).map(|(at, _)| at)
}

/// Whether `word` is the flag `named`, with or without a value attached.
fn is_named(word: &str, named: &str) -> bool {
    match word.strip_prefix(named) {
        Some(rest) if named.starts_with("--") => rest.is_empty() || rest.starts_with('='),
        Some(_) => !word.starts_with("--"),
        None => false,
    }
}

/// Flags and their values as one word each, so that one that is refused takes its value with it.
pub(super) fn joined(args: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut args = args.peekable();
    let mut words = Vec::new();
    while let Some(mut word) = args.next() {
        let is_flag = word.to_string_lossy().starts_with("--") && !word.to_string_lossy().contains('=');
        if is_flag && let Some(value) = args.next_if(|next| !next.to_string_lossy().starts_with("--")) {
            word.push("=");
            word.push(value);
        }
        words.push(word);
    }
    words
}

/// What is wrong with a word that is no flag of those named.
pub(super) fn no_such_flag<'a>(refused: &Refused, names: impl Iterator<Item = &'a str>) -> String {
    let name: String = refused.word.chars().filter(|c| !c.is_control()).take(40).collect();
    let bare = name.trim_start_matches('-').split('=').next().unwrap_or_default();
    let near = names.map(|name| (strsim::damerau_levenshtein(bare, name), name));
    let near = near.filter(|(distance, _)| *distance <= 2).min_by_key(|(distance, _)| *distance);
    let advice = near.map_or_else(String::new, |(_, name)| format!("; did you mean --{name}?"));
    format!("flag: got '{name}', expected a flag that exists{advice}")
}

/// One line each.
pub(super) fn lines<T: ToString>(items: impl Iterator<Item = T>) -> String {
    items.map(|item| item.to_string() + "\n").collect()
}
