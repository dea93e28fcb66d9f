//! Where the API is put together: which dependency gets which policy, resolver, pool and client.

mod core;
mod error;
mod stores;

use std::sync::Arc;

use self::core::Core;
pub use self::error::AssemblyError;
use crate::background::Background;
use crate::config::{READERS, Settings};
use crate::ends::Ends;
use crate::http::{Feed, OperatorRoutes, RequestRoutes, Shared};
use crate::limit::Turns;
use crate::naive::Naive;
use crate::operator::Operator;
use crate::records::Records;
use crate::reload::Reload;
use crate::resolver::Resolver;
use crate::store::{OperatorStore, ReadStore, Wanted, lock_wait};
use crate::worker_client::{InTurn, WorkerClient};

/// Readers' sessions that lists never have: for `/requests/{id}` and for the count of open work.
const LOOKUPS: u32 = 2;
/// Lists that wait for their turn: a wait holds a connection and no more, but who comes behind so many is not served in time.
const WAITING_LISTS: u32 = 128;

/// An API, put together.
pub(crate) struct Assembled {
    /// For the handlers.
    pub(crate) shared: Shared,
    /// To be spawned by the caller.
    pub(crate) background: Background,
}

/// Builds all parts; must be called inside the runtime that background work shall live on.
pub(crate) fn assemble(settings: Settings) -> Result<Assembled, AssemblyError> {
    let (core, process, recovery) = Core::build(&settings)?;
    let records = records(&settings, &core);
    let reads = records.reads.clone();
    let operators = OperatorStore::new(reads.clone());
    let (journal, policies) = (core.journal.clone(), core.policies.clone());
    let operator = Operator::new(operators, journal, policies.clone(), &core.open_work);
    let ends = Ends::default();
    let (overview, metrics) = (Arc::new(core.overview()), core.metrics.clone());
    let feed = Feed::new();
    let background = Background {
        readiness: core.readiness.clone(),
        recovery,
        open_work: core.open_work.clone(),
        ends: ends.clone(),
        journal: core.journal.clone(),
        journal_deadline: policies.get().journal.deadline,
        operator: operator.clone(),
        worker: core.dependencies.worker.clone(),
        reads,
        schema: core.schema.clone(),
        lock_wait: lock_wait(&policies.get().database),
        server: core.stores.reads.clone(),
        wanted: Wanted::by(&policies.get().database.pool),
        metrics: metrics.clone(),
        overview: overview.clone(),
        feed: feed.clone(),
    };
    let requests = RequestRoutes {
        records,
        ends,
        readiness: core.readiness.clone(),
    };
    let operator = OperatorRoutes {
        operator,
        admin_token: settings.admin_token.clone(),
    };
    let shared = Shared {
        process: Arc::new(core.process_route(process)),
        naive: Arc::new(naive(&settings, &core)?),
        requests: Arc::new(requests),
        operator: Arc::new(operator),
        readiness: Arc::new(core.readiness),
        reload: Arc::new(Reload::new(&settings, policies, core.governed)),
        overview,
        metrics: Arc::new(metrics),
        feed: Arc::new(feed),
        allowed_hosts: Arc::new(settings.allowed_hosts),
    };
    Ok(Assembled { shared, background })
}

fn records(settings: &Settings, core: &Core) -> Records {
    let policies = &settings.policies.policies;
    let (database, limit) = (
        core.dependencies.database.clone(),
        policies.database.deadline,
    );
    Records {
        reads: ReadStore::new(database, &core.stores.reads, limit),
        listings: Turns::new(READERS - LOOKUPS, WAITING_LISTS, limit),
        journal: core.journal.clone(),
        journal_deadline: policies.journal.deadline,
    }
}

/// The naive side shares nothing with the other but code: its own resolver, pool and client, and no limit on any wait.
fn naive(settings: &Settings, core: &Core) -> Result<Naive, AssemblyError> {
    let runtime = &core.runtime;
    let resolver = Resolver::new(runtime.clone(), None);
    let client = |worker| WorkerClient::naive(worker, resolver.clone(), runtime.clone());
    let workers = settings.workers.iter().map(client);
    let workers = InTurn::new(workers.collect::<Result<_, _>>()?);
    let (store, in_flight) = (core.stores.naive.clone(), core.naive_limit.clone());
    Ok(Naive::new(store, workers, in_flight))
}
