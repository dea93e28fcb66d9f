//! The worker behind its policy.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use holdfast_policy::bulkhead::Reserved;
use holdfast_policy::{BreakerState, Call, Deadline, Priority};
use holdfast_wire::Degraded;
use tokio::time::Instant;
use uuid::Uuid;

use super::{TriedEndpoints, WorkCall, WorkClient};
use crate::clock::WallClock;
use crate::dependency::{Answer, Dependency};
use crate::last_success::LastSuccess;
use crate::process::{WorkResult, Worker};

/// What of the time between the least latency and a slow call is normal is the fourth part: a tenth takes work that varies by
/// itself for a crowd, and more lets the crowd come near to what opens the breaker.
const NORMAL_SHARE: u32 = 4;

/// What came of a call that nobody waits for, and the endpoint where its last attempt ended.
pub(crate) struct Worked {
    pub(crate) result: Result<WorkResult, Degraded>,
    pub(crate) endpoint: u32,
}

/// The worker behind its policy.
#[derive(Clone)]
pub(crate) struct ResilientWorker<W> {
    dependency: Arc<Dependency>,
    client: W,
    clock: WallClock,
    last_success: LastSuccess,
}

impl<W> ResilientWorker<W> {
    /// `client`, called through `dependency`; the results are dated by `clock`.
    #[must_use]
    pub(crate) fn new(dependency: Arc<Dependency>, client: W, clock: WallClock) -> Self {
        Self {
            dependency,
            client,
            clock,
            last_success: LastSuccess::default(),
        }
    }

    /// When `endpoint` last did a request well, live calls and recovery together.
    #[must_use]
    pub(crate) fn last_success(&self, endpoint: u32) -> Option<Instant> {
        self.last_success.at(endpoint)
    }

    /// Up to what time of a call none waits for another inside the worker, if that is known: a quarter of the way from the least
    /// latency to what counts as slow. Who has time to wait stays below it, for the rest is what live calls have left.
    #[must_use]
    pub(crate) fn normal_latency(&self) -> Option<Duration> {
        let policy = self.dependency.policy();
        let least = policy.snapshot().least_latency?;
        let config = policy.config();
        let slow = config.breaker.as_ref().and_then(|it| it.slow_call);
        let slow = slow.or(config.attempt_timeout)?;
        Some(least + slow.saturating_sub(least) / NORMAL_SHARE)
    }

    /// Whether all is well with the worker, as far as is known.
    #[must_use]
    pub(crate) fn is_well(&self) -> bool {
        self.dependency.snapshot().breaker == BreakerState::Closed
    }
}

impl<W: WorkClient> ResilientWorker<W> {
    /// Has the work of the request `id` done for nobody who waits; at the endpoint `avoided` only if there is no other.
    pub(crate) async fn work_unattended(&self, id: Uuid, avoided: Option<u32>) -> Worked {
        let tried = TriedEndpoints::avoiding(avoided);
        let result = self.call(id, None, &tried).await;
        Worked {
            result,
            endpoint: tried.last(),
        }
    }

    async fn call(
        &self,
        id: Uuid,
        waiting: Option<(Deadline, Option<Reserved>)>,
        tried: &TriedEndpoints,
    ) -> Result<WorkResult, Degraded> {
        let policys_own = Deadline::after(self.dependency.policy().config().deadline);
        let (deadline, call) = match waiting {
            Some((deadline, permit)) => (
                deadline.earlier(policys_own),
                Call::new(()).by(deadline).in_slot(permit),
            ),
            None => (policys_own, Call::new(()).priority(Priority::LEAST)),
        };
        let attempts = AtomicU32::new(0);
        let attempt = || {
            attempts.fetch_add(1, Ordering::Relaxed);
            let remaining = deadline.remaining(Instant::now());
            async move {
                let elsewhere = AtomicU64::new(0);
                let call = WorkCall::first(id, Some(remaining)).sharing(tried, &elsewhere);
                let value = self.client.work(call).await?;
                Ok::<_, W::Error>(Answer {
                    value,
                    elsewhere: Duration::from_nanos(elsewhere.into_inner()),
                })
            }
        };
        let response = self.dependency.make(call, attempt).await?;
        self.last_success.note(tried.last(), Instant::now());
        Ok(WorkResult {
            response,
            completed_at: self.clock.now(),
            attempts: attempts.load(Ordering::Relaxed),
        })
    }
}

impl<W: WorkClient> Worker for ResilientWorker<W> {
    type Permit = Option<Reserved>;

    async fn admit(&self, priority: Priority) -> Result<Self::Permit, Degraded> {
        self.dependency.reserve(priority).await
    }

    async fn work(
        &self,
        id: Uuid,
        waiting: Option<(Deadline, Self::Permit)>,
    ) -> Result<WorkResult, Degraded> {
        self.call(id, waiting, &TriedEndpoints::default()).await
    }

    fn may_call(&self) -> bool {
        self.dependency.may_call()
    }

    fn unavailability(&self) -> Degraded {
        self.dependency.unavailability()
    }
}
