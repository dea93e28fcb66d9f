//! Bounds on calls in flight, checked at the door: one refuses whoever is too many, the other has some wait for their turn.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rustix::process::{Resource, getrlimit};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

/// How many files the process may have open.
#[must_use]
pub(crate) fn file_limit() -> u64 {
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

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

/// Lets a number of calls in at once; a bounded number of others wait, first come, first served.
#[derive(Debug)]
pub(crate) struct Turns {
    places: Semaphore,
    waiting: InFlightLimit,
    max_wait: Duration,
}

impl Turns {
    /// `places` calls at once, and `max_waiting` that wait for `max_wait` at most.
    #[must_use]
    pub(crate) fn new(places: u32, max_waiting: u32, max_wait: Duration) -> Self {
        Self {
            places: Semaphore::new(places as usize),
            waiting: InFlightLimit::new(max_waiting),
            max_wait,
        }
    }

    /// A place, unless too many wait for one or it does not come in time.
    pub(crate) async fn take(&self) -> Option<SemaphorePermit<'_>> {
        let _waits = self.waiting.enter()?;
        let turn = timeout(self.max_wait, self.places.acquire()).await;
        turn.ok()?.ok()
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::sleep;

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

    #[tokio::test(start_paused = true)]
    async fn who_finds_no_place_waits_for_a_turn_and_is_refused_when_it_does_not_come_or_too_many_wait()
     {
        let max_wait = Duration::from_secs(1);
        let turns = Turns::new(1, 1, max_wait);
        let place = turns.take().await;
        assert!(place.is_some());
        let (waited, refused) = tokio::join!(turns.take(), turns.take());
        assert!(waited.is_none() && refused.is_none(), "the place is taken");
        let (waited, refused, ()) = tokio::join!(turns.take(), turns.take(), async {
            sleep(max_wait / 2).await;
            drop(place);
        });
        assert!(waited.is_some(), "it waited until the place was left");
        assert!(refused.is_none(), "one waited already");
    }
}
