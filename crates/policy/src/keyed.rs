//! A policy for each key: one endpoint, tenant or host does not suffer for another.
//!
//! # Semantics
//!
//! Each key has a breaker and a bulkhead of its own; the retry budget is shared, for it is what all of
//! them together may add to the load. A key's policy is made when the key is first seen, under the name
//! `NAME/KEY`, and forgotten when it has not been used for `idle`, as if it had never been: so `idle`, in
//! whole seconds and rounded up, is never shorter than the breaker's longest open time. Not forgotten is a key
//! whose breaker is open and has time left, or was forced open or disabled by hand, nor one whose policy somebody
//! has in hand: a call under way, a reserved slot, a [`Policy`] that [`policy`](Keyed::policy) gave.
//!
//! When a key was last used is not written down at each call. It is noticed when all keys are looked at:
//! once a second at most, when a new key is met, or by [`forget_idle`](Keyed::forget_idle). So a key is
//! never forgotten too early; and if nobody looks for long, up to that much too late.
//!
//! There are at most `max_keys`. Keys beyond that share one policy, under `NAME/*`: a flood of made-up
//! keys costs no memory, and no key that is known its own.
//!
//! Of somebody else's code only a key's `Hash` and `Eq` run under the lock around the keys.
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

mod shared;

use std::borrow::Borrow;
use std::fmt;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use self::shared::Shared;
use crate::builder::Builder;
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
pub struct Keyed<K, C = ErrorsAreFailures> {
    shared: Arc<Shared<K, C>>,
}

impl Default for KeyedConfig {
    fn default() -> Self {
        Self {
            max_keys: 1_024,
            idle: Duration::from_secs(5 * 60),
        }
    }
}

impl<K, C> fmt::Debug for Keyed<K, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut keyed = f.debug_struct("Keyed");
        keyed.field("shared", &self.shared).finish()
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
        let shared = Shared::new(self.plan_of_several()?, keys);
        Ok(Keyed {
            shared: Arc::new(shared),
        })
    }
}

impl<K, C> Keyed<K, C>
where
    K: Eq + Hash + fmt::Display,
    C: Clone,
{
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
        self.policy(key).call(call, operation)
    }

    /// The policy of `key`, for all else that a [`Policy`] does: to send a request once, to layer a service, to reserve a
    /// slot, to look at the breaker. Ask for it anew for each call: one that is kept keeps its key from being forgotten, and
    /// does not follow [`reconfigured`](Self::reconfigured).
    #[must_use]
    pub fn policy<Q>(&self, key: &Q) -> Policy<C>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ToOwned<Owned = K> + ?Sized,
    {
        let shared = &*self.shared;
        let own = shared.known(key).or_else(|| shared.meet(key));
        own.unwrap_or_else(|| shared.overflow.handle())
    }

    /// The same keys under another configuration, for calls to come: put it where this one was. Each key keeps what
    /// [`Policy::reconfigured`] keeps, and all of them the budget. A key that is new here afterwards is not known there.
    ///
    /// # Errors
    /// If the configuration is incoherent; then nothing has changed.
    pub fn reconfigured(&self, policy: PolicyConfig) -> Result<Self, ConfigError>
    where
        K: Clone,
    {
        let shared = self.shared.reconfigured(&policy)?;
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// Shows the policy of each key that is known, after forgetting those that are idle.
    pub fn for_each(&self, mut look: impl FnMut(&K, &Policy<C>)) {
        self.forget_idle();
        let entries = self.shared.entries();
        entries
            .iter()
            .for_each(|entry| look(&entry.key, &entry.policy));
    }

    /// Keys that are known.
    pub fn len(&self) -> usize {
        self.shared.read().len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets what has been idle for too long. New keys do so by themselves.
    pub fn forget_idle(&self) {
        self.shared.forget_idle();
    }
}
