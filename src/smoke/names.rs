//! Whose value may be used where: values of the file and the command line everywhere, captured ones in later steps only.

use std::collections::BTreeMap;

use super::mistake::did_you_mean;
use super::text::Values;

/// Who captures a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Source {
    /// The number of the step.
    pub(super) step: usize,
    /// Its name.
    pub(super) name: String,
    /// The line it begins on.
    pub(super) line: u32,
}

/// The names that can be used at one place.
pub(super) struct Names<'a> {
    /// Values that are known.
    pub(super) known: &'a Values,
    /// Values that steps capture.
    pub(super) captured: &'a BTreeMap<String, Source>,
    /// The step that would use them; `None` outside steps.
    pub(super) step: Option<usize>,
    /// The environment.
    pub(super) env: &'a dyn Fn(&str) -> Option<String>,
}

/// Why a name cannot be used.
pub(super) struct Unknown {
    pub(super) said: String,
    pub(super) advice: String,
}

fn unknown(said: impl Into<String>, advice: impl Into<String>) -> Unknown {
    Unknown { said: said.into(), advice: advice.into() }
}

impl Names<'_> {
    /// Whether the name has a value here.
    pub(super) fn find(&self, name: &str) -> Result<(), Unknown> {
        if let Some(variable) = name.strip_prefix("env.") {
            return match (self.env)(variable) {
                Some(_) => Ok(()),
                None => Err(unknown("the environment does not have it", format!("set {variable} for tollgate"))),
            };
        }
        if self.known.contains_key(name) {
            return Ok(());
        }
        match (self.captured.get(name), self.step) {
            (Some(source), Some(step)) if source.step < step => Ok(()),
            (Some(source), Some(step)) if source.step == step => {
                let advice = format!("capture it in a step before '{}'", source.name);
                Err(unknown("this very step captures it, from its answer", advice))
            }
            (Some(source), Some(_)) => {
                let said = format!("step '{}' on line {} captures it, which comes later", source.name, source.line);
                Err(unknown(said, format!("move this step behind '{}'", source.name)))
            }
            (Some(source), None) => {
                let said = format!("step '{}' on line {} captures it", source.name, source.line);
                Err(unknown(said, "what steps capture can be used in later steps only"))
            }
            (None, _) => Err(self.nobody(name)),
        }
    }

    fn nobody(&self, name: &str) -> Unknown {
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        if name.is_empty() || name.starts_with('.') || !name.chars().all(is_name) {
            let advice = "if it belongs to a Helm chart, render that first; for {{ itself write {{{{";
            return unknown("that is no name", advice);
        }
        let names = self.known.keys().chain(self.captured.keys()).map(String::as_str);
        let advice = did_you_mean(name, names)
            .unwrap_or_else(|| format!("give it with --var {name}=…, under vars, or with capture in a step before"));
        unknown("there is no such value", advice)
    }

    /// The values that are known now, with those of the environment that are named.
    pub(super) fn values<'n>(&self, names: impl Iterator<Item = &'n str>) -> Values {
        let mut values = self.known.clone();
        let variables = names.filter_map(|name| Some((name.to_owned(), (self.env)(name.strip_prefix("env.")?)?)));
        values.extend(variables);
        values
    }
}
