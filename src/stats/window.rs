//! The newest ten minutes of a task's load: exact counters per second, histograms for display beside them.
//!
//! Reading it changes nothing. A slice belongs to the second in which its requests were *done*.

use std::collections::VecDeque;

use super::blocks::Blocks;
use super::reach::Reach;
use super::rows::Rows;
use super::{
    Fault, Measures, Membership, Meter, Moments, Ns, Reading, Sample, Series, Slices, Tally, Test, membership,
};

/// Seconds of exact counters kept.
const KEPT_SECONDS: u64 = 600;

/// Counters of one meter, one entry a second.
#[derive(Clone, Debug)]
enum Column {
    /// `(n, k)` of a share or a bound.
    Counts(Rows<2>),
    /// Moments are rare and larger.
    Moments(VecDeque<Moments>),
}

/// A ring of one-second slices.
#[derive(Clone, Debug)]
pub struct Window {
    meters: Box<[Meter]>,
    /// When its first second begins.
    judged_from: Ns,
    columns: Vec<Column>,
    /// Finished, succeeded and due requests by second.
    totals: Rows<3>,
    /// What our own process did to requests, in the seconds in which it did something.
    own: VecDeque<Own>,
    /// The second that the front of every column belongs to.
    front: u64,
    blocks: Blocks,
    /// Requests in flight while our own process stood still, in the seconds and meters in which there were any.
    tainted: VecDeque<Tainted>,
}

/// A meter's tainted requests in one second; they are rare.
#[derive(Clone, Copy, Debug)]
struct Tainted {
    second: u32,
    meter: u16,
    n: u32,
    k: u32,
}

/// Our own failings in one second; they are rare.
#[derive(Clone, Copy, Debug, Default)]
struct Own {
    second: u32,
    /// Requests started late.
    late: u32,
    /// Requests that failed through us.
    local: u32,
    /// Requests in flight while our own process stood still.
    tainted: u32,
}

impl Window {
    /// An empty window for these measures. Its seconds are counted from `judged_from`.
    #[must_use]
    pub fn new(measures: &Measures, judged_from: Ns) -> Self {
        let meters: Box<[Meter]> = measures.meters.iter().copied().collect();
        let columns = meters
            .iter()
            .map(|meter| match meter.test {
                Test::Moments(_) => Column::Moments(VecDeque::new()),
                Test::Share(_) | Test::AtMost(..) => Column::Counts(Rows::new()),
            })
            .collect();
        let blocks = Blocks::new(meters.len());
        let (own, tainted) = (VecDeque::new(), VecDeque::new());
        Self { meters, judged_from, columns, totals: Rows::new(), own, front: 0, blocks, tainted }
    }

    /// Counts one finished request.
    pub fn record(&mut self, sample: &Sample, success: bool) {
        let second = self.second(sample.done);
        let Some(row) = self.row(second) else { return };
        self.totals.add(row, [1, u32::from(success), 0]);
        let local = u32::from(sample.outcome.fault == Some(Fault::Local));
        self.failed(Own { second: second as u32, late: 0, local, tainted: u32::from(sample.tainted) });
        let Self { columns, meters, tainted, .. } = self;
        self.blocks.count(second, |latency, sums| {
            if let Membership::Value(value) = membership(Series::Latency, sample, success) {
                latency.record(value);
            }
            for (meter, (column, counted)) in columns.iter_mut().zip(&*meters).enumerate() {
                let mut reading = Reading::empty(counted.test);
                counted.count(&mut reading, sample, success);
                match (column, reading) {
                    (Column::Counts(rows), Reading::Tally(tally)) => {
                        rows.add(row, [tally.n as u32, tally.k as u32]);
                        sums[meter] += tally.sum;
                        if tally.tainted_n > 0 {
                            let (n, k) = (tally.tainted_n as u32, tally.tainted_k as u32);
                            taint(tainted, Tainted { second: second as u32, meter: meter as u16, n, k });
                        }
                    }
                    (Column::Moments(rows), Reading::Moments(moments)) => rows[row].merge(&moments),
                    _ => debug_assert!(false, "a column is made by its own test"),
                }
            }
        });
    }

    /// Counts one request that fell due, and whether our own process started it late.
    pub fn due(&mut self, due: Ns, late: bool) {
        let second = self.second(due);
        let Some(row) = self.row(second) else { return };
        self.totals.add(row, [0, 0, 1]);
        self.failed(Own { second: second as u32, late: u32::from(late), ..Own::default() });
    }

    fn second(&self, at: Ns) -> u64 {
        at.since(self.judged_from).0 / Ns::from_secs(1).0
    }

    /// Adds our own failings to those of their second.
    fn failed(&mut self, more: Own) {
        if more.late + more.local + more.tainted == 0 {
            return;
        }
        let at = self.own.partition_point(|own| own.second < more.second);
        match self.own.get_mut(at).filter(|own| own.second == more.second) {
            Some(own) => {
                own.late += more.late;
                own.local += more.local;
                own.tainted += more.tainted;
            }
            None => self.own.insert(at, more),
        }
    }

    /// What the seconds `from..to` of the judged part amount to.
    #[must_use]
    pub fn reach(&self, from: u64, to: u64) -> Reach {
        let first = from.saturating_sub(self.front) as usize;
        let last = (to.saturating_sub(self.front) as usize).min(self.totals.len());
        let mut reach = Reach::default();
        for [finished, succeeded, scheduled] in (first..last).map(|row| self.totals.get(row)) {
            reach.loaded_seconds += u64::from(finished > 0 || scheduled > 0);
            reach.finished += finished;
            reach.succeeded += succeeded;
            reach.scheduled += scheduled;
        }
        for own in self.own.iter().filter(|own| (from..to).contains(&u64::from(own.second))) {
            reach.late += u64::from(own.late);
            reach.local += u64::from(own.local);
            reach.tainted += u64::from(own.tainted);
        }
        let mut sums = vec![0u128; self.meters.len()];
        self.blocks.add_to((from, to), &mut reach.latency, &mut sums);
        for (meter, column) in self.columns.iter().enumerate() {
            let reading = match column {
                Column::Moments(rows) => {
                    let mut all = Moments::default();
                    rows.range(first.min(last)..last).for_each(|m| all.merge(m));
                    Reading::Moments(all)
                }
                Column::Counts(rows) => {
                    let mut tally = Tally { sum: sums[meter], ..Tally::default() };
                    let rows: Vec<(u64, u64)> = (first..last).map(|row| rows.get(row).into()).collect();
                    tally.n = rows.iter().map(|row| row.0).sum();
                    tally.k = rows.iter().map(|row| row.1).sum();
                    for (_, n, k) in self.tainted(meter, from, to) {
                        tally.tainted_n += n;
                        tally.tainted_k += k;
                    }
                    if self.meters[meter].by_second {
                        reach.by_second.insert(meter, self.slices(meter, rows, from.max(self.front), to));
                    }
                    Reading::Tally(tally)
                }
            };
            reach.readings.push(reading);
        }
        reach
    }

    /// Second, `n` and `k` of a meter's tainted requests in the seconds `from..to`.
    fn tainted(&self, meter: usize, from: u64, to: u64) -> impl Iterator<Item = (u64, u64, u64)> {
        let in_them = move |one: &&Tainted| (from..to).contains(&one.second.into()) && usize::from(one.meter) == meter;
        self.tainted.iter().filter(in_them).map(|one| (one.second.into(), one.n.into(), one.k.into()))
    }

    /// A meter's counters second by second; `rows` begins at the second `front`.
    fn slices(&self, meter: usize, mut rows: Vec<(u64, u64)>, front: u64, to: u64) -> Slices {
        if matches!(self.meters[meter].test, Test::AtMost(..)) {
            for (second, n, k) in self.tainted(meter, front, to) {
                let row = &mut rows[(second - front) as usize];
                *row = (row.0 - n, row.1 - k);
            }
        }
        Slices::by_second(rows)
    }

    /// Bytes held on the heap, for the test that keeps a thousand tasks affordable.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        let columns: usize = self
            .columns
            .iter()
            .map(|column| match column {
                Column::Counts(rows) => rows.heap_bytes(),
                Column::Moments(rows) => rows.capacity() * size_of::<Moments>(),
            })
            .sum();
        let rare = self.own.capacity() * size_of::<Own>() + self.tainted.capacity() * size_of::<Tainted>();
        columns + self.totals.heap_bytes() + self.blocks.heap_bytes() + rare
    }

    /// The row of a second, making room for it; `None` for a second already dropped.
    fn row(&mut self, second: u64) -> Option<usize> {
        if self.totals.len() == 0 {
            self.front = second;
        }
        let row = second.checked_sub(self.front)? as usize;
        if self.totals.len() == self.totals.capacity() {
            self.grow();
        }
        while self.totals.len() <= row {
            self.totals.push();
            for column in &mut self.columns {
                match column {
                    Column::Counts(rows) => rows.push(),
                    Column::Moments(rows) => rows.push_back(Moments::default()),
                }
            }
        }
        let over = self.totals.len().saturating_sub(KEPT_SECONDS as usize);
        if over > 0 {
            self.drop_front(over);
        }
        Some(row.saturating_sub(over))
    }

    /// Doubles the columns, but not past what is kept: an hour-long load holds no spare rows.
    fn grow(&mut self) {
        let kept = KEPT_SECONDS as usize + 1;
        let more = (self.totals.len().max(8) * 2).min(kept).saturating_sub(self.totals.len());
        self.totals.reserve_exact(more);
        for column in &mut self.columns {
            match column {
                Column::Counts(rows) => rows.reserve_exact(more),
                Column::Moments(rows) => rows.reserve_exact(more),
            }
        }
    }

    fn drop_front(&mut self, rows: usize) {
        self.front += rows as u64;
        self.totals.drop_front(rows);
        for column in &mut self.columns {
            match column {
                Column::Counts(all) => all.drop_front(rows),
                Column::Moments(all) => drop(all.drain(..rows)),
            }
        }
        let front = self.front;
        self.blocks.drop_front(front);
        while self.tainted.front().is_some_and(|one| u64::from(one.second) < front) {
            self.tainted.pop_front();
        }
        while self.own.front().is_some_and(|own| u64::from(own.second) < front) {
            self.own.pop_front();
        }
    }
}

/// Counts tainted requests with those of the same second and meter.
fn taint(tainted: &mut VecDeque<Tainted>, more: Tainted) {
    // Requests are recorded in the order they were done, give or take a moment.
    let near = tainted.iter_mut().rev().take_while(|one| one.second >= more.second);
    match near.into_iter().find(|one| (one.second, one.meter) == (more.second, more.meter)) {
        Some(one) => {
            one.n += more.n;
            one.k += more.k;
        }
        None => tainted.push_back(more),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::stats::{Detail, Outcome, Recorder, Set};

    fn sample(done: Ns, latency_ms: u64, status: u16) -> Sample {
        let sent = done.since(Ns::from_millis(latency_ms));
        Sample { bytes: 10, ..Sample::of(sent, done, Outcome::http(status)) }
    }

    fn measures() -> Measures {
        let meter = |test| Meter { by_second: true, ..Meter::of(test) };
        Measures {
            meters: vec![
                meter(Test::Share(Set::Success)),
                meter(Test::AtMost(Series::Latency, Ns::from_millis(50).0)),
                meter(Test::AtMost(Series::Service, Ns::from_millis(50).0)),
            ],
            ..Measures::default()
        }
    }

    fn tally(reading: &Reading) -> (u64, u64) {
        match reading {
            Reading::Tally(t) => (t.n, t.k),
            Reading::Moments(_) => panic!("expected counters"),
        }
    }

    #[test]
    fn a_stretch_of_seconds_counts_exactly_what_was_done_in_it() {
        let mut window = Window::new(&measures(), Ns::ZERO);
        for i in 0..1_000u64 {
            let bad = (300..310).contains(&i);
            window.record(
                &sample(Ns::from_millis(100 * i + 50), if bad { 80 } else { 5 }, if bad { 500 } else { 200 }),
                !bad,
            );
        }
        let all = window.reach(0, 100);
        assert_eq!((all.finished, all.succeeded, all.loaded_seconds), (1_000, 990, 100));
        let bad_second = window.reach(30, 31);
        assert_eq!((bad_second.finished, bad_second.succeeded), (10, 0));
        assert_eq!(tally(&bad_second.readings[0]), (10, 0));
        assert_eq!(tally(&bad_second.readings[1]), (0, 0), "failures are not in a latency's population");
        assert_eq!(tally(&window.reach(31, 100).readings[1]), (690, 690));
        assert_eq!(window.reach(200, 300).finished, 0);
    }

    #[test]
    fn a_whole_run_and_a_window_keep_the_same_seconds() {
        let measures = Arc::new(measures());
        let (mut window, mut run) =
            (Window::new(&measures, Ns::ZERO), Recorder::new(Arc::clone(&measures), Ns::ZERO, Detail::Run));
        for i in 0..2_000u64 {
            let mut one = sample(Ns::from_millis(37 * i + 100), 20 + i % 50, if i % 90 < 9 { 503 } else { 200 });
            one.tainted = (700..720).contains(&i);
            window.record(&one, one.outcome == Outcome::http(200));
            run.record(&one);
        }
        let (reach, summary) = (window.reach(0, 100), run.summary());
        assert_eq!(reach.by_second.len(), 3);
        for (meter, slices) in &reach.by_second {
            assert_eq!(slices, &summary.by_second[meter], "meter {meter}");
        }
        let all = |slices: &Slices| slices.rows().iter().fold((0, 0), |all, row| (all.0 + row.0, all.1 + row.1));
        assert_eq!(all(&reach.by_second[&0]), (2_000, 1_793));
        assert_eq!(all(&reach.by_second[&1]).0, 1_793 - 20, "what stood still makes no burst");
        assert_eq!(window.reach(10, 12).by_second[&0].rows(), &summary.by_second[&0].rows()[10..12]);
    }

    #[test]
    fn only_the_newest_ten_minutes_are_kept() {
        let mut window = Window::new(&measures(), Ns::ZERO);
        for second in 0..2_000u64 {
            window.record(&sample(Ns(Ns::from_secs(second).0 + 1), 5, 200), true);
        }
        assert_eq!(window.reach(0, 2_000).finished, KEPT_SECONDS);
        assert_eq!(window.reach(1_990, 2_000).finished, 10);
        assert_eq!(window.reach(1_990, 2_000).latency.len(), 10);
    }

    #[test]
    fn a_task_of_twenty_a_second_keeps_its_window_in_twenty_four_kibibytes() {
        let mut window = Window::new(&measures(), Ns::ZERO);
        let mut state = 1u64;
        for i in 0..20 * 700u64 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let mut s = sample(Ns::from_millis(i * 50 + 2_000), 1, 200);
            s.origin = s.done.since(Ns(200_000 + (state >> 40) % 4_000_000));
            window.due(s.due, false);
            window.record(&s, true);
        }
        let each = window.heap_bytes();
        assert!(each < 24 << 10, "{each} bytes a task");
    }
}
