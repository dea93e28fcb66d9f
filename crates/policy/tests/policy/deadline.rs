//! The deadline.

use std::time::Duration;

use holdfast_policy::{Call, Deadline, ErrorKind, Event, RejectedBy};
use proptest::prelude::*;
use tokio::time::Instant;

use crate::support::{
    Dependency, Does, Trouble, ask, ms, policy, send, start, watched, without_breaker,
};

#[tokio::test(start_paused = true)]
async fn an_attempt_starts_only_if_a_whole_attempt_timeout_remains() {
    let (policy, events) = watched(|_| {});
    let dependency = Dependency::that(Does::Answer);
    let call = Call::new(()).by(Deadline::after(ms(999)));
    let error = send(&policy, &dependency, call).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::DeadlineExceeded);
    assert_eq!((error.attempts(), dependency.calls()), (0, 0));
    assert_eq!(events.rejections(), [RejectedBy::Deadline]);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_just_fits_is_made() {
    let dependency = Dependency::that(Does::AnswerAfter(ms(999)));
    let call = Call::new(()).by(Deadline::after(ms(1_000)));
    assert!(send(&policy(|_| {}), &dependency, call).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_deadline_of_one_attempt_timeout_allows_that_attempt_and_reports_its_timeout() {
    let policy = policy(|config| config.deadline = config.attempt_timeout);
    let error = ask(&policy, &Dependency::that(Does::Hang))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::AttemptTimeout);
    assert_eq!((error.attempts(), error.elapsed()), (1, ms(1_000)));
}

#[tokio::test(start_paused = true)]
async fn a_callers_later_deadline_does_not_stretch_the_policys() {
    let policy = policy(|config| {
        without_breaker(config);
        config.retry.max_attempts = 100;
        config.retry.budget.floor_per_second = 1_000.0;
    });
    let began = Instant::now();
    let call = Call::new(()).by(Deadline::after(ms(60_000)));
    send(&policy, &Dependency::that(Does::Hang), call)
        .await
        .unwrap_err();
    assert!(began.elapsed() <= ms(5_000), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn no_backoff_is_slept_that_would_pass_the_deadline() {
    let policy = policy(|config| {
        config.retry.max_attempts = 3;
        config.retry.backoff.initial = ms(9_000);
        config.retry.backoff.max = ms(9_000);
    });
    let error = ask(&policy, &Dependency::that(Does::Fail))
        .await
        .unwrap_err();
    assert_eq!((error.attempts(), error.elapsed()), (1, ms(0)));
}

#[tokio::test(start_paused = true)]
async fn a_retry_starts_only_if_a_whole_attempt_timeout_remains() {
    let policy = policy(|config| {
        without_breaker(config);
        config.retry.max_attempts = 9;
        config.deadline = ms(2_500);
    });
    let dependency = Dependency::that(Does::Hang);
    let error = ask(&policy, &dependency).await.unwrap_err();
    assert_eq!((error.attempts(), dependency.calls()), (2, 2));
    assert!(error.elapsed() <= ms(2_100), "{:?}", error.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_task_that_wakes_too_late_for_another_attempt_reports_the_failure_before() {
    let policy = policy(|config| config.retry.max_attempts = 2);
    let dependency = Dependency::that(Does::Fail);
    let call = start(&policy, &dependency).await;
    // The clock jumps, as it does for a task on a starved machine.
    tokio::time::advance(ms(4_500)).await;
    let error = call.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Failed(Trouble::Broken));
    assert_eq!((error.attempts(), dependency.calls()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_wait_for_a_place_leaves_time_for_the_attempt() {
    let policy = policy(|config| {
        config.bulkhead.max_concurrent = 1;
        config.bulkhead.max_waiting = 1;
        config.bulkhead.max_wait = ms(4_000);
    });
    let dependency = Dependency::that(Does::AnswerAfter(ms(900)));
    let first = start(&policy, &dependency).await;
    let call = Call::new(()).by(Deadline::after(ms(1_200)));
    let error = send(&policy, &dependency, call).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.elapsed()),
        (&ErrorKind::BulkheadFull, ms(200))
    );
    assert!(first.await.unwrap().is_ok());
}

#[tokio::test(start_paused = true)]
async fn deadline_arithmetic_saturates() {
    let now = Instant::now();
    let deadline = Deadline::at(now + ms(300));
    assert_eq!(deadline.remaining(now), ms(300));
    assert_eq!(deadline.remaining(now + ms(400)), Duration::ZERO);
    assert_eq!(deadline.less(ms(100)).instant(), now + ms(200));
    assert_eq!(deadline.less(Duration::MAX).remaining(now), Duration::ZERO);
    assert_eq!(deadline.earlier(Deadline::after(Duration::MAX)), deadline);
}

fn behaviour() -> impl Strategy<Value = Does> {
    prop_oneof![
        Just(Does::Fail),
        Just(Does::Hang),
        Just(Does::Refuse),
        (0_u64..3_000).prop_map(|wait| Does::Ask(ms(wait))),
        (0_u64..1_500).prop_map(|time| Does::FailAfter(ms(time))),
        (0_u64..1_500).prop_map(|time| Does::AnswerAfter(ms(time))),
    ]
}

proptest! {
    #[test]
    fn no_call_outlasts_its_deadline_whatever_the_dependency_does(
        script in prop::collection::vec(behaviour(), 1..12),
        within in 0_u64..6_000,
        max_attempts in 1_u32..12,
        busy in 0_u64..4_000,
    ) {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        let (elapsed, error) = runtime.unwrap().block_on(async {
            let policy = policy(|config| {
                config.retry.max_attempts = max_attempts;
                config.retry.budget.floor_per_second = 1_000.0;
                config.bulkhead.max_concurrent = 1;
                config.bulkhead.max_waiting = 1;
                config.bulkhead.max_wait = ms(2_000);
            });
            // Somebody is in the way at first.
            let other = Dependency::that(Does::AnswerAfter(ms(busy)));
            let _other = start(&policy, &other).await;
            let began = Instant::now();
            let call = Call::new(()).by(Deadline::after(ms(within)));
            let dependency = Dependency::that(Does::Hang).first(script);
            let answer = send(&policy, &dependency, call).await;
            (began.elapsed(), answer.err())
        });
        prop_assert!(elapsed <= ms(within.min(5_000)), "{elapsed:?}");
        // Nothing but its own limits stops a call: the backstop behind them never fires.
        if let Some(error) = error.filter(|error| error.kind() == &ErrorKind::DeadlineExceeded) {
            prop_assert_eq!((error.attempts(), error.elapsed()), (0, ms(0)));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_ends_once() {
    let (policy, events) = watched(|_| {});
    let dependency = Dependency::that(Does::Answer);
    let mut call = Box::pin(policy.call(Call::new(()), |()| dependency.respond()));
    (&mut call).await.unwrap();
    let again = tokio::time::timeout(ms(60_000), &mut call).await;
    assert!(again.is_err(), "a second answer");
    let ends = |event: &Event| matches!(event, Event::Call { .. }).then_some(());
    assert_eq!(events.pick(ends).len(), 1);
}

/// On a thread of its own and in real time: were it not cut, it would never let the test go on.
#[test]
fn an_operation_that_always_has_more_to_do_is_cut_all_the_same() {
    let (done, ended) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build();
        runtime.unwrap().block_on(async {
            let policy = policy(|config| {
                config.attempt_timeout = ms(100);
                config.breaker.slow_call = Some(ms(50));
            });
            let busy = |()| async {
                loop {
                    tokio::task::consume_budget().await;
                }
                #[allow(unreachable_code, reason = "says what it would answer")]
                Ok::<u32, Trouble>(0)
            };
            let error = policy.call(Call::new(()), busy).await.unwrap_err();
            done.send(error.kind().clone()).unwrap();
        });
    });
    let kind = ended.recv_timeout(ms(5_000));
    assert_eq!(kind, Ok(ErrorKind::AttemptTimeout));
}
