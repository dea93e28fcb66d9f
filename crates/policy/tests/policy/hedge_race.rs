//! How a race ends that a second attempt has made of a call.

use holdfast_policy::{Call, Event};

use crate::hedge::hedged;
use crate::support::{Dependency, Does, Trouble, ask, ms, watched, without_breaker};

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
