//! Each policy used without the others.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use holdfast_policy::attempt::AttemptLayer;
use holdfast_policy::breaker::{BreakerLayer, Circuit, CircuitSettings};
use holdfast_policy::bulkhead::{BulkheadLayer, Slots};
use holdfast_policy::deadline::DeadlineLayer;
use holdfast_policy::retry::{Budget, RetryLayer, RetrySettings};
use holdfast_policy::timeout::TimeoutLayer;
use holdfast_policy::{
    Admission, BreakerState, Call, Error, ErrorKind, ErrorsAreFailures, Progress, Reporter,
};
use tokio::time::{Instant, advance};
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::support::{config, ms};

fn reporter() -> Reporter {
    Reporter::new("alone", Vec::new())
}

/// Is done when polled for the second time.
struct Second {
    polled: bool,
    started: Instant,
}

impl Future for Second {
    type Output = Result<&'static str, Error<()>>;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        if std::mem::replace(&mut self.polled, true) {
            Poll::Ready(Ok("done"))
        } else {
            Poll::Pending
        }
    }
}

impl Progress for Second {
    fn admission(&self) -> Option<Admission> {
        let at = Some(self.started);
        self.polled.then_some(Admission { at })
    }
}

#[tokio::test(start_paused = true)]
async fn a_result_due_at_the_deadline_itself_is_preferred_to_the_deadline() {
    let layer = DeadlineLayer::new(ms(100), ms(50), reporter());
    let second = service_fn(|_: Call<()>| Second {
        polled: false,
        started: Instant::now(),
    });
    let call = layer.layer(second).call(Call::new(()));
    advance(ms(100)).await;
    assert_eq!(call.await.unwrap(), "done");
}

#[tokio::test(start_paused = true)]
async fn the_deadline_ends_what_nothing_else_ends() {
    let hang = AttemptLayer::new("alone").layer(service_fn(|_: ()| std::future::pending()));
    let stack = DeadlineLayer::new(ms(100), ms(50), reporter()).layer(hang);
    let answer: Result<(), Error<()>> = stack.oneshot(Call::new(())).await;
    let error = answer.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::DeadlineExceeded);
    assert_eq!((error.attempts(), error.elapsed()), (1, ms(100)));
}

#[tokio::test(start_paused = true)]
async fn the_attempt_timeout_needs_no_deadline() {
    let hang = AttemptLayer::new("alone").layer(service_fn(|_: ()| std::future::pending()));
    let stack = TimeoutLayer::new("alone", ms(70)).layer(hang);
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
    let broken = AttemptLayer::new("alone").layer(service_fn(|_: ()| async { Err::<(), _>("no") }));
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
    let broken = AttemptLayer::new("alone").layer(service_fn(|_: ()| async { Err::<(), _>("no") }));
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
    let echo = AttemptLayer::new("alone").layer(service_fn(|n: u32| async move { Ok::<_, ()>(n) }));
    let mut stack = BulkheadLayer::new(slots.clone(), ms(1_000)).layer(echo);
    let first = stack.call(Call::new(1));
    let error = stack.call(Call::new(2)).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::BulkheadFull);
    assert_eq!(first.await.unwrap(), 1);
    assert_eq!(slots.usage(), (0, 0));
}
