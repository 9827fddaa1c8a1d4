//! How numbers look, in one place: three significant digits with the right unit, and never a rounding that hides the
//! one request that failed.

use std::time::Duration;

const MICRO: f64 = 1e3;
const MILLI: f64 = 1e6;
const SECOND: f64 = 1e9;

/// A time in nanoseconds: `812ms`, `1.02s`, `340µs`, from two minutes on `2m05s`. What is not a time is `–`.
#[must_use]
pub fn time(ns: f64) -> String {
    if !ns.is_finite() || ns < 0.0 {
        return "–".to_owned();
    }
    // The limits lie where three digits would round up into the next unit.
    match ns {
        _ if ns < 0.5 => "0ms".to_owned(),
        _ if ns < 999.5 => format!("{ns:.0}ns"),
        _ if ns < 999.5 * MICRO => format!("{}µs", three(ns / MICRO)),
        _ if ns < 999.5 * MILLI => format!("{}ms", three(ns / MILLI)),
        _ if ns < 119.5 * SECOND => format!("{}s", three(ns / SECOND)),
        _ => {
            let seconds = (ns / SECOND).round() as u64;
            match seconds / 3600 {
                0 => format!("{}m{:02}s", seconds / 60, seconds % 60),
                hours => format!("{}h{:02}m{:02}s", count(hours), seconds % 3600 / 60, seconds % 60),
            }
        }
    }
}

/// A round time without the zeros that only fill up digits: `2ms`, `1.5s`.
#[must_use]
pub fn round_time(ns: u64) -> String {
    let long = time(ns as f64);
    match long.find(|c: char| c.is_alphabetic()) {
        Some(unit) if ns < 119_000_000_000 => format!("{}{}", trimmed(&long[..unit]), &long[unit..]),
        _ => long,
    }
}

/// A time that somebody wrote down, exactly: `10s`, `1m30s`, `1.5s`, `250ms`.
#[must_use]
pub fn span(duration: Duration) -> String {
    let whole = duration.as_secs();
    if whole == 0 {
        return match duration.subsec_nanos() {
            0 => "0s".to_owned(),
            ns if ns < 1_000 => format!("{ns}ns"),
            ns if ns < 1_000_000 => format!("{}µs", f64::from(ns) / MICRO),
            ns => format!("{}ms", f64::from(ns) / MILLI),
        };
    }
    let mut text = String::new();
    for (size, unit) in [(3600, "h"), (60, "m")] {
        if whole >= size {
            let of_this = if size == 60 { whole % 3600 / 60 } else { whole / size };
            text.push_str(&if of_this > 0 { format!("{of_this}{unit}") } else { String::new() });
        }
    }
    let fraction = format!("{:.9}", Duration::new(whole % 60, duration.subsec_nanos()).as_secs_f64());
    match trimmed(&fraction) {
        "0" => text,
        seconds => text + seconds + "s",
    }
}

/// `k` of `n` as a percentage: three significant digits of the smaller part, but none finer than one request, so that
/// 1 failure of 10 000 is 99.99% and only all of them are 100%. `–` of nothing.
#[must_use]
pub fn share(k: u64, n: u64) -> String {
    match (k.min(n), n) {
        (_, 0) => "–".to_owned(),
        (0, _) => "0%".to_owned(),
        (k, n) if k == n => "100%".to_owned(),
        (k, n) => {
            let one_request = (n as f64 / 100.0).log10().ceil();
            let smaller_part = 2.0 - (100.0 * k.min(n - k) as f64 / n as f64).log10().floor();
            let decimals = one_request.min(smaller_part).max(0.0) as usize;
            format!("{:.decimals$}%", 100.0 * k as f64 / n as f64)
        }
    }
}

/// A share whose counts are not known, as a percentage: two significant digits of its distance from 0% or 100%,
/// whichever is nearer, so that neither is shown unless it is meant.
#[must_use]
pub fn ratio(x: f64) -> String {
    if !x.is_finite() {
        return "–".to_owned();
    }
    if x <= 0.0 {
        return "0%".to_owned();
    }
    if x == 1.0 {
        return "100%".to_owned();
    }
    let tail = 100.0 * if x < 1.0 { x.min(1.0 - x) } else { x };
    let decimals = (1.0 - tail.log10().floor()).clamp(0.0, 12.0) as usize;
    format!("{}%", trimmed(&format!("{:.decimals$}", 100.0 * x)))
}

/// A count with commas: `12,000`.
#[must_use]
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count with its noun: `1 request`, `2 requests`.
#[must_use]
pub fn counted(n: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(n), if n == 1 { "" } else { "s" })
}

/// Bytes: `512 B`, `1.17 KiB`, `12.3 MiB`.
#[must_use]
pub fn bytes(n: f64) -> String {
    if !n.is_finite() || n < 0.0 {
        return "–".to_owned();
    }
    if n < 1023.5 {
        return format!("{n:.0} B");
    }
    let mut size = n / 1024.0;
    for unit in ["KiB", "MiB", "GiB"] {
        if size < 1023.5 {
            return format!("{} {unit}", three(size));
        }
        size /= 1024.0;
    }
    format!("{} TiB", three(size))
}

/// A rate: `20/s`, `19.8/s`, `91,400/s`.
#[must_use]
pub fn per_second(rate: f64) -> String {
    if !rate.is_finite() || rate < 0.0 {
        return "–".to_owned();
    }
    if rate > 0.0 && rate < 0.1 {
        return format!("{}/m", trimmed(&three(rate * 60.0)));
    }
    format!("{}/s", trimmed(&three(rate)))
}

/// A factor or an amount without unit, three significant digits: `0.31`, `3.2`.
#[must_use]
pub fn amount(x: f64) -> String {
    if x.is_finite() && x >= 0.0 { trimmed(&three(x)).to_owned() } else { "–".to_owned() }
}

/// A quantile that falls among the requests that got no answer: `>20s`, or `never` where nothing limits the wait.
#[must_use]
pub fn beyond(timeout: Option<Duration>) -> String {
    timeout.map_or_else(|| "never".to_owned(), |limit| format!(">{}", span(limit)))
}

/// Three significant digits, at least the whole part.
fn three(x: f64) -> String {
    match x {
        _ if x < 0.9995 => format!("{x:.3}"),
        _ if x < 9.995 => format!("{x:.2}"),
        _ if x < 99.95 => format!("{x:.1}"),
        _ => count(x.round() as u64),
    }
}

/// Digits without zeros at the end of a fraction, and without a bare point.
#[must_use]
pub fn trimmed(digits: &str) -> &str {
    if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn times_have_three_digits_and_the_unit_that_fits() {
        let rows: &[(f64, &str)] = &[
            (0.0, "0ms"),
            (-0.0, "0ms"),
            (1.0, "1ns"),
            (999.4, "999ns"),
            (999.6, "1.00µs"), // not 1000ns
            (340_000.0, "340µs"),
            (999_600.0, "1.00ms"),
            (1_020_000.0, "1.02ms"),
            (12_345_678.0, "12.3ms"),
            (99_960_000.0, "100ms"), // not 100.0ms
            (812_000_000.0, "812ms"),
            (1_020_000_000.0, "1.02s"),
            (60e9, "60.0s"),
            (119.4e9, "119s"),
            (125e9, "2m05s"),
            (3_725e9, "1h02m05s"),
            (f64::NAN, "–"),
            (f64::INFINITY, "–"),
            (-1.0, "–"),
        ];
        for (ns, shown) in rows {
            assert_eq!(&time(*ns), shown, "{ns} ns");
        }
    }

    #[test]
    fn round_times_carry_no_filling_zeros() {
        let rows: &[(u64, &str)] =
            &[(2_000_000, "2ms"), (1_500_000_000, "1.5s"), (200_000, "200µs"), (100_000_000_000, "100s"), (0, "0ms")];
        for (ns, shown) in rows {
            assert_eq!(&round_time(*ns), shown);
        }
    }

    #[test]
    fn a_written_duration_is_repeated_exactly() {
        let rows: &[(u64, &str)] = &[
            (0, "0s"),
            (5, "5ns"),
            (1_500, "1.5µs"),
            (250_000_000, "250ms"),
            (1_500_000_000, "1.5s"),
            (10_000_000_000, "10s"),
            (60_000_000_000, "1m"),
            (90_000_000_000, "1m30s"),
            (3_600_000_000_000, "1h"),
            (3_660_500_000_000, "1h1m0.5s"),
            (7_205_000_000_000, "2h5s"),
        ];
        for (ns, shown) in rows {
            assert_eq!(&span(Duration::from_nanos(*ns)), shown);
        }
    }

    #[test]
    fn a_share_shows_a_single_failure_and_says_100_only_of_all() {
        let rows: &[(u64, u64, &str)] = &[
            (0, 0, "–"),
            (0, 5, "0%"),
            (5, 5, "100%"),
            (59, 60, "98%"),
            (199, 200, "99.5%"),
            (1_198, 1_200, "99.83%"),
            (24_999, 25_000, "99.996%"),
            (999_999, 1_000_000, "99.9999%"),
            (1, 1_000_000, "0.0001%"),
            (7_899, 20_000, "39.5%"),
            (19_188, 20_000, "95.94%"),
        ];
        for (k, n, shown) in rows {
            assert_eq!(&share(*k, *n), shown, "{k} of {n}");
        }
    }

    #[test]
    fn a_bare_ratio_keeps_two_digits_of_its_tail() {
        let rows: &[(f64, &str)] = &[
            (0.0, "0%"),
            (-0.0, "0%"),
            (1.0, "100%"),
            (0.5, "50%"),
            (0.99, "99%"),
            (0.9983, "99.83%"),
            (0.99996, "99.996%"),
            (0.0004, "0.04%"),
            (1.25, "125%"),
            (f64::NAN, "–"),
        ];
        for (x, shown) in rows {
            assert_eq!(&ratio(*x), shown, "{x}");
        }
    }

    #[test]
    fn counts_bytes_and_rates_read_naturally() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_000), "1,000");
        assert_eq!(count(12_345_678), "12,345,678");
        assert_eq!(counted(1, "request"), "1 request");
        assert_eq!(bytes(0.0), "0 B");
        assert_eq!(bytes(1023.0), "1023 B");
        assert_eq!(bytes(1200.0), "1.17 KiB");
        assert_eq!(bytes(1_048_500.0), "1.00 MiB"); // not 1024 KiB
        assert_eq!(per_second(20.0), "20/s");
        assert_eq!(per_second(19.84), "19.8/s");
        assert_eq!(per_second(91_400.0), "91,400/s");
        assert_eq!(per_second(0.05), "3/m");
        assert_eq!(per_second(0.0), "0/s");
    }

    proptest! {
        #[test]
        fn only_all_are_100_percent_and_only_none_are_0(n in 1u64..10_000_000, k in 0u64..10_000_000) {
            let k = k % (n + 1);
            let shown = share(k, n);
            let number: f64 = shown.trim_end_matches('%').parse().unwrap();
            prop_assert_eq!(number == 100.0, k == n, "{} of {}: {}", k, n, shown);
            prop_assert_eq!(number == 0.0, k == 0, "{} of {}: {}", k, n, shown);
        }

        #[test]
        fn a_shown_time_is_within_half_a_percent(ns in 1_000.0..1e15f64) {
            let shown = time(ns);
            let mut total = 0.0;
            let mut digits = String::new();
            let mut unit = String::new();
            for c in shown.chars().chain("0".chars()) {
                if c.is_ascii_digit() || c == '.' {
                    if !unit.is_empty() {
                        let scale = match unit.as_str() { "µs" => 1e3, "ms" => 1e6, "s" => 1e9, "m" => 6e10, "h" => 3.6e12, other => panic!("{other}") };
                        total += digits.parse::<f64>().unwrap() * scale;
                        digits.clear();
                        unit.clear();
                    }
                    digits.push(c);
                } else if c != ',' {
                    unit.push(c);
                }
            }
            prop_assert!((total - ns).abs() <= 0.0051 * ns, "{} shown as {}", ns, shown);
        }
    }
}
