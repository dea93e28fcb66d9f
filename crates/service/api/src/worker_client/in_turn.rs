//! The naive side's choice among several workers: one after the other, dead or alive.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use holdfast_wire::JsonText;

use super::{WorkCall, WorkClient, WorkerClient, WorkerError};

/// The workers in turn. Clones share whose turn it is.
#[derive(Clone)]
pub(crate) struct InTurn {
    workers: Arc<[WorkerClient]>,
    next: Arc<AtomicUsize>,
}

impl InTurn {
    pub(crate) fn new(workers: Vec<WorkerClient>) -> Self {
        Self {
            workers: workers.into(),
            next: Arc::default(),
        }
    }
}

impl WorkClient for InTurn {
    type Error = WorkerError;

    async fn work(&self, call: WorkCall<'_>) -> Result<JsonText, WorkerError> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        let worker = turn.checked_rem(self.workers.len());
        match worker.and_then(|worker| self.workers.get(worker)) {
            Some(worker) => worker.work(call).await,
            None => Err(WorkerError::NoEndpoint),
        }
    }
}
