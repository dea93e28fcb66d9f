//! The breaker in an operator's hand.

use holdfast_policy::{BreakerState, ErrorKind};
use tokio::time::sleep;

use crate::support::{Dependency, Does, ask, ms, policy, watched};

#[tokio::test(start_paused = true)]
async fn forced_open_it_refuses_for_as_long_as_it_takes() {
    let policy = policy(|_| {});
    let dependency = Dependency::that(Does::Answer);
    policy.breaker().unwrap().force_open();
    sleep(ms(3_600_000)).await;
    let error = ask(&policy, &dependency).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.retry_after()),
        (&ErrorKind::CircuitOpen, None)
    );
    policy.breaker().unwrap().reset();
    assert!(ask(&policy, &dependency).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn disabled_it_lets_everything_pass_and_counts_nothing() {
    let policy = policy(|_| {});
    let dependency = Dependency::that(Does::Fail);
    policy.breaker().unwrap().disable();
    for _ in 0..100 {
        ask(&policy, &dependency).await.unwrap_err();
    }
    assert_eq!(
        (dependency.calls(), policy.breaker().unwrap().state()),
        (100, BreakerState::Disabled)
    );
    assert_eq!(policy.snapshot().failure_rate, None);
}

#[tokio::test(start_paused = true)]
async fn a_reset_closes_an_open_breaker_at_once_without_a_ramp() {
    let (policy, events) = watched(|config| config.breaker.ramp = ms(3_000));
    let dependency = Dependency::that(Does::Fail);
    for _ in 0..3 {
        ask(&policy, &dependency).await.unwrap_err();
    }
    policy.breaker().unwrap().reset();
    assert_eq!(events.states(), [BreakerState::Open, BreakerState::Closed]);
    assert_eq!(policy.snapshot().limit, Some(300));
    assert_eq!(policy.snapshot().failure_rate, None);
}
