//! Which cause is reported when a further attempt is refused: the failure before it.

use holdfast_policy::{BreakerState, ErrorKind};
use tokio::time::Instant;

use crate::support::{
    Dependency, Does, Settings, Trouble, ask, ms, policy, start, without_breaker,
};

fn three_attempts(config: &mut Settings) {
    config.retry.max_attempts = 3;
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_opens_the_breaker_says_when_to_come_back_and_is_not_waited_on() {
    let policy = policy(|config| {
        three_attempts(config);
        config.breaker.consecutive_failures = 1;
    });
    let dependency = Dependency::that(Does::Fail);
    let error = ask(&policy, &dependency).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Failed(Trouble::Broken));
    assert_eq!((error.attempts(), error.elapsed()), (1, ms(0)));
    assert_eq!(error.retry_after(), policy.snapshot().retry_after);
    assert!(error.retry_after() >= Some(ms(5_000)));
}

#[tokio::test(start_paused = true)]
async fn a_retry_refused_by_a_breaker_that_opened_meanwhile_reports_the_failure_before() {
    let policy = policy(three_attempts);
    let dependency = Dependency::that(Does::Fail);
    let waiting = start(&policy, &dependency).await;
    // Others open it while the first waits for its second attempt.
    policy.breaker().unwrap().force_open();
    let error = waiting.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Failed(Trouble::Broken));
    assert_eq!((error.attempts(), dependency.calls()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_retry_refused_by_a_full_bulkhead_reports_the_failure_before() {
    let policy = policy(|config| {
        without_breaker(config);
        three_attempts(config);
        config.bulkhead.max_concurrent = 1;
    });
    let dependency = Dependency::that(Does::Hang).first([Does::Fail]);
    let waiting = start(&policy, &dependency).await;
    let in_the_way = start(&policy, &dependency).await;
    let error = waiting.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Failed(Trouble::Broken));
    assert_eq!(error.attempts(), 1);
    in_the_way.abort();
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_a_failure_is_what_the_caller_gets_when_the_retry_is_refused() {
    let policy = policy(three_attempts);
    let waiting = start(&policy, &Dependency::that(Does::AnswerBadly)).await;
    policy.breaker().unwrap().force_open();
    assert_eq!(waiting.await.unwrap().unwrap(), 503);
}

#[tokio::test(start_paused = true)]
async fn the_breaker_is_the_cause_only_when_nothing_failed_before() {
    let policy = policy(three_attempts);
    policy.breaker().unwrap().force_open();
    let error = ask(&policy, &Dependency::that(Does::Fail))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.attempts()),
        (&ErrorKind::CircuitOpen, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_begins_after_the_open_time_is_the_probe() {
    let policy = policy(|config| {
        config.retry.max_attempts = 2;
        config.retry.backoff.initial = ms(2_000);
        config.retry.backoff.max = ms(2_000);
        config.breaker.consecutive_failures = 1;
        config.breaker.half_open_calls = 1;
        config.breaker.open_for = ms(500);
        config.breaker.max_open_for = ms(500);
    });
    let dependency = Dependency::that(Does::Answer).first([Does::Fail]);
    let began = Instant::now();
    assert!(ask(&policy, &dependency).await.is_ok());
    assert!(began.elapsed() >= ms(1_000));
    assert_eq!(policy.breaker().unwrap().state(), BreakerState::Closed);
}
