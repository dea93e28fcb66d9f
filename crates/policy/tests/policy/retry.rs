//! What is tried again, when, and how often.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use holdfast_policy::{Call, Class, Deadline, ErrorKind, Event, Policy, RejectedBy};
use tokio::time::Instant;

use crate::support::{
    Dependency, Does, Settings, Trouble, ask, config, ms, policy, send, start, watched,
    without_breaker,
};

fn three_attempts(config: &mut Settings) {
    without_breaker(config);
    config.retry.max_attempts = 3;
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_followed_by_another_attempt() {
    let dependency = Dependency::that(Does::Answer).first([Does::Fail, Does::Fail]);
    assert!(ask(&policy(three_attempts), &dependency).await.is_ok());
    assert_eq!(dependency.calls(), 3);
}

#[tokio::test(start_paused = true)]
async fn the_last_failure_is_reported_with_its_attempts_and_time() {
    let dependency = Dependency::that(Does::FailAfter(ms(10))).first([Does::Hang]);
    let began = Instant::now();
    let error = ask(&policy(three_attempts), &dependency).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Failed(Trouble::Broken));
    assert_eq!((error.attempts(), error.elapsed()), (3, began.elapsed()));
    assert_eq!((error.policy(), dependency.calls()), ("worker", 3));
}

#[tokio::test(start_paused = true)]
async fn waits_grow_and_are_jittered_downwards() {
    let (policy, events) = watched(|config| {
        without_breaker(config);
        config.retry.max_attempts = 5;
    });
    ask(&policy, &Dependency::that(Does::Fail))
        .await
        .unwrap_err();
    let waits = events.pick(|event| match event {
        Event::Retry { after, .. } => Some(*after),
        _ => None,
    });
    assert_eq!(waits.len(), 4);
    for (wait, whole) in waits.into_iter().zip([100, 200, 400, 800]) {
        assert!(
            (ms(whole / 2)..=ms(whole)).contains(&wait),
            "{wait:?} of {whole} ms"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_idempotent_is_not_repeated() {
    let policy = policy(|config| {
        three_attempts(config);
        config.idempotent = false;
    });
    for does in [Does::Fail, Does::Hang, Does::AnswerBadly] {
        let dependency = Dependency::that(does);
        let _ = ask(&policy, &dependency).await;
        assert_eq!(dependency.calls(), 1, "{does:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_never_reached_the_dependency_is_repeated_even_if_not_idempotent() {
    let policy = policy(|config| {
        three_attempts(config);
        config.idempotent = false;
    });
    let dependency = Dependency::that(Does::Answer).first([Does::Refuse]);
    assert!(ask(&policy, &dependency).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_call_may_say_otherwise_than_its_policy() {
    let dependency = Dependency::that(Does::Fail);
    let post = Call::new(()).idempotent(false);
    send(&policy(three_attempts), &dependency, post)
        .await
        .unwrap_err();
    assert_eq!(dependency.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_would_fail_again_is_not_repeated() {
    let dependency = Dependency::that(Does::Object);
    let error = ask(&policy(three_attempts), &dependency).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Failed(Trouble::Malformed));
    assert_eq!(dependency.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_a_failure_is_tried_again_and_given_to_the_caller_at_last() {
    let dependency = Dependency::that(Does::AnswerBadly);
    assert_eq!(
        ask(&policy(three_attempts), &dependency).await.unwrap(),
        503
    );
    assert_eq!(dependency.calls(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_rejection_is_never_retried() {
    let (policy, events) = watched(|config| config.retry.max_attempts = 3);
    policy.breaker().unwrap().force_open();
    let error = ask(&policy, &Dependency::that(Does::Answer))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.elapsed()),
        (&ErrorKind::CircuitOpen, ms(0))
    );
    assert_eq!(events.rejections(), [RejectedBy::Breaker]);
}

#[tokio::test(start_paused = true)]
async fn the_dependencys_wish_to_be_left_alone_is_honoured() {
    let dependency = Dependency::that(Does::Answer).first([Does::Ask(ms(2_000))]);
    let began = Instant::now();
    assert!(ask(&policy(three_attempts), &dependency).await.is_ok());
    assert!((ms(2_000)..ms(2_100)).contains(&began.elapsed()));
}

#[tokio::test(start_paused = true)]
async fn callers_who_were_told_the_same_do_not_come_back_together() {
    let (policy, events) = watched(|config| {
        without_breaker(config);
        three_attempts(config);
        config.retry.budget.floor_per_second = 1_000.0;
    });
    let dependency = Dependency::that(Does::Answer).first([Does::Ask(ms(2_000)); 10]);
    join_all((0..10).map(|_| ask(&policy, &dependency))).await;
    let waits = events.pick(|event| match event {
        Event::Retry { after, .. } => Some(*after),
        _ => None,
    });
    let different: BTreeSet<_> = waits.iter().collect();
    assert_eq!((waits.len(), different.len()), (10, 10), "{waits:?}");
}

#[tokio::test(start_paused = true)]
async fn a_wish_that_has_been_waited_out_is_not_passed_on() {
    let policy = policy(|config| {
        without_breaker(config);
        three_attempts(config);
        config.bulkhead.max_concurrent = 1;
    });
    let dependency = Dependency::that(Does::Hang).first([Does::Ask(ms(2_000))]);
    let waiting = start(&policy, &dependency).await;
    tokio::time::sleep(ms(1_500)).await;
    let in_the_way = start(&policy, &dependency).await;
    let error = waiting.await.unwrap().unwrap_err();
    assert_eq!((error.attempts(), error.retry_after()), (1, None));
    in_the_way.abort();
}

#[tokio::test(start_paused = true)]
async fn the_later_of_two_hints_is_given() {
    let policy = policy(|config| {
        three_attempts(config);
        config.breaker.consecutive_failures = 2;
    });
    let dependency = Dependency::that(Does::Fail);
    let waiting = start(&policy, &dependency).await;
    let once = Call::new(()).idempotent(false);
    send(&policy, &dependency, once).await.unwrap_err();
    let error = waiting.await.unwrap().unwrap_err();
    assert_eq!(error.attempts(), 1, "the breaker opened meanwhile");
    assert_eq!(error.retry_after(), policy.snapshot().retry_after);
}

#[tokio::test(start_paused = true)]
async fn a_success_is_never_repeated_whatever_its_classifier_allows() {
    let mut config = config();
    three_attempts(&mut config);
    let judge = |_: &Result<u32, Trouble>| Class::success().retry_always();
    let policy = Policy::builder("worker", config.into())
        .classify(judge)
        .build();
    let dependency = Dependency::that(Does::Answer);
    let call = Call::new(());
    let answer = policy.unwrap().call(call, |()| dependency.respond()).await;
    assert_eq!((answer.unwrap(), dependency.calls()), (200, 1));
}

#[tokio::test(start_paused = true)]
async fn a_wish_that_passes_the_deadline_is_reported_and_not_waited_out() {
    let dependency = Dependency::that(Does::Ask(ms(60_000)));
    let error = ask(&policy(three_attempts), &dependency).await.unwrap_err();
    assert_eq!(error.retry_after(), Some(ms(60_000)));
    assert_eq!((error.attempts(), error.elapsed()), (1, ms(0)));
}

#[tokio::test(start_paused = true)]
async fn the_sum_of_all_retries_stays_within_the_callers_deadline() {
    let policy = policy(|config| {
        without_breaker(config);
        config.retry.max_attempts = 100;
    });
    let began = Instant::now();
    let call = Call::new(()).by(Deadline::after(ms(3_000)));
    send(&policy, &Dependency::that(Does::FailAfter(ms(300))), call)
        .await
        .unwrap_err();
    assert!(began.elapsed() <= ms(3_000), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_waits() {
    let mut elapsed = Vec::new();
    for _ in 0..2 {
        let error = ask(&policy(three_attempts), &Dependency::that(Does::Fail))
            .await
            .unwrap_err();
        elapsed.push(error.elapsed());
    }
    assert_eq!(elapsed[0], elapsed[1]);
}
