//! What observers are told, and that they can do no harm.

use std::sync::{Arc, OnceLock};

use holdfast_policy::{
    BreakerState, CallOutcome, Event, OpenedBecause, OpeningRule, Outcome, Policy, RejectedBy,
    Snapshot,
};

use crate::support::{Dependency, Does, Judge, ask, config, ms, start, watched};

/// Why the policy's breaker is open.
fn two_failures_in_a_row(policy: &Policy<Judge>) -> OpenedBecause {
    let because = policy.snapshot().opened_because.unwrap();
    assert_eq!(because.rule, OpeningRule::ConsecutiveFailures);
    let figures = (
        because.calls,
        because.failures,
        because.slow,
        because.in_a_row,
    );
    assert_eq!((figures, because.last_error), ((2, 2, 0, 2), "failed"));
    because
}

#[tokio::test(start_paused = true)]
async fn a_call_tells_its_story_in_order() {
    let (policy, events) = watched(|config| {
        config.retry.max_attempts = 2;
        config.breaker.consecutive_failures = 2;
    });
    let dependency = Dependency::that(Does::Fail);
    let error = ask(&policy, &dependency).await.unwrap_err();
    ask(&policy, &dependency).await.unwrap_err();
    let because = two_failures_in_a_row(&policy);
    let (policy, elapsed) = ("worker", error.elapsed());
    let waits = events.pick(|event| match event {
        Event::Retry { after, .. } => Some(*after),
        _ => None,
    });
    let [after] = waits[..] else {
        panic!("one retry was due, not {waits:?}")
    };
    let failed = |number| {
        let outcome = Outcome::Failure;
        Event::Attempt {
            policy,
            number,
            outcome,
            elapsed: ms(0),
        }
    };
    let (from, to) = (BreakerState::Closed, BreakerState::Open);
    let expected = [
        failed(1),
        Event::Retry {
            policy,
            number: 2,
            after,
        },
        failed(2),
        Event::Transition {
            policy,
            from,
            to,
            generation: 1,
            because: Some(because),
        },
        Event::Call {
            policy,
            outcome: CallOutcome::Failed,
            attempts: 2,
            elapsed,
        },
        Event::Rejected {
            policy,
            by: RejectedBy::Breaker,
        },
        Event::Call {
            policy,
            outcome: CallOutcome::CircuitOpen,
            attempts: 0,
            elapsed: ms(0),
        },
    ];
    assert_eq!(events.events(), expected);
    assert!(
        events
            .events()
            .iter()
            .all(|event| event.policy() == "worker")
    );
}

#[tokio::test(start_paused = true)]
async fn a_panicking_observer_harms_neither_the_call_nor_the_policy() {
    let builder = Policy::builder("worker", config().into()).classify(Judge);
    let policy = builder
        .observe(|_: &Event| panic!("a broken observer"))
        .build()
        .unwrap();
    let dependency = Dependency::that(Does::Fail);
    for _ in 0..3 {
        ask(&policy, &dependency).await.unwrap_err();
    }
    assert_eq!(policy.breaker().unwrap().state(), BreakerState::Open);
    // Not even in a drop that is itself part of a panic, where a second one would abort.
    policy.breaker().unwrap().reset();
    dependency.now(Does::Panic);
    let task = tokio::spawn({
        let (policy, dependency) = (policy.clone(), dependency.clone());
        async move { ask(&policy, &dependency).await }
    });
    assert!(task.await.unwrap_err().is_panic());
    dependency.now(Does::Answer);
    assert!(ask(&policy, &dependency).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn an_observer_may_look_at_the_policy_it_observes() {
    // Called under a lock, this would never return.
    let looked: Arc<OnceLock<(Policy<Judge>, OnceLock<Snapshot>)>> = Arc::default();
    let observer = {
        let looked = Arc::clone(&looked);
        move |event: &Event| {
            if let (Event::Transition { .. }, Some((policy, seen))) = (event, looked.get()) {
                let _ = seen.set(policy.snapshot());
            }
        }
    };
    let builder = Policy::builder("worker", config().into()).classify(Judge);
    let policy = builder.observe(observer).build().unwrap();
    assert!(looked.set((policy.clone(), OnceLock::new())).is_ok());
    let dependency = Dependency::that(Does::Fail);
    for _ in 0..3 {
        ask(&policy, &dependency).await.unwrap_err();
    }
    let seen = looked.get().and_then(|(_, seen)| seen.get()).unwrap();
    assert_eq!(seen.breaker, BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_shows_rates_limits_and_budget() {
    let (policy, _) = watched(|config| config.breaker.consecutive_failures = 100);
    let dependency = Dependency::that(Does::Answer).first([Does::Fail]);
    for _ in 0..4 {
        let _ = ask(&policy, &dependency).await;
    }
    let now = policy.snapshot();
    assert_eq!(
        (now.breaker, now.opened_because),
        (BreakerState::Closed, None)
    );
    let rates = (now.failure_rate, now.slow_call_rate);
    assert_eq!(rates, (Some(0.25), Some(0.0)));
    let thresholds = (now.failure_rate_threshold, now.slow_call_rate_threshold);
    assert_eq!(thresholds, (Some(0.5), Some(0.8)));
    assert_eq!((now.in_flight, now.waiting, now.limit), (0, 0, Some(300)));
    let times = (now.retry_after, now.least_latency, now.hedge_after);
    assert_eq!((times, now.retry_budget), ((None, None, None), 10.0));
    assert_eq!(
        (policy.name(), policy.worst_case(), policy.seed()),
        ("worker", ms(5_000), 1)
    );
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_the_operation_ends_its_call() {
    let (policy, events) = watched(|_| {});
    let task = start(&policy, &Dependency::that(Does::Panic)).await;
    assert!(task.await.unwrap_err().is_panic());
    let outcome = CallOutcome::Panicked;
    let call = Event::Call {
        policy: "worker",
        outcome,
        attempts: 1,
        elapsed: ms(0),
    };
    assert_eq!(events.events().last(), Some(&call));
}
