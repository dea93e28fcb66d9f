//! From when on an attempt is slow: read by every attempt, changed when the breaker is configured anew.

use std::time::Duration;

use crate::nanoseconds::nanoseconds;
use crate::sync::{AtomicU64, Ordering};

/// Nothing is slow. No attempt lasts as long as so many nanoseconds.
const NEVER: u64 = u64::MAX;

#[derive(Debug)]
pub(super) struct SlowCall(AtomicU64);

impl SlowCall {
    pub(super) fn new(limit: Option<Duration>) -> Self {
        Self(AtomicU64::new(word(limit)))
    }

    #[inline]
    pub(super) fn get(&self) -> Option<Duration> {
        let limit = self.0.load(Ordering::Relaxed);
        (limit != NEVER).then(|| Duration::from_nanos(limit))
    }

    pub(super) fn set(&self, limit: Option<Duration>) {
        self.0.store(word(limit), Ordering::Relaxed);
    }
}

fn word(limit: Option<Duration>) -> u64 {
    limit.map_or(NEVER, nanoseconds)
}
