//! A policy: everything that stands between callers and one dependency.

use std::fmt;
use std::time::Duration;

use tokio::time::Instant;
use tower_layer::Layer;

use crate::attempt::{Attempt, Function, Numbered, Once};
use crate::breaker::Circuit;
use crate::call::Call;
use crate::capacity::{Reserved, Slots};
use crate::class::{Classify, ErrorsAreFailures};
use crate::config::PolicyConfig;
use crate::event::RejectedBy;
use crate::handle::Handle;
use crate::hedge::Delay;
use crate::parts::Parts;
use crate::priority::Priority;
use crate::snapshot::{BreakerState, Snapshot};
use crate::stack::{OnceLayer, Stack, StackFuture};

/// The policy of one dependency. Build it once and share it: clones share the breaker, the retry
/// budget and the bulkhead. A policy built anew per request protects nothing.
///
/// Give each thread a clone, or a service layered by it: they share what a policy must share, and
/// not the counters of who holds it, which would go to and fro between the threads at each call.
///
/// Needs a tokio runtime with time enabled, and follows its clock, paused or not.
pub struct Policy<C = ErrorsAreFailures> {
    pub(crate) parts: Handle<Parts<C>>,
}

/// The future of [`Policy::call`].
pub type CallFuture<R, F, C> = StackFuture<Function<F, R>, C>;

/// The future of [`Policy::call_attempts`].
pub type AttemptsFuture<R, F, C> = StackFuture<Numbered<F, R>, C>;

/// The future of [`Policy::call_once`].
pub type OnceFuture<R, F, C> = StackFuture<Once<F, R>, C>;

impl<C> Policy<C> {
    pub(crate) fn new(parts: Parts<C>) -> Self {
        Self {
            parts: Handle::new(parts),
        }
    }

    /// By the same counter of handles, so that nothing is allocated.
    pub(crate) fn handle(&self) -> Self {
        Self {
            parts: self.parts.clone(),
        }
    }

    /// Calls `operation` under this policy: once per attempt, each time with a clone of the
    /// request. The time for the call runs from here, not from the first poll, so poll it at once:
    /// what is left lying is not refused when its time is over, its first attempt has that much less, and
    /// to the [breaker](crate::breaker) the delay is the dependency's slowness. Dropping the future cancels the call.
    ///
    /// # Errors
    /// The failure of the last attempt, or the policy that refused to make one.
    pub fn call<R, F, Fut, T, E>(&self, call: Call<R>, operation: F) -> CallFuture<R, F, C>
    where
        F: Fn(R) -> Fut,
        Fut: Future<Output = Result<T, E>>,
        R: Clone,
        C: Classify<T, E>,
    {
        StackFuture::start(&self.parts, call, Instant::now(), |request| {
            Function::new(operation, request)
        })
    }

    /// The same for an operation that wants to know which attempt it makes: to send each to another target,
    /// or to tell the dependency how often it has been asked.
    ///
    /// # Errors
    /// Those of [`call`](Self::call).
    pub fn call_attempts<R, F, Fut, T, E>(
        &self,
        call: Call<R>,
        operation: F,
    ) -> AttemptsFuture<R, F, C>
    where
        F: Fn(Attempt<R>) -> Fut,
        Fut: Future<Output = Result<T, E>>,
        R: Clone,
        C: Classify<T, E>,
    {
        StackFuture::start(&self.parts, call, Instant::now(), |request| {
            Numbered::new(operation, request)
        })
    }

    /// Calls `operation` once, without retries and hedges whatever the configuration says: so neither
    /// the request nor the operation need be `Clone`. All other policies hold.
    ///
    /// # Errors
    /// The failure of the attempt, or the policy that refused to make it.
    pub fn call_once<R, F, Fut, T, E>(&self, call: Call<R>, operation: F) -> OnceFuture<R, F, C>
    where
        F: FnOnce(R) -> Fut,
        Fut: Future<Output = Result<T, E>>,
        C: Classify<T, E>,
    {
        StackFuture::start(&self.parts, call, Instant::now(), |request| {
            Once::new(operation, request)
        })
    }

    /// A layer whose services send each request once, as [`call_once`](Self::call_once) does: for requests that are not
    /// `Clone`, such as those with a body that streams.
    pub fn layer_once(&self) -> OnceLayer<C> {
        OnceLayer::new(self.parts.fork())
    }

    /// Takes a slot in the bulkhead for a call to come, or waits for one as an attempt would; `None` if
    /// the bulkhead is left out.
    ///
    /// # Errors
    /// Which part of the policy refused: too much is under way, and all that is as urgent comes first.
    pub async fn reserve(&self, priority: Priority) -> Result<Option<Reserved>, RejectedBy> {
        match &self.parts.slots {
            Some(slots) => slots.reserve(priority).await.map(Some),
            None => Ok(None),
        }
    }

    /// Whether it must not be forgotten yet: somebody has a handle to it or a slot of it, its breaker has been moved by hand,
    /// or is open and has time left.
    pub(crate) fn is_needed(&self, now: Instant) -> bool {
        let Parts { circuit, slots, .. } = &*self.parts;
        let held = |slots: &Slots| slots.usage().0 > 0;
        let set =
            |circuit: &Circuit| circuit.refuses(now) || circuit.state() == BreakerState::Disabled;
        self.parts.is_shared()
            || slots.as_ref().is_some_and(held)
            || circuit.as_ref().is_some_and(set)
    }

    /// The name of the dependency.
    pub fn name(&self) -> &str {
        self.parts.reporter.policy()
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

    /// The breaker, for an operator's hand; `None` if it is left out.
    pub fn breaker(&self) -> Option<&Circuit> {
        self.parts.circuit.as_ref()
    }

    /// What is going on right now.
    pub fn snapshot(&self) -> Snapshot {
        let now = Instant::now();
        let Parts {
            config,
            circuit,
            slots,
            retry,
            hedge,
            ..
        } = &*self.parts;
        let view = circuit
            .as_ref()
            .map(|circuit| circuit.view(now, self.parts.limit()));
        let breaker = config.breaker.as_ref();
        let (in_flight, waiting) = slots.as_ref().map_or((0, 0), Slots::usage);
        let ramp_limit = view.map(|view| view.ramp_limit);
        let limit = slots.as_ref().map(Slots::limit);
        Snapshot {
            breaker: view.map_or(BreakerState::Disabled, |view| view.state),
            opened_because: view.and_then(|view| view.opened_because),
            failure_rate: view.and_then(|view| view.failure_rate),
            failure_rate_threshold: breaker.map(|breaker| breaker.failure_rate),
            slow_call_rate: view.and_then(|view| view.slow_call_rate),
            slow_call_rate_threshold: breaker.and_then(|breaker| breaker.slow_call_rate),
            retry_after: view.and_then(|view| view.retry_after),
            in_flight,
            waiting,
            limit: limit.map(|limit| limit.min(ramp_limit.unwrap_or(limit))),
            least_latency: slots.as_ref().and_then(Slots::least_latency),
            hedge_after: hedge.as_ref().and_then(Delay::now),
            retry_budget: retry.budget.tokens_at(now),
        }
    }
}

impl<C> fmt::Debug for Policy<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy")
            .field("parts", &self.parts)
            .finish()
    }
}

impl<C> Clone for Policy<C> {
    fn clone(&self) -> Self {
        Self {
            parts: self.parts.fork(),
        }
    }
}

impl<S, C> Layer<S> for Policy<C> {
    type Service = Stack<S, C>;

    /// By a handle that counts its own clones: for another thread.
    fn layer(&self, service: S) -> Self::Service {
        Stack::new(self.parts.fork(), service)
    }
}
