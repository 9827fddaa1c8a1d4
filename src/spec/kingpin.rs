//! Command lines as Go's kingpin package reads them, because ghz does: `--flag=value`, `--flag value`, `-c 2`, `-c2`,
//! `--no-flag`, and flags after the arguments too.

use super::line::shown;

/// A flag that a program knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Flag {
    /// Its name, without dashes.
    pub(super) name: &'static str,
    /// Its letter, if it has one.
    pub(super) short: Option<char>,
    /// Whether it stands alone.
    pub(super) switch: bool,
}

/// Flags with their values, in the order given, and the words that are none. A switch is `true` or `false`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Given {
    /// Each flag by its name.
    pub(super) flags: Vec<(&'static str, String)>,
    /// The other words.
    pub(super) arguments: Vec<String>,
}

impl Given {
    /// The value that counts: the last one.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.flags.iter().rev().find(|(given, _)| *given == name).map(|(_, value)| value.as_str())
    }

    /// Whether a switch is on.
    pub(super) fn is_on(&self, name: &str) -> bool {
        self.text(name) == Some("true")
    }
}

/// Reads `words`.
///
/// # Errors
/// The first word that cannot be read, in kingpin's words.
pub(super) fn parse(flags: &[Flag], words: &[String]) -> Result<Given, String> {
    let mut given = Given::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if word == "--" {
            given.arguments.extend(words.by_ref().cloned());
        } else if let Some(long) = word.strip_prefix("--") {
            let (name, attached) = match long.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (long, None),
            };
            let known = |name: &str| flags.iter().find(|flag| flag.name == name);
            let off = || name.strip_prefix("no-").and_then(known).filter(|flag| flag.switch);
            match known(name) {
                Some(flag) => given.flags.push((flag.name, value(*flag, &format!("--{name}"), attached, &mut words)?)),
                None => match off().filter(|_| attached.is_none()) {
                    Some(flag) => given.flags.push((flag.name, "false".to_owned())),
                    None => return Err(format!("unknown long flag '--{}'", shown(name))),
                },
            }
        } else if let Some(letters) = word.strip_prefix('-').filter(|letters| !letters.is_empty()) {
            self::letters(flags, letters, &mut words, &mut given)?;
        } else {
            given.arguments.push(word.clone());
        }
    }
    Ok(given)
}

/// Reads `-c2` or `-ec2`: switches may stand together, and what follows a letter that takes a value is its value.
fn letters<'w>(
    flags: &[Flag],
    letters: &str,
    words: &mut impl Iterator<Item = &'w String>,
    given: &mut Given,
) -> Result<(), String> {
    for (at, letter) in letters.char_indices() {
        let flag = flags.iter().find(|flag| flag.short == Some(letter));
        let flag = flag.ok_or_else(|| {
            let letter = shown(&letter.to_string());
            match letters.len() {
                1 => format!("unknown short flag '-{letter}'"),
                _ => format!("unknown short flag '-{letter}' in '-{}'; a name has two dashes", shown(letters)),
            }
        })?;
        let rest = &letters[at + letter.len_utf8()..];
        let attached = (!flag.switch && !rest.is_empty()).then(|| rest.to_owned());
        let ends = attached.is_some();
        given.flags.push((flag.name, value(*flag, &format!("-{letter}"), attached, words)?));
        if ends {
            break;
        }
    }
    Ok(())
}

fn value<'w>(
    flag: Flag,
    word: &str,
    attached: Option<String>,
    words: &mut impl Iterator<Item = &'w String>,
) -> Result<String, String> {
    match (flag.switch, attached) {
        (true, None) => Ok("true".to_owned()),
        (true, Some(value)) if value == "true" || value == "false" => Ok(value),
        (true, Some(value)) => Err(format!("unexpected '{}' after the switch '{word}'", shown(&value))),
        (false, Some(value)) => Ok(value),
        (false, None) => {
            let next = words.next().filter(|next| !next.starts_with('-') || next.len() == 1);
            next.cloned().ok_or_else(|| format!("expected argument for flag '{word}'"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLAGS: [Flag; 4] = [
        Flag { name: "insecure", short: None, switch: true },
        Flag { name: "enable", short: Some('e'), switch: true },
        Flag { name: "concurrency", short: Some('c'), switch: false },
        Flag { name: "data", short: Some('d'), switch: false },
    ];

    fn read(line: &str) -> Result<String, String> {
        let words: Vec<String> = line.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect();
        let given = parse(&FLAGS, &words)?;
        let flags = given.flags.iter().map(|(name, value)| format!("{name}={value}"));
        Ok(flags.chain(given.arguments.iter().map(|word| format!("[{word}]"))).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn flags_stand_anywhere_and_in_every_form() {
        for (line, expected, why) in [
            ("-c 2 host", "concurrency=2 [host]", "a letter and a word"),
            ("-c2 host", "concurrency=2 [host]", "attached"),
            ("-c=2", "concurrency==2", "an equals sign belongs to the value, as in kingpin"),
            ("--concurrency=2 --data a=b", "concurrency=2 data=a=b", "a name"),
            ("host --insecure", "insecure=true [host]", "after the host"),
            ("--insecure --no-insecure", "insecure=true insecure=false", "switched off again"),
            ("--insecure=false", "insecure=false", "a value that says the same"),
            ("-ec2", "enable=true concurrency=2", "letters together"),
            ("-d -", "data=-", "a dash alone is a word"),
            ("-- -c --x", "[-c] [--x]", "an end of the flags"),
        ] {
            assert_eq!(read(line), Ok(expected.to_owned()), "{line}: {why}");
        }
        let given = Given { flags: vec![("data", "1".into()), ("data", "2".into())], arguments: Vec::new() };
        assert_eq!((given.text("data"), given.is_on("insecure")), (Some("2"), false));
    }

    #[test]
    fn what_is_no_flag_is_said_in_kingpins_words() {
        for (line, said) in [
            ("--connections 2", "unknown long flag '--connections'"),
            ("--no-data", "unknown long flag '--no-data'"),
            ("-q 10", "unknown short flag '-q'"),
            ("-insecure", "unknown short flag '-i' in '-insecure'; a name has two dashes"),
            ("-\u{1b}[2J", "unknown short flag '-' in '-[2J'; a name has two dashes"),
            ("-c", "expected argument for flag '-c'"),
            ("--data --insecure", "expected argument for flag '--data'"),
            ("--insecure=perhaps", "unexpected 'perhaps' after the switch '--insecure'"),
        ] {
            assert_eq!(read(line), Err(said.to_owned()), "{line}");
        }
    }
}
