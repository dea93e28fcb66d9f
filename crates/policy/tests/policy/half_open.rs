//! Probes: how many, for how long, and what their results mean.

use futures_util::future::join_all;
use holdfast_policy::{BreakerState, Call, ErrorKind, Window};
use tokio::time::sleep;

use crate::support::{Dependency, Does, ask, ms, open_until_probe, policy, start, watched};

#[tokio::test(start_paused = true)]
async fn of_256_callers_at_half_open_only_the_probes_reach_the_dependency() {
    let policy = policy(|_| {});
    let dependency = Dependency::that(Does::Fail);
    open_until_probe(&policy, &dependency).await;
    let before = dependency.calls();
    dependency.now(Does::Hang);
    join_all((0..256).map(|_| ask(&policy, &dependency))).await;
    assert_eq!(dependency.calls() - before, 2);
    assert_eq!(policy.breaker().unwrap().state(), BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn good_probes_close_it() {
    let (policy, events) = watched(|_| {});
    let dependency = Dependency::that(Does::Fail);
    open_until_probe(&policy, &dependency).await;
    dependency.now(Does::Answer);
    ask(&policy, &dependency).await.unwrap();
    assert_eq!(policy.breaker().unwrap().state(), BreakerState::HalfOpen);
    ask(&policy, &dependency).await.unwrap();
    let states = [
        BreakerState::Open,
        BreakerState::HalfOpen,
        BreakerState::Closed,
    ];
    assert_eq!(events.states(), states);
}

#[tokio::test(start_paused = true)]
async fn a_slow_probe_does_not_close_it() {
    let policy = policy(|config| config.breaker.half_open_calls = 1);
    let dependency = Dependency::that(Does::Fail);
    open_until_probe(&policy, &dependency).await;
    dependency.now(Does::AnswerAfter(ms(600)));
    ask(&policy, &dependency).await.unwrap();
    assert_eq!(policy.breaker().unwrap().state(), BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn one_flaky_probe_of_five_does_not_reopen_it() {
    let policy = policy(|config| config.breaker.half_open_calls = 5);
    let dependency = Dependency::that(Does::Fail);
    open_until_probe(&policy, &dependency).await;
    dependency.now(Does::Answer);
    let dependency = dependency.first([Does::Answer, Does::Fail]);
    for _ in 0..4 {
        let _ = ask(&policy, &dependency).await;
    }
    assert_eq!(policy.breaker().unwrap().state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_stale_success_does_not_close_it_over_a_probe_that_then_fails() {
    let policy = policy(|config| {
        config.breaker.half_open_calls = 1;
        config.breaker.open_for = ms(100);
        config.breaker.max_open_for = ms(100);
    });
    let dependency = Dependency::that(Does::Fail).first([Does::AnswerAfter(ms(400)); 3]);
    let mut stale = Vec::new();
    for _ in 0..3 {
        stale.push(start(&policy, &dependency).await);
    }
    open_until_probe(&policy, &dependency).await;
    dependency.now(Does::FailAfter(ms(450)));
    let probe = start(&policy, &dependency).await;
    for stale in stale {
        stale.await.unwrap().unwrap();
    }
    assert_eq!(policy.breaker().unwrap().state(), BreakerState::HalfOpen);
    probe.await.unwrap().unwrap_err();
    assert_eq!(policy.breaker().unwrap().state(), BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn a_stale_failure_does_not_reopen_it_in_half_open() {
    let (policy, _) = watched(|config| {
        config.breaker.open_for = ms(100);
        config.breaker.max_open_for = ms(100);
    });
    let dependency = Dependency::that(Does::Fail).first([Does::FailAfter(ms(400)); 3]);
    let mut stale = Vec::new();
    for _ in 0..3 {
        stale.push(start(&policy, &dependency).await);
    }
    open_until_probe(&policy, &dependency).await;
    dependency.now(Does::AnswerAfter(ms(450)));
    let probe = start(&policy, &dependency).await;
    for stale in stale {
        stale.await.unwrap().unwrap_err();
    }
    assert_eq!(policy.breaker().unwrap().state(), BreakerState::HalfOpen);
    probe.await.unwrap().unwrap();
    ask(&policy, &dependency).await.unwrap();
    assert_eq!(policy.breaker().unwrap().state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_slow_trickle_of_probes_does_not_wedge_it() {
    let policy = policy(|config| config.breaker.window = Window::Time(ms(1_000)));
    let dependency = Dependency::that(Does::Fail);
    open_until_probe(&policy, &dependency).await;
    dependency.now(Does::Answer);
    // Far fewer calls than would ever fill a window of one second.
    for _ in 0..2 {
        ask(&policy, &dependency).await.unwrap();
        sleep(ms(3_000)).await;
    }
    assert_eq!(policy.breaker().unwrap().state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn dropped_neutral_and_panicking_probes_give_their_slots_back() {
    for does in [Does::Hang, Does::Object, Does::Panic] {
        let policy = policy(|config| config.breaker.half_open_calls = 4);
        let dependency = Dependency::that(Does::Fail);
        open_until_probe(&policy, &dependency).await;
        dependency.now(does);
        let probe = start(&policy, &dependency).await;
        probe.abort();
        let _ = probe.await;
        // A panic is a bad probe: three more decide. The others said nothing: all four do.
        let left = if matches!(does, Does::Panic) { 3 } else { 4 };
        dependency.now(Does::AnswerAfter(ms(100)));
        let mut probes = Vec::new();
        for _ in 0..left {
            probes.push(start(&policy, &dependency).await);
        }
        for probe in probes {
            probe.await.unwrap().unwrap();
        }
        assert_eq!(
            policy.breaker().unwrap().state(),
            BreakerState::Closed,
            "{does:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_probe_whose_place_is_refused_by_the_bulkhead_gives_its_slot_back() {
    let policy = policy(|config| {
        config.bulkhead.max_concurrent = 1;
        config.breaker.half_open_calls = 2;
    });
    let dependency = Dependency::that(Does::Fail);
    open_until_probe(&policy, &dependency).await;
    dependency.now(Does::AnswerAfter(ms(400)));
    let first = start(&policy, &dependency).await;
    let refused = ask(&policy, &dependency).await.unwrap_err();
    assert_eq!(refused.kind(), &ErrorKind::BulkheadFull);
    first.await.unwrap().unwrap();
    dependency.now(Does::Answer);
    ask(&policy, &dependency).await.unwrap();
    assert_eq!(policy.breaker().unwrap().state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_is_never_polled_again_loses_its_slot() {
    let policy = policy(|config| config.breaker.half_open_calls = 1);
    let dependency = Dependency::that(Does::Fail);
    open_until_probe(&policy, &dependency).await;
    dependency.now(Does::Answer);
    // Neither polled nor dropped: nothing but the lease can end it.
    let forgotten = policy.call(Call::new(()), |()| dependency.respond());
    let error = ask(&policy, &dependency).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.retry_after()),
        (&ErrorKind::CircuitOpen, Some(ms(2_000)))
    );
    sleep(ms(2_000)).await;
    ask(&policy, &dependency).await.unwrap();
    assert_eq!(policy.breaker().unwrap().state(), BreakerState::Closed);
    drop(forgotten);
}

#[tokio::test(start_paused = true)]
async fn a_dependency_that_only_objects_does_not_keep_it_half_open() {
    let policy = policy(|_| ());
    let dependency = Dependency::that(Does::Fail);
    open_until_probe(&policy, &dependency).await;
    dependency.now(Does::Object);
    for _ in 0..10 {
        assert_eq!(policy.breaker().unwrap().state(), policy.snapshot().breaker);
        ask(&policy, &dependency).await.unwrap_err();
    }
    assert_eq!(policy.breaker().unwrap().state(), BreakerState::Closed);
    dependency.now(Does::Fail);
    for _ in 0..3 {
        ask(&policy, &dependency).await.unwrap_err();
    }
    assert_eq!(policy.breaker().unwrap().state(), BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn failures_from_before_the_outage_do_not_trip_it_again_after_recovery() {
    let policy = policy(|config| config.breaker.window = Window::Calls(100));
    let dependency = Dependency::that(Does::Fail);
    open_until_probe(&policy, &dependency).await;
    dependency.now(Does::Answer);
    for _ in 0..2 {
        ask(&policy, &dependency).await.unwrap();
    }
    dependency.now(Does::Fail);
    for _ in 0..2 {
        ask(&policy, &dependency).await.unwrap_err();
    }
    assert_eq!(policy.breaker().unwrap().state(), BreakerState::Closed);
}
