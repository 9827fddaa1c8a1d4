use std::io::Write as _;
use std::process::{Command, Stdio};

use tollgate::spec::line::{self, Line};

/// Patterns made of what means something in one language or the other.
const PIECES: [&str; 24] = [
    "a",
    "b",
    "1",
    ".",
    "*",
    "+",
    "?",
    "(",
    ")",
    "|",
    "{",
    "}",
    "{2}",
    "[ab]",
    "[^a]",
    "[[:digit:]]",
    "^",
    "$",
    r"\(",
    r"\)",
    r"\|",
    r"\+",
    r"\.",
    r"\<",
];
const TEXTS: [&str; 12] = ["", "a", "ab", "aab", "b1", "a+b", "(a|b)", "a{2}", "a.b", "^a$", "11", r"a\b"];

/// Numbers that look drawn by chance and are the same every time (xorshift64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % most as u64) as usize
    }
}

/// Which of the texts, one a line, are selected: by us, `None` where the pattern is refused.
fn ours(flag: &str, pattern: &str, text: &str) -> Option<String> {
    match line::read(&format!("curl a | grep {flag} -e {}", shell_words::quote(pattern))) {
        Ok(Line::Checks(checks)) => Some(checks[0].greps[0].filter(text).1),
        _ => None,
    }
}

/// And by the real one, `None` where it cannot read the pattern.
fn theirs(flag: &str, pattern: &str, text: &str) -> Option<String> {
    let mut grep = Command::new("grep");
    grep.args([flag, "-e", pattern]).env("LC_ALL", "C.UTF-8");
    let mut grep = grep.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let _ = grep.stdin.take().unwrap().write_all(text.as_bytes());
    let output = grep.wait_with_output().unwrap();
    output.status.code().is_some_and(|code| code < 2).then(|| String::from_utf8(output.stdout).unwrap())
}

#[test]
fn patterns_of_all_kinds_select_the_lines_that_grep_selects() {
    if !super::has("grep") {
        println!("skipped: grep is not installed");
        return;
    }
    let (mut chance, mut compared, text) = (Chance(0x5eed), 0, format!("{}\n", TEXTS.join("\n")));
    let mut wrong = Vec::new();
    for _ in 0..600 {
        let pattern: String = (0..=chance.below(5)).map(|_| PIECES[chance.below(PIECES.len())]).collect();
        let flag = ["-G", "-E", "-xE", "-wE", "-iG", "-F"][chance.below(6)];
        if let (Some(ours), Some(theirs)) = (ours(flag, &pattern, &text), theirs(flag, &pattern, &text)) {
            compared += 1;
            if ours != theirs {
                wrong.push(format!("grep {flag} '{pattern}': {ours:?}, and the real one {theirs:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {compared}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(compared > 300, "{compared}");
}
