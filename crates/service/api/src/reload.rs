//! The policy file read again while the API runs: all of it takes effect, for calls to come, or nothing does.
//!
//! What has been wired into sessions, files and leases cannot be changed under them: a file that changes such a key is
//! refused as well, by name.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use holdfast_policy::ConfigError;
use holdfast_wire::Reloads;
use toml::{Table, Value};

use crate::config::{Loaded, Policies, PolicyFileError, Settings, load};
use crate::current::Current;
use crate::dependencies::Dependencies;
use crate::limit::InFlightLimit;
use crate::open_work::OpenWork;
use crate::rate_limit::RateLimit;
use crate::worker_client::Endpoints;

/// Sections and keys that hold from the start of the process to its end.
const FIXED: [&str; 11] = [
    "worker.connect_timeout",
    "database.connect_timeout",
    "database.attempt_timeout",
    "database.deadline",
    "database.on_unavailable",
    "database.pool",
    "journal",
    "recovery.lease",
    "recovery.max_attempts",
    "recovery.max_concurrent",
    "idempotency",
];

/// Why what was read is not in force.
#[derive(Debug, thiserror::Error)]
enum ReloadError {
    /// The file would be refused at start too.
    #[error(transparent)]
    File(#[from] PolicyFileError),
    /// A key is fixed.
    #[error("{0} has changed: it takes effect only when the API is started again")]
    Fixed(&'static str),
    /// A policy is incoherent, which a file that was read rules out.
    #[error(transparent)]
    Policy(#[from] ConfigError),
}

/// The policy file, and all that goes by it.
pub(crate) struct Reload {
    file: Option<PathBuf>,
    policies: Arc<Current<Policies>>,
    parts: Parts,
    known: Mutex<Known>,
}

/// What is told that it has other policies; all else asks for those in force when it needs them.
pub(crate) struct Parts {
    dependencies: Dependencies,
    endpoints: Endpoints,
    pub(crate) process_limit: InFlightLimit,
    /// For calls that ask what is known of a key, or wait for the call that has it.
    pub(crate) asking_limit: InFlightLimit,
    pub(crate) rate_limit: Arc<Current<Option<RateLimit>>>,
    open_work: OpenWork,
}

struct Known {
    /// Of all files so far: calls under way end by the one they began with.
    longest_bound: Duration,
    table: Table,
    reloads: Reloads,
}

impl Parts {
    /// These, and the limits that `policies` set.
    pub(crate) fn new(
        policies: &Policies,
        dependencies: &Dependencies,
        endpoints: &Endpoints,
        open_work: &OpenWork,
    ) -> Self {
        Self {
            dependencies: dependencies.clone(),
            endpoints: endpoints.clone(),
            process_limit: InFlightLimit::new(policies.process.max_in_flight),
            asking_limit: InFlightLimit::new(asking(policies.process.max_in_flight)),
            rate_limit: Arc::new(Current::new(RateLimit::new(&policies.process.rate_limit))),
            open_work: open_work.clone(),
        }
    }
}

impl Reload {
    /// `policies` are those of `settings`, in force.
    pub(crate) fn new(settings: &Settings, policies: Arc<Current<Policies>>, parts: Parts) -> Self {
        Self {
            file: settings.policy_file.clone(),
            policies,
            parts,
            known: Mutex::new(Known {
                longest_bound: settings.policies.policies.worst_case(),
                table: settings.policies.table.clone(),
                reloads: Reloads::default(),
            }),
        }
    }

    /// Reads the file, and puts it in force if it can be. Blocks on the disk.
    pub(crate) fn run(&self) {
        let read = load(self.file.as_deref()).map_err(ReloadError::from);
        let mut known = self.known();
        let result = read.and_then(|loaded| self.put_in_force(loaded, &mut known.table));
        known.longest_bound = known.longest_bound.max(self.policies.get().worst_case());
        known.reloads.count += 1;
        known.reloads.refused = result.as_ref().err().map(ToString::to_string);
        drop(known);
        match result {
            Ok(()) => {
                let worst_case_seconds = self.policies.get().worst_case().as_secs_f64();
                tracing::info!(worst_case_seconds, "the policy file was read again");
            }
            Err(error) => tracing::error!(
                error = error.to_string(),
                "the policy file was read again and refused: all stays as it was"
            ),
        }
    }

    /// The policies in force, every key of theirs as written, and what became of the last reload: all of one moment.
    pub(crate) fn in_force(&self) -> (Arc<Policies>, Table, Reloads) {
        let known = self.known();
        (
            self.policies.get(),
            known.table.clone(),
            known.reloads.clone(),
        )
    }

    /// Within which every call under way is over.
    pub(crate) fn longest_bound(&self) -> Duration {
        self.known().longest_bound
    }

    fn put_in_force(&self, loaded: Loaded, table: &mut Table) -> Result<(), ReloadError> {
        let Loaded {
            policies,
            table: read,
        } = loaded;
        if let Some(key) = FIXED.iter().find(|key| at(table, key) != at(&read, key)) {
            return Err(ReloadError::Fixed(key));
        }
        let parts = &self.parts;
        let dependencies = &parts.dependencies;
        dependencies.worker.reconfigure(policies.worker.policy())?;
        parts.endpoints.reconfigure(&policies.worker.policy())?;
        for database in [&dependencies.database, &dependencies.catching_up] {
            database.reconfigure(policies.database.policy())?;
        }
        parts.process_limit.set(policies.process.max_in_flight);
        parts
            .asking_limit
            .set(asking(policies.process.max_in_flight));
        parts.open_work.take_on(policies.recovery.max_open);
        let rate_limit = "process.rate_limit";
        // Or each reload would give every client all of its share again.
        if at(table, rate_limit) != at(&read, rate_limit) {
            let limit = RateLimit::new(&policies.process.rate_limit);
            parts.rate_limit.set(limit);
        }
        self.policies.set(policies);
        *table = read;
        Ok(())
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What `table` says at the dotted `key`.
fn at<'a>(table: &'a Table, key: &str) -> Option<&'a Value> {
    let (section, rest) = match key.split_once('.') {
        Some((section, rest)) => (section, Some(rest)),
        None => (key, None),
    };
    let value = table.get(section)?;
    match rest {
        Some(rest) => at(value.as_table()?, rest),
        None => Some(value),
    }
}

/// How many calls may ask under a key where so many are worked on: they hold little, and a crowd under one key is of them.
fn asking(max_in_flight: u32) -> u32 {
    max_in_flight.saturating_mul(8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;

    #[test]
    fn what_is_fixed_is_in_the_file_and_in_the_guide() {
        let Loaded { table, .. } = parse("").unwrap();
        let guide = include_str!("../../../../docs/policies.md");
        let (_, guide) = guide.split_once("## Reading it again").unwrap();
        let (guide, _) = guide.split_once("\n## ").unwrap();
        for key in FIXED {
            assert!(at(&table, key).is_some(), "{key}");
            assert!(guide.contains(&format!("`{key}`")), "{key}");
        }
    }
}
