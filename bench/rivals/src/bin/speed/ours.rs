//! Ours: the breaker alone, doing the rivals' job and doing the API's; the whole stack; and the paths that are not happy.

use std::cell::Cell;
use std::future::{pending, ready};
use std::hint::black_box;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Waker};
use std::time::Duration;

use futures_util::future::join_all;
use holdfast_policy::{
    AdaptiveConfig, BackoffConfig, BreakerConfig, BudgetConfig, BulkheadConfig, Call, Keyed,
    KeyedConfig, Policy, PolicyConfig, RetryConfig, Window,
};
use tokio::time::Instant;
use tower::{Layer, Service, service_fn};

use crate::CALLS;
use crate::measure::{Case, runtime};
use crate::rivals::{NoAnswer, answer};

/// Retried calls that wait side by side, so that the wait is shared and the work shows.
const RETRIED: u32 = 2_000;

pub(crate) fn cases() -> Vec<Case> {
    let (shared, rejecting, dropping, unkeyed) = (policy(), policy(), policy(), policy());
    let timed = timed();
    let keyed: Keyed<String> = Policy::builder("bench", config())
        .keyed(KeyedConfig::default())
        .expect("policies");
    rejecting.breaker().expect("a breaker").force_open();
    vec![
        through("breaker", answering(rivals_job())),
        through("breaker, 1 failure in 100", faltering(rivals_job())),
        through(
            "breaker_full",
            answering(full_job(Window::Time(Duration::from_secs(10)))),
        ),
        through("stack", policy().layer(service_fn(answer))),
        Case::on_two_threads("stack, 2 threads", CALLS, move || {
            let mut stack = shared.layer(service_fn(answer));
            move || stack.call(Call::new(1))
        }),
        through("stack, time window", timed.layer(service_fn(answer))),
        Case::on_two_threads("stack, time window, 2 threads", CALLS, move || {
            let mut stack = timed.layer(service_fn(answer));
            move || stack.call(Call::new(1))
        }),
        through(
            "stack, adaptive limit",
            adaptive().layer(service_fn(answer)),
        ),
        Case::sequential("stack, unkeyed", CALLS, move || {
            unkeyed.call(Call::new(1), answer)
        }),
        Case::sequential("stack, keyed", CALLS, move || {
            keyed.call("endpoint-7", Call::new(1), answer)
        }),
        Case::sequential("stack, rejected", CALLS, move || {
            rejecting.call(Call::new(1), answer)
        }),
        Case::dropped("stack, dropped", CALLS, move || {
            dropping.call(Call::new(1), |_| pending::<Result<u32, NoAnswer>>())
        }),
        retried(),
    ]
}

/// Heap allocations of one call through the stack, once warm.
pub(crate) fn stack_allocations() -> u64 {
    let mut stack = policy().layer(service_fn(answer));
    runtime().block_on(async {
        let mut call = async || black_box(stack.call(Call::new(1)).await.is_ok());
        call().await;
        let mut measured = pin!(call());
        let mut context = Context::from_waker(Waker::noop());
        let mut poll = || black_box(measured.as_mut().poll(&mut context).is_ready());
        allocation_counter::measure(|| assert!(poll(), "it answers at once")).count_total
    })
}

/// Each call fails once and is answered at the second attempt, after a wait of at most a millisecond. The breaker is
/// disabled: nothing but first failures at the start of a round would open it.
fn retried() -> Case {
    let policy = policy();
    policy.breaker().expect("a breaker").disable();
    let runtime = runtime();
    Case::new("stack, retried once", move || {
        let took = runtime.block_on(async {
            let start = Instant::now();
            let calls = (0..RETRIED).map(|_| async {
                let failed = Cell::new(false);
                let fails_once = |number| {
                    let again = failed.replace(true);
                    ready(if again { Ok(number) } else { Err(NoAnswer) })
                };
                policy.call(Call::new(1), fails_once).await
            });
            let answers = join_all(calls).await;
            assert!(answers.iter().all(Result::is_ok), "a call was not retried");
            start.elapsed()
        });
        (took, RETRIED)
    })
}

/// A breaker around a service that answers at once.
fn answering(config: BreakerConfig) -> impl Service<Call<u32>> + Clone {
    alone(config).layer(service_fn(answer))
}

/// The same around one that fails once in a hundred calls, so that its window is never full of successes.
fn faltering(config: BreakerConfig) -> impl Service<Call<u32>> + Clone {
    let calls = Rc::new(Cell::new(0_u32));
    let falters = move |number| {
        calls.set(calls.get().wrapping_add(1));
        let fails = calls.get().is_multiple_of(100);
        ready(if fails { Err(NoAnswer) } else { Ok(number) })
    };
    alone(config).layer(service_fn(falters))
}

/// A breaker, with the deadline and the attempt timeout that it relies on.
pub(crate) fn alone(breaker: BreakerConfig) -> Policy {
    let config = PolicyConfig {
        retry: None,
        breaker: Some(breaker),
        bulkhead: None,
        ..config()
    };
    let policy = Policy::builder("bench", config).seed(1).build();
    policy.expect("a policy")
}

fn through<S>(name: &'static str, service: S) -> Case
where
    S: Service<Call<u32>> + 'static,
{
    Case::through(name, CALLS, service, || Call::new(1))
}

/// What the rivals do: over the last 100 calls, by failure rate.
fn rivals_job() -> BreakerConfig {
    BreakerConfig {
        slow_call: None,
        slow_call_rate: None,
        ..full_job(Window::Calls(100))
    }
}

/// What the API's breakers do: failure rate, slow-call rate and failures in a row.
pub(crate) fn full_job(window: Window) -> BreakerConfig {
    BreakerConfig {
        window,
        minimum_calls: 10,
        failure_rate: 0.5,
        slow_call: Some(Duration::from_millis(200)),
        slow_call_rate: Some(0.8),
        consecutive_failures: 1_000_000,
        open_for: Duration::from_secs(5),
        max_open_for: Duration::from_secs(30),
        half_open_calls: 2,
        ramp: Duration::ZERO,
    }
}

/// All of it over a span of time, which is the default.
fn timed() -> Policy {
    let mut config = config();
    if let Some(breaker) = &mut config.breaker {
        breaker.window = Window::Time(Duration::from_secs(10));
    }
    Policy::builder("bench", config)
        .seed(1)
        .build()
        .expect("a policy")
}

/// The same as [`policy`] with a limit that follows latency.
fn adaptive() -> Policy {
    let mut config = config();
    if let Some(bulkhead) = &mut config.bulkhead {
        bulkhead.adaptive = Some(AdaptiveConfig::default());
    }
    Policy::builder("bench", config)
        .seed(1)
        .build()
        .expect("a policy")
}

fn policy() -> Policy {
    Policy::builder("bench", config())
        .seed(1)
        .build()
        .expect("a policy")
}

/// Deadline, retry with budget, breaker, bulkhead, attempt timeout.
fn config() -> PolicyConfig {
    PolicyConfig {
        attempt_timeout: Some(Duration::from_millis(250)),
        deadline: Duration::from_secs(1),
        idempotent: true,
        retry: Some(RetryConfig {
            max_attempts: 3,
            backoff: BackoffConfig {
                initial: Duration::from_millis(1),
                max: Duration::from_millis(1),
                multiplier: 1.0,
            },
            budget: BudgetConfig {
                ratio: 1.0,
                floor_per_second: 10.0,
            },
            ..RetryConfig::default()
        }),
        hedge: None,
        breaker: Some(BreakerConfig {
            failure_rate: 1.0,
            ..full_job(Window::Calls(100))
        }),
        bulkhead: Some(BulkheadConfig {
            max_concurrent: 10_000,
            ..BulkheadConfig::default()
        }),
    }
}
