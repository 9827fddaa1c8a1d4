//! Completion scripts and manual pages, read by the programs they are for.

use std::io::Write as _;
use std::process::{Command, Stdio};

use super::tollgate::run;

/// What a program says to `input`, both streams together; `None`, aloud, where there is no such program.
fn fed(program: &str, arguments: &[&str], input: &str) -> Option<(bool, String)> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Ok(mut child) = command.spawn() else {
        eprintln!("skipped: no {program}");
        return None;
    };
    let mut stdin = child.stdin.take().unwrap();
    let text = input.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    Some((output.status.success(), said))
}

#[test]
fn bash_loads_the_script_and_offers_commands_flags_and_values() {
    let script = run(["completions", "bash"]);
    assert_eq!((script.code, script.stderr.as_str()), (Some(0), ""), "{script:#?}");
    // What bash does when Tab is pressed: words, the one under the cursor, and the function that `complete` names.
    let press = |words: &[&str]| {
        let line = words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" ");
        let (last, before) = (words[words.len() - 1], words[words.len() - 2]);
        let at = words.len() - 1;
        format!(
            "{}\ncomplete -p tollgate >/dev/null || exit 1\nCOMP_WORDS=({line}); COMP_CWORD={at}\n\
             _tollgate tollgate '{last}' '{before}'; echo \"${{COMPREPLY[*]}}\"\n",
            script.stdout
        )
    };
    for (words, offered) in [
        (vec!["tollgate", ""], vec!["run", "canary", "demo", "completions", "man"]),
        (vec!["tollgate", "run", "--conn"], vec!["--connections", "--connection-age"]),
        (vec!["tollgate", "run", "--output", ""], vec!["text", "json", "csv", "junit", "html"]),
        (vec!["tollgate", "canary", "--stal"], vec!["--stall"]),
        (vec!["tollgate", "completions", "f"], vec!["fish"]),
        (vec!["tollgate", "man", "d"], vec!["demo"]),
    ] {
        let Some((succeeded, said)) = fed("bash", &["--norc", "-s"], &press(&words)) else { return };
        let said: Vec<&str> = said.split_whitespace().collect();
        assert!(succeeded && offered.iter().all(|word| said.contains(word)), "{words:?}: {said:?}, not {offered:?}");
    }
}

#[test]
fn manual_pages_are_set_without_complaint() {
    for command in ["", "run", "canary", "demo", "completions", "man"] {
        let page = run(["man"].into_iter().chain(Some(command).filter(|command| !command.is_empty())));
        assert_eq!((page.code, page.stderr.as_str()), (Some(0), ""), "{page:#?}");
        let Some((succeeded, said)) = fed("groff", &["-K", "utf8", "-man", "-Tutf8", "-ww", "-P-cbou"], &page.stdout)
        else {
            return;
        };
        assert!(succeeded && said.contains("NAME") && said.contains("tollgate"), "{command}: {said}");
        let complaints: Vec<&str> =
            said.lines().filter(|line| line.contains("warning:") || line.contains("error:")).collect();
        assert_eq!(complaints, Vec::<&str>::new(), "{command}");
    }
}

#[test]
fn a_word_that_neither_command_takes_is_refused_with_those_it_does() {
    for (words, said) in [
        (vec!["completions"], "SHELL: got nothing, expected one of bash, elvish, fish, powershell, zsh\n"),
        (vec!["completions", "tcsh"], "SHELL: got 'tcsh', expected one of bash, elvish, fish, powershell, zsh\n"),
        (vec!["man", "runn"], "COMMAND: got 'runn', expected one of run, "),
    ] {
        let ended = run(words);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{ended:#?}");
        assert!(ended.stderr.starts_with(said), "{}", ended.stderr);
    }
}
