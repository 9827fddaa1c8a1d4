//! A Canary as Flagger takes it: defaults put in, limits applied.

use std::collections::BTreeMap;
use std::time::Duration;

use super::hook::{Hook, HookKind};
use super::metric::Metric;
use super::places::Places;
use crate::canary;
use crate::yaml::Position;

/// One object of kind Canary.
#[derive(Clone, Debug, PartialEq)]
pub struct Canary {
    /// Its name.
    pub name: String,
    /// Its namespace; `default` where it names none.
    pub namespace: String,
    /// What is released.
    pub target: Target,
    /// The service that users reach.
    pub service: Service,
    /// What splits the traffic; `None` leaves it to Flagger's own flag.
    pub provider: Option<String>,
    /// Whether Flagger leaves it alone.
    pub suspend: bool,
    /// Whether a change is promoted without an analysis: asked for, or because there is none.
    pub skip_analysis: bool,
    /// How long a deployment may make no progress, in seconds.
    pub progress_deadline_seconds: u32,
    /// How a release is analysed.
    pub analysis: Analysis,
    /// Where the object begins.
    pub at: Position,
    /// Where the keys of `spec` stand.
    pub places: Places,
}

/// The workload under release.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// `Deployment`, `DaemonSet`, `Service` and the like.
    pub kind: String,
    /// Its name.
    pub name: String,
}

/// The service that users reach; Flagger adds `NAME-primary` and `NAME-canary` beside it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Service {
    /// Its name: that of the target where it has none of its own.
    pub name: String,
    /// Its port; zero where none is given.
    pub port: u32,
    /// The port's name; `http` where none is given.
    pub port_name: String,
    /// The containers' port, a number or a name; `None` is the same as `port`.
    pub target_port: Option<String>,
    /// Whether it has the ports of all containers besides.
    pub discovers_ports: bool,
    /// Host names, for a mesh or an ingress.
    pub hosts: Vec<String>,
}

impl Service {
    /// The service whose answers are the canary's alone.
    #[must_use]
    pub fn canary(&self) -> String {
        format!("{}-canary", self.name)
    }

    /// The service whose answers are the old release's.
    #[must_use]
    pub fn primary(&self) -> String {
        format!("{}-primary", self.name)
    }
}

/// How traffic is moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Strategy {
    /// In steps of weight.
    Weighted,
    /// All requests that match, for some iterations.
    AbTest,
    /// None, or a mirror of it, for some iterations; then all.
    BlueGreen,
}

/// `spec.analysis`.
#[derive(Clone, Debug, PartialEq)]
pub struct Analysis {
    /// Time between two ticks; at least 10 s, and 60 s where none can be read.
    pub interval: Duration,
    /// Failed checks that end the release; at least 1.
    pub threshold: u32,
    /// The weight beyond which there is no further step, in percent: 100 where none is given, and the last of
    /// `step_weights` where there are any.
    pub max_weight: u32,
    /// The step of weight; zero where none is given.
    pub step_weight: u32,
    /// Weights one after the other; empty where none are given.
    pub step_weights: Vec<u32>,
    /// The step of weight at promotion; zero for all at once.
    pub step_weight_promotion: u32,
    /// Iterations as given; zero where none are. [`Canary::iterations`] is what Flagger makes of them.
    pub iterations: u32,
    /// Whether traffic is mirrored first.
    pub mirror: bool,
    /// The share of it that is mirrored, in percent; zero for all.
    pub mirror_weight: u32,
    /// The share of the primary's pods that must be ready, in percent.
    pub primary_ready_threshold: u32,
    /// The share of the canary's pods that must be ready, in percent.
    pub canary_ready_threshold: u32,
    /// Requests that go to the canary in an A/B test; one of them is enough.
    pub matches: Vec<Match>,
    /// What is asked of Prometheus and others.
    pub metrics: Vec<Metric>,
    /// Who is asked, in the order of the file. A hook of a type that there is not is left out.
    pub webhooks: Vec<Hook>,
    /// Whether users keep to the release that they met.
    pub session_affinity: Option<SessionAffinity>,
    /// Where its keys stand.
    pub places: Places,
}

/// What Flagger takes where nothing is given.
impl Default for Analysis {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(60),
            threshold: 1,
            max_weight: 100,
            step_weight: 0,
            step_weights: Vec::new(),
            step_weight_promotion: 0,
            iterations: 0,
            mirror: false,
            mirror_weight: 0,
            primary_ready_threshold: 100,
            canary_ready_threshold: 100,
            matches: Vec::new(),
            metrics: Vec::new(),
            webhooks: Vec::new(),
            session_affinity: None,
            places: Places::default(),
        }
    }
}

/// Requests that go to the canary: all of its conditions hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Match {
    /// Conditions on headers, by name in lower case.
    pub headers: BTreeMap<String, Pattern>,
    /// Other conditions by name, which nobody here can tell: `uri`, `sourceLabels` and the like.
    pub others: Vec<String>,
}

/// What a header must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// This.
    Exact(String),
    /// It begins with this.
    Prefix(String),
    /// It ends with this.
    Suffix(String),
    /// All of it matches this.
    Regex(String),
    /// It is there.
    Present,
}

/// `analysis.sessionAffinity`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionAffinity {
    /// The cookie that keeps users at the canary.
    pub cookie_name: String,
    /// How long it does, in seconds.
    pub max_age: u32,
    /// The cookie that keeps users at the primary for one interval.
    pub primary_cookie_name: Option<String>,
}

/// The provider that splits nothing: Flagger changes selectors of services only.
const KUBERNETES: &str = "kubernetes";

impl Canary {
    /// Who is released, as hooks are told.
    #[must_use]
    pub fn id(&self) -> canary::Canary {
        canary::Canary::new(&self.name, &self.namespace)
    }

    /// Whether nothing splits traffic.
    #[must_use]
    pub fn is_plain_kubernetes(&self) -> bool {
        self.provider.as_deref() == Some(KUBERNETES)
    }

    /// Iterations as Flagger counts them: ten where traffic is not split and none are given.
    #[must_use]
    pub fn iterations(&self) -> u32 {
        if self.is_plain_kubernetes() && self.analysis.iterations == 0 { 10 } else { self.analysis.iterations }
    }

    /// How traffic is moved.
    #[must_use]
    pub fn strategy(&self) -> Strategy {
        match (self.iterations(), self.analysis.matches.is_empty() || self.is_plain_kubernetes()) {
            (0, _) => Strategy::Weighted,
            (_, true) => Strategy::BlueGreen,
            (_, false) => Strategy::AbTest,
        }
    }

    /// The hooks of one kind, in the order in which they are asked.
    pub fn hooks(&self, kind: HookKind) -> impl Iterator<Item = &Hook> {
        self.analysis.webhooks.iter().filter(move |hook| hook.kind == kind)
    }
}

impl Analysis {
    /// The step of weight that follows `weight`, in percent; zero if there is none, and then the release is stuck.
    #[must_use]
    pub fn next_step(&self, weight: u32) -> u32 {
        if self.step_weight > 0 || self.step_weights.is_empty() {
            return self.step_weight;
        }
        let left = 100_u32.saturating_sub(weight);
        match (left, weight, self.step_weights.iter().position(|step| *step == weight)) {
            (0, ..) => 1,
            (_, 0, _) => self.step_weights[0].min(100),
            (_, _, Some(at)) if at + 1 < self.step_weights.len() => {
                self.step_weights[at + 1].saturating_sub(weight).min(left)
            }
            _ => left,
        }
    }

    /// The weight after the last step, as Flagger compares with it.
    pub(super) fn greatest(max_weight: Option<u32>, step_weights: &[u32]) -> u32 {
        match step_weights.last() {
            Some(last) => (*last).min(100),
            None => max_weight.filter(|weight| *weight > 0).unwrap_or(100),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weights(analysis: &Analysis) -> Vec<u32> {
        let next = |weight: &u32| {
            let step = analysis.next_step(*weight);
            (*weight < analysis.max_weight && step > 0).then(|| (weight + step).min(100))
        };
        std::iter::successors(Some(0), next).skip(1).collect()
    }

    #[test]
    fn steps_of_weight_are_flaggers() {
        for (step_weight, step_weights, max_weight, expected, why) in [
            (20, vec![], Some(40), vec![20, 40], "even steps"),
            (30, vec![], Some(50), vec![30, 60], "a step may go beyond the greatest weight"),
            (0, vec![1, 10, 80], Some(50), vec![1, 10, 80], "a list sets the greatest weight"),
            (0, vec![50, 100], None, vec![50, 100], "a list up to all"),
            (10, vec![5, 20], None, vec![10, 20], "both: the step is that of stepWeight, the end that of the list"),
            (0, vec![], Some(50), vec![], "no step at all"),
            (0, vec![0, 50], None, vec![], "a list that begins with zero never begins"),
            (50, vec![], None, vec![50, 100], "no greatest weight is all"),
        ] {
            let max_weight = Analysis::greatest(max_weight, &step_weights);
            let analysis = Analysis { step_weight, step_weights, max_weight, ..Analysis::default() };
            assert_eq!(weights(&analysis), expected, "{why}");
        }
    }
}
