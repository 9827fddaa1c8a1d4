//! The language: every mistake with its message, every spelling with its meaning.

use proptest::prelude::*;

use super::super::*;
use crate::stats::{Ns, Series};

mod documented;

fn only_error(text: &str) -> ParseError {
    let errors = parse(text).expect_err(text).0;
    assert_eq!(errors.len(), 1, "{text}: {errors:?}");
    errors.into_iter().next().unwrap()
}

fn one(text: &str) -> Clause {
    let line = parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
    assert_eq!(line.clauses.len(), 1);
    line.clauses.into_iter().next().unwrap()
}

/// Line, caret under the mistake, message: as they stand in the documentation.
const MISTAKES: [&str; 17] = [
    "p95<300\n    ^ latency.p95 needs a time unit; did you mean 300ms?",
    "errors<0.01\n       ^ errors needs %; did you mean 1%?",
    "errors<1\n       ^ errors needs a unit; did you mean 1% (share) or 1req (count)?",
    "errors>1%\n      ^ errors>... would demand failure; did you mean <= ?",
    "success<=99%\n       ^ success<=... would demand failure; did you mean >= ?",
    "http_req_duration<500\n^ unknown metric 'http_req_duration'; use p95, p99, avg, max",
    "p(95)<500ms\n^ write p95 (not p(95))",
    "succes>=99%\n^ unknown metric 'succes'; did you mean 'success'?",
    "p95=300ms\n   ^ expected < <= > >= == != after latency.p95; did you mean <= ?",
    "p95==300ms\n   ^ == is not allowed on latency.p95 (a continuous quantity); use <= or >=",
    "p95<300ms or p99<1s\n          ^ expected ',' between clauses, found 'or'; OR is not supported: every clause must \
     hold (use 'warn' for advisory clauses)",
    "rps>=95\n     ^ rps needs a rate unit; did you mean 95/s?",
    "errors<=primary+5%\n                ^ ambiguous offset on a share: write 5pp (percentage points) or *1.05 \
     (relative)",
    "success>=99% @100\n              ^ confidence must be between 50 and 99.99, e.g. @95",
    "p95<300msec\n       ^ unknown unit 'msec'; units: ns us ms s m % pp /s req B KiB MiB",
    "p95<primary+max(10%\n                   ^ max takes two bounds, e.g. max(10%,20ms): expected ','",
    "p95>300ms\n   ^ latency.p95>... would demand slowness; did you mean <= ?",
];

#[test]
fn every_documented_mistake_has_its_caret_and_its_words() {
    for expected in MISTAKES {
        let text = expected.split('\n').next().unwrap();
        assert_eq!(only_error(text).caret(text), expected);
    }
}

#[test]
fn an_error_on_one_line_names_the_column() {
    assert_eq!(
        only_error("errors<1").to_string(),
        "slo:8: errors needs a unit; did you mean 1% (share) or 1req (count)?"
    );
}

/// Text, column, message.
const FURTHER: &[(&str, usize, &str)] = &[
    ("", 1, "expected a clause, e.g. success>=99%, p99<500ms"),
    ("  \n ", 1, "expected a clause, e.g. success>=99%, p99<500ms"),
    ("<300ms", 1, "expected a metric such as success, errors, p95 or rps, found '<'"),
    ("P95<300ms", 1, "unknown metric 'P95'; did you mean 'p95'?"),
    ("p999<1s", 1, "unknown metric 'p999'; did you mean 'p99.9'?"),
    ("p100<1s", 1, "write max (not p100)"),
    ("p0<1s", 1, "write min (not 'p0')"),
    (
        "service<1s",
        1,
        "service needs an aggregate, e.g. service.p95; there are p50, p95, p99.9, min, max, avg, med, stddev",
    ),
    ("service.p(99)<1s", 1, "write service.p99 (not service.p(99))"),
    ("ttfb.foo<1s", 1, "unknown aggregate 'foo'; use p50, p95, p99.9, min, max, avg, med, stddev"),
    ("700<1%", 1, "unknown metric '700'; use success, errors, p95, p99, 5xx, rps"),
    ("http_req_failed<1%", 1, "unknown metric 'http_req_failed'; use errors"),
    ("p95", 4, "expected < <= > >= == != after latency.p95, found the end"),
    ("p95≤300ms", 4, "expected < <= > >= == != after latency.p95; did you mean <= ?"),
    ("p95<", 5, "expected a quantity such as 300ms, or primary, last or baseline(NAME), found the end"),
    (
        "p95<primry",
        5,
        "expected a quantity such as 300ms, or primary, last or baseline(NAME), found 'primry'; did you mean 'primary'?",
    ),
    ("p95<-3ms", 5, "a bound is never negative"),
    ("p95<.3s", 5, "a number begins with a digit: write 0.5, not .5"),
    ("p95<0.3", 5, "latency.p95 needs a time unit; did you mean 0.3s?"),
    ("p95<300%", 8, "latency.p95 needs a time unit (ns us ms s m), not %"),
    ("errors<5ms", 9, "errors needs % or req, not ms"),
    ("errors<=5pp", 10, "errors needs % or req, not pp"),
    ("success>=99", 10, "success needs a unit; did you mean 99% (share) or 99req (count)?"),
    ("achieved>=98", 11, "achieved needs %; did you mean 98%?"),
    ("achieved>=98req", 13, "achieved needs %, not req"),
    ("size.max<=100", 11, "size.max needs a unit of size; did you mean 100KiB?"),
    ("count>=100", 8, "count needs a unit; did you mean 100req?"),
    ("errors<101%", 8, "errors is a share of the requests: at most 100%"),
    ("success>100%", 9, "success>100% can never hold; write >=100%"),
    ("errors<0", 8, "errors<0 can never hold; write <=0 or a greater bound"),
    ("size.min>=0B", 11, "size.min>=0 always holds; write >0 or a greater bound"),
    ("5xx<=1.5req", 6, "1.5 is no whole number of requests"),
    ("p95<99999999999999999s", 5, "99999999999999999s is out of range"),
    ("p95<1234567890123456789ms", 5, "a number has at most 18 digits, 15 behind the point"),
    ("errors==1%", 7, "== is not allowed on errors (a continuous quantity); use <= or >="),
    ("errors!=0", 7, "errors!=... would demand failure; did you mean == ?"),
    ("success==0", 8, "success==... would demand failure; did you mean >= ?"),
    ("p95==primary", 4, "== is not allowed on latency.p95 (a continuous quantity); use <= or >="),
    ("errors<=last+5", 14, "errors needs pp (percentage points); did you mean 5pp?"),
    ("p95<=last+5pp", 12, "latency.p95 needs % or a time unit (ns us ms s m), not pp"),
    ("p95<=last*0", 11, "a factor is greater than 0"),
    ("p95<=baseline+5%", 14, "baseline needs a name, e.g. baseline(v41): expected '('"),
    ("p95<=baseline()", 15, "baseline needs a name, e.g. baseline(v41): expected a name"),
    (
        "p95{stp=a}<1s",
        5,
        "unknown selector 'stp' (there are step, url, method, status, target, pod, proto); did you mean 'step'?",
    ),
    ("p95{step=a<1s", 14, "the selector is not closed: expected '}'"),
    ("p95{step=}<1s", 10, "step needs a value, e.g. step=checkout"),
    ("p95{status=2x}<1s", 12, "status is 2xx, 404 or grpc.unavailable, not '2x'"),
    ("p95{status=grpc.17}<1s", 12, "status is 2xx, 404 or grpc.unavailable, not 'grpc.17'"),
    ("p95{target=stable}<1s", 12, "target is canary or primary, not 'stable'"),
    (
        "grpc.unavailible<1%",
        1,
        "unknown gRPC status 'unavailible'; write e.g. grpc.unavailable or grpc.14; did you mean 'unavailable'?",
    ),
    ("grpc.unavailable>=1%", 17, "grpc.unavailable>=... would demand failure; did you mean <= ?"),
    ("grpc.ok<=99%", 8, "grpc.ok<=... would demand failure; did you mean >= ?"),
    ("p95{}<1s", 5, "expected a selector such as step=checkout, found '}'"),
    (
        "p95<1s abrot",
        8,
        "unknown option 'abrot' (there are @95 abort warn min= after= over= else=); did you mean 'abort'?",
    ),
    ("p95<1s p99<2s", 8, "expected ',' between clauses, found 'p99'"),
    ("p95<1s | p99<2s", 8, "unknown option '|' (there are @95 abort warn min= after= over= else=)"),
    ("p95<1s abort warn", 14, "abort and warn exclude each other: a clause without effect cannot stop the load"),
    ("p95<1s min=0", 12, "min= is a number of requests from 1 to 10^12, e.g. min=3000"),
    ("p95<1s min=3k", 12, "min= is a number of requests from 1 to 10^12, e.g. min=3000"),
    ("p95<1s min 3", 12, "min needs a value, e.g. min=3000: expected '='"),
    ("p95<1s min=5 min=6", 14, "min= is given twice"),
    ("p95<1s after=5", 14, "after= needs a time unit; did you mean 5s?"),
    ("p95<1s over=5%", 13, "over= needs a time unit; did you mean 5s?"),
    ("p95<1s over=5req", 14, "over= needs a time (ns us ms s m), e.g. over=5s"),
    ("p95<1s over=5sec", 14, "unknown unit 'sec'; units: ns us ms s m % pp /s req B KiB MiB"),
    ("p95<1s after=0s", 14, "after= is longer than 0 and at most 24 hours"),
    ("p95<1s else=maybe", 13, "else= is pass, fail or retry, not 'maybe'"),
    ("max<1s @95", 8, "@95 is for shares and quantiles; leave it off for latency.max"),
    ("5xx==0 @95", 8, "@95 is for shares and quantiles; leave it off for 5xx"),
    ("errors<=0% @95", 12, "@95 is for shares and quantiles; no number of requests can show exactly 0%"),
    ("p95<1s @50", 9, "confidence must be between 50 and 99.99, e.g. @95"),
    ("prom(up)<1s", 6, "a Prometheus query is written prom('QUERY'), a quote inside as '': expected '"),
    (
        "prom('up)<1s",
        13,
        "a Prometheus query is written prom('QUERY'), a quote inside as '': the query is not closed, expected '",
    ),
    ("prom('up')<1", 12, "a Prometheus query needs a unit on its bound, e.g. 300ms, 1% or 5/s"),
];

#[test]
fn further_mistakes_say_what_to_do() {
    for &(text, column, message) in FURTHER {
        let error = only_error(text);
        assert_eq!((error.column, error.message.as_str()), (column, message), "{text}");
    }
}

#[test]
fn all_mistakes_come_at_once() {
    let errors = parse("p95<300, success>=99%; succes>=9%\nerrors>1% && p99<1s,, prom('a,b')<5").unwrap_err();
    let columns: Vec<usize> = errors.0.iter().map(|e| e.column).collect();
    assert_eq!(columns, [5, 24, 41, 55, 69]);
    assert!(errors.to_string().starts_with("slo:5: latency.p95 needs"), "{errors}");
    assert_eq!(errors.to_string().lines().count(), 5);
    assert_eq!(parse(&"x,".repeat(100)).unwrap_err().0.len(), 20);
}

#[test]
fn columns_count_characters_not_bytes() {
    let text = "p95{step=überprüfung}<300";
    assert_eq!(only_error(text).column, 23);
    assert_eq!(only_error("p95<300µsec").column, 8);
    let second = "success>=99%,\n\tp95<300";
    assert_eq!(
        only_error(second).caret(second),
        "\tp95<300\n\t    ^ latency.p95 needs a time unit; did you mean 300ms?"
    );
}

#[test]
fn every_form_of_the_language_has_its_canonical_spelling() {
    for (text, canonical) in [
        ("success>=99%, p95<300ms, p99<1s", "success>=99%, p95<300ms, p99<1s"),
        ("success>=99.9% @95 abort; p99.9<2s min=3000", "success>=99.9% @95 abort, p99.9<2s min=3000"),
        (
            "5xx==0, ttfb.p95<150ms, p95{step=checkout}<400ms warn",
            "5xx==0, ttfb.p95<150ms, p95{step=checkout}<400ms warn",
        ),
        (
            "p95<=primary+max(10%,20ms) @95, errors<=primary+0.5pp",
            "p95<=primary+max(10%,20ms) @95, errors<=primary+0.5pp",
        ),
        ("rps>=95/s, achieved>=98%", "rps>=95/s, achieved>=98%"),
        ("429<1%, 5xx<=3req, errors<1% over=10s", "429<1%, 5xx<=3req, errors<1% over=10s"),
        (
            "p99<=last*1.2 warn; connect.p99<50ms; tls.p95<80ms; dns.max<100ms",
            "p99<=last*1.2 warn, connect.p99<50ms, tls.p95<80ms, dns.max<100ms",
        ),
        ("p95{target=canary,status=2xx}<250ms else=fail", "p95{target=canary,status=2xx}<250ms else=fail"),
        ("size.max<=1MiB, p50<=baseline(v41)+5%", "size.max<=1MiB, p50<=baseline(v41)+5%"),
        ("prom('sum(rate(x{a=\"b\"}[1m]))') < 5 /s", "prom('sum(rate(x{a=\"b\"}[1m]))')<5/s"),
        ("prom('it''s')<1%", "prom('it''s')<1%"),
        (" latency.p95.0 < 300.50 µs  warn after=1m30s @ 95.0% ;", "p95<300.5us @95 after=90s warn"),
        ("success >= 99%\n\np95<1s\r\n", "success>=99%, p95<1s"),
        ("success>=99%abort&&p95<1s", "success>=99% abort, p95<1s"),
        (
            "med<1s, avg<1s, stddev<1s, min<1s, count>=10req, 200>=99%, 4xx<=1%",
            "med<1s, avg<1s, stddev<1s, min<1s, count>=10req, 200>=99%, 4xx<=1%",
        ),
        ("p95 {  url = /a b , method=GET } < primary - 5ms", "p95{url=/a b,method=GET}<primary-5ms"),
        ("errors<=0, timeouts==0req, success>=100%", "errors<=0, timeouts==0req, success>=100%"),
        (
            "grpc.14<1%, grpc.DEADLINE_EXCEEDED==0, grpc.not_found<=3req",
            "grpc.unavailable<1%, grpc.deadline_exceeded==0, grpc.not_found<=3req",
        ),
        ("p95{status=grpc.0}<1s, p95{status=404}<1s", "p95{status=grpc.0}<1s, p95{status=404}<1s"),
        ("p95<1s else=retry over=1500ms", "p95<1s over=1500ms else=retry"),
    ] {
        let line = parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(line.to_string(), canonical, "{text}");
        assert_eq!(parse(canonical), Ok(line), "{text}");
    }
}

#[test]
fn a_clause_means_what_it_says() {
    let clause = one("service.p99.9 <= 1.5ms @95 min=10 after=5s over=10s else=pass abort");
    assert_eq!(clause.metric, Metric::Series(Series::Service, Aggregate::Quantile(Decimal::parse("99.9").unwrap())));
    assert_eq!(clause.comparison, Comparison::Le);
    assert_eq!(clause.absolute().unwrap().floor(), 1_500_000);
    assert_eq!(
        clause.options,
        Options {
            confidence: Some(Decimal::whole(95)),
            min: Some(10),
            after: Some(Ns::from_secs(5)),
            over: Some(Ns::from_secs(10)),
            otherwise: Some(Otherwise::Pass),
            abort: true,
            warn: false,
        }
    );
    assert_eq!(clause.head(), "service.p99.9<=1.5ms");
    assert_eq!(clause.metric.name(), "service.p99.9");
    assert_eq!(one("rps>=90/m").absolute().unwrap().as_f64(), 1.5);
    assert_eq!(one("size.max<2KiB").absolute().unwrap().as_f64(), 2048.0);
    assert_eq!(one("size.max<2KB").absolute().unwrap().as_f64(), 2000.0);
    assert_eq!(one("p95<1m").absolute().unwrap().as_f64(), 6e10);
    assert_eq!(one("p95<=primary").absolute(), None);
}

/// Clauses put together from valid parts.
fn clause_text() -> impl Strategy<Value = String> {
    let number = || prop_oneof![Just("1".to_owned()), "[1-9][0-9]{0,6}(\\.[0-9]{1,6})?"];
    let share = || prop_oneof![Just("0.5".to_owned()), "[1-9][0-9]?(\\.[0-9]{1,9})?"];
    let time = || (number(), prop_oneof![Just("ns"), Just("us"), Just("µs"), Just("ms"), Just("s"), Just("m")]);
    let name = "[a-z/][a-zA-Z0-9/ ü'-]{0,8}[a-z]";
    let series = prop_oneof![Just(""), Just("latency."), Just("service."), Just("ttfb."), Just("dns.")];
    let selector = prop_oneof![
        3 => Just(String::new()),
        1 => name.prop_map(|v| format!("{{step={v}}}")),
        1 => name.prop_map(|v| format!("{{ url = {v}, status=2xx }}")),
    ];
    let reference =
        prop_oneof![Just("primary".to_owned()), Just("last".to_owned()), Just("baseline( v41 )".to_owned())];
    let bound = prop_oneof![
        time().prop_map(|(n, u)| format!("{n}{u}")),
        (reference.clone(), time()).prop_map(|(r, (n, u))| format!("{r}+{n} {u}")),
        (reference.clone(), share(), time()).prop_map(|(r, s, (n, u))| format!("{r} - max( {s}% ,{n}{u})")),
        (reference, number()).prop_map(|(r, n)| format!("{r} * {n}")),
    ];
    let times = (series, "p[1-9][0-9]?(\\.[0-9]{1,4})?", selector, prop_oneof![Just("<"), Just(" <= ")], bound)
        .prop_map(|(series, quantile, selector, cmp, bound)| format!("{series}{quantile}{selector}{cmp}{bound}"));
    let shares = prop_oneof![
        share().prop_map(|s| format!("success>={s}%")),
        share().prop_map(|s| format!("errors < {s} %")),
        share().prop_map(|s| format!("503<{s}%")),
        (0_u64..5000).prop_map(|n| format!("5xx<={n}req")),
    ];
    let confident = prop_oneof![2 => Just(String::new()), 1 => "(5[1-9]|[6-9][0-9])(\\.[0-9]{1,3})?".prop_filter_map("at most 99.99", |c| {
        (c.parse::<f64>().unwrap() <= 99.99).then(|| format!(" @{c}"))
    })];
    let options = (
        proptest::option::of(1_u64..100_000).prop_map(|n| n.map_or(String::new(), |n| format!(" min={n}"))),
        proptest::option::of((1_u32..999, prop_oneof![Just("s"), Just("ms"), Just("m")]))
            .prop_map(|s| s.map_or(String::new(), |(n, u)| format!(" after={n}{u}"))),
        prop_oneof![Just(""), Just(" over=10s "), Just(" else=pass"), Just(" else=fail\t")],
        prop_oneof![Just(""), Just(" abort"), Just(" warn")],
    )
        .prop_map(|(a, b, c, d)| format!("{d}{a}{c}{b}"));
    let timed = (times, confident, options.clone()).prop_map(|(head, at, rest)| format!("{head}{at}{rest}"));
    prop_oneof![timed, (shares, options).prop_map(|(head, rest)| format!("{head}{rest}"))]
}

proptest! {
    #[test]
    fn the_canonical_spelling_reads_back_as_the_same_line(
        clauses in prop::collection::vec(clause_text(), 1..5),
        separator in prop_oneof![Just(","), Just(" ; "), Just("&&"), Just("\n"), Just(",\n ")],
    ) {
        let text = clauses.join(separator);
        let line = parse(&text);
        prop_assert!(line.is_ok(), "{}: {}", text, line.unwrap_err());
        let line = line.unwrap();
        prop_assert_eq!(line.clauses.len(), clauses.len());
        let canonical = line.to_string();
        let again = parse(&canonical);
        prop_assert_eq!(again.as_ref(), Ok(&line), "{}", canonical);
        prop_assert_eq!(again.unwrap().to_string(), canonical);
    }

    #[test]
    fn no_text_makes_the_parser_panic_and_every_column_lies_in_the_text(text in ".{0,60}") {
        check_any(&text)?;
    }

    #[test]
    fn no_garbled_line_makes_the_parser_panic(
        clauses in prop::collection::vec(clause_text(), 1..4),
        cut in any::<prop::sample::Index>(),
        insert in "[-<>=!@%,;&{}()'.|0-9a-zµ≤ \n\t]{0,4}",
    ) {
        let text: Vec<char> = clauses.join(",").chars().collect();
        let at = cut.index(text.len() + 1);
        let garbled: String = text[..at].iter().copied().chain(insert.chars()).chain(text[at..].iter().skip(1).copied()).collect();
        check_any(&garbled)?;
    }
}

fn check_any(text: &str) -> Result<(), TestCaseError> {
    match parse(text) {
        Ok(line) => {
            let canonical = line.to_string();
            prop_assert_eq!(parse(&canonical), Ok(line), "{}", canonical);
        }
        Err(errors) => {
            prop_assert!(!errors.0.is_empty());
            for error in &errors.0 {
                prop_assert!((1..=text.chars().count() + 1).contains(&error.column));
                prop_assert!(error.message.len() < 400, "{}", error.message);
                prop_assert!(error.caret(text).contains(&error.message));
            }
        }
    }
    Ok(())
}

#[test]
fn huge_input_is_refused_without_recursion_or_copies_in_the_message() {
    for text in
        ["9".repeat(100_000), "(".repeat(100_000), "a".repeat(100_000), format!("p95<{}ms", "1".repeat(100_000))]
    {
        let error = only_error(&text);
        assert!(error.message.len() < 300, "{}", error.message.len());
    }
}
