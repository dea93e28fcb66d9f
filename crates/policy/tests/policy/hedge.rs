//! A second attempt beside one that takes unusually long.

use std::time::Duration;

use holdfast_policy::attempt::Attempt;
use holdfast_policy::{
    BreakerState, Call, ErrorKind, Event, HedgeConfig, HedgeDelay, HedgeOutcome,
};
use holdfast_policy::{Outcome, Policy};
use tokio::time::Instant;

use crate::support::{
    Dependency, Does, Judge, Recorder, Settings, Trouble, ask, ms, open_until_probe, send, start,
    watched, without_breaker,
};

/// Hedged after 50 ms.
pub(crate) fn hedged(config: &mut Settings) {
    config.hedge = Some(HedgeConfig {
        after: HedgeDelay::Fixed(ms(50)),
        ..HedgeConfig::default()
    });
}

/// Hedged after the 95th percentile, with tokens for all.
fn after_p95(config: &mut Settings) {
    config.hedge = Some(HedgeConfig::default());
    config.retry.budget.ratio = 1.0;
    without_breaker(config);
}

fn hedges(events: &Recorder) -> Vec<HedgeOutcome> {
    events.pick(|event| match event {
        Event::Hedge { outcome, .. } => Some(*outcome),
        _ => None,
    })
}

async fn timed(policy: &Policy<Judge>, dependency: &Dependency) -> Duration {
    let began = Instant::now();
    ask(policy, dependency).await.unwrap();
    began.elapsed()
}

#[tokio::test(start_paused = true)]
async fn a_second_attempt_answers_for_one_that_is_slow() {
    let (policy, events) = watched(hedged);
    let dependency = Dependency::that(Does::AnswerAfter(ms(10))).first([Does::Hang]);
    assert_eq!(timed(&policy, &dependency).await, ms(60));
    assert_eq!((dependency.calls(), policy.snapshot().in_flight), (2, 0));
    assert_eq!(hedges(&events), [HedgeOutcome::Won]);
    assert_eq!(events.attempts(), [Outcome::Success, Outcome::Cancelled]);
    assert!(matches!(
        events.events().last(),
        Some(Event::Call { attempts: 2, .. })
    ));
}

#[tokio::test(start_paused = true)]
async fn the_first_attempt_may_still_win_and_the_second_is_dropped() {
    let (policy, events) = watched(hedged);
    let dependency = Dependency::that(Does::Hang).first([Does::AnswerAfter(ms(80))]);
    assert_eq!(timed(&policy, &dependency).await, ms(80));
    assert_eq!((dependency.calls(), policy.snapshot().in_flight), (2, 0));
    assert_eq!(hedges(&events), [HedgeOutcome::Lost]);
}

#[tokio::test(start_paused = true)]
async fn a_fast_answer_is_not_hedged() {
    let (policy, events) = watched(hedged);
    let dependency = Dependency::that(Does::AnswerAfter(ms(49)));
    assert_eq!(timed(&policy, &dependency).await, ms(49));
    assert_eq!((dependency.calls(), hedges(&events)), (1, vec![]));
}

#[tokio::test(start_paused = true)]
async fn what_is_not_idempotent_is_not_hedged() {
    let (policy, _) = watched(hedged);
    let dependency = Dependency::that(Does::AnswerAfter(ms(500)));
    let call = Call::new(()).idempotent(false);
    send(&policy, &dependency, call).await.unwrap();
    assert_eq!(dependency.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_fails_waits_for_the_other() {
    let (policy, events) = watched(hedged);
    let slow = Does::AnswerAfter(ms(100));
    let dependency = Dependency::that(slow).first([Does::FailAfter(ms(70))]);
    assert_eq!(timed(&policy, &dependency).await, ms(150));
    let dependency = Dependency::that(Does::Fail).first([slow]);
    assert_eq!(timed(&policy, &dependency).await, ms(100));
    assert_eq!(hedges(&events), [HedgeOutcome::Won, HedgeOutcome::Lost]);
}

#[tokio::test(start_paused = true)]
async fn when_both_fail_the_caller_gets_what_the_first_failed_by_and_a_retry_may_follow() {
    let (policy, events) = watched(|config| {
        hedged(config);
        without_breaker(config);
        config.retry.max_attempts = 2;
    });
    let dependency = Dependency::that(Does::Fail).first([Does::FailAfter(ms(70)), Does::Refuse]);
    let error = ask(&policy, &dependency).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Failed(Trouble::Broken));
    assert_eq!((error.attempts(), dependency.calls()), (3, 3));
    let numbers = events.pick(|event| match event {
        Event::Attempt { number, .. } | Event::Retry { number, .. } => Some(*number),
        _ => None,
    });
    assert_eq!(
        numbers,
        [2, 1, 3, 3],
        "each attempt has a number of its own"
    );
}

#[tokio::test(start_paused = true)]
async fn a_spent_budget_stops_new_hedges_and_not_those_under_way() {
    let (policy, events) = watched(|config| {
        hedged(config);
        config.retry.budget.ratio = 0.0;
        config.retry.budget.floor_per_second = 1.0;
    });
    let slow = Dependency::that(Does::AnswerAfter(ms(400)));
    let (first, second) = (start(&policy, &slow).await, start(&policy, &slow).await);
    first.await.unwrap().unwrap();
    second.await.unwrap().unwrap();
    assert_eq!(slow.calls(), 3, "one token");
    assert_eq!(hedges(&events), [HedgeOutcome::Lost]);
    let exhausted = Event::BudgetExhausted { policy: "worker" };
    assert!(events.events().contains(&exhausted));
}

#[tokio::test(start_paused = true)]
async fn retries_and_hedges_together_stay_within_the_promised_share() {
    let (policy, _) = watched(|config| {
        hedged(config);
        without_breaker(config);
        config.retry.max_attempts = 4;
        config.retry.budget.ratio = 0.1;
        config.retry.budget.floor_per_second = 1.0;
    });
    let dependency = Dependency::that(Does::FailAfter(ms(60)));
    for _ in 0..2_000 {
        drop(start(&policy, &dependency).await);
        tokio::time::sleep(ms(50)).await;
    }
    let per_call = f64::from(dependency.calls()) / 2_000.0;
    // 20 calls a second: 1 + 0.1 + 1 / 20, and what was saved before.
    assert!((1.1..1.16).contains(&per_call), "{per_call}");
}

#[tokio::test(start_paused = true)]
async fn no_second_attempt_starts_without_time_for_it() {
    let (policy, _) = watched(|config| {
        hedged(config);
        config.deadline = ms(1_040);
    });
    let dependency = Dependency::that(Does::AnswerAfter(ms(500)));
    ask(&policy, &dependency).await.unwrap();
    assert_eq!(dependency.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_probe_is_not_hedged() {
    let (policy, events) = watched(hedged);
    let dependency = Dependency::that(Does::Fail);
    open_until_probe(&policy, &dependency).await;
    dependency.now(Does::AnswerAfter(ms(200)));
    let before = dependency.calls();
    ask(&policy, &dependency).await.unwrap();
    assert_eq!(policy.snapshot().breaker, BreakerState::HalfOpen);
    ask(&policy, &dependency).await.unwrap();
    assert_eq!(policy.snapshot().breaker, BreakerState::Closed);
    assert_eq!((dependency.calls() - before, hedges(&events)), (2, vec![]));
    ask(&policy, &dependency).await.unwrap();
    assert_eq!(hedges(&events), [HedgeOutcome::Lost], "closed again");
}

#[tokio::test(start_paused = true)]
async fn the_wait_for_a_place_is_not_hedged() {
    let (policy, _) = watched(|config| {
        hedged(config);
        config.bulkhead.max_concurrent = 1;
        config.bulkhead.max_waiting = 1;
        config.bulkhead.max_wait = ms(500);
    });
    let slow = Dependency::that(Does::AnswerAfter(ms(300)));
    let running = start(&policy, &slow).await;
    let fast = Dependency::that(Does::AnswerAfter(ms(10)));
    let waiting = start(&policy, &fast).await;
    running.await.unwrap().unwrap();
    waiting.await.unwrap().unwrap();
    assert_eq!((slow.calls(), fast.calls()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn hung_attempts_that_hedges_answer_for_still_open_the_breaker() {
    let (policy, _) = watched(|config| {
        config.hedge = Some(HedgeConfig {
            after: HedgeDelay::Fixed(ms(600)),
            ..HedgeConfig::default()
        });
        config.breaker.failure_rate = 0.5;
    });
    let dependency = Dependency::that(Does::Answer);
    for _ in 0..4 {
        let dependency = dependency.clone().first([Does::Hang]);
        let _ = ask(&policy, &dependency).await;
    }
    assert_eq!(policy.snapshot().breaker, BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_leaves_cancels_both() {
    let (policy, events) = watched(hedged);
    let dependency = Dependency::that(Does::Hang);
    let task = start(&policy, &dependency).await;
    tokio::time::sleep(ms(100)).await;
    assert_eq!((dependency.calls(), policy.snapshot().in_flight), (2, 2));
    task.abort();
    task.await.unwrap_err();
    assert_eq!(policy.snapshot().in_flight, 0);
    assert_eq!(hedges(&events), [HedgeOutcome::Cancelled]);
}

#[tokio::test(start_paused = true)]
async fn the_observed_percentile_decides_once_enough_is_known() {
    let (policy, _) = watched(after_p95);
    let dependency = Dependency::that(Does::AnswerAfter(ms(20)));
    assert_eq!(policy.snapshot().hedge_after, None);
    for _ in 0..20 {
        ask(&policy, &dependency).await.unwrap();
    }
    assert_eq!(dependency.calls(), 20);
    let after = policy.snapshot().hedge_after.unwrap();
    assert!((20..24).contains(&after.as_millis()), "{after:?}");
    let dependency = dependency.first([Does::Hang]);
    let took = timed(&policy, &dependency).await;
    assert!(took <= ms(20) + after + ms(1), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn five_per_cent_slow_ones_cost_five_per_cent_more_attempts_and_no_tail() {
    let (policy, _) = watched(after_p95);
    let dependency = Dependency::that(Does::AnswerAfter(ms(20)));
    let mut took = Vec::new();
    for n in 0..4_000 {
        if n % 25 == 24 {
            dependency.clone().first([Does::AnswerAfter(ms(900))]);
        }
        took.push(timed(&policy, &dependency).await);
    }
    took.sort_unstable();
    assert!(took[3_960] < ms(60), "p99 {:?}", took[3_960]);
    let more = f64::from(dependency.calls()) / 4_000.0;
    assert!((1.0..=1.05).contains(&more), "{more} attempts per call");
}

#[tokio::test(start_paused = true)]
async fn cutting_the_tail_does_not_talk_the_percentile_down() {
    let (policy, _) = watched(after_p95);
    let dependency = Dependency::that(Does::Answer);
    let mut spread = fastrand::Rng::with_seed(1);
    for _ in 0..10_000 {
        // Evenly from 100 to 200 ms: every twentieth takes 195 or more, hedged or not.
        let time = ms(100 + spread.u64(0..100));
        dependency.clone().first([Does::AnswerAfter(time)]);
        dependency.now(Does::AnswerAfter(ms(1)));
        ask(&policy, &dependency).await.unwrap();
    }
    let after = policy.snapshot().hedge_after.unwrap();
    assert!((190..225).contains(&after.as_millis()), "{after:?}");
}

#[tokio::test(start_paused = true)]
async fn a_hedge_can_be_sent_to_another_target() {
    let (policy, _) = watched(hedged);
    let bad = Dependency::that(Does::Hang);
    let good = Dependency::that(Does::AnswerAfter(ms(10)));
    let targets = [&bad, &good];
    let to = |attempt: Attempt<u32>| {
        assert_eq!((attempt.request, attempt.hedged), (7, attempt.number == 2));
        targets[(attempt.number as usize - 1) % 2].respond()
    };
    policy.call_attempts(Call::new(7), to).await.unwrap();
    assert_eq!((bad.calls(), good.calls()), (1, 1));
}
