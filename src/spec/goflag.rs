//! Command lines as Go's `flag` package reads them, because hey and Flagger's loadtester do: one dash or two, `-n 5` or
//! `-n=5`, switches that take no second word, and the first word that is no flag ends the flags.
//!
//! Errors are in Go's words: scripts look for them.

use super::duration::GoDuration;
use super::gonumber::{Unread, boolean, float, int};

/// What a flag takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Nothing, or a value with `=` only.
    Switch,
    /// A whole number.
    Int,
    /// A number.
    Float,
    /// A duration.
    Duration,
    /// Any text.
    Text,
}

/// A flag that a program knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flag {
    /// Its name, without dashes.
    pub name: &'static str,
    /// What it takes.
    pub takes: Takes,
}

/// A flag's value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Of [`Takes::Switch`].
    Switch(bool),
    /// Of [`Takes::Int`].
    Int(i64),
    /// Of [`Takes::Float`]; may be infinite or not a number.
    Float(f64),
    /// Of [`Takes::Duration`]; may be negative.
    Duration(GoDuration),
    /// Of [`Takes::Text`].
    Text(String),
}

/// Why a command line is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FlagError {
    /// `-help`, or `-h` where that is no flag: no mistake, the usage is wanted.
    #[error("flag: help requested")]
    Help,
    /// A flag that the program does not know; its name.
    #[error("flag provided but not defined: -{}", plain(.0))]
    Unknown(String),
    /// The last word is a flag and its value is missing; its name.
    #[error("flag needs an argument: -{0}")]
    NoValue(&'static str),
    /// A word such as `---n` or `-=1`.
    #[error("bad flag syntax: {}", plain(.0))]
    Syntax(String),
    /// A switch with a value that is neither true nor false.
    #[error("invalid boolean value {} for -{name}: {why}", quoted(.given))]
    NoSwitch {
        /// The switch.
        name: &'static str,
        /// Its value.
        given: String,
        /// What is wrong with it.
        why: Unread,
    },
    /// A value that is none.
    #[error("invalid value {} for flag -{name}: {why}", quoted(.given))]
    NoSuchValue {
        /// The flag.
        name: &'static str,
        /// Its value.
        given: String,
        /// What is wrong with it.
        why: Unread,
    },
}

/// Flags with their values, in the order given.
pub type Flags = Vec<(&'static str, Value)>;

/// Reads flags from the front of `words`: each flag given with its value, in order, and the words that are left.
///
/// # Errors
/// The first mistake, as Go stops at it.
pub fn parse<'w>(flags: &[Flag], words: &'w [String]) -> Result<(Flags, &'w [String]), FlagError> {
    let mut given = Vec::new();
    let mut rest = words;
    while let Some((word, after)) = rest.split_first() {
        let Some(body) = word.strip_prefix('-').filter(|body| !body.is_empty()) else { break };
        let body = body.strip_prefix('-').unwrap_or(body);
        if body.is_empty() {
            rest = after;
            break;
        }
        rest = after;
        if body.starts_with(['-', '=']) {
            return Err(FlagError::Syntax(word.clone()));
        }
        let (name, mut attached) = match body.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (body, None),
        };
        let Some(flag) = flags.iter().find(|flag| flag.name == name) else {
            let help = name == "help" || name == "h";
            return Err(if help { FlagError::Help } else { FlagError::Unknown(name.to_owned()) });
        };
        if attached.is_none() && flag.takes != Takes::Switch {
            let (value, after) = rest.split_first().ok_or(FlagError::NoValue(flag.name))?;
            attached = Some(value.clone());
            rest = after;
        }
        given.push((flag.name, value(*flag, attached)?));
    }
    Ok((given, rest))
}

fn value(flag: Flag, given: Option<String>) -> Result<Value, FlagError> {
    let Some(given) = given else { return Ok(Value::Switch(true)) };
    let read = match flag.takes {
        Takes::Switch => boolean(&given).map(Value::Switch),
        Takes::Int => int(&given).map(Value::Int),
        Takes::Float => float(&given).map(Value::Float),
        Takes::Duration => given.parse().map(Value::Duration).map_err(|_| Unread::Syntax),
        Takes::Text => return Ok(Value::Text(given)),
    };
    let name = flag.name;
    read.map_err(|why| match flag.takes {
        Takes::Switch => FlagError::NoSwitch { name, given, why },
        _ => FlagError::NoSuchValue { name, given, why },
    })
}

/// `text` without what could steer a terminal.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|c| if is_printable(c) { c } else { ' ' }).collect()
}

/// `text` in double quotes, escaped as Go's `%q` does.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{7}' => quoted.push_str("\\a"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{b}' => quoted.push_str("\\v"),
            '\u{c}' => quoted.push_str("\\f"),
            c if is_printable(c) => quoted.push(c),
            c if u32::from(c) < 0x80 => quoted.push_str(&format!("\\x{:02x}", u32::from(c))),
            c if u32::from(c) < 0x1_0000 => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => quoted.push_str(&format!("\\U{:08x}", u32::from(c))),
        }
    }
    quoted.push('"');
    quoted
}

/// Whether a character may be shown as it is: no control, no other blank than the usual one, no change of direction.
fn is_printable(c: char) -> bool {
    let steers = matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    c == ' ' || !(c.is_control() || c.is_whitespace() || steers)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLAGS: [Flag; 5] = [
        Flag { name: "n", takes: Takes::Int },
        Flag { name: "q", takes: Takes::Float },
        Flag { name: "z", takes: Takes::Duration },
        Flag { name: "h2", takes: Takes::Switch },
        Flag { name: "m", takes: Takes::Text },
    ];

    fn read(line: &str) -> Result<(Flags, Vec<String>), FlagError> {
        let words: Vec<String> = line.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect();
        parse(&FLAGS, &words).map(|(given, rest)| (given, rest.to_vec()))
    }

    #[test]
    fn flags_are_read_up_to_the_first_word_that_is_none() {
        let minute = GoDuration::from_nanos(60_000_000_000);
        let text = |text: &str| Value::Text(text.to_owned());
        for (line, given, rest, why) in [
            ("-z 1m u", vec![("z", Value::Duration(minute))], vec!["u"], "a dash and a word"),
            ("-z=1m u", vec![("z", Value::Duration(minute))], vec!["u"], "a dash and an equals sign"),
            ("--z 1m u", vec![("z", Value::Duration(minute))], vec!["u"], "two dashes"),
            ("--z=1m u", vec![("z", Value::Duration(minute))], vec!["u"], "two dashes and an equals sign"),
            ("u -n 5", vec![], vec!["u", "-n", "5"], "nothing after the first other word"),
            ("-n 5 - -n 6", vec![("n", Value::Int(5))], vec!["-", "-n", "6"], "a dash alone is such a word"),
            ("-n 5 -- -n 6", vec![("n", Value::Int(5))], vec!["-n", "6"], "two end the flags and are gone"),
            ("-h2 false", vec![("h2", Value::Switch(true))], vec!["false"], "a switch takes no word"),
            ("-h2=f u", vec![("h2", Value::Switch(false))], vec!["u"], "but a value"),
            ("-m -n 5", vec![("m", text("-n"))], vec!["5"], "a value may look like a flag"),
            ("-m= u", vec![("m", text(""))], vec!["u"], "or be empty"),
            ("-m=a=b", vec![("m", text("a=b"))], vec![], "only the first equals sign counts"),
            ("-n 1 -n 2", vec![("n", Value::Int(1)), ("n", Value::Int(2))], vec![], "the caller sees each"),
            ("-q 1e1", vec![("q", Value::Float(10.0))], vec![], "a number"),
        ] {
            let rest = rest.into_iter().map(str::to_owned).collect();
            assert_eq!(read(line), Ok((given, rest)), "{line}: {why}");
        }
    }

    #[test]
    fn mistakes_are_told_in_gos_words() {
        for (line, said) in [
            ("-x 1", "flag provided but not defined: -x"),
            ("-zz=1", "flag provided but not defined: -zz"),
            ("-N 1", "flag provided but not defined: -N"),
            ("-n", "flag needs an argument: -n"),
            ("---n 1", "bad flag syntax: ---n"),
            ("-=1", "bad flag syntax: -=1"),
            ("--=1", "bad flag syntax: --=1"),
            ("-n abc", "invalid value \"abc\" for flag -n: parse error"),
            ("-n=", "invalid value \"\" for flag -n: parse error"),
            ("-n 99999999999999999999", "invalid value \"99999999999999999999\" for flag -n: value out of range"),
            ("-q x", "invalid value \"x\" for flag -q: parse error"),
            ("-z 60", "invalid value \"60\" for flag -z: parse error"),
            ("-z 1d", "invalid value \"1d\" for flag -z: parse error"),
            ("-h2=yes", "invalid boolean value \"yes\" for -h2: parse error"),
            ("-help", "flag: help requested"),
            ("--h", "flag: help requested"),
        ] {
            assert_eq!(read(line).map_err(|error| error.to_string()), Err(said.to_owned()), "{line}");
        }
        assert_eq!(read("-n x -nope").map_err(|error| error.to_string()), read("-n x").map_err(|e| e.to_string()));
    }

    #[test]
    fn values_are_quoted_as_go_quotes_them() {
        for (text, shown) in [
            ("q\n\u{1}é\u{7f}\\'\"", r#""q\n\x01é\x7f\\'\"""#),
            ("\t\r\u{7}\u{8}\u{b}\u{c}", r#""\t\r\a\b\v\f""#),
            ("\u{202e}", r#""\u202e""#),
            ("a b", "\"a b\""),
        ] {
            assert_eq!(quoted(text), shown);
        }
        let steering = FlagError::Unknown("\u{1b}[2J\u{202e}".into()).to_string();
        assert_eq!(steering, "flag provided but not defined: - [2J ");
    }
}
