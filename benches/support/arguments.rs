//! What stands after `--` on the command line of a benchmark: `--name value` and `--flag`.

use anyhow::{Context, Result, bail};

/// Options of one benchmark, checked against what it knows.
pub(crate) struct Arguments(Vec<(String, Option<String>)>);

impl Arguments {
    /// Reads the process's arguments. `valued` take a value, `flags` do not; `--bench` comes from Cargo.
    pub(crate) fn read(valued: &[&str], flags: &[&str]) -> Result<Self> {
        let mut found = Vec::new();
        let mut given = std::env::args().skip(1).filter(|argument| argument != "--bench");
        while let Some(argument) = given.next() {
            let name = argument.trim_start_matches("--").to_owned();
            if valued.contains(&name.as_str()) {
                let value = given.next().with_context(|| format!("--{name} needs a value"))?;
                found.push((name, Some(value)));
            } else if flags.contains(&name.as_str()) {
                found.push((name, None));
            } else {
                bail!("unknown argument {argument}: this benchmark takes {valued:?} with a value, and {flags:?}");
            }
        }
        Ok(Self(found))
    }

    /// Whether the flag was given.
    pub(crate) fn has(&self, flag: &str) -> bool {
        self.0.iter().any(|(name, _)| name == flag)
    }

    /// The option as it was written; the last one counts.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().rev().find(|(given, _)| given == name)?;
        value.as_deref()
    }

    /// The option as a number above zero.
    pub(crate) fn number(&self, name: &str, default: u64) -> Result<u64> {
        let Some(text) = self.text(name) else { return Ok(default) };
        match text.parse() {
            Ok(number) if number > 0 => Ok(number),
            _ => bail!("--{name} {text}: a whole number above zero is allowed"),
        }
    }
}
