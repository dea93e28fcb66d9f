//! The worker behind its policy.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use holdfast_policy::{BreakerState, Deadline};
use holdfast_wire::Degraded;
use tokio::time::Instant;

use crate::dependency::Dependency;
use crate::last_success::LastSuccess;
use crate::process::{Worked, Worker};
use crate::worker_client::WorkerClient;

/// The worker behind its policy.
#[derive(Clone)]
pub(crate) struct GuardedWorker {
    dependency: Arc<Dependency>,
    client: WorkerClient,
    last_success: LastSuccess,
}

impl GuardedWorker {
    /// `client`, called through `dependency`.
    #[must_use]
    pub(crate) fn new(dependency: Arc<Dependency>, client: WorkerClient) -> Self {
        Self {
            dependency,
            client,
            last_success: LastSuccess::default(),
        }
    }

    /// Whether a call makes sense now: not while the breaker refuses it anyway.
    #[must_use]
    pub(crate) fn may_call(&self) -> bool {
        self.dependency.may_call()
    }

    /// When it last did a request well, live calls and recovery together.
    #[must_use]
    pub(crate) fn last_success(&self) -> Option<Instant> {
        self.last_success.at()
    }

    /// Whether all is well with the worker, as far as is known.
    #[must_use]
    pub(crate) fn is_well(&self) -> bool {
        self.dependency.snapshot().breaker == BreakerState::Closed
    }
}

impl Worker for GuardedWorker {
    async fn work(&self, deadline: Option<Deadline>) -> Result<Worked, Degraded> {
        let attempts = AtomicU32::new(0);
        let attempt = || {
            attempts.fetch_add(1, Ordering::Relaxed);
            self.client.work()
        };
        let response = self.dependency.call(deadline, attempt).await?;
        self.last_success.note(Instant::now());
        Ok(Worked {
            response,
            attempts: attempts.load(Ordering::Relaxed),
        })
    }

    fn absence(&self) -> Degraded {
        self.dependency.absence()
    }
}
