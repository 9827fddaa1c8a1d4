//! A file that a report goes to.

use std::fs::File;
use std::io::{self, Write as _};

use crate::spec::Saved;

/// Opens the file before anything is sent, so that nobody learns afterwards that it cannot be written. What it holds is
/// kept until the report is there: it may be one that this run is compared with.
///
/// # Errors
/// Why it cannot be written, as a line.
pub(super) fn open(saved: &Saved) -> Result<File, String> {
    let opened = File::options().write(true).create(true).truncate(false).open(&saved.path);
    opened.map_err(|error| format!("--report: cannot write '{}': {error}\n", saved.path.display()))
}

/// Writes the report in place of what the file held.
pub(super) fn replace(file: &mut File, text: &str) -> io::Result<()> {
    if file.metadata()?.is_file() {
        file.set_len(0)?;
    }
    file.write_all(text.as_bytes())
}
