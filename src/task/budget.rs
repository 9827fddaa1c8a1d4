//! How much may run at once: sums over the plans that were let in, checked before a load starts. Nothing is limited on the
//! path of a request, where it would be taken for the target's slowness.

use std::time::Duration;

use crate::plan::{Plan, Rate};

/// What all loads together may take. `None` for no limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budgets {
    /// Loads at once.
    pub tasks: u32,
    /// Requests a second of all loads, by their peaks.
    pub rate: Option<Rate>,
    /// Requests a second of one namespace's loads.
    pub rate_per_namespace: Option<Rate>,
    /// Requests a second to one target (host and port).
    pub rate_per_target: Option<Rate>,
    /// Lanes, and so connections, of all loads.
    pub lanes: Option<u32>,
    /// Lanes to one target.
    pub lanes_per_target: Option<u32>,
    /// How long one load may take, warm-up included.
    pub duration: Option<Duration>,
}

impl Default for Budgets {
    fn default() -> Self {
        Self {
            tasks: 1_000,
            rate: None,
            rate_per_namespace: None,
            rate_per_target: None,
            lanes: None,
            lanes_per_target: None,
            duration: None,
        }
    }
}

/// A load that was let in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Admitted<'a> {
    pub(super) namespace: &'a str,
    pub(super) plan: &'a Plan,
}

impl Admitted<'_> {
    /// Requests a second × 10⁶ at its peak; 0 where the answers alone set the pace.
    fn micro(self) -> u64 {
        self.plan.schedule.peak_rate().map_or(0, |rate| rate.micro_per_second)
    }

    fn goes_to(self, place: &str) -> bool {
        self.plan.targets.iter().any(|target| target.origin.to_string() == place)
    }
}

impl Budgets {
    /// Whether `new` may start beside `running`.
    ///
    /// # Errors
    /// `tollgate is full: …`, with what is used, what there is and what is wanted.
    pub(super) fn admit(&self, running: &[Admitted<'_>], new: Admitted<'_>) -> Result<(), String> {
        if running.len() as u64 >= u64::from(self.tasks) {
            return Err(full(format_args!("{} of {} tasks", running.len(), self.tasks)));
        }
        let all = |_: &Admitted<'_>| true;
        let here = |other: &Admitted<'_>| other.namespace == new.namespace;
        rate(self.rate, running, new, "in all", all)?;
        rate(self.rate_per_namespace, running, new, &format!("in namespace {}", new.namespace), here)?;
        lanes(self.lanes, running, new, "in all", all)?;
        for target in &new.plan.targets {
            let place = target.origin.to_string();
            let there = |other: &Admitted<'_>| other.goes_to(&place);
            rate(self.rate_per_target, running, new, &format!("to {place}"), there)?;
            lanes(self.lanes_per_target, running, new, &format!("to {place}"), there)?;
        }
        let schedule = &new.plan.schedule;
        let endless = schedule.end().is_none() && schedule.stop.count.is_none();
        let long = |most| endless || schedule.end().is_some_and(|end| end > schedule.warmup + most);
        match self.duration.filter(|most| long(*most)) {
            Some(most) => Err(format!("a load may take {most:?} at most, not counting its warm-up: give it less")),
            None => Ok(()),
        }
    }
}

fn full(what: std::fmt::Arguments<'_>) -> String {
    format!("tollgate is full: {what}")
}

fn rate(
    most: Option<Rate>,
    running: &[Admitted<'_>],
    new: Admitted<'_>,
    place: &str,
    counts: impl Fn(&Admitted<'_>) -> bool,
) -> Result<(), String> {
    let Some(most) = most else { return Ok(()) };
    let used =
        running.iter().filter(|other| counts(other)).fold(0, |sum: u64, other| sum.saturating_add(other.micro()));
    if used.saturating_add(new.micro()) <= most.micro_per_second {
        return Ok(());
    }
    let [used, wanted] = [used, new.micro()].map(|micro| micro as f64 / 1e6);
    Err(full(format_args!("{used} of {most} {place}, and this load wants {wanted}/s")))
}

fn lanes(
    most: Option<u32>,
    running: &[Admitted<'_>],
    new: Admitted<'_>,
    place: &str,
    counts: impl Fn(&Admitted<'_>) -> bool,
) -> Result<(), String> {
    let Some(most) = most else { return Ok(()) };
    let used: u64 = running.iter().filter(|other| counts(other)).map(|other| u64::from(other.plan.lanes)).sum();
    if used + u64::from(new.plan.lanes) <= u64::from(most) {
        return Ok(());
    }
    Err(full(format_args!("{used} of {most} lanes {place}, and this load wants {}", new.plan.lanes)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{Id, SpecBuilder};

    fn plan(url: &str, wishes: &[(Id, &str)]) -> Plan {
        let mut builder = SpecBuilder::new();
        for (id, value) in [(Id::Url, url)].iter().chain(wishes) {
            builder.give(*id, *value);
        }
        builder.build(&|_| Err(std::io::Error::other("no files"))).unwrap().plan
    }

    #[test]
    fn each_budget_counts_what_it_is_for_and_says_what_is_used() {
        let rate = |n| Rate::per_second(n);
        let none = Budgets::default;
        let load = |url| plan(url, &[(Id::Rate, "20/s"), (Id::Duration, "1m"), (Id::Connections, "4")]);
        let (own, other) = (load("http://a.test:80/x"), load("http://b.test:80/"));
        for (budgets, refused, why) in [
            (none(), None, "a thousand tasks, and nothing else is limited"),
            (Budgets { tasks: 2, ..none() }, Some("tollgate is full: 2 of 2 tasks"), "tasks"),
            (Budgets { tasks: 3, ..none() }, None, "the third"),
            (
                Budgets { rate: rate(50), ..none() },
                Some("tollgate is full: 40 of 50/s in all, and this load wants 20/s"),
                "all",
            ),
            (Budgets { rate: rate(60), ..none() }, None, "just enough"),
            (
                Budgets { rate_per_namespace: rate(30), ..none() },
                Some("tollgate is full: 20 of 30/s in namespace test, and this load wants 20/s"),
                "a namespace",
            ),
            (Budgets { rate_per_namespace: rate(40), ..none() }, None, "the other load is of another one"),
            (
                Budgets { rate_per_target: rate(39), ..none() },
                Some("tollgate is full: 20 of 39/s to a.test:80, and this load wants 20/s"),
                "a target, whatever the path",
            ),
            (
                Budgets { lanes: Some(11), ..none() },
                Some("tollgate is full: 8 of 11 lanes in all, and this load wants 4"),
                "lanes",
            ),
            (
                Budgets { lanes_per_target: Some(7), ..none() },
                Some("tollgate is full: 4 of 7 lanes to a.test:80, and this load wants 4"),
                "lanes to a target",
            ),
            (
                Budgets { duration: Some(Duration::from_secs(59)), ..none() },
                Some("a load may take 59s at most, not counting its warm-up: give it less"),
                "too long",
            ),
            (Budgets { duration: Some(Duration::from_secs(60)), ..none() }, None, "just as long"),
        ] {
            let running = [Admitted { namespace: "test", plan: &own }, Admitted { namespace: "prod", plan: &other }];
            let got = budgets.admit(&running, Admitted { namespace: "test", plan: &own });
            assert_eq!(got.err().as_deref(), refused, "{why}");
        }
    }

    #[test]
    fn a_count_ends_a_load_too_and_one_without_an_end_is_refused_where_length_is_limited() {
        let minute = Budgets { duration: Some(Duration::from_secs(60)), ..Budgets::default() };
        let counted = plan("http://a.test/", &[(Id::Requests, "200")]);
        assert_eq!(minute.admit(&[], Admitted { namespace: "test", plan: &counted }), Ok(()));
        let mut endless = counted;
        endless.schedule.stop.count = None;
        assert!(minute.admit(&[], Admitted { namespace: "test", plan: &endless }).is_err());
    }
}
