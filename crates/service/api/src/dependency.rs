//! One entry per dependency: its policy, its last error, and the translation of a failed call into a degradation.
//!
//! Built once per process and shared by all threads: a breaker per thread would be as good as none.

mod classify;
mod words;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use holdfast_policy::breaker::Circuit;
use holdfast_policy::bulkhead::Reserved;
use holdfast_policy::{
    BreakerState, Builder, Call, ConfigError, Deadline, Error, ErrorKind, Observer, Policy,
    PolicyConfig, Priority, Snapshot,
};
use holdfast_wire::{Degraded, DegradedCode, Reason};

use tokio::time::{Instant, timeout};

pub use self::classify::DependencyError;
pub(crate) use self::classify::{Answer, ByError};
use self::words::in_words;
use crate::causes::chain;
use crate::current::Current;
use crate::seconds::milliseconds;
use crate::trace::{self, Target};

/// When to come back if no policy knows better.
const DEFAULT_RETRY_AFTER: Duration = Duration::from_secs(1);

/// A dependency behind its policy.
pub struct Dependency {
    name: &'static str,
    code: DegradedCode,
    policy: Current<Policy<ByError>>,
    last_error: Mutex<Option<Reason>>,
}

impl Dependency {
    /// The dependency `name`, whose absence answers call `code`; each of `observers` is told what its policy does.
    ///
    /// # Errors
    /// When the policy is incoherent.
    pub(crate) fn new(
        name: &'static str,
        code: DegradedCode,
        config: PolicyConfig,
        seed: u64,
        observers: Vec<Arc<dyn Observer>>,
    ) -> Result<Self, ConfigError> {
        let builder = Policy::builder(name, config).classify(ByError).seed(seed);
        let policy = observers
            .into_iter()
            .fold(builder, Builder::observe)
            .build()?;
        Ok(Self {
            name,
            code,
            policy: Current::new(policy),
            last_error: Mutex::default(),
        })
    }

    /// `worker` or `database`, as in metrics and in the policy file.
    #[must_use]
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// As it is now.
    #[must_use]
    pub(crate) fn policy(&self) -> Arc<Policy<ByError>> {
        self.policy.get()
    }

    /// Goes by `config` for calls to come; the breaker, what it has counted and who is under way stay.
    ///
    /// # Errors
    /// When it is incoherent; then nothing has changed.
    pub(crate) fn reconfigure(&self, config: PolicyConfig) -> Result<(), ConfigError> {
        let policy = self.policy().reconfigured(config)?;
        self.policy.set(policy);
        Ok(())
    }

    /// What the policy knows now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.policy().snapshot()
    }

    /// The cause of the last call that failed at the dependency.
    #[must_use]
    pub(crate) fn last_error(&self) -> Option<Reason> {
        *self
            .last_error
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// A permit for a call to come, so that what comes before the call is not wasted.
    ///
    /// # Errors
    /// The dependency has as much to do as it can.
    pub(crate) async fn reserve(&self, priority: Priority) -> Result<Option<Reserved>, Degraded> {
        let shed = |_| Degraded {
            code: DegradedCode::Overloaded,
            ..self.missing(Reason::Shed, 0, Duration::ZERO, DEFAULT_RETRY_AFTER)
        };
        self.policy().reserve(priority).await.map_err(shed)
    }

    /// Calls through the policy, by its own deadline and by the caller's, if it has one.
    ///
    /// # Errors
    /// What the answer has to do without, and why.
    pub(crate) async fn call<T, E, F, Fut>(
        &self,
        deadline: Option<Deadline>,
        operation: F,
    ) -> Result<T, Degraded>
    where
        E: DependencyError,
        F: Fn() -> Fut + Clone,
        Fut: Future<Output = Result<T, E>>,
    {
        let call = deadline.map_or(Call::new(()), |deadline| Call::new(()).by(deadline));
        let direct = move || {
            let attempt = operation();
            async { attempt.await.map(Answer::direct) }
        };
        self.make(call, direct).await
    }

    /// Makes this call through the policy.
    ///
    /// # Errors
    /// What the answer has to do without, and why.
    pub(crate) async fn make<T, E, F, Fut>(
        &self,
        call: Call<()>,
        operation: F,
    ) -> Result<T, Degraded>
    where
        E: DependencyError,
        F: Fn() -> Fut + Clone,
        Fut: Future<Output = Result<Answer<T>, E>>,
    {
        let target = match self.code {
            DegradedCode::DbUnavailable => Target::Postgres,
            _ => Target::Http,
        };
        let attempt = move |()| trace::attempt(target, operation());
        trace::call(self.name, async {
            let result = self.policy().call(call, attempt).await;
            let result = result.map(|answer| answer.value);
            result.map_err(|error| self.degraded(&error))
        })
        .await
    }

    /// Calls past the policy, for `limit` at most: nothing is counted, nothing retried, no probe used up. Only where the
    /// breaker is open it is not called either.
    ///
    /// # Errors
    /// What the answer has to do without, and why.
    pub(crate) async fn call_bypassing_policy<T, E: DependencyError>(
        &self,
        limit: Duration,
        operation: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Degraded> {
        if !self.may_call() {
            return Err(self.unavailability());
        }
        let started = Instant::now();
        let reason = match timeout(limit, operation).await {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(error)) => error.reason(),
            Err(_) => Reason::AttemptTimeout,
        };
        Err(self.missing(reason, 1, started.elapsed(), DEFAULT_RETRY_AFTER))
    }

    /// Whether a call makes sense now: not while the breaker is open and its time not over.
    #[must_use]
    pub(crate) fn may_call(&self) -> bool {
        // The whole snapshot only where it matters: each call asks this several times.
        match self.policy().breaker().map(Circuit::state) {
            Some(BreakerState::Open) => self
                .snapshot()
                .retry_after
                .is_none_or(|wait| wait.is_zero()),
            Some(BreakerState::ForcedOpen) => false,
            _ => true,
        }
    }

    /// What an answer has to do without if it does not call: the breaker's word, or the last known cause.
    #[must_use]
    pub(crate) fn unavailability(&self) -> Degraded {
        let snapshot = self.snapshot();
        let reason = match snapshot.breaker {
            BreakerState::Open | BreakerState::ForcedOpen => Reason::CircuitOpen,
            _ => self.last_error().unwrap_or(Reason::DeadlineExceeded),
        };
        let retry_after = snapshot.retry_after.unwrap_or(DEFAULT_RETRY_AFTER);
        self.missing(reason, 0, Duration::ZERO, retry_after)
    }

    /// What an answer has to do without if its time was over while the dependency had the call in hand.
    #[must_use]
    pub(crate) fn out_of_time(&self, elapsed: Duration) -> Degraded {
        let known = self.unavailability();
        let reason = match known.reason {
            Reason::CircuitOpen => Reason::CircuitOpen,
            _ => Reason::AttemptTimeout,
        };
        let retry_after = self.snapshot().retry_after.unwrap_or(DEFAULT_RETRY_AFTER);
        self.missing(reason, 1, elapsed, retry_after)
    }

    fn degraded<E: DependencyError>(&self, error: &Error<E>) -> Degraded {
        let reason = reason_of(error.kind());
        // A rejection says nothing new: the failures that led to it were told when they happened.
        if error.attempts() > 0 {
            *self
                .last_error
                .lock()
                .unwrap_or_else(PoisonError::into_inner) = Some(reason);
            tracing::warn!(
                dependency = self.name,
                reason = reason.as_str(),
                attempts = error.attempts(),
                elapsed_seconds = milliseconds(error.elapsed()),
                cause = chain(error),
                "call failed"
            );
        } else {
            tracing::debug!(
                dependency = self.name,
                reason = reason.as_str(),
                "call refused"
            );
        }
        let retry_after = error.retry_after().unwrap_or(DEFAULT_RETRY_AFTER);
        self.missing(reason, error.attempts(), error.elapsed(), retry_after)
    }

    fn missing(
        &self,
        reason: Reason,
        attempts: u32,
        elapsed: Duration,
        retry_after: Duration,
    ) -> Degraded {
        Degraded {
            code: self.code,
            reason,
            detail: format!("the {} {}", self.name, in_words(reason)),
            attempts,
            elapsed_seconds: milliseconds(elapsed),
            retry_after_seconds: milliseconds(retry_after),
        }
    }
}

fn reason_of<E: DependencyError>(kind: &ErrorKind<E>) -> Reason {
    match kind {
        ErrorKind::Failed(error) => error.reason(),
        ErrorKind::AttemptTimeout => Reason::AttemptTimeout,
        ErrorKind::DeadlineExceeded => Reason::DeadlineExceeded,
        ErrorKind::CircuitOpen => Reason::CircuitOpen,
        ErrorKind::BulkheadFull => Reason::BulkheadFull,
    }
}
