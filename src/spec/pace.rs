//! When requests are sent and on how many lanes: rate, stages, count, duration and lanes together.

use std::time::Duration;

use super::build::SpecBuilder;
use super::duration::GoDuration;
use super::keys::Id;
use super::value::{is_pause, rate, rate_or_none, span, stages, whole};
use crate::plan::{Arrivals, Rate, Schedule, Stage, Stop};

/// Requests when nothing else ends the load; hey's number.
const REQUESTS: u64 = 200;
/// Lanes of a closed loop; hey's number.
const LANES: u32 = 50;
/// Under a rate, one lane for so many requests per second: enough for answers of 100 ms.
const PER_LANE: u64 = 10;
/// Most lanes to start with under a rate, when nobody asks for more.
const LANES_UNDER_A_RATE: u64 = 256;
/// Least room for further lanes when the target holds the first ones.
const ROOM: u32 = 64;
/// Most lanes there can be.
const MOST_LANES: u32 = u16::MAX as u32;
/// Most requests in one run.
const MOST_REQUESTS: u64 = 1_000_000_000_000;

/// When and on how many lanes.
pub(super) struct Pace {
    pub(super) schedule: Schedule,
    pub(super) lanes: u32,
    pub(super) max_lanes: u32,
}

/// What was given, each by itself.
struct Wanted {
    stages: Vec<Stage>,
    rate: Option<Rate>,
    lane_rate: Option<Rate>,
    count: Option<u64>,
    duration: Option<Duration>,
    warmup: Duration,
    lanes: Option<u32>,
    max_lanes: Option<u32>,
    /// URLs, at least 1: under a rate, each has lanes of its own.
    urls: u32,
}

/// Reads all that concerns the pace. What is wrong is noted, and read as if it had not been given.
pub(super) fn pace(wishes: &mut SpecBuilder, notes: &mut Vec<String>) -> Pace {
    let wanted = wanted(wishes);
    exclude(wishes, &wanted);
    let arrivals = arrivals(wishes, &wanted);
    let schedule = Schedule { stop: stop(&wanted, notes), arrivals, warmup: wanted.warmup };
    check_dues(wishes, &schedule);
    let lanes = lanes(&wanted, &schedule, notes);
    let max_lanes = max_lanes(wishes, &wanted, &schedule, lanes, notes);
    Pace { lanes: lanes.min(max_lanes), max_lanes, schedule }
}

fn wanted(wishes: &mut SpecBuilder) -> Wanted {
    let lane_number = |text: &str| whole(text, 1..=u64::from(MOST_LANES)).map(|lanes| lanes as u32);
    Wanted {
        stages: wishes.read_all(Id::Stages, stages).concat(),
        rate: wishes.read(Id::Rate, rate),
        lane_rate: wishes.read(Id::RatePerConnection, rate_or_none).flatten(),
        count: wishes.read(Id::Requests, |text| whole(text, 1..=MOST_REQUESTS)),
        duration: wishes.read(Id::Duration, span).filter(|duration| !duration.is_zero()),
        warmup: wishes.read(Id::Warmup, span).unwrap_or_default(),
        lanes: wishes.read(Id::Connections, lane_number),
        max_lanes: wishes.read(Id::MaxLanes, lane_number),
        urls: wishes.count(Id::Url).clamp(1, MOST_LANES as usize) as u32,
    }
}

/// Refuses what cannot be meant together.
fn exclude(wishes: &mut SpecBuilder, wanted: &Wanted) {
    if wanted.rate.is_some() && wanted.lane_rate.is_some() {
        wishes.clash(Id::RatePerConnection, "no -q beside --rate", "give one rate: for all lanes, or for each");
    }
    if !wishes.is_given(Id::Stages) {
        return;
    }
    for (id, given, advice) in [
        (Id::Rate, wanted.rate.is_some(), "each stage has its own rate"),
        (Id::RatePerConnection, wanted.lane_rate.is_some(), "each stage has its own rate"),
        (Id::Duration, wanted.duration.is_some(), "each stage has its own duration"),
        (Id::Requests, wanted.count.is_some(), "the stages decide how many requests there are"),
    ] {
        if given {
            wishes.clash(id, "nothing beside --stage", advice);
        }
    }
    if !wanted.warmup.is_zero() && wanted.stages.first().is_some_and(|stage| is_pause(stage.from)) {
        wishes.clash(Id::Warmup, "a first stage that starts above zero", "the warm-up runs at its first rate");
    }
}

fn arrivals(wishes: &mut SpecBuilder, wanted: &Wanted) -> Arrivals {
    if !wanted.stages.is_empty() {
        return Arrivals::Stages(wanted.stages.clone());
    }
    let all_lanes = wanted.lane_rate.map(|rate| rate.times(wanted.lanes.unwrap_or(LANES)));
    if all_lanes.is_some_and(|rate| rate > Rate::MAX) {
        wishes.clash(Id::RatePerConnection, format!("at most {} over all lanes", Rate::MAX), "lower -q or -c");
    }
    wanted.rate.or(all_lanes).map_or(Arrivals::Closed, Arrivals::Steady)
}

fn stop(wanted: &Wanted, notes: &mut Vec<String>) -> Stop {
    if wanted.duration.is_some() && wanted.count.is_some() {
        notes.push("-n has no effect beside -z: the time decides when the load ends".to_owned());
    }
    let timed = wanted.duration.is_some() || !wanted.stages.is_empty();
    Stop { count: (!timed).then(|| wanted.count.unwrap_or(REQUESTS)), duration: wanted.duration }
}

/// Refuses a schedule on which nothing would ever be due.
fn check_dues(wishes: &mut SpecBuilder, schedule: &Schedule) {
    if schedule.total() != Some(0) {
        return;
    }
    let id = if wishes.is_given(Id::Stages) { Id::Stages } else { Id::Duration };
    let advice = match &schedule.arrivals {
        Arrivals::Steady(rate) => {
            let endless = Schedule { stop: Stop { count: None, duration: None }, ..schedule.clone() };
            let first = endless.due(endless.warmup_total()).unwrap_or(Duration::MAX).saturating_sub(endless.warmup);
            format!("at {rate} the first is due after {}", GoDuration::from(first))
        }
        _ => "the stages come to less than one".to_owned(),
    };
    wishes.clash(id, "time for at least one request", advice);
}

/// Lanes to start with: never more than there are requests.
fn lanes(wanted: &Wanted, schedule: &Schedule, notes: &mut Vec<String>) -> u32 {
    let shared = wanted.lane_rate.is_none().then(|| schedule.peak_rate()).flatten();
    let lanes = wanted.lanes.unwrap_or_else(|| match shared {
        None => LANES,
        Some(rate) => {
            let enough = rate.micro_per_second.div_ceil(PER_LANE * 1_000_000);
            enough.clamp(1, LANES_UNDER_A_RATE) as u32
        }
    });
    let count = schedule.stop.count.and_then(|count| u32::try_from(count).ok()).unwrap_or(u32::MAX);
    if count < lanes && wanted.lanes.is_some() {
        notes.push(format!("{count} of the {lanes} lanes are enough for -n {count}"));
    }
    let lanes = lanes.min(count);
    if schedule.arrivals != Arrivals::Closed && lanes < wanted.urls {
        if wanted.lanes.is_some() {
            notes.push(format!("{} lanes: under a rate each URL has at least one of its own", wanted.urls));
        }
        return wanted.urls;
    }
    lanes
}

/// Most lanes: what was asked for, else room for answers that take four times as long as the lanes allow for.
fn max_lanes(
    wishes: &mut SpecBuilder,
    wanted: &Wanted,
    schedule: &Schedule,
    lanes: u32,
    notes: &mut Vec<String>,
) -> u32 {
    if schedule.arrivals == Arrivals::Closed {
        if wanted.max_lanes.is_some() {
            notes.push("--max-lanes has no effect without a rate: a closed loop has its -c lanes".to_owned());
        }
        return lanes;
    }
    let Some(most) = wanted.max_lanes else { return lanes.saturating_mul(4).clamp(ROOM, MOST_LANES) };
    if most < wanted.urls {
        let allowed = format!("at least one lane for each of the {} URLs", wanted.urls);
        wishes.clash(Id::MaxLanes, allowed, "each has lanes of its own");
        return lanes.max(most);
    }
    let fixed = wanted.lanes.is_some() || wanted.lane_rate.is_some();
    if fixed && most < lanes {
        wishes.clash(Id::MaxLanes, format!("at least the {lanes} lanes of -c"), "raise it, or lower -c");
    }
    most
}
