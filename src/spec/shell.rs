//! A command line as the words a shell would make of it, where no shell is needed for that.
//!
//! Flagger's loadtester hands `cmd` to `sh -c`. Quotes are all of the shell that load lines use, and output thrown away
//! (`> /dev/null 2>&1`) changes nothing about the load; whatever else would make the shell run, expand or write
//! something is refused, because it would not happen here.

/// Why a line cannot be read without a shell.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShellError {
    /// Several commands.
    #[error("'{0}' joins commands, and there is no shell here: give one command, and put a URL that has it in quotes")]
    Joins(char),
    /// Something to be filled in.
    #[error(
        "'{0}' is filled in by a shell, and there is none here: write the value itself, or put it in single quotes"
    )]
    Expands(char),
    /// Reading from or writing to a file.
    #[error("'{0}' reads or writes a file, and there is no shell here: only output to /dev/null can be asked for")]
    Redirects(char),
    /// A quote without its other half.
    #[error("a quote is not closed")]
    Unclosed,
}

/// Where in the line the reading is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quotes {
    None,
    Single,
    Double,
}

/// The words of `line`.
///
/// # Errors
/// When a shell would do more than split and unquote it.
pub fn words(line: &str) -> Result<Vec<String>, ShellError> {
    shell_words::split(&harmless(line.trim())?).map_err(|_| ShellError::Unclosed)
}

/// The line without output that is thrown away and without a comment at its end.
fn harmless(line: &str) -> Result<String, ShellError> {
    let mut kept = String::with_capacity(line.len());
    let mut quotes = Quotes::None;
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        match (quotes, c) {
            (Quotes::None | Quotes::Double, '\\') => {
                // Whatever follows stands for itself.
                let both = after.chars().next().map_or(1, |next| 1 + next.len_utf8());
                kept.push_str(&rest[..both]);
                rest = &rest[both..];
                continue;
            }
            (Quotes::None | Quotes::Double, '$' | '`') => return Err(ShellError::Expands(c)),
            (Quotes::None, '\'') => quotes = Quotes::Single,
            (Quotes::None, '"') => quotes = Quotes::Double,
            (Quotes::Single, '\'') | (Quotes::Double, '"') => quotes = Quotes::None,
            (Quotes::None, '>' | '<' | '&') => match thrown_away(rest) {
                Some(after) => {
                    without_descriptor(&mut kept);
                    rest = after;
                    continue;
                }
                None if c == '&' => return Err(ShellError::Joins(c)),
                None => return Err(ShellError::Redirects(c)),
            },
            (Quotes::None, ';' | '|' | '(' | ')') => return Err(ShellError::Joins(c)),
            (Quotes::None, '\n' | '\r') => return Err(ShellError::Joins('↵')),
            (Quotes::None, '#') if at_word(&kept) => break,
            _ => {}
        }
        kept.push(c);
        rest = after;
    }
    Ok(kept)
}

/// What follows a redirection that throws output away, joins the two outputs or closes the input; `None` for another.
fn thrown_away(rest: &str) -> Option<&str> {
    let rest = rest.strip_prefix("&>").or_else(|| rest.strip_prefix('<')).or_else(|| rest.strip_prefix('>'))?;
    let target = rest.strip_prefix('>').unwrap_or(rest).trim_start_matches([' ', '\t']);
    let after = ["/dev/null", "&1", "&2"].iter().find_map(|harmless| target.strip_prefix(harmless))?;
    let ends = after.chars().next().is_none_or(|c| c.is_whitespace() || ">&;|<".contains(c));
    ends.then_some(after)
}

/// Takes off the number that says which output is redirected.
fn without_descriptor(kept: &mut String) {
    if kept.ends_with(['1', '2']) && at_word(&kept[..kept.len() - 1]) {
        kept.pop();
    }
}

/// Whether the next character begins a word.
fn at_word(kept: &str) -> bool {
    kept.chars().next_back().is_none_or(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_all_of_the_shell_that_is_known() {
        for (line, expected, why) in [
            ("hey -c 2  http://a/", vec!["hey", "-c", "2", "http://a/"], "blanks"),
            ("\n hey a\\ b\n", vec!["hey", "a b"], "a backslash, and the line break of a block in YAML"),
            ("hey \\\n -c 2", vec!["hey", "-c", "2"], "a line that goes on"),
            ("-H 'Cookie: a; b=$c'", vec!["-H", "Cookie: a; b=$c"], "nothing happens in single quotes"),
            ("-d \"{\\\"a\\\": \\$1}\"", vec!["-d", "{\"a\": $1}"], "nor after a backslash in double ones"),
            ("-d '{test: 2}' ''", vec!["-d", "{test: 2}", ""], "an empty word"),
            ("'http://a/?x=1&y=2'", vec!["http://a/?x=1&y=2"], "a query in quotes"),
            ("http://a/#b a#b", vec!["http://a/#b", "a#b"], "a number sign within a word"),
            ("hey a\\", vec!["hey", "a\\"], "a backslash before nothing"),
            ("hey a # why", vec!["hey", "a"], "a comment"),
            ("hey a > /dev/null", vec!["hey", "a"], "output thrown away"),
            ("hey a >/dev/null 2>&1", vec!["hey", "a"], "all of it"),
            ("hey a 2>/dev/null 1>>/dev/null b", vec!["hey", "a", "b"], "one by one"),
            ("hey a2>/dev/null", vec!["hey", "a2"], "a digit that belongs to a word"),
            ("hey a &>/dev/null </dev/null", vec!["hey", "a"], "in short"),
        ] {
            assert_eq!(words(line), Ok(expected.into_iter().map(str::to_owned).collect()), "{line}: {why}");
        }
    }

    #[test]
    fn what_a_shell_would_do_beyond_that_is_refused() {
        for (line, error) in [
            ("hey a && b", ShellError::Joins('&')),
            ("hey http://a/?x=1&y=2", ShellError::Joins('&')),
            ("hey a; b", ShellError::Joins(';')),
            ("hey a | grep b", ShellError::Joins('|')),
            ("(hey a)", ShellError::Joins('(')),
            ("hey a\nhey b", ShellError::Joins('↵')),
            ("hey $URL", ShellError::Expands('$')),
            ("hey \"$(cat x)\"", ShellError::Expands('$')),
            ("hey `cat x`", ShellError::Expands('`')),
            ("hey a > out", ShellError::Redirects('>')),
            ("hey a >/dev/nullify", ShellError::Redirects('>')),
            ("hey a < in", ShellError::Redirects('<')),
            ("hey 'a", ShellError::Unclosed),
            ("hey \"a", ShellError::Unclosed),
        ] {
            assert_eq!(words(line), Err(error), "{line}");
        }
    }
}
