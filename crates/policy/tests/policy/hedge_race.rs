//! How a race ends that a second attempt has made of a call.

use std::time::Duration;

use holdfast_policy::attempt::Attempt;
use holdfast_policy::{Call, Class, Error, ErrorKind, Event, HedgeConfig, HedgeDelay, Policy};

use crate::hedge::hedged;
use crate::support::{
    Dependency, Does, Recorder, Trouble, ask, config, ms, policy, watched, without_breaker,
};

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

/// A call whose two attempts, after 70 and 150 ms, fail in these ways; a third one answers. Besides, for how long the third
/// one waited.
async fn lost_by_both(
    max_attempts: u32,
    classes: [Class; 2],
) -> (Result<(), Error<Class>>, Option<Duration>) {
    let mut settings = config();
    hedged(&mut settings);
    settings.retry.max_attempts = max_attempts;
    let recorder = Recorder::default();
    let builder = Policy::builder("worker", settings.into());
    let builder = builder.classify(|outcome: &Result<(), Class>| match outcome {
        Ok(()) => Class::success(),
        Err(class) => *class,
    });
    let policy = builder.observe(recorder.clone()).build().unwrap();
    let fail = |attempt: Attempt<()>| async move {
        match attempt.number {
            1 => tokio::time::sleep(ms(70)).await,
            2 => tokio::time::sleep(ms(100)).await,
            _ => return Ok(()),
        }
        Err(classes[attempt.number as usize - 1])
    };
    let result = policy.call_attempts(Call::new(()), fail).await;
    let waits = recorder.pick(|event| match event {
        Event::Retry { after, .. } => Some(*after),
        _ => None,
    });
    (result, waits.first().copied())
}

#[tokio::test(start_paused = true)]
async fn of_a_race_that_both_lose_either_may_say_when_to_come_back() {
    let plain = Class::failure().retry_if_idempotent();
    let busy = plain.retry_after(ms(10_000));
    for (classes, left) in [
        // Eighty milliseconds have gone by since the first one said so; timers tick in whole ones.
        ([busy, plain], ms(9_920)),
        ([plain, busy], ms(10_000)),
        ([busy, busy.retry_after(ms(20))], ms(9_920)),
    ] {
        let (result, _) = lost_by_both(1, classes).await;
        let error = result.unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Failed(classes[0]));
        let told = error.retry_after().unwrap();
        assert!(told.abs_diff(left) < ms(3), "{told:?}");
    }
    let (result, _) = lost_by_both(1, [plain.retry_after(ms(50)), plain]).await;
    assert_eq!(result.unwrap_err().retry_after(), None, "that is over");
}

#[tokio::test(start_paused = true)]
async fn of_a_race_that_both_lose_either_may_have_been_throttled() {
    let plain = Class::failure().retry_if_idempotent();
    for classes in [[Class::throttled(), plain], [plain, Class::throttled()]] {
        let (result, waited) = lost_by_both(2, classes).await;
        result.unwrap();
        // Four times as long as any other.
        assert!((ms(200)..=ms(400)).contains(&waited.unwrap()), "{waited:?}");
    }
    let (result, waited) = lost_by_both(2, [plain, plain.retry_after(ms(700))]).await;
    result.unwrap();
    assert!(waited >= Some(ms(700)), "{waited:?}");
}
