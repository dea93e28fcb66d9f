//! Each policy used without the others.

use holdfast_policy::attempt::AttemptLayer;
use holdfast_policy::breaker::{BreakerLayer, Circuit, CircuitSettings};
use holdfast_policy::bulkhead::{BulkheadLayer, Slots};
use holdfast_policy::deadline::DeadlineLayer;
use holdfast_policy::retry::{Budget, RetryLayer, RetrySettings};
use holdfast_policy::timeout::TimeoutLayer;
use holdfast_policy::{BreakerState, Call, Error, ErrorKind, ErrorsAreFailures, Reporter};
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::support::{config, ms};

fn reporter() -> Reporter {
    Reporter::new("alone", Vec::new())
}

#[tokio::test(start_paused = true)]
async fn the_deadline_ends_what_nothing_else_ends() {
    let hang = AttemptLayer.layer(service_fn(|_: ()| std::future::pending()));
    let cut = TimeoutLayer::at_deadline().layer(hang);
    let stack = DeadlineLayer::new(ms(100), ms(50), reporter()).layer(cut);
    let answer: Result<(), Error<()>> = stack.oneshot(Call::new(())).await;
    let error = answer.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::DeadlineExceeded);
    assert_eq!((error.attempts(), error.elapsed()), (1, ms(100)));
    assert_eq!(error.policy(), "alone");
}

#[tokio::test(start_paused = true)]
async fn an_attempt_due_at_the_deadline_itself_was_too_slow() {
    let hang = AttemptLayer.layer(service_fn(|_: ()| std::future::pending()));
    let cut = TimeoutLayer::new(ms(100)).layer(hang);
    let stack = DeadlineLayer::new(ms(100), ms(50), reporter()).layer(cut);
    let answer: Result<(), Error<()>> = stack.oneshot(Call::new(())).await;
    assert_eq!(answer.unwrap_err().kind(), &ErrorKind::AttemptTimeout);
}

#[tokio::test(start_paused = true)]
async fn the_attempt_timeout_needs_no_deadline() {
    let hang = AttemptLayer.layer(service_fn(|_: ()| std::future::pending()));
    let stack = TimeoutLayer::new(ms(70)).layer(hang);
    let answer: Result<(), Error<()>> = stack.oneshot(Call::new(())).await;
    let error = answer.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::AttemptTimeout);
    assert_eq!((error.attempts(), error.elapsed()), (1, ms(70)));
}

#[tokio::test(start_paused = true)]
async fn retry_needs_neither_breaker_nor_deadline() {
    let config = config();
    let budget = Budget::new(&config.retry.budget);
    let mut retry = config.retry;
    retry.max_attempts = 3;
    let attempt_timeout = ms(1_000);
    let settings = RetrySettings {
        idempotent: true,
        attempt_timeout,
        seed: 1,
        circuit: None,
    };
    let broken = AttemptLayer.layer(service_fn(|_: ()| async { Err::<(), _>("no") }));
    let layer = RetryLayer::new(&retry, settings, budget, ErrorsAreFailures, reporter());
    let error = layer
        .layer(broken)
        .oneshot(Call::new(()))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.attempts()),
        (&ErrorKind::Failed("no"), 3)
    );
}

#[tokio::test(start_paused = true)]
async fn the_breaker_needs_no_bulkhead() {
    let settings = CircuitSettings {
        lease: ms(2_000),
        concurrency: 10,
        seed: 1,
    };
    let circuit = Circuit::new(&config().breaker, settings, reporter());
    let broken = AttemptLayer.layer(service_fn(|_: ()| async { Err::<(), _>("no") }));
    let stack = BreakerLayer::new(circuit.clone(), ErrorsAreFailures).layer(broken);
    for _ in 0..3 {
        let error = stack.clone().oneshot(Call::new(())).await.unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Failed("no"));
    }
    assert_eq!(circuit.state(), BreakerState::Open);
    let error = stack.oneshot(Call::new(())).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::CircuitOpen);
}

#[tokio::test(start_paused = true)]
async fn the_bulkhead_needs_no_deadline() {
    let mut config = config().bulkhead;
    config.max_concurrent = 1;
    let slots = Slots::new(&config, reporter());
    let echo = AttemptLayer.layer(service_fn(|n: u32| async move { Ok::<_, ()>(n) }));
    let mut stack = BulkheadLayer::new(slots.clone(), ms(1_000), ErrorsAreFailures).layer(echo);
    let first = stack.call(Call::new(1));
    let error = stack.call(Call::new(2)).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::BulkheadFull);
    assert_eq!(first.await.unwrap(), 1);
    assert_eq!(slots.usage(), (0, 0));
}
