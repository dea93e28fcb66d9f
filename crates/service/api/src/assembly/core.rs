//! What the routes and the background work share: the replica, and all that it stands on.

use std::sync::Arc;
use std::time::Duration;

use holdfast_ops::Readiness;
use holdfast_policy::observe::{Counters, TransitionLog};
use holdfast_policy::{ConfigError, Event, Observer};
use tokio::runtime::Handle;

use super::error::AssemblyError;
use super::stores::{Stores, lookup_limit};
use crate::clock::WallClock;
use crate::config::{OnDatabaseUnavailable, Policies, Settings};
use crate::current::Current;
use crate::dependencies::Dependencies;
use crate::http::{Admission, ProcessRoute, expected, max_exchanges};
use crate::journal::{Journal, JournalInUse, JournalLimits, holds_a_journal};
use crate::limit::{InFlightLimit, file_limit};
use crate::live::{Live, Watch};
use crate::metrics::Metrics;
use crate::open_work::OpenWork;
use crate::overview::Overview;
use crate::process::Process;
use crate::recovery::{Progress, Recovery};
use crate::reload;
use crate::replica::{Parts, Replica};
use crate::resolver::Resolver;
use crate::store::{LiveStore, SchemaWatch, Store, doubt_when_open};
use crate::trace::Spans;
use crate::worker_client::{Endpoints, ResilientWorker, WorkerError};

/// The naive endpoint's one guard: its hung calls hold memory and file descriptors.
const NAIVE_MAX_IN_FLIGHT: u32 = 4096;
/// File descriptors that its calls must leave to all others.
const DESCRIPTORS_FOR_THE_OTHERS: u64 = 1536;
/// Beyond the bound, for a predecessor's own end: it gives notice, drains and stops its runtime.
const LOCK_SLACK: Duration = Duration::from_secs(3);
/// Bodies of the resilient endpoint that may be arriving at once: 64 MiB of memory at most.
const MAX_BODIES: u32 = 1024;

/// Parts that are shared with each other. One for each concern.
pub(super) struct Core {
    pub(super) readiness: Readiness,
    pub(super) runtime: Handle,
    pub(super) policies: Arc<Current<Policies>>,
    pub(super) dependencies: Dependencies,
    pub(super) endpoints: Endpoints,
    pub(super) stores: Stores,
    pub(super) journal: Option<Journal>,
    pub(super) open_work: OpenWork,
    pub(super) schema: SchemaWatch,
    /// What a reload changes.
    pub(super) governed: reload::Parts,
    pub(super) naive_limit: InFlightLimit,
    pub(super) metrics: Metrics,
    progress: Progress,
    live: Live,
}

type LiveProcess = Process<LiveStore<Store>, ResilientWorker<Endpoints>>;

impl Core {
    /// With the use case and recovery, which have one owner each.
    pub(super) fn build(
        settings: &Settings,
    ) -> Result<(Self, LiveProcess, Recovery<Store, Endpoints>), AssemblyError> {
        let runtime = Handle::current();
        let names = ["worker", "database"];
        let bound = settings.policies.policies.worst_case();
        let (metrics, counters) = Metrics::new(names, &expected(), bound, settings.observe)?;
        let live = Live::new();
        let stores = Stores::build(settings, &runtime)?;
        let dependencies = dependencies(settings, counters, &live, &stores)?;
        let endpoints = endpoints(settings, &runtime)?;
        let journal = journal(settings)?;
        let policies = Arc::new(Current::new(settings.policies.policies.clone()));
        let Replica {
            process,
            recovery,
            open_work,
        } = Replica::new(Parts {
            policies: policies.clone(),
            dependencies: dependencies.clone(),
            client: endpoints.clone(),
            live: stores.live.clone(),
            open: stores.recovery.clone(),
            journal: journal.clone(),
            clock: WallClock::of_this_machine(),
            metrics: metrics.writes(),
        });
        let core = Self {
            governed: reload::Parts::new(&policies.get(), &dependencies, &endpoints, &open_work),
            naive_limit: InFlightLimit::new(naive_max_in_flight(file_limit())),
            readiness: Readiness::default(),
            schema: SchemaWatch::default(),
            progress: recovery.progress.clone(),
            runtime,
            policies,
            dependencies,
            endpoints,
            stores,
            journal,
            open_work,
            metrics,
            live,
        };
        Ok((core, process, recovery))
    }

    /// For those who watch.
    pub(super) fn overview(&self) -> Overview {
        Overview {
            readiness: self.readiness.clone(),
            policies: self.policies.clone(),
            dependencies: self.dependencies.clone(),
            endpoints: self.endpoints.clone(),
            schema: self.schema.clone(),
            journal: self.journal.clone(),
            open_work: self.open_work.clone(),
            recovery: self.progress.clone(),
            live: self.live.clone(),
            process_limit: self.governed.process_limit.clone(),
            naive_limit: self.naive_limit.clone(),
            pools: self.stores.pools(),
        }
    }

    /// For the resilient endpoint.
    pub(super) fn process_route(&self, process: LiveProcess) -> ProcessRoute {
        ProcessRoute {
            process: Arc::new(process),
            runtime: self.runtime.clone(),
            policies: self.policies.clone(),
            admission: Arc::new(Admission {
                in_flight: self.governed.process_limit.clone(),
                asking: self.governed.asking_limit.clone(),
                open_work: self.open_work.clone(),
            }),
            bodies: InFlightLimit::new(MAX_BODIES),
            rate_limit: self.governed.rate_limit.clone(),
            metrics: self.metrics.clone(),
        }
    }
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

/// Fewer where the process may not have that many `files` open: each call holds two. And its exchanges must leave as many to
/// all others.
fn naive_max_in_flight(files: u64) -> u32 {
    let affordable = files.saturating_sub(DESCRIPTORS_FOR_THE_OTHERS) / 2;
    let affordable = affordable.min(max_exchanges(files) as u64 / 2);
    u32::try_from(affordable).map_or(NAIVE_MAX_IN_FLIGHT, |calls| {
        calls.clamp(16, NAIVE_MAX_IN_FLIGHT)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hung_naive_calls_leave_half_of_the_exchanges_whatever_the_file_limit() {
        for files in (256..40_000).step_by(64) {
            let (naive, all) = (naive_max_in_flight(files) as usize, max_exchanges(files));
            assert!(naive * 2 <= all, "{files} files: {naive} of {all}");
        }
        assert_eq!(naive_max_in_flight(1 << 20), NAIVE_MAX_IN_FLIGHT);
    }
}
