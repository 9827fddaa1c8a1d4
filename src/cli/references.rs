//! Reports of earlier runs, read for comparison.

use std::collections::BTreeMap;
use std::io::ErrorKind;

use crate::report;
use crate::slo::Reference;
use crate::spec::Spec;
use crate::stats::Summary;

/// Saved runs by what the objective calls them.
pub(super) type References = BTreeMap<Reference, Summary>;

/// Reads all reports that the objective compares with. A report of the last run that is not there yet is none, which is
/// the second value's business: a note.
///
/// # Errors
/// Every file that cannot be read or is no report, a line each.
pub(super) fn references(spec: &Spec) -> Result<(References, Vec<String>), String> {
    let (mut found, mut notes, mut problems) = (References::new(), Vec::new(), String::new());
    for (reference, path) in &spec.references {
        let flag = if *reference == Reference::Last { "--last" } else { "--baseline" };
        let shown = path.display();
        match std::fs::read(path) {
            Err(error) if *reference == Reference::Last && error.kind() == ErrorKind::NotFound => {
                notes.push(format!("--last: there is no '{shown}' yet, so nothing to compare with"));
            }
            Err(error) => problems += &format!("{flag}: cannot read '{shown}': {error}\n"),
            Ok(text) => match report::saved(&text) {
                Ok(summary) => _ = found.insert(reference.clone(), summary),
                Err(why) => problems += &format!("{flag}: '{shown}' cannot be compared with: {why}\n"),
            },
        }
    }
    if problems.is_empty() { Ok((found, notes)) } else { Err(problems) }
}
