//! What is wrong with what the user asked: one line each, all of them at once.

use std::fmt;

use super::keys::{Id, KEYS, Key};

/// Longest piece of a given value that a message repeats, in characters.
const SHOWN: usize = 60;

/// One mistake: which key, what was given, what is allowed, what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The key as the user writes it.
    pub key: String,
    /// What was given, safe to show; `None` when nothing was.
    pub given: Option<String>,
    /// What is allowed, as it stands after "expected".
    pub allowed: String,
    /// What to do, or what in particular is wrong; `None` when there is no more to say.
    pub advice: Option<String>,
    /// The given text with carets under what is wrong; `None` where the text is one word anyway.
    pub picture: Option<String>,
}

impl Mistake {
    /// A value that the key does not allow.
    #[must_use]
    pub fn value(id: Id, given: &str, advice: Option<String>) -> Self {
        let key = id.key();
        Self {
            key: key.to_string(),
            given: Some(shown(id, given)),
            allowed: key.allowed.to_owned(),
            advice,
            picture: None,
        }
    }

    /// A value that could not be read.
    pub(super) fn wrong(id: Id, given: &str, wrong: Wrong) -> Self {
        Self { picture: wrong.picture, ..Self::value(id, given, wrong.advice) }
    }

    /// A value that would be right, were it not for the rest.
    #[must_use]
    pub fn clash(id: Id, given: &str, allowed: impl Into<String>, advice: impl Into<String>) -> Self {
        let given = Some(shown(id, given)).filter(|given| !given.is_empty());
        Self { key: id.key().to_string(), given, allowed: allowed.into(), advice: Some(advice.into()), picture: None }
    }

    /// The row that it is about; `None` for what has none.
    #[must_use]
    pub fn about(&self) -> Option<&'static Key> {
        KEYS.iter().find(|key| key.to_string() == self.key)
    }

    /// The same under another name of its key.
    #[must_use]
    pub fn under(self, name: &str) -> Self {
        Self { key: name.to_owned(), ..self }
    }

    /// A key that must be given and was not, or a flag without its value.
    #[must_use]
    pub fn missing(id: Id) -> Self {
        Self {
            key: id.key().to_string(),
            given: None,
            allowed: id.key().allowed.to_owned(),
            advice: None,
            picture: None,
        }
    }
}

/// `-c/--connections: got 'abc', expected a whole number from 1 to 65535; …`, on one line, or the picture on its own.
impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(picture) = &self.picture {
            return write!(f, "{}: cannot be read\n{picture}", self.key);
        }
        match &self.given {
            Some(given) => write!(f, "{}: got '{given}', expected {}", self.key, self.allowed)?,
            None => write!(f, "{}: got nothing, expected {}", self.key, self.allowed)?,
        }
        match &self.advice {
            // It may repeat a part of what was given.
            Some(advice) => {
                let harmless = |c: char| if c.is_control() && c != '\n' { ' ' } else { c };
                write!(f, "; {}", advice.chars().map(harmless).collect::<String>())
            }
            None => Ok(()),
        }
    }
}

/// All mistakes of one request; at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistakes(Vec<Mistake>);

impl Mistakes {
    /// `Ok` with `value` when there are no mistakes.
    ///
    /// # Errors
    /// The mistakes, when there are any.
    pub fn unless<T>(mistakes: Vec<Mistake>, value: T) -> Result<T, Self> {
        if mistakes.is_empty() { Ok(value) } else { Err(Self(mistakes)) }
    }

    /// Mistakes that were taken apart, together again; at least one.
    pub(super) const fn from_vec(mistakes: Vec<Mistake>) -> Self {
        Self(mistakes)
    }

    /// The mistakes, in the order found.
    #[must_use]
    pub fn as_slice(&self) -> &[Mistake] {
        &self.0
    }

    /// The mistakes, to be joined with others.
    #[must_use]
    pub fn into_vec(self) -> Vec<Mistake> {
        self.0
    }
}

/// One line a mistake, no newline at the end.
impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, mistake) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{mistake}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Mistakes {}

/// A value that is not what its key allows; `advice` says what in particular is wrong, or what to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) advice: Option<String>,
    pub(super) picture: Option<String>,
}

/// There is no more to say than what is allowed.
pub(super) const WRONG: Wrong = Wrong { advice: None, picture: None };

/// Wrong, and this is why or what to do.
pub(super) fn wrong(advice: impl Into<String>) -> Wrong {
    Wrong { advice: Some(advice.into()), picture: None }
}

/// Wrong, and this shows where.
pub(super) fn pictured(picture: String) -> Wrong {
    Wrong { advice: None, picture: Some(picture) }
}

/// A given value, made safe for one line of a terminal or log: no secrets, no control characters, no endless text.
fn shown(id: Id, given: &str) -> String {
    let hidden = match id {
        Id::Url => without_password(given),
        Id::Headers => without_secret(given),
        _ if id.key().secret => "***".to_owned(),
        _ => given.to_owned(),
    };
    let mut plain = String::new();
    for c in hidden.chars().take(SHOWN) {
        if c.is_control() { plain.extend(c.escape_default()) } else { plain.push(c) }
    }
    if hidden.chars().nth(SHOWN).is_some() { plain + "…" } else { plain }
}

fn without_password(url: &str) -> String {
    let after_scheme = url.find("://").map_or(0, |at| at + 3);
    let end = url[after_scheme..].find(['/', '?', '#']).map_or(url.len(), |at| after_scheme + at);
    match url[after_scheme..end].rfind('@') {
        Some(at) => format!("{}***{}", &url[..after_scheme], &url[after_scheme + at..]),
        None => url.to_owned(),
    }
}

fn without_secret(header: &str) -> String {
    const SECRET: [&str; 4] = ["authorization", "cookie", "token", "key"];
    match header.split_once(':') {
        Some((name, _)) if SECRET.iter().any(|word| name.to_ascii_lowercase().contains(word)) => format!("{name}: ***"),
        _ => header.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_that_repeats_what_was_given_steers_no_terminal() {
        let said = Mistake::value(Id::Duration, "1", Some("unknown unit 'm\u{1b}[2J\0'".to_owned())).to_string();
        assert!(said.ends_with("; unknown unit 'm [2J '"), "{said}");
    }

    #[test]
    fn a_mistake_is_one_line_with_key_value_rule_and_advice() {
        let mistake = Mistake::value(Id::Connections, "abc", Some("try 50".into()));
        assert_eq!(mistake.to_string(), "-c/--connections: got 'abc', expected a whole number from 1 to 65535; try 50");
        let mistakes = Mistakes::unless(vec![mistake, Mistake::missing(Id::Url)], ()).unwrap_err();
        let lines: Vec<String> = mistakes.to_string().lines().map(String::from).collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[1], "URL: got nothing, expected an address such as http://HOST[:PORT][/PATH] or https://…");
        assert_eq!(Mistakes::unless(Vec::new(), 7), Ok(7));
    }

    #[test]
    fn no_message_repeats_a_secret_a_control_character_or_an_endless_text() {
        for (id, given, expected, why) in [
            (Id::BasicAuth, "ann:s3cret", "***", "a password"),
            (Id::Url, "http://ann:s3cret@host:1/p@q", "http://***@host:1/p@q", "a password in a URL"),
            (Id::Url, "ann:s3cret@host", "***@host", "even without a scheme"),
            (Id::Headers, "Authorization: Bearer s3cret", "Authorization: ***", "a token"),
            (Id::Headers, "X-Api-Key:s3cret", "X-Api-Key: ***", "a key"),
            (Id::Headers, "X-User: insider", "X-User: insider", "nothing secret"),
            (Id::Method, "GE\r\nT\u{1b}[2J", "GE\\r\\nT\\u{1b}[2J", "control characters"),
            (Id::Host, "é", "é", "letters of any language stay"),
        ] {
            assert_eq!(Mistake::value(id, given, None).given.as_deref(), Some(expected), "{why}");
        }
        let long = Mistake::value(Id::Method, &"x".repeat(500), None).given.unwrap();
        assert_eq!((long.chars().count(), long.ends_with('…')), (61, true));
    }
}
