//! After an outage: the escalating open time and the ramp.

use futures_util::future::join_all;
use holdfast_policy::{AdaptiveConfig, BreakerState, ErrorKind, Policy, RejectedBy};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::support::{
    Dependency, Does, Judge, Settings, ask, ms, open_until_probe, policy, wait_for_probe, watched,
};

fn one_probe(config: &mut Settings) {
    config.breaker.half_open_calls = 1;
    config.breaker.consecutive_failures = 1;
}

fn with_ramp(config: &mut Settings) {
    config.breaker.ramp = ms(3_000);
}

/// Opens the breaker and lets good probes close it.
async fn recover(policy: &Policy<Judge>, dependency: &Dependency) {
    open_until_probe(policy, dependency).await;
    dependency.now(Does::Answer);
    for _ in 0..policy.config().breaker.as_ref().unwrap().half_open_calls {
        ask(policy, dependency).await.unwrap();
    }
    assert_eq!(policy.breaker().unwrap().state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn the_open_time_doubles_up_to_its_cap_while_probes_fail() {
    let policy = policy(one_probe);
    let dependency = Dependency::that(Does::Fail);
    let mut waits = Vec::new();
    for _ in 0..5 {
        ask(&policy, &dependency).await.unwrap_err();
        waits.push(policy.snapshot().retry_after.unwrap());
        wait_for_probe(&policy).await;
    }
    for (wait, (low, high)) in waits.into_iter().zip([
        (5_000, 6_000),
        (10_000, 12_000),
        (20_000, 24_000),
        (25_000, 30_000),
        (25_000, 30_000),
    ]) {
        assert!(
            (ms(low)..=ms(high)).contains(&wait),
            "{wait:?} not in {low}..={high} ms"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_open_time_starts_over_after_health() {
    let policy = policy(one_probe);
    let dependency = Dependency::that(Does::Fail);
    ask(&policy, &dependency).await.unwrap_err();
    wait_for_probe(&policy).await;
    ask(&policy, &dependency).await.unwrap_err();
    assert!(policy.snapshot().retry_after >= Some(ms(10_000)));
    wait_for_probe(&policy).await;
    dependency.now(Does::Answer);
    ask(&policy, &dependency).await.unwrap();
    sleep(ms(13_000)).await;
    dependency.now(Does::Fail);
    ask(&policy, &dependency).await.unwrap_err();
    assert!(policy.snapshot().retry_after <= Some(ms(6_000)));
}

#[tokio::test(start_paused = true)]
async fn after_closing_concurrency_grows_step_by_step_instead_of_a_stampede() {
    let (policy, events) = watched(with_ramp);
    let dependency = Dependency::that(Does::Answer);
    recover(&policy, &dependency).await;
    dependency.now(Does::AnswerAfter(ms(400)));
    sleep(ms(100)).await;
    let answers = join_all((0..200).map(|_| ask(&policy, &dependency))).await;
    assert_eq!(
        dependency.peak(),
        10,
        "a thirtieth of the ramp, a thirtieth of the limit"
    );
    let refused: Vec<_> = answers.into_iter().filter_map(Result::err).collect();
    assert_eq!(refused.len(), 190);
    for error in refused {
        assert_eq!(error.kind(), &ErrorKind::BulkheadFull);
        assert_eq!(error.retry_after(), Some(ms(2_900)));
    }
    assert_eq!(events.rejections(), [RejectedBy::Ramp; 190]);
}

#[tokio::test(start_paused = true)]
async fn the_ramp_never_refuses_a_lone_caller() {
    let policy = policy(with_ramp);
    let dependency = Dependency::that(Does::Answer);
    recover(&policy, &dependency).await;
    let began = Instant::now();
    dependency.now(Does::AnswerAfter(ms(1)));
    while began.elapsed() < ms(3_500) {
        ask(&policy, &dependency).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn the_ramp_ends_and_the_full_limit_holds() {
    let policy = policy(with_ramp);
    let dependency = Dependency::that(Does::Answer);
    recover(&policy, &dependency).await;
    assert_eq!(policy.snapshot().limit, Some(1));
    sleep(ms(1_500)).await;
    assert_eq!(policy.snapshot().limit, Some(150));
    sleep(ms(1_500)).await;
    assert_eq!(policy.snapshot().limit, Some(300));
    let answers = join_all((0..300).map(|_| ask(&policy, &dependency))).await;
    assert!(answers.iter().all(Result::is_ok));
}

#[tokio::test(start_paused = true)]
async fn the_ramp_grows_towards_the_limit_in_force_and_not_towards_the_highest() {
    let policy = policy(|config| {
        with_ramp(config);
        config.bulkhead.max_concurrent = 1_000;
        config.bulkhead.adaptive = Some(AdaptiveConfig::default());
    });
    let dependency = Dependency::that(Does::Answer);
    recover(&policy, &dependency).await;
    let full = AdaptiveConfig::default().initial;
    sleep(ms(1_500)).await;
    assert_eq!(policy.snapshot().limit, Some(full / 2));
    let began = dependency.calls();
    dependency.now(Does::AnswerAfter(ms(1)));
    join_all((0..200).map(|_| ask(&policy, &dependency))).await;
    assert_eq!(dependency.calls() - began, full / 2);
    sleep(ms(1_500)).await;
    assert_eq!(policy.snapshot().limit, Some(full));
}

#[tokio::test(start_paused = true)]
async fn stragglers_of_the_outage_do_not_keep_a_lone_caller_out_of_the_ramp() {
    let policy = policy(|config| {
        with_ramp(config);
        config.breaker.open_for = ms(50);
        config.breaker.max_open_for = ms(50);
    });
    let dependency = Dependency::that(Does::Answer);
    let hung = Dependency::that(Does::Hang);
    let mut stragglers = Vec::new();
    for _ in 0..20 {
        stragglers.push(crate::support::start(&policy, &hung).await);
    }
    recover(&policy, &dependency).await;
    assert_eq!(policy.snapshot().in_flight, 20);
    ask(&policy, &dependency).await.unwrap();
    stragglers.iter().for_each(JoinHandle::abort);
}
