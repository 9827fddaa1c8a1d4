//! The live view, on a terminal that tmux keeps: drawn, resized, and gone before the report.

use std::process::Command;
use std::time::{Duration, Instant};

use super::practice::{practice, url};

/// A terminal of its own; dropping it ends what runs in it.
struct Terminal {
    /// The folder of its socket, so that no other tmux is met.
    folder: tempfile::TempDir,
}

impl Terminal {
    /// Runs a shell line in a terminal of 90 columns; `None`, aloud, where there is no tmux.
    fn running(line: &str) -> Option<Self> {
        let terminal = Self { folder: tempfile::tempdir().unwrap() };
        let size = ["new-session", "-d", "-x", "90", "-y", "80"];
        // The shell outlives a Ctrl-C that is meant for what it runs.
        let line = format!("trap : INT; {line}; exec sleep 60");
        let started = terminal.tmux().args(size).args(["sh", "-c", &line]).output();
        match started {
            Ok(output) if output.status.success() => Some(terminal),
            problem => {
                eprintln!("skipped: no tmux to make a terminal: {problem:?}");
                None
            }
        }
    }

    fn tmux(&self) -> Command {
        let mut command = Command::new("tmux");
        command.arg("-S").arg(self.folder.path().join("socket")).args(["-f", "/dev/null", "-u"]);
        command.env_remove("TMUX").env_remove("NO_COLOR").env("TERM", "xterm-256color");
        command
    }

    fn ask(&self, arguments: &[&str]) -> String {
        let output = self.tmux().args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Waits until what the terminal shows is as wanted.
    fn until(&self, what: &str, wanted: impl Fn(&[&str]) -> bool) -> String {
        let until = Instant::now() + Duration::from_secs(30);
        loop {
            let shown = self.ask(&["capture-pane", "-p"]);
            let lines: Vec<&str> = shown.lines().filter(|line| !line.is_empty()).collect();
            if wanted(&lines) {
                return shown;
            }
            assert!(Instant::now() < until, "not {what}:\n{shown}");
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Fails only where it has ended already.
        let _ = self.tmux().arg("kill-server").output();
    }
}

fn has(lines: &[&str], text: &str) -> bool {
    lines.iter().any(|line| line.contains(text))
}

/// A load without end, and a line before it.
fn watched(target: &str) -> Option<Terminal> {
    let program = env!("CARGO_BIN_EXE_tollgate");
    let load = "run -z 1h -q 20 -c 2 --slo 'success>=99%, p99<5s'";
    Terminal::running(&format!("echo before; {program} {load} {target}"))
}

#[test]
fn the_view_is_drawn_in_place_and_gone_before_the_report() {
    let server = practice("latency 2ms, errors 10%");
    let Some(terminal) = watched(&url(&server, "/")) else { return };
    let drawn = terminal.until("drawn with a second and its clauses", |lines| {
        has(lines, "1h   ") && has(lines, "40/s   ") && has(lines, "✗ success>=99%") && has(lines, "p99<5s 100% within")
    });
    let lines: Vec<&str> = drawn.lines().filter(|line| !line.is_empty()).collect();
    assert!(lines[0] == "before" && lines.len() == 4, "a line before, and three drawn over and over:\n{drawn}");
    terminal.ask(&["send-keys", "C-c"]);
    let report = terminal.until("interrupted", |lines| has(lines, "no verdict: the run was interrupted"));
    assert!(report.starts_with("before\ntollgate "), "{report}");
    assert!(!report.contains(" done") && !report.contains('^'), "{report}");
}

#[test]
fn the_view_fits_a_terminal_that_is_made_narrower_and_wider() {
    let server = practice("latency 2ms, errors 10%");
    let Some(terminal) = watched(&url(&server, "/")) else { return };
    let last = |lines: &[&str]| lines.iter().rev().take(2).rev().map(|line| (*line).to_owned()).collect::<Vec<_>>();
    let drawn = |lines: &[&str]| has(lines, "40/s   ") && has(lines, "✗ success>=99%");
    terminal.until("drawn", drawn);
    terminal.ask(&["resize-window", "-x", "40", "-y", "80"]);
    // A row for each clause: both no longer fit side by side.
    terminal.until("as narrow as the terminal", |lines| {
        let last = last(lines);
        drawn(lines) && last.len() == 2 && last[0].starts_with("✗ success") && last[1].contains("p99<5s 100% within")
    });
    terminal.ask(&["resize-window", "-x", "90", "-y", "80"]);
    terminal.until("wide again", |lines| {
        let last = last(lines);
        drawn(lines) && last.len() == 2 && last[0].starts_with("40/s") && last[1].contains("p99<5s 100% within")
    });
}

#[test]
fn a_terminal_that_cannot_move_its_cursor_and_one_that_is_to_be_quiet_see_the_report_alone() {
    let server = practice("latency 2ms");
    for (before, flag) in [("TERM=dumb ", ""), ("", "--quiet ")] {
        let program = env!("CARGO_BIN_EXE_tollgate");
        let line = format!("{before}{program} run -z 2s -q 20 -c 2 {flag}{} >/dev/null; echo done", url(&server, "/"));
        let Some(terminal) = Terminal::running(&line) else { return };
        let shown = terminal.until("showing anything", |lines| !lines.is_empty());
        assert_eq!(shown.trim(), "done", "{before}{flag}");
    }
}
