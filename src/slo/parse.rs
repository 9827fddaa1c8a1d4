//! Reading a whole line, and finding all its mistakes at once.

use super::bound::{bound, comparison};
use super::clause::{Clause, Line};
use super::error::{ParseError, ParseErrors};
use super::metric::{metric, selectors};
use super::options::options;
use super::token::Cursor;

/// Most mistakes worth reporting at once.
const MOST_ERRORS: usize = 20;

/// Reads an objective such as `success>=99%, p99<500ms`.
///
/// # Errors
///
/// Every mistake found, at most 20: after one, reading goes on behind the next separator.
pub fn parse(text: &str) -> Result<Line, ParseErrors> {
    let mut cursor = Cursor::new(text);
    let (mut clauses, mut errors) = (Vec::new(), Vec::new());
    cursor.take(char::is_whitespace);
    while !cursor.at_end() && errors.len() < MOST_ERRORS {
        let start = cursor.pos();
        match clause(&mut cursor) {
            Ok(clause) => clauses.push(clause),
            Err(error) => {
                errors.push(error);
                cursor.resynchronise(start);
            }
        }
        cursor.separator();
    }
    if clauses.is_empty() && errors.is_empty() {
        errors.push(Cursor::new(text).error("expected a clause, e.g. success>=99%, p99<500ms"));
    }
    clauses.shrink_to_fit();
    if errors.is_empty() { Ok(Line { clauses }) } else { Err(ParseErrors(errors)) }
}

fn clause(cursor: &mut Cursor<'_>) -> Result<Clause, ParseError> {
    let metric = metric(cursor)?;
    let selectors = selectors(cursor)?;
    cursor.skip_blank();
    let compared_at = cursor.pos();
    let comparison = comparison(cursor, &metric)?;
    let bound = bound(cursor, &metric, comparison, compared_at)?;
    let options = options(cursor, &metric, &bound)?;
    Ok(Clause { metric, selectors, comparison, bound, options })
}
