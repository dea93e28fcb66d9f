//! A replica's core for a program that brings a world of its own: tables, workers, disks and clocks that need not be real.
//!
//! The code is the service's own; what the world is made of comes in through [`Table`], [`WorkClient`], [`Files`] and
//! [`WallClock`]. Nothing here reads the machine's clock, starts a thread or opens a socket, but for [`postgres_table`].

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use holdfast_ops::Readiness;
use holdfast_policy::BreakerState;
use metrics::Histogram;
use tokio::runtime::Handle;

use crate::current::Current;
use crate::open_work::OpenWork;
use crate::postgres::Database;
use crate::process::{Admission, Process};
use crate::replica::{Parts, Replica};
use crate::resolver::Resolver;
use crate::store::{FlushMetrics, LiveMetrics, LiveStore, Store, StoreOptions};
use crate::worker_client::ResilientWorker;

pub use crate::clock::WallClock;
pub use crate::config::{Loaded, Policies, PolicyFileError, parse as parse_policies};
pub use crate::dependencies::Dependencies;
pub use crate::dependency::{Dependency, DependencyError};
pub use crate::journal::{Entry, Files, Journal, JournalLimits, JournalStats, StorageFault};
pub use crate::open_work::OpenCount;
pub use crate::postgres::{Attribution, class_of, reason_of};
pub use crate::process::{
    ExistingRequest, NewRequest, Outcome, Overload, Refusal as Refused, RequestState, WorkResult,
};
pub use crate::store::{
    Claimed, CompletedOpen, EndRow, FailureOutcome, Finished, Forgotten, Inserted, NewRow,
    OpenRequest, Refusal, RefusalKind, Replayed, Table, Written,
};
pub use crate::worker_client::{WorkCall, WorkClient, WorkerError};

/// The real table of requests at `url`, over `sessions` of its own: what a model of it is held against. Must be called inside
/// the runtime that its sockets shall live on.
///
/// # Errors
/// When `url` makes no sense or the pool cannot be built.
pub fn postgres_table(
    url: &str,
    policies: &Policies,
    sessions: u32,
) -> Result<impl Table + use<>, Box<dyn Error + Send + Sync>> {
    let database = Database::parse(url).map_err(|error| error.to_string())?;
    let runtime = Handle::current();
    let options = StoreOptions {
        role: "embedded",
        max_sessions: sessions,
        statement_limit: policies.database.deadline,
    };
    let resolver = Resolver::new(runtime.clone(), None);
    let table = Store::resilient(&database, &policies.database, options, resolver, runtime)?;
    Ok(table)
}

/// What an embedded replica is made of.
pub struct Setup<'a, T, W> {
    /// What governs it.
    pub policies: &'a Policies,
    /// The same, at work.
    pub dependencies: Dependencies,
    /// The table of requests.
    pub table: T,
    /// The way to the worker.
    pub client: W,
    /// The journal, driven by the caller.
    pub journal: Journal,
    /// The replica's wall clock.
    pub clock: WallClock,
}

/// A replica that is called, not connected to.
pub struct Embedded<T: Table, W: WorkClient> {
    replica: Replica<T, W>,
    table: T,
    database: Arc<Dependency>,
    limit: Duration,
}

/// The half that answers calls.
pub struct Calls<T: Table, W: WorkClient> {
    process: Process<LiveStore<T>, ResilientWorker<W>>,
    open_work: OpenWork,
}

impl<T: Table, W: WorkClient> Embedded<T, W> {
    /// Puts it together; must be called inside the runtime that it shall live on.
    #[must_use]
    pub fn new(setup: Setup<'_, T, W>) -> Self {
        let unmeasured = FlushMetrics {
            rows: Histogram::noop(),
            queued: Histogram::noop(),
        };
        let database = Arc::clone(&setup.dependencies.database);
        let replica = Replica::new(Parts {
            policies: Arc::new(Current::new(setup.policies.clone())),
            dependencies: setup.dependencies,
            client: setup.client,
            live: setup.table.clone(),
            open: setup.table.clone(),
            journal: Some(setup.journal),
            clock: setup.clock,
            metrics: LiveMetrics {
                unkeyed: unmeasured.clone(),
                keyed: unmeasured,
            },
        });
        Self {
            replica,
            table: setup.table,
            database,
            limit: setup.policies.database.deadline,
        }
    }

    /// What answers calls, and what goes on in the background for as long as the replica lives.
    pub fn start(self) -> (Calls<T, W>, impl Future<Output = ()>) {
        let Replica {
            process,
            recovery,
            open_work,
        } = self.replica;
        let calls = Calls {
            process,
            open_work: open_work.clone(),
        };
        let (table, database, limit) = (self.table, self.database, self.limit);
        let count = async move || {
            if database.snapshot().breaker != BreakerState::Closed {
                return None;
            }
            let count = database.call_bypassing_policy(limit, table.count_open());
            count.await.ok()
        };
        let background = async {
            tokio::join!(
                recovery.run(Readiness::default()),
                open_work.keep_counting(count)
            );
        };
        (calls, background)
    }
}

impl<T: Table, W: WorkClient> Calls<T, W> {
    /// Answers `request`; what is new is taken on only while there is not too much to catch up on.
    pub async fn process(&self, request: NewRequest) -> Outcome {
        self.process.run(&request, Door(&self.open_work)).await
    }
}

/// Takes on what is new unless there is too much to catch up on.
struct Door<'a>(&'a OpenWork);

impl Admission for Door<'_> {
    fn to_work(&mut self) -> Result<(), Overload> {
        match self.0.is_full() {
            true => Err(Overload::OpenWork),
            false => Ok(()),
        }
    }

    fn to_ask(&mut self) {}
}
