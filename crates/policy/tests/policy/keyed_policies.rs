//! The policy of a key, in hand, and all keys under another configuration.

use holdfast_policy::{BreakerState, Call, ErrorKind, Keyed, KeyedConfig, Policy, PolicyConfig};
use tokio::time::sleep;

use crate::support::{Dependency, Does, Judge, Settings, ask, config, ms};

fn keyed(change: impl FnOnce(&mut Settings)) -> Keyed<String, Judge> {
    let mut settings = config();
    change(&mut settings);
    let policies = Policy::builder("host", PolicyConfig::from(settings)).classify(Judge);
    policies.seed(1).keyed(KeyedConfig::default()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_policy_of_a_key_offers_all_ways_to_call_and_is_that_of_its_calls() {
    struct NotClone(u32);
    let keyed = keyed(|_| ());
    let request = Call::new(NotClone(7));
    let send = |request: NotClone| async move { Ok(request.0) };
    let answer = keyed.policy("key").call_once(request, send).await;
    assert_eq!(answer.unwrap(), 7);
    let broken = Dependency::that(Does::Fail);
    for _ in 0..3 {
        ask(&keyed.policy("key"), &broken).await.unwrap_err();
    }
    let refused = keyed.call("key", Call::new(()), |()| broken.respond());
    let error = refused.await.unwrap_err();
    assert_eq!(
        (error.kind(), error.policy()),
        (&ErrorKind::CircuitOpen, "host/key")
    );
    let other = keyed.policy("other").snapshot().breaker;
    assert_eq!((other, keyed.len()), (BreakerState::Closed, 2));
}

#[tokio::test(start_paused = true)]
async fn by_another_configuration_each_key_keeps_its_breaker_and_all_of_them_their_budget() {
    let few_tokens = |config: &mut Settings| {
        config.retry.max_attempts = 2;
        config.retry.budget.ratio = 0.0;
        config.retry.budget.floor_per_second = 2.0;
    };
    let before = keyed(few_tokens);
    let dependency = Dependency::that(Does::Fail);
    for _ in 0..3 {
        ask(&before.policy("bad"), &dependency).await.unwrap_err();
    }
    ask(&before.policy("good"), &Dependency::that(Does::Answer))
        .await
        .unwrap();
    let tokens = before.policy("bad").snapshot().retry_budget;
    assert!(tokens < 2.0);

    let mut changed = config();
    few_tokens(&mut changed);
    changed.breaker.max_open_for = ms(5_000);
    changed.bulkhead.max_concurrent = 7;
    changed.retry.budget.floor_per_second = 4.0;
    let after = before.reconfigured(changed.into()).unwrap();
    let mut seen = Vec::new();
    after.for_each(|key, policy| {
        let snapshot = policy.snapshot();
        assert_eq!((snapshot.limit, snapshot.retry_budget), (Some(7), tokens));
        seen.push((key.clone(), policy.name().to_owned(), snapshot.breaker));
    });
    seen.sort_by(|one, other| one.0.cmp(&other.0));
    let expected = [
        ("bad", "host/bad", BreakerState::Open),
        ("good", "host/good", BreakerState::Closed),
    ];
    assert_eq!(
        seen,
        expected.map(|(key, name, state)| (key.to_owned(), name.to_owned(), state))
    );
    let new = after.policy("new").snapshot();
    assert_eq!((new.limit, new.retry_budget), (Some(7), tokens));

    dependency.now(Does::Answer);
    sleep(ms(1_000)).await;
    assert_eq!(after.policy("bad").snapshot().retry_budget, tokens + 4.0);
    sleep(ms(4_000)).await;
    ask(&after.policy("bad"), &dependency).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_incoherent_configuration_changes_no_key() {
    let before = keyed(|_| ());
    let policy = before.policy("key");
    let mut changed = config();
    changed.bulkhead.max_concurrent = 7;
    changed.breaker.failure_rate = 2.0;
    let error = before.reconfigured(changed.into()).unwrap_err();
    assert_eq!(error.key(), "host.breaker.failure_rate");
    assert_eq!(policy.snapshot().limit, Some(300));
}
