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
