//! The demo, and that the README shows what it prints.

use super::together;
use super::tollgate::run;

/// The form of what is printed: numbers as `#`, lines of ticks as `…`, several of them as one.
fn form(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = text.lines().map(of_line).collect();
    lines.dedup_by(|line, before| line == before && line == "…");
    lines
}

fn of_line(line: &str) -> String {
    let first = line.split_whitespace().next().unwrap_or_default();
    let is_time = first.strip_suffix('s').is_some_and(|number| number.parse::<f64>().is_ok());
    if is_time && line.starts_with(' ') {
        return "…".to_owned();
    }
    let mut out = String::new();
    for c in line.chars() {
        match c {
            '0'..='9' if out.ends_with('#') => {}
            '0'..='9' => out.push('#'),
            // Within a number.
            '.' | ',' if out.ends_with('#') => {}
            c => out.push(c),
        }
    }
    // A second or two more of anything is no other form; nor is one request more than one.
    out.replace("#m#s", "#m").replace("requests", "request").replace("ticks", "tick")
}

#[test]
fn the_demo_promotes_one_release_and_rolls_two_back_as_the_readme_shows() {
    let _load = together();
    let ended = run(["demo"]);
    assert_eq!(ended.stderr, "", "{ended:#?}");
    if ended.stdout.contains("SATURATED") {
        println!("skipped: this machine is too busy to measure on:\n{}", ended.stdout);
        return;
    }
    assert_eq!(ended.code, Some(0), "{}", ended.stdout);
    assert!(!ended.stdout.contains('\u{1b}') && ended.stdout.lines().all(|line| line.chars().count() <= 80));
    let outcomes: Vec<&str> =
        ["PROMOTED", "ROLLED BACK"].into_iter().flat_map(|word| ended.stdout.matches(word)).collect();
    assert_eq!(outcomes, ["PROMOTED", "ROLLED BACK", "ROLLED BACK"]);
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let shown = readme.split("```").find(|block| block.contains("PROMOTED")).expect("the README shows the demo");
    assert_eq!(form(shown.trim_start_matches('\n')), form(&ended.stdout), "{}", ended.stdout);
}

#[test]
fn the_form_of_a_text_is_the_same_whatever_its_numbers_are() {
    let one = "intro\n   0.0s    0 %  a\n   2.0s   10 %  b\n   PROMOTED after 9 ticks (16m)\n";
    let other = "intro\n   0.1s    0 %  a\n   PROMOTED after 10 ticks (1,600m)\n";
    assert_eq!(form(one), form(other));
    assert_ne!(form(one), form(&one.replace("PROMOTED", "UNDECIDED")));
}
