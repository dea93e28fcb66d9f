//! How a race ends that a second attempt has made of a call.

use holdfast_policy::{Call, Event, HedgeConfig, HedgeDelay};

use crate::hedge::hedged;
use crate::support::{Dependency, Does, Trouble, ask, ms, policy, watched, without_breaker};

#[tokio::test(start_paused = true)]
async fn a_race_that_both_lose_ends_when_the_second_has_failed_and_so_the_wait_before_a_retry_begins()
 {
    let (policy, events) = watched(|config| {
        hedged(config);
        without_breaker(config);
        config.retry.max_attempts = 2;
    });
    let failures = [
        Does::FailAfter(ms(70)),
        Does::FailAfter(ms(700)),
        Does::Fail,
    ];
    let error = ask(&policy, &Dependency::that(Does::Fail).first(failures))
        .await
        .unwrap_err();
    let waits = events.pick(|event| match event {
        Event::Retry { after, .. } => Some(*after),
        _ => None,
    });
    // The second one began after 50 ms; timers tick in whole milliseconds.
    let expected = ms(750) + waits[0];
    assert!(
        error.elapsed().abs_diff(expected) < ms(2),
        "{:?}",
        error.elapsed()
    );
    assert_eq!(error.attempts(), 3);
}

#[tokio::test]
async fn a_call_that_may_be_hedged_may_be_shared_between_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    let (policy, _) = watched(hedged);
    shared(&policy.call(Call::new(()), |()| {
        std::future::ready(Ok::<u32, Trouble>(7))
    }));
}

#[tokio::test(start_paused = true)]
async fn a_first_attempt_that_its_hedge_answers_for_is_counted_once() {
    let policy = policy(|config| {
        without_breaker(config);
        config.retry.budget.ratio = 1.0;
        config.hedge = Some(HedgeConfig {
            after: HedgeDelay::Percentile(50),
            ..HedgeConfig::default()
        });
    });
    let usual = Dependency::that(Does::AnswerAfter(ms(20)));
    for _ in 0..20 {
        ask(&policy, &usual).await.unwrap();
    }
    let median = policy.snapshot().hedge_after.unwrap();
    for _ in 0..16 {
        let rescued = Dependency::that(Does::AnswerAfter(ms(100)));
        let rescued = rescued.first([Does::FailAfter(ms(30))]);
        ask(&policy, &rescued).await.unwrap();
        assert_eq!(rescued.calls(), 2);
    }
    // Sixteen of 36 are less than half.
    assert_eq!(policy.snapshot().hedge_after, Some(median));
    for _ in 0..12 {
        let slow = Dependency::that(Does::AnswerAfter(ms(100))).first([Does::Hang]);
        ask(&policy, &slow).await.unwrap();
    }
    assert!(policy.snapshot().hedge_after > Some(median));
}
