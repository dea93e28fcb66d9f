//! Which entries recovery leaves alone: those a live call is at work on, and for a while those in quarantine, which Postgres
//! does not take.
//!
//! In memory only: after a restart no call is live, and Postgres is asked again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use uuid::Uuid;

/// The pinned ids and the quarantined ones. Clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct Pins(Arc<Mutex<Sets>>);

#[derive(Debug, Default)]
struct Sets {
    /// How many pins each has.
    pinned: HashMap<Uuid, usize>,
    quarantined: HashMap<Uuid, Quarantine>,
}

/// The longest pause in quarantine; the first is a second, and each is twice the last.
const MAX_PAUSE: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, Copy)]
struct Quarantine {
    refusals: u32,
    until: Instant,
}

/// While it lives, [`Journal::oldest`](super::Journal::oldest) passes the entry over.
#[derive(Debug)]
#[must_use = "the entry is pinned only while this lives"]
pub(crate) struct Pin {
    pins: Pins,
    id: Uuid,
}

impl Pins {
    pub(super) fn pin(&self, id: Uuid) -> Pin {
        *self.sets().pinned.entry(id).or_default() += 1;
        Pin {
            pins: self.clone(),
            id,
        }
    }

    pub(super) fn is_pinned(&self, id: Uuid) -> bool {
        self.sets().pinned.contains_key(&id)
    }

    /// Quarantines `id`, each time for longer; returns how often by now.
    pub(super) fn quarantine(&self, id: Uuid, now: Instant) -> u32 {
        let mut sets = self.sets();
        let refusals = sets.quarantined.get(&id).map_or(0, |it| it.refusals);
        let pause = Duration::from_secs(1_u64.checked_shl(refusals).unwrap_or(u64::MAX));
        let quarantine = Quarantine {
            refusals: refusals + 1,
            until: now + pause.min(MAX_PAUSE),
        };
        sets.quarantined.insert(id, quarantine);
        refusals + 1
    }

    /// Whether `id` was quarantined and has not been removed since.
    pub(super) fn is_quarantined(&self, id: Uuid) -> bool {
        self.sets().quarantined.contains_key(&id)
    }

    /// Those that are.
    pub(super) fn ids_in_quarantine(&self) -> Vec<Uuid> {
        self.sets().quarantined.keys().copied().collect()
    }

    /// How many are.
    pub(super) fn quarantined(&self) -> u64 {
        u64::try_from(self.sets().quarantined.len()).unwrap_or(u64::MAX)
    }

    /// Forgets entries that are no longer there, so that the set cannot outgrow the journal.
    pub(super) fn forget(&self, ids: &[Uuid]) {
        let mut sets = self.sets();
        for id in ids {
            sets.quarantined.remove(id);
        }
    }

    /// Whether recovery leaves `id` alone at `now`.
    pub(super) fn passes_over(&self, id: Uuid, now: Instant) -> bool {
        let sets = self.sets();
        let waits = |it: &Quarantine| it.until > now;
        sets.pinned.contains_key(&id) || sets.quarantined.get(&id).is_some_and(waits)
    }

    /// No code of others runs under the lock, so the poison flag tells nothing.
    fn sets(&self) -> MutexGuard<'_, Sets> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        let mut sets = self.pins.sets();
        if let Some(count) = sets.pinned.get_mut(&self.id) {
            *count -= 1;
            if *count == 0 {
                sets.pinned.remove(&self.id);
            }
        }
    }
}
