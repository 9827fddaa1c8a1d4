//! The flags of `tollgate smoke`.

use std::ffi::OsString;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, Command, ValueHint};

use crate::cli::words::{self, Read, Refused, joined, lines};
use crate::smoke::{Values, schema};
use crate::spec::{Output, Saved};

/// What the user reads first.
const ABOUT: &str = "Makes the requests of files, and says whether all answers are as they must be";

/// Uses to copy, below the flags.
const EXAMPLES: &str = "\
A file:
  base: http://podinfo-canary.test:9898
  steps:
    - name: ready
      url: /readyz
      retry: 30s
    - name: login
      url: /token
      method: POST
      capture: {token: {json: $.token}}
    - name: version
      url: /version
      headers: {Authorization: \"Bearer {{token}}\"}
      expect: {status: 200, json-match: {$.version: '^6\\.'}}
    - name: load
      url: /
      rate: 20/s
      duration: 30s
      slo: success>=99%, p99<500ms

Examples:
  tollgate smoke smoke.yaml
  tollgate smoke --base http://127.0.0.1:9898 --var version=6.5.0 -o junit --report smoke.json smoke.yaml
  tollgate smoke --schema > smoke.schema.json

docs/smoke.md has every key.";

/// Where to read on.
const SEE: &str = "see tollgate smoke --help\n";

/// The forms that a report can have.
const FORMS: [(Output, &str); 3] = [(Output::Text, "text"), (Output::Json, "json"), (Output::Junit, "junit")];

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) files: Vec<String>,
    pub(super) base: Option<String>,
    pub(super) vars: Values,
    pub(super) keep_going: bool,
    pub(super) dry_run: bool,
    pub(super) output: Output,
    pub(super) report: Option<Saved>,
    pub(super) quiet: bool,
    pub(super) no_color: bool,
}

/// What a command line comes to.
#[derive(Debug)]
pub(super) enum Invocation {
    /// Files to play.
    Smoke(Box<Asked>),
    /// A text to show on standard output.
    Show(String),
}

/// The command.
pub(in crate::cli) fn command() -> Command {
    let switch = |name: &'static str, help| Arg::new(name).long(name).action(ArgAction::SetTrue).help(help);
    let value = |name: &'static str, value, help| {
        Arg::new(name).long(name).value_name(value).action(ArgAction::Append).allow_hyphen_values(true).help(help)
    };
    Command::new("smoke")
        .about(ABOUT)
        .bin_name("tollgate smoke")
        .display_name("tollgate")
        .override_usage("tollgate smoke [OPTIONS] FILE...")
        .version(env!("CARGO_PKG_VERSION"))
        .no_binary_name(true)
        .max_term_width(110)
        .after_help(EXAMPLES)
        .arg(
            Arg::new("FILE")
                .num_args(0..)
                .value_hint(ValueHint::FilePath)
                .help("Files to play, one after the other; - is standard input"),
        )
        .arg(value("base", "URL", "What stands before URLs that begin with a slash, whatever the files say"))
        .arg(value("var", "NAME=VALUE", "A value for {{NAME}}, whatever the files say; may be given again"))
        .arg(switch("keep-going", "Do the other steps of a file after one that does not hold [default: skip them]"))
        .arg(switch("dry-run", "Print what would be sent, and send nothing"))
        .arg(
            value("output", "FORMAT", "Form of the report on standard output [default: text]")
                .short('o')
                .value_parser(PossibleValuesParser::new(FORMS.map(|(_, name)| name))),
        )
        .arg(value("report", "FILE", "File to write a report to as well; its name ends in .json or .xml (JUnit)"))
        .arg(switch("schema", "Print the form of a file as a JSON schema"))
        .arg(switch("quiet", "No progress while load runs"))
        .arg(switch("no-color", "No colours"))
}

/// Reads the words after `tollgate smoke`.
///
/// # Errors
/// Every mistake, a line each.
pub(super) fn parse(args: impl Iterator<Item = OsString>) -> Result<Invocation, String> {
    let args = args.map(|word| if word == "-o" { "--output".into() } else { word });
    let plain = || command().mut_arg("output", |arg| arg.value_parser(clap::builder::ValueParser::string()));
    let (matches, refused) = match words::read(plain, values_joined(args)) {
        Read::Show(text) => return Ok(Invocation::Show(text)),
        Read::Unreadable(said, refused) => {
            return Err(format!("{}{said}\n{SEE}", lines(refused.iter().map(no_such_flag))));
        }
        Read::Matches(matches, refused) => (matches, refused),
    };
    if matches.get_flag("schema") && refused.is_empty() {
        return Ok(Invocation::Show(format!("{:#}\n", schema())));
    }
    let mut mistakes: Vec<String> = refused.iter().map(no_such_flag).collect();
    let asked = read(&matches, &mut mistakes);
    if mistakes.is_empty() {
        return Ok(Invocation::Smoke(Box::new(asked)));
    }
    Err(format!("{}{SEE}", lines(mistakes.iter())))
}

/// Flags with a value as one word each; a switch takes no word.
fn values_joined(args: impl Iterator<Item = OsString>) -> Vec<OsString> {
    const SWITCHES: [&str; 5] = ["--keep-going", "--dry-run", "--schema", "--quiet", "--no-color"];
    let mut words = Vec::new();
    let mut run = Vec::new();
    for word in args {
        if SWITCHES.iter().any(|switch| word == *switch) {
            words.extend(joined(std::mem::take(&mut run).into_iter()));
            words.push(word);
        } else {
            run.push(word);
        }
    }
    words.extend(joined(run.into_iter()));
    words
}

fn no_such_flag(refused: &Refused) -> String {
    let names = command();
    let names: Vec<String> = names.get_arguments().filter_map(|arg| arg.get_long().map(str::to_owned)).collect();
    words::no_such_flag(refused, names.iter().map(String::as_str))
}

fn read(matches: &ArgMatches, mistakes: &mut Vec<String>) -> Asked {
    let all = |name: &str| matches.get_many::<String>(name).unwrap_or_default().cloned().collect::<Vec<_>>();
    let last = |name: &str| all(name).pop();
    let files = all("FILE");
    if files.is_empty() {
        mistakes.push("FILE: got nothing, expected at least one file".to_owned());
    }
    if files.iter().filter(|file| *file == "-").count() > 1 {
        mistakes.push("FILE: got - twice, expected it once: standard input can be read once".to_owned());
    }
    let mut vars = Values::new();
    for var in all("var") {
        match var.split_once('=') {
            Some((name, value)) if !name.trim().is_empty() => _ = vars.insert(name.trim().to_owned(), value.to_owned()),
            _ => mistakes.push(format!("--var: got '{}', expected NAME=VALUE", shown(&var))),
        }
    }
    let output = last("output").map_or(Output::Text, |text| {
        let form = FORMS.iter().find(|(_, name)| *name == text).map(|(form, _)| *form);
        if form.is_none() {
            mistakes.push(format!("--output: got '{}', expected text, json or junit", shown(&text)));
        }
        form.unwrap_or_default()
    });
    let report = last("report").and_then(|text| {
        let saved = Saved::read(&text).ok().filter(|saved| matches!(saved.form, Output::Json | Output::Junit));
        if saved.is_none() {
            let expected = "expected a file name that ends in .json or .xml (JUnit)";
            mistakes.push(format!("--report: got '{}', {expected}", shown(&text)));
        }
        saved
    });
    Asked {
        files,
        base: last("base"),
        vars,
        keep_going: matches.get_flag("keep-going"),
        dry_run: matches.get_flag("dry-run"),
        output,
        report,
        quiet: matches.get_flag("quiet"),
        no_color: matches.get_flag("no-color"),
    }
}

fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Asked, String> {
        match parse(line.split_whitespace().map(OsString::from))? {
            Invocation::Smoke(asked) => Ok(*asked),
            Invocation::Show(text) => Err(text),
        }
    }

    #[test]
    fn flags_and_files_may_stand_in_any_order() {
        let asked =
            parsed("--dry-run a.yaml --var x=1=2 -o json --var y= b.yaml --report out.xml --base http://h").unwrap();
        assert_eq!(asked.files, ["a.yaml", "b.yaml"]);
        assert_eq!(asked.vars, Values::from([("x".into(), "1=2".into()), ("y".into(), String::new())]));
        assert_eq!((asked.output, asked.base.as_deref(), asked.dry_run), (Output::Json, Some("http://h"), true));
        assert_eq!(asked.report.map(|saved| saved.form), Some(Output::Junit));
        assert!(!parsed("a.yaml").unwrap().keep_going);
    }

    #[test]
    fn all_mistakes_come_at_once() {
        assert_eq!(
            parsed("--var x --output html --report out.csv --keepgoing").unwrap_err(),
            "flag: got '--keepgoing', expected a flag that exists; did you mean --keep-going?\n\
             FILE: got nothing, expected at least one file\n\
             --var: got 'x', expected NAME=VALUE\n\
             --output: got 'html', expected text, json or junit\n\
             --report: got 'out.csv', expected a file name that ends in .json or .xml (JUnit)\n\
             see tollgate smoke --help\n"
        );
    }
}
