use std::path::Path;
use std::time::{Duration, Instant};

use tollgate::exec::Ran;

use super::{commands, run, runtime};

const LONG: Duration = Duration::from_secs(60);

/// Waits until something holds; a minute is for ever.
pub(super) fn until(what: &str, holds: impl Fn() -> bool) {
    let (_sender, never) = std::sync::mpsc::channel::<()>();
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < LONG, "waited in vain until {what}");
        let _ = never.recv_timeout(Duration::from_millis(5));
    }
}

/// Whether a process runs; one that nobody has buried yet does not.
fn runs(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

/// Process ids, one a line, as a script wrote them.
fn pids(file: &Path) -> Vec<String> {
    std::fs::read_to_string(file).unwrap_or_default().lines().map(str::to_owned).collect()
}

/// A script that ignores being asked to end, and so does what it starts; both write down who they are.
fn stubborn(file: &Path) -> String {
    let file = file.display();
    format!(
        "trap '' TERM; (while :; do sleep 1; done) & echo $! >> {file}; echo $$ >> {file}; while :; do sleep 1; done"
    )
}

#[test]
fn a_program_is_answered_for_in_the_loadtesters_words() {
    let runtime = runtime();
    let commands = commands(LONG, 4);
    let failed = |text: &str| Ran::Failed(text.to_owned());
    for (line, expected, why) in [
        ("echo out; echo err >&2; echo end", Ran::Done("out\nerr\nend\n".to_owned()), "both outputs in order"),
        ("false", failed("command false failed: exit status 1"), "nothing said"),
        ("echo why; exit 3", failed("command echo why; exit 3 failed: why: exit status 3"), "something said"),
        ("kill -KILL $$", failed("command kill -KILL $$ failed: signal: killed"), "ended from outside"),
        ("cat; echo x", Ran::Done("x\n".to_owned()), "nothing to read"),
    ] {
        assert_eq!(runtime.block_on(run(&commands, "bash", line)), expected, "{line}: {why}");
    }
    if std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).any(|folder| folder.join("helm").is_file())
    {
        println!("skipped: helm is installed, so nothing shows what is said where it is not");
    } else {
        let said = "command test podinfo failed: exec: \"helm\": executable file not found in $PATH";
        assert_eq!(runtime.block_on(run(&commands, "helmv3", "test podinfo")), failed(said));
    }
}

#[test]
fn of_much_output_the_beginning_and_the_end_are_kept() {
    let line = "echo begin; head -c 3000000 /dev/zero | tr '\\0' x; echo; echo end; exit 1";
    let commands = commands(LONG, 4);
    match runtime().block_on(run(&commands, "bash", line)) {
        Ran::Failed(said) => {
            assert!(said.ends_with("x\nend: exit status 1") && said.len() < 700, "{} {said}", said.len());
        }
        other => panic!("{other:?}"),
    }
    match runtime().block_on(run(&commands, "bash", &line.replace("exit 1", "exit 0"))) {
        Ran::Done(output) => {
            assert!(output.starts_with("begin\nx") && output.ends_with("x\nend\n"));
            assert!(output.contains(" bytes left out …\n") && output.len() < 70_000, "{}", output.len());
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn nothing_that_a_program_started_outlives_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pids");
    let line = format!("sleep 1000 & echo $! > {}; echo done", file.display());
    let ran = runtime().block_on(run(&commands(LONG, 4), "bash", &line));
    assert_eq!(ran, Ran::Done("done\n".to_owned()));
    let left = pids(&file);
    assert!(left.len() == 1 && !runs(&left[0]), "{left:?}");
}

#[test]
fn a_program_that_takes_too_long_ends_with_all_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pids");
    let line = stubborn(&file);
    match runtime().block_on(run(&commands(Duration::from_millis(300), 4), "bash", &line)) {
        Ran::Failed(said) => assert!(said.ends_with(" failed: stopped after 300ms"), "{said}"),
        other => panic!("{other:?}"),
    }
    let both = pids(&file);
    assert!(both.len() == 2 && !both.iter().any(|pid| runs(pid)), "{both:?}");
}

#[test]
fn a_program_whose_caller_leaves_ends_with_all_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pids");
    let runtime = runtime();
    let commands = commands(LONG, 4);
    let line = stubborn(&file);
    runtime.block_on(async {
        tokio::select! {
            ran = run(&commands, "bash", &line) => panic!("{ran:?}"),
            () = async { while pids(&file).len() < 2 { tokio::task::yield_now().await } } => {}
        }
    });
    until("both are gone", || !pids(&file).iter().any(|pid| runs(pid)));
}

#[test]
fn programs_in_the_background_end_with_the_service() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pids");
    let runtime = runtime();
    assert_eq!(runtime.block_on(run(&commands(LONG, 4), "cmd", &stubborn(&file))), Ran::Accepted);
    until("both run", || pids(&file).len() == 2);
    assert!(pids(&file).iter().all(|pid| runs(pid)));
    drop(runtime);
    until("both are gone", || !pids(&file).iter().any(|pid| runs(pid)));
}

#[test]
fn a_canary_has_each_of_its_lines_once_in_the_background() {
    let folder = tempfile::tempdir().unwrap();
    let (file, go) = (folder.path().join("log"), folder.path().join("go"));
    let (log, gate) = (file.display(), go.display());
    let line = format!("echo begin >> {log}; while [ ! -e {gate} ]; do sleep 0.01; done; echo end >> {log}");
    let text = || std::fs::read_to_string(&file).unwrap_or_default();
    let runtime = runtime();
    let commands = commands(LONG, 1);
    let again = || runtime.block_on(run(&commands, "cmd", &line));

    assert_eq!(again(), Ran::Accepted);
    until("it runs", || text() == "begin\n");
    assert_eq!(again(), Ran::Accepted, "the same line runs already");
    let full = Ran::Full("tollgate is full: 1 of 1 commands run".to_owned());
    assert_eq!(runtime.block_on(run(&commands, "cmd", "true")), full, "another one has no room");
    std::fs::write(&go, "").unwrap();
    until("it has ended", || text() == "begin\nend\n");
    // The mark goes shortly after the program.
    until("it runs again", || {
        again();
        text().matches("end").count() >= 2
    });
    assert!(text().starts_with("begin\nend\nbegin\nend\n"), "{}", text());
}
