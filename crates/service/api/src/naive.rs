//! The course's use case: store, call, answer. No timeout, no retry, no breaker: whatever hangs, hangs.

use holdfast_wire::JsonText;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::limit::{InFlightLimit, Permit};
use crate::store::{DatabaseError, Store};
use crate::worker_client::{InTurn, WorkCall, WorkClient, WorkerError};

/// Why the naive endpoint fell over.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NaiveError {
    /// Postgres.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The worker.
    #[error(transparent)]
    Worker(#[from] WorkerError),
}

/// The course's endpoint with a pool and an HTTP client of its own.
pub(crate) struct Naive {
    store: Store,
    worker: InTurn,
    in_flight: InFlightLimit,
}

impl Naive {
    /// The naive use case over these dependencies, with so many calls in flight at most.
    #[must_use]
    pub(crate) fn new(store: Store, worker: InTurn, in_flight: InFlightLimit) -> Self {
        Self {
            store,
            worker,
            in_flight,
        }
    }

    /// The right to make one call, if there are not as many as there may be.
    pub(crate) fn enter(&self) -> Option<Permit> {
        self.in_flight.enter()
    }

    /// Stores the request, has the work done, stores the result.
    ///
    /// # Errors
    /// When either fails; it may as well never return.
    pub(crate) async fn run(
        &self,
        id: Uuid,
        payload: Option<&RawValue>,
    ) -> Result<JsonText, NaiveError> {
        self.store.insert_naive(id, payload).await?;
        let response = self.worker.work(WorkCall::first(id, None)).await?;
        self.store.complete(id, &response, 1).await?;
        Ok(response)
    }
}
