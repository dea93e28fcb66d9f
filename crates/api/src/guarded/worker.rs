//! The worker behind its policy.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use holdfast_policy::{Deadline, Snapshot};
use holdfast_wire::Degraded;

use crate::dependency::Dependency;
use crate::process::{Worked, Worker};
use crate::worker_client::WorkerClient;

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

    /// What the policy knows now.
    #[must_use]
    pub(crate) fn snapshot(&self) -> Snapshot {
        self.dependency.snapshot()
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

    fn absence(&self) -> Degraded {
        self.dependency.absence()
    }
}
