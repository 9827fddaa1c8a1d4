//! What runs, and whether there is room for more.

use std::time::Duration;

use super::super::budget::{Admitted, Budgets};
use super::super::load::{Load as _, Loads};
use super::{Desk, Event};
use crate::canary::Canary;
use crate::plan::Plan;

/// A load that runs: whose, what, beside what, and since when.
pub(in super::super) struct Running<'a, L> {
    canary: &'a Canary,
    plan: &'a Plan,
    primary: Option<&'a Plan>,
    began: Duration,
    pub(in super::super) load: &'a L,
}

impl<'a, L> Running<'a, L> {
    /// What it sends, to either side.
    const fn plans(&self) -> [Option<&'a Plan>; 2] {
        [Some(self.plan), self.primary]
    }
}

/// Plans as budgets count them: a comparison is two loads.
fn admitted<'a>(namespace: &'a str, plans: [Option<&'a Plan>; 2]) -> impl Iterator<Item = Admitted<'a>> {
    plans.into_iter().flatten().map(move |plan| Admitted { namespace, plan })
}

impl<F: Loads> Desk<F> {
    /// Whether the budgets leave room for a plan, and for the one beside it.
    pub(super) fn room_for(&self, canary: &Canary, plan: &Plan, primary: Option<&Plan>) -> Result<(), String> {
        let running = self.running();
        let mut admitted: Vec<Admitted<'_>> =
            running.iter().flat_map(|running| admitted(&running.canary.namespace, running.plans())).collect();
        for new in self::admitted(&canary.namespace, [Some(plan), primary]) {
            self.budgets.admit(&admitted, new)?;
            admitted.push(new);
        }
        Ok(())
    }

    /// Changes the budgets; where more is running than they allow, whole loads end, the newest first.
    pub(in super::super) fn set_budgets(&mut self, budgets: Budgets) {
        self.budgets = budgets;
        let mut running = self.running();
        running.sort_by_key(|running| running.began);
        let mut stays: Vec<Admitted<'_>> = Vec::new();
        let mut shed = Vec::new();
        for running in running {
            let (before, mut refused) = (stays.len(), None);
            for this in admitted(&running.canary.namespace, running.plans()) {
                refused = refused.or(self.budgets.admit(&stays, this).err());
                stays.push(this);
            }
            if let Some(why) = refused {
                // A comparison without one of its sides is none.
                stays.truncate(before);
                running.load.stop();
                shed.push(Event::Stopped { canary: running.canary.clone(), why });
            }
        }
        self.events.extend(shed);
    }

    /// Every load that runs.
    pub(in super::super) fn running(&self) -> Vec<Running<'_, F::Load>> {
        let mut running = Vec::new();
        for (canary, entry) in &self.entries {
            for track in entry.run.iter().flat_map(|run| &run.tracks).filter(|track| track.is_running()) {
                let (plan, primary) = (&*track.plan, track.primary.as_deref());
                let newest = track.newest_stint();
                running.extend(newest.map(|stint| Running {
                    canary,
                    plan,
                    primary,
                    began: stint.began,
                    load: &stint.load,
                }));
            }
            let loose = entry.loose.iter().filter(|(_, load)| !load.standing().is_over());
            let began = entry.touched;
            running.extend(loose.map(|(plan, load)| Running { canary, plan, primary: None, began, load }));
        }
        running
    }
}
