//! Which entries recovery leaves alone: those a live call is at work on, and those Postgres refuses for good.
//!
//! In memory only: after a restart no call is live, and Postgres is asked again.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

/// The held and the set-aside ids. Clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct Holds(Arc<Mutex<Sets>>);

#[derive(Debug, Default)]
struct Sets {
    /// With how many guards hold each.
    held: HashMap<Uuid, usize>,
    aside: HashSet<Uuid>,
}

/// While it lives, [`Journal::oldest`](super::Journal::oldest) passes the entry over.
#[derive(Debug)]
#[must_use = "the entry is held only while this lives"]
pub(crate) struct Hold {
    holds: Holds,
    id: Uuid,
}

impl Holds {
    pub(super) fn hold(&self, id: Uuid) -> Hold {
        *self.sets().held.entry(id).or_default() += 1;
        Hold {
            holds: self.clone(),
            id,
        }
    }

    pub(super) fn is_held(&self, id: Uuid) -> bool {
        self.sets().held.contains_key(&id)
    }

    pub(super) fn set_aside(&self, id: Uuid) {
        self.sets().aside.insert(id);
    }

    /// Forgets entries that are no longer there, so that the set cannot outgrow the journal.
    pub(super) fn forget(&self, ids: &[Uuid]) {
        let mut sets = self.sets();
        for id in ids {
            sets.aside.remove(id);
        }
    }

    /// Whether recovery leaves `id` alone.
    pub(super) fn passes_over(&self, id: Uuid) -> bool {
        let sets = self.sets();
        sets.held.contains_key(&id) || sets.aside.contains(&id)
    }

    /// No code of others runs under the lock, so the poison flag tells nothing.
    fn sets(&self) -> MutexGuard<'_, Sets> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut sets = self.holds.sets();
        if let Some(guards) = sets.held.get_mut(&self.id) {
            *guards -= 1;
            if *guards == 0 {
                sets.held.remove(&self.id);
            }
        }
    }
}
