//! Which statuses count as success, as people write them: `2xx`, `200-399`, `200,204`, `non-5xx`.

pub use crate::slo::StatusSet;

use super::mistake::{WRONG, Wrong, wrong};

/// Lowest and highest status of HTTP.
const STATUSES: (u16, u16) = (100, 599);

/// Reads a list of statuses, classes and ranges, separated by commas.
///
/// # Errors
/// What in particular is wrong, or nothing where that is plain.
pub fn read_statuses(text: &str) -> Result<StatusSet, Option<String>> {
    statuses(text).map_err(|wrong| wrong.advice)
}

/// The same for a key of the table.
pub(super) fn statuses(text: &str) -> Result<StatusSet, Wrong> {
    text.split(',').map(str::trim).try_fold(StatusSet::EMPTY, |set, item| {
        let (first, last) = range(item)?;
        Ok(set.with_range(first, last))
    })
}

fn range(item: &str) -> Result<(u16, u16), Wrong> {
    match item.to_ascii_lowercase().as_str() {
        "" => Err(WRONG),
        "non-5xx" => Ok((STATUSES.0, 499)),
        lower => match lower.strip_suffix("xx") {
            Some(class) => class
                .parse::<u16>()
                .ok()
                .filter(|class| class.to_string().len() == lower.len() - 2 && (1..=5).contains(class))
                .map(|class| (class * 100, class * 100 + 99))
                .ok_or_else(|| wrong("the classes are 1xx to 5xx")),
            None => {
                let (first, last) = lower.split_once('-').unwrap_or((lower, lower));
                let (first, last) = (status(first)?, status(last)?);
                if first <= last { Ok((first, last)) } else { Err(wrong(format!("did you mean {last}-{first}?"))) }
            }
        },
    }
}

fn status(text: &str) -> Result<u16, Wrong> {
    let digits = text.trim();
    let number = digits.parse().ok().filter(|_| digits.bytes().all(|b| b.is_ascii_digit()));
    match number {
        Some(status) if (STATUSES.0..=STATUSES.1).contains(&status) => Ok(status),
        Some(_) => Err(wrong("statuses go from 100 to 599")),
        None => Err(WRONG),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_ranges_and_lists_add_up() {
        for (text, inside, outside, why) in [
            ("2xx", vec![200, 299], vec![199, 300], "a class"),
            ("2XX", vec![204], vec![404], "in capitals"),
            ("200-399", vec![200, 399], vec![199, 400], "a range"),
            ("200,204", vec![200, 204], vec![201, 203], "a list"),
            ("2xx, 404 ,500-502", vec![200, 404, 501], vec![403, 503], "all of it, with blanks"),
            ("non-5xx", vec![100, 404, 499], vec![500, 599], "Flagger's own meaning"),
            ("200 - 201", vec![200, 201], vec![202], "blanks around the dash"),
        ] {
            let set = statuses(text).unwrap();
            assert!(inside.iter().all(|status| set.contains(*status)), "{text}: {why}");
            assert!(!outside.iter().any(|status| set.contains(*status)), "{text}: {why}");
        }
        assert_eq!(statuses("non-5xx"), Ok(StatusSet::non_5xx()));
        assert_eq!(statuses("200-399"), Ok(StatusSet::ok()));
    }

    #[test]
    fn what_is_no_status_is_refused() {
        for (text, advice) in [
            ("", None),
            ("200,,204", None),
            ("ok", None),
            ("+200", None),
            ("200-", None),
            ("20x", None),
            ("6xx", Some("the classes are 1xx to 5xx")),
            ("02xx", Some("the classes are 1xx to 5xx")),
            ("+2xx", Some("the classes are 1xx to 5xx")),
            ("600", Some("statuses go from 100 to 599")),
            ("99", Some("statuses go from 100 to 599")),
            ("399-200", Some("did you mean 200-399?")),
        ] {
            assert_eq!(statuses(text).unwrap_err().advice.as_deref(), advice, "{text}");
        }
    }
}
