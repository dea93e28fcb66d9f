//! Where the API is put together: which dependency gets which policy, resolver, pool and client.

use std::sync::Arc;
use std::time::Duration;

use holdfast_ops::Readiness;
use holdfast_policy::observe::{Counters, TransitionLog};
use holdfast_policy::{ConfigError, Event, Observer};
use metrics_exporter_prometheus::BuildError;
use rustix::process::{Resource, getrlimit};
use tokio::runtime::Handle;

use crate::clock::WallClock;
use crate::config::{OnDatabaseUnavailable, READERS, RECOVERERS, Settings};
use crate::current::Current;
use crate::dependencies::Dependencies;
use crate::ends::Ends;
use crate::http::expected;
use crate::journal::{Journal, JournalInUse, JournalLimits, holds_a_journal};
use crate::limit::InFlightLimit;
use crate::live::{Live, Watch};
use crate::metrics::{Metrics, POOLS};
use crate::naive::Naive;
use crate::operator::Operator;
use crate::records::Records;
use crate::recovery::Recovery;
use crate::reload::{self, Reload};
use crate::replica::{Parts, Replica};
use crate::resolver::Resolver;
use crate::state::State;
use crate::store::{
    DatabaseError, OperatorStore, ReadStore, SchemaWatch, Store, StoreOptions, doubt_when_open,
};
use crate::trace::Spans;
use crate::worker_client::{Endpoints, InTurn, WorkerClient, WorkerError};

/// The naive endpoint's one guard: its hung calls hold memory and file descriptors.
const NAIVE_MAX_IN_FLIGHT: u32 = 4096;
/// File descriptors that its calls must leave to all others.
const DESCRIPTORS_FOR_THE_OTHERS: u64 = 1536;
/// Readers' sessions that lists never have: for `/requests/{id}` and for the count of open work.
const LOOKUPS: u32 = 2;
/// Beyond the bound, for a predecessor's own end: it gives notice, drains and stops its runtime.
const LOCK_SLACK: Duration = Duration::from_secs(3);
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
    /// Another process writes the journal: a configuration that cannot work.
    #[error("HOLDFAST_JOURNAL_DIR: {0}")]
    Journal(#[from] JournalInUse),
    /// The metrics exporter.
    #[error("the metrics recorder cannot be built: {0}")]
    Metrics(#[from] BuildError),
}

/// Builds all parts, and recovery, which the caller runs; must be called inside the runtime that background work shall
/// live on.
pub(crate) fn assemble(
    settings: Settings,
) -> Result<(State, Recovery<Store, Endpoints>), AssemblyError> {
    let runtime = Handle::current();
    let (metrics, counters) = Metrics::new(["worker", "database"], &expected(), settings.observe)?;
    let live = Live::new();
    let stores = Stores::build(&settings, &runtime)?;
    let dependencies = dependencies(&settings, counters, &live, &stores)?;
    let endpoints = endpoints(&settings, &runtime)?;
    let journal = journal(&settings)?;
    let policies = Arc::new(Current::new(settings.policies.policies.clone()));
    let replica = Replica::new(Parts {
        policies: policies.clone(),
        dependencies: dependencies.clone(),
        client: endpoints.clone(),
        live: stores.live.clone(),
        open: stores.recovery.clone(),
        journal: journal.clone(),
        clock: WallClock::of_this_machine(),
        metrics: metrics.writes(),
    });
    let open_work = replica.open_work;
    let parts = reload::Parts::new(&policies.get(), &dependencies, &endpoints, &open_work);
    let records = records(&settings, &dependencies, &stores, journal.clone());
    let operators = OperatorStore::new(records.reads.clone());
    let operator = Operator::new(operators, journal.clone(), policies.clone(), &open_work);
    let state = State {
        process_limit: parts.process_limit.clone(),
        rate_limit: parts.rate_limit.clone(),
        naive: naive(&settings, stores.naive.clone(), runtime.clone())?,
        pools: stores.pools(),
        body_limit: InFlightLimit::new(MAX_BODIES),
        naive_limit: InFlightLimit::new(naive_max_in_flight()),
        readiness: Readiness::default(),
        runtime,
        process: Arc::new(replica.process),
        operator,
        admin_token: settings.admin_token.clone(),
        ends: Ends::default(),
        records,
        policies: policies.clone(),
        recovery: replica.recovery.progress.clone(),
        journal,
        open_work,
        schema: SchemaWatch::default(),
        schema_store: stores.reads,
        metrics,
        live,
        dependencies,
        endpoints,
        reload: Reload::new(&settings, policies, parts),
    };
    Ok((state, replica.recovery))
}

/// With their observers, unless nobody is to observe.
fn dependencies(
    settings: &Settings,
    [of_worker, of_database]: [Counters; 2],
    live: &Live,
    stores: &Stores,
) -> Result<Dependencies, ConfigError> {
    let observers = |counters, watch: &Watch| match settings.observe {
        true => observers(counters, watch.clone()),
        false => vec![],
    };
    let of_worker = observers(of_worker, &live.worker);
    let mut of_database = observers(of_database, &live.database);
    of_database.push(Arc::new(doubt_when_open(stores.clients().into())));
    let seed = |dependency| {
        let seed = fastrand::u64(..);
        tracing::info!(dependency, seed, "retry and breaker jitter");
        seed
    };
    Dependencies::observed(&settings.policies.policies, seed, of_worker, of_database)
}

fn records(
    settings: &Settings,
    dependencies: &Dependencies,
    stores: &Stores,
    journal: Option<Journal>,
) -> Records {
    let policies = &settings.policies.policies;
    let (database, limit) = (dependencies.database.clone(), policies.database.deadline);
    Records {
        reads: ReadStore::new(database, &stores.reads, limit),
        listings: InFlightLimit::new(READERS - LOOKUPS),
        journal,
        journal_deadline: policies.journal.deadline,
    }
}

/// What the metrics, the log, the page and the collector have to know of a policy.
fn observers(counters: Counters, watch: Watch) -> Vec<Arc<dyn Observer>> {
    let observer = move |event: &Event<'_>| {
        counters.on_event(event);
        TransitionLog.on_event(event);
        watch.on_event(event);
        Spans.on_event(event);
    };
    vec![Arc::new(observer)]
}

/// The stores of those who must not take each other's sessions.
struct Stores {
    live: Store,
    reads: Store,
    recovery: Store,
    naive: Store,
}

impl Stores {
    /// In the order of [`POOLS`].
    fn pools(&self) -> [Store; POOLS.len()] {
        [&self.live, &self.reads, &self.recovery, &self.naive].map(Store::clone)
    }

    /// Whose sessions are in doubt as soon as the database's breaker opens.
    fn clients(&self) -> [Store; 3] {
        [&self.live, &self.reads, &self.recovery].map(Store::clone)
    }

    fn build(settings: &Settings, runtime: &Handle) -> Result<Self, DatabaseError> {
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

fn endpoints(settings: &Settings, runtime: &Handle) -> Result<Endpoints, WorkerError> {
    let worker = &settings.policies.policies.worker;
    let resolver = Resolver::new(runtime.clone(), lookup_limit(worker.connect_timeout));
    Endpoints::new(
        settings.workers.clone(),
        worker.policy(),
        worker.connect_timeout,
        resolver,
        runtime.clone(),
    )
}

/// A lookup gets less than the whole connect timeout, so that a silent resolver is told from a silent server.
fn lookup_limit(connect_timeout: Duration) -> Option<Duration> {
    Some(connect_timeout * 4 / 5)
}

/// Where the policies do without one, what it holds from before is still owed.
fn journal(settings: &Settings) -> Result<Option<Journal>, JournalInUse> {
    let folder = &settings.journal_folder;
    if !records_in_journal(settings) && !holds_a_journal(folder) {
        return Ok(None);
    }
    let policy = &settings.policies.policies.journal;
    let limits = JournalLimits {
        // What a predecessor has under way ends within the bound.
        lock_wait: settings.policies.policies.worst_case() + LOCK_SLACK,
        max_bytes: policy.max_bytes,
        max_batch: policy.max_batch,
    };
    tracing::info!(folder = %folder.display(), "journal");
    Journal::open(folder, limits).map(Some)
}

fn records_in_journal(settings: &Settings) -> bool {
    settings.policies.policies.database.on_unavailable == OnDatabaseUnavailable::Journal
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
fn naive(settings: &Settings, store: Store, runtime: Handle) -> Result<Naive, AssemblyError> {
    let resolver = Resolver::new(runtime.clone(), None);
    let client = |worker| WorkerClient::naive(worker, resolver.clone(), runtime.clone());
    let workers = settings.workers.iter().map(client);
    let workers = workers.collect::<Result<_, _>>()?;
    Ok(Naive::new(store, InTurn::new(workers)))
}

fn naive_store(settings: &Settings, runtime: &Handle) -> Result<Store, DatabaseError> {
    let resolver = Resolver::new(runtime.clone(), None);
    let max_size = settings.policies.policies.database.pool.max_size;
    Store::naive(&settings.database, max_size, resolver, runtime.clone())
}
