//! A policy: everything that stands between callers and one dependency.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tower::util::{ServiceFn, service_fn};
use tower_layer::Layer;

use crate::breaker::Circuit;
use crate::builder::Builder;
use crate::bulkhead::Slots;
use crate::call::Call;
use crate::class::{Classify, ErrorsAreFailures};
use crate::config::PolicyConfig;
use crate::retry::Budget;
use crate::snapshot::Snapshot;
use crate::stack::{Layers, Stack, StackFuture};

/// The policy of one dependency. Build it once and share it: clones share the breaker, the retry
/// budget and the bulkhead. A policy built anew per request protects nothing.
///
/// Give each thread a clone, or a service layered by it: they share what a policy must share, and
/// not the counters of who holds it, which would go to and fro between the threads at each call.
///
/// Needs a tokio runtime with time enabled, and follows its clock, paused or not.
#[derive(Debug)]
pub struct Policy<C = ErrorsAreFailures> {
    parts: Arc<Parts>,
    layers: Layers<C>,
}

/// The future of [`Policy::call`].
pub type CallFuture<R, F, C> = StackFuture<ServiceFn<F>, R, C>;

#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) name: &'static str,
    pub(crate) config: PolicyConfig,
    pub(crate) seed: u64,
    pub(crate) circuit: Circuit,
    pub(crate) slots: Slots,
    pub(crate) budget: Budget,
}

impl Policy {
    /// Starts a policy for the dependency called `name`, which errors and events carry.
    pub fn builder(name: &'static str, config: PolicyConfig) -> Builder {
        Builder::new(name, config)
    }
}

impl<C> Policy<C> {
    pub(crate) fn new(parts: Parts, layers: Layers<C>) -> Self {
        Self {
            parts: Arc::new(parts),
            layers,
        }
    }

    /// Calls `operation` under this policy: once per attempt, each time with a clone of the
    /// request. The time for the call runs from here, not from the first poll, so poll it at once:
    /// what is left lying is not refused when its time is over, and its first attempt has that much
    /// less. Dropping the future cancels the call.
    ///
    /// # Errors
    /// The failure of the last attempt, or the policy that refused to make one.
    pub fn call<R, F, Fut, T, E>(&self, call: Call<R>, operation: F) -> CallFuture<R, F, C>
    where
        F: Fn(R) -> Fut + Clone,
        Fut: Future<Output = Result<T, E>>,
        R: Clone,
        C: Classify<T, E>,
    {
        self.layers.call(service_fn(operation), call)
    }

    /// The name of the dependency.
    pub fn name(&self) -> &'static str {
        self.parts.name
    }

    /// What governs this policy.
    pub fn config(&self) -> &PolicyConfig {
        &self.parts.config
    }

    /// What its random choices derive from.
    pub fn seed(&self) -> u64 {
        self.parts.seed
    }

    /// The longest a call can take: the deadline, for attempts, waits in the bulkhead and waits
    /// between attempts all fit into it.
    pub fn worst_case(&self) -> Duration {
        self.parts.config.deadline
    }

    /// The breaker, for an operator's hand.
    pub fn breaker(&self) -> &Circuit {
        &self.parts.circuit
    }

    /// What is going on right now.
    pub fn snapshot(&self) -> Snapshot {
        let now = Instant::now();
        let breaker = self.parts.circuit.view(now);
        let (in_flight, waiting) = self.parts.slots.usage();
        Snapshot {
            breaker: breaker.state,
            opened_because: breaker.opened_because,
            failure_rate: breaker.failure_rate,
            failure_rate_threshold: self.config().breaker.failure_rate,
            slow_call_rate: breaker.slow_call_rate,
            slow_call_rate_threshold: self.config().breaker.slow_call_rate,
            retry_after: breaker.retry_after,
            in_flight,
            waiting,
            limit: self.parts.slots.limit().min(breaker.ramp_limit),
            retry_budget: self.parts.budget.tokens(now),
        }
    }
}

impl<C: Clone> Clone for Policy<C> {
    fn clone(&self) -> Self {
        Self {
            parts: Arc::clone(&self.parts),
            layers: self.layers.fork(),
        }
    }
}

impl<S, C: Clone> Layer<S> for Policy<C> {
    type Service = Stack<S, C>;

    fn layer(&self, service: S) -> Self::Service {
        self.layers.fork().layer(service)
    }
}
