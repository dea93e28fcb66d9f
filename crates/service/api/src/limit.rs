//! A bound on calls in flight, checked at the door.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Lets a number of calls in at once. Clones share the count.
#[derive(Debug, Clone)]
pub(crate) struct InFlightLimit {
    in_flight: Arc<AtomicU32>,
    limit: Arc<AtomicU32>,
}

/// A permit for a call in flight; given back on drop, however the call ends.
#[derive(Debug)]
pub(crate) struct Permit(Arc<AtomicU32>);

impl InFlightLimit {
    /// `limit` calls at once.
    #[must_use]
    pub(crate) fn new(limit: u32) -> Self {
        Self {
            in_flight: Arc::default(),
            limit: Arc::new(AtomicU32::new(limit)),
        }
    }

    /// A permit, unless all are taken.
    #[must_use]
    pub(crate) fn enter(&self) -> Option<Permit> {
        let limit = self.limit();
        let one_more = |taken| (taken < limit).then_some(taken + 1);
        self.in_flight
            .fetch_update(Ordering::AcqRel, Ordering::Relaxed, one_more)
            .ok()?;
        Some(Permit(Arc::clone(&self.in_flight)))
    }

    /// Calls in flight now.
    #[must_use]
    pub(crate) fn in_flight(&self) -> u32 {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// How many it lets in at once.
    #[must_use]
    pub(crate) fn limit(&self) -> u32 {
        self.limit.load(Ordering::Relaxed)
    }

    /// Lets so many in from now on; who is in stays.
    pub(crate) fn set(&self, limit: u32) {
        self.limit.store(limit, Ordering::Relaxed);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_refused_when_all_are_taken_and_granted_again_when_one_is_left() {
        let limit = InFlightLimit::new(2);
        let first = limit.enter();
        let second = limit.enter();
        assert!(first.is_some() && second.is_some());
        assert!(limit.enter().is_none());
        drop(first);
        assert!(limit.enter().is_some());
    }
}
