//! The pools of sessions: one for each of those who must not take each other's.

use std::time::Duration;

use tokio::runtime::Handle;

use crate::config::{READERS, RECOVERERS, Settings};
use crate::overview::POOLS;
use crate::resolver::Resolver;
use crate::store::{DatabaseError, Store, StoreOptions};

/// The stores of those who must not take each other's sessions.
pub(super) struct Stores {
    pub(super) live: Store,
    pub(super) reads: Store,
    pub(super) recovery: Store,
    pub(super) naive: Store,
}

impl Stores {
    /// In the order of [`POOLS`].
    pub(super) fn pools(&self) -> [Store; POOLS.len()] {
        [&self.live, &self.reads, &self.recovery, &self.naive].map(Store::clone)
    }

    /// Whose sessions are in doubt as soon as the database's breaker opens.
    pub(super) fn clients(&self) -> [Store; 3] {
        [&self.live, &self.reads, &self.recovery].map(Store::clone)
    }

    pub(super) fn build(settings: &Settings, runtime: &Handle) -> Result<Self, DatabaseError> {
        let policy = &settings.policies.policies.database;
        let resolver = Resolver::new(runtime.clone(), lookup_limit(policy.connect_timeout));
        let store = |role, max_sessions, statement_limit| {
            let options = StoreOptions {
                role,
                max_sessions,
                statement_limit,
            };
            let (resolver, runtime) = (resolver.clone(), runtime.clone());
            Store::resilient(&settings.database, policy, options, resolver, runtime)
        };
        Ok(Self {
            live: store("resilient", policy.pool.max_size, policy.attempt_timeout)?,
            // A listing may take as long as a whole call.
            reads: store("reads", READERS, policy.deadline)?,
            recovery: store("recovery", RECOVERERS, policy.attempt_timeout)?,
            naive: naive_store(settings, runtime)?,
        })
    }
}

/// A lookup gets less than the whole connect timeout, so that a silent resolver is told from a silent server.
pub(super) fn lookup_limit(connect_timeout: Duration) -> Option<Duration> {
    Some(connect_timeout * 4 / 5)
}

fn naive_store(settings: &Settings, runtime: &Handle) -> Result<Store, DatabaseError> {
    let resolver = Resolver::new(runtime.clone(), None);
    let max_size = settings.policies.policies.database.pool.max_size;
    Store::naive(&settings.database, max_size, resolver, runtime.clone())
}
