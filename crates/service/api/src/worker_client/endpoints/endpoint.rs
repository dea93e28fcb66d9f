//! One endpoint of the worker: its connections, its breaker, its load.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use holdfast_policy::{
    BreakerState, Call, ConfigError, ErrorKind, Event, Health, Policy, PolicyConfig,
};
use holdfast_wire::JsonText;
use reqwest::Url;
use tokio::time::Instant;

use super::bit;
use super::choice::{Candidate, Service};
use super::load::{CallOutcome, Load};
use crate::current::Current;
use crate::dependency::{Answer, ByError, DependencyError as _};
use crate::worker_client::{WorkCall, WorkClient, WorkerClient, WorkerError};

/// An endpoint that is not called any more takes nothing with it: calls under way hold it.
pub(super) struct Endpoint {
    /// `http://10.1.2.3:8081`, as `/status` and the log show it.
    pub(super) address: String,
    /// Its index among those that a call has tried.
    pub(super) slot: u32,
    /// Which of the listed workers it belongs to.
    of: Url,
    client: WorkerClient,
    policy: Current<Policy<ByError>>,
    load: Mutex<Load>,
}

/// What became of a call that an endpoint was chosen for.
pub(super) enum Tried {
    /// It was called.
    Called(Result<JsonText, WorkerError>),
    /// Its breaker or its ramp refuses: the caller that chose it saw an older state.
    Refused,
}

impl Endpoint {
    /// # Errors
    /// When the policy is incoherent, which that of the worker as a whole rules out.
    pub(super) fn new(
        address: String,
        of: Url,
        slot: u32,
        client: WorkerClient,
        of_worker: &PolicyConfig,
    ) -> Result<Self, ConfigError> {
        let policy = Policy::builder(format!("worker/{address}"), policy(of_worker))
            .classify(ByError)
            .observe(log_transition)
            .build()?;
        Ok(Self {
            address,
            slot,
            of,
            client,
            policy: Current::new(policy),
            load: Mutex::default(),
        })
    }

    /// Goes by the worker's policy as it is now.
    ///
    /// # Errors
    /// When it is incoherent; then nothing has changed.
    pub(super) fn reconfigure(&self, of_worker: &PolicyConfig) -> Result<(), ConfigError> {
        let changed = self.policy.get().reconfigured(policy(of_worker))?;
        self.policy.set(changed);
        Ok(())
    }

    /// As a call sees it that has tried the endpoints `tried`, a bit for each.
    pub(super) fn candidate(&self, tried: u64, now: Instant) -> Candidate {
        let cost = self.load().cost(now);
        Candidate {
            cost,
            service: self.service(now),
            tried: tried & self.bit() != 0,
        }
    }

    /// Whether it may be called.
    pub(super) fn service(&self, now: Instant) -> Service {
        self.state(now).0
    }

    /// Whether it is called, and the breaker it goes by: of one moment.
    pub(super) fn state(&self, now: Instant) -> (Service, BreakerState) {
        let snapshot = self.policy.get().snapshot();
        let service = match (snapshot.breaker, snapshot.retry_after) {
            (BreakerState::Closed | BreakerState::Disabled, _) if self.load().is_suspect(now) => {
                Service::Suspect
            }
            (BreakerState::Closed | BreakerState::Disabled, _) => Service::In,
            (BreakerState::Open, left) if left.unwrap_or_default().is_zero() => Service::Due,
            // Half open, its one probe is under way.
            (_, left) => Service::Ejected(left.unwrap_or_default()),
        };
        (service, snapshot.breaker)
    }

    pub(super) fn bit(&self) -> u64 {
        bit(self.slot)
    }

    /// Whether it is one of the worker that is listed as `url`.
    pub(super) fn is_of(&self, url: &Url) -> bool {
        self.of == *url
    }

    /// Seconds that an answer takes; `None` before the first.
    pub(super) fn latency(&self) -> Option<f64> {
        self.load().latency()
    }

    /// Calls it behind its breaker.
    pub(super) async fn call(&self, call: WorkCall<'_>) -> Tried {
        let attempt = |()| {
            call.has_tried(self.bit());
            async move { self.call_past(call).await.map(Answer::direct) }
        };
        match self.policy.get().call_once(Call::new(()), attempt).await {
            Ok(answer) => Tried::Called(Ok(answer.value)),
            Err(error) => match error.into_kind() {
                ErrorKind::Failed(error) => Tried::Called(Err(error)),
                ErrorKind::AttemptTimeout => Tried::Called(Err(WorkerError::Timeout)),
                _ => Tried::Refused,
            },
        }
    }

    /// Calls it past its breaker.
    pub(super) async fn call_past(&self, call: WorkCall<'_>) -> Result<JsonText, WorkerError> {
        let under_way = UnderWay::begin(&self.load);
        let result = self.client.work(call).await;
        call.ended_at(self.slot);
        under_way.end(outcome(&result));
        result
    }

    fn load(&self) -> MutexGuard<'_, Load> {
        self.load.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An endpoint that refuses a request has answered: one bad request must not make an endpoint suspect.
fn outcome(result: &Result<JsonText, WorkerError>) -> CallOutcome {
    match result {
        Err(error) if error.class().health == Health::Failure => CallOutcome::Failed,
        _ => CallOutcome::Answered,
    }
}

/// The breaker of the worker's policy, and its attempt timeout a little shorter: what times out here is held against this
/// endpoint, and what times out there against the worker. One probe at a time, and open times that do not grow: an endpoint
/// that is back is used again within seconds, and a probe that fails costs one call an attempt.
fn policy(of_worker: &PolicyConfig) -> PolicyConfig {
    let breaker = of_worker.breaker.clone().map(|mut breaker| {
        breaker.half_open_calls = 1;
        breaker.max_open_for = breaker.open_for;
        breaker
    });
    let slow = breaker.as_ref().and_then(|breaker| breaker.slow_call);
    let shorter = |limit: Duration| (limit * 19 / 20).max(slow.unwrap_or_default()).min(limit);
    PolicyConfig {
        attempt_timeout: of_worker.attempt_timeout.map(shorter),
        deadline: of_worker.deadline,
        idempotent: of_worker.idempotent,
        retry: None,
        hedge: None,
        breaker,
        bulkhead: None,
    }
}

fn log_transition(event: &Event) {
    if let Event::Transition { policy, to, .. } = event {
        match to {
            BreakerState::Open => tracing::warn!(endpoint = policy, "ejected: it fails"),
            BreakerState::Closed => tracing::info!(endpoint = policy, "in service again"),
            _ => {}
        }
    }
}

/// A call under way; dropped without an end, its caller left.
struct UnderWay<'a> {
    load: &'a Mutex<Load>,
    number: u64,
    end: CallOutcome,
}

impl<'a> UnderWay<'a> {
    fn begin(load: &'a Mutex<Load>) -> Self {
        let number = load
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .begin(Instant::now());
        Self {
            load,
            number,
            end: CallOutcome::Abandoned,
        }
    }

    fn end(mut self, end: CallOutcome) {
        self.end = end;
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let mut load = self.load.lock().unwrap_or_else(PoisonError::into_inner);
        load.end(self.number, self.end, Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_that_is_refused_for_itself_makes_no_endpoint_suspect_and_a_failure_does() {
        let status = |status| {
            Err(WorkerError::Status {
                status,
                retry_after: None,
            })
        };
        assert_eq!(outcome(&status(422)), CallOutcome::Answered);
        assert_eq!(outcome(&status(503)), CallOutcome::Failed);
        assert_eq!(outcome(&Err(WorkerError::Timeout)), CallOutcome::Failed);
    }
}
