//! Saved reports that the objective compares with: which clause wants which, and in which file it is.

use std::path::PathBuf;

use super::build::{Objective, SpecBuilder};
use super::keys::Id;
use super::mistake::{WRONG, Wrong, wrong};
use crate::slo::Reference;

/// The references given, each with its file. What the objective wants and is not given is a mistake; what is given and
/// nothing compares with has no effect.
pub(super) fn references(
    wishes: &mut SpecBuilder,
    objective: Option<&Objective>,
    notes: &mut Vec<String>,
) -> Vec<(Reference, PathBuf)> {
    let last = wishes.read(Id::Last, file).map(|file| (Reference::Last, file));
    let mut given: Vec<(Reference, PathBuf)> =
        last.into_iter().chain(wishes.read_all(Id::Baseline, baseline)).collect();
    let mut twice = Vec::new();
    for (index, (reference, _)) in given.iter().enumerate() {
        if given[..index].iter().any(|(earlier, _)| earlier == reference) {
            twice.push(reference.to_string());
        }
    }
    if !twice.is_empty() {
        wishes.clash(Id::Baseline, "each name once", format!("{} is given twice", twice.join(", ")));
    }
    let wanted = objective.map(|objective| objective.line.references()).unwrap_or_default();
    for reference in &wanted {
        let named = |id: Id| wishes.is_given(id);
        let flag = match reference {
            Reference::Last if !named(Id::Last) => "--last FILE".to_owned(),
            Reference::Baseline(name) if !given.iter().any(|(given, _)| given == *reference) => {
                format!("--baseline {name}=FILE")
            }
            _ => continue,
        };
        let advice = format!("give the report of {reference} with {flag}");
        wishes.clash(Id::Slo, "clauses on runs whose reports are given", advice);
    }
    given.retain(|(reference, _)| {
        let compared = wanted.contains(reference);
        if !compared && objective.is_some() {
            notes.push(format!("the report of {reference} has no effect: no clause compares with it"));
        }
        compared
    });
    given
}

fn file(text: &str) -> Result<PathBuf, Wrong> {
    if text.is_empty() { Err(WRONG) } else { Ok(PathBuf::from(text)) }
}

fn baseline(text: &str) -> Result<(Reference, PathBuf), Wrong> {
    let (name, path) = text.split_once('=').ok_or(WRONG)?;
    let name = name.trim();
    if name.is_empty() || name.contains(['(', ')', '\n']) {
        return Err(wrong("a name is what stands between the parentheses of baseline(NAME)"));
    }
    Ok((Reference::Baseline(name.to_owned()), file(path)?))
}
