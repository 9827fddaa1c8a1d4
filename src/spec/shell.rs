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
    /// Output taken from the program behind a pipe, or more than its output given to it.
    #[error("a redirection before '|' changes what the next program reads: leave it out")]
    Diverted,
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

/// How a command follows the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joint {
    /// It runs where that one succeeded: `&&`.
    And,
    /// It reads what that one writes: `|`.
    Pipe,
}

/// The words of `line`, which is one command.
///
/// # Errors
/// When a shell would do more than split and unquote it.
pub fn words(line: &str) -> Result<Vec<String>, ShellError> {
    Ok(Reading::default().read(line.trim(), false)?.0)
}

/// The commands of `line`: the first, and each further one with how it follows. Programs and what they do with each other
/// are the caller's to judge.
///
/// # Errors
/// When a shell would do more than split, unquote and join them.
pub fn commands(line: &str) -> Result<Commands, ShellError> {
    Reading::default().read(line.trim(), true)
}

/// The first command, and the others with how they follow.
pub type Commands = (Vec<String>, Vec<(Joint, Vec<String>)>);

/// What is read of a line.
#[derive(Default)]
struct Reading {
    /// The command being read, without output that is thrown away.
    kept: String,
    /// Whether its output does not go on as it is.
    diverted: bool,
    /// The commands before it, and how each is followed.
    done: Vec<(Vec<String>, Joint)>,
}

impl Reading {
    /// Reads the line without its comments.
    fn read(mut self, line: &str, joins: bool) -> Result<Commands, ShellError> {
        let mut quotes = Quotes::None;
        let mut rest = line;
        while let Some(c) = rest.chars().next() {
            let after = &rest[c.len_utf8()..];
            match (quotes, c) {
                (Quotes::None | Quotes::Double, '\\') => {
                    // Whatever follows stands for itself.
                    let both = after.chars().next().map_or(1, |next| 1 + next.len_utf8());
                    self.kept.push_str(&rest[..both]);
                    rest = &rest[both..];
                    continue;
                }
                (Quotes::None | Quotes::Double, '$' | '`') => return Err(ShellError::Expands(c)),
                (Quotes::None, '\'') => quotes = Quotes::Single,
                (Quotes::None, '"') => quotes = Quotes::Double,
                (Quotes::Single, '\'') | (Quotes::Double, '"') => quotes = Quotes::None,
                (Quotes::None, '#') if at_word(&self.kept) => {
                    rest = rest.find('\n').map_or("", |end| &rest[end..]);
                    continue;
                }
                (Quotes::None, _) => {
                    if let Some(after) = self.operator(rest, c, joins)? {
                        rest = after;
                        continue;
                    }
                }
                _ => {}
            }
            self.kept.push(c);
            rest = after;
        }
        self.commands()
    }

    /// What follows an operator at the start of `rest`; `None` where there is none.
    fn operator<'a>(&mut self, rest: &'a str, c: char, joins: bool) -> Result<Option<&'a str>, ShellError> {
        if matches!(c, '>' | '<' | '&')
            && let Some(after) = thrown_away(rest)
        {
            let errors_only = self.without_descriptor() == Some('2') && !rest.starts_with(">&");
            self.diverted |= c != '<' && !errors_only;
            return Ok(Some(after));
        }
        let joint = match c {
            '&' if joins && rest.starts_with("&&") => (Joint::And, &rest[2..]),
            '|' if joins && !rest.starts_with("||") && !rest.starts_with("|&") => (Joint::Pipe, &rest[1..]),
            '&' | ';' | '|' | '(' | ')' => return Err(ShellError::Joins(c)),
            '>' | '<' => return Err(ShellError::Redirects(c)),
            // A line may go on after what joins it to the next.
            '\n' | '\r' if self.kept.trim().is_empty() => return Ok(Some(&rest[1..])),
            '\n' | '\r' => return Err(ShellError::Joins('↵')),
            _ => return Ok(None),
        };
        if joint.0 == Joint::Pipe && self.diverted {
            return Err(ShellError::Diverted);
        }
        let words = split(&self.kept)?;
        self.kept.clear();
        self.diverted = false;
        self.done.push((words, joint.0));
        Ok(Some(joint.1))
    }

    /// Takes off the number that says which output is redirected, and returns it.
    fn without_descriptor(&mut self) -> Option<char> {
        let digit = self.kept.chars().next_back().filter(|digit| matches!(digit, '1' | '2'))?;
        if !at_word(&self.kept[..self.kept.len() - 1]) {
            return None;
        }
        self.kept.pop()?;
        Some(digit)
    }

    fn commands(self) -> Result<Commands, ShellError> {
        let mut last = split(&self.kept)?;
        let mut others = Vec::with_capacity(self.done.len());
        for (words, joint) in self.done.into_iter().rev() {
            others.push((joint, std::mem::replace(&mut last, words)));
        }
        others.reverse();
        Ok((last, others))
    }
}

/// The arguments for a program that is started without a shell: split at blanks, with quotes around what has some. Nothing
/// else in them means anything, and a quote that is not closed is a character like any other.
#[must_use]
pub fn arguments(line: &str) -> Vec<String> {
    shell_words::split(line).unwrap_or_else(|_| line.split_whitespace().map(str::to_owned).collect())
}

/// A switch as Go reads it (`strconv.ParseBool`).
#[must_use]
pub fn go_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

fn split(kept: &str) -> Result<Vec<String>, ShellError> {
    shell_words::split(kept).map_err(|_| ShellError::Unclosed)
}

/// What follows a redirection that throws output away, joins the two outputs or closes the input; `None` for another.
fn thrown_away(rest: &str) -> Option<&str> {
    let rest = rest.strip_prefix("&>").or_else(|| rest.strip_prefix('<')).or_else(|| rest.strip_prefix('>'))?;
    let target = rest.strip_prefix('>').unwrap_or(rest).trim_start_matches([' ', '\t']);
    let after = ["/dev/null", "&1", "&2"].iter().find_map(|harmless| target.strip_prefix(harmless))?;
    let ends = after.chars().next().is_none_or(|c| c.is_whitespace() || ">&;|<".contains(c));
    ends.then_some(after)
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

    #[test]
    fn commands_may_follow_one_another_where_that_is_asked_for() {
        let shown = |line: &str| {
            let (first, others) = commands(line)?;
            let joined = |(joint, words): &(Joint, Vec<String>)| {
                let joint = if *joint == Joint::And { "&&" } else { "|" };
                format!("{joint} {}", words.join(" "))
            };
            Ok([first.join(" ")].into_iter().chain(others.iter().map(joined)).collect::<Vec<_>>().join(" "))
        };
        for (line, expected, why) in [
            ("a", "a", "one"),
            ("a|b", "a | b", "no blanks are needed"),
            ("a 'x | y' && b | c", "a x | y && b | c", "several, and none in quotes"),
            ("a &&\n b |\n\n c", "a && b | c", "a line goes on after what joins it"),
            ("a > /dev/null 2>&1 && b", "a && b", "output thrown away before another command"),
            ("a 2>/dev/null | b", "a | b", "errors thrown away before a pipe"),
            ("# why\na # and\n", "a", "comments"),
            ("a && ", "a && ", "a command that is missing has no words"),
        ] {
            assert_eq!(shown(line), Ok(expected.to_owned()), "{line}: {why}");
        }
        for (line, error, why) in [
            ("a || b", ShellError::Joins('|'), "a choice"),
            ("a |& b", ShellError::Joins('|'), "errors in a pipe"),
            ("a & b", ShellError::Joins('&'), "the background"),
            ("a; b", ShellError::Joins(';'), "a list"),
            ("a\nb", ShellError::Joins('↵'), "lines"),
            ("a # why\nb", ShellError::Joins('↵'), "lines after a comment"),
            ("a > /dev/null | b", ShellError::Diverted, "nothing left to read"),
            ("a 2>&1 | b", ShellError::Diverted, "more to read than its output"),
            ("a && b $c", ShellError::Expands('$'), "a value to be filled in"),
            ("a && 'b", ShellError::Unclosed, "a quote"),
        ] {
            assert_eq!(shown(line), Err(error), "{line}: {why}");
        }
    }
}
