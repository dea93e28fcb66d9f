//! A policy for each key: one endpoint, tenant or host does not suffer for another.
//!
//! # Semantics
//!
//! Each key has a breaker and a bulkhead of its own; the retry budget is shared, for it is what all of
//! them together may add to the load. A key's policy is made when the key is first seen, under the name
//! `NAME/KEY`, and forgotten when it has not been used for `idle`, as if it had never been: so `idle` is
//! never shorter than the breaker's longest open time. What is under way keeps its policy until it ends.
//!
//! When a key was last used is not written down at each call. It is noticed when all keys are looked at:
//! once a second at most, when a new key is met, or by [`forget_idle`](Keyed::forget_idle). So a key is
//! never forgotten too early; and if nobody looks for long, up to that much too late.
//!
//! There are at most `max_keys`. Keys beyond that share one policy, under `NAME/*`: a flood of made-up
//! keys costs no memory, and no key that is known its own.
//!
//! # Defaults, and why
//!
//! | key | default |
//! |---|---|
//! | `max_keys` | `1024`: more than a service has endpoints |
//! | `idle` | `"5m"`: longer than a deployment |
//!
//! # Cost
//!
//! A key that is known costs a hash and a shared lock more than a policy without keys, no allocation, and
//! no reading of the clock: keys are forgotten when a new one is met, or by
//! [`forget_idle`](Keyed::forget_idle).
//!
//! Sources: the keyed bulkheads that users of Polly asked for; the isolated breakers of seatbelt.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};
use std::time::Duration;

use tokio::time::Instant;

use crate::builder::{Builder, Plan};
use crate::call::Call;
use crate::class::{Classify, ErrorsAreFailures};
use crate::config::{ConfigError, PolicyConfig};
use crate::policy::{CallFuture, Policy};

/// How many keys there may be, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyedConfig {
    /// Keys with a policy of their own, at most.
    pub max_keys: usize,
    /// What is not used for so long is forgotten.
    pub idle: Duration,
}

/// Policies by key. Clones share them.
#[derive(Debug)]
pub struct Keyed<K, C = ErrorsAreFailures> {
    shared: Arc<Shared<K, C>>,
}

#[derive(Debug)]
struct Shared<K, C> {
    plan: Plan<C>,
    config: KeyedConfig,
    origin: Instant,
    // When all keys were last looked at, in seconds since `origin`.
    looked: AtomicU64,
    overflow: Policy<C>,
    keys: RwLock<Keys<K, C>>,
}

type Keys<K, C> = HashMap<K, Arc<Entry<C>>>;

#[derive(Debug)]
struct Entry<C> {
    policy: Policy<C>,
    // When it was seen to have been used last, in seconds since `Shared::origin`; or `TOUCHED`.
    used: AtomicU64,
}

/// Used since the last look.
const TOUCHED: u64 = u64::MAX;

impl Default for KeyedConfig {
    fn default() -> Self {
        Self {
            max_keys: 1_024,
            idle: Duration::from_secs(5 * 60),
        }
    }
}

impl<K, C> Clone for Keyed<K, C> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<C: Clone> Builder<C> {
    /// Builds a policy for each key. They share the budget and the observers; the random choices of each derive from the
    /// seed and its key.
    ///
    /// # Errors
    /// Those of [`build`](Self::build).
    pub fn keyed<K>(self, keys: KeyedConfig) -> Result<Keyed<K, C>, ConfigError> {
        Ok(Keyed::by(self.plan_of_several()?, keys))
    }
}

impl<K, C: Clone> Keyed<K, C> {
    /// Policies made by `plan`.
    fn by(plan: Plan<C>, config: KeyedConfig) -> Self {
        Self {
            shared: Arc::new(Shared {
                config: KeyedConfig {
                    idle: config.idle.max(plan.longest_open_time()),
                    ..config
                },
                origin: Instant::now(),
                looked: AtomicU64::new(0),
                overflow: plan.of(&"*").policy(),
                keys: RwLock::default(),
                plan,
            }),
        }
    }
}

impl<K, C> Keyed<K, C>
where
    K: Eq + Hash + fmt::Display,
    C: Clone,
{
    /// Policies called `name`, all of them configured by `policy`; `classify` tells what an outcome
    /// means. Those with observers, a seed or another's budget are
    /// [built](crate::Builder::keyed).
    ///
    /// # Errors
    /// If the configuration is incoherent.
    pub fn new(
        name: impl Into<Arc<str>>,
        policy: PolicyConfig,
        config: KeyedConfig,
        classify: C,
    ) -> Result<Self, ConfigError> {
        let policies = Policy::builder(name, policy).classify(classify);
        policies.keyed(config)
    }

    /// Calls `operation` under the policy of `key`, as [`Policy::call`] does.
    ///
    /// # Errors
    /// The failure of the last attempt, or the policy that refused to make one.
    pub fn call<Q, R, F, Fut, T, E>(
        &self,
        key: &Q,
        call: Call<R>,
        operation: F,
    ) -> CallFuture<R, F, C>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ToOwned<Owned = K> + ?Sized,
        F: Fn(R) -> Fut,
        Fut: Future<Output = Result<T, E>>,
        R: Clone,
        C: Classify<T, E>,
    {
        match self.known(key).or_else(|| self.meet(key)) {
            Some(entry) => entry.policy.call(call, operation),
            None => self.shared.overflow.call(call, operation),
        }
    }

    /// Shows the policy of each key that is known, after forgetting those that are idle.
    pub fn for_each(&self, mut look: impl FnMut(&K, &Policy<C>)) {
        self.forget_idle();
        let keys = self.shared.keys.read();
        let keys = keys.unwrap_or_else(PoisonError::into_inner);
        keys.iter()
            .for_each(|(key, entry)| look(key, &entry.policy));
    }

    /// Keys that are known.
    pub fn len(&self) -> usize {
        let keys = self.shared.keys.read();
        keys.unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets what has been idle for too long. New keys do so by themselves.
    pub fn forget_idle(&self) {
        let mut keys = self.shared.lock();
        let gone = self.shared.sweep(&mut keys, self.shared.present());
        // Outside the lock: with a policy its observers go, whose code is somebody else's.
        drop(keys);
        drop(gone);
    }

    #[inline]
    fn known<Q>(&self, key: &Q) -> Option<Arc<Entry<C>>>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let keys = self.shared.keys.read();
        let keys = keys.unwrap_or_else(PoisonError::into_inner);
        let entry = keys.get(key)?;
        // Written only when it changes: all threads read it.
        if entry.used.load(Ordering::Relaxed) != TOUCHED {
            entry.used.store(TOUCHED, Ordering::Relaxed);
        }
        Some(Arc::clone(entry))
    }

    /// A key that is new. `None`: there are too many.
    fn meet<Q>(&self, key: &Q) -> Option<Arc<Entry<C>>>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ToOwned<Owned = K> + ?Sized,
    {
        let shared = &*self.shared;
        let present = shared.present();
        let looked = shared.looked.load(Ordering::Relaxed) == present;
        // A flood of keys neither keeps those that are known waiting nor looks at all of them each time.
        if looked && self.len() >= shared.config.max_keys {
            return None;
        }
        let mut keys = shared.lock();
        // Another thread may have met it since.
        if let Some(entry) = keys.get(key) {
            return Some(Arc::clone(entry));
        }
        let gone = (!looked).then(|| shared.sweep(&mut keys, present));
        let entry = (keys.len() < shared.config.max_keys).then(|| {
            let owned = key.to_owned();
            let entry = Arc::new(Entry {
                policy: shared.plan.of(&owned).policy(),
                used: AtomicU64::new(present),
            });
            keys.insert(owned, Arc::clone(&entry));
            entry
        });
        drop(keys);
        drop(gone);
        entry
    }
}

impl<K: Eq + Hash, C> Shared<K, C> {
    /// Seconds since `origin`.
    fn present(&self) -> u64 {
        self.origin.elapsed().as_secs()
    }

    fn lock(&self) -> RwLockWriteGuard<'_, Keys<K, C>> {
        self.keys.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at all keys, and takes out what has been idle for too long.
    fn sweep(&self, keys: &mut Keys<K, C>, present: u64) -> Vec<Arc<Entry<C>>> {
        self.looked.store(present, Ordering::Relaxed);
        let idle = self.config.idle.as_secs();
        let mut gone = Vec::new();
        keys.retain(|_, entry| {
            let unused = present.saturating_sub(entry.last_used(present));
            let kept = unused <= idle || entry.policy.snapshot().in_flight > 0;
            if !kept {
                gone.push(Arc::clone(entry));
            }
            kept
        });
        gone
    }
}

impl<C> Entry<C> {
    /// As seen by a look at `present`, which takes note of it. No call touches it meanwhile: the look has the lock.
    fn last_used(&self, present: u64) -> u64 {
        let used = self.used.load(Ordering::Relaxed);
        if used != TOUCHED {
            return used;
        }
        self.used.store(present, Ordering::Relaxed);
        present
    }
}
