//! Reading a comparison and a bound, and refusing those that mean nothing or the opposite.

use crate::stats::Series;

use super::clause::{Better, Bound, Comparison, Margin, Metric, Offset, Reference, Share};
use super::decimal::Decimal;
use super::error::ParseError;
use super::suggest;
use super::token::{Cursor, is_word};
use super::unit::{Dimension, Quantity, Unit};

/// Reads a comparison, and refuses those that `metric` never takes.
pub(super) fn comparison(cursor: &mut Cursor<'_>, metric: &Metric) -> Result<Comparison, ParseError> {
    cursor.skip_blank();
    let start = cursor.pos();
    let name = metric.name();
    let Some(comparison) = Comparison::ALL.into_iter().find(|comparison| cursor.eat(comparison.symbol())) else {
        let found = cursor.found();
        let hint = suggest::comparison(metric, cursor.peek())
            .map_or_else(|| format!(", found {found}"), |meant| format!("; did you mean {meant} ?"));
        return Err(cursor.error(format!("expected < <= > >= == != after {name}{hint}")));
    };
    let symbol = comparison.symbol();
    let whole = matches!(metric, Metric::Share(share) if *share != Share::Achieved);
    if comparison.is_exact() && !whole && !matches!(metric, Metric::Count | Metric::Prom(_)) {
        return Err(continuous(cursor, start, metric, comparison));
    }
    let wrong = match metric.better() {
        Better::More if comparison.is_upper() => Some(">="),
        Better::Less if comparison.is_lower() => Some("<="),
        _ => None,
    };
    let demand = if metric.is_time() { "slowness" } else { "failure" };
    match wrong {
        Some(meant) => {
            Err(cursor.error_at(start, format!("{name}{symbol}... would demand {demand}; did you mean {meant} ?")))
        }
        None => Ok(comparison),
    }
}

fn continuous(cursor: &Cursor<'_>, at: usize, metric: &Metric, comparison: Comparison) -> ParseError {
    let (name, symbol) = (metric.name(), comparison.symbol());
    cursor.error_at(at, format!("{symbol} is not allowed on {name} (a continuous quantity); use <= or >="))
}

/// Reads a bound for `metric`; `compared_at` is where the comparison stands.
pub(super) fn bound(
    cursor: &mut Cursor<'_>,
    metric: &Metric,
    comparison: Comparison,
    compared_at: usize,
) -> Result<Bound, ParseError> {
    cursor.skip_blank();
    let start = cursor.pos();
    let exact = comparison.is_exact();
    match cursor.peek() {
        Some(c) if c.is_ascii_digit() => {
            let quantity = quantity(cursor, metric, false)?;
            sensible(metric, comparison, quantity).map_err(|message| cursor.error_at(start, message))?;
            let counted = quantity.number.is_zero() || quantity.unit.is_none_or(|u| u.dimension() == Dimension::Count);
            if exact && !counted && !matches!(metric, Metric::Prom(_)) {
                return Err(continuous(cursor, compared_at, metric, comparison));
            }
            if let Some(message) = inverted_zero(metric, comparison, quantity) {
                return Err(cursor.error_at(compared_at, message));
            }
            Ok(Bound::Absolute(quantity))
        }
        Some('-') => Err(cursor.error("a bound is never negative")),
        Some('.') => Err(cursor.error("a number begins with a digit: write 0.5, not .5")),
        _ => {
            let base = reference(cursor)?;
            if exact {
                return Err(continuous(cursor, compared_at, metric, comparison));
            }
            Ok(Bound::Relative { base, offset: offset(cursor, metric)? })
        }
    }
}

/// `errors!=0` and `success==0` demand failure.
fn inverted_zero(metric: &Metric, comparison: Comparison, quantity: Quantity) -> Option<String> {
    let meant = match (metric.better(), comparison) {
        (Better::Less, Comparison::Ne) => "==",
        (Better::More, Comparison::Eq) => ">=",
        _ => return None,
    };
    let name = metric.name();
    quantity
        .number
        .is_zero()
        .then(|| format!("{name}{}... would demand failure; did you mean {meant} ?", comparison.symbol()))
}

/// Whether the clause can both hold and fail.
fn sensible(metric: &Metric, comparison: Comparison, quantity: Quantity) -> Result<(), String> {
    let value = quantity.in_base_units();
    let name = metric.name();
    let is_share = matches!(quantity.unit, Some(Unit::Percent)) && matches!(metric, Metric::Share(_));
    if is_share && value.num > value.den {
        return Err(format!("{name} is a share of the requests: at most 100%"));
    }
    if is_share && value.num == value.den && comparison == Comparison::Gt {
        return Err(format!("{name}>100% can never hold; write >=100%"));
    }
    if value.num == 0 && comparison == Comparison::Lt {
        return Err(format!("{name}<0 can never hold; write <=0 or a greater bound"));
    }
    if value.num == 0 && comparison == Comparison::Ge && matches!(metric, Metric::Series(..)) {
        return Err(format!("{name}>=0 always holds; write >0 or a greater bound"));
    }
    if quantity.unit == Some(Unit::Request) && quantity.number.as_whole().is_none() {
        return Err(format!("{} is no whole number of requests", quantity.number));
    }
    if value.floor() >= 1 << 63 {
        return Err(format!("{quantity} is out of range"));
    }
    Ok(())
}

/// Reads number and unit, of the kind that `metric` takes as a bound or as an allowance on a reference.
fn quantity(cursor: &mut Cursor<'_>, metric: &Metric, allowance: bool) -> Result<Quantity, ParseError> {
    let start = cursor.pos();
    let number = decimal(cursor)?;
    let unit_at = cursor.pos();
    let Some(unit) = unit(cursor)? else {
        let free = number.is_zero() && !allowance && matches!(metric, Metric::Share(_));
        return if free {
            Ok(Quantity { number, unit: None })
        } else {
            Err(cursor.error_at(start, suggest::missing_unit(metric, number, allowance)))
        };
    };
    if allowance && matches!(metric, Metric::Share(_)) && unit == Unit::Percent {
        let factor = number.as_factor(false);
        let message =
            format!("ambiguous offset on a share: write {number}pp (percentage points) or *{factor} (relative)");
        return Err(cursor.error_at(start, message));
    }
    if !takes(metric, unit.dimension(), allowance) {
        let (name, needs) = (metric.name(), suggest::units_of(metric, allowance));
        return Err(cursor.error_at(unit_at, format!("{name} needs {needs}, not {}", unit.spelling())));
    }
    Ok(Quantity { number, unit: Some(unit) })
}

fn takes(metric: &Metric, dimension: Dimension, allowance: bool) -> bool {
    let own = match metric {
        Metric::Share(_) if allowance => return dimension == Dimension::Point,
        Metric::Share(Share::Achieved) => dimension == Dimension::Percent,
        Metric::Share(_) => matches!(dimension, Dimension::Percent | Dimension::Count),
        Metric::Series(Series::Size, _) => dimension == Dimension::Bytes,
        Metric::Series(..) => dimension == Dimension::Time,
        Metric::Rps => dimension == Dimension::Rate,
        Metric::Count => dimension == Dimension::Count,
        Metric::Prom(_) => dimension != Dimension::Point,
    };
    own || allowance && dimension == Dimension::Percent
}

/// Reads a number.
pub(super) fn decimal(cursor: &mut Cursor<'_>) -> Result<Decimal, ParseError> {
    let start = cursor.pos();
    let text = cursor.number();
    if text.is_empty() {
        let found = cursor.found();
        return Err(cursor.error(format!("expected a number, found {found}")));
    }
    Decimal::parse(text).ok_or_else(|| cursor.error_at(start, "a number has at most 18 digits, 15 behind the point"))
}

/// Reads a unit, directly behind the number or after a space; `None` if there is none.
fn unit(cursor: &mut Cursor<'_>) -> Result<Option<Unit>, ParseError> {
    if cursor.eat("%") {
        return Ok(Some(Unit::Percent));
    }
    let start = cursor.pos();
    let direct = cursor.take(is_unit);
    if let Some(unit) = spelled(direct) {
        return Ok(Some(unit));
    }
    if !direct.is_empty() {
        return Err(cursor.error_at(start, suggest::unknown_unit(direct)));
    }
    let mut ahead = *cursor;
    ahead.skip_blank();
    let unit = if ahead.eat("%") { Some(Unit::Percent) } else { spelled(ahead.take(is_unit)) };
    if unit.is_some() {
        *cursor = ahead;
    }
    Ok(unit)
}

fn is_unit(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '/')
}

pub(super) fn spelled(word: &str) -> Option<Unit> {
    Unit::SPELLINGS.iter().find(|(spelling, _)| *spelling == word).map(|(_, unit)| *unit)
}

fn reference(cursor: &mut Cursor<'_>) -> Result<Reference, ParseError> {
    let start = cursor.pos();
    let found = cursor.found();
    let word = cursor.take(is_reference);
    match word {
        "primary" => return Ok(Reference::Primary),
        "last" => return Ok(Reference::Last),
        "baseline" => {}
        _ => {
            let hint = suggest::did_you_mean(word, ["primary", "last", "baseline"]);
            let message =
                format!("expected a quantity such as 300ms, or primary, last or baseline(NAME), found {found}");
            return Err(cursor.error_at(start, message + &hint));
        }
    }
    cursor.skip_blank();
    if !cursor.eat("(") {
        return Err(cursor.error("baseline needs a name, e.g. baseline(v41): expected '('"));
    }
    let name = cursor.take(|c| !matches!(c, '(' | ')' | '\n')).trim();
    if name.is_empty() || !cursor.eat(")") {
        let expected = if name.is_empty() { "a name" } else { "')'" };
        return Err(cursor.error(format!("baseline needs a name, e.g. baseline(v41): expected {expected}")));
    }
    Ok(Reference::Baseline(name.to_owned()))
}

fn is_reference(c: char) -> bool {
    is_word(c) && c != '-'
}

fn offset(cursor: &mut Cursor<'_>, metric: &Metric) -> Result<Option<Offset>, ParseError> {
    cursor.skip_blank();
    if cursor.eat("*") {
        cursor.skip_blank();
        let start = cursor.pos();
        let factor = decimal(cursor)?;
        if factor.is_zero() {
            return Err(cursor.error_at(start, "a factor is greater than 0"));
        }
        return Ok(Some(Offset::Times(factor)));
    }
    if cursor.eat("+") {
        return Ok(Some(Offset::Plus(margin(cursor, metric)?)));
    }
    if cursor.eat("-") {
        return Ok(Some(Offset::Minus(margin(cursor, metric)?)));
    }
    Ok(None)
}

fn margin(cursor: &mut Cursor<'_>, metric: &Metric) -> Result<Margin, ParseError> {
    const FORM: &str = "max takes two bounds, e.g. max(10%,20ms)";
    cursor.skip_blank();
    let mut ahead = *cursor;
    if ahead.take(is_word) != "max" {
        return Ok(Margin::One(quantity(cursor, metric, true)?));
    }
    *cursor = ahead;
    let expect = |cursor: &mut Cursor<'_>, token: &str| {
        cursor.skip_blank();
        let found = cursor.eat(token);
        cursor.skip_blank();
        if found { Ok(()) } else { Err(cursor.error(format!("{FORM}: expected '{token}'"))) }
    };
    expect(cursor, "(")?;
    let one = quantity(cursor, metric, true)?;
    expect(cursor, ",")?;
    let other = quantity(cursor, metric, true)?;
    expect(cursor, ")")?;
    Ok(Margin::Max(one, other))
}
