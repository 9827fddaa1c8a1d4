//! When request *i* is due, and when the load ends. Arithmetic only: offsets from the start, no clock.
//!
//! Everything is exact in integers, because the number of requests is a promise: ten a second for ten seconds are one
//! hundred, on whatever machine and however the dues are shared between workers. A request is due at the first
//! nanosecond at which the arrivals so far reach it, so comparing due times with an end, itself in nanoseconds, gives
//! the same answer as comparing the true instants.

use std::time::Duration;

use super::Rate;

/// Arrivals are counted in halves of 10⁻¹⁵ requests: (10⁻⁶ requests per second) × nanoseconds, halved so that the area
/// under a ramp, (from + to) × duration / 2, stays whole.
const HALVES: u128 = 2_000_000_000_000_000;

/// A stretch of an open-loop schedule: the rate goes linearly from `from` to `to` over `duration`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stage {
    /// How long it lasts; more than zero.
    pub duration: Duration,
    /// Rate at its beginning.
    pub from: Rate,
    /// Rate at its end; equal to `from` for a steady stage.
    pub to: Rate,
}

/// How requests arrive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arrivals {
    /// Each lane sends its next request as soon as its previous answer is complete.
    Closed,
    /// As closed, but no lane sends before its own due times, which over all lanes come to this rate. What falls due
    /// while a lane waits for its answer is not made up, but for one request.
    Paced(Rate),
    /// One steady arrival process, whatever the answers do.
    Steady(Rate),
    /// One arrival process whose rate changes; at least one stage.
    Stages(Vec<Stage>),
}

/// When the load ends. Whichever comes first, where both are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stop {
    /// After this many requests of the judged part.
    pub count: Option<u64>,
    /// After this long, the warm-up not included: nothing is due later.
    pub duration: Option<Duration>,
}

/// Arrivals, their end, and what comes before they count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// How requests arrive.
    pub arrivals: Arrivals,
    /// When the judged part ends.
    pub stop: Stop,
    /// Load of the same kind before the judged part: measured and shown, not judged. Zero for none.
    pub warmup: Duration,
}

impl Schedule {
    /// Due time of request `i` (from 0, the warm-up's requests first), as an offset from the start of the load.
    ///
    /// `None` past the end, and in a closed loop, paced or not, where a request is due when its lane is free. Never decreases with
    /// `i`. The warm-up runs at the first stage's first rate; the judged part starts afresh where it ends, so its first
    /// request is due one interval later and its count does not depend on the warm-up.
    #[must_use]
    pub fn due(&self, i: u64) -> Option<Duration> {
        let due = match i.checked_sub(self.warmup_total()) {
            None => steady_due(self.first_rate()?, i)?,
            Some(judged) if judged < self.limit() => {
                nanos(self.warmup).checked_add(Cursor::default().due(&self.arrivals, judged)?)?
            }
            Some(_) => return None,
        };
        Some(Duration::from_nanos(due))
    }

    /// Index and due time of every request that worker `worker` of `workers` owns, in order: those with
    /// `i mod workers == worker`. Endless when the schedule is; empty in a closed loop.
    ///
    /// Zero `workers` count as one.
    #[must_use]
    pub fn dues(&self, worker: u64, workers: u64) -> Dues {
        Dues {
            arrivals: self.arrivals.clone(),
            first_rate: self.first_rate(),
            warmup: nanos(self.warmup),
            warmup_total: self.warmup_total(),
            limit: self.limit(),
            cursor: Cursor::default(),
            next: Some(worker),
            step: workers.max(1),
        }
    }

    /// The due times of lane `lane` of `lanes` in a paced loop: lane *j* has every `lanes`-th time of the rate, from its
    /// *j*-th on, so that the lanes take turns. `None` where lanes have no times of their own.
    ///
    /// Zero `lanes` count as one.
    #[must_use]
    pub fn lane_dues(&self, lane: u64, lanes: u64) -> Option<LaneDues> {
        let Arrivals::Paced(rate) = self.arrivals else { return None };
        Some(LaneDues { rate, next: lane, lanes: lanes.max(1) })
    }

    /// Whether the answers decide when the next request goes out, and no lane is added.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        matches!(self.arrivals, Arrivals::Closed | Arrivals::Paced(_))
    }

    /// Whether a request due then belongs to the judged part.
    #[must_use]
    pub fn is_judged(&self, due: Duration) -> bool {
        self.warmup.is_zero() || due > self.warmup
    }

    /// Requests of the judged part: those scheduled in an open loop, the count asked for in a closed one (at most that
    /// many, should a duration end it earlier). `None` when nothing sets a number beforehand.
    #[must_use]
    pub fn total(&self) -> Option<u64> {
        let counted = self.stop.count;
        let timed = match &self.arrivals {
            Arrivals::Closed | Arrivals::Paced(_) => None,
            Arrivals::Steady(rate) => self.stop.duration.map(|end| steady_count(*rate, nanos(end))),
            Arrivals::Stages(stages) => Some(requests(halves_within(stages, self.staged(stages)))),
        };
        match (counted, timed) {
            (Some(counted), Some(timed)) => Some(counted.min(timed)),
            (counted, timed) => counted.or(timed),
        }
    }

    /// Requests of the warm-up in an open loop; 0 in a closed one, where nobody knows beforehand.
    #[must_use]
    pub fn warmup_total(&self) -> u64 {
        self.first_rate().map_or(0, |rate| steady_count(rate, nanos(self.warmup)))
    }

    /// Offset, warm-up included, after which nothing is due; `None` when only the answers or a signal end the load.
    #[must_use]
    pub fn end(&self) -> Option<Duration> {
        let timed = match &self.arrivals {
            Arrivals::Closed | Arrivals::Paced(_) | Arrivals::Steady(_) => self.stop.duration,
            Arrivals::Stages(stages) => Some(Duration::from_nanos(self.staged(stages))),
        };
        let counted = match (&self.arrivals, self.stop.count) {
            (Arrivals::Closed | Arrivals::Paced(_), _) | (_, None) => None,
            (_, Some(0)) => Some(self.warmup),
            (_, Some(count)) => self.due(self.warmup_total().saturating_add(count - 1)),
        };
        counted.or_else(|| timed.map(|timed| self.warmup.saturating_add(timed)))
    }

    /// The highest rate the schedule reaches; `None` in a closed loop without a pace.
    #[must_use]
    pub fn peak_rate(&self) -> Option<Rate> {
        match &self.arrivals {
            Arrivals::Closed => None,
            Arrivals::Paced(rate) | Arrivals::Steady(rate) => Some(*rate),
            Arrivals::Stages(stages) => stages.iter().map(|stage| stage.from.max(stage.to)).max(),
        }
    }

    /// Arrivals of the judged part over its length, to the nearest millionth; `None` in a closed loop
    /// without a pace.
    #[must_use]
    pub fn mean_rate(&self) -> Option<Rate> {
        let Arrivals::Stages(stages) = &self.arrivals else { return self.peak_rate() };
        let length = self.end().map_or(0, |end| nanos(end.saturating_sub(self.warmup)));
        if length == 0 {
            return self.first_rate();
        }
        let twice = 2 * u128::from(length);
        let micro = (halves_within(stages, length) + u128::from(length)) / twice;
        Some(Rate { micro_per_second: u64::try_from(micro).unwrap_or(u64::MAX).max(1) })
    }

    /// The rate of the warm-up.
    fn first_rate(&self) -> Option<Rate> {
        match &self.arrivals {
            Arrivals::Closed | Arrivals::Paced(_) => None,
            Arrivals::Steady(rate) => Some(*rate),
            Arrivals::Stages(stages) => stages.first().map(|stage| stage.from),
        }
    }

    /// Length of the judged part of a staged schedule, in nanoseconds.
    fn staged(&self, stages: &[Stage]) -> u64 {
        let whole = stages.iter().fold(0, |sum: u64, stage| sum.saturating_add(nanos(stage.duration)));
        self.stop.duration.map_or(whole, |end| nanos(end).min(whole))
    }

    /// [`Self::total`] for arithmetic: no number is as good as endless.
    fn limit(&self) -> u64 {
        self.total().unwrap_or(u64::MAX)
    }
}

/// The dues of one worker, from [`Schedule::dues`].
#[derive(Clone, Debug)]
pub struct Dues {
    arrivals: Arrivals,
    first_rate: Option<Rate>,
    warmup: u64,
    warmup_total: u64,
    limit: u64,
    cursor: Cursor,
    next: Option<u64>,
    step: u64,
}

impl Iterator for Dues {
    type Item = (u64, Duration);

    fn next(&mut self) -> Option<(u64, Duration)> {
        let i = self.next?;
        let due = match i.checked_sub(self.warmup_total) {
            None => steady_due(self.first_rate?, i),
            Some(judged) if judged < self.limit => {
                self.cursor.due(&self.arrivals, judged).and_then(|due| self.warmup.checked_add(due))
            }
            Some(_) => None,
        };
        self.next = due.and_then(|_| i.checked_add(self.step));
        due.map(|due| (i, Duration::from_nanos(due)))
    }
}

impl std::iter::FusedIterator for Dues {}

/// When one lane of a paced loop may send, from [`Schedule::lane_dues`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneDues {
    rate: Rate,
    /// Which time of the rate comes next.
    next: u64,
    lanes: u64,
}

impl LaneDues {
    /// The time of the lane's next request, given that it is free now, as an offset from the start. Of the times that
    /// have passed, only the newest is still good, and at once.
    pub fn after(&mut self, now: Duration) -> Duration {
        let passed = steady_count(self.rate, nanos(now));
        if let Some(behind) = passed.checked_sub(1).and_then(|newest| newest.checked_sub(self.next)) {
            self.next += behind / self.lanes * self.lanes;
        }
        let due = steady_due(self.rate, self.next).unwrap_or(u64::MAX);
        self.next = self.next.saturating_add(self.lanes);
        Duration::from_nanos(due)
    }
}

/// Where in a list of stages the walk through the dues has come to. Goes forwards only.
#[derive(Clone, Copy, Debug, Default)]
struct Cursor {
    /// The stage in which the last due fell.
    stage: usize,
    /// Its start, in nanoseconds from the start of the judged part.
    start: u64,
    /// Half-units of arrivals before it.
    before: u128,
}

impl Cursor {
    /// Due time of judged request `judged`, in nanoseconds from the start of the judged part. `None` where the arrivals
    /// never reach it. Must be asked in rising order.
    fn due(&mut self, arrivals: &Arrivals, judged: u64) -> Option<u64> {
        let stages = match arrivals {
            Arrivals::Closed | Arrivals::Paced(_) => return None,
            Arrivals::Steady(rate) => return steady_due(*rate, judged),
            Arrivals::Stages(stages) => stages,
        };
        let target = (u128::from(judged) + 1) * HALVES;
        loop {
            let stage = stages.get(self.stage)?;
            let through = self.before.saturating_add(halves_at(stage, nanos(stage.duration)));
            if target <= through {
                return self.start.checked_add(stage_due(stage, target - self.before));
            }
            self.stage += 1;
            self.start = self.start.saturating_add(nanos(stage.duration));
            self.before = through;
        }
    }
}

/// Nanoseconds of a duration; five centuries stand for anything longer.
fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Whole requests in an amount of half-units.
fn requests(halves: u128) -> u64 {
    u64::try_from(halves / HALVES).unwrap_or(u64::MAX)
}

/// Requests due in (0, `end`] at a steady rate.
fn steady_count(rate: Rate, end: u64) -> u64 {
    requests((u128::from(rate.micro_per_second) * u128::from(end)).saturating_mul(2))
}

/// Due time of request `i` at a steady rate: (i + 1) / rate, rounded up to the nanosecond.
fn steady_due(rate: Rate, i: u64) -> Option<u64> {
    let micro = u128::from(rate.micro_per_second).max(1);
    u64::try_from(((u128::from(i) + 1) * (HALVES / 2)).div_ceil(micro)).ok()
}

/// Half-units that arrive in the first `end` nanoseconds of `stages`.
fn halves_within(stages: &[Stage], end: u64) -> u128 {
    let mut left = end;
    stages.iter().fold(0, |sum: u128, stage| {
        let here = nanos(stage.duration).min(left);
        left -= here;
        sum.saturating_add(halves_at(stage, here))
    })
}

/// Half-units that arrive in the first `t` nanoseconds of `stage`, rounded down: 2·from·t + (to − from)·t²/duration.
///
/// The square is split by one division so that nothing overflows: with g·t = q·d + r, g·t²/d = q·t + r·t/d.
fn halves_at(stage: &Stage, t: u64) -> u128 {
    let (from, to) = (u128::from(stage.from.micro_per_second), u128::from(stage.to.micro_per_second));
    let (d, t) = (u128::from(nanos(stage.duration)).max(1), u128::from(t));
    let straight = (2 * from).saturating_mul(t);
    if from == to {
        return straight;
    }
    let slope = from.abs_diff(to) * t;
    let (whole, rest) = ((slope / d).saturating_mul(t), slope % d * t);
    if to > from {
        straight.saturating_add(whole).saturating_add(rest / d)
    } else {
        straight.saturating_sub(whole).saturating_sub(rest.div_ceil(d))
    }
}

/// The first nanosecond of `stage` by which `need` half-units (more than none, at most the stage's all) have arrived.
fn stage_due(stage: &Stage, need: u128) -> u64 {
    let length = nanos(stage.duration);
    let from = u128::from(stage.from.micro_per_second);
    if stage.from == stage.to {
        return u64::try_from(need.div_ceil((2 * from).max(1))).unwrap_or(length).min(length);
    }
    let (a, b) = (from as f64, stage.to.micro_per_second as f64);
    let area = need as f64;
    // The root of the quadratic in the form that does not cancel; rounding is put right below.
    let root = (a * a + (b - a) / length as f64 * area).max(0.0).sqrt();
    let guess = (area / (a + root)).clamp(1.0, length as f64) as u64;
    first_true(guess, length, |t| halves_at(stage, t) >= need)
}

/// The least `t` in 1..=`top` for which `holds` is true, given that it is monotone and true at `top`, looking outwards
/// from `guess` in doubling steps and then halving.
fn first_true(guess: u64, top: u64, holds: impl Fn(u64) -> bool) -> u64 {
    let mut high = guess.clamp(1, top.max(1));
    let mut step = 1_u64;
    let mut low;
    if holds(high) {
        loop {
            low = high.saturating_sub(step);
            if low == 0 || !holds(low) {
                break;
            }
            high = low;
            step = step.saturating_mul(2);
        }
    } else {
        loop {
            low = high;
            high = high.saturating_add(step).min(top);
            if high == top || holds(high) {
                break;
            }
            step = step.saturating_mul(2);
        }
    }
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if holds(middle) { high = middle } else { low = middle }
    }
    high
}

#[cfg(test)]
mod tests;
