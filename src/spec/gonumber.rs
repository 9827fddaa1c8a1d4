//! Numbers and switches as Go's `strconv` reads them: `0x10`, `010` (which is 8), `1_000`, `1e3`, `inf`, `T`.

use std::num::IntErrorKind;

/// Why a text is no value, in Go's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    /// It is not of the right form.
    #[error("parse error")]
    Syntax,
    /// It is, and the value does not fit.
    #[error("value out of range")]
    Range,
}

/// A whole number: decimal, or by its prefix hexadecimal, octal or binary (`strconv.ParseInt` with base 0).
pub(super) fn int(text: &str) -> Result<i64, Unread> {
    let (negative, digits) = signed(text);
    if !are_underscores_right(digits) {
        return Err(Unread::Syntax);
    }
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x' | b'X', _, ..] => (16, &digits[2..]),
        [b'0', b'o' | b'O', _, ..] => (8, &digits[2..]),
        [b'0', b'b' | b'B', _, ..] => (2, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        _ => (10, digits),
    };
    let digits = digits.replace('_', "");
    // The parser takes a sign of its own, and there has been one.
    if digits.starts_with(['+', '-']) {
        return Err(Unread::Syntax);
    }
    let magnitude = u64::from_str_radix(&digits, radix).map_err(|error| match error.kind() {
        IntErrorKind::PosOverflow => Unread::Range,
        _ => Unread::Syntax,
    })?;
    let value = if negative { 0_i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() };
    value.ok_or(Unread::Range)
}

/// A number with a fraction (`strconv.ParseFloat`), hexadecimal ones left out.
pub(super) fn float(text: &str) -> Result<f64, Unread> {
    let (_, unsigned) = signed(text);
    let named = |name: &str| unsigned.eq_ignore_ascii_case(name);
    if named("inf") || named("infinity") || (named("nan") && unsigned == text) {
        return text.parse().map_err(|_| Unread::Syntax);
    }
    let numeric = |b: u8| b.is_ascii_digit() || b"._eE+-".contains(&b);
    if !unsigned.bytes().all(numeric) || !are_underscores_right(unsigned) {
        return Err(Unread::Syntax);
    }
    let value: f64 = text.replace('_', "").parse().map_err(|_| Unread::Syntax)?;
    if value.is_finite() { Ok(value) } else { Err(Unread::Range) }
}

/// A switch's value (`strconv.ParseBool`).
pub(super) fn boolean(text: &str) -> Result<bool, Unread> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(Unread::Syntax),
    }
}

/// Whether there is a minus, and what follows the sign.
fn signed(text: &str) -> (bool, &str) {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    (text.starts_with('-'), unsigned)
}

/// Underscores stand between digits only; a base's prefix counts as one.
fn are_underscores_right(text: &str) -> bool {
    let prefix = text.strip_prefix('0').and_then(|rest| rest.strip_prefix(['x', 'X', 'o', 'O', 'b', 'B']));
    let (mut after_digit, digits) = (prefix.is_some(), prefix.unwrap_or(text));
    let mut underscore = false;
    for b in digits.bytes() {
        match b {
            b'_' if !after_digit => return false,
            b'_' => (after_digit, underscore) = (false, true),
            _ if b.is_ascii_hexdigit() => (after_digit, underscore) = (true, false),
            _ if underscore => return false,
            _ => after_digit = false,
        }
    }
    !underscore
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Go 1.26 makes of each.
    #[test]
    fn whole_numbers_are_read_as_go_reads_them() {
        for (text, value, why) in [
            ("200", Ok(200), "decimal"),
            ("0x10", Ok(16), "hexadecimal"),
            ("0X1F", Ok(31), "in capitals"),
            ("010", Ok(8), "octal"),
            ("0o17", Ok(15), "octal, said so"),
            ("0b11", Ok(3), "binary"),
            ("1_0", Ok(10), "an underscore between digits"),
            ("0x_1", Ok(1), "and after the prefix"),
            ("0_7", Ok(7), "and after the octal zero"),
            ("-5", Ok(-5), "a sign"),
            ("+5", Ok(5), "the other"),
            ("-9223372036854775808", Ok(i64::MIN), "the least"),
            ("_1", Err(Unread::Syntax), "before a digit is none"),
            ("1_", Err(Unread::Syntax), "nor after"),
            ("1__0", Err(Unread::Syntax), "and two are not one"),
            ("0x", Err(Unread::Syntax), "a prefix alone"),
            ("08", Err(Unread::Syntax), "no octal digit"),
            ("", Err(Unread::Syntax), "nothing"),
            ("1e3", Err(Unread::Syntax), "a float"),
            (" 5", Err(Unread::Syntax), "a blank"),
            ("--5", Err(Unread::Syntax), "two signs"),
            ("0x-5", Err(Unread::Syntax), "a sign after the prefix"),
            ("9223372036854775808", Err(Unread::Range), "one too many"),
            ("99999999999999999999", Err(Unread::Range), "far too many"),
        ] {
            assert_eq!(int(text), value, "{text}: {why}");
        }
    }

    #[test]
    fn floats_are_read_as_go_reads_them() {
        for (text, value, why) in [
            ("1e3", Ok(1000.0), "an exponent"),
            (".5", Ok(0.5), "no whole part"),
            ("5.", Ok(5.0), "no fraction"),
            ("+1", Ok(1.0), "a sign"),
            ("1_0", Ok(10.0), "an underscore"),
            ("1e-400", Ok(0.0), "too small to tell from nothing"),
            ("inf", Ok(f64::INFINITY), "endless"),
            ("-Inf", Ok(f64::NEG_INFINITY), "the other way"),
            ("infinity", Ok(f64::INFINITY), "in full"),
            ("1e999", Err(Unread::Range), "too large"),
            ("", Err(Unread::Syntax), "nothing"),
            ("1e", Err(Unread::Syntax), "half an exponent"),
            ("0x10", Err(Unread::Syntax), "no float"),
            ("+NaN", Err(Unread::Syntax), "that has no sign"),
            ("Infinit", Err(Unread::Syntax), "nearly"),
            ("i", Err(Unread::Syntax), "hardly"),
        ] {
            assert_eq!(float(text), value, "{text}: {why}");
        }
        assert!(float("NaN").is_ok_and(f64::is_nan) && float("nan").is_ok_and(f64::is_nan));
    }

    #[test]
    fn switches_take_gos_twelve_words() {
        for (texts, value) in
            [(["1", "t", "T", "true", "TRUE", "True"], true), (["0", "f", "F", "false", "FALSE", "False"], false)]
        {
            assert!(texts.into_iter().all(|text| boolean(text) == Ok(value)));
        }
        for text in ["yes", "on", "", "tRUE", "2"] {
            assert_eq!(boolean(text), Err(Unread::Syntax), "{text}");
        }
    }
}
