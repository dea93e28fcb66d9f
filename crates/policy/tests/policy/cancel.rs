//! Calls that are dropped: what it means for the breaker, and that nothing leaks.

use holdfast_policy::{BreakerState, Call, CallOutcome, Event, Outcome};
use tokio::time::{sleep, timeout};

use crate::support::{Dependency, Does, Trouble, ask, ms, policy, start, watched};

#[tokio::test(start_paused = true)]
async fn a_callers_short_timeout_is_not_charged_to_the_breaker() {
    let (policy, events) = watched(|_| {});
    let dependency = Dependency::that(Does::AnswerAfter(ms(450)));
    for _ in 0..50 {
        timeout(ms(100), ask(&policy, &dependency))
            .await
            .unwrap_err();
    }
    assert_eq!(policy.breaker().unwrap().state(), BreakerState::Closed);
    assert_eq!(policy.snapshot().failure_rate, None);
    assert_eq!(events.attempts(), [Outcome::Cancelled; 50]);
}

#[tokio::test(start_paused = true)]
async fn hung_calls_cancelled_by_an_outer_timeout_are_seen() {
    let policy = policy(|_| {});
    let dependency = Dependency::that(Does::Hang);
    let mut tasks = Vec::new();
    for _ in 0..200 {
        tasks.push(start(&policy, &dependency).await);
    }
    sleep(ms(600)).await;
    for task in tasks {
        task.abort();
        task.await.unwrap_err();
    }
    assert_eq!(policy.breaker().unwrap().state(), BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn where_nothing_is_slow_a_call_that_is_dropped_says_nothing_however_late() {
    let policy = policy(|config| {
        config.breaker.slow_call = None;
        config.breaker.slow_call_rate = None;
    });
    let dependency = Dependency::that(Does::Hang);
    for _ in 0..50 {
        let call = timeout(ms(900), ask(&policy, &dependency));
        call.await.unwrap_err();
    }
    assert_eq!(policy.breaker().unwrap().state(), BreakerState::Closed);
    dependency.now(Does::AnswerAfter(ms(900)));
    ask(&policy, &dependency).await.unwrap();
    assert_eq!(policy.snapshot().slow_call_rate, Some(0.0));
}

#[tokio::test(start_paused = true)]
async fn a_call_dropped_before_it_was_polled_says_nothing_however_late() {
    let (policy, events) = watched(|_| {});
    let dependency = Dependency::that(Does::Answer);
    for _ in 0..5 {
        let call = policy.call(Call::new(()), |()| dependency.respond());
        sleep(ms(900)).await;
        drop(call);
    }
    assert_eq!((events.attempts(), dependency.calls()), (vec![], 0));
    assert_eq!(policy.snapshot().slow_call_rate, None);
    assert_eq!(policy.snapshot().in_flight, 0);
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_call_is_reported_with_its_attempts() {
    let (policy, events) = watched(|config| config.retry.max_attempts = 2);
    let dependency = Dependency::that(Does::Hang).first([Does::Fail]);
    let call = start(&policy, &dependency).await;
    sleep(ms(200)).await;
    call.abort();
    call.await.unwrap_err();
    let (outcome, elapsed) = (CallOutcome::Cancelled, ms(200));
    let expected = Event::Call {
        policy: "worker",
        outcome,
        attempts: 2,
        elapsed,
    };
    assert_eq!(events.events().last(), Some(&expected));
}

#[tokio::test(start_paused = true)]
async fn who_leaves_the_queue_is_neither_an_attempt_nor_slow() {
    let (policy, events) = watched(|config| {
        config.bulkhead.max_concurrent = 1;
        config.bulkhead.max_waiting = 10;
        config.bulkhead.max_wait = ms(3_000);
        config.attempt_timeout = ms(2_000);
    });
    let dependency = Dependency::that(Does::AnswerAfter(ms(1_900)));
    let first = start(&policy, &dependency).await;
    for _ in 0..10 {
        let waiting = start(&policy, &dependency).await;
        sleep(ms(100)).await;
        waiting.abort();
    }
    first.await.unwrap().unwrap();
    assert_eq!(events.attempts(), [Outcome::Slow]);
    assert_eq!(
        (policy.snapshot().in_flight, policy.snapshot().waiting),
        (0, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn somebody_elses_panic_is_a_cancel_and_not_a_panic_of_the_operation() {
    let (policy, events) = watched(|_| {});
    let dependency = Dependency::that(Does::Hang);
    let task = tokio::spawn(async move {
        let mut call = Box::pin(ask(&policy, &dependency));
        let polled = timeout(ms(10), &mut call).await;
        assert!(polled.is_ok(), "this panics while the call is alive");
    });
    assert!(task.await.unwrap_err().is_panic());
    assert_eq!(events.attempts(), [Outcome::Cancelled]);
}

#[tokio::test(start_paused = true)]
async fn a_hung_attempt_that_panics_as_it_is_cut_is_a_failure_and_costs_no_place() {
    struct PanicsWhenDropped;
    impl Drop for PanicsWhenDropped {
        fn drop(&mut self) {
            panic!("on purpose");
        }
    }
    let (policy, events) = watched(|config| config.bulkhead.max_concurrent = 1);
    let task = tokio::spawn({
        let policy = policy.clone();
        async move {
            let hangs = |()| async {
                let _held = PanicsWhenDropped;
                std::future::pending::<Result<u32, Trouble>>().await
            };
            policy.call(Call::new(()), hangs).await
        }
    });
    assert!(task.await.unwrap_err().is_panic());
    assert_eq!(events.attempts(), [Outcome::Panicked]);
    assert_eq!(policy.snapshot().in_flight, 0);
    ask(&policy, &Dependency::that(Does::Answer)).await.unwrap();
}
