//! Every hey line of Flagger's own documents, tests and charts, held to what it means.

use std::time::Duration;

use super::line;
use crate::plan::{Arrivals, Rate, Wire};

const LINES: &str = include_str!("corpus.tsv");

/// A row that says what a line means.
fn rows() -> impl Iterator<Item = [&'static str; 13]> {
    let rows = LINES.lines().filter(|row| !row.starts_with('#'));
    rows.map(|row| row.split('\t').collect::<Vec<_>>().try_into().unwrap_or_else(|_| panic!("13 columns: {row}")))
}

/// A column in which a dash stands for nothing.
fn given(column: &str) -> Option<&str> {
    Some(column).filter(|column| *column != "-")
}

#[test]
fn every_line_of_flagger_means_here_what_it_means_there() {
    for row in rows() {
        let [text, place, requests, seconds, rate, lanes, server, path, host, method, header, body, wire] = row;
        let hey = line(text).unwrap_or_else(|refusal| panic!("{place}: {text}: {refusal}"));
        let (plan, kept) = (&hey.spec().plan, hey.kept());
        let number = |column: &str| column.parse::<u64>().unwrap();
        let rate = given(rate).map(|rate| rate.parse::<Rate>().unwrap());

        assert_eq!(plan.schedule.total(), Some(number(requests)), "{place}: {text}");
        assert_eq!(plan.schedule.end(), given(seconds).map(|s| Duration::from_secs(number(s))), "{place}: {text}");
        assert_eq!(plan.schedule.arrivals, rate.map_or(Arrivals::Closed, Arrivals::Steady), "{place}: {text}");
        assert_eq!(kept.schedule.arrivals, rate.map_or(Arrivals::Closed, Arrivals::Paced), "{place}: {text}");
        let counts = (u64::from(plan.lanes), u64::from(kept.lanes), u64::from(kept.max_lanes));
        assert_eq!(counts, (number(lanes), number(lanes), number(lanes)), "{place}: {text}");

        let target = &plan.targets[0];
        let request = &target.request;
        assert_eq!((target.url.as_str(), request.path.as_str()), (format!("{server}{path}").as_str(), path), "{place}");
        assert_eq!((request.method.as_str(), request.authority.as_str()), (method, host), "{place}: {text}");
        assert_eq!(std::str::from_utf8(&request.body), Ok(given(body).unwrap_or_default()), "{place}: {text}");
        let own = ["User-Agent", "Content-Type", "Accept-Encoding"];
        let more = request.headers.iter().filter(|(name, _)| !own.contains(&name.as_str()));
        let more: Vec<String> = more.map(|(name, value)| format!("{name}: {value}")).collect();
        let expected = given(header).map(|header| header.replace("x-user", "X-User"));
        assert_eq!(more, Vec::from_iter(expected), "{place}: {text}");

        assert_eq!(plan.wire, if wire == "http2" { Wire::Http2 } else { Wire::Http1 }, "{place}: {text}");
        assert_eq!((plan.timeout, plan.redirects), (Some(Duration::from_secs(20)), 10), "{place}: {text}");
        assert!(plan.keep_alive && kept.targets == plan.targets, "{place}: {text}");
    }
    assert_eq!(rows().count(), 52);
}

#[test]
fn a_chart_that_helm_has_not_filled_in_is_refused() {
    let chart = "hey -z 1m -q 5 -c 2 http://{{ template \"podinfo.fullname\" . }}.{{ .Release.Namespace }}:9898";
    let said = line(chart).expect_err("a template is no URL").to_string();
    assert!(said.starts_with("got 'template' beside the URL"), "{said}");
}
