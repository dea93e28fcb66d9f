//! Why the API cannot be put together.

use holdfast_policy::ConfigError;
use metrics_exporter_prometheus::BuildError;

use crate::journal::JournalInUse;
use crate::store::DatabaseError;
use crate::worker_client::WorkerError;

/// A part that cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum AssemblyError {
    /// A policy is incoherent.
    #[error(transparent)]
    Policy(#[from] ConfigError),
    /// The HTTP client.
    #[error("the worker's client cannot be built: {0}")]
    Worker(#[from] WorkerError),
    /// The pool.
    #[error("the database's pool cannot be built: {0}")]
    Database(#[from] DatabaseError),
    /// Another process writes the journal: a configuration that cannot work.
    #[error("HOLDFAST_JOURNAL_DIR: {0}")]
    Journal(#[from] JournalInUse),
    /// The metrics exporter.
    #[error("the metrics recorder cannot be built: {0}")]
    Metrics(#[from] BuildError),
}
