//! The one place that composes the layers, outermost first.

use tower_layer::Layer;
use tower_service::Service;

use crate::attempt::Once;
use crate::attempt::{Attempt, AttemptLayer, AttemptService, NumberedService};
use crate::breaker::{BreakerLayer, BreakerService};
use crate::bulkhead::{BulkheadLayer, BulkheadService};
use crate::call::Call;
use crate::class::Classify;
use crate::deadline::{DeadlineFuture, DeadlineLayer, DeadlineService};
use crate::hedge::{HedgeLayer, HedgeService};
use crate::retry::{RetryFuture, RetryLayer, RetryService};
use crate::timeout::{TimeoutLayer, TimeoutService};

/// A service behind all policies, for calls of `R`: a
/// `Service<Call<R>, Response = T, Error = Error<E>>` for any `S: Service<R, Response = T, Error =
/// E> + Clone`.
pub type Stack<S, C> = DeadlineService<RetryService<Hedged<AttemptService<S>, C>, C>>;

/// The future of a [`Stack`].
pub(crate) type StackFuture<S, R, C> = <Stack<S, C> as Service<Call<R>>>::Future;

/// The future of a call whose operation is told which attempt it makes.
pub(crate) type AttemptsStackFuture<S, R, C> =
    DeadlineFuture<RetryFuture<Hedged<NumberedService<S>, C>, R, C>>;

/// The future of a call that is made once.
pub(crate) type OnceStackFuture<R, F, C> =
    DeadlineFuture<<Guarded<AttemptService<Once>, C> as Service<Call<(F, R)>>>::Future>;

/// What retry repeats.
type Hedged<A, C> = HedgeService<Guarded<A, C>, C>;

/// What is hedged.
type Guarded<A, C> = BreakerService<BulkheadService<TimeoutService<A>, C>, C>;

#[derive(Clone, Debug)]
pub(crate) struct Layers<C> {
    pub(crate) deadline: DeadlineLayer,
    pub(crate) retry: RetryLayer<C>,
    pub(crate) hedge: HedgeLayer<C>,
    pub(crate) breaker: BreakerLayer<C>,
    pub(crate) bulkhead: BulkheadLayer<C>,
    pub(crate) timeout: TimeoutLayer,
    pub(crate) attempt: AttemptLayer,
}

impl<C: Clone> Layers<C> {
    /// The same policies, by handles that count their own clones: for another thread.
    pub(crate) fn fork(&self) -> Self {
        Self {
            deadline: self.deadline.fork(),
            retry: self.retry.fork(),
            hedge: self.hedge.fork(),
            breaker: self.breaker.fork(),
            bulkhead: self.bulkhead.fork(),
            timeout: self.timeout,
            attempt: self.attempt,
        }
    }

    /// What `self.layer(service).call(call)` does, without a service that is cloned to be called
    /// once.
    pub(crate) fn call<S, R>(&self, service: S, call: Call<R>) -> StackFuture<S, R, C>
    where
        S: Service<R> + Clone,
        C: Classify<S::Response, S::Error>,
        R: Clone,
    {
        let retry = |call| {
            let attempt = self.attempt.layer(service);
            self.retry.start(self.hedged(attempt), call)
        };
        self.deadline.start(call, retry)
    }

    /// The same for a service that is told which attempt it makes.
    pub(crate) fn call_attempts<S, R>(
        &self,
        service: S,
        call: Call<R>,
    ) -> AttemptsStackFuture<S, R, C>
    where
        S: Service<Attempt<R>> + Clone,
        C: Classify<S::Response, S::Error>,
        R: Clone,
    {
        let retry = |call| {
            let attempt = NumberedService::new(service);
            self.retry.start(self.hedged(attempt), call)
        };
        self.deadline.start(call, retry)
    }

    /// The same without retry: the request goes on as it came.
    pub(crate) fn call_once<R, F, Fut, T, E>(
        &self,
        call: Call<R>,
        operation: F,
    ) -> OnceStackFuture<R, F, C>
    where
        F: FnOnce(R) -> Fut,
        Fut: Future<Output = Result<T, E>>,
        C: Classify<T, E>,
    {
        let call = call.map(|request| (operation, request));
        let once = |call| self.guard(self.attempt.layer(Once)).call(call);
        self.deadline.start(call, once)
    }

    fn hedged<A>(&self, attempt: A) -> Hedged<A, C> {
        // Outside the breaker: the second attempt must ask again, and be counted on its own. Inside retry:
        // what is tried again is the race, once neither of the two has brought an answer.
        self.hedge.layer(self.guard(attempt))
    }

    /// `attempt` is innermost, so that readying a service is part of the attempt and cut with it.
    fn guard<A>(&self, attempt: A) -> Guarded<A, C> {
        // Inside the bulkhead: the wait for a slot is not the dependency's slowness.
        let timeout = self.timeout.layer(attempt);
        // Inside the breaker: what the breaker refuses takes no slot, and every slot is taken by
        // an attempt that the attempt timeout will end.
        let bulkhead = self.bulkhead.layer(timeout);
        // Inside retry and hedge: it must see every attempt, not only the last of a call.
        self.breaker.layer(bulkhead)
    }
}

impl<S, C: Clone> Layer<S> for Layers<C> {
    type Service = Stack<S, C>;

    fn layer(&self, service: S) -> Self::Service {
        // Inside the deadline: attempts and waits together must not pass it. Outside the breaker:
        // a retry is a new attempt and must ask again.
        let attempt = self.attempt.layer(service);
        let retry = self.retry.layer(self.hedged(attempt));
        // Outermost: it is the bound that the caller relies on.
        self.deadline.layer(retry)
    }
}
