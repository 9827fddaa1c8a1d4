//! What a request costs: tollgate beside wrk, h2load, ab, oha and hey, one nginx, the same load, the same core.
//!
//! Rounds are interleaved, so that a slow minute of the machine hits all; ratios are made within a round. Only the
//! client's own user and system time counts. See `benches/README.md`.

#![expect(clippy::print_stdout, reason = "what a benchmark prints is its product")]

mod rounds;
mod scenes;
#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "each benchmark uses a part of it")]
mod support;
mod tools;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rounds::{Cost, Rounds};
use scenes::{Asked, SCENES, Scene, Way};
use support::arguments::Arguments;
use support::goals::Goals;
use support::nginx::Nginx;
use support::process::{Invocation, find, run};
use support::table::Table;
use support::{machine, numbers, tollgate};
use tools::{OURS, TOOLS, Tool};

const CLIENT_CORE: usize = 0;
const SERVER_CORE: usize = 1;

/// A tool and where it is.
type Present = (&'static Tool, PathBuf);

fn main() -> Result<()> {
    let arguments = Arguments::read(&["rounds", "seconds", "scene"], &[])?;
    let rounds = arguments.number("rounds", 9)?;
    let wanted = arguments.text("scene");
    let chosen = |scene: &&Scene| wanted.is_none_or(|name| name == scene.name);
    let scenes: Vec<&Scene> = SCENES.iter().filter(chosen).collect();
    if scenes.is_empty() {
        bail!("--scene: {:?} are allowed", SCENES.map(|scene| scene.name));
    }
    println!("{}", machine::describe());
    let present = present()?;
    let nginx = Nginx::start(SERVER_CORE)?;
    for scene in scenes {
        let asked = Asked { seconds: arguments.number("seconds", scene.asked.seconds)?, ..scene.asked };
        let url = match scene.way {
            Way::Http1 => nginx.url(),
            Way::Http2 => nginx.url_of_http2(),
            Way::Grpc => nginx.url_of_http2() + "grpc.health.v1.Health/Check",
            Way::Tls => nginx.url_of_tls(""),
            Way::Handshakes => nginx.url_of_tls("close"),
        };
        println!(
            "\n{}: {rounds} interleaved rounds of {} s, {} connections × {}, client on core {CLIENT_CORE}, nginx on core {SERVER_CORE}",
            scene.name, asked.seconds, asked.connections, asked.streams
        );
        print(scene, &measured(&present, scene.way, asked, rounds, &url));
    }
    Ok(())
}

/// All rounds of one scene.
fn measured(present: &[Present], way: Way, asked: Asked, rounds: u64, url: &str) -> Rounds {
    let able = |(tool, program): &Present| Some((*tool, program.clone(), (tool.arguments)(way, asked)?));
    let mut able: Vec<_> = present.iter().filter_map(able).collect();
    let mut measured = Rounds::default();
    for round in 0..rounds {
        // Another order each round: whoever always came after hey would always find the same warm caches.
        if round > 0 {
            able.rotate_left(1);
        }
        able.retain(|(tool, program, arguments)| match measure(tool, program, arguments, url, asked.seconds) {
            Ok(cost) => {
                measured.add(round, tool.name, cost);
                true
            }
            Err(error) => {
                println!("{} is left out from round {}: {error:#}", tool.name, round + 1);
                false
            }
        });
    }
    measured
}

/// The tools that are on this machine, ours built first.
fn present() -> Result<Vec<Present>> {
    let ours = tollgate::build()?;
    let mut present = Vec::new();
    for tool in &TOOLS {
        let program = match tool.name {
            OURS => Some(ours.clone()),
            "ghz" => find("ghz").or_else(ghz),
            name => find(name),
        };
        match program {
            Some(program) => {
                let version = tool.version.map_or_else(String::new, |flag| machine::version(&program, flag));
                println!("{}: {version} ({})", tool.name, tool.from);
                present.push((tool, program));
            }
            None => println!("{} is not on this machine and is left out ({})", tool.name, tool.from),
        }
    }
    Ok(present)
}

/// ghz, built where there is Go; once, for all runs to come.
fn ghz() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("go-bin");
    let built = folder.join("ghz");
    if built.is_file() {
        return Some(built);
    }
    let mut install = std::process::Command::new(find("go")?);
    install.args(["install", "github.com/bojand/ghz/cmd/ghz@v0.120.0"]).env("GOBIN", &folder);
    let ended = install.output().ok()?;
    ended.status.success().then_some(built).filter(|built| built.is_file())
}

fn measure(tool: &Tool, program: &Path, arguments: &str, url: &str, seconds: u64) -> Result<Cost> {
    let host = url.split('/').nth(2).unwrap_or(url);
    let target = if tool.host_alone { host } else { url };
    let invocation = Invocation::new(program, arguments).arg(target).on_core(CLIENT_CORE);
    let ended = run(&invocation, Duration::from_secs(seconds + 30))?;
    let complaint = || format!("exit {:?}: {}", ended.code, ended.stderr.lines().next().unwrap_or("no message"));
    let requests = (tool.requests)(&ended.stdout).with_context(complaint)?;
    ensure!(requests > 0, "no request was answered; {}", complaint());
    Ok(Cost { requests: requests as f64, wall: ended.wall.as_secs_f64(), cpu: ended.cpu.as_secs_f64() })
}

fn print(scene: &Scene, measured: &Rounds) {
    let (per_second, cpu) = (format!("{}s/s", scene.unit), format!("CPU µs/{}", scene.unit));
    let mut table = Table::new(&["tool", "rounds", &per_second, &cpu, "quartiles", "tollgate ÷ it", "upper quartile"]);
    for tool in TOOLS.iter().map(|tool| tool.name) {
        let (rate, cost) = (measured.per_second(tool), measured.cpu_micros(tool));
        if cost.is_empty() {
            continue;
        }
        let ratios = measured.ratios(OURS, tool);
        let show = |values: &[f64], q: f64| match values {
            [] => "–".to_owned(),
            values => format!("{:.2}", numbers::quantile(values, q)),
        };
        table.row([
            tool.to_owned(),
            cost.len().to_string(),
            format!("{:.0}", numbers::quantile(&rate, 0.5)),
            show(&cost, 0.5),
            format!("{}–{}", show(&cost, 0.25), show(&cost, 0.75)),
            show(&ratios, 0.5),
            show(&ratios, 0.75),
        ]);
    }
    println!("\n{table}");
    let mut goals = Goals::default();
    for (number, goal) in scene.goals {
        let ratios = measured.ratios(OURS, goal.peer);
        println!("{number} {}", goal.outcome(&ratios));
        let cost = |tool| numbers::quantile(&measured.cpu_micros(tool), 0.5);
        let what = format!("{}: CPU per {} ÷ that of {}", scene.name, scene.unit, goal.peer);
        let shown = if ratios.is_empty() { String::new() } else { format!("{:.2}", numbers::quantile(&ratios, 0.5)) };
        let costs = format!("{:.1} µs, {} {:.1} µs", cost(OURS), goal.peer, cost(goal.peer));
        let costs = if ratios.is_empty() { String::new() } else { costs };
        goals.beside(number, &what, (shown, &format!("≤ {:.1}", goal.median)), &costs, goal.holds(&ratios));
    }
    println!("\n{}", goals.table());
    let (ours, wrk) = (measured.per_second(OURS), measured.per_second("wrk"));
    if scene.way == Way::Http1 && !ours.is_empty() && !wrk.is_empty() {
        let (ours, wrk) = (numbers::quantile(&ours, 0.5), numbers::quantile(&wrk, 0.5));
        println!(
            "P2 requests per second: tollgate {ours:.0}, wrk {wrk:.0}, ratio {:.2} (shown, not required)",
            ours / wrk
        );
        let mut goals = Goals::default();
        let (shown, beside) = (format!("{ours:.0}"), format!("wrk {wrk:.0}, ratio {:.2}", ours / wrk));
        goals.beside("P2", "requests/s, the same load", (shown, "shown, not required"), &beside, None);
        println!("\n{}", goals.table());
    }
}
