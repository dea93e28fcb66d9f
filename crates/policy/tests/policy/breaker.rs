//! When a breaker opens, and what it counts.

use holdfast_policy::{BreakerState, Call, ErrorKind, Outcome, Window};
use tokio::time::{Instant, sleep};
use tower::{Layer, ServiceExt, service_fn};

use crate::support::{Dependency, Does, ask, ms, policy, start, watched};

#[tokio::test(start_paused = true)]
async fn an_open_breaker_refuses_at_once_and_says_when_to_come_back() {
    let policy = policy(|_| {});
    let dependency = Dependency::that(Does::Fail);
    for _ in 0..3 {
        ask(&policy, &dependency).await.unwrap_err();
    }
    sleep(ms(2_000)).await;
    let error = ask(&policy, &dependency).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::CircuitOpen);
    assert_eq!(
        (error.attempts(), error.elapsed(), dependency.calls()),
        (0, ms(0), 3)
    );
    let wait = error.retry_after().unwrap();
    assert!((ms(3_000)..=ms(4_000)).contains(&wait), "{wait:?}");
}

#[tokio::test(start_paused = true)]
async fn it_opens_on_the_failure_rate_once_the_window_holds_enough_calls() {
    let policy = policy(|config| config.breaker.consecutive_failures = 100);
    let dependency = Dependency::that(Does::Fail);
    for _ in 0..4 {
        ask(&policy, &dependency).await.unwrap_err();
        assert_eq!(policy.breaker().unwrap().state(), BreakerState::Closed);
    }
    ask(&policy, &dependency).await.unwrap_err();
    assert_eq!(policy.breaker().unwrap().state(), BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn slow_successes_open_it() {
    let (policy, events) = watched(|_| {});
    let dependency = Dependency::that(Does::AnswerAfter(ms(500)));
    for _ in 0..5 {
        assert!(ask(&policy, &dependency).await.is_ok());
    }
    assert_eq!(policy.breaker().unwrap().state(), BreakerState::Open);
    assert_eq!(events.attempts(), [Outcome::Slow; 5]);
}

#[tokio::test(start_paused = true)]
async fn a_time_window_forgets_what_is_older_than_it() {
    let policy = policy(|config| config.breaker.consecutive_failures = 100);
    let dependency = Dependency::that(Does::Fail);
    for _ in 0..4 {
        ask(&policy, &dependency).await.unwrap_err();
    }
    assert_eq!(policy.snapshot().failure_rate, Some(1.0));
    sleep(ms(10_000)).await;
    assert_eq!(policy.snapshot().failure_rate, None);
    for _ in 0..4 {
        ask(&policy, &dependency).await.unwrap_err();
    }
    assert_eq!(policy.breaker().unwrap().state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn after_20_000_successes_a_window_of_five_opens_within_five_failures() {
    let policy = policy(|config| {
        config.breaker.window = Window::Calls(5);
        config.breaker.consecutive_failures = 100;
    });
    let dependency = Dependency::that(Does::Answer);
    for _ in 0..20_000 {
        ask(&policy, &dependency).await.unwrap();
    }
    dependency.now(Does::Fail);
    let mut failures = 0;
    while policy.breaker().unwrap().state() == BreakerState::Closed && failures < 10 {
        ask(&policy, &dependency).await.unwrap_err();
        failures += 1;
    }
    assert_eq!(failures, 3, "half of five, rounded up");
}

#[tokio::test(start_paused = true)]
async fn after_17_000_healthy_calls_it_opens_within_seconds_at_80_per_cent_errors() {
    let policy = policy(|config| config.breaker.consecutive_failures = 100);
    let dependency = Dependency::that(Does::Answer);
    for _ in 0..17_000 {
        ask(&policy, &dependency).await.unwrap();
        sleep(ms(10)).await;
    }
    let began = Instant::now();
    for number in 0..1_000 {
        let healthy = number % 5 == 0;
        dependency.now(if healthy { Does::Answer } else { Does::Fail });
        let _ = ask(&policy, &dependency).await;
        if policy.breaker().unwrap().state() == BreakerState::Open {
            break;
        }
        sleep(ms(10)).await;
    }
    assert!(began.elapsed() < ms(7_000), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn hung_calls_count_as_failures() {
    let (policy, events) = watched(|_| {});
    let dependency = Dependency::that(Does::Hang);
    for _ in 0..3 {
        let error = ask(&policy, &dependency).await.unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::AttemptTimeout);
    }
    assert_eq!(policy.breaker().unwrap().state(), BreakerState::Open);
    assert_eq!(events.attempts(), [Outcome::TimedOut; 3]);
}

#[tokio::test(start_paused = true)]
async fn panics_count_as_failures() {
    let (policy, events) = watched(|_| {});
    let dependency = Dependency::that(Does::Panic);
    for _ in 0..3 {
        assert!(
            start(&policy, &dependency)
                .await
                .await
                .unwrap_err()
                .is_panic()
        );
    }
    assert_eq!(policy.breaker().unwrap().state(), BreakerState::Open);
    assert_eq!(events.attempts(), [Outcome::Panicked; 3]);
    assert_eq!(policy.snapshot().in_flight, 0, "a panic frees its place");
}

#[tokio::test(start_paused = true)]
async fn a_neutral_outcome_neither_opens_it_nor_ends_a_run_of_failures() {
    let policy = policy(|_| {});
    let dependency = Dependency::that(Does::Object);
    for _ in 0..100 {
        ask(&policy, &dependency).await.unwrap_err();
    }
    assert_eq!(policy.snapshot().failure_rate, None);
    let dependency = dependency.first([Does::Fail, Does::Fail, Does::Object, Does::Fail]);
    for _ in 0..4 {
        ask(&policy, &dependency).await.unwrap_err();
    }
    assert_eq!(policy.breaker().unwrap().state(), BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn a_slow_neutral_outcome_is_not_the_dependencys_slowness() {
    let policy = policy(|_| {});
    let dependency = Dependency::that(Does::ObjectAfter(ms(900)));
    for _ in 0..10 {
        ask(&policy, &dependency).await.unwrap_err();
    }
    assert_eq!(policy.breaker().unwrap().state(), BreakerState::Closed);
    assert_eq!(policy.snapshot().slow_call_rate, None);
}

#[tokio::test(start_paused = true)]
async fn bulkhead_rejections_do_not_open_it() {
    let policy = policy(|config| config.bulkhead.max_concurrent = 1);
    let dependency = Dependency::that(Does::AnswerAfter(ms(400)));
    let first = start(&policy, &dependency).await;
    for _ in 0..100 {
        let error = ask(&policy, &dependency).await.unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::BulkheadFull);
    }
    assert!(first.await.unwrap().is_ok());
    assert_eq!(policy.snapshot().failure_rate, Some(0.0));
}

#[tokio::test(start_paused = true)]
async fn the_wait_for_a_place_is_not_the_dependencys_slowness() {
    let (policy, events) = watched(|config| {
        config.bulkhead.max_concurrent = 1;
        config.bulkhead.max_waiting = 10;
        config.bulkhead.max_wait = ms(4_000);
    });
    let dependency = Dependency::that(Does::AnswerAfter(ms(400)));
    let mut tasks = Vec::new();
    for _ in 0..8 {
        tasks.push(start(&policy, &dependency).await);
    }
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(events.attempts(), [Outcome::Success; 8]);
}

#[tokio::test(start_paused = true)]
async fn clones_and_services_layered_anew_share_one_breaker() {
    let policy = policy(|_| {});
    let dependency = Dependency::that(Does::Fail);
    // Each call layers the policy anew around a service of its own.
    for _ in 0..3 {
        let service = policy.clone().layer(service_fn(|()| dependency.respond()));
        service.oneshot(Call::new(())).await.unwrap_err();
    }
    let error = ask(&policy, &dependency).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::CircuitOpen);
}

#[tokio::test(start_paused = true)]
async fn opened_by_a_success_it_stays_open_for_what_the_last_failure_asked_for() {
    let policy = policy(|_| {});
    let dependency = Dependency::that(Does::Answer);
    for _ in 0..5 {
        ask(&policy, &dependency).await.unwrap();
    }
    sleep(ms(5_000)).await;
    for does in [Does::Fail, Does::Fail, Does::Answer, Does::Ask(ms(20_000))] {
        dependency.now(does);
        let _ = ask(&policy, &dependency).await;
    }
    assert_eq!(policy.breaker().unwrap().state(), BreakerState::Closed);
    // The five successes leave the window.
    sleep(ms(6_000)).await;
    dependency.now(Does::Answer);
    ask(&policy, &dependency).await.unwrap();
    assert_eq!(policy.breaker().unwrap().state(), BreakerState::Open);
    assert_eq!(policy.snapshot().retry_after, Some(ms(14_000)));
}
