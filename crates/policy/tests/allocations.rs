//! No call pays for the policies with an allocation. A binary of its own, because the counter
//! replaces the global allocator.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use holdfast_policy::{
    BackoffConfig, BreakerConfig, BudgetConfig, BulkheadConfig, Call, ConfigError, Keyed,
    KeyedConfig, Policy, PolicyConfig, RetryConfig, Window,
};

fn policy() -> Result<Policy, ConfigError> {
    let seconds = Duration::from_secs;
    let config = PolicyConfig {
        attempt_timeout: Some(seconds(1)),
        deadline: seconds(2),
        idempotent: true,
        retry: Some(RetryConfig {
            max_attempts: 3,
            backoff: BackoffConfig {
                initial: seconds(1),
                max: seconds(1),
                multiplier: 2.0,
            },
            budget: BudgetConfig {
                ratio: 0.1,
                floor_per_second: 1.0,
            },
            ..RetryConfig::default()
        }),
        hedge: None,
        breaker: Some(BreakerConfig {
            window: Window::Time(seconds(10)),
            minimum_calls: 5,
            failure_rate: 0.5,
            slow_call: Some(seconds(1)),
            slow_call_rate: Some(0.8),
            consecutive_failures: 3,
            open_for: seconds(60),
            max_open_for: seconds(60),
            half_open_calls: 2,
            ramp: seconds(3),
        }),
        bulkhead: Some(BulkheadConfig {
            max_concurrent: 8,
            max_waiting: 0,
            max_wait: seconds(0),
            adaptive: None,
        }),
    };
    Policy::builder("worker", config).build()
}

/// Polls once, without a runtime: nothing here needs to wait.
fn answer<F: Future>(future: F) -> Option<F::Output> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => Some(answer),
        Poll::Pending => None,
    }
}

fn allocations(calls: impl Fn()) -> u64 {
    // Whatever is set up once is not a cost per call.
    calls();
    allocation_counter::measure(calls).count_total
}

#[test]
fn a_call_that_succeeds_allocates_nothing() {
    let policy = policy().unwrap();
    let call = || {
        let answer = answer(policy.call(Call::new(7), |n| async move { Ok::<u32, ()>(n) }));
        assert!(matches!(answer, Some(Ok(7))));
    };
    assert_eq!(allocations(|| (0..1_000).for_each(|_| call())), 0);
}

#[test]
fn a_call_of_a_known_key_allocates_nothing() {
    let config = policy().unwrap().config().clone();
    let keyed: Keyed<String> = Policy::builder("keyed", config)
        .keyed(KeyedConfig::default())
        .unwrap();
    let call = || {
        let call = keyed.call("key", Call::new(7), |n| async move { Ok::<u32, ()>(n) });
        assert!(matches!(answer(call), Some(Ok(7))));
    };
    assert_eq!(allocations(|| (0..1_000).for_each(|_| call())), 0);
}

#[test]
fn a_call_that_fails_allocates_nothing() {
    let policy = policy().unwrap();
    policy.breaker().unwrap().disable();
    let call = || {
        let call = Call::new(7).idempotent(false);
        let answer = answer(policy.call(call, |n| async move { Err::<(), u32>(n) }));
        assert!(matches!(answer, Some(Err(_))));
    };
    assert_eq!(allocations(|| (0..1_000).for_each(|_| call())), 0);
}

#[test]
fn a_call_that_is_refused_allocates_nothing() {
    let policy = policy().unwrap();
    policy.breaker().unwrap().force_open();
    let call = || {
        let answer = answer(policy.call(Call::new(7), |n| async move { Ok::<u32, ()>(n) }));
        assert!(matches!(answer, Some(Err(_))));
    };
    assert_eq!(allocations(|| (0..1_000).for_each(|_| call())), 0);
}

#[test]
fn the_future_of_a_call_stays_small_for_it_is_moved_into_its_task() {
    let policy = policy().unwrap();
    let call = policy.call(Call::new(7), |n| async move { Ok::<u32, ()>(n) });
    let bytes = size_of_val(&call);
    assert!(bytes <= 256, "{bytes} bytes");
}

#[test]
fn an_allocation_would_have_been_counted() {
    assert_eq!(allocations(|| drop(std::hint::black_box(Box::new(7)))), 1);
}
