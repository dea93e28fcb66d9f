//! A policy for each key.

use std::time::Duration;

use holdfast_policy::{
    BreakerState, Call, CallOutcome, Error, ErrorKind, Event, Keyed, KeyedConfig, Policy,
    PolicyConfig,
};
use tokio::time::{advance, sleep};

use crate::support::{Dependency, Does, Judge, Recorder, Settings, Trouble, config, ms};

fn keyed(max_keys: usize, change: impl FnOnce(&mut Settings)) -> Keyed<String, Judge> {
    let mut settings = config();
    change(&mut settings);
    let keys = KeyedConfig {
        max_keys,
        idle: ms(60_000),
    };
    let policies = Policy::builder("host", PolicyConfig::from(settings)).classify(Judge);
    policies.keyed(keys).unwrap()
}

async fn ask(
    keyed: &Keyed<String, Judge>,
    key: &str,
    dependency: &Dependency,
) -> Result<u32, Error<Trouble>> {
    let operation = |()| dependency.respond();
    keyed.call(key, Call::new(()), operation).await
}

#[tokio::test(start_paused = true)]
async fn one_key_does_not_suffer_for_another() {
    let keyed = keyed(10, |_| ());
    let (good, bad) = (Dependency::that(Does::Answer), Dependency::that(Does::Fail));
    for _ in 0..5 {
        ask(&keyed, "bad", &bad).await.unwrap_err();
        ask(&keyed, "good", &good).await.unwrap();
    }
    assert_eq!((bad.calls(), good.calls()), (3, 5));
    let error = ask(&keyed, "bad", &bad).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.policy()),
        (&ErrorKind::CircuitOpen, "host/bad")
    );
    let mut states = Vec::new();
    keyed.for_each(|key, policy| states.push((key.clone(), policy.snapshot().breaker)));
    states.sort_by(|one, other| one.0.cmp(&other.0));
    let expected = [("bad", BreakerState::Open), ("good", BreakerState::Closed)];
    assert_eq!(states, expected.map(|(key, state)| (key.to_owned(), state)));
    bad.now(Does::Answer);
    sleep(ms(7_000)).await;
    ask(&keyed, "bad", &bad).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn all_keys_together_keep_to_one_retry_budget() {
    let keyed = keyed(100, |config| {
        config.retry.max_attempts = 2;
        config.retry.budget.ratio = 0.0;
        config.retry.budget.floor_per_second = 5.0;
    });
    let broken = Dependency::that(Does::Fail);
    let keys: Vec<_> = (0..40).map(|number| number.to_string()).collect();
    let calls = keys.iter().map(|key| ask(&keyed, key, &broken));
    futures_util::future::join_all(calls).await;
    assert_eq!(broken.calls(), 40 + 5);
}

#[tokio::test(start_paused = true)]
async fn idle_keys_are_forgotten_and_those_in_use_are_not() {
    let keyed = keyed(10, |_| ());
    let dependency = Dependency::that(Does::Answer);
    ask(&keyed, "old", &dependency).await.unwrap();
    ask(&keyed, "kept", &dependency).await.unwrap();
    advance(ms(50_000)).await;
    keyed.forget_idle();
    ask(&keyed, "kept", &dependency).await.unwrap();
    advance(ms(20_000)).await;
    ask(&keyed, "new", &dependency).await.unwrap();
    let mut keys = Vec::new();
    keyed.for_each(|key, _| keys.push(key.clone()));
    keys.sort();
    assert_eq!(keys, ["kept", "new"]);
}

#[tokio::test(start_paused = true)]
async fn a_key_in_constant_use_is_not_forgotten_and_is_once_nobody_asks_for_it() {
    let keyed = keyed(10, |_| ());
    let dependency = Dependency::that(Does::Answer);
    for _ in 0..7 {
        ask(&keyed, "kept", &dependency).await.unwrap();
        advance(ms(10_000)).await;
    }
    ask(&keyed, "new", &dependency).await.unwrap();
    assert_eq!(keyed.len(), 2);
    advance(ms(61_000)).await;
    keyed.forget_idle();
    assert_eq!(keyed.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_open_breaker_of_a_key_in_constant_use_stays_open_until_its_dependency_is_well() {
    let keyed = keyed(10, |config| config.breaker.open_for = ms(30_000));
    let (good, bad) = (Dependency::that(Does::Answer), Dependency::that(Does::Fail));
    for _ in 0..3 {
        ask(&keyed, "bad", &bad).await.unwrap_err();
    }
    for _ in 0..7 {
        advance(ms(10_000)).await;
        ask(&keyed, "bad", &bad).await.unwrap_err();
    }
    let reached = bad.calls();
    ask(&keyed, "new", &good).await.unwrap();
    let error = ask(&keyed, "bad", &bad).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::CircuitOpen);
    assert_eq!(bad.calls(), reached);
    bad.now(Does::Answer);
    sleep(error.retry_after().unwrap()).await;
    ask(&keyed, "bad", &bad).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_keys_costs_no_memory_and_no_known_key_its_policy() {
    let keyed = keyed(3, |_| ());
    let dependency = Dependency::that(Does::Answer);
    ask(&keyed, "known", &dependency).await.unwrap();
    for number in 0..1_000 {
        ask(&keyed, &number.to_string(), &dependency).await.unwrap();
    }
    assert_eq!(keyed.len(), 3);
    let broken = Dependency::that(Does::Fail);
    for number in 500..510 {
        ask(&keyed, &number.to_string(), &broken).await.unwrap_err();
    }
    assert_eq!(broken.calls(), 3, "they share a breaker");
    ask(&keyed, "known", &dependency).await.unwrap();
    let error = ask(&keyed, "777", &dependency).await.unwrap_err();
    assert_eq!(error.policy(), "host/*");
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_keys_waits_for_nobody_who_looks_at_those_that_are_known() {
    let keyed = keyed(1, |_| ());
    let dependency = Dependency::that(Does::Answer);
    ask(&keyed, "known", &dependency).await.unwrap();
    keyed.for_each(|_, _| {
        let (keyed, dependency) = (keyed.clone(), dependency.clone());
        let runtime = tokio::runtime::Handle::current();
        let (tell, told) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            tell.send(runtime.block_on(ask(&keyed, "unknown", &dependency)))
        });
        let answer = told.recv_timeout(ms(5_000)).expect("no lock is waited for");
        answer.unwrap();
    });
    advance(ms(61_000)).await;
    ask(&keyed, "unknown", &dependency).await.unwrap();
    let mut keys = Vec::new();
    keyed.for_each(|key, _| keys.push(key.clone()));
    assert_eq!(keys, ["unknown"]);
}

#[tokio::test(start_paused = true)]
async fn the_observers_hear_of_all_keys() {
    let events = Recorder::default();
    let policies = Policy::builder("host", PolicyConfig::from(config())).classify(Judge);
    let policies = policies.observe(events.clone());
    let keyed = policies.keyed(KeyedConfig::default()).unwrap();
    let (good, bad) = (Dependency::that(Does::Answer), Dependency::that(Does::Fail));
    ask(&keyed, "good", &good).await.unwrap();
    ask(&keyed, "bad", &bad).await.unwrap_err();
    ask(&keyed, "good", &good).await.unwrap();
    let outcomes = events.pick(|event| match event {
        Event::Call { outcome, .. } => Some(*outcome),
        _ => None,
    });
    let (answered, failed) = (CallOutcome::Answered, CallOutcome::Failed);
    assert_eq!(outcomes, [answered, failed, answered]);
}

/// For how long the breaker of each key opens.
async fn open_times<const N: usize>(seed: u64, keys: [&str; N]) -> [Duration; N] {
    let policies = Policy::builder("host", PolicyConfig::from(config())).classify(Judge);
    let keyed = policies.seed(seed).keyed(KeyedConfig::default()).unwrap();
    let broken = Dependency::that(Does::Fail);
    for _ in 0..3 {
        for key in keys {
            ask(&keyed, key, &broken).await.unwrap_err();
        }
    }
    let mut times = [Duration::ZERO; N];
    for (time, key) in times.iter_mut().zip(keys) {
        let refused = ask(&keyed, key, &broken).await.unwrap_err();
        *time = refused.retry_after().unwrap();
    }
    times
}

#[tokio::test(start_paused = true)]
async fn a_seed_gives_each_key_its_own_jitter_and_the_same_in_each_run() {
    let [one, other] = open_times(1, ["one", "other"]).await;
    assert_ne!(one, other);
    assert_eq!(open_times(1, ["other", "one"]).await, [other, one]);
    assert_ne!(open_times(2, ["one"]).await, [one]);
}
