//! From one release to thousands: what the service takes, and what as many processes of hey take, which is how Flagger's
//! loadtester makes load. Each on core 0, nginx on core 1; what was sent is nginx's word.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::fleet::{self, Fleet, RATE};
use super::support::goals::Goals;
use super::support::nginx::Nginx;
use super::support::numbers::quantile;
use super::support::process::{Invocation, Running, find};
use super::support::service::Service;
use super::support::table::Table;
use super::support::usage::{available, mib, proportional};

/// Memory that a process of hey may take, for not trying what the machine cannot hold.
const HEY_BYTES: u64 = 12 << 20;
/// As many as the service lets in by itself.
const LIMIT: u64 = 1_000;

/// What a number of processes of hey came to.
struct Hey {
    /// Of all together, shared pages counted once, in bytes.
    memory: u64,
    cores: f64,
    /// The share of its schedule that each sent, in rising order.
    kept: Vec<f64>,
    /// Processes that ended with another exit code than 0.
    complained: u64,
}

/// Measures each size and prints the curve.
pub(crate) fn measure(program: &Path, sizes: &str, seconds: u64, goals: &mut Goals) -> Result<()> {
    let sizes: Vec<u64> = sizes.split(',').map(|size| size.trim().parse().context("--curve")).collect::<Result<_>>()?;
    let nginx = Nginx::counting(1)?;
    let hey = find("hey");
    println!("\nThe service beside processes of hey, each load `-q 10 -c 2` for {seconds} s, clients on core 0\n");
    let headings = [
        "loads",
        "tollgate MiB",
        "cores",
        "kept, worst",
        "last verdicts",
        "hey MiB",
        "cores",
        "kept, worst",
        "kept, median",
        "said by hey",
    ];
    let mut table = Table::new(&headings);
    for size in sizes {
        let ours = fleet::run(program, &nginx, size, seconds);
        let theirs = hey.as_deref().map(|hey| processes(hey, &nginx, size, seconds));
        if let (Ok(ours), Some(Ok(theirs))) = (&ours, &theirs)
            && size == LIMIT
        {
            beside(ours, theirs, goals);
        }
        let ours = ours.map_or_else(
            |error| [format!("{error:#}"), String::new(), String::new(), String::new()],
            |fleet| ours_row(&fleet),
        );
        let theirs = match theirs {
            Some(Ok(theirs)) => theirs_row(&theirs),
            Some(Err(error)) => [format!("{error:#}"), String::new(), String::new(), String::new(), String::new()],
            None => ["no hey here", "", "", "", ""].map(str::to_owned),
        };
        table.row([[size.to_string()].as_slice(), &ours, &theirs].concat());
    }
    println!("{table}");
    println!("one load more than the service lets in by itself is answered: {}", refusal(program, &nginx)?);
    Ok(())
}

fn percent(share: f64) -> String {
    format!("{:.2} %", share * 100.0)
}

fn ours_row(fleet: &Fleet) -> [String; 4] {
    let memory = format!("{:.1}", mib(fleet.usage.peak_resident));
    [memory, format!("{:.3}", fleet.usage.cores), percent(fleet.worst_kept()), fleet.verdicts()]
}

fn theirs_row(hey: &Hey) -> [String; 5] {
    let said = if hey.complained == 0 { "nothing".to_owned() } else { format!("{} failed", hey.complained) };
    let (worst, median) = (percent(quantile(&hey.kept, 0.0)), percent(quantile(&hey.kept, 0.5)));
    [format!("{:.0}", mib(hey.memory)), format!("{:.3}", hey.cores), worst, median, said]
}

fn beside(ours: &Fleet, theirs: &Hey, goals: &mut Goals) {
    let (mine, hey) = (mib(ours.usage.peak_resident), mib(theirs.memory));
    let what = format!("{LIMIT} loads beside {LIMIT} processes of hey");
    let shown = format!("{mine:.0} MiB, {:.2} cores, worst kept {}", ours.usage.cores, percent(ours.worst_kept()));
    let peers = format!("{hey:.0} MiB, {:.2} cores, worst kept {}", theirs.cores, percent(quantile(&theirs.kept, 0.0)));
    goals.beside("P4", &what, (shown, ""), &peers, None);
}

/// As many processes of hey as loads, started one after the other as fast as that goes.
fn processes(hey: &Path, nginx: &Nginx, size: u64, seconds: u64) -> Result<Hey> {
    let (needs, has) = (size * HEY_BYTES, available());
    ensure!(needs < has, "not tried: {:.0} MiB are there, about {:.0} needed", mib(has), mib(needs));
    nginx.forget()?;
    let began = Instant::now();
    let mut running = Vec::new();
    for number in 0..size {
        let line = format!("-z {seconds}s -q 10 -c 2 {}{number}", nginx.url());
        running.push(Running::unheard(&Invocation::new(hey, &line).on_core(0))?);
    }
    // All have begun; the first ones are not over unless the machine is overwhelmed.
    let half = Duration::from_secs(seconds).mul_f64(0.5).saturating_sub(began.elapsed());
    std::thread::park_timeout(half);
    let memory = running.iter().filter_map(|one| proportional(one.pid())).sum();
    let (mut cpu, mut complained) = (Duration::ZERO, 0);
    for one in running {
        let ended = one.finish(Duration::from_secs(seconds * 3 + 120))?;
        cpu += ended.cpu;
        complained += u64::from(ended.code != Some(0));
    }
    let cores = cpu.as_secs_f64() / began.elapsed().as_secs_f64();
    std::thread::park_timeout(Duration::from_secs(1));
    let counts = nginx.counts()?;
    let sent = |number: u64| counts.get(&format!("/{number}")).copied().unwrap_or(0);
    let mut kept: Vec<f64> = (0..size).map(|number| sent(number) as f64 / (RATE * seconds) as f64).collect();
    kept.sort_by(f64::total_cmp);
    Ok(Hey { memory, cores, kept, complained })
}

/// What the service says to one load more than its limit.
fn refusal(program: &Path, nginx: &Nginx) -> Result<String> {
    let service = Service::start(program, "--log-level error", |invocation| invocation.on_core(0))?;
    fleet::begin(&service, nginx, LIMIT, 60)?;
    let answer = fleet::rollout(&service, nginx, LIMIT, 60)?;
    ensure!(answer.status == 424, "{} {}", answer.status, answer.body);
    Ok(format!("{} {}", answer.status, answer.body.trim_end()))
}
