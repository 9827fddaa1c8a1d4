//! Documents, held to what is there: links lead somewhere, the changelog keeps its form, and what the documents say of
//! folders, tests, flags, exit codes and objectives is what the code says.

use std::collections::BTreeSet;
use std::path::Path;

use tollgate::cli::Exit;
use tollgate::practice::SETTINGS;
use tollgate::spec::KEYS;

use crate::layers::LAYERS;
use crate::source::{files, root};

/// What a section of the changelog may be about.
const CHANGES: [&str; 4] = ["Added", "Changed", "Fixed", "Breaking"];

/// Lines outside fenced code blocks.
fn prose(text: &str) -> Vec<&str> {
    let mut fenced = false;
    let outside = text.lines().filter(|line| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    });
    outside.collect()
}

/// Targets of `[text](target)` in a line, code spans left out.
fn links(line: &str) -> Vec<&str> {
    let spans: Vec<&str> = line.split('`').step_by(2).collect();
    let targets = spans.iter().flat_map(|span| span.split("](").skip(1));
    let targets = targets.filter_map(|rest| rest.split_once(')').map(|(target, _)| target.trim()));
    targets.map(|target| target.split_whitespace().next().unwrap_or_default()).collect()
}

/// A heading's anchor as GitHub makes it.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase().replace(' ', "-");
    kept.chars().filter(|c| c.is_alphanumeric() || *c == '-' || *c == '_').collect()
}

/// The anchors of a document.
fn anchors(text: &str) -> Vec<String> {
    let headings = prose(text).into_iter().filter(|line| line.starts_with('#'));
    headings.map(|line| anchor(line.trim_start_matches('#'))).collect()
}

/// Why a link leads nowhere, if so. `base` is the document it stands in.
fn broken(base: &Path, text: &str, link: &str) -> Option<String> {
    if ["https://", "http://", "mailto:"].iter().any(|scheme| link.starts_with(scheme)) {
        return None;
    }
    let (file, fragment) = link.split_once('#').unwrap_or((link, ""));
    let path = base.parent().unwrap().join(file);
    if !file.is_empty() && !path.exists() {
        return Some(format!("{}: no such file: {link}", base.display()));
    }
    let text = if file.is_empty() { text.to_owned() } else { std::fs::read_to_string(&path).unwrap_or_default() };
    let missing = !fragment.is_empty() && !anchors(&text).iter().any(|a| a == fragment);
    missing.then(|| format!("{}: no such heading: {link}", base.display()))
}

#[test]
fn every_relative_link_leads_to_a_file_and_a_heading() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for path in files(root(), "md") {
        let text = std::fs::read_to_string(&path).unwrap();
        for link in prose(&text).into_iter().flat_map(links) {
            seen += 1;
            wrong.extend(broken(&path, &text, link));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen > 0, "no link found at all: is the reader of links broken?");
}

#[test]
fn links_are_read_from_prose_only() {
    let text = "[a](x.md#y) `[b](no)` [c](z 'title')\n```\n[d](no)\n```\n[e](#f)";
    let found: Vec<_> = prose(text).into_iter().flat_map(links).collect();
    assert_eq!(found, ["x.md#y", "z", "#f"]);
    assert_eq!(anchors("# How `p99` is measured, twice\n"), ["how-p99-is-measured-twice"]);
    let here = root().join("CONTRIBUTING.md");
    assert_eq!(broken(&here, "# Here\n", "#here"), None);
    assert!(broken(&here, "# Here\n", "#there").is_some_and(|why| why.contains("no such heading")));
    assert!(broken(&here, "", "no-such-file.md").is_some_and(|why| why.contains("no such file")));
}

/// `0.1.0 – 2026-01-31` → (0, 1, 0).
fn version(heading: &str) -> Option<[u64; 3]> {
    let numbers = heading.split_whitespace().next()?.split('.').map(str::parse).collect::<Result<Vec<u64>, _>>();
    numbers.ok()?.try_into().ok()
}

#[test]
fn the_changelog_has_its_sections() {
    let text = std::fs::read_to_string(root().join("CHANGELOG.md")).unwrap();
    let headings =
        |marks: &str| -> Vec<&str> { prose(&text).into_iter().filter_map(|line| line.strip_prefix(marks)).collect() };
    let releases = headings("## ");
    assert_eq!(releases.first(), Some(&"Unreleased"), "the next release comes first");
    let versions: Vec<_> = releases[1..].iter().map(|heading| version(heading)).collect();
    assert!(versions.iter().all(Option::is_some), "version and date, not {releases:?}");
    assert!(versions.windows(2).all(|pair| pair[0] > pair[1]), "newest first, not {releases:?}");
    let current = version(env!("CARGO_PKG_VERSION"));
    assert!(versions.iter().all(|released| *released <= current), "Cargo.toml is older than {releases:?}");
    let kinds = headings("### ");
    assert!(!kinds.is_empty() && kinds.iter().all(|kind| CHANGES.contains(kind)), "{CHANGES:?}, not {kinds:?}");
}

fn document(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// The part of a document under a heading, up to the next one of the same level.
fn section<'a>(text: &'a str, heading: &str) -> &'a str {
    let after = text.split(&format!("\n## {heading}\n")).nth(1).unwrap_or_else(|| panic!("no section {heading}"));
    after.split("\n## ").next().unwrap_or(after)
}

/// Code spans in prose.
fn spans(text: &str) -> Vec<&str> {
    prose(text).into_iter().flat_map(|line| line.split('`').skip(1).step_by(2)).collect()
}

#[test]
fn the_architecture_shows_the_table_of_layers() {
    let cell = |allowed: &[&str]| match allowed {
        [] => "nothing of ours".to_owned(),
        folders => folders.iter().map(|folder| format!("`{folder}`")).collect::<Vec<_>>().join(", "),
    };
    let expected: Vec<String> =
        LAYERS.iter().map(|(folder, allowed)| format!("| `{folder}` | {} |", cell(allowed))).collect();
    let text = document("ARCHITECTURE.md");
    let table = text.split("| folder | may use |\n|---|---|\n").nth(1).expect("the table is there");
    let rows: Vec<&str> = table.lines().take_while(|line| line.starts_with('|')).collect();
    assert_eq!(rows, expected);
}

#[test]
fn every_test_that_a_document_names_exists() {
    let is_test = |span: &&str| {
        span.matches('_').count() >= 3 && span.chars().all(|c| c == '_' || c.is_ascii_lowercase() || c.is_ascii_digit())
    };
    let code: Vec<String> = files(root(), "rs").iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    let mut seen = 0;
    // Those for developers; pages for users name fields of the same form.
    for path in [root().join("ARCHITECTURE.md")].into_iter().chain(files(&root().join("docs/decisions"), "md")) {
        let text = std::fs::read_to_string(&path).unwrap();
        for name in spans(&text).into_iter().filter(is_test) {
            seen += 1;
            let declared = format!("fn {name}(");
            assert!(code.iter().any(|text| text.contains(&declared)), "{}: no test {name}", path.display());
        }
    }
    assert!(seen > 20, "hardly any test named: {seen}");
}

#[test]
fn the_exit_codes_are_told_alike_and_are_those_of_the_program() {
    let rows = |name: &str| -> Vec<String> {
        let text = document(name);
        let lines = section(&text, "Exit codes").lines().map(str::to_owned);
        lines.filter(|line| line.starts_with("| ") && !line.starts_with("| code ")).collect()
    };
    let told = rows("README.md");
    assert_eq!(told, rows("docs/run.md"));
    let codes: Vec<u8> = told.iter().map(|row| row.split('|').nth(1).unwrap().trim().parse().unwrap()).collect();
    let all = [Exit::Pass, Exit::Fail, Exit::Usage, Exit::Undecided, Exit::Saturated, Exit::Interrupted];
    assert_eq!(codes, all.map(Exit::code));
}

#[test]
fn the_readme_shows_objectives_that_can_be_judged_and_flags_that_exist() {
    let text = document("README.md");
    let block = section(&text, "The objective").split("```").nth(1).expect("a block of objectives");
    let lines: Vec<&str> = block.lines().filter(|line| !line.is_empty()).collect();
    assert!(lines.len() >= 5, "{lines:?}");
    for line in lines {
        let objective = line.split("   ").next().unwrap();
        let parsed = tollgate::slo::parse(objective).unwrap_or_else(|e| panic!("{}", e.caret(objective)));
        assert!(parsed.unsupported().is_empty(), "{objective}: {:?}", parsed.unsupported());
    }
    let ours = KEYS.iter().filter_map(|key| key.long).chain(SETTINGS.iter().map(|setting| setting.key));
    let known: BTreeSet<&str> = ours.chain(["release", "speed", "bad", "good"]).collect();
    let words = text.split(|c: char| !(c == '-' || c.is_ascii_lowercase() || c.is_ascii_digit()));
    let flags: Vec<&str> = words.filter_map(|word| word.strip_prefix("--")).filter(|f| !f.starts_with('-')).collect();
    let unknown: Vec<&&str> = flags.iter().filter(|flag| !flag.is_empty() && !known.contains(**flag)).collect();
    assert!(flags.contains(&"slo") && unknown.is_empty(), "{unknown:?}");
}
