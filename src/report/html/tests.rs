//! The page holds what the summary says, stays well-formed whatever it is given, and reaches for nothing outside.

use roxmltree::{Document, Node};

use super::super::situations::{self, Situation};
use super::*;
use crate::stats::Code;

/// The body as XML: the page is written so that it is that, too.
fn body(page: &str) -> &str {
    let from = page.find("<body>").unwrap();
    &page[from..page.find("</body>").unwrap() + "</body>".len()]
}

fn page(situation: &Situation) -> String {
    html(&situation.report())
}

fn text(node: Node<'_, '_>) -> String {
    node.descendants().filter(Node::is_text).filter_map(|node| node.text()).collect()
}

/// The cells of every row of every table.
fn rows(document: &Document<'_>) -> Vec<Vec<String>> {
    let rows = document.descendants().filter(|node| node.has_tag_name("tr"));
    rows.map(|row| row.children().filter(Node::is_element).map(text).collect()).collect()
}

#[test]
fn every_situation_is_a_well_formed_page_that_stands_alone() {
    for situation in situations::all() {
        let page = page(situation);
        assert!(page.starts_with("<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">"));
        Document::parse(body(&page)).unwrap_or_else(|error| panic!("{}: {error}\n{}", situation.name, body(&page)));
        let without_our_target = page.replace("http://127.0.0.1:9898/", "");
        for outside in ["<script", "javascript:", "://", "src=", "href=", "url(", "@import", "NaN", "inf"] {
            assert!(!without_our_target.contains(outside), "{}: {outside}", situation.name);
        }
        assert!(page.len() < 100 << 10, "{}: {} bytes", situation.name, page.len());
    }
}

#[test]
fn the_numbers_are_the_summarys() {
    let situation = situations::errors();
    let (summary, page) = (&situation.summary, page(&situation));
    let document = Document::parse(body(&page)).unwrap();
    let rows = rows(&document);
    let row = |name: &str| {
        rows.iter().find(|row| row.contains(&name.to_owned())).unwrap_or_else(|| panic!("{name}: {rows:?}"))
    };
    assert_eq!(summary.codes[&Code::Http(503)], 24);
    assert_eq!(row("503")[1..4], ["503", "24", "2.00%"]);
    assert_eq!(row("200")[1..4], ["200", "1,176", "98.00%"]);
    let latency = &summary.distributions[&Series::Latency];
    let ms = |ns: u64| time(ns as f64);
    let quantiles = [0.5, 0.9, 0.95, 0.99, 0.999, 1.0].map(|q| ms(latency.quantile(q).unwrap()));
    assert_eq!(row("latency")[1], ms(latency.moments.min));
    assert_eq!(row("latency")[2..8], quantiles);
    assert_eq!(row("latency")[9], "1,176");
    assert_eq!(row("success>=99%")[1..4], ["98.00%", "96.9%..98.6%", "1,200"]);
    assert_eq!(row("success>=99%")[4], "✗ fail, clear");
    let figures: Vec<String> = document.descendants().filter(|node| node.has_tag_name("dd")).map(text).collect();
    let wall = format!("in {}", time(summary.wall.as_nanos() as f64));
    assert_eq!(figures[..4], ["1,200", wall.as_str(), "98.00%", "24 failed"]);
}

#[test]
fn the_histograms_counts_add_up_and_the_courses_have_a_point_a_second() {
    for situation in [situations::stall(), situations::mixed()] {
        let page = page(&situation);
        let document = Document::parse(body(&page)).unwrap();
        let picture = |title: &str| {
            let titled =
                |node: &Node<'_, '_>| node.has_tag_name("svg") && text(node.first_element_child().unwrap()) == title;
            document.descendants().find(titled).unwrap_or_else(|| panic!("no {title}"))
        };
        let counts = picture("Histogram of latency").children().filter(|node| node.has_tag_name("text"));
        let counts = counts.filter(|node| node.attribute("class").is_none()).map(text);
        let sum: u64 = counts.map(|n| n.replace(',', "").parse::<u64>().unwrap()).sum();
        assert_eq!(sum, situation.summary.distributions[&Series::Latency].n(), "{}", situation.name);
        let p99 = picture("Latency over time: p50, p99 and greatest");
        let line = p99.children().find(|node| node.attribute("class") == Some("line second")).unwrap();
        let points = line.attribute("d").unwrap().matches(['M', 'L']).count();
        let whole = situation.summary.wall.as_secs() as i64;
        let seconds = situation.summary.seconds.iter().filter(|second| second.at < whole && second.p99.is_some());
        assert_eq!(points, seconds.count(), "{}", situation.name);
    }
}

#[test]
fn what_a_clause_was_compared_with_has_a_column_and_advice_stands_below_the_reason() {
    let mut situation = situations::stall();
    assert!(!page(&situation).contains("compared with"));
    let verdict = situation.verdict.as_mut().unwrap();
    verdict.findings[1].reference = Some(crate::slo::Value::Time(812e6));
    verdict.advice = vec!["the primary is <slower>".to_owned()];
    let page = page(&situation);
    let document = Document::parse(body(&page)).unwrap();
    let rows = rows(&document);
    assert_eq!(rows[0][4], "compared with");
    assert_eq!((rows[1][4].as_str(), rows[2][4].as_str()), ("", "812ms"));
    assert!(page.contains("<p class=\"soft\">the primary is &lt;slower&gt;</p>"));
}

#[test]
fn a_clauses_bound_is_drawn_and_named() {
    let page = page(&situations::stall());
    assert_eq!(page.matches("<path class=\"bound\"").count(), 2, "over time and by percentile");
    assert_eq!(page.matches("class=\"spot\"").count(), 1);
    assert_eq!(page.matches(">p99&lt;500ms</text>").count(), 2);
}

#[test]
fn what_comes_from_outside_stays_text() {
    let hostile = "</style></svg><script>alert(1)</script><img src=x onerror=alert(1)>\"'&lt;\u{1b}[2J\u{202e}";
    let mut situation = situations::mixed();
    situation.facts.url = format!("http://h/{hostile}");
    situation.facts.method = hostile.to_owned();
    situation.facts.slo = Some(hostile.to_owned());
    situation.facts.started = hostile.to_owned();
    situation.facts.version = hostile.to_owned();
    situation.summary.first_error = Some(hostile.to_owned());
    let verdict = situation.verdict.as_mut().unwrap();
    verdict.reason = hostile.to_owned();
    for finding in &mut verdict.findings {
        finding.clause = hostile.to_owned();
        finding.note = Some(hostile.to_owned());
    }
    let page = page(&situation);
    let document = Document::parse(body(&page)).unwrap_or_else(|error| panic!("{error}\n{}", body(&page)));
    let foreign = document.descendants().filter(|node| node.has_tag_name("script") || node.has_tag_name("img"));
    assert_eq!(foreign.count(), 0);
    assert!(!page.contains("<script") && !page.contains("<img"));
    assert!(!page.contains(['\u{1b}', '\u{202e}']));
    let shown = document.descendants().filter(|node| node.text().is_some_and(|text| text.contains("<script>alert(1)")));
    assert!(shown.count() >= 8, "it is shown as the text it is, wherever it belongs");
}

#[test]
fn an_hour_of_seconds_is_still_a_small_page() {
    let mut situation = situations::stall();
    let second = situation.summary.seconds[1].clone();
    situation.summary.wall = std::time::Duration::from_secs(3_599);
    situation.summary.seconds = (0..3_599)
        .map(|at| crate::stats::Second { at, p99: Some(1_000_000 + at as u64 * 7_919), ..second.clone() })
        .collect();
    let page = page(&situation);
    assert!(page.len() < 100 << 10, "{} bytes", page.len());
    assert!(page.contains("the slowest second of every 12"));
}

#[test]
fn results_told_apart_have_a_table_each_with_every_part() {
    let situation = situations::told_apart();
    let page = page(&situation);
    let document = Document::parse(body(&page)).unwrap();
    let rows = rows(&document);
    assert!(rows.iter().any(|row| row[..3] == ["10.0.0.8:80", "200", "0%"] && row[5] == "503"), "{rows:?}");
    let users = &situation.summary.splits[2].parts;
    assert!(users.iter().all(|part| rows.iter().any(|row| row[0] == part.name)), "all of them, however many");
    assert!(text(document.root()).contains("address 10.0.0.8:80 fails 100%, the others 0%"));
}
