//! When each of the worker's endpoints last did a request well, for whichever caller: the evidence by which recovery tells a
//! request that an endpoint refuses from an endpoint that refuses everybody.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// More endpoints than this are noted only as far as they did something lately: others may be gone.
const FEW: usize = 64;
const LATELY: Duration = Duration::from_secs(60);

/// The times of the last successes. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct LastSuccess(Arc<Mutex<HashMap<u32, Instant>>>);

impl LastSuccess {
    /// A call that ended at `endpoint` succeeded at `now`.
    pub(crate) fn note(&self, endpoint: u32, now: Instant) {
        let mut successes = self.successes();
        if successes.len() >= FEW {
            successes.retain(|_, at| now.duration_since(*at) < LATELY);
        }
        successes.insert(endpoint, now);
    }

    /// When the last such call succeeded; `None` when none did yet.
    #[must_use]
    pub(crate) fn at(&self, endpoint: u32) -> Option<Instant> {
        self.successes().get(&endpoint).copied()
    }

    /// No code of others runs under the lock, so the poison flag tells nothing.
    fn successes(&self) -> MutexGuard<'_, HashMap<u32, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
