//! Reading a metric and its selectors.

use crate::stats::{Answers, Series, grpc_status};

use super::clause::{Aggregate, Metric, Selector, SelectorKey, Share};
use super::decimal::Decimal;
use super::error::ParseError;
use super::needs::Query;
use super::suggest;
use super::token::{Cursor, is_word, quoted};

/// Reads a metric: `p95`, `ttfb.p99.9`, `success`, `5xx`, `rps`, `prom('…')`.
pub(super) fn metric(cursor: &mut Cursor<'_>) -> Result<Metric, ParseError> {
    let start = cursor.pos();
    let word = cursor.take(is_word);
    if word.is_empty() {
        let found = cursor.found();
        return Err(cursor.error(format!("expected a metric such as success, errors, p95 or rps, found {found}")));
    }
    if word == "prom" && cursor.peek() == Some('(') {
        return prometheus(cursor);
    }
    if (word == "p" || word.ends_with(".p")) && cursor.eat("(") {
        let digits = Some(cursor.number()).filter(|digits| !digits.is_empty() && digits.len() <= 8).unwrap_or("95");
        return Err(cursor.error_at(start, format!("write {word}{digits} (not {word}({digits}))")));
    }
    named(word).ok_or_else(|| cursor.error_at(start, suggest::unknown_metric(word)))
}

/// The metric of this name.
pub(super) fn named(word: &str) -> Option<Metric> {
    if let Some((_, share)) = Share::NAMED.iter().find(|(name, _)| *name == word) {
        return Some(Metric::Share(*share));
    }
    match word {
        "rps" => return Some(Metric::Rps),
        "count" => return Some(Metric::Count),
        _ => {}
    }
    if let Some(answers) = answers(word) {
        return Some(Metric::Share(Share::Answered(answers)));
    }
    let with_series = word
        .split_once('.')
        .and_then(|(name, rest)| Some((Series::ALL.into_iter().find(|series| series.name() == name)?, rest)));
    let (series, rest) = with_series.unwrap_or((Series::Latency, word));
    Some(Metric::Series(series, aggregate(rest)?))
}

fn aggregate(word: &str) -> Option<Aggregate> {
    match word {
        "min" => return Some(Aggregate::Min),
        "max" => return Some(Aggregate::Max),
        "avg" => return Some(Aggregate::Avg),
        "med" => return Some(Aggregate::Med),
        "stddev" => return Some(Aggregate::Stddev),
        _ => {}
    }
    let digits = word.strip_prefix('p')?;
    let (whole, behind) = digits.split_once('.').unwrap_or((digits, "0"));
    if !(1..=2).contains(&whole.len()) || behind.is_empty() {
        return None;
    }
    Decimal::parse(digits).filter(|percent| !percent.is_zero()).map(Aggregate::Quantile)
}

/// The answers of this name: `5xx`, `404`, `grpc.unavailable` or `grpc.14`.
pub(super) fn answers(word: &str) -> Option<Answers> {
    if let Some(name) = word.strip_prefix("grpc.") {
        return grpc_status(name).map(Answers::Grpc);
    }
    let first = word.bytes().next().filter(|b| (b'1'..=b'5').contains(b))?;
    if word.len() == 3 && word.ends_with("xx") {
        return Some(Answers::Class(first - b'0'));
    }
    let digits = word.len() == 3 && word.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| word.parse().ok()).flatten().map(Answers::Http)
}

fn prometheus(cursor: &mut Cursor<'_>) -> Result<Metric, ParseError> {
    const FORM: &str = "a Prometheus query is written prom('QUERY'), a quote inside as ''";
    cursor.eat("(");
    cursor.skip_blank();
    if !cursor.eat("'") {
        return Err(cursor.error(format!("{FORM}: expected '")));
    }
    let start = cursor.pos();
    let mut query = String::new();
    loop {
        query.push_str(cursor.take(|c| c != '\'' && c != '\n'));
        if !cursor.eat("'") {
            return Err(cursor.error(format!("{FORM}: the query is not closed, expected '")));
        }
        if !cursor.eat("'") {
            break;
        }
        query.push('\'');
    }
    if query.trim().is_empty() {
        return Err(cursor.error_at(start, format!("{FORM}: the query is empty")));
    }
    cursor.skip_blank();
    if !cursor.eat(")") {
        return Err(cursor.error(format!("{FORM}: expected )")));
    }
    Ok(Metric::Prom(Query(query)))
}

/// What a selector's value may be, if this one may not.
fn not_among(key: SelectorKey, value: &str) -> Option<&'static str> {
    match key {
        SelectorKey::Status if answers(value).is_none() => Some("2xx, 404 or grpc.unavailable"),
        SelectorKey::Target if !matches!(value, "canary" | "primary") => Some("canary or primary"),
        _ => None,
    }
}

/// Reads `{key=value,…}` if it comes next.
pub(super) fn selectors(cursor: &mut Cursor<'_>) -> Result<Vec<Selector>, ParseError> {
    cursor.skip_blank();
    let mut selectors: Vec<Selector> = Vec::new();
    if !cursor.eat("{") {
        return Ok(selectors);
    }
    loop {
        cursor.skip_blank();
        let start = cursor.pos();
        let word = cursor.take(is_word);
        let Some((_, key)) = SelectorKey::NAMED.iter().find(|(name, _)| *name == word) else {
            let found = cursor.found();
            return Err(if word.is_empty() {
                cursor.error(format!("expected a selector such as step=checkout, found {found}"))
            } else {
                cursor.error_at(start, suggest::unknown_selector(word))
            });
        };
        if selectors.iter().any(|selector| selector.key == *key) {
            return Err(cursor.error_at(start, format!("{word} is given twice")));
        }
        cursor.skip_blank();
        if !cursor.eat("=") {
            return Err(cursor.error(format!("expected '=' after {word}")));
        }
        cursor.skip_blank();
        let value_at = cursor.pos();
        let value = cursor.take(|c| !matches!(c, ',' | '}' | '\n')).trim_end();
        if value.is_empty() {
            return Err(cursor.error(format!("{word} needs a value, e.g. {word}=checkout")));
        }
        if let Some(allowed) = not_among(*key, value) {
            return Err(cursor.error_at(value_at, format!("{word} is {allowed}, not {}", quoted(value))));
        }
        selectors.push(Selector { key: *key, value: value.to_owned(), classes: None });
        if cursor.eat("}") {
            return Ok(selectors);
        }
        if !cursor.eat(",") {
            return Err(cursor.error("the selector is not closed: expected '}'"));
        }
    }
}
