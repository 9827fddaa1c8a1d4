//! What servers say of gRPC calls that fail: the first words of each status, so that a report says more than a number.
//!
//! There are seventeen statuses and each keeps one short text, however long a load runs and whatever a server says.

use std::collections::BTreeMap;

use super::{Code, grpc_name};

/// Longest text that is kept, in characters.
const LONGEST: usize = 200;

/// Longest part of it in a line that others share.
const LONGEST_IN_SHORT: usize = 80;

/// The first `grpc-message` of each status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said(BTreeMap<u8, String>);

impl Said {
    /// Keeps the words of a status, unless there were some before: without what could move a cursor, break a line or
    /// reverse the reading order, and at most 200 characters of them. `words` is not asked where they are not needed;
    /// empty ones are none.
    pub fn first(&mut self, status: u8, words: impl FnOnce() -> String) {
        if self.0.contains_key(&status) {
            return;
        }
        let words = plain(&words());
        let words = words.trim();
        if !words.is_empty() {
            self.0.insert(status, shortened(words, LONGEST));
        }
    }

    /// Adds what another part of the same load was told; what is known already stays.
    pub fn merge(&mut self, other: &Self) {
        for (status, words) in &other.0 {
            self.0.entry(*status).or_insert_with(|| words.clone());
        }
    }

    /// The words of a status; `None` where no server said any.
    #[must_use]
    pub fn of(&self, status: u8) -> Option<&str> {
        self.0.get(&status).map(String::as_str)
    }

    /// The name of a status with the beginning of its words, for a line that others share: `UNAVAILABLE: no healthy upstream`.
    #[must_use]
    pub fn in_short(&self, status: u8) -> String {
        let words = self.of(status).map(|words| format!(": {}", shortened(words, LONGEST_IN_SHORT)));
        format!("{}{}", grpc_name(status), words.unwrap_or_default())
    }

    /// Codes and their words, in the order of the codes.
    pub fn iter(&self) -> impl Iterator<Item = (Code, &str)> {
        self.0.iter().map(|(status, words)| (Code::Grpc(*status), words.as_str()))
    }
}

/// At most `longest` characters of a text; a text that is longer ends in `…`.
fn shortened(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    text.chars().take(longest - 1).chain(['…']).collect()
}

/// `text` without anything that could move a terminal's cursor, break a line or reverse its reading order: error
/// messages and URLs come from outside.
#[must_use]
pub fn plain(text: &str) -> String {
    let harmless = |c: char| match c {
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}' => ' ',
        // XML has no place for the last two.
        c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => ' ',
        c => c,
    };
    text.chars().map(harmless).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_words_of_each_status_are_kept_short_and_harmless() {
        let mut said = Said::default();
        for (status, words) in [
            (14, "no healthy\r\n\u{1b}[31mupstream\u{202e}"),
            (14, "another"),
            (5, " \n"),
            (5, "no such thing"),
            (13, &"é".repeat(201)),
        ] {
            said.first(status, || words.to_owned());
        }
        assert_eq!(said.of(14), Some("no healthy   [31mupstream"), "the first, and nothing that moves a cursor");
        assert_eq!(said.of(5), Some("no such thing"), "nothing is no words");
        assert_eq!(said.of(13), Some(format!("{}…", "é".repeat(199)).as_str()), "characters, not bytes");
        assert_eq!(said.of(2), None);
        assert_eq!(said.in_short(5), "NOT_FOUND: no such thing");
        assert_eq!(said.in_short(2), "UNKNOWN");
        said.first(14, || panic!("known words are not asked for again"));
    }

    #[test]
    fn what_is_known_stays_when_more_comes_in() {
        let (mut one, mut other) = (Said::default(), Said::default());
        one.first(14, || "mine".to_owned());
        other.first(14, || "theirs".to_owned());
        other.first(5, || "also theirs".to_owned());
        one.merge(&other);
        assert_eq!(one.iter().collect::<Vec<_>>(), [(Code::Grpc(5), "also theirs"), (Code::Grpc(14), "mine")]);
    }
}
