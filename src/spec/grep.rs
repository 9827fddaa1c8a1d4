//! grep as the end of a pipe: which lines it lets through, and whether there were any.
//!
//! Its two languages are put into that of the `regex` crate. What that has no equal for, references back and files to
//! read, is refused.

use regex::{Regex, RegexBuilder};

use super::line::{LineError, shown};

/// One grep.
#[derive(Clone, Debug)]
pub struct Grep {
    lines: Regex,
    pattern: String,
    inverted: bool,
    writes: Writes,
    most: usize,
}

/// What is written of the lines that are selected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Writes {
    #[default]
    Lines,
    /// Only what matched in them.
    Matches,
    /// How many there are.
    Count,
    Nothing,
}

/// The language of the pattern.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Language {
    #[default]
    Basic,
    Extended,
    Fixed,
    /// As the `regex` crate has it, which is most of Perl's.
    Perl,
}

/// What the words asked for.
#[derive(Debug, Default)]
struct Asked {
    patterns: Vec<String>,
    operands: Vec<String>,
    language: Language,
    ignore_case: bool,
    inverted: bool,
    whole_word: bool,
    whole_line: bool,
    matches: bool,
    count: bool,
    quiet: bool,
    most: Option<usize>,
}

impl Grep {
    /// The pattern as it was written.
    #[must_use]
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// Whether lines without the pattern are wanted.
    #[must_use]
    pub fn is_inverted(&self) -> bool {
        self.inverted
    }

    /// Whether any line of `text` is selected, and what is written of those that are.
    #[must_use]
    pub fn filter(&self, text: &str) -> (bool, String) {
        let mut out = String::new();
        let mut count = 0;
        let whole = text.strip_suffix('\n').unwrap_or(text);
        let lines = whole.split('\n').filter(|_| !text.is_empty());
        for line in lines.filter(|line| self.lines.is_match(line) != self.inverted).take(self.most) {
            count += 1;
            match self.writes {
                Writes::Lines => out.extend([line, "\n"]),
                Writes::Matches if !self.inverted => {
                    let found = self.lines.find_iter(line).filter(|found| !found.is_empty());
                    out.extend(found.flat_map(|found| [found.as_str(), "\n"]));
                }
                Writes::Matches | Writes::Count | Writes::Nothing => {}
            }
        }
        if self.writes == Writes::Count {
            out = format!("{count}\n");
        }
        (count > 0, out)
    }
}

/// Reads the words after grep, called by this name.
pub(super) fn read(name: &str, words: &[String]) -> Result<Grep, LineError> {
    let mut asked = Asked {
        language: match name {
            "egrep" => Language::Extended,
            "fgrep" => Language::Fixed,
            _ => Language::Basic,
        },
        ..Asked::default()
    };
    asked.words(words).map_err(LineError::Grep)?;
    asked.grep().map_err(LineError::Grep)
}

impl Asked {
    fn words(&mut self, words: &[String]) -> Result<(), String> {
        let mut words = words.iter();
        let mut only_operands = false;
        while let Some(word) = words.next() {
            if only_operands || !word.starts_with('-') || word == "-" {
                self.operands.push(word.clone());
            } else if word == "--" {
                only_operands = true;
            } else if let Some(long) = word.strip_prefix("--") {
                let (name, value) = long.split_once('=').map_or((long, None), |(name, value)| (name, Some(value)));
                let letter = letter(name).ok_or_else(|| unknown(word))?;
                self.flag(letter, word, || value.map(str::to_owned).or_else(|| words.next().cloned()))?;
            } else {
                let letters = &word[1..];
                for (at, letter) in letters.char_indices() {
                    let rest = &letters[at + letter.len_utf8()..];
                    let value = || if rest.is_empty() { words.next().cloned() } else { Some(rest.to_owned()) };
                    if self.flag(letter, word, value)? {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    /// Takes one flag; says whether it had a value.
    fn flag(&mut self, letter: char, word: &str, value: impl FnOnce() -> Option<String>) -> Result<bool, String> {
        let missing = || format!("{} needs a value", shown(word));
        match letter {
            'q' => self.quiet = true,
            'i' | 'y' => self.ignore_case = true,
            'v' => self.inverted = true,
            'E' => self.language = Language::Extended,
            'F' => self.language = Language::Fixed,
            'G' => self.language = Language::Basic,
            'P' => self.language = Language::Perl,
            'o' => self.matches = true,
            'c' => self.count = true,
            'w' => self.whole_word = true,
            'x' => self.whole_line = true,
            // Neither complaints about files nor the kind of the input mean anything here.
            's' | 'a' | 'h' => {}
            'e' => self.patterns.push(value().ok_or_else(missing)?),
            'm' => {
                let given = value().ok_or_else(missing)?;
                let most = given.parse().map_err(|_| format!("-m: got '{}', expected a number", shown(&given)))?;
                self.most = Some(most);
            }
            _ => return Err(unknown(word)),
        }
        Ok(matches!(letter, 'e' | 'm'))
    }

    fn grep(mut self) -> Result<Grep, String> {
        let mut operands = std::mem::take(&mut self.operands).into_iter();
        if self.patterns.is_empty() {
            self.patterns.push(operands.next().ok_or("the pattern is missing")?);
        }
        if let Some(file) = operands.find(|file| file != "-") {
            return Err(format!("'{}' is a file; only what curl writes is read", shown(&file)));
        }
        let pattern = self.patterns.join("\n");
        let choices = pattern.split('\n').map(|choice| self.translated(choice)).collect::<Result<Vec<_>, _>>()?;
        let all = choices.iter().map(|choice| format!("(?:{choice})")).collect::<Vec<_>>().join("|");
        let all = match (self.whole_line, self.whole_word) {
            (true, _) => format!("^(?:{all})$"),
            (false, true) => format!(r"\b{{start-half}}(?:{all})\b{{end-half}}"),
            (false, false) => all,
        };
        let lines = RegexBuilder::new(&all).case_insensitive(self.ignore_case).size_limit(1 << 20).build();
        let lines = lines.map_err(|_| format!("the pattern '{}' cannot be read", shown(&pattern)))?;
        let writes = match (self.quiet, self.count, self.matches) {
            (true, _, _) => Writes::Nothing,
            (_, true, _) => Writes::Count,
            (_, _, true) => Writes::Matches,
            _ => Writes::Lines,
        };
        Ok(Grep { lines, pattern, inverted: self.inverted, writes, most: self.most.unwrap_or(usize::MAX) })
    }

    fn translated(&self, pattern: &str) -> Result<String, String> {
        match self.language {
            Language::Fixed => Ok(regex::escape(pattern)),
            Language::Perl => Ok(pattern.to_owned()),
            Language::Basic | Language::Extended => posix(pattern, self.language == Language::Extended),
        }
    }
}

fn unknown(word: &str) -> String {
    format!("the flag {} is not supported; -q -i -v -c -o -w -x -e -m and -E -F -P are", shown(word))
}

/// The letter of a long flag.
fn letter(long: &str) -> Option<char> {
    Some(match long {
        "quiet" | "silent" => 'q',
        "ignore-case" => 'i',
        "invert-match" => 'v',
        "extended-regexp" => 'E',
        "fixed-strings" => 'F',
        "basic-regexp" => 'G',
        "perl-regexp" => 'P',
        "only-matching" => 'o',
        "count" => 'c',
        "word-regexp" => 'w',
        "line-regexp" => 'x',
        "no-messages" => 's',
        "text" => 'a',
        "regexp" => 'e',
        "max-count" => 'm',
        _ => return None,
    })
}

/// A pattern of POSIX with GNU's additions, basic or extended, in the words of the `regex` crate.
fn posix(pattern: &str, extended: bool) -> Result<String, String> {
    let mut reading = Posix { extended, out: String::new(), atom: false, repeated: false, start: true };
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        rest = match (c, after.chars().next()) {
            ('\\', Some(next)) => reading.token(next, true, &after[next.len_utf8()..])?,
            ('\\', None) => return Err("the pattern ends with a backslash".to_owned()),
            _ => reading.token(c, false, after)?,
        };
    }
    Ok(reading.out)
}

/// A pattern, read so far.
struct Posix {
    extended: bool,
    out: String,
    /// Whether there is something before that could be repeated.
    atom: bool,
    /// Whether it is repeated already.
    repeated: bool,
    /// Whether an alternative begins here.
    start: bool,
}

impl Posix {
    /// Takes one character, with or without a backslash before it, and returns what is left of what follows it.
    fn token<'a>(&mut self, token: char, escaped: bool, tail: &'a str) -> Result<&'a str, String> {
        // What means something with a backslash in one language does so without one in the other.
        let special = self.extended != escaped;
        let starts = std::mem::replace(&mut self.start, special && matches!(token, '(' | '|'));
        let counted = interval(tail, self.extended).filter(|_| token == '{' && special);
        self.repetition(token, counted.is_some() || token == '*' && !escaped || matches!(token, '+' | '?') && special)?;
        let atom = std::mem::replace(&mut self.atom, true);
        match (token, counted) {
            ('[', _) if !escaped => return bracket(tail, &mut self.out),
            ('*', _) if !escaped => self.out.push_str(if atom { "*" } else { r"\*" }),
            ('.', _) if !escaped => self.out.push('.'),
            ('^', _) if !escaped && (self.extended || starts) => self.anchor('^'),
            ('$', _) if !escaped && (self.extended || ends(tail)) => self.anchor('$'),
            ('+' | '?', _) if special => {
                self.out.extend((!atom).then_some('\\'));
                self.out.push(token);
            }
            ('{', Some((counts, after))) if atom => {
                let from_none = if counts.starts_with(',') { "0" } else { "" };
                self.out.push_str(&format!("{{{from_none}{counts}}}"));
                return Ok(after);
            }
            ('(' | '|' | ')', _) if special => {
                self.out.push(token);
                self.atom = token == ')';
            }
            ('w' | 'W' | 's' | 'S' | 'b' | 'B' | '<' | '>', _) if escaped => self.out.extend(['\\', token]),
            _ if escaped && token.is_alphanumeric() => {
                return Err(format!("\\{token} is not known in a pattern; with -P more is"));
            }
            _ => self.out.push_str(&regex::escape(token.encode_utf8(&mut [0; 4]))),
        }
        Ok(tail)
    }

    fn anchor(&mut self, anchor: char) {
        self.out.push(anchor);
        self.atom = false;
    }

    /// Refuses repetitions that mean one thing to grep and another to the `regex` crate.
    fn repetition(&mut self, token: char, repeats: bool) -> Result<(), String> {
        if repeats && !self.atom && self.extended {
            return Err(format!("'{token}' repeats nothing"));
        }
        if std::mem::replace(&mut self.repeated, repeats && self.atom) && repeats {
            return Err(format!("'{token}' repeats what is repeated already"));
        }
        Ok(())
    }
}

/// Whether a basic pattern, or an alternative in it, ends here.
fn ends(tail: &str) -> bool {
    tail.is_empty() || tail.starts_with(r"\)") || tail.starts_with(r"\|")
}

/// `2`, `2,`, `2,4` or `,4` before its closing brace, and what follows that.
fn interval(tail: &str, extended: bool) -> Option<(&str, &str)> {
    let (counts, after) = tail.split_once(if extended { "}" } else { r"\}" })?;
    let (low, high) = counts.split_once(',').unwrap_or((counts, ""));
    let number = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    (number(low) && number(high) && counts != "," && !counts.is_empty()).then_some((counts, after))
}

/// A bracket expression, from behind its `[`; returns what follows it. In it, only `^`, `]`, `-` and classes mean anything.
fn bracket<'a>(tail: &'a str, out: &mut String) -> Result<&'a str, String> {
    out.push('[');
    let mut rest = tail;
    if let Some(after) = rest.strip_prefix('^') {
        out.push('^');
        rest = after;
    }
    let mut first = true;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        if c == ']' && !first {
            out.push(']');
            return Ok(after);
        }
        first = false;
        rest = after;
        if c == '[' && after.starts_with(':') {
            let end = after.find(":]").ok_or("a class in brackets is not closed")?;
            out.push_str(&format!("[{}:]", &after[..end]));
            rest = &after[end + 2..];
        } else if c == '-' || c.is_alphanumeric() || !c.is_ascii() {
            out.push(c);
        } else {
            out.extend(['\\', c]);
        }
    }
    Err("a bracket is not closed".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        shell_words::split(line).unwrap()
    }

    fn grep(line: &str) -> Grep {
        read("grep", &words(line)).unwrap_or_else(|e| panic!("{line}: {e}"))
    }

    #[test]
    fn lines_are_selected_as_grep_selects_them() {
        for (line, text, found, out, why) in [
            ("token", "{\n  \"token\": \"x\"\n}\n", true, "  \"token\": \"x\"\n", "the usual form"),
            ("token", "nothing\n", false, "", "no such line"),
            ("token", "", false, "", "an empty answer"),
            ("''", "", false, "", "an empty answer has no line"),
            ("''", "a\n\n", true, "a\n\n", "an empty pattern is in every line"),
            ("-q token", "token", true, "", "nothing written"),
            ("-qi TOKEN", "a token", true, "", "letters together"),
            ("-v a", "a\nb", true, "b\n", "lines without"),
            ("-v a", "a", false, "", "and none"),
            ("-c a", "a\nb\na\n", true, "2\n", "how many"),
            ("-c z", "a", false, "0\n", "none, counted"),
            ("-o 'a.'", "xaby ac", true, "ab\nac\n", "what matched"),
            ("-m 1 a", "a1\na2", true, "a1\n", "at most one"),
            ("-e x -e b", "a\nb", true, "b\n", "one of two"),
            ("--regexp=b -- -", "b", true, "b\n", "standard input by name"),
            ("-w tok", "token", false, "", "a whole word"),
            ("-w tok", "a tok.", true, "a tok.\n", "between others"),
            ("-x ok", "ok!\nok", true, "ok\n", "a whole line"),
            ("-F 'a.c'", "abc", false, "", "no language"),
            ("-F '\"status\":\"OK\"'", "{\"status\":\"OK\"}", true, "{\"status\":\"OK\"}\n", "JSON"),
            ("--max-count=1 --count a", "a\na", true, "1\n", "long flags"),
        ] {
            assert_eq!(grep(line).filter(text), (found, out.to_owned()), "grep {line}: {why}");
        }
    }

    #[test]
    fn both_languages_mean_what_they_mean_in_grep() {
        for (line, text, found, why) in [
            ("'a+'", "a+", true, "a plus is a plus"),
            ("'a+b'", "aab", false, "and repeats nothing"),
            (r"'a\+b'", "aab", true, "unless escaped"),
            (r"'\(a\|b\)c'", "bc", true, "groups are escaped"),
            ("'(a|b)'", "(a|b)", true, "or plain text"),
            (r"'a\{2\}'", "aa", true, "intervals"),
            ("'{\"a\"'", "{\"a\"", true, "a brace is a brace"),
            ("'*a'", "*a", true, "a star with nothing before it"),
            ("'a^b$c'", "a^b$c", true, "anchors in the middle are plain"),
            ("'^ok$'", "ok", true, "and at the ends are not"),
            ("-E 'a+b'", "aab", true, "extended"),
            ("-E '(a|b)c'", "bc", true, "groups"),
            ("-E 'a{2,}'", "aa", true, "intervals"),
            ("-E 'a{,2}b'", "b", true, "from none"),
            ("-E '{\"a\": ?1'", "{\"a\":1", true, "a brace with nothing before it"),
            (r"-E 'a\+'", "a+", true, "escaped"),
            ("-E 'HTTP/[0-9.]+ (200|204)'", "HTTP/1.1 204 No Content", true, "a status line"),
            ("'[[:digit:]]'", "a1", true, "a class"),
            ("'[]a]'", "]", true, "a bracket that comes first"),
            (r"'[\n]'", "n", true, "a backslash in brackets is itself"),
            ("'[^a-c&&]'", "a&", false, "nothing but a list"),
            (r"'\<tok\>'", "a tok", true, "words"),
            (r"-P '\d+'", "a1", true, "Perl's"),
        ] {
            assert_eq!(grep(line).filter(text).0, found, "grep {line} on {text}: {why}");
        }
    }

    #[test]
    fn what_cannot_be_done_is_refused_by_name() {
        for (line, part) in [
            ("", "the pattern is missing"),
            ("a /etc/passwd", "'/etc/passwd' is a file"),
            ("-A2 a", "the flag -A2 is not supported"),
            ("--color a", "the flag --color is not supported"),
            ("-f words a", "the flag -f is not supported"),
            ("-m x a", "-m: got 'x', expected a number"),
            ("-e", "-e needs a value"),
            (r"'\(a\)\1'", "\\1 is not known in a pattern"),
            (r"'\d'", "\\d is not known in a pattern; with -P more is"),
            ("'[a'", "a bracket is not closed"),
            ("-E '(a'", "the pattern '(a' cannot be read"),
            (r"'a\'", "the pattern ends with a backslash"),
            ("-E '*a'", "'*' repeats nothing"),
            ("-E '(+)'", "'+' repeats nothing"),
            ("-E 'a|{2}'", "'{' repeats nothing"),
            ("-E 'a$?'", "'?' repeats nothing"),
            ("-E 'a*?'", "'?' repeats what is repeated already"),
        ] {
            let said = read("grep", &words(line)).unwrap_err().to_string();
            assert!(said.contains(part), "grep {line}: {said}");
        }
    }
}
