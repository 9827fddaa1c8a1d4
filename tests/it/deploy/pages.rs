//! The pages about running it: each of their commands is run here, or says what it needs that a test has not.

use std::path::PathBuf;
use std::process::Command;

use super::tools::{attempt, made, program, repository};

/// The pages, where in them it begins, and how many commands are run at least: fewer, and the reader of pages is broken.
const PAGES: [(&str, &str, usize); 2] =
    [("docs/operating.md", "# Operating", 7), ("docs/migrating.md", "## Coming from Flagger's loadtester", 2)];

/// What a command says that cannot be run here.
const NEEDS: &str = "# needs ";

/// The lines of a page's blocks of `sh`.
fn commands(text: &str) -> Vec<String> {
    let blocks = text.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.flat_map(str::lines).map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// The programs of the tests before those of the machine, and tollgate among them.
fn path() -> std::ffi::OsString {
    let own = [made("bin"), PathBuf::from(env!("CARGO_BIN_EXE_tollgate")).parent().unwrap().to_owned()];
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths(own.into_iter().chain(std::env::split_paths(&folders))).unwrap()
}

#[test]
fn the_commands_of_the_pages_run_or_say_what_they_need() {
    for (page, heading, least) in PAGES {
        let text = std::fs::read_to_string(repository(page)).unwrap();
        let (_, part) = text.split_once(heading).unwrap();
        let commands = commands(part);
        let runnable: Vec<&String> = commands.iter().filter(|line| !line.contains(NEEDS)).collect();
        assert!(runnable.len() >= least, "{page}: {commands:?}");
        for line in runnable {
            let first = line.split(' ').next().unwrap();
            if first != "tollgate" && program(first, page).is_none() {
                continue;
            }
            let mut command = Command::new("sh");
            command.args(["-ec", line]).current_dir(repository("")).env("PATH", path());
            attempt(&mut command).unwrap_or_else(|said| panic!("{page}: {line}: {said}"));
        }
    }
}
