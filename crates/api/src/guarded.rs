//! The dependencies behind their policies: what the use case sees of the store and of the worker.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use holdfast_policy::Deadline;
use holdfast_wire::{Degraded, Request, RequestList};
use tokio::time::timeout;
use uuid::Uuid;

use crate::dependency::Dependency;
use crate::process::{NewRequest, Requests, Worked, Worker};
use crate::store::{Filter, Origin, Store};
use crate::worker_client::WorkerClient;

/// The store behind the database policy.
#[derive(Clone)]
pub(crate) struct GuardedStore {
    dependency: Arc<Dependency>,
    store: Store,
}

impl GuardedStore {
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

    /// How many requests are accepted and not finished; `None` if Postgres does not say so within `limit`. Past the
    /// policy: a gauge must neither use up the probes that decide about calls nor open the breaker with its own failures,
    /// while a service that has just started waits for its database, say.
    pub(crate) async fn count_open(&self, limit: Duration) -> Option<u64> {
        timeout(limit, self.store.count_open()).await.ok()?.ok()
    }
}

impl Requests for GuardedStore {
    async fn receive(&self, request: &NewRequest, deadline: Deadline) -> Result<(), Degraded> {
        let insert = || {
            self.store
                .insert(request.id, Origin::Resilient, request.payload.as_deref())
        };
        self.dependency.call(deadline, insert).await
    }

    async fn complete(
        &self,
        id: Uuid,
        worked: &Worked,
        deadline: Deadline,
    ) -> Result<(), Degraded> {
        let complete = || self.store.complete(id, &worked.response, worked.attempts);
        self.dependency.call(deadline, complete).await
    }
}

/// The worker behind its policy.
#[derive(Clone)]
pub(crate) struct GuardedWorker {
    dependency: Arc<Dependency>,
    client: WorkerClient,
}

impl GuardedWorker {
    /// `client`, called through `dependency`.
    #[must_use]
    pub(crate) fn new(dependency: Arc<Dependency>, client: WorkerClient) -> Self {
        Self { dependency, client }
    }
}

impl Worker for GuardedWorker {
    async fn work(&self, deadline: Deadline) -> Result<Worked, Degraded> {
        let attempts = AtomicU32::new(0);
        let attempt = || {
            attempts.fetch_add(1, Ordering::Relaxed);
            self.client.work()
        };
        let response = self.dependency.call(deadline, attempt).await?;
        Ok(Worked {
            response,
            attempts: attempts.load(Ordering::Relaxed),
        })
    }
}
