//! P8: how soon a broken release is noticed, and after how many requests.

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::support::goals::Goals;
use super::support::numbers::quantile;
use super::support::process::{Invocation, run};
use super::support::service::{Hook, Service};
use super::support::target::Target;

/// How often each is tried.
const TRIES: usize = 5;
/// How often half-broken releases are drawn.
const DRAWS: usize = 15;
/// From the hook to its answer, with the usual warm-up of 2 s; and the judged part of it.
const MOST_SECONDS: f64 = 3.5;
const MOST_JUDGED_SECONDS: f64 = 1.0;
/// Requests until half-broken is certain: of the 1200 of the load twelve may fail, and the thirteenth is the 26th in the mean.
/// One or two more are under way by then, and the median of so few draws is off by another two.
const MOST_REQUESTS: f64 = 30.0;

/// Measures and prints.
pub(crate) fn measure(program: &Path, goals: &mut Goals) -> Result<()> {
    let (mut usual, mut judged) = (Vec::new(), Vec::new());
    for _ in 0..TRIES {
        usual.push(hook(program, "2s")?);
        judged.push(hook(program, "0s")?);
    }
    let seconds = |values: &[f64], most: f64| {
        let (median, worst) = (quantile(values, 0.5), quantile(values, 1.0));
        (format!("{median:.2} s, at most {worst:.2} s"), format!("≤ {most} s"), Some(worst <= most))
    };
    for (what, values, most) in [
        ("only 500 at 20/s: from the hook to 412, warm-up of 2 s included", &usual, MOST_SECONDS),
        ("the same without a warm-up: judged load", &judged, MOST_JUDGED_SECONDS),
    ] {
        let (shown, wanted, reached) = seconds(values, most);
        goals.add("P8", what, (shown, &wanted), reached);
    }
    let mut requests = Vec::new();
    for seed in 1..=DRAWS {
        requests.push(half_broken(program, seed)?);
    }
    let median = quantile(&requests, 0.5);
    let shown = format!("{median:.0} requests in the median of {DRAWS} draws");
    let what = "half of the answers 500 at 20/s, `success>=99% abort` on a minute: until the load stops";
    goals.add("P8", what, (shown, "≈ 26 requests"), Some(median <= MOST_REQUESTS));
    Ok(())
}

/// Seconds until a rollout hook about a release that answers only 500 is told to give up.
fn hook(program: &Path, warmup: &str) -> Result<f64> {
    let target = Target::start(program, "--errors 100%")?;
    let service = Service::start(program, "", |invocation| invocation)?;
    let cmd = format!("hey -z 1m -q 10 -c 2 -host broken-canary {}", target.url(""));
    let metadata = [("cmd", cmd.as_str()), ("slo", "success>=99%, p99<=500ms"), ("warmup", warmup), ("wait", "10s")];
    let answer = service.hook("/rollout", &Hook::with("broken", &metadata))?;
    ensure!(answer.status == 412, "{} {}", answer.status, answer.body);
    Ok(answer.took.as_secs_f64())
}

/// Requests that a release got that answers every other one with 500.
fn half_broken(program: &Path, seed: usize) -> Result<f64> {
    let target = Target::start(program, &format!("--errors 50% --errors-random --seed {seed}"))?;
    let asked = Invocation::new(program, "run -z 1m -q 10 -c 2 --slo").arg("success>=99% abort").arg(target.url(""));
    let ended = run(&asked, Duration::from_secs(70))?;
    ensure!(ended.code == Some(1), "exit {:?}: {}", ended.code, ended.stdout);
    Ok(target.received()? as f64)
}
