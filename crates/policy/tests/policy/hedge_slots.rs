//! The slot of a second attempt, and the token that pays for it.

use holdfast_policy::{Call, Event, Policy, Priority, RejectedBy};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::hedge::hedged;
use crate::support::{
    Answer, Dependency, Does, Judge, Settings, ask, ms, open_until_probe, send, settle, start,
    watched,
};

/// Hedged after 50 ms, with a single token.
fn two_places_and_a_queue(config: &mut Settings) {
    hedged(config);
    config.bulkhead.max_concurrent = 2;
    config.bulkhead.max_waiting = 1;
    config.bulkhead.max_wait = ms(500);
    config.retry.budget.ratio = 0.0;
    config.retry.budget.floor_per_second = 1.0;
}

async fn start_least_urgent(policy: &Policy<Judge>, dependency: &Dependency) -> JoinHandle<Answer> {
    let (policy, dependency) = (policy.clone(), dependency.clone());
    let call = Call::new(()).priority(Priority::LEAST);
    let task = tokio::spawn(async move { send(&policy, &dependency, call).await });
    settle().await;
    task
}

#[tokio::test(start_paused = true)]
async fn a_hedge_without_a_free_place_costs_no_token_and_nobody_its_turn() {
    let (policy, events) = watched(two_places_and_a_queue);
    let slow = Dependency::that(Does::AnswerAfter(ms(200)));
    let (first, second) = (start(&policy, &slow).await, start(&policy, &slow).await);
    let waiting = start_least_urgent(&policy, &Dependency::that(Does::Answer)).await;
    let tokens = policy.snapshot().retry_budget;
    sleep(ms(100)).await;
    assert_eq!(slow.calls(), 2);
    assert_eq!(policy.snapshot().waiting, 1);
    assert!(policy.snapshot().retry_budget >= tokens);
    for task in [first, second, waiting] {
        task.await.unwrap().unwrap();
    }
    assert_eq!(events.rejections(), []);
    let hung = Dependency::that(Does::Answer).first([Does::Hang]);
    ask(&policy, &hung).await.unwrap();
    assert_eq!(hung.calls(), 2, "with a place and a token there is a hedge");
}

#[tokio::test(start_paused = true)]
async fn a_hedge_that_the_budget_does_not_pay_for_gives_its_place_back() {
    let (policy, events) = watched(|config| {
        two_places_and_a_queue(config);
        config.retry.budget.floor_per_second = 0.01;
    });
    let slow = Dependency::that(Does::AnswerAfter(ms(200)));
    let first = start(&policy, &slow).await;
    sleep(ms(100)).await;
    assert_eq!((slow.calls(), policy.snapshot().in_flight), (1, 1));
    let exhausted = Event::BudgetExhausted { policy: "worker" };
    assert_eq!(events.events(), [exhausted]);
    let second = start(&policy, &slow).await;
    assert_eq!(policy.snapshot().in_flight, 2);
    first.await.unwrap().unwrap();
    second.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_waited_for_its_place_is_hedged_by_what_it_took_since() {
    let (policy, _) = watched(two_places_and_a_queue);
    let slow = Dependency::that(Does::AnswerAfter(ms(200)));
    let running = (start(&policy, &slow).await, start(&policy, &slow).await);
    let hung = Dependency::that(Does::AnswerAfter(ms(10))).first([Does::Hang]);
    let began = Instant::now();
    ask(&policy, &hung).await.unwrap();
    assert_eq!((began.elapsed(), hung.calls()), (ms(260), 2));
    running.0.await.unwrap().unwrap();
    running.1.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn while_the_ramp_lasts_nothing_is_hedged_and_afterwards_it_is() {
    let (policy, events) = watched(|config| {
        hedged(config);
        config.breaker.ramp = ms(3_000);
    });
    let dependency = Dependency::that(Does::Fail);
    open_until_probe(&policy, &dependency).await;
    dependency.now(Does::Answer);
    for _ in 0..2 {
        ask(&policy, &dependency).await.unwrap();
    }
    let tokens = policy.snapshot().retry_budget;
    let before = dependency.calls();
    dependency.now(Does::AnswerAfter(ms(80)));
    ask(&policy, &dependency).await.unwrap();
    assert_eq!(dependency.calls() - before, 1);
    assert!(policy.snapshot().retry_budget >= tokens);
    assert!(!events.rejections().contains(&RejectedBy::Ramp));
    sleep(ms(3_000)).await;
    ask(&policy, &dependency).await.unwrap();
    assert_eq!(dependency.calls() - before, 3);
}
