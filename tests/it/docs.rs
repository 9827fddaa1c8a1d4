//! Documents, held to what is there: links lead somewhere, and the changelog keeps its form.

use std::path::Path;

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
