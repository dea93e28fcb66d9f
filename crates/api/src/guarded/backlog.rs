//! What recovery asks of Postgres: under the same policy as live calls, one call at a time, over sessions of its own.
//!
//! One at a time is the low priority: whatever there is to catch up on, it takes one place among those of live calls, and
//! while the breaker is half open at most one of its probes.

use std::sync::Arc;
use std::time::Duration;

use holdfast_policy::BreakerState;
use holdfast_wire::Degraded;
use tokio::sync::Mutex;
use tokio::time::timeout;
use uuid::Uuid;

use crate::dependency::Dependency;
use crate::journal::Entry;
use crate::process::WorkResult;
use crate::store::{Claimed, DatabaseError, Given, Store};

/// Recovery's view of the table of requests. Clones take turns.
#[derive(Clone)]
pub(crate) struct Backlog {
    dependency: Arc<Dependency>,
    store: Store,
    turn: Arc<Mutex<()>>,
    /// How long one call may take, and as long may the wait for its turn.
    limit: Duration,
}

/// What became of journal entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Replayed {
    /// They are recorded.
    All,
    /// The database will never take them, and why; none is recorded.
    RefusedForGood(String),
}

impl Backlog {
    /// `store`, called through `dependency`; `limit` is its deadline.
    #[must_use]
    pub(crate) fn new(dependency: Arc<Dependency>, store: Store, limit: Duration) -> Self {
        Self {
            dependency,
            store,
            turn: Arc::default(),
            limit,
        }
    }

    /// Whether a call makes sense now: not while the breaker refuses it anyway.
    #[must_use]
    pub(crate) fn may_call(&self) -> bool {
        self.dependency.may_call()
    }

    /// Whether all is well with the database, as far as is known.
    #[must_use]
    pub(crate) fn is_well(&self) -> bool {
        self.dependency.snapshot().breaker == BreakerState::Closed
    }

    /// Claims the oldest open requests that nobody holds.
    ///
    /// # Errors
    /// What is missing; so do all below.
    pub(crate) async fn claim(
        &self,
        count: u32,
        lease: Duration,
    ) -> Result<Vec<Claimed>, Degraded> {
        self.call(|| self.store.claim(count, lease)).await
    }

    /// Records a request's result.
    pub(crate) async fn complete(&self, id: Uuid, worked: &WorkResult) -> Result<(), Degraded> {
        self.call(|| self.store.complete(id, &worked.response, worked.attempts))
            .await
    }

    /// Keeps a request for another `lease`; `None` if it is not ours any more.
    pub(crate) async fn extend(
        &self,
        claimed: Claimed,
        lease: Duration,
    ) -> Result<Option<Claimed>, Degraded> {
        self.call(|| self.store.extend(claimed, lease)).await
    }

    /// Gives a request back without counting anything; nobody may claim it for `pause`.
    pub(crate) async fn give_back(
        &self,
        claimed: Claimed,
        pause: Duration,
    ) -> Result<(), Degraded> {
        self.call(|| self.store.give_back(claimed, pause)).await
    }

    /// Counts a failure of the request's own.
    pub(crate) async fn count_failure(
        &self,
        claimed: Claimed,
        error: &str,
        max_attempts: u32,
        pause: Duration,
    ) -> Result<Given, Degraded> {
        self.call(|| {
            self.store
                .count_failure(claimed, error, max_attempts, pause)
        })
        .await
    }

    /// Records journal entries, all or none.
    pub(crate) async fn replay(&self, entries: &[Entry]) -> Result<Replayed, Degraded> {
        self.call(async || final_answer(self.store.replay(entries).await))
            .await
    }

    /// Records that the database refuses `entry` for good, as failed.
    pub(crate) async fn refuse(&self, entry: &Entry, error: &str) -> Result<Replayed, Degraded> {
        self.call(async || final_answer(self.store.refuse(entry, error).await))
            .await
    }

    /// Deletes a portion of what was done longer than `keep` ago; returns how much. Past the policy: nothing is owed to
    /// anybody, so a database that is gone must not be found out by this.
    pub(crate) async fn forget(&self, keep: Duration, portion: u32) -> Result<u64, Degraded> {
        let _turn = self.turn.lock().await;
        let forget = self.store.forget(keep, portion);
        self.dependency
            .call_bypassing_policy(self.limit, forget)
            .await
    }

    /// How long one call may take, and as long may the wait for its turn.
    #[must_use]
    pub(crate) fn limit(&self) -> Duration {
        self.limit
    }

    async fn call<T, Fut>(&self, operation: impl Fn() -> Fut + Clone) -> Result<T, Degraded>
    where
        Fut: Future<Output = Result<T, DatabaseError>>,
    {
        // Who waits in vain has the journal, or a lease that ends.
        let turn = timeout(self.limit, self.turn.lock()).await;
        let _turn = turn.map_err(|_| self.dependency.unavailability())?;
        self.dependency.call(None, operation).await
    }
}

/// That it refuses the data is an answer of a database that is well.
fn final_answer(result: Result<(), DatabaseError>) -> Result<Replayed, DatabaseError> {
    match result {
        Ok(()) => Ok(Replayed::All),
        Err(error) if error.is_final() => Ok(Replayed::RefusedForGood(error.to_string())),
        Err(error) => Err(error),
    }
}
