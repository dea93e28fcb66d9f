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
        let insert = async || {
            let inserted = match request.key.as_deref() {
                Some(key) => self.store.insert_keyed(id, key, payload, self.lease).await,
                None => {
                    let (origin, lease) = (Origin::Resilient, Some(self.lease));
                    let inserted = self.store.insert(id, origin, payload, lease).await;
                    inserted.map(|()| Receipt::Ours)
                }
            };
            match inserted {
                // That it refuses the data is an answer of a database that is well.
                Err(error) if error.is_final() => {
                    tracing::error!(%error, "Postgres refuses this request for good");
                    Ok(Receipt::Unfit)
                }
                other => other,
            }
        };
        self.dependency.call(Some(deadline), insert).await
    }

    async fn complete(
        &self,
        id: Uuid,
        worked: &Worked,
        deadline: Deadline,
    ) -> Result<(), Degraded> {
        let complete = || self.store.complete(id, &worked.response, worked.attempts);
        self.dependency.call(Some(deadline), complete).await
    }

    async fn release(&self, id: Uuid, deadline: Deadline) -> Result<(), Degraded> {
        self.dependency
            .call(Some(deadline), || self.store.release(id))
            .await
    }

    async fn look(&self, id: Uuid, deadline: Deadline) -> Result<Option<Known>, Degraded> {
        self.dependency
            .call(Some(deadline), || self.store.look(id))
            .await
    }

    fn absence(&self) -> Degraded {
        self.dependency.absence()
    }
}
