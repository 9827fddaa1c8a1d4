//! The live view on a terminal while a load runs; nothing where there is no terminal.

use std::convert::Infallible;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use super::screen::Screen;
use super::style::{size, style};
use crate::load::{Progress, Watcher};
use crate::report::{Live, live};
use crate::slo::standings;
use crate::spec::Spec;
use crate::stats::Second;

/// How often it is drawn.
const PERIOD: Duration = Duration::from_millis(200);
/// Seconds kept for the course.
const KEPT: usize = 120;
/// Up to here the load's timeline has a slice for every second, and one that is missing was empty.
const BY_THE_SECOND: Duration = Duration::from_secs(3_600);

/// Draws until it is cancelled, and then clears what it has drawn. Draws nothing where standard error is no terminal
/// that can move its cursor.
pub(super) async fn draw(watcher: &Watcher, spec: &Spec) -> Infallible {
    let style = style(&io::stderr(), spec.no_color);
    if spec.quiet || !io::stderr().is_terminal() || !style.unicode {
        return std::future::pending().await;
    }
    let mut view = View { screen: Screen::default() };
    let mut course = Course::default();
    loop {
        tokio::time::sleep(PERIOD).await;
        let (progress, elapsed) = (watcher.progress(), watcher.elapsed());
        course.add(progress.second.as_ref(), elapsed);
        view.draw(&progress, elapsed, &course.seconds, spec, style.color);
    }
}

/// What stands on the terminal; dropping it takes it away.
struct View {
    screen: Screen,
}

impl View {
    fn draw(&mut self, progress: &Progress, elapsed: Duration, seconds: &[Second], spec: &Spec, color: bool) {
        let schedule = &spec.plan.schedule;
        let standings = spec.objective.as_ref().map(|objective| standings(&objective.line, &progress.readings));
        let at = Live {
            elapsed,
            warmup: schedule.warmup,
            end: schedule.end(),
            // What is finished includes the warm-up; beside a count there seldom is one.
            requests: schedule.stop.count.filter(|_| schedule.warmup.is_zero()),
            finished: progress.finished,
            seconds,
            standings: standings.as_deref().unwrap_or_default(),
        };
        let (width, height) = terminal();
        let mut lines = live(&at, width, color);
        // A frame that is taller than the terminal would scroll, and leave a piece of itself behind with every move.
        lines.truncate(usize::from(height.saturating_sub(1)).max(1));
        write(&self.screen.frame(lines, width));
    }
}

impl Drop for View {
    fn drop(&mut self) {
        write(&self.screen.cleared(terminal().0));
    }
}

/// A terminal that has gone is no reason to end the load.
fn write(text: &str) {
    let mut terminal = io::stderr().lock();
    let _ = terminal.write_all(text.as_bytes()).and_then(|()| terminal.flush());
}

/// Columns and rows of the terminal now: people change them.
fn terminal() -> (u16, u16) {
    size(&io::stderr()).unwrap_or((80, 24))
}

/// The newest seconds in order.
#[derive(Debug, Default)]
struct Course {
    seconds: Vec<Second>,
}

impl Course {
    /// Adds the newest complete second. One that is missing, because nothing finished in it, is added as empty.
    fn add(&mut self, newest: Option<&Second>, elapsed: Duration) {
        let by_the_second = elapsed < BY_THE_SECOND;
        if let Some(newest) = newest {
            if by_the_second {
                self.fill(newest.at - 1);
            }
            match self.seconds.last_mut() {
                Some(last) if last.at == newest.at => last.clone_from(newest),
                Some(last) if last.at > newest.at => {}
                _ => self.seconds.push(newest.clone()),
            }
        }
        if by_the_second {
            // Workers write ten times a second: what ended a second ago and is not there yet will not come.
            self.fill(elapsed.as_secs() as i64 - 2);
        }
        let over = self.seconds.len().saturating_sub(KEPT);
        self.seconds.drain(..over);
    }

    /// Empty seconds up to `last`.
    fn fill(&mut self, last: i64) {
        let next = self.seconds.last().map_or(0, |newest| newest.at + 1);
        self.seconds.extend((next..=last).map(|at| Second { at, ..Second::default() }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(at: i64, finished: u64) -> Second {
        Second { at, finished, ..Second::default() }
    }

    #[test]
    fn a_second_in_which_nothing_finished_has_its_place_in_the_course() {
        let mut course = Course::default();
        let millis = Duration::from_millis;
        let rows: [(u64, Option<Second>, &[u64], &str); 7] = [
            (900, None, &[], "no second is complete"),
            (1_100, Some(second(0, 80)), &[80], "the first"),
            (1_300, Some(second(0, 81)), &[81], "another worker has written"),
            (2_400, Some(second(1, 70)), &[81, 70], "the next"),
            (3_400, None, &[81, 70], "its successor may still come"),
            (5_200, None, &[81, 70, 0, 0], "two will not"),
            (6_200, Some(second(5, 9)), &[81, 70, 0, 0, 0, 9], "back again"),
        ];
        for (elapsed, newest, expected, why) in rows {
            course.add(newest.as_ref(), millis(elapsed));
            let finished: Vec<u64> = course.seconds.iter().map(|second| second.finished).collect();
            assert_eq!(finished, expected, "{why}");
        }
    }

    #[test]
    fn only_the_newest_seconds_are_kept_and_after_an_hour_none_is_made_up() {
        let mut course = Course::default();
        course.add(Some(&second(500, 1)), Duration::from_secs(501));
        assert_eq!(course.seconds.len(), KEPT);
        course.add(Some(&second(4_000, 1)), Duration::from_secs(4_002));
        assert_eq!(course.seconds.iter().rev().take(2).map(|s| s.at).collect::<Vec<_>>(), [4_000, 500]);
    }
}
