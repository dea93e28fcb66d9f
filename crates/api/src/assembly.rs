//! Where the API is put together: which dependency gets which policy, resolver, pool and client.

use std::sync::Arc;

use holdfast_ops::Readiness;
use holdfast_policy::ConfigError;
use holdfast_wire::DegradedCode;
use metrics_exporter_prometheus::BuildError;
use rustix::process::{Resource, getrlimit};
use tokio::runtime::Handle;

use crate::config::Settings;
use crate::dependency::Dependency;
use crate::guarded::{GuardedStore, GuardedWorker};
use crate::limit::InFlightLimit;
use crate::metrics::Metrics;
use crate::naive::Naive;
use crate::open_work::OpenWork;
use crate::process::{Process, Rules};
use crate::resolver::Resolver;
use crate::state::State;
use crate::store::{DatabaseError, Store};
use crate::worker_client::{WorkerClient, WorkerError};

/// The naive endpoint's one guard: its hung calls hold memory and file descriptors.
const NAIVE_MAX_IN_FLIGHT: u32 = 4096;
/// File descriptors that its calls must leave to all others.
const DESCRIPTORS_FOR_THE_OTHERS: u64 = 1536;
/// Bodies of the resilient endpoint that may be arriving at once: 64 MiB of memory at most.
const MAX_BODIES: u32 = 1024;

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
    /// The metrics exporter.
    #[error("the metrics recorder cannot be built: {0}")]
    Metrics(#[from] BuildError),
}

/// Builds all parts; must be called inside the runtime that background work shall live on.
pub(crate) fn assemble(settings: Settings) -> Result<State, AssemblyError> {
    let runtime = Handle::current();
    let policies = &settings.policies.policies;
    let (metrics, [worker_metrics, database_metrics]) = Metrics::new(["worker", "database"])?;
    let seed = fastrand::u64(..);
    tracing::info!(seed, "retry and breaker jitter");

    let worker = Arc::new(Dependency::new(
        "worker",
        DegradedCode::WorkerUnavailable,
        policies.worker.policy(),
        seed,
        worker_metrics,
    )?);
    let database = Arc::new(Dependency::new(
        "database",
        DegradedCode::DbUnavailable,
        policies.database.policy(),
        seed.wrapping_add(1),
        database_metrics,
    )?);

    // A lookup gets less than the whole connect timeout, so that a silent resolver is told from a silent server.
    let lookup_limit = |connect_timeout| Some(connect_timeout * 4 / 5);
    let to_worker = Resolver::new(
        runtime.clone(),
        lookup_limit(policies.worker.connect_timeout),
    );
    let to_database = Resolver::new(
        runtime.clone(),
        lookup_limit(policies.database.connect_timeout),
    );
    let client = WorkerClient::resilient(
        &settings.worker_url,
        policies.worker.connect_timeout,
        to_worker,
    )?;
    let store = Store::resilient(
        &settings.database,
        &policies.database,
        to_database,
        runtime.clone(),
    )?;
    let requests = GuardedStore::new(database.clone(), store);
    let process = Process::new(
        Rules::from(policies),
        requests.clone(),
        GuardedWorker::new(worker.clone(), client),
    );

    Ok(State {
        process_limit: InFlightLimit::new(policies.process.max_in_flight),
        naive: naive(&settings, runtime)?,
        body_limit: InFlightLimit::new(MAX_BODIES),
        naive_limit: InFlightLimit::new(naive_max_in_flight()),
        readiness: Readiness::default(),
        open_work: OpenWork::default(),
        policies: settings.policies,
        metrics,
        worker,
        database,
        process,
        requests,
    })
}

/// Fewer where the process may not have that many files open: each call holds two.
fn naive_max_in_flight() -> u32 {
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let affordable = files.saturating_sub(DESCRIPTORS_FOR_THE_OTHERS) / 2;
    u32::try_from(affordable).map_or(NAIVE_MAX_IN_FLIGHT, |calls| {
        calls.clamp(16, NAIVE_MAX_IN_FLIGHT)
    })
}

/// The naive side shares nothing with the other but code: its own resolver, pool and client, and no limit on any wait.
fn naive(settings: &Settings, runtime: Handle) -> Result<Naive, AssemblyError> {
    let resolver = Resolver::new(runtime.clone(), None);
    let max_size = settings.policies.policies.database.pool.max_size;
    let store = Store::naive(&settings.database, max_size, resolver.clone(), runtime)?;
    Ok(Naive::new(
        store,
        WorkerClient::naive(&settings.worker_url, resolver)?,
    ))
}
