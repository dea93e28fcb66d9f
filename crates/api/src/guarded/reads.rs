//! What readers ask of Postgres. A policy and sessions of their own: a listing that takes long, or a crowd of readers,
//! neither opens the breaker of those who record nor takes their sessions.

use std::sync::Arc;
use std::time::Duration;

use holdfast_policy::Deadline;
use holdfast_wire::{Degraded, Request, RequestList};
use tokio::time::timeout;
use uuid::Uuid;

use crate::dependency::Dependency;
use crate::store::{Filter, Store};

/// The readers' store behind the readers' policy.
#[derive(Clone)]
pub(crate) struct GuardedReads {
    dependency: Arc<Dependency>,
    store: Store,
}

impl GuardedReads {
    /// `store`, called through `dependency`.
    #[must_use]
    pub(crate) fn new(dependency: Arc<Dependency>, store: Store) -> Self {
        Self { dependency, store }
    }

    /// The request `id`, if there is one.
    ///
    /// # Errors
    /// When Postgres does not answer by `deadline`.
    pub(crate) async fn find(
        &self,
        id: Uuid,
        deadline: Deadline,
    ) -> Result<Option<Request>, Degraded> {
        self.dependency.call(deadline, || self.store.find(id)).await
    }

    /// The newest requests that match.
    ///
    /// # Errors
    /// When Postgres does not answer by `deadline`.
    pub(crate) async fn list(
        &self,
        filter: Filter,
        deadline: Deadline,
    ) -> Result<RequestList, Degraded> {
        self.dependency
            .call(deadline, || self.store.list(filter))
            .await
    }

    /// What is known of the database's absence, without asking it.
    #[must_use]
    pub(crate) fn absence(&self) -> Degraded {
        self.dependency.absence()
    }

    /// How many requests are accepted and not finished; `None` if Postgres does not say so within `limit`. Past the
    /// policy: a gauge must neither use up the probes that decide about calls nor open the breaker with its own failures,
    /// while a service that has just started waits for its database, say.
    pub(crate) async fn count_open(&self, limit: Duration) -> Option<u64> {
        timeout(limit, self.store.count_open()).await.ok()?.ok()
    }
}
