//! Which keys are not forgotten, however long nobody asks for them.

use std::fmt;
use std::sync::OnceLock;

use holdfast_policy::breaker::Circuit;
use holdfast_policy::{Call, ErrorKind, Keyed, KeyedConfig, Policy, PolicyConfig, Priority};
use tokio::time::advance;

use crate::support::{Dependency, Does, Judge, Settings, config, ms, settle};

/// Forgotten after a minute.
fn keyed(change: impl FnOnce(&mut Settings)) -> Keyed<String, Judge> {
    let mut settings = config();
    change(&mut settings);
    let policies = Policy::builder("host", PolicyConfig::from(settings)).classify(Judge);
    let keys = KeyedConfig {
        idle: ms(60_000),
        ..KeyedConfig::default()
    };
    policies.keyed(keys).unwrap()
}

/// How many keys are left once all have been looked at.
fn left(keyed: &Keyed<String, Judge>) -> usize {
    keyed.forget_idle();
    keyed.len()
}

#[tokio::test(start_paused = true)]
async fn one_whose_breaker_was_moved_by_hand_is_kept_until_it_is_reset_and_idle_again() {
    let keyed = keyed(|_| ());
    for by_hand in [Circuit::force_open, Circuit::disable] {
        by_hand(keyed.policy("key").breaker().unwrap());
        let _ = keyed.policy("other");
        for _ in 0..3 {
            advance(ms(61_000)).await;
            assert_eq!(left(&keyed), 1);
        }
        keyed.for_each(|key, policy| {
            assert_eq!(key, "key");
            policy.breaker().unwrap().reset();
        });
        advance(ms(59_000)).await;
        assert_eq!(left(&keyed), 1, "it was kept a minute ago");
        advance(ms(2_000)).await;
        assert_eq!(left(&keyed), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn one_whose_breaker_opened_late_is_kept_until_its_time_is_over() {
    let keyed = keyed(|config| {
        config.attempt_timeout = ms(4_000);
        config.breaker.consecutive_failures = 1;
        (config.breaker.open_for, config.breaker.max_open_for) = (ms(60_000), ms(60_000));
    });
    let dependency = Dependency::that(Does::FailAfter(ms(3_900)));
    let call = keyed.call("key", Call::new(()), {
        let dependency = dependency.clone();
        move |()| dependency.respond()
    });
    let call = tokio::spawn(call);
    settle().await;
    assert_eq!(left(&keyed), 1);
    call.await.unwrap().unwrap_err();
    advance(ms(59_000)).await;
    assert_eq!(
        left(&keyed),
        1,
        "62.9 s after it was used, 1 s before a probe is due"
    );
    let refused = keyed.call("key", Call::new(()), |()| dependency.respond());
    assert_eq!(refused.await.unwrap_err().kind(), &ErrorKind::CircuitOpen);
    advance(ms(62_000)).await;
    assert_eq!(left(&keyed), 1, "it was asked for a minute ago");
    advance(ms(62_000)).await;
    assert_eq!(left(&keyed), 0, "open, and a probe is due");
}

#[tokio::test(start_paused = true)]
async fn one_that_somebody_has_in_hand_is_kept() {
    let keyed = keyed(|config| config.bulkhead.max_concurrent = 1);
    let policy = keyed.policy("key");
    advance(ms(61_000)).await;
    assert_eq!(left(&keyed), 1);
    let clone = policy.clone();
    drop(policy);
    advance(ms(61_000)).await;
    assert_eq!(left(&keyed), 1, "a clone");
    let slot = clone.reserve(Priority::USUAL).await.unwrap();
    drop(clone);
    advance(ms(61_000)).await;
    assert_eq!(left(&keyed), 1, "a slot");
    drop(slot);
    advance(ms(59_000)).await;
    assert_eq!(left(&keyed), 1);
    advance(ms(2_000)).await;
    assert_eq!(left(&keyed), 0);
}

#[tokio::test(start_paused = true)]
async fn none_is_forgotten_a_part_of_a_second_too_early() {
    let mut settings = config();
    (settings.breaker.open_for, settings.breaker.max_open_for) = (ms(500), ms(500));
    let policies = Policy::builder("host", PolicyConfig::from(settings)).classify(Judge);
    let keys = KeyedConfig {
        idle: ms(1_500),
        ..KeyedConfig::default()
    };
    let keyed: Keyed<String, Judge> = policies.keyed(keys).unwrap();
    advance(ms(900)).await;
    let _ = keyed.policy("key");
    advance(ms(1_200)).await;
    assert_eq!(left(&keyed), 1);
    advance(ms(1_000)).await;
    assert_eq!(left(&keyed), 0);
}

/// A key that looks at all keys whenever it can.
#[derive(PartialEq, Eq, Hash)]
struct Nosy(u32);

static NOSY: OnceLock<Keyed<Nosy>> = OnceLock::new();

impl Nosy {
    fn look() {
        NOSY.get().map(Keyed::len);
    }
}

impl Clone for Nosy {
    fn clone(&self) -> Self {
        Self::look();
        Self(self.0)
    }
}

impl fmt::Display for Nosy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Self::look();
        self.0.fmt(f)
    }
}

impl Drop for Nosy {
    fn drop(&mut self) {
        Self::look();
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_may_look_at_all_keys_while_it_is_met_shown_and_forgotten() {
    let policies = Policy::builder("host", PolicyConfig::from(config()));
    let keyed = NOSY.get_or_init(|| policies.keyed(KeyedConfig::default()).unwrap());
    let names = |keyed: &Keyed<Nosy>| {
        let mut names = Vec::new();
        keyed.for_each(|key, policy| {
            // One that is new, and forgetting others.
            let _ = keyed.policy(&Nosy(key.0 + 100));
            keyed.forget_idle();
            names.push(policy.name().to_owned());
        });
        names
    };
    let _ = keyed.policy(&Nosy(1));
    assert_eq!(names(keyed), ["host/1"]);
    assert_eq!(keyed.len(), 2);
    advance(ms(301_000)).await;
    let _ = keyed.policy(&Nosy(2));
    assert_eq!(names(keyed), ["host/2"]);
}
