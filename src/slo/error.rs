//! What is wrong with an objective line, and where.

use std::fmt;

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// Where, in characters from the beginning of the text; the first is 1. One past the end for a missing rest.
    pub column: usize,
    /// What is wrong, what is allowed, what was probably meant.
    pub message: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "slo:{}: {}", self.column, self.message)
    }
}

impl std::error::Error for ParseError {}

impl ParseError {
    /// The line of `text` that is wrong, and under it a caret and the message:
    ///
    /// ```text
    /// p95<300
    ///     ^ latency.p95 needs a time unit; did you mean 300ms?
    /// ```
    #[must_use]
    pub fn caret(&self, text: &str) -> String {
        let mut left = self.column.saturating_sub(1);
        let mut shown = "";
        for line in text.split('\n') {
            shown = line;
            let length = line.chars().count();
            if left <= length {
                break;
            }
            left -= length + 1;
        }
        let shown = shown.trim_end_matches('\r');
        let pad: String =
            shown.chars().chain(std::iter::repeat(' ')).take(left).map(|c| if c == '\t' { c } else { ' ' }).collect();
        format!("{shown}\n{pad}^ {}", self.message)
    }
}

/// Every mistake that was found, in the order of the text; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseErrors(pub Vec<ParseError>);

impl fmt::Display for ParseErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, error) in self.0.iter().enumerate() {
            write!(f, "{}{error}", if i > 0 { "\n" } else { "" })?;
        }
        Ok(())
    }
}

impl std::error::Error for ParseErrors {}

impl ParseErrors {
    /// [`ParseError::caret`] of each.
    #[must_use]
    pub fn caret(&self, text: &str) -> String {
        self.0.iter().map(|error| error.caret(text)).collect::<Vec<_>>().join("\n")
    }
}
