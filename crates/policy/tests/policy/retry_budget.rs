//! The retry budget bounds what all retries together add.

use holdfast_policy::retry::Budget;
use holdfast_policy::{BudgetConfig, Call, ErrorKind, Event};
use tokio::task::JoinHandle;
use tokio::time::advance;
use tower::{Layer, ServiceExt, service_fn};

use crate::support::{
    Dependency, Does, Settings, Trouble, ask, ms, policy, settle, start, watched, without_breaker,
};

fn floor_of(tokens: f64) -> impl FnOnce(&mut Settings) {
    move |config| {
        without_breaker(config);
        config.retry.max_attempts = 10;
        config.retry.budget.ratio = 0.0;
        config.retry.budget.floor_per_second = tokens;
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_token_the_failure_is_reported_at_once() {
    let (policy, events) = watched(floor_of(0.1));
    let dependency = Dependency::that(Does::Fail);
    let error = ask(&policy, &dependency).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Failed(Trouble::Broken));
    assert_eq!((error.attempts(), error.elapsed()), (1, ms(0)));
    assert!(
        events
            .events()
            .contains(&Event::BudgetExhausted { policy: "worker" })
    );
}

#[tokio::test(start_paused = true)]
async fn a_token_stays_taken_through_the_backoff() {
    let policy = policy(floor_of(1.0));
    let dependency = Dependency::that(Does::Fail);
    let waiting = start(&policy, &dependency).await;
    assert!(
        policy.snapshot().retry_budget < 1.0,
        "taken before the wait"
    );
    let error = ask(&policy, &dependency).await.unwrap_err();
    assert_eq!(error.attempts(), 1, "the one token is out");
    waiting.await.unwrap().unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn a_caller_who_leaves_during_the_backoff_gives_no_token_back() {
    let policy = policy(floor_of(1.0));
    let waiting = start(&policy, &Dependency::that(Does::Fail)).await;
    waiting.abort();
    waiting.await.unwrap_err();
    assert!(policy.snapshot().retry_budget < 1.0);
}

#[tokio::test(start_paused = true)]
async fn clones_and_layered_services_share_one_budget() {
    let policy = policy(floor_of(3.0));
    let dependency = Dependency::that(Does::Fail);
    let mut tasks = Vec::new();
    for _ in 0..5 {
        tasks.push(start(&policy.clone(), &dependency).await);
        let service = policy.layer(service_fn({
            let dependency = dependency.clone();
            move |()| dependency.respond()
        }));
        tasks.push(tokio::spawn(service.oneshot(Call::new(()))));
        settle().await;
    }
    assert!(policy.snapshot().retry_budget < 1.0);
    tasks.iter().for_each(JoinHandle::abort);
}

#[tokio::test(start_paused = true)]
async fn every_deposit_counts_in_its_own_second_the_first_of_it_too() {
    let budget = Budget::new(&BudgetConfig {
        ratio: 1.0,
        floor_per_second: 0.0,
    });
    for _ in 0..3 {
        budget.deposit();
        advance(ms(1_000)).await;
    }
    assert_eq!(budget.tokens(), 3.0);
    advance(ms(7_000)).await;
    assert_eq!(budget.tokens(), 2.0);
    advance(ms(2_000)).await;
    assert_eq!(budget.tokens(), 0.0);
}

#[tokio::test(start_paused = true)]
async fn what_is_no_part_of_a_token_is_refused_and_takes_nothing() {
    let budget = Budget::new(&BudgetConfig {
        ratio: 0.0,
        floor_per_second: 1.0,
    });
    for part in [f64::NAN, -1.0, f64::NEG_INFINITY, f64::INFINITY] {
        assert!(!budget.withdraw_part(part), "{part}");
    }
    assert_eq!(budget.tokens(), 1.0);
    assert!(budget.withdraw_part(0.5) && budget.withdraw_part(0.5));
    assert!(!budget.withdraw());
    advance(ms(1_000)).await;
    assert!(budget.withdraw());
}

#[tokio::test(start_paused = true)]
async fn attempts_stay_within_the_promised_share_of_the_calls() {
    let policy = policy(|config| {
        without_breaker(config);
        config.retry.max_attempts = 4;
        config.retry.budget.ratio = 0.1;
        config.retry.budget.floor_per_second = 1.0;
    });
    let dependency = Dependency::that(Does::Fail);
    // 20 calls per second for 100 seconds.
    for _ in 0..2_000 {
        drop(start(&policy, &dependency).await);
        tokio::time::sleep(ms(50)).await;
    }
    let per_call = f64::from(dependency.calls()) / 2_000.0;
    let bound = 1.0 + 0.1 + 1.0 / 20.0;
    assert!(per_call <= bound + 0.01, "{per_call}");
    assert!(
        per_call >= bound - 0.01,
        "a budget that grants less is no budget: {per_call}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_other_limits_forbid_costs_no_token() {
    let policy = policy(|config| {
        floor_of(2.0)(config);
        config.breaker.consecutive_failures = 1;
    });
    ask(&policy, &Dependency::that(Does::Fail))
        .await
        .unwrap_err();
    ask(&policy, &Dependency::that(Does::Fail))
        .await
        .unwrap_err();
    assert_eq!(policy.snapshot().retry_budget, 2.0);
}
