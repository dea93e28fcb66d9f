//! Another configuration for a policy at work.

use std::time::Duration;

use holdfast_policy::{BreakerState, ErrorKind, HedgeConfig, HedgeDelay, Policy, Window};
use tokio::time::{Instant, sleep};

use crate::support::{
    Dependency, Does, Judge, Settings, ask, config, ms, policy, start, watched, without_breaker,
};

#[tokio::test(start_paused = true)]
async fn an_open_breaker_stays_open_and_is_open_no_longer_than_may_be_from_now_on() {
    let (before, events) = watched(|_| {});
    let dependency = Dependency::that(Does::Fail);
    for _ in 0..3 {
        ask(&before, &dependency).await.unwrap_err();
    }
    let mut changed = config();
    changed.breaker.open_for = ms(200);
    changed.breaker.max_open_for = ms(1_000);
    let after = before.reconfigured(changed.into()).unwrap();
    assert_eq!(after.snapshot().breaker, BreakerState::Open);
    assert!(after.snapshot().retry_after <= Some(ms(1_000)));
    let error = ask(&after, &dependency).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::CircuitOpen);

    dependency.now(Does::Answer);
    sleep(ms(1_000)).await;
    ask(&after, &dependency).await.unwrap();
    ask(&after, &dependency).await.unwrap();
    assert_eq!(
        events.states(),
        [
            BreakerState::Open,
            BreakerState::HalfOpen,
            BreakerState::Closed
        ]
    );
    assert_eq!(
        before.snapshot().breaker,
        BreakerState::Closed,
        "there is one breaker"
    );
}

#[tokio::test(start_paused = true)]
async fn what_was_counted_counts_on_unless_the_window_is_another() {
    let before = policy(|_| {});
    let dependency = Dependency::that(Does::Fail);
    for _ in 0..2 {
        ask(&before, &dependency).await.unwrap_err();
    }
    let after = before.reconfigured(config().into()).unwrap();
    assert_eq!(after.snapshot().failure_rate, Some(1.0));
    let mut changed = config();
    changed.breaker.window = Window::Calls(10);
    let anew = after.reconfigured(changed.into()).unwrap();
    assert_eq!(anew.snapshot().failure_rate, None);
    ask(&anew, &dependency).await.unwrap_err();
    assert_eq!(
        anew.snapshot().breaker,
        BreakerState::Open,
        "the third failure in a row"
    );
}

#[tokio::test(start_paused = true)]
async fn half_open_it_probes_anew_and_what_an_earlier_probe_finds_says_nothing() {
    let before = policy(|_| {});
    let dependency = Dependency::that(Does::Fail);
    for _ in 0..3 {
        ask(&before, &dependency).await.unwrap_err();
    }
    sleep(ms(6_000)).await;
    dependency.now(Does::Hang);
    let probe = start(&before, &dependency).await;
    assert_eq!(before.snapshot().breaker, BreakerState::HalfOpen);
    let mut changed = config();
    changed.breaker.half_open_calls = 1;
    let after = before.reconfigured(changed.into()).unwrap();
    dependency.now(Does::Answer);
    ask(&after, &dependency).await.unwrap();
    assert_eq!(after.snapshot().breaker, BreakerState::Closed);
    probe.await.unwrap().unwrap_err();
    assert_eq!(after.snapshot().breaker, BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn who_holds_a_place_keeps_it_and_counts_against_the_new_limit() {
    let before = policy(|config| config.bulkhead.max_concurrent = 2);
    let dependency = Dependency::that(Does::Hang);
    let held = [
        start(&before, &dependency).await,
        start(&before, &dependency).await,
    ];
    let mut changed = config();
    changed.bulkhead.max_concurrent = 1;
    let fewer = before.reconfigured(changed.clone().into()).unwrap();
    assert_eq!(
        (fewer.snapshot().in_flight, fewer.snapshot().limit),
        (2, Some(1))
    );
    let error = ask(&fewer, &dependency).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::BulkheadFull);
    changed.bulkhead.max_concurrent = 3;
    let more = fewer.reconfigured(changed.into()).unwrap();
    dependency.now(Does::Answer);
    ask(&more, &dependency).await.unwrap();
    for call in held {
        call.await.unwrap().unwrap_err();
    }
    assert_eq!(more.snapshot().in_flight, 0);
}

#[tokio::test(start_paused = true)]
async fn a_call_under_way_ends_as_it_began_and_the_next_goes_by_the_new_limits() {
    let before = policy(|_| {});
    let dependency = Dependency::that(Does::Hang);
    let began = Instant::now();
    let under_way = start(&before, &dependency).await;
    let mut changed = config();
    changed.attempt_timeout = ms(100);
    changed.breaker.slow_call = Some(ms(50));
    let after = before.reconfigured(changed.into()).unwrap();
    ask(&after, &dependency).await.unwrap_err();
    assert_eq!(began.elapsed(), ms(100));
    under_way.await.unwrap().unwrap_err();
    assert_eq!(began.elapsed(), ms(1_000));
}

#[tokio::test(start_paused = true)]
async fn an_incoherent_configuration_changes_nothing() {
    let before = policy(|_| {});
    let mut changed = config();
    changed.bulkhead.max_concurrent = 1;
    changed.breaker.failure_rate = 2.0;
    let error = before.reconfigured(changed.into()).unwrap_err();
    assert!(
        error.to_string().starts_with("worker.breaker.failure_rate"),
        "{error}"
    );
    assert_eq!(before.snapshot().limit, Some(300));
}

#[tokio::test(start_paused = true)]
async fn what_is_known_of_how_long_attempts_take_stays_known() {
    let hedged = |config: &mut Settings, percent| {
        config.hedge = Some(HedgeConfig {
            after: HedgeDelay::Percentile(percent),
            ..HedgeConfig::default()
        });
    };
    let before = policy(|config| hedged(config, 95));
    let dependency = Dependency::that(Does::AnswerAfter(ms(20)));
    for _ in 0..20 {
        ask(&before, &dependency).await.unwrap();
    }
    let known = before.snapshot().hedge_after;
    assert!(known >= Some(ms(20)));
    let mut changed = config();
    hedged(&mut changed, 95);
    let after = before.reconfigured(changed.clone().into()).unwrap();
    assert_eq!(after.snapshot().hedge_after, known);
    changed.hedge = Some(HedgeConfig {
        minimum_calls: 500,
        ..HedgeConfig::default()
    });
    let more = after.reconfigured(changed.into()).unwrap();
    assert_eq!(more.snapshot().hedge_after, None, "that wants to know more");
}

/// What a call that is tried twice waits in between.
async fn wait(policy: &Policy<Judge>) -> Duration {
    let refused = Dependency::that(Does::Answer).first([Does::Fail]);
    let began = Instant::now();
    ask(policy, &refused).await.unwrap();
    began.elapsed()
}

#[tokio::test(start_paused = true)]
async fn the_jitter_goes_on_instead_of_beginning_anew() {
    let tried_twice = |config: &mut Settings| {
        without_breaker(config);
        config.retry.max_attempts = 2;
        config.retry.backoff.initial = ms(1_000);
    };
    let undisturbed = policy(tried_twice);
    let drawn = [wait(&undisturbed).await, wait(&undisturbed).await];
    assert_ne!(drawn[0], drawn[1]);
    let before = policy(tried_twice);
    let first = wait(&before).await;
    let after = before.reconfigured(before.config().clone()).unwrap();
    assert_eq!([first, wait(&after).await], drawn);
}
