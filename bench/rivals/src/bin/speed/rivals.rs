//! The rivals, each through its own documented interface: first a tower service with nothing around it.

use std::future::{Ready, ready};
use std::time::Duration;

use failsafe::futures::CircuitBreaker as _;
use recloser::{AsyncRecloser, Recloser};
use seatbelt::breaker::Breaker;
use seatbelt::retry::Retry;
use seatbelt::timeout::Timeout;
use seatbelt::{RecoveryInfo, ResilienceContext};
use tower::{Layer, Service, ServiceBuilder, service_fn};
use tower_resilience::bulkhead::BulkheadLayer;
use tower_resilience::circuitbreaker::{CircuitBreakerError, CircuitBreakerLayer};
use tower_resilience::retry::{RetryBudgetBuilder, RetryLayer};
use tower_resilience::timelimiter::TimeLimiterLayer;

use crate::CALLS;
use crate::measure::{Case, runtime};

/// No answer is an error here; the rivals want the type to be one all the same.
#[derive(Clone, Debug, thiserror::Error)]
#[error("no answer")]
pub(crate) struct NoAnswer;

pub(crate) fn answer(number: u32) -> Ready<Result<u32, NoAnswer>> {
    ready(Ok(number))
}

pub(crate) fn cases() -> Vec<Case> {
    // As each one's own documentation advises: cloned handles over shared state, a future wrapped per call.
    let recloser = AsyncRecloser::from(Recloser::custom().closed_len(100).build());
    let failsafe = failsafe::Config::new().build();
    let both = recloser.clone();
    vec![
        through_tower("bare tower service", service_fn(answer)),
        Case::sequential("recloser", CALLS, move || recloser.call(answer(1))),
        Case::on_two_threads("recloser, 2 threads", CALLS, move || {
            let recloser = both.clone();
            move || recloser.call(answer(1))
        }),
        Case::sequential("failsafe", CALLS, move || failsafe.call(answer(1))),
        through_tower("tower-resilience breaker", breaker(service_fn(answer))),
        through_tower("tower-resilience stack", stack()),
        seatbelt(),
        seatbelt_on_two_threads(),
    ]
}

fn through_tower<S: Service<u32> + 'static>(name: &'static str, service: S) -> Case {
    Case::through(name, CALLS, service, || 1)
}

/// Over the last 100 calls, by failure rate: its default kind of window.
fn breaker<S>(service: S) -> impl Service<u32, Error = CircuitBreakerError<S::Error>> + Clone
where
    S: Service<u32, Response = u32> + Clone + Send + 'static,
    S::Error: Send + 'static,
    S::Future: Send,
{
    CircuitBreakerLayer::builder()
        .failure_rate_threshold(0.5)
        .sliding_window_size(100)
        .minimum_number_of_calls(10)
        .build()
        .expect("a breaker")
        .layer(service)
}

fn seatbelt() -> Case {
    let runtime = runtime();
    let service = runtime.block_on(async { seatbelt_stack() });
    through_tower("seatbelt stack", service)
}

fn seatbelt_on_two_threads() -> Case {
    let runtime = runtime();
    let shared = runtime.block_on(async { seatbelt_stack() });
    Case::on_two_threads("seatbelt stack, 2 threads", CALLS, move || {
        let mut service = shared.clone();
        move || service.call(1)
    })
}

/// The order that its crate docs recommend, retry > breaker > timeout: no budget, no bulkhead, no deadline, no slow calls.
fn seatbelt_stack() -> impl Service<u32> + Clone + Send + Sync + 'static {
    let context = ResilienceContext::new(tick::Clock::new_tokio());
    let judge = |outcome: &Result<u32, NoAnswer>| match outcome {
        Ok(_) => RecoveryInfo::never(),
        Err(_) => RecoveryInfo::retry(),
    };
    let retry = Retry::layer("retry", &context)
        .clone_input()
        .recovery_with(move |outcome, _| judge(outcome));
    let breaker = Breaker::layer("breaker", &context)
        .recovery_with(move |outcome, _| judge(outcome))
        .rejected_input_error(|_, _| NoAnswer);
    let timeout = Timeout::layer("timeout", &context)
        .timeout_error(|_| NoAnswer)
        .timeout(Duration::from_millis(250));
    ServiceBuilder::new()
        .layer(retry)
        .layer(breaker)
        .layer(timeout)
        .service(service_fn(answer))
}

/// The order that its composition guide recommends: total timeout, retry, breaker, bulkhead, timeout per call.
fn stack() -> impl Service<u32> {
    let budget = RetryBudgetBuilder::new()
        .token_bucket()
        .build()
        .expect("a budget");
    let retry = RetryLayer::<u32, u32, _>::builder()
        .max_attempts(3)
        .exponential_backoff(Duration::from_millis(100))
        .budget(budget)
        .retry_on(|error: &CircuitBreakerError<_>| !error.is_circuit_open())
        .build();
    let breaker = CircuitBreakerLayer::builder()
        .failure_rate_threshold(0.5)
        .slow_call_rate_threshold(0.8)
        .slow_call_duration_threshold(Duration::from_millis(200))
        .sliding_window_size(100)
        .minimum_number_of_calls(10)
        .build()
        .expect("a breaker");
    let bulkhead = BulkheadLayer::builder()
        .max_concurrent_calls(64)
        .reject_when_full()
        .build()
        .expect("a bulkhead");
    ServiceBuilder::new()
        .layer(within(Duration::from_secs(1)))
        .layer(retry)
        .layer(breaker)
        .layer(bulkhead)
        .layer(within(Duration::from_millis(250)))
        .service(service_fn(answer))
}

fn within(time: Duration) -> TimeLimiterLayer {
    TimeLimiterLayer::builder().timeout_duration(time).build()
}
