//! What one run knows: its tracks, what it has answered, what it has spent.

use std::time::Duration;

use super::answer::Answer;
use super::call::{Call, Role};
use super::load::Load;
use super::track::Track;
use crate::canary::Checksum;
use crate::spec::Order;

/// A run that nobody asks about for this long is over.
pub(super) const SILENCE: Duration = Duration::from_secs(24 * 3600);
/// How long an answer that did not arrive is kept for the same request.
const KEPT_FOR: Duration = Duration::from_secs(60);
/// Answers kept at once.
const MOST_KEPT: usize = 16;
/// Plans within one run.
const MOST_TRACKS: usize = 64;

/// One analysis of one revision.
#[derive(Debug)]
pub(super) struct Run<L> {
    pub(super) id: u64,
    pub(super) checksum: Checksum,
    pub(super) began: Duration,
    /// When a hook last spoke of it.
    pub(super) heard: Duration,
    /// Whether its one "go on for now" is used, or a rollout hook was answered otherwise.
    pub(super) free_used: bool,
    pub(super) tracks: Vec<Track<L>>,
    pub(super) spent: Spent,
    /// Who ended its load for good, in words.
    pub(super) stopped: Option<String>,
    /// Its newest verdict.
    pub(super) last: Option<String>,
    kept: Vec<Kept>,
}

/// What rollback hooks have used up of the chance of a wrong rollback.
#[derive(Debug, Default)]
pub(super) struct Spent {
    /// Looks at new evidence.
    pub(super) looks: u32,
    /// When the last one was.
    pub(super) at: Duration,
    /// Up to which second of each track it went.
    pub(super) upto: Vec<(u64, u64)>,
    /// What it came to.
    pub(super) last: Option<super::answer::Finding>,
}

/// An answer that did not arrive.
#[derive(Debug)]
struct Kept {
    role: Role,
    order: Order,
    answer: Answer,
    at: Duration,
}

impl<L: Load> Run<L> {
    pub(super) fn new(id: u64, checksum: Checksum, now: Duration) -> Self {
        Self {
            id,
            checksum,
            began: now,
            heard: now,
            free_used: false,
            tracks: Vec::new(),
            spent: Spent::default(),
            stopped: None,
            last: None,
            kept: Vec::new(),
        }
    }

    pub(super) fn track(&self, id: u64) -> Option<&Track<L>> {
        self.tracks.iter().find(|track| track.id == id)
    }

    pub(super) fn track_mut(&mut self, id: u64) -> Option<&mut Track<L>> {
        self.tracks.iter_mut().find(|track| track.id == id)
    }

    /// Makes room for one more track, at the cost of one that is over; whether there is room.
    pub(super) fn has_room(&mut self) -> bool {
        if self.tracks.len() >= MOST_TRACKS {
            let over = self.tracks.iter().enumerate().filter(|(_, track)| !track.is_running());
            let Some((oldest, _)) = over.min_by_key(|(_, track)| track.touched) else { return false };
            self.tracks.remove(oldest);
        }
        true
    }

    /// Ends all its load.
    pub(super) fn stop(&self) {
        for track in &self.tracks {
            if let Some(stint) = track.newest_stint() {
                stint.load.stop();
            }
        }
    }

    /// Keeps an answer for the same request: it did not arrive.
    pub(super) fn keep(&mut self, call: &Call, answer: Answer, now: Duration) {
        self.kept.retain(|kept| now.saturating_sub(kept.at) <= KEPT_FOR);
        if self.kept.len() >= MOST_KEPT {
            self.kept.remove(0);
        }
        self.kept.push(Kept { role: call.role, order: call.order.clone(), answer, at: now });
    }

    /// The answer that an earlier call of the same kind should have had.
    pub(super) fn kept(&mut self, call: &Call, now: Duration) -> Option<Answer> {
        self.kept.retain(|kept| now.saturating_sub(kept.at) <= KEPT_FOR);
        let same = |kept: &Kept| kept.role == call.role && kept.order == call.order;
        let place = self.kept.iter().rposition(same)?;
        Some(self.kept.remove(place).answer)
    }
}
