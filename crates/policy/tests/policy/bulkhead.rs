//! Places: how many, who waits, who is next, and that none is lost.

use holdfast_policy::{Call, ErrorKind, Event, Priority, RejectedBy};
use tokio::time::{Instant, sleep};

use crate::support::{
    Dependency, Does, Settings, Trouble, ask, ms, policy, send, settle, start, watched,
};

fn one_place(config: &mut Settings) {
    config.bulkhead.max_concurrent = 1;
}

fn one_place_and_a_queue_of_two(config: &mut Settings) {
    one_place(config);
    config.bulkhead.max_waiting = 2;
    config.bulkhead.max_wait = ms(1_000);
}

#[tokio::test(start_paused = true)]
async fn no_more_run_at_once_than_there_are_places() {
    let policy = policy(|config| config.bulkhead.max_concurrent = 7);
    let dependency = Dependency::that(Does::AnswerAfter(ms(100)));
    for _ in 0..20 {
        drop(start(&policy, &dependency).await);
    }
    sleep(ms(200)).await;
    assert_eq!((dependency.peak(), dependency.calls()), (7, 7));
}

#[tokio::test(start_paused = true)]
async fn without_a_queue_the_next_is_refused_at_once() {
    let (policy, events) = watched(one_place);
    let dependency = Dependency::that(Does::AnswerAfter(ms(100)));
    let first = start(&policy, &dependency).await;
    let error = ask(&policy, &dependency).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::BulkheadFull);
    assert_eq!((error.attempts(), error.elapsed()), (0, ms(0)));
    assert_eq!(events.rejections(), [RejectedBy::Bulkhead]);
    first.await.unwrap().unwrap();
    ask(&policy, &dependency).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn places_are_handed_over_first_come_first_served() {
    let (policy, events) = watched(one_place_and_a_queue_of_two);
    let dependency = Dependency::that(Does::AnswerAfter(ms(300)));
    let began = Instant::now();
    let first = start(&policy, &dependency).await;
    let second = start(&policy, &dependency).await;
    let third = start(&policy, &dependency).await;
    assert_eq!(
        (policy.snapshot().in_flight, policy.snapshot().waiting),
        (1, 2)
    );
    let fourth = ask(&policy, &dependency).await.unwrap_err();
    assert_eq!(
        (fourth.kind(), fourth.elapsed()),
        (&ErrorKind::BulkheadFull, ms(0))
    );
    for (task, millis) in [(first, 300), (second, 600), (third, 900)] {
        task.await.unwrap().unwrap();
        assert_eq!(began.elapsed(), ms(millis));
    }
    assert_eq!(events.rejections(), [RejectedBy::Bulkhead]);
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_longer_than_the_longest_wait() {
    let policy = policy(|config| {
        one_place_and_a_queue_of_two(config);
        config.bulkhead.max_wait = ms(200);
    });
    let dependency = Dependency::that(Does::AnswerAfter(ms(800)));
    let first = start(&policy, &dependency).await;
    let error = ask(&policy, &dependency).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.elapsed()),
        (&ErrorKind::BulkheadFull, ms(200))
    );
    assert_eq!(policy.snapshot().waiting, 0);
    first.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn who_leaves_the_queue_passes_a_place_just_handed_to_it_on() {
    let policy = policy(one_place_and_a_queue_of_two);
    let dependency = Dependency::that(Does::AnswerAfter(ms(300)));
    let first = start(&policy, &dependency).await;
    let second = start(&policy, &dependency).await;
    let third = start(&policy, &dependency).await;
    // Both at once: the second is handed the place and dies before it looks.
    first.abort();
    second.abort();
    third.await.unwrap().unwrap();
    settle().await;
    assert_eq!(
        (policy.snapshot().in_flight, policy.snapshot().waiting),
        (0, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn the_attempt_timeout_runs_from_admission() {
    let (policy, events) = watched(|config| {
        one_place_and_a_queue_of_two(config);
        config.breaker.slow_call = Some(ms(1_000));
    });
    let dependency = Dependency::that(Does::AnswerAfter(ms(900)));
    let first = start(&policy, &dependency).await;
    let second = start(&policy, &dependency).await;
    first.await.unwrap().unwrap();
    second.await.unwrap().unwrap();
    let elapsed = events.pick(|event| match event {
        Event::Attempt { elapsed, .. } => Some(*elapsed),
        _ => None,
    });
    assert_eq!(elapsed, [ms(900), ms(900)]);
}

#[tokio::test(start_paused = true)]
async fn a_place_that_comes_too_late_for_the_attempt_is_not_used() {
    let policy = policy(|config| {
        config.bulkhead.max_concurrent = 1;
        config.bulkhead.max_waiting = 1;
        config.bulkhead.max_wait = ms(4_000);
    });
    let dependency = Dependency::that(Does::Hang);
    let first = start(&policy, &dependency).await;
    let mut second = Box::pin(policy.call(Call::new(()), |()| dependency.respond()));
    assert!(futures_util::poll!(&mut second).is_pending());
    // Handed over, and not looked at before it is too late.
    first.abort();
    settle().await;
    tokio::time::advance(ms(4_500)).await;
    let error = second.await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::BulkheadFull);
    assert_eq!((dependency.calls(), policy.snapshot().in_flight), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_place_taken_ahead_is_free_when_the_call_is_over_and_not_only_when_its_future_is_gone() {
    let policy = policy(one_place);
    let place = policy.reserve(Priority::USUAL).await.unwrap();
    assert_eq!(policy.snapshot().in_flight, 1);
    let call = Call::new(()).in_slot(place);
    let answer = |()| std::future::ready(Ok::<u32, Trouble>(7));
    let mut call = std::pin::pin!(policy.call(call, answer));
    assert_eq!(call.as_mut().await.unwrap(), 7);
    assert_eq!(policy.snapshot().in_flight, 0);
}

#[tokio::test(start_paused = true)]
async fn a_place_of_another_policy_lets_nobody_in_and_one_from_before_a_reload_does() {
    let (policy, other) = (policy(one_place), policy(one_place));
    let foreign = other.reserve(Priority::USUAL).await.unwrap();
    let dependency = Dependency::that(Does::AnswerAfter(ms(100)));
    let in_the_way = start(&policy, &dependency).await;
    let call = Call::new(()).in_slot(foreign);
    let error = send(&policy, &dependency, call).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::BulkheadFull);
    assert_eq!(other.snapshot().in_flight, 0, "it was given back");
    in_the_way.await.unwrap().unwrap();
    let foreign = other.reserve(Priority::USUAL).await.unwrap();
    let call = Call::new(()).in_slot(foreign);
    send(&policy, &dependency, call).await.unwrap();
    let own = policy.reserve(Priority::USUAL).await.unwrap();
    let after = policy.reconfigured(policy.config().clone()).unwrap();
    send(&after, &dependency, Call::new(()).in_slot(own))
        .await
        .unwrap();
}
