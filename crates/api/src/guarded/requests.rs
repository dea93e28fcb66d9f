//! The table of requests behind the database policy, as live calls use it.

use std::sync::Arc;
use std::time::Duration;

use holdfast_policy::Deadline;
use holdfast_wire::Degraded;
use uuid::Uuid;

use crate::dependency::Dependency;
use crate::process::{Known, NewRequest, Receipt, Requests, Worked};
use crate::store::{Origin, Store};

/// The store behind the database policy.
#[derive(Clone)]
pub(crate) struct GuardedStore {
    dependency: Arc<Dependency>,
    store: Store,
    lease: Duration,
}

impl GuardedStore {
    /// `store`, called through `dependency`; what it receives belongs to the caller for `lease`.
    #[must_use]
    pub(crate) fn new(dependency: Arc<Dependency>, store: Store, lease: Duration) -> Self {
        Self {
            dependency,
            store,
            lease,
        }
    }
}

impl Requests for GuardedStore {
    async fn receive(&self, request: &NewRequest, deadline: Deadline) -> Result<Receipt, Degraded> {
        let (id, payload) = (request.id, request.payload.as_deref());
        match request.key.as_deref() {
            Some(key) => {
                let insert = || self.store.insert_keyed(id, key, payload, self.lease);
                self.dependency.call(deadline, insert).await
            }
            None => {
                let lease = Some(self.lease);
                let insert = || self.store.insert(id, Origin::Resilient, payload, lease);
                self.dependency.call(deadline, insert).await?;
                Ok(Receipt::Ours)
            }
        }
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

    async fn release(&self, id: Uuid, deadline: Deadline) -> Result<(), Degraded> {
        self.dependency
            .call(deadline, || self.store.release(id))
            .await
    }

    async fn look(&self, id: Uuid, deadline: Deadline) -> Result<Option<Known>, Degraded> {
        self.dependency.call(deadline, || self.store.look(id)).await
    }

    fn absence(&self) -> Degraded {
        self.dependency.absence()
    }
}
