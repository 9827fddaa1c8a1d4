//! `tollgate smoke`: files of requests, what their answers must be, and an exit code.

mod dry;
mod flags;
mod play;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

pub(super) use flags::command;
use flags::{Asked, Invocation};

use super::flags::{fresh_seed, read_body};
use super::style::style;
use super::{Exit, complain, saving, say, warn};
use crate::report::Style;
use crate::smoke::{self, Around, Suite, ToldSuite};
use crate::spec::Output;

/// Bytes of a file at most.
const MOST: u64 = 4 << 20;

/// A file that was read.
struct Source {
    /// As it was named.
    file: String,
    /// What the names of other files in it begin at.
    folder: PathBuf,
    suite: Suite,
}

impl Source {
    /// Reads a file that the suite names.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        read_body(&self.folder.join(path))
    }
}

/// Runs the command.
pub(super) fn main(args: impl Iterator<Item = std::ffi::OsString>) -> Exit {
    let asked = match flags::parse(args) {
        Ok(Invocation::Smoke(asked)) => *asked,
        Ok(Invocation::Show(text)) => return say(&text),
        Err(mistakes) => return complain(&mistakes),
    };
    let sources = match sources(&asked) {
        Ok(sources) => sources,
        Err(mistakes) => return complain(&mistakes),
    };
    for source in &sources {
        source.suite.notes.iter().for_each(|note| warn(&format!("note: {}:{note}\n", source.file)));
    }
    let style = style(&io::stdout(), asked.no_color);
    if asked.dry_run {
        return say(&dry::text(&sources, style));
    }
    let report = match asked.report.as_ref().map(saving::open).transpose() {
        Ok(report) => report,
        Err(problem) => return complain(&problem),
    };
    match play(&asked, &sources, style, report) {
        Ok(exit) => exit,
        Err(problem) => {
            warn(&format!("tollgate: {problem:#}\n"));
            Exit::Saturated
        }
    }
}

/// Plays all files and reports what came of them.
fn play(asked: &Asked, sources: &[Source], style: Style, report: Option<File>) -> anyhow::Result<Exit> {
    let told = play::all(asked, sources, style)?;
    let exit = exit(&told);
    if let Some((mut file, saved)) = report.zip(asked.report.as_ref()) {
        saving::replace(&mut file, &written(&told, saved.form, exit))?;
    }
    if asked.output != Output::Text {
        say(&written(&told, asked.output, exit));
    }
    Ok(exit)
}

fn written(told: &[ToldSuite], form: Output, exit: Exit) -> String {
    match form {
        Output::Junit => smoke::junit(told, exit.code()),
        _ => format!("{:#}\n", smoke::json(told, exit.code())),
    }
}

/// The worst of all files; an interruption leaves no verdict.
fn exit(told: &[ToldSuite]) -> Exit {
    let decisions: Option<Vec<_>> = told.iter().map(ToldSuite::decision).collect();
    match decisions {
        None => Exit::Interrupted,
        Some(decisions) => decisions.into_iter().max().map_or(Exit::Undecided, Exit::from),
    }
}

/// Reads all files.
///
/// # Errors
/// Everything that is wrong with them, a line each.
fn sources(asked: &Asked) -> Result<Vec<Source>, String> {
    let (mut sources, mut mistakes, mut used) = (Vec::new(), String::new(), BTreeSet::new());
    for file in &asked.files {
        let text = match content(file) {
            Ok(text) => text,
            Err(problem) => {
                mistakes += &format!("{file}: {problem}\n");
                continue;
            }
        };
        used.extend(asked.vars.keys().filter(|name| text.contains(&format!("{{{{{name}}}}}"))).cloned());
        let path = Path::new(file);
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        let read = |path: &Path| read_body(&folder.join(path));
        let stem = path.file_stem().map_or_else(|| file.clone(), |stem| stem.to_string_lossy().into_owned());
        let around = Around {
            name: if file == "-" { "standard input" } else { &stem },
            base: asked.base.as_deref(),
            vars: &asked.vars,
            env: &|name| std::env::var(name).ok(),
            read: &read,
            seed: fresh_seed(),
        };
        match smoke::read(&text, &around) {
            Ok(suite) => sources.push(Source { file: file.clone(), folder, suite }),
            Err(wrong) => mistakes.extend(wrong.iter().map(|mistake| format!("{file}:{mistake}\n"))),
        }
    }
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    for name in asked.vars.keys().filter(|name| !used.contains(*name)) {
        warn(&format!("note: --var {name} has no effect: no file has {{{{{name}}}}} in it\n"));
    }
    Ok(sources)
}

/// The text of a file; `-` is standard input.
fn content(file: &str) -> Result<String, String> {
    let mut bytes = Vec::new();
    let read = match file {
        "-" => io::stdin().take(MOST + 1).read_to_end(&mut bytes),
        _ => File::open(file).and_then(|opened| opened.take(MOST + 1).read_to_end(&mut bytes)),
    };
    read.map_err(|error| format!("cannot be read: {error}"))?;
    if bytes.len() as u64 > MOST {
        return Err(format!("it is longer than {} MiB", MOST >> 20));
    }
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::slo::Decision;
    use crate::smoke::{End, Told};

    fn told(ends: &[End]) -> ToldSuite {
        let step = |end: &End| Told {
            name: "a".into(),
            line: 1,
            asks: "GET /".into(),
            end: end.clone(),
            status: None,
            took: Duration::ZERO,
            tries: 1,
            whole: Duration::ZERO,
            said: Vec::new(),
            captured: Vec::new(),
            report: None,
        };
        let steps = ends.iter().map(step).collect();
        ToldSuite { name: "s".into(), file: "s.yaml".into(), started: String::new(), took: Duration::ZERO, steps }
    }

    #[test]
    fn the_worst_step_of_all_files_decides_and_an_interruption_leaves_no_verdict() {
        let decided = |decision| End::Decided(decision);
        let skipped = || End::Skipped("why".to_owned());
        for (suites, exit, why) in [
            (vec![vec![decided(Decision::Pass)]], Exit::Pass, "all hold"),
            (vec![vec![decided(Decision::Pass)], vec![decided(Decision::Fail), skipped()]], Exit::Fail, "one does not"),
            (vec![vec![decided(Decision::Unreachable)]], Exit::Fail, "nobody there"),
            (vec![vec![decided(Decision::Insufficient)]], Exit::Undecided, "too little load"),
            (vec![vec![decided(Decision::Saturated)]], Exit::Saturated, "our own fault"),
            (vec![vec![decided(Decision::Saturated), decided(Decision::Fail)]], Exit::Fail, "a failure is one"),
            (vec![vec![decided(Decision::Fail)], vec![End::Interrupted]], Exit::Interrupted, "stopped"),
            (vec![vec![skipped()]], Exit::Undecided, "nothing was done"),
        ] {
            let suites: Vec<ToldSuite> = suites.iter().map(|ends| told(ends)).collect();
            assert_eq!(super::exit(&suites), exit, "{why}");
        }
    }
}
