//! `tollgate lint`: what is wrong with Canaries, before a cluster sees them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command};

use super::remote::plain;
use super::style::style;
use super::{Exit, complain, say, warn};
use crate::exec::Program;
use crate::lint::{self, Migration, RULES, Report, Rule, Settings, Severity, Style};
use crate::spec::Objective;

/// Most bytes of one file.
const MOST: u64 = 64 << 20;
/// The word that means all warnings.
const WARNINGS: &str = "warnings";

const MORE: &str = "\
Reads files, or standard input for -: Canaries, streams of several documents as Helm writes them, and lists as kubectl
writes them. Other objects are passed over.

Examples:
  tollgate lint canary.yaml
  helm template RELEASE CHART | tollgate lint -
  tollgate lint --deny warnings --output github deploy/*.yaml
  kubectl get canaries -A -o yaml | tollgate lint --migrate -

Exit codes: 0 no errors were found · 1 there are errors; with --migrate: an answer changes · 2 usage, or a file cannot be read";

/// The command, for those who describe them all.
pub(super) fn command() -> Command {
    let several = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).action(ArgAction::Append).value_delimiter(',').help(help)
    };
    let switch =
        |name: &'static str, help: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue).help(help);
    let programs = PossibleValuesParser::new(Program::ALL.map(Program::name).into_iter().chain(["concord"]));
    Command::new("lint")
        .about("Says what is wrong with Canaries before a cluster sees them")
        .arg(Arg::new("FILE").action(ArgAction::Append).help("Files with Canaries; - is standard input"))
        .arg(
            Arg::new("output")
                .long("output")
                .short('o')
                .value_name("FORM")
                .value_parser(PossibleValuesParser::new(["text", "json", "github"]))
                .default_value("text")
                .help("Form of the findings: text, json, or github for annotations of a workflow"),
        )
        .arg(several("allow", "RULE", "Leaves out what this rule finds"))
        .arg(several("warn", "RULE", "Makes a warning of what this rule finds"))
        .arg(several("deny", "RULE", "Makes an error of what this rule finds; warnings: of all warnings"))
        .arg(Arg::new("default-slo").long("default-slo").value_name("LINE").help("The --default-slo of the service"))
        .arg(several("enable-exec", "NAMES", "The --enable-exec of the service").value_parser(programs))
        .arg(
            Arg::new("flagger")
                .long("flagger")
                .value_name("VERSION")
                .help("The version of Flagger that will ask (the newest)"),
        )
        .arg(switch("migrate", "Shows the hooks that tollgate answers otherwise than Flagger's loadtester"))
        .arg(switch("rules", "Lists the rules"))
        .after_help(MORE)
}

/// Runs the command.
pub(super) fn main(args: impl Iterator<Item = OsString>) -> Exit {
    let command = command().no_binary_name(true).override_usage("tollgate lint [OPTIONS] FILE...");
    let matches = match command.try_get_matches_from(args) {
        Ok(matches) => matches,
        Err(error) if error.use_stderr() => return complain(&error.to_string()),
        Err(help) => return say(&help.to_string()),
    };
    if matches.get_flag("rules") {
        return say(&rules());
    }
    let settings = match settings(&matches) {
        Ok(settings) => settings,
        Err(mistakes) => return complain(&format!("{}\nsee tollgate lint --help\n", mistakes.join("\n"))),
    };
    let names: Vec<&String> = matches.get_many("FILE").into_iter().flatten().collect();
    if names.is_empty() {
        return complain(
            "FILE: got nothing, expected files with Canaries, or - for standard input\nsee tollgate lint --help\n",
        );
    }
    let (files, unread): (Vec<_>, Vec<_>) = names.into_iter().map(|name| read(name)).partition(Result::is_ok);
    let files: Vec<(String, String)> = files.into_iter().flatten().collect();
    let look = if matches.get_flag("migrate") { migrate } else { look };
    let form = matches.get_one::<String>("output").map_or("text", String::as_str);
    // Of what nobody could read there is nothing to say.
    let exit = if files.is_empty() { Exit::Usage } else { look(&files, &settings, form) };
    let unread: Vec<String> = unread.into_iter().filter_map(Result::err).collect();
    if unread.is_empty() { exit } else { complain(&unread.concat()) }
}

/// The file's name for messages and its text; or what is wrong with it, as a line.
fn read(name: &str) -> Result<(String, String), String> {
    let (shown, bytes) = if name == "-" { ("stdin", bytes(io::stdin().lock())) } else { (name, file(Path::new(name))) };
    let why = match bytes {
        Ok(bytes) => match String::from_utf8(bytes) {
            Ok(text) => return Ok((shown.to_owned(), text)),
            Err(_) => "it is not UTF-8".to_owned(),
        },
        Err(error) => error.to_string(),
    };
    Err(format!("FILE: got '{}', expected a file that can be read; {why}\n", plain(shown)))
}

fn file(path: &Path) -> io::Result<Vec<u8>> {
    if path.is_dir() {
        return Err(io::Error::other("that is a folder: give the files in it"));
    }
    bytes(std::fs::File::open(path)?)
}

fn bytes(from: impl io::Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(MOST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST {
        return Err(io::Error::other("it has more than 64 MiB"));
    }
    Ok(bytes)
}

/// What is looked for, or every mistake in it.
fn settings(matches: &ArgMatches) -> Result<Settings, Vec<String>> {
    let mut mistakes = Vec::new();
    let mut settings = Settings::default();
    let levels = [("allow", None), ("warn", Some(Severity::Warning)), ("deny", Some(Severity::Error))];
    for (flag, level) in levels {
        for name in matches.get_many::<String>(flag).into_iter().flatten() {
            match name.parse::<Rule>() {
                Ok(rule) => drop(settings.levels.insert(rule, level)),
                Err(_) if flag == "deny" && name == WARNINGS => settings.deny_warnings = true,
                Err(_) => mistakes.push(no_rule(flag, name)),
            }
        }
    }
    if let Some(line) = matches.get_one::<String>("default-slo") {
        match Objective::read(line, true) {
            Ok(objective) => settings.default_slo = Some(Arc::new(objective)),
            Err(picture) => mistakes.push(format!("--default-slo: cannot be read\n{picture}")),
        }
    }
    if let Some(text) = matches.get_one::<String>("flagger") {
        match text.parse() {
            Ok(version) => settings.flagger = Some(version),
            Err(why) => mistakes.push(format!("--flagger: got '{}', {why}", shown(text))),
        }
    }
    settings.exec = matches.get_many::<String>("enable-exec").into_iter().flatten().cloned().collect();
    if mistakes.is_empty() { Ok(settings) } else { Err(mistakes) }
}

fn no_rule(flag: &str, name: &str) -> String {
    let near = RULES.iter().map(|rule| (strsim::damerau_levenshtein(name, rule.id()), rule.id()));
    let near = near.filter(|(distance, _)| *distance <= 3).min();
    let advice =
        near.map_or_else(|| "tollgate lint --rules lists them".to_owned(), |(_, id)| format!("did you mean {id}?"));
    format!("--{flag}: got '{}', expected the name of a rule; {advice}", shown(name))
}

/// The beginning of a word, without what could steer a terminal.
fn shown(word: &str) -> String {
    word.chars().filter(|c| !c.is_control()).take(40).collect()
}

/// The rules as a table.
fn rules() -> String {
    let widest = RULES.iter().map(|rule| rule.id().len()).max().unwrap_or_default();
    RULES
        .iter()
        .map(|rule| format!("{:<widest$}  {:<7}  {}\n", rule.id(), rule.severity().to_string(), rule.title()))
        .collect()
}

fn colors() -> Style {
    Style { color: style(&io::stdout(), false).color }
}

/// Says what is wrong.
fn look(files: &[(String, String)], settings: &Settings, form: &str) -> Exit {
    let reports: Vec<(String, Report)> =
        files.iter().map(|(name, text)| (name.clone(), lint::look(text, settings))).collect();
    match form {
        "json" => drop(say(&format!("{:#}\n", lint::json(&reports)))),
        "github" => drop(say(&reports.iter().map(|(name, report)| lint::github(name, report)).collect::<String>())),
        _ => {
            let text =
                files.iter().zip(&reports).map(|((name, text), (_, report))| lint::text(name, text, report, colors()));
            let text: String = text.collect();
            let reports: Vec<Report> = reports.iter().map(|(_, report)| report.clone()).collect();
            say(&(text + &lint::summary(&reports, colors())));
        }
    }
    let clean = reports.iter().all(|(_, report)| report.count(Severity::Error) == 0);
    if clean { Exit::Pass } else { Exit::Fail }
}

/// Says what changes.
fn migrate(files: &[(String, String)], settings: &Settings, form: &str) -> Exit {
    if form == "github" {
        return complain("--output: got 'github', expected text or json beside --migrate\nsee tollgate lint --help\n");
    }
    let mut changed = false;
    let mut documents = BTreeMap::new();
    for (name, text) in files {
        let errors = lint::look(text, settings).findings.into_iter().filter(|finding| finding.canary.is_none());
        // What cannot be read is in no count.
        for finding in errors.filter(|finding| finding.severity == Severity::Error) {
            warn(&format!("{name}:{}: {}\n", finding.at, finding.said));
            changed = true;
        }
        let migration: Migration = lint::migrate(text, settings);
        changed |= !migration.changes.is_empty();
        if form == "json" {
            documents.insert(name, lint::migration_json(&migration));
        } else {
            say(&lint::migration(name, &migration, colors()));
        }
    }
    if form == "json" {
        say(&format!("{:#}\n", serde_json::json!(documents)));
    }
    if changed { Exit::Fail } else { Exit::Pass }
}
