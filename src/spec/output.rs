//! The forms a report can have, and how a file's name tells which is meant.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::mistake::{WRONG, Wrong, wrong};

/// Form of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Output {
    /// For people, on a terminal.
    #[default]
    Text,
    /// For programs: everything there is.
    Json,
    /// For spreadsheets: a row a second.
    Csv,
    /// For continuous integration: a test case a clause.
    Junit,
    /// For people, in a browser.
    Html,
}

impl Output {
    /// Every form with its name and, where it can be saved, how the file's name ends.
    const ALL: [(Self, &'static str, Option<&'static str>); 5] = [
        (Self::Text, "text", None),
        (Self::Json, "json", Some("json")),
        (Self::Csv, "csv", Some("csv")),
        (Self::Junit, "junit", Some("xml")),
        (Self::Html, "html", Some("html")),
    ];

    /// The names of all forms.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::ALL.iter().map(|(_, name, _)| *name)
    }

    /// The form that the name of a file asks for.
    fn of_file(path: &Path) -> Option<Self> {
        let given = path.extension()?.to_str()?.to_ascii_lowercase();
        Self::ALL.iter().find(|(_, _, extension)| *extension == Some(given.as_str())).map(|(form, _, _)| *form)
    }
}

impl FromStr for Output {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.iter().find(|(_, name, _)| *name == text).map(|(form, _, _)| *form).ok_or(())
    }
}

/// A file to write a report to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// Where it goes.
    pub path: PathBuf,
    /// In which form; never [`Output::Text`].
    pub form: Output,
}

impl Saved {
    /// Reads a file's name, whose ending says the form.
    ///
    /// # Errors
    /// What in particular is wrong, or nothing where that is plain.
    pub fn read(text: &str) -> Result<Self, Option<String>> {
        saved(text).map_err(|wrong| wrong.advice)
    }
}

/// The same for the table of keys.
pub(super) fn saved(text: &str) -> Result<Saved, Wrong> {
    let path = PathBuf::from(text);
    match Output::of_file(&path) {
        Some(form) => Ok(Saved { path, form }),
        None if text.trim().is_empty() => Err(WRONG),
        None => Err(wrong("the ending says which form is meant")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_files_ending_says_its_form_whatever_its_case() {
        for (name, form) in [
            ("report.json", Some(Output::Json)),
            ("out/report.html", Some(Output::Html)),
            ("TEST-canary.XML", Some(Output::Junit)),
            ("seconds.v2.csv", Some(Output::Csv)),
            ("report.txt", None),
            ("report.text", None),
            ("report", None),
            (".json", None),
            ("html", None),
            ("", None),
            (" ", None),
        ] {
            assert_eq!(saved(name).ok().map(|saved| saved.form), form, "{name:?}");
        }
    }

    #[test]
    fn every_form_is_found_by_its_name() {
        for (form, name, _) in Output::ALL {
            assert_eq!(name.parse(), Ok(form));
        }
        assert_eq!("xml".parse::<Output>(), Err(()));
        assert_eq!(Output::names().collect::<Vec<_>>(), ["text", "json", "csv", "junit", "html"]);
    }
}
