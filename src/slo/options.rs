//! Reading what follows a bound: `@95 min=3000 abort`.

use crate::stats::Ns;

use super::bound::{decimal, spelled};
use super::clause::{Aggregate, Bound, Metric, Options, Otherwise, Share, name_of};
use super::decimal::Decimal;
use super::error::ParseError;
use super::metric::named;
use super::suggest;
use super::token::{Cursor, is_word, quoted};
use super::unit::Dimension;

const OPTIONS: &str = "there are @95 abort warn min= after= over= else=";

/// Reads options up to the clause's end.
pub(super) fn options(cursor: &mut Cursor<'_>, metric: &Metric, bound: &Bound) -> Result<Options, ParseError> {
    let mut options = Options::default();
    loop {
        cursor.skip_blank();
        if cursor.at_separator() {
            return Ok(options);
        }
        let start = cursor.pos();
        if cursor.eat("@") {
            let confidence = confidence(cursor)?;
            if let Some(why) = never_tested(metric, bound) {
                return Err(cursor.error_at(start, format!("@{confidence} is for shares and quantiles; {why}")));
            }
            once(cursor, start, "@", &mut options.confidence, confidence)?;
            continue;
        }
        match cursor.take(is_word) {
            "abort" if options.warn => return Err(exclusive(cursor, start)),
            "warn" if options.abort => return Err(exclusive(cursor, start)),
            "abort" => options.abort = true,
            "warn" => options.warn = true,
            "min" => {
                let least = least(cursor)?;
                once(cursor, start, "min=", &mut options.min, least)?;
            }
            "after" => {
                let span = span(cursor, "after")?;
                once(cursor, start, "after=", &mut options.after, span)?;
            }
            "over" => {
                let span = span(cursor, "over")?;
                once(cursor, start, "over=", &mut options.over, span)?;
            }
            "else" => {
                let otherwise = otherwise(cursor)?;
                once(cursor, start, "else=", &mut options.otherwise, otherwise)?;
            }
            other => return Err(unexpected(cursor, start, other)),
        }
    }
}

fn once<T>(cursor: &Cursor<'_>, at: usize, name: &str, slot: &mut Option<T>, value: T) -> Result<(), ParseError> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(cursor.error_at(at, format!("{name} is given twice"))),
    }
}

fn exclusive(cursor: &Cursor<'_>, at: usize) -> ParseError {
    cursor.error_at(at, "abort and warn exclude each other: a clause without effect cannot stop the load")
}

fn confidence(cursor: &mut Cursor<'_>) -> Result<Decimal, ParseError> {
    cursor.skip_blank();
    let start = cursor.pos();
    let confidence = decimal(cursor)?;
    let value = confidence.over(1);
    if value.num <= 50 * value.den || value.num * 100 > 9_999 * value.den {
        return Err(cursor.error_at(start, "confidence must be between 50 and 99.99, e.g. @95"));
    }
    cursor.eat("%");
    Ok(confidence)
}

/// Why no amount of evidence could decide the clause at a confidence; `None` if some can.
fn never_tested(metric: &Metric, bound: &Bound) -> Option<String> {
    let tested = match metric {
        Metric::Series(_, Aggregate::Quantile(_) | Aggregate::Med) => true,
        Metric::Share(Share::Achieved) => false,
        Metric::Share(_) => match bound {
            Bound::Relative { .. } => true,
            Bound::Absolute(quantity) => {
                let value = quantity.in_base_units();
                let percent = quantity.unit.is_some_and(|unit| unit.dimension() == Dimension::Percent);
                if percent && (value.num == 0 || value.num == value.den) {
                    return Some(format!("no number of requests can show exactly {quantity}"));
                }
                percent
            }
        },
        _ => false,
    };
    (!tested).then(|| format!("leave it off for {}", metric.name()))
}

fn value_of(cursor: &mut Cursor<'_>, name: &str, example: &str) -> Result<(), ParseError> {
    cursor.skip_blank();
    if !cursor.eat("=") {
        return Err(cursor.error(format!("{name} needs a value, e.g. {name}={example}: expected '='")));
    }
    cursor.skip_blank();
    Ok(())
}

fn least(cursor: &mut Cursor<'_>) -> Result<u64, ParseError> {
    value_of(cursor, "min", "3000")?;
    let start = cursor.pos();
    let text = cursor.take(|c| !c.is_whitespace() && !matches!(c, ',' | ';' | '&'));
    let number = text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    number
        .filter(|least| (1..=1_000_000_000_000).contains(least))
        .ok_or_else(|| cursor.error_at(start, "min= is a number of requests from 1 to 10^12, e.g. min=3000"))
}

/// Reads a span: `5s`, `1m30s`.
fn span(cursor: &mut Cursor<'_>, name: &str) -> Result<Ns, ParseError> {
    value_of(cursor, name, "5s")?;
    let start = cursor.pos();
    let mut total = 0_u128;
    loop {
        let number = decimal(cursor)?;
        cursor.skip_blank();
        let unit_at = cursor.pos();
        let unit = match cursor.take(char::is_alphabetic) {
            "" => return Err(cursor.error_at(start, format!("{name}= needs a time unit; did you mean {number}s?"))),
            word => spelled(word).ok_or_else(|| cursor.error_at(unit_at, suggest::unknown_unit(word)))?,
        };
        if unit.dimension() != Dimension::Time {
            return Err(cursor.error_at(unit_at, format!("{name}= needs a time (ns us ms s m), e.g. {name}=5s")));
        }
        total += number.times(unit.factor()).floor();
        if !cursor.peek().is_some_and(|c| c.is_ascii_digit()) {
            break;
        }
    }
    let day = 24 * 3_600 * 1_000_000_000;
    match u64::try_from(total) {
        Ok(span) if span > 0 && span <= day => Ok(Ns(span)),
        _ => Err(cursor.error_at(start, format!("{name}= is longer than 0 and at most 24 hours"))),
    }
}

fn otherwise(cursor: &mut Cursor<'_>) -> Result<Otherwise, ParseError> {
    value_of(cursor, "else", name_of(&Otherwise::NAMED, &Otherwise::Retry))?;
    let start = cursor.pos();
    let word = cursor.take(is_word);
    Otherwise::NAMED
        .iter()
        .find(|(name, _)| *name == word)
        .map(|(_, value)| *value)
        .ok_or_else(|| cursor.error_at(start, format!("else= is pass, fail or retry, not {}", quoted(word))))
}

fn unexpected(cursor: &Cursor<'_>, at: usize, word: &str) -> ParseError {
    let found = if word.is_empty() { cursor.found() } else { quoted(word) };
    let between = format!("expected ',' between clauses, found {found}");
    let names = ["abort", "warn", "min", "after", "over", "else"];
    let message = match word {
        "or" | "OR" | "||" => {
            format!("{between}; OR is not supported: every clause must hold (use 'warn' for advisory clauses)")
        }
        "and" | "AND" | "" => between,
        _ if named(word).is_some() => between,
        _ => format!("unknown option {found} ({OPTIONS}){}", suggest::did_you_mean(word, names)),
    };
    cursor.error_at(at, message)
}
