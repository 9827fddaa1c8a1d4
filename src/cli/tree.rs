//! All commands as one tree, and what is made of it: completion scripts and manual pages.
//!
//! Each command reads its own words; the tree is for those who describe the whole.

use std::ffi::OsString;

use clap::builder::PossibleValuesParser;
use clap::{Arg, Command, ValueEnum as _};
use clap_complete::Shell;

use super::{
    COMMANDS, Exit, complain, demo, flags, gate, ghz, hey, lint, practice, rehearse, say, serve, smoke, steer, warn,
};
use crate::spec::Output;

/// What the program is for.
pub(super) const ABOUT: &str = "tollgate stands between a new release and its users: it makes load against a canary, \
                                measures it honestly, and says pass or fail with the reason.";

/// What exit codes mean, in one line.
pub(super) const EXIT_CODES: &str = "Exit codes: 0 pass · 1 fail or unreachable · 2 usage · 3 inconclusive or too \
                                     little evidence · 4 tollgate itself stood in the way · 130 interrupted";

/// The program with all its commands.
pub(super) fn command() -> Command {
    Command::new("tollgate")
        .about(ABOUT)
        .version(env!("CARGO_PKG_VERSION"))
        .after_help(EXIT_CODES)
        .disable_help_subcommand(true)
        .subcommands([
            run(),
            hey::command(),
            ghz::command(),
            serve::command(),
            smoke::command(),
            gate::command(),
            steer::status_command(),
            steer::override_command(),
            steer::stop_command(),
            lint::command(),
            practice::command(),
            rehearse::command(),
            demo::command(),
            completions(),
            man(),
        ])
}

/// The command with what a shell should offer for its values; they are read by the table of keys.
fn run() -> Command {
    flags::run_command().mut_arg("output", |arg| arg.value_parser(PossibleValuesParser::new(Output::names())))
}

fn completions() -> Command {
    Command::new("completions")
        .about("Prints a script that completes tollgate's commands and flags in a shell")
        .arg(Arg::new("SHELL").required(true).value_parser(PossibleValuesParser::new(shells())))
        .after_help(
            "Examples:\n  \
             tollgate completions bash > ~/.local/share/bash-completion/completions/tollgate\n  \
             tollgate completions zsh > \"${fpath[1]}/_tollgate\"\n  \
             tollgate completions fish > ~/.config/fish/completions/tollgate.fish",
        )
}

fn man() -> Command {
    Command::new("man")
        .about("Prints a manual page: of the program, or of one command")
        .arg(Arg::new("COMMAND").value_parser(PossibleValuesParser::new(names())))
        .after_help(
            "Examples:\n  \
             tollgate man run | man -l -\n  \
             tollgate man > ~/.local/share/man/man1/tollgate.1",
        )
}

fn shells() -> Vec<String> {
    Shell::value_variants().iter().map(ToString::to_string).collect()
}

fn names() -> Vec<String> {
    COMMANDS.iter().map(|(name, _)| (*name).to_owned()).collect()
}

/// Runs `tollgate completions`.
pub(super) fn print_completions(args: impl Iterator<Item = OsString>) -> Exit {
    let shell = match one_word(completions(), &shells(), args) {
        Ok(shell) => shell.and_then(|shell| shell.parse::<Shell>().ok()),
        Err(exit) => return exit,
    };
    let Some(shell) = shell else { return complain(&refused(&completions(), None, &shells())) };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command(), "tollgate", &mut script);
    say(&String::from_utf8_lossy(&script))
}

/// Runs `tollgate man`.
pub(super) fn print_man(args: impl Iterator<Item = OsString>) -> Exit {
    let name = match one_word(man(), &names(), args) {
        Ok(name) => name,
        Err(exit) => return exit,
    };
    match page(name.as_deref()) {
        Ok(page) => say(&String::from_utf8_lossy(&page)),
        Err(error) => {
            warn(&format!("tollgate: {error}\n"));
            Exit::Saturated
        }
    }
}

/// The manual page of one command; of the program without one.
fn page(name: Option<&str>) -> std::io::Result<Vec<u8>> {
    let mut page = Vec::new();
    // Built, so that every command knows what it is called.
    let mut all = command();
    all.build();
    let shown = match name.and_then(|name| all.find_subcommand(name)) {
        Some(one) => {
            let title = format!("tollgate-{}", one.get_name());
            one.clone().name(title.clone()).display_name(title)
        }
        None => all,
    };
    clap_mangen::Man::new(shown).render(&mut page)?;
    Ok(page)
}

/// The one word that a command takes, if it is given and one of `allowed`; otherwise what the program ends with.
fn one_word(
    command: Command,
    allowed: &[String],
    args: impl Iterator<Item = OsString>,
) -> Result<Option<String>, Exit> {
    let words: Vec<String> = args.map(|word| word.to_string_lossy().into_owned()).collect();
    match words.as_slice() {
        [] => Ok(None),
        [word] if allowed.contains(word) => Ok(Some(word.clone())),
        [word] if word == "--help" || word == "-h" => {
            let name = format!("tollgate {}", command.get_name());
            Err(say(&command.bin_name(name).max_term_width(110).render_help().to_string()))
        }
        words => {
            let wrong = words.iter().find(|word| !allowed.contains(word)).or(words.last());
            Err(complain(&refused(&command, wrong.map(String::as_str), allowed)))
        }
    }
}

/// What is wrong with a command's one word.
fn refused(command: &Command, given: Option<&str>, allowed: &[String]) -> String {
    let key = command.get_arguments().next().map(|arg| arg.get_id().to_string()).unwrap_or_default();
    let shown = |word: &str| word.chars().filter(|c| !c.is_control()).take(40).collect::<String>();
    let given = given.map_or_else(|| "nothing".to_owned(), |word| format!("'{}'", shown(word)));
    let name = command.get_name();
    format!("{key}: got {given}, expected one of {}\nsee tollgate {name} --help\n", allowed.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_word_is_met_with_those_that_are_allowed() {
        assert_eq!(
            refused(&completions(), Some("tc\u{7}sh"), &shells()),
            "SHELL: got 'tcsh', expected one of bash, elvish, fish, powershell, zsh\nsee tollgate completions --help\n"
        );
        assert!(refused(&completions(), None, &shells()).starts_with("SHELL: got nothing, expected one of bash"));
        let word = |words: &[&str]| one_word(man(), &names(), words.iter().map(OsString::from));
        assert_eq!((word(&["run"]), word(&[])), (Ok(Some("run".to_owned())), Ok(None)));
        assert_eq!((word(&["runn"]), word(&["run", "demo"])), (Err(Exit::Usage), Err(Exit::Usage)));
    }

    #[test]
    fn the_tree_has_every_command_and_no_other() {
        let names: Vec<String> = command().get_subcommands().map(|command| command.get_name().to_owned()).collect();
        assert_eq!(names, COMMANDS.map(|(name, _)| name));
        command().debug_assert();
    }

    #[test]
    fn every_shells_script_has_every_command_and_flag() {
        for shell in Shell::value_variants() {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut command(), "tollgate", &mut script);
            let script = String::from_utf8(script).unwrap();
            for (name, _) in COMMANDS {
                assert!(script.contains(name), "{shell}: {name}");
            }
            let flags = crate::spec::KEYS.iter().filter_map(|key| key.long);
            for flag in flags.chain(crate::practice::SETTINGS.iter().map(|setting| setting.key)) {
                assert!(script.contains(flag), "{shell}: {flag}");
            }
        }
    }

    #[test]
    fn a_page_is_named_after_its_command_and_has_its_flags() {
        let text = |name| String::from_utf8(page(name).unwrap()).unwrap();
        assert!(text(None).contains(".TH tollgate 1"), "{}", text(None));
        let run = text(Some("run"));
        assert!(run.contains(".TH tollgate-run 1"), "{run}");
        for key in crate::spec::KEYS.iter().filter_map(|key| key.long) {
            assert!(run.contains(&key.replace('-', "\\-")), "{key}: {run}");
        }
    }
}
