//! The policy as a tower layer around any service.

use std::task::{Context, Poll};

use holdfast_policy::{BreakerState, Call, ErrorKind, Policy};
use tokio_test::{assert_pending, assert_ready, assert_ready_ok, task};
use tower::{Layer, Service, ServiceBuilder, ServiceExt};
use tower_test::{assert_request_eq, mock};

use crate::support::{config, ms, settle};

type Echo = mock::Mock<u32, &'static str>;
type Handle = mock::Handle<u32, &'static str>;

fn echo() -> (Echo, Handle) {
    mock::pair()
}

fn policy(max_concurrent: u32) -> Policy {
    let mut config = config();
    config.bulkhead.max_concurrent = max_concurrent;
    config.retry.max_attempts = 2;
    Policy::builder("echo", config.into()).build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn it_passes_the_request_in_and_the_answer_out() {
    let (service, mut handle) = echo();
    let stack = ServiceBuilder::new().layer(policy(1)).service(service);
    let mut answer = task::spawn(stack.oneshot(Call::new(7)));
    assert_pending!(answer.poll());
    assert_request_eq!(handle, 7).send_response("seven");
    assert_eq!(assert_ready_ok!(answer.poll()), "seven");
}

#[tokio::test(start_paused = true)]
async fn each_attempt_gets_a_clone_of_the_request() {
    let (service, mut handle) = echo();
    let answer = tokio::spawn(policy(1).layer(service).oneshot(Call::new(7)));
    assert_request_eq!(handle, 7).send_error("down");
    assert_request_eq!(handle, 7).send_response("seven");
    assert_eq!(answer.await.unwrap().unwrap(), "seven");
}

#[tokio::test(start_paused = true)]
async fn a_readied_clone_that_is_never_called_takes_no_place() {
    let (service, mut handle) = echo();
    let policy = policy(1);
    let mut stacks: Vec<_> = (0..10).map(|_| policy.layer(service.clone())).collect();
    for stack in &mut stacks {
        let mut cx = Context::from_waker(std::task::Waker::noop());
        assert!(matches!(stack.poll_ready(&mut cx), Poll::Ready(Ok(()))));
    }
    assert_eq!(policy.snapshot().in_flight, 0);
    let mut answer = task::spawn(policy.layer(service).oneshot(Call::new(1)));
    assert_pending!(answer.poll());
    assert_request_eq!(handle, 1).send_response("one");
    assert_ready_ok!(answer.poll());
}

#[tokio::test(start_paused = true)]
async fn a_service_that_never_becomes_ready_is_cut_and_counted() {
    let (service, mut handle) = echo();
    handle.allow(0);
    let policy = policy(1);
    let error = policy
        .layer(service)
        .oneshot(Call::new(1))
        .await
        .unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::AttemptTimeout));
    assert_eq!(
        (error.attempts(), policy.snapshot().failure_rate),
        (2, Some(1.0))
    );
}

#[tokio::test(start_paused = true)]
async fn a_service_that_fails_to_become_ready_has_failed() {
    let (service, mut handle) = echo();
    handle.send_error("no connection");
    let call = Call::new(1).idempotent(false);
    let error = policy(1).layer(service).oneshot(call).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Failed(_)), "{error}");
}

#[tokio::test(start_paused = true)]
async fn one_service_serves_many_calls_at_once() {
    let (service, mut handle) = echo();
    let mut stack = policy(2).layer(service);
    let mut first = task::spawn(stack.call(Call::new(1)));
    let mut second = task::spawn(stack.call(Call::new(2)));
    let mut third = task::spawn(stack.call(Call::new(3)));
    assert_pending!(first.poll());
    assert_pending!(second.poll());
    let error = assert_ready!(third.poll()).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::BulkheadFull));
    assert_request_eq!(handle, 1).send_response("one");
    assert_request_eq!(handle, 2).send_response("two");
    assert_eq!(assert_ready_ok!(second.poll()), "two");
    assert_eq!(assert_ready_ok!(first.poll()), "one");
}

#[tokio::test(start_paused = true)]
async fn services_layered_per_connection_share_breaker_and_places() {
    let (service, mut handle) = echo();
    let policy = policy(1);
    let mut hung = task::spawn(policy.layer(service.clone()).oneshot(Call::new(1)));
    assert_pending!(hung.poll());
    let error = policy
        .layer(service.clone())
        .oneshot(Call::new(2))
        .await
        .unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::BulkheadFull));
    assert_request_eq!(handle, 1).send_error("down");
    drop(hung);
    for _ in 0..3 {
        let answer = tokio::spawn(
            policy
                .layer(service.clone())
                .oneshot(Call::new(3).idempotent(false)),
        );
        assert_request_eq!(handle, 3).send_error("down");
        answer.await.unwrap().unwrap_err();
        settle().await;
    }
    assert_eq!(policy.breaker().unwrap().state(), BreakerState::Open);
    tokio::time::advance(ms(1)).await;
    let error = policy
        .layer(service)
        .oneshot(Call::new(4))
        .await
        .unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::CircuitOpen));
}

/// One that can be sent only once.
#[derive(Debug, PartialEq)]
struct Body(&'static str);

#[tokio::test(start_paused = true)]
async fn a_request_that_is_not_clone_goes_through_a_layer_that_sends_it_once() {
    let (service, mut handle) = mock::pair::<Body, &'static str>();
    let policy = policy(1);
    let layered = ServiceBuilder::new().layer(policy.layer_once());
    let stack = layered.service(service);
    let answer = tokio::spawn(stack.clone().oneshot(Call::new(Body("one"))));
    assert_request_eq!(handle, Body("one")).send_response("well");
    assert_eq!(answer.await.unwrap().unwrap(), "well");
    let call = Call::new(Body("two")).idempotent(true);
    let failed = tokio::spawn(stack.clone().oneshot(call));
    assert_request_eq!(handle, Body("two")).send_error("down");
    let error = failed.await.unwrap().unwrap_err();
    assert_eq!(error.attempts(), 1, "it is never sent twice");
    assert_eq!(policy.snapshot().failure_rate, Some(0.5));
    policy.breaker().unwrap().force_open();
    let error = stack.oneshot(Call::new(Body("three"))).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::CircuitOpen));
}
