//! Policies that are left out, and names that are owned.

use std::sync::Arc;

use holdfast_policy::{BreakerState, Call, ErrorKind, Policy, PolicyConfig};

use crate::support::{Dependency, Does, Judge, ask, config, ms};

fn without(change: impl FnOnce(&mut PolicyConfig)) -> Policy<Judge> {
    let mut config = PolicyConfig::from(config());
    change(&mut config);
    let name = format!("worker-{}", 7);
    Policy::builder(name, config)
        .classify(Judge)
        .build()
        .unwrap()
}

#[tokio::test(start_paused = true)]
async fn without_a_breaker_nothing_is_ever_held_back() {
    let policy = without(|config| config.breaker = None);
    let dependency = Dependency::that(Does::Fail);
    for _ in 0..50 {
        let error = ask(&policy, &dependency).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Failed(_)));
    }
    assert_eq!(dependency.calls(), 50);
    assert!(policy.breaker().is_none());
    assert_eq!(policy.snapshot().breaker, BreakerState::Disabled);
}

#[tokio::test(start_paused = true)]
async fn without_a_bulkhead_any_number_runs_at_once() {
    let policy = without(|config| config.bulkhead = None);
    let dependency = Dependency::that(Does::AnswerAfter(ms(100)));
    let calls = (0..1_000).map(|_| ask(&policy, &dependency));
    let answers = futures_util::future::join_all(calls).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!((dependency.peak(), policy.snapshot().limit), (1_000, None));
}

#[tokio::test(start_paused = true)]
async fn without_retry_a_failure_is_the_answer() {
    let policy = without(|config| config.retry = None);
    let dependency = Dependency::that(Does::Answer).first([Does::Fail]);
    let error = ask(&policy, &dependency).await.unwrap_err();
    assert_eq!((error.attempts(), dependency.calls()), (1, 1));
    assert_eq!(error.policy(), "worker-7");
    ask(&policy, &dependency).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn without_an_attempt_timeout_the_deadline_cuts_and_the_breaker_still_sees_the_hang() {
    let policy = without(|config| config.attempt_timeout = None);
    let dependency = Dependency::that(Does::Hang);
    for _ in 0..3 {
        let error = ask(&policy, &dependency).await.unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::DeadlineExceeded);
        assert_eq!((error.attempts(), error.elapsed()), (1, ms(5_000)));
    }
    assert_eq!(policy.snapshot().breaker, BreakerState::Open);
    assert_eq!(policy.snapshot().in_flight, 0);
}

#[tokio::test(start_paused = true)]
async fn with_nothing_but_a_deadline_a_call_is_just_a_call() {
    let policy = without(|config| {
        config.attempt_timeout = None;
        config.retry = None;
        config.breaker = None;
        config.bulkhead = None;
    });
    let dependency = Dependency::that(Does::AnswerAfter(ms(4_000)));
    ask(&policy, &dependency).await.unwrap();
    dependency.now(Does::Hang);
    let error = ask(&policy, &dependency).await.unwrap_err();
    assert_eq!(error.elapsed(), ms(5_000));
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_sent_once_need_not_be_cloned() {
    struct NotClone(Arc<str>);
    let policy = without(|config| config.retry = None);
    let request = NotClone(Arc::from("once"));
    let prefix = String::from("sent ");
    let send = move |request: NotClone| async move {
        let answer: Result<String, crate::support::Trouble> = Ok(prefix + &request.0);
        answer
    };
    let plain = Policy::builder("plain", PolicyConfig::default());
    let plain = plain.build().unwrap();
    let answer = plain.call_once(Call::new(request), send).await.unwrap();
    assert_eq!(answer, "sent once");
    drop(policy);
}
