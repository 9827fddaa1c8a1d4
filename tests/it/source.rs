//! Rust source as the architecture test needs it: files of a tree, code without comments and literals, and the
//! top-level modules of the crate that the code names.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files under `folder` whose name ends in `.extension`, sorted. Hidden folders and `target` are left out.
pub(crate) fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir().unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                if name != "target" && !name.starts_with('.') {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|e| e == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// One file of `src/` as the rules see it.
pub(crate) struct Source {
    /// Path below `src/`, with `/` between the parts.
    pub(crate) name: String,
    /// The modules it stands in: `["slo", "judge"]` for `slo/judge.rs`, `["slo"]` for `slo/mod.rs`.
    pub(crate) module: Vec<String>,
    /// Code before its tests, without comments and with the contents of literals taken out.
    pub(crate) code: String,
    /// Lines before its tests, comments included.
    pub(crate) lines: usize,
}

/// Every file below `src/` that is not a test module of its own.
pub(crate) fn sources() -> Vec<Source> {
    let base = root().join("src");
    let read: Vec<(String, String)> = files(&base, "rs")
        .iter()
        .map(|path| {
            let name = path.strip_prefix(&base).unwrap().components();
            let name: Vec<_> = name.map(|part| part.as_os_str().to_string_lossy()).collect();
            (name.join("/"), std::fs::read_to_string(path).unwrap())
        })
        .collect();
    let tests: BTreeSet<Vec<String>> = read.iter().flat_map(|(name, text)| test_modules(name, text)).collect();
    read.iter()
        .filter(|(name, _)| !tests.iter().any(|test| module_of(name).starts_with(test)))
        .map(|(name, text)| {
            let text = before_tests(text);
            Source { name: name.clone(), module: module_of(name), code: bare(text), lines: text.lines().count() }
        })
        .collect()
}

/// `slo/judge.rs` → `slo`, `judge`.
fn module_of(name: &str) -> Vec<String> {
    let stem = name.trim_end_matches(".rs").trim_end_matches("/mod");
    stem.split('/').map(str::to_owned).collect()
}

/// The modules that `text` declares as `#[cfg(test)] mod name;`.
fn test_modules(name: &str, text: &str) -> Vec<Vec<String>> {
    let after_each = text.split("#[cfg(test)]").skip(1);
    let names = after_each.filter_map(|rest| rest.trim_start().strip_prefix("mod ")?.split_once([';', '{']));
    let own = module_of(name);
    names.map(|(test, _)| own.iter().cloned().chain([test.trim().to_owned()]).collect()).collect()
}

/// The part of a file before its inline test module.
pub(crate) fn before_tests(text: &str) -> &str {
    let is_inline = |at: usize| {
        let rest = text[at..].trim_start_matches("#[cfg(test)]").trim_start();
        rest.starts_with("mod ") && rest.find('{').unwrap_or(usize::MAX) < rest.find(';').unwrap_or(usize::MAX)
    };
    let end = text.match_indices("#[cfg(test)]").map(|(at, _)| at).find(|at| is_inline(*at));
    &text[..end.unwrap_or(text.len())]
}

/// The code without comments, and with every string and character literal emptied.
fn bare(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let skip = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else if let Some(hashes) = raw_string(rest) {
            let end = format!("\"{hashes}");
            let body = rest.find('"').map_or(rest.len(), |quote| quote + 1);
            rest[body..].find(&end).map_or(rest.len(), |at| body + at + end.len())
        } else if first == '"' {
            quoted(rest, '"')
        } else if is_char(rest) {
            quoted(rest, '\'')
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        };
        out.push(' ');
        rest = &rest[skip..];
    }
    out
}

/// Length of a block comment, nested ones included.
fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < text.len() {
        if text[at..].starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if text[at..].starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// The `#`s of a raw string that begins here.
fn raw_string(text: &str) -> Option<&str> {
    let after = text.strip_prefix("br").or_else(|| text.strip_prefix('r'))?;
    let hashes = &after[..after.len() - after.trim_start_matches('#').len()];
    after[hashes.len()..].starts_with('"').then_some(hashes)
}

/// A character literal, as opposed to a lifetime.
fn is_char(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next() == Some('\'') && (chars.next() == Some('\\') || chars.next() == Some('\''))
}

/// Length of a literal with escapes, both quotes included.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

/// Words and punctuation of bare code; `::` is one token.
fn tokens(code: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let word = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
        let length = if word > 0 {
            word
        } else if rest.starts_with("::") {
            2
        } else {
            first.len_utf8()
        };
        out.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    out
}

/// The top-level modules (or root items) that the code names, through `crate::` or a chain of `super::`.
pub(crate) fn used_modules(code: &str, module: &[String]) -> BTreeSet<String> {
    let tokens = tokens(code);
    let mut used = BTreeSet::new();
    let mut at = 0;
    while at < tokens.len() {
        let start = at;
        at += 1;
        let rooted = match tokens[start] {
            "crate" if tokens.get(at) == Some(&"::") => true,
            "super" if tokens.get(at) == Some(&"::") => {
                let mut ups = 1;
                while tokens.get(at + 1) == Some(&"super") && tokens.get(at + 2) == Some(&"::") {
                    (ups, at) = (ups + 1, at + 2);
                }
                ups == module.len()
            }
            _ => false,
        };
        if rooted {
            used.extend(heads(&tokens[at + 1..]).into_iter().map(str::to_owned));
        }
    }
    used
}

/// The first names of a path or of a `{…}` group of paths.
fn heads<'t>(tokens: &[&'t str]) -> Vec<&'t str> {
    if tokens.first() != Some(&"{") {
        return tokens.first().copied().into_iter().collect();
    }
    let mut depth = 0;
    let mut heads = Vec::new();
    for pair in tokens.windows(2) {
        match pair[0] {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
        if depth == 1 && matches!(pair[0], "{" | ",") && pair[1] != "}" {
            heads.push(pair[1]);
        }
    }
    heads
}

/// Those of `paths` (such as `std::fs` or `Instant`) that the code names as whole words, not as parts of longer ones.
pub(crate) fn named<'p>(code: &str, paths: impl IntoIterator<Item = &'p str>) -> Vec<&'p str> {
    let code = tokens(code);
    let stands = |path: &&str| {
        let path = tokens(path);
        code.windows(path.len()).any(|window| window == path.as_slice())
    };
    paths.into_iter().filter(stands).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(code: &str, module: &[&str]) -> Vec<String> {
        let module: Vec<_> = module.iter().map(|&part| part.to_owned()).collect();
        used_modules(&bare(code), &module).into_iter().collect()
    }

    #[test]
    fn every_way_to_name_another_folder_is_seen() {
        for (code, module, expected, why) in [
            ("use crate::stats::Ns;", vec!["slo"], vec!["stats"], "a plain use"),
            ("use crate::{plan::{Plan, Rate}, stats};", vec!["slo"], vec!["plan", "stats"], "a group, nested"),
            ("fn f() -> crate::wire::X { todo() }", vec!["slo"], vec!["wire"], "inline"),
            ("use super::super::load;", vec!["slo", "judge"], vec!["load"], "up to the root"),
            ("use super::load;", vec!["slo", "judge"], vec![], "up to one's own folder only"),
            ("use super::{spec, wire::Y};", vec!["slo"], vec!["spec", "wire"], "mod.rs stands one below the root"),
            ("// use crate::wire;\n/* crate::load */ let s = \"crate::cli\";", vec!["slo"], vec![], "no code"),
            ("let c = '\"'; use crate::plan; let d = '\\'';", vec!["slo"], vec!["plan"], "quotes as characters"),
            ("fn f<'a>(x: &'a str) -> crate::plan::P<'a>;", vec!["slo"], vec!["plan"], "lifetimes"),
            ("let s = r#\"a\" crate::cli\"#; crate::plan::f();", vec!["slo"], vec!["plan"], "raw strings"),
        ] {
            assert_eq!(used(code, &module), expected, "{why}");
        }
    }

    #[test]
    fn a_name_counts_only_as_a_whole_word() {
        let paths = ["Instant", "std::fs"];
        for (code, expected) in [
            ("let t = Instant::now();", vec!["Instant"]),
            ("let t = InstantReplay::now();", vec![]),
            ("use std::fs;", vec!["std::fs"]),
            ("std :: fs :: read(Instant)", vec!["Instant", "std::fs"]),
            ("use std::fmt;", vec![]),
        ] {
            assert_eq!(named(code, paths), expected, "{code}");
        }
    }

    #[test]
    fn tests_are_cut_off_whether_inline_or_in_a_file() {
        assert_eq!(before_tests("a\n#[cfg(test)]\nmod tests { b }"), "a\n");
        assert_eq!(before_tests("#[cfg(test)]\nmod tests;\ncode"), "#[cfg(test)]\nmod tests;\ncode");
        assert_eq!(before_tests("#[cfg(test)]\nuse x; code { }"), "#[cfg(test)]\nuse x; code { }");
        assert_eq!(test_modules("slo/mod.rs", "#[cfg(test)]\nmod tests;"), vec![vec!["slo", "tests"]]);
    }
}
