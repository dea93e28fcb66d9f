//! The keys that are known, and the policy of each.
//!
//! What is made of a key, and what goes with one that is forgotten, is made before the lock is taken and dropped after it
//! is left: a key, a classifier and an observer are somebody else's code.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tokio::time::Instant;

use super::KeyedConfig;
use crate::builder::Plan;
use crate::config::{ConfigError, PolicyConfig};
use crate::policy::Policy;

pub(super) struct Shared<K, C> {
    plan: Plan<C>,
    config: KeyedConfig,
    /// Of keys beyond those that there may be.
    pub(super) overflow: Policy<C>,
    // In seconds.
    idle: u64,
    origin: Instant,
    // When all keys were last looked at, in seconds since `origin`.
    looked: AtomicU64,
    keys: RwLock<Keys<K, C>>,
}

type Keys<K, C> = HashMap<K, Arc<Entry<K, C>>>;

pub(super) struct Entry<K, C> {
    /// The same as the one it is found by: that one cannot be had without the lock.
    pub(super) key: K,
    pub(super) policy: Policy<C>,
    // When it was seen to have been used last, in seconds since `Shared::origin`; or `TOUCHED`.
    used: AtomicU64,
}

/// Used since the last look.
const TOUCHED: u64 = u64::MAX;

impl<K, C> fmt::Debug for Shared<K, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shared = f.debug_struct("Shared");
        let shared = shared.field("config", &self.config);
        let shared = shared.field("overflow", &self.overflow);
        shared.finish_non_exhaustive()
    }
}

impl<K, C: Clone> Shared<K, C> {
    /// Policies made by `plan`.
    pub(super) fn new(plan: Plan<C>, config: KeyedConfig) -> Self {
        let overflow = plan.of(&"*").policy();
        Self::with(plan, config, overflow)
    }

    fn with(plan: Plan<C>, config: KeyedConfig, overflow: Policy<C>) -> Self {
        let idle = config.idle.max(plan.longest_open_time());
        Self {
            plan,
            config,
            overflow,
            // Rounded up: nothing is forgotten too early.
            idle: idle.as_secs() + u64::from(idle.subsec_nanos() > 0),
            origin: Instant::now(),
            looked: AtomicU64::new(0),
            keys: RwLock::default(),
        }
    }
}

impl<K, C> Shared<K, C> {
    pub(super) fn read(&self) -> RwLockReadGuard<'_, Keys<K, C>> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Keys<K, C>> {
        self.keys.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// All that are known now.
    pub(super) fn entries(&self) -> Vec<Arc<Entry<K, C>>> {
        self.read().values().map(Arc::clone).collect()
    }

    /// Seconds since `origin`.
    fn present(&self) -> u64 {
        self.origin.elapsed().as_secs()
    }
}

impl<K: Eq + Hash, C> Shared<K, C> {
    /// By a handle of its own, so that a look at all keys sees that it is in use.
    #[inline]
    pub(super) fn known<Q>(&self, key: &Q) -> Option<Policy<C>>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let keys = self.read();
        let entry = keys.get(key)?;
        // Written only when it changes: all threads read it.
        if entry.used.load(Ordering::Relaxed) != TOUCHED {
            entry.used.store(TOUCHED, Ordering::Relaxed);
        }
        Some(entry.policy.handle())
    }

    /// Looks at all keys, and forgets what has been idle for too long.
    pub(super) fn forget_idle(&self) {
        let present = self.present();
        let now = Instant::now();
        let mut keys = self.write();
        self.looked.store(present, Ordering::Relaxed);
        let is_idle = |entry: &&Arc<Entry<K, C>>| entry.unused(present, now) > self.idle;
        let idle: Vec<_> = keys.values().filter(is_idle).map(Arc::clone).collect();
        let keys_of = idle.iter().map(|entry| keys.remove_entry(&entry.key));
        let gone: Vec<_> = keys_of.collect();
        drop(keys);
        drop((idle, gone));
    }
}

impl<K, C> Shared<K, C>
where
    K: Eq + Hash + fmt::Display,
    C: Clone,
{
    /// A key that is new. `None`: there are too many.
    pub(super) fn meet<Q>(&self, key: &Q) -> Option<Policy<C>>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ToOwned<Owned = K> + ?Sized,
    {
        let present = self.present();
        // A flood of keys neither looks at all that are known each time nor keeps them waiting.
        if self.looked.load(Ordering::Relaxed) != present {
            self.forget_idle();
        }
        if self.read().len() >= self.config.max_keys {
            return None;
        }
        let (found_by, key_of_entry) = (key.to_owned(), key.to_owned());
        let policy = self.plan.of(&key_of_entry).policy();
        let entry = Entry::new(key_of_entry, policy.handle(), present);
        let mut keys = self.write();
        // Another thread may have met it since, or others.
        if let Some(known) = keys.get(key) {
            return Some(known.policy.handle());
        }
        if keys.len() >= self.config.max_keys {
            return None;
        }
        keys.insert(found_by, entry);
        Some(policy)
    }

    /// The same keys, all of them just used, by another configuration.
    pub(super) fn reconfigured(&self, policy: &PolicyConfig) -> Result<Self, ConfigError>
    where
        K: Clone,
    {
        let plan = self.plan.reconfigured(policy.clone())?;
        let overflow = self.overflow.reconfigured(policy.clone())?;
        let mut shared = Self::with(plan, self.config.clone(), overflow);
        let mut keys = HashMap::new();
        for entry in self.entries() {
            let policy = entry.policy.reconfigured(policy.clone())?;
            let entry = Entry::new(entry.key.clone(), policy, TOUCHED);
            keys.insert(entry.key.clone(), entry);
        }
        shared.keys = RwLock::new(keys);
        Ok(shared)
    }
}

impl<K, C> Entry<K, C> {
    fn new(key: K, policy: Policy<C>, used: u64) -> Arc<Self> {
        let used = AtomicU64::new(used);
        Arc::new(Self { key, policy, used })
    }

    /// For how many seconds it has not been used, as seen by a look at `present`, which takes note of it. No call touches it
    /// meanwhile: the look has the lock.
    fn unused(&self, present: u64, now: Instant) -> u64 {
        let used = self.used.load(Ordering::Relaxed);
        if used == TOUCHED || self.policy.is_needed(now) {
            self.used.store(present, Ordering::Relaxed);
            return 0;
        }
        present.saturating_sub(used)
    }
}
