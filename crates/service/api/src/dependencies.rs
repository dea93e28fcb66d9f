//! The policies in force, one for each of those who must not decide for each other.

use std::sync::Arc;

use holdfast_policy::{ConfigError, Observer};
use holdfast_wire::DegradedCode;

use crate::config::Policies;
use crate::dependency::Dependency;

/// What hears of each event of a policy.
type Observers = Vec<Arc<dyn Observer>>;

/// Each with a policy of its own.
#[derive(Clone)]
pub struct Dependencies {
    /// The worker, for live calls and recovery.
    pub worker: Arc<Dependency>,
    /// The database, for live calls.
    pub database: Arc<Dependency>,
    /// The database, for recovery: what its statements come to must not decide for live calls.
    pub catching_up: Arc<Dependency>,
}

impl Dependencies {
    /// As `policies` say; what is drawn at random comes from `seed`.
    ///
    /// # Errors
    /// When a policy is incoherent.
    pub fn new(policies: &Policies, seed: u64) -> Result<Self, ConfigError> {
        Self::observed(policies, |_| seed, vec![], vec![])
    }

    /// The same, with a seed by name, and with observers of the worker and the database. Recovery's calls of the database
    /// have none: the metrics and the page show what live calls get.
    ///
    /// # Errors
    /// When a policy is incoherent.
    pub(crate) fn observed(
        policies: &Policies,
        seed: impl Fn(&'static str) -> u64,
        of_worker: Observers,
        of_database: Observers,
    ) -> Result<Self, ConfigError> {
        let database = |name, observers| {
            let (code, policy) = (DegradedCode::DbUnavailable, policies.database.policy());
            Dependency::new(name, code, policy, seed(name), observers).map(Arc::new)
        };
        let (name, code) = ("worker", DegradedCode::WorkerUnavailable);
        let worker = Dependency::new(name, code, policies.worker.policy(), seed(name), of_worker);
        Ok(Self {
            worker: worker.map(Arc::new)?,
            database: database("database", of_database)?,
            catching_up: database("database (recovery)", vec![])?,
        })
    }
}
