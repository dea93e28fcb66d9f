//! When the worker last did a request well, for whichever caller: the evidence by which recovery tells a request that the
//! worker refuses from a worker that refuses everybody.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

/// The time of the last success. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct LastSuccess(Arc<Mutex<Option<Instant>>>);

impl LastSuccess {
    /// A call of the worker succeeded at `now`.
    pub(crate) fn note(&self, now: Instant) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
    }

    /// When the last call succeeded; `None` when none did yet.
    #[must_use]
    pub(crate) fn at(&self) -> Option<Instant> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
