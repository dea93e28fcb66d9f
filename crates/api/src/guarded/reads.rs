//! What readers ask of Postgres: past the policy, over sessions of their own. A listing that takes long, or a crowd of
//! readers, neither opens the breaker of those who record nor takes their sessions.

use std::sync::Arc;
use std::time::Duration;

use holdfast_policy::BreakerState;
use holdfast_wire::{Degraded, Request, RequestList};
use uuid::Uuid;

use crate::dependency::Dependency;
use crate::store::{Filter, Store};

/// The readers' store. Clones share it.
#[derive(Clone)]
pub(crate) struct GuardedReads {
    dependency: Arc<Dependency>,
    store: Store,
    /// Time for one call.
    limit: Duration,
}

impl GuardedReads {
    /// `store` of `dependency`, each call for `limit` at most.
    #[must_use]
    pub(crate) fn new(dependency: Arc<Dependency>, store: Store, limit: Duration) -> Self {
        Self {
            dependency,
            store,
            limit,
        }
    }

    /// The request `id`, if there is one.
    ///
    /// # Errors
    /// When Postgres does not answer in time.
    pub(crate) async fn find(&self, id: Uuid) -> Result<Option<Request>, Degraded> {
        self.dependency.peek(self.limit, self.store.find(id)).await
    }

    /// The newest requests that match.
    ///
    /// # Errors
    /// When Postgres does not answer in time.
    pub(crate) async fn list(&self, filter: Filter) -> Result<RequestList, Degraded> {
        self.dependency
            .peek(self.limit, self.store.list(filter))
            .await
    }

    /// How many requests are accepted and not finished; `None` if Postgres does not say so. Only while the breaker is
    /// closed: a database in trouble is left alone.
    pub(crate) async fn count_open(&self) -> Option<u64> {
        let closed = self.dependency.snapshot().breaker == BreakerState::Closed;
        let count = self.dependency.peek(self.limit, self.store.count_open());
        if closed { count.await.ok() } else { None }
    }

    /// Whether a call makes sense now: not while the breaker is open.
    #[must_use]
    pub(crate) fn may_call(&self) -> bool {
        self.dependency.may_call()
    }

    /// What is known of the database's absence, without asking it.
    #[must_use]
    pub(crate) fn absence(&self) -> Degraded {
        self.dependency.absence()
    }
}
